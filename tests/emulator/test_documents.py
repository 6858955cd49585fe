"""The documents: seeds with keys, and the properties of saved keys."""

import json
from typing import Any

import pytest
from support.emulated_kms import NOW, Clock, Emulated

from kmscore import Keyring, KeySpec, KeyState, RsaKey, Suite, SymmetricKey
from kmscore.emulator import (
    Contents,
    InvalidDocumentError,
    KeyStore,
    add_seed,
    properties_text,
    saved_contents,
)

MATERIAL = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
VERSION = "86a9efd9-3d16-4894-bd4f-1fc43f3f2abf"
RSA = RsaKey.generate(KeySpec.RSA_2048, key_id="rsa", key_version_id="r1")
SEED: dict[str, Any] = {
    "keys": [
        {
            "key_id": "orders",
            "spec": "Aliyun_AES_256",
            "state": "Disabled",
            "description": "all orders",
            "aliases": ["alias/orders", "alias/current"],
            "protection_level": "HSM",
            "creation_date": "2026-01-02T03:04:05+01:00",
            "versions": [
                {
                    "key_version_id": VERSION,
                    "material": MATERIAL,
                    "suite": "AES_256_GCM",
                    "creation_date": "2026-02-03T04:05:06Z",
                },
                {"key_version_id": "new"},
            ],
            "primary": VERSION,
        },
        {
            "key_id": "rsa",
            "spec": "RSA_2048",
            "state": "PendingDeletion",
            "deletion_date": "2026-12-24T00:00:00Z",
            "versions": [{"key_version_id": "r1", "material": RSA.private_pem().decode()}],
        },
        {},
        {"key_id": "sm2", "spec": "EC_SM2", "state": "PendingImport"},
    ]
}


def store_of(document: Any) -> KeyStore:
    """Return a store with the keys of a seed."""
    store = KeyStore(has_plain_gcm=True, clock=Clock())
    add_seed(store, document if isinstance(document, str) else json.dumps(document))
    return store


def test_a_seed_has_keys_versions_states_aliases_and_material() -> None:
    """A missing field has its default, and missing material is random."""
    store = store_of(SEED)
    contents = store.contents()
    orders, rsa, random, sm2 = contents.keys.values()
    version = store.primary("orders")
    assert isinstance(version, SymmetricKey)
    assert version.export_material() == bytes(range(32))
    assert (version.key_version_id, version.suite) == (VERSION, Suite.AES_256_GCM)
    assert (orders.description, orders.protection_level) == ("all orders", "HSM")
    assert [each.state for each in orders.versions] == [KeyState.DISABLED] * 2
    assert contents.aliases_of("orders") == ["alias/orders", "alias/current"]
    assert orders.creation_date.isoformat() == "2026-01-02T02:04:05+00:00"
    assert orders.date_of(version).isoformat() == "2026-02-03T04:05:06+00:00"
    assert orders.date_of(orders.versions[1]) == orders.creation_date
    assert rsa.primary.spec is KeySpec.RSA_2048
    assert str(rsa.deletion_date) == "2026-12-24 00:00:00+00:00"
    assert isinstance(rsa.primary, RsaKey)
    assert rsa.primary.private_pem() == RSA.private_pem()
    assert (random.spec, random.state) == (KeySpec.AES_256, KeyState.ENABLED)
    assert isinstance(random.primary, SymmetricKey)
    assert random.primary.suite is Suite.AES_256_GCM
    assert random.creation_date == NOW.replace(microsecond=0)
    assert (sm2.spec, sm2.state) == (KeySpec.EC_SM2, KeyState.PENDING_IMPORT)


def test_a_key_of_the_store_is_not_replaced_by_a_seed() -> None:
    """A seed can be used again at the next start."""
    store = store_of(SEED)
    before = store.primary("orders")
    add_seed(store, json.dumps(SEED))
    assert store.primary("orders") is before


