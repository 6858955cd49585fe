"""Private keys of SM2 for the vectors: unusual ones that are valid, and ones with one defect."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator import affine, identifiers
from kmscore_vectors.generator.affine import BASE, ORDER, finite, multiply
from kmscore_vectors.generator.keys.published import SM2_PUBLIC_POINT, SM2_SCALAR
from kmscore_vectors.generator.model import Rule
from kmscore_vectors.generator.wire import der, der_bits, der_integer, der_octets, der_sequence
from kmscore_vectors.tables import Severity

_POINT: Final = affine.point_bytes(SM2_PUBLIC_POINT)
_SCALAR: Final = SM2_SCALAR.to_bytes(32, "big")
_PUBLIC: Final = der(0xA1, der_bits(_POINT))
_CURVE: Final = der(0xA0, identifiers.SM2_CURVE)

SHORT_SCALARS: Final = {
    "00 39": SM2_SCALAR >> 8,
    "00 80": (1 << 247) + (SM2_SCALAR >> 16),
    "00 00 c0": (3 << 238) + (SM2_SCALAR >> 32),
}
"""Scalars below 2^248, by their first bytes; a DER INTEGER of the last two has a sign byte."""


_OTHER_CURVES: Final = {
    "and an arc more": identifiers.CURVE_WITH_AN_ARC_MORE,
    "and an arc less": identifiers.CURVE_WITH_AN_ARC_LESS,
    "with 80 before an arc": identifiers.CURVE_WITH_A_PADDED_ARC,
}
# GB/T 32918.1-2016 section 4.2 and RFC 5480 section 2.2 allow more than the uncompressed form.
POINT_FORM: Final = Rule(Severity.POLICY, "SPEC section 7.1")
_VALID_POINT: Final = Rule(Severity.STANDARD, "GB/T 32918.1-2016 section 6.2.1; RFC 5480 section 2")
POINT_RULES: Final = {
    "compressed": POINT_FORM,
    "hybrid": POINT_FORM,
    **dict.fromkeys(
        (
            "a point off the curve", "x and y are 0", "the point at infinity", "no byte",
            "05 in place of 04", "64 bytes, without 04", "66 bytes", "seven unused bits",
            "an OCTET STRING",
        ),
        _VALID_POINT,
    ),
}  # fmt: skip
"""The rules of public points, by comment, that are not that of their flag."""


def ec_private_key(
    *optional: bytes, scalar: bytes = _SCALAR, version: int = 1
) -> bytes:  # fmt: skip
    """Return an ECPrivateKey (RFC 5915) with the given parameters [0] and public point [1]."""
    return der_sequence((der_integer(version), der_octets(scalar), *optional))


def pkcs8(private_key: bytes, algorithm: bytes = affine.ALGORITHM) -> bytes:
    """Return an ECPrivateKey in PKCS#8 (RFC 5208)."""
    return der_sequence((der_integer(0), algorithm, der_octets(private_key)))


def valid_sm2_keys() -> Iterator[tuple[str, int, bytes]]:
    """Yield a comment, the scalar and the PKCS#8 of unusual keys."""
    d = SM2_SCALAR
    yield "the curve named within as well", d, pkcs8(ec_private_key(_CURVE, _PUBLIC))
    yield "without a public point", d, pkcs8(ec_private_key())
    yield "the curve named within, no public point", d, pkcs8(ec_private_key(_CURVE))
    for comment, scalar in {
        "d = 1": 1,
        "d = 2": 2,
        "d = n - 2": ORDER - 2,
        "d of 248 bits": d >> 8,
        "d of 128 bits": d >> 128,
        "d of 255 bits": (1 << 255) - 1,
    }.items():
        yield comment, scalar, affine.pkcs8(scalar)
    for comment, scalar in SHORT_SCALARS.items():
        whole = scalar.to_bytes(32, "big")
        if scalar != d >> 8:  # that one is above
            yield f"d begins with {comment}", scalar, affine.pkcs8(scalar)
        without = pkcs8(ec_private_key(scalar=whole))
        yield f"d begins with {comment}, without a public point", scalar, without


