"""`reencrypt_many`: one outcome for each item, in order, for valid and invalid items."""

import pickle
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import (
    CODES,
    CONTEXTS,
    PLAINTEXTS,
    PROVIDERS,
    Fickle,
    Oracle,
    Store,
    flip_last_bit,
    mutations,
    raises_exactly,
    symmetric_key,
)

import kmscore
from kmscore import (
    EncryptionContext,
    IncorrectKeyError,
    InvalidKeyError,
    KeyNotFoundError,
    KeyProvider,
    Keyring,
    KeyState,
    KeyStateError,
    KeyUsageError,
    KeyVersionNotFoundError,
    KmsCoreError,
    RsaKey,
    Sm2Key,
    Suite,
    envelope,
)
from kmscore.bulk import (
    KEEP_CONTEXT,
    Item,
    KeyVersionName,
    Outcome,
    Status,
    census,
    reencrypt_many,
)
from kmscore.bulk.version_order import upgradable_versions

OLD = symmetric_key(Suite.AES_256_GCM, "key", "v1")
NEW = symmetric_key(Suite.XAES_256_GCM, "key", "v2")
OTHER = symmetric_key(Suite.SM4_GCM, "other", "1")
DISABLED = symmetric_key(Suite.AES_128_GCM, "disabled", "1", state=KeyState.DISABLED)
CONTEXT = {"tenant": "acme"}


@pytest.fixture(params=PROVIDERS)
def keys(request: pytest.FixtureRequest, rsa_key: RsaKey, sm2_key: Sm2Key) -> KeyProvider:
    """Return a keyring with every kind of key, and another provider with the same keys."""
    return PROVIDERS[request.param](Keyring([OLD, NEW, OTHER, DISABLED, rsa_key, sm2_key]))


def blob_of(key: Any = OLD, context: Any = None, plaintext: bytes = b"text") -> bytes:
    """Return a blob of a key."""
    return kmscore.encrypt(Keyring([key]), key.key_id, plaintext, context).ciphertext_blob


def outcome_of(keys: KeyProvider, item: Item, destination: str = "key", **options: Any) -> Outcome:
    """Return the outcome of a job of one item."""
    (outcome,) = reencrypt_many(keys, [item], destination, **options)
    return outcome


def plaintext_of(keys: KeyProvider, outcome: Outcome, context: Any = None) -> bytes:
    """Return the plaintext of a new blob."""
    return kmscore.decrypt(keys, outcome.ciphertext_blob or b"", context).plaintext


# --- one item ---


@pytest.mark.parametrize("context", [None, {}, CONTEXT, EncryptionContext(CONTEXT)])
def test_a_rotation_keeps_the_context(keys: KeyProvider, context: Any) -> None:
    """Without a destination context, the source context is used, in any accepted type."""
    outcome = outcome_of(keys, Item("a", blob_of(OLD, context), context))
    assert outcome[:2] == (Status.REWRITTEN, "a")
    assert outcome[3:] == (None, "key", "v1", "key", "v2")
    assert plaintext_of(keys, outcome, context) == b"text"


def test_a_context_can_be_any_mapping(keys: KeyProvider) -> None:
    """Any mapping is accepted, and a mapping that changes between reads is read one time."""
    outcome = outcome_of(keys, Item(0, blob_of(OLD, {"a": "1"}), Fickle()))
    assert plaintext_of(keys, outcome, {"a": "1"}) == b"text"
    both = Fickle()
    outcome = outcome_of(keys, Item(0, blob_of(OLD, {"a": "1"}), both, both))
    assert plaintext_of(keys, outcome, {"a": "1"}) == b"text"
    proxy = MappingProxyType(CONTEXT)
    outcome = outcome_of(keys, Item(0, blob_of(), None, proxy))
    assert plaintext_of(keys, outcome, CONTEXT) == b"text"


