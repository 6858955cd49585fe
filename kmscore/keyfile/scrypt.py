"""From a passphrase to a key: scrypt (RFC 7914), within bounds."""

from dataclasses import dataclass
from typing import Final, final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from kmscore._arguments import check_integer
from kmscore._immutable import Record
from kmscore.errors import InvalidKeyError, UnsupportedAlgorithmError

KEY_LENGTH: Final = 32

_LEAST_N: Final = 1 << 14
_MOST_N: Final = 1 << 20
_MOST_R: Final = 32
_MOST_P: Final = 16

_MOST_MEMORY: Final = 1 << 30
"""Bytes. A file must not be able to ask for all there is."""

_MOST_WORK: Final = 1 << 25
"""n·r·p, some ten seconds; a file must not be able to ask for years."""


@final
@dataclass(frozen=True, slots=True, repr=False)
class ScryptParameters(Record):
    """The cost of scrypt. By default it takes 128 MiB of memory and about half a second.

    Constructing one raises `TypeError` unless all three are `int`, and `InvalidKeyError` unless n
    is a power of two, 2^14 to 2^20, r is 1 to 32, p is 1 to 16, 128·n·r is at most 2^30 and n·r·p
    at most 2^25.
    """

    n: int = 1 << 17
    r: int = 8
    p: int = 1

    def __post_init__(self) -> None:
        """Check them, one by one and together."""
        for name in ("n", "r", "p"):
            check_integer(getattr(self, name), name)
        if not (
            _LEAST_N <= self.n <= _MOST_N
            and self.n.bit_count() == 1
            and 1 <= self.r <= _MOST_R
            and 1 <= self.p <= _MOST_P
            and 128 * self.n * self.r <= _MOST_MEMORY
            and self.n * self.r * self.p <= _MOST_WORK
        ):
            raise InvalidKeyError(
                f"scrypt parameters out of bounds: n={self.n}, r={self.r}, p={self.p}"
            )


def derive_key(passphrase: bytes, salt: bytes, parameters: ScryptParameters) -> bytes:
    """Return the key, 32 bytes.

    Raises `UnsupportedAlgorithmError` if this build of `cryptography` lacks scrypt.
    """
    try:
        kdf = Scrypt(salt, KEY_LENGTH, parameters.n, parameters.r, parameters.p)
    except UnsupportedAlgorithm:
        kdf = None
    if kdf is None:
        raise UnsupportedAlgorithmError("this build of cryptography has no scrypt")
    return kdf.derive(passphrase)
