"""Options of several commands."""

from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

BlobColumnOption = Annotated[
    str,
    typer.Option(
        "--blob-column",
        metavar="NAME",
        help="Column of ciphertexts, in strict Base64, or binary in Parquet.",
    ),
]