@pytest.mark.parametrize("kind", [dict, EncryptionContext])
def test_a_dict_is_read_again_for_each_item(keys: KeyProvider, kind: Any) -> None:
    """One dict with new content for each row gives each row its own context."""
    row: dict[str, str] = {}

    def items() -> Iterator[Item]:
        for number in "12":
            row["row"] = number
            yield Item(number, blob_of(OLD, row), row if kind is dict else kind(row))

    for outcome in reencrypt_many(keys, items(), "key"):
        assert plaintext_of(keys, outcome, {"row": outcome.reference}) == b"text"


@pytest.mark.parametrize(("context", "new"), [(CONTEXT, None), (None, CONTEXT), (CONTEXT, {})])
def test_the_destination_context_replaces_the_source_context(
    keys: KeyProvider, context: Any, new: Any
) -> None:
    """`None` as the destination context is the empty context, not the source context."""
    outcome = outcome_of(keys, Item(0, blob_of(OLD, context), context, new))
    assert plaintext_of(keys, outcome, new) == b"text"


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_current_blob_is_unchanged(keys: KeyProvider, kind: type) -> None:
    """The result has the same bytes, after authentication under the destination context."""
    blob = blob_of(NEW, CONTEXT)
    outcome = outcome_of(keys, Item(0, kind(blob), CONTEXT))
    assert outcome == (Status.UNCHANGED, 0, blob, None, "key", "v2", "key", "v2")
    assert type(outcome.ciphertext_blob) is bytes


def test_a_current_blob_is_authenticated(keys: KeyProvider) -> None:
    """A blob with the header of the destination fails if it is damaged or has another context."""
    blob = blob_of(NEW, CONTEXT)
    damaged = flip_last_bit(blob)
    for item in (Item(0, damaged, CONTEXT), Item(0, blob, None), Item(0, blob, {"a": "b"}, None)):
        outcome = outcome_of(keys, item)
        assert outcome.status is Status.FAILED
        assert outcome.error is not None
        assert outcome.error.code == "decryption"


def test_a_second_change_of_contexts_leaves_blobs_unchanged(keys: KeyProvider) -> None:
    """Under the destination version, the destination context is tried before the source context."""
    first = outcome_of(keys, Item(0, blob_of(NEW, CONTEXT), CONTEXT, {"a": "b"}))
    assert first.status is Status.REWRITTEN
    assert plaintext_of(keys, first, {"a": "b"}) == b"text"
    second = outcome_of(keys, Item(0, first.ciphertext_blob or b"", CONTEXT, {"a": "b"}))
    assert second.status is Status.UNCHANGED
    assert second.ciphertext_blob == first.ciphertext_blob


def test_other_versions_use_only_the_source_context(keys: KeyProvider) -> None:
    """A blob of another version fails with the destination context."""
    outcome = outcome_of(keys, Item(0, blob_of(OLD, {"a": "b"}), CONTEXT, {"a": "b"}))
    assert outcome.status is Status.FAILED


@pytest.mark.parametrize("context", [CONTEXT, {"a": "b"}])
def test_a_current_blob_is_rewritten_on_request(keys: KeyProvider, context: Any) -> None:
    """With `skip_current=False`, a current blob is encrypted again."""
    blob = blob_of(NEW, context)
    outcome = outcome_of(keys, Item(0, blob, CONTEXT, {"a": "b"}), skip_current=False)
    assert outcome.status is Status.REWRITTEN
    assert outcome.ciphertext_blob != blob
    assert plaintext_of(keys, outcome, {"a": "b"}) == b"text"


def test_a_dry_run_of_current_blobs_returns_no_blob(keys: KeyProvider) -> None:
    """With `skip_current=False`, the status is rewritten, and the outcome has no blob."""
    item = Item("a", blob_of(NEW))
    outcome = outcome_of(keys, item, dry_run=True, skip_current=False)
    assert outcome == (Status.REWRITTEN, "a", None, None, "key", "v2", "key", "v2")


