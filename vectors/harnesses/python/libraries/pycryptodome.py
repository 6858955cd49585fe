"""`pycryptodome`: AES-GCM and RSAES-OAEP."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from Crypto.Cipher import AES, oaep
from Crypto.Hash import SHA1, SHA256
from Crypto.PublicKey import RSA


class AesGcm:
    """AES-GCM."""

    def __init__(self, key: bytes) -> None:
        """Take a key of 16, 24 or 32 bytes."""
        self._key = key

    def encrypt(self, iv: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """Return ciphertext and tag."""
        cipher = AES.new(self._key, AES.MODE_GCM, nonce=iv).update(associated_data)
        return b"".join(cipher.encrypt_and_digest(plaintext))

    def decrypt(self, iv: bytes, sealed: bytes, associated_data: bytes) -> bytes:
        """Return the plaintext."""
        cipher = AES.new(self._key, AES.MODE_GCM, nonce=iv).update(associated_data)
        return cipher.decrypt_and_verify(sealed[:-16], sealed[-16:])


def _decrypt(inputs: Mapping[str, Any], algorithm: ModuleType) -> bytes:
    key = RSA.import_key(bytes.fromhex(inputs["private_key"]))
    return oaep.new(key, hashmod=algorithm).decrypt(bytes.fromhex(inputs["ciphertext"]))


AEADS = {"01": AesGcm, "02": AesGcm, "03": AesGcm}
DECRYPTIONS = {
    "RSAES_OAEP_SHA_256": lambda inputs: _decrypt(inputs, SHA256),
    "RSAES_OAEP_SHA_1": lambda inputs: _decrypt(inputs, SHA1),
}
REJECTIONS = (ValueError,)
