"""RSA keys of 2048, 3072 and 4096 bits."""

from typing import Final, final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from kmscore._arguments import (
    BytesLike,
    check_bytes,
    check_instance,
    check_optional_bytes,
    to_bytes,
)
from kmscore.algorithms import KEY_SPECS, KeySpec, KeyState
from kmscore.errors import InvalidKeyError
from kmscore.keys.pem import PemLike, check_pem, decode_pem
from kmscore.keys.public import PublicKey, check_modulus_length, rsa_public_key
from kmscore.keys.structures import (
    ENCRYPTED_PKCS8_LABEL,
    PKCS1_LABEL,
    PKCS8_LABEL,
    check_password,
    decode_rsa_pkcs8,
    private_key_label,
    rsa_modulus_bits,
)
from kmscore.keys.version import KeyVersion, check_identity, random_id

_PUBLIC_EXPONENT: Final = 65_537


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
    ) -> "RsaKey":
        """Read one private key in PEM: PKCS#8, encrypted or not, or PKCS#1 (RFC 5208, RFC 8017).

        Encrypted means PBES2 with PBKDF2 and AES or SM4 in CBC mode (RFC 8018), of at most
        10,000,000 iterations.

        Raises `InvalidKeyError` if that is not what `data` holds, if the password is wrong, missing
        or given for nothing, or if the key is inconsistent, and `UnsupportedAlgorithmError` if this
        build of `cryptography` lacks the cipher of the file; else as the constructor does.
        """
        check_identity(key_id, key_version_id, state)
        check_pem(data)
        check_optional_bytes(password, "password")
        label, der = decode_pem(data, (PKCS8_LABEL, PKCS1_LABEL, ENCRYPTED_PKCS8_LABEL))
        return cls(key_id, key_version_id, _load(label, der, password), state=state)

    @classmethod
    def from_der(
        cls,
        key_id: str,
        key_version_id: str,
        data: BytesLike,
        *,
        password: BytesLike | None = None,
        state: KeyState | str = KeyState.ENABLED,
    ) -> "RsaKey":
        """Read one private key in DER: PKCS#8, encrypted or not, or PKCS#1.

        Raises as `from_pem` does.
        """
        check_identity(key_id, key_version_id, state)
        check_bytes(data, "DER")
        check_optional_bytes(password, "password")
        der = to_bytes(data)
        private_key = _load(private_key_label(der), der, password)
        return cls(key_id, key_version_id, private_key, state=state)

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
            generate_private_key(_PUBLIC_EXPONENT, bits),
            state=state,
        )

    def private_pem(self) -> bytes:
        """Return the private key as unencrypted PKCS#8 in PEM. Whoever holds it holds the key."""
        return self._private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _load(label: str, der: bytes, password: BytesLike | None) -> RSAPrivateKey:
    """Return the RSA key of a file, or raise `InvalidKeyError`."""
    check_password(label, password)
    if password is not None:
        from kmscore.keys.encrypted import open_pkcs8  # noqa: PLC0415 (few files are encrypted)

        return open_pkcs8(der, to_bytes(password), _load_pkcs8)
    return _load_pkcs8(der) if label == PKCS8_LABEL else _load_pkcs1(der)


def _load_pkcs8(der: bytes) -> RSAPrivateKey:
    """Return the RSA key of a PrivateKeyInfo."""
    return _load_pkcs1(decode_rsa_pkcs8(der))


def _load_pkcs1(der: bytes) -> RSAPrivateKey:
    """Return the RSA key of an RSAPrivateKey."""
    # First of all: checking the primes of a long enough key takes minutes.
    check_modulus_length(rsa_modulus_bits(der))
    try:
        key = load_der_private_key(der, None)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise InvalidKeyError("not a consistent RSA private key")
    return key
