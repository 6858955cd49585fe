"""The encodings of SM2 ciphertexts: one form per value, and `convert` between all of them."""

import itertools
import tracemalloc
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.samples import examples
from support.strategies import mutations, raises_exactly
from support.textbook_sm2 import (
    ENCODINGS,
    SMALL_X,
    SMALL_Y,
    G,
    N,
    P,
    Parts,
    encrypt,
    is_point,
    multiply,
    point_near,
    scalar_with,
    sealed,
)

from kmscore import InvalidBlobError, UnsupportedAlgorithmError
from kmscore.sm2 import Sm2Encoding, convert
from kmscore.sm2.curve import Point, decode_point, encode_point, is_on_curve
from kmscore.sm2.encodings import MAX_LENGTHS, Sm2Ciphertext, parse, serialize

# Points with short coordinates, and points whose INTEGERs need a leading zero.
EDGE_POINTS = [
    point_near(0),
    SMALL_X,
    SMALL_Y,
    *(multiply(scalar_with(*case), G) for case in itertools.product((0, 1), (0x00, 0x80, 0x04))),
]
PAIRS = list(itertools.product(ENCODINGS, repeat=2))
PLAINTEXTS = st.binary(min_size=1, max_size=300) | st.sampled_from([6046, 6047]).map(bytes)
DIGESTS = st.binary(min_size=32, max_size=32)


@st.composite
def ciphertexts(draw: st.DrawFn) -> Parts:
    """Draw ciphertexts that pass every check without a key, but were not encrypted."""
    x = st.integers(0, P - 1) | st.integers(0, 300)
    point = draw(st.sampled_from(EDGE_POINTS) | x.map(point_near))
    if draw(st.booleans()):
        point = point[0], P - point[1]
    return Parts(*point, draw(DIGESTS), draw(PLAINTEXTS))


def test_the_five_encodings_have_the_names_of_the_contract() -> None:
    """The name and the value of each encoding are equal."""
    assert [encoding.value for encoding in Sm2Encoding] == list(ENCODINGS)


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("point", EDGE_POINTS)
def test_any_encoding_is_converted_to_any_other(
    source: str, target: str, point: tuple[int, int]
) -> None:
    """`convert` gives the bytes of an independent writer, for leading zeros and high bits too."""
    parts = sealed(point, G, b"some plaintext")
    assert convert(parts.encoded(source), source, target) == parts.encoded(target)


def test_every_length_of_der_has_its_one_form() -> None:
    """A length up to 127 has one byte, and the next ones have 81, and 82 from 256 on."""
    for length in (*range(1, 300), 6047):
        parts = Parts(*G, bytes(32), bytes(length))
        written = serialize(
            Sm2Ciphertext(Point(*G), bytes(32), bytes(length)), Sm2Encoding.ASN1_DER
        )
        assert written == parts.der()
        assert parse(written, Sm2Encoding.ASN1_DER).c2 == bytes(length)


@given(ciphertexts(), st.lists(st.sampled_from(Sm2Encoding), min_size=1, max_size=6))
def test_a_chain_of_conversions_keeps_the_ciphertext(
    parts: Parts, chain: list[Sm2Encoding]
) -> None:
    """Through any chain of encodings, the ciphertext stays the same."""
    data, current = parts.encoded(chain[0].value), chain[0]
    for encoding in [*chain[1:], chain[0]]:
        data, current = convert(data, current, encoding), encoding
        assert data == parts.encoded(current.value)


@given(ciphertexts(), st.sampled_from(Sm2Encoding))
def test_parsing_and_writing_are_inverse(parts: Parts, encoding: Sm2Encoding) -> None:
    """Parsing returns the written parts, and writing returns the parsed bytes."""
    data = parts.encoded(encoding.value)
    parsed = parse(data, encoding)
    assert parsed == Sm2Ciphertext(Point(parts.x, parts.y), parts.c3, parts.c2)
    assert serialize(parsed, encoding) == data


