"""The vectors of SM2PKE: decryption, encryption with a given k, and the five encodings."""

import hashlib
from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator import affine
from kmscore_vectors.generator.affine import BASE, ORDER, PRIME, Sm2Parts, multiply
from kmscore_vectors.generator.model import (
    Case,
    Fields,
    Group,
    Note,
    Rule,
    VectorFile,
    hex_fields,
)
from kmscore_vectors.generator.published_keys import (
    RSA_2048,
    SM2_PKCS8,
    SM2_PUBLIC_POINT,
    SM2_SCALAR,
    SM2_SPKI,
)
from kmscore_vectors.generator.wire import der, der_bits, der_integer, der_octets, der_sequence
from kmscore_vectors.tables import BugType, ErrorCode, Severity

_MESSAGE: Final = b"encryption standard"
_MOST_PLAINTEXT: Final = 6047
_PUBLIC: Final = SM2_PUBLIC_POINT
_K: Final = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
"""The k of the example in GM/T 0003.5-2012 Annex C."""

# Found by a search over k = 1, 2, 3, ...: P, 2P, 3P, ..., and the KDF of each.
_FIRST_00_K: Final = 470
"""The least k for which the KDF's output under this key begins with 00."""
_FIRST_0000_K: Final = 62785
"""The least k for which it begins with 00 00; a third 00 needs some 2^24 values."""
_SECOND_00_K: Final = 618
"""The least k for which its second byte alone is 00."""
_LAST_00_K: Final = 242
"""The least k for which the last byte for `_MESSAGE` is 00, and the first is not."""
_BLOCK_ENDS_00_K: Final = 53
"""The least k for which the first block of it ends with 00."""

_NO_CURVE: Final = bytes.fromhex("300906072a8648ce3d0201")  # only id-ecPublicKey, without a curve
_SMALL_X: Final = (1, 0x9F7A091433A81E3F218F405F792355BF2AA98B5FFA95982F03870800065279A3)
_SMALL_Y: Final = (0x9C17043EFFE1A805A74A9A5E70B9D659705D3242094A566DC016F49311178D1F, 1)

_ENCODERS: Final = {
    "ASN1_DER": affine.asn1,
    "C1C3C2": affine.c1c3c2,
    "C1C2C3": affine.c1c2c3,
    "C1C3C2_BARE": affine.bare_c1c3c2,
    "C1C2C3_BARE": affine.bare_c1c2c3,
}

_INVALID_CURVE: Final = (
    "https://doi.org/10.1007/3-540-44598-6_8",
    "https://github.com/JuneAndGreen/sm-crypto/security/advisories/GHSA-pgx9-497m-6c4v",
    "https://github.com/RustCrypto/elliptic-curves/security/advisories/GHSA-78p6-6878-8mj6",
)
_MALLEABLE: Final = "Whoever changes bits of C2 changes the same bits of the plaintext, unnoticed."

