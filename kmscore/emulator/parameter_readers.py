"""Functions that read the text of a parameter of a management action.

Each function takes the text and returns the value, or `None` if the text is invalid. A value that
the service has and this package lacks raises `RequestError` with `UnsupportedOperation`.
"""

import json
import re
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from kmscore.algorithms import KeySpec, KeyState
from kmscore.alibaba.parameter_readers import read_boolean
from kmscore.alibaba.parameters import Read
from kmscore.alibaba.service_errors import UNSUPPORTED_OPERATION, RequestError
from kmscore.emulator.contents import SOFTWARE
from kmscore.errors import UnsupportedAlgorithmError

DEFAULT_PAGE_SIZE: Final = 10
ENCRYPT_DECRYPT: Final = "ENCRYPT/DECRYPT"
"""The usage of every key of this package."""

_MAX_DESCRIPTION: Final = 8192  # characters
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MAX_FILTERS: Final = 10  # pairs, and values of a pair
_ALIAS: Final = re.compile(r"alias/(?!acs)[A-Za-z0-9_/-]+", re.ASCII)
_MAX_ALIAS: Final = 255  # characters, with the prefix
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_SIGNING_SPECS: Final = frozenset(
    {"EC_P256", "EC_P256K", "EC_P384", "EC_P521", "HMAC_SHA256", "HMAC_SHA1"}
)
_LEVELS: Final = frozenset({SOFTWARE, "HSM"})

FILTERS: Final = frozenset(
    {"KeyState", "KeySpec", "KeyUsage", "ProtectionLevel", "CreatorType", "keyId", "AliasName"}
)
"""The properties of a key that `Filters` can name."""

_OTHER_FILTERS: Final = frozenset({"DKMSInstanceId", "Creator", "TagKey", "TagValue"})


def read_number(text: str, least: int, most: int) -> int | None:
    """Read a number in a range."""
    number = int(text) if _NUMBER.fullmatch(text) else 0
    return number if least <= number <= most else None


read_page_number: Read = partial(read_number, least=1, most=999_999_999)
read_page_size: Read = partial(read_number, least=1, most=100)
read_window: Read = partial(read_number, least=7, most=366)


def read_description(text: str) -> str | None:
    """Read a description of 0 to 8,192 characters that XML 1.0 has, because responses show it."""
    is_valid = len(text) <= _MAX_DESCRIPTION and _NOT_XML.search(text) is None
    return text if is_valid else None


def read_alias(text: str) -> str | None:
    """Read an alias: the prefix `alias/`, then letters, digits, `_`, `-` and `/`."""
    return text if len(text) <= _MAX_ALIAS and _ALIAS.fullmatch(text) else None


def read_spec(text: str) -> KeySpec | None:
    """Read a key spec."""
    if text in _SIGNING_SPECS:
        raise RequestError(UNSUPPORTED_OPERATION)
    try:
        return KeySpec.of(text, "spec")
    except UnsupportedAlgorithmError:
        return None


def read_level(text: str) -> str | None:
    """Read a protection level."""
    return text if text in _LEVELS else None


def _read_only(text: str, supported: str, others: frozenset[str]) -> str | None:
    """Read a value of which only one is supported."""
    if text in others:
        raise RequestError(UNSUPPORTED_OPERATION)
    return text if text == supported else None


read_usage: Read = partial(
    _read_only,
    supported=ENCRYPT_DECRYPT,
    others=frozenset({"SIGN/VERIFY", "GENERATE/VERIFY_MAC"}),
)
read_origin: Read = partial(_read_only, supported="Aliyun_KMS", others=frozenset({"EXTERNAL"}))


def read_rotation(text: str) -> bool | None:
    """Read whether a key is rotated automatically; only `false` is supported."""
    value = read_boolean(text)
    if value:
        raise RequestError(UNSUPPORTED_OPERATION)
    return value


def reject(_text: str) -> None:
    """Reject a parameter of a feature that this package lacks."""
    raise RequestError(UNSUPPORTED_OPERATION)


def read_filters(text: str) -> tuple[tuple[str, frozenset[str]], ...] | None:
    """Read the filters of ListKeys: a JSON list of objects with `Key` and `Values`."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, list) or len(given) > _MAX_FILTERS:
        return None
    filters = [_filter(each) for each in given]
    return None if None in filters else tuple(each for each in filters if each is not None)


def _filter(given: Any) -> tuple[str, frozenset[str]] | None:  # noqa: ANN401 (JSON)
    """Return one pair of the filters, or `None` if it is invalid."""
    if not isinstance(given, dict) or given.keys() != {"Key", "Values"}:
        return None
    key, values = given["Key"], given["Values"]
    if not isinstance(values, list) or len(values) > _MAX_FILTERS:
        return None
    if not all(isinstance(text, str) for text in (key, *values)):
        return None
    if key in _OTHER_FILTERS:
        raise RequestError(UNSUPPORTED_OPERATION)
    allowed = _VALUES.get(key)
    is_valid = key in FILTERS and (allowed is None or allowed.issuperset(values))
    return (key, frozenset(values)) if is_valid else None


_VALUES: Final = MappingProxyType(
    {
        "KeyState": frozenset(KeyState),
        "KeySpec": frozenset(KeySpec) | _SIGNING_SPECS,
        "KeyUsage": frozenset({ENCRYPT_DECRYPT, "SIGN/VERIFY"}),
        "ProtectionLevel": _LEVELS,
        "CreatorType": frozenset({"User", "Service"}),
    }
)
"""The values of the properties that have a closed set of them."""
