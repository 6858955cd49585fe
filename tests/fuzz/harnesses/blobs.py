"""Harnesses of ciphertext blobs: v1, its Base64, and the layout of the service."""

from collections.abc import Iterator
from string import hexdigits

from support import spec_decoder
from support.service_layout import PREFIX

from fuzz.harness import Failed, Harness, kind_of, outcome_of, shortest, vectors
from kmscore import CiphertextBlob, InvalidBlobError, blob
from kmscore.alibaba import Profile, ServiceBlob
from kmscore.alibaba.service_blob import guess_version_id

_INSTANCE = Profile(prefix=PREFIX)


def check_blob(data: bytes) -> None:
    """Compare the parser with the one of the specification, and with its serialiser."""
    expected = spec_decoder.answer("parse_blob", {"blob": data.hex()})
    parsed = outcome_of(lambda: CiphertextBlob.parse(data), InvalidBlobError)
    header = outcome_of(lambda: blob.parse_header(blob.blob_bytes(data)), InvalidBlobError)
    if isinstance(parsed, Failed):
        assert expected == {"error": "invalid_blob"}
        assert header == parsed
        return
    assert parsed.serialize() == data
    assert CiphertextBlob.from_base64(parsed.to_base64()) == parsed
    assert header == (
        (parsed.suite, parsed.key_id, parsed.key_version_id),
        len(parsed.ciphertext),
    )
    assert expected == {
        "suite_id": f"{parsed.suite.value:02x}",
        "key_id": parsed.key_id,
        "key_version_id": parsed.key_version_id,
        "iv": parsed.iv.hex(),
        "ciphertext": parsed.ciphertext.hex(),
        "tag": parsed.tag.hex(),
    }
    offset = 0
    for field in parsed.layout():
        assert field.offset == offset
        offset += field.length
    assert offset == len(data)


def check_base64(data: bytes) -> None:
    """Compare the reader of Base64 with the one of the specification."""
    text = data.decode("latin-1")
    expected = spec_decoder.answer("parse_blob_base64", {"text": text})
    parsed = outcome_of(lambda: CiphertextBlob.from_base64(text), InvalidBlobError)
    if isinstance(parsed, Failed):
        assert expected == {"error": "invalid_blob"}
    else:
        assert parsed.to_base64() == text
        assert expected == {"blob": parsed.serialize().hex()}


def check_service_blob(data: bytes) -> None:
    """Parse with and without the prefix of an instance, and serialise again."""
    names = []
    for profile in (Profile.ALIBABA, _INSTANCE):
        parsed = outcome_of(lambda: ServiceBlob.parse(data, profile=profile), InvalidBlobError)  # noqa: B023 (called here)
        if not isinstance(parsed, Failed):
            assert parsed.serialize(profile=profile) == data
            assert len(parsed.iv) == 12
            assert len(parsed.tag) == 16
            assert _is_uuid(parsed.key_version_id)
            names.append(parsed.key_version_id)
    if len(data) >= 64 and _is_uuid(data[:36].decode("latin-1")):
        assert names
    assert guess_version_id(data) == (names[0] if names else None)
    # A UUID does not begin with the prefix.
    assert len(names) < 2


def _is_uuid(text: str) -> bool:
    """Return whether a text has the form of a UUID, by another way than the library."""
    hyphens = [place for place, character in enumerate(text) if character == "-"]
    digits = set(text) - {"-"}
    return len(text) == 36 and hyphens == [8, 13, 18, 23] and digits <= set(hexdigits)


def _blobs() -> Iterator[bytes]:
    found = (each for each in vectors("blob") if "blob" in each)
    return shortest(((kind_of(each), bytes.fromhex(each["blob"])) for each in found), 512)


def _base64_texts() -> Iterator[bytes]:
    found = (each for each in vectors("blob") if each["type"] == "parse_blob_base64")
    return shortest(((kind_of(each), each["text"].encode()) for each in found), 512)


def _service_blobs() -> Iterator[bytes]:
    found = (each for each in vectors("service_blob") if each["type"] == "parse_service_blob")
    return shortest(((kind_of(each), bytes.fromhex(each["blob"])) for each in found), 512)


HARNESSES = {
    "blob": Harness(check_blob, _blobs, tokens=(b"KMS\x01",)),
    "blob-base64": Harness(check_base64, _base64_texts, tokens=(b"S01TAQ", b"=", b"==")),
    "service-blob": Harness(
        check_service_blob, _service_blobs, 256, (PREFIX, b"86a9efd9-3d16-4894-bd4f-1fc43f3f2abf")
    ),
}
