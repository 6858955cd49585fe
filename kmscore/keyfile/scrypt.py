"""From a passphrase to keys: scrypt (RFC 7914), within bounds."""

from dataclasses import dataclass
from typing import Final, final

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from kmscore._availability import attempt
from kmscore._typecheck import check_integer
from kmscore._values import Record
from kmscore.errors import InvalidKeyError

DERIVED_LENGTH: Final = 64

MAX_MEMORY: Final = 1 << 30
"""Bytes. A file must not be able to ask for all there is."""

MAX_WORK: Final = 1 << 25
"""n·r·p, some ten seconds; a file must not be able to ask for years."""

_BOUNDS: Final = (
    ("n", 1 << 14, 1 << 20),
    # RFC 7914 section 2 takes n < 2^(16·r): with r = 1, that is less than the least memory.
    ("r", 2, 32),
    ("p", 1, 16),
    ("memory", 1 << 24, MAX_MEMORY),
    ("work", 1, MAX_WORK),
)


@final
@dataclass(frozen=True, slots=True, repr=False)
class ScryptParameters(Record):
    """The cost of scrypt. By default it takes 128 MiB of memory and about half a second.

    n is a power of two, 2^14 to 2^20; r is 2 to 32, and p 1 to 16. Memory, 128·n·r bytes, is 2^24
    to 2^30, and work, n·r·p, at most 2^25. Other values raise `InvalidKeyError`, and other types
    than `int` raise `TypeError`.
    """

    n: int = 1 << 17
    r: int = 8
    p: int = 1

    def __post_init__(self) -> None:
        """Check them, one by one and together."""
        for name in ("n", "r", "p"):
            check_integer(getattr(self, name), name)
        for name, least, most in _BOUNDS:
            value = getattr(self, name)
            if not least <= value <= most:
                raise _out_of_bounds(f"{name} of {value}, {least} to {most} allowed")
        if self.n.bit_count() != 1:
            raise _out_of_bounds(f"n of {self.n}, a power of two required")

    @property
    def memory(self) -> int:
        """The memory that scrypt takes, in bytes: 128·n·r."""
        return 128 * self.n * self.r

    @property
    def work(self) -> int:
        """The work of one guess: n·r·p."""
        return self.n * self.r * self.p


def check_cost(parameters: ScryptParameters, max_memory: int, max_work: int) -> None:
    """Raise `InvalidKeyError` if scrypt would take more than a caller allows."""
    for name, most in (("memory", max_memory), ("work", max_work)):
        value = getattr(parameters, name)
        if value > most:
            raise _out_of_bounds(
                f"{name} of {value}, at most {most} allowed; max_{name}= sets the limit"
            )


def derive_key(passphrase: bytes, salt: bytes, parameters: ScryptParameters) -> bytes:
    """Return K, 64 bytes.

    Raises `UnsupportedAlgorithmError` if this build of `cryptography` lacks scrypt, and
    `MemoryError` if there is not enough memory.
    """
    cost = parameters.n, parameters.r, parameters.p
    return attempt(lambda: Scrypt(salt, DERIVED_LENGTH, *cost).derive(passphrase), "scrypt")


def _out_of_bounds(reason: str) -> InvalidKeyError:
    return InvalidKeyError(f"scrypt parameters out of bounds: {reason}")
