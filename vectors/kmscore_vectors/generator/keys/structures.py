"""PKCS#8 (RFC 5208) around a private key of RSA or SM2: attributes, and defects of each level."""

import base64
from collections.abc import Iterator
from typing import Final, NamedTuple

from kmscore_vectors.generator import affine, identifiers
from kmscore_vectors.generator.keys.published import RSA_2048, SM2_PUBLIC_POINT
from kmscore_vectors.generator.keys.sm2_private import ec_private_key
from kmscore_vectors.generator.wire import der, der_bits, der_integer, der_octets, der_sequence

_NULL: Final = b"\x05\x00"
_END: Final = b"\x00\x00"  # the end-of-contents of an indefinite length


class Levels(NamedTuple):
    """The parts of a PrivateKeyInfo."""

    identifier: bytes
    private_key: bytes
    """The structure within the OCTET STRING, in DER."""

    public_key: bytes
    """The bits that the field [1] of RFC 5958 has."""


RSA: Final = Levels(
    identifiers.RSA_ENCRYPTION,
    RSA_2048.pkcs1(),
    der_sequence((der_integer(RSA_2048.n), der_integer(RSA_2048.e))),
)
SM2: Final = Levels(
    affine.ALGORITHM,
    ec_private_key(der(0xA1, der_bits(affine.point_bytes(SM2_PUBLIC_POINT)))),
    affine.point_bytes(SM2_PUBLIC_POINT),
)


def _attribute(last: str, text: bytes = b"a name") -> bytes:
    """Return an Attribute (RFC 5208 section 5) of the arc 2.5.4, with a UTF8String."""
    return der_sequence((bytes.fromhex(f"06035504{last}"), der(0x31, der(0x0C, text))))


def _info(levels: Levels, *rest: bytes, version: int = 0) -> bytes:
    """Return a PrivateKeyInfo."""
    return der_sequence(
        (der_integer(version), levels.identifier, der_octets(levels.private_key), *rest)
    )


def with_attributes(levels: Levels) -> Iterator[tuple[str, bytes]]:
    """Yield PKCS#8 with attributes."""
    yield "one attribute", _info(levels, der(0xA0, _attribute("03")))
    yield "two attributes", _info(levels, der(0xA0, _attribute("03") + _attribute("0d")))
    yield "two equal attributes", _info(levels, der(0xA0, _attribute("03") * 2))
    yield "two attributes, the shorter first", _info(levels, der(0xA0, _SHORTER + _LONGER))
    yield "no attribute in the field", _info(levels, der(0xA0, b""))


# In the order of their contents, the longer one is first.
_SHORTER: Final = _attribute("0d", b"a")
_LONGER: Final = _attribute("03")


def wrong_structures(levels: Levels) -> Iterator[tuple[str, bytes]]:
    """Yield PKCS#8 with one defect."""
    yield from _versions(levels)
    yield from _trailing(levels)
    yield from _wrong_attributes(levels)
    yield from _ber(levels)
    yield from _other_structures(levels)


def _versions(levels: Levels) -> Iterator[tuple[str, bytes]]:
    """Yield other versions, and the public key that only version 1 has (RFC 5958)."""
    public = der(0x81, b"\x00" + levels.public_key)
    yield "PKCS#8 of version 1", _info(levels, version=1)
    yield "PKCS#8 of version 1, with a public key", _info(levels, public, version=1)
    yield "PKCS#8 of version 0, with a public key", _info(levels, public)
    yield "PKCS#8 of version -1", _info(levels, version=-1)
    yield "PKCS#8 of version 7", _info(levels, version=7)
    yield "PKCS#8 of version 256", _info(levels, version=256)
    for bits in (16, 32, 64):
        yield f"PKCS#8 of version 2^{bits}", _info(levels, version=1 << bits)
    info = (levels.identifier, der_octets(levels.private_key))
    yield "PKCS#8 without a version", der_sequence(info)
    yield "PKCS#8 of version 0 in two bytes", der_sequence((b"\x02\x02\x00\x00", *info))


def _trailing(levels: Levels) -> Iterator[tuple[str, bytes]]:
    """Yield bytes after each of the structures, and within each."""
    _, private_key, _ = levels
    whole = _info(levels)
    content = _content(private_key)
    yield "00 after PKCS#8", whole + b"\x00"
    yield "PKCS#8 twice", whole * 2
    yield "a NULL within PKCS#8", _info(levels, _NULL)
    yield "00 after the private key", _info(levels._replace(private_key=private_key + b"\x00"))
    inner = der_sequence((content, b"\x00"))
    yield "00 within the private key", _info(levels._replace(private_key=inner))


