"""SM2 public-key encryption (GB/T 32918.4-2016, GM/T 0003.4-2012), with SM3 as its hash.

A backend does the arithmetic. This module and `encodings` check the ciphertexts before and after
the backend, so the scheme is strict even if a backend is not.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol, TypeAlias

from cryptography.hazmat.primitives.hashes import SM3, Hash
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF

from kmscore._availability import attempt
from kmscore.errors import DecryptionError, InvalidBlobError
from kmscore.sm2.curve import COORDINATE_LENGTH, G, N, Point, encode_point
from kmscore.sm2.encodings import Sm2Ciphertext, Sm2Encoding, parse

Decryptor: TypeAlias = Callable[[Sm2Ciphertext], bytes | None]
"""Function from a parsed ciphertext to the plaintext, or to `None` if C3 is wrong."""

Encryptor: TypeAlias = Callable[[bytes], Sm2Ciphertext]
"""Function from a plaintext to a ciphertext, with a new random k for every call."""

Multiply: TypeAlias = Callable[[int, Point], Point]
"""Function from a scalar in 1..n-1 and a point on the curve to their product."""


class Backend(Protocol):
    """An implementation of the arithmetic of SM2."""

    @property
    def name(self) -> str:
        """Name of the backend, as `available_backends` returns it."""
        ...

    @property
    def is_default(self) -> bool:
        """Whether the backend can be selected without its name."""
        ...

    def decryptor(self, scalar: int, public_point: Point) -> Decryptor:
        """Return the private operation of a key with the scalar d in 1..n-2 and the point d·G."""
        ...

    def encryptor(self, public_point: Point) -> Encryptor:
        """Return the public operation of a key."""
        ...


_MAX_DRAWS: Final = 100

_ENCODING_BY_FIRST_BYTE: Final = {b"\x30": Sm2Encoding.ASN1_DER, b"\x04": Sm2Encoding.C1C3C2}


def decrypt(decryptor: Decryptor, ciphertext: bytes) -> bytes:
    """Return the plaintext, 1 to 6,047 bytes, of a ciphertext in ASN1_DER or C1C3C2.

    Raises `DecryptionError` for every error in the ciphertext.
    """
    encoding = _ENCODING_BY_FIRST_BYTE.get(ciphertext[:1])
    if encoding is None:
        raise DecryptionError
    try:
        parts = parse(ciphertext, encoding)
    except InvalidBlobError:
        parts = None
    if parts is None:
        raise DecryptionError
    plaintext = decryptor(parts)
    if plaintext is None:
        raise DecryptionError
    # If C2 equals the plaintext, the KDF output is all zeros, and C2 is not encrypted. Step B4
    # rejects this, but not every backend does.
    if plaintext == parts.c2:
        raise DecryptionError
    return plaintext


def encrypt(encryptor: Encryptor, plaintext: bytes) -> Sm2Ciphertext:
    """Return the ciphertext of `plaintext`, 1 to 6,047 bytes. Draws a new k for a KDF of zeros.

    Raises `RuntimeError` after 100 draws. For a plaintext of one byte, the most likely case, this
    has a probability of 2^-800.
    """
    for _ in range(_MAX_DRAWS):
        parts = encryptor(plaintext)
        if parts.c2 != plaintext:
            return parts
    raise RuntimeError("the SM2 backend does not encrypt: C2 equals the plaintext")


class PointBackend(NamedTuple):
    """A backend that needs only a multiplication of points."""

    name: str
    is_default: bool
    multiply: Multiply

    def decryptor(self, scalar: int, public_point: Point) -> Decryptor:  # noqa: ARG002 (Backend)
        """See `Backend`."""
        import hmac  # noqa: PLC0415 (as in `draw_below`)

        def decryptor(parts: Sm2Ciphertext) -> bytes | None:
            shared = encode_point(self.multiply(scalar, parts.c1))
            plaintext = _xor(parts.c2, _kdf(shared, len(parts.c2)))
            if not hmac.compare_digest(_c3(shared, plaintext), parts.c3):
                return None
            return plaintext

        return decryptor

    def encryptor(self, public_point: Point) -> Encryptor:
        """See `Backend`."""
        return lambda plaintext: self.encrypt_with_k(public_point, plaintext, draw_scalar())

    def encrypt_with_k(self, public_point: Point, plaintext: bytes, k: int) -> Sm2Ciphertext:
        """Return the ciphertext for a k in 1..n-1 (steps A2 to A7). The KDF is not checked."""
        shared = encode_point(self.multiply(k, public_point))
        c2 = _xor(plaintext, _kdf(shared, len(plaintext)))
        return Sm2Ciphertext(self.multiply(k, G), _c3(shared, plaintext), c2)


def draw_scalar() -> int:
    """Return a uniform k in 1..n-1 from the operating system's random source."""
    return draw_below(N)


def draw_below(bound: int) -> int:
    """Return a uniform number in 1..bound-1 from the operating system's random source."""
    # Imported here, because `secrets` and its imports make `import kmscore` 10 % slower.
    import secrets  # noqa: PLC0415

    return 1 + secrets.randbelow(bound - 1)


def check_sm3() -> None:
    """Raise `UnsupportedAlgorithmError` if `cryptography` cannot use SM3 here."""
    attempt(lambda: Hash(SM3()), "SM3")


def _kdf(shared: bytes, length: int) -> bytes:
    """Return `length` bytes of SM3(shared || counter), the KDF of ANSI X9.63 and of SM2."""
    return X963KDF(SM3(), length, None).derive(shared)


def _c3(shared: bytes, plaintext: bytes) -> bytes:
    """Return SM3(x2 || plaintext || y2)."""
    digest = Hash(SM3())
    digest.update(shared[:COORDINATE_LENGTH])
    digest.update(plaintext)
    digest.update(shared[COORDINATE_LENGTH:])
    return digest.finalize()


def _xor(left: bytes, right: bytes) -> bytes:
    """Return the XOR of two byte strings of equal length."""
    value = int.from_bytes(left, "big") ^ int.from_bytes(right, "big")
    return value.to_bytes(len(left), "big")
