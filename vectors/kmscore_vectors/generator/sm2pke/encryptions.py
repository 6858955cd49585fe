"""Encryptions of SM2PKE with a given k, and public keys."""

from collections.abc import Iterator
from typing import Final, TypeAlias

from kmscore_vectors.generator import affine, identifiers
from kmscore_vectors.generator.affine import BASE, PRIME, finite
from kmscore_vectors.generator.keys.published import RSA_2048, SM2_PUBLIC_POINT, SM2_SPKI
from kmscore_vectors.generator.keys.sm2_private import POINT_FORM
from kmscore_vectors.generator.model import Case, Fields, Rule, hex_fields
from kmscore_vectors.generator.sm2pke import points
from kmscore_vectors.generator.sm2pke.cases import (
    CONTENTS,
    EXTREME_K,
    LENGTHS,
    MESSAGE,
    MOST_PLAINTEXT,
    PADDING_LENGTHS,
    K,
    encrypt,
    text,
    trace,
)
from kmscore_vectors.generator.sm2pke.rsa_public_keys import rsa_public_keys
from kmscore_vectors.generator.sm2pke.valid_ciphertexts import zero_bytes
from kmscore_vectors.generator.wire import der, der_bits, der_integer, der_octets, der_sequence
from kmscore_vectors.tables import ErrorCode, Severity

_EXTRA_BYTES: Final = Rule(Severity.STRICT, "SPEC section 11.3")


def encryptions() -> Iterator[Case]:
    """Yield encryptions under the key of the tests."""
    for k in (1, 2, 3, K, points.SHORT_C1[0].k, points.SHORT_C1[5].k, affine.ORDER - 1):
        for length in (1, len(MESSAGE), 64):
            yield _encrypts(f"{length} bytes", "GivenK", text(length), k)
    for name, k in list(EXTREME_K.items())[3:]:  # the others are above
        yield _encrypts(f"k = {name}", "ExtremeK", MESSAGE, k)
    for comment, flag, message, k in _varied():
        yield _encrypts(comment, flag, message, k)
    right = _encrypts("one byte", "GivenK", b"x", K)
    for flag, length in (("EmptyPlaintext", 0), ("TooLong", MOST_PLAINTEXT + 1)):
        fields = hex_fields(plaintext=bytes(length))
        yield right.rejected(ErrorCode.PLAINTEXT_SIZE, flag, f"{length} bytes", fields)


def _varied() -> Iterator[tuple[str, str, bytes, int]]:
    """Yield comment, flag, message and k of encryptions that are valid."""
    for flag, names, multiples in (
        ("ShortCoordinate", "x1 y1", points.SHORT_C1),
        ("ShortSharedPoint", "x2 y2", points.SHORT_SHARED),
    ):
        x, y = names.split()
        for k, x_bits, y_bits in multiples:
            # Another message than above.
            message = MESSAGE[::-1]
            yield f"{x} of {x_bits} bits, {y} of {y_bits}", flag, message, k
    for length in LENGTHS:
        if length not in {1, 64}:
            yield f"{length} bytes", "Boundary", text(length), K
    for length in PADDING_LENGTHS:
        yield f"{length} bytes", "HashPadding", text(length), K
    for comment, message in CONTENTS.items():
        yield comment, "MessageBytes", message, K
    for comment, message in zero_bytes().items():
        yield comment, "ZeroBytes", message, K
    yield (
        "t is 00 in the last of 33 bytes",
        "PartlyZeroKdf",
        text(33),
        points.SECOND_BLOCK_00_K,
    )
    yield "t is 00 in the first of 2 bytes", "PartlyZeroKdf", text(2), points.FIRST_00_K


def _encrypts(comment: str, flag: str, message: bytes, k: int) -> Case:
    """Return an encryption under the key of the tests."""
    parts = encrypt(message, k)
    return Case(
        comment,
        flag,
        hex_fields(plaintext=message, k=k.to_bytes(32, "big")),
        hex_fields(ciphertext=affine.c1c3c2(parts)),
        trace(parts, k),
    )


def _under(comment: str, flag: str, point: tuple[int, int], spki: bytes) -> Case:
    """Return an encryption of the usual message under any key."""
    parts = affine.encrypt(point, MESSAGE, K)
    return Case(
        comment,
        flag,
        hex_fields(public_key=spki, plaintext=MESSAGE, k=K.to_bytes(32, "big")),
        hex_fields(ciphertext=affine.c1c3c2(parts)),
        trace(parts, K),
    )


def public_keys() -> Iterator[Case]:
    """Yield public keys, valid and not. Each invalid one is valid without its one defect."""
    right = _under("the key of all other tests", "GivenK", SM2_PUBLIC_POINT, SM2_SPKI)
    yield right
    for comment, point in {
        "x = 0": points.ZERO_X,
        "x = 1": points.SMALL_X,
        "y = 1": points.SMALL_Y,
        "x = p - 2": points.LARGEST_X,
        "y = p - 1": points.LARGEST_Y,
        "the base point": finite(BASE),
        **{
            f"x of {x_bits} bits, y of {y_bits}": finite(affine.multiply(k, BASE))
            for k, x_bits, y_bits in (points.SHORT_C1[0], *points.SHORT_C1[5:10:4])
        },
    }.items():
        yield _under(comment, "ExtremePublicKey", point, affine.spki(point))
    for comment, key, rule in (*_wrong_points(), *_wrong_structures()):
        fields = hex_fields(public_key=key)
        yield right.rejected(ErrorCode.INVALID_KEY, "BadPublicKey", comment, fields, rule)
    yield from rsa_public_keys(right)
    yield from _two_defects(right)


