"""Private keys of RSA for the vectors: unusual ones that are valid, and ones with one defect."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from kmscore_vectors.generator import identifiers
from kmscore_vectors.generator.keys.published import ARNAULT, RSA_2048, RSA_3072
from kmscore_vectors.generator.model import Rule
from kmscore_vectors.generator.oaep import RsaTestKey
from kmscore_vectors.generator.wire import der, der_integer, der_octets, der_sequence
from kmscore_vectors.tables import KeySpec, Severity

# Each constant is the least that gives a prime, found by a search over 1, 3, 5, ...
SMALL_EXPONENTS: Final = RsaTestKey((3 << 1022) + 1037, (7 << 1021) + 309)
"""A key whose p - 1 and q - 1 have no factor in common with 2^32 - 1, and so not with 3."""
UNEQUAL: Final = RsaTestKey((3 << 1278) + 797, (3 << 766) + 65)
"""A modulus of 2,048 bits whose primes have 1,280 and 768 bits."""
LONGEST_PRIME: Final = RsaTestKey((3 << 2046) + 439, (3 << 1022) + 1037)
"""A modulus of 3,072 bits with a prime of 2,048 bits."""
TOO_LONG_PRIME: Final = RsaTestKey((3 << 2047) + 115, (3 << 2045) + 2345)
"""A modulus of 4,096 bits with a prime of 2,049 bits."""
OTHER_LENGTHS: Final = {
    1024: RsaTestKey((3 << 510) + 761, (7 << 509) + 15),
    2047: RsaTestKey((1 << 1023) + 1155, (3 << 1022) + 1037),
    2049: RsaTestKey((3 << 1023) + 203, (3 << 1022) + 1037),
    2560: RsaTestKey(RSA_2048.p, RSA_3072.q),
}
"""Keys by the bits of their modulus."""
THREE_PRIMES: Final = ((7 << 680) + 997, (3 << 681) + 155, (7 << 679) + 47)
"""Primes whose product has 2,048 bits."""

_CARMICHAEL_FACTOR: Final = (7 << 335) + 548_079
CARMICHAEL_FACTORS: Final = tuple(n * _CARMICHAEL_FACTOR + 1 for n in (6, 12, 18))
"""Three primes whose product is a Carmichael number of 1,024 bits.

Fermat's test takes such a number for a prime with nearly every base. Found by a search over the
last summand of the factor.
"""
OF_731_BITS: Final = (3 << 729) + 2173
"""A prime of 731 bits, with which `ARNAULT` has a product of 2,048 bits."""
_COMPOSITES: Final = {
    "of two primes": OTHER_LENGTHS[1024].n,
    "a Carmichael number": CARMICHAEL_FACTORS[0] * CARMICHAEL_FACTORS[1] * CARMICHAEL_FACTORS[2],
}


_RFC_8017: Final = Rule(Severity.STANDARD, "RFC 8017 section 3.1")


class RsaCase(NamedTuple):
    """A flag, a comment, the key in PKCS#8, the spec that it is stored under, and a rule.

    The rule is `None` if it is that of the flag.
    """

    flag: str
    comment: str
    pkcs8: bytes
    spec: KeySpec = KeySpec.RSA_2048
    rule: Rule | None = None


def valid_rsa_keys() -> Iterator[tuple[str, RsaTestKey, bytes, KeySpec]]:
    """Yield a comment, an unusual key, its PKCS#8 and its spec."""
    spec = KeySpec.RSA_2048
    small = SMALL_EXPONENTS
    for e in (3, 17, 65_539, 2**32 - 5, 2**32 - 1):
        key = small._replace(e=e)
        yield f"e = {e}, d modulo phi(n)", key, key.pkcs8(), spec
    # For the exponent of the other keys, both moduli give the same d.
    for key in (small._replace(e=3), RSA_2048._replace(e=17)):
        d = pow(key.e, -1, key.carmichael)
        yield f"e = {key.e}, d modulo lambda(n)", key, key.pkcs8(d=d), spec
    swapped = RsaTestKey(RSA_2048.q, RSA_2048.p)
    yield "the primes in the other order", swapped, swapped.pkcs8(), spec
    yield "primes of 1,280 and 768 bits", UNEQUAL, UNEQUAL.pkcs8(), spec
    swapped = RsaTestKey(UNEQUAL.q, UNEQUAL.p)
    yield "primes of 768 and 1,280 bits", swapped, swapped.pkcs8(), spec
    longest = LONGEST_PRIME
    yield "a prime of 2,048 bits in 3,072", longest, longest.pkcs8(), KeySpec.RSA_3072


