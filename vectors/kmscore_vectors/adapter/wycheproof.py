"""Answer the questions of the files in the form of Project Wycheproof with the library.

Their associated data is any byte string, so XAES-256-GCM is called below the level of blobs, with
the checks of lengths that keys and blobs make.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from cryptography.exceptions import InvalidTag

from kmscore import (
    Key,
    Keyring,
    KeySpec,
    KeyState,
    Suite,
    SymmetricKey,
    asymmetric_decrypt,
    sm2,
)
from kmscore import aead as ciphers
from kmscore.algorithms import EncryptionAlgorithm
from kmscore.errors import DecryptionError, InvalidBlobError, KmsCoreError
from kmscore_vectors.adapter.formats import Answer, Fields

P = ParamSpec("P")


def _with_one_error(operation: Callable[P, Answer]) -> Callable[P, Answer]:
    """Return an operation that fails with `DecryptionError` only, as these files ask for."""

    @wraps(operation)
    def answer(*args: P.args, **kwargs: P.kwargs) -> Answer:
        try:
            return operation(*args, **kwargs)
        except (KmsCoreError, InvalidTag):
            raise DecryptionError from None

    return answer


@_with_one_error
def xaes_256_gcm_open(fields: Fields) -> Answer:
    """Return the message of a ciphertext with its tag."""
    iv, aad, ct, tag = (bytes.fromhex(fields[name]) for name in ("iv", "aad", "ct", "tag"))
    return {"msg": _sealer(fields).open(iv, ct + tag, aad).hex()}


@_with_one_error
def xaes_256_gcm_seal(fields: Fields) -> Answer:
    """Return the ciphertext and the tag of a message."""
    iv, aad, message = (bytes.fromhex(fields[name]) for name in ("iv", "aad", "msg"))
    sealed = _sealer(fields).seal(iv, message, aad)
    return {"ct": sealed[:-16].hex(), "tag": sealed[-16:].hex()}


def _sealer(fields: Fields) -> ciphers.Sealer:
    """Return the cipher under the key, or raise an error for a wrong length of key or nonce."""
    suite, material = Suite.XAES_256_GCM, bytes.fromhex(fields["key"])
    SymmetricKey("key", "1", KeySpec.AES_256, material, suite=suite)
    if len(fields["iv"]) != 2 * suite.iv_length:
        raise InvalidBlobError("the nonce has another length than 24 bytes")
    return ciphers.sealer(suite, material)


@_with_one_error
def sm2_decrypt(make_key: Callable[[Fields], Key], fields: Fields) -> Answer:
    """Return the message of a ciphertext in a named encoding."""
    names = {"key_id": "key", "key_version_id": "1", "state": KeyState.ENABLED}
    material = {"key_spec": KeySpec.EC_SM2, "private_key": fields["privateKeyPkcs8"]}
    keys = Keyring([make_key(names | material)])
    ciphertext = bytes.fromhex(fields["ct"])
    # The first byte decides on the encoding in the library, so the named one is checked first.
    converted = sm2.convert(ciphertext, fields["encoding"], sm2.Sm2Encoding.C1C3C2)
    algorithm = EncryptionAlgorithm.SM2PKE
    result = asymmetric_decrypt(keys, "key", "1", algorithm, converted)
    return {"msg": result.plaintext.hex()}
