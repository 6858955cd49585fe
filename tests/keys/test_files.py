"""Key files of other tools: lengths, PEM, RSA numbers, and encryption."""

import base64
import math
import secrets
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.hostile_keys import (
    ECC,
    HMAC_SHA256,
    MERSENNE,
    NULL,
    PASSWORD,
    PBES2,
    PBKDF2,
    RSA,
    SM2_CURVE,
    Numbers,
    composite,
    encrypted,
    integer,
    numbers_of,
    pem,
    pkcs1,
    pkcs8,
    prime,
    spki,
    tlv,
)
from support.samples import sampled
from support.strategies import raises_exactly
from support.transcribed_vectors import SM2_CASES

from kmscore import (
    InvalidKeyError,
    Keyring,
    KeySpec,
    PublicKey,
    RsaKey,
    Sm2Key,
    asymmetric_decrypt,
    asymmetric_encrypt,
)
from kmscore.keys.private_file import private_key_label

CASES = Path(__file__).parent / "cases"
MAX_PEM, MAX_DER = 65_536, 16_384
SEC1 = tlv(
    0x30,
    integer(1),
    tlv(4, SM2_CASES[0].scalar.to_bytes(32, "big")),
    tlv(0xA0, SM2_CURVE),
)
SM2 = pkcs8(SEC1, ECC + SM2_CURVE)
SM2_PEM = pem(SM2, "PRIVATE KEY")
SM2_PUBLIC = spki(ECC + SM2_CURVE, SM2_CASES[0].public_point)


def case(name: str) -> bytes:
    """Return a file that another tool wrote."""
    return (CASES / name).read_bytes()


def load(data: bytes | str, **options: Any) -> Sm2Key:
    """Read an SM2 key from PEM if the data has it, otherwise from DER."""
    is_pem = isinstance(data, str) or b"-----BEGIN" in data
    read: Any = Sm2Key.from_pem if is_pem else Sm2Key.from_der
    key: Sm2Key = read("k", "v", data, **options)
    assert key.public_key.to_der() == SM2_PUBLIC
    return key


def filled(length: int, make: Callable[[bytes], bytes]) -> bytes:
    """Return the output of `make` for as many zeros as give this length."""
    guess = bytes(length - len(make(b"")))
    missing = len(make(guess)) - length
    result = make(guess[missing:])
    assert len(result) == length
    return result


def with_attributes(fill: bytes) -> bytes:
    """Return the SM2 key as PKCS#8 with one attribute."""
    return pkcs8(SEC1, ECC + SM2_CURVE, tail=tlv(0xA0, tlv(0x30, fill)))


# --- attributes ---


@pytest.mark.parametrize("attributes", [b"", tlv(0x30, b""), tlv(0x30, NULL) * 2])
def test_attributes_are_not_examined(attributes: bytes) -> None:
    """PKCS#8 with no attribute, an empty one, or two equal ones is read."""
    load(pkcs8(SEC1, ECC + SM2_CURVE, tail=tlv(0xA0, attributes)))


@pytest.mark.parametrize(
    "attributes",
    [NULL, NULL + tlv(0x30, b""), tlv(0x31, NULL), tlv(0x10, NULL), tlv(0xA0, NULL)],
)
def test_an_attribute_that_is_not_a_sequence_is_rejected(attributes: bytes) -> None:
    """RFC 5208 section 5: each attribute is a SEQUENCE."""
    with raises_exactly(InvalidKeyError, "attribute that is not a SEQUENCE"):
        load(pkcs8(SEC1, ECC + SM2_CURVE, tail=tlv(0xA0, attributes)))


# --- lengths ---


def test_der_has_at_most_16384_bytes() -> None:
    """A file of 16,384 bytes is read, and one byte more is rejected, for every kind of key."""
    load(filled(MAX_DER, with_attributes))
    long = filled(MAX_DER + 1, with_attributes)
    reads: tuple[Callable[[], object], ...] = (
        lambda: load(long),
        lambda: load(pem(long, "PRIVATE KEY")),
        lambda: RsaKey.from_der("k", "v", long),
        lambda: PublicKey.from_der(long),
        lambda: PublicKey.from_pem(pem(long, "PUBLIC KEY")),
    )
    for read in reads:
        with raises_exactly(InvalidKeyError, "16385 bytes long, at most 16384"):
            read()