_NOTES: Final = {
    "Valid": Note(
        "A message of a usual length.",
        bug_type=BugType.BASIC,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 7.1",
    ),
    "Boundary": Note(
        "The shortest or the longest message, or one that ends a block of the KDF.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 7.1",
    ),
    "ShortCoordinate": Note(
        "A coordinate begins with zeros.",
        "Zeros that are dropped shift every field behind them, and one message of 128 is lost. A"
        " buffer that is measured by the full length, where DER has less, is too small.",
        ("https://www.openssl.org/news/secadv/20210824.txt",),
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="GB/T 32918.1-2016 section 4.2",
        cves=("CVE-2021-3711",),
    ),
    "OffCurve": Note(
        "C1 is not on the curve; C3 and C2 are right for whoever multiplies it all the same.",
        "The product lies on a weak curve and gives part of the private key away; a few such"
        " ciphertexts give all of it.",
        _INVALID_CURVE,
        bug_type=BugType.CONFIDENTIALITY,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 7.1 step B1",
        cves=("CVE-2026-22699", "CVE-2026-23966"),
    ),
    "CoordinateRange": Note(
        "A coordinate is not below p, or is negative.",
        "Several ciphertexts for one, and points that slip past a check made modulo p.",
        bug_type=BugType.CAN_OF_WORMS,
        severity=Severity.STANDARD,
        section="GB/T 32918.1-2016 section 4.2",
    ),
    "WrongC3": Note(
        "C3 is another digest.",
        _MALLEABLE,
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 7.1 step B6",
    ),
    "ModifiedC2": Note(
        "One bit of C2 is another; C3 is as it was.",
        _MALLEABLE,
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 7.1 step B6",
    ),
    "WrongC3Length": Note(
        "C3 has not 32 bytes.",
        "A comparison over the shorter length accepts whatever begins right, no bytes above all.",
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.STANDARD,
        section="GM/T 0009-2012 section 7.2",
    ),
    "ZeroKdf": Note(
        "The KDF gives zeros, so C2 is the plaintext in clear.",
        "The standard has it refused: a sender without the key, or a fault, looks like this.",
        ("https://github.com/openssl/openssl/pull/23210",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 7.1 step B4",
    ),
    "PartlyZeroKdf": Note(
        "The KDF gives zeros at the beginning or the end, and others.",
        "Whoever looks for zeros in a part of it loses one message in 256.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 7.1 step B4",
    ),
    "WrongOrder": Note(
        "C2 stands before C3, as in the drafts before 2012, where C3 is due first.",
        "An implementation that tries both orders opens what was made for neither.",
        bug_type=BugType.WRONG_PRIMITIVE,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 6.1 step A8",
    ),
    "OtherHash": Note(
        "SHA-256 was used instead of SM3.",
        "An implementation that takes any hash is not one of SM2PKE.",
        bug_type=BugType.WRONG_PRIMITIVE,
        severity=Severity.STANDARD,
        section="GM/T 0009-2012 section 7.2",
    ),
    "SloppyDer": Note(
        "BER, but not DER.",
        "Many ciphertexts for one: block lists, caches and signatures of them are got round.",
        ("https://www.itu.int/rec/T-REC-X.690",),
        bug_type=BugType.BER_ENCODING,
        severity=Severity.STRICT,
        section="X.690 section 10; SPEC section 7.3",
    ),
    "Trailing": Note(
        "Something stands behind or between what belongs there.",
        "Many ciphertexts for one, and room for what nobody looks at.",
        bug_type=BugType.MALLEABILITY,
        severity=Severity.STRICT,
        section="SPEC section 7.3",
    ),
    "Truncated": Note(
        "The ciphertext ends too early.",
        "Reading beyond the end: a crash.",
        bug_type=BugType.CAN_OF_WORMS,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 7.1",
        cves=("CVE-2026-22700",),
    ),
    "FirstByte": Note(
        "The first byte names no form that is taken.",
        "A parser that guesses reads x as something else.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="GB/T 32918.1-2016 section 4.2",
    ),
    "TooLong": Note(
        "The message has more than 6,047 bytes.",
        "Work and memory in proportion to whatever a stranger sends.",
        ("https://cwe.mitre.org/data/definitions/770.html",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 7.2",
    ),
    "EmptyC2": Note(
        "C2 has no bytes.",
        "Zero bytes of KDF output are all zero: a check that forgets the length divides here.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STRICT,
        section="SPEC section 7.3",
    ),
    "EmptyPlaintext": Note(
        "There is nothing to encrypt.",
        "A ciphertext without C2, which every receiver has to refuse.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STRICT,
        section="SPEC section 7.4",
    ),
    "KeyUsage": Note(
        "A good key of another algorithm.",
        "Bytes of one algorithm are computed on with the key of another.",
        bug_type=BugType.MODIFIED_PARAMETER,
        severity=Severity.POLICY,
        section="SPEC section 7.4",
    ),
    "BadPublicKey": Note(
        "A public key that is no point of the curve in the one encoding, or not a key of SM2.",
        "The plaintext is encrypted under a key that its owner did not choose and others can find.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="GB/T 32918.1-2016 section 6.2.1; RFC 5480 section 2",
    ),
    "Convert": Note(
        "One ciphertext in two encodings.",
        bug_type=BugType.FUNCTIONALITY,
        severity=Severity.POLICY,
        section="SPEC section 7.6",
    ),
    "GivenK": Note(
        "Encryption with k given.",
        bug_type=BugType.BASIC,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 6.1",
    ),
}


# GB/T 32918.1-2016 section 4.2 and RFC 5480 section 2.2 allow more than the uncompressed form.
_POINT_FORM: Final = Rule(Severity.POLICY, "SPEC section 7.1")
_OTHER_FORMS: Final = frozenset({2, 3, 6, 7})
_EXTRA_BYTES: Final = Rule(Severity.STRICT, "SPEC section 11.3")


def make() -> VectorFile:
    """Return the file."""
    key: Fields = {
        "algorithm": "SM2PKE",
        "key_spec": "EC_SM2",
        **hex_fields(private_key=SM2_PKCS8, d=SM2_SCALAR.to_bytes(32, "big")),
    }
    return VectorFile(
        name="sm2pke",
        algorithm="SM2PKE",
        header=(
            "SM2 public-key encryption (GB/T 32918.4-2016) with SM3.",
            "The key is the TEST KEY of GM/T 0003.5-2012 Annex C, known to everybody.",
        ),
        notes=_NOTES,
        groups=(
            Group("asymmetric_decrypt", (*_raw(), *_der()), key),
            Group("sm2_convert", tuple(_conversions())),
            Group("sm2_encrypt", tuple(_encryptions()), hex_fields(public_key=SM2_SPKI)),
            Group("sm2_encrypt", tuple(_public_keys())),
        ),
    )


def _trace(parts: Sm2Parts, k: int | None) -> Fields:
    """Return the intermediate values, in the names of the standard."""
    named = {} if k is None else hex_fields(k=k.to_bytes(32, "big"))
    return named | hex_fields(
        C1=affine.coordinates(parts),
        x2=parts.x2,
        y2=parts.y2,
        t=parts.key_stream,
        C2=parts.c2,
        C3=parts.c3,
    )


def _opens(
    comment: str, flag: str, message: bytes, parts: Sm2Parts, encoding: str, k: int | None = None
) -> Case:
    """Return a ciphertext that opens."""
    return Case(
        comment,
        flag,
        hex_fields(ciphertext=_ENCODERS[encoding](parts)),
        hex_fields(plaintext=message),
        _trace(parts, k),
    )


def _sealed(c1: tuple[int, int], message: bytes = _MESSAGE) -> Sm2Parts:
    """Return a ciphertext that opens under the key if C1 is not checked."""
    reduced = (c1[0] % PRIME, c1[1] % PRIME)
    return affine.seal(c1, affine.finite(multiply(SM2_SCALAR, reduced)), message)


def _least_k(coordinate: int) -> int:
    """Return the least k for which x or y of [k]G begins with 00."""
    k, point = 1, BASE
    while point is None or point[coordinate] >> 248:
        k, point = k + 1, affine.add(point, BASE)
    return k


def _both_forms(encoding: str) -> Iterator[Case]:
    """Yield valid ciphertexts that both forms have."""
    lengths = {
        "Valid": (len(_MESSAGE), 16, 100),
        "Boundary": (1, 31, 32, 33, 64, _MOST_PLAINTEXT),
    }
    for flag, group in lengths.items():
        for length in group:
            message = (_MESSAGE * 320)[:length]
            parts = affine.encrypt(_PUBLIC, message, _K)
            yield _opens(f"{encoding}, {length} bytes", flag, message, parts, encoding, _K)
    for k in (1, 2, ORDER - 1):
        parts = affine.encrypt(_PUBLIC, _MESSAGE, k)
        name = "n - 1" if k == ORDER - 1 else str(k)
        yield _opens(f"{encoding}, k = {name}", "Boundary", _MESSAGE, parts, encoding, k)
    for coordinate, name in enumerate("xy"):
        k = _least_k(coordinate)
        parts = affine.encrypt(_PUBLIC, _MESSAGE, k)
        comment = f"{encoding}, {name} begins with 00"
        yield _opens(comment, "ShortCoordinate", _MESSAGE, parts, encoding, k)
    for name, c1 in {"x": _SMALL_X, "y": _SMALL_Y}.items():
        comment = f"{encoding}, {name} = 1"
        yield _opens(comment, "ShortCoordinate", _MESSAGE, _sealed(c1), encoding)
    for k, length, zeros in (
        (_FIRST_00_K, 2, "first of 2 bytes"),
        (_SECOND_00_K, 2, "last of 2 bytes"),
        (_FIRST_0000_K, 3, "first two of 3 bytes"),
        (_FIRST_00_K, 19, "first of 19 bytes"),
        (_LAST_00_K, 19, "last of 19 bytes"),
        (_BLOCK_ENDS_00_K, 32, "last of 32 bytes"),
    ):
        message = (_MESSAGE * 2)[:length]
        parts = affine.encrypt(_PUBLIC, message, k)
        comment = f"{encoding}, t is 00 in the {zeros}"
        yield _opens(comment, "PartlyZeroKdf", message, parts, encoding, k)


def _both_defects(encoding: str) -> Iterator[Case]:
    """Yield the defects that both forms can have."""
    parts = affine.encrypt(_PUBLIC, _MESSAGE, _K)
    right = _opens(encoding, "Valid", _MESSAGE, parts, encoding, _K)

    def refuse(flag: str, comment: str, wrong: Sm2Parts, origin: Case = right) -> Case:
        ciphertext = hex_fields(ciphertext=_ENCODERS[encoding](wrong))
        return origin.refused(ErrorCode.DECRYPTION, flag, f"{encoding}, {comment}", ciphertext)

    for comment, c1 in {
        "C1 = (1, 1)": (1, 1),
        "C1 = (0, 0)": (0, 0),
        "C1 = (0, 1)": (0, 1),
        "C1 = (1, 0)": (1, 0),
        "y + 1": (parts.x1, parts.y1 + 1),
        "x + 1": (parts.x1 + 1, parts.y1),
        "x and y exchanged": (parts.y1, parts.x1),
    }.items():
        if c1[1]:
            yield refuse("OffCurve", comment, _sealed(c1))
        else:
            yield refuse("OffCurve", comment, parts._replace(x1=c1[0], y1=c1[1]))
    for comment, c1, point in (
        ("x + p", (_SMALL_X[0] + PRIME, _SMALL_X[1]), _SMALL_X),
        ("y + p", (_SMALL_Y[0], _SMALL_Y[1] + PRIME), _SMALL_Y),
    ):
        origin = _opens(comment, "ShortCoordinate", _MESSAGE, _sealed(point), encoding)
        yield refuse("CoordinateRange", comment, _sealed(c1), origin)
    for comment, c3 in {
        "first bit": bytes([parts.c3[0] ^ 0x80]) + parts.c3[1:],
        "last bit": parts.c3[:-1] + bytes([parts.c3[-1] ^ 1]),
        "zeros": bytes(32),
        "the digest of the plaintext alone": affine.sm3(_MESSAGE),
        "without y2": affine.sm3(parts.x2, _MESSAGE),
        "y2 before x2": affine.sm3(parts.y2, _MESSAGE, parts.x2),
    }.items():
        yield refuse("WrongC3", comment, parts._replace(c3=c3))
    for comment, c2 in {
        "first bit": bytes([parts.c2[0] ^ 0x80]) + parts.c2[1:],
        "last bit": parts.c2[:-1] + bytes([parts.c2[-1] ^ 1]),
        "one byte less": parts.c2[:-1],
        "one byte more": parts.c2 + b"\x00",
    }.items():
        yield refuse("ModifiedC2", comment, parts._replace(c2=c2))
    for comment, message, k in (
        ("one byte", b"x", _FIRST_00_K),
        ("two bytes", b"xy", _FIRST_0000_K),
    ):
        next_k = affine.encrypt(_PUBLIC, message, k + 1)
        origin = _opens("k + 1", "Boundary", message, next_k, encoding, k + 1)
        yield refuse("ZeroKdf", comment, affine.encrypt(_PUBLIC, message, k), origin)
    yield refuse("EmptyC2", "C3 of no message", affine.encrypt(_PUBLIC, b"", _K))


def _raw() -> Iterator[Case]:
    """Yield ciphertexts in C1C3C2."""
    yield from _both_forms("C1C3C2")
    yield from _both_defects("C1C3C2")
    parts = affine.encrypt(_PUBLIC, _MESSAGE, _K)
    right = _opens("C1C3C2", "Valid", _MESSAGE, parts, "C1C3C2", _K)
    whole = affine.c1c3c2(parts)
    for flag, comment, ciphertext in (
        ("WrongOrder", "C1C2C3", affine.c1c2c3(parts)),
        ("FirstByte", "04 is missing", whole[1:]),
        *(
            ("FirstByte", f"{first:02x} in its place", bytes([first]) + whole[1:])
            for first in (0x00, 0x02, 0x03, 0x05, 0x06, 0x07, 0x30, 0xFF)
        ),
        ("FirstByte", "compressed", bytes([2 + parts.y1 % 2]) + whole[1:33] + whole[65:]),
        ("Trailing", "00 before it", b"\x00" + whole),
        ("Truncated", "empty", b""),
        ("Truncated", "04 alone", whole[:1]),
        ("Truncated", "x alone", whole[:33]),
        ("Truncated", "within y", whole[:64]),
        ("Truncated", "C1 alone", whole[:65]),
        ("Truncated", "within C3", whole[:96]),
        ("EmptyC2", "ends after C3", whole[:97]),
        ("OtherHash", "SHA-256", affine.c1c3c2(_with_sha_256(parts))),
    ):
        fields = hex_fields(ciphertext=ciphertext)
        rule = _POINT_FORM if flag == "FirstByte" and ciphertext[0] in _OTHER_FORMS else None
        yield right.refused(ErrorCode.DECRYPTION, flag, f"C1C3C2, {comment}", fields, rule)
    yield _too_long("C1C3C2")


def _too_long(encoding: str) -> Case:
    """Return a message one byte longer than the limit."""
    message = (_MESSAGE * 320)[: _MOST_PLAINTEXT + 1]
    origin = affine.encrypt(_PUBLIC, message[:-1], _K)
    right = _opens("the longest", "Boundary", message[:-1], origin, encoding, _K)
    ciphertext = _ENCODERS[encoding](affine.encrypt(_PUBLIC, message, _K))
    comment = f"{encoding}, 6,048 bytes"
    return right.refused(
        ErrorCode.DECRYPTION, "TooLong", comment, hex_fields(ciphertext=ciphertext)
    )


def _with_sha_256(parts: Sm2Parts) -> Sm2Parts:
    """Return the ciphertext of the message with SHA-256 in the KDF and in C3."""
    stream = hashlib.sha256(parts.x2 + parts.y2 + b"\x00\x00\x00\x01").digest()
    c2 = bytes(a ^ b for a, b in zip(_MESSAGE, stream, strict=False))
    return parts._replace(c2=c2, c3=hashlib.sha256(parts.x2 + _MESSAGE + parts.y2).digest())


def _der() -> Iterator[Case]:
    """Yield ciphertexts in DER."""
    yield from _both_forms("ASN1_DER")
    yield from _both_defects("ASN1_DER")
    parts = affine.encrypt(_PUBLIC, _MESSAGE, _K)
    right = _opens("ASN1_DER", "Valid", _MESSAGE, parts, "ASN1_DER", _K)
    for flag, comment, ciphertext in (*_der_defects(parts), *_ber(parts)):
        fields = hex_fields(ciphertext=ciphertext)
        yield right.refused(ErrorCode.DECRYPTION, flag, f"ASN1_DER, {comment}", fields)
    yield _too_long("ASN1_DER")


def _der_defects(parts: Sm2Parts) -> Iterator[tuple[str, str, bytes]]:
    """Yield DER whose elements are not those of a ciphertext."""
    x, y, c3, c2 = _elements(parts)
    whole = der_sequence((x, y, c3, c2))
    for comment, digest in {
        "no byte": b"",
        "20 bytes": parts.c3[:20],
        "31 bytes": parts.c3[:-1],
        "33 bytes": parts.c3 + b"\x00",
    }.items():
        yield "WrongC3Length", f"C3 of {comment}", der_sequence((x, y, der_octets(digest), c2))
    yield "CoordinateRange", "x negative", der_sequence((der_integer(-parts.x1), y, c3, c2))
    yield "CoordinateRange", "x - p", der_sequence((der_integer(parts.x1 - PRIME), y, c3, c2))
    yield "CoordinateRange", "y - p", der_sequence((x, der_integer(parts.y1 - PRIME), c3, c2))
    yield "CoordinateRange", "x + 2^256 p", der_sequence((_huge(parts.x1), y, c3, c2))
    yield "CoordinateRange", "y + 2^256 p", der_sequence((x, _huge(parts.y1), c3, c2))
    yield "WrongOrder", "C2 before C3", der_sequence((x, y, c2, c3))
    yield "Trailing", "00 after it", whole + b"\x00"
    yield "Trailing", "a second one after it", whole * 2
    yield "Trailing", "a NULL within it", der_sequence((x, y, c3, c2, b"\x05\x00"))
    yield "Trailing", "a NULL before x", der_sequence((b"\x05\x00", x, y, c3, c2))
    yield "Truncated", "the last byte is missing", whole[:-1]
    yield "Truncated", "30 alone", whole[:1]
    yield "Truncated", "no C2", der_sequence((x, y, c3))
    yield "Truncated", "nothing within", der_sequence(())
    yield "OtherHash", "SHA-256", affine.asn1(_with_sha_256(parts))
    yield "FirstByte", "a SET", b"\x31" + whole[1:]


def _huge(value: int) -> bytes:
    """Return an INTEGER that is congruent to `value` modulo p, and much larger than p."""
    return der_integer(value + (PRIME << 256))


def _elements(parts: Sm2Parts) -> tuple[bytes, bytes, bytes, bytes]:
    """Return the four elements of the SEQUENCE."""
    return (
        der_integer(parts.x1),
        der_integer(parts.y1),
        der_octets(parts.c3),
        der_octets(parts.c2),
    )


def _ber(parts: Sm2Parts) -> Iterator[tuple[str, str, bytes]]:
    """Yield encodings that BER allows and DER does not, and encodings that neither allows."""
    x, y, c3, c2 = _elements(parts)
    content = x + y + c3 + c2
    size = len(content)
    yield "SloppyDer", "length in three bytes", b"\x30\x82" + size.to_bytes(2, "big") + content
    yield "SloppyDer", "indefinite length", b"\x30\x80" + content + b"\x00\x00"
    forms = {
        "x with 00 before it": (b"\x02" + bytes([x[1] + 1]) + b"\x00" + x[2:], y, c3, c2),
        "length of x in two bytes": (b"\x02\x81" + x[1:], y, c3, c2),
        "length of C3 in two bytes": (x, y, b"\x04\x81" + c3[1:], c2),
        "length of C2 in three bytes": (x, y, c3, b"\x04\x82\x00" + c2[1:]),
        "C2 in two parts": (
            x,
            y,
            c3,
            der(0x24, der_octets(parts.c2[:4]) + der_octets(parts.c2[4:])),
        ),
        "C3 in one part": (x, y, der(0x24, c3), c2),
        "C3 as BIT STRING": (x, y, der(0x03, b"\x00" + parts.c3), c2),
        "x as OCTET STRING": (der_octets(parts.x1.to_bytes(32, "big")), y, c3, c2),
        "x of no byte": (b"\x02\x00", y, c3, c2),
    }
    for comment, elements in forms.items():
        yield "SloppyDer", comment, der_sequence(elements)


def _conversions() -> Iterator[Case]:
    """Yield one ciphertext in every pair of encodings, and ciphertexts that cannot be converted."""
    parts = affine.encrypt(_PUBLIC, _MESSAGE, _K)
    short = affine.encrypt(_PUBLIC, _MESSAGE, _least_k(0))
    for which, chosen in {"usual": parts, "x begins with 00": short}.items():
        for source, encode in _ENCODERS.items():
            for target, encode_target in _ENCODERS.items():
                yield Case(
                    f"{which}: {source} to {target}",
                    "Convert",
                    {"source": source, "target": target, **hex_fields(ciphertext=encode(chosen))},
                    hex_fields(converted=encode_target(chosen)),
                )
    for source, encode in _ENCODERS.items():
        right = Case(
            source,
            "Convert",
            {"source": source, "target": "C1C3C2", **hex_fields(ciphertext=encode(parts))},
            hex_fields(converted=affine.c1c3c2(parts)),
        )
        for flag, comment, wrong in (
            ("OffCurve", "y + 1", encode(parts._replace(y1=parts.y1 + 1))),
            ("CoordinateRange", "x = p", encode(parts._replace(x1=PRIME))),
            ("EmptyC2", "no C2", encode(parts._replace(c2=b""))),
            ("TooLong", "C2 of 6,048 bytes", encode(parts._replace(c2=bytes(6048)))),
            ("Truncated", "half of it", encode(parts)[:50]),
            ("Truncated", "empty", b""),
        ):
            fields = hex_fields(ciphertext=wrong)
            yield right.refused(ErrorCode.INVALID_BLOB, flag, f"{source}, {comment}", fields)
        if source == "ASN1_DER":
            for c3 in (b"", parts.c3[:31], parts.c3 + b"\x00"):
                fields = hex_fields(ciphertext=encode(parts._replace(c3=c3)))
                comment = f"{source}, C3 of {len(c3)} bytes"
                yield right.refused(ErrorCode.INVALID_BLOB, "WrongC3Length", comment, fields)
        if source in {"C1C3C2", "C1C2C3"}:
            fields = hex_fields(ciphertext=b"\x06" + encode(parts)[1:])
            comment = f"{source}, 06"
            yield right.refused(ErrorCode.INVALID_BLOB, "FirstByte", comment, fields, _POINT_FORM)


def _encryptions() -> Iterator[Case]:
    """Yield encryptions with a given k."""
    for k in (1, 2, 3, _K, _least_k(0), _least_k(1), ORDER - 1):
        for length in (1, len(_MESSAGE), 64):
            message = (_MESSAGE * 4)[:length]
            parts = affine.encrypt(_PUBLIC, message, k)
            yield Case(
                f"{length} bytes",
                "GivenK",
                hex_fields(plaintext=message, k=k.to_bytes(32, "big")),
                hex_fields(ciphertext=affine.c1c3c2(parts)),
                _trace(parts, k),
            )
    shortest = affine.encrypt(_PUBLIC, b"x", _K)
    right = Case(
        "one byte",
        "GivenK",
        hex_fields(plaintext=b"x", k=_K.to_bytes(32, "big")),
        hex_fields(ciphertext=affine.c1c3c2(shortest)),
        _trace(shortest, _K),
    )
    for flag, length in (("EmptyPlaintext", 0), ("TooLong", _MOST_PLAINTEXT + 1)):
        fields = hex_fields(plaintext=bytes(length))
        yield right.refused(ErrorCode.PLAINTEXT_SIZE, flag, f"{length} bytes", fields)


def _public_keys() -> Iterator[Case]:
    """Yield invalid public keys. Each is valid without its one defect."""
    parts = affine.encrypt(_PUBLIC, _MESSAGE, _K)
    right = Case(
        "the key of all other tests",
        "GivenK",
        hex_fields(public_key=SM2_SPKI, plaintext=_MESSAGE, k=_K.to_bytes(32, "big")),
        hex_fields(ciphertext=affine.c1c3c2(parts)),
        _trace(parts, _K),
    )
    yield right
    x, y = _PUBLIC
    whole, algorithm = affine.point_bytes(_PUBLIC), affine.ALGORITHM
    for comment, identifier, bits in (
        ("y + 1", algorithm, der_bits(affine.point_bytes((x, y + 1)))),
        ("x and y are 0", algorithm, der_bits(affine.point_bytes((0, 0)))),
        ("x + p", algorithm, der_bits(affine.point_bytes((_SMALL_X[0] + PRIME, _SMALL_X[1])))),
        ("y = p", algorithm, der_bits(affine.point_bytes((x, PRIME)))),
        ("the point at infinity", algorithm, der_bits(b"\x00")),
        ("compressed", algorithm, der_bits(bytes([2 + y % 2]) + whole[1:33])),
        ("hybrid", algorithm, der_bits(affine.point_bytes(_PUBLIC, 6 + y % 2))),
        ("a byte short", algorithm, der_bits(whole[:-1])),
        ("a byte more", algorithm, der_bits(whole + b"\x00")),
        ("seven unused bits", algorithm, der_bits(whole + b"\x00", 7)),
        ("P-256 named", affine.ALGORITHM_P256, der_bits(whole)),
        ("id-ecPublicKey without a curve", _NO_CURVE, der_bits(whole)),
        ("an OCTET STRING", algorithm, der_octets(whole)),
    ):
        fields = hex_fields(public_key=der_sequence((identifier, bits)))
        rule = _POINT_FORM if comment in {"compressed", "hybrid"} else None
        yield right.refused(ErrorCode.INVALID_KEY, "BadPublicKey", comment, fields, rule)
    for comment, key in (
        ("nothing", b""),
        ("cut short", SM2_SPKI[:-1]),
        ("a byte behind it", SM2_SPKI + b"\x00"),
        ("the bare point", whole),
    ):
        fields = hex_fields(public_key=key)
        rule = _EXTRA_BYTES if comment == "a byte behind it" else None
        yield right.refused(ErrorCode.INVALID_KEY, "BadPublicKey", comment, fields, rule)
    fields = hex_fields(public_key=RSA_2048.spki())
    yield right.refused(ErrorCode.KEY_USAGE, "KeyUsage", "a public key of RSA", fields)
