"""Errors whose traceback does not show secrets in local variables.

Error reporters show the local variables of every frame of a traceback. Functions with a password,
a key file or key material as an argument therefore do their work in `outcome`, which returns an
error instead of raising it. They delete their local variables and then raise the error with
`unwrap`.
"""

from collections.abc import Callable
from typing import Final, ParamSpec, TypeAlias, TypeVar

from kmscore.errors import KmsCoreError

_Result = TypeVar("_Result")
_Arguments = ParamSpec("_Arguments")

Failure: TypeAlias = KmsCoreError | TypeError | ValueError | MemoryError
"""The errors that this library raises for arguments, or if a KDF cannot allocate memory."""

_FAILURES: Final = (KmsCoreError, TypeError, ValueError, MemoryError)


def outcome(
    function: Callable[_Arguments, _Result], *args: _Arguments.args, **kwargs: _Arguments.kwargs
) -> _Result | Failure:
    """Return the result of `function`, or the error that it raised, without traceback."""
    try:
        return function(*args, **kwargs)
    except _FAILURES as error:
        return error.with_traceback(None)


def unwrap(result: _Result | Failure) -> _Result:
    """Return a result of `outcome`, or raise it if it is an error."""
    if isinstance(result, _FAILURES):
        raise result
    return result
