"""The service's own ciphertext blob: bytes to fields and fields to bytes, without cryptography.

    ======  ======================================================================
    bytes   field
    ======  ======================================================================
    0 or 3  prefix of the profile: none, or `24 00 02` for a KMS instance
    36      key version ID: a UUID as ASCII text
    12      IV
    m       ciphertext, as long as the encrypted text: the Base64 text of the
            plaintext, or the plaintext itself
    16      tag
    ======  ======================================================================

A blob has no magic bytes and no suite ID. Only IV, ciphertext and tag are authenticated. The key
and the cipher follow from the key version ID alone.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, final

from kmscore._typecheck import BytesLike, check_bytes, take_bytes
from kmscore._values import Record
from kmscore.algorithms import MAX_PLAINTEXT_LENGTH, TAG_LENGTH
from kmscore.alibaba.context_rule import check_service
from kmscore.alibaba.profile import INSTANCE_PREFIX, PREFIX_LENGTH, Profile
from kmscore.errors import InvalidBlobError

KEY_VERSION_ID_LENGTH: Final = 36
IV_LENGTH: Final = 12
MAX_PAYLOAD_LENGTH: Final = MAX_PLAINTEXT_LENGTH // 3 * 4
"""Maximum length of the encrypted text, 8,192 bytes; the Base64 text of 6,144 bytes."""

_LEAST: Final = KEY_VERSION_ID_LENGTH + IV_LENGTH + TAG_LENGTH
MAX_SERVICE_BLOB_LENGTH: Final = PREFIX_LENGTH + _LEAST + MAX_PAYLOAD_LENGTH
"""Maximum length of a blob of the service, 8,259 bytes."""

_OF_INSTANCE: Final = Profile(prefix=INSTANCE_PREFIX)
"""The profile of the blobs of a KMS instance."""

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def is_uuid(text: str) -> bool:
    """Return whether a text is a UUID of 36 characters, the only form of a key version ID here."""
    return _UUID.fullmatch(text) is not None


@final
@dataclass(frozen=True, slots=True, repr=False)
class ServiceBlob(Record):
    """A blob of the service's layout as fields.

    Use `parse` to create an instance, because the constructor does not check the fields. The fields
    are not authenticated until the blob is decrypted.
    """

    key_version_id: str
    """The ID of the key version that encrypted the blob, a UUID of 36 characters."""

    iv: bytes
    """The IV of GCM, 12 bytes."""

    ciphertext: bytes
    """The ciphertext without the tag.

    After `parse` it has 0 to 8,195 bytes with a profile without prefix, and 0 to 8,192 otherwise.
    Only 8,192 of them can be decrypted.
    """

    tag: bytes
    """The authentication tag of GCM, 16 bytes."""

    @classmethod
    def parse(cls, data: BytesLike, *, profile: Profile = Profile.ALIBABA) -> "ServiceBlob":
        """Read the fields of a blob, in time proportional to its length.

        Args:
            data: The blob, 64 to 8,259 bytes. A prefix of 3 bytes raises the minimum to 67.
            profile: A profile of the service's layout.

        Returns:
            The fields of the blob.

        Raises:
            TypeError: If `profile` is not a profile of the service's layout, or if `data` is not
                bytes-like.
            InvalidBlobError: If `data` is longer than 8,259 bytes or does not begin with the prefix
                of the profile. After the prefix also if there are less than 64 bytes, or if they do
                not begin with a UUID.
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
        """Return the blob as bytes.

        Args:
            profile: A profile of the service's layout.

        Returns:
            The blob, 64 to 8,259 bytes.

        Raises:
            TypeError: If `profile` is not a profile of the service's layout.
        """
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
    """Return an `InvalidBlobError` with the reason, which is not secret: the format is public."""
    return InvalidBlobError(f"not a ciphertext blob of the service: {reason}")


def guess_version_id(data: BytesLike) -> str | None:
    """Return the key version ID if bytes look like a blob, also of a KMS instance; else `None`."""
    for profile in (Profile.ALIBABA, _OF_INSTANCE):
        with suppress(InvalidBlobError):
            return ServiceBlob.parse(data, profile=profile).key_version_id
    return None
