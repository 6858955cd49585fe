"""The closed vocabularies: key specs, key states, suites, asymmetric algorithms.

Each enum has one frozen table of parameters. An unknown value is an error when the enum is
looked up, so no code above this module ever needs a default branch.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple, Never, Self, cast

from kmscore._typecheck import check_text
from kmscore.errors import UnsupportedAlgorithmError

MAX_PLAINTEXT_LENGTH: Final = 6144
"""Longest plaintext of one operation, in bytes (the service's 6 KB)."""

MAX_DATA_KEY_LENGTH: Final = 1024
"""Longest data key, in bytes."""

DEFAULT_DATA_KEY_LENGTH: Final = 32
"""Length of a data key, in bytes, unless another is asked for."""

TAG_LENGTH: Final = 16
"""Authentication tag of every suite, in bytes."""


def _refuse(vocabulary: type[Enum], value: object, due: type) -> Never:
    """Raise the error for an unknown value of a vocabulary.

    The message does not quote the value, because a key can be given in the wrong place by mistake.
    """
    if not isinstance(value, due) or isinstance(value, bool):
        raise TypeError(f"{vocabulary.__name__} must be {due.__name__}, not {type(value).__name__}")
    allowed = ", ".join(str(member.value) for member in vocabulary)
    raise UnsupportedAlgorithmError(f"unknown {vocabulary.__name__}: not one of {allowed}")


class Vocabulary(StrEnum):
    """A closed set of names; looking up an unknown one is an error."""

    @classmethod
    def of(cls, value: str, name: str) -> Self:
        """Return the member that `value` is or names.

        The enum's own look-up would quote the value in an error that stays behind as the context,
        and what stands in the wrong place may be key material.

        Raises `TypeError` unless the argument `name` is a `str`, and `UnsupportedAlgorithmError`.
        """
        if type(value) is cls:
            return value
        check_text(value, name)
        member = cls._value2member_map_.get(value)
        if member is None:
            _refuse(cls, value, str)
        return cast("Self", member)

    @classmethod
    def _missing_(cls, value: object) -> Never:
        _refuse(cls, value, str)


class KeySpec(Vocabulary):
    """What a key is made of."""

    AES_256 = "Aliyun_AES_256"
    AES_192 = "Aliyun_AES_192"
    AES_128 = "Aliyun_AES_128"
    SM4 = "Aliyun_SM4"
    RSA_2048 = "RSA_2048"
    RSA_3072 = "RSA_3072"
    RSA_4096 = "RSA_4096"
    EC_SM2 = "EC_SM2"


class KeyState(Vocabulary):
    """Whether a key may be used: only `ENABLED` allows any use."""

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
    """An authenticated cipher of the v1 ciphertext blob; the value is the suite ID on the wire."""

    AES_256_GCM = 0x01
    AES_192_GCM = 0x02
    AES_128_GCM = 0x03
    SM4_GCM = 0x04
    XAES_256_GCM = 0x05

    @classmethod
    def _missing_(cls, value: object) -> Never:
        _refuse(cls, value, int)

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
        """How many messages one key version may seal with random IVs.

        A library without state cannot count them: the embedding service has to.
        """
        return SUITES[self].message_limit


class SuiteParameters(NamedTuple):
    """One row of the suite table: lengths in bytes, messages per key version."""

    key_length: int
    iv_length: int
    message_limit: int


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
    """One row of the key spec table.

    A symmetric spec has suites, its default first; an RSA spec has a modulus length in bits;
    SM2, with its one curve, has neither.
    """

    suites: tuple[Suite, ...] = ()
    modulus_bits: int | None = None


KEY_SPECS: Final[Mapping[KeySpec, KeySpecParameters]] = MappingProxyType(
    {
        # XAES first: at the service's own 750 requests a second, random 96-bit IVs would spend
        # the 2^32 messages of plain GCM within 66 days.
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
"""RSA key specs by modulus length in bits."""


class AlgorithmParameters(NamedTuple):
    """One row of the asymmetric algorithm table: the key specs it fits, its hash by name.

    The hash is that of OAEP and of its MGF1 alike, or that of SM2.
    """

    key_specs: tuple[KeySpec, ...]
    hash_name: str


_RSA: Final = tuple(RSA_SPECS.values())

ENCRYPTION_ALGORITHMS: Final[Mapping[EncryptionAlgorithm, AlgorithmParameters]] = MappingProxyType(
    {
        EncryptionAlgorithm.RSAES_OAEP_SHA_256: AlgorithmParameters(_RSA, "sha256"),
        EncryptionAlgorithm.RSAES_OAEP_SHA_1: AlgorithmParameters(_RSA, "sha1"),
        EncryptionAlgorithm.SM2PKE: AlgorithmParameters((KeySpec.EC_SM2,), "sm3"),
    }
)
