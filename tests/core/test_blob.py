"""The ciphertext blob, format v1: parsing and serialising."""

import dataclasses
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.samples import examples
from support.strategies import blobs, mutations, raises_exactly

from kmscore import CiphertextBlob, InvalidBlobError, Suite
from kmscore.blob import MAX_BLOB_LENGTH, BlobField

BLOB = CiphertextBlob(Suite.AES_128_GCM, "key-1", "v1", bytes(range(12)), b"sealed", b"t" * 16)
RAW = BLOB.serialize()
LONG_ID = "!" + "i" * 253 + "~"


def with_ids(key_id: bytes = b"k", key_version_id: bytes = b"v") -> bytes:
    """Return a blob of suite 01 with any bytes for IDs, written by hand."""
    ids = b"".join(bytes([len(text)]) + text for text in (key_id, key_version_id))
    return b"KMS\x01\x01" + ids + bytes(12 + 16)


@given(blobs())
def test_a_serialised_blob_parses_to_the_same_fields(blob: CiphertextBlob) -> None:
    """Parsing a serialised blob returns an equal value."""
    assert CiphertextBlob.parse(blob.serialize()) == blob


def test_the_bytes_are_those_of_the_format() -> None:
    """The format is: magic, version, suite, both IDs with their lengths, IV, ciphertext, tag."""
    assert (
        b"KMS\x01\x03" + b"\x05key-1" + b"\x02v1" + bytes(range(12)) + b"sealed" + b"t" * 16
    ) == RAW
    assert BLOB.header == b"KMS\x01\x03\x05key-1\x02v1"


@given(blobs())
def test_the_layout_covers_every_byte_once(blob: CiphertextBlob) -> None:
    """The fields are in order and without gaps, and end at the end of the blob."""
    fields = blob.layout()
    assert [field.offset for field in fields] == [
        sum(field.length for field in fields[:number]) for number in range(len(fields))
    ]
    assert sum(field.length for field in fields) == len(blob.serialize())


def test_a_layout_is_a_tuple_of_named_tuples() -> None:
    """A layout is immutable, as a blob is."""
    layout = BLOB.layout()
    assert type(layout) is tuple
    assert layout[0] == BlobField(name="magic", offset=0, length=3)
    assert {type(field) for field in layout} == {BlobField}


def test_the_layout_names_the_fields() -> None:
    """The bytes at the offsets of the layout are those of the field."""
    found = {name: RAW[offset : offset + length] for name, offset, length in BLOB.layout()}
    assert found == {
        "magic": b"KMS",
        "format version": b"\x01",
        "suite ID": b"\x03",
        "key ID length": b"\x05",
        "key ID": b"key-1",
        "key version ID length": b"\x02",
        "key version ID": b"v1",
        "IV": bytes(range(12)),
        "ciphertext": b"sealed",
        "tag": b"t" * 16,
    }


@examples(500)
@given(
    st.binary(max_size=80)
    | st.binary(max_size=80).map(lambda tail: b"KMS\x01" + tail)
    | blobs().map(CiphertextBlob.serialize).flatmap(mutations)
)
def test_a_value_has_one_encoding(data: bytes) -> None:
    """Any bytes parse to a blob that serialises to the same bytes, or they are rejected."""
    try:
        blob = CiphertextBlob.parse(data)
    except InvalidBlobError:
        return
    assert blob.serialize() == data


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_bytes_like_object_is_parsed(kind: type) -> None:
    """The fields are `bytes`, for every type of input."""
    mutable = bytearray(RAW)
    blob = CiphertextBlob.parse(kind(mutable))
    mutable[:] = bytes(len(mutable))
    assert blob == BLOB


@pytest.mark.parametrize("wrong", [None, "KMS", 5, [75, 77, 83], object()])
def test_an_argument_that_is_not_bytes_like_is_a_type_error(wrong: Any) -> None:
    """Text and other types raise `TypeError`."""
    with raises_exactly(TypeError, "ciphertext_blob must be bytes-like"):
        CiphertextBlob.parse(wrong)


