"""SM2 ciphertexts with one defect each: every backend rejects each of them with one error.

Where it is possible, C3 is right, so that only the check under test can reject the ciphertext.
"""

import os

import pytest
from support.strategies import flip_last_bit
from support.textbook_sm2 import (
    PUBLIC,
    SCALAR,
    SMALL_X,
    SMALL_Y,
    G,
    P,
    Parts,
    assert_rejected,
    both,
    encrypt,
    integer,
    multiply,
    negative,
    point_near,
    scalar_with,
    sealed,
    tlv,
    zero_kdf_scalar,
)

import kmscore
from kmscore import (
    EncryptionAlgorithm,
    InvalidBlobError,
    Keyring,
    KeySpec,
    Sm2Key,
    SymmetricKey,
)
from kmscore.sm2 import Sm2Encoding, convert
from kmscore.sm2.backends import portable
from kmscore.sm2.curve import Point

PLAINTEXT = b"as long as a digest is: 32 bytes"
SM2PKE = EncryptionAlgorithm.SM2PKE

# Both coordinates begin with a high bit, so their INTEGERs have a leading zero.
HIGH = encrypt(PUBLIC, PLAINTEXT, next(k for k in range(1, 99) if min(multiply(k, G)) >> 255))
FIRST_04 = encrypt(PUBLIC, PLAINTEXT, scalar_with(0, 0x04))
FIRST_30 = encrypt(PUBLIC, PLAINTEXT, scalar_with(0, 0x30))
LOW = encrypt(PUBLIC, bytes(6048), scalar_with(0, 0x00))
ZERO_KDF = encrypt(PUBLIC, b"!", zero_kdf_scalar())
NO_C2 = encrypt(PUBLIC, b"", 2)
WHOLE = HIGH.der()
CONTENT = WHOLE[2:]
X, Y = (value.to_bytes(33, "big") for value in (HIGH.x, HIGH.y))
OFF_CURVE = (HIGH.x, HIGH.y + 1)


def consistent(c1: tuple[int, int], shared: tuple[int, int] | None = None) -> Parts:
    """Return a ciphertext that decrypts if `c1` is multiplied without a check."""
    return sealed(c1, shared or multiply(SCALAR, c1), PLAINTEXT)


def plus_p(point: tuple[int, int], coordinate: int) -> Parts:
    """Return a right ciphertext, except that p is added to one coordinate of C1."""
    right = consistent(point)
    return right._replace(x=right.x + P) if coordinate == 0 else right._replace(y=right.y + P)


# Wrong points, digests and lengths, which every encoding can contain.
WRONG_PARTS = {
    "C1 off the curve": HIGH._replace(y=HIGH.y + 1),
    "C1 off the curve, C3 consistent with d": consistent(OFF_CURVE),
    # The portable backend computes with d + n; that is a difference only off the curve.
    "C1 off the curve, C3 consistent with d + n": consistent(
        OFF_CURVE, portable.multiply(SCALAR, Point(*OFF_CURVE))
    ),
    "C1 of order 2 on another curve": consistent((7, 0)),
    "C1 = (0, 0)": HIGH._replace(x=0, y=0),
    "C1 = (0, 0), C3 consistent": consistent((0, 0)),
    "x + p": plus_p(SMALL_X, 0),
    "y + p": plus_p(SMALL_Y, 1),
    "x = p": plus_p(point_near(0), 0),
    "coordinates of 2^256 - 1": HIGH._replace(x=2**256 - 1, y=2**256 - 1),
    "C2 empty": NO_C2,
    "C2 of 6,048 bytes": LOW,
}

