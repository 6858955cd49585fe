"""A keyring as sealed bytes: round trip, format, rejected files, and secrets in errors."""

import functools
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from hypothesis import given
from hypothesis import strategies as st
from support import hostile_keys
from support.keyfile_writer import (
    CHEAP,
    COMMITMENT,
    IV,
    PASSPHRASE,
    SALT,
    SEALED,
    content,
    entry,
    remembered,
    version,
    write,
)
from support.samples import examples
from support.strategies import (
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


def seal(ring: Keyring) -> bytes:
    """Seal with the lowest allowed cost."""
    return seal_keyring(ring, PASSPHRASE, parameters=CHEAP)


def described(ring: Keyring) -> list[tuple[Any, ...]]:
    """Return all properties of a keyring that a file must keep, in order."""
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
    """Return a keyring with every suite, both asymmetric kinds, every state, an old primary."""
    symmetric = [symmetric_key(suite, f"key-{suite.value}") for suite in Suite]
    states = [symmetric_key(Suite.SM4_GCM, "many", state, state=state) for state in KeyState]
    off = RsaKey.from_pem("off", "1", rsa_key.private_pem(), state=KeyState.PENDING_DELETION)
    keys = [states[0], *symmetric, rsa_key, *states[1:], sm2_key, off]
    return Keyring(keys, primary={"many": states[1].key_version_id})


@pytest.fixture(scope="module")
def sealed(ring: Keyring) -> bytes:
    """Return that keyring, sealed."""
    return seal(ring)


@pytest.fixture
def small() -> bytes:
    """Return a sealed keyring of one key."""
    return seal(Keyring([symmetric_key(Suite.AES_128_GCM)]))


@pytest.fixture
def remember_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Derive a key only once for the same passphrase, salt and parameters."""
    monkeypatch.setattr("kmscore.keyfile.sealing.derive_key", remembered)


@pytest.fixture
def no_kdf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the test fail if the KDF runs."""
    monkeypatch.setattr(
        "kmscore.keyfile.sealing.derive_key", lambda *_: pytest.fail("the KDF was run")
    )


# --- round trip ---


def test_all_properties_of_a_keyring_are_kept(ring: Keyring, sealed: bytes) -> None:
    """IDs, spec, suite, state, material, order of versions and primary versions are kept."""
    opened = open_keyring(sealed, PASSPHRASE)
    assert described(opened) == described(ring)
    assert len({row[3] for row in described(opened)}) == len(KeyState)
    assert opened.primary("many").state is KeyState.DISABLED


def test_an_opened_keyring_decrypts(ring: Keyring, sealed: bytes, sm2_key: Sm2Key) -> None:
    """The opened keyring decrypts earlier blobs of every suite and earlier SM2 ciphertexts."""
    opened = open_keyring(sealed, PASSPHRASE)
    for suite in Suite:
        blob = kmscore.encrypt(ring, f"key-{suite.value}", b"text").ciphertext_blob
        assert kmscore.decrypt(opened, blob).plaintext == b"text"
    bare = kmscore.asymmetric_encrypt(sm2_key.public_key, "SM2PKE", b"text")
    assert kmscore.asymmetric_decrypt(opened, "sm2", "v1", "SM2PKE", bare).plaintext == b"text"


def test_an_empty_keyring_takes_92_bytes() -> None:
    """An empty keyring can be sealed and opened, and takes 92 bytes."""
    sealed = seal(Keyring([]))
    assert len(sealed) == 92
    assert list(open_keyring(sealed, PASSPHRASE)) == []


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_like_arguments_are_accepted(small: bytes, kind: type) -> None:
    """Data and passphrase can be any bytes-like object, for sealing and for opening."""
    ring = open_keyring(kind(small), kind(PASSPHRASE))
    again = seal_keyring(ring, kind(PASSPHRASE), parameters=CHEAP)
    assert described(open_keyring(again, PASSPHRASE)) == described(ring)


def test_every_file_has_its_own_salt_and_iv(ring: Keyring) -> None:
    """Two files of one keyring differ in salt, in IV and in the bytes after them."""
    one, two = seal(ring), seal(ring)
    assert one[:12] == two[:12]
    for field in (SALT, COMMITMENT, IV, SEALED):
        assert one[field] != two[field]


def test_the_default_cost_is_the_documented_one(small: bytes) -> None:
    """The default cost is 128 MiB (n is 2^17, r 8, p 1); other parameters are kept."""
    assert ScryptParameters() == ScryptParameters(n=131_072, r=8, p=1)
    ring = open_keyring(small, PASSPHRASE)
    assert seal_keyring(ring, PASSPHRASE)[9:12] == bytes([17, 8, 1])
    other = seal_keyring(ring, PASSPHRASE, parameters=ScryptParameters(1 << 15, 4, 3))
    assert other[9:12] == bytes([15, 4, 3])
    assert described(open_keyring(other, PASSPHRASE)) == described(ring)


@st.composite
def rings(draw: st.DrawFn) -> Keyring:
    """Draw keyrings of symmetric keys."""
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
def test_content_round_trip_returns_the_keyring(ring: Keyring) -> None:
    """Parsing and serialising are inverse operations."""
    content = encode_keyring(ring)
    again = decode_keyring(content)
    assert described(again) == described(ring)
    assert encode_keyring(again) == content


@examples(300)
@given(st.data(), rings())
def test_a_content_has_one_form(data: st.DataObject, ring: Keyring) -> None:
    """Changed bytes are rejected with `InvalidKeyError`, or they serialise to the same bytes."""
    changed = data.draw(mutations(encode_keyring(ring)))
    try:
        parsed = decode_keyring(changed)
    except InvalidKeyError:
        return
    assert encode_keyring(parsed) == changed


# --- the format's description, implemented without the code of the library ---


KEY = bytes(range(32))
OTHER_KEY = bytes(range(32, 64))
GOOD = content(entry(1, version(b"v1", KEY), version(b"v2", OTHER_KEY, 2, 5), primary=1))


def test_a_file_written_by_the_description_opens() -> None:
    """A file that is written by the format's description opens."""
    old, new = open_keyring(write(GOOD).data, PASSPHRASE)
    assert isinstance(old, SymmetricKey)
    assert isinstance(new, SymmetricKey)
    assert (old.key_id, old.key_version_id, old.suite) == ("key", "v1", Suite.AES_256_GCM)
    assert (new.key_version_id, new.suite, new.state) == ("v2", Suite.XAES_256_GCM, "Disabled")
    assert old.export_material() == KEY


def test_a_sealed_file_follows_the_description(ring: Keyring, sealed: bytes) -> None:
    """A sealed file equals the file that the format's description gives."""
    assert write(encode_keyring(ring), salt=sealed[SALT], iv=sealed[IV]).data == sealed


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
def test_a_wrong_content_is_rejected(name: str) -> None:
    """A wrong content under the right passphrase raises `InvalidKeyError`."""
    with raises_exactly(InvalidKeyError):
        open_keyring(write(BAD_CONTENTS[name]).data, PASSPHRASE)


@pytest.mark.parametrize("length", range(len(GOOD)))
def test_a_cut_content_ends_early(length: int) -> None:
    """The first field that is not complete is rejected as such, before it is used."""
    with raises_exactly(InvalidKeyError, "the content of the sealed keyring ends early"):
        decode_keyring(GOOD[:length])


def test_asymmetric_keys_have_one_form(rsa_key: RsaKey, sm2_key: Sm2Key) -> None:
    """An asymmetric key has no suite, its own spec, and unencrypted PKCS#8 in one form."""
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


# --- files that do not open ---


@pytest.mark.parametrize("passphrase", [b"", b"wrong", PASSPHRASE[:-1], PASSPHRASE + b" "])
def test_a_wrong_passphrase_is_rejected(small: bytes, passphrase: bytes) -> None:
    """A wrong passphrase raises `DecryptionError`, without a reason."""
    with raises_exactly(DecryptionError):
        open_keyring(small, passphrase)


def test_the_cost_is_read_without_running_the_kdf(small: bytes) -> None:
    """`read_parameters` returns the cost of a file, and rejects a wrong file."""
    assert read_parameters(small) == read_parameters(bytearray(small)) == CHEAP
    with raises_exactly(InvalidKeyError, "out of bounds"):
        read_parameters(small[:9] + b"\x3f" + small[10:])
    with raises_exactly(InvalidKeyError, "not a sealed keyring"):
        read_parameters(b"")
    with raises_exactly(TypeError, "data must be bytes-like, not str"):
        read_parameters("data")  # type: ignore[arg-type]


@pytest.fixture
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Derive keys that differ by passphrase, salt and parameters, without any work."""

    def derive(passphrase: bytes, salt: bytes, parameters: ScryptParameters) -> bytes:
        return hashlib.sha512(repr((passphrase, salt, parameters)).encode()).digest()

    monkeypatch.setattr("kmscore.keyfile.sealing.derive_key", derive)


@pytest.mark.usefixtures("quick_keys")
def test_every_flipped_bit_is_rejected(small: bytes) -> None:
    """A file with one changed bit fails as with a wrong passphrase, or does not parse."""
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
def test_every_truncation_is_rejected(small: bytes) -> None:
    """A truncated file and a file with appended bytes are rejected."""
    for length in range(len(small)):
        with pytest.raises((DecryptionError, InvalidKeyError)) as caught:
            open_keyring(small[:length], PASSPHRASE)
        assert type(caught.value) is (InvalidKeyError if length < 88 else DecryptionError)
    with raises_exactly(DecryptionError):
        open_keyring(small + b"\x00", PASSPHRASE)


def test_other_parameters_in_the_header_are_rejected() -> None:
    """A file whose header has other parameters than the key derivation does not open."""
    one, two = (write(GOOD, cost, salt=bytes(16)) for cost in ((14, 8, 1), (14, 8, 2)))
    for written in (one._replace(header=two.header), two._replace(header=one.header)):
        with raises_exactly(DecryptionError):
            open_keyring(written.data, PASSPHRASE)


@pytest.mark.usefixtures("no_kdf")
@pytest.mark.parametrize(
    ("offset", "value", "text"),
    [
        (0, b"kmsring", "magic"),
        (7, b"\x00", "format version 0"),
        (7, b"\x01", "format version 1; this library reads version 2"),
        (7, b"\x03", "format version 3"),
        (8, b"\x00", "KDF 00"),
        (8, b"\x02", "KDF 02"),
        (9, bytes([13, 16, 1]), "out of bounds: n of 8192, 16384 to 1048576 allowed"),
        (9, bytes([14, 7, 1]), "out of bounds: memory of 14680064, 16777216 to"),
        (9, bytes([17, 1, 1]), "out of bounds: r of 1, 2 to 32 allowed"),
        (9, bytes([21, 2, 1]), "out of bounds: n of 2097152"),
        (9, bytes([255, 255, 255]), "out of bounds"),
        (9, bytes([24, 32, 1]), "out of bounds"),  # 64 GB
        (9, bytes([20, 9, 1]), "out of bounds: memory of 1207959552"),  # a little over 1 GiB
        (9, bytes([14, 0, 1]), "out of bounds: r of 0"),
        (9, bytes([14, 33, 1]), "out of bounds: r of 33"),
        (9, bytes([14, 8, 0]), "out of bounds: p of 0, 1 to 16 allowed"),
        (9, bytes([14, 8, 17]), "out of bounds: p of 17"),
        (9, bytes([20, 8, 5]), "out of bounds: work of 41943040"),  # within 1 GiB
        (0, b"", "at most 67108864"),
    ],
)
def test_a_header_out_of_bounds_is_rejected_before_the_kdf_runs(
    offset: int, value: bytes, text: str
) -> None:
    """The header is rejected before the KDF runs, and the message has the reason."""
    raw = write(GOOD).data
    changed = raw[:offset] + value + raw[offset + len(value) :] if value else raw + bytes(1 << 26)
    for call in (open_keyring, lambda data, _: read_parameters(data)):
        with raises_exactly(InvalidKeyError, text):
            call(changed, PASSPHRASE)


@pytest.mark.usefixtures("no_kdf")
@pytest.mark.parametrize("length", [60, 87, 88])
def test_a_file_of_format_version_1_has_its_own_message(length: int) -> None:
    """A file of format version 1 gets its own message, even if it is too short for version 2."""
    old = b"KMSRING\x01\x01\x11\x08\x01".ljust(length, b"\xaa")
    for call in (open_keyring, lambda data, _: read_parameters(data)):
        with raises_exactly(InvalidKeyError, "format version 1; this library reads version 2"):
            call(old, PASSPHRASE)


def test_a_caller_can_lower_the_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """`max_memory` and `max_work` are checked before the KDF runs; the message has both numbers."""
    monkeypatch.setattr("kmscore.keyfile.sealing.derive_key", remembered)
    data = write(GOOD, (14, 9, 2), salt=bytes(16)).data
    memory, work = 128 * 9 << 14, 2 * 9 << 14
    assert len(open_keyring(data, PASSPHRASE, max_memory=memory, max_work=work)) == 2
    monkeypatch.setattr("kmscore.keyfile.sealing.derive_key", lambda *_: pytest.fail("run"))
    for limits, text in (
        ({"max_memory": memory - 1}, f"memory of {memory}, at most {memory - 1} allowed"),
        ({"max_work": work - 1}, f"work of {work}, at most {work - 1} allowed"),
        ({"max_memory": 1, "max_work": 1}, f"memory of {memory}, at most 1 allowed"),
    ):
        with raises_exactly(InvalidKeyError, text):
            open_keyring(data, PASSPHRASE, **limits)


def test_a_hostile_rsa_key_is_rejected_before_its_primes_are_tested(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An RSA key with a false, very long prime is rejected; the primality test never starts."""
    monkeypatch.setattr("kmscore.keyfile.sealing.derive_key", remembered)
    p, q = hostile_keys.prime(1024), hostile_keys.prime(1024, 1)
    numbers = hostile_keys.numbers_of(p, q, e=65537) | {"p": 2**9689 - 1}
    hostile = hostile_keys.pkcs8(hostile_keys.pkcs1(numbers))
    inside = content(entry(5, version(b"1", hostile, suite=0)))
    monkeypatch.setattr(
        "kmscore.keys.rsa_structures.RSAPrivateNumbers", lambda **_: pytest.fail("tested")
    )
    with raises_exactly(InvalidKeyError, "not a consistent RSA private key"):
        open_keyring(write(inside, salt=bytes(16)).data, PASSPHRASE)


@pytest.mark.usefixtures("no_kdf")
@pytest.mark.parametrize("cost", [(20, 9, 1), (20, 8, 5)])
def test_a_caller_cannot_raise_the_fixed_bounds(cost: tuple[int, int, int]) -> None:
    """A header above the fixed bounds is rejected even if the caller's limits are higher."""
    data = write(GOOD).data
    asking = data[:9] + bytes(cost) + data[12:]
    with raises_exactly(InvalidKeyError, "allowed"):
        open_keyring(asking, PASSPHRASE, max_memory=1 << 62, max_work=1 << 62)


@pytest.mark.usefixtures("no_kdf")
@pytest.mark.parametrize("name", ["max_memory", "max_work"])
def test_a_limit_is_a_positive_number(name: str) -> None:
    """A limit raises `TypeError` if its type is not `int`, and `ValueError` if it is below 1."""
    data = write(GOOD).data
    for wrong in (True, 1e9, "16777216", None):
        with raises_exactly(TypeError, f"{name} must be int"):
            open_keyring(data, PASSPHRASE, **{name: wrong})
    for low in (0, -1):
        with raises_exactly(ValueError, f"{name} must be positive"):
            open_keyring(data, PASSPHRASE, **{name: low})


def test_parameters_are_checked_when_they_are_made() -> None:
    """Every bound of the parameters is checked, with values at the bound and above or below it."""
    for good in (
        *((1 << 14, 8, 1), (1 << 15, 4, 1), (1 << 16, 2, 1)),
        *((1 << 20, 8, 4), (1 << 18, 32, 4), (1 << 14, 32, 16)),
    ):
        cost = ScryptParameters(*good)
        assert (cost.memory, cost.work) == (128 * good[0] * good[1], good[0] * good[1] * good[2])
    for bad in (
        *((1 << 13, 16, 1), (1 << 21, 2, 1), (3 << 14, 8, 1), (0, 8, 1), (-1, 8, 1)),
        *((1 << 14, 7, 16), (1 << 15, 3, 1), (1 << 17, 1, 1), (1 << 20, 1, 1)),
        *((1 << 14, 0, 1), (1 << 14, 33, 1), (1 << 14, 8, 0), (1 << 14, 8, 17)),
        *((1 << 20, 9, 1), (1 << 20, 8, 5), (1 << 18, 32, 5)),
    ):
        with raises_exactly(InvalidKeyError, "bounds"):
            ScryptParameters(*bad)
    for wrong in ({"n": "16384"}, {"r": 8.0}, {"p": True}):
        with raises_exactly(TypeError):
            ScryptParameters(**wrong)  # type: ignore[arg-type]


def test_the_least_block_size_for_n_is_accepted() -> None:
    """The KDF runs with n = 2^16 and r = 2; RFC 7914 allows r = 1 only for n below 2^16.

    OpenSSL reports a violation of this limit as missing memory.
    """
    assert len(derive_key(PASSPHRASE, bytes(16), ScryptParameters(1 << 16, 2))) == 64


def test_a_keyring_that_is_too_long_is_not_sealed(
    small: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The length limit for sealing is that for opening, so every sealed keyring can be opened."""
    ring = open_keyring(small, PASSPHRASE)
    monkeypatch.setattr("kmscore.keyfile.sealing.MAX_LENGTH", len(small))
    assert len(seal(ring)) == len(small)
    assert open_keyring(small, PASSPHRASE) is not None
    monkeypatch.setattr("kmscore.keyfile.sealing.MAX_LENGTH", len(small) - 1)
    with raises_exactly(InvalidKeyError, "at most"):
        seal(ring)
    for call in (open_keyring, lambda data, _: read_parameters(data)):
        with raises_exactly(InvalidKeyError, "at most"):
            call(small, PASSPHRASE)


@pytest.mark.parametrize("passphrase", [b"", b"\x00", bytes(64)])
def test_an_empty_passphrase_is_rejected(passphrase: bytes) -> None:
    """An empty passphrase and zero bytes, which are equal for scrypt, are rejected."""
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
def test_a_wrong_type_is_a_type_error(
    function: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    """A wrong type raises `TypeError` before all other checks."""
    with raises_exactly(TypeError):
        function(*arguments)


def test_a_build_without_scrypt_raises_unsupported_algorithm(
    small: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without scrypt, sealing and opening raise `UnsupportedAlgorithmError`."""

    def fail(*_: object) -> None:
        raise UnsupportedAlgorithm("no scrypt")

    monkeypatch.setattr("kmscore.keyfile.scrypt.Scrypt", fail)
    for call in (lambda: open_keyring(small, PASSPHRASE), lambda: seal(Keyring([]))):
        with raises_exactly(UnsupportedAlgorithmError, "scrypt"):
            call()


# --- known answers, and secrets in errors ---


def test_the_kdf_gives_the_published_answers(count_known_answers: Callable[..., None]) -> None:
    """The KDF gives the 64 bytes of RFC 7914 section 12."""
    derived = derive_key(b"pleaseletmein", b"SodiumChloride", ScryptParameters(1 << 14, 8, 1))
    assert derived.hex() == (
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
        "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
    )
    count_known_answers("RFC 7914: scrypt")


def check_hidden(error: BaseException, *secrets: bytes) -> None:
    """Check that neither the error nor the library's frames in its traceback contain a secret."""
    assert error.__cause__ is error.__context__ is None
    values: list[object] = [error, str(error)]
    trace, frames = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__", "").startswith("kmscore"):
            values += trace.tb_frame.f_locals.values()
            frames += 1
        trace = trace.tb_next
    assert frames
    # In the form in which an error reporter shows them.
    shown = " ".join(map(repr, values))
    for secret in secrets:
        assert repr(secret[:8])[2:-1] not in shown
        assert repr(secret[-8:])[2:-1] not in shown


def secrets_of(data: bytes) -> tuple[bytes, ...]:
    """Return passphrase and K of a sealed keyring: the encryption key and the commitment key."""
    k = derive_key(PASSPHRASE, data[SALT], CHEAP)
    return PASSPHRASE, k[:32], k[32:]


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
    """Message, chained errors and frames contain neither key material nor passphrase nor K."""
    raw = write(inside).data

    def fail(*_: object) -> None:
        raise UnsupportedAlgorithmError("no SM4")

    monkeypatch.setattr("kmscore.aead._sm4_gcm", fail)
    monkeypatch.setattr("kmscore.aead._SEALERS", {**kmscore.aead._SEALERS, Suite.SM4_GCM: fail})
    with pytest.raises((InvalidKeyError, UnsupportedAlgorithmError)) as caught:
        open_keyring(raw, PASSPHRASE)
    check_hidden(caught.value, SECRET, *secrets_of(raw))


@pytest.mark.parametrize("offset", [9, 30, -1], ids=["cost", "commitment", "tag"])
def test_a_failed_opening_shows_no_key(small: bytes, offset: int) -> None:
    """The frames of a failed opening contain neither the passphrase nor K."""
    changed = bytearray(small)
    changed[offset] ^= 0xFF
    with pytest.raises((DecryptionError, InvalidKeyError)) as caught:
        open_keyring(changed, PASSPHRASE)
    check_hidden(caught.value, *secrets_of(small))


@pytest.mark.parametrize("error", [MemoryError, UnsupportedAlgorithmError])
def test_a_kdf_that_fails_shows_no_passphrase(
    small: bytes, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the KDF, for missing memory or a missing scrypt, shows no passphrase."""

    def fail(passphrase: bytes, *_: object) -> bytes:
        raise error(len(passphrase))

    monkeypatch.setattr("kmscore.keyfile.sealing.derive_key", fail)
    for call in (lambda: open_keyring(small, PASSPHRASE), lambda: seal(Keyring([]))):
        with pytest.raises(error) as caught:
            call()
        check_hidden(caught.value, PASSPHRASE)


@pytest.mark.parametrize("error", [InvalidKeyError, UnsupportedAlgorithmError])
def test_a_failed_sealing_shows_no_material(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed sealing shows no material, for a long keyring and for a missing scrypt."""

    def fail(*_: object) -> None:
        raise UnsupportedAlgorithm("no scrypt")

    ring = Keyring([SymmetricKey("key", "v1", KeySpec.AES_256, SECRET)])
    if error is InvalidKeyError:
        monkeypatch.setattr("kmscore.keyfile.sealing.MAX_LENGTH", 60)
    else:
        monkeypatch.setattr("kmscore.keyfile.scrypt.Scrypt", fail)
    with pytest.raises(error) as caught:
        seal(ring)
    check_hidden(caught.value, SECRET, PASSPHRASE)


def test_a_sealed_keyring_shows_no_id_and_no_material(sealed: bytes, ring: Keyring) -> None:
    """A sealed keyring shows no ID and no material, only the KDF's name, salt and parameters."""
    for key in ring:
        assert key.key_id.encode() not in sealed
        if isinstance(key, SymmetricKey):
            assert key.export_material() not in sealed
