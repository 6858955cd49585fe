"""The payload, the form in which a plaintext is encrypted: unchanged, or as its Base64 text."""

from dataclasses import replace

from kmscore import envelope
from kmscore._base64 import decode_base64, encode_base64
from kmscore._typecheck import BytesLike
from kmscore.alibaba.profile import Payload, Profile
from kmscore.alibaba.service_layout import ServiceLayout
from kmscore.context import ContextLike
from kmscore.errors import DecryptionError
from kmscore.keyring import KeyProvider
from kmscore.keys import Key, SymmetricKey
from kmscore.layouts import NO_IDS, V1, BlobLayout, BlobSource, GivenIds


def layout_of(profile: Profile, *, allow_ambiguous: bool) -> BlobLayout:
    """Return the layout of a profile, with its payload."""
    plain: BlobLayout = (
        V1 if profile.is_v1 else ServiceLayout(profile, allow_ambiguous=allow_ambiguous)
    )
    return _Base64Layout(plain) if profile.payload is Payload.BASE64 else plain


def as_sealed(profile: Profile) -> Profile:
    """Return the profile with the payload `RAW`, so that the encrypted text is not decoded."""
    return profile if profile.payload is Payload.RAW else replace(profile, payload=Payload.RAW)


class _Base64Layout:
    """A layout in which the Base64 text of the plaintext is encrypted."""

    def __init__(self, plain: BlobLayout) -> None:
        self._plain = plain
        self.max_plaintext_length = plain.max_plaintext_length // 4 * 3
        self.check_keys = plain.check_keys
        self.bind = plain.bind
        self.find_destination = plain.find_destination

    def read(self, keys: KeyProvider, data: BytesLike, ids: GivenIds = NO_IDS) -> "_Base64Source":
        return _Base64Source(self._plain.read(keys, data, ids), self.max_plaintext_length)

    def seal(
        self, key: SymmetricKey, plaintext: bytes, bound: bytes, iv: bytes | None = None
    ) -> bytes:
        return self._plain.seal(key, encode_base64(plaintext).encode("ascii"), bound, iv)


class _Base64Source:
    """A ciphertext with a Base64 text, which is decoded after decryption."""

    def __init__(self, plain: BlobSource, most: int) -> None:
        self._plain = plain
        self._most = most

    @property
    def least_plaintext_length(self) -> int:
        """The minimum length of the plaintext in bytes.

        The plaintext can have up to 2 bytes more, because the padding is not known.
        """
        return max(0, self._plain.least_plaintext_length // 4 * 3 - 2)

    def bind(self, context: ContextLike) -> bytes:
        return self._plain.bind(context)

    def find_key(self) -> Key:
        return self._plain.find_key()

    def check_size(self, most: int) -> None:
        envelope.check_length(self.least_plaintext_length, min(most, self._most))

    def open(self, bound: bytes) -> bytes:
        plaintext = decode_base64(self._plain.open(bound))
        if plaintext is None:
            raise DecryptionError
        return plaintext
