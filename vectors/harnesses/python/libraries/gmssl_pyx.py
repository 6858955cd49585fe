"""`gmssl-pyx`, a binding of the C library GmSSL: SM4-GCM, and SM2 decryption of DER."""

from collections.abc import Mapping
from typing import Any

from format import UnsupportedError
from gmssl_pyx import GmsslInnerError, sm2_decrypt, sm4_gcm_decrypt, sm4_gcm_encrypt


class Sm4Gcm:
    """SM4-GCM."""

    def __init__(self, key: bytes) -> None:
        """Take a key of 16 bytes."""
        self._key = key

    def encrypt(self, iv: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """Return ciphertext and tag."""
        return b"".join(sm4_gcm_encrypt(self._key, iv, associated_data, plaintext))

    def decrypt(self, iv: bytes, sealed: bytes, associated_data: bytes) -> bytes:
        """Return the plaintext."""
        plaintext: bytes = sm4_gcm_decrypt(
            self._key, iv, associated_data, sealed[:-16], sealed[-16:]
        )
        return plaintext


MAX_CIPHERTEXT = 366
"""The documented limit of `sm2_decrypt`, in bytes: 255 bytes of plaintext."""


def _decrypt(inputs: Mapping[str, Any]) -> bytes:
    ciphertext = bytes.fromhex(inputs["ciphertext"])
    if inputs["encoding"] != "ASN1_DER" or len(ciphertext) > MAX_CIPHERTEXT:
        raise UnsupportedError
    plaintext: bytes = sm2_decrypt(bytes.fromhex(inputs["d"]), ciphertext)
    return plaintext


AEADS = {"04": Sm4Gcm}
DECRYPTIONS = {"SM2PKE": _decrypt}
REJECTIONS = (GmsslInnerError,)
