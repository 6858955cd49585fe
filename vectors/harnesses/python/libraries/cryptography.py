"""`cryptography`: AES-GCM, SM4-GCM and RSAES-OAEP."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_private_key


class Sm4Gcm:
    """SM4-GCM, which has no class of its own in the library."""

    def __init__(self, key: bytes) -> None:
        """Take a key of 16 bytes."""
        self._sm4 = SM4(key)

    def encrypt(self, iv: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """Return ciphertext and tag."""
        encryptor = Cipher(self._sm4, GCM(iv)).encryptor()
        encryptor.authenticate_additional_data(associated_data)
        return encryptor.update(plaintext) + encryptor.finalize() + encryptor.tag

    def decrypt(self, iv: bytes, sealed: bytes, associated_data: bytes) -> bytes:
        """Return the plaintext."""
        decryptor = Cipher(self._sm4, GCM(iv, sealed[-16:])).decryptor()
        decryptor.authenticate_additional_data(associated_data)
        return decryptor.update(sealed[:-16]) + decryptor.finalize()


@cache  # the library checks the primes of a key whenever it reads one
def _key(encoded: str) -> rsa.RSAPrivateKey:
    key = load_der_private_key(bytes.fromhex(encoded), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError
    return key


def _decrypt(inputs: Mapping[str, Any], algorithm: HashAlgorithm) -> bytes:
    oaep = padding.OAEP(padding.MGF1(algorithm), algorithm, label=None)
    return _key(inputs["private_key"]).decrypt(bytes.fromhex(inputs["ciphertext"]), oaep)


AEADS = {"01": AESGCM, "02": AESGCM, "03": AESGCM, "04": Sm4Gcm}
DECRYPTIONS = {
    "RSAES_OAEP_SHA_256": lambda inputs: _decrypt(inputs, SHA256()),
    "RSAES_OAEP_SHA_1": lambda inputs: _decrypt(inputs, SHA1()),  # noqa: S303 (under test)
}
REJECTIONS = (InvalidTag, ValueError)
