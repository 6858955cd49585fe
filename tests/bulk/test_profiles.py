"""Jobs with blobs of the service: conversion to v1 and back, second runs, versions, rejections."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kmscore
from kmscore import Keyring, KeySpec, RsaKey, Suite, SymmetricKey, alibaba, bulk
from kmscore.alibaba import Payload, Profile, VersionIndex
from kmscore.bulk import KEEP_CONTEXT, Item, Status, reencrypt_many

OLD, NEW, LATER = (
    SymmetricKey.generate(
        KeySpec.AES_256,
        key_id="orders",
        key_version_id=f"86a9efd9-3d16-4894-bd4f-1fc43f3f2a0{number}",
        suite=Suite.AES_256_GCM,
    )
    for number in range(3)
)
XAES = SymmetricKey.generate(KeySpec.AES_256, key_id="xaes")
RSA = RsaKey.generate(KeySpec.RSA_2048, key_id="rsa", key_version_id="r1")
BEFORE = VersionIndex(Keyring([OLD]))
KEYS = VersionIndex(Keyring([OLD, NEW, XAES, RSA]))
CONTEXT = {"tenant": "acme"}
RAW = Profile(payload=Payload.RAW)
PROFILES = {
    "v1": Profile.V1,
    "v1-text": Profile.V1_TEXT,
    "alibaba": Profile.ALIBABA,
    "alibaba-raw": RAW,
}


def seal(
    profile: Profile, plaintext: bytes = b"text", context: Any = CONTEXT, keys: Any = BEFORE
) -> bytes:
    """Return a blob of the old version in the layout of a profile."""
    return alibaba.encrypt(keys, "orders", plaintext, context, profile=profile).ciphertext_blob


def outcomes(blobs: list[bytes], source: Any, destination: Any, **options: Any) -> list[Any]:
    """Return the outcomes of a job; every item has the context."""
    items = [Item(number, blob, CONTEXT) for number, blob in enumerate(blobs)]
    keys = options.pop("keys", KEYS)
    return list(
        reencrypt_many(
            *(keys, items, options.pop("key_id", "orders")),
            source_profile=source,
            destination_profile=destination,
            **options,
        )
    )


@pytest.mark.parametrize("source", PROFILES)
@pytest.mark.parametrize("destination", PROFILES)
def test_every_profile_is_converted_to_every_profile(source: str, destination: str) -> None:
    """The result is that of `alibaba.reencrypt`, and a second run changes nothing."""
    there, here = PROFILES[destination], PROFILES[source]
    if here.is_v1 == there.is_v1 and here.payload is not there.payload:
        # A result and a source look the same, so a second run would change the plaintext.
        with pytest.raises(ValueError, match="one layout and two payloads"):
            outcomes([], here, there)
        return
    (outcome,) = outcomes([seal(here, b"dGV4dA==")], here, there)
    assert outcome.status is Status.REWRITTEN, outcome.error
    assert outcome[4:] == ("orders", OLD.key_version_id, "orders", NEW.key_version_id)
    single = alibaba.reencrypt(
        *(KEYS, seal(here, b"dGV4dA=="), "orders"),
        source_profile=here,
        destination_profile=there,
        source_context=CONTEXT,
        destination_context=CONTEXT,
    )
    blobs = outcome.ciphertext_blob, single.ciphertext_blob
    opened = [alibaba.decrypt(KEYS, blob, CONTEXT, profile=there) for blob in blobs if blob]
    assert len(opened) == 2
    assert opened[0] == opened[1]
    (again,) = outcomes([outcome.ciphertext_blob], here, there)
    assert (again.status, again.ciphertext_blob) == (Status.UNCHANGED, outcome.ciphertext_blob)
    (anew,) = outcomes([outcome.ciphertext_blob], here, there, skip_current=False)
    assert anew.status is Status.REWRITTEN
    assert anew.ciphertext_blob != outcome.ciphertext_blob
    assert alibaba.decrypt(KEYS, anew.ciphertext_blob, CONTEXT, profile=there) == opened[0]
    (dry,) = outcomes([outcome.ciphertext_blob], here, there, skip_current=False, dry_run=True)
    assert (dry.status, dry.ciphertext_blob) == (Status.REWRITTEN, None)


def test_a_result_of_another_version_or_context_is_not_accepted() -> None:
    """Only a blob of the destination version that is authentic is a result of the job."""
    old = seal(Profile.V1)
    other = seal(Profile.V1, context={"tenant": "umbrella"}, keys=KEYS)
    changed = bytearray(seal(Profile.V1, keys=KEYS))
    changed[-1] ^= 1
    for blob in (old, other, bytes(changed), b"junk", b""):
        (outcome,) = outcomes([blob], Profile.ALIBABA, Profile.V1)
        assert outcome.status is Status.FAILED
        assert outcome.error.code == "invalid_blob"
    foreign = seal(Profile.ALIBABA)
    (outcome,) = outcomes([foreign], Profile.V1, Profile.ALIBABA)
    assert outcome.error.code == "invalid_blob"


def test_a_change_of_context_recognises_its_own_results() -> None:
    """In the service's layout too, the destination context is tried first."""
    blob = seal(Profile.ALIBABA, context={"a": "1"})
    item = Item(0, blob, {"a": "1"}, {"a": "2"})
    options: dict[str, Any] = dict.fromkeys(
        ("source_profile", "destination_profile"), Profile.ALIBABA
    )
    (first,) = reencrypt_many(KEYS, [item], "orders", **options)
    assert first.ciphertext_blob is not None
    (again,) = reencrypt_many(
        KEYS, [item._replace(ciphertext_blob=first.ciphertext_blob)], "orders", **options
    )
    assert (first.status, again.status) == (Status.REWRITTEN, Status.UNCHANGED)
    current = seal(Profile.ALIBABA, context={"a": "1"}, keys=KEYS)
    (moved,) = reencrypt_many(KEYS, [item._replace(ciphertext_blob=current)], "orders", **options)
    assert moved.status is Status.REWRITTEN
    wrong = seal(Profile.ALIBABA, context={"a": "3"}, keys=KEYS)
    (failed,) = reencrypt_many(KEYS, [item._replace(ciphertext_blob=wrong)], "orders", **options)
    assert failed.error is not None
    assert failed.error.code == "decryption"


