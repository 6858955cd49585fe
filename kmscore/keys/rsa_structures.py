"""The numbers of RSA keys: RSAPublicKey and RSAPrivateKey (RFC 8017 appendix A.1), in strict DER.

This module checks every number before `cryptography` sees it. The reason is that libcrypto tests
the primes of a file for primality while it holds the lock of the interpreter. A `prime1` of 9,689
bits takes 25 seconds, and one of 44,497 bits takes hours.
"""

from functools import cache
from math import gcd
from typing import Final

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPrivateNumbers,
    RSAPublicKey,
    RSAPublicNumbers,
)

from kmscore._availability import attempt, unavailable
from kmscore.algorithms import RSA_SPECS, KeySpec
from kmscore.errors import InvalidKeyError
from kmscore.keys.der import (
    AlgorithmIdentifier,
    SubjectPublicKeyInfo,
    decode_private_key_info,
    decode_structure,
    invalid,
)
from kmscore.keys.oid import ObjectIdentifier

MAX_PRIME_LENGTH: Final = 2048
"""Maximum length of a prime in bits.

Libcrypto tests a longer prime twice as often, and without its optimized code for 2,048 bits. The
test of two primes of 2,048 bits is the reference:

- 2,176 and 1,920 bits take 2.8 times as long.
- 2,432 and 1,664 bits take 3.4 times as long.
- 4,090 and 6 bits take 7.5 times as long.

The primes of RSA_2048 and RSA_3072 can differ in length, and take less time than those of RSA_4096.
"""

_RSA_ENCRYPTION: Final = ObjectIdentifier("1.2.840.113549.1.1.1")
_TWO_PRIMES: Final = 0
_MIN_EXPONENT: Final = 3
_MAX_EXPONENT: Final = 2**32


@asn1.sequence
class _RsaPublicKey:
    modulus: int
    public_exponent: int


@asn1.sequence
class _RsaPrivateKey:
    version: int
    modulus: int
    public_exponent: int
    private_exponent: int
    prime1: int
    prime2: int
    exponent1: int
    exponent2: int
    coefficient: int


def is_rsa(info: SubjectPublicKeyInfo) -> bool:
    """Return whether a public key has the algorithm rsaEncryption."""
    return info.algorithm.algorithm == _RSA_ENCRYPTION


def load_rsa_public_key(info: SubjectPublicKeyInfo) -> RSAPublicKey:
    """Return the key of a SubjectPublicKeyInfo of rsaEncryption, or raise `InvalidKeyError`."""
    _check_parameters(info.algorithm)
    # Padding bits cannot occur, because they are 0 in DER and an odd exponent ends in a 1.
    key = decode_structure(_RsaPublicKey, info.subject_public_key.as_bytes(), "RSAPublicKey")
    numbers = RSAPublicNumbers(key.public_exponent, key.modulus)
    check_public_numbers(numbers)
    try:
        return attempt(numbers.public_key, "RSA")
    except ValueError:
        pass
    raise invalid("is not a valid RSA public key")


def load_rsa_pkcs8(der: bytes) -> RSAPrivateKey:
    """Return the key of a PrivateKeyInfo of rsaEncryption, or raise `InvalidKeyError`.

    A key under id-RSASSA-PSS is for signatures only (RFC 4055 section 1.2).
    """
    info = decode_private_key_info(der)
    if info.algorithm.algorithm != _RSA_ENCRYPTION:
        raise invalid("does not have the algorithm rsaEncryption")
    _check_parameters(info.algorithm)
    return load_rsa_pkcs1(info.private_key)


def load_rsa_pkcs1(der: bytes) -> RSAPrivateKey:
    """Return the key of an RSAPrivateKey, or raise `InvalidKeyError`.

    Before any multiplication, every number is checked to be greater than 0 and less than n. Then
    `cryptography` tests the primes, and the key consists of the numbers that were checked.
    """
    key = decode_structure(_RsaPrivateKey, der, "PKCS#1")
    if key.version != _TWO_PRIMES:
        raise invalid("is PKCS#1 of an unknown version")
    public = RSAPublicNumbers(key.public_exponent, key.modulus)
    check_public_numbers(public)
    _check_ranges(key)
    if not _is_consistent(key):
        raise _inconsistent()
    numbers = RSAPrivateNumbers(
        p=key.prime1,
        q=key.prime2,
        d=key.private_exponent,
        dmp1=key.exponent1,
        dmq1=key.exponent2,
        iqmp=key.coefficient,
        public_numbers=public,
    )
    try:
        return attempt(numbers.private_key, "RSA")
    except ValueError:
        pass
    _check_library()
    raise _inconsistent()


