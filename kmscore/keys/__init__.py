"""Keys: immutable values, each one version of one key, with its material checked once."""

from typing import TypeAlias

from kmscore.keys.public import PublicKey
from kmscore.keys.rsa import RsaKey
from kmscore.keys.sm2 import Sm2Key
from kmscore.keys.symmetric import SymmetricKey

PrivateKey: TypeAlias = RsaKey | Sm2Key
"""What decrypts asymmetric ciphertexts."""

Key: TypeAlias = SymmetricKey | RsaKey | Sm2Key
"""What a `KeyProvider` answers."""


def check_key(value: object) -> None:
    """Raise `TypeError` unless `value` is one version of a key of any kind."""
    if not isinstance(value, Key):
        raise TypeError(f"a key must be SymmetricKey, RsaKey or Sm2Key, not {type(value).__name__}")


__all__ = ["Key", "PrivateKey", "PublicKey", "RsaKey", "Sm2Key", "SymmetricKey", "check_key"]
