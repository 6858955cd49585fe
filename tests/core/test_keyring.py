"""The in-memory keyring: lookup of versions, rejected arguments, and the short path."""

import copy
import pickle
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.strategies import (
    IDS,
    SUITE_SPECS,
    SUITES,
    mutations,
    raises_exactly,
    single_bit_flips,
    symmetric_key,
)

from kmscore import (
    CiphertextBlob,
    InvalidBlobError,
    InvalidKeyError,
    Key,
    KeyNotFoundError,
    KeyProvider,
    Keyring,
    KeySpec,
    KeyState,
    KeyVersionNotFoundError,
    RsaKey,
    Sm2Key,
    Suite,
    SymmetricKey,
)

XAES = Suite.XAES_256_GCM


def make(key_id: str = "a", key_version_id: str = "1", suite: Suite = XAES) -> SymmetricKey:
    """Return a new symmetric key."""
    return symmetric_key(suite, key_id, key_version_id)


A1, A2, A3, B1 = make("a", "1"), make("a", "2"), make("a", "3"), make("b", "1", Suite.SM4_GCM)
C1 = make("c", "1")


# --- lookup of versions ---


def test_the_last_version_in_the_arguments_is_primary() -> None:
    """For each key ID, the last version in the arguments is the primary version."""
    ring = Keyring([A2, B1, A3, A1])
    assert ring.primary("a") is A1
    assert ring.primary("b") is B1


def test_primary_overrides_the_order_of_versions() -> None:
    """`primary` can choose any version of a key, and the other keys keep their primary version."""
    for chosen in (A1, A2, A3):
        ring = Keyring([A1, A2, A3, B1], primary={"a": chosen.key_version_id})
        assert ring.primary("a") is chosen
        assert ring.primary("b") is B1


def test_every_version_is_found_by_its_ids(rsa_key: RsaKey, sm2_key: Sm2Key) -> None:
    """`version` returns the same object for keys of all kinds and states."""
    disabled = SymmetricKey("a", "off", KeySpec.AES_256, bytes(32), state=KeyState.DISABLED)
    keys = [A1, A2, disabled, B1, rsa_key, sm2_key]
    ring = Keyring(keys)
    for key in keys:
        assert ring.version(key.key_id, key.key_version_id) is key
    provider: KeyProvider = ring
    assert provider.primary("a") is disabled


@pytest.mark.parametrize("key_id", ["", "A", "aa", "a ", "\u00e4", "1"])
def test_an_unknown_key_is_not_found(key_id: str) -> None:
    """IDs are compared exactly, and the error contains the ID."""
    ring = Keyring([A1, A2])
    with raises_exactly(KeyNotFoundError, repr(key_id)):
        ring.primary(key_id)
    with raises_exactly(KeyNotFoundError, repr(key_id)):
        ring.version(key_id, "1")


@pytest.mark.parametrize("key_version_id", ["", "3", "11", "1 ", "a"])
def test_an_unknown_version_is_not_found(key_version_id: str) -> None:
    """A version of one key is not found under another key."""
    ring = Keyring([A1, A2, make("b", "3")])
    with raises_exactly(KeyVersionNotFoundError, repr(key_version_id)):
        ring.version("a", key_version_id)


def test_an_error_shortens_a_long_id() -> None:
    """An error contains an ID of up to 255 characters in full, and shortens a longer one."""
    ring = Keyring([A1])
    with raises_exactly(KeyNotFoundError, "k" * 255):
        ring.primary("k" * 255)
    with pytest.raises(KeyNotFoundError) as first:
        ring.primary("\n" * 10**6)
    with pytest.raises(KeyVersionNotFoundError) as second:
        ring.version("a", "\n" * 10**6)
    assert max(len(str(first.value)), len(str(second.value))) < 600
    assert "\n" not in str(first.value) + str(second.value)


def test_an_empty_keyring_has_no_keys() -> None:
    """An empty keyring is valid: every lookup fails, and it contains no key versions."""
    ring = Keyring([])
    assert (len(ring), list(ring)) == (0, [])
    assert ring._find_opener(sealed(A1)) is None
    with raises_exactly(KeyNotFoundError):
        ring.primary("a")