def wrong_sm2_keys() -> Iterator[tuple[str, str, bytes]]:
    """Yield a flag, a comment and a key that has one defect."""
    for comment, scalar in _scalars().items():
        yield "Sm2Scalar", comment, pkcs8(ec_private_key(_PUBLIC, scalar=scalar))
    last = ORDER - 1
    yield "Sm2Scalar", "n - 1, with its point", affine.pkcs8(last)
    no_point = ec_private_key(scalar=ORDER.to_bytes(32, "big"))
    yield "Sm2Scalar", "n, without a point", pkcs8(no_point)
    for comment, private_key in _short_scalars():
        yield "Sm2Scalar", comment, pkcs8(private_key)
    for comment, bits in _points().items():
        yield "Sm2Point", comment, pkcs8(ec_private_key(der(0xA1, bits)))
    base = der(0xA1, der_bits(affine.point_bytes(finite(multiply(1, BASE))), 5))
    one = ec_private_key(base, scalar=(1).to_bytes(32, "big"))
    yield "Sm2Point", "d = 1, five unused bits of the point, which are 0", pkcs8(one)
    for comment, algorithm in {
        "P-256 named": affine.ALGORITHM_P256,
        "no curve": identifiers.EC_WITHOUT_CURVE,
        "NULL in place of a curve": identifiers.EC_WITH_NULL,
        "the curve as the algorithm": identifiers.CURVE_AS_ALGORITHM,
        "explicit parameters": identifiers.EC_WITH_EXPLICIT_CURVE,
        "a NULL after the curve": identifiers.EC_WITH_NULL_AFTER_CURVE,
        "id-ecPublicKey and an arc more": identifiers.EC_WITH_AN_ARC_MORE,
        "id-ecPublicKey and an arc less": identifiers.EC_WITH_AN_ARC_LESS,
        **{
            f"the curve {name}": der_sequence((identifiers.EC_PUBLIC_KEY, curve))
            for name, curve in _OTHER_CURVES.items()
        },
        "rsaEncryption": identifiers.RSA_ENCRYPTION,
    }.items():
        yield "KeyAlgorithm", comment, pkcs8(ec_private_key(_PUBLIC), algorithm)
    for comment, optional in _parameters().items():
        yield "KeyAlgorithm", comment, pkcs8(ec_private_key(*optional))
    only_within = pkcs8(ec_private_key(_CURVE, _PUBLIC), identifiers.EC_WITHOUT_CURVE)
    yield "KeyAlgorithm", "the curve named within alone", only_within
    yield "KeyStructure", "ECPrivateKey alone, with its curve", ec_private_key(_CURVE, _PUBLIC)
    for version in (-1, 0, 2, 3, 257, 1 + (1 << 32), 1 + (1 << 64)):
        comment = f"ECPrivateKey of version {version}"
        yield "KeyStructure", comment, pkcs8(ec_private_key(_PUBLIC, version=version))
    for comment, optional in _orders().items():
        yield "KeyStructure", comment, pkcs8(ec_private_key(*optional))


def _scalars() -> dict[str, bytes]:
    """Return scalars that are out of range or have another length than 32 bytes."""
    return {
        "0": bytes(32),
        "n": ORDER.to_bytes(32, "big"),
        "n + 1": (ORDER + 1).to_bytes(32, "big"),
        "2^256 - 1": b"\xff" * 32,
        "d + n in 33 bytes": (SM2_SCALAR + ORDER).to_bytes(33, "big"),
        "33 bytes, 00 first": b"\x00" + _SCALAR,
        "33 bytes, 00 last": _SCALAR + b"\x00",
        "31 bytes": _SCALAR[:-1],
        "the last 31 bytes": _SCALAR[1:],
        "no byte": b"",
        "64 bytes": _SCALAR * 2,
    }


