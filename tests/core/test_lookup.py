"""The answer of a provider is checked, in a fixed order, before it is used."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from support.strategies import (
    SEALING,
    SUITE_SPECS,
    Call,
    Oracle,
    Store,
    raises_exactly,
    symmetric_key,
)

from kmscore import (
    CiphertextBlob,
    EncryptionAlgorithm,
    IncorrectKeyError,
    KeyNotFoundError,
    Keyring,
    KeySpec,
    KeyState,
    KeyStateError,
    KeyUsageError,
    KeyVersionNotFoundError,
    RsaKey,
    Sm2Key,
    Suite,
    SymmetricKey,
    bulk,
)
from kmscore.layouts import V1
from kmscore.lookup import (
    check_provider,
    decrypting_key,
    opening_key,
    sealing_key,
)

GCM, XAES = Suite.AES_256_GCM, Suite.XAES_256_GCM
SHA_256, SHA_1 = EncryptionAlgorithm.RSAES_OAEP_SHA_256, EncryptionAlgorithm.RSAES_OAEP_SHA_1
SM2PKE = EncryptionAlgorithm.SM2PKE
STATES = [state for state in KeyState if state is not KeyState.ENABLED]
KEY = symmetric_key(GCM, "k", "v")


BLOB = CiphertextBlob(GCM, "k", "v", bytes(12), b"", bytes(16))
"""A blob with the header of `KEY`."""


def open_with(answer: Any, suite: Suite = GCM) -> SymmetricKey:
    """Ask a provider with this answer for version v of k, which a header of `suite` names."""
    return opening_key(Oracle(version=answer), suite, "k", "v")


def seal_with(answer: Any) -> SymmetricKey:
    """Ask a provider with this answer for the primary version of k."""
    return sealing_key(Oracle(primary=answer), "k")


def decrypt_with(answer: Any) -> RsaKey | Sm2Key:
    """Ask a provider with this answer for version v of k, to decrypt with RSA."""
    return decrypting_key(Oracle(version=answer), "k", "v", SHA_256)


ASK: Mapping[str, Callable[[Any], object]] = {
    "open": open_with,
    "seal": seal_with,
    "decrypt": decrypt_with,
}


def symmetric(key_id: str = "k", key_version_id: str = "v", **options: Any) -> SymmetricKey:
    """Return a symmetric key bound to the suite of `BLOB` unless another is given."""
    return symmetric_key(options.pop("suite", GCM), key_id, key_version_id, **options)


@pytest.fixture(scope="module")
def rsa(rsa_key: RsaKey) -> Callable[..., RsaKey]:
    """Return a function that returns the session's RSA key with other IDs or another state."""

    def make(key_id: str = "k", key_version_id: str = "v", **options: Any) -> RsaKey:
        return RsaKey(key_id, key_version_id, rsa_key._private_key, **options)

    return make


@pytest.fixture(scope="module")
def fitting(rsa: Callable[..., RsaKey]) -> Mapping[str, Callable[..., Any]]:
    """Return, for each lookup, a function that makes a suitable key."""
    return {"open": symmetric, "seal": symmetric, "decrypt": rsa}


@pytest.mark.parametrize("way", ASK)
def test_a_suitable_key_is_returned_unchanged(
    fitting: Mapping[str, Callable[..., Any]], way: str
) -> None:
    """The lookup returns the answer itself, not a copy."""
    key = fitting[way]()
    assert ASK[way](key) is key


@pytest.mark.parametrize("way", ASK)
def test_an_answer_that_is_not_a_key_is_a_type_error(
    rsa_key: RsaKey, sm2_key: Sm2Key, way: str
) -> None:
    """An answer such as `None`, an ID, material or a public key raises `TypeError`."""
    foreign: Any
    for foreign in (
        *(None, "k", b"material", 5, object(), {}, SymmetricKey, Keyring([KEY])),
        *(rsa_key.public_key, sm2_key.public_key, rsa_key._private_key, BLOB),
    ):
        said = f"SymmetricKey, RsaKey or Sm2Key, but the provider returned {type(foreign).__name__}"
        with raises_exactly(TypeError, f"a key must be {said}"):
            ASK[way](foreign)