# --- rejected arguments ---


@pytest.mark.parametrize(
    ("primary", "error"),
    [
        ({"x": "1"}, KeyNotFoundError),
        ({"": "1"}, KeyNotFoundError),
        ({"a": "3"}, KeyVersionNotFoundError),
        ({"a": ""}, KeyVersionNotFoundError),
        ({"b": "2"}, KeyVersionNotFoundError),
        ({"a": "1", "x": "1"}, KeyNotFoundError),
    ],
)
def test_primary_with_an_unknown_id_is_rejected(
    primary: Mapping[str, str], error: type[Exception]
) -> None:
    """A missing key and a missing version raise different errors."""
    with raises_exactly(error):
        Keyring([A1, A2, B1], primary=primary)


@pytest.mark.parametrize("wrong", ["a", [("a", "1")], 5, True, ("a", "1")], ids=repr)
def test_primary_that_is_not_a_mapping_is_a_type_error(wrong: Any) -> None:
    """A `primary` that is not a mapping raises `TypeError`."""
    with raises_exactly(TypeError, "primary must be Mapping"):
        Keyring([A1], primary=wrong)


def test_a_repeated_version_is_rejected(rsa_key: RsaKey) -> None:
    """The same key twice, or two keys with the same IDs, are rejected; the error has the IDs."""
    for again in (A1, make("a", "1"), make("a", "1", Suite.AES_256_GCM)):
        for keys in ([A1, again], [A1, A2, B1, again]):
            with raises_exactly(InvalidKeyError, "version 1 of key a occurs twice"):
                Keyring(keys)
    with raises_exactly(InvalidKeyError, "twice"):
        Keyring([rsa_key, rsa_key])


def test_versions_with_different_specs_are_rejected(rsa_key: RsaKey) -> None:
    """All versions of a key have the same spec, because a rotation does not change the spec."""
    for other in (make("a", "9", Suite.SM4_GCM), make("a", "9", Suite.AES_128_GCM)):
        with raises_exactly(InvalidKeyError, "key a are of two specs"):
            Keyring([A1, A2, other])
    with raises_exactly(InvalidKeyError, "two specs"):
        Keyring([rsa_key, make(rsa_key.key_id, "2")])


def test_versions_with_different_suites_are_accepted() -> None:
    """One key can have versions with AES_256_GCM and with XAES_256_GCM."""
    old = make("a", "0", Suite.AES_256_GCM)
    ring = Keyring([old, A1])
    assert ring.primary("a") is A1
    assert ring._find_opener(sealed(old)) is old


MATERIAL = bytes(range(100, 132))


def of_material(key_id: str, version: str, suite: Suite, **options: Any) -> SymmetricKey:
    """Return a key whose material is the start of `MATERIAL`, a test key."""
    material = MATERIAL[: suite.key_length]
    return SymmetricKey(key_id, version, SUITE_SPECS[suite], material, suite=suite, **options)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (of_material("a", "1", XAES), of_material("a", "2", Suite.AES_256_GCM)),
        (of_material("a", "1", Suite.AES_256_GCM), of_material("b", "1", XAES)),
        (of_material("a", "1", Suite.SM4_GCM), of_material("b", "1", Suite.AES_128_GCM)),
        (
            of_material("a", "1", XAES, state=KeyState.DISABLED),
            of_material("a", "2", Suite.AES_256_GCM),
        ),
    ],
    ids=["one key", "two keys", "two block ciphers", "a disabled version"],
)
def test_the_same_material_with_two_suites_is_rejected(
    first: SymmetricKey, second: SymmetricKey
) -> None:
    """The error has the IDs of the later version; neither it nor its frames have the material."""
    for keys, named in (([first, second], second), ([second, C1, first], first)):
        with raises_exactly(InvalidKeyError, "bound to another suite") as caught:
            Keyring(keys)
        assert f"version {named.key_version_id} of key {named.key_id}" in str(caught.value)
        assert MATERIAL[:16] not in frames_of(caught.value)
    with raises_exactly(InvalidKeyError, "bound to another suite"):
        Keyring([first]).with_version(second)


