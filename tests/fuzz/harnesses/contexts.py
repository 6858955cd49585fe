"""Harnesses of encryption contexts: the JSON of the service, and its ambiguous rule."""

import struct
from collections.abc import Iterator
from itertools import islice

from support import spec_decoder
from support.service_layout import written_rule

from fuzz.harness import Failed, Harness, as_text, kind_of, outcome_of, shortest, vectors
from kmscore import EncryptionContext, InvalidContextError, context
from kmscore.alibaba import JsonContext, Profile, SortOrder, collisions, is_ambiguous
from kmscore.alibaba.context_rule import associated_data
from kmscore.alibaba.json_context import compact_json

_PROFILES = (Profile.ALIBABA, Profile(sort_order=SortOrder.UTF_16))
_TOKENS = (b'{"', b'":"', b'","', b'"}', b"\\u", b"\\ud83d\\udd11", b"\\", b"[", b"null", b"\xc3")


def check_json(data: bytes) -> None:
    """Compare the reader with the one of the specification, and its canonical bytes."""
    text = as_text(data)
    expected = spec_decoder.answer("canonicalize_json", {"json": text})
    parsed = outcome_of(lambda: EncryptionContext.from_json(text), InvalidContextError)
    with_text = outcome_of(lambda: JsonContext(text), InvalidContextError)
    if isinstance(parsed, Failed):
        assert expected == {"error": "invalid_context"}
        assert with_text == parsed
        return
    assert expected == {"canonical": parsed.canonical.hex()}
    assert dict(with_text) == dict(parsed)
    assert with_text.text == text
    assert _pairs_of(parsed.canonical) == dict(parsed)
    # The short path of a plain `dict`.
    assert context.canonical_bytes(dict(parsed)) == parsed.canonical
    assert EncryptionContext.from_json(compact_json(parsed)) == parsed


def check_rule(data: bytes) -> None:
    """Compare the associated data with the written rule, and its collisions with `is_ambiguous`."""
    given = outcome_of(lambda: EncryptionContext.from_json(as_text(data)), InvalidContextError)
    if isinstance(given, Failed):
        return
    ambiguous = is_ambiguous(given)
    for profile in _PROFILES:
        bound = associated_data(given, profile, allow_ambiguous=True)
        assert bound == written_rule(given, profile)
        others = list(islice(collisions(given, profile=profile), 3))
        assert ambiguous == bool(others)
        for other in others:
            assert other != given
            assert associated_data(other, profile, allow_ambiguous=True) == bound
        strict = outcome_of(
            lambda: associated_data(given, profile, allow_ambiguous=False),  # noqa: B023
            InvalidContextError,
        )
        assert ambiguous == isinstance(strict, Failed)


def _pairs_of(canonical: bytes) -> dict[str, str]:
    """Decode canonical bytes."""
    if not canonical:
        return {}
    (count,), texts, offset = struct.unpack_from(">H", canonical), [], 2
    while offset < len(canonical):
        (length,) = struct.unpack_from(">H", canonical, offset)
        texts.append(canonical[offset + 2 : offset + 2 + length].decode("utf-8"))
        offset += 2 + length
    assert len(texts) == 2 * count
    keys = texts[::2]
    assert sorted(keys, key=str.encode) == keys
    return dict(zip(keys, texts[1::2], strict=True))


def _json_texts() -> Iterator[bytes]:
    found = (each for each in vectors("encryption_context") if each["type"] == "canonicalize_json")
    texts = ((kind_of(each), each["json"].encode("utf-8", "surrogatepass")) for each in found)
    yield from shortest(texts, 512)
    yield from (b'{"a":"1&b=2"}', b'{"b":"2", "a":"1"}', b'{"\\u00e9=":"\xc3\xa9"}')


HARNESSES = {
    "context": Harness(check_json, _json_texts, tokens=_TOKENS),
    "context-rule": Harness(check_rule, _json_texts, 192, (*_TOKENS, b"&", b"=", b"&b=")),
}
