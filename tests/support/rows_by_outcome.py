"""Typical rows of a job: good rows of several keys, and one row of each kind that fails."""

from typing import NamedTuple

import kmscore
from kmscore import CiphertextBlob, Keyring, KeyState, Suite
from support.strategies import flip_last_bit, symmetric_key

OLD = symmetric_key(Suite.AES_256_GCM, "orders", "v1")
NEW = symmetric_key(Suite.XAES_256_GCM, "orders", "v2")
OTHER = symmetric_key(Suite.SM4_GCM, "other", "1")
DISABLED = symmetric_key(Suite.AES_128_GCM, "disabled", "1", state=KeyState.DISABLED)
RING = Keyring([OLD, OTHER, DISABLED, NEW])

FULL = {"tenant": "acme", "region": "eu"}
PART = {"tenant": "ümlaut"}


class Row(NamedTuple):
    """A row of a table, and its expected status and error."""

    name: str
    blob: bytes | None
    context: dict[str, str] | None
    status: str | None
    error: str | None = None


def seal(key: kmscore.SymmetricKey, context: dict[str, str] | None = None) -> bytes:
    """Return a blob of a key, also of one that is not enabled."""
    enabled = kmscore.SymmetricKey(
        key.key_id, key.key_version_id, key.spec, key.export_material(), suite=key.suite
    )
    return kmscore.encrypt(Keyring([enabled]), key.key_id, b"text", context).ciphertext_blob


def text_of(blob: bytes, context: dict[str, str] | None) -> bytes:
    """Return the plaintext of a blob, which must be under the destination version."""
    assert CiphertextBlob.parse(blob).key_version_id == "v2"
    return kmscore.decrypt(RING, blob, context).plaintext


def rows_by_outcome() -> list[Row]:
    """Return the rows with new blobs."""
    good = seal(OLD, FULL)
    foreign = symmetric_key(Suite.AES_256_GCM, "foreign", "1")
    lost = symmetric_key(Suite.AES_256_GCM, "orders", "v0")
    return [
        Row("old", good, FULL, "rewritten"),
        Row("part of a context", seal(OLD, PART), PART, "rewritten"),
        Row("damaged", flip_last_bit(good), FULL, "failed", "decryption"),
        Row("no context", seal(OLD), None, "rewritten"),
        Row("null", None, FULL, None),
        Row("other key", seal(OTHER, FULL), FULL, "rewritten"),
        Row("current", seal(NEW, FULL), FULL, "unchanged"),
        Row("cut off", good[:20], FULL, "failed", "invalid_blob"),
        Row("empty", b"", None, "failed", "invalid_blob"),
        Row("foreign", seal(foreign), None, "failed", "key_not_found"),
        Row("lost version", seal(lost), None, "failed", "key_version_not_found"),
        Row("disabled", seal(DISABLED, PART), PART, "failed", "key_state"),
        Row("wrong context", seal(OLD, FULL), PART, "failed", "decryption"),
        Row("context left out", seal(NEW, PART), None, "failed", "decryption"),
    ]
