"""The tables of SPEC.md that the vectors are made from.

They are repeated here on purpose. If they came from an implementation, a wrong value in it would
also be in the vectors, and the vectors would not find it.
"""

from enum import Enum, StrEnum


class Suite(Enum):
    """An authenticated cipher of the v1 blob, by its suite ID (section 5.1)."""

    AES_256_GCM = 0x01
    AES_192_GCM = 0x02
    AES_128_GCM = 0x03
    SM4_GCM = 0x04
    XAES_256_GCM = 0x05


class KeySpec(StrEnum):
    """The algorithm and length of a key, in the spelling of the service."""

    AES_256 = "Aliyun_AES_256"
    AES_192 = "Aliyun_AES_192"
    AES_128 = "Aliyun_AES_128"
    SM4 = "Aliyun_SM4"
    RSA_2048 = "RSA_2048"
    RSA_3072 = "RSA_3072"
    RSA_4096 = "RSA_4096"
    EC_SM2 = "EC_SM2"


class KeyState(StrEnum):
    """The state of a key version; only `ENABLED` allows any use."""

    ENABLED = "Enabled"
    DISABLED = "Disabled"
    PENDING_DELETION = "PendingDeletion"
    PENDING_IMPORT = "PendingImport"


class EncryptionAlgorithm(StrEnum):
    """An asymmetric algorithm (sections 6 and 7)."""

    RSAES_OAEP_SHA_256 = "RSAES_OAEP_SHA_256"
    RSAES_OAEP_SHA_1 = "RSAES_OAEP_SHA_1"
    SM2PKE = "SM2PKE"


class ErrorCode(StrEnum):
    """The code of an error (section 9)."""

    INVALID_BLOB = "invalid_blob"
    INVALID_CONTEXT = "invalid_context"
    INVALID_KEY = "invalid_key"
    KEY_NOT_FOUND = "key_not_found"
    KEY_VERSION_NOT_FOUND = "key_version_not_found"
    KEY_STATE = "key_state"
    KEY_USAGE = "key_usage"
    INCORRECT_KEY = "incorrect_key"
    UNSUPPORTED_ALGORITHM = "unsupported_algorithm"
    PLAINTEXT_SIZE = "plaintext_size"
    DECRYPTION = "decryption"


class Severity(StrEnum):
    """The ground of a test: the standard of an algorithm, a stricter rule, or a policy."""

    STANDARD = "standard"
    STRICT = "strict"
    POLICY = "policy"
