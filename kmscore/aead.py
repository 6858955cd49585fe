"""The five suites as authenticated ciphers: key material in, a sealer out, the IV always given.

AES-GCM and SM4-GCM follow NIST SP 800-38D with 96-bit IVs and 128-bit tags (SM4-GCM: RFC 8998),
XAES-256-GCM follows C2SP. This module knows neither blob nor context: associated data is bytes.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.ciphers.modes import ECB, GCM

from kmscore.algorithms import TAG_LENGTH, Suite
from kmscore.errors import DecryptionError, UnsupportedAlgorithmError


class Sealer(Protocol):
    """An authenticated cipher under one key; may be shared between threads."""

    def seal(self, iv: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """Return ciphertext and tag: 16 bytes more than the plaintext.

        `iv` has the suite's length, and the caller never repeats it under one key.
        """
        ...

    def open(self, iv: bytes, sealed: bytes, associated_data: bytes) -> bytes:
        """Return the plaintext of `sealed`, ciphertext and 16-byte tag.

        Raises `DecryptionError` unless the tag is right for every bit of all three arguments.
        """
        ...


class AesGcm:
    """AES-GCM with a key of 16, 24 or 32 bytes."""

    __slots__ = ("_cipher",)

    def __init__(self, material: bytes) -> None:
        """Schedule the key once."""
        self._cipher = AESGCM(material)

    def seal(self, iv: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """See `Sealer`."""
        return self._cipher.encrypt(iv, plaintext, associated_data)

    def open(self, iv: bytes, sealed: bytes, associated_data: bytes) -> bytes:
        """See `Sealer`."""
        try:
            return self._cipher.decrypt(iv, sealed, associated_data)
        except InvalidTag:
            pass
        raise DecryptionError


class Sm4Gcm:
    """SM4-GCM (RFC 8998) with a key of 16 bytes."""

    __slots__ = ("_key",)

    def __init__(self, material: bytes) -> None:
        """Raise `UnsupportedAlgorithmError` now if this build of `cryptography` lacks SM4."""
        self._key = SM4(material)
        try:
            Cipher(self._key, GCM(bytes(Suite.SM4_GCM.iv_length))).encryptor()
        except UnsupportedAlgorithm:
            supported = False
        else:
            supported = True
        if not supported:
            raise UnsupportedAlgorithmError("this build of cryptography has no SM4-GCM")

    def seal(self, iv: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """See `Sealer`."""
        encryptor = Cipher(self._key, GCM(iv)).encryptor()
        encryptor.authenticate_additional_data(associated_data)
        ciphertext = encryptor.update(plaintext) + encryptor.finalize()
        return ciphertext + encryptor.tag

    def open(self, iv: bytes, sealed: bytes, associated_data: bytes) -> bytes:
        """See `Sealer`."""
        plaintext = self._decrypt(iv, sealed, associated_data)
        if plaintext is None:
            raise DecryptionError
        return plaintext

    def _decrypt(self, iv: bytes, sealed: bytes, associated_data: bytes) -> bytes | None:
        """Return the plaintext, or `None` if the tag is wrong.

        The interface hands out the plaintext before it has seen the tag. Nothing may look at it
        until finalize_with_tag has returned; if that raises, it ends with this frame, which no
        traceback of the error holds.
        """
        decryptor = Cipher(self._key, GCM(iv)).decryptor()
        decryptor.authenticate_additional_data(associated_data)
        plaintext = decryptor.update(sealed[:-TAG_LENGTH])
        try:
            return plaintext + decryptor.finalize_with_tag(sealed[-TAG_LENGTH:])
        except InvalidTag:
            return None


class XaesGcm:
    """XAES-256-GCM (C2SP) with a key of 32 bytes: AES-256-GCM under a key derived per nonce.

    The derivation is NIST SP 800-108r1 in counter mode with CMAC. Each of its two inputs is one
    block, so each CMAC is a single AES call on the input XORed with the subkey K1.
    """

    __slots__ = ("_block_cipher", "_subkey")

    _SALT_LENGTH: Final = 12

    def __init__(self, material: bytes) -> None:
        """Compute K1, the step that every message shares (NIST SP 800-38B section 6.1)."""
        # One block at a time, of inputs that never repeat: what ECB gives away is not there.
        self._block_cipher = Cipher(AES(material), ECB())  # noqa: S305
        block = int.from_bytes(self._block_cipher.encryptor().update(bytes(16)), "big")
        # Doubling in GF(2^128); the multiplication takes the place of a branch on a secret bit.
        k1 = (block << 1) % (1 << 128) ^ (block >> 127) * 0x87
        # Both inputs, 00 01 'X' 00 and 00 02 'X' 00 with 12 bytes of salt to come, less the salt.
        blocks = b"".join(b"\x00" + bytes([n]) + b"X\x00" + bytes(12) for n in (1, 2))
        self._subkey = int.from_bytes(blocks, "big") ^ (k1 << 128 | k1)

    def seal(self, iv: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """See `Sealer`; `iv` is the 24-byte nonce."""
        return self._derive(iv).seal(iv[self._SALT_LENGTH :], plaintext, associated_data)

    def open(self, iv: bytes, sealed: bytes, associated_data: bytes) -> bytes:
        """See `Sealer`; `iv` is the 24-byte nonce."""
        return self._derive(iv).open(iv[self._SALT_LENGTH :], sealed, associated_data)

    def _derive(self, iv: bytes) -> AesGcm:
        """Return AES-256-GCM under the key derived from the first 12 bytes of the nonce."""
        salt = int.from_bytes(iv[: self._SALT_LENGTH], "big")
        inputs = self._subkey ^ (salt << 128 | salt)
        # A new encryptor per call: one object kept would be state shared between threads.
        return AesGcm(self._block_cipher.encryptor().update(inputs.to_bytes(32, "big")))


_SEALERS: Final[Mapping[Suite, Callable[[bytes], Sealer]]] = MappingProxyType(
    {
        Suite.AES_256_GCM: AesGcm,
        Suite.AES_192_GCM: AesGcm,
        Suite.AES_128_GCM: AesGcm,
        Suite.SM4_GCM: Sm4Gcm,
        Suite.XAES_256_GCM: XaesGcm,
    }
)


def sealer(suite: Suite, material: bytes) -> Sealer:
    """Return the sealer of `suite` under `material`, whose length is the suite's `key_length`.

    Raises `UnsupportedAlgorithmError` if this build of `cryptography` lacks the cipher.
    """
    return _SEALERS[suite](material)
