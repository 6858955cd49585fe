"""The hypotheses of the search: each member of each table, and both sides of each limit."""

import os
from itertools import pairwise

import pytest
from support.asymmetric_cases import SM2, sm2_encrypted
from support.audit_cases import hostile_sm2

from kmscore import Suite, hazmat, sm2
from kmscore.audit.causes import damage, rsa
from kmscore.audit.causes import sm2 as readings_of_sm2
from kmscore.audit.causes.contexts import guesses
from kmscore.audit.causes.materials import materials
from kmscore.audit.causes.transports import lost_bytes, transports
from kmscore.audit.wording import count, span
from kmscore.sm2 import Sm2Encoding


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 bytes"), (1, "1 byte"), (2, "2 bytes"), (1000, "1,000 bytes")]
)
def test_a_number_has_its_noun(number: int, text: str) -> None:
    """Only 1 has the singular."""
    assert count(number, "byte") == text


def test_a_place_has_its_first_and_its_last_offset() -> None:
    """One byte has one offset."""
    assert [span(7, length) for length in (1, 2, 3)] == [
        *("offset 7", "the offsets 7 to 8", "the offsets 7 to 9")
    ]


_MATERIAL = bytes(range(16))


@pytest.mark.parametrize(
    ("material", "form"),
    [
        (_MATERIAL, ["", "with its bytes reversed"]),
        (b"000102030405060708090a0b0c0d0e0f", ["decoded from hexadecimal"]),
        (b"000102030405060708090A0B0C0D0E0F", ["decoded from hexadecimal"]),
        (b"AAECAwQFBgcICQoLDA0ODw==", ["decoded from Base64"]),
        (b"AAECAwQFBgcICQoLDA0ODw", []),
        (b"AAECAwQFBgcI!CQoLDA0ODw==", []),
        (bytes(range(8)), ["written as hexadecimal text"]),
        (
            bytes.fromhex("a0b0c0d0e0f0a1b1"),
            [
                "written as hexadecimal text",
                "written as hexadecimal text in capitals",
            ],
        ),
        (bytes(range(12)), ["written as Base64 text"]),
        (bytes(16), [""]),
        (bytes(range(15)), []),
    ],
)
def test_the_forms_of_a_material(material: bytes, form: list[str]) -> None:
    """A form has the length of a key, occurs once, and its Base64 text is strict."""
    found = list(materials(material, Suite.AES_128_GCM))
    assert [name for name, _ in found] == form
    assert all(len(data) == 16 for _, data in found)


@pytest.mark.parametrize(
    ("encoded", "kind"),
    [
        (b"\x00\x02" + b"\x01" * 8 + b"\x00x", "encryption"),
        (b"\x00\x02" + b"\x01" * 7 + b"\x00x", ""),
        (b"\x00\x02" + b"\x01" * 200, ""),
        (b"\x01\x02" + b"\x01" * 8 + b"\x00x", ""),
        (b"\x00\x03" + b"\x01" * 8 + b"\x00x", ""),
        (b"\x00\x00" + b"\x01" * 8 + b"\x00x", ""),
        (b"\x00\x01" + b"\xff" * 8 + b"\x00x", "signature"),
        (b"\x00\x01" + b"\xff" * 7 + b"\x00x", ""),
        (b"\x00\x01" + b"\xff" * 8 + b"\xfe\x00x", ""),
        (b"\x00\x02" + b"\xff" * 8 + b"\x00x", "encryption"),
    ],
)
def test_the_structure_of_pkcs1(encoded: bytes, kind: str) -> None:
    """At least 8 bytes of padding, between the first two bytes and a zero byte."""
    assert rsa.structure(encoded) == kind


@pytest.mark.parametrize("length", [256, 384, 512])
def test_lengths_and_orders_of_a_number(length: int) -> None:
    """Up to 4 zeros are put back, and any number of them is removed."""
    number = bytes(range(1, 256)) * 2 + b"\x07\x07"
    raw = number[:length]
    for lost in range(1, 5):
        short = raw[lost:]
        words = f"given {count(lost, 'leading zero byte')}"
        assert list(rsa.lengths_and_orders(short)) == [
            ("rsa.zeros_lost", words, bytes(lost) + short)
        ]
        added = ("rsa.zeros_added", f"taken without {count(lost, 'leading zero byte')}", raw)
        assert list(rsa.lengths_and_orders(bytes(lost) + raw)) == [added]
    assert list(rsa.lengths_and_orders(raw[5:])) == []
    assert list(rsa.lengths_and_orders(b"\x01" + raw)) == []
    assert list(rsa.lengths_and_orders(raw)) == [
        ("rsa.byte_order", "read in the reverse order of its bytes", raw[::-1])
    ]