@pytest.mark.parametrize("fill", ["a", "\u00e9", "\u4e2d"])
def test_pem_has_at_most_65536_bytes(fill: str) -> None:
    """The length of text is that of its UTF-8 bytes."""
    unit = len(fill.encode())
    text = SM2_PEM.decode() + fill * ((MAX_PEM - len(SM2_PEM)) // unit)
    text += "\n" * (MAX_PEM - len(text.encode()))
    long = text + "\n"
    public = pem(SM2_PUBLIC, "PUBLIC KEY").decode() + long
    for data in (text, text.encode(), memoryview(text.encode())):
        assert Sm2Key.from_pem("k", "v", data).public_key.to_der() == SM2_PUBLIC
    for data in (long, long.encode(), public, public.encode()):
        for read in (PublicKey.from_pem, load):
            with raises_exactly(InvalidKeyError, "at most 65536 are read"):
                read(data)


def test_a_long_text_is_not_copied() -> None:
    """The length of text is checked before the text is copied."""
    text = SM2_PEM.decode() * 100_000
    tracemalloc.start()
    try:
        with raises_exactly(InvalidKeyError, "at most 65536"):
            Sm2Key.from_pem("k", "v", text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < len(text) / 10


def test_a_view_is_measured_in_bytes() -> None:
    """The length of a memoryview is counted in bytes, not in items."""
    view = memoryview(bytes(8 * (MAX_DER // 8 + 1))).cast("Q")
    assert len(view) < MAX_DER
    with raises_exactly(InvalidKeyError, "at most 16384"):
        Sm2Key.from_der("k", "v", view)


@pytest.mark.parametrize("content", [127, 128, 129, 250, 256, 257, 300, 384, 511, 512, 513, 4000])
def test_a_length_of_any_number_of_bytes_is_read(content: int) -> None:
    """Lengths of 1, 2 and 3 bytes in DER are read; from 256 to 511 the second byte is 01."""
    size = 2 if content < 128 else 3 if content < 256 else 4
    plain = filled(content + size, with_attributes)
    assert (private_key_label(plain), load(plain).spec) == ("PRIVATE KEY", KeySpec.EC_SM2)
    zero = filled(content + size, lambda fill: tlv(0x30, integer(0), tlv(2, fill)))
    assert private_key_label(zero) == "RSA PRIVATE KEY"
    first = filled(content + size, lambda fill: tlv(0x30, integer(1), tlv(4, fill)))
    assert private_key_label(first) == "EC PRIVATE KEY"
    parameters = filled(content + size, lambda fill: tlv(0x30, tlv(0x30, PBES2), tlv(4, fill)))
    assert private_key_label(parameters) == "ENCRYPTED PRIVATE KEY"


@pytest.mark.parametrize(
    "der",
    ["", "30", "3000", "3003310100", "30020201", "3003020103", "30050201000101"],
)
def test_der_that_begins_like_no_structure_is_read_as_pkcs8(der: str) -> None:
    """The decoder of PKCS#8 then rejects it."""
    assert private_key_label(bytes.fromhex(der)) == "PRIVATE KEY"


@pytest.mark.parametrize("salt", [100, 150, 200, 260])
def test_an_encrypted_file_of_256_to_511_bytes_opens(salt: int) -> None:
    """The byte 01 of such a length is not read as a version."""
    data = encrypted(SM2, salt=bytes(salt))
    assert data[:3] == b"\x30\x82\x01"
    load(data, password=PASSWORD)


# --- PEM ---


def test_a_byte_order_mark_is_ignored() -> None:
    """A byte order mark is ignored, in text and in bytes."""
    data = case("f07_bom.pem")
    assert data.startswith(b"\xef\xbb\xbf")
    texts = (data.decode("utf-8"), data.decode("utf-8-sig"), data.decode("latin-1"))
    pems = {RsaKey.from_pem("k", "v", form).private_pem() for form in (data, *texts)}
    assert len(pems) == 1


def test_a_block_without_its_first_dashes_is_ignored() -> None:
    """A file that has lost its first characters contains no key."""
    with raises_exactly(InvalidKeyError, "no block with the label"):
        Sm2Key.from_pem("k", "v", SM2_PEM.removeprefix(b"-----BEGIN "))


def test_a_certificate_in_the_file_is_ignored() -> None:
    """The attributes and the certificate in a file of `openssl pkcs12` are ignored."""
    data = case("f08_pkcs12_bag.pem")
    assert data.index(b"BEGIN CERTIFICATE") < data.index(b"BEGIN PRIVATE KEY")
    key = RsaKey.from_pem("k", "v", data)
    assert RsaKey.from_pem("k", "v", data.decode()).private_pem() == key.private_pem()
    with raises_exactly(InvalidKeyError, "no block with the label 'PUBLIC KEY'"):
        PublicKey.from_pem(data)
    text = data + key.public_key.to_pem()
    assert PublicKey.from_pem(text) == RsaKey.from_pem("k", "v", text).public_key == key.public_key


FORMS: dict[str, bytes] = {
    "key": SM2_PEM,
    "key between others": pem(b"", "CERTIFICATE") + SM2_PEM + pem(b"", "CERTIFICATE"),
    "two keys": SM2_PEM + SM2_PEM,
    "a key of another library": SM2_PEM + pem(b"", "OPENSSH PRIVATE KEY"),
    "Latin-1 around it": b"\xfc\n" + SM2_PEM,
    "UTF-8 around it": "\u00fc\n".encode() + SM2_PEM,
    "Latin-1 within": SM2_PEM.replace(b"\n", b"\n\xfc", 1),
    "UTF-8 within": SM2_PEM.replace(b"\n", "\n\u00fc".encode(), 1),
    "a no-break space within": SM2_PEM.replace(b"\n", "\n\u00a0".encode(), 1),
    "UTF-8 in the label": SM2_PEM.replace(b"PRIVATE", "PR\u00cdVATE".encode()),
    "CRLF": SM2_PEM.replace(b"\n", b"\r\n"),
    "NUL around it": b"\0" + SM2_PEM + b"\0",
    "another label": pem(SM2, "PUBLIC KEY"),
    "nothing": b"",
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("kind", [Sm2Key, RsaKey, PublicKey])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_text_and_bytes_of_a_file_have_one_result(name: str, kind: Any, encoding: str) -> None:
    """Text and bytes give the same key or the same message."""
    ids = () if kind is PublicKey else ("k", "v")

    def answer(data: bytes | str) -> str:
        try:
            return kind.from_pem(*ids, data).public_key.to_pem().decode()  # type: ignore[no-any-return]
        except InvalidKeyError as error:
            return str(error)

    data = FORMS[name]
    assert answer(data.decode(encoding, "surrogateescape")) == answer(data)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf_16_has_its_own_message(encoding: str) -> None:
    """The error for UTF-16 names it, because redirection in the Windows shell writes such files."""
    data = ("\ufeff" * (encoding != "utf-16") + SM2_PEM.decode()).encode(encoding)
    with raises_exactly(InvalidKeyError, "UTF-16"):
        Sm2Key.from_pem("k", "v", data)


@pytest.mark.parametrize("password", [None, PASSWORD])
def test_encryption_by_headers_has_its_own_message(password: bytes | None) -> None:
    """The error names the way to PKCS#8, with a password and without."""
    for data in (case("f15_proc_type.pem"), case("f15_proc_type.pem").decode()):
        with raises_exactly(InvalidKeyError, "encrypted by Proc-Type headers"):
            RsaKey.from_pem("k", "v", data, password=password)


def test_a_label_is_not_quoted() -> None:
    """The error does not contain the label, because a damaged label can have a part of the key."""
    secret = "MIGHAgEAMBMGByqGSM49AgEGCCqB"
    for label in (f"{secret} PRIVATE KEY", secret, f"{secret} PUBLIC KEY"):
        for read in (load, lambda data: RsaKey.from_pem("k", "v", data), PublicKey.from_pem):
            with pytest.raises(InvalidKeyError) as caught:
                read(pem(SM2, label))
            assert secret not in str(caught.value)
            assert "no block with the label" in str(caught.value)


# --- RSA ---


def test_rsa_without_null_parameters_has_its_own_message() -> None:
    """RFC 8017 appendix A.1 requires the NULL, which some libraries do not check."""
    der = case("f06_rsa_pkcs8_without_null.der")
    public = spki(RSA, tlv(0x30, integer(2**2047 + 1), integer(65537)))
    sealed = encrypted(der)
    with raises_exactly(InvalidKeyError, "lacks the NULL parameters"):
        RsaKey.from_der("k", "v", der)
    with raises_exactly(InvalidKeyError, "lacks the NULL parameters"):
        RsaKey.from_pem("k", "v", pem(der, "PRIVATE KEY"))
    with raises_exactly(InvalidKeyError, "lacks the NULL parameters"):
        PublicKey.from_der(public)
    with raises_exactly(InvalidKeyError, "cannot be decrypted with this password"):
        RsaKey.from_der("k", "v", sealed, password=PASSWORD)
    assert RsaKey.from_der("k", "v", der.replace(RSA, RSA + NULL).replace(*lengthened(der)))


def lengthened(der: bytes) -> tuple[bytes, bytes]:
    """Return the lengths in a PKCS#8 file, and those with two more bytes inside."""
    start = der[:9]
    assert start[:2] == b"\x30\x82"
    assert start[4:] == b"\x02\x01\x00\x30\x0b"
    longer = (int.from_bytes(start[2:4], "big") + 2).to_bytes(2, "big")
    return start, start[:2] + longer + start[4:8] + b"\x0d"


GOOD_NUMBERS: dict[str, dict[str, Any]] = {
    "1088 and 960 bits": {"p": (1088,), "q": (960,)},
    "960 and 1088 bits": {"p": (960,), "q": (1088,)},
    "960 and 1088 bits, d modulo phi": {"p": (960, 1), "q": (1088, 1), "modulo_phi": True},
    "1632 and 1440 bits": {"p": (1632,), "q": (1440,)},
    "1023 and 1025 bits, d modulo phi": {"p": (1023, 1), "q": (1025, 1), "modulo_phi": True},
    "exponent 3": {"p": (1025, 2), "q": (1023, 2), "e": 3},
    "the greatest exponent": {"p": (1025,), "q": (1023,), "e": 2**32 - 1},
}


def prime_for(e: int, bits: int, remainder: int = 0) -> int:
    """Return a random prime that allows the exponent `e`."""
    while math.gcd(e, (found := prime(bits, remainder)) - 1) > 1:
        prime.cache_clear()
    return found


@pytest.mark.parametrize("name", sampled(GOOD_NUMBERS, 3))
def test_a_good_key_of_another_library_is_read(name: str) -> None:
    """Primes in both orders and of two lengths, both forms of d and any exponent are read."""
    options = dict(GOOD_NUMBERS[name])
    p, q = (prime_for(options.get("e", 65537), *options.pop(field)) for field in "pq")
    numbers = numbers_of(p, q, **options)
    der = pkcs8(pkcs1(numbers))
    for key in (
        RsaKey.from_der("k", "v", der),
        RsaKey.from_der("k", "v", pkcs1(numbers)),
        RsaKey.from_pem("k", "v", pem(der, "PRIVATE KEY")),
        RsaKey.from_der("k", "v", encrypted(der), password=PASSWORD),
    ):
        # The exported key has all numbers of the file.
        assert key.private_pem() == pem_of_64(der, "PRIVATE KEY")
        ciphertext = asymmetric_encrypt(key.public_key, "RSAES_OAEP_SHA_256", b"plaintext")
        opened = asymmetric_decrypt(Keyring([key]), "k", "v", "RSAES_OAEP_SHA_256", ciphertext)
        assert opened.plaintext == b"plaintext"


def pem_of_64(der: bytes, label: str) -> bytes:
    """Return DER as PEM in lines of 64 characters."""
    begin, *lines, end = pem(der, label).splitlines()
    text = b"".join(lines)
    body = [text[start : start + 64] for start in range(0, len(text), 64)]
    return b"\n".join([begin, *body, end, b""])


def test_two_private_exponents_are_accepted() -> None:
    """Of all d that decrypt, two are accepted: the least, and the least modulo φ(n)."""
    p, q = prime(1023, 1), prime(1025, 1)
    least, modulo_phi = numbers_of(p, q), numbers_of(p, q, modulo_phi=True)
    step = math.lcm(p - 1, q - 1)
    count = math.gcd(p - 1, q - 1)
    assert count >= 6
    for k in range(2 * count if count < 20 else 20):
        d = least["d"] + k * step
        assert (d * 65537 - 1) % step == 0
        if k == 0 or d == modulo_phi["d"]:
            assert RsaKey.from_der("k", "v", pkcs1(least | {"d": d})).spec is KeySpec.RSA_2048
        else:
            with raises_exactly(InvalidKeyError, "not a consistent RSA private key"):
                RsaKey.from_der("k", "v", pkcs1(least | {"d": d}))


def test_a_private_exponent_is_less_than_phi() -> None:
    """The exponent d + φ(n) is rejected, even if it is less than n because a prime is small."""
    p, q = prime(2045), 7
    phi = (p - 1) * (q - 1)
    exponents = (e for e in range(65537, 2**20, 2) if math.gcd(e, phi) == 1)
    e = next(e for e in exponents if pow(e, -1, phi) < p)
    good = numbers_of(p, q, modulo_phi=True, e=e)
    assert good["d"] + phi < good["n"] < 2**2048
    assert RsaKey.from_der("k", "v", pkcs1(good)).spec is KeySpec.RSA_2048
    with raises_exactly(InvalidKeyError, "not a consistent RSA private key"):
        RsaKey.from_der("k", "v", pkcs1(good | {"d": good["d"] + phi}))


def test_an_exponent_of_the_remainder_theorem_can_be_1() -> None:
    """With e = p, d modulo p - 1 is 1: the least number that a key file can have."""
    p = 65537
    while p * (q := prime_for(p, 2032)) >= 2**2048:
        prime.cache_clear()
    numbers = numbers_of(p, q)
    assert numbers["dp"] == 1
    key = RsaKey.from_der("k", "v", pkcs1(numbers))
    ciphertext = asymmetric_encrypt(key.public_key, "RSAES_OAEP_SHA_256", b"plaintext")
    opened = asymmetric_decrypt(Keyring([key]), "k", "v", "RSAES_OAEP_SHA_256", ciphertext)
    assert opened.plaintext == b"plaintext"


def test_a_composite_in_place_of_a_prime_is_rejected() -> None:
    """A composite number in place of a prime is rejected, because such a key decrypts wrongly."""
    one, other = composite(768, 769), prime(1535)
    for p, q in ((one, other), (other, one), (one, composite(765, 770))):
        numbers = numbers_of(p, q)
        assert numbers["n"].bit_length() == 3072
        with raises_exactly(InvalidKeyError, "not a consistent RSA private key"):
            RsaKey.from_der("k", "v", pkcs1(numbers))


def test_a_prime_of_more_than_2048_bits_has_its_own_message() -> None:
    """A prime of more than 2,048 bits is rejected before libcrypto's slow test of it.

    So a number of this length that is not prime gives the same message.
    """
    for bits in ((2049, 2047), (2047, 2049), (2176, 1920), (2100, 972)):
        with raises_exactly(InvalidKeyError, "a prime of more than 2048 bits"):
            RsaKey.from_der("k", "v", pkcs1(odd_numbers(*bits)))
    for p, q in ((MERSENNE[3217], prime(879)), (prime(869), MERSENNE[2203])):
        with raises_exactly(InvalidKeyError, "a prime of more than 2048 bits"):
            RsaKey.from_der("k", "v", pkcs1(numbers_of(p, q)))


def odd_numbers(*bits: int) -> Numbers:
    """Return the numbers of a key of random odd numbers in place of the primes."""
    while True:
        p, q = (secrets.randbits(length - 3) | 0b111 << (length - 3) | 1 for length in bits)
        phi = (p - 1) * (q - 1)
        if math.gcd(p, q) == math.gcd(phi, 65537) == 1:
            return numbers_of(p, q)


@pytest.mark.parametrize("field", ["n", "e", "d", "p", "q", "dp", "dq", "qi"])
@pytest.mark.parametrize("step", [2, -2])
def test_inconsistent_numbers_never_reach_the_library(
    field: str, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrong numbers are rejected before the library tests the primes, which takes long."""
    good = numbers_of(prime(1023), prime(1025))
    changed = pkcs1(good | {field: good[field] + step})
    monkeypatch.setattr("kmscore.keys.rsa_structures.RSAPrivateNumbers", forbidden)
    with raises_exactly(InvalidKeyError, "not a consistent RSA private key"):
        RsaKey.from_der("k", "v", changed)


def test_one_and_the_modulus_are_not_primes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CRT value modulo q - 1 does not exist for q = 1."""
    monkeypatch.setattr("kmscore.keys.rsa_structures.RSAPrivateNumbers", forbidden)
    good = numbers_of(prime(1023), prime(1025))
    for values in ({"p": good["n"], "q": 1}, {"p": 1, "q": good["n"]}):
        one = {"dp": 1, "dq": 1, "qi": 1}
        with raises_exactly(InvalidKeyError, "not a consistent RSA private key"):
            RsaKey.from_der("k", "v", pkcs1(good | values | one))


def test_an_exponent_with_a_factor_of_the_order_never_reaches_the_library(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For e = 3 that divides λ(n), the number λ(n)/3 is not an inverse."""
    monkeypatch.setattr("kmscore.keys.rsa_structures.RSAPrivateNumbers", forbidden)
    p, q = prime(1023, 1), prime(1025, 1)
    order = math.lcm(p - 1, q - 1)
    assert order % 3 == 0
    d = order // 3
    wrong = {"e": 3, "d": d, "dp": d % (p - 1), "dq": d % (q - 1)}
    with raises_exactly(InvalidKeyError, "not a consistent RSA private key"):
        RsaKey.from_der("k", "v", pkcs1(numbers_of(p, q) | wrong))


def test_a_key_of_another_size_never_reaches_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of a wrong size is rejected before the library tests its primes."""
    monkeypatch.setattr("kmscore.keys.rsa_structures.RSAPrivateNumbers", forbidden)
    with raises_exactly(InvalidKeyError, "2047 bits"):
        RsaKey.from_der("k", "v", pkcs1(numbers_of(prime(1023), prime(1024))))
    with raises_exactly(InvalidKeyError, "public exponent"):
        RsaKey.from_der("k", "v", pkcs1(numbers_of(prime(1023), prime(1025), e=2**32 + 15)))


def forbidden(*_: object, **__: object) -> None:
    """Fail; this replaces a function that must not be called."""
    pytest.fail("this was called")


def test_a_crt_value_is_below_its_prime() -> None:
    """A CRT value that is right modulo its prime, but not below it, is rejected."""
    p, q = prime(1023), prime(1025)
    good = numbers_of(p, q)
    RsaKey.from_der("k", "v", pkcs1(good))
    for field, step in (("dp", p - 1), ("dq", q - 1), ("qi", p)):
        for factor in (-1, 1, 2, 3):
            changed = good | {field: good[field] + factor * step}
            with raises_exactly(InvalidKeyError, "not a consistent RSA private key"):
                RsaKey.from_der("k", "v", pkcs1(changed))


# --- encrypted PKCS#8 ---


def test_one_iteration_is_accepted() -> None:
    """One iteration is accepted; zero and fewer are rejected before the KDF runs."""
    load(encrypted(SM2, iterations=1), password=PASSWORD)
    load(encrypted(SM2, iterations=1), password=PASSWORD, max_work=1)
    for count in (0, -1, -(2**64)):
        with raises_exactly(InvalidKeyError, "less than one iteration"):
            load(encrypted(SM2, claimed=count), password=PASSWORD)


@pytest.mark.parametrize("kind", [Sm2Key, RsaKey])
@pytest.mark.parametrize("form", ["pem", "der"])
def test_max_work_limits_the_iterations(
    kind: Any, form: str, rsa_key: RsaKey, sm2_key: Sm2Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file with `max_work` iterations opens; one with more is rejected before the KDF runs."""
    own = rsa_key if kind is RsaKey else sm2_key
    inner = RsaKey.from_pem("k", "v", own.private_pem()) if kind is RsaKey else own
    plain = base64.b64decode(b"".join(inner.private_pem().splitlines()[1:-1]))
    data = encrypted(plain, iterations=1000)
    data = pem(data, "ENCRYPTED PRIVATE KEY") if form == "pem" else data
    read = kind.from_pem if form == "pem" else kind.from_der
    for most in (1000, 1001, 10**100):
        key = read("k", "v", data, password=PASSWORD, max_work=most)
        assert key.public_key == own.public_key

    monkeypatch.setattr("kmscore.keys.encrypted.PBKDF2HMAC", forbidden)
    for most in (999, 1):
        with raises_exactly(InvalidKeyError, f"more than {most} iterations"):
            read("k", "v", data, password=PASSWORD, max_work=most)
    beyond = encrypted(plain, claimed=2**31)
    with raises_exactly(InvalidKeyError, "more than 2147483647 iterations"):
        kind.from_der("k", "v", beyond, password=PASSWORD, max_work=10**100)


@pytest.mark.parametrize("password", [None, PASSWORD])
def test_max_work_is_a_positive_int(password: bytes | None) -> None:
    """`max_work` is checked even if nothing is encrypted, because no argument is ignored."""
    data = SM2 if password is None else encrypted(SM2)
    for read, file in ((Sm2Key.from_der, data), (RsaKey.from_der, data), (Sm2Key.from_pem, b"")):
        wrong: Any
        for wrong in (None, 1.0, "1", True, b"1"):
            with raises_exactly(TypeError, "max_work must be int"):
                read("k", "v", file, password=password, max_work=wrong)
        for least in (0, -1):
            with raises_exactly(ValueError, "max_work must be positive"):
                read("k", "v", file, password=password, max_work=least)


def test_a_salt_has_at_most_1024_bytes() -> None:
    """A salt of 1,024 bytes and an empty one are accepted."""
    for length in (0, 1024):
        load(encrypted(SM2, salt=bytes(length)), password=PASSWORD)
    with raises_exactly(InvalidKeyError, "a salt of more than 1024 bytes"):
        load(encrypted(SM2, salt=bytes(1025)), password=PASSWORD)


PBES1 = bytes.fromhex("06092a864886f70d010503")
PKCS12_PBE = bytes.fromhex("060a2a864886f70d010c0103")
SCRYPT = bytes.fromhex("06092b06010401da47040b")
PBMAC1 = bytes.fromhex("06092a864886f70d01050e")
UNKNOWN = bytes.fromhex("06032a0304")
AES_256_CBC = bytes.fromhex("060960864801650304012a")
AES_256_GCM = bytes.fromhex("060960864801650304012e")
HMAC_SHA224 = bytes.fromhex("06082a864886f70d0208")


def scheme(
    identifier: bytes = PBES2,
    kdf: bytes = PBKDF2,
    prf: bytes = HMAC_SHA256,
    cipher: bytes = AES_256_CBC,
    parameters: bytes | None = None,
    iv: bytes = tlv(4, bytes(16)),
    data: bytes = bytes(16),
) -> bytes:
    """Return an encrypted file with one defect that is visible without a password."""
    pbkdf2 = tlv(0x30, tlv(4, bytes(8)), integer(1), tlv(0x30, prf, NULL))
    pbes2 = tlv(0x30, tlv(0x30, kdf, pbkdf2), tlv(0x30, cipher, iv))
    encryption = tlv(0x30, identifier, pbes2 if parameters is None else parameters)
    return tlv(0x30, encryption, tlv(4, data))


COUNTED = tlv(0x30, tlv(4, bytes(8)), integer(2048))
WORDS: dict[str, tuple[bytes, str]] = {
    "PBES1": (scheme(PBES1, parameters=COUNTED), "with PBES1, not"),
    "PKCS#12": (scheme(PKCS12_PBE, parameters=COUNTED), "with a scheme of PKCS#12, not"),
    "unknown scheme": (scheme(UNKNOWN), "with an unknown scheme, not"),
    "scrypt": (scheme(kdf=SCRYPT), "with scrypt, not"),
    "another KDF": (scheme(kdf=PBMAC1), "with another KDF, not"),
    "another PRF": (scheme(prf=HMAC_SHA224), "with another PRF, not"),
    "another cipher": (scheme(cipher=AES_256_GCM), "with another cipher, not"),
    "PBES2 of a number": (scheme(parameters=integer(1)), "not DER of PBES2"),
    "an IV that is a number": (scheme(iv=integer(1)), "not DER of an IV"),
    "an IV of 15 bytes": (scheme(iv=tlv(4, bytes(15))), "not valid for CBC mode"),
    "an IV of 17 bytes": (scheme(iv=tlv(4, bytes(17))), "not valid for CBC mode"),
    "no data": (scheme(data=b""), "not valid for CBC mode"),
    "data of 17 bytes": (scheme(data=bytes(17)), "not valid for CBC mode"),
    "no parameters": (
        tlv(0x30, tlv(0x30, PBES2), tlv(4, bytes(16))),
        "not DER of encrypted PKCS#8",
    ),
}


@pytest.mark.parametrize("name", WORDS)
def test_another_encryption_has_its_own_message(name: str) -> None:
    """The message has the visible defect, and is the same with any password."""
    data, words = WORDS[name]
    for password in (PASSWORD, b"wrong"):
        for kind in (Sm2Key, RsaKey):
            with raises_exactly(InvalidKeyError, words):
                kind.from_der("k", "v", data, password=password)
            with raises_exactly(InvalidKeyError, words):
                kind.from_pem("k", "v", pem(data, "ENCRYPTED PRIVATE KEY"), password=password)


def test_all_defects_behind_a_password_have_one_message() -> None:
    """A wrong password, bad padding, another kind of key and a bad key have the same message."""
    ids = ("k", "v")
    bad_padding = scheme(data=bytes(32))
    contents = [SM2[:-1], SM2[1:], b"", b"A" * 100, spki(ECC + SM2_CURVE, bytes(65))]
    contents += [pkcs8(b""), pkcs8(pkcs1({"n": 3, "e": 3})), pkcs8(SEC1, RSA), pkcs8(SEC1)]
    files = [bad_padding, *(encrypted(content) for content in contents)]
    messages = set()
    for kind, other in ((Sm2Key, pkcs8(pkcs1(numbers_of(5, 7, e=5)))), (RsaKey, SM2)):
        for data in (*files, encrypted(other)):
            for password in (PASSWORD, b"wrong"):
                with pytest.raises(InvalidKeyError) as caught:
                    kind.from_der(*ids, data, password=password)
                messages.add(str(caught.value))
    assert messages == {"the key cannot be decrypted with this password"}
