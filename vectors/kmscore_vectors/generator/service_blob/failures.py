"""The vectors of decryption that fails in the service's layout: one part or one option differs."""

import base64
import hashlib
from collections.abc import Iterator

from kmscore_vectors.generator.model import Case, Fields, blob_of, hex_fields
from kmscore_vectors.generator.service_blob.context_rule import BEYOND, context_field
from kmscore_vectors.generator.service_blob.encoder import (
    Options,
    ServiceKey,
    digest_of,
    payload_of,
    text_of,
)
from kmscore_vectors.generator.service_blob.messages import (
    CIPHERTEXT_AT,
    INSTANCE,
    IV_AT,
    MESSAGE,
    PAIR,
    RAW,
    TAG,
    VERSION,
    Maker,
)
from kmscore_vectors.generator.wire import Pairs, context_bytes, sorted_pairs
from kmscore_vectors.tables import ErrorCode


def reject(
    right: Case,
    flag: str,
    comment: str,
    fields: Fields,
    error: ErrorCode = ErrorCode.DECRYPTION,
) -> Case:
    """Return `right` as a negative test, with another field."""
    return right.rejected(error, flag, comment, fields)


def reseal(right: Case, flag: str, comment: str, key: ServiceKey) -> Case:
    """Return `right` as a negative test, with a blob that another key has sealed."""
    iv = blob_of(right)[IV_AT:CIPHERTEXT_AT]
    return reject(right, flag, comment, hex_fields(blob=key.blob(MESSAGE, PAIR, iv)))


def other_rules(maker: Maker) -> Iterator[Case]:
    """Yield profiles and contexts other than those of the message."""
    bare = maker.opened("no context at all", "Opens", MESSAGE, None)
    empty = maker.opened("a context without pairs", "Opens", MESSAGE, ())
    yield bare
    yield empty
    yield reject(bare, "NullAndEmpty", "{} in place of none", {"pairs": []})
    yield reject(empty, "NullAndEmpty", "none in place of {}", {"pairs": None})
    yield reject(
        empty, "OtherRule", "{} was sealed and counts as absent", {"empty_is_absent": True}
    )  # fmt: skip
    pair = maker.opened("one pair", "Opens", MESSAGE, PAIR)
    yield reject(
        pair, "OtherRule", "32 bytes, opened with 64", {"context_binding": "hexadecimal_digest"}
    )
    hexadecimal = Options(context_binding="hexadecimal_digest")
    pair = maker.opened("one pair in hexadecimal", "Opens", MESSAGE, PAIR, hexadecimal)
    yield reject(pair, "OtherRule", "64 bytes, opened with 32", {"context_binding": "digest"})
    bound = Options(context_binding="json")
    pair = maker.opened("one pair in JSON", "Opens", MESSAGE, PAIR, bound)
    yield reject(pair, "OtherRule", "JSON, opened with a digest", {"context_binding": "digest"})
    comment = "JSON, opened with a hexadecimal digest"
    yield reject(pair, "OtherRule", comment, {"context_binding": "hexadecimal_digest"})
    digest = maker.opened("one pair", "Opens", MESSAGE, PAIR)
    yield reject(digest, "OtherRule", "a digest, opened with JSON", {"context_binding": "json"})
    two: Pairs = (("b", "2"), ("a", "1"))
    ordered = maker.opened("two pairs in JSON", "Opens", MESSAGE, two, bound)
    others: dict[str, Pairs] = {
        "in the other order": two[::-1],
        "as one pair": (("b", "2&a=1"),),
        "with a space": (("b", "2 "), ("a", "1")),
    }
    for comment, other_pairs in others.items():
        yield reject(
            ordered, "OtherContext", f"two pairs in JSON, opened {comment}",
            {"pairs": context_field(other_pairs)},
        )  # fmt: skip
    for order, other in (("code_point", "utf_16"), ("utf_16", "code_point")):
        sealed = maker.opened(
            f"three pairs by {order}", "AmbiguousAllowed", MESSAGE, BEYOND,
            Options(sort_order=order), allow_ambiguous=True,
        )  # fmt: skip
        yield reject(sealed, "OtherRule", f"{order}, opened by {other}", {"sort_order": other})
    raw = maker.opened("as it is", "Opens", MESSAGE, PAIR, RAW)
    yield reject(raw, "OtherRule", "bytes as they are, taken for Base64", {"payload": "base64"})
    spaced = maker.opened("a space in a value", "Opens", MESSAGE, (("a", "b "),))
    yield spaced
    for comment, pairs in (
        ("the space is missing", (("a", "b"),)),
        ("the space is elsewhere", (("a ", "b"),)),
        ("a plus sign in its place", (("a", "b+"),)),
        ("the key in capitals", (("A", "b "),)),
        ("an ampersand behind it", (("a", "b &"),)),
    ):
        yield reject(spaced, "OtherContext", comment, {"pairs": context_field(pairs)})