def test_paddings_begin_with_the_most_probable() -> None:
    """Without a label first; for each hash, MGF1 with the same hash first."""
    found = list(rsa.paddings([b"x"]))
    names = ["sha256", "sha1", "sha512", "sha384", "sha224", "md5"]
    assert [each[:2] for each in found[:6]] == [("sha256", name) for name in names]
    assert found[6] == rsa.Padding("sha1", "sha1", b"")
    assert len(found) == len(set(found)) == 72
    assert [each.label for each in found] == [b""] * 36 + [b"x"] * 36


def _codes(raw: bytes) -> list[str]:
    return [each.code for each in readings_of_sm2.readings(raw)]


def test_the_usual_readings_have_no_code() -> None:
    """DER that begins with 30 and C1C3C2 that begins with 04 are read without a change."""
    expected = {
        Sm2Encoding.ASN1_DER: ["", "sm2.der_lax"],
        Sm2Encoding.C1C3C2: ["", "sm2.encoding"],
        Sm2Encoding.C1C2C3: ["", "sm2.encoding"],
        Sm2Encoding.C1C3C2_BARE: ["sm2.encoding", "sm2.encoding"],
        Sm2Encoding.C1C2C3_BARE: ["sm2.encoding", "sm2.encoding"],
    }
    ciphertext = hazmat.sm2_encrypt(SM2.public_key, b"x" * 40, 5)
    found = {each: _codes(sm2.convert(ciphertext, "C1C3C2", each)) for each in expected}
    assert found == expected


def test_lax_der_has_a_limit_and_a_tag() -> None:
    """Bytes behind it count up to twice the longest DER; another tag is not a SEQUENCE."""
    der = sm2_encrypted("ASN1_DER")
    most = 2 * 6159
    assert _codes(der.ljust(most, b"\x00")) == ["sm2.der_lax"]
    assert _codes(der.ljust(most + 1, b"\x00")) == []
    for tag in (b"\x2f", b"\x31"):
        assert "sm2.der_lax" not in _codes(tag + der[1:] + b"\x00")
    for length in range(len(der)):
        assert "sm2.der_lax" not in _codes(der[:length])


def test_a_point_is_at_the_first_or_the_second_byte() -> None:
    """Its coordinates are less than p, and it is on the curve."""
    raw = sm2_encrypted()
    assert readings_of_sm2.has_point(raw)
    assert readings_of_sm2.has_point(raw[1:])
    assert readings_of_sm2.has_point(raw[:65])
    assert readings_of_sm2.has_point(raw[1:65])
    assert not readings_of_sm2.has_point(raw[1:64])
    assert not readings_of_sm2.has_point(b"\x04" + raw)
    for name in ("off the curve", "x not below p"):
        assert not readings_of_sm2.has_point(hostile_sm2()[name])


@pytest.mark.parametrize("mask", [1, 2, 0x80, 254, 255])
def test_a_damaged_byte_of_c2_has_any_mask(mask: int) -> None:
    """The first and the last mask are tried too."""
    parts = sm2.encodings.parse(sm2_encrypted(plaintext=b"abc"), Sm2Encoding.C1C3C2)
    c2 = parts.c2[:1] + bytes([parts.c2[1] ^ mask]) + parts.c2[2:]
    opened = readings_of_sm2.multiply(SM2, parts._replace(c2=c2))
    found = [readings_of_sm2.damaged_byte(opened, parts.c3, offset) for offset in range(3)]
    assert found == [None, mask, None]


@pytest.mark.parametrize("length", [1, 2, 7, 8, 9])
@pytest.mark.parametrize("start", [0, 5, 31])
def test_a_damaged_digest_has_at_most_8_wrong_bytes(length: int, start: int) -> None:
    """The place is the first wrong byte and the number of bytes."""
    length = min(length, 32 - start)
    parts = sm2.encodings.parse(sm2_encrypted(), Sm2Encoding.C1C3C2)
    opened = readings_of_sm2.multiply(SM2, parts)
    c3 = bytearray(parts.c3)
    for offset in range(start, start + length):
        c3[offset] ^= 1
    expected = (start, length) if length <= 8 else None
    assert readings_of_sm2.damaged_digest(opened, bytes(c3)) == expected
    assert readings_of_sm2.damaged_digest(opened, parts.c3) is None


