"""The command `rotate`, for whole tables.

Exit codes: 0, every row is where it belongs; 1, some rows failed, and are in the file
of failed rows; 2, it could not be done, or not to its end; 130, interrupted.
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
        str, typer.Option("--destination", metavar="ID", help="The key that seals.")
    ],
    out: Annotated[
        Path | None,
        typer.Argument(metavar="OUT", help="A new table of the same format; none in a dry run."),
    ] = None,
    blob_column: BlobColumnOption = "ciphertext_blob",
    context_column: Annotated[
        str | None,
        typer.Option("--context-column", metavar="NAME", help="Contexts, each one JSON object."),
    ] = None,
    context_columns: Annotated[
        str | None,
        typer.Option(
            "--context-columns", metavar="A,B", help="Contexts in columns; the name is the key."
        ),
    ] = None,
    destination_context_column: Annotated[
        str | None,
        typer.Option(
            "--destination-context-column",
            metavar="NAME",
            help="New contexts; a row keeps its own where there is none, and {} strips it.",
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
            help="Of bare ciphertexts: RSAES_OAEP_SHA_256, RSAES_OAEP_SHA_1 or SM2PKE.",
        ),
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", min=1, max=_MOST_JOBS, help="Processes at work; 1 is this one.")
    ] = 1,
    *,
    resume: Annotated[
        bool, typer.Option("--resume", help="Finish a job that was interrupted, if there is one.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Seal afresh what is up to date already, too.")
    ] = False,
    upgrade_only: Annotated[
        bool, typer.Option("--upgrade-only", help="Refuse to move to an older version.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Open everything and write nothing.")
    ] = False,
    as_json: JsonOption = False,
    passphrase_fd: Descriptor = None,
) -> None:
    """Move all ciphertexts of a table to the primary version of a key.

    Rows that fail go to a file of their own with their reason (out.failed.csv beside out.csv), all
    others to OUT. Nothing is written over, and what is interrupted at any moment is finished by the
    same command with --resume.

    Exit codes: 0, every row is where it belongs; 1, some rows failed; 2, it could not be done, or
    not to its end; 130, interrupted.

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
                        # Parts come as they are ready, and a bar does not go back.
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
    """Look at all rows before any is written. Raises `FileProblem`."""
    with bar() as shown:
        task = shown.add_task("Checking", total=1.0)
        for position in table.check_rows(source):
            shown.update(task, completed=position)


def _tell(report: Report, *, as_json: bool) -> None:
    """Print what a rotation came to, and if that fails, say what is there all the same."""
    reason = "Broken pipe"
    try:
        show_rotation(report, as_json=as_json)
    except OSError as error:
        reason = error.strerror or str(error)
    except SystemExit:  # of rich, when nobody reads any more
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
    """Return the columns that options name.

    Raises `FileProblem` if they do not go together, and `UnsupportedAlgorithmError`.
    """
    if context is not None and contexts is not None:
        raise FileProblem("--context-column and --context-columns exclude each other")
    names = () if contexts is None else tuple(contexts.split(","))
    if "" in names or len(set(names)) != len(names):
        raise FileProblem("--context-columns takes different names, with commas between them")
    if source.algorithm is not None:
        EncryptionAlgorithm.of(source.algorithm, "algorithm")
        if None in source:
            raise FileProblem("--algorithm needs --source-key-id and --source-version-id")
    return Columns(blob, context, names, destination_context, source)


def _check_out(out: Path | None, table: Table, *, dry_run: bool, resume: bool) -> None:
    """Raise `FileProblem` unless there is an OUT just where one is due, of the same format."""
    if dry_run:
        if out is not None or resume:
            raise FileProblem("a dry run writes nothing: it takes neither OUT nor --resume")
        return
    if out is None:
        raise FileProblem("OUT is missing")
    if table_of(out).suffix != table.suffix:
        raise FileProblem(f"{out}: OUT must be of the format of IN")
