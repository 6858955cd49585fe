"""Enums for key specs, key states, suites and asymmetric algorithms, with their parameters.

Each enum with parameters has one read-only table. The lookup of an unknown value raises an error,
so the code that uses these enums does not need a default branch.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple, Never, Self, cast

from kmscore._typecheck import check_text
from kmscore.errors import UnsupportedAlgorithmError

MAX_PLAINTEXT_LENGTH: Final = 6144
"""Maximum length of a plaintext in one operation, in bytes (6 KB, the limit of the service)."""

MAX_DATA_KEY_LENGTH: Final = 1024
"""Maximum length of a data key, in bytes."""

DEFAULT_DATA_KEY_LENGTH: Final = 32
"""Default length of a data key, in bytes."""

TAG_LENGTH: Final = 16
"""Length of the authentication tag of every suite, in bytes."""


def _reject(vocabulary: type[Enum], value: object, due: type) -> Never:
    """Raise the error for a value that is not in the enum.

    The message does not quote the value, because a caller can pass key material by mistake.
    """
    if not isinstance(value, due) or isinstance(value, bool):
        raise TypeError(f"{vocabulary.__name__} must be {due.__name__}, not {type(value).__name__}")
    allowed = ", ".join(str(member.value) for member in vocabulary)
    raise UnsupportedAlgorithmError(f"unknown {vocabulary.__name__}: not one of {allowed}")


class Vocabulary(StrEnum):
    """A closed set of names. The lookup of an unknown name raises an error."""

    @classmethod
    def of(cls, value: str, name: str) -> Self:
        """Return the member for `value`.

        Error messages do not quote `value`, because a caller can pass key material by mistake.

        Args:
            value: A member, or the value of a member as text.
            name: Name of the argument, for the message of `TypeError`.

        Returns:
            The member.

        Raises:
            TypeError: If `value` is not a `str`.
            UnsupportedAlgorithmError: If no member has this value.
        """
        # Not `cls(value)`, because `Enum` attaches a ValueError that quotes the value to the error
        # of `_missing_`, as its `__context__`.
        if type(value) is cls:
            return value
        check_text(value, name)
        member = cls._value2member_map_.get(value)
        if member is None:
            _reject(cls, value, str)
        return cast("Self", member)

    @classmethod
    def _missing_(cls, value: object) -> Never:
        _reject(cls, value, str)


class KeySpec(Vocabulary):
    """The algorithm and length of a key."""

    AES_256 = "Aliyun_AES_256"
    AES_192 = "Aliyun_AES_192"
    AES_128 = "Aliyun_AES_128"
    SM4 = "Aliyun_SM4"
    RSA_2048 = "RSA_2048"
    RSA_3072 = "RSA_3072"
    RSA_4096 = "RSA_4096"
    EC_SM2 = "EC_SM2"


class KeyState(Vocabulary):
    """The state of a key. Only a key in the state `ENABLED` can be used."""

    ENABLED = "Enabled"
    DISABLED = "Disabled"
    PENDING_DELETION = "PendingDeletion"
    PENDING_IMPORT = "PendingImport"


class EncryptionAlgorithm(Vocabulary):
    """An asymmetric encryption algorithm."""

    RSAES_OAEP_SHA_256 = "RSAES_OAEP_SHA_256"
    RSAES_OAEP_SHA_1 = "RSAES_OAEP_SHA_1"
    SM2PKE = "SM2PKE"


class Suite(Enum):
    """An authenticated cipher of the v1 ciphertext blob. The value is the suite ID, 1 byte."""

    AES_256_GCM = 0x01
    AES_192_GCM = 0x02
    AES_128_GCM = 0x03
    SM4_GCM = 0x04
    XAES_256_GCM = 0x05

    @classmethod
    def _missing_(cls, value: object) -> Never:
        _reject(cls, value, int)

    @property
    def key_length(self) -> int:
        """Length of the key material, in bytes."""
        return SUITES[self].key_length

    @property
    def iv_length(self) -> int:
        """Length of the IV, in bytes."""
        return SUITES[self].iv_length

    @property
    def message_limit(self) -> int:
        """Maximum number of messages that one key version may encrypt with random IVs.

        The embedding service must count the messages, because this library keeps no state.
        """
        return SUITES[self].message_limit


class SuiteParameters(NamedTuple):
    """One row of the suite table."""

    key_length: int
    """Length of the key material, in bytes."""

    iv_length: int
    """Length of the IV, in bytes."""

    message_limit: int
    """Maximum number of messages per key version, with random IVs."""


_GCM_MESSAGE_LIMIT: Final = 2**32  # NIST SP 800-38D section 8.3, random 96-bit IVs
_XAES_MESSAGE_LIMIT: Final = 2**80  # C2SP XAES-256-GCM, random 192-bit nonces

SUITES: Final[Mapping[Suite, SuiteParameters]] = MappingProxyType(
    {
        Suite.AES_256_GCM: SuiteParameters(32, 12, _GCM_MESSAGE_LIMIT),
        Suite.AES_192_GCM: SuiteParameters(24, 12, _GCM_MESSAGE_LIMIT),
        Suite.AES_128_GCM: SuiteParameters(16, 12, _GCM_MESSAGE_LIMIT),
        Suite.SM4_GCM: SuiteParameters(16, 12, _GCM_MESSAGE_LIMIT),
        Suite.XAES_256_GCM: SuiteParameters(32, 24, _XAES_MESSAGE_LIMIT),
    }
)


class KeySpecParameters(NamedTuple):
    """One row of the key spec table. The row of SM2 has the default values: it has one curve."""

    suites: tuple[Suite, ...] = ()
    """Suites of a symmetric spec, the default suite first. Empty for an asymmetric spec."""

    modulus_bits: int | None = None
    """Modulus length of an RSA spec, in bits. `None` for other specs."""


KEY_SPECS: Final[Mapping[KeySpec, KeySpecParameters]] = MappingProxyType(
    {
        # XAES is the default, because plain GCM with random 96-bit IVs is limited to 2^32
        # messages. At 750 requests per second, the rate of the service, this is 66 days.
        KeySpec.AES_256: KeySpecParameters(suites=(Suite.XAES_256_GCM, Suite.AES_256_GCM)),
        KeySpec.AES_192: KeySpecParameters(suites=(Suite.AES_192_GCM,)),
        KeySpec.AES_128: KeySpecParameters(suites=(Suite.AES_128_GCM,)),
        KeySpec.SM4: KeySpecParameters(suites=(Suite.SM4_GCM,)),
        KeySpec.RSA_2048: KeySpecParameters(modulus_bits=2048),
        KeySpec.RSA_3072: KeySpecParameters(modulus_bits=3072),
        KeySpec.RSA_4096: KeySpecParameters(modulus_bits=4096),
        KeySpec.EC_SM2: KeySpecParameters(),
    }
)

RSA_SPECS: Final[Mapping[int, KeySpec]] = MappingProxyType(
    {row.modulus_bits: spec for spec, row in KEY_SPECS.items() if row.modulus_bits is not None}
)
"""RSA key specs by modulus length, in bits."""


class AlgorithmParameters(NamedTuple):
    """One row of the asymmetric algorithm table."""

    key_specs: tuple[KeySpec, ...]
    """Key specs that the algorithm accepts."""

    hash_name: str
    """Name of the hash of SM2, or of the hash of both OAEP and its MGF1."""


_RSA: Final = tuple(RSA_SPECS.values())

ENCRYPTION_ALGORITHMS: Final[Mapping[EncryptionAlgorithm, AlgorithmParameters]] = MappingProxyType(
    {
        EncryptionAlgorithm.RSAES_OAEP_SHA_256: AlgorithmParameters(_RSA, "sha256"),
        EncryptionAlgorithm.RSAES_OAEP_SHA_1: AlgorithmParameters(_RSA, "sha1"),
        EncryptionAlgorithm.SM2PKE: AlgorithmParameters((KeySpec.EC_SM2,), "sm3"),
    }
)