@pytest.mark.parametrize("first", range(1, 8))
@pytest.mark.parametrize(("left", "right"), [(0x01, 0x80), (0x80, 0x01)])
def test_one_bit_on_each_side_of_two_blocks_is_located(first: int, left: int, right: int) -> None:
    """The lowest and the highest bit of the outer bytes of an error across two blocks."""
    gcm = damage.set_up(Suite.AES_128_GCM, bytes(range(16)), bytes(12))
    ciphertext = os.urandom(48)
    tag = damage.compute_tag(gcm, b"header", ciphertext)
    last = 8 - first
    masks = [bytes([left]) + bytes(6) + bytes([right])]
    masks.append(bytes(first - 1) + bytes([left, right]) + bytes(last - 1))
    for mask in masks:
        wrong = bytearray(ciphertext)
        for offset, byte in enumerate(mask, 32 - first):
            wrong[offset] ^= byte
        stripped = mask.lstrip(b"\x00")
        place = 32 - first + len(mask) - len(stripped)
        assert damage.locate(gcm, b"header", bytes(wrong), tag) == [
            damage.Error("ciphertext", place, stripped.rstrip(b"\x00"))
        ]


def _transports(raw: bytes) -> list[str]:
    return [each.code.removeprefix("transport.") for each in transports(raw)]


def test_the_limits_of_transports() -> None:
    """65,536 bytes in all, 64 before the magic, 8 at the end, and at least one byte is left."""
    assert _transports(b"A" * 65536)[0] == "base64"
    assert _transports(b"A" * 65537) == []
    assert _transports(b"\xff" * 20) == ["tail"] * 8
    assert _transports(b"\xff" * 4) == ["tail"] * 3
    assert _transports(b"\xff") == _transports(b"") == []
    for number in (1, 2, 64):
        head = next(each for each in transports(b"\xff" * number + b"KMS\x01\xff"))
        words = f"taken without its first {count(number, 'byte')}"
        assert (head.code, head.fact) == ("transport.head", words)
        assert head.data == b"KMS\x01\xff"
    assert "head" not in _transports(b"\xff" * 65 + b"KMS\x01\xff")
    assert "head" not in _transports(b"KMS\x01\xff")
    assert _transports(b"MS\x01\xff")[0] == "first_lost"
    for raw in (b"MS\x00\xff", b"MS\x02\xff"):
        assert "first_lost" not in _transports(raw)


def test_bytes_are_taken_off_the_end_one_by_one() -> None:
    """The fact has the bytes."""
    forms = list(transports(bytes([0xFF, 0xFE, 0x01, 0x02])))
    assert [(each.fact, each.data.hex()) for each in forms] == [
        ("taken without its last 1 byte, 02", "fffe01"),
        ("taken without its last 2 bytes, 01 02", "fffe"),
        ("taken without its last 3 bytes, fe 01 02", "ff"),
    ]


@pytest.mark.parametrize(("number", "findings"), [(0, 0), (1, 0), (2, 1), (3, 1)])
def test_replaced_bytes_occur_more_than_once(number: int, findings: int) -> None:
    """One U+FFFD can be in random bytes."""
    assert len(list(lost_bytes(b"a\xef\xbf\xbdb"[1:4] * number))) == findings


@pytest.mark.parametrize(("pairs", "swaps"), [(2, 1), (12, 66), (13, 0)])
def test_values_of_up_to_12_pairs_are_exchanged(pairs: int, swaps: int) -> None:
    """Each two of them once."""
    given = {f"k{number}": f"v{number}" for number in range(pairs)}
    found = [each for each in guesses(given, [], [], lambda: None) if "values_swapped" in each.code]
    assert len(found) == swaps


def test_the_spelling_of_one_key_keeps_the_others() -> None:
    """A context has one changed key, in its place."""
    given = {"a": "1", "b": "2"}
    found = [each for each in guesses(given, [], [], lambda: None) if each.code == "context.upper"]
    assert [(each.fact, each.context) for each in found] == [
        ("all keys are written in upper case", {"A": "1", "B": "2"}),
        ('the key "a" is written in upper case', {"A": "1", "b": "2"}),
        ('the key "b" is written in upper case', {"a": "1", "B": "2"}),
    ]


def test_no_guess_occurs_twice() -> None:
    """The given context is not among them either."""
    given = {"a": "1", "B": "x"}
    found = [each.bound for each in guesses(given, [given], [given, {"a": "1"}], lambda: None)]
    assert len(found) == len(set(found))
    assert all(one != other for one, other in pairwise(found))