VISIBLE = (
    {f"{name} (C1C3C2)": parts.raw() for name, parts in WRONG_PARTS.items()}
    | {f"{name} (DER)": parts.der() for name, parts in WRONG_PARTS.items()}
    | {
        "no bytes": b"",
        "one byte 30": b"\x30",
        "one byte 04": b"\x04",
        "C1C3C2 without a C3": NO_C2.raw()[:65],
        "C1C3C2 one byte short of a C3": NO_C2.raw()[:96],
        "C1C3C2 of 6,145 bytes": encrypt(PUBLIC, bytes(6048), 2).raw(),
        "compressed point, 02": bytes([2]) + both((HIGH.x, 0))[:32] + HIGH.c3 + HIGH.c2,
        "compressed point, 03": bytes([3]) + both((HIGH.x, 0))[:32] + HIGH.c3 + HIGH.c2,
        "compressed point, 02, as long": bytes([2]) + HIGH.raw()[1:],
        "hybrid point": bytes([6 + HIGH.y % 2]) + HIGH.raw()[1:],
        "another first byte": bytes([5]) + HIGH.raw()[1:],
        "first byte 00": bytes([0]) + HIGH.raw()[1:],
        "bare C1C3C2": HIGH.encoded("C1C3C2_BARE"),
        "bare C1C2C3": HIGH.encoded("C1C2C3_BARE"),
        "bare C1C3C2, x begins with 04": FIRST_04.encoded("C1C3C2_BARE"),
        "bare C1C2C3, x begins with 04": FIRST_04.encoded("C1C2C3_BARE"),
        "bare C1C3C2, x begins with 30": FIRST_30.encoded("C1C3C2_BARE"),
        "DER of 6,160 bytes": Parts(HIGH.x, HIGH.y, bytes(32), bytes(6048)).der(),
        "C3 of 31 bytes": HIGH._replace(c3=HIGH.c3[:-1]).der(),
        "C3 of 33 bytes": HIGH._replace(c3=HIGH.c3 + b"\x00").der(),
        "C3 empty": HIGH._replace(c3=b"").der(),
        "C3 of 64 bytes": HIGH._replace(c3=HIGH.c3 * 2).der(),
        "trailing byte": WHOLE + b"\x00",
        "trailing element": WHOLE + tlv(0x05, b""),
        "the same twice": WHOLE * 2,
        "one byte short": WHOLE[:-1],
        "nothing in it": tlv(0x30, b""),
        "an element too few": HIGH.der(c2=b""),
        "an element too many": HIGH.der(c2=tlv(4, HIGH.c2) + tlv(4, b"")),
        "an element too many, NULL": HIGH.der(c2=tlv(4, HIGH.c2) + tlv(5, b"")),
        "elements in another order": HIGH.der(c3=tlv(4, HIGH.c2), c2=integer(1)),
        "x non-minimal": HIGH.der(x=tlv(2, b"\x00" + X)),
        "y non-minimal": HIGH.der(y=tlv(2, b"\x00" + Y)),
        "small x non-minimal": consistent(SMALL_X).der(x=tlv(2, b"\x00\x01")),
        "INTEGER without content": consistent(point_near(0)).der(x=tlv(2, b"")),
        "x negative by its first bit": HIGH.der(x=tlv(2, X[1:])),
        "y negative by its first bit": HIGH.der(y=tlv(2, Y[1:])),
        "x - p": HIGH.der(x=integer(HIGH.x - P)),
        "y - p": HIGH.der(y=integer(HIGH.y - P)),
        "-x": HIGH.der(x=integer(-HIGH.x)),
        "x + 2^256·p": HIGH.der(x=integer(HIGH.x + (P << 256))),
        "y + 2^4096·p": HIGH.der(y=integer(HIGH.y + (P << 4096))),
        "negative x of 512 bytes": HIGH.der(x=integer(HIGH.x - (P << 4096))),
        "SEQUENCE of indefinite length": tlv(0x30, CONTENT + b"\x00\x00", b"\x80"),
        "OCTET STRING of indefinite length": HIGH.der(
            c2=tlv(0x24, tlv(4, HIGH.c2) + b"\x00\x00", b"\x80")
        ),
        "long length where short is due": tlv(0x30, CONTENT, bytes([0x82, 0, len(CONTENT)])),
        "long length of x": HIGH.der(x=tlv(2, X, b"\x81\x21")),
        "long length of C3": HIGH.der(c3=tlv(4, HIGH.c3, b"\x81\x20")),
        "long length of C2": HIGH.der(c2=tlv(4, HIGH.c2, b"\x82\x00\x20")),
        "length beyond the end": HIGH.der(c2=tlv(4, HIGH.c2, b"\x21")),
        "length of 2^64 - 1": tlv(0x30, CONTENT, b"\x88" + b"\xff" * 8),
        "constructed C2": HIGH.der(c2=tlv(0x24, tlv(4, HIGH.c2[:16]) + tlv(4, HIGH.c2[16:]))),
        "constructed C3": HIGH.der(c3=tlv(0x24, tlv(4, HIGH.c3))),
        "SET": tlv(0x31, CONTENT),
        "primitive SEQUENCE": tlv(0x10, CONTENT),
        "SEQUENCE with a tag of two bytes": b"\x3f\x10" + WHOLE[1:],
        "SEQUENCE in a SEQUENCE": tlv(0x30, WHOLE),
        "C3 as BIT STRING": HIGH.der(c3=tlv(3, HIGH.c3)),
        "C2 as UTF8String": HIGH.der(c2=tlv(12, HIGH.c2)),
        "C2 with a context tag": HIGH.der(c2=tlv(0x80, HIGH.c2)),
        "x as ENUMERATED": HIGH.der(x=tlv(10, X)),
        "x as OCTET STRING": HIGH.der(x=tlv(4, X)),
    }
)
"""Defects that are visible without a key."""

