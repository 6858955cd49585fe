"""`gmssl`, in Python: SM2 decryption of C1C3C2 without its first byte `04`."""

from collections.abc import Mapping
from typing import Any

from format import UnsupportedError
from gmssl.sm2 import CryptSM2


class UndecryptableError(Exception):
    """The library returned no plaintext."""


def _decrypt(inputs: Mapping[str, Any]) -> bytes:
    ciphertext = bytes.fromhex(inputs["ciphertext"])
    if ciphertext[:1] != b"\x04":
        raise UnsupportedError
    try:
        plaintext: bytes | None = CryptSM2(inputs["d"], "", mode=1).decrypt(ciphertext[1:])
    except Exception as error:  # the library documents no exception
        raise UndecryptableError from error
    if plaintext is None:
        raise UndecryptableError
    return plaintext


AEADS: Mapping[str, Any] = {}
DECRYPTIONS = {"SM2PKE": _decrypt}
REJECTIONS = (UndecryptableError,)