_Wrong: TypeAlias = Iterator[tuple[str, bytes, Rule | None]]


def _wrong_points() -> _Wrong:
    """Yield keys whose point is not on the curve, or not in the uncompressed form."""
    x, y = SM2_PUBLIC_POINT
    for comment, point in {
        "y + 1": (x, y + 1),
        "x and y are 0": (0, 0),
        "x = p + 1": (points.SMALL_X[0] + PRIME, points.SMALL_X[1]),
        "x = p": (PRIME, points.ZERO_X[1]),
        "y = p + 1": (points.SMALL_Y[0], points.SMALL_Y[1] + PRIME),
        "y = p": (x, PRIME),
        "x = 2^256 - 1": points.LONGEST_X,
        "y = 2^256 - 1": points.LONGEST_Y,
        "x and y exchanged": (y, x),
        "the base point of P-256": points.P256_BASE,
        "on the quadratic twist": points.TWISTED,
        **{f"of order {order}": point for order, point in points.SMALL_ORDERS.items()},
    }.items():
        yield comment, affine.spki(point), None
    whole, parity = affine.point_bytes(SM2_PUBLIC_POINT), y % 2
    for comment, data in {
        "the point at infinity": b"\x00",
        "no byte": b"",
        "04 alone": b"\x04",
        "a byte short": whole[:-1],
        "a byte more": whole + b"\x00",
        "without 04": whole[1:],
        "05 in place of 04": b"\x05" + whole[1:],
        "compressed": bytes([2 + parity]) + whole[1:33],
        "compressed, the other y": bytes([3 - parity]) + whole[1:33],
        "hybrid": bytes([6 + parity]) + whole[1:],
        "hybrid, the other y": bytes([7 - parity]) + whole[1:],
    }.items():
        is_legal = comment in {"compressed", "compressed, the other y", "hybrid"}
        rule = POINT_FORM if is_legal else None
        yield comment, der_sequence((affine.ALGORITHM, der_bits(data))), rule


def _wrong_structures() -> _Wrong:
    """Yield keys that are not one SubjectPublicKeyInfo of SM2 in DER."""
    point = affine.point_bytes(SM2_PUBLIC_POINT)
    algorithm, bits = affine.ALGORITHM, der_bits(point)
    for comment, elements in {
        "P-256 named": (affine.ALGORITHM_P256, bits),
        "id-ecPublicKey without a curve": (identifiers.EC_WITHOUT_CURVE, bits),
        "id-ecPublicKey with NULL": (identifiers.EC_WITH_NULL, bits),
        "the curve as the algorithm": (identifiers.CURVE_AS_ALGORITHM, bits),
        "explicit parameters": (identifiers.EC_WITH_EXPLICIT_CURVE, bits),
        "a third element of the algorithm": (identifiers.EC_WITH_NULL_AFTER_CURVE, bits),
        "seven unused bits": (algorithm, der_bits(point + b"\x00", 7)),
        "eight unused bits": (algorithm, der_bits(point, 8)),
        "an OCTET STRING": (algorithm, der_octets(point)),
        "an OCTET STRING in the BIT STRING": (algorithm, der_bits(der_octets(point))),
        "no point": (algorithm,),
        "a version before the algorithm": (der_integer(0), algorithm, bits),
        "a NULL within it": (algorithm, bits, b"\x05\x00"),
    }.items():
        yield comment, der_sequence(elements), None
    content = SM2_SPKI[2:]
    for comment, key in {
        "a byte behind it": SM2_SPKI + b"\x00",
        "a BIT STRING in parts": der_sequence((algorithm, der(0x23, bits))),
        "length in two bytes": b"\x30\x81" + SM2_SPKI[1:],
        "indefinite length": b"\x30\x80" + content + b"\x00\x00",
        "length of the point in two bytes": der_sequence((algorithm, b"\x03\x81" + bits[1:])),
        "length of the algorithm in two bytes": der_sequence((b"\x30\x81" + algorithm[1:], bits)),
    }.items():
        yield comment, key, _EXTRA_BYTES
    for comment, key in {
        "nothing": b"",
        "cut short": SM2_SPKI[:-1],
        "the bare point": point,
        "a SET": b"\x31" + SM2_SPKI[1:],
        "in a SEQUENCE of its own": der_sequence((SM2_SPKI,)),
    }.items():
        yield comment, key, None


def _two_defects(right: Case) -> Iterator[Case]:
    """Yield wrong keys with wrong lengths of the message: the key is checked first."""
    x, y = SM2_PUBLIC_POINT
    keys: dict[str, tuple[ErrorCode, Fields]] = {
        "a point off the curve": (
            ErrorCode.INVALID_KEY,
            hex_fields(public_key=affine.spki((x, y + 1))),
        ),
        "no key": (ErrorCode.INVALID_KEY, hex_fields(public_key=b"")),
        "a public key of RSA": (ErrorCode.KEY_USAGE, hex_fields(public_key=RSA_2048.spki())),
    }
    for length in (0, MOST_PLAINTEXT + 1):
        fields = hex_fields(plaintext=bytes(length))
        later = right.rejected(
            ErrorCode.PLAINTEXT_SIZE, "TooLong", f"a message of {length} bytes", fields
        )
        for comment, (error, key) in keys.items():
            yield later.also(error, comment, key)
