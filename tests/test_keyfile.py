"""A keyring as sealed bytes: what goes in comes out, and nothing else does."""

import functools
import hashlib
import os
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import (
    IDS,
    SUITES,
    mutations,
    raises_exactly,
    single_bit_flips,
    symmetric_key,
)

import kmscore
from kmscore import (
    DecryptionError,
    InvalidKeyError,
    Keyring,
    KeySpec,
    KeyState,
    RsaKey,
    Sm2Key,
    Suite,
    SymmetricKey,
    UnsupportedAlgorithmError,
)
from kmscore.keyfile import ScryptParameters, open_keyring, read_parameters, seal_keyring
from kmscore.keyfile.content import decode_keyring, encode_keyring
from kmscore.keyfile.scrypt import derive_key

PASSPHRASE = b"correct horse battery staple"
CHEAP = ScryptParameters(n=1 << 14)
HEADER_LENGTH = 28


def seal(ring: Keyring) -> bytes:
    """Seal with the least work that is allowed."""
    return seal_keyring(ring, PASSPHRASE, parameters=CHEAP)


def described(ring: Keyring) -> list[tuple[Any, ...]]:
    """Return everything about a ring that has to be kept, in order."""
    return [
        (
            key.key_id,
            key.key_version_id,
            key.spec,
            key.state,
            key.suite if isinstance(key, SymmetricKey) else None,
            key.export_material() if isinstance(key, SymmetricKey) else key.private_pem(),
            ring.primary(key.key_id) is key,
        )
        for key in ring
    ]


@pytest.fixture(scope="module")
def ring(rsa_key: RsaKey, sm2_key: Sm2Key) -> Keyring:
    """Return a ring with every suite, both asymmetric kinds, every state, an old primary."""
    symmetric = [symmetric_key(suite, f"key-{suite.value}") for suite in Suite]
    states = [symmetric_key(Suite.SM4_GCM, "many", state, state=state) for state in KeyState]
    off = RsaKey.from_pem("off", "1", rsa_key.private_pem(), state=KeyState.PENDING_DELETION)
    keys = [states[0], *symmetric, rsa_key, *states[1:], sm2_key, off]
    return Keyring(keys, primary={"many": states[1].key_version_id})


@pytest.fixture(scope="module")
def sealed(ring: Keyring) -> bytes:
    """Return that ring sealed."""
    return seal(ring)


@pytest.fixture
def small() -> bytes:
    """Return a sealed ring of one key."""
    return seal(Keyring([symmetric_key(Suite.AES_128_GCM)]))


@pytest.fixture
def remember_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Derive a key only once for the same passphrase, salt and parameters."""
    monkeypatch.setattr("kmscore.keyfile.sealing.derive_key", functools.cache(derive_key))


@pytest.fixture
def no_kdf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test fail if the KDF runs."""
    monkeypatch.setattr(
        "kmscore.keyfile.sealing.derive_key", lambda *_: pytest.fail("the KDF was run")
    )


# --- what goes in comes out ---


def test_everything_about_a_ring_is_kept(ring: Keyring, sealed: bytes) -> None:
    """IDs, spec, suite, state, material, the order of the versions, and which one is primary."""
    opened = open_keyring(sealed, PASSPHRASE)
    assert described(opened) == described(ring)
    assert len({row[3] for row in described(opened)}) == len(KeyState)
    assert opened.primary("many").state is KeyState.DISABLED


def test_an_opened_ring_works(ring: Keyring, sealed: bytes, sm2_key: Sm2Key) -> None:
    """It opens what was sealed before, by suite and by SM2."""
    opened = open_keyring(sealed, PASSPHRASE)
    for suite in Suite:
        blob = kmscore.encrypt(ring, f"key-{suite.value}", b"text").ciphertext_blob
        assert kmscore.decrypt(opened, blob).plaintext == b"text"
    bare = kmscore.asymmetric_encrypt(sm2_key.public_key, "SM2PKE", b"text")
    assert kmscore.asymmetric_decrypt(opened, "sm2", "v1", "SM2PKE", bare).plaintext == b"text"


