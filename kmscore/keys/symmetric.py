"""Symmetric keys: AES and SM4, each bound to one suite."""

import os
from collections.abc import Callable
from typing import final

from kmscore import aead
from kmscore._outcome import outcome, unwrap
from kmscore._typecheck import BytesLike, check_bytes, check_instance, check_text, to_bytes
from kmscore._values import representation
from kmscore.algorithms import KEY_SPECS, KeySpec, KeyState, Suite
from kmscore.blob import encode_header
from kmscore.errors import InvalidKeyError
from kmscore.keys.base import KeyVersion, check_identity, random_id


@final
class SymmetricKey(KeyVersion):
    """One version of a symmetric key, bound to one suite for good.

    The binding is what keeps one material from being used by two ciphers: a ciphertext whose
    header names another suite is refused before any decryption.
    """

    __slots__ = ("_iv", "_iv_length", "_material", "_open", "_seal", "_sealed", "header", "suite")

    suite: Suite
    """The only suite that this key version seals and opens with."""

    header: bytes
    """The header of every v1 blob of this key version: what stands before the IV."""

    _material: bytes
    _seal: Callable[[bytes, bytes, bytes], bytes]
    _open: Callable[[bytes, bytes, bytes], bytes]
    _iv_length: int
    _iv: slice
    _sealed: slice

    def __init__(
        self,
        key_id: str,
        key_version_id: str,
        spec: KeySpec | str,
        material: BytesLike,
        *,
        suite: Suite | None = None,
        state: KeyState | str = KeyState.ENABLED,
    ) -> None:
        """Take `material`: 32, 24 or 16 bytes for AES_256, AES_192, AES_128, 16 for SM4.

        `suite` is by default `XAES_256_GCM` for AES_256 and the spec's own GCM for the others;
        AES_256 also takes `AES_256_GCM`.

        Raises `TypeError` for a wrong type, `InvalidKeyError` for an ID that is not 1 to 255
        printable ASCII characters, a spec that is not symmetric, a suite that is not the spec's
        or material of another length, and `UnsupportedAlgorithmError` for an unknown spec or
        state, or if this build of `cryptography` lacks the cipher.
        """
        made = outcome(self._make, key_id, key_version_id, spec, material, suite, state)
        # All that can be text or bytes: material can be in the place of another by mistake.
        del key_id, key_version_id, spec, material, state
        unwrap(made)

    def _make(
        self,
        key_id: str,
        key_version_id: str,
        spec: KeySpec | str,
        material: BytesLike,
        suite: Suite | None,
        state: KeyState | str,
    ) -> None:
        """Check and set all that the constructor takes."""
        check_identity(key_id, key_version_id, state)
        check_text(spec, "spec")
        check_bytes(material, "material")
        if suite is not None:
            check_instance(suite, Suite, "suite")
        spec = KeySpec.of(spec, "spec")
        self._identify(key_id, key_version_id, spec, state)
        suite = _choose_suite(spec, suite)
        raw = to_bytes(material)
        if len(raw) != suite.key_length:
            raise InvalidKeyError(
                f"{spec.name} takes {suite.key_length} bytes of material, not {len(raw)}"
            )
        header = encode_header(suite, self.key_id, self.key_version_id)
        seal, open_ = aead.sealer(suite, raw)
        self._set(
            suite=suite,
            header=header,
            _material=raw,
            _seal=seal,
            _open=open_,
            _iv_length=suite.iv_length,
            # Where in a blob of this key version its IV stands, and what is sealed.
            _iv=slice(len(header), len(header) + suite.iv_length),
            _sealed=slice(len(header) + suite.iv_length, None),
        )

    @classmethod
    def generate(
        cls,
        spec: KeySpec | str,
        *,
        key_id: str | None = None,
        key_version_id: str | None = None,
        suite: Suite | None = None,
        state: KeyState | str = KeyState.ENABLED,
    ) -> "SymmetricKey":
        """Return a key of fresh material from the operating system; absent IDs are random UUIDs.

        Raises as the constructor does.
        """
        spec = KeySpec.of(spec, "spec")
        length = _choose_suite(spec, None).key_length
        return cls(
            random_id(key_id, "key_id"),
            random_id(key_version_id, "key_version_id"),
            spec,
            os.urandom(length),
            suite=suite,
            state=state,
        )

    def export_material(self) -> bytes:
        """Return the raw key material. Whoever holds it holds the key."""
        return self._material

    @representation
    def __repr__(self) -> str:
        """Show everything but the material."""
        return f"{super().__repr__()[:-1]} suite={self.suite.name}>"


def _choose_suite(spec: KeySpec, suite: Suite | None) -> Suite:
    """Return `suite` if it is one of the spec's, or the spec's default for `None`."""
    suites = KEY_SPECS[spec].suites
    if not suites:
        raise InvalidKeyError(f"{spec.name} is not the spec of a symmetric key")
    if suite is None:
        return suites[0]
    if suite not in suites:
        raise InvalidKeyError(f"{spec.name} cannot be bound to {suite.name}")
    return suite
