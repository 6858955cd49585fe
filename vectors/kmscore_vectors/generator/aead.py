"""The vectors of the five suites: whole blobs, sealed with a given IV, and opened again."""

import hashlib
from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.ciphers import Sealed, seal
from kmscore_vectors.generator.model import (
    Case,
    Fields,
    Group,
    Note,
    VectorFile,
    hex_fields,
    pairs_field,
)
from kmscore_vectors.generator.wire import (
    Pairs,
    context_bytes,
    header_bytes,
    length16,
    sorted_pairs,
)
from kmscore_vectors.tables import BugType, ErrorCode, KeySpec, Severity, Suite

KEY_ID: Final = "key"
KEY_VERSION_ID: Final = "v1"
_MOST_PLAINTEXT: Final = 6144
_TAG: Final = 16
_MESSAGE: Final = bytes(range(0x40, 0x60))
_PAIRS: Final = (("b", "2"), ("a", "1"))
_SPECS: Final = {
    Suite.AES_256_GCM: KeySpec.AES_256,
    Suite.AES_192_GCM: KeySpec.AES_192,
    Suite.AES_128_GCM: KeySpec.AES_128,
    Suite.SM4_GCM: KeySpec.SM4,
    Suite.XAES_256_GCM: KeySpec.AES_256,
}
_KEY_LENGTHS: Final = {
    KeySpec.AES_256: 32,
    KeySpec.AES_192: 24,
    KeySpec.AES_128: 16,
    KeySpec.SM4: 16,
}

