"""Options of several commands."""

from typing import Annotated

import typer

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

BlobColumnOption = Annotated[
    str,
    typer.Option(
        "--blob-column",
        metavar="NAME",
        help="Column of ciphertexts, in strict Base64, or binary in Parquet.",
    ),
]