HIDDEN = {
    f"{name} ({encoding})": parts.encoded(encoding)
    for name, parts in {
        "C3 with a bit changed": HIGH._replace(c3=flip_last_bit(HIGH.c3)),
        "C2 with a bit changed": HIGH._replace(c2=flip_last_bit(HIGH.c2)),
        "C2 one byte short": HIGH._replace(c2=HIGH.c2[:-1]),
        "C2 one byte long": HIGH._replace(c2=HIGH.c2 + b"\x00"),
        "C3 of zeros": HIGH._replace(c3=bytes(32)),
        "C1 negated": HIGH._replace(y=P - HIGH.y),
        "C1 of another k": HIGH._replace(x=FIRST_04.x, y=FIRST_04.y),
        "C2 before C3": HIGH._replace(c3=HIGH.c2, c2=HIGH.c3),
        "for another key": encrypt(negative(PUBLIC), PLAINTEXT, 2),
        "KDF output of zeros": ZERO_KDF,
    }.items()
    for encoding in ("C1C3C2", "ASN1_DER")
} | {
    "C3 one byte short (C1C3C2)": HIGH._replace(c3=HIGH.c3[:-1]).raw(),
    "C3 one byte long (C1C3C2)": HIGH._replace(c3=HIGH.c3 + b"\x00").raw(),
    "C3 missing (C1C3C2)": HIGH._replace(c3=b"", c2=HIGH.c2 + b"\x00").raw(),
    "C1C2C3": FIRST_04.encoded("C1C2C3"),
}
"""Defects that only the private key shows."""

TRAPS = VISIBLE | HIDDEN
DESTINATION = SymmetricKey("symmetric", "v1", KeySpec.AES_256, os.urandom(32))


@pytest.fixture(scope="module")
def keys(backend: str) -> Keyring:
    """Return the key of the traps on one backend, and a destination."""
    return Keyring([Sm2Key.from_scalar("sm2", "v1", SCALAR, backend=backend), DESTINATION])


def opened(keys: Keyring, ciphertext: bytes) -> bytes:
    """Return the plaintext."""
    return kmscore.asymmetric_decrypt(keys, "sm2", "v1", SM2PKE, ciphertext).plaintext


@pytest.mark.parametrize("parts", [HIGH, FIRST_04, FIRST_30, consistent(point_near(0))])
def test_the_originals_of_the_traps_decrypt(keys: Keyring, parts: Parts) -> None:
    """The ciphertexts without a defect decrypt, in both encodings that decryption accepts."""
    assert opened(keys, parts.raw()) == PLAINTEXT
    assert opened(keys, parts.der()) == PLAINTEXT


def test_the_traps_have_the_lengths_in_their_names() -> None:
    """A C2 of 6,048 bytes is rejected in a ciphertext whose whole length is within the limit."""
    assert len(TRAPS["C1C3C2 of 6,145 bytes"]) == 6145
    assert len(TRAPS["DER of 6,160 bytes"]) == 6160
    assert len(TRAPS["C2 of 6,048 bytes (DER)"]) <= 6159


@pytest.mark.parametrize("trap", TRAPS.values(), ids=TRAPS)
def test_decryption_rejects_the_trap(keys: Keyring, trap: bytes) -> None:
    """Every trap raises the one `DecryptionError`, with one text and without a cause."""
    assert_rejected(lambda: opened(keys, trap))


@pytest.mark.parametrize(
    "name",
    [
        "C1 off the curve, C3 consistent with d (C1C3C2)",
        "x + p (DER)",
        "C2 empty (C1C3C2)",
        "no bytes",
        "trailing byte",
        "DER of 6,160 bytes",
        "bare C1C3C2, x begins with 04",
        "C3 with a bit changed (C1C3C2)",
        "KDF output of zeros (ASN1_DER)",
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_reencryption_rejects_the_trap(keys: Keyring, name: str, dry_run: bool) -> None:
    """`reencrypt` raises the same error for a trap as decryption."""
    assert_rejected(
        lambda: kmscore.reencrypt(
            keys,
            TRAPS[name],
            "symmetric",
            source_key_id="sm2",
            source_key_version_id="v1",
            source_algorithm=SM2PKE,
            dry_run=dry_run,
        )
    )


@pytest.mark.parametrize("trap", VISIBLE.values(), ids=VISIBLE)
@pytest.mark.parametrize("source", [Sm2Encoding.ASN1_DER, Sm2Encoding.C1C3C2])
def test_conversion_rejects_the_trap(trap: bytes, source: Sm2Encoding) -> None:
    """A defect that is visible without a key raises `InvalidBlobError`, without a cause.

    Each trap is read in both encodings: one of them is its own, and none is guessed.
    """
    with pytest.raises(InvalidBlobError) as caught:
        convert(trap, source, Sm2Encoding.C1C3C2)
    assert type(caught.value) is InvalidBlobError
    assert caught.value.code == "invalid_blob"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("parts", WRONG_PARTS.values(), ids=WRONG_PARTS)
@pytest.mark.parametrize("source", Sm2Encoding)
def test_conversion_rejects_wrong_parts_in_every_encoding(
    parts: Parts, source: Sm2Encoding
) -> None:
    """The point and the lengths are checked in every encoding."""
    with pytest.raises(InvalidBlobError):
        convert(parts.encoded(source.value), source, source)


@pytest.mark.parametrize("source", ["C1C3C2_BARE", "C1C2C3_BARE"])
def test_a_bare_ciphertext_decrypts_after_conversion(keys: Keyring, source: str) -> None:
    """A bare form is read only if the caller names it, even if x begins with 04."""
    bare = FIRST_04.encoded(source)
    assert bare[0] == 0x04
    assert opened(keys, convert(bare, source, "C1C3C2")) == PLAINTEXT
