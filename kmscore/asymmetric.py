"""Asymmetric encryption: RSAES-OAEP (RFC 8017 section 7.1) and SM2PKE (GB/T 32918.4).

OAEP uses the same hash as its MGF1, and no label. An asymmetric ciphertext does not have a header
and is not bound to an encryption context.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, Hash, HashAlgorithm

from kmscore._availability import attempt
from kmscore._typecheck import BytesLike, check_instance, take_bytes
from kmscore.algorithms import ENCRYPTION_ALGORITHMS, KEY_SPECS, EncryptionAlgorithm, KeySpec
from kmscore.errors import (
    DecryptionError,
    KeyUsageError,
    PlaintextSizeError,
)
from kmscore.keys import PrivateKey, PublicKey, RsaKey, Sm2Key
from kmscore.sm2 import Sm2Encoding, scheme
from kmscore.sm2.encodings import MAX_C2_LENGTH, MAX_LENGTHS, serialize

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from kmscore.sm2.scheme import Encryptor

_MAX_CIPHERTEXT_LENGTH: Final = max(MAX_LENGTHS.values())
"""Maximum length of a ciphertext of any algorithm, in bytes. Longer input is not copied."""


class _RsaOaep:
    """RSAES-OAEP with one hash. The callers have checked that the spec of the key fits."""

    def __init__(self, hash_algorithm: HashAlgorithm) -> None:
        self._hash = hash_algorithm
        self._padding = OAEP(mgf=MGF1(hash_algorithm), algorithm=hash_algorithm, label=None)

    def check_supported(self) -> None:
        """Raise `UnsupportedAlgorithmError` if the hash is not available here."""
        _check_hash(self._hash.name)

    def plaintext_range(self, spec: KeySpec) -> range:
        """Return the range of valid plaintext lengths, in bytes."""
        modulus_length = cast("int", KEY_SPECS[spec].modulus_bits) // 8
        return range(modulus_length - 2 * self._hash.digest_size - 2 + 1)

    def encrypt(self, public_key: PublicKey, plaintext: bytes) -> bytes:
        """Return the ciphertext of a plaintext of a valid length."""
        return cast("RSAPublicKey", public_key._primitive).encrypt(plaintext, self._padding)

    def decrypt(self, key: PrivateKey, ciphertext: bytes) -> bytes:
        """Return the plaintext, or raise `DecryptionError` for every error in the ciphertext."""
        # ValueError also covers a ciphertext that is not as long as the modulus, and a number that
        # is not below the modulus.
        try:
            return cast("RsaKey", key)._private_key.decrypt(ciphertext, self._padding)
        except ValueError:
            pass
        raise DecryptionError


class _Sm2Pke:
    """SM2PKE, with the same methods. A key of this type exists only if a backend is usable."""

    def check_supported(self) -> None:
        pass

    def plaintext_range(self, spec: KeySpec) -> range:  # noqa: ARG002 (there is one curve)
        return range(1, MAX_C2_LENGTH + 1)

    def encrypt(self, public_key: PublicKey, plaintext: bytes) -> bytes:
        parts = scheme.encrypt(cast("Encryptor", public_key._primitive), plaintext)
        return serialize(parts, Sm2Encoding.C1C3C2)

    def decrypt(self, key: PrivateKey, ciphertext: bytes) -> bytes:
        return scheme.decrypt(cast("Sm2Key", key)._decryptor, ciphertext)


@cache
def _check_hash(name: str) -> None:
    """Raise `UnsupportedAlgorithmError` if the hash is not available. A success is cached."""
    attempt(lambda: Hash(_OAEP_HASHES[name]), name)


_OAEP_HASHES: Final[Mapping[str, HashAlgorithm]] = MappingProxyType(
    {"sha256": SHA256(), "sha1": SHA1()}  # noqa: S303 (the service defines SHA-1 here)
)

_SCHEMES: Final[Mapping[EncryptionAlgorithm, _RsaOaep | _Sm2Pke]] = MappingProxyType(
    {
        algorithm: _Sm2Pke() if row.hash_name == "sm3" else _RsaOaep(_OAEP_HASHES[row.hash_name])
        for algorithm, row in ENCRYPTION_ALGORITHMS.items()
    }
)


def check_arguments(
    public_key: PublicKey, algorithm: EncryptionAlgorithm | str
) -> EncryptionAlgorithm:
    """Return the algorithm.

    Raises `TypeError` if an argument has the wrong type, and `UnsupportedAlgorithmError` if the
    algorithm is unknown.
    """
    check_instance(public_key, PublicKey, "public_key")
    return EncryptionAlgorithm.of(algorithm, "algorithm")


def check_supported(algorithm: EncryptionAlgorithm) -> None:
    """Raise `UnsupportedAlgorithmError` if `algorithm` is not available here."""
    _SCHEMES[algorithm].check_supported()


def check_public_key(public_key: PublicKey, algorithm: EncryptionAlgorithm) -> None:
    """Raise `KeyUsageError` if the spec of `public_key` does not fit `algorithm`.

    Raises `UnsupportedAlgorithmError` if `algorithm` is not available here.
    """
    if public_key.spec not in ENCRYPTION_ALGORITHMS[algorithm].key_specs:
        raise KeyUsageError(
            f"a key of spec {public_key.spec.name} does not encrypt {algorithm.name}"
        )
    check_supported(algorithm)


def fits(length: int, spec: KeySpec, algorithm: EncryptionAlgorithm) -> bool:
    """Return whether a plaintext of `length` bytes fits a key of `spec`."""
    return length in _SCHEMES[algorithm].plaintext_range(spec)


def check_plaintext_length(length: int, spec: KeySpec, algorithm: EncryptionAlgorithm) -> None:
    """Raise `PlaintextSizeError` if a plaintext of `length` bytes does not fit the key."""
    if not fits(length, spec, algorithm):
        allowed = _SCHEMES[algorithm].plaintext_range(spec)
        raise PlaintextSizeError(
            f"{algorithm.name} with {spec.name} takes {allowed.start} to {allowed.stop - 1} bytes,"
            f" not {length}"
        )


def encrypt_to(public_key: PublicKey, algorithm: EncryptionAlgorithm, plaintext: bytes) -> bytes:
    """Return the ciphertext of `plaintext`. The caller has made the checks above."""
    return _SCHEMES[algorithm].encrypt(public_key, plaintext)


def decrypt_with(key: PrivateKey, algorithm: EncryptionAlgorithm, ciphertext: BytesLike) -> bytes:
    """Return the plaintext of an asymmetric ciphertext.

    For RSA, the ciphertext has the length of the modulus: 256, 384 or 512 bytes. For SM2PKE, it is
    ASN1_DER of at most 6,159 bytes (first byte 30) or C1C3C2 of at most 6,144 bytes (first byte
    04).

    Raises `DecryptionError` for every error in the ciphertext.
    """
    length, raw = take_bytes(ciphertext, _MAX_CIPHERTEXT_LENGTH)
    if length > _MAX_CIPHERTEXT_LENGTH:
        raise DecryptionError
    return _SCHEMES[algorithm].decrypt(key, raw)