def _wrong_attributes(levels: Levels) -> Iterator[tuple[str, bytes]]:
    """Yield attributes in another field, in another order, or that are not SEQUENCEs."""
    attribute = _attribute("03")
    content = _content(attribute)
    yield "the attributes twice", _info(levels, der(0xA0, b""), der(0xA0, b""))
    yield "the attributes as a primitive", _info(levels, der(0x80, attribute))
    yield "the attributes as a SET", _info(levels, der(0x31, attribute))
    yield "the attributes cut short", _info(levels, der(0xA0, attribute[:-1]))
    for comment, attributes in {
        "a NULL as an attribute": _NULL,
        "a NULL before an attribute": _NULL + attribute,
        "a SET as an attribute": der(0x31, content),
        "an OCTET STRING as an attribute": der_octets(content),
        "an attribute without its SEQUENCE": content,
        "an attribute with the tag of a primitive": der(0x10, content),
        "00 as an attribute": b"\x00",
        "two attributes, the greater first": _attribute("0d") + attribute,
        "two attributes, the longer first": _LONGER + _SHORTER,
        "an attribute whose length has a leading 00": _longer(attribute),
    }.items():
        yield comment, _info(levels, der(0xA0, attributes))


def _ber(levels: Levels) -> Iterator[tuple[str, bytes]]:
    """Yield BER that is not DER, at each level."""
    identifier, private_key, _ = levels
    whole = _info(levels)
    octets = der_octets(private_key)
    version = der_integer(0)
    yield "indefinite length of PKCS#8", b"\x30\x80" + _content(whole) + _END
    yield "length of PKCS#8 with a leading 00", _longer(whole)
    algorithm = _longer(identifier)
    yield "length of the algorithm with 81", _info(levels._replace(identifier=algorithm))
    yield (
        "length of the OCTET STRING with a leading 00",
        der_sequence((version, identifier, _longer(octets))),
    )
    yield "the OCTET STRING in one part", der_sequence((version, identifier, der(0x24, octets)))
    inner = _longer(private_key)
    yield "length of the private key with a leading 00", _info(levels._replace(private_key=inner))
    inner = b"\x30\x80" + _content(private_key) + _END
    yield "indefinite length of the private key", _info(levels._replace(private_key=inner))


def _other_structures(levels: Levels) -> Iterator[tuple[str, bytes]]:
    """Yield fewer elements, other tags, other levels and other files of a key."""
    identifier, private_key, _ = levels
    version, octets = der_integer(0), der_octets(private_key)
    whole = _info(levels)
    yield "nothing", b""
    yield "cut short", whole[:-1]
    yield "half of it", whole[: len(whole) // 2]
    yield "an empty SEQUENCE", der_sequence(())
    yield "PKCS#8 without an algorithm", der_sequence((version, octets))
    yield "PKCS#8 without a private key", der_sequence((version, identifier))
    yield "PKCS#8 with an empty private key", _info(levels._replace(private_key=b""))
    yield "PKCS#8 in a SET", b"\x31" + whole[1:]
    yield "PKCS#8 in a SEQUENCE of its own", der_sequence((whole,))
    yield "a BIT STRING", der_sequence((version, identifier, der_bits(private_key)))
    yield "an OCTET STRING in the OCTET STRING", _info(levels._replace(private_key=octets))
    yield "no OCTET STRING", der_sequence((version, identifier, private_key))
    yield "the private key alone", private_key
    yield "the public key in its place", der_sequence((identifier, der_bits(levels.public_key)))
    text = base64.encodebytes(whole)
    pem = b"-----BEGIN PRIVATE KEY-----\n" + text + b"-----END PRIVATE KEY-----\n"
    yield "PEM", pem
    yield "Base64", base64.b64encode(whole)


def _content(element: bytes) -> bytes:
    """Return the content of an element of DER."""
    return element[2 + (element[1] & 0x7F if element[1] & 0x80 else 0) :]


def _longer(element: bytes) -> bytes:
    """Return an element whose length takes one byte more than is needed."""
    tag, length = element[:1], element[1]
    if length & 0x80:
        return tag + bytes([length + 1, 0]) + element[2:]
    return tag + b"\x81" + element[1:]
