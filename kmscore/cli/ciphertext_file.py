"""Files with one ciphertext, as raw bytes or in strict Base64."""

from pathlib import Path
from typing import Annotated, Final

import typer

from kmscore._base64 import decode_base64, encode_base64
from kmscore.alibaba.service_blob import guess_version_id
from kmscore.blob import MAGIC
from kmscore.cli.files import check_no_terminal, read_file, write_output
from kmscore.cli.options import ProfileName
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
        raise FileProblem(f"{path}: not strict Base64; leave out --base64 for raw bytes")
    return decoded


def check_layout(blob: bytes, profile: ProfileName, *, base64: bool) -> None:
    """Raise `FileProblem` for a blob in Base64, or of the service, that is read as bytes of v1."""
    if profile not in {ProfileName.V1, ProfileName.V1_TEXT}:
        return
    if guess_version_id(blob) is not None:
        raise FileProblem(
            "invalid_blob: not a v1 ciphertext blob, but like one of the service: give"
            " --source-profile alibaba"
        )
    if not base64 and (decode_base64(blob.strip()) or b"").startswith(MAGIC):
        raise FileProblem(
            "invalid_blob: not a v1 ciphertext blob, but Base64 of one: give --base64"
        )


def write_ciphertext(path: Path, data: bytes, *, base64: bool) -> None:
    """Write a ciphertext to a new file; Base64 ends with a newline. Raises `FileProblem`."""
    if not base64:
        check_no_terminal(path, "--base64, ")
    write_output(path, encode_base64(data).encode("ascii") + b"\n" if base64 else data)
