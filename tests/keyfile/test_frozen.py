"""The format of a sealed keyring, checked with a constant file."""

import base64
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from support.keyfile_writer import content, entry, remembered, version, write

from kmscore import Keyring, KeySpec, KeyState, RsaKey, Sm2Key, Suite, SymmetricKey
from kmscore.keyfile import ScryptParameters, open_keyring, read_parameters, seal_keyring
from kmscore.keys import Key

# Its keys and its passphrase are published test values.
FROZEN: Mapping[str, Any] = json.loads(
    Path(__file__).with_name("format_02_test_keys.json").read_text("utf-8")
)
PASSPHRASE = FROZEN["passphrase"].encode()
SEALED = bytes.fromhex(FROZEN["sealed_keyring"])
COST = (FROZEN["log_n"], FROZEN["r"], FROZEN["p"])

# The codes of the format, from its description.
SPECS = {
    "AES_256": 1,
    "AES_192": 2,
    "AES_128": 3,
    "SM4": 4,
    "RSA_2048": 5,
    "RSA_3072": 6,
    "RSA_4096": 7,
    "EC_SM2": 8,
}
STATES = {"ENABLED": 1, "DISABLED": 2, "PENDING_DELETION": 3, "PENDING_IMPORT": 4}
SUITES = {
    None: 0,
    "AES_256_GCM": 1,
    "AES_192_GCM": 2,
    "AES_128_GCM": 3,
    "SM4_GCM": 4,
    "XAES_256_GCM": 5,
}


@pytest.fixture(autouse=True)
def _remember_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the KDF once for all tests."""
    monkeypatch.setattr("kmscore.keyfile.sealing.derive_key", remembered)


@pytest.fixture(scope="module")
def opened() -> Keyring:
    """Return the keyring in the file."""
    return open_keyring(SEALED, PASSPHRASE)


def described() -> Iterator[tuple[Any, ...]]:
    """Yield the expected properties of the key versions."""
    for key in FROZEN["keys"]:
        for item in key["versions"]:
            yield (
                key["key_id"],
                item["key_version_id"],
                KeySpec[key["spec"]],
                KeyState[item["state"]],
                item["suite"] and Suite[item["suite"]],
                item["material"],
                item["key_version_id"] == key["primary"],
            )


def material(key: Key) -> str:
    """Return the raw material, or the DER of PKCS#8, in hexadecimal."""
    if isinstance(key, SymmetricKey):
        return key.export_material().hex()
    first, *lines, last = key.private_pem().splitlines()
    assert (first, last) == (b"-----BEGIN PRIVATE KEY-----", b"-----END PRIVATE KEY-----")
    return base64.b64decode(b"".join(lines)).hex()


def test_the_frozen_keyring_opens(opened: Keyring) -> None:
    """Each key version has its IDs, spec, state, suite and material; the primary is right."""
    assert [
        (
            key.key_id,
            key.key_version_id,
            key.spec,
            key.state,
            key.suite if isinstance(key, SymmetricKey) else None,
            material(key),
            opened.primary(key.key_id) is key,
        )
        for key in opened
    ] == list(described())


def test_the_frozen_keyring_has_every_code(opened: Keyring) -> None:
    """All specs, states and suites occur, and all keys are test keys."""
    assert {key.spec for key in opened} == set(KeySpec)
    assert {key.state for key in opened} == set(KeyState)
    assert {key.suite for key in opened if isinstance(key, SymmetricKey)} == set(Suite)
    assert {type(key) for key in opened} == {SymmetricKey, RsaKey, Sm2Key}
    assert all(key.key_id.startswith("test-key-") for key in opened)


def test_the_frozen_keyring_is_reproduced(opened: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same salt and IV, sealing gives the same bytes."""
    drawn = [bytes.fromhex(FROZEN["salt"]), bytes.fromhex(FROZEN["iv"])]

    def draw(length: int) -> bytes:
        assert length == len(drawn[0])
        return drawn.pop(0)

    monkeypatch.setattr(os, "urandom", draw)
    cost = read_parameters(SEALED)
    assert cost == ScryptParameters(1 << COST[0], *COST[1:])
    assert seal_keyring(opened, PASSPHRASE, parameters=cost) == SEALED
    assert drawn == []


def test_the_frozen_keyring_follows_the_description() -> None:
    """A second writer computes all values of the file from passphrase, salt, IV and keys."""
    inside = content(
        *(
            entry(
                SPECS[key["spec"]],
                *(
                    version(
                        item["key_version_id"].encode(),
                        bytes.fromhex(item["material"]),
                        STATES[item["state"]],
                        SUITES[item["suite"]],
                    )
                    for item in key["versions"]
                ),
                key_id=key["key_id"].encode(),
                primary=[item["key_version_id"] for item in key["versions"]].index(key["primary"]),
            )
            for key in FROZEN["keys"]
        )
    )
    salt, iv = bytes.fromhex(FROZEN["salt"]), bytes.fromhex(FROZEN["iv"])
    written = write(inside, COST, passphrase=PASSPHRASE, salt=salt, iv=iv)
    assert inside.hex() == FROZEN["content"]
    assert written.header.hex() == FROZEN["header"]
    assert written.k.hex() == FROZEN["k"]
    assert written.commitment.hex() == FROZEN["commitment"]
    assert written.data == SEALED
