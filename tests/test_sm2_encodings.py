"""The encodings of SM2 ciphertexts: one form per value, and `convert` between all of them."""

import itertools
import tracemalloc
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sm2_support import (
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
from strategies import mutations, raises_exactly

from kmscore import InvalidBlobError, UnsupportedAlgorithmError
from kmscore.sm2 import Sm2Encoding, convert
from kmscore.sm2.curve import Point, decode_point, encode_point, is_on_curve
from kmscore.sm2.encodings import MAX_LENGTHS, Sm2Ciphertext, parse, serialize

# Points whose coordinates are short, or need a leading zero as an INTEGER.
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
    """Draw what passes every check without a key; nobody ever encrypted it."""
    x = st.integers(0, P - 1) | st.integers(0, 300)
    point = draw(st.sampled_from(EDGE_POINTS) | x.map(point_near))
    if draw(st.booleans()):
        point = point[0], P - point[1]
    return Parts(*point, draw(DIGESTS), draw(PLAINTEXTS))


def test_the_five_encodings_have_the_names_of_the_contract() -> None:
    """Each value is its name."""
    assert [encoding.value for encoding in Sm2Encoding] == list(ENCODINGS)


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("point", EDGE_POINTS)
def test_any_encoding_becomes_any_other(source: str, target: str, point: tuple[int, int]) -> None:
    """Conversion gives what another writer writes, leading zeros and high bits included."""
    parts = sealed(point, G, b"some plaintext")
    assert convert(parts.encoded(source), source, target) == parts.encoded(target)


@given(ciphertexts(), st.lists(st.sampled_from(Sm2Encoding), min_size=1, max_size=6))
def test_conversion_loses_nothing(parts: Parts, chain: list[Sm2Encoding]) -> None:
    """Through any chain of encodings a ciphertext is what it was."""
    data, current = parts.encoded(chain[0].value), chain[0]
    for encoding in [*chain[1:], chain[0]]:
        data, current = convert(data, current, encoding), encoding
        assert data == parts.encoded(current.value)


@given(ciphertexts(), st.sampled_from(Sm2Encoding))
def test_parsing_and_writing_are_inverse(parts: Parts, encoding: Sm2Encoding) -> None:
    """The parts come out of the bytes as they went in, and the bytes out of the parts."""
    data = parts.encoded(encoding.value)
    parsed = parse(data, encoding)
    assert parsed == Sm2Ciphertext(Point(parts.x, parts.y), parts.c3, parts.c2)
    assert serialize(parsed, encoding) == data


def assert_canonical(data: bytes, encoding: Sm2Encoding) -> None:
    """Assert that `data` is refused as a blob or is the one form of what it holds."""
    try:
        again = convert(data, encoding, encoding)
    except InvalidBlobError:
        return
    assert again == data


@settings(max_examples=400)
@given(st.data(), ciphertexts(), st.sampled_from(Sm2Encoding))
def test_a_mutated_ciphertext_is_refused_or_canonical(
    data: st.DataObject, parts: Parts, encoding: Sm2Encoding
) -> None:
    """Whatever is accepted is written again as it came; nothing but the blob's error escapes."""
    mutated = data.draw(mutations(parts.encoded(encoding.value)))
    for read_as in (encoding, Sm2Encoding.ASN1_DER):
        assert_canonical(mutated, read_as)


@given(st.binary(max_size=200), st.sampled_from(Sm2Encoding))
@example(b"", Sm2Encoding.ASN1_DER)
@example(b"\x30\x80", Sm2Encoding.ASN1_DER)
@example(b"\x30" * 200, Sm2Encoding.ASN1_DER)
@example(b"\x04", Sm2Encoding.C1C3C2)
def test_random_bytes_give_nothing_but_an_invalid_blob(data: bytes, encoding: Sm2Encoding) -> None:
    """Bytes of no encoding raise the one class."""
    assert_canonical(data, encoding)


@pytest.mark.parametrize("encoding", Sm2Encoding)
def test_a_flipped_bit_of_c1_is_seen_without_a_key(encoding: Sm2Encoding) -> None:
    """Whatever bit changes before C3 and C2, in a header of DER too, nothing is accepted."""
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
    """The limits are those of a plaintext of 6,047 bytes, with INTEGERs of 33 bytes in DER."""
    point = next(each for k in range(1, 99) if min(each := multiply(k, G)) >> 255)
    data = Parts(*point, bytes(32), bytes(6047)).encoded(encoding)
    assert len(data) == longest == MAX_LENGTHS[Sm2Encoding(encoding)]
    assert convert(data, encoding, encoding) == data
    longer = Parts(*point, bytes(32), bytes(6048)).encoded(encoding)
    assert len(longer) == longest + 1
    with raises_exactly(InvalidBlobError, f"longer than {longest} bytes"):
        convert(longer, encoding, encoding)


@pytest.mark.parametrize("encoding", [each for each in ENCODINGS if each != "ASN1_DER"])
def test_what_has_no_room_for_c1_and_c3_is_too_short(encoding: str) -> None:
    """That is seen before anything is sliced; with room for no C2 at all, C2 is what is missing."""
    data = Parts(*G, bytes(32), b"").encoded(encoding)
    for length in (0, 1, 31, 32, 63, 64, 65, len(data) - 1):
        with raises_exactly(InvalidBlobError, "too short"):
            convert(data[:length], encoding, encoding)
    with raises_exactly(InvalidBlobError, "C2 is not 1 to 6047 bytes long"):
        convert(data, encoding, encoding)


@pytest.mark.parametrize("encoding", Sm2Encoding)
def test_the_length_is_checked_before_anything_is_copied(encoding: Sm2Encoding) -> None:
    """Refusing sixteen megabytes takes next to no memory."""
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
def test_bytes_like_ciphertexts_are_taken(kind: Any, encoding: str) -> None:
    """`bytes`, `bytearray` and `memoryview` give the same, as `bytes`."""
    parts = sealed(G, G, b"plaintext")
    converted = convert(kind(parts.encoded(encoding)), encoding, "C1C3C2")
    assert type(converted) is bytes
    assert converted == parts.raw()


def test_a_memoryview_is_measured_in_bytes() -> None:
    """Items of four bytes do not make a ciphertext shorter than it is."""
    raw = Parts(*G, bytes(32), bytes(6047)).raw()
    assert convert(memoryview(raw).cast("I"), "C1C3C2", "C1C3C2") == raw
    with raises_exactly(InvalidBlobError, "longer than"):
        convert(memoryview(bytes(8192)).cast("I"), "C1C3C2", "C1C3C2")


@pytest.mark.parametrize("value", ["30", None, 48, [48], (48,), object()])
def test_a_ciphertext_that_is_not_bytes_is_a_type_error(value: Any) -> None:
    """A wrong type is the caller's mistake, and comes before an unknown encoding."""
    with raises_exactly(TypeError, "ciphertext must be bytes-like"):
        convert(value, "no such encoding", "C1C3C2")


@pytest.mark.parametrize("value", [None, 1, b"ASN1_DER", True, ["C1C3C2"]])
def test_an_encoding_that_is_no_text_is_a_type_error(value: Any) -> None:
    """So is a wrong type of either encoding."""
    with raises_exactly(TypeError, "source must be str"):
        convert(b"", value, "C1C3C2")
    with raises_exactly(TypeError, "target must be str"):
        convert(b"", "C1C3C2", value)


@pytest.mark.parametrize("value", ["", "DER", "asn1_der", "C1C3C2 ", "C3C2C1"])
def test_an_unknown_encoding_is_unsupported(value: str) -> None:
    """Both encodings are looked up before the ciphertext is read, and none has a default."""
    with raises_exactly(UnsupportedAlgorithmError, "unknown Sm2Encoding"):
        convert(b"", value, "C1C3C2")
    with raises_exactly(UnsupportedAlgorithmError, "unknown Sm2Encoding"):
        convert(b"", "C1C3C2", value)


@given(st.integers(-3, P + 3) | st.sampled_from(EDGE_POINTS).map(lambda point: point[0]))
def test_the_point_check_is_the_equation_over_reduced_coordinates(x: int) -> None:
    """A point is taken if and only if both coordinates are in 0..p-1 and on the curve."""
    y = point_near(x)[1]
    for candidate in (Point(x, y), Point(x, P - y), Point(x, y + P), Point(x, -y), Point(y, x)):
        reduced = 0 <= candidate.x < P and 0 <= candidate.y < P
        assert is_on_curve(candidate) == (reduced and is_point(*candidate))


@pytest.mark.parametrize("point", [(0, 0), (P, 0), (0, P), (-1, 0), (N, N), (1, 1)])
def test_what_is_no_point_is_not_taken(point: tuple[int, int]) -> None:
    """(0, 0) is no exception to the equation."""
    assert not is_on_curve(Point(*point))


@given(st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1))
def test_the_bytes_of_a_point_are_its_coordinates(x: int, y: int) -> None:
    """Each coordinate takes 32 bytes, leading zeros included."""
    data = encode_point(Point(x, y))
    assert data == x.to_bytes(32, "big") + y.to_bytes(32, "big")
    assert decode_point(data) == Point(x, y)