def frames_of(error: BaseException) -> bytes:
    """Return all bytes to which local variables of the library in the error's traceback refer."""
    found = []
    trace = error.__traceback__
    while trace:
        if trace.tb_frame.f_globals["__name__"].startswith("kmscore"):
            values = [*trace.tb_frame.f_locals.values()]
            values += [key for value in values if isinstance(value, dict) for key in value]
            found += [value for value in values if isinstance(value, bytes)]
        trace = trace.tb_next
    return b"".join(found)


def test_the_same_material_with_one_suite_is_accepted() -> None:
    """Two keys can have the same material if they have the same suite."""
    ring = Keyring([of_material("a", "1", XAES), of_material("b", "1", XAES)])
    assert len(ring) == 2


class _Odd(str):
    """A `str` with a different hash, so that a dictionary of plain strings does not find it."""

    __slots__ = ()

    def __hash__(self) -> int:
        return 7


def test_primary_stores_ids_as_plain_text() -> None:
    """An ID of a `str` subclass chooses the version, but the keyring stores plain text."""
    ring = Keyring([A1, A2], primary={_Odd("a"): _Odd("1")})
    assert ring.primary("a") is A1
    assert [type(key_id) for key_id in ring._primaries] == [str]


def test_an_item_that_is_not_a_key_is_a_type_error(rsa_key: RsaKey) -> None:
    """A public key, a keyring and bytes are not keys, and raise `TypeError`."""
    wrong: Any
    for wrong in (None, "a", b"material", rsa_key.public_key, Keyring([A1]), object(), {"a": A1}):
        with raises_exactly(TypeError, "a key must be SymmetricKey, RsaKey or Sm2Key"):
            Keyring([A1, wrong])
        with raises_exactly(TypeError, "a key must be SymmetricKey, RsaKey or Sm2Key"):
            Keyring([A1]).with_version(wrong)


@pytest.mark.parametrize("wrong", [None, 5, A1])
def test_keys_that_are_not_iterable_are_a_type_error(wrong: Any) -> None:
    """A single key in place of an iterable raises `TypeError`."""
    with raises_exactly(TypeError):
        Keyring(wrong)


# --- the keyring as a value ---


def test_with_version_adds_the_primary_version() -> None:
    """The new keyring has one more version, as primary; other keys keep their primary version."""
    ring = Keyring([A1, A2, B1], primary={"a": "1"})
    rotated = ring.with_version(A3)
    assert list(rotated) == [A1, A2, A3, B1]
    assert (rotated.primary("a"), rotated.primary("b")) == (A3, B1)
    other = rotated.with_version(make("b", "2", Suite.SM4_GCM))
    assert other.primary("a") is A3
    assert (ring.primary("a"), len(ring)) == (A1, 3)
    assert Keyring([A1, A2], primary={"a": "1"}).with_version(B1).primary("a") is A1
    assert Keyring([]).with_version(A1).primary("a") is A1


def test_with_version_rejects_the_same_keys_as_the_constructor() -> None:
    """A repeated version or another spec raises an error, and the keyring does not change."""
    ring = Keyring([A1, A2])
    with raises_exactly(InvalidKeyError, "twice"):
        ring.with_version(A1)
    with raises_exactly(InvalidKeyError, "two specs"):
        ring.with_version(make("a", "9", Suite.SM4_GCM))
    assert list(ring) == [A1, A2]


def test_a_keyring_can_be_iterated_repeatedly() -> None:
    """Every iteration gives the versions of one key together, in the order of the arguments."""
    ring = Keyring(iter([A2, B1, A1, A3]))
    assert list(ring) == list(ring) == [A2, A1, A3, B1]
    assert len(ring) == 4
    assert A1 in ring
    assert make("a", "1") not in ring


def test_the_repr_shows_numbers_only() -> None:
    """The `repr` shows the numbers of keys and versions, and no IDs."""
    assert repr(Keyring([A1, A2, B1])) == "<Keyring keys=2 versions=3>"
    assert repr(Keyring([])) == "<Keyring keys=0 versions=0>"


