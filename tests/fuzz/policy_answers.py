"""The answers of a policy document, by another way than the library: no pattern is searched."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any, Final

_MAPPED: Final = 0xFFFF << 32  # the block ::ffff:0:0/96 of IPv4 addresses
_ANY_REGION: Final = {2, 3}


def is_allowed(
    document: Mapping[str, Any], action: str, resource: str, facts: Mapping[str, Any]
) -> bool:
    """Return whether a valid document allows an action: one statement allows it, none denies it."""
    effects = {
        statement["Effect"]
        for statement in document["Statement"]
        if _applies(statement, action, resource, facts)
    }
    return effects == {"Allow"}


def matches(pattern: str, text: str) -> bool:
    """Return whether a text matches, by a table of all prefixes."""
    row = [True, *(False for _ in text)]
    for character in pattern:
        if character == "*":
            reached = False
            row = [reached := reached or each for each in row]
        else:
            row = [False, *(row[i] and text[i] == character for i in range(len(text)))]
    return row[-1]


def _applies(statement: Any, action: str, resource: str, facts: Mapping[str, Any]) -> bool:
    # The action first: a statement about other services can have any form.
    if not any(matches(each, action) for each in _listed(statement["Action"])):
        return False
    if not any(_names(each, resource) for each in _listed(statement["Resource"])):
        return False
    results = [
        _holds(operator, facts.get(key), _listed(values))
        for operator, block in statement.get("Condition", {}).items()
        for key, values in block.items()
    ]
    unknown = statement["Effect"] == "Deny"
    return all(unknown if each is None else each for each in results)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _names(pattern: str, resource: str) -> bool:
    patterns, parts = pattern.split(":", 4), resource.split(":", 4)
    patterns += ["*"] * (5 - len(patterns))
    return all(
        matches(patterns[i], parts[i]) or (i in _ANY_REGION and parts[i] == "*") for i in range(5)
    )


def _holds(operator: str, fact: Any, values: list[Any]) -> bool | None:
    """Return the result of a condition, or `None` without its fact."""
    if fact is None:
        return None
    return any(_matches_value(operator.replace("Not", ""), fact, each) for each in values) is (
        "Not" not in operator
    )


def _matches_value(operator: str, fact: Any, value: Any) -> bool:
    if operator == "Bool":
        return str(fact).lower() == str(value).lower()
    if operator == "IpAddress":
        network = ip_network(value)
        free = network.max_prefixlen - network.prefixlen
        return _number(fact) >> free == _number(network.network_address) >> free
    if operator.startswith("Date"):
        distance = _distance(fact) - _distance(datetime.fromisoformat(value))
        if not distance:
            return "Equals" in operator
        return ("Less" if distance < timedelta() else "Greater") in operator
    text = str(ip_address(_number(fact) & 0xFFFF_FFFF))
    if operator == "StringLike":
        return matches(value, text)
    return text == value or (operator.endswith("IgnoreCase") and text == value.casefold())


def _number(address: Any) -> int:
    """Return an address as a number of 128 bits."""
    parsed = ip_address(address)
    return int(parsed) | (_MAPPED if isinstance(parsed, IPv4Address) else 0)


def _distance(date: datetime) -> timedelta:
    """Return the distance of a date from the first one, which can be less than zero."""
    local = date.replace(tzinfo=UTC) - datetime.min.replace(tzinfo=UTC)
    return local - (date.utcoffset() or timedelta())
