"""Algorithms that `cryptography` knows and that this build or this system does not have.

A build can lack an algorithm, and the policy of the system (a configuration file of OpenSSL, for
example one for FIPS 140) can take it away. The library reports the first with
`UnsupportedAlgorithm` and the second, in most places, with `InternalError`.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from cryptography.exceptions import InternalError, UnsupportedAlgorithm

from kmscore.errors import UnsupportedAlgorithmError

_Result = TypeVar("_Result")

NOT_AVAILABLE: Final = (UnsupportedAlgorithm, InternalError)
"""The exceptions of `cryptography` for an algorithm that cannot be used here."""


def attempt(use: Callable[[], _Result], name: str) -> _Result:
    """Return the result of `use`, or raise `UnsupportedAlgorithmError`, which names `name`."""
    try:
        return use()
    except NOT_AVAILABLE:
        pass
    raise unavailable(name)


def unavailable(name: str) -> UnsupportedAlgorithmError:
    """Return the error for an algorithm that cannot be used here."""
    return UnsupportedAlgorithmError(
        f"{name} is not available: cryptography or the system lacks it"
    )
