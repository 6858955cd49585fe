"""Key classes. Each value is one version of one key, immutable, with key material checked once."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from kmscore.algorithms import KeySpec
from kmscore.keys.public import PublicKey
from kmscore.keys.rsa import RsaKey
from kmscore.keys.sm2 import Sm2Key
from kmscore.keys.symmetric import SymmetricKey

PrivateKey: TypeAlias = RsaKey | Sm2Key
"""A key version that decrypts asymmetric ciphertexts."""

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
"""A key version of any kind, as a `KeyProvider` returns it."""


def check_key(value: object, found: str = "not") -> None:
    """Check that a value is a key version.

    Args:
        value: The value to check.
        found: The words of the message before the type of another value.

    Raises:
        TypeError: If `value` is not a `SymmetricKey`, `RsaKey` or `Sm2Key`.
    """
    if not isinstance(value, Key):
        name = type(value).__name__
        raise TypeError(f"a key must be SymmetricKey, RsaKey or Sm2Key, {found} {name}")


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
