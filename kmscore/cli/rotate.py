"""The command `rotate`, which re-encrypts whole tables.

Exit codes: 0, every row is where it belongs; 1, some rows failed, and are in the file of failed
rows; 2, the job could not start or could not finish; 130, interrupted.
"""

from pathlib import Path
from typing import Annotated, Final

import typer

from kmscore import EncryptionAlgorithm
from kmscore.cli.files import give_up_output
from kmscore.cli.keyring_file import KeyringOption, read_keyring
from kmscore.cli.options import BlobColumnOption, JsonOption
from kmscore.cli.passphrase import Descriptor
from kmscore.cli.problems import FileProblem
from kmscore.cli.rotation.columns import Columns, Source
from kmscore.cli.rotation.formats import input_of, table_of
from kmscore.cli.rotation.table import Table
from kmscore.cli.rotation.whole_table import Report, is_unfinished, rotate
from kmscore.cli.rotation.work import Assignment, TableJob
from kmscore.cli.rotation_report import show_rotation
from kmscore.cli.terminal import (
    INTERRUPTED,
    bar,
    problems_in_one_line,
    progress,
    stop,
    surprises_in_one_line,
)

_MOST_JOBS: Final = 256

_In = Annotated[
    Path, typer.Argument(metavar="IN", help="A table: .jsonl, .ndjson, .csv or .parquet.")
]


def rotate_table(
    source: _In,
    keyring: KeyringOption,
    destination: Annotated[
        str, typer.Option("--destination", metavar="ID", help="ID of the destination key.")
    ],
    out: Annotated[
        Path | None,
        typer.Argument(metavar="OUT", help="A new table of the same format; not in a dry run."),
    ] = None,
    blob_column: BlobColumnOption = "ciphertext_blob",
    context_column: Annotated[
        str | None,
        typer.Option(
            "--context-column", metavar="NAME", help="Column of contexts, each one JSON object."
        ),
    ] = None,
    context_columns: Annotated[
        str | None,
        typer.Option(
            "--context-columns",
            metavar="A,B",
            help="Columns of context values; their names are the keys.",
        ),
    ] = None,
    destination_context_column: Annotated[
        str | None,
        typer.Option(
            "--destination-context-column",
            metavar="NAME",
            help="Column of new contexts; without one a row keeps its context, and {} removes it.",
        ),
    ] = None,
    source_key_id: Annotated[str | None, typer.Option("--source-key-id", metavar="ID")] = None,
    source_version_id: Annotated[
        str | None, typer.Option("--source-version-id", metavar="ID")
    ] = None,
    algorithm: Annotated[
        str | None,
        typer.Option(
            "--algorithm",
            help="For asymmetric sources: RSAES_OAEP_SHA_256, RSAES_OAEP_SHA_1 or SM2PKE.",
        ),
    ] = None,
    jobs: Annotated[
        int,
        typer.Option(
            "--jobs",
            min=1,
            max=_MOST_JOBS,
            help="Number of worker processes; 1 starts no extra process.",
        ),
    ] = 1,
    *,
    resume: Annotated[
        bool, typer.Option("--resume", help="Finish an interrupted job, if there is one.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also re-encrypt rows that are up to date.")
    ] = False,
    upgrade_only: Annotated[
        bool, typer.Option("--upgrade-only", help="Reject re-encryption to an older version.")
    ] = False,
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
        table = input_of(source)
        columns = _columns(
            blob_column,
            context_column,
            context_columns,
            destination_context_column,
            Source(source_key_id, source_version_id, algorithm),
        )
        _check_out(out, table, dry_run=dry_run, resume=resume)
        table.check_columns(source, columns)
        keys, sealed = read_keyring(keyring, passphrase_fd)
        _check_rows(table, source)
        job = TableJob(table, columns, destination, not again, upgrade_only, dry_run)
        assignment = Assignment(job, keys, sealed, jobs)
        try:
            with progress("Rotating") as (bar, task):
                report = rotate(
                    source,
                    out,
                    assignment,
                    resume=resume,
                    advance=lambda done, rows: bar.update(
                        task,
                        # Parts finish in any order, but the bar must not move back.
                        completed=max(done, bar.tasks[task].completed),
                        rows=bar.tasks[task].fields["rows"] + rows,
                    ),
                )
            _tell(report, as_json=as_json)
        except KeyboardInterrupt:
            hint = "; the same command with --resume finishes it" if is_unfinished(out) else ""
            stop(f"interrupted{hint}", INTERRUPTED)
    if report.has_failures:
        raise typer.Exit(1)


def _check_rows(table: Table, source: Path) -> None:
    """Check all rows before the first is written. Raises `FileProblem`."""
    with bar() as shown:
        task = shown.add_task("Checking", total=1.0)
        for position in table.check_rows(source):
            shown.update(task, completed=position)


def _tell(report: Report, *, as_json: bool) -> None:
    """Print the result of a rotation; if this fails, report the complete output file."""
    reason = "Broken pipe"
    try:
        show_rotation(report, as_json=as_json)
    except OSError as error:
        reason = error.strerror or str(error)
    except SystemExit:  # raised by rich after the reader has closed the pipe
        pass
    else:
        report.forget()
        return
    give_up_output()
    hint = "" if report.out is None else f"; {report.out} is complete, --resume tells its counts"
    stop(f"standard output: {reason}{hint}")


def _columns(
    blob: str,
    context: str | None,
    contexts: str | None,
    destination_context: str | None,
    source: Source,
) -> Columns:
    """Return the columns that the options name.

    Raises `FileProblem` for a conflict of options, and `UnsupportedAlgorithmError`.
    """
    if context is not None and contexts is not None:
        raise FileProblem("--context-column and --context-columns exclude each other")
    names = () if contexts is None else tuple(contexts.split(","))
    if "" in names or len(set(names)) != len(names):
        raise FileProblem("--context-columns requires different names separated by commas")
    if source.algorithm is not None:
        EncryptionAlgorithm.of(source.algorithm, "algorithm")
        if None in source:
            raise FileProblem("--algorithm needs --source-key-id and --source-version-id")
    return Columns(blob, context, names, destination_context, source)


def _check_out(out: Path | None, table: Table, *, dry_run: bool, resume: bool) -> None:
    """Raise `FileProblem` for a missing OUT, an OUT in a dry run, or an OUT of another format."""
    if dry_run:
        if out is not None or resume:
            raise FileProblem("a dry run writes nothing: it takes neither OUT nor --resume")
        return
    if out is None:
        raise FileProblem("OUT is missing")
    if table_of(out).suffix != table.suffix:
        raise FileProblem(f"{out}: OUT must have the same format as IN")
