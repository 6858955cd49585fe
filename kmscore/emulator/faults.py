"""The errors of the service by code, for tests of clients."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from kmscore.alibaba import service_errors
from kmscore.alibaba.actions import PERFORM
from kmscore.alibaba.published_actions import OTHER_ACTIONS
from kmscore.alibaba.service_errors import Fault, invalid_parameter

_FAULTS: Final = (
    service_errors.ALIAS_EXISTS,
    service_errors.ALIAS_NOT_FOUND,
    service_errors.ACCESS_KEY_NOT_FOUND,
    service_errors.EXPIRED,
    service_errors.INTERNAL_FAILURE,
    service_errors.KEY_NOT_FOUND,
    service_errors.KEY_VERSION_NOT_FOUND,
    service_errors.NONCE_USED,
    service_errors.NO_PERMISSION,
    service_errors.SIGNATURE_DOES_NOT_MATCH,
    service_errors.STATE_NOT_CHANGED,
    service_errors.THROTTLED,
    service_errors.UNSUPPORTED_ALIAS,
    service_errors.UNSUPPORTED_OPERATION,
    *service_errors.REJECTED.values(),
    invalid_parameter("CiphertextBlob"),
    Fault(503, "ServiceUnavailableTemporary", "Service Unavailable Temporary."),
)

_BY_CODE: Final[Mapping[str, Fault]] = MappingProxyType({fault.code: fault for fault in _FAULTS})


def fault_with_code(code: str) -> Fault:
    """Return an error of the service.

    Args:
        code: Its code, such as `Rejected.Throttling`.

    Returns:
        The error, with its HTTP status and message.

    Raises:
        ValueError: If no error has this code. The message lists the codes.
    """
    fault = _BY_CODE.get(code)
    if fault is None:
        raise ValueError(f"no error has the code {code!r:.80}; known are {', '.join(_BY_CODE)}")
    return fault


def check_action(action: str) -> None:
    """Raise `ValueError` for an action that the service does not have, also in this letter case."""
    if action not in PERFORM and f"kms:{action}" not in OTHER_ACTIONS:
        raise ValueError(f"the service has no action {action!r:.80}; give a name such as Decrypt")
