"""The two sides of an operation: a source that is decrypted, a destination that is encrypted.

A side adds the steps of SPEC sections 5.5, 5.6, 6.2, 7.5 and 13.5 to the notes. An operation calls
them in the order of its checks.
"""

from typing import Protocol, cast

from kmscore.algorithms import (
    ENCRYPTION_ALGORITHMS,
    MAX_PLAINTEXT_LENGTH,
    EncryptionAlgorithm,
)
from kmscore.alibaba.profile import Payload, Profile
from kmscore.alibaba.service_blob import MAX_PAYLOAD_LENGTH
from kmscore.asymmetric import check_supported
from kmscore.audit import gcm, oaep, sm2pke
from kmscore.audit.blobs import (
    ReadBlob,
    is_id,
    name_of_iv,
    read_service,
    read_v1,
    service_fields,
    v1_fields,
)
from kmscore.audit.contexts import canonical_context, service_context
from kmscore.audit.keychecks import find_named_key, find_primary, find_version
from kmscore.audit.notes import Notes, Part, attempt
from kmscore.audit.primitives import base64_text
from kmscore.audit.records import OK, Secrecy
from kmscore.context import ContextLike
from kmscore.keyring import Keyring
from kmscore.keys import Key, RsaKey, Sm2Key, SymmetricKey


class BlobForm:
    """The layout of a blob, and whether the plaintext is in it as a Base64 text."""

    def __init__(self, profile: Profile, *, allow_ambiguous: bool, moves_text: bool) -> None:
        """Take a profile; `moves_text` leaves the encrypted text as it is."""
        self.profile = profile
        self.is_v1: bool = profile.is_v1
        self.allow_ambiguous = allow_ambiguous
        self.has_text: bool = profile.payload is Payload.BASE64 and not moves_text
        most = MAX_PLAINTEXT_LENGTH if self.is_v1 else MAX_PAYLOAD_LENGTH
        self.most = most // 4 * 3 if self.has_text else most
        """Maximum length of a plaintext in bytes."""

    def bind(self, notes: Notes, context: ContextLike) -> str:
        """Add the steps of the context; return the ID of its bytes."""
        if self.is_v1:
            return canonical_context(notes, context)
        return service_context(notes, context, self.profile, allow_ambiguous=self.allow_ambiguous)

    def associate(self, notes: Notes, header: str, bound: str) -> str:
        """Add the step of the associated data; return its ID."""
        if not self.is_v1:
            return bound
        notes.step(
            "associated-data", "Make the associated data", "5.2", "A = header ‖ canonical context"
        )
        result = notes.compute("A", "associated data", "join", header, bound)
        parts = [("header", header, "header of the blob"), ("canonical context", bound, "context")]
        notes.map(
            "associated data",
            result,
            [
                Part(name, len(notes.data(part)), meaning, is_neutral=True)
                for name, part, meaning in parts
            ],
        )
        return result


class Source(Protocol):
    """The side of a ciphertext."""

    def read(self, data: bytes) -> None:
        """Add the step that reads the ciphertext."""
        ...

    def bind(self, context: ContextLike) -> None:
        """Add the steps of the context."""
        ...

    def find_key(self) -> Key:
        """Add the step that finds the key version; return it."""
        ...

    def check_size(self, most: int) -> None:
        """Add the step that checks the length; the destination accepts `most` bytes."""
        ...

    def open(self, most: int) -> str:
        """Add the steps of decryption; return the ID of the plaintext."""
        ...


