"""The encryption context: published canonical bytes, and ciphertexts bound to them."""

import json
from collections.abc import Callable

import pytest
from support.transcribed_vectors import CONTEXT_CASES, ContextCase

from kmscore import EncryptionContext, Keyring, KeySpec, Suite, SymmetricKey, decrypt, encrypt
from kmscore.aead import sealer

Count = Callable[[str, int], None]


@pytest.mark.parametrize("case", CONTEXT_CASES, ids=lambda case: case.name)
def test_a_published_context_has_the_published_bytes(
    case: ContextCase, count_known_answers: Count
) -> None:
    """The canonical bytes are those of the AWS Encryption SDK."""
    assert EncryptionContext(case.context).canonical == case.canonical
    count_known_answers("AWS Encryption SDK, serialised contexts", 1)


@pytest.mark.parametrize("case", CONTEXT_CASES, ids=lambda case: case.name)
def test_a_published_context_has_the_same_bytes_in_any_form(case: ContextCase) -> None:
    """Another order of the pairs and the JSON forms with and without escapes give equal bytes."""
    backwards = dict(reversed(case.context.items()))
    assert EncryptionContext(backwards).canonical == case.canonical
    for text in (json.dumps(case.context), json.dumps(case.context, ensure_ascii=False, indent=1)):
        assert EncryptionContext.from_json(text).canonical == case.canonical


@pytest.mark.parametrize("case", CONTEXT_CASES, ids=lambda case: case.name)
def test_a_blob_is_bound_to_the_published_bytes(case: ContextCase) -> None:
    """The associated data of a blob is its header followed by exactly the published bytes."""
    key = SymmetricKey("key", "1", KeySpec.AES_256, bytes(32), suite=Suite.AES_256_GCM)
    keys = Keyring([key])
    header = b"KMS\x01\x01\x03key\x011"
    blob = encrypt(keys, "key", b"plaintext", case.context).ciphertext_blob
    iv, sealed = blob[len(header) :][:12], blob[len(header) :][12:]
    gcm = sealer(Suite.AES_256_GCM, bytes(32))
    assert gcm.open(iv, sealed, header + case.canonical) == b"plaintext"
    made = header + iv + gcm.seal(iv, b"another", header + case.canonical)
    assert decrypt(keys, made, case.context).plaintext == b"another"
