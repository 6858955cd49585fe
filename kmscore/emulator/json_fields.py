"""The reader of a JSON object with known names and types, for the documents of the emulator."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

_Value = TypeVar("_Value")


class InvalidDocumentError(ValueError):
    """A JSON document of keys is invalid. The message names the place and shows no material."""


def load(text: str, what: str) -> "JsonFields":
    """Return the object of a JSON text. Raises `InvalidDocumentError`."""
    document: object = None
    problem = "not a JSON object"
    try:
        document = json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        problem = f"not JSON, see line {error.lineno}, column {error.colno}"
    except (ValueError, RecursionError) as error:
        if isinstance(error, InvalidDocumentError):
            raise
    if document is None:
        raise InvalidDocumentError(f"{what}: {problem}")
    return JsonFields(document, what)


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object. Raises `InvalidDocumentError` for a repeated name."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidDocumentError("a name occurs twice in one object")
    return fields


class JsonFields:
    """The fields of a JSON object, which are taken one by one."""

    def __init__(self, value: object, where: str) -> None:
        """Take an object. Raises `InvalidDocumentError` for another value."""
        if not isinstance(value, dict):
            raise InvalidDocumentError(f"{where}: not an object")
        self._fields = dict(value)
        self.where = where

    def take(self, name: str, kind: type[_Value]) -> _Value | None:
        """Return a field and remove it; `None` if it is missing."""
        value = self._fields.pop(name, None)
        if value is not None and not isinstance(value, kind):
            raise InvalidDocumentError(f"{self.where}: {name} is not {_KINDS[kind]}")
        return value

    def due(self, name: str, kind: type[_Value]) -> _Value:
        """Return a field and remove it. Raises `InvalidDocumentError` if it is missing."""
        value = self.take(name, kind)
        if value is None:
            raise InvalidDocumentError(f"{self.where}: {name} is missing")
        return value

    def objects(self, name: str) -> list["JsonFields"]:
        """Return the objects of a list; none if it is missing."""
        return [
            JsonFields(value, f"{self.where}: {name} {number}")
            for number, value in enumerate(self.take(name, list) or [], 1)
        ]

    def date(self, name: str) -> datetime | None:
        """Return a date with a time zone; `None` if it is missing."""
        text = self.take(name, str)
        if text is None:
            return None
        # In UTC, the date can be before the year 1 or after 9999.
        with suppress(ValueError, OverflowError):
            date = datetime.fromisoformat(text)
            if date.utcoffset() is not None:
                return date.astimezone(UTC).replace(microsecond=0)
        raise InvalidDocumentError(f"{self.where}: {name} is not a date with a time zone")

    def end(self) -> None:
        """Raise `InvalidDocumentError` for a field that was not taken."""
        for name in self._fields:
            raise InvalidDocumentError(f"{self.where}: {name!r:.80} is not a known name")


_KINDS = {str: "a text", list: "a list", dict: "an object", int: "a number"}