def test_no_context_and_the_empty_one_differ_in_the_service_layout() -> None:
    """`None` adds no associated data, and `{}` adds a digest."""
    for context in (None, {}):
        blob = seal(Profile.ALIBABA, context=context)
        for other in (None, {}):
            (outcome,) = reencrypt_many(
                KEYS, [Item(0, blob, other)], "orders", source_profile=Profile.ALIBABA
            )
            assert (outcome.error is None) is (other == context)


def test_an_ambiguous_context_needs_permission() -> None:
    """The rule is that of `alibaba.reencrypt`."""
    context = {"tenant": "acme", "table": "orders"}
    blob = alibaba.encrypt(
        BEFORE, "orders", b"", context, profile=Profile.ALIBABA, allow_ambiguous=True
    ).ciphertext_blob
    for allow_ambiguous in (False, True):
        (outcome,) = reencrypt_many(
            *(KEYS, [Item(0, blob, context)], "orders"),
            source_profile=Profile.ALIBABA,
            allow_ambiguous=allow_ambiguous,
        )
        assert (outcome.error is None) is allow_ambiguous


@pytest.mark.parametrize("is_listed", [False, True], ids=["by the keyring", "by an order"])
def test_a_newer_version_is_rejected_on_request(is_listed: bool) -> None:
    """The age of a key version is that in the keyring or in the order."""
    blob = seal(Profile.ALIBABA, keys=VersionIndex(Keyring([LATER])))
    versions = [OLD, NEW, LATER] if is_listed else [OLD, LATER, NEW]
    order = {"orders": [each.key_version_id for each in versions]} if is_listed else None
    keys = VersionIndex(Keyring([OLD, LATER, NEW]))
    options: dict[str, Any] = {"keys": keys, "order": order}
    (outcome,) = outcomes([blob], Profile.ALIBABA, Profile.V1, upgrade_only=True, **options)
    if is_listed:
        assert outcome.error.code == "incorrect_key"
    else:
        assert outcome.status is Status.REWRITTEN


def test_an_asymmetric_source_is_encrypted_in_the_layout_of_the_destination() -> None:
    """Its plaintext becomes a Base64 text if the profile has this payload."""
    blob = kmscore.asymmetric_encrypt(RSA.public_key, "RSAES_OAEP_SHA_256", b"\xff\x00")
    item = Item(0, blob, None, {"a": "1"}, "rsa", "r1", "RSAES_OAEP_SHA_256")
    for profile in PROFILES.values():
        source = profile if profile.is_v1 else None
        (outcome,) = reencrypt_many(
            KEYS, [item], "orders", source_profile=source, destination_profile=profile
        )
        assert outcome.ciphertext_blob is not None
        opened = alibaba.decrypt(KEYS, outcome.ciphertext_blob, {"a": "1"}, profile=profile)
        assert opened.plaintext == b"\xff\x00"
    for profile in (Profile.ALIBABA, RAW):
        with pytest.raises(TypeError, match="source_profile must be v1"):
            list(reencrypt_many(KEYS, [item], "orders", source_profile=profile))


def test_the_keys_are_checked_for_the_layouts() -> None:
    """The call rejects keys that cannot be used, before the first item."""
    with pytest.raises(TypeError, match="KeyVersionProvider"):
        reencrypt_many(Keyring([OLD]), [], "orders", source_profile=Profile.ALIBABA)
    # Only a source in the service's layout needs an index.
    (outcome,) = outcomes([seal(Profile.V1)], None, Profile.ALIBABA, keys=Keyring([OLD, NEW]))
    assert outcome.status is Status.REWRITTEN
    (again,) = outcomes([outcome.ciphertext_blob], None, Profile.ALIBABA, keys=Keyring([OLD, NEW]))
    assert again.status is Status.UNCHANGED
    old = seal(Profile.ALIBABA)
    (failed,) = outcomes([old], None, Profile.ALIBABA, keys=Keyring([OLD, NEW]))
    assert failed.error.code == "invalid_blob"
    with pytest.raises(kmscore.KeyUsageError):
        reencrypt_many(KEYS, [], "xaes", destination_profile=Profile.ALIBABA)
    for name in ("source_profile", "destination_profile"):
        with pytest.raises(TypeError, match=rf"^{name} must be Profile, not str$"):
            reencrypt_many(KEYS, [], "orders", **{name: "alibaba"})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^allow_ambiguous must be bool, not int$"):
        reencrypt_many(KEYS, [], "orders", allow_ambiguous=1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="upgrade_only requires a Keyring or an order"):
        reencrypt_many(Store(KEYS), [], "orders", upgrade_only=True)