def test_an_empty_ring_is_a_ring() -> None:
    """It takes 60 bytes."""
    sealed = seal(Keyring([]))
    assert len(sealed) == 60
    assert list(open_keyring(sealed, PASSPHRASE)) == []


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_of_any_kind_are_taken(small: bytes, kind: type) -> None:
    """On both sides, for both arguments."""
    ring = open_keyring(kind(small), kind(PASSPHRASE))
    again = seal_keyring(ring, kind(PASSPHRASE), parameters=CHEAP)
    assert described(open_keyring(again, PASSPHRASE)) == described(ring)


def test_every_write_has_its_own_salt_and_iv(ring: Keyring) -> None:
    """Nothing after the parameters is the same twice."""
    one, two = seal(ring), seal(ring)
    assert one[:12] == two[:12]
    assert one[12:28] != two[12:28]
    assert one[28:40] != two[28:40]
    assert one[40:] != two[40:]


def test_the_default_cost_is_the_documented_one(small: bytes) -> None:
    """128 MiB: n is 2^17, r 8, p 1; other parameters are written and read."""
    assert ScryptParameters() == ScryptParameters(n=131_072, r=8, p=1)
    ring = open_keyring(small, PASSPHRASE)
    assert seal_keyring(ring, PASSPHRASE)[9:12] == bytes([17, 8, 1])
    other = seal_keyring(ring, PASSPHRASE, parameters=ScryptParameters(1 << 15, 2, 3))
    assert other[9:12] == bytes([15, 2, 3])
    assert described(open_keyring(other, PASSPHRASE)) == described(ring)


@st.composite
def rings(draw: st.DrawFn) -> Keyring:
    """Draw rings of symmetric keys."""
    keys: list[SymmetricKey] = []
    for key_id in draw(st.lists(IDS, max_size=3, unique=True)):
        suite = draw(SUITES)
        versions = draw(st.lists(IDS, min_size=1, max_size=3, unique=True))
        keys += [
            symmetric_key(suite, key_id, version, state=draw(st.sampled_from(KeyState)))
            for version in versions
        ]
    primary = {key.key_id: key.key_version_id for key in keys if draw(st.booleans())}
    return Keyring(draw(st.permutations(keys)), primary=primary)


@given(rings())
def test_a_content_gives_back_its_ring(ring: Keyring) -> None:
    """Parsing undoes serialising, and serialising parsing."""
    content = encode_keyring(ring)
    again = decode_keyring(content)
    assert described(again) == described(ring)
    assert encode_keyring(again) == content


@settings(max_examples=300)
@given(st.data(), rings())
def test_a_content_has_one_form(data: st.DataObject, ring: Keyring) -> None:
    """What parses serialises to the same bytes, and what does not is an `InvalidKeyError`."""
    changed = data.draw(mutations(encode_keyring(ring)))
    try:
        parsed = decode_keyring(changed)
    except InvalidKeyError:
        return
    assert encode_keyring(parsed) == changed


# --- by the format's description, without the code ---


def entry(
    spec: int, *versions: bytes, key_id: bytes = b"key", primary: int = 0, count: int | None = None
) -> bytes:
    """Return a key of a content."""
    number = len(versions) if count is None else count
    return b"".join(
        (
            bytes([len(key_id)]),
            key_id,
            bytes([spec]),
            struct.pack(">II", number, primary),
            *versions,
        )
    )


def version(
    name: bytes, material: bytes, state: int = 1, suite: int = 1, length: int | None = None
) -> bytes:
    """Return a key version of a content."""
    number = len(material) if length is None else length
    return b"".join(
        (bytes([len(name)]), name, bytes([state, suite]), struct.pack(">H", number), material)
    )


def content(*keys: bytes, count: int | None = None) -> bytes:
    """Return a content."""
    return struct.pack(">I", len(keys) if count is None else count) + b"".join(keys)


def sealed_by_hand(inside: bytes, *parameters: int) -> bytes:
    """Return the sealed form of any content, made as the format says by other means."""
    log_n, r, p = parameters or (14, 8, 1)
    header = b"KMSRING\x01\x01" + bytes([log_n, r, p]) + os.urandom(16)
    key = hashlib.scrypt(
        PASSPHRASE, salt=header[12:], n=1 << log_n, r=r, p=p, dklen=32, maxmem=1 << 28
    )
    iv = os.urandom(12)
    return header + iv + AESGCM(key).encrypt(iv, inside, header)


