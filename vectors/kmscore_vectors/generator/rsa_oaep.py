"""The vectors of RSAES-OAEP: ciphertexts made with a known seed, for decryption."""

import hashlib
from collections.abc import Iterator
from itertools import count
from typing import Final

from kmscore_vectors.generator import oaep
from kmscore_vectors.generator.model import Case, Group, Note, VectorFile, hex_fields
from kmscore_vectors.generator.published_keys import RSA_KEYS
from kmscore_vectors.tables import BugType, EncryptionAlgorithm, ErrorCode, Severity

_HASH_NAMES: Final = {
    EncryptionAlgorithm.RSAES_OAEP_SHA_256: "sha256",
    EncryptionAlgorithm.RSAES_OAEP_SHA_1: "sha1",
}
_MANGER: Final = "https://doi.org/10.1007/3-540-44647-8_14"
_MESSAGE: Final = b"a data key of thirty-two bytes.."

_NOTES: Final = {
    "Valid": Note(
        "A message of a usual length.",
        bug_type=BugType.BASIC,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2",
    ),
    "Boundary": Note(
        "A message of no byte, or the longest that there is room for.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2",
    ),
    "LeadingZeros": Note(
        "The ciphertext, or the message, begins with zeros.",
        "An implementation that drops them on the way through an integer loses messages.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="RFC 8017 section 4.1",
    ),
    "FirstByte": Note(
        "The first byte of the encoded message is not 00.",
        "Whoever learns of it by another error or another time decrypts at will: Manger's attack.",
        (_MANGER,),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2 step 3g",
    ),
    "LabelHash": Note(
        "lHash is not the hash of the empty label.",
        "Padding that is not compared whole makes ciphertexts malleable, and tells of EM.",
        (_MANGER,),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2 step 3g",
    ),
    "Label": Note(
        "The ciphertext was made for another label.",
        "What was encrypted for one purpose opens for another.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2 step 3g",
    ),
    "Padding": Note(
        "A byte other than 00 stands before the 01.",
        "Padding that is not compared whole makes ciphertexts malleable, and tells of EM.",
        (_MANGER,),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2 step 3g",
    ),
    "NoSeparator": Note(
        "No 01 ends the zeros.",
        "A search that runs out of the block reads other memory, or takes no message for an empty"
        " one.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2 step 3g",
    ),
    "OtherHash": Note(
        "Another hash was used for OAEP, for MGF1, or for both.",
        "An implementation that tries several is an oracle, and takes what was weakened.",
        bug_type=BugType.WRONG_PRIMITIVE,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2 step 3",
    ),
    "Pkcs1": Note(
        "Padding of PKCS #1 v1.5.",
        "A fallback to it brings Bleichenbacher's attack back.",
        ("https://www.rfc-editor.org/rfc/rfc3218",),
        bug_type=BugType.WRONG_PRIMITIVE,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2 step 3g",
    ),
    "CiphertextRange": Note(
        "The ciphertext as an integer is not below the modulus.",
        "Two ciphertexts for one: c and c + n.",
        ("https://www.rfc-editor.org/rfc/rfc8017#section-5.1.2",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="RFC 8017 section 5.1.2 step 1",
    ),
    "CiphertextLength": Note(
        "The ciphertext is shorter or longer than the modulus.",
        "Many ciphertexts for one, and numbers as large as a stranger likes.",
        ("https://www.rfc-editor.org/rfc/rfc8017#section-7.1.2",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2 step 1b",
    ),
    "Modified": Note(
        "One bit of the ciphertext is another.",
        "What nobody has encrypted is taken for a message.",
        bug_type=BugType.BASIC,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2 step 3g",
    ),
}


def make() -> VectorFile:
    """Return the file."""
    return VectorFile(
        name="rsa_oaep",
        algorithm="RSAES-OAEP",
        header=(
            "RSAES-OAEP with one hash for OAEP and MGF1 and no label.",
            "The keys are TEST KEYS, known to everybody.",
        ),
        notes=_NOTES,
        groups=tuple(
            Group(
                "asymmetric_decrypt",
                tuple(_Maker(spec, algorithm).cases()),
                {
                    "algorithm": algorithm.value,
                    "key_spec": spec,
                    **hex_fields(private_key=RSA_KEYS[spec].pkcs8()),
                },
            )
            for spec in RSA_KEYS
            for algorithm in _HASH_NAMES
        ),
    )


class _Maker:
    """The tests of one key and one hash."""

    def __init__(self, spec: str, algorithm: EncryptionAlgorithm) -> None:
        self.key = RSA_KEYS[spec]
        self.hash_name = _HASH_NAMES[algorithm]
        self.name = f"{spec} {algorithm.value}"
        self.hash_length = hashlib.new(self.hash_name).digest_size
        self.room = self.key.length - 2 * self.hash_length - 2

    def cases(self) -> Iterator[Case]:
        """Yield all tests."""
        yield self.valid("Valid", "32 bytes", _MESSAGE)
        yield self.valid("Boundary", "no byte", b"")
        yield self.valid("Boundary", "one byte", b"\x01")
        yield self.valid("Boundary", "one byte less than the longest", b"\x5a" * (self.room - 1))
        yield self.valid("Boundary", "the longest", b"\xa5" * self.room)
        yield self.valid("LeadingZeros", "zeros alone", bytes(16))
        yield self.valid("LeadingZeros", "zeros and 01, as in the padding", b"\x00\x01\x00\x01")
        yield self.small_ciphertext()
        yield from self.wrong_encodings()
        yield from self.wrong_hashes()
        yield from self.wrong_ciphertexts()

    def seed(self, purpose: str) -> bytes:
        """Return the seed of a test, drawn from its name."""
        return hashlib.shake_128(f"{self.name} {purpose}".encode()).digest(self.hash_length)

    def valid(self, flag: str, comment: str, message: bytes, seed: bytes | None = None) -> Case:
        """Return a ciphertext that opens."""
        seed = seed or self.seed(comment)
        db = oaep.data_block(self.hash_name, message, self.key.length)
        padded = oaep.pad(self.hash_name, db, seed)
        return Case(
            comment,
            flag,
            hex_fields(ciphertext=oaep.encrypt_em(self.key, padded.em)),
            hex_fields(plaintext=message),
            hex_fields(
                lHash=padded.l_hash,
                seed=padded.seed,
                DB=padded.db,
                dbMask=padded.db_mask,
                maskedDB=padded.masked_db,
                seedMask=padded.seed_mask,
                maskedSeed=padded.masked_seed,
                EM=padded.em,
            ),
        )

    def small_ciphertext(self) -> Case:
        """Return a ciphertext whose first byte is 00."""
        comment = "the ciphertext begins with 00"
        cases = (
            self.valid("LeadingZeros", comment, _MESSAGE, self.seed(f"{comment} {n}"))
            for n in count()
        )
        return next(case for case in cases if str(case.inputs["ciphertext"]).startswith("00"))

    def refuse(self, right: Case, flag: str, comment: str, ciphertext: bytes) -> Case:
        """Return `right` as a negative test, with another ciphertext."""
        return right.refused(ErrorCode.DECRYPTION, flag, comment, hex_fields(ciphertext=ciphertext))

    def wrong_encodings(self) -> Iterator[Case]:
        """Yield encoded messages with one wrong byte."""
        hash_length, length = self.hash_length, self.key.length

        def refuse(
            flag: str, comment: str, message: bytes = _MESSAGE, *, first: int = 0,
            offset: int | None = None, value: int = 0,
        ) -> Case:  # fmt: skip
            seed = self.seed(comment)
            right = self.valid("Valid", comment, message, seed)
            db = bytearray(oaep.data_block(self.hash_name, message, length))
            if offset is not None:
                db[offset] = value
            em = oaep.pad(self.hash_name, bytes(db), seed, first=first).em
            return self.refuse(right, flag, comment, oaep.encrypt_em(self.key, em))

        separator = length - hash_length - 2 - len(_MESSAGE)
        yield refuse("FirstByte", "the first byte is 01", first=1)
        yield refuse("FirstByte", "the first byte is 02", first=2)
        first = oaep.data_block(self.hash_name, _MESSAGE, length)[0]
        for comment, offset in {"first": 0, "last": hash_length - 1}.items():
            value = oaep.data_block(self.hash_name, _MESSAGE, length)[offset] ^ 1
            yield refuse("LabelHash", f"{comment} byte of lHash", offset=offset, value=value)
        yield refuse("LabelHash", "highest bit of lHash", offset=0, value=first ^ 0x80)
        yield refuse("Padding", "first byte of PS is 02", offset=hash_length, value=2)
        yield refuse("Padding", "first byte of PS is ff", offset=hash_length, value=0xFF)
        yield refuse("Padding", "last byte of PS is 80", offset=separator - 1, value=0x80)
        yield refuse(
            "NoSeparator", "00 in its place", b"\x02" * 16, offset=length - hash_length - 18
        )
        yield refuse("NoSeparator", "02 in its place", offset=separator, value=2)
        yield refuse("NoSeparator", "zeros to the end", bytes(16), offset=length - hash_length - 18)
        yield refuse(
            "NoSeparator", "empty message, zeros alone", b"", offset=length - hash_length - 2
        )

    def wrong_hashes(self) -> Iterator[Case]:
        """Yield ciphertexts made with other hashes, another label or another padding."""
        right = self.valid("Valid", "32 bytes", _MESSAGE)
        other = "sha1" if self.hash_name == "sha256" else "sha256"
        size = hashlib.new(other).digest_size
        db = oaep.data_block(self.hash_name, _MESSAGE, self.key.length)
        other_db = oaep.data_block(other, _MESSAGE, self.key.length)
        seed, other_seed = self.seed("32 bytes"), (self.seed("32 bytes") * 2)[:size]
        labelled = oaep.data_block(self.hash_name, _MESSAGE, self.key.length, b"label")
        padding = hashlib.shake_128(b"v1.5").hexdigest(self.key.length)
        nonzero = bytes.fromhex(padding.replace("0", "f"))[: self.key.length - 3 - len(_MESSAGE)]
        for flag, comment, em in (
            (
                "OtherHash",
                f"{other} for MGF1",
                oaep.pad(self.hash_name, db, seed, mgf_hash=other).em,
            ),
            (
                "OtherHash",
                f"{other} for OAEP",
                oaep.pad(other, other_db, other_seed, mgf_hash=self.hash_name).em,
            ),
            ("OtherHash", f"{other} for both", oaep.pad(other, other_db, other_seed).em),
            ("Label", "the label is label", oaep.pad(self.hash_name, labelled, seed).em),
            ("Pkcs1", "block type 2", b"\x00\x02" + nonzero + b"\x00" + _MESSAGE),
        ):
            yield self.refuse(right, flag, comment, oaep.encrypt_em(self.key, em))

    def wrong_ciphertexts(self) -> Iterator[Case]:
        """Yield ciphertexts with a wrong length, a wrong or extreme value, or a changed bit."""
        right = self.valid("Valid", "32 bytes", _MESSAGE)
        zeros = self.small_ciphertext()
        ciphertext, short = (bytes.fromhex(str(c.inputs["ciphertext"])) for c in (right, zeros))
        length, n = self.key.length, self.key.n
        for flag, comment, data in (
            ("CiphertextLength", "empty", b""),
            ("CiphertextLength", "one byte", ciphertext[:1]),
            ("CiphertextLength", "the last byte is missing", ciphertext[:-1]),
            ("CiphertextLength", "the first byte is missing", ciphertext[1:]),
            ("CiphertextLength", "00 before it", b"\x00" + ciphertext),
            ("CiphertextLength", "00 after it", ciphertext + b"\x00"),
            ("CiphertextLength", "twice", ciphertext * 2),
            ("CiphertextLength", "7,000 bytes", bytes(7000 - length) + ciphertext),
            ("CiphertextRange", "0", bytes(length)),
            ("CiphertextRange", "n - 1", (n - 1).to_bytes(length, "big")),
            ("CiphertextRange", "n", n.to_bytes(length, "big")),
            ("CiphertextRange", "ff throughout", b"\xff" * length),
            ("Modified", "first bit", bytes([ciphertext[0] ^ 0x80]) + ciphertext[1:]),
            ("Modified", "last bit", ciphertext[:-1] + bytes([ciphertext[-1] ^ 1])),
        ):
            yield self.refuse(right, flag, comment, data)
        yield self.refuse(zeros, "CiphertextLength", "without its leading 00", short[1:])
        beyond = int.from_bytes(short, "big") + n
        yield self.refuse(zeros, "CiphertextRange", "c + n", beyond.to_bytes(length, "big"))