_NOTES: Final = {
    "Valid": Note(
        "A message sealed under a context of few pairs, or none.",
        bug_type=BugType.BASIC,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.1",
    ),
    "Boundary": Note(
        "The shortest or the longest plaintext, or one around a block of 16 bytes.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.1",
    ),
    "Iv": Note(
        "An IV of one value throughout: any is taken as it is, and none is special.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 5.2.1.1",
    ),
    "PlaintextSize": Note(
        "The plaintext has more than 6,144 bytes.",
        "A limit that one operation keeps and another does not leaves blobs that cannot be moved.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 5.6",
    ),
    "ContextSize": Note(
        "The canonical context would have more than 65,535 bytes.",
        "A length that wraps around in its two bytes: another context with the same bytes.",
        ("https://cwe.mitre.org/data/definitions/190.html",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 4.1",
    ),
    "ModifiedTag": Note(
        "One bit of the tag is another.",
        "A tag that is compared in part, or not at all: forged plaintexts.",
        ("https://cwe.mitre.org/data/definitions/347.html",),
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.2",
    ),
    "ModifiedCiphertext": Note(
        "One bit of the ciphertext is another.",
        "Counter mode is malleable: the same bit of the plaintext is another.",
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.2",
    ),
    "ModifiedIv": Note(
        "One bit of the IV is another.",
        "Another key stream decrypts.",
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.2",
    ),
    "Length": Note(
        "A byte was removed or added, and the lengths still allow a blob.",
        "A tag that is looked for where the ciphertext ends, or a tag of fewer bytes, which is"
        " easier to guess.",
        ("https://csrc.nist.gov/pubs/sp/800/38/d/final",),
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.2",
    ),
    "Truncated": Note(
        "The blob ends before its tag is whole.",
        "A tag of fewer bytes is easier to guess.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 3.3",
    ),
    "OtherContext": Note(
        "Another context than the message was sealed under.",
        "A confused deputy: a ciphertext of one tenant, table or purpose opens for another.",
        ("https://cwe.mitre.org/data/definitions/441.html",),
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.2",
    ),
    "OtherKey": Note(
        "The header names a key or a key version that is not there.",
        "Trial decryption, or a default key in its place.",
        bug_type=BugType.MODIFIED_PARAMETER,
        severity=Severity.POLICY,
        section="SPEC section 5.6",
    ),
    "OtherSuite": Note(
        "The header names a suite that is not the key's.",
        "One key under two algorithms: what is safe under each need not be under both.",
        bug_type=BugType.MODIFIED_PARAMETER,
        severity=Severity.POLICY,
        section="SPEC section 5.6",
    ),
    "AssociatedData": Note(
        "Sealed with associated data that is not the header followed by the context.",
        "A header that nobody authenticates: who stores the blob chooses the key and the suite"
        " that open it. Fields without lengths: one context opens under another.",
        bug_type=BugType.MODIFIED_PARAMETER,
        severity=Severity.POLICY,
        section="SPEC section 5.2",
    ),
    "OtherDerivation": Note(
        "Sealed with a key, a nonce or a counter that is not the suite's.",
        "The implementation can open what nobody else can, and nobody else what it seals.",
        ("https://c2sp.org/XAES-256-GCM",),
        bug_type=BugType.WRONG_PRIMITIVE,
        severity=Severity.STANDARD,
        section="C2SP XAES-256-GCM",
    ),
}


def make() -> VectorFile:
    """Return the file."""
    makers = [_Maker(suite) for suite in Suite]
    return VectorFile(
        name="aead",
        algorithm="kmscore-v1-aead",
        header=(
            "Whole ciphertext blobs of every suite: sealed with the IV given, and opened.",
            "The keys are test keys, known to everybody.",
        ),
        notes=_NOTES,
        groups=tuple(
            group
            for maker in makers
            for group in (
                Group("encrypt", tuple(maker.sealing()), maker.shared),
                Group("decrypt", tuple(maker.opening()), maker.shared),
            )
        ),
    )


def iv_length(suite: Suite) -> int:
    """Return the length of an IV in bytes."""
    return 24 if suite is Suite.XAES_256_GCM else 12


def context_field(pairs: Pairs) -> Fields:
    """Return a context as a field."""
    return {"pairs": pairs_field(pairs)}


def trace_of(suite: Suite, pairs: Pairs, aad: bytes, sealed: Sealed) -> Fields:
    """Return the intermediate values of a tag."""
    derived = hex_fields(derivedKey=sealed.gcm_key) if suite is Suite.XAES_256_GCM else {}
    return {
        "sortedPairs": [[key.hex(), value.hex()] for key, value in sorted_pairs(pairs)],
        **hex_fields(associatedData=aad),
        **derived,
        **hex_fields(counterBlock=sealed.counter_block),
    }


def key_length(spec: KeySpec) -> int:
    """Return the length of a symmetric key in bytes."""
    return _KEY_LENGTHS[spec]


def spec_of(suite: Suite) -> KeySpec:
    """Return the spec of the keys of a suite."""
    return _SPECS[suite]


def _wide_context(excess: int) -> Pairs:
    """Return a context whose canonical form has 65,535 bytes, plus the given number."""
    overhead = 2 + 2 + len("k") + 2  # the count, and the lengths of the key and of the value
    return (("k", "v" * (65_535 - overhead + excess)),)


class _Maker:
    """The tests of one suite."""

    def __init__(self, suite: Suite) -> None:
        self.suite = suite
        self.spec = spec_of(suite)
        self.material = self.draw("key", key_length(self.spec))
        self.header = header_bytes(suite.value, KEY_ID.encode(), KEY_VERSION_ID.encode())
        self.shared: Fields = {
            "key_spec": self.spec.value,
            "key_id": KEY_ID,
            "key_version_id": KEY_VERSION_ID,
            **hex_fields(suite_id=bytes([suite.value]), key=self.material),
        }

    def draw(self, purpose: str, length: int) -> bytes:
        """Return bytes drawn from the name of a test."""
        return hashlib.shake_128(f"{self.suite.name} {purpose}".encode()).digest(length)

    def iv(self, purpose: str) -> bytes:
        """Return the IV of a test."""
        return self.draw(f"IV {purpose}", iv_length(self.suite))

    def associated_data(self, pairs: Pairs) -> bytes:
        """Return the correct associated data."""
        return self.header + context_bytes(sorted_pairs(pairs))

    def blob(self, sealed: Sealed, iv: bytes) -> bytes:
        """Return the blob of a sealed message."""
        return self.header + iv + sealed.ciphertext + sealed.tag

    def sealed(
        self, comment: str, flag: str, plaintext: bytes, pairs: Pairs, iv: bytes | None = None
    ) -> Case:
        """Return a test of encryption."""
        iv = self.iv(comment) if iv is None else iv
        aad = self.associated_data(pairs)
        sealed = seal(self.suite, self.material, iv, plaintext, aad)
        return Case(
            comment,
            flag,
            context_field(pairs) | hex_fields(plaintext=plaintext, iv=iv),
            hex_fields(blob=self.blob(sealed, iv)),
            trace_of(self.suite, pairs, aad, sealed),
        )

    def opened(self, comment: str, flag: str, plaintext: bytes, pairs: Pairs) -> Case:
        """Return a test of decryption."""
        case = self.sealed(comment, flag, plaintext, pairs)
        inputs = {"pairs": case.inputs["pairs"], "blob": case.outputs["blob"]}
        return Case(comment, flag, inputs, hex_fields(plaintext=plaintext), case.trace)

    def both(self) -> Iterator[tuple[str, str, bytes, Pairs]]:
        """Yield the comment, flag, plaintext and pairs that both operations are tested with."""
        yield "32 bytes, no context", "Valid", _MESSAGE, ()
        yield "32 bytes, two pairs", "Valid", _MESSAGE, _PAIRS
        yield "an empty key and an empty value", "Valid", _MESSAGE, (("", ""),)
        yield (
            "characters of two to four bytes",
            "Valid",
            _MESSAGE,
            (("\u00e9", "\u20ac\U0001f511"),),
        )
        for length in (0, 1, 15, 16, 17):
            yield f"{length} bytes", "Boundary", bytes(range(length)), _PAIRS
        yield "6,144 bytes", "Boundary", self.draw("long", _MOST_PLAINTEXT), ()

    def sealing(self) -> Iterator[Case]:
        """Yield the tests of encryption."""
        rights = [self.sealed(*arguments) for arguments in self.both()]
        yield from rights
        for byte in (b"\x00", b"\xff"):
            iv = byte * iv_length(self.suite)
            yield self.sealed(f"an IV of {byte.hex()} alone", "Iv", _MESSAGE, (), iv)
        longest = rights[-1]
        plaintext = str(longest.inputs["plaintext"])
        yield longest.refused(
            ErrorCode.PLAINTEXT_SIZE,
            "PlaintextSize",
            "6,145 bytes",
            {"plaintext": plaintext + "00"},
        )
        widest = self.sealed("a context of 65,535 bytes", "Boundary", b"", _wide_context(0))
        yield widest
        yield widest.refused(
            ErrorCode.INVALID_CONTEXT,
            "ContextSize",
            "a context of 65,536 bytes",
            context_field(_wide_context(1)),
        )

    def opening(self) -> Iterator[Case]:
        """Yield the tests of decryption."""
        rights = [self.opened(*arguments) for arguments in self.both()]
        yield from rights
        yield from self.modified(rights[1])
        yield from self.other_contexts(rights[1])
        yield from self.other_headers(rights[1])
        yield from self.other_associated_data(rights[1])
        yield from self.other_derivations(rights[1])
        yield self.too_long()

    def refuse(self, right: Case, flag: str, comment: str, blob: bytes) -> Case:
        """Return `right` as a negative test, with a blob that does not open."""
        return right.refused(ErrorCode.DECRYPTION, flag, comment, hex_fields(blob=blob))

    def modified(self, right: Case) -> Iterator[Case]:
        """Yield blobs with one flipped bit, or one byte more or less."""
        blob = bytes.fromhex(str(right.inputs["blob"]))
        iv = len(self.header)
        ciphertext = iv + iv_length(self.suite)
        tag = len(blob) - _TAG
        for flag, start, end in (
            ("ModifiedIv", iv, ciphertext),
            ("ModifiedCiphertext", ciphertext, tag),
            ("ModifiedTag", tag, len(blob)),
        ):
            for comment, offset, bit in (
                ("the first bit", start, 0x80),
                ("a bit in the middle", (start + end) // 2, 0x10),
                ("the last bit", end - 1, 0x01),
            ):
                changed = bytearray(blob)
                changed[offset] ^= bit
                yield self.refuse(right, flag, comment, bytes(changed))
        changed_tags = {
            "a tag of zeros": bytes(_TAG),
            "a tag of ones": b"\xff" * _TAG,
            "the first four bytes of the tag, and zeros": blob[tag : tag + 4] + bytes(12),
        }
        for comment, changed_tag in changed_tags.items():
            yield self.refuse(right, "ModifiedTag", comment, blob[:tag] + changed_tag)
        for comment, data in (
            ("the last byte is missing", blob[:-1]),
            ("the first byte after the IV is missing", blob[:ciphertext] + blob[ciphertext + 1 :]),
            ("00 after it", blob + b"\x00"),
            ("the tag a second time", blob + blob[tag:]),
        ):  # fmt: skip
            yield self.refuse(right, "Length", comment, data)
        empty = self.opened("empty", "Boundary", b"", ())
        short = bytes.fromhex(str(empty.inputs["blob"]))
        for missing in (1, 4, 12):
            yield empty.refused(
                ErrorCode.INVALID_BLOB,
                "Truncated",
                f"{missing} bytes of the tag are missing",
                hex_fields(blob=short[:-missing]),
            )

    def other_contexts(self, right: Case) -> Iterator[Case]:
        """Yield contexts other than the context of the blob."""
        for comment, pairs in (
            ("no context", ()),
            ("a pair is missing", _PAIRS[:1]),
            ("a pair more", (*_PAIRS, ("c", "3"))),
            ("another value", (("b", "2"), ("a", "2"))),
            ("another key", (("b", "2"), ("A", "1"))),
            ("values exchanged", (("b", "1"), ("a", "2"))),
            ("keys and values exchanged", (("2", "b"), ("1", "a"))),
            ("an empty pair more", (*_PAIRS, ("", ""))),
            ("a character moved from value to key", (("b2", ""), ("a", "1"))),
        ):
            yield right.refused(ErrorCode.DECRYPTION, "OtherContext", comment, context_field(pairs))
        bare = self.opened("no context", "Valid", _MESSAGE, ())
        yield bare.refused(
            ErrorCode.DECRYPTION,
            "OtherContext",
            "a context where none was",
            context_field((("a", "1"),)),
        )

    def other_headers(self, right: Case) -> Iterator[Case]:
        """Yield blobs with another value in the header; the rest fits that header."""
        rest = bytes.fromhex(str(right.inputs["blob"]))[len(self.header) :]
        for comment, error, ids in (
            ("another key ID", ErrorCode.KEY_NOT_FOUND, (b"kez", b"v1")),
            ("a longer key ID", ErrorCode.KEY_NOT_FOUND, (b"keyv", b"v1")),
            ("a shorter key ID", ErrorCode.KEY_NOT_FOUND, (b"ke", b"v1")),
            ("the key ID in capitals", ErrorCode.KEY_NOT_FOUND, (b"KEY", b"v1")),
            ("another key version ID", ErrorCode.KEY_VERSION_NOT_FOUND, (b"key", b"v2")),
            ("a longer key version ID", ErrorCode.KEY_VERSION_NOT_FOUND, (b"key", b"v11")),
            ("a shorter key version ID", ErrorCode.KEY_VERSION_NOT_FOUND, (b"key", b"v")),
        ):
            blob = header_bytes(self.suite.value, *ids) + rest
            yield right.refused(error, "OtherKey", comment, hex_fields(blob=blob))
        for other in Suite:
            if other is not self.suite:
                header = header_bytes(other.value, KEY_ID.encode(), KEY_VERSION_ID.encode())
                yield right.refused(
                    ErrorCode.INCORRECT_KEY,
                    "OtherSuite",
                    other.name,
                    hex_fields(blob=header + rest),
                )

    def other_associated_data(self, right: Case) -> Iterator[Case]:
        """Yield blobs whose only defect is a tag over other associated data."""
        iv = self.iv(right.comment)
        pairs = sorted_pairs(_PAIRS)
        context = context_bytes(pairs)
        glued = b"".join(key + value for key, value in pairs)
        other = header_bytes(self.suite.value, b"other", KEY_VERSION_ID.encode())
        version = header_bytes(self.suite.value, KEY_ID.encode(), b"v2")
        for comment, aad in (
            ("nothing", b""),
            ("the header alone", self.header),
            ("the context alone", context),
            ("the context before the header", context + self.header),
            ("the header without the magic", self.header[3:] + context),
            ("the header without the suite ID", self.header[:4] + self.header[5:] + context),
            ("the header with another key ID", other + context),
            ("the header with another key version ID", version + context),
            ("the header and the IV", self.header + iv + context),
            ("key and version IDs alone", f"{KEY_ID}{KEY_VERSION_ID}".encode() + context),
            ("pairs without lengths", self.header + glued),
            ("pairs without their count", self.header + context[2:]),
            ("pairs in the order given", self.header + context_bytes(pairs[::-1])),
            ("the length of the context before it", self.header + length16(context)),
            ("the header hashed", hashlib.sha256(self.header).digest() + context),
        ):  # fmt: skip
            sealed = seal(self.suite, self.material, iv, _MESSAGE, aad)
            yield self.refuse(right, "AssociatedData", comment, self.blob(sealed, iv))
        bare = self.opened("no context", "Valid", _MESSAGE, ())
        iv = self.iv("no context")
        sealed = seal(self.suite, self.material, iv, _MESSAGE, self.header + bytes(2))
        comment = "a count of zero pairs for no context"
        yield self.refuse(bare, "AssociatedData", comment, self.blob(sealed, iv))

    def other_derivations(self, right: Case) -> Iterator[Case]:
        """Yield blobs that another suite has sealed with the same key, under this header."""
        iv = self.iv(right.comment)
        aad = self.associated_data(_PAIRS)
        sealings = {
            "another key": seal(self.suite, self.draw("x", len(self.material)), iv, _MESSAGE, aad)
        }  # fmt: skip
        if self.suite is Suite.XAES_256_GCM:
            plain = Suite.AES_256_GCM
            derived = seal(self.suite, self.material, iv, b"", b"").gcm_key
            swapped = derived[16:] + derived[:16]
            for comment, key, nonce in (
                ("AES_256_GCM with an IV of 24 bytes", self.material, iv),
                ("AES_256_GCM with the first 12 bytes", self.material, iv[:12]),
                ("AES_256_GCM with the last 12 bytes", self.material, iv[12:]),
                ("the derived key with the first 12 bytes", derived, iv[:12]),
                ("the halves of the derived key exchanged", swapped, iv[12:]),
            ):
                sealings[comment] = seal(plain, key, nonce, _MESSAGE, aad)
        elif self.suite is Suite.SM4_GCM:
            sealings["AES-128"] = seal(Suite.AES_128_GCM, self.material, iv, _MESSAGE, aad)
        elif self.suite is Suite.AES_128_GCM:
            sealings["SM4"] = seal(Suite.SM4_GCM, self.material, iv, _MESSAGE, aad)
        else:
            sealings["AES-128 with the first 16 bytes of the key"] = seal(
                Suite.AES_128_GCM, self.material[:16], iv, _MESSAGE, aad
            )
        for comment, sealed in sealings.items():
            yield self.refuse(right, "OtherDerivation", comment, self.blob(sealed, iv))

    def too_long(self) -> Case:
        """Return a blob with a plaintext one byte too long, and a correct tag."""
        right = self.opened("6,144 bytes", "Boundary", bytes(_MOST_PLAINTEXT), ())
        more = self.sealed("6,145 bytes", "Boundary", bytes(_MOST_PLAINTEXT + 1), ())
        return right.refused(
            ErrorCode.PLAINTEXT_SIZE, "PlaintextSize", "6,145 bytes", {"blob": more.outputs["blob"]}
        )