def _short_scalars() -> Iterator[tuple[str, bytes]]:
    """Yield scalars that begin with zeros and are not 32 bytes, with and without their point."""
    for name, scalar in SHORT_SCALARS.items():
        point = der(0xA1, der_bits(affine.point_bytes(finite(multiply(scalar, BASE)))))
        for length in sorted({31, 33, (scalar.bit_length() + 7) // 8}):
            octets = scalar.to_bytes(length, "big")
            comment = f"d that begins with {name}, in {length} bytes"
            yield f"{comment}, with its point", ec_private_key(point, scalar=octets)
            yield f"{comment}, without a point", ec_private_key(scalar=octets)


def _points() -> dict[str, bytes]:
    """Return public points that do not belong to the scalar, or are not in the one form."""
    x, y = SM2_PUBLIC_POINT
    parity = y % 2
    next_point = finite(affine.add(SM2_PUBLIC_POINT, BASE))
    return {
        "the point of d + 1": der_bits(affine.point_bytes(next_point)),
        "the point of n - d": der_bits(affine.point_bytes((x, affine.PRIME - y))),
        "the base point": der_bits(affine.point_bytes(finite(multiply(1, BASE)))),
        "a point off the curve": der_bits(affine.point_bytes((x, y + 1))),
        "x and y are 0": der_bits(affine.point_bytes((0, 0))),
        "the point at infinity": der_bits(b"\x00"),
        "no byte": der_bits(b""),
        "compressed": der_bits(bytes([2 + parity]) + _POINT[1:33]),
        "hybrid": der_bits(bytes([6 + parity]) + _POINT[1:]),
        "05 in place of 04": der_bits(b"\x05" + _POINT[1:]),
        "64 bytes, without 04": der_bits(_POINT[1:]),
        "66 bytes": der_bits(_POINT + b"\x00"),
        "seven unused bits": der_bits(_POINT + b"\x00", 7),
        "an OCTET STRING": der_octets(_POINT),
        "nothing": b"",
    }


def _parameters() -> dict[str, tuple[bytes, ...]]:
    """Return other curves in the parameters of ECPrivateKey, with the public point."""
    return {
        "P-256 named within": (der(0xA0, identifiers.P256_CURVE), _PUBLIC),
        "NULL within": (der(0xA0, b"\x05\x00"), _PUBLIC),
        "nothing within": (der(0xA0, b""), _PUBLIC),
        "explicit parameters within": (der(0xA0, identifiers.EXPLICIT_CURVE), _PUBLIC),
        "the curve named twice within": (
            der(0xA0, identifiers.SM2_CURVE + identifiers.SM2_CURVE),
            _PUBLIC,
        ),
        **{
            f"within, the curve {name}": (der(0xA0, curve), _PUBLIC)
            for name, curve in _OTHER_CURVES.items()
        },
    }


def _orders() -> dict[str, tuple[bytes, ...]]:
    """Return optional fields of ECPrivateKey in another order, twice, or with others."""
    return {
        "the point before the parameters": (_PUBLIC, _CURVE),
        "the point twice": (_PUBLIC, _PUBLIC),
        "the parameters twice": (_CURVE, _CURVE, _PUBLIC),
        "a NULL after the point": (_PUBLIC, b"\x05\x00"),
        "a NULL after the point, within [1]": (der(0xA1, der_bits(_POINT) + b"\x05\x00"),),
        "the point twice within [1]": (der(0xA1, der_bits(_POINT) * 2),),
        "00 after the point, within [1]": (der(0xA1, der_bits(_POINT) + b"\x00"),),
        "a NULL after the curve, within [0]": (
            der(0xA0, identifiers.SM2_CURVE + b"\x05\x00"),
            _PUBLIC,
        ),
        "a field [2]": (_PUBLIC, der(0xA2, b"\x05\x00")),
        "the point without its tag": (der_bits(_POINT),),
        "the curve without its tag": (identifiers.SM2_CURVE, _PUBLIC),
    }