KEY = bytes(range(32))
GOOD = content(entry(1, version(b"v1", KEY), version(b"v2", KEY, 2, 5), primary=1))


def test_a_file_made_by_the_description_opens() -> None:
    """The docstring tells all it takes to write one."""
    old, new = open_keyring(sealed_by_hand(GOOD), PASSPHRASE)
    assert isinstance(old, SymmetricKey)
    assert isinstance(new, SymmetricKey)
    assert (old.key_id, old.key_version_id, old.suite) == ("key", "v1", Suite.AES_256_GCM)
    assert (new.key_version_id, new.suite, new.state) == ("v2", Suite.XAES_256_GCM, "Disabled")
    assert old.export_material() == KEY


def test_a_file_opens_by_the_description(ring: Keyring, sealed: bytes) -> None:
    """And to read one."""
    header, iv = sealed[:HEADER_LENGTH], sealed[HEADER_LENGTH:40]
    key = hashlib.scrypt(PASSPHRASE, salt=header[12:], n=1 << 14, r=8, p=1, dklen=32)
    assert AESGCM(key).decrypt(iv, sealed[40:], header) == encode_keyring(ring)


BAD_CONTENTS = {
    "nothing at all": b"",
    "a byte too many": GOOD + b"\x00",
    "a byte too few": GOOD[:-1],
    "a key too many": content(GOOD[4:], count=2),
    "four billion keys": content(GOOD[4:], count=0xFFFFFFFF),
    "a key too few": content(GOOD[4:], count=0),
    "no versions": content(entry(1)),
    "four billion versions": content(entry(1, version(b"v1", KEY), count=0xFFFFFFFF)),
    "a primary version that is not there": content(entry(1, version(b"v1", KEY), primary=1)),
    "a version twice": content(entry(1, version(b"v1", KEY), version(b"v1", KEY))),
    "a key in two parts": content(entry(1, version(b"v1", KEY)), entry(1, version(b"v2", KEY))),
    "versions of two specs": content(
        entry(1, version(b"v1", KEY)), entry(2, version(b"v2", KEY[:24], 1, 2))
    ),
    "an unknown spec": content(entry(9, version(b"v1", KEY))),
    "an unknown state": content(entry(1, version(b"v1", KEY, 5))),
    "an unknown suite": content(entry(1, version(b"v1", KEY, 1, 6))),
    "no suite": content(entry(1, version(b"v1", KEY, 1, 0))),
    "the suite of another spec": content(entry(1, version(b"v1", KEY, 1, 4))),
    "material too short": content(entry(1, version(b"v1", KEY[:31]))),
    "a length past the end": content(entry(1, version(b"v1", KEY, length=33))),
    "an empty key ID": content(entry(1, version(b"v1", KEY), key_id=b"")),
    "a key ID with a space": content(entry(1, version(b"v1", KEY), key_id=b"a b")),
    "a key ID that is not ASCII": content(entry(1, version(b"v1", KEY), key_id=b"\xe9")),
    "an empty version ID": content(entry(1, version(b"", KEY))),
    "RSA that is none": content(entry(5, version(b"v1", KEY, 1, 0))),
    "SM2 that is none": content(entry(8, version(b"v1", KEY, 1, 0))),
}


@pytest.mark.parametrize("name", BAD_CONTENTS)
def test_a_content_that_is_none_is_refused(name: str) -> None:
    """By one who knows the passphrase: `InvalidKeyError`."""
    with raises_exactly(InvalidKeyError):
        open_keyring(sealed_by_hand(BAD_CONTENTS[name]), PASSPHRASE)


