"""Keys: immutable values, each one version of one key, with its material checked once."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from kmscore.algorithms import KeySpec
from kmscore.keys.public import PublicKey
from kmscore.keys.rsa import RsaKey
from kmscore.keys.sm2 import Sm2Key
from kmscore.keys.symmetric import SymmetricKey

PrivateKey: TypeAlias = RsaKey | Sm2Key
"""What decrypts asymmetric ciphertexts."""

PRIVATE_KEYS: Final[Mapping[KeySpec, type[RsaKey] | type[Sm2Key]]] = MappingProxyType(
    {
        KeySpec.RSA_2048: RsaKey,
        KeySpec.RSA_3072: RsaKey,
        KeySpec.RSA_4096: RsaKey,
        KeySpec.EC_SM2: Sm2Key,
    }
)
"""The class of each asymmetric key spec."""

Key: TypeAlias = SymmetricKey | RsaKey | Sm2Key
"""What a `KeyProvider` answers."""


def check_key(value: object) -> None:
    """Raise `TypeError` unless `value` is one version of a key of any kind."""
    if not isinstance(value, Key):
        raise TypeError(f"a key must be SymmetricKey, RsaKey or Sm2Key, not {type(value).__name__}")


__all__ = [
    "PRIVATE_KEYS",
    "Key",
    "PrivateKey",
    "PublicKey",
    "RsaKey",
    "Sm2Key",
    "SymmetricKey",
    "check_key",
]