def test_a_dry_run_reports_the_status_of_each_item(
    keys: KeyProvider, rsa_key: RsaKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No IV is generated; a rewritten item has no blob, and a current blob is returned."""
    current = blob_of(NEW)
    bare = kmscore.asymmetric_encrypt(rsa_key.public_key, "RSAES_OAEP_SHA_256", b"text")
    items = [
        Item(0, blob_of()),
        Item(1, current),
        Item(2, blob_of(), CONTEXT),
        Item(3, bare, None, KEEP_CONTEXT, rsa_key.key_id, "v1", "RSAES_OAEP_SHA_256"),
    ]
    monkeypatch.setattr("os.urandom", lambda _: pytest.fail("something was drawn"))
    outcomes = list(reencrypt_many(keys, items, "key", dry_run=True))
    assert [outcome.status for outcome in outcomes] == [
        *("rewritten", "unchanged", "failed", "rewritten")
    ]
    assert [outcome.ciphertext_blob for outcome in outcomes] == [None, current, None, None]
    assert outcomes[0][4:] == ("key", "v1", "key", "v2")


@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_1", "SM2PKE"])
def test_an_asymmetric_source_is_always_rewritten(
    keys: KeyProvider, rsa_key: RsaKey, sm2_key: Sm2Key, algorithm: str
) -> None:
    """An asymmetric ciphertext has no context, so that its context to keep is empty."""
    source = sm2_key if algorithm == "SM2PKE" else rsa_key
    bare = kmscore.asymmetric_encrypt(source.public_key, algorithm, b"text")
    ids = (source.key_id, source.key_version_id, algorithm)
    for context, bound in ((KEEP_CONTEXT, None), (CONTEXT, CONTEXT)):
        outcome = outcome_of(keys, Item(0, bare, None, context, *ids))
        assert outcome.status is Status.REWRITTEN
        assert outcome[3:] == (None, source.key_id, source.key_version_id, "key", "v2")
        assert plaintext_of(keys, outcome, bound) == b"text"
    rejected = outcome_of(keys, Item(0, bare, CONTEXT, KEEP_CONTEXT, *ids))
    assert rejected.error is not None
    assert rejected.error.code == "invalid_context"


def test_a_v1_blob_with_an_asymmetric_algorithm_fails(keys: KeyProvider, rsa_key: RsaKey) -> None:
    """The source that the caller names counts, not the form of the bytes."""
    item = Item(0, blob_of(NEW), None, None, rsa_key.key_id, "v1", "RSAES_OAEP_SHA_256")
    assert outcome_of(keys, item).status is Status.FAILED


def test_source_ids_are_compared_with_the_header(keys: KeyProvider) -> None:
    """Given source IDs must match the header, also for a current blob."""
    for key in (OLD, NEW):
        right = Item(0, blob_of(key), None, None, "key", key.key_version_id)
        assert outcome_of(keys, right).error is None
        for wrong in (
            right._replace(source_key_id="other"),
            right._replace(source_key_version_id="v9"),
        ):
            error = outcome_of(keys, wrong).error
            assert error is not None
            assert error.code == "incorrect_key"


def test_an_outcome_has_only_authenticated_ids(keys: KeyProvider) -> None:
    """A failed item has no source IDs, because its header is not authenticated."""
    blob = blob_of(OLD, CONTEXT)
    outcome = outcome_of(keys, Item("r", blob))
    assert outcome[:3] == (Status.FAILED, "r", None)
    assert outcome[4:] == (None, None, "key", "v2")


# --- many items ---

BAD: Mapping[str, Item] = {
    "invalid_blob": Item(0, b"KMS"),
    "invalid_context": Item(0, blob_of(), {"\ud800": ""}),
    "incorrect_key": Item(0, blob_of(), None, None, "other"),
    "key_not_found": Item(0, blob_of(symmetric_key(Suite.AES_256_GCM, "foreign"))),
    "key_version_not_found": Item(0, blob_of(symmetric_key(Suite.AES_256_GCM, "key", "v9"))),
    "key_state": Item(0, blob_of(symmetric_key(Suite.AES_128_GCM, "disabled", "1"))),
    "key_usage": Item(0, blob_of(symmetric_key(Suite.AES_256_GCM, "sm2", "v1"))),
    "unsupported_algorithm": Item(0, b"", None, None, "sm2", "v1", "unknown"),
    "plaintext_size": Item(0, envelope.seal(OLD, bytes(6_145), b"")),
    "decryption": Item(0, blob_of(), CONTEXT),
}


@pytest.mark.parametrize("change", [{}, {"moved": "1"}], ids=["rotation", "change of contexts"])
def test_bad_items_do_not_affect_other_items(keys: KeyProvider, change: dict[str, str]) -> None:
    """Each bad item fails with its own code; the second run leaves its own results unchanged."""
    good = []
    for number in range(len(BAD) + 1):
        context = {"n": f"{number}"}
        new = context | change if change else KEEP_CONTEXT
        good.append(Item(number, blob_of(OLD, context), context, new))
    mixed = [item for pair in zip(good, BAD.values(), strict=False) for item in pair] + good[-1:]
    outcomes = list(reencrypt_many(keys, mixed, "key"))
    codes = [outcome.error.code for outcome in outcomes if outcome.error is not None]
    assert codes == list(BAD)
    kept = [outcome for outcome in outcomes if outcome.error is None]
    assert [outcome.reference for outcome in kept] == [item.reference for item in good]
    for outcome, item in zip(kept, good, strict=True):
        assert outcome.status is Status.REWRITTEN
        assert plaintext_of(keys, outcome, {"n": f"{item.reference}"} | change) == b"text"
    again = [
        item._replace(ciphertext_blob=outcome.ciphertext_blob or item.ciphertext_blob)
        for item, outcome in zip(mixed, outcomes, strict=True)
    ]
    before, after = (census(item.ciphertext_blob for item in items) for items in (mixed, again))
    v1, v2 = KeyVersionName("key", "v1"), KeyVersionName("key", "v2")
    assert before.total == after.total
    assert before.versions[v1] - after.versions[v1] == len(good)
    assert after.versions[v2] == len(good)
    assert before.other == after.other
    second = list(reencrypt_many(keys, again, "key"))
    assert [outcome.ciphertext_blob for outcome in second] == [
        outcome.ciphertext_blob for outcome in outcomes
    ]
    assert [outcome.status for outcome in second if outcome.error is None] == (
        [Status.UNCHANGED] * len(good)
    )
    assert [outcome.error.code for outcome in second if outcome.error is not None] == codes


def test_the_bad_items_cover_every_error_code() -> None:
    """Only the code for invalid keys is missing, because it needs no item."""
    assert set(CODES.values()) - set(BAD) == {"invalid_key"}


@given(st.data(), CONTEXTS, CONTEXTS, PLAINTEXTS, st.sampled_from([OLD, NEW, OTHER]))
def test_outcomes_match_reencrypt(
    data: st.DataObject, context: Any, new: Any, plaintext: bytes, source: Any
) -> None:
    """Error or plaintext match `reencrypt`, with a keyring and with another provider."""
    ring = Keyring([OLD, NEW, OTHER, DISABLED])
    blob = blob_of(source, context, plaintext)
    if data.draw(st.booleans()):
        blob = data.draw(mutations(blob))
    item = Item(0, blob, context, new)
    expected: str | None = None
    try:
        kmscore.reencrypt(ring, blob, "other", source_context=context, destination_context=new)
    except KmsCoreError as error:
        expected = f"{error.code}: {error}"
    for keys in (ring, Store(ring)):
        outcome = outcome_of(keys, item, "other")
        if outcome.error is None:
            assert plaintext_of(ring, outcome, new) == plaintext
            assert expected is None or outcome.status is Status.UNCHANGED
        else:
            assert expected == f"{outcome.error.code}: {outcome.error}"


def test_outcomes_are_produced_one_by_one(keys: KeyProvider) -> None:
    """An item is read only when its outcome is requested."""
    read: list[int] = []

    def items() -> Iterator[Item]:
        for number in range(3):
            read.append(number)
            yield Item(number, blob_of())

    outcomes = reencrypt_many(keys, items(), "key")
    assert read == []
    for number in range(3):
        assert next(outcomes).reference == number
        assert read == list(range(number + 1))


def test_an_error_in_an_outcome_has_no_traceback(keys: KeyProvider) -> None:
    """The error has no traceback, cause or context with data of the provider or the caller."""
    reason = KeyVersionNotFoundError("no version")
    reason.__cause__ = OSError("the store's address")
    for provider, item in ((keys, BAD["decryption"]), (Oracle(reason, NEW), Item(0, blob_of()))):
        outcomes = reencrypt_many(provider, [item], "key")
        with pytest.raises(ZeroDivisionError) as caught:
            1 / 0  # noqa: B018 (for its error)
        try:
            raise caught.value
        except ZeroDivisionError:
            error = next(outcomes).error
        assert error is not None
        assert error.__traceback__ is error.__context__ is error.__cause__ is None


def test_items_and_outcomes_can_be_pickled(keys: KeyProvider) -> None:
    """A copy from pickle is equal, and `KEEP_CONTEXT` stays the same object."""
    item = Item(0, blob_of())
    again: Item = pickle.loads(pickle.dumps(item))  # noqa: S301 (our own)
    assert again == item
    assert again.destination_context is KEEP_CONTEXT
    for bad in BAD.values():
        outcome = outcome_of(keys, bad)
        copy: Outcome = pickle.loads(pickle.dumps(outcome))  # noqa: S301 (our own)
        assert type(copy.error) is type(outcome.error)
        assert str(copy.error) == str(outcome.error)


# --- errors that end the job ---


def test_an_exception_of_a_provider_ends_the_job() -> None:
    """The exception propagates unchanged, after the outcomes of the earlier items."""
    fault = OSError("the store is gone")

    class Failing(Store):
        asked = 0

        def version(self, key_id: str, key_version_id: str) -> Any:
            self.asked += 1
            if self.asked == 3:
                raise fault
            return super().version(key_id, key_version_id)

    outcomes = reencrypt_many(
        Failing(Keyring([OLD, NEW])), [Item(n, blob_of()) for n in range(4)], "key"
    )
    assert [next(outcomes).reference for _ in range(2)] == [0, 1]
    with pytest.raises(OSError, match="the store is gone") as caught:
        next(outcomes)
    assert caught.value is fault


def test_an_error_from_the_iterator_of_items_propagates(keys: KeyProvider) -> None:
    """The caller that supplies the items gets the error, also an error of this library."""

    def items() -> Iterator[Item]:
        yield Item(0, blob_of())
        kmscore.decrypt(keys, b"")

    outcomes = reencrypt_many(keys, items(), "key")
    assert next(outcomes).status is Status.REWRITTEN
    with pytest.raises(kmscore.InvalidBlobError):
        next(outcomes)


def test_an_error_thrown_into_the_generator_propagates(keys: KeyProvider) -> None:
    """An error that the caller throws into the generator is raised by the generator."""
    outcomes: Any = reencrypt_many(keys, [Item(0, blob_of()), Item(1, blob_of())], "key")
    next(outcomes)
    with pytest.raises(KeyNotFoundError):
        outcomes.throw(KeyNotFoundError("thrown"))


@pytest.mark.parametrize(
    "item",
    [
        None,
        (0, b""),
        Item(0, "text"),  # type: ignore[arg-type]
        Item(0, blob_of(), "context"),  # type: ignore[arg-type]
        Item(0, blob_of(), KEEP_CONTEXT),  # type: ignore[arg-type]
        Item(0, blob_of(), None, "context"),  # type: ignore[arg-type]
        Item(0, blob_of(), None, None, 1),  # type: ignore[arg-type]
        Item(0, blob_of(), None, None, None, 1),  # type: ignore[arg-type]
        Item(0, blob_of(), {"\ud800": ""}, "context"),  # type: ignore[arg-type]
        Item(0, blob_of(), None, None, None, None, "SM2PKE"),
        Item(0, b"", None, None, "sm2", "v1", 1),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_type_in_an_item_raises_type_error(keys: KeyProvider, item: Any) -> None:
    """`TypeError` is raised after the outcomes of the earlier items."""
    outcomes = reencrypt_many(keys, [Item(0, blob_of()), item], "key")
    next(outcomes)
    with raises_exactly(TypeError):
        next(outcomes)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"keys": None}, "keys must be"),
        ({"items": None}, "NoneType"),
        ({"destination_key_id": b"key"}, "destination_key_id must be"),
        ({"skip_current": 1}, "skip_current must be"),
        ({"upgrade_only": 1}, "upgrade_only must be"),
        ({"dry_run": None}, "dry_run must be"),
        ({"order": {"key": ["v1", "v2"]}}, "order requires upgrade_only=True"),
        ({"order": [], "upgrade_only": True}, "order must be Mapping"),
        ({"order": {"key": "v2"}, "upgrade_only": True}, "order must map to sequences"),
        ({"order": {"key": 1}, "upgrade_only": True}, "order must map to sequences"),
        ({"order": {"key": {"v1", "v2"}}, "upgrade_only": True}, "order must map to sequences"),
        ({"order": {"key": {"v2": 1}}, "upgrade_only": True}, "order must map to sequences"),
        ({"order": {"key": [1, "v2"]}, "upgrade_only": True}, "order must be str"),
    ],
)
def test_a_wrong_type_in_the_call_raises_type_error(changes: dict[str, Any], text: str) -> None:
    """`TypeError` is raised before an item is read."""
    right = {"keys": Keyring([OLD, NEW]), "items": [], "destination_key_id": "key"}
    assert list(reencrypt_many(**right)) == []
    with raises_exactly(TypeError, text):
        reencrypt_many(**right | changes)


@pytest.mark.parametrize(
    ("destination", "error"),
    [
        ("nobody", KeyNotFoundError),
        ("disabled", KeyStateError),
        ("sm2", KeyUsageError),
    ],
)
def test_a_destination_that_cannot_encrypt_is_rejected_by_the_call(
    keys: KeyProvider, destination: str, error: type[Exception]
) -> None:
    """The call raises the error, instead of a failed outcome for each item."""
    with raises_exactly(error):
        reencrypt_many(keys, iter([]), destination)


def test_the_primary_version_is_requested_once_per_call(sm2_key: Sm2Key) -> None:
    """A new primary version during the job does not change its destination."""
    bare = kmscore.asymmetric_encrypt(sm2_key.public_key, "SM2PKE", b"text")

    class Rotating(Store):
        asked = 0

        def primary(self, key_id: str) -> Any:
            self.asked += 1
            return self.version(key_id, "v2" if self.asked == 1 else "v3")

    newest = symmetric_key(Suite.AES_256_GCM, "key", "v3")
    keys = Rotating(Keyring([OLD, NEW, newest, sm2_key]))
    sources = [
        Item(0, blob_of()),
        Item(1, blob_of(NEW)),
        Item(2, bare, None, None, "sm2", "v1", "SM2PKE"),
        Item(3, blob_of(newest)),
    ]
    outcomes = list(reencrypt_many(keys, sources, "key"))
    assert keys.asked == 1
    assert {outcome.destination_key_version_id for outcome in outcomes} == {"v2"}
    assert [outcome.status for outcome in outcomes] == [
        *("rewritten", "unchanged", "rewritten", "rewritten")
    ]
    for outcome in outcomes:
        assert kmscore.decrypt(keys, outcome.ciphertext_blob or b"").key_version_id == "v2"


def test_an_unchanged_blob_is_decrypted_by_the_destination() -> None:
    """If a provider has another key with the IDs of the destination, the item fails."""
    impostor = symmetric_key(NEW.suite, "key", "v2")

    class TwoMinded(Store):
        def version(self, key_id: str, key_version_id: str) -> Any:
            key = super().version(key_id, key_version_id)
            return impostor if key_version_id == "v2" else key

    (outcome,) = reencrypt_many(TwoMinded(Keyring([OLD, NEW])), [Item(0, blob_of(impostor))], "key")
    assert outcome.status == "failed"
    assert outcome.error is not None
    assert outcome.error.code == "decryption"


# --- upgrades only ---

V3 = symmetric_key(Suite.AES_256_GCM, "key", "v3")
RING = Keyring([OLD, NEW, V3, OTHER], primary={"key": "v2"})
ORDER = {"key": ["v1", "v2", "v3"]}


@pytest.mark.parametrize(
    ("keys", "order"),
    [(RING, None), (RING, ORDER), (Store(RING), ORDER)],
    ids=["ring", "both", "order"],
)
def test_upgrade_only_rejects_an_older_destination(keys: KeyProvider, order: Any) -> None:
    """v1 is re-encrypted to v2, and v3 fails; blobs of other keys are not compared."""
    sources = [Item(key, blob_of(key)) for key in (OLD, NEW, V3, OTHER)]
    outcomes = list(reencrypt_many(keys, sources, "key", upgrade_only=True, order=order))
    assert [outcome.status for outcome in outcomes] == [
        *("rewritten", "unchanged", "failed", "rewritten")
    ]
    assert outcomes[2].error is not None
    assert outcomes[2].error.code == "incorrect_key"
    assert "v2" in str(outcomes[2].error)
    assert "v3" in str(outcomes[2].error)
    plain = reencrypt_many(keys, sources, "key")
    assert [outcome.error for outcome in plain] == [None] * 4


def test_a_given_order_overrides_the_keyring() -> None:
    """The caller can know a different order of the versions."""
    order = {"key": ("v3", "v2", "v1")}
    sources = [Item(0, blob_of(OLD)), Item(1, blob_of(V3))]
    outcomes = reencrypt_many(RING, sources, "key", upgrade_only=True, order=order)
    assert [outcome.status for outcome in outcomes] == ["failed", "rewritten"]


def test_upgrade_only_applies_only_to_v1_blobs() -> None:
    """An asymmetric ciphertext under a symmetric key fails because of the kind of the key."""
    item = Item("a", b"bare", None, None, "key", "v9", "SM2PKE")
    stranger = Oracle(version=symmetric_key(Suite.SM4_GCM, "key", "v9"), primary=OLD)
    outcome = outcome_of(stranger, item, upgrade_only=True, order={"key": ["v1", "v2"]})
    assert type(outcome.error) is KeyUsageError


@pytest.mark.parametrize("kind", [list, tuple, deque])
def test_an_order_can_be_any_sequence(kind: Callable[[list[str]], Any]) -> None:
    """The versions before the destination are upgradable, as a set."""
    for order in ({"key": kind(["v1", "v2", "v3"])}, None):
        assert upgradable_versions(RING, NEW, order) == frozenset({"v1", "v2"})


def test_a_version_that_is_not_in_the_order_fails() -> None:
    """The order does not show that such a version is older."""
    order = {"key": ["v2"]}
    outcome = outcome_of(RING, Item(0, blob_of()), upgrade_only=True, order=order)
    assert isinstance(outcome.error, IncorrectKeyError)


@pytest.mark.parametrize("order", [{}, {"key": []}, {"key": ["v1", "v3"]}, {"other": ["v2"]}])
def test_an_order_without_the_destination_is_rejected(order: Any) -> None:
    """Other versions cannot be compared with the destination."""
    with raises_exactly(KeyVersionNotFoundError, "v2"):
        reencrypt_many(RING, [], "key", upgrade_only=True, order=order)


def test_an_order_with_a_repeated_version_is_rejected() -> None:
    """The version would be older than itself."""
    with raises_exactly(InvalidKeyError, "twice"):
        reencrypt_many(RING, [], "key", upgrade_only=True, order={"key": ["v1", "v2", "v1"]})


def test_upgrade_only_requires_an_order() -> None:
    """A provider other than a keyring does not have an order of versions."""
    with raises_exactly(TypeError, "order"):
        reencrypt_many(Store(RING), [], "key", upgrade_only=True)
