"""Ten thousand cases in one test: each is drawn from its number, and one digest covers them all.

`streams` has the byte streams from which the cases are drawn.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Final

from kmscore_vectors.generator import affine, oaep
from kmscore_vectors.generator.keys import keyring
from kmscore_vectors.generator.keys.published import RSA_2048, SM2_PKCS8, SM2_PUBLIC_POINT
from kmscore_vectors.generator.model import (
    OUTPUTS,
    Case,
    Fields,
    Group,
    Json,
    Note,
    hex_fields,
    pairs_field,
)
from kmscore_vectors.generator.reencrypt.cases import request, response
from kmscore_vectors.generator.service_api import drawn_cases
from kmscore_vectors.generator.streams import CASES, Drawn, another, rejected, streams
from kmscore_vectors.generator.suite_properties import iv_length, key_length, spec_of
from kmscore_vectors.generator.wire import context_bytes, header_bytes, sorted_pairs
from kmscore_vectors.tables import BugType, ErrorCode, KeySpec, Severity, Suite

NOTE: Final = Note(
    "One digest over 10,000 cases that are drawn from their numbers, valid and not.",
    "A mistake that shows for a few lengths or values only.",
    bug_type=BugType.BASIC,
    severity=Severity.POLICY,
    section="SPEC section 11.4",
)
_TAG: Final = 16
# The kinds of change to a case, of four kinds and of eight; the other kinds leave it unchanged.
_CHANGED, _CUT, _OTHER = 2, 3, 3
_MODIFIED, _MOVED, _MISNAMED, _DRY = 4, 5, 6, 7
_PRINTABLE: Final = range(0x21, 0x7F)


def line(operation: str, answer: Mapping[str, Json]) -> bytes:
    """Return the line that the digest covers for one answer or one expected result."""
    if "error" in answer:
        values = ["error", answer["error"]]
    else:
        values = [answer.get(name) for name in OUTPUTS[operation]]
    if operation == "api_call" and isinstance(values[0], dict):
        values = [values[0].get(name, "") for name in ("status", "Code", "Plaintext")]
    if operation == "reencrypt" and isinstance(values[0], dict):
        values = [values[0].get("ciphertext_blob") or "dry-run"]
    return (" ".join(map(str, values)) + "\n").encode("utf-8", "backslashreplace")


def draw(name: str) -> Iterator[Drawn]:
    """Yield the cases of a file."""
    return _DRAWERS[name]()


@cache
def group(name: str) -> Group:
    """Return the accumulated test of a file, in a group of its own."""
    digest = hashlib.shake_128()
    operation = ""
    for case in draw(name):
        operation = case.operation
        digest.update(line(operation, case.due))
    test = Case(
        f"10,000 cases of {operation}",
        "Accumulated",
        {"operation": operation, "cases": CASES},
        {"digest": digest.hexdigest(32)},
    )
    return Group("accumulated", (test,))


def _blobs() -> Iterator[Drawn]:
    """Yield blobs: half of them valid, a quarter with a changed bit, a quarter cut."""
    for stream in streams("blob"):
        suite = Suite(1 + stream.below(5))
        ids = [bytes(0x21 + byte % 94 for byte in stream.take(1 + stream.below(16))) for _ in "ab"]
        rest = stream.take(iv_length(suite) + stream.below(32) + _TAG)
        data = header_bytes(suite.value, *ids) + rest
        kind = stream.below(4)
        if kind == _CHANGED:
            data = stream.flip(data)
        elif kind == _CUT:
            data = data[: stream.below(len(data))]
        yield Drawn("parse_blob", hex_fields(blob=data), _read(data))


def _read(data: bytes) -> Fields:
    """Return the fields of a blob, or the error. Only here the generator parses its own output."""
    failed = rejected(ErrorCode.INVALID_BLOB)
    suites = {suite.value: suite for suite in Suite}
    if data[:4] != b"KMS\x01" or data[4:5] not in {bytes([value]) for value in suites}:
        return failed
    suite, rest, ids = suites[data[4]], data[5:], []
    for _ in range(2):
        length = rest[0] if rest else 0
        identifier, rest = rest[1 : 1 + length], rest[1 + length :]
        if not length or len(identifier) < length or not set(identifier) <= set(_PRINTABLE):
            return failed
        ids.append(identifier.decode())
    iv = iv_length(suite)
    if len(rest) < iv + _TAG:
        return failed
    return {
        **hex_fields(suite_id=bytes([suite.value])),
        "key_id": ids[0],
        "key_version_id": ids[1],
        **hex_fields(iv=rest[:iv], ciphertext=rest[iv:-_TAG], tag=rest[-_TAG:]),
    }


def _contexts() -> Iterator[Drawn]:
    """Yield contexts."""
    for stream in streams("encryption_context"):
        pairs = stream.pairs()
        canonical = context_bytes(sorted_pairs(pairs))
        yield Drawn(
            "canonicalize", {"pairs": pairs_field(pairs)}, hex_fields(canonical=canonical)
        )  # fmt: skip


def _aead() -> Iterator[Drawn]:
    """Yield blobs of every suite, half of which open."""
    for stream in streams("aead"):
        suite = Suite(1 + stream.below(5))
        material = stream.take(key_length(spec_of(suite)))
        key = keyring.SymmetricTestKey("key", "v1", suite, material)
        iv, pairs = stream.take(iv_length(suite)), stream.pairs()
        plaintext = stream.take(stream.below(64))
        blob, due = key.blob(plaintext, pairs, iv), hex_fields(plaintext=plaintext)
        kind = stream.below(4)
        if kind == _CHANGED:
            blob, due = stream.flip(blob, len(key.header)), rejected(ErrorCode.DECRYPTION)
        elif kind == _OTHER:
            pairs, due = another(pairs), rejected(ErrorCode.DECRYPTION)
        inputs = {name: value for name, value in key.document().items() if name != "state"}
        yield Drawn(
            "decrypt", inputs | {"pairs": pairs_field(pairs)} | hex_fields(blob=blob), due
        )  # fmt: skip


def _rsa() -> Iterator[Drawn]:
    """Yield ciphertexts of RSA, some with a bit changed before the masks, some at the end."""
    key = hex_fields(private_key=RSA_2048.pkcs8())
    for stream in streams("rsa_oaep"):
        algorithm, hash_name = tuple(oaep.HASH_NAMES.items())[stream.below(2)]
        message = stream.take(stream.below(96))
        seed = stream.take(hashlib.new(hash_name).digest_size)
        db = oaep.data_block(hash_name, message, RSA_2048.length)
        due = hex_fields(plaintext=message)
        kind = stream.below(4)
        if kind == _CHANGED:
            db = stream.flip(db)
            due = _unpadded(hash_name, db)
        ciphertext = oaep.encrypt_em(RSA_2048, oaep.pad(hash_name, db, seed).em)
        if kind == _OTHER:
            ciphertext, due = stream.flip(ciphertext), rejected(ErrorCode.DECRYPTION)
        inputs = key | hex_fields(ciphertext=ciphertext)
        names: Fields = {"key_spec": KeySpec.RSA_2048.value, "algorithm": algorithm.value}
        yield Drawn("asymmetric_decrypt", names | inputs, due)


def _unpadded(hash_name: str, db: bytes) -> Fields:
    """Return the message of a data block (RFC 8017 section 7.1.2, step 3g), if it has one."""
    label_hash = hashlib.new(hash_name).digest()
    rest = db[len(label_hash) :].lstrip(b"\x00")
    if db[: len(label_hash)] != label_hash or rest[:1] != b"\x01":
        return rejected(ErrorCode.DECRYPTION)
    return hex_fields(plaintext=rest[1:])


def _sm2() -> Iterator[Drawn]:
    """Yield ciphertexts of SM2. k counts up, so that a point is one addition from the next."""
    k = int.from_bytes(hashlib.sha256(b"kmscore sm2pke k").digest(), "big") >> 1
    c1, shared = affine.multiply(k, affine.BASE), affine.multiply(k, SM2_PUBLIC_POINT)
    names: Fields = {"key_spec": KeySpec.EC_SM2.value, "algorithm": "SM2PKE"}
    key = names | hex_fields(private_key=SM2_PKCS8)
    for stream in streams("sm2pke"):
        message = stream.take(1 + stream.below(64))
        parts = affine.seal(affine.finite(c1), affine.finite(shared), message)
        c1, shared = affine.add(c1, affine.BASE), affine.add(shared, SM2_PUBLIC_POINT)
        due = hex_fields(plaintext=message)
        ciphertext = (affine.c1c3c2, affine.asn1)[stream.below(2)](parts)
        if stream.below(2):
            ciphertext, due = stream.flip(ciphertext), rejected(ErrorCode.DECRYPTION)
        yield Drawn("asymmetric_decrypt", key | hex_fields(ciphertext=ciphertext), due)


def _moves() -> Iterator[Drawn]:
    """Yield re-encryptions between every two suites."""
    keys = tuple(keyring.PER_SUITE.values())
    for stream in streams("reencrypt"):
        source, destination = keys[stream.below(5)], keys[stream.below(5)]
        iv, new_iv = stream.take(iv_length(source.suite)), stream.take(iv_length(destination.suite))
        old, new = stream.pairs(), stream.pairs()
        plaintext = stream.take(stream.below(64))
        blob = source.blob(plaintext, old, iv)
        moved = destination.blob(plaintext, new, new_iv)
        kind = stream.below(8)
        due: Fields = response(source, destination, None if kind == _DRY else moved)
        if kind == _MODIFIED:
            blob, due = stream.flip(blob, len(source.header)), rejected(ErrorCode.DECRYPTION)
        elif kind == _MOVED:
            old, due = another(old), rejected(ErrorCode.DECRYPTION)
        elif kind == _MISNAMED:
            due = rejected(ErrorCode.INCORRECT_KEY)
        inputs = request(
            blob,
            destination,
            new_iv,
            source_pairs=old,
            destination_pairs=new,
            source_key_id="another" if kind == _MISNAMED else None,
            dry_run=kind == _DRY,
        )
        ring = (source,) if source is destination else (source, destination)
        yield Drawn("reencrypt", {"keys": keyring.ring_field(ring)} | inputs, due)


_DRAWERS: Final[Mapping[str, Callable[[], Iterator[Drawn]]]] = {
    "blob": _blobs,
    "encryption_context": _contexts,
    "aead": _aead,
    "rsa_oaep": _rsa,
    "sm2pke": _sm2,
    "reencrypt": _moves,
    "service_blob": drawn_cases.blobs,
    "service_api": drawn_cases.calls,
}
