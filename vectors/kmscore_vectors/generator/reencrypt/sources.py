"""Sources and contexts that are rejected, and ciphertexts that do not open."""

from collections.abc import Iterator, Sequence
from typing import Final

from kmscore_vectors.generator import affine
from kmscore_vectors.generator.keys import keyring
from kmscore_vectors.generator.keys.keyring import PER_SUITE, rsa_ciphertext, sm2_parts
from kmscore_vectors.generator.keys.published import RSA_2048
from kmscore_vectors.generator.model import Case, Rule, pairs_field
from kmscore_vectors.generator.oaep import HASH_NAMES
from kmscore_vectors.generator.reencrypt.cases import (
    AES,
    MESSAGE,
    MOST_PLAINTEXT,
    NEW,
    OLD,
    WIDE,
    XAES,
    blob_field,
    blob_of,
    move,
    reject_both,
    right_asymmetric,
)
from kmscore_vectors.tables import EncryptionAlgorithm, ErrorCode, Severity

_TRAILING: Final = Rule(Severity.STRICT, "SPEC section 7.3")


def wrong_blobs() -> Iterator[Case]:
    """Yield sources that are not blobs, or a blob that is too long."""
    right = move("to be broken", "Valid", AES, XAES)
    blob, start = blob_of(right), len(AES.header)
    for comment, data in (
        ("nothing", b""),
        ("the magic alone", blob[:3]),
        ("another magic", b"KMZ" + blob[3:]),
        ("another format version", blob[:3] + b"\x02" + blob[4:]),
        ("a suite of no one", blob[:4] + b"\x06" + blob[5:]),
        ("an ID of no bytes", blob[:5] + b"\x00" + blob[6:]),
        ("a space in the key ID", blob[:6] + b" " + blob[7:]),
        ("a DEL in the key version ID", blob[: start - 1] + b"\x7f" + blob[start:]),
        ("a bare RSA ciphertext", rsa_ciphertext(next(iter(HASH_NAMES)), MESSAGE)),
        ("a bare SM2 ciphertext", affine.c1c3c2(sm2_parts(MESSAGE))),
        ("too short for a tag", blob[: start + 12 + 15]),
        ("6,702 bytes", blob + bytes(6702 - len(blob))),
    ):
        yield from reject_both(
            right, ErrorCode.INVALID_BLOB, "InvalidBlob", comment, blob_field(data)
        )
    longest = move("6,144 bytes", "Boundary", AES, XAES, plaintext=bytes(MOST_PLAINTEXT))
    more = AES.blob(bytes(MOST_PLAINTEXT + 1), OLD, AES.iv("6,145 bytes"))
    yield from reject_both(
        longest, ErrorCode.PLAINTEXT_SIZE, "PlaintextSize", "6,145 bytes", blob_field(more)
    )


def wrong_contexts() -> Iterator[Case]:
    """Yield contexts that are invalid, or not the source's."""
    right = move("to be rejected", "Valid", AES, XAES)
    for name in ("source_pairs", "destination_pairs"):
        yield from reject_both(
            right, ErrorCode.INVALID_CONTEXT, "ContextSize", name, {name: pairs_field(WIDE)}
        )
    for algorithm, case in right_asymmetric().items():
        yield from reject_both(
            case, ErrorCode.INVALID_CONTEXT, "AsymmetricContext", algorithm.value,
            {"source_pairs": pairs_field(OLD)},
        )  # fmt: skip
    for comment, pairs in (
        ("none", ()),
        ("the destination's", NEW),
        ("a pair is missing", OLD[:1]),
        ("a pair more", (*OLD, ("", ""))),
        ("another value", (("purpose", "backup"), ("owner", "older"))),
        ("a key in capitals", (("Purpose", "backup"), ("owner", "old"))),
        ("a character moved", (("purposeb", "ackup"), ("owner", "old"))),
    ):
        yield from reject_both(
            right,
            ErrorCode.DECRYPTION,
            "OtherContext",
            comment,
            {"source_pairs": pairs_field(pairs)},
        )


def wrong_tags() -> Iterator[Case]:
    """Yield blobs that name a key version but do not open under it."""
    for key in PER_SUITE.values():
        right = move("to be modified", "Valid", key, XAES)
        blob = blob_of(right)
        header = len(key.header)
        for comment, offset in (
            ("the first bit of the IV", header),
            ("the first bit of the ciphertext", len(blob) - 16 - len(MESSAGE)),
            ("the first bit of the tag", len(blob) - 16),
        ):
            changed = bytearray(blob)
            changed[offset] ^= 0x80
            yield from reject_both(
                right, ErrorCode.DECRYPTION, "Modified", f"{key.suite.name}, {comment}",
                blob_field(bytes(changed)),
            )  # fmt: skip
    twin = keyring.TWIN
    right = move("to be moved", "Valid", twin, XAES)
    rest = blob_of(right)[len(twin.header) :]
    for other in keyring.TWINS:
        if other is not twin:
            comment = f"{other.key_id} {other.key_version_id}"
            yield from reject_both(
                right,
                ErrorCode.DECRYPTION,
                "MovedHeader",
                comment,
                blob_field(other.header + rest),
            )


def wrong_bare_ciphertexts() -> Iterator[Case]:
    """Yield asymmetric ciphertexts that do not open. The other files have more of them."""
    rights = right_asymmetric()
    for algorithm, other in zip(HASH_NAMES, reversed(HASH_NAMES), strict=True):
        right = rights[algorithm]
        ciphertext = blob_of(right)
        for comment, data in (
            ("nothing", b""),
            ("a byte less", ciphertext[:-1]),
            ("a byte more", ciphertext + b"\x00"),
            ("the last bit", ciphertext[:-1] + bytes([ciphertext[-1] ^ 1])),
            ("the modulus", RSA_2048.n.to_bytes(RSA_2048.length, "big")),
            (f"with {HASH_NAMES[other]}", rsa_ciphertext(other, MESSAGE)),
        ):
            yield from reject_both(
                right, ErrorCode.DECRYPTION, "ModifiedAsymmetric", f"{algorithm.value}: {comment}",
                blob_field(data),
            )  # fmt: skip
    right = rights[EncryptionAlgorithm.SM2PKE]
    parts = sm2_parts(MESSAGE)
    ciphertext = blob_of(right)
    shifted = parts._replace(x1=parts.x1 + 1)
    for comment, data, rule in _sm2_defects(parts, shifted, ciphertext):
        yield from reject_both(
            right,
            ErrorCode.DECRYPTION,
            "ModifiedAsymmetric",
            f"SM2PKE: {comment}",
            blob_field(data),
            rule,
        )


def _sm2_defects(
    parts: affine.Sm2Parts, shifted: affine.Sm2Parts, ciphertext: bytes
) -> Sequence[tuple[str, bytes, Rule | None]]:
    """Return SM2 ciphertexts, each with one defect."""
    return (
        ("nothing", b"", None),
        ("a first byte that is no encoding's", b"\x05" + ciphertext[1:], None),
        ("without the 04", ciphertext[1:], None),
        ("C1 off the curve", affine.c1c3c2(shifted), None),
        ("C1 off the curve, in DER", affine.asn1(shifted), None),
        ("C3", affine.c1c3c2(parts._replace(c3=bytes(32))), None),
        ("C2", ciphertext[:-1] + bytes([ciphertext[-1] ^ 1]), None),
        ("C2 before C3", affine.c1c2c3(parts), None),
        ("a byte after the DER", affine.asn1(parts) + b"\x00", _TRAILING),
    )
