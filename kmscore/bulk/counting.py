"""A census of ciphertexts: what their headers say, without any key."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final, NamedTuple, TypeVar, final

from kmscore._typecheck import BytesLike, check_bytes, check_instance, take_bytes
from kmscore._values import Record
from kmscore.algorithms import Suite
from kmscore.blob import FIRST_ID_OFFSET, MAX_BLOB_LENGTH, Header, encode_header, parse_header
from kmscore.errors import InvalidBlobError

_AFTER_FIRST_LENGTH: Final = FIRST_ID_OFFSET + 1


class BlobFormat(StrEnum):
    """What the bytes look like."""

    V1 = "v1"
    """A v1 ciphertext blob: it parses."""

    OTHER = "other"
    """Anything else: damaged, in the service's layout, asymmetric, or no ciphertext at all."""


class KeyVersionName(NamedTuple):
    """A key version by its two IDs."""

    key_id: str
    key_version_id: str


_Part = TypeVar("_Part")
"""What a header names: the suite, the key, or the key version."""


@final
@dataclass(frozen=True, slots=True, repr=False)
class Census(Record):
    """How many ciphertexts name which suite, key and key version.

    **Headers are not authenticated.** Whoever can write a blob can make it name any key version,
    and only opening it tells. Two censuses are added with `+`.
    """

    note: ClassVar[str] = "the headers are not authenticated: a count is what the blobs claim"
    """To be shown beside the figures."""

    headers: Mapping[Header, int]
    """The number of v1 blobs with each header."""

    other: int
    """The number of everything that does not parse as a v1 blob."""

    @property
    def total(self) -> int:
        """The number of all that was counted."""
        return sum(self.headers.values()) + self.other

    @property
    def formats(self) -> dict[BlobFormat, int]:
        """The number of blobs in each format."""
        return {BlobFormat.V1: sum(self.headers.values()), BlobFormat.OTHER: self.other}

    @property
    def suites(self) -> dict[Suite, int]:
        """The number of v1 blobs that name each suite."""
        return self._sums(lambda header: header.suite)

    @property
    def keys(self) -> dict[str, int]:
        """The number of v1 blobs that name each key ID."""
        return self._sums(lambda header: header.key_id)

    @property
    def versions(self) -> dict[KeyVersionName, int]:
        """The number of v1 blobs that name each key version."""
        return self._sums(lambda header: KeyVersionName(header.key_id, header.key_version_id))

    def _sums(self, part_of: Callable[[Header], _Part]) -> dict[_Part, int]:
        """Return the number of v1 blobs with each part of a header."""
        counts: Counter[_Part] = Counter()
        for header, number in self.headers.items():
            counts[part_of(header)] += number
        return dict(counts)

    def __add__(self, other: "Census") -> "Census":
        """Return the census of both. Raises `TypeError` for anything but a census."""
        check_instance(other, Census, "census")
        counts = Counter(self.headers)
        counts.update(other.headers)
        return Census(dict(counts), self.other + other.other)


def census(blobs: Iterable[BytesLike]) -> Census:
    """Count the ciphertexts in `blobs`, reading one at a time and using no key.

    Takes memory for every header that is not like one before it, not for every blob: where
    anybody may put blobs in, that is for the caller to bound.

    Raises `TypeError` for one that is not bytes-like, and what `blobs` raises.
    """
    counts: Counter[Header] = Counter()
    other = 0
    known: dict[bytes, tuple[Header, int]] = {}
    for blob in blobs:
        check_bytes(blob, "ciphertext_blob")
        header = _read_header(blob, known)
        if header is None:
            other += 1
        else:
            counts[header] += 1
    return Census(dict(counts), other)


def _read_header(data: BytesLike, known: dict[bytes, tuple[Header, int]]) -> Header | None:
    """Return the header of `data` if it is a v1 blob, and make it known with the least length."""
    length, raw = take_bytes(data, MAX_BLOB_LENGTH)
    if length > MAX_BLOB_LENGTH:
        return None
    # What begins with a header that has parsed before, and is long enough, parses.
    try:
        second_id = _AFTER_FIRST_LENGTH + raw[FIRST_ID_OFFSET]
        header, least = known[raw[: second_id + 1 + raw[second_id]]]
    except (IndexError, KeyError):
        return _parse_header(raw, known)
    return header if len(raw) >= least else None


def _parse_header(raw: bytes, known: dict[bytes, tuple[Header, int]]) -> Header | None:
    """`_read_header` for a header that is not known yet."""
    try:
        names, length = parse_header(raw)
    except InvalidBlobError:
        return None
    header = Header(*names)
    known[encode_header(*header)] = header, len(raw) - length
    return header
