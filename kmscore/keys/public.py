"""Public keys of RSA and SM2, as SubjectPublicKeyInfo (RFC 5280 section 4.1)."""

from typing import Final, TypeAlias, final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kmscore._outcome import outcome, unwrap
from kmscore._typecheck import BytesLike, check_bytes
from kmscore._values import Immutable, representation
from kmscore.algorithms import KeySpec
from kmscore.keys.der import (
    decode_public_key_info,
    decode_sm2_public_key,
    encode_sm2_public_key,
)
from kmscore.keys.pem import PemLike, check_pem, decode_pem, der_bytes, encode_pem
from kmscore.keys.rsa_structures import check_public_numbers, is_rsa, load_rsa_public_key
from kmscore.sm2.backends import select_backend
from kmscore.sm2.curve import Point
from kmscore.sm2.scheme import Backend, Encryptor

_LABEL: Final = "PUBLIC KEY"

Primitive: TypeAlias = RSAPublicKey | Encryptor
"""The encryption function of a public key, for RSA without the padding."""


@final
class PublicKey(Immutable):
    """The public key of an RSA or SM2 key pair, for example to export a data key.

    An immutable value without IDs. `from_pem`, `from_der` or its private key create and check it.
    Two public keys are equal if their DER encodings are equal.
    """

    __slots__ = ("_der", "_primitive", "spec")

    spec: KeySpec
    """The key spec, one of RSA_2048, RSA_3072, RSA_4096 and EC_SM2."""

    _der: bytes
    _primitive: Primitive

    def __init__(self, spec: KeySpec, der: bytes, primitive: Primitive) -> None:
        """Create a public key without any check; use `from_pem` or `from_der`.

        Args:
            spec: The key spec.
            der: The SubjectPublicKeyInfo in DER.
            primitive: The encryption function.
        """
        self._set(spec=spec, _der=der, _primitive=primitive)

    @classmethod
    def from_pem(cls, data: PemLike) -> "PublicKey":
        """Read one public key in PEM.

        The file contains exactly one block `PUBLIC KEY` (RFC 7468 section 13). Text, certificates
        and other blocks are ignored, but a block such as `RSA PUBLIC KEY` is rejected. The rules
        for the key are those of `from_der`.

        Args:
            data: The content of the file, at most 65,536 bytes of PEM with at most 16,384 bytes of
                DER.

        Returns:
            The public key.

        Raises:
            TypeError: If `data` is neither `str` nor bytes-like.
            InvalidKeyError: If `data` is too long, does not contain exactly one such block, or
                its key has any other form.
            UnsupportedAlgorithmError: If `cryptography` or the system lacks RSA, or no SM2 backend
                is available.
        """
        key = outcome(_read_pem, data)
        del data  # A caller can pass a private key by mistake.
        return unwrap(key)

    @classmethod
    def from_der(cls, data: BytesLike) -> "PublicKey":
        """Read one public key in DER: a SubjectPublicKeyInfo (RFC 5280 section 4.1).

        - RSA: the algorithm rsaEncryption with NULL parameters (RFC 8017 appendix A.1), an odd
          modulus of 2048, 3072 or 4096 bits, and an odd exponent of 3 to 2^32.
        - SM2: the algorithm id-ecPublicKey with the named curve 1.2.156.10197.1.301, and an
          uncompressed point of 65 bytes. The point is on the curve, with coordinates less than p.

        Args:
            data: The SubjectPublicKeyInfo, at most 16,384 bytes.

        Returns:
            The public key.

        Raises:
            TypeError: If `data` is not bytes-like.
            InvalidKeyError: If `data` is too long or has any other form.
            UnsupportedAlgorithmError: If `cryptography` or the system lacks RSA, or no SM2 backend
                is available.
        """
        key = outcome(_read_der, data)
        del data
        return unwrap(key)

    def to_pem(self) -> bytes:
        """Return the public key in PEM.

        Returns:
            The SubjectPublicKeyInfo as a block `PUBLIC KEY` (RFC 7468 section 13), in ASCII.
        """
        return encode_pem(self._der, _LABEL)

    def to_der(self) -> bytes:
        """Return the public key in DER.

        Returns:
            The SubjectPublicKeyInfo (RFC 5280 section 4.1).
        """
        return self._der

    def __eq__(self, other: object) -> bool:
        """Return whether both public keys have the same DER encoding."""
        return self._der == other._der if isinstance(other, PublicKey) else NotImplemented

    def __hash__(self) -> int:
        """Return a hash of the DER encoding."""
        return hash(self._der)

    @representation
    def __repr__(self) -> str:
        """Return a text with the key spec; the key itself is too long to show."""
        return f"<PublicKey spec={self.spec.name}>"

    def __reduce__(self) -> "tuple[object, tuple[bytes]]":
        """Pickle the DER, so that unpickling checks the key again."""
        return PublicKey.from_der, (self._der,)


def _read_pem(data: PemLike) -> PublicKey:
    """Return the public key of a file in PEM."""
    check_pem(data)
    return _read_der(decode_pem(data, (_LABEL,))[1])


def _read_der(data: BytesLike) -> PublicKey:
    """Return the public key of a file in DER."""
    check_bytes(data, "public key")
    der = der_bytes(data)
    info = decode_public_key_info(der)
    if is_rsa(info):
        return rsa_public_key(load_rsa_public_key(info))
    return sm2_public_key(decode_sm2_public_key(der), select_backend(None))


def rsa_public_key(key: RSAPublicKey) -> PublicKey:
    """Return `key` as a `PublicKey`; raise `InvalidKeyError` for a wrong modulus or exponent."""
    spec = check_public_numbers(key.public_numbers())
    return PublicKey(spec, key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), key)


def sm2_public_key(point: Point, backend: Backend) -> PublicKey:
    """Return a point that is already checked as a `PublicKey` that encrypts with `backend`."""
    return PublicKey(KeySpec.EC_SM2, encode_sm2_public_key(point), backend.encryptor(point))
