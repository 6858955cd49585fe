"""The cryptographic engine of a cloud KMS: encrypt, decrypt and re-encrypt ciphertexts.

Keys and bytes go in, bytes come out. The package has no server, clock, socket, thread or logging,
and keeps no state between calls.
"""

from kmscore import sm2
from kmscore.algorithms import EncryptionAlgorithm, KeySpec, KeyState, Suite
from kmscore.blob import BlobField, CiphertextBlob
from kmscore.context import EncryptionContext
from kmscore.data_keys import (
    DataKeyResult,
    ExportResult,
    export_data_key,
    generate_and_export_data_key,
    generate_data_key,
    generate_data_key_without_plaintext,
)
from kmscore.errors import (
    DecryptionError,
    IncorrectKeyError,
    InvalidBlobError,
    InvalidContextError,
    InvalidKeyError,
    KeyNotFoundError,
    KeyStateError,
    KeyUsageError,
    KeyVersionNotFoundError,
    KmsCoreError,
    PlaintextSizeError,
    UnsupportedAlgorithmError,
)
from kmscore.keyring import KeyProvider, Keyring
from kmscore.keys import Key, PublicKey, RsaKey, Sm2Key, SymmetricKey
from kmscore.operations import (
    DecryptResult,
    EncryptResult,
    asymmetric_decrypt,
    asymmetric_encrypt,
    decrypt,
    encrypt,
)
from kmscore.reencryption import ReEncryptResult, reencrypt

__version__ = "0.1.0"

__all__ = [
    "BlobField",
    "CiphertextBlob",
    "DataKeyResult",
    "DecryptResult",
    "DecryptionError",
    "EncryptResult",
    "EncryptionAlgorithm",
    "EncryptionContext",
    "ExportResult",
    "IncorrectKeyError",
    "InvalidBlobError",
    "InvalidContextError",
    "InvalidKeyError",
    "Key",
    "KeyNotFoundError",
    "KeyProvider",
    "KeySpec",
    "KeyState",
    "KeyStateError",
    "KeyUsageError",
    "KeyVersionNotFoundError",
    "Keyring",
    "KmsCoreError",
    "PlaintextSizeError",
    "PublicKey",
    "ReEncryptResult",
    "RsaKey",
    "Sm2Key",
    "Suite",
    "SymmetricKey",
    "UnsupportedAlgorithmError",
    "__version__",
    "asymmetric_decrypt",
    "asymmetric_encrypt",
    "decrypt",
    "encrypt",
    "export_data_key",
    "generate_and_export_data_key",
    "generate_data_key",
    "generate_data_key_without_plaintext",
    "reencrypt",
    "sm2",
]