@pytest.mark.parametrize("length", range(len(RAW)))
def test_a_truncated_blob_is_rejected_or_has_a_shorter_ciphertext(length: int) -> None:
    """A truncated blob is rejected, or it parses with other bytes as its tag."""
    if length >= len(RAW) - len(b"sealed"):
        assert (
            CiphertextBlob.parse(RAW[:length]).ciphertext
            == (b"sealed" + b"t" * 16)[: length - len(RAW) + 6]
        )
        return
    with raises_exactly(InvalidBlobError):
        CiphertextBlob.parse(RAW[:length])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "magic"),
        (b"kms" + RAW[3:], "magic"),
        (b"\x00" + RAW, "magic"),
        (b"KMT" + RAW[3:], "magic"),
        (b"KMS\x00" + RAW[4:], "magic and format version"),
        (b"KMS\x02" + RAW[4:], "magic and format version"),
        (b"KMS\x01", "suite"),
        (b"KMS\x01\x00" + RAW[5:], "unknown suite ID 00"),
        (b"KMS\x01\x06" + RAW[5:], "unknown suite ID 06"),
        (b"KMS\x01\xff" + RAW[5:], "unknown suite ID ff"),
        (b"KMS\x01\x05" + RAW[5 : 5 + 6 + 3] + bytes(24 + 15), "IV and tag"),
        (b"KMS\x01\x01", "length of its key ID"),
        (b"KMS\x01\x01\x01k", "length of its key version ID"),
        (b"KMS\x01\x01\xff" + b"k" * 254, "within its key ID"),
        (b"KMS\x01\x01\x01k\xff" + b"v" * 254, "within its key version ID"),
        (b"KMS\x01\x01\x01k\x01v", "IV and tag"),
        (b"KMS\x01\x01\x01", "within its key ID"),
        (with_ids() + bytes(MAX_BLOB_LENGTH), "at most 6701"),
    ],
)
def test_the_message_has_the_defect(data: bytes, reason: str) -> None:
    """The message has the defect, because the format is public."""
    with raises_exactly(InvalidBlobError, reason):
        CiphertextBlob.parse(data)


@pytest.mark.parametrize("wrong", [b"", b" ", b"a b", b"a\x00", b"a\n", b"\x7f", b"\x80", b"\xe9"])
def test_an_id_is_printable_ascii_without_space(wrong: bytes) -> None:
    """An ID with a space, a control character or a non-ASCII byte is rejected."""
    for data in (with_ids(key_id=wrong), with_ids(key_version_id=wrong)):
        with raises_exactly(InvalidBlobError, "is not 1 to 255 printable ASCII characters"):
            CiphertextBlob.parse(data)


def test_every_byte_from_21_to_7e_is_valid_in_an_id() -> None:
    """An ID can contain the bytes 21 to 7E, and no others."""
    taken = []
    for byte in range(256):
        try:
            CiphertextBlob.parse(with_ids(key_id=bytes([byte])))
        except InvalidBlobError:
            continue
        taken.append(byte)
    assert taken == list(range(0x21, 0x7F))


def largest(suite: Suite = Suite.XAES_256_GCM, length: int = 6144) -> CiphertextBlob:
    """Return the blob with the longest IDs and a ciphertext of `length` bytes."""
    return CiphertextBlob(suite, LONG_ID, LONG_ID, bytes(suite.iv_length), bytes(length), bytes(16))


def test_6701_bytes_are_the_limit() -> None:
    """The longest blob has 5 + 256 + 256 + 24 + 6,144 + 16 bytes; a longer one is not read."""
    raw = largest().serialize()
    assert len(raw) == MAX_BLOB_LENGTH == 6701
    assert CiphertextBlob.parse(raw) == largest()
    for data in (raw + b"\x00", bytes(6702)):
        with raises_exactly(InvalidBlobError, "6702 bytes, at most 6701"):
            CiphertextBlob.parse(data)