class Store:
    """A provider that is not a keyring."""

    def __init__(self, keys: Any, answer: Any = None) -> None:
        """Take the keys, and an answer to every question about a version."""
        self.primary, self.version = keys.primary, keys.version
        self.version_by_id = keys.version_by_id if answer is None else lambda _: answer


def test_a_provider_with_other_material_makes_nothing_unchanged() -> None:
    """The blob is decrypted with the key of the job."""
    imposter = SymmetricKey(
        "orders", NEW.key_version_id, KeySpec.AES_256, bytes(32), suite=Suite.AES_256_GCM
    )
    forged = seal(Profile.ALIBABA, keys=VersionIndex(Keyring([imposter])))
    keys: Any = Store(KEYS, imposter)
    (outcome,) = outcomes([forged], Profile.ALIBABA, Profile.ALIBABA, keys=keys)
    assert outcome.error.code == "decryption"
    old = [seal(Profile.ALIBABA)]
    # The same with the other layout on the side of the source.
    imposter_v1 = seal(Profile.V1, keys=VersionIndex(Keyring([imposter])))
    other: Any = Store(KEYS)
    other.version = lambda *_: imposter
    (outcome,) = outcomes([imposter_v1], Profile.ALIBABA, Profile.V1, keys=other)
    assert outcome.error.code == "invalid_blob"
    with pytest.raises(TypeError, match="must be"):
        outcomes(old, Profile.ALIBABA, Profile.V1, keys=Store(KEYS, "no key"))


@given(st.binary(max_size=100) | st.binary(max_size=60).map(lambda tail: b"S01T" + tail))
def test_any_bytes_give_an_outcome(data: bytes) -> None:
    """No bytes end a job, in any direction."""
    for source in PROFILES.values():
        others = [each for each in PROFILES.values() if each.is_v1 != source.is_v1]
        for destination in (source, *others):
            (outcome,) = outcomes([data], source, destination)
            assert outcome.status is Status.FAILED


def test_a_census_guesses_blobs_of_the_service() -> None:
    """They count as others all the same, because a guess retires no key version."""
    of_instance = Profile(prefix=b"\x24\x00\x02")
    blobs = [
        seal(Profile.V1),
        seal(Profile.ALIBABA),
        seal(of_instance),
        OLD.key_version_id.encode() + bytes(27),
        b"x" * 90,
        b"",
    ]
    counted = bulk.census(blobs)
    assert (counted.other, counted.guesses) == (5, {OLD.key_version_id: 2})
    both = counted + counted
    assert (both.other, both.guesses) == (10, {OLD.key_version_id: 4})
    assert counted.total == 6
    ring = Keyring([OLD, NEW])
    assert bulk.retirable_versions(ring, census=counted).reason is not None


def test_kept_contexts_keep_their_absence() -> None:
    """`KEEP_CONTEXT` keeps no context as none."""
    blob = seal(Profile.ALIBABA, context=None)
    (outcome,) = reencrypt_many(
        *(KEYS, [Item(0, blob, None, KEEP_CONTEXT)], "orders"),
        source_profile=Profile.ALIBABA,
        destination_profile=Profile.ALIBABA,
    )
    assert outcome.ciphertext_blob is not None
    assert alibaba.decrypt(KEYS, outcome.ciphertext_blob, None, profile=Profile.ALIBABA)


def test_a_batch_is_converted() -> None:
    """A column of blobs of the service becomes one of v1 blobs; a null context is none."""
    pa: Any = pytest.importorskip("pyarrow", reason="pyarrow is missing: the extra arrow")
    arrow: Any = pytest.importorskip("kmscore.bulk.arrow")
    batch = pa.record_batch(
        {
            "blob": pa.array([seal(Profile.ALIBABA), seal(Profile.ALIBABA, context=None), b"x"]),
            "context": pa.array([CONTEXT, None, None], pa.struct([("tenant", pa.string())])),
        }
    )
    moved = arrow.reencrypt_batch(
        *(batch, KEYS, "orders"),
        blob_column="blob",
        source_context_column="context",
        source_profile=Profile.ALIBABA,
    )
    assert moved.column("status").to_pylist() == ["rewritten", "rewritten", "failed"]
    assert moved.column("error").to_pylist() == [None, None, "invalid_blob"]
    for blob, context in zip(moved.column("blob").to_pylist()[:2], [CONTEXT, None], strict=True):
        assert kmscore.decrypt(Keyring([NEW]), blob, context).plaintext == b"text"
