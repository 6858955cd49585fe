"""A census of ciphertexts: the counts of their headers, without any key."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Final, NamedTuple, TypeVar, final

from kmscore._typecheck import BytesLike, check_bytes, check_instance, take_bytes
from kmscore._values import Record
from kmscore.algorithms import Suite
from kmscore.blob import FIRST_ID_OFFSET, MAX_BLOB_LENGTH, Header, encode_header, parse_header
from kmscore.errors import InvalidBlobError

_AFTER_FIRST_LENGTH: Final = FIRST_ID_OFFSET + 1


class BlobFormat(StrEnum):
    """The format of the counted bytes."""

    V1 = "v1"
    """A v1 ciphertext blob, because the bytes parse as one."""

    OTHER = "other"
    """All other bytes.

    Examples are a damaged v1 blob, a blob in the service's layout, an asymmetric ciphertext, and
    bytes that are not a ciphertext.
    """


class KeyVersionName(NamedTuple):
    """The two IDs that name a key version."""

    key_id: str
    """The key ID, 1 to 255 printable ASCII characters without space."""

    key_version_id: str
    """The key version ID, 1 to 255 printable ASCII characters without space."""


_Part = TypeVar("_Part")
"""One part of a header, such as the suite, the key ID or the key version."""


@final
@dataclass(frozen=True, slots=True, repr=False)
class Census(Record):
    """The number of ciphertexts for each suite, key and key version.

    **Headers are not authenticated.** An attacker who can write a blob can put any key version
    into its header, and only decryption detects this. The operator `+` adds two censuses.
    """

    note: ClassVar[str] = "the headers are not authenticated: a count is what the blobs claim"
    """The warning to show with the counts."""

    headers: Mapping[Header, int]
    """The number of v1 blobs with each header."""

    other: int
    """The number of ciphertexts that do not parse as v1 blobs."""

    guesses: Mapping[str, int] = field(default_factory=dict)
    """Of these, the number that look like blobs of the service, by key version ID.

    They begin with a UUID and have a possible length. This is a guess: the service's layout has no
    mark, and foreign bytes can look the same.
    """

    @property
    def total(self) -> int:
        """The number of all counted ciphertexts."""
        return sum(self.headers.values()) + self.other

    @property
    def formats(self) -> dict[BlobFormat, int]:
        """The number of ciphertexts in each format."""
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
        """Return the sum of two censuses.

        Args:
            other: The census to add.

        Returns:
            A new census with the sum of all counts.

        Raises:
            TypeError: If `other` is not a `Census`.
        """
        check_instance(other, Census, "census")
        counts, guesses = Counter(self.headers), Counter(self.guesses)
        counts.update(other.headers)
        guesses.update(other.guesses)
        return Census(dict(counts), self.other + other.other, dict(guesses))


def census(blobs: Iterable[BytesLike]) -> Census:
    """Count ciphertexts by their headers, without any key.

    The memory use grows with the number of different headers, not with the number of blobs. If
    untrusted parties can add blobs, the caller must limit the number of different headers.

    Args:
        blobs: The ciphertexts. They are read one at a time.

    Returns:
        The counts. The headers are not authenticated, see `Census`.

    Raises:
        TypeError: If `blobs` is not iterable, or if one of its values is not bytes-like.
        Exception: Any exception of the iteration of `blobs`, unchanged.
    """
    counts: Counter[Header] = Counter()
    other = 0
    guesses: Counter[str] = Counter()
    known: dict[bytes, tuple[Header, int]] = {}
    for blob in blobs:
        check_bytes(blob, "ciphertext_blob")
        header = _read_header(blob, known)
        if header is None:
            other += 1
            guess = _guess(blob)
            if guess is not None:
                guesses[guess] += 1
        else:
            counts[header] += 1
    return Census(dict(counts), other, dict(guesses))


def _guess(data: BytesLike) -> str | None:
    """Return the key version ID if the bytes look like a blob of the service."""
    # Loaded only if there are other bytes than v1 blobs.
    from kmscore.alibaba.service_blob import guess_version_id  # noqa: PLC0415

    return guess_version_id(data)


def _read_header(data: BytesLike, known: dict[bytes, tuple[Header, int]]) -> Header | None:
    """Return the header of `data` if it is a v1 blob; add it to `known` with its least length."""
    length, raw = take_bytes(data, MAX_BLOB_LENGTH)
    if length > MAX_BLOB_LENGTH:
        return None
    # A long enough blob parses if it begins with a header that was parsed before.
    try:
        second_id = _AFTER_FIRST_LENGTH + raw[FIRST_ID_OFFSET]
        header, least = known[raw[: second_id + 1 + raw[second_id]]]
    except (IndexError, KeyError):
        return _parse_header(raw, known)
    return header if len(raw) >= least else None


def _parse_header(raw: bytes, known: dict[bytes, tuple[Header, int]]) -> Header | None:
    """Return the header of a blob whose header is not in `known`, if the blob parses."""
    try:
        names, length = parse_header(raw)
    except InvalidBlobError:
        return None
    header = Header(*names)
    known[encode_header(*header)] = header, len(raw) - length
    return header
