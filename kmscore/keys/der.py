"""The DER of keys: SubjectPublicKeyInfo, PKCS#8 and SEC1, in strict ASN.1.

RSA and SM2 share the outer structures: SubjectPublicKeyInfo (RFC 5280 section 4.1) and
PrivateKeyInfo (RFC 5208). Module `rsa_structures` has the inner structures of RSA. This module has
those of SM2, because `cryptography` does not know its curve: the point (RFC 5480) and ECPrivateKey
(RFC 5915), with the named curve 1.2.156.10197.1.301 under id-ecPublicKey.
"""

from typing import Annotated, Final, TypeVar

from cryptography.hazmat import asn1

from kmscore.errors import InvalidKeyError
from kmscore.keys.oid import ObjectIdentifier
from kmscore.sm2.curve import (
    COORDINATE_LENGTH,
    UNCOMPRESSED,
    Point,
    decode_point,
    encode_point,
    is_on_curve,
)

_EC_PUBLIC_KEY: Final = ObjectIdentifier("1.2.840.10045.2.1")
_SM2_CURVE: Final = ObjectIdentifier("1.2.156.10197.1.301")

_SEQUENCE_TAG: Final = b"\x30"
_PRIVATE_KEY_INFO_VERSION: Final = 0
_EC_PRIVATE_KEY_VERSION: Final = 1

_Structure = TypeVar("_Structure")


@asn1.sequence
class AlgorithmIdentifier:
    """An algorithm without parameters, with NULL, or with a named curve."""

    algorithm: ObjectIdentifier
    parameters: ObjectIdentifier | asn1.Null | None


@asn1.sequence
class SubjectPublicKeyInfo:
    """A public key of any algorithm."""

    algorithm: AlgorithmIdentifier
    subject_public_key: asn1.BitString


@asn1.sequence
class PrivateKeyInfo:
    """A private key of any algorithm (PKCS#8, RFC 5208)."""

    version: int
    algorithm: AlgorithmIdentifier
    private_key: bytes
    attributes: Annotated[asn1.SetOf[asn1.TLV] | None, asn1.Implicit(0)]


@asn1.sequence
class _EcPrivateKey:
    version: int
    private_key: bytes
    parameters: Annotated[ObjectIdentifier | None, asn1.Explicit(0)]
    public_key: Annotated[asn1.BitString | None, asn1.Explicit(1)]


_SM2_ALGORITHM: Final = AlgorithmIdentifier(algorithm=_EC_PUBLIC_KEY, parameters=_SM2_CURVE)


def decode_public_key_info(der: bytes) -> SubjectPublicKeyInfo:
    """Return a SubjectPublicKeyInfo of any algorithm, or raise `InvalidKeyError`."""
    return decode_structure(SubjectPublicKeyInfo, der, "SubjectPublicKeyInfo")


def decode_private_key_info(der: bytes) -> PrivateKeyInfo:
    """Return a PrivateKeyInfo of any algorithm, or raise `InvalidKeyError`."""
    info = decode_structure(PrivateKeyInfo, der, "PKCS#8")
    if info.version != _PRIVATE_KEY_INFO_VERSION:
        raise invalid("is PKCS#8 of an unknown version")
    attributes = [] if info.attributes is None else info.attributes.as_list()
    if any(attribute.tag_bytes != _SEQUENCE_TAG for attribute in attributes):
        raise invalid("is PKCS#8 with an attribute that is not a SEQUENCE")
    return info


def decode_sm2_public_key(der: bytes) -> Point:
    """Return the point of a SubjectPublicKeyInfo of SM2.

    Raises `InvalidKeyError` if the structure, the algorithm or the curve is wrong, or if the point
    is not on the curve or not in the uncompressed form of 65 bytes.
    """
    info = decode_public_key_info(der)
    _check_algorithm(info.algorithm)
    return _decode_point(info.subject_public_key)


def encode_sm2_public_key(point: Point) -> bytes:
    """Return the SubjectPublicKeyInfo of an SM2 point."""
    return asn1.encode_der(
        SubjectPublicKeyInfo(algorithm=_SM2_ALGORITHM, subject_public_key=_bit_string(point))
    )


