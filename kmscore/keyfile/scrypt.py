"""Key derivation from a passphrase: scrypt (RFC 7914), with bounds on its cost."""

from dataclasses import dataclass
from typing import Final, final

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from kmscore._availability import attempt
from kmscore._typecheck import check_integer
from kmscore._values import Record
from kmscore.errors import InvalidKeyError

DERIVED_LENGTH: Final = 64

MAX_MEMORY: Final = 1 << 30
"""Maximum memory in bytes, so that a file cannot exhaust the memory of the process."""

MAX_WORK: Final = 1 << 25
"""Maximum n·r·p, about 10 seconds, so that a file cannot cause years of work."""

_BOUNDS: Final = (
    ("n", 1 << 14, 1 << 20),
    # RFC 7914 section 2 requires n < 2^(16·r). With r = 1, this is below the minimum memory.
    ("r", 2, 32),
    ("p", 1, 16),
    ("memory", 1 << 24, MAX_MEMORY),
    ("work", 1, MAX_WORK),
)


@final
@dataclass(frozen=True, slots=True, repr=False)
class ScryptParameters(Record):
    """The cost of scrypt (RFC 7914). The default is 128 MiB of memory and about half a second.

    The memory, 128·n·r bytes, must be 2^24 to 2^30, and the work, n·r·p, at most 2^25.

    Args:
        n: The CPU and memory cost, a power of two, 2^14 to 2^20.
        r: The block size, 2 to 32.
        p: The parallelization, 1 to 16.

    Raises:
        TypeError: If a value is not an `int`, or is a `bool`.
        InvalidKeyError: If a value is out of its range, if the memory or the work is out of its
            range, or if `n` is not a power of two.
    """

    n: int = 1 << 17
    """The CPU and memory cost, a power of two, 2^14 to 2^20."""

    r: int = 8
    """The block size, 2 to 32."""

    p: int = 1
    """The parallelization, 1 to 16."""

    def __post_init__(self) -> None:
        """Check the values, first one by one and then together."""
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
        """The memory that scrypt uses, 128·n·r bytes."""
        return 128 * self.n * self.r

    @property
    def work(self) -> int:
        """The work of one passphrase guess, n·r·p."""
        return self.n * self.r * self.p


def check_cost(parameters: ScryptParameters, max_memory: int, max_work: int) -> None:
    """Raise `InvalidKeyError` if scrypt would exceed the limits of the caller."""
    for name, most in (("memory", max_memory), ("work", max_work)):
        value = getattr(parameters, name)
        if value > most:
            raise _out_of_bounds(
                f"{name} of {value}, at most {most} allowed; max_{name}= sets the limit"
            )


def derive_key(passphrase: bytes, salt: bytes, parameters: ScryptParameters) -> bytes:
    """Return K, 64 bytes.

    Raises `UnsupportedAlgorithmError` if `cryptography` or the system lacks scrypt, and
    `MemoryError` if there is not enough memory.
    """
    cost = parameters.n, parameters.r, parameters.p
    return attempt(lambda: Scrypt(salt, DERIVED_LENGTH, *cost).derive(passphrase), "scrypt")


def _out_of_bounds(reason: str) -> InvalidKeyError:
    return InvalidKeyError(f"scrypt parameters out of bounds: {reason}")
