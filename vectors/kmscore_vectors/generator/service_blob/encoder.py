"""The service's own context rule and blob, as an encoder only.

The confused contexts are found by an exhaustive search over all readings of a text.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

from kmscore_vectors.generator import ciphers
from kmscore_vectors.generator.model import Fields
from kmscore_vectors.generator.wire import Pairs, context_bytes, sorted_pairs
from kmscore_vectors.tables import Suite

INSTANCE_PREFIX: Final = bytes.fromhex("240002")
"""The prefix of a blob of a KMS instance."""


@dataclass(frozen=True)
class Options:
    """The details in which the vendor's own clients differ; the defaults are the published rule."""

    payload: str = "base64"
    sort_order: str = "code_point"
    empty_is_absent: bool = False
    context_binding: str = "digest"
    prefix: bytes = b""

    def rule_document(self) -> Fields:
        """Return the options of the context rule as fields of a test."""
        return {
            "sort_order": self.sort_order,
            "empty_is_absent": self.empty_is_absent,
            "context_binding": self.context_binding,
        }

    def document(self) -> Fields:
        """Return all options as fields of a test."""
        return {"payload": self.payload, **self.rule_document(), "prefix": self.prefix.hex()}


PUBLISHED: Final = Options()


def text_of(pairs: Pairs, sort_order: str = "code_point") -> str:
    """Return the text of the pairs, sorted and joined."""
    encoding = {"code_point": "utf-32-be", "utf_16": "utf-16-be"}[sort_order]
    ordered = sorted(pairs, key=lambda pair: pair[0].encode(encoding))
    return "&".join(f"{key}={value}" for key, value in ordered)


def json_of(pairs: Pairs) -> str:
    """Return the compact JSON text of the pairs, in their order."""
    members = (
        f"{json.dumps(key, ensure_ascii=False)}:{json.dumps(value, ensure_ascii=False)}"
        for key, value in pairs
    )
    return f"{{{','.join(members)}}}"


def digest_of(text: str) -> bytes:
    """Return the associated data of a text by the published rule."""
    return hashlib.sha256(text.encode("utf-8")).digest()


def associated_data(pairs: Pairs | None, options: Options = PUBLISHED) -> bytes:
    """Return the associated data of a context; an absent context has none."""
    if pairs is None or (not pairs and options.empty_is_absent):
        return b""
    if options.context_binding == "json":
        return json_of(pairs).encode("utf-8")
    digest = digest_of(text_of(pairs, options.sort_order))
    return digest.hex().encode() if options.context_binding == "hexadecimal_digest" else digest


def rule_trace(pairs: Pairs | None, options: Options = PUBLISHED) -> Fields:
    """Return the text that is hashed or bound, if there is a context."""
    if pairs is None or (not pairs and options.empty_is_absent):
        return {}
    is_json = options.context_binding == "json"
    return {"text": json_of(pairs) if is_json else text_of(pairs, options.sort_order)}


def confused_with(pairs: Pairs, sort_order: str = "code_point") -> list[Pairs]:
    """Return every other context with the same text; some contexts occur in several orders."""
    text = text_of(pairs, sort_order)
    return [
        reading
        for reading in _readings(text)
        if len({key for key, _ in reading}) == len(reading)
        and text_of(reading, sort_order) == text
        and sorted(reading) != sorted(pairs)
    ]


def confused_contexts(pairs: Pairs, sort_order: str = "code_point") -> str:
    """Return the confused contexts in their canonical v1 form, as one text."""
    found = {context_bytes(sorted_pairs(other)) for other in confused_with(pairs, sort_order)}
    return ",".join(sorted(canonical.hex() for canonical in found))


def _readings(text: str) -> Iterator[Pairs]:
    """Yield every list of pairs from cuts of a text at some `&`, and of each part at one `=`."""
    pieces = text.split("&")
    for glued in product((False, True), repeat=len(pieces) - 1):
        parts = [pieces[0]]
        for is_glued, piece in zip(glued, pieces[1:], strict=True):
            parts = [*parts[:-1], f"{parts[-1]}&{piece}"] if is_glued else [*parts, piece]
        yield from product(*(_splits(part) for part in parts))


def _splits(part: str) -> Iterator[tuple[str, str]]:
    """Yield every pair that a part can represent."""
    for end, character in enumerate(part):
        if character == "=":
            yield part[:end], part[end + 1 :]


def payload_of(plaintext: bytes, options: Options = PUBLISHED) -> bytes:
    """Return the payload that is sealed for a plaintext."""
    return base64.b64encode(plaintext) if options.payload == "base64" else plaintext


def blob_bytes(
    key_version_id: str, iv: bytes, parts: Iterable[bytes], prefix: bytes = b""
) -> bytes:
    """Return a blob from its key version ID, its IV and the parts after the IV."""
    return b"".join((prefix, key_version_id.encode("ascii"), iv, *parts))


@dataclass(frozen=True)
class ServiceKey:
    """A key version whose ID is valid in a blob of the service."""

    suite: Suite
    material: bytes
    key_version_id: str

    def seal(self, payload: bytes, iv: bytes, aad: bytes, prefix: bytes = b"") -> bytes:
        """Return the blob of a payload, sealed with the given associated data."""
        sealed = ciphers.seal(self.suite, self.material, iv, payload, aad)
        parts = (sealed.ciphertext, sealed.tag)
        return blob_bytes(self.key_version_id, iv, parts, prefix)

    def blob(
        self, plaintext: bytes, pairs: Pairs | None, iv: bytes, options: Options = PUBLISHED
    ) -> bytes:
        """Return the correct blob of a plaintext."""
        aad = associated_data(pairs, options)
        return self.seal(payload_of(plaintext, options), iv, aad, options.prefix)


def flipped(data: bytes, offset: int) -> bytes:
    """Return data with the last bit of a byte flipped."""
    changed = bytearray(data)
    changed[offset] ^= 1
    return bytes(changed)
