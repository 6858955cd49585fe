"""What goes wrong with a request, and what the service says of it.

One table from the error classes of the library to the service's code, HTTP status and message.
What the vendor does not document (the answer to a failed tag, to a key of the wrong kind, the
status and text of a dry run) is decided here, and nowhere else.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from kmscore import errors
from kmscore.algorithms import KeyState


class Fault(NamedTuple):
    """An error of the service: HTTP status, code and message."""

    status: int
    code: str
    message: str


class RequestError(Exception):
    """Ends the way of a request; the outermost frame makes a response of it."""

    def __init__(self, fault: Fault) -> None:
        """Take what is wrong."""
        super().__init__(fault.code)
        self.fault = fault


class Subjects(NamedTuple):
    """The parameters of an action that its errors are about."""

    ciphertext: str | None = "CiphertextBlob"
    """`None` for an action that takes none: what is wrong with a key is its store's fault then."""

    size: str = "CiphertextBlob"
    context: str = "EncryptionContext"


def missing_parameter(name: str) -> Fault:
    """Return the fault of a parameter that is not there."""
    return Fault(400, "MissingParameter", f'The parameter "{name}" is needed but not provided.')


def invalid_parameter(name: str) -> Fault:
    """Return the fault of a parameter that is not as it has to be."""
    return Fault(400, "InvalidParameter", f'The specified parameter "{name}" is not valid.')


UNSUPPORTED_ALIAS: Final = Fault(400, "Unsupported.Alias", "Alias is not valid for this api.")
UNSUPPORTED_OPERATION: Final = Fault(400, "UnsupportedOperation", "This action is not supported.")
NO_PERMISSION: Final = Fault(
    403, "Forbidden.NoPermission", "This operation is forbidden by permission system."
)
KEY_NOT_FOUND: Final = Fault(404, "Forbidden.KeyNotFound", "The specified Key is not found.")
KEY_VERSION_NOT_FOUND: Final = Fault(
    404, "Forbidden.KeyVersionNotFound", "The specified Key version is not found."
)
ALIAS_NOT_FOUND: Final = Fault(404, "Forbidden.AliasNotFound", "The specified Alias is not found.")
INTERNAL_FAILURE: Final = Fault(500, "InternalFailure", "Internal Failure.")

DRY_RUN_PASSED: Final = Fault(
    400, "DryRunOperationError", "The request would have succeeded, but DryRun is set."
)

REJECTED: Final[Mapping[str, Fault]] = MappingProxyType(
    {
        state.value: Fault(
            409,
            f"Rejected.{state.value}",
            f"The request was rejected because the key state is {state.value}.",
        )
        for state in KeyState
        if state is not KeyState.ENABLED
    }
)
"""The fault of a key in each state that refuses every use."""

_CIPHERTEXT: Final = invalid_parameter("{0.ciphertext}")

ERRORS: Final[Mapping[type[errors.KmsCoreError], Fault]] = MappingProxyType(
    {
        # One answer to all that a ciphertext, its key version and its context can be to each other.
        errors.DecryptionError: _CIPHERTEXT,
        errors.InvalidBlobError: _CIPHERTEXT,
        errors.IncorrectKeyError: _CIPHERTEXT,
        errors.InvalidContextError: invalid_parameter("{0.context}"),
        errors.PlaintextSizeError: invalid_parameter("{0.size}"),
        errors.KeyNotFoundError: KEY_NOT_FOUND,
        errors.KeyVersionNotFoundError: KEY_VERSION_NOT_FOUND,
        # The key is there and the action does not go with it, or not in this build.
        errors.KeyUsageError: UNSUPPORTED_OPERATION,
        errors.UnsupportedAlgorithmError: UNSUPPORTED_OPERATION,
        # By state: see `REJECTED`.
        errors.KeyStateError: REJECTED[KeyState.DISABLED.value],
        # A bad public key is a parameter and found with it. This is a key that the store holds.
        errors.InvalidKeyError: INTERNAL_FAILURE,
    }
)
"""What the service says of each class of error; `{0.…}` is one of the action's `Subjects`."""


def fault_of(error: errors.KmsCoreError, subjects: Subjects) -> Fault:
    """Return what the service says of an error; of a class or state that is not ours, as of 500."""
    if isinstance(error, errors.KeyStateError):
        return REJECTED.get(str(error.state), INTERNAL_FAILURE)
    fault = next((ERRORS[kind] for kind in type(error).__mro__ if kind in ERRORS), None)
    if fault is None or (fault == _CIPHERTEXT and subjects.ciphertext is None):
        return INTERNAL_FAILURE
    return fault._replace(message=fault.message.format(subjects))


def of_dry_run(fault: Fault | None) -> Fault:
    """Return what a dry run says of a fault, or of none: one of three errors.

    A failure of the service itself stays what it is: it says nothing about the request, and the
    client has to try again.
    """
    if fault is None:
        return DRY_RUN_PASSED
    if fault.status >= INTERNAL_FAILURE.status:
        return fault
    if fault == NO_PERMISSION:
        return Fault(403, "AccessDeniedError", fault.message)
    return Fault(400, "ValidationError", fault.message)
