"""The blob layout of the service: parsing, serialization, and invalid blobs."""

import base64
import dataclasses
import string
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.service_layout import PREFIX, VECTOR_BLOB, VECTOR_IV, VERSION
from support.strategies import mutations, raises_exactly, single_bit_flips

from kmscore import InvalidBlobError
from kmscore.alibaba import Profile, ServiceBlob

Count = Callable[[str, int], None]

SAMPLE = (
    "ODZhOWVmZDktM2QxNi00ODk0LWJkNGYtMWZjNDNmM2YyYWJmS7FmDBBQ0BkKsQrtRnidtPwirmDcS0ZuJCU41xxAAWk4"
    "Z8qsADfbV0b+i6kQmlvj79dJdGOvtX69Uycs901q"
)
"""The sample of the reference page, without its eight masked characters."""

INSTANCE = Profile(prefix=PREFIX)
PROFILES = (Profile.ALIBABA, INSTANCE)
FIELDS = VERSION.encode() + bytes(12) + bytes(16)

NOT_A_UUID = [
    b"",
    b"86a9efd93d1648944bd4f1fc43f3f2abf",
    b"{86a9efd9-3d16-4894-bd4f-1fc43f3f2ab}",
    b"86a9efd9-3d16-4894-bd4f-1fc43f3f2ab",
    b"86a9efd9-3d16-4894-bd4f-1fc43f3f2ab\n",
    b" 86a9efd9-3d16-4894-bd4f-1fc43f3f2abf",
    b"86a9efd9-3d16-4894-bd4f-1fc43f3f2abg",
    b"86a9efd9_3d16_4894_bd4f_1fc43f3f2abf",
    b"86a9efd93-d16-4894-bd4f-1fc43f3f2abf",
    b"86a9efd9-3d16-4894-bd4f1-fc43f3f2abf",
    b"urn:uuid:86a9efd9-3d16-4894-bd4f-1fc43",
    b"key-hzz62f1cb66fa42qo5zkz-version-01",
    b"86a9efd9-3d16-4894-bd4f-1fc43f3f2ab\x00",
    b"86a9efd9-3d16-4894-bd4f-1fc43f3f2ab\xe9",
    # A digit of another script in UTF-8, and ASCII characters in UTF-16.
    "86a9efd9-3d16-4894-bd4f-1fc43f3f2\u0667".encode(),
    "86a9efd9-3d16-4894".encode("utf-16-le"),
    bytes(36),
    b"\xff" * 36,
]


@st.composite
def encoded(draw: st.DrawFn, profile: Profile) -> bytes:
    """Generate valid blobs of a profile."""
    version = str(draw(st.uuids()))
    version = draw(st.sampled_from([version, version.upper(), version.title()]))
    return profile.prefix + version.encode() + draw(st.binary(min_size=28, max_size=80))


def test_the_sample_of_the_reference_page_is_parsed(
    count_known_answers: Count,
) -> None:
    """The visible part has a UUID, an IV, and the first bytes of the ciphertext."""
    blob = ServiceBlob.parse(base64.b64decode(SAMPLE, validate=True))
    assert blob.key_version_id == "86a9efd9-3d16-4894-bd4f-1fc43f3f2abf"
    assert blob.iv == bytes.fromhex("4bb1660c1050d0190ab10aed")
    assert blob.serialize() == base64.b64decode(SAMPLE)
    count_known_answers("Alibaba Cloud KMS, sample of the ReEncrypt page", 1)


def test_the_vector_parses_into_its_fields() -> None:
    """Each field has the offset of the table."""
    blob = ServiceBlob.parse(VECTOR_BLOB)
    assert blob == ServiceBlob(VERSION, VECTOR_IV, VECTOR_BLOB[48:92], VECTOR_BLOB[92:])
    assert (len(blob.iv), len(blob.ciphertext), len(blob.tag)) == (12, 44, 16)
    assert blob.serialize() == VECTOR_BLOB
    assert ServiceBlob.parse(PREFIX + VECTOR_BLOB, profile=INSTANCE) == blob
    assert blob.serialize(profile=INSTANCE) == PREFIX + VECTOR_BLOB


@pytest.mark.parametrize("profile", PROFILES, ids=["no prefix", "prefix"])
@given(data=st.data())
def test_a_parsed_blob_serializes_to_the_same_bytes(profile: Profile, data: st.DataObject) -> None:
    """Each blob has one encoding; a damaged blob is rejected or keeps its bytes."""
    raw = data.draw(encoded(profile))
    assert ServiceBlob.parse(raw, profile=profile).serialize(profile=profile) == raw
    changed = data.draw(mutations(raw))
    try:
        blob = ServiceBlob.parse(changed, profile=profile)
    except InvalidBlobError:
        return
    assert blob.serialize(profile=profile) == changed


@given(st.binary(max_size=120) | st.text("0123456789abcdef-", min_size=30).map(str.encode))
def test_any_bytes_are_parsed_or_rejected(data: bytes) -> None:
    """For any bytes, the only error is `InvalidBlobError`."""
    for profile in PROFILES:
        try:
            blob = ServiceBlob.parse(data, profile=profile)
        except InvalidBlobError:
            continue
        assert blob.serialize(profile=profile) == data