@pytest.mark.parametrize("way", ASK)
@pytest.mark.parametrize("key_id", ["K", "kk", "v", "k.", "!"])
def test_another_key_is_rejected(
    fitting: Mapping[str, Callable[..., Any]], way: str, key_id: str
) -> None:
    """The key ID of the answer must equal the requested one."""
    with raises_exactly(IncorrectKeyError, "another key than"):
        ASK[way](fitting[way](key_id))


@pytest.mark.parametrize("way", ["open", "decrypt"])
@pytest.mark.parametrize("key_version_id", ["V", "vv", "k", "v2"])
def test_another_version_is_rejected(
    fitting: Mapping[str, Callable[..., Any]], way: str, key_version_id: str
) -> None:
    """The key version ID of the answer must equal the requested one."""
    with raises_exactly(IncorrectKeyError, "another key version than"):
        ASK[way](fitting[way]("k", key_version_id))


def test_any_version_can_be_the_primary_one() -> None:
    """A lookup of the primary version accepts every key version ID."""
    for key_version_id in ("v", "w", "k"):
        key = symmetric("k", key_version_id)
        assert seal_with(key) is key


@pytest.mark.parametrize("way", ASK)
@pytest.mark.parametrize("state", STATES)
def test_a_key_that_is_not_enabled_is_rejected(
    fitting: Mapping[str, Callable[..., Any]], way: str, state: KeyState
) -> None:
    """A key that is not `ENABLED` is rejected for every use, and the error has the state."""
    with raises_exactly(KeyStateError, state.value):
        ASK[way](fitting[way](state=state))


@pytest.mark.parametrize("suite", [suite for suite in Suite if suite is not GCM])
def test_a_key_bound_to_another_suite_does_not_decrypt(suite: Suite) -> None:
    """A key cannot be used with another suite than its own, even if the header names it."""
    with raises_exactly(IncorrectKeyError, suite.name):
        open_with(symmetric(suite=suite))
    for key in (symmetric(suite=suite), Keyring([symmetric(suite=suite)]).primary("k")):
        assert seal_with(key) is key
        assert open_with(key, suite) is key


@pytest.mark.parametrize("way", ["open", "seal"])
def test_an_asymmetric_key_does_not_encrypt_or_decrypt_blobs(
    rsa: Callable[..., RsaKey], way: str
) -> None:
    """If an asymmetric key is given instead of a symmetric one, the error names its spec."""
    with raises_exactly(KeyUsageError, "RSA_2048"):
        ASK[way](rsa())
    with raises_exactly(KeyUsageError, "EC_SM2"):
        ASK[way](Sm2Key.from_scalar("k", "v", 1))


@pytest.mark.parametrize("suite", Suite)
@pytest.mark.parametrize("algorithm", EncryptionAlgorithm)
def test_a_symmetric_key_is_rejected_for_an_asymmetric_ciphertext(
    suite: Suite, algorithm: EncryptionAlgorithm
) -> None:
    """A symmetric key is of the wrong kind for every algorithm, and the error has its spec."""
    with raises_exactly(KeyUsageError, SUITE_SPECS[suite].name):
        decrypting_key(Oracle(version=symmetric(suite=suite)), "k", "v", algorithm)


def test_an_algorithm_for_another_kind_of_key_is_rejected(
    rsa_keys: dict[KeySpec, RsaKey], sm2_key: Sm2Key
) -> None:
    """RSA keys decrypt only OAEP, with both hashes, and SM2 keys decrypt only SM2PKE."""
    for key in (*rsa_keys.values(), sm2_key):
        for algorithm in EncryptionAlgorithm:
            keys = Oracle(version=key)
            if (algorithm is SM2PKE) == (key is sm2_key):
                assert decrypting_key(keys, key.key_id, "v1", algorithm) is key
            else:
                with raises_exactly(KeyUsageError, algorithm.name):
                    decrypting_key(keys, key.key_id, "v1", algorithm)


ERRORS = [
    KeyNotFoundError("none"),
    KeyVersionNotFoundError("none"),
    ConnectionError("the store is away"),
    TimeoutError(),
    KeyError("k"),
    ValueError("their own"),
    KeyboardInterrupt(),
]


