"""The five suites as authenticated ciphers: key material in, a sealer out, the IV always given.

AES-GCM and SM4-GCM follow NIST SP 800-38D with 96-bit IVs and 128-bit tags (SM4-GCM: RFC 8998),
XAES-256-GCM follows C2SP. This module knows neither blob nor context: associated data is bytes.
"""

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.ciphers.modes import ECB, GCM

from kmscore._availability import attempt
from kmscore.algorithms import TAG_LENGTH, Suite


class Sealer(NamedTuple):
    """An authenticated cipher under one key, as its two functions; threads may share it."""

    seal: Callable[[bytes, bytes, bytes], bytes]
    """IV, plaintext and associated data in, ciphertext and tag out, 16 bytes more than went in.

    The IV has the suite's length, and the caller never repeats it under one key.
    """

    open: Callable[[bytes, bytes, bytes], bytes]
    """IV, ciphertext and 16-byte tag, and associated data in, plaintext out.

    Raises `InvalidTag` unless the tag is right for every bit of all three.
    """


def _aes_gcm(material: bytes) -> Sealer:
    """Return AES-GCM with a key of 16, 24 or 32 bytes, scheduled once."""
    cipher = AESGCM(material)
    return Sealer(cipher.encrypt, cipher.decrypt)


class _Sm4Gcm:
    """SM4-GCM (RFC 8998) with a key of 16 bytes."""

    __slots__ = ("_key",)

    def __init__(self, material: bytes) -> None:
        self._key = SM4(material)

    def seal(self, iv: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """See `Sealer`."""
        encryptor = Cipher(self._key, GCM(iv)).encryptor()
        encryptor.authenticate_additional_data(associated_data)
        ciphertext = encryptor.update(plaintext) + encryptor.finalize()
        return ciphertext + encryptor.tag

    def open(self, iv: bytes, sealed: bytes, associated_data: bytes) -> bytes:
        """See `Sealer`.

        The interface hands out the plaintext before it has seen the tag. Nothing may look at it
        until finalize_with_tag has returned; if that raises, this frame goes with `InvalidTag`,
        which no caller lets out.
        """
        decryptor = Cipher(self._key, GCM(iv)).decryptor()
        decryptor.authenticate_additional_data(associated_data)
        plaintext = decryptor.update(sealed[:-TAG_LENGTH])
        return plaintext + decryptor.finalize_with_tag(sealed[-TAG_LENGTH:])


_SALT_LENGTH: Final = 12  # of the nonce's 24 bytes, the first
_REST_BITS: Final = 96  # the nonce's other 12 bytes
_TWICE: Final = 1 << 128 | 1  # times this, a block stands twice


class _XaesGcm:
    """XAES-256-GCM (C2SP) with a key of 32 bytes: AES-256-GCM under a key derived per nonce.

    The derivation is NIST SP 800-108r1 in counter mode with CMAC. Each of its two inputs is one
    block, so each CMAC is a single AES call on the input XORed with the subkey K1.
    """

    __slots__ = ("_block_cipher", "_idle_encryptors", "_masked_inputs")

    def __init__(self, material: bytes) -> None:
        """Compute K1, the step that every message shares (NIST SP 800-38B section 6.1)."""
        # One block at a time, of inputs that never repeat: what ECB gives away is not there.
        self._block_cipher = Cipher(AES(material), ECB())  # noqa: S305
        # An encryptor in ECB keeps nothing of what it has encrypted, and making one takes ten
        # times as long as using it. The ones not in use wait here. No two threads can have the
        # same one: taking the last item of a list and appending one are atomic.
        self._idle_encryptors: list[CipherContext] = []
        block = int.from_bytes(self._block_cipher.encryptor().update(bytes(16)), "big")
        # Doubling in GF(2^128); the multiplication takes the place of a branch on a secret bit.
        k1 = (block << 1) % (1 << 128) ^ (block >> 127) * 0x87
        # Both inputs, 00 01 'X' 00 and 00 02 'X' 00 with 12 bytes of salt to come, less the salt.
        blocks = b"".join(b"\x00" + bytes([n]) + b"X\x00" + bytes(12) for n in (1, 2))
        self._masked_inputs = int.from_bytes(blocks, "big") ^ k1 * _TWICE

    def seal(self, iv: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """See `Sealer`; `iv` is the 24-byte nonce."""
        return self._derive(iv).encrypt(iv[_SALT_LENGTH:], plaintext, associated_data)

    def open(self, iv: bytes, sealed: bytes, associated_data: bytes) -> bytes:
        """See `Sealer`; `iv` is the 24-byte nonce."""
        return self._derive(iv).decrypt(iv[_SALT_LENGTH:], sealed, associated_data)

    def _derive(self, iv: bytes) -> AESGCM:
        """Return AES-256-GCM under the key derived from the first 12 bytes of the nonce."""
        salt = int.from_bytes(iv, "big") >> _REST_BITS
        inputs = (self._masked_inputs ^ salt * _TWICE).to_bytes(32, "big")
        idle = self._idle_encryptors
        try:
            encryptor = idle.pop()
        except IndexError:
            encryptor = self._block_cipher.encryptor()
        derived = encryptor.update(inputs)
        idle.append(encryptor)
        return AESGCM(derived)


def _sm4_gcm(material: bytes) -> Sealer:
    cipher = _Sm4Gcm(material)
    return Sealer(cipher.seal, cipher.open)


def _xaes_gcm(material: bytes) -> Sealer:
    cipher = _XaesGcm(material)
    return Sealer(cipher.seal, cipher.open)


_SEALERS: Final[Mapping[Suite, Callable[[bytes], Sealer]]] = MappingProxyType(
    {
        Suite.AES_256_GCM: _aes_gcm,
        Suite.AES_192_GCM: _aes_gcm,
        Suite.AES_128_GCM: _aes_gcm,
        Suite.SM4_GCM: _sm4_gcm,
        Suite.XAES_256_GCM: _xaes_gcm,
    }
)


def sealer(suite: Suite, material: bytes) -> Sealer:
    """Return the sealer of `suite` under `material`, whose length is the suite's `key_length`.

    Raises `UnsupportedAlgorithmError` if this build of `cryptography`, or the policy of the
    system, lacks the cipher.
    """
    _check_suite(suite)
    return _SEALERS[suite](material)


@cache
def _check_suite(suite: Suite) -> None:
    """Raise `UnsupportedAlgorithmError` unless the suite can encrypt here; ask once a process."""
    attempt(lambda: _seal_nothing(suite), suite.name)


def _seal_nothing(suite: Suite) -> bytes:
    """Encrypt an empty message under a key of zeros."""
    seal, _ = _SEALERS[suite](bytes(suite.key_length))
    return seal(bytes(suite.iv_length), b"", b"")