KEY: dict[str, Any] = {"key_id": "a"}
BAD: dict[str, tuple[Any, str]] = {
    "no JSON": ('{"keys": [\n  {},\n  x]}', "seed: not JSON, see line 3, column 3"),
    "a number of 5,000 digits": ("1" * 5000, "seed: not a JSON object"),
    "deep JSON": ("[" * 100_000, "seed: not a JSON object"),
    "a list": ("[]", "seed: not an object"),
    "null": ("null", "seed: not a JSON object"),
    "a name twice": ('{"keys": [], "keys": []}', "a name occurs twice"),
    "another name": ({"keys": [], "key": []}, "seed: 'key' is not a known name"),
    "no list": ({"keys": {}}, "seed: keys is not a list"),
    "a text as key": ({"keys": ["orders"]}, "seed: keys 1: not an object"),
    "another name of a key": ({"keys": [KEY | {"id": 1}]}, "seed: keys 1: 'id' is not a known"),
    "a number as ID": ({"keys": [{"key_id": 1}]}, "seed: keys 1: key_id is not a text"),
    "an invalid ID": ({"keys": [{"key_id": "a b"}]}, "seed: keys 1: "),
    "an unknown spec": ({"keys": [{}, KEY | {"spec": "AES"}]}, "seed: keys 2: unknown KeySpec"),
    "an unknown state": ({"keys": [KEY | {"state": "enabled"}]}, "seed: keys 1: unknown KeyState"),
    "an unknown level": (
        {"keys": [KEY | {"protection_level": "X"}]},
        "seed: keys 1: protection_level is not valid",
    ),
    "a long description": (
        {"keys": [KEY | {"description": "x" * 8193}]},
        "seed: keys 1: description is not valid",
    ),
    "an alias without prefix": ({"keys": [KEY | {"aliases": ["a"]}]}, "seed: keys 1: aliases has"),
    "a key twice": ({"keys": [KEY, {}, KEY]}, "seed: keys 3: a occurs twice"),
    "an alias of two keys": (
        {"keys": [KEY | {"aliases": ["alias/a"]}, {"aliases": ["alias/a"]}]},
        "seed: keys 2: another key has alias/a",
    ),
    "a number as alias": ({"keys": [KEY | {"aliases": [1]}]}, "seed: keys 1: aliases has"),
    "a date without a zone": (
        {"keys": [KEY | {"creation_date": "2026-11-29"}]},
        "seed: keys 1: creation_date is not a date",
    ),
    **{
        f"a date out of range in UTC, {date[:4]}": (
            {"keys": [KEY | {"creation_date": date}]},
            "seed: keys 1: creation_date is not a date",
        )
        for date in ("0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01")
    },
    "no date": (
        {"keys": [KEY | {"deletion_date": "soon"}]},
        "seed: keys 1: deletion_date is not a date",
    ),
    "a date that is none in UTC": (
        {"keys": [KEY | {"creation_date": "0001-01-01T00:00:00+01:00"}]},
        "seed: keys 1: creation_date is not a date",
    ),
    "a date for an enabled key": (
        {"keys": [KEY | {"deletion_date": "2026-12-24T00:00:00Z"}]},
        "seed: keys 1: deletion_date needs the state PendingDeletion",
    ),
    "a description that XML lacks": (
        {"keys": [KEY | {"description": "\ud800"}]},
        "seed: keys 1: description is not valid",
    ),
    "an unknown primary version": ({"keys": [KEY | {"primary": "x"}]}, "seed: keys 1: primary is"),
    **{
        name: ({"keys": [KEY | {"versions": [version]} | more]}, f"seed: keys 1: {message}")
        for name, version, more, message in (
            (
                "another name of a version",
                {"id": 1},
                {},
                "versions 1: 'id' is not a known name",
            ),
            ("an unknown suite", {"suite": "GCM"}, {}, "versions 1: suite is not one of"),
            (
                "a suite of an asymmetric key",
                {"suite": "AES_256_GCM"},
                {"spec": "EC_SM2"},
                "versions 1: EC_SM2 takes no suite",
            ),
            ("a suite of another spec", {"suite": "SM4_GCM"}, {}, ""),
            (
                "material without an ID",
                {"material": MATERIAL},
                {},
                "versions 1: material needs key_id and key_version_id",
            ),
            (
                "material that is not Base64",
                {"material": "secret material", "key_version_id": "1"},
                {},
                "versions 1: material is not Base64",
            ),
            ("short material", {"material": "AAAA", "key_version_id": "1"}, {}, ""),
            (
                "PEM of another spec",
                {"material": RSA.private_pem().decode(), "key_version_id": "1"},
                {"spec": "RSA_3072"},
                "versions 1: the material is of RSA_2048",
            ),
            (
                "PEM that is not UTF-8",
                {"material": "\ud800", "key_version_id": "1"},
                {"spec": "RSA_2048"},
                "",
            ),
            (
                "no PEM",
                {"material": "secret material", "key_version_id": "1"},
                {"spec": "RSA_2048"},
                "",
            ),
        )
    },
}


@pytest.mark.parametrize("what", BAD)
def test_an_invalid_seed_is_rejected(what: str) -> None:
    """The message names the place, and has no material."""
    document, message = BAD[what]
    with pytest.raises(InvalidDocumentError) as caught:
        store_of(document)
    assert message in str(caught.value)
    for secret in ("secret", MATERIAL, "MII"):
        assert secret not in str(caught.value)


