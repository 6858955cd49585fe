"""The command `rotate-column`, which re-encrypts a column of a database in place."""

from math import inf
from pathlib import Path
from typing import Annotated, Final

import typer

from kmscore.cli.database_options import (
    BlobOption,
    Encoding,
    EncodingOption,
    SchemaOption,
    TableOption,
    UrlFileOption,
    WhereOption,
    database_extra,
    read_url,
)
from kmscore.cli.keyring_file import KeyringOption, check_destination, read_keyring
from kmscore.cli.options import (
    ContextColumnOption,
    DestinationContextColumnOption,
    DestinationOption,
    JobsOption,
    JsonOption,
    ProfileName,
    SourceProfileOption,
    UpgradeOnlyOption,
    context_columns_of,
    context_columns_option,
    names_of,
    profile_of,
)
from kmscore.cli.passphrase import Descriptor
from kmscore.cli.problems import FileProblem
from kmscore.cli.signals import end_of
from kmscore.cli.terminal import problems_in_one_line, stop, surprises_in_one_line, tell

_MAX_BATCH_ROWS: Final = 1_000_000


def rotate_column(
    keyring: KeyringOption,
    destination: DestinationOption,
    table: TableOption,
    blob_column: BlobOption = "ciphertext_blob",
    schema: SchemaOption = None,
    url_file: UrlFileOption = None,
    encoding: EncodingOption = Encoding.BINARY,
    context_column: ContextColumnOption = None,
    context_columns: Annotated[
        list[str] | None, context_columns_option("NULL leaves the pair out.")
    ] = None,
    destination_context_column: DestinationContextColumnOption = None,
    where: WhereOption = None,
    preserve_columns: Annotated[
        list[str] | None,
        typer.Option(
            "--preserve-columns",
            metavar="A,B",
            help="Columns that MySQL must not set by ON UPDATE CURRENT_TIMESTAMP. The option"
            " can be repeated.",
        ),
    ] = None,
    source_profile: SourceProfileOption = ProfileName.V1,
    jobs: JobsOption = 1,
    max_rows_per_second: Annotated[
        int | None,
        typer.Option(
            "--max-rows-per-second", metavar="N", min=1, help="Maximum rate of all jobs together."
        ),
    ] = None,
    transaction_seconds: Annotated[
        float,
        typer.Option(
            "--transaction-seconds",
            metavar="S",
            help="Duration of a write transaction, to which the batches are adjusted.",
        ),
    ] = 0.5,
    batch_rows: Annotated[
        int,
        typer.Option(
            "--batch-rows",
            metavar="N",
            min=1,
            max=_MAX_BATCH_ROWS,
            help="Number of rows in the first batch.",
        ),
    ] = 1000,
    passes: Annotated[
        int,
        typer.Option(
            "--passes", metavar="N", min=1, help="Maximum number of passes over the table."
        ),
    ] = 3,
    failed: Annotated[
        Path | None,
        typer.Option(
            "--failed",
            metavar="FILE",
            help="New file for the primary keys and error codes of failed rows, as JSON Lines.",
        ),
    ] = None,
    *,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Also authenticate rows that name the destination version."),
    ] = False,
    upgrade_only: UpgradeOnlyOption = False,
    keep_going: Annotated[
        bool,
        typer.Option("--keep-going", help="Go on if all of the first rows (about 1,000) fail."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Decrypt all rows, and write nothing.")
    ] = False,
    as_json: JsonOption = False,
    passphrase_fd: Descriptor = None,
) -> None:
    """Re-encrypt a column of a live database table under the primary version of a key.

    Other programs can read and write the table at the same time. Rows that name this version
    already are skipped. There is no --resume: if the command is interrupted at any moment, the same
    command again continues with the rows that are left.

    The URL of the database comes from KMSCORE_DATABASE_URL or --url-file, never from an argument,
    which other users can see. It has the form of SQLAlchemy: sqlite:///FILE,
    postgresql+psycopg://USER:PASSWORD@HOST/DATABASE or mysql+pymysql://USER:PASSWORD@HOST/DATABASE.

    Exit codes: 0, every ciphertext is where it belongs; 1, some rows failed, or ciphertexts remain;
    2, the command could not start or could not finish; 130, interrupted.

    Example: kmscore rotate-column -k a.keys --destination orders --table t --context-columns tenant
    """
    with problems_in_one_line(), surprises_in_one_line(), database_extra():
        # Optional, and SQLAlchemy would make the start of other commands slower.
        from kmscore.cli.column_report import show_column  # noqa: PLC0415
        from kmscore.cli.column_rotation import found_column  # noqa: PLC0415

        pairs = context_columns_of(context_column, context_columns)
        if source_profile is ProfileName.V1_TEXT:
            raise FileProblem(
                "--source-profile v1-text has the layout of the results, in which a second run"
                " would change the texts again; re-encrypt single ciphertexts with kmscore"
                " reencrypt"
            )
        if not 0 < transaction_seconds < inf:
            raise FileProblem("--transaction-seconds requires a positive and finite number")
        preserved = names_of(preserve_columns)
        if "" in preserved:
            raise FileProblem("--preserve-columns requires names separated by commas")
        options = {
            "table": table,
            "schema": schema,
            "blob_column": blob_column,
            "encoding": str(encoding),
            "context_column": context_column,
            "context_columns": dict(zip(pairs.keys, pairs.names, strict=True)),
            "destination_context_column": destination_context_column,
            "where": where,
            "preserve_columns": preserved,
            "source_profile": profile_of(source_profile),
            "verify": verify,
            "upgrade_only": upgrade_only,
            "dry_run": dry_run,
            "batch_rows": batch_rows,
            "target_seconds": transaction_seconds,
            "rows_per_second": max_rows_per_second,
            "passes": passes,
            "keep_going": keep_going,
        }
        with found_column(read_url(url_file), destination, options, failed) as rotation:
            # After the checks of the database, because it can be a prompt for the passphrase.
            keys = read_keyring(keyring, passphrase_fd)
            check_destination(keys, destination)
            try:
                result = rotation.run(keys, jobs)
            except KeyboardInterrupt as interrupt:
                word, code = end_of(interrupt)
                stop(word + rotation.hint, code)
    hint = "" if dry_run else "; the rotation has ended, the same command again counts what remains"
    tell(lambda: show_column(result, as_json=as_json), hint)
    if not result.is_complete:
        raise typer.Exit(1)