def test_asymmetric_keys_have_one_form(rsa_key: RsaKey, sm2_key: Sm2Key) -> None:
    """No suite, the spec that they are of, PKCS#8 as it is written here, and not encrypted."""
    inside = encode_keyring(Keyring([rsa_key]))
    start = len(content(entry(5, key_id=b"rsa-2048"))) + 3
    assert inside[start : start + 2] == b"\x01\x00"
    with_suite = inside[: start + 1] + b"\x01" + inside[start + 2 :]
    other_spec = inside.replace(b"rsa-2048\x05", b"rsa-2048\x06")
    scalar = bytes.fromhex(f"{sm2_key._scalar:064x}")
    sec1 = bytes.fromhex("303102010104 20".replace(" ", "")) + scalar
    sec1 += bytes.fromhex("a00a06082a811ccf5501822d")
    for changed in (with_suite, other_spec, content(entry(8, version(b"v1", sec1, 1, 0)))):
        with raises_exactly(InvalidKeyError):
            decode_keyring(changed)
    assert Sm2Key.from_der("key", "v1", sec1)._scalar == sm2_key._scalar


# --- what does not open ---


@pytest.mark.parametrize("passphrase", [b"", b"wrong", PASSPHRASE[:-1], PASSPHRASE + b" "])
def test_a_wrong_passphrase_is_refused(small: bytes, passphrase: bytes) -> None:
    """`DecryptionError`, which says nothing more."""
    with raises_exactly(DecryptionError):
        open_keyring(small, passphrase)


def test_the_cost_can_be_read_without_spending_it(small: bytes) -> None:
    """It is what it was sealed with; what is out of bounds, or no keyring, is refused."""
    assert read_parameters(small) == read_parameters(bytearray(small)) == CHEAP
    with raises_exactly(InvalidKeyError, "out of bounds"):
        read_parameters(small[:9] + b"\x3f" + small[10:])
    with raises_exactly(InvalidKeyError, "not a sealed keyring"):
        read_parameters(b"")
    with raises_exactly(TypeError, "data must be bytes-like, not str"):
        read_parameters("data")  # type: ignore[arg-type]


