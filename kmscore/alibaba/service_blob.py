"""The service's own ciphertext blob: bytes to fields and back, without any cryptography.

    ======  ======================================================================
    bytes   field
    ======  ======================================================================
    0 or 3  prefix, as the profile says: none, or `24 00 02` for a KMS instance
    36      key version ID: a UUID as ASCII text
    12      IV
    m       ciphertext, as long as what is sealed: the Base64 text of the plaintext,
            or the plaintext itself
    16      tag
    ======  ======================================================================

There is no magic and no suite, and nothing of it but IV, ciphertext and tag is authenticated. The
key version alone says which key and which cipher it is.
"""

import re
from dataclasses import dataclass
from typing import Final, final

from kmscore._typecheck import BytesLike, check_bytes, take_bytes
from kmscore._values import Record
from kmscore.algorithms import MAX_PLAINTEXT_LENGTH, TAG_LENGTH
from kmscore.alibaba.context_rule import check_service
from kmscore.alibaba.profile import PREFIX_LENGTH, Profile
from kmscore.errors import InvalidBlobError

KEY_VERSION_ID_LENGTH: Final = 36
IV_LENGTH: Final = 12
MAX_PAYLOAD_LENGTH: Final = MAX_PLAINTEXT_LENGTH // 3 * 4
"""Longest text that is sealed: 6,144 bytes of plaintext take 8,192 characters of Base64."""

_LEAST: Final = KEY_VERSION_ID_LENGTH + IV_LENGTH + TAG_LENGTH
MAX_SERVICE_BLOB_LENGTH: Final = PREFIX_LENGTH + _LEAST + MAX_PAYLOAD_LENGTH
"""No blob of the service is longer: 8,259 bytes."""

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def is_uuid(text: str) -> bool:
    """Tell whether a text is a UUID of 36 characters, all that can stand for a key version."""
    return _UUID.fullmatch(text) is not None


@final
@dataclass(frozen=True, slots=True, repr=False)
class ServiceBlob(Record):
    """A blob of the service's layout as fields; they are a claim until it has been opened.

    `key_version_id` is a UUID of 36 characters, `iv` has 12 bytes, `tag` 16, and `ciphertext` 0 to
    8,195: 3 more than what can be sealed, where there is no prefix. Made by `parse`.
    """

    key_version_id: str
    iv: bytes
    ciphertext: bytes
    tag: bytes

    @classmethod
    def parse(cls, data: BytesLike, *, profile: Profile = Profile.ALIBABA) -> "ServiceBlob":
        """Return the blob that `data` encodes, in time proportional to its length.

        Raises `TypeError` if `data` is not bytes-like or the profile is none of the service's
        layout, and `InvalidBlobError` if it is longer than 8,259 bytes, does not begin with the
        profile's prefix and a UUID, or has no room for IV and tag.
        """
        check_service(profile)
        check_bytes(data, "ciphertext_blob")
        length, raw = take_bytes(data, MAX_SERVICE_BLOB_LENGTH)
        if length > MAX_SERVICE_BLOB_LENGTH:
            raise _invalid(f"{length} bytes, at most {MAX_SERVICE_BLOB_LENGTH}")
        if not raw.startswith(profile.prefix):
            raise _invalid("does not begin with the prefix of its profile")
        raw = raw[len(profile.prefix) :]
        if len(raw) < _LEAST:
            raise _invalid(f"{len(raw)} bytes, at least {_LEAST}")
        key_version_id = raw[:KEY_VERSION_ID_LENGTH].decode("latin-1")
        if not is_uuid(key_version_id):
            raise _invalid("does not begin with a key version ID")
        body = KEY_VERSION_ID_LENGTH + IV_LENGTH
        return cls(
            key_version_id,
            raw[KEY_VERSION_ID_LENGTH:body],
            raw[body:-TAG_LENGTH],
            raw[-TAG_LENGTH:],
        )

    def serialize(self, *, profile: Profile = Profile.ALIBABA) -> bytes:
        """Return the blob as bytes, 64 to 8,259 of them. Raises `TypeError` for a profile of v1."""
        check_service(profile)
        return b"".join(
            (
                profile.prefix,
                self.key_version_id.encode("ascii"),
                self.iv,
                self.ciphertext,
                self.tag,
            )
        )


def _invalid(reason: str) -> InvalidBlobError:
    """Return the `InvalidBlobError`; the format is public, so the reason may be told."""
    return InvalidBlobError(f"not a ciphertext blob of the service: {reason}")
