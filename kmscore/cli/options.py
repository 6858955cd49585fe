"""Options of several commands."""

from typing import Annotated

import typer

from kmscore.cli.problems import FileProblem
from kmscore.tables.csv_records import check_delimiter

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

SourceKeyOption = Annotated[
    str | None,
    typer.Option(
        "--source-key-id",
        metavar="ID",
        help="Required key ID of the source; without it, the header names the key.",
    ),
]

SourceVersionOption = Annotated[
    str | None,
    typer.Option(
        "--source-version-id",
        metavar="ID",
        help="Required key version ID of the source; without it, that of the header.",
    ),
]

DelimiterOption = Annotated[
    str,
    typer.Option("--delimiter", metavar="CHAR", help="Delimiter of CSV, such as ';' or tab."),
]

BlobColumnOption = Annotated[
    str,
    typer.Option(
        "--blob-column",
        metavar="NAME",
        help="Column of ciphertexts, in strict Base64, or binary in Parquet.",
    ),
]


def delimiter_of(text: str) -> str:
    """Return the delimiter of an option; the word tab is allowed. Raises `FileProblem`."""
    delimiter = "\t" if text in {"tab", "\\t"} else text
    try:
        check_delimiter(delimiter)
    except ValueError:
        raise FileProblem(
            "--delimiter: one ASCII character that is not in Base64, or tab"
        ) from None
    return delimiter