@pytest.fixture
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Derive keys that differ for other passphrases, salts and parameters, without any work."""

    def derive(passphrase: bytes, salt: bytes, parameters: ScryptParameters) -> bytes:
        return hashlib.sha256(repr((passphrase, salt, parameters)).encode()).digest()

    monkeypatch.setattr("kmscore.keyfile.sealing.derive_key", derive)


@pytest.mark.usefixtures("quick_keys")
def test_every_bit_counts(small: bytes) -> None:
    """Changed, it gives the error of a wrong passphrase, or does not even parse."""
    assert len(list(open_keyring(small, PASSPHRASE))) == 1
    parameters = range(9, 12)
    for index, changed in enumerate(single_bit_flips(small)):
        with pytest.raises((DecryptionError, InvalidKeyError)) as caught:
            open_keyring(changed, PASSPHRASE)
        if index // 8 >= 12:
            assert type(caught.value) is DecryptionError
        elif index // 8 not in parameters:
            assert type(caught.value) is InvalidKeyError


@pytest.mark.usefixtures("remember_keys")
def test_every_truncation_is_refused(small: bytes) -> None:
    """And so is anything appended."""
    for length in range(len(small)):
        with pytest.raises((DecryptionError, InvalidKeyError)) as caught:
            open_keyring(small[:length], PASSPHRASE)
        assert type(caught.value) is (InvalidKeyError if length < 56 else DecryptionError)
    with raises_exactly(DecryptionError):
        open_keyring(small + b"\x00", PASSPHRASE)


def test_parameters_are_sealed_with_the_rest(small: bytes) -> None:
    """A file whose key was derived with others than it says does not open."""
    key = derive_key(PASSPHRASE, small[12:28], CHEAP)
    plain = AESGCM(key).decrypt(small[28:40], small[40:], small[:28])
    key = derive_key(PASSPHRASE, small[12:28], ScryptParameters(1 << 14, 8, 2))
    forged_header = small[:11] + b"\x02" + small[12:28]
    forged = forged_header + small[28:40] + AESGCM(key).encrypt(small[28:40], plain, small[:28])
    with raises_exactly(DecryptionError):
        open_keyring(forged, PASSPHRASE)


@pytest.mark.usefixtures("no_kdf")
@pytest.mark.parametrize(
    ("offset", "value", "text"),
    [
        (0, b"kmsring", "magic"),
        (7, b"\x00", "format version 0"),
        (7, b"\x02", "format version 2"),
        (8, b"\x00", "KDF 00"),
        (8, b"\x02", "KDF 02"),
        (9, bytes([13, 8, 1]), "out of bounds"),
        (9, bytes([21, 8, 1]), "out of bounds"),
        (9, bytes([255, 255, 255]), "out of bounds"),
        (9, bytes([24, 32, 1]), "out of bounds"),  # 64 GB
        (9, bytes([20, 9, 1]), "out of bounds"),  # a little over 1 GiB
        (9, bytes([14, 0, 1]), "out of bounds"),
        (9, bytes([14, 33, 1]), "out of bounds"),
        (9, bytes([14, 8, 0]), "out of bounds"),
        (9, bytes([14, 8, 17]), "out of bounds"),
        (9, bytes([20, 8, 5]), "out of bounds"),  # within 1 GiB, and too much work
        (0, b"", "at most 67108864"),
    ],
)
def test_what_is_out_of_bounds_is_refused_before_the_kdf_runs(
    offset: int, value: bytes, text: str
) -> None:
    """The message says what is wrong."""
    raw = sealed_by_hand(GOOD)
    changed = raw[:offset] + value + raw[offset + len(value) :] if value else raw + bytes(1 << 26)
    with raises_exactly(InvalidKeyError, text):
        open_keyring(changed, PASSPHRASE)


def test_parameters_are_checked_when_they_are_made() -> None:
    """Every bound, from both sides."""
    for good in ((1 << 14, 1, 1), (1 << 20, 8, 4), (1 << 18, 32, 4), (1 << 14, 32, 16)):
        assert ScryptParameters(*good).n == good[0]
    for bad in (
        *((1 << 13, 8, 1), (1 << 21, 1, 1), (3 << 14, 8, 1), (0, 8, 1), (-1, 8, 1)),
        *((1 << 14, 0, 1), (1 << 14, 33, 1), (1 << 14, 1, 0), (1 << 14, 1, 17)),
        *((1 << 20, 9, 1), (1 << 20, 8, 5), (1 << 18, 32, 5)),
    ):
        with raises_exactly(InvalidKeyError, "bounds"):
            ScryptParameters(*bad)
    for wrong in ({"n": "16384"}, {"r": 8.0}, {"p": True}):
        with raises_exactly(TypeError):
            ScryptParameters(**wrong)  # type: ignore[arg-type]


def test_a_ring_that_is_too_long_is_not_sealed(
    small: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sealed can be opened: the bound is the same on both sides."""
    ring = open_keyring(small, PASSPHRASE)
    monkeypatch.setattr("kmscore.keyfile.sealing.MAX_LENGTH", len(small))
    assert len(seal(ring)) == len(small)
    monkeypatch.setattr("kmscore.keyfile.sealing.MAX_LENGTH", len(small) - 1)
    with raises_exactly(InvalidKeyError, "at most"):
        seal(ring)
    with raises_exactly(InvalidKeyError, "at most"):
        open_keyring(small, PASSPHRASE)


