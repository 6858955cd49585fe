"""Detection of algorithms that `cryptography` defines but that are not available here.

A build of OpenSSL can lack an algorithm. `cryptography` reports this with `UnsupportedAlgorithm`.
The policy of the system can also disable an algorithm, for example with an OpenSSL configuration
file for FIPS 140. `cryptography` reports this with `InternalError` in most cases.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from cryptography.exceptions import InternalError, UnsupportedAlgorithm

from kmscore.errors import UnsupportedAlgorithmError

_Result = TypeVar("_Result")

NOT_AVAILABLE: Final = (UnsupportedAlgorithm, InternalError)
"""The exceptions of `cryptography` for an algorithm that is not available here."""


def attempt(use: Callable[[], _Result], name: str) -> _Result:
    """Return the result of `use`, or raise `UnsupportedAlgorithmError` with `name`."""
    try:
        return use()
    except NOT_AVAILABLE:
        pass
    raise unavailable(name)


def unavailable(name: str) -> UnsupportedAlgorithmError:
    """Return the error for an algorithm that is not available here."""
    return UnsupportedAlgorithmError(
        f"{name} is not available: cryptography or the system lacks it"
    )
