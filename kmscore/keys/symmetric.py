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
    """One version of a symmetric key, permanently bound to one suite.

    The binding prevents the use of the same key material with two ciphers. A ciphertext whose
    header names a different suite is rejected before decryption.
    """

    __slots__ = ("_iv", "_iv_length", "_material", "_open", "_seal", "_sealed", "header", "suite")

    suite: Suite
    """The only suite with which this key version encrypts and decrypts."""

    header: bytes
    """The header of every v1 blob of this key version, which precedes the IV."""

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
        """Create a key version from existing key material.

        Args:
            key_id: The key ID, 1 to 255 printable ASCII characters without space.
            key_version_id: The key version ID, 1 to 255 printable ASCII characters without space.
            spec: The key spec AES_256, AES_192, AES_128 or SM4.
            material: The raw key material: 32 bytes for AES_256, 24 for AES_192, 16 for AES_128
                and 16 for SM4.
            suite: The suite of the key version. By default, `XAES_256_GCM` for AES_256 and the GCM
                suite of the spec for the others. AES_256 also allows `AES_256_GCM`.
            state: The key state.

        Raises:
            TypeError: If an argument has the wrong type.
            UnsupportedAlgorithmError: If `spec` or `state` is unknown.
            InvalidKeyError: If an ID is not 1 to 255 printable ASCII characters without space,
                `spec` is not symmetric, `suite` does not belong to `spec`, or `material` has the
                wrong length.
            UnsupportedAlgorithmError: If this build of `cryptography` or the system lacks the
                cipher.
        """
        made = outcome(self._make, key_id, key_version_id, spec, material, suite, state)
        # Delete every argument of text or bytes: a caller can pass key material in any by mistake.
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
        """Check and set the arguments of the constructor."""
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
            # The positions of the IV, and of ciphertext and tag, in a blob of this key version.
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
        """Generate a key version with new key material.

        The key material comes from the random source of the operating system. `spec` is checked
        before the other arguments.

        Args:
            spec: The key spec AES_256, AES_192, AES_128 or SM4.
            key_id: The key ID, 1 to 255 printable ASCII characters without space. By default, a
                random UUID.
            key_version_id: The key version ID, in the same form. By default, a random UUID.
            suite: The suite of the key version. By default, `XAES_256_GCM` for AES_256 and the GCM
                suite of the spec for the others. AES_256 also allows `AES_256_GCM`.
            state: The key state.

        Returns:
            The new key version.

        Raises:
            TypeError: If an argument has the wrong type.
            UnsupportedAlgorithmError: If `spec` or `state` is unknown.
            InvalidKeyError: If `spec` is not symmetric, an ID is not 1 to 255 printable ASCII
                characters without space, or `suite` does not belong to `spec`.
            UnsupportedAlgorithmError: If this build of `cryptography` or the system lacks the
                cipher.
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
        """Return the raw key material. Anyone who has these bytes can use the key.

        Returns:
            32 bytes for AES_256, 24 for AES_192, 16 for AES_128 and 16 for SM4.
        """
        return self._material

    @representation
    def __repr__(self) -> str:
        """Return a text without the key material."""
        return f"{super().__repr__()[:-1]} suite={self.suite.name}>"


def _choose_suite(spec: KeySpec, suite: Suite | None) -> Suite:
    """Return `suite` if it belongs to the spec, or the default suite of the spec for `None`."""
    suites = KEY_SPECS[spec].suites
    if not suites:
        raise InvalidKeyError(f"{spec.name} is not the spec of a symmetric key")
    if suite is None:
        return suites[0]
    if suite not in suites:
        raise InvalidKeyError(f"{spec.name} cannot be bound to {suite.name}")
    return suite
