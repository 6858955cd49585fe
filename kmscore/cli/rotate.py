"""The command `rotate`, which re-encrypts whole tables.

Exit codes: 0, every row is where it belongs; 1, some rows failed, and are in the file of failed
rows; 2, the job could not start or could not finish; 130, interrupted.
"""

from pathlib import Path
from typing import Annotated

import typer

from kmscore import EncryptionAlgorithm
from kmscore.cli.keyring_file import KeyringOption, check_destination, read_keyring
from kmscore.cli.options import (
    AmbiguousOption,
    BlobColumnOption,
    ContextColumnOption,
    DelimiterOption,
    DestinationContextColumnOption,
    DestinationOption,
    DestinationProfileOption,
    JobsOption,
    JsonOption,
    ProfileName,
    SourceKeyOption,
    SourceProfileOption,
    SourceVersionOption,
    UpgradeOnlyOption,
    check_ambiguous,
    check_profiles,
    check_source_ids,
    context_columns_of,
    context_columns_option,
    delimiter_of,
    profile_of,
)
from kmscore.cli.passphrase import Descriptor
from kmscore.cli.problems import FileProblem
from kmscore.cli.rotation_report import show_rotation
from kmscore.cli.signals import end_of
from kmscore.cli.terminal import (
    problems_in_one_line,
    progress,
    stop,
    surprises_in_one_line,
    tell,
)
from kmscore.tables import (
    Columns,
    Options,
    Report,
    Source,
    check_columns,
    forget_job,
    is_unfinished,
    rotate,
)

_In = Annotated[
    Path,
    typer.Argument(
        metavar="IN",
        help="A table: .csv, .jsonl or .ndjson, also .gz or .zst; .parquet; or a folder of these.",
    ),
]


def rotate_table(
    source: _In,
    keyring: KeyringOption,
    destination: DestinationOption,
    out: Annotated[
        Path | None,
        typer.Argument(
            metavar="OUT", help="A new table or folder in the same format; not in a dry run."
        ),
    ] = None,
    blob_column: BlobColumnOption = "ciphertext_blob",
    context_column: ContextColumnOption = None,
    context_columns: Annotated[
        list[str] | None,
        context_columns_option(
            "In CSV an empty field without quotes is left out, and with quotes is an empty value."
        ),
    ] = None,
    destination_context_column: DestinationContextColumnOption = None,
    delimiter: DelimiterOption = None,
    source_key_id: SourceKeyOption = None,
    source_version_id: SourceVersionOption = None,
    algorithm: Annotated[
        str | None,
        typer.Option(
            "--algorithm",
            help="For asymmetric sources: RSAES_OAEP_SHA_256, RSAES_OAEP_SHA_1 or SM2PKE.",
        ),
    ] = None,
    source_profile: SourceProfileOption = ProfileName.V1,
    destination_profile: DestinationProfileOption = ProfileName.V1,
    jobs: JobsOption = 1,
    *,
    allow_ambiguous: AmbiguousOption = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Finish an interrupted job, if there is one.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also re-encrypt rows that are up to date.")
    ] = False,
    keep_going: Annotated[
        bool,
        typer.Option("--keep-going", help="Go on if all of the first rows (4,096 or fewer) fail."),
    ] = False,
    upgrade_only: UpgradeOnlyOption = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Decrypt all rows, and write no file.")
    ] = False,
    as_json: JsonOption = False,
    passphrase_fd: Descriptor = None,
) -> None:
    """Re-encrypt all ciphertexts of a table under the primary version of a key.

    Failed rows are written to a second file with the reason (out.failed.csv for out.csv), all other
    rows to OUT. No existing file is overwritten. If the command is interrupted at any moment, the
    same command with --resume finishes the job.

    Exit codes: 0, every row is where it belongs; 1, some rows failed; 2, the job could not start or
    could not finish; 130, interrupted.

    Example: kmscore rotate in.csv out.csv -k a.keys --destination orders --context-columns tenant
    """
    with problems_in_one_line(), surprises_in_one_line():
        check_profiles(source_profile, destination_profile, algorithm)
        check_ambiguous(source_profile, destination_profile, allow_ambiguous=allow_ambiguous)
        columns = _columns(
            blob_column,
            context_column,
            context_columns,
            destination_context_column,
            Source(source_key_id, source_version_id, algorithm),
        )
        _check_out(out, dry_run=dry_run, resume=resume)
        # Report a problem with the input before the prompt for the passphrase.
        sign = delimiter_of(delimiter, [source])
        check_columns(source, columns, delimiter=sign)
        keys = read_keyring(keyring, passphrase_fd)
        check_destination(keys, destination)
        options = Options(
            destination_key_id=destination,
            columns=columns,
            skip_current=not again,
            upgrade_only=upgrade_only,
            keep_going=keep_going,
            delimiter=sign,
            source_profile=profile_of(source_profile),
            destination_profile=profile_of(destination_profile),
            allow_ambiguous=allow_ambiguous,
        )
        try:
            with progress() as show:
                report = rotate(
                    *(source, out, keys, options),
                    jobs=jobs,
                    resume=resume,
                    keep_job=True,
                    on_progress=show,
                )
            _tell(report, as_json=as_json)
        except KeyboardInterrupt as interrupt:
            word, code = end_of(interrupt)
            hint = "; the same command with --resume finishes it" if is_unfinished(out) else ""
            stop(word + hint, code)
    if report.failed:
        raise typer.Exit(1)


def _tell(report: Report, *, as_json: bool) -> None:
    """Print the result of a rotation; if this fails, report the complete output file."""
    hint = "" if report.out is None else f"; {report.out} is complete, --resume tells its counts"
    tell(lambda: show_rotation(report, as_json=as_json), hint)
    if report.out is not None:
        forget_job(report.out)


def _columns(
    blob: str,
    context: str | None,
    contexts: list[str] | None,
    destination_context: str | None,
    source: Source,
) -> Columns:
    """Return the columns that the options name.

    Raises `FileProblem` for a conflict of options, and `UnsupportedAlgorithmError`.
    """
    names, keys = context_columns_of(context, contexts)
    if source.algorithm is not None:
        EncryptionAlgorithm.of(source.algorithm, "algorithm")
        check_source_ids(source.algorithm, (source.key_id, source.key_version_id))
        if context is not None or contexts:
            raise FileProblem(
                "--algorithm excludes --context-column and --context-columns; the new contexts come"
                " from --destination-context-column"
            )
    return Columns(blob, context, names, keys, destination_context, source)


def _check_out(out: Path | None, *, dry_run: bool, resume: bool) -> None:
    """Raise `FileProblem` for a missing OUT, or for an OUT in a dry run."""
    if dry_run:
        if out is not None or resume:
            raise FileProblem("a dry run writes nothing: it takes neither OUT nor --resume")
        return
    if out is None:
        raise FileProblem("OUT is missing; give a new file or folder, or --dry-run")