def wrong_rsa_keys() -> Iterator[RsaCase]:
    """Yield keys that have one defect each."""
    for comment, changes in _wrong_numbers().items():
        yield RsaCase("RsaNumbers", comment, _pkcs8(RSA_2048.pkcs1(**changes)))
    for comment, pkcs8 in {**_wrong_primes(), **_wrong_forms()}.items():
        yield RsaCase("RsaNumbers", comment, pkcs8)
    pkcs8 = TOO_LONG_PRIME.pkcs8()
    yield RsaCase("RsaNumbers", "a prime of 2,049 bits", pkcs8, KeySpec.RSA_4096)
    for bits, key in OTHER_LENGTHS.items():
        yield RsaCase("RsaModulus", f"a modulus of {bits} bits", key.pkcs8())
    yield RsaCase("RsaModulus", "3,072 bits for 2,048", RSA_3072.pkcs8())
    yield RsaCase("RsaModulus", "2,048 bits for 3,072", RSA_2048.pkcs8(), KeySpec.RSA_3072)
    even = RsaTestKey((3 << 2045) + 2345, 2)
    comment = "an even modulus, of the primes 2 and n / 2"
    yield RsaCase("RsaModulus", comment, even.pkcs8(), rule=_RFC_8017)
    yield from _wrong_exponents()
    for comment, identifier in {
        "id-RSASSA-PSS": identifiers.RSASSA_PSS,
        "id-RSASSA-PSS with NULL": identifiers.RSASSA_PSS_NULL,
        "id-RSAES-OAEP": identifiers.RSAES_OAEP,
        "id-RSAES-OAEP with NULL": identifiers.RSAES_OAEP_NULL,
        "sha256WithRSAEncryption": identifiers.SHA_256_WITH_RSA,
        "rsaEncryption without NULL": identifiers.RSA_WITHOUT_NULL,
        "rsaEncryption with a SEQUENCE": identifiers.RSA_WITH_SEQUENCE,
        "rsaEncryption with NULL twice": identifiers.RSA_WITH_NULL_TWICE,
        "rsaEncryption with a NULL of two bytes of length": identifiers.RSA_WITH_LONG_NULL,
        "rsaEncryption with a NULL of one byte": identifiers.RSA_WITH_FULL_NULL,
        "rsaEncryption and an arc more": identifiers.RSA_WITH_AN_ARC_MORE,
        "rsaEncryption and an arc less": identifiers.RSA_WITH_AN_ARC_LESS,
        "rsaEncryption with 80 before an arc": identifiers.RSA_WITH_A_PADDED_ARC,
    }.items():
        yield RsaCase("KeyAlgorithm", comment, RSA_2048.pkcs8(identifier=identifier))


def _wrong_numbers() -> dict[str, dict[str, int]]:
    """Return changes of single numbers, after which they do not belong together."""
    key = RSA_2048
    p, q, n, phi, e = key.p, key.q, key.n, key.phi, key.e
    d, carmichael = pow(e, -1, phi), key.carmichael
    d_p, d_q, q_inv = d % (p - 1), d % (q - 1), pow(q, -1, p)
    return {
        "n + 2": {"n": n + 2},
        "n - 2": {"n": n - 2},
        "e = 65,539 with d for 65,537": {"e": 65_539},
        "e = 3 with d for 65,537": {"e": 3},
        "d + 2": {"d": d + 2},
        "d = 0": {"d": 0},
        "d = 1": {"d": 1},
        "d + lambda(n)": {"d": d + carmichael},
        "d + phi(n)": {"d": d + phi},
        "d - phi(n)": {"d": d - phi},
        "n - d": {"d": n - d},
        "d for another exponent": {"d": pow(17, -1, phi)},
        "p + 2": {"p": p + 2},
        "p of 4,253 bits": {"p": (1 << 4253) - 1},
        "q + 2": {"q": q + 2},
        "p and q negative": {"p": -p, "q": -q},
        "p = 1 and q = n": {"p": 1, "q": n},
        "p = n and q = 1": {"p": n, "q": 1},
        "p = q": {"q": p},
        "the primes in the other order, and the rest as it was": {"p": q, "q": p},
        "the primes in the other order, and dP and dQ as well": {
            "p": q,
            "q": p,
            "d_p": d_q,
            "d_q": d_p,
        },
        "dP + 1": {"d_p": d_p + 1},
        "dP + p - 1": {"d_p": d_p + p - 1},
        "dP = 0": {"d_p": 0},
        "dP = d": {"d_p": d},
        "dQ + 1": {"d_q": d_q + 1},
        "dQ + q - 1": {"d_q": d_q + q - 1},
        "dQ = 0": {"d_q": 0},
        "dP and dQ exchanged": {"d_p": d_q, "d_q": d_p},
        "qInv + 1": {"q_inv": q_inv + 1},
        "qInv + p": {"q_inv": q_inv + p},
        "qInv - p": {"q_inv": q_inv - p},
        "qInv = 0": {"q_inv": 0},
        "1/p in place of 1/q": {"q_inv": pow(p, -1, q)},
        "PKCS#1 of version 1": {"two_primes": 1},
        "PKCS#1 of version 2": {"two_primes": 2},
        "PKCS#1 of version -1": {"two_primes": -1},
        "PKCS#1 of version 256": {"two_primes": 1 << 8},
        "PKCS#1 of version 2^32": {"two_primes": 1 << 32},
        "PKCS#1 of version 2^64": {"two_primes": 1 << 64},
    }


