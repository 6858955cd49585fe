"""Files with one ciphertext, as raw bytes or in strict Base64."""

from pathlib import Path
from typing import Annotated, Final

import typer

from kmscore._base64 import decode_base64, encode_base64
from kmscore.blob import MAGIC
from kmscore.cli.files import check_no_terminal, read_file, write_output
from kmscore.cli.problems import FileProblem

_LARGEST: Final = 64 << 10  # bytes; every ciphertext in Base64 is shorter

InArgument = Annotated[
    Path, typer.Argument(metavar="IN", help="The input file; - for standard input.")
]


def read_ciphertext(path: Path, *, base64: bool) -> bytes:
    """Return the ciphertext in a file. White space before and after Base64 is ignored.

    Raises `FileProblem`.
    """
    data = read_file(path, limit=_LARGEST)
    decoded = decode_base64(data.strip()) if base64 else data
    if decoded is None:
        raise FileProblem(f"{path}: not strict Base64")
    return decoded


def check_not_text(blob: bytes) -> None:
    """Raise `FileProblem` for a v1 blob in Base64 that is read as bytes."""
    if (decode_base64(blob.strip()) or b"").startswith(MAGIC):
        raise FileProblem("invalid_blob: a v1 ciphertext blob in Base64: give --base64")


def write_ciphertext(path: Path, data: bytes, *, base64: bool) -> None:
    """Write a ciphertext to a new file; Base64 ends with a newline. Raises `FileProblem`."""
    if not base64:
        check_no_terminal(path, "--base64, ")
    write_output(path, encode_base64(data).encode("ascii") + b"\n" if base64 else data)