@pytest.mark.parametrize("way", ASK)
@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_an_exception_of_the_provider_propagates_unchanged(way: str, error: BaseException) -> None:
    """The exception of the provider propagates as the same object, without cause and context."""
    with pytest.raises(type(error)) as caught:
        ASK[way](error)
    assert caught.value is error
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


# --- the order: type, IDs, state, kind, suite or algorithm ---

DISABLED = {"state": KeyState.DISABLED}


def test_ids_are_checked_before_state_kind_and_suite(rsa: Callable[..., RsaKey]) -> None:
    """For another key, the error says only that the IDs differ, not that the key is disabled."""
    for key in (
        symmetric("x", **DISABLED),
        symmetric("k", "x", **DISABLED),
        symmetric("x", suite=XAES),
        symmetric("k", "x", suite=XAES, **DISABLED),
        rsa("x", **DISABLED),
        rsa("k", "x"),
    ):
        with raises_exactly(IncorrectKeyError, "returned another key"):
            open_with(key)
        with raises_exactly(IncorrectKeyError, "returned another key"):
            decrypt_with(key)
    for key in (symmetric("x", **DISABLED), rsa("x"), rsa("x", **DISABLED)):
        with raises_exactly(IncorrectKeyError, "returned another key"):
            seal_with(key)


def test_the_state_is_checked_before_kind_and_suite(rsa: Callable[..., RsaKey]) -> None:
    """A disabled key raises `KeyStateError`, even if its kind or suite is wrong too."""
    for ask, key in (
        (open_with, symmetric(suite=XAES, **DISABLED)),
        (open_with, rsa(**DISABLED)),
        (seal_with, rsa(**DISABLED)),
        (decrypt_with, symmetric(**DISABLED)),
        (decrypt_with, Sm2Key.from_scalar("k", "v", 1, **DISABLED)),
    ):
        with raises_exactly(KeyStateError, "Disabled"):
            ask(key)


def test_the_kind_is_checked_before_the_suite(rsa: Callable[..., RsaKey]) -> None:
    """An RSA key has no suite, so the kind is checked first."""
    for suite in Suite:
        with raises_exactly(KeyUsageError):
            open_with(rsa(), suite)


# --- calls of the provider ---


class Recorder(Store):
    """A store that records its calls."""

    def __init__(self, keys: Keyring) -> None:
        """Return the answers of `keys`."""
        super().__init__(keys)
        self.asked: list[tuple[str, ...]] = []

    def primary(self, key_id: str) -> Any:
        """See `KeyProvider`."""
        self.asked.append((key_id,))
        return super().primary(key_id)

    def version(self, key_id: str, key_version_id: str) -> Any:
        """See `KeyProvider`."""
        self.asked.append((key_id, key_version_id))
        return super().version(key_id, key_version_id)


def test_the_provider_is_called_once_for_each_key(rsa: Callable[..., RsaKey]) -> None:
    """The provider is called once for each key, with the IDs of the header or of the caller."""
    keys = Recorder(Keyring([KEY, rsa("r")]))
    opening_key(keys, GCM, "k", "v")
    sealing_key(keys, "k")
    decrypting_key(keys, "r", "v", SHA_1)
    assert keys.asked == [("k", "v"), ("k",), ("r", "v")]


class HalfProvider:
    """An object with one of the two methods."""

    def primary(self, key_id: str) -> str:
        """Return any value."""
        return key_id


class NoMethods:
    """An object that has both names, but neither is a method."""

    primary = version = "v"


@pytest.mark.parametrize("wrong", [None, {}, [], "k", b"", 5, KEY, HalfProvider(), NoMethods()])
def test_an_object_that_is_not_a_provider_is_a_type_error(wrong: Any) -> None:
    """A key, a mapping and an object with one of the two methods raise `TypeError`."""
    with raises_exactly(TypeError, f"keys must be a KeyProvider, not {type(wrong).__name__}"):
        check_provider(wrong)