@pytest.mark.parametrize("profile", PROFILES, ids=["no prefix", "prefix"])
def test_a_flipped_bit_of_the_header_is_rejected_or_changes_the_id(
    profile: Profile,
) -> None:
    """The ID changes only if a hexadecimal digit becomes another hexadecimal digit."""
    raw = profile.prefix + FIELDS
    start, names = len(profile.prefix), []
    for number, changed in enumerate(single_bit_flips(raw)):
        at = number // 8 - start
        is_digit = (
            0 <= at < 36 and VERSION[at] != "-" and chr(changed[number // 8]) in (string.hexdigits)
        )
        if at >= 36:
            assert ServiceBlob.parse(changed, profile=profile).key_version_id == VERSION
        elif is_digit:
            names.append(ServiceBlob.parse(changed, profile=profile).key_version_id)
        else:
            with raises_exactly(InvalidBlobError):
                ServiceBlob.parse(changed, profile=profile)
    assert len(set(names)) == len(names) > 32
    assert VERSION not in names


@pytest.mark.parametrize("profile", PROFILES, ids=["no prefix", "prefix"])
def test_a_blob_below_the_minimum_length_is_rejected(profile: Profile) -> None:
    """The minimum is key version ID, IV and tag: 64 bytes after the prefix."""
    raw = profile.prefix + FIELDS
    assert ServiceBlob.parse(raw, profile=profile).ciphertext == b""
    for length in range(len(raw)):
        with raises_exactly(InvalidBlobError):
            ServiceBlob.parse(raw[:length], profile=profile)
    for length in range(1, len(raw) + 1):
        with raises_exactly(InvalidBlobError):
            ServiceBlob.parse(raw[length:] + bytes(64), profile=profile)


@pytest.mark.parametrize("profile", PROFILES, ids=["no prefix", "prefix"])
def test_a_blob_has_at_most_8259_bytes(profile: Profile) -> None:
    """One more byte is rejected before other checks, for all bytes-like types."""
    raw = (profile.prefix + FIELDS).ljust(8_259, b"\x01")
    assert ServiceBlob.parse(raw, profile=profile).serialize(profile=profile) == raw
    too_long: Any
    for too_long in (raw + b"\x01", bytearray(raw + b"\x01"), bytes(8_260), bytes(10**6)):
        with raises_exactly(InvalidBlobError, "at most 8259"):
            ServiceBlob.parse(too_long, profile=profile)
    wide = memoryview(bytes(8_264)).cast("Q")
    assert len(wide) < 8_259
    with raises_exactly(InvalidBlobError, "8264 bytes, at most 8259"):
        ServiceBlob.parse(wide, profile=profile)


def test_a_blob_begins_with_the_prefix_of_its_profile() -> None:
    """A missing, unexpected or different prefix is rejected; the prefix is not detected."""
    for wrong in (b"", b"\x24", b"\x24\x00", b"\x24\x00\x01", b"\x02\x00\x24", PREFIX * 2):
        with raises_exactly(InvalidBlobError):
            ServiceBlob.parse(wrong + VECTOR_BLOB, profile=INSTANCE)
    with raises_exactly(InvalidBlobError, "prefix"):
        ServiceBlob.parse(VECTOR_BLOB, profile=INSTANCE)
    with raises_exactly(InvalidBlobError, "key version ID"):
        ServiceBlob.parse(PREFIX + VECTOR_BLOB)


@pytest.mark.parametrize("name", NOT_A_UUID)
def test_the_key_version_id_must_be_a_uuid_of_36_characters(name: bytes) -> None:
    """Other spellings of a UUID, characters outside ASCII and other names are rejected."""
    for body in (bytes(28), bytes(60)):
        with raises_exactly(InvalidBlobError):
            ServiceBlob.parse(name + body)


@pytest.mark.parametrize("spelling", [VERSION, VERSION.upper(), VERSION.title()])
def test_the_case_of_a_uuid_does_not_change(spelling: str) -> None:
    """The digits keep their case, so that the bytes stay the same."""
    assert ServiceBlob.parse(spelling.encode() + bytes(28)).key_version_id == spelling


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_the_fields_of_a_blob_are_bytes(kind: Callable[[bytes], Any]) -> None:
    """The fields are `bytes`, and do not change with the source buffer."""
    source = kind(VECTOR_BLOB)
    blob = ServiceBlob.parse(source)
    if isinstance(source, bytearray):
        source[:] = bytes(len(source))
    assert blob.serialize() == VECTOR_BLOB
    assert {type(blob.iv), type(blob.ciphertext), type(blob.tag)} == {bytes}


def test_a_wrong_type_is_rejected() -> None:
    """A text is not a blob, and v1 is not a profile of this layout."""
    wrong: Any
    for wrong in (None, "text", [1], 5):
        with raises_exactly(TypeError, "ciphertext_blob must be bytes-like"):
            ServiceBlob.parse(wrong)
    for wrong in (None, "alibaba", Profile):
        with raises_exactly(TypeError, "profile must be Profile"):
            ServiceBlob.parse(b"", profile=wrong)
        with raises_exactly(TypeError, "profile must be Profile"):
            ServiceBlob.parse(VECTOR_BLOB).serialize(profile=wrong)
    with raises_exactly(TypeError, "not v1"):
        ServiceBlob.parse(b"", profile=Profile.V1)
    with raises_exactly(TypeError, "not v1"):
        ServiceBlob.parse(VECTOR_BLOB).serialize(profile=Profile.V1)


def test_a_blob_is_immutable() -> None:
    """The fields cannot be assigned."""
    blob = ServiceBlob.parse(VECTOR_BLOB)
    for field in dataclasses.fields(blob):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(blob, field.name, b"")
