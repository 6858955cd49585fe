"""Public keys of RSA and SM2, as SubjectPublicKeyInfo."""

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
"""What encrypts: RSA before its padding, or SM2."""


@final
class PublicKey(Immutable):
    """The public half of an RSA or SM2 key: what a data key is exported to.

    An immutable value without IDs, checked when it was made by `from_pem`, `from_der` or by the
    private key it belongs to. Equal to another one if both are the same key.
    """

    __slots__ = ("_der", "_primitive", "spec")

    spec: KeySpec
    """RSA_2048, RSA_3072, RSA_4096 or EC_SM2."""

    _der: bytes
    _primitive: Primitive

    def __init__(self, spec: KeySpec, der: bytes, primitive: Primitive) -> None:
        """Take what has been checked already; use `from_pem` or `from_der`."""
        self._set(spec=spec, _der=der, _primitive=primitive)

    @classmethod
    def from_pem(cls, data: PemLike) -> "PublicKey":
        """Return the public key of one PEM block `PUBLIC KEY` (RFC 7468 section 13).

        Other blocks and the text around them are ignored; at most 65,536 bytes are read.

        Raises `TypeError` if `data` is neither `str` nor bytes-like, and `InvalidKeyError` as
        `from_der` does, or if there is not exactly one such block.
        """
        key = outcome(_read_pem, data)
        del data  # It may be a private key, by mistake.
        return unwrap(key)

    @classmethod
    def from_der(cls, data: BytesLike) -> "PublicKey":
        """Return the public key of a SubjectPublicKeyInfo in DER (RFC 5280 section 4.1).

        At most 16,384 bytes are read. RSA has NULL parameters (RFC 8017 appendix A.1), an odd
        modulus of 2048, 3072 or 4096 bits and an odd exponent of 3 to 2^32. SM2
        has the named curve 1.2.156.10197.1.301 under id-ecPublicKey and an uncompressed point of
        65 bytes, on the curve, coordinates below p.

        Raises `TypeError` if `data` is not bytes-like, `InvalidKeyError` for any other key, and
        `UnsupportedAlgorithmError` if nothing here can compute with SM2.
        """
        key = outcome(_read_der, data)
        del data
        return unwrap(key)

    def to_pem(self) -> bytes:
        """Return the SubjectPublicKeyInfo as PEM."""
        return encode_pem(self._der, _LABEL)

    def to_der(self) -> bytes:
        """Return the SubjectPublicKeyInfo as DER."""
        return self._der

    def __eq__(self, other: object) -> bool:
        """Compare the keys."""
        return self._der == other._der if isinstance(other, PublicKey) else NotImplemented

    def __hash__(self) -> int:
        """Hash the key."""
        return hash(self._der)

    @representation
    def __repr__(self) -> str:
        """Show the spec; the key itself is too long to help."""
        return f"<PublicKey spec={self.spec.name}>"

    def __reduce__(self) -> "tuple[object, tuple[bytes]]":
        """Rebuild from DER, so that what is unpickled has been checked again."""
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
    """Return `key` as a public key, or raise `InvalidKeyError` for its modulus or exponent."""
    spec = check_public_numbers(key.public_numbers())
    return PublicKey(spec, key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), key)


def sm2_public_key(point: Point, backend: Backend) -> PublicKey:
    """Return a checked point as a public key that encrypts with `backend`."""
    return PublicKey(KeySpec.EC_SM2, encode_sm2_public_key(point), backend.encryptor(point))
