"""`census`: counts of headers; `retirable_versions`: the key versions without ciphertexts."""

import dataclasses
import pickle
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import (
    blobs,
    flip_last_bit,
    forbid_ciphers,
    mutations,
    raises_exactly,
    symmetric_key,
)

import kmscore
from kmscore import CiphertextBlob, InvalidBlobError, Keyring, RsaKey, Suite
from kmscore.blob import parse_header
from kmscore.bulk import (
    BlobFormat,
    Census,
    Header,
    Item,
    KeyVersionName,
    Retirement,
    Status,
    census,
    counting,
    reencrypt_many,
    retirable_versions,
)

OLD = symmetric_key(Suite.AES_256_GCM, "key", "v1")
MIDDLE = symmetric_key(Suite.AES_128_GCM, "old", "1")
NEW = symmetric_key(Suite.AES_256_GCM, "key", "v2")
RING = Keyring([OLD, MIDDLE, NEW])
V1, V2 = KeyVersionName("key", "v1"), KeyVersionName("key", "v2")


def blob_of(key: Any) -> bytes:
    """Return a blob of a key."""
    return kmscore.encrypt(Keyring([key]), key.key_id, b"text").ciphertext_blob


def is_blob(data: bytes) -> bool:
    """Return whether the parser accepts the data."""
    try:
        CiphertextBlob.parse(data)
    except InvalidBlobError:
        return False
    return True


# --- the census ---


@given(st.data(), st.lists(blobs(), min_size=1, max_size=4))
def test_a_census_matches_the_parser(data: st.DataObject, drawn: list[CiphertextBlob]) -> None:
    """The counts are those of the parser, also for damaged and similar blobs."""
    whole = [blob.serialize() for blob in drawn] * 2
    mixed = whole + [data.draw(mutations(raw)) for raw in whole]
    mixed += [raw[: data.draw(st.integers(0, len(raw)))] for raw in whole]
    parsed = [CiphertextBlob.parse(raw) for raw in mixed if is_blob(raw)]
    counted = census(mixed)
    assert counted.headers == Counter(
        Header(blob.suite, blob.key_id, blob.key_version_id) for blob in parsed
    )
    assert counted.suites == Counter(blob.suite for blob in parsed)
    assert counted.keys == Counter(blob.key_id for blob in parsed)
    assert counted.versions == Counter((blob.key_id, blob.key_version_id) for blob in parsed)
    other = len(mixed) - len(parsed)
    assert counted.formats == {BlobFormat.V1: len(parsed), BlobFormat.OTHER: other}
    assert counted.total == len(mixed)


@pytest.mark.parametrize("length", [0, 4, 5, 6, 20, 6_701, 6_702])
def test_a_census_checks_the_length(length: int) -> None:
    """A blob that is too short or too long is not counted, even with a known header."""
    raw = blob_of(OLD)
    resized = (raw + bytes(6_702))[:length]
    assert census([raw, resized]).formats[BlobFormat.V1] == 1 + is_blob(resized)


def test_a_census_uses_no_key_and_reads_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """All bytes-like types are accepted, and no cipher runs."""
    made = blob_of(OLD)
    forbid_ciphers(monkeypatch)

    def stream() -> Iterator[Any]:
        for kind in (bytes, bytearray, memoryview):
            yield kind(made)

    assert census(stream()).versions == {V1: 3}