class BlobSource:
    """A ciphertext blob."""

    _blob: ReadBlob
    _bound: str
    _key: SymmetricKey

    def __init__(
        self, notes: Notes, keys: Keyring, form: BlobForm, ids: tuple[str | None, str | None]
    ) -> None:
        """Take the form of the blob, and the IDs that the caller expects."""
        self._notes, self._keys, self._form, self._ids = notes, keys, form, ids

    def read(self, data: bytes) -> None:
        """See `Source`."""
        notes, form = self._notes, self._form
        self._blob = read_v1(notes, data) if form.is_v1 else read_service(notes, data, form.profile)

    def bind(self, context: ContextLike) -> None:
        """See `Source`."""
        self._bound = self._form.bind(self._notes, context)

    def find_key(self) -> Key:
        """See `Source`."""
        notes = self._notes
        section = "5.6" if self._form.is_v1 else "13.5"
        notes.step("key", "Find the key version that the blob names", section)
        self._key = find_named_key(notes, self._keys, self._blob, self._ids)
        return self._key

    def check_size(self, most: int) -> None:
        """See `Source`."""
        notes, form = self._notes, self._form
        notes.step("size", "Check the length", "5.6" if form.is_v1 else "13.5")
        limit = min(most, form.most)
        length = len(notes.data(self._blob.ciphertext))
        least = max(0, length // 4 * 3 - 2) if form.has_text else length
        notes.check(f"the plaintext has at most {limit:,} bytes", least <= limit, "plaintext_size")

    def open(self, most: int) -> str:  # noqa: ARG002 (`check_size` limits it)
        """See `Source`."""
        notes, blob = self._notes, self._blob
        associated = self._form.associate(notes, blob.header, self._bound)
        cipher = gcm.set_up(notes, self._key, blob.iv)
        tag = gcm.add_tag(notes, cipher, associated, blob.ciphertext)
        if not self._form.has_text:
            notes.check(
                "tag = T, in all 16 bytes",
                notes.data(tag) == notes.data(blob.tag),
                "decryption",
            )
            return self._decipher(cipher, "P", "plaintext")
        is_right = notes.data(tag) == notes.data(blob.tag)
        payload = self._decipher(cipher, "payload", "encrypted text")
        notes.step("payload", "Decode the encrypted text", "13.5", "P = Base64 decoded")
        result = notes.compute(
            "P",
            "plaintext",
            "base64_bytes",
            payload,
            secrecy=Secrecy.PLAINTEXT,
            has_public_length=False,
        )
        # One check: its parts together are the one error of SPEC 13.5 step 6.
        notes.check(
            "tag = T in all 16 bytes, and the text is strict Base64",
            is_right and base64_text(notes.data(result)) == notes.data(payload),
            "decryption",
        )
        return result

    def _decipher(self, cipher: gcm.Cipher, name: str, meaning: str) -> str:
        """Add the step of the key stream; return the ID of the decrypted bytes."""
        notes, ciphertext = self._notes, self._blob.ciphertext
        stream = gcm.add_key_stream(notes, cipher, len(notes.data(ciphertext)))
        return notes.compute(name, meaning, "xor", ciphertext, stream, secrecy=Secrecy.PLAINTEXT)


class AsymmetricSource:
    """An asymmetric ciphertext."""

    _data: bytes
    _key: RsaKey | Sm2Key

    def __init__(
        self, notes: Notes, keys: Keyring, algorithm: EncryptionAlgorithm, ids: tuple[str, str]
    ) -> None:
        """Take the algorithm and the IDs, which the ciphertext does not name."""
        self._notes, self._keys, self._algorithm, self._ids = notes, keys, algorithm, ids

    def read(self, data: bytes) -> None:
        """See `Source`; nothing is read before the key is found."""
        self._data = data

    def bind(self, context: ContextLike) -> None:
        """See `Source`."""
        notes = self._notes
        bound = canonical_context(notes, context)
        is_empty = notes.data(bound) == b""
        notes.check("an asymmetric ciphertext has no context", is_empty, "invalid_context")

    def find_key(self) -> Key:
        """See `Source`."""
        notes, (key_id, version_id), algorithm = self._notes, self._ids, self._algorithm
        notes.step("key", "Find the given key version", "6.2")
        notes.check("the key ID is 1 to 255 bytes 21 to 7e", is_id(key_id), "key_not_found")
        notes.check(
            "the key version ID is 1 to 255 bytes 21 to 7e",
            is_id(version_id),
            "key_version_not_found",
        )
        key = find_version(notes, self._keys, key_id, version_id)
        fits = key.spec in ENCRYPTION_ALGORITHMS[algorithm].key_specs
        notes.check(f"the key decrypts {algorithm.name}", fits, "key_usage")
        self._key = cast("RsaKey | Sm2Key", key)
        code, _ = attempt(lambda: check_supported(algorithm))
        notes.check(f"{algorithm.name} is available", code == OK, code)
        return self._key

    def check_size(self, most: int) -> None:
        """See `Source`; a wrong length is an error of decryption."""

    def open(self, most: int) -> str:
        """See `Source`."""
        notes, algorithm = self._notes, self._algorithm
        if isinstance(self._key, Sm2Key):
            return sm2pke.decrypt(notes, self._key, self._data, most)
        return oaep.decrypt(notes, self._key, algorithm, self._data, most)


class Destination:
    """A blob that is encrypted."""

    _bound: str
    _key: SymmetricKey

    def __init__(self, notes: Notes, keys: Keyring, form: BlobForm) -> None:
        """Take the form of the blob."""
        self._notes, self._keys, self._form = notes, keys, form

    def bind(self, context: ContextLike) -> None:
        """Add the steps of the context."""
        self._bound = self._form.bind(self._notes, context)

    def find_key(self, key_id: str) -> SymmetricKey:
        """Add the step that finds the primary version of the key; return it."""
        notes = self._notes
        section = "5.5" if self._form.is_v1 else "13.5"
        notes.step("key", "Find the primary version of the key", section)
        self._key = find_primary(notes, self._keys, key_id, is_v1=self._form.is_v1)
        return self._key

    def seal(self, plaintext: str, expected: bytes) -> None:
        """Add the steps of encryption, with the IV of the blob that the library returned."""
        notes, form, key = self._notes, self._form, self._key
        suite = key.suite
        start, iv_length = _place_of_iv(form, key)
        if len(expected) < start + iv_length:
            notes.tie("the new blob has an IV", agrees=False)
            return
        notes.step("iv", "Draw the IV", "5.5")
        name, meaning = name_of_iv(suite)
        source = "the random source of the operating system; read from the new blob"
        iv = notes.give(name, meaning, expected[start : start + iv_length], source)
        notes.step("header", "Make the header", "3.1" if form.is_v1 else "13.2")
        header = notes.compute("header", "bytes before the IV", "join", *_header_parts(form, key))
        associated = form.associate(notes, header, self._bound)
        if form.has_text:
            notes.step("payload", "Encode the plaintext", "13.5", "payload = Base64(P)")
            plaintext = notes.compute(
                "payload",
                "encrypted text",
                "base64_text",
                plaintext,
                secrecy=Secrecy.PLAINTEXT,
            )
        cipher = gcm.set_up(notes, key, iv)
        length = len(notes.data(plaintext))
        stream = gcm.add_key_stream(notes, cipher, length)
        ciphertext = notes.compute("C", "ciphertext", "xor", plaintext, stream)
        tag = gcm.add_tag(notes, cipher, associated, ciphertext)
        notes.step("blob", "Join the parts to the blob", "3.4" if form.is_v1 else "13.2")
        blob = notes.compute("blob", "new blob", "join", header, iv, ciphertext, tag)
        fields = (
            v1_fields(key.key_id, key.key_version_id, suite, length)
            if form.is_v1
            else service_fields(form.profile, key.key_version_id, length)
        )
        notes.map("new blob", blob, fields)
        notes.tie("the new blob", notes.data(blob) == expected)


def _place_of_iv(form: BlobForm, key: SymmetricKey) -> tuple[int, int]:
    """Return offset and length of the IV in a new blob, in bytes."""
    header = sum(len(part) for part in _header_parts(form, key))
    return header, key.suite.iv_length


def _header_parts(form: BlobForm, key: SymmetricKey) -> tuple[bytes, ...]:
    """Return the parts of the bytes before the IV."""
    key_id, version_id = (each.encode("ascii") for each in (key.key_id, key.key_version_id))
    if not form.is_v1:
        return form.profile.prefix, version_id
    return (
        *(b"KMS", b"\x01", bytes([key.suite.value])),
        *(bytes([len(key_id)]), key_id, bytes([len(version_id)]), version_id),
    )
