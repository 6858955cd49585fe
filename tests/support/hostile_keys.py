"""Key files that need much work or that contradict themselves: each field wrong in every way."""

import base64
import functools
import itertools
import math
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.padding import PKCS7

from kmscore import PublicKey, RsaKey, Sm2Key
from support.transcribed_vectors import SM2_CASES

Numbers = dict[str, int]
"""The fields of RSAPrivateKey (RFC 8017 appendix A.1.2), in its order."""

PASSWORD = b"correct horse"
NULL = b"\x05\x00"
RSA = bytes.fromhex("06092a864886f70d010101")
ECC = bytes.fromhex("06072a8648ce3d0201")
SM2_CURVE = bytes.fromhex("06082a811ccf5501822d")
PBES2 = bytes.fromhex("06092a864886f70d01050d")
PBKDF2 = bytes.fromhex("06092a864886f70d01050c")
HMAC_SHA256 = bytes.fromhex("06082a864886f70d0209")
AES_256_CBC = bytes.fromhex("060960864801650304012a")

# Known Mersenne primes: a primality test takes longest for a prime.
MERSENNE = {bits: 2**bits - 1 for bits in (1279, 2203, 2281, 3217, 4253, 9689, 44497)}


class HostileFile(NamedTuple):
    """One file, how to read it, and whether it is a valid key; `None` allows both results."""

    name: str
    read: Any
    data: bytes | str
    options: dict[str, Any] = {}  # noqa: RUF012 (never changed)
    legal: bool | None = False

    def load(self) -> Any:
        """Read it."""
        ids = () if self.read.__self__ is PublicKey else ("k", "v")
        return self.read(*ids, self.data, **self.options)


def tlv(tag: int, *parts: bytes) -> bytes:
    """Return one value in DER."""
    body = b"".join(parts)
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    length = size.rjust(1, b"\0") if len(body) < 128 else bytes([0x80 | len(size)]) + size
    return bytes([tag]) + length + body


def integer(value: int) -> bytes:
    """Return an INTEGER in DER."""
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def pem(der: bytes, label: str) -> bytes:
    """Return DER as PEM."""
    begin, end = f"-----BEGIN {label}-----\n", f"-----END {label}-----\n"
    return begin.encode() + base64.encodebytes(der) + end.encode()


def pkcs1(numbers: Numbers, version: int = 0, tail: bytes = b"") -> bytes:
    """Return RSAPrivateKey in DER."""
    return tlv(0x30, integer(version), *map(integer, numbers.values()), tail)


def pkcs8(
    inner: bytes, algorithm: bytes = RSA + NULL, version: int = 0, tail: bytes = b""
) -> bytes:
    """Return PrivateKeyInfo in DER."""
    return tlv(0x30, integer(version), tlv(0x30, algorithm), tlv(4, inner), tail)


def spki(algorithm: bytes, key: bytes) -> bytes:
    """Return SubjectPublicKeyInfo in DER."""
    return tlv(0x30, tlv(0x30, algorithm), tlv(3, b"\0", key))


def encrypted(
    plaintext: bytes,
    *,
    iterations: int = 1,
    claimed: int | None = None,
    salt: bytes = bytes(8),
    length: bytes = b"",
    iv: bytes = bytes(16),
    tail: bytes = b"",
    password: bytes = PASSWORD,
) -> bytes:
    """Return EncryptedPrivateKeyInfo in DER; `password` decrypts it if the parameters are right."""
    key = PBKDF2HMAC(SHA256(), 32, salt, iterations).derive(password)
    padder, encryptor = PKCS7(128).padder(), Cipher(AES(key), CBC(bytes(16))).encryptor()
    data = encryptor.update(padder.update(plaintext) + padder.finalize()) + encryptor.finalize()
    count = integer(iterations if claimed is None else claimed)
    kdf = tlv(0x30, tlv(4, salt), count, length, tlv(0x30, HMAC_SHA256, NULL))
    parameters = tlv(0x30, tlv(0x30, PBKDF2, kdf), tlv(0x30, AES_256_CBC, tlv(4, iv)))
    return tlv(0x30, tlv(0x30, PBES2, parameters), tlv(4, data + tail))