def _wrong_primes() -> dict[str, bytes]:
    """Return keys whose numbers fit, with a factor that is not a prime, or with more primes."""
    q = SMALL_EXPONENTS.q
    composite = {f"p is composite: {name}": RsaTestKey(p, q) for name, p in _COMPOSITES.items()}
    composite |= {f"q is composite: {name}": RsaTestKey(q, p) for name, p in _COMPOSITES.items()}
    name = "a strong pseudoprime to all bases below 307"
    composite[f"p is composite: {name}"] = RsaTestKey(ARNAULT, OF_731_BITS)
    composite[f"q is composite: {name}"] = RsaTestKey(OF_731_BITS, ARNAULT)
    composite["p and q are composite"] = RsaTestKey(*_COMPOSITES.values())
    square = RsaTestKey(SMALL_EXPONENTS.q, q)
    return {
        **{comment: key.pkcs8() for comment, key in composite.items()},
        "n is the square of a prime": _square(square),
        "three primes, version 1": _pkcs8(_three_primes(1)),
        "three primes, version 0": _pkcs8(_three_primes(0)),
        "two primes and an empty list of others, version 1": _pkcs8(
            der_sequence((RSA_2048.pkcs1(two_primes=1)[4:], der_sequence(())))
        ),
    }


def _square(square: RsaTestKey) -> bytes:
    """Return a key with p = q, whose qInv does not exist and is 1."""
    p, e = square.p, square.e
    d = pow(e, -1, p * (p - 1))
    d_p = d % (p - 1)
    numbers = (0, square.n, e, d, p, p, d_p, d_p, 1)
    return _pkcs8(der_sequence(map(der_integer, numbers)))


def _three_primes(version: int) -> bytes:
    """Return an RSAPrivateKey of three primes (RFC 8017 section A.1.2)."""
    p, q, r = THREE_PRIMES
    e = RSA_2048.e
    d = pow(e, -1, (p - 1) * (q - 1) * (r - 1))
    two = (version, p * q * r, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
    other = der_sequence(map(der_integer, (r, d % (r - 1), pow(p * q, -1, r))))
    return der_sequence((*map(der_integer, two), der_sequence((other,))))


def _wrong_forms() -> dict[str, bytes]:
    """Return RSAPrivateKeys with a number too few, too many or in another form."""
    numbers = RSA_2048.numbers()
    elements = {name: der_integer(number) for name, number in numbers.items()}

    def changed(**changes: bytes) -> bytes:
        """Return the key with some elements replaced."""
        return _pkcs8(der_sequence((elements | changes).values()))

    bare = {
        f"{name} without the 00 of its sign": changed(**{name: der(0x02, element[5:])})
        for name, element in elements.items()
        if name in {"n", "p", "q"}
    }
    return {
        **bare,
        "no qInv": changed(q_inv=b""),
        "no version": changed(two_primes=b""),
        "one number more": _pkcs8(der_sequence((*elements.values(), b"\x02\x01\x01"))),
        "n with 00 before it": changed(n=_padded(numbers["n"])),
        "e with 00 before it": changed(e=_padded(numbers["e"])),
        "e of no byte": changed(e=b"\x02\x00"),
        "e as an OCTET STRING": changed(e=der_octets(b"\x01\x00\x01")),
        "length of e in two bytes": changed(e=b"\x02\x81\x03\x01\x00\x01"),
    }


def _padded(number: int) -> bytes:
    """Return an INTEGER with one 00 too many."""
    length = number.bit_length() // 8 + 2
    return der(0x02, number.to_bytes(length, "big"))


def _pkcs8(private_key: bytes) -> bytes:
    """Return an RSAPrivateKey in PKCS#8."""
    return der_sequence(
        (der_integer(0), identifiers.RSA_ENCRYPTION, der_octets(private_key))
    )  # fmt: skip


def _wrong_exponents() -> Iterator[RsaCase]:
    """Yield public exponents that are out of range or even."""
    for comment, e in {
        "e = 0": 0,
        "e = 2": 2,
        "e = 4": 4,
        "e = 65,536": 65_536,
        "e = 2^32, the largest, which is even": 1 << 32,
        "e = -65,537": -65_537,
    }.items():
        # An even exponent has no inverse, and d is that of 65,537.
        yield RsaCase("RsaExponent", comment, RSA_2048.pkcs8(e=e), rule=_RFC_8017)
    for comment, e, rule in (
        ("e = 1, with d = 1", 1, _RFC_8017),
        ("e of 33 bits", (1 << 32) + 15, None),
        ("e of 64 bits", (1 << 64) - 59, None),
        ("e + phi(n)", RSA_2048.e + RSA_2048.phi, None),
    ):
        yield RsaCase("RsaExponent", comment, RSA_2048._replace(e=e).pkcs8(), rule=rule)
