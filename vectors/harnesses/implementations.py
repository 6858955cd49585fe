"""The table of implementations under test, from `implementations.json`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

HARNESSES: Final = Path(__file__).resolve().parent
TABLE: Final = HARNESSES / "implementations.json"
_TIMEOUT: Final = 60  # seconds for one answer; pure JavaScript takes one for RSA-4096


class Family(NamedTuple):
    """A folder of harnesses, and the way to prepare it."""

    name: str
    folder: Path
    needs: tuple[str, ...]
    """Names of programs on the path, and absolute paths of files."""

    install: str
    """The advice if something of it is missing."""

    prepare: tuple[tuple[str, ...], ...]
    """The commands that run in a copy of the folder before its first implementation."""


class Implementation(NamedTuple):
    """An implementation, and the command that answers for it."""

    name: str
    family: Family
    command: tuple[str, ...]
    timeout: int
    """Seconds for one answer."""


def load(table: Path = TABLE) -> list[Implementation]:
    """Return the implementations of a table, in its order.

    Args:
        table: The file; the folders of the families are next to it.

    Returns:
        The implementations.

    Raises:
        KeyError: If a field or a family is missing.
        TypeError: If a field is unknown.
        ValueError: If a name occurs twice.
    """
    document = json.loads(table.read_text("utf-8"))
    families = {
        name: _family(name, table.parent, **fields) for name, fields in document["families"].items()
    }
    found = [_implementation(families, **fields) for fields in document["implementations"]]
    if len({implementation.name for implementation in found}) < len(found):
        raise ValueError(f"{table}: a name occurs twice")
    return found


def _family(
    name: str,
    place: Path,
    *,
    folder: str,
    needs: Sequence[str],
    install: str,
    prepare: Sequence[Sequence[str]],
) -> Family:
    commands = tuple(tuple(command) for command in prepare)
    return Family(name, place / folder, tuple(needs), install, commands)


def _implementation(
    families: dict[str, Family],
    *,
    name: str,
    family: str,
    command: Sequence[str],
    timeout: int = _TIMEOUT,
    **unknown: Any,  # noqa: ANN401 (a field of JSON)
) -> Implementation:
    if unknown:
        raise TypeError(f"{name}: unknown fields {', '.join(unknown)}")
    return Implementation(name, families[family], tuple(command), timeout)
