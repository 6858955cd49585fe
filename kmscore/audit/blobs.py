"""The steps that read a ciphertext blob into fields (SPEC sections 3.3 and 13.2)."""

import re
from typing import Final, NamedTuple

from kmscore.algorithms import TAG_LENGTH, Suite
from kmscore.alibaba import Profile, ServiceBlob
from kmscore.alibaba.service_blob import (
    IV_LENGTH,
    KEY_VERSION_ID_LENGTH,
    MAX_SERVICE_BLOB_LENGTH,
)
from kmscore.audit.notes import Notes, Part, attempt, number_part, text_part
from kmscore.blob import MAX_BLOB_LENGTH, CiphertextBlob

_CODE: Final = "invalid_blob"
_ID: Final = re.compile(r"[\x21-\x7e]{1,255}")
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def is_id(text: str) -> bool:
    """Return whether a text can be a key ID or a key version ID (SPEC section 3.1)."""
    return _ID.fullmatch(text) is not None


def is_uuid(text: str) -> bool:
    """Return whether a text can be a key version ID in a blob of the service (SPEC 13.2)."""
    return _UUID.fullmatch(text) is not None


class ReadBlob(NamedTuple):
    """The fields of a blob; `header` and the last three are IDs of values."""

    suite: Suite | None
    """The suite of a v1 blob; `None` for a blob of the service."""

    key_id: str | None
    key_version_id: str
    header: str
    iv: str
    ciphertext: str
    tag: str


def name_of_iv(suite: Suite) -> tuple[str, str]:
    """Return the ID and the meaning of the IV of a suite."""
    return ("N", "nonce") if suite is Suite.XAES_256_GCM else ("IV", "initialization vector")


def v1_fields(key_id: str, key_version_id: str, suite: Suite, length: int) -> list[Part]:
    """Return the fields of a v1 blob whose ciphertext has `length` bytes."""
    return [
        Part("magic", 3, "the text KMS", b"KMS", is_neutral=True),
        number_part("format version", 1, 1),
        Part("suite ID", 1, suite.name, bytes([suite.value]), is_neutral=True),
        number_part("key ID length", len(key_id), 1),
        text_part("key ID", key_id),
        number_part("key version ID length", len(key_version_id), 1),
        text_part("key version ID", key_version_id),
        Part("IV", suite.iv_length, name_of_iv(suite)[1]),
        Part("ciphertext", length, "the encrypted bytes"),
        Part("tag", TAG_LENGTH, "authenticates header, context, IV and ciphertext"),
    ]


def service_fields(profile: Profile, key_version_id: str, length: int) -> list[Part]:
    """Return the fields of a blob of the service whose ciphertext has `length` bytes."""
    prefix = Part("prefix", len(profile.prefix), "of the profile", profile.prefix, is_neutral=True)
    return [
        *([prefix] if profile.prefix else []),
        text_part("key version ID", key_version_id),
        Part("IV", IV_LENGTH, "initialization vector"),
        Part("ciphertext", length, "the encrypted text"),
        Part("tag", TAG_LENGTH, "authenticates context, IV and ciphertext"),
    ]


def read_v1(notes: Notes, raw: bytes) -> ReadBlob:
    """Add the step that reads a v1 blob."""
    notes.step("read", "Read the fields of the blob", "3.3")
    limit = MAX_BLOB_LENGTH
    notes.check(f"the blob has at most {limit:,} bytes", len(raw) <= limit, _CODE)
    blob = notes.give("blob", "ciphertext blob", raw, "the caller")
    notes.check("it begins with 4b 4d 53 01", raw[:4] == b"KMS\x01", _CODE)
    suites = {bytes([suite.value]): suite for suite in Suite}
    notes.check("byte 4 is a suite ID, 01 to 05", raw[4:5] in suites, _CODE)
    suite = suites[raw[4:5]]
    offset, ids = 5, []
    for name in ("key ID", "key version ID"):
        end = offset + 1 + raw[offset] if offset < len(raw) else offset
        text = raw[offset + 1 : end].decode("latin-1")
        valid = end <= len(raw) and is_id(text)
        notes.check(f"the {name} is complete, 1 to 255 bytes 21 to 7e", valid, _CODE)
        ids.append(text)
        offset = end
    body, tag = offset + suite.iv_length, len(raw) - TAG_LENGTH
    notes.check(
        f"IV and tag are complete, {suite.iv_length} and {TAG_LENGTH} bytes", body <= tag, _CODE
    )
    fields = v1_fields(ids[0], ids[1], suite, tag - body)
    notes.map("ciphertext blob", blob, fields)
    _, known = attempt(lambda: CiphertextBlob.parse(raw).layout())
    notes.tie(
        "names and lengths of the fields",
        [(field.name, field.length) for field in known or ()] == [part[:2] for part in fields],
    )
    name, meaning = name_of_iv(suite)
    result = ReadBlob(
        suite,
        ids[0],
        ids[1],
        notes.compute("header", "bytes before the IV", "cut", blob, 0, offset),
        notes.compute(name, meaning, "cut", blob, offset, body),
        notes.compute("C", "ciphertext", "cut", blob, body, tag),
        notes.compute("T", "tag of the blob", "cut", blob, tag, len(raw)),
    )
    _tie_parts(notes, result, raw)
    return result


def read_service(notes: Notes, raw: bytes, profile: Profile) -> ReadBlob:
    """Add the step that reads a blob of the service."""
    notes.step("read", "Read the fields of the blob of the service", "13.2")
    limit = MAX_SERVICE_BLOB_LENGTH
    notes.check(f"the blob has at most {limit:,} bytes", len(raw) <= limit, _CODE)
    blob = notes.give("blob", "ciphertext blob", raw, "the caller")
    start = len(profile.prefix)
    notes.check(
        f"it begins with the prefix of the profile: {profile.prefix.hex(' ') or 'none'}",
        raw[:start] == profile.prefix,
        _CODE,
    )
    version, body = start + KEY_VERSION_ID_LENGTH, start + KEY_VERSION_ID_LENGTH + IV_LENGTH
    tag = len(raw) - TAG_LENGTH
    notes.check("key version ID, IV and tag are complete, 64 bytes", body <= tag, _CODE)
    text = raw[start:version].decode("latin-1")
    notes.check("the key version ID is a UUID", is_uuid(text), _CODE)
    notes.map("ciphertext blob", blob, service_fields(profile, text, tag - body))
    _, known = attempt(lambda: ServiceBlob.parse(raw, profile=profile))
    result = ReadBlob(
        None,
        None,
        text,
        notes.compute("header", "bytes before the IV", "cut", blob, 0, version),
        notes.compute("IV", "initialization vector", "cut", blob, version, body),
        notes.compute("C", "ciphertext", "cut", blob, body, tag),
        notes.compute("T", "tag of the blob", "cut", blob, tag, len(raw)),
    )
    _tie_parts(notes, result, raw)
    ours = (text, *(notes.data(each) for each in (result.iv, result.ciphertext, result.tag)))
    notes.tie(
        "the fields of the blob",
        known is not None and ours == (known.key_version_id, known.iv, known.ciphertext, known.tag),
    )
    return result


def _tie_parts(notes: Notes, blob: ReadBlob, raw: bytes) -> None:
    """Compare the parts, joined, with the blob."""
    parts = (notes.data(each) for each in (blob.header, blob.iv, blob.ciphertext, blob.tag))
    notes.tie("the blob and its parts, joined", b"".join(parts) == raw)
