"""Public keys of RSA in place of one of SM2.

A valid one does not fit the algorithm, and any other one is not a key (SPEC.md 7.4 step 1, 11.3).
"""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator import identifiers
from kmscore_vectors.generator.keys.published import RSA_2048, RSA_KEYS
from kmscore_vectors.generator.keys.rsa_private import OTHER_LENGTHS
from kmscore_vectors.generator.model import Case, Rule, hex_fields
from kmscore_vectors.generator.wire import der_bits, der_integer, der_sequence
from kmscore_vectors.tables import ErrorCode, Severity

_RULE: Final = Rule(Severity.POLICY, "SPEC section 11.3")


def rsa_public_keys(right: Case) -> Iterator[Case]:
    """Yield encryptions under a public key of RSA."""
    for spec, key in RSA_KEYS.items():
        comment = f"a public key of {spec}"
        yield right.rejected(
            ErrorCode.KEY_USAGE, "KeyUsage", comment, hex_fields(public_key=key.spki())
        )
    for comment, spki in _wrong_keys():
        yield right.rejected(
            ErrorCode.INVALID_KEY, "BadPublicKey", f"RSA, {comment}", hex_fields(public_key=spki),
            _RULE,
        )  # fmt: skip


def _wrong_keys() -> Iterator[tuple[str, bytes]]:
    """Yield keys with one defect each."""
    n, e = der_integer(RSA_2048.n), der_integer(RSA_2048.e)
    usual = der_sequence((n, e))
    for bits, key in OTHER_LENGTHS.items():
        yield f"a modulus of {bits} bits", key.spki()
    for comment, modulus in {
        "an even modulus": RSA_2048.n - 1,
        "a negative modulus": -RSA_2048.n,
    }.items():
        yield comment, _spki(der_sequence((der_integer(modulus), e)))
    for exponent in (-3, 1, 2, 65_536, 2**32, 2**32 + 1):
        yield f"e = {exponent}", _spki(der_sequence((n, der_integer(exponent))))
    for comment, elements in {
        "no exponent": (n,),
        "a third number": (n, e, e),
    }.items():
        yield comment, _spki(der_sequence(elements))
    yield "a byte behind the RSAPublicKey", _spki(usual + b"\x00")
    yield "a byte behind it", RSA_2048.spki() + b"\x00"
    yield (
        "seven unused bits",
        der_sequence((identifiers.RSA_ENCRYPTION, der_bits(usual + b"\x00", 7))),
    )
    for comment, identifier in {
        "without NULL": identifiers.RSA_WITHOUT_NULL,
        "with a SEQUENCE": identifiers.RSA_WITH_SEQUENCE,
        "id-RSAES-OAEP": identifiers.RSAES_OAEP,
        "id-RSASSA-PSS": identifiers.RSASSA_PSS,
    }.items():
        yield comment, der_sequence((identifier, der_bits(usual)))


def _spki(public_key: bytes) -> bytes:
    """Return a SubjectPublicKeyInfo of rsaEncryption."""
    return der_sequence((identifiers.RSA_ENCRYPTION, der_bits(public_key)))
