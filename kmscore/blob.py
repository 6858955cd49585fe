"""The ciphertext blob, format v1: bytes to fields and back, without any cryptography.

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

Everything before the IV is the header. It delimits itself, so header and canonical context
concatenated are an injective encoding of both: together they are the associated data.

A value has one encoding: what parses, serialises to the same bytes. Parsing never touches a key,
and what a header says is not authenticated until the ciphertext has been opened.
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
"""Where the length of the key ID stands."""

MAX_ID_LENGTH: Final = 255
_FIXED_LENGTH: Final = FIRST_ID_OFFSET + 2 + TAG_LENGTH
"""All but the IDs, the IV and the ciphertext."""

MAX_BLOB_LENGTH: Final = (
    _FIXED_LENGTH
    + 2 * MAX_ID_LENGTH
    + max(suite.iv_length for suite in Suite)
    + MAX_PLAINTEXT_LENGTH
)
"""No v1 blob is longer: 6,701 bytes."""

_MAX_BASE64_LENGTH: Final = (MAX_BLOB_LENGTH + 2) // 3 * 4


class BlobField(NamedTuple):
    """One field of a blob: its name, its offset and its length in bytes."""

    name: str
    offset: int
    length: int


class Header(NamedTuple):
    """What the header of a v1 blob names."""

    suite: Suite
    key_id: str
    key_version_id: str


def is_id(text: str) -> bool:
    """Tell whether `text` can be a key ID or key version ID: 1 to 255 printable ASCII, no space."""
    return (
        1 <= len(text) <= MAX_ID_LENGTH
        and text.isascii()
        and text.isprintable()
        and " " not in text
    )


def blob_bytes(data: BytesLike) -> bytes:
    """Return `data` as bytes, or raise `InvalidBlobError` if it is longer than any blob."""
    if type(data) is bytes and len(data) <= MAX_BLOB_LENGTH:
        return data
    length, raw = take_bytes(data, MAX_BLOB_LENGTH)
    _check_length(length)
    return raw


def encode_header(suite: Suite, key_id: str, key_version_id: str) -> bytes:
    """Return the header bytes of a v1 blob. Both IDs must satisfy `is_id`."""
    key, version = key_id.encode("ascii"), key_version_id.encode("ascii")
    return b"".join(
        (_PREFIX, bytes([suite.value, len(key)]), key, bytes([len(version)]), version),
    )


@final
@dataclass(frozen=True, slots=True, repr=False)
class CiphertextBlob(Record):
    """A v1 ciphertext blob as fields; that an instance exists proves that they are well-formed.

    Constructing one raises `TypeError` for a field of the wrong type and `InvalidBlobError` for
    an ID out of its form, an IV of a length other than the suite's, a tag of a length other than
    16 bytes, or a serialised length of more than 6,701 bytes.
    """

    suite: Suite
    key_id: str
    key_version_id: str
    iv: bytes
    ciphertext: bytes
    tag: bytes

    def __post_init__(self) -> None:
        """Check every field."""
        check_instance(self.suite, Suite, "suite")
        for name in ("key_id", "key_version_id"):
            text = getattr(self, name)
            # Exactly str, and below exactly bytes: a frozen value must not compare or change as
            # a subclass likes.
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
        """Return the blob that `data` encodes, in time proportional to its length.

        Raises `TypeError` if `data` is not bytes-like, and `InvalidBlobError` if it is not exactly
        one v1 blob. The fields are the sender's claim until the ciphertext has been opened.
        """
        check_bytes(data, "ciphertext_blob")
        raw = blob_bytes(data)
        suite, key_id, key_version_id, iv, body = _split(raw)
        tag = len(raw) - TAG_LENGTH
        return cls(suite, key_id, key_version_id, raw[iv:body], raw[body:tag], raw[tag:])

    @classmethod
    def from_base64(cls, text: str) -> "CiphertextBlob":
        """Return the blob that `text` holds in Base64 (RFC 4648 section 4), strictly.

        Raises `TypeError` if `text` is not a `str`, and `InvalidBlobError` if it is not the one
        Base64 encoding (padded, no white space, no stray bits) of exactly one v1 blob.
        """
        check_text(text, "ciphertext_blob")
        # 4 characters carry 3 bytes: longer text cannot be a blob, and is not decoded to see.
        if len(text) > _MAX_BASE64_LENGTH:
            raise _invalid(f"{len(text)} characters of Base64, at most {_MAX_BASE64_LENGTH}")
        raw = decode_base64(text.encode("utf-8", "surrogatepass"))
        if raw is None:
            raise _invalid("not strict Base64")
        return cls.parse(raw)

    def serialize(self) -> bytes:
        """Return the blob as bytes, at most 6,701."""
        return b"".join((self.header, self.iv, self.ciphertext, self.tag))

    def to_base64(self) -> str:
        """Return the blob in Base64 (RFC 4648 section 4, padded)."""
        return encode_base64(self.serialize())

    @property
    def header(self) -> bytes:
        """The bytes before the IV; with the canonical context they are the associated data."""
        return encode_header(self.suite, self.key_id, self.key_version_id)

    def layout(self) -> tuple[BlobField, ...]:
        """Return every field with its offset and length, in order, without gaps."""
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
"""Each suite by its ID, with the length of its IV in bytes."""


def parse_header(raw: bytes) -> tuple[tuple[Suite, str, str], int]:
    """Return suite, key ID and key version ID of a blob, and the length of its ciphertext in bytes.

    `raw` comes from `blob_bytes`. Raises `InvalidBlobError` for what is not exactly one v1 blob,
    as `CiphertextBlob.parse` does.
    """
    suite, key_id, key_version_id, _, body = _split(raw)
    if not is_id(key_id):
        raise _no_id("key_id")
    if not is_id(key_version_id):
        raise _no_id("key_version_id")
    return (suite, key_id, key_version_id), len(raw) - TAG_LENGTH - body


def _split(raw: bytes) -> tuple[Suite, str, str, int, int]:
    """Return suite and both IDs, not checked yet, and the offsets of IV and ciphertext."""
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
        raise _invalid("ends before its IV and tag do")
    # Every byte is some character here; whether it may stand in an ID is asked in one place.
    key_id = raw[FIRST_ID_OFFSET + 1 : key_id_end].decode("latin-1")
    return suite, key_id, raw[key_id_end + 1 : iv].decode("latin-1"), iv, body


def _invalid(reason: str) -> InvalidBlobError:
    """Return the `InvalidBlobError`; the format is public, so the reason may be told."""
    return InvalidBlobError(f"not a v1 ciphertext blob: {reason}")


def _check_length(length: int) -> None:
    """Refuse a blob longer than any can be."""
    if length > MAX_BLOB_LENGTH:
        raise _invalid(f"{length} bytes, at most {MAX_BLOB_LENGTH}")


def _no_id(name: str) -> InvalidBlobError:
    """Return the error for a text that no key can have as an ID."""
    return _invalid(f"{name} is not 1 to {MAX_ID_LENGTH} printable ASCII characters")


def _end_of_id(raw: bytes, offset: int, name: str) -> int:
    """Return the offset behind the ID whose length byte stands at `offset`."""
    if len(raw) <= offset:
        raise _invalid(f"ends before the length of its {name}")
    end = offset + 1 + raw[offset]
    if len(raw) < end:
        raise _invalid(f"ends within its {name}")
    return end