@pytest.mark.parametrize("passphrase", [b"", b"\x00", bytes(64)])
def test_an_empty_passphrase_seals_nothing(passphrase: bytes) -> None:
    """It is somebody's mistake; to scrypt zero bytes at the end are none."""
    with raises_exactly(InvalidKeyError, "passphrase"):
        seal_keyring(Keyring([]), passphrase)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (seal_keyring, ([], PASSPHRASE)),
        (seal_keyring, (Keyring([]), "passphrase")),
        (seal_keyring, (Keyring([]), None)),
        (functools.partial(seal_keyring, parameters=(1 << 14, 8, 1)), (Keyring([]), PASSPHRASE)),
        (open_keyring, ("data", PASSPHRASE)),
        (open_keyring, (b"", "passphrase")),
    ],
)
def test_a_wrong_type_is_the_callers_mistake(
    function: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    """`TypeError`, first of all."""
    with raises_exactly(TypeError):
        function(*arguments)


def test_a_build_without_scrypt_says_so(small: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """`UnsupportedAlgorithmError`, in both directions."""

    def refuse(*_: object) -> None:
        raise UnsupportedAlgorithm("no scrypt")

    monkeypatch.setattr("kmscore.keyfile.scrypt.Scrypt", refuse)
    for call in (lambda: open_keyring(small, PASSPHRASE), lambda: seal(Keyring([]))):
        with raises_exactly(UnsupportedAlgorithmError, "scrypt"):
            call()


# --- known answers, and what must not be seen ---


def test_the_kdf_is_the_published_one(count_known_answers: Callable[..., None]) -> None:
    """RFC 7914 section 12, the first 32 of its 64 bytes: scrypt's last step counts in blocks."""
    derived = derive_key(b"pleaseletmein", b"SodiumChloride", ScryptParameters(1 << 14, 8, 1))
    assert derived.hex() == "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    count_known_answers("RFC 7914: scrypt")


def frames(error: BaseException) -> Iterator[str]:
    """Yield what the library's frames hold, as an error reporter shows it."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__", "").startswith("kmscore"):
            yield repr(trace.tb_frame.f_locals)
        trace = trace.tb_next


SECRET = bytes(range(0x41, 0x61))


@pytest.mark.parametrize(
    "inside",
    [
        content(entry(1, version(b"v1", SECRET))) + b"!",
        content(entry(1, version(b"v1", SECRET), version(b"v2", SECRET[:-1]))),
        content(entry(1, version(SECRET + b" ", SECRET))),
        content(entry(5, version(b"v1", SECRET, 1, 0))),
        content(entry(4, version(b"v1", SECRET[:16], 1, 4))),
    ],
)
def test_an_error_shows_no_material(inside: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in its message, not behind it, not in the frames that it came through."""
    raw = sealed_by_hand(inside)

    def refuse(*_: object) -> None:
        raise UnsupportedAlgorithmError("no SM4")

    monkeypatch.setattr("kmscore.aead._sm4_gcm", refuse)
    monkeypatch.setattr("kmscore.aead._SEALERS", {**kmscore.aead._SEALERS, Suite.SM4_GCM: refuse})
    with pytest.raises((InvalidKeyError, UnsupportedAlgorithmError)) as caught:
        open_keyring(raw, PASSPHRASE)
    key = derive_key(PASSPHRASE, raw[12:28], CHEAP)
    error = caught.value
    assert error.__cause__ is error.__context__ is None
    for shown in (repr(error), str(error), *frames(error)):
        assert SECRET[:8].decode() not in shown
        assert repr(key)[2:-1] not in shown


def test_a_refusal_shows_no_key(small: bytes) -> None:
    """The frames of a failed opening hold what the caller had, and not the derived key."""
    other = small[:-1] + bytes([small[-1] ^ 1])
    with pytest.raises(DecryptionError) as caught:
        open_keyring(other, PASSPHRASE)
    key = derive_key(PASSPHRASE, small[12:28], CHEAP)
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert list(frames(caught.value))
    assert all(repr(key)[2:-1] not in shown for shown in frames(caught.value))


@pytest.mark.parametrize("error", [InvalidKeyError, UnsupportedAlgorithmError])
def test_a_refusal_to_seal_shows_no_material(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the ring is too long or there is no scrypt."""

    def refuse(*_: object) -> None:
        raise UnsupportedAlgorithm("no scrypt")

    ring = Keyring([SymmetricKey("key", "v1", KeySpec.AES_256, SECRET)])
    if error is InvalidKeyError:
        monkeypatch.setattr("kmscore.keyfile.sealing.MAX_LENGTH", 60)
    else:
        monkeypatch.setattr("kmscore.keyfile.scrypt.Scrypt", refuse)
    with pytest.raises(error) as caught:
        seal(ring)
    assert list(frames(caught.value))
    assert all(SECRET[:8].decode() not in shown for shown in frames(caught.value))


def test_a_sealed_ring_shows_nothing(sealed: bytes, ring: Keyring) -> None:
    """No ID, no material: what can be read is the KDF's name, salt and parameters."""
    for key in ring:
        assert key.key_id.encode() not in sealed
        if isinstance(key, SymmetricKey):
            assert key.export_material() not in sealed