def test_a_keyring_is_immutable() -> None:
    """Neither its attributes nor the arguments of its constructor can change a keyring."""
    keys, primary = [A1, A2], {"a": "1"}
    ring = Keyring(keys, primary=primary)
    keys += [A3, B1]
    primary["a"] = "2"
    assert (list(ring), ring.primary("a")) == ([A1, A2], A1)
    for name in ("_versions", "_primaries", "_find_opener", "_find_sealer", "new"):
        with raises_exactly(AttributeError, "Keyring is immutable"):
            setattr(ring, name, {})
    with raises_exactly(AttributeError, "Keyring is immutable"):
        del ring._versions
    assert list(ring) == [A1, A2]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("keys", [[A1], []], ids=["one key", "empty"])
def test_a_keyring_is_not_pickled_or_copied(keys: list[Key], protocol: int) -> None:
    """The error names `Keyring`, and an empty keyring is rejected too."""
    ring = Keyring(keys)
    with raises_exactly(TypeError, "Keyring holds key material"):
        pickle.dumps(ring, protocol)
    for way in (copy.copy, copy.deepcopy):
        with raises_exactly(TypeError, "Keyring holds key material"):
            way(ring)


@pytest.mark.parametrize("primary", [{"a": 1}, {1: "1"}, {"a": None}])
def test_primary_with_an_id_that_is_not_text_is_a_type_error(primary: Any) -> None:
    """An ID that is not a `str` raises `TypeError`."""
    with raises_exactly(TypeError):
        Keyring([A1], primary=primary)


# --- the short path ---


def sealed(key: SymmetricKey, plaintext_length: int = 0) -> bytes:
    """Return bytes that have the form of a blob of `key`."""
    body = bytes(key.suite.iv_length + plaintext_length + 16)
    return key.header + body


def assert_agreement(ring: Keyring, data: bytes) -> SymmetricKey | None:
    """Return the result of the short path, after a comparison with the result of the parser.

    The short path finds a key if and only if the bytes parse and their ciphertext is not too long.
    The keyring must also have that version, enabled and bound to that suite.
    """
    found = ring._find_opener(data)
    expected = None
    try:
        blob = CiphertextBlob.parse(data)
        key = ring.version(blob.key_id, blob.key_version_id)
    except (InvalidBlobError, KeyNotFoundError, KeyVersionNotFoundError):
        pass
    else:
        assert blob.serialize() == data
        usable = isinstance(key, SymmetricKey) and key.state is KeyState.ENABLED
        if usable and key.suite is blob.suite and len(blob.ciphertext) <= 6144:
            expected = key
    assert found is expected
    return found


# The length bytes of IDs with 33 to 35 bytes are characters of IDs: `!`, `"` and `#`.
POOL_IDS = ["a", "!", '"', "!!", "a" * 33, "!" * 33, "!" * 34, '"' * 35, "a!", "~" * 254, "~" * 255]
POOL = [
    make(key_id, key_version_id, suite)
    for key_id in POOL_IDS
    for key_version_id in POOL_IDS
    for suite in Suite
]


@st.composite
def rings(draw: st.DrawFn) -> Keyring:
    """Draw keyrings whose headers are as similar as possible."""
    keys = draw(st.lists(st.sampled_from(POOL), max_size=6))
    by_ids: dict[tuple[str, str], SymmetricKey] = {}
    spec_of: dict[str, KeySpec] = {}
    for key in keys:
        if spec_of.setdefault(key.key_id, key.spec) is key.spec:
            by_ids.setdefault((key.key_id, key.key_version_id), key)
    return Keyring(by_ids.values())


@st.composite
def rings_and_bytes(draw: st.DrawFn) -> tuple[Keyring, bytes]:
    """Draw a keyring, and a blob of one of its keys or of another key, changed or unchanged."""
    ring = draw(rings())
    key = draw(st.sampled_from([*ring] or POOL) | st.sampled_from(POOL))
    assert isinstance(key, SymmetricKey)
    header = key.header
    if draw(st.booleans()):
        header = draw(mutations(header))
    return ring, header + draw(st.binary(max_size=60))


@given(rings_and_bytes())
def test_the_fast_path_and_the_parser_agree_on_blobs(drawn: tuple[Keyring, bytes]) -> None:
    """The short path and the parser have the same result for valid and nearly valid blobs."""
    assert_agreement(*drawn)


