"""`gmssl`, in Python: SM2 decryption of C1C3C2 and C1C2C3 without their first byte `04`."""

from collections.abc import Mapping
from typing import Any

from format import UnsupportedError
from gmssl.sm2 import CryptSM2

_MODES = {"C1C2C3": 0, "C1C3C2": 1}


class UndecryptableError(Exception):
    """The library returned no plaintext. It documents no exception."""


def _decrypt(inputs: Mapping[str, Any]) -> bytes:
    mode, ciphertext = _MODES.get(inputs["encoding"]), bytes.fromhex(inputs["ciphertext"])
    if mode is None or ciphertext[:1] != b"\x04":
        raise UnsupportedError
    plaintext: bytes | None = CryptSM2(inputs["d"], "", mode=mode).decrypt(ciphertext[1:])
    if plaintext is None:
        raise UndecryptableError
    return plaintext


AEADS: Mapping[str, Any] = {}
DECRYPTIONS = {"SM2PKE": _decrypt}
REJECTIONS = (UndecryptableError,)
