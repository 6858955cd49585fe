"""The v1 ciphertext blob: parser and serialiser, without cryptography.

    ======  ======================================================================
    bytes   field
    ======  ======================================================================
    3       magic, `KMS`
    1       format version, 01
    1       suite ID: 01 AES_256_GCM, 02 AES_192_GCM, 03 AES_128_GCM, 04 SM4_GCM,
            05 XAES_256_GCM
    1 + a   key ID: its length 1..255, then printable ASCII 21..7E
    1 + b   key version ID: the same
    n       IV: 24 bytes for suite 05, 12 for every other
    m       ciphertext, as long as the plaintext
    16      tag
    ======  ======================================================================

The header is all bytes before the IV. The associated data is the header followed by the canonical
bytes of the encryption context. A header shows its own end, so two different pairs of header and
context never give the same associated data.

Each value has one encoding: a blob that parses serialises to the same bytes. The parser does not
use keys. The fields of a header are not authenticated before the ciphertext has been decrypted.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple, final

from kmscore._base64 import decode_base64, encode_base64
from kmscore._typecheck import (
    BytesLike,
    check_bytes,
    check_instance,
    check_text,
    take_bytes,
)
from kmscore._values import Record
from kmscore.algorithms import MAX_PLAINTEXT_LENGTH, TAG_LENGTH, Suite
from kmscore.errors import InvalidBlobError

MAGIC: Final = b"KMS"
FORMAT_VERSION: Final = 0x01
_PREFIX: Final = MAGIC + bytes([FORMAT_VERSION])
_SUITE_OFFSET: Final = len(_PREFIX)
FIRST_ID_OFFSET: Final = _SUITE_OFFSET + 1
"""Offset of the length of the key ID, in bytes."""

MAX_ID_LENGTH: Final = 255
_FIXED_LENGTH: Final = FIRST_ID_OFFSET + 2 + TAG_LENGTH
"""Total length of all fields except the IDs, the IV and the ciphertext, in bytes."""

MAX_BLOB_LENGTH: Final = (
    _FIXED_LENGTH
    + 2 * MAX_ID_LENGTH
    + max(suite.iv_length for suite in Suite)
    + MAX_PLAINTEXT_LENGTH
)
"""Maximum length of a v1 blob, 6,701 bytes."""

_MAX_BASE64_LENGTH: Final = (MAX_BLOB_LENGTH + 2) // 3 * 4


class BlobField(NamedTuple):
    """The name and position of one field of a v1 blob."""

    name: str
    """Name of the field, for example `key ID`."""

    offset: int
    """Offset of the first byte of the field in the blob, in bytes."""

    length: int
    """Length of the field, in bytes."""


class Header(NamedTuple):
    """The fields of the header of a v1 blob."""

    suite: Suite
    """Suite of the ciphertext."""

    key_id: str
    """Key ID, 1 to 255 printable ASCII characters without space."""

    key_version_id: str
    """Key version ID, 1 to 255 printable ASCII characters without space."""


def is_id(text: str) -> bool:
    """Return whether `text` can be a key ID or a key version ID.

    Both have 1 to 255 printable ASCII characters without space.
    """
    return (
        1 <= len(text) <= MAX_ID_LENGTH
        and text.isascii()
        and text.isprintable()
        and " " not in text
    )


def blob_bytes(data: BytesLike) -> bytes:
    """Return `data` as bytes, or raise `InvalidBlobError` if it has more than 6,701 bytes."""
    if type(data) is bytes and len(data) <= MAX_BLOB_LENGTH:
        return data
    length, raw = take_bytes(data, MAX_BLOB_LENGTH)
    _check_length(length)
    return raw


def encode_header(suite: Suite, key_id: str, key_version_id: str) -> bytes:
    """Return the header of a v1 blob as bytes. The caller has checked both IDs with `is_id`."""
    key, version = key_id.encode("ascii"), key_version_id.encode("ascii")
    return b"".join(
        (_PREFIX, bytes([suite.value, len(key)]), key, bytes([len(version)]), version),
    )


@final
@dataclass(frozen=True, slots=True, repr=False)
class CiphertextBlob(Record):
    """A v1 ciphertext blob as fields. The constructor checks the form of every field.

    Raises:
        TypeError: If a field has the wrong type. Subclasses of `str` and `bytes` are rejected.
        InvalidBlobError: If an ID is not 1 to 255 printable ASCII characters without space. Also
            if the IV does not have the length of the suite, if the tag is not 16 bytes long, or if
            the blob would be longer than 6,701 bytes.
    """

    suite: Suite
    """Suite of the ciphertext."""

    key_id: str
    """Key ID, 1 to 255 printable ASCII characters without space."""

    key_version_id: str
    """Key version ID, 1 to 255 printable ASCII characters without space."""

    iv: bytes
    """IV, 24 bytes for `Suite.XAES_256_GCM` and 12 bytes for other suites."""

    ciphertext: bytes
    """Encrypted bytes, as long as the plaintext."""

    tag: bytes
    """Authentication tag, 16 bytes."""

    def __post_init__(self) -> None:
        """Check every field."""
        check_instance(self.suite, Suite, "suite")
        for name in ("key_id", "key_version_id"):
            text = getattr(self, name)
            # Exactly str, and below exactly bytes, because a subclass can override comparison and
            # can be mutable. The fields of a frozen value must not change.
            if type(text) is not str:
                raise TypeError(f"{name} must be str, not {type(text).__name__}")
            if not is_id(text):
                raise _no_id(name)
        for name in ("iv", "ciphertext", "tag"):
            if type(getattr(self, name)) is not bytes:
                raise TypeError(f"{name} must be bytes, not {type(getattr(self, name)).__name__}")
        if len(self.iv) != self.suite.iv_length:
            raise _invalid(
                f"IV of {len(self.iv)} bytes, {self.suite.name} takes {self.suite.iv_length}"
            )
        if len(self.tag) != TAG_LENGTH:
            raise _invalid(f"tag of {len(self.tag)} bytes instead of {TAG_LENGTH}")
        ids = len(self.key_id) + len(self.key_version_id)
        _check_length(_FIXED_LENGTH + ids + len(self.iv) + len(self.ciphertext))

    @classmethod
    def parse(cls, data: BytesLike) -> "CiphertextBlob":
        """Parse a v1 blob, in time proportional to its length.

        The fields are not authenticated before the ciphertext has been decrypted.

        Args:
            data: The blob, at most 6,701 bytes.

        Returns:
            The blob as fields.

        Raises:
            TypeError: If `data` is not bytes-like, or is a released `memoryview`.
            InvalidBlobError: If `data` is longer than 6,701 bytes or is not exactly one v1 blob.
        """
        check_bytes(data, "ciphertext_blob")
        raw = blob_bytes(data)
        suite, key_id, key_version_id, iv, body = _split(raw)
        tag = len(raw) - TAG_LENGTH
        return cls(suite, key_id, key_version_id, raw[iv:body], raw[body:tag], raw[tag:])

    @classmethod
    def from_base64(cls, text: str) -> "CiphertextBlob":
        """Parse a v1 blob in Base64 (RFC 4648 section 4).

        The fields are not authenticated before the ciphertext has been decrypted.

        Args:
            text: The blob in Base64, with padding, without white space and without stray bits. At
                most 8,936 characters.

        Returns:
            The blob as fields.

        Raises:
            TypeError: If `text` is not a `str`.
            InvalidBlobError: If `text` is longer than 8,936 characters, is not strict Base64, or is
                not the encoding of exactly one v1 blob.
        """
        check_text(text, "ciphertext_blob")
        # 4 characters encode 3 bytes. Longer text cannot be a blob, so it is not decoded.
        if len(text) > _MAX_BASE64_LENGTH:
            raise _invalid(f"{len(text)} characters of Base64, at most {_MAX_BASE64_LENGTH}")
        raw = decode_base64(text.encode("utf-8", "surrogatepass"))
        if raw is None:
            raise _invalid("not strict Base64")
        return cls.parse(raw)

    def serialize(self) -> bytes:
        """Return the blob as bytes.

        Returns:
            The blob, at most 6,701 bytes.
        """
        return b"".join((self.header, self.iv, self.ciphertext, self.tag))

    def to_base64(self) -> str:
        """Return the blob in Base64 (RFC 4648 section 4).

        Returns:
            The blob in Base64, with padding and without line breaks.
        """
        return encode_base64(self.serialize())

    @property
    def header(self) -> bytes:
        """Bytes before the IV. The associated data is these bytes and the canonical context."""
        return encode_header(self.suite, self.key_id, self.key_version_id)

    def layout(self) -> tuple[BlobField, ...]:
        """Return the position of every field in the blob.

        Returns:
            All fields in the order of the blob, without gaps.
        """
        lengths = {
            "magic": len(MAGIC),
            "format version": 1,
            "suite ID": 1,
            "key ID length": 1,
            "key ID": len(self.key_id),
            "key version ID length": 1,
            "key version ID": len(self.key_version_id),
            "IV": len(self.iv),
            "ciphertext": len(self.ciphertext),
            "tag": len(self.tag),
        }
        fields: list[BlobField] = []
        offset = 0
        for name, length in lengths.items():
            fields.append(BlobField(name, offset, length))
            offset += length
        return tuple(fields)


_SUITE_BY_ID: Final = {suite.value: (suite, suite.iv_length) for suite in Suite}
"""Suites by suite ID, each with the length of its IV in bytes."""


def parse_header(raw: bytes) -> tuple[tuple[Suite, str, str], int]:
    """Return suite, key ID and key version ID of a blob, and the length of its ciphertext in bytes.

    `raw` is a result of `blob_bytes`. Raises `InvalidBlobError` if it is not exactly one v1 blob.
    """
    suite, key_id, key_version_id, _, body = _split(raw)
    if not is_id(key_id):
        raise _no_id("key_id")
    if not is_id(key_version_id):
        raise _no_id("key_version_id")
    return (suite, key_id, key_version_id), len(raw) - TAG_LENGTH - body


def _split(raw: bytes) -> tuple[Suite, str, str, int, int]:
    """Return suite, both IDs (not checked), and the offsets of IV and ciphertext."""
    if not raw.startswith(_PREFIX):
        raise _invalid("does not begin with the magic and format version of a v1 blob")
    if len(raw) <= _SUITE_OFFSET:
        raise _invalid("ends before the suite ID")
    row = _SUITE_BY_ID.get(raw[_SUITE_OFFSET])
    if row is None:
        raise _invalid(f"unknown suite ID {raw[_SUITE_OFFSET]:02x}")
    suite, iv_length = row
    key_id_end = _end_of_id(raw, FIRST_ID_OFFSET, "key ID")
    iv = _end_of_id(raw, key_id_end, "key version ID")
    body = iv + iv_length
    if len(raw) < body + TAG_LENGTH:
        raise _invalid("ends before the end of its IV and tag")
    # Latin-1 decodes every byte. The callers check the characters with `is_id`.
    key_id = raw[FIRST_ID_OFFSET + 1 : key_id_end].decode("latin-1")
    return suite, key_id, raw[key_id_end + 1 : iv].decode("latin-1"), iv, body


def _invalid(reason: str) -> InvalidBlobError:
    """Return the error for an invalid blob, with the reason, because the format is public."""
    return InvalidBlobError(f"not a v1 ciphertext blob: {reason}")


def _check_length(length: int) -> None:
    """Raise `InvalidBlobError` if a blob of `length` bytes is too long."""
    if length > MAX_BLOB_LENGTH:
        raise _invalid(f"{length} bytes, at most {MAX_BLOB_LENGTH}")


def _no_id(name: str) -> InvalidBlobError:
    """Return the error for a text that is not a valid ID."""
    return _invalid(f"{name} is not 1 to {MAX_ID_LENGTH} printable ASCII characters without space")


def _end_of_id(raw: bytes, offset: int, name: str) -> int:
    """Return the end of the ID whose length byte is at `offset`."""
    if len(raw) <= offset:
        raise _invalid(f"ends before the length of its {name}")
    end = offset + 1 + raw[offset]
    if len(raw) < end:
        raise _invalid(f"ends within its {name}")
    return end