@cache
def _check_library() -> None:
    """Raise `UnsupportedAlgorithmError` if `cryptography` cannot load any RSA key.

    For example, under a system policy without random numbers it reports every key as invalid. The
    test key is a small one of two Mersenne primes. A success is cached.
    """
    p, q, e = 2**607 - 1, 2**521 - 1, 65_537
    d = pow(e, -1, (p - 1) * (q - 1))
    crt = d % (p - 1), d % (q - 1), pow(q, -1, p)
    try:
        attempt(RSAPrivateNumbers(p, q, d, *crt, RSAPublicNumbers(e, p * q)).private_key, "RSA")
    except ValueError:
        pass
    else:
        return
    raise unavailable("RSA")


def check_public_numbers(numbers: RSAPublicNumbers) -> KeySpec:
    """Return the spec of an RSA key; raise `InvalidKeyError` for a wrong modulus or exponent."""
    bits = numbers.n.bit_length()
    spec = RSA_SPECS.get(bits)
    if spec is None:
        raise invalid(f"has a modulus of {bits} bits instead of {', '.join(map(str, RSA_SPECS))}")
    # libcrypto accepts an even modulus and fails only when it encrypts. In an export of a data key,
    # this would be after the decryption of the data key.
    if numbers.n < 0 or numbers.n % 2 == 0:
        raise invalid("has a negative or even modulus")
    if not (_MIN_EXPONENT <= numbers.e <= _MAX_EXPONENT and numbers.e % 2):
        raise invalid("has a public exponent that is not odd and 3 to 2^32")
    return spec


def _check_parameters(identifier: AlgorithmIdentifier) -> None:
    """Raise `InvalidKeyError` unless the parameters are NULL (RFC 8017 appendix A.1)."""
    if identifier.parameters is None:
        raise invalid("lacks the NULL parameters of RSA encryption; `openssl pkey` adds them")
    if not isinstance(identifier.parameters, asn1.Null):
        raise invalid("has parameters of RSA encryption other than NULL")


def _check_ranges(key: _RsaPrivateKey) -> None:
    """Raise `InvalidKeyError` for numbers out of range, and for primes that take long to test."""
    n, p, q = key.modulus, key.prime1, key.prime2
    bounds = (
        *((key.private_exponent, n), (p, n), (q, n)),
        *((key.exponent1, p), (key.exponent2, q), (key.coefficient, p)),
    )
    if not all(0 < number < bound for number, bound in bounds):
        raise _inconsistent()
    if max(p, q).bit_length() > MAX_PRIME_LENGTH:
        raise invalid(f"has a prime of more than {MAX_PRIME_LENGTH} bits")


def _is_consistent(key: _RsaPrivateKey) -> bool:
    """Return whether the numbers, all in range, are consistent, assuming that p and q are prime."""
    p, q, d = key.prime1, key.prime2, key.private_exponent
    return (
        p * q == key.modulus
        and _is_private_exponent(d, key.public_exponent, p - 1, q - 1)
        and (key.exponent1, key.exponent2) == (d % (p - 1), d % (q - 1))
        and key.coefficient * q % p == 1
    )


def _is_private_exponent(d: int, e: int, p_1: int, q_1: int) -> bool:
    """Return whether d is 1/e modulo λ(n) or modulo φ(n), reduced (RFC 8017 section 3.2)."""
    phi = p_1 * q_1
    carmichael = phi // gcd(p_1, q_1)
    return e * d % carmichael == 1 and (d < carmichael or (d < phi and e * d % phi == 1))


def _inconsistent() -> InvalidKeyError:
    """Return the `InvalidKeyError` for inconsistent numbers, the same for every cause."""
    return InvalidKeyError("not a consistent RSA private key")
