"""Self-test of a backend with known answers, before a key uses the backend.

The self-test is necessary, because some builds of libraries with SM2 are not correct. Some do not
compare C3. An implementation can also be wrong in both directions, so that encryption followed by
decryption does not show it. The key is the published test key of GM/T 0003.5-2012 Annex C. The
ciphertexts that a backend must reject are made with this key.
"""

from typing import Final

from kmscore.errors import DecryptionError, InvalidBlobError
from kmscore.sm2.curve import Point
from kmscore.sm2.encodings import Sm2Encoding, serialize
from kmscore.sm2.scheme import Backend, Decryptor, decrypt, encrypt

_SCALAR: Final = 0x3945208F_7B2144B1_3F36E38A_C6D39F95_88939369_2860B51A_42FB81EF_4DF7C5B8
_PUBLIC_POINT: Final = Point(
    0x09F9DF31_1E5421A1_50DD7D16_1E4BC5C6_72179FAD_1833FC07_6BB08FF3_56F35020,
    0xCCEA490C_E26775A5_2DC6EA71_8CC1AA60_0AED05FB_F35E084A_6632F607_2DA9AD13,
)
_PLAINTEXT: Final = b"encryption standard"
_CIPHERTEXT: Final = bytes.fromhex(
    "0404ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73"
    "e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"
    "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
    "21886ca989ca9c7d58087307ca93092d651efa"
)
_C3_OFFSET: Final = 65

_OFF_CURVE: Final = bytes.fromhex(
    # C1 = (1, 1), with the C3 and C2 that follow from its product with the scalar.
    "040000000000000000000000000000000000000000000000000000000000000001"
    "0000000000000000000000000000000000000000000000000000000000000001"
    "5f241ad888be578a73a208d76c7c9b3befd278453f234d6c6d7eef9dff1a225467bee037"
)
_ZERO_KDF: Final = bytes.fromhex(
    # A plaintext of one byte and k = 470. The KDF output is 00, so C2 equals the plaintext.
    "0417a8dbf0e9d5ce427a04c8800bef14de5e22e24c5cee027d8f71fe0bf8a909b1"
    "0bc9ed977244bf069fa0e9163a353597134cf54a2747957945678515b49265e8"
    "914e05f1a4fc4644c89522b4009523e440a3243d40c4b05b75ac2af01f06286a5a"
)


def passes_self_test(backend: Backend) -> bool:
    """Return whether `backend` decrypts, rejects and encrypts correctly."""
    decryptor = backend.decryptor(_SCALAR, _PUBLIC_POINT)
    rejected = (_flipped(_C3_OFFSET), _flipped(len(_CIPHERTEXT) - 1), _OFF_CURVE, _ZERO_KDF)
    if _opened(decryptor, _CIPHERTEXT) != _PLAINTEXT:
        return False
    if any(_opened(decryptor, ciphertext) is not None for ciphertext in rejected):
        return False
    try:
        parts = encrypt(backend.encryptor(_PUBLIC_POINT), _PLAINTEXT)
    except (RuntimeError, InvalidBlobError):
        return False
    return _opened(decryptor, serialize(parts, Sm2Encoding.C1C3C2)) == _PLAINTEXT


def _flipped(offset: int) -> bytes:
    """Return the ciphertext of the example with one bit changed at `offset`."""
    changed = bytearray(_CIPHERTEXT)
    changed[offset] ^= 1
    return bytes(changed)


def _opened(decryptor: Decryptor, ciphertext: bytes) -> bytes | None:
    """Return the plaintext, or `None` if the ciphertext was rejected."""
    try:
        return decrypt(decryptor, ciphertext)
    except DecryptionError:
        return None