@functools.cache
def prime(bits: int, remainder: int = 0) -> int:
    """Return a random prime of `bits` bits; 1 mod 3 if `remainder` is 1.

    Its three highest bits are set, so the length of a product of four is the sum of their lengths.
    """
    while True:
        numbers = generate_private_key(65537, max(2 * bits, 1024)).private_numbers()
        for found in (numbers.p, numbers.q):
            has_length = found >> (bits - 3) == 0b111
            if has_length and (not remainder or found % 3 == remainder):
                return found


def composite(bits: int, other_bits: int) -> int:
    """Return the product of two random primes that allow the exponent 65,537."""
    while (found := prime(bits) * prime(other_bits)) % 65537 == 1:
        prime.cache_clear()
    return found


def fields_of(key: RSAPrivateKey) -> Numbers:
    """Return the fields of RSAPrivateKey (RFC 8017 appendix A.1.2), in its order."""
    private, public = key.private_numbers(), key.public_key().public_numbers()
    return {
        "n": public.n,
        "e": public.e,
        "d": private.d,
        "p": private.p,
        "q": private.q,
        "dp": private.dmp1,
        "dq": private.dmq1,
        "qi": private.iqmp,
    }


def numbers_of(p: int, q: int, *, modulo_phi: bool = False, e: int = 65537) -> Numbers:
    """Return the numbers of the key of two primes."""
    phi = (p - 1) * (q - 1)
    d = pow(e, -1, phi if modulo_phi else phi // math.gcd(p - 1, q - 1))
    crt = {"dp": d % (p - 1), "dq": d % (q - 1), "qi": pow(q, -1, p)}
    return {"n": p * q, "e": e, "d": d, "p": p, "q": q, **crt}


def wrong_values(good: int, n: int) -> dict[str, int]:
    """Return wrong values of a field, by name."""
    return {
        "0": 0,
        "1": 1,
        "-1": -1,
        "2": 2,
        "negative": -good,
        "negative n": -n,
        "less 1": good - 1,
        "more 1": good + 1,
        "more 2": good + 2,
        "twice": 2 * good,
        "n": n,
        "less n": good - n,
        "more n": good + n,
        "n less 1": n - 1,
        "square": n * n,
        "random prime": prime(n.bit_length() // 2),
        "random": int.from_bytes(os.urandom(256)),
        "even": 1 << (n.bit_length() - 1),
        "odd": (1 << n.bit_length()) - 1,
        **{f"prime of {bits} bits": value for bits, value in MERSENNE.items()},
        "product of primes": MERSENNE[9689] * MERSENNE[44497],
        "15 KB": 3 << 120_000,
        "60 KB": 3 << 480_000,
        "60 KB of ones": (1 << 480_000) - 1,
    }


def rsa_numbers(good: Numbers) -> Iterator[tuple[str, Numbers, bool]]:
    """Yield keys with a wrong field, two exchanged fields, or nearly consistent numbers."""
    for field, value in good.items():
        for name, wrong in wrong_values(value, good["n"]).items():
            if wrong != value:
                yield f"{field}: {name}", good | {field: wrong}, False
    for one, another in itertools.combinations(good, 2):
        yield f"{one} and {another}", good | {one: good[another], another: good[one]}, False
    p, q = good["p"], good["q"]
    yield "p < q", numbers_of(min(p, q), max(p, q)), True
    yield "p > q", numbers_of(max(p, q), min(p, q)), True
    yield "modulo phi", numbers_of(p, q, modulo_phi=True), True
    phi = (p - 1) * (q - 1)
    carmichael = phi // math.gcd(p - 1, q - 1)
    for power in (1, 2, 16, 1000, 100_000):
        other = good["d"] + (carmichael << power)
        # For some primes, the sum is the private exponent modulo φ(n).
        is_reduced = other < phi and good["e"] * other % phi == 1
        yield f"d + 2^{power} λ", good | {"d": other}, is_reduced
    for bits, rest in ((2203, 1893), (2281, 1815), (3217, 879)):
        yield f"{bits} + {rest} bits", numbers_of(MERSENNE[bits], prime(rest)), False
        yield f"{rest} + {bits} bits", numbers_of(prime(rest), MERSENNE[bits]), False
    yield "1088 + 960 bits", numbers_of(prime(1088), prime(960)), True
    yield "960 + 1088 bits", numbers_of(prime(960), prime(1088)), True
    yield "1279 + 769 bits", numbers_of(MERSENNE[1279], prime(769)), True
    yield "1279 + 1793 bits", numbers_of(prime(1793), MERSENNE[1279]), True
    product = composite(1023, 1025)
    yield "composite p", numbers_of(product, prime(2048)), False
    yield "composite q", numbers_of(prime(2048), product), False
    yield "two composites", numbers_of(product, composite(1022, 1026)), False


def rsa_files(good: Numbers) -> Iterator[HostileFile]:
    """Yield RSA private keys in every kind of file."""
    known = {"password": PASSWORD}
    for name, numbers, legal in rsa_numbers(good):
        inner = pkcs1(numbers)
        sealed = encrypted(pkcs8(inner))
        yield HostileFile(f"PKCS#1, {name}", RsaKey.from_der, inner, legal=legal)
        yield HostileFile(f"PEM, {name}", RsaKey.from_pem, pem(inner, "RSA PRIVATE KEY"), {}, legal)
        yield HostileFile(f"PKCS#8, {name}", RsaKey.from_der, pkcs8(inner), legal=legal)
        yield HostileFile(f"encrypted, {name}", RsaKey.from_der, sealed, known, legal)
    for version in (1, 2, -1, 3 << 480_000):
        yield HostileFile("PKCS#1, version", RsaKey.from_der, pkcs1(good, version))
        yield HostileFile("PKCS#8, version", RsaKey.from_der, pkcs8(pkcs1(good), version=version))
    third = tlv(0x30, tlv(0x30, integer(MERSENNE[9689]), integer(3), integer(3)))
    for version in (0, 1):
        yield HostileFile("three primes", RsaKey.from_der, pkcs1(good, version, third))
    for name, attributes in tails().items():
        der = pkcs8(pkcs1(good), tail=attributes)
        yield HostileFile(f"RSA, {name}", RsaKey.from_der, der, legal=None)
        yield HostileFile(f"RSA, {name}", RsaKey.from_pem, pem(der, "PRIVATE KEY"), legal=None)


def tails() -> dict[str, bytes]:
    """Return attributes of PKCS#8 with many sizes and shapes."""
    nested = functools.reduce(lambda inner, _: tlv(0x30, inner), range(4000), b"")
    return {
        f"{name} attributes": tlv(0xA0, attributes)
        for name, attributes in {
            "6,000 short": NULL * 6000,
            "30,000 short": NULL * 30_000,
            "nested": nested,
            "14 KB": tlv(4, bytes(14_000)),
            "60 KB": tlv(4, bytes(60_000)),
        }.items()
    }


def sm2_files() -> Iterator[HostileFile]:
    """Yield SM2 private keys with every field wrong."""
    d, point = SM2_CASES[0].scalar.to_bytes(32, "big"), SM2_CASES[0].public_point
    strings = {"empty": b"", "zero": bytes(32), "ones": b"\xff" * 32, "15 KB": b"\x04" * 15_000}
    strings |= {"60 KB": b"\x04" * 60_000, "negative": (-1).to_bytes(32, "big", signed=True)}
    numbers = {name: value for name, value in wrong_values(1, 1 << 2048).items() if value != 1}
    fields = {
        **{f"version: {name}": (integer(value), tlv(4, d)) for name, value in numbers.items()},
        **{f"d: {name}": (integer(1), tlv(4, value)) for name, value in strings.items()},
        **{
            f"point: {name}": (integer(1), tlv(4, d), tlv(0xA1, tlv(3, b"\0", value)))
            for name, value in (strings | {"other": point[:-1] + b"\0"}).items()
        },
        **{
            f"curve: {name}": (integer(1), tlv(4, d), tlv(0xA0, tlv(6, b"\x2a", value)))
            for name, value in strings.items()
        },
    }
    for name, parts in fields.items():
        curve = () if "curve" in name else (tlv(0xA0, SM2_CURVE),)
        sec1 = tlv(0x30, *parts[:2], *curve, *parts[2:])
        inner = pkcs8(tlv(0x30, *parts), ECC + SM2_CURVE)
        yield HostileFile(f"SEC1, {name}", Sm2Key.from_der, sec1)
        yield HostileFile(f"SEC1 PEM, {name}", Sm2Key.from_pem, pem(sec1, "EC PRIVATE KEY"))
        yield HostileFile(f"SM2, {name}", Sm2Key.from_der, inner)
        yield HostileFile(
            f"SM2 encrypted, {name}", Sm2Key.from_der, encrypted(inner), {"password": PASSWORD}
        )
    good = tlv(0x30, integer(1), tlv(4, d))
    for name, attributes in tails().items():
        der = pkcs8(good, ECC + SM2_CURVE, tail=attributes)
        yield HostileFile(f"SM2, {name}", Sm2Key.from_der, der, legal=None)


def public_files(good: Numbers) -> Iterator[HostileFile]:
    """Yield public keys of both kinds."""
    for field in ("n", "e"):
        for name, wrong in wrong_values(good[field], good["n"]).items():
            n, e = (good | {field: wrong})["n"], (good | {field: wrong})["e"]
            der = spki(RSA + NULL, tlv(0x30, integer(n), integer(e)))
            yield HostileFile(f"public {field}: {name}", PublicKey.from_der, der, legal=None)
            text = pem(der, "PUBLIC KEY").decode()
            yield HostileFile(f"public PEM {field}: {name}", PublicKey.from_pem, text, legal=None)
    for length in (0, 1, 33, 64, 66, 15_000, 60_000):
        der = spki(ECC + SM2_CURVE, b"\x04" * length)
        yield HostileFile(f"point of {length} bytes", PublicKey.from_der, der)


def encrypted_files(good: Numbers) -> Iterator[HostileFile]:
    """Yield encrypted private keys that need much work before their password is used."""
    inner = pkcs8(pkcs1(good))
    for read, label in ((RsaKey.from_der, None), (RsaKey.from_pem, "ENCRYPTED PRIVATE KEY")):
        for name, changes in {
            **{f"{n} iterations": {"claimed": n} for n in (0, -1, 10**7 + 1, 2**31, 2**32 + 1)},
            "huge iterations": {"claimed": 3 << 100_000},
            "huge salt": {"salt": bytes(9000)},
            "huge key": {"length": integer(3 << 100_000)},
            "no key": {"length": integer(0)},
            "long IV": {"iv": bytes(9000)},
            "no IV": {"iv": b""},
            "odd": {"tail": b"\0"},
            "60 KB of data": {"tail": bytes(60_000)},
            "60 KB of salt": {"salt": bytes(60_000)},
        }.items():
            der = encrypted(inner, **changes)
            data = pem(der, label) if label else der
            yield HostileFile(f"encrypted, {name}", read, data, {"password": PASSWORD})


def pem_files(good: Numbers) -> Iterator[HostileFile]:
    """Yield texts of about 64 KB."""
    key = pem(pkcs8(pkcs1(good)), "PRIVATE KEY")
    begin, end = b"-----BEGIN PRIVATE KEY-----", b"-----END PRIVATE KEY-----"
    for name, data in {
        "beginnings": begin * 2400,
        "beginnings with a key": begin * 2000 + key,
        "ends": end * 2600,
        "empty blocks": (begin + end) * 1200,
        "keys": key * 19,
        "dashes": b"-" * 65_536,
        "a long label": b"-----BEGIN " + b"A" * 60_000 + b" PRIVATE KEY-----",
        "two long labels": b"-----BEGIN " + b"A" * 32_000 + b"-----END " + b"A" * 32_000,
        "a long body": begin + b"A" * 65_000 + end,
        "white space": begin + b" \n" * 32_000 + end,
        "letters apart": begin + b"A " * 32_000 + end,
        "padding": begin + b"=" * 65_000 + end,
        "headers": begin + b"A: b\n" * 12_000 + end,
    }.items():
        for form in (data, data.decode()):
            yield HostileFile(f"PEM of {name}", RsaKey.from_pem, form, legal=None)
            yield HostileFile(f"PEM of {name}", Sm2Key.from_pem, form, legal=None)
            yield HostileFile(f"PEM of {name}", PublicKey.from_pem, form, legal=None)


def hostile_files(good: Numbers) -> Iterator[HostileFile]:
    """Yield every file made from a good RSA_4096 key, of at most about 64 KB."""
    yield from rsa_files(good)
    yield from sm2_files()
    yield from public_files(good)
    yield from encrypted_files(good)
    yield from pem_files(good)
