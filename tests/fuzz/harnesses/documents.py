"""A harness of the documents of the emulator: seeds, properties of saved keys, access keys."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from fuzz.harness import Failed, Harness, as_text, outcome_of
from kmscore import Keyring, KeySpec, SymmetricKey
from kmscore.emulator.access_keys import AccessKeys
from kmscore.emulator.documents import add_seed, properties_text, saved_contents
from kmscore.emulator.json_fields import InvalidDocumentError
from kmscore.emulator.store import KeyStore

_NOW = datetime(2026, 11, 29, 8, tzinfo=UTC)
_KEYS = Keyring([SymmetricKey("orders", "v1", KeySpec.AES_256, bytes(range(32)))])
_MATERIAL = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def check_documents(data: bytes) -> None:
    """Read a document of each kind; the result is saved and read again."""
    kind, text = (data[0] if data else 0) % 3, as_text(data[1:])
    if kind == 0:
        _check_seed(text)
    elif kind == 1:
        contents = outcome_of(lambda: saved_contents(_KEYS, text, _NOW), InvalidDocumentError)
        if not isinstance(contents, Failed):
            written = properties_text(contents)
            assert properties_text(saved_contents(_KEYS, written, _NOW)) == written
    else:
        keys = outcome_of(lambda: AccessKeys.from_text(text), ValueError)
        assert isinstance(keys, Failed) or (keys.ids and all(keys.ids))


def _check_seed(text: str) -> None:
    # An RSA key without material would be generated, which takes a second.
    if "RSA" in text or "\\u" in text:
        return
    store = KeyStore(clock=lambda: _NOW)
    error = outcome_of(lambda: add_seed(store, text), InvalidDocumentError)
    if error is None:
        contents = store.contents()
        keyring = Keyring(
            [version for key in contents.keys.values() for version in key.versions],
            primary={key_id: key.primary.key_version_id for key_id, key in contents.keys.items()},
        )
        written = properties_text(contents)
        assert properties_text(saved_contents(keyring, written, _NOW)) == written


def _seeds() -> Iterator[bytes]:
    version = {"key_version_id": "v1", "material": _MATERIAL}
    full: dict[str, Any] = {
        "key_id": "orders",
        "spec": "Aliyun_AES_256",
        "state": "Disabled",
        "description": "d",
        "aliases": ["alias/orders"],
        "protection_level": "HSM",
        "creation_date": "2026-11-29T08:00:00Z",
        "versions": [{**version, "creation_date": "2026-11-29T08:00:00+08:00"}],
        "primary": "v1",
    }
    deleted = {"state": "PendingDeletion", "deletion_date": "2026-12-29T08:00:00Z"}
    choices: tuple[list[dict[str, Any]], ...] = (
        [{}],
        [full],
        [{"key_id": "a", **deleted}],
        [{"key_id": "a", "creation_date": "0001-01-01T00:00:00+23:59"}],
        [{"key_id": "a", "spec": "EC_SM2"}],
        [{"key_id": "a", "versions": [{**version, "suite": "AES_256_GCM"}]}],
    )
    for keys in choices:
        text = json.dumps({"keys": keys}, separators=(",", ":")).encode("ascii")
        yield b"\x00" + text
        yield b"\x01" + text
    saved = properties_text(saved_contents(_KEYS, None, _NOW))
    yield b"\x01" + saved.encode("ascii")
    yield b"\x02test:secret other:secret"


HARNESSES = {
    "emulator-documents": Harness(
        check_documents,
        _seeds,
        640,
        (
            b'"creation_date":"',
            b'"deletion_date":"',
            b"9999-12-31T23:59:59-23:59",
            b"T00:00:00Z",
            b"alias/",
            b"PendingDeletion",
            b"Enabled",
            b"null",
        ),
    )
}