def other_data(maker: Maker) -> Iterator[Case]:
    """Yield blobs whose only defect is a tag over other associated data."""
    pairs = (("b", "2"), ("a", "1"))
    right = maker.opened("two pairs", "AmbiguousAllowed", MESSAGE, pairs, allow_ambiguous=True)
    text, ordered = text_of(pairs), sorted_pairs(pairs)
    digest = digest_of(text)
    version = VERSION.encode()
    for comment, aad in {
        "none": b"",
        "the text, not hashed": text.encode(),
        "the pairs in the order given": digest_of("b=2&a=1"),
        "an ampersand at the end": digest_of(text + "&"),
        "no ampersands": digest_of("a=1b=2"),
        "no equals signs": digest_of("a1&b2"),
        "line feeds for ampersands": digest_of("a=1\nb=2"),
        "JSON, hashed": digest_of('{"a":"1","b":"2"}'),
        "the canonical context of v1": context_bytes(ordered),
        "the canonical context of v1, hashed": hashlib.sha256(context_bytes(ordered)).digest(),
        "hashed twice": hashlib.sha256(digest).digest(),
        "SHA-1": hashlib.sha1(text.encode()).digest(),  # noqa: S324 (a wrong one on purpose)
        "the first 16 bytes": digest[:16],
        "hexadecimal digits in capitals": digest.hex().upper().encode(),
        "the Base64 of the digest": base64.b64encode(digest),
        "the key version ID before it": version + digest,
        "the key version ID alone": version,
        "UTF-16, hashed": hashlib.sha256(text.encode("utf-16-le")).digest(),
    }.items():
        blob = maker.key.seal(payload_of(MESSAGE), maker.iv(comment), aad)
        yield reject(right, "AssociatedData", comment, hex_fields(blob=blob))


def wrong_blobs(maker: Maker) -> Iterator[Case]:
    """Yield blobs that name another version, or that do not parse."""
    right = maker.opened("one pair, to be moved", "Opens", MESSAGE, PAIR)
    yield right
    rest = blob_of(right)[IV_AT:]
    for comment, version in (
        ("another digit", VERSION[:-1] + "e"),
        ("capitals", VERSION.upper()),
        ("zeros", "00000000-0000-0000-0000-000000000000"),
    ):
        fields = hex_fields(blob=version.encode() + rest)
        yield reject(right, "UnknownVersion", comment, fields, ErrorCode.KEY_VERSION_NOT_FOUND)
    empty = maker.opened("no byte, no context", "PayloadBoundary", b"", None)
    yield empty
    short = blob_of(empty)
    for missing in (1, 4, 12, 16):
        yield reject(
            empty, "NoRoom", f"{missing} bytes of the tag are missing",
            hex_fields(blob=short[:-missing]), ErrorCode.INVALID_BLOB,
        )  # fmt: skip
    instance = maker.opened("a blob of an instance", "Opens", MESSAGE, PAIR, INSTANCE)
    yield instance
    flipped = bytearray(blob_of(instance))
    flipped[-1] ^= 1
    comment = "the last bit behind a prefix"
    yield reject(instance, "ModifiedTag", comment, hex_fields(blob=bytes(flipped)))


def changed(right: Case) -> Iterator[Case]:
    """Yield blobs with one flipped bit, or one byte more or less."""
    blob = blob_of(right)
    tag = len(blob) - TAG
    for flag, start, end in (
        ("ModifiedIv", IV_AT, CIPHERTEXT_AT),
        ("ModifiedCiphertext", CIPHERTEXT_AT, tag),
        ("ModifiedTag", tag, len(blob)),
    ):
        for comment, offset, bit in (
            ("the first bit", start, 0x80),
            ("a bit in the middle", (start + end) // 2, 0x10),
            ("the last bit", end - 1, 0x01),
        ):
            changed = bytearray(blob)
            changed[offset] ^= bit
            yield reject(right, flag, comment, hex_fields(blob=bytes(changed)))
    for comment, changed_tag in (("a tag of zeros", bytes(16)), ("a tag of ones", b"\xff" * 16)):
        yield reject(right, "ModifiedTag", comment, hex_fields(blob=blob[:tag] + changed_tag))
    ciphertext = CIPHERTEXT_AT
    for comment, data in (
        ("the last byte is missing", blob[:-1]),
        ("the first byte after the IV is missing", blob[:ciphertext] + blob[ciphertext + 1 :]),
        ("00 after it", blob + b"\x00"),
        ("the tag a second time", blob + blob[tag:]),
        ("nothing but IV and tag", blob[:ciphertext] + blob[tag:]),
    ):  # fmt: skip
        yield reject(right, "Length", comment, hex_fields(blob=data))