@pytest.mark.parametrize("suite", Suite)
@pytest.mark.parametrize(("key_id", "version_id"), [("k", "v"), (LONG_ID, "v"), ("k", LONG_ID)])
def test_the_constructor_limits_a_blob_to_6701_bytes(
    suite: Suite, key_id: str, version_id: str
) -> None:
    """For every suite and length of IDs, 6,701 bytes are accepted, and 6,702 are rejected."""
    others = 5 + 1 + len(key_id) + 1 + len(version_id) + suite.iv_length + 16
    fields = (suite, key_id, version_id, bytes(suite.iv_length))
    longest = CiphertextBlob(*fields, bytes(6_701 - others), bytes(16))
    assert len(longest.serialize()) == 6_701
    assert CiphertextBlob.parse(longest.serialize()) == longest
    with raises_exactly(InvalidBlobError, "6702 bytes, at most 6701"):
        CiphertextBlob(*fields, bytes(6_702 - others), bytes(16))


def test_the_limit_counts_bytes_not_items() -> None:
    """The limit counts the bytes of a memoryview, not its items."""
    items = memoryview(bytes(8 * 1_000)).cast("Q")
    with raises_exactly(InvalidBlobError, "8000 bytes, at most 6701"):
        CiphertextBlob.parse(items)
    raw = RAW + bytes(-len(RAW) % 4)
    assert CiphertextBlob.parse(memoryview(raw).cast("I")).serialize() == raw


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_data_that_is_too_long_is_not_copied(kind: type) -> None:
    """Rejecting 30 MB needs almost no memory."""
    data = kind(bytes(30_000_000))
    tracemalloc.start()
    try:
        with raises_exactly(InvalidBlobError, "30000000 bytes"):
            CiphertextBlob.parse(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("key_id", "", "key_id is not"),
        ("key_id", "a b", "key_id is not"),
        ("key_id", "a" * 256, "key_id is not"),
        ("key_id", "a\n", "key_id is not"),
        ("key_version_id", "é", "key_version_id is not"),
        ("key_version_id", "\x7f", "key_version_id is not"),
        ("iv", bytes(11), "IV of 11 bytes, AES_128_GCM takes 12"),
        ("iv", bytes(24), "IV of 24 bytes, AES_128_GCM takes 12"),
        ("suite", Suite.XAES_256_GCM, "IV of 12 bytes, XAES_256_GCM takes 24"),
        ("tag", bytes(15), "tag of 15 bytes"),
        ("tag", bytes(17), "tag of 17 bytes"),
        ("tag", b"", "tag of 0 bytes"),
        ("ciphertext", bytes(6_660), "6702 bytes, at most 6701"),
    ],
)
def test_the_constructor_rejects_an_invalid_field(field: str, value: Any, reason: str) -> None:
    """The constructor checks every field, so that every instance is well-formed."""
    with raises_exactly(InvalidBlobError, reason):
        dataclasses.replace(BLOB, **{field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("suite", 3),
        ("suite", None),
        ("key_id", b"key-1"),
        ("key_version_id", None),
        ("iv", bytearray(12)),
        ("ciphertext", "sealed"),
        ("ciphertext", memoryview(b"sealed")),
        ("tag", None),
    ],
)
def test_a_field_of_another_type_is_a_type_error(field: str, value: Any) -> None:
    """A field must be of an immutable type; a `bytearray`, for example, raises `TypeError`."""
    with raises_exactly(TypeError, f"{field} must be"):
        dataclasses.replace(BLOB, **{field: value})


def test_a_blob_is_immutable() -> None:
    """The attributes of a blob cannot be set."""
    blob: Any = CiphertextBlob.parse(RAW)
    with pytest.raises(dataclasses.FrozenInstanceError):
        blob.key_id = ""
    with pytest.raises(dataclasses.FrozenInstanceError):
        del blob.tag
    assert not hasattr(blob, "__dict__"), "there is no room for another attribute"
    assert {blob: 1}[BLOB] == 1