def assert_canonical(data: bytes, encoding: Sm2Encoding) -> None:
    """Assert that `data` is rejected as a blob or is the only encoding of its parts."""
    try:
        again = convert(data, encoding, encoding)
    except InvalidBlobError:
        return
    assert again == data


@examples(400)
@given(st.data(), ciphertexts(), st.sampled_from(Sm2Encoding))
def test_a_mutated_ciphertext_is_rejected_or_canonical(
    data: st.DataObject, parts: Parts, encoding: Sm2Encoding
) -> None:
    """A mutated ciphertext is rejected as a blob, or parsing and writing return the same bytes."""
    mutated = data.draw(mutations(parts.encoded(encoding.value)))
    for read_as in (encoding, Sm2Encoding.ASN1_DER):
        assert_canonical(mutated, read_as)


@given(st.binary(max_size=200), st.sampled_from(Sm2Encoding))
@example(b"", Sm2Encoding.ASN1_DER)
@example(b"\x30\x80", Sm2Encoding.ASN1_DER)
@example(b"\x30" * 200, Sm2Encoding.ASN1_DER)
@example(b"\x04", Sm2Encoding.C1C3C2)
def test_random_bytes_are_an_invalid_blob(data: bytes, encoding: Sm2Encoding) -> None:
    """Random bytes raise `InvalidBlobError`."""
    assert_canonical(data, encoding)