def test_a_provider_needs_no_base_class() -> None:
    """`Keyring` and every object with the two methods are providers."""
    for keys in (Keyring([]), Oracle(), Store(Keyring([]))):
        check_provider(keys)
        assert callable(keys.version)


# --- IDs of the caller ---

IMPOSSIBLE = {
    "empty": "",
    "256 characters": "k" * 256,
    "600 characters": "k" * 600,
    "a space": "a key",
    "a new line": "key\nDELETE",
    "a tab": "key\t",
    "a NUL": "key\x00",
    "DEL": "key\x7f",
    "a letter outside ASCII": "schlüssel",
    "a full-width letter": "\uff4bey",
    "a lone surrogate": "key\ud800",
}
"""Texts that are not 1 to 255 characters of 21..7E, by defect."""

SEALING_CALLS = tuple(
    name for name in SEALING if "asymmetric_encrypt" not in name and "sm2" not in name
)
BARE_CALLS = {
    "asymmetric_decrypt": ("key_id", "key_version_id"),
    "reencrypt (asymmetric)": ("source_key_id", "source_key_version_id"),
}


@pytest.mark.parametrize("provider", [lambda keys: keys, Recorder], ids=["a ring", "a store"])
@pytest.mark.parametrize("text", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
@pytest.mark.parametrize("operation", SEALING_CALLS)
def test_an_invalid_key_id_is_not_found_before_the_provider_is_called(
    operation: str, text: str, provider: Callable[[Keyring], Any], calls: Mapping[str, Call]
) -> None:
    """A provider gets only IDs that a key can have, because it can use them in a query."""
    call = calls[operation]
    name = "destination_key_id" if "reencrypt" in operation else "key_id"
    keys = provider(call.arguments["keys"])
    with raises_exactly(KeyNotFoundError, "1 to 255 printable ASCII characters") as caught:
        call(keys=keys, **{name: text})
    assert text == "" or text not in str(caught.value)
    if isinstance(keys, Recorder):
        assert (text,) not in keys.asked


@pytest.mark.parametrize("text", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
@pytest.mark.parametrize("operation", BARE_CALLS)
def test_invalid_source_ids_are_not_found_before_the_provider_is_called(
    operation: str, text: str, calls: Mapping[str, Call]
) -> None:
    """The key ID is checked before the key version ID, and the provider gets neither."""
    call = calls[operation]
    key_id, key_version_id = BARE_CALLS[operation]
    keys = Recorder(call.arguments["keys"])
    with raises_exactly(KeyVersionNotFoundError, "1 to 255 printable ASCII characters"):
        call(keys=keys, **{key_version_id: text})
    for changes in ({key_id: text}, {key_id: text, key_version_id: text}):
        with raises_exactly(KeyNotFoundError, "1 to 255 printable ASCII characters"):
            call(keys=keys, **changes)
    assert keys.asked == []


def test_a_bulk_destination_with_an_invalid_id_is_not_found() -> None:
    """A bulk job checks its destination ID as a single operation does."""
    keys = Recorder(Keyring([KEY]))
    with raises_exactly(KeyNotFoundError):
        bulk.reencrypt_many(keys, [], "key\n")
    assert keys.asked == []


def test_long_and_unusual_ids_reach_the_provider() -> None:
    """Quotes, percent signs and slashes are valid, as the docstring of `KeyProvider` warns."""
    for key_id in ("k" * 255, "';--", "%2e/..", '"\\`'):
        assert sealing_key(Recorder(Keyring([symmetric(key_id)])), key_id).key_id == key_id


# --- source IDs ---


def test_source_ids_must_equal_the_ids_in_the_header() -> None:
    """A source ID can be missing; otherwise it must equal the ID in the header."""
    raw = BLOB.serialize()
    for good in ((None, None), ("k", None), (None, "v"), ("k", "v")):
        assert V1.read(Keyring([KEY]), raw, good).find_key() is KEY
    for bad in (("v", "k"), ("K", None), (None, "V"), ("k", "x"), ("x", "v"), ("", None)):
        with raises_exactly(IncorrectKeyError, "the ciphertext names another source key"):
            V1.read(Oracle(), raw, bad).find_key()
