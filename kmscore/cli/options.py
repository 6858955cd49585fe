"""Options that several commands have."""

from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

BlobColumnOption = Annotated[
    str,
    typer.Option(
        "--blob-column", metavar="NAME", help="Ciphertexts: strict Base64, or binary in Parquet."
    ),
]