@pytest.mark.parametrize("encoding", Sm2Encoding)
def test_a_flipped_bit_of_c1_is_rejected_without_a_key(encoding: Sm2Encoding) -> None:
    """A flipped bit before C3 and C2, also in a header of DER, is rejected."""
    parts = encrypt(multiply(5, G), b"plaintext", 7)
    data = parts.encoded(encoding.value)
    for index in range(8 * min(data.index(parts.c3), data.index(parts.c2))):
        changed = bytearray(data)
        changed[index // 8] ^= 1 << index % 8
        with raises_exactly(InvalidBlobError):
            convert(changed, encoding, encoding)


@pytest.mark.parametrize(
    ("encoding", "longest"),
    [
        ("ASN1_DER", 6159),
        ("C1C3C2", 6144),
        ("C1C2C3", 6144),
        ("C1C3C2_BARE", 6143),
        ("C1C2C3_BARE", 6143),
    ],
)
def test_the_longest_ciphertext_is_accepted_and_one_byte_more_is_not(
    encoding: str, longest: int
) -> None:
    """The limits are the lengths for 6,047 bytes, in DER with INTEGERs of 33 bytes."""
    point = next(each for k in range(1, 99) if min(each := multiply(k, G)) >> 255)
    data = Parts(*point, bytes(32), bytes(6047)).encoded(encoding)
    assert len(data) == longest == MAX_LENGTHS[Sm2Encoding(encoding)]
    assert convert(data, encoding, encoding) == data
    longer = Parts(*point, bytes(32), bytes(6048)).encoded(encoding)
    assert len(longer) == longest + 1
    with raises_exactly(InvalidBlobError, f"longer than {longest} bytes"):
        convert(longer, encoding, encoding)


@pytest.mark.parametrize("encoding", [each for each in ENCODINGS if each != "ASN1_DER"])
def test_a_ciphertext_shorter_than_c1_and_c3_is_too_short(encoding: str) -> None:
    """The length is checked before slicing; if only C2 has no bytes, the error is about C2."""
    data = Parts(*G, bytes(32), b"").encoded(encoding)
    for length in (0, 1, 31, 32, 63, 64, 65, len(data) - 1):
        with raises_exactly(InvalidBlobError, "too short"):
            convert(data[:length], encoding, encoding)
    with raises_exactly(InvalidBlobError, "C2 is not 1 to 6047 bytes long"):
        convert(data, encoding, encoding)


@pytest.mark.parametrize("encoding", Sm2Encoding)
def test_the_length_is_checked_before_anything_is_copied(encoding: Sm2Encoding) -> None:
    """Rejecting 16 MB needs almost no memory."""
    data = memoryview(bytes(1 << 24))
    tracemalloc.start()
    try:
        with raises_exactly(InvalidBlobError):
            convert(data, encoding, encoding)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_bytes_like_ciphertexts_are_accepted(kind: Any, encoding: str) -> None:
    """`bytes`, `bytearray` and `memoryview` give the same result, as `bytes`."""
    parts = sealed(G, G, b"plaintext")
    converted = convert(kind(parts.encoded(encoding)), encoding, "C1C3C2")
    assert type(converted) is bytes
    assert converted == parts.raw()


def test_a_memoryview_is_measured_in_bytes() -> None:
    """The length of a memoryview is counted in bytes, not in items."""
    raw = Parts(*G, bytes(32), bytes(6047)).raw()
    assert convert(memoryview(raw).cast("I"), "C1C3C2", "C1C3C2") == raw
    with raises_exactly(InvalidBlobError, "longer than"):
        convert(memoryview(bytes(8192)).cast("I"), "C1C3C2", "C1C3C2")


@pytest.mark.parametrize("value", ["30", None, 48, [48], (48,), object()])
def test_a_ciphertext_that_is_not_bytes_is_a_type_error(value: Any) -> None:
    """A wrong type raises `TypeError`, before an unknown encoding is reported."""
    with raises_exactly(TypeError, "ciphertext must be bytes-like"):
        convert(value, "no such encoding", "C1C3C2")


@pytest.mark.parametrize("value", [None, 1, b"ASN1_DER", True, ["C1C3C2"]])
def test_an_encoding_that_is_not_text_is_a_type_error(value: Any) -> None:
    """An encoding of the wrong type raises `TypeError`, for source and target."""
    with raises_exactly(TypeError, "source must be str"):
        convert(b"", value, "C1C3C2")
    with raises_exactly(TypeError, "target must be str"):
        convert(b"", "C1C3C2", value)


@pytest.mark.parametrize("value", ["", "DER", "asn1_der", "C1C3C2 ", "C3C2C1"])
def test_an_unknown_encoding_is_unsupported(value: str) -> None:
    """Both encodings are checked before the ciphertext is read, and neither has a default."""
    with raises_exactly(UnsupportedAlgorithmError, "unknown Sm2Encoding"):
        convert(b"", value, "C1C3C2")
    with raises_exactly(UnsupportedAlgorithmError, "unknown Sm2Encoding"):
        convert(b"", "C1C3C2", value)


@given(st.integers(-3, P + 3) | st.sampled_from(EDGE_POINTS).map(lambda point: point[0]))
def test_the_point_check_is_the_equation_over_reduced_coordinates(x: int) -> None:
    """A point is accepted if and only if both coordinates are in 0..p-1 and on the curve."""
    y = point_near(x)[1]
    for candidate in (Point(x, y), Point(x, P - y), Point(x, y + P), Point(x, -y), Point(y, x)):
        reduced = 0 <= candidate.x < P and 0 <= candidate.y < P
        assert is_on_curve(candidate) == (reduced and is_point(*candidate))


@pytest.mark.parametrize("point", [(0, 0), (P, 0), (0, P), (-1, 0), (N, N), (1, 1)])
def test_a_pair_that_is_not_a_point_is_rejected(point: tuple[int, int]) -> None:
    """(0, 0) and other pairs that do not satisfy the curve equation are rejected."""
    assert not is_on_curve(Point(*point))


@given(st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1))
def test_the_bytes_of_a_point_are_its_coordinates(x: int, y: int) -> None:
    """Each coordinate has 32 bytes, with leading zeros."""
    data = encode_point(Point(x, y))
    assert data == x.to_bytes(32, "big") + y.to_bytes(32, "big")
    assert decode_point(data) == Point(x, y)