def test_a_census_parses_each_header_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A blob with a known header needs only one slice and one lookup."""
    parsed: list[bytes] = []

    def watched(raw: bytes) -> object:
        parsed.append(raw)
        return parse_header(raw)

    monkeypatch.setattr(counting, "parse_header", watched)
    raws = [blob_of(key) for key in (OLD, NEW, MIDDLE, OLD, NEW, MIDDLE, OLD)]
    assert census(raws).total == 7
    assert parsed == raws[:3]


def test_a_census_rejects_other_types() -> None:
    """Other types raise `TypeError`."""
    for wrong in (None, "text", 1):
        with raises_exactly(TypeError, "ciphertext_blob must be bytes-like"):
            census([blob_of(OLD), wrong])  # type: ignore[list-item]


def test_censuses_can_be_added() -> None:
    """The sum of two parts is the census of the whole; other operands raise `TypeError`."""
    one, two = [blob_of(OLD), b"?"], [blob_of(OLD), blob_of(NEW), b"", b"KMS"]
    added = census(one) + census(two)
    assert added == census(one + two)
    assert (added.other, added.total) == (3, 6)
    with raises_exactly(TypeError, "census must be Census"):
        census(one) + 1  # type: ignore[operator]


def test_the_counts_are_plain_dictionaries() -> None:
    """A name without a count raises `KeyError`, unlike in a `Counter`."""
    counted = census([blob_of(OLD)])
    for counts in (counted, counted + counted):
        maps = (counts.headers, counts.formats, counts.suites, counts.keys, counts.versions)
        assert [type(each) for each in maps] == [dict] * 5
    assert list(counted.formats) == ["v1", "other"]


def test_a_census_is_immutable_and_states_its_limits() -> None:
    """Its note says that it is not authenticated; it can be pickled."""
    counted = census([blob_of(OLD)])
    assert "not authenticated" in counted.note
    assert pickle.loads(pickle.dumps(counted)) == counted  # noqa: S301 (our own)
    with pytest.raises(dataclasses.FrozenInstanceError):
        counted.other = 1  # type: ignore[misc]


# --- retirement by headers ---


def test_an_unused_version_is_retirable() -> None:
    """The order is that of the keyring; a primary version is never included."""
    ring = Keyring([OLD, symmetric_key(Suite.AES_256_GCM, "key", "v0"), MIDDLE, NEW])
    assert retirable_versions(ring, census=census([blob_of(NEW)])) == Retirement(
        (V1, KeyVersionName("key", "v0")), None
    )
    assert retirable_versions(RING, census=census([blob_of(OLD)])) == ((), None)
    elsewhere = Keyring([OLD, NEW, MIDDLE], primary={"key": "v1"})
    assert retirable_versions(elsewhere, census=census([blob_of(MIDDLE)])) == ((V2,), None)


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (b"KMS", "1 of 3 ciphertexts is not a v1 blob"),
        (blob_of(symmetric_key(Suite.AES_256_GCM, "foreign")), "version v1 of key foreign"),
        (blob_of(symmetric_key(Suite.AES_256_GCM, "key", "v9")), "version v9 of key key"),
        (blob_of(symmetric_key(Suite.XAES_256_GCM, "key", "v2")), "in XAES_256_GCM"),
        (blob_of(symmetric_key(Suite.AES_256_GCM, "rsa-2048", "v1")), "key rsa-2048"),
    ],
    ids=["no blob", "another key", "another version", "another suite", "an asymmetric key"],
)
def test_an_unattributed_blob_keeps_every_version(odd: bytes, reason: str, rsa_key: RsaKey) -> None:
    """Such a blob can need any version; the reason names it."""
    retirement = retirable_versions(
        Keyring([*RING, rsa_key]), census=census([blob_of(NEW), odd, blob_of(NEW)])
    )
    assert retirement.versions == ()
    assert reason in (retirement.reason or "")
    assert "1 of 3" in (retirement.reason or "")


def test_an_asymmetric_version_is_never_retirable(rsa_key: RsaKey) -> None:
    """A ciphertext of its public key names no version, so that a census cannot count it."""
    newer = RsaKey.from_pem(rsa_key.key_id, "newer", rsa_key.private_pem())
    ring = Keyring([*RING, rsa_key, newer])
    by_headers = retirable_versions(ring, census=census([blob_of(NEW)]))
    by_outcomes = retirable_versions(ring, outcomes=outcomes_of([blob_of(NEW)]))
    assert by_headers == by_outcomes == ((V1,), None)


def test_an_empty_census_keeps_every_version() -> None:
    """A stream that is already exhausted shows nothing about the versions."""
    for retirement in (
        retirable_versions(RING, census=census([])),
        retirable_versions(RING, outcomes=[]),
    ):
        assert retirement == ((), "there is no ciphertext to go by")


# --- retirement by outcomes ---


def outcomes_of(sources: Sequence[bytes], **options: Any) -> list[Any]:
    """Return the outcomes of a job to the newest version of the key."""
    return list(reencrypt_many(RING, [Item(0, raw) for raw in sources], "key", **options))


def test_outcomes_show_the_used_versions() -> None:
    """Rewritten and unchanged items use the destination version, and are authenticated."""
    outcomes = outcomes_of([blob_of(OLD), blob_of(NEW)])
    assert retirable_versions(RING, outcomes=iter(outcomes)) == ((V1,), None)


def test_after_a_dry_run_the_source_is_still_used() -> None:
    """A dry run has not rewritten any item."""
    outcomes = outcomes_of([blob_of(OLD), blob_of(NEW)], dry_run=True)
    assert retirable_versions(RING, outcomes=outcomes) == ((), None)
    outcomes = outcomes_of([blob_of(NEW)], dry_run=True)
    assert retirable_versions(RING, outcomes=outcomes) == ((V1,), None)


def test_one_failure_keeps_every_version() -> None:
    """A job detects a forged header, which a census counts."""
    raw = blob_of(NEW)
    forged = flip_last_bit(raw)
    assert retirable_versions(RING, census=census([raw, forged])).versions == (V1,)
    retirement = retirable_versions(RING, outcomes=outcomes_of([raw, forged]))
    assert retirement == ((), "1 of 2 items failed")


@pytest.mark.parametrize("missing", ["source_key_id", "source_key_version_id"])
@pytest.mark.parametrize("dry_run", [False, True])
def test_an_outcome_with_one_id_missing_keeps_every_version(missing: str, dry_run: bool) -> None:
    """An item with half a name cannot be attributed, so that it can need any version."""
    moved, kept = outcomes_of([blob_of(OLD), blob_of(NEW)], dry_run=dry_run)
    retirement = retirable_versions(RING, outcomes=[moved._replace(**{missing: None}), kept])
    assert retirement == ((), "1 of 2 items failed")


def test_outcomes_of_another_keyring_keep_every_version() -> None:
    """Each used version must be in the given keyring."""
    outcomes = outcomes_of([blob_of(OLD)])
    retirement = retirable_versions(Keyring([OLD]), outcomes=outcomes)
    assert retirement.versions == ()
    assert "version v2 of key key" in (retirement.reason or "")


def test_censuses_match_the_job() -> None:
    """Before the job they count the sources, and after it the destination."""
    before = [blob_of(OLD)] * 3 + [blob_of(NEW)] * 2
    outcomes = outcomes_of(before)
    statuses = Counter(outcome.status for outcome in outcomes)
    assert census(before).versions == {V1: statuses[Status.REWRITTEN], V2: 2}
    after = census(outcome.ciphertext_blob for outcome in outcomes)
    assert after.versions == {V2: 5}
    assert retirable_versions(RING, census=census(before)).versions == ()
    assert (
        retirable_versions(RING, census=after)
        == retirable_versions(RING, outcomes=outcomes)
        == ((V1,), None)
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"census": Census({}, 0)},
        {"keyring": RING},
        {"census": Census({}, 0), "keyring": RING, "outcomes": []},
        {"census": [], "keyring": RING},
        {"census": Census({}, 0), "keyring": [OLD]},
        {"keyring": RING, "outcomes": [None]},
        {"keyring": RING, "outcomes": 1},
    ],
)
def test_retirable_versions_requires_a_keyring_and_one_source(arguments: Any) -> None:
    """Other arguments raise `TypeError`."""
    with raises_exactly(TypeError):
        retirable_versions(**arguments)
