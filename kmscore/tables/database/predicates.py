"""Conditions of SQL on a ciphertext, compared byte by byte."""

from typing import Final

import sqlalchemy as sa

from kmscore._base64 import encode_base64
from kmscore.context import MAX_JSON_LENGTH
from kmscore.tables.database.dialects import Expression

_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BITS_PER_CHARACTER: Final = 6

_LONGEST: Final = 4 * MAX_JSON_LENGTH + 1
"""Maximum bytes of a value that is read: one more than the longest context in UTF-8.

A longer value is invalid also when it is cut, and a batch of such values would need much memory.
"""


def begins_with(blob: Expression, header: bytes, *, is_base64: bool) -> Expression:
    """Return the condition that a ciphertext begins with a header, exact to the bit.

    `LIKE` is not used, because bytes of a header can be wildcards: a key ID of 37 characters has
    the length byte `%`.
    """
    if not is_base64:
        return _part(blob, 1, len(header)) == _literal(header)
    text, last = base64_prefix(header)
    begins = _part(blob, 1, len(text)) == _literal(text.encode("ascii"))
    if not last:
        return begins
    characters = [_literal(character.encode("ascii")) for character in last]
    return sa.and_(begins, _part(blob, len(text) + 1, 1).in_(characters))


def base64_prefix(header: bytes) -> tuple[str, str]:
    """Return the characters that the Base64 of a header begins with, and the possible next ones.

    If the length of the header is not a multiple of three, the next character has the last bits of
    the header, and also bits of the byte after it.
    """
    whole = len(header) * 8 // _BITS_PER_CHARACTER
    free_bits = (whole + 1) * _BITS_PER_CHARACTER - len(header) * 8
    text = encode_base64(header)
    if free_bits == _BITS_PER_CHARACTER:
        return text[:whole], ""
    first = _ALPHABET.index(text[whole])
    return text[:whole], _ALPHABET[first : first + 2**free_bits]


def shortened(value: Expression) -> Expression:
    """Return the first bytes of a value that is too long, and any other value as it is.

    Not `substr` alone, which makes NULL of an empty value in SQLite.
    """
    return sa.case((sa.func.length(value) > _LONGEST, _part(value, 1, _LONGEST)), else_=value)


def does_not_hold(condition: Expression) -> Expression:
    """Return the condition that another one is false or NULL.

    A part of a blob without bytes is NULL in SQLite.
    """
    return condition.is_not(sa.true())


def has_length(blob: Expression, least: int, most: int, *, is_base64: bool) -> Expression:
    """Return the condition that a ciphertext has a number of bytes in a range."""
    if is_base64:
        least, most = base64_length(least), base64_length(most)
    return sa.func.length(blob).between(least, most)


def base64_length(number: int) -> int:
    """Return the number of characters of Base64 for a number of bytes."""
    return (number + 2) // 3 * 4


def of_operator(text: str) -> Expression:
    """Return the condition that an operator wrote as SQL.

    The line breaks end a comment at the end of the text. A colon and a percent sign have no meaning
    of their own there.
    """
    return sa.literal_column(f"(\n{text}\n)", sa.Boolean())


def _part(blob: Expression, start: int, length: int) -> Expression:
    """Return some bytes of a ciphertext; the first has number 1."""
    return sa.func.substr(blob, start, length, type_=sa.LargeBinary())


def _literal(value: bytes) -> Expression:
    return sa.literal(value, sa.LargeBinary())