@given(rings(), st.binary(max_size=120), st.booleans())
@example(Keyring([A1]), b"", False)
@example(Keyring([A1]), b"KMS\x01\x05", False)
@example(Keyring([A1]), b"KMS\x01\x05\x01a", False)
def test_the_fast_path_and_the_parser_agree_on_random_bytes(
    ring: Keyring, data: bytes, prefixed: bool
) -> None:
    """Random bytes are not accepted as a blob, and the short path raises no error for them."""
    assert_agreement(ring, b"KMS\x01" + data if prefixed else data)


@given(IDS, IDS, SUITES, st.binary(max_size=40))
def test_the_fast_path_finds_the_key_of_every_blob(
    key_id: str, key_version_id: str, suite: Suite, body: bytes
) -> None:
    """The short path finds the key of every blob of the keyring, for all IDs."""
    key = SymmetricKey(
        key_id, key_version_id, SUITE_SPECS[suite], bytes(suite.key_length), suite=suite
    )
    ring = Keyring([A1, key] if key_id != "a" else [key])
    assert assert_agreement(ring, sealed(key) + body) is key


@pytest.mark.parametrize("key", [A1, B1, make("!" * 33, '"' * 34), make("a" * 255, "b" * 255)])
def test_the_fast_path_and_the_parser_agree_on_every_change(key: SymmetricKey) -> None:
    """The results agree for truncations, flipped bits of the header and changed lengths."""
    ring = Keyring([key, make("other")])
    whole = sealed(key, 3)
    shortest = len(sealed(key))
    for length in range(len(whole) + 1):
        assert (assert_agreement(ring, whole[:length]) is key) == (length >= shortest)
    for changed in single_bit_flips(key.header):
        assert assert_agreement(ring, changed + whole[len(key.header) :]) is not key
    for place in range(len(key.header)):
        assert_agreement(ring, whole[:place] + whole[place + 1 :])
        assert_agreement(ring, whole[:place] + b"!" + whole[place:])


@pytest.mark.parametrize("key", [A1, B1, make("a" * 255, "b" * 255)])
@pytest.mark.parametrize("length", [6143, 6144, 6145, 6702, 13402])
def test_the_fast_path_accepts_at_most_6144_bytes(key: SymmetricKey, length: int) -> None:
    """The short path accepts a ciphertext of at most 6,144 bytes."""
    data = sealed(key, length)
    assert (assert_agreement(Keyring([key]), data) is key) == (length <= 6144)


def test_the_fast_path_compares_the_whole_header() -> None:
    """The same IDs with another suite, or divided at another place, give another header."""
    ring = Keyring([make("ab", "c", Suite.AES_256_GCM)])
    for other in (make("ab", "c"), make("a", "bc", Suite.AES_256_GCM)):
        assert assert_agreement(ring, sealed(other)) is None


def test_asymmetric_keys_have_no_header(rsa_key: RsaKey, sm2_key: Sm2Key) -> None:
    """A blob with the IDs of an RSA or SM2 key is left to the parser and the later checks."""
    ring = Keyring([rsa_key, sm2_key, A1])
    for key in (rsa_key, sm2_key):
        assert assert_agreement(ring, sealed(make(key.key_id, key.key_version_id))) is None
    assert assert_agreement(ring, sealed(A1)) is A1


@pytest.mark.parametrize("state", KeyState)
def test_the_fast_path_finds_enabled_keys_only(state: KeyState) -> None:
    """A key in any other state is left to the later checks, which raise the error."""
    key = SymmetricKey("a", "1", KeySpec.AES_256, bytes(32), state=state)
    ring = Keyring([A2, key])
    found = key if state is KeyState.ENABLED else None
    assert assert_agreement(ring, sealed(key)) is found
    assert ring._find_sealer("a") is found
    assert ring.primary("a") is key


def test_only_a_symmetric_primary_version_encrypts(rsa_key: RsaKey) -> None:
    """The short path encrypts with the primary version if that is a symmetric key."""
    ring = Keyring([A1, A2, B1, rsa_key], primary={"a": "1"})
    assert (ring._find_sealer("a"), ring._find_sealer("b")) == (A1, B1)
    assert ring._find_sealer(rsa_key.key_id) is ring._find_sealer("x") is None
