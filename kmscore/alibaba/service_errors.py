"""The errors of a request, with the code, HTTP status and message that the service returns.

One table maps the error classes of the library to errors of the service. Behaviour that the vendor
does not document is decided only here:

- the response to a failed tag;
- the response to a key of the wrong kind;
- the status and text of a dry run.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from kmscore import errors
from kmscore.algorithms import KeyState


class Fault(NamedTuple):
    """An error of the service."""

    status: int
    """The HTTP status."""

    code: str
    """The error code, such as `InvalidParameter`."""

    message: str
    """The message for the client."""


class RequestError(Exception):
    """Stops the processing of a request. `KmsApi.call` converts it to a response."""

    def __init__(self, fault: Fault) -> None:
        """Take the error of the service."""
        super().__init__(fault.code)
        self.fault = fault


class Subjects(NamedTuple):
    """The names of the parameters in the error messages of an action."""

    ciphertext: str | None = "CiphertextBlob"
    """The parameter of the ciphertext; `None` for an action without ciphertext.

    Without ciphertext, an incorrect key is an error of the key provider, not of the request.
    """

    size: str = "CiphertextBlob"
    """The parameter that determines the length of the plaintext."""

    context: str = "EncryptionContext"
    """The parameter of the encryption context."""


def missing_parameter(name: str) -> Fault:
    """Return the error for a missing parameter."""
    return Fault(400, "MissingParameter", f'The parameter "{name}" is needed but not provided.')


def invalid_parameter(name: str) -> Fault:
    """Return the error for an invalid parameter."""
    return Fault(400, "InvalidParameter", f'The specified parameter "{name}" is not valid.')


def incomplete_signature(reason: str) -> Fault:
    """Return the error for a signature that lacks a part, with the public reason."""
    return Fault(400, "IncompleteSignature", f"The signature is not complete: {reason}.")


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
THROTTLED: Final = Fault(429, "Rejected.Throttling", "QPS Limit Exceeded")
ALIAS_EXISTS: Final = Fault(400, "AliasAlreadyExists", "AliasName Already Exists.")
STATE_NOT_CHANGED: Final = Fault(409, "Rejected.StateModifiedFailed", "Keystate modified failed.")
INTERNAL_FAILURE: Final = Fault(500, "InternalFailure", "Internal Failure.")

# The codes are those of the vendor's common errors; status and message are decided here.
SIGNATURE_DOES_NOT_MATCH: Final = Fault(
    400,
    "SignatureDoesNotMatch",
    # With a colon: the client `aliyun-python-sdk-core` takes the text after it for its own message,
    # and fails with `IndexError` if there is none.
    "The signature does not match the request: check the secret of the access key.",
)
ACCESS_KEY_NOT_FOUND: Final = Fault(
    404, "InvalidAccessKeyId.NotFound", "The specified access key is not found."
)
EXPIRED: Final = Fault(
    400, "InvalidTimeStamp.Expired", "The time stamp of the request is too far from the present."
)
NONCE_USED: Final = Fault(
    400, "SignatureNonceUsed", "The signature nonce of the request was used already."
)
UNSUPPORTED_METHOD: Final = Fault(
    405, "UnsupportedHTTPMethod", "The HTTP method is not supported; use GET or POST."
)
INVALID_VERSION: Final = Fault(400, "InvalidVersion", "The specified API version is not valid.")
UNKNOWN_PATH: Final = Fault(404, "UnsupportedOperation", "The path of the request must be /.")
LENGTH_REQUIRED: Final = Fault(411, "InvalidParameter", "The body needs a Content-Length.")
REQUEST_TOO_LARGE: Final = Fault(413, "InvalidParameter", "The request is too large.")

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
"""The error for each key state except `Enabled`, by the value of the state."""

_CIPHERTEXT: Final = invalid_parameter("{0.ciphertext}")

ERRORS: Final[Mapping[type[errors.KmsCoreError], Fault]] = MappingProxyType(
    {
        # One response for every mismatch of ciphertext, key version and context, so that the
        # response does not show the cause.
        errors.DecryptionError: _CIPHERTEXT,
        errors.InvalidBlobError: _CIPHERTEXT,
        errors.IncorrectKeyError: _CIPHERTEXT,
        errors.InvalidContextError: invalid_parameter("{0.context}"),
        errors.PlaintextSizeError: invalid_parameter("{0.size}"),
        errors.KeyNotFoundError: KEY_NOT_FOUND,
        errors.KeyVersionNotFoundError: KEY_VERSION_NOT_FOUND,
        # The key exists, but does not support the action, or this build does not support it.
        errors.KeyUsageError: UNSUPPORTED_OPERATION,
        errors.UnsupportedAlgorithmError: UNSUPPORTED_OPERATION,
        # `fault_of` replaces this by the error of the state in `REJECTED`.
        errors.KeyStateError: REJECTED[KeyState.DISABLED.value],
        # This is a key of the key provider. An invalid public key in a parameter is found earlier,
        # when the parameter is read.
        errors.InvalidKeyError: INTERNAL_FAILURE,
    }
)
"""The service's error for each error class; `{0.…}` is replaced by a field of `Subjects`."""


def fault_of(error: errors.KmsCoreError, subjects: Subjects) -> Fault:
    """Return the service's error for an exception; for an unknown class or state, status 500."""
    if isinstance(error, errors.KeyStateError):
        return REJECTED.get(str(error.state), INTERNAL_FAILURE)
    fault = next((ERRORS[kind] for kind in type(error).__mro__ if kind in ERRORS), None)
    if fault is None or (fault is _CIPHERTEXT and subjects.ciphertext is None):
        return INTERNAL_FAILURE
    return fault._replace(message=fault.message.format(subjects))


def of_dry_run(fault: Fault | None) -> Fault:
    """Return the response of a dry run, one of three errors, for an error or for success (`None`).

    A failure of the service itself is returned unchanged. It gives no information about the
    request, and the client must try again.
    """
    if fault is None:
        return DRY_RUN_PASSED
    if fault.status >= INTERNAL_FAILURE.status:
        return fault
    if fault == NO_PERMISSION:
        return Fault(403, "AccessDeniedError", fault.message)
    return Fault(400, "ValidationError", fault.message)