def test_contents_survive_their_two_documents() -> None:
    """The keyring and the properties together have everything."""
    kms = Emulated()
    add_seed(kms.store, json.dumps(SEED))
    kms.clock.advance(days=1)
    kms.body("CreateKeyVersion", KeyId=kms.body("CreateKey")["KeyMetadata"]["KeyId"])
    kms.body("CreateKey", Description="last")
    before = kms.store.contents()
    after = saved_contents(before.keyring(), properties_text(before), NOW)
    assert [description(key) for key in after.keys.values()] == [
        description(key) for key in before.keys.values()
    ]
    assert after.aliases == before.aliases


@pytest.mark.parametrize("date", ["0001-01-01T00:00:00Z", "0999-12-31T23:59:59Z"])
def test_a_year_is_saved_with_four_digits(date: str) -> None:
    """A date that a seed can have can be read again."""
    saved = properties_text(store_of({"keys": [KEY | {"creation_date": date}]}).contents())
    assert json.loads(saved)["keys"][0]["creation_date"] == date


def description(key: Any) -> tuple[Any, ...]:
    """Return everything that a stored key has."""
    return (
        key.versions,
        key.primary,
        [key.date_of(version) for version in key.versions],
        *(key.creation_date, key.description, key.protection_level, key.deletion_date),
    )


def test_a_year_has_four_digits() -> None:
    """The next start reads every date that was saved."""
    store = store_of({"keys": [{"key_id": "a", "creation_date": "0999-01-01T00:00:00Z"}]})
    contents = store.contents()
    assert '"creation_date": "0999-01-01T00:00:00Z"' in properties_text(contents)
    after = saved_contents(contents.keyring(), properties_text(contents), NOW)
    assert after.find("a").creation_date == contents.find("a").creation_date


def test_an_enabled_key_has_no_deletion_date() -> None:
    """A server that is killed during CancelKeyDeletion leaves the date in the properties."""
    kms = Emulated()
    key_id = kms.store.create_key()
    kms.body("ScheduleKeyDeletion", KeyId=key_id, PendingWindowInDays="7")
    properties = properties_text(kms.store.contents())
    assert "2026-12-06" in properties
    kms.body("CancelKeyDeletion", KeyId=key_id)
    keyring = kms.store.contents().keyring()
    assert saved_contents(keyring, properties, NOW).find(key_id).deletion_date is None


def test_properties_have_no_material() -> None:
    """The document can be read by others."""
    text = properties_text(store_of(SEED).contents())
    assert MATERIAL not in text
    assert "PRIVATE" not in text


def test_a_keyring_without_properties_has_defaults() -> None:
    """Such a file comes from the other commands."""
    version = SymmetricKey.generate(KeySpec.AES_256, key_id="a")
    key = saved_contents(Keyring([version]), None, NOW).find("a")
    assert description(key) == ((version,), version, [NOW], NOW, "", "SOFTWARE", None)


def test_properties_of_a_key_that_is_gone_are_ignored() -> None:
    """The keyring is saved first, so that a killed server can leave them."""
    text = properties_text(store_of(SEED).contents())
    assert saved_contents(Keyring([]), text, NOW).keys == {}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("[]", "properties: not an object"),
        ('{"keys": [{}]}', "properties: keys 1: key_id is missing"),
        ('{"keys": [{"key_id": "a", "x": 1}]}', "properties: keys 1: 'x' is not a known"),
        (
            '{"keys": [{"key_id": "a", "versions": [{"creation_date": "2026-01-01T00:00:00Z"}]}]}',
            "properties: keys 1: versions 1: key_version_id is missing",
        ),
        (
            '{"keys": [{"key_id": "a", "versions": [{"key_version_id": "1", "material": ""}]}]}',
            "properties: keys 1: versions 1: 'material' is not a known",
        ),
    ],
)
def test_invalid_properties_are_rejected(document: str, message: str) -> None:
    """A server does not start with a part of its saved keys."""
    keyring = Keyring([SymmetricKey.generate(KeySpec.AES_256, key_id="a")])
    with pytest.raises(InvalidDocumentError, match=message):
        saved_contents(keyring, document, NOW)


def test_a_version_without_a_date_has_that_of_its_key() -> None:
    """The dates of versions can be missing."""
    version = SymmetricKey.generate(KeySpec.AES_256, key_id="a", key_version_id="1")
    text = '{"keys": [{"key_id": "a", "versions": [{"key_version_id": "1"}]}]}'
    assert saved_contents(Keyring([version]), text, NOW).find("a").date_of(version) == NOW
    assert Contents().keyring() is not None
