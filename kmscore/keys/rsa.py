"""RSA keys of 2048, 3072 and 4096 bits."""

from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias, final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from kmscore._availability import attempt
from kmscore._outcome import outcome, unwrap
from kmscore._typecheck import BytesLike, check_instance
from kmscore.algorithms import KEY_SPECS, KeySpec, KeyState
from kmscore.errors import InvalidKeyError
from kmscore.keys.base import KeyVersion, check_identity, random_id
from kmscore.keys.pem import PemLike
from kmscore.keys.private_file import (
    DEFAULT_MAX_WORK,
    PKCS1_LABEL,
    Structures,
    read_der,
    read_pem,
)
from kmscore.keys.public import PublicKey, rsa_public_key
from kmscore.keys.rsa_structures import load_rsa_pkcs1, load_rsa_pkcs8

_STRUCTURES: Final = Structures((PKCS1_LABEL,), load_rsa_pkcs8, load_rsa_pkcs1, load_rsa_pkcs8)
_PUBLIC_EXPONENT: Final = 65_537

_Identity: TypeAlias = tuple[str, str, KeyState | str]
"""Key ID, key version ID and state."""


@final
class RsaKey(KeyVersion):
    """One version of an RSA key: it decrypts RSAES_OAEP_SHA_256 and RSAES_OAEP_SHA_1.

    Made by `from_pem`, `from_der` or `generate`. Reading and checking the material takes a hundred
    times as long as a decryption, so make the key once and keep it.
    """

    __slots__ = ("_private_key", "public_key")

    public_key: PublicKey
    """The public half."""

    _private_key: RSAPrivateKey

    def __init__(
        self,
        key_id: str,
        key_version_id: str,
        private_key: RSAPrivateKey,
        *,
        state: KeyState | str = KeyState.ENABLED,
    ) -> None:
        """Take a private key that `cryptography` has read and checked.

        Raises `TypeError` for a wrong type, `InvalidKeyError` for an ID that is not 1 to 255
        printable ASCII characters, a modulus of another length than 2048, 3072 or 4096 bits or an
        exponent that is not odd and 3 to 2^32, and `UnsupportedAlgorithmError` for an unknown
        state.
        """
        check_instance(private_key, RSAPrivateKey, "private_key")
        public_key = rsa_public_key(private_key.public_key())
        self._identify(key_id, key_version_id, public_key.spec, state)
        self._set(public_key=public_key, _private_key=private_key)

    @classmethod
    def from_pem(
        cls,
        key_id: str,
        key_version_id: str,
        data: PemLike,
        *,
        password: BytesLike | None = None,
        state: KeyState | str = KeyState.ENABLED,
        max_work: int = DEFAULT_MAX_WORK,
    ) -> "RsaKey":
        """Read one private key in PEM: PKCS#8, encrypted or not, or PKCS#1 (RFC 5208, RFC 8017).

        Encrypted means PBES2 with PBKDF2 and AES or SM4 in CBC mode (RFC 8018), of at most
        `max_work` iterations. Certificates and public keys in the same file are ignored, and so is
        the text around them; at most 65,536 bytes are read. PKCS#8 has the NULL parameters that
        RFC 8017 appendix A.1 requires.

        The key has two primes, neither longer than 2,048 bits, in either order and of lengths that
        may differ. Its private exponent is 1/e modulo λ(n) or φ(n), reduced.

        Raises `InvalidKeyError` for any other file or key, and if the password is wrong, missing or
        given for nothing. Raises `ValueError` if `max_work` is less than 1, and
        `UnsupportedAlgorithmError` if this build of `cryptography` lacks the cipher of the file.
        Other errors are those of the constructor.
        """
        read = partial(read_pem, _STRUCTURES, data, password, max_work)
        key = outcome(_make, (key_id, key_version_id, state), read)
        del key_id, key_version_id, data, password, state, read
        return unwrap(key)

    @classmethod
    def from_der(
        cls,
        key_id: str,
        key_version_id: str,
        data: BytesLike,
        *,
        password: BytesLike | None = None,
        state: KeyState | str = KeyState.ENABLED,
        max_work: int = DEFAULT_MAX_WORK,
    ) -> "RsaKey":
        """Read one private key in DER: PKCS#8, encrypted or not, or PKCS#1; at most 16,384 bytes.

        Raises as `from_pem` does.
        """
        read = partial(read_der, _STRUCTURES, data, password, max_work)
        key = outcome(_make, (key_id, key_version_id, state), read)
        del key_id, key_version_id, data, password, state, read
        return unwrap(key)

    @classmethod
    def generate(
        cls,
        spec: KeySpec | str,
        *,
        key_id: str | None = None,
        key_version_id: str | None = None,
        state: KeyState | str = KeyState.ENABLED,
    ) -> "RsaKey":
        """Return a fresh key with the exponent 65,537; absent IDs are random UUIDs.

        Raises `InvalidKeyError` if `spec` is not one of RSA; else as the constructor does.
        """
        spec = KeySpec.of(spec, "spec")
        bits = KEY_SPECS[spec].modulus_bits
        if bits is None:
            raise InvalidKeyError(f"{spec.name} is not the spec of an RSA key")
        return cls(
            random_id(key_id, "key_id"),
            random_id(key_version_id, "key_version_id"),
            attempt(lambda: generate_private_key(_PUBLIC_EXPONENT, bits), "RSA"),
            state=state,
        )

    def private_pem(self) -> bytes:
        """Return the private key as unencrypted PKCS#8 in PEM. Whoever holds it holds the key."""
        return self._private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _make(identity: _Identity, read: Callable[[], RSAPrivateKey]) -> RsaKey:
    """Return the key of a file with its identity, which is checked before the file."""
    check_identity(*identity)
    key_id, key_version_id, state = identity
    return RsaKey(key_id, key_version_id, read(), state=state)
