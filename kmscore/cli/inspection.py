"""The command `inspect`: the bytes and fields of a ciphertext blob, without any key."""

import json
from typing import Annotated, Final, NamedTuple

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kmscore import BlobField, CiphertextBlob
from kmscore.alibaba import Profile, ServiceBlob
from kmscore.cli.ciphertext_file import InArgument, check_layout, read_ciphertext
from kmscore.cli.files import STANDARD
from kmscore.cli.options import JsonOption, ProfileName, SourceProfileOption, profile_of
from kmscore.cli.terminal import problems_in_one_line

_WIDE: Final = 104  # columns that a terminal needs for rows of 16 bytes
_SHOWN: Final = 64  # maximum number of bytes shown of a field
_COLOURS: Final = ("cyan", "green", "yellow", "magenta", "blue")
_NOTE: Final = "These fields are not authenticated. Only decryption authenticates them."


def inspect(
    source: InArgument = STANDARD,
    *,
    source_profile: SourceProfileOption = ProfileName.V1,
    base64: Annotated[bool, typer.Option("--base64", help="The blob is in strict Base64.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the fields of a ciphertext blob. Needs no key.

    The fields are not authenticated.

    Example: kmscore inspect --base64 blob.txt
    """
    with problems_in_one_line():
        raw = read_ciphertext(source, base64=base64)
        check_layout(raw, source_profile, base64=base64)
        profile = profile_of(source_profile)
        shown = _v1(raw) if profile.is_v1 else _of_service(raw, profile)
    if as_json:
        typer.echo(json.dumps(_document(shown, raw), indent=2))
    else:
        _show(shown, raw, Console())


class _Shown(NamedTuple):
    """A blob as names and fields."""

    names: dict[str, str]
    """The names in the header."""

    fields: list[BlobField]
    meanings: dict[str, str]
    """The text after the name of each field."""


def _v1(raw: bytes) -> _Shown:
    """Return the fields of a v1 blob. Raises `InvalidBlobError`."""
    blob = CiphertextBlob.parse(raw)
    names = {
        "suite": blob.suite.name,
        "key_id": blob.key_id,
        "key_version_id": blob.key_version_id,
    }
    meanings = {
        "magic": "KMS",
        "format version": "1",
        "suite ID": blob.suite.name,
        "key ID length": _count(len(blob.key_id)),
        "key ID": blob.key_id,
        "key version ID length": _count(len(blob.key_version_id)),
        "key version ID": blob.key_version_id,
        "IV": _count(len(blob.iv)),
        "ciphertext": f"{_count(len(blob.ciphertext))}, as long as the plaintext",
        "tag": _count(len(blob.tag)),
    }
    return _Shown(names, list(blob.layout()), meanings)


def _of_service(raw: bytes, profile: Profile) -> _Shown:
    """Return the fields of a blob of the service. Raises `InvalidBlobError`."""
    blob = ServiceBlob.parse(raw, profile=profile)
    prefix = {"prefix": len(profile.prefix)} if profile.prefix else {}
    lengths = prefix | {
        "key version ID": len(blob.key_version_id),
        "IV": len(blob.iv),
        "ciphertext": len(blob.ciphertext),
        "tag": len(blob.tag),
    }
    fields, offset = [], 0
    for name, length in lengths.items():
        fields.append(BlobField(name, offset, length))
        offset += length
    meanings = {name: _count(length) for name, length in lengths.items()} | {
        "key version ID": blob.key_version_id,
        "ciphertext": f"{_count(len(blob.ciphertext))}, as long as the encrypted text",
    }
    return _Shown({"key_version_id": blob.key_version_id}, fields, meanings)


def _document(shown: _Shown, raw: bytes) -> dict[str, object]:
    """Return the blob as a JSON object."""
    return {
        "authenticated": False,
        **shown.names,
        "length": len(raw),
        "fields": [
            {
                "name": field.name,
                "offset": field.offset,
                "length": field.length,
                "hex": _bytes(field, raw).hex(),
            }
            for field in shown.fields
        ],
    }


def _show(shown: _Shown, raw: bytes, console: Console) -> None:
    """Print the blob as a table."""
    table = Table(box=None, pad_edge=False)
    for name in ("offset", "bytes", "field"):
        # Wrap on a narrow terminal, because a truncated ID is not usable.
        table.add_column(name, overflow="fold")
    for number, field in enumerate(shown.fields):
        colour = _COLOURS[number % len(_COLOURS)]
        meaning = Text.assemble((field.name, f"bold {colour}"), "  ", shown.meanings[field.name])
        dump = Text(_dump(_bytes(field, raw), 16 if console.width >= _WIDE else 8), colour)
        table.add_row(f"{field.offset:,}", dump, meaning)
    console.print(table)
    console.print(Text(f"{len(raw):,} bytes. {_NOTE}", "bold"))


def _count(number: int) -> str:
    return f"{number:,} byte{'' if number == 1 else 's'}"


def _dump(data: bytes, row: int) -> str:
    """Return the first 64 bytes in hexadecimal, in rows of `row` bytes."""
    shown = data[:_SHOWN]
    rows = [shown[start : start + row].hex(" ") for start in range(0, len(shown), row)]
    return "\n".join(rows + ["..."] * (len(data) > _SHOWN))


def _bytes(field: BlobField, raw: bytes) -> bytes:
    return raw[field.offset : field.offset + field.length]
