"""The authenticated ciphers of the five suites. The caller passes the IV.

AES-GCM and SM4-GCM follow NIST SP 800-38D with 96-bit IVs and 128-bit tags (SM4-GCM: RFC 8998).
XAES-256-GCM follows C2SP. This module does not depend on the format of blobs or contexts:
associated data is bytes.
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
    """The two functions of an authenticated cipher with one key. Threads can share them."""

    seal: Callable[[bytes, bytes, bytes], bytes]
    """Function from IV, plaintext and associated data to ciphertext and tag.

    The result is 16 bytes longer than the plaintext. The IV has the length of the suite. The caller
    must not use the same IV twice with one key.
    """

    open: Callable[[bytes, bytes, bytes], bytes]
    """Function from IV, ciphertext with 16-byte tag, and associated data to the plaintext.

    Raises `InvalidTag` if the tag does not match IV, ciphertext and associated data.
    """


def _aes_gcm(material: bytes) -> Sealer:
    """Return AES-GCM with a key of 16, 24 or 32 bytes. The key is expanded only once."""
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

        The decryptor returns the plaintext before it checks the tag. The plaintext must not be used
        before finalize_with_tag has returned. If that raises `InvalidTag`, its traceback has this
        frame with the plaintext, so callers do not let `InvalidTag` propagate.
        """
        decryptor = Cipher(self._key, GCM(iv)).decryptor()
        decryptor.authenticate_additional_data(associated_data)
        plaintext = decryptor.update(sealed[:-TAG_LENGTH])
        return plaintext + decryptor.finalize_with_tag(sealed[-TAG_LENGTH:])


_SALT_LENGTH: Final = 12  # first 12 of the 24 bytes of the nonce
_REST_BITS: Final = 96  # other 12 bytes of the nonce
_TWICE: Final = 1 << 128 | 1  # factor that writes a block twice, one after the other


class _XaesGcm:
    """XAES-256-GCM (C2SP) with a key of 32 bytes: AES-256-GCM under a key derived per nonce.

    The derivation is NIST SP 800-108r1 in counter mode with CMAC. Each of the two inputs is one
    block, so each CMAC is one AES call on the input XOR the subkey K1.
    """

    __slots__ = ("_block_cipher", "_idle_encryptors", "_masked_inputs")

    def __init__(self, material: bytes) -> None:
        """Compute K1, which is the same for every message (NIST SP 800-38B section 6.1)."""
        # ECB is safe here. It reveals only equal blocks, but the two input blocks of a message
        # always differ, and the output is a secret key.
        self._block_cipher = Cipher(AES(material), ECB())  # noqa: S305
        # Encryptors that are not in use. An ECB encryptor keeps no data of earlier calls, and its
        # creation takes ten times as long as its use. `pop` and `append` on a list are atomic, so
        # no two threads get the same encryptor.
        self._idle_encryptors: list[CipherContext] = []
        block = int.from_bytes(self._block_cipher.encryptor().update(bytes(16)), "big")
        # Doubling in GF(2^128). The multiplication avoids a branch on a secret bit.
        k1 = (block << 1) % (1 << 128) ^ (block >> 127) * 0x87
        # Both inputs, 00 01 'X' 00 and 00 02 'X' 00, each with zeros in place of 12 bytes of salt.
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
    """Return the cipher of `suite` with the key `material`, which has `suite.key_length` bytes.

    Raises `UnsupportedAlgorithmError` if this build of `cryptography` lacks the cipher or the
    policy of the system disables it.
    """
    _check_suite(suite)
    return _SEALERS[suite](material)


@cache
def _check_suite(suite: Suite) -> None:
    """Raise `UnsupportedAlgorithmError` if the suite is not available. A success is cached."""
    attempt(lambda: _seal_nothing(suite), suite.name)


def _seal_nothing(suite: Suite) -> bytes:
    """Encrypt an empty plaintext with a key of zeros."""
    seal, _ = _SEALERS[suite](bytes(suite.key_length))
    return seal(bytes(suite.iv_length), b"", b"")