def decode_sm2_pkcs8(der: bytes) -> tuple[int, Point | None]:
    """Return the scalar of a PrivateKeyInfo of SM2, and the public point or `None`.

    Raises `InvalidKeyError` if the structure, the version, the algorithm, the curve or the form of
    the point is wrong. The caller checks the range of the scalar, and that the point belongs to it.
    """
    info = decode_private_key_info(der)
    _check_algorithm(info.algorithm)
    return _decode_ec_private_key(info.private_key, curve_named_outside=True)


def decode_sm2_sec1(der: bytes) -> tuple[int, Point | None]:
    """Return the scalar of an ECPrivateKey of SM2, and the public point or `None`.

    Raises `InvalidKeyError` as `decode_sm2_pkcs8` does, and if the curve is not named.
    """
    return _decode_ec_private_key(der, curve_named_outside=False)


def encode_sm2_pkcs8(scalar: int, point: Point) -> bytes:
    """Return the PrivateKeyInfo of an SM2 key, as OpenSSL writes it."""
    private_key = _EcPrivateKey(
        version=_EC_PRIVATE_KEY_VERSION,
        private_key=scalar.to_bytes(COORDINATE_LENGTH, "big"),
        parameters=None,
        public_key=_bit_string(point),
    )
    return asn1.encode_der(
        PrivateKeyInfo(
            version=_PRIVATE_KEY_INFO_VERSION,
            algorithm=_SM2_ALGORITHM,
            private_key=asn1.encode_der(private_key),
            attributes=None,
        )
    )


def _decode_ec_private_key(der: bytes, *, curve_named_outside: bool) -> tuple[int, Point | None]:
    """Return the scalar and the point, or `None`, of an ECPrivateKey."""
    key = decode_structure(_EcPrivateKey, der, "ECPrivateKey")
    if key.version != _EC_PRIVATE_KEY_VERSION:
        raise invalid("is an ECPrivateKey of an unknown version")
    if key.parameters is None:
        if not curve_named_outside:
            raise invalid("does not name its curve")
    elif key.parameters != _SM2_CURVE:
        raise invalid("is not on the curve of SM2")
    if len(key.private_key) != COORDINATE_LENGTH:
        raise invalid(f"has a private scalar that is not {COORDINATE_LENGTH} bytes long")
    point = None if key.public_key is None else _decode_point(key.public_key)
    return int.from_bytes(key.private_key, "big"), point


def decode_structure(structure: type[_Structure], der: bytes, name: str) -> _Structure:
    """Return the structure in `der`; raise `InvalidKeyError` for any other or trailing bytes."""
    try:
        return asn1.decode_der(structure, der)
    except ValueError:
        pass
    raise invalid(f"is not DER of {name}")


def _check_algorithm(identifier: AlgorithmIdentifier) -> None:
    """Raise `InvalidKeyError` unless the algorithm is id-ecPublicKey on the curve of SM2."""
    if (identifier.algorithm, identifier.parameters) != (_EC_PUBLIC_KEY, _SM2_CURVE):
        raise invalid("is not an SM2 key")


def _decode_point(bits: asn1.BitString) -> Point:
    """Return the point on the curve that 04, x and y encode."""
    data = bits.as_bytes()
    if bits.padding_bits() or len(data) != 1 + 2 * COORDINATE_LENGTH:
        raise invalid("has a public point that is not 65 bytes long")
    if not data.startswith(UNCOMPRESSED):
        raise invalid("has a public point that is not in the uncompressed form")
    point = decode_point(data[1:])
    if not is_on_curve(point):
        raise invalid("has a public point that is not on the curve")
    return point


def _bit_string(point: Point) -> asn1.BitString:
    """Return the uncompressed form of a point, 65 bytes."""
    return asn1.BitString(UNCOMPRESSED + encode_point(point), 0)


def invalid(reason: str) -> InvalidKeyError:
    """Return the `InvalidKeyError`."""
    return InvalidKeyError(f"the key {reason}")
