"""Conditions of policy statements: tests of facts about a request, such as its address.

A condition has an operator, a key and values. The facts come from the caller of the API. A test
has three results: true, false, or unknown (`None`) if the fact is missing.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from kmscore.alibaba.parameter_readers import read_boolean

SOURCE_IP: Final = "acs:SourceIp"
CURRENT_TIME: Final = "acs:CurrentTime"
SECURE_TRANSPORT: Final = "acs:SecureTransport"

Facts: TypeAlias = Mapping[str, object]
"""Facts about a request, by the key of a condition.

`acs:SourceIp` is the address of the client as text, `acs:CurrentTime` a `datetime` with a time
zone, and `acs:SecureTransport` whether the request came over TLS, a `bool`.
"""

Read: TypeAlias = Callable[[str], Any]
Test: TypeAlias = Callable[[Any, Any], bool]


_MAPPED: Final = IPv6Network("::ffff:0:0/96")


class Operator(NamedTuple):
    """The test of a fact with one value."""

    test: Test
    """Whether a fact and a value of the document match."""

    is_negated: bool = False
    """Whether the condition is true if no value matches."""


def read_network(text: str) -> IPv4Network | IPv6Network:
    """Return an address or a block of addresses. Raises `ValueError`.

    IPv4 addresses in IPv6 form are IPv4 addresses, as in the facts.
    """
    network = ip_network(text)
    if isinstance(network, IPv4Network):
        return network
    if network.network_address.scope_id is not None:
        raise ValueError("an address with a zone")
    if network.subnet_of(_MAPPED):
        address = int(network.network_address) & 0xFFFF_FFFF
        return IPv4Network((address, network.prefixlen - _MAPPED.prefixlen))
    if network.overlaps(_MAPPED):
        raise ValueError("a block with IPv4 and other addresses; give one for each")
    return network


def read_date(text: str) -> datetime:
    """Return a date with a time zone (ISO 8601). Raises `ValueError`."""
    date = datetime.fromisoformat(text)
    if date.utcoffset() is None:
        raise ValueError("a date without a time zone")
    return date


def read_truth(text: str) -> bool:
    """Return a truth value. Raises `ValueError`."""
    truth = read_boolean(text)
    if truth is None:
        raise ValueError("neither true nor false")
    return truth


def read_pattern(text: str) -> str:
    """Return a pattern, in which `*` matches any characters. Raises `ValueError`."""
    if "?" in text:
        raise ValueError("the wildcard ? is not supported")
    return text


def matches(pattern: str, text: str) -> bool:
    """Return whether a text matches a pattern in which `*` matches any characters.

    The text between two `*` is searched from the left, without backtracking. The search therefore
    takes linear time for each `*`.
    """
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    *middle, last = rest
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    position, end = len(first), len(text) - len(last)
    for piece in middle:
        position = text.find(piece, position, end)
        if position < 0:
            return False
        position += len(piece)
    return True


def _contains(fact: IPv4Address | IPv6Address, network: IPv4Network | IPv6Network) -> bool:
    return fact in network


class Family(NamedTuple):
    """Operators with the same kind of values."""

    read: Read
    """The function that reads a value of a document."""

    operators: Mapping[str, Operator]


_FAMILIES: Final = (
    Family(
        read_network,
        {
            "IpAddress": Operator(_contains),
            "NotIpAddress": Operator(_contains, is_negated=True),
        },
    ),
    Family(
        read_date,
        {
            "DateEquals": Operator(lambda fact, value: fact == value),
            "DateNotEquals": Operator(lambda fact, value: fact == value, is_negated=True),
            "DateLessThan": Operator(lambda fact, value: fact < value),
            "DateLessThanEquals": Operator(lambda fact, value: fact <= value),
            "DateGreaterThan": Operator(lambda fact, value: fact > value),
            "DateGreaterThanEquals": Operator(lambda fact, value: fact >= value),
        },
    ),
    Family(read_truth, {"Bool": Operator(lambda fact, value: fact is value)}),
    Family(
        str,
        {
            "StringEquals": Operator(lambda fact, value: fact == value),
            "StringNotEquals": Operator(lambda fact, value: fact == value, is_negated=True),
            "StringEqualsIgnoreCase": Operator(
                lambda fact, value: fact.casefold() == value.casefold()
            ),
            "StringNotEqualsIgnoreCase": Operator(
                lambda fact, value: fact.casefold() == value.casefold(), is_negated=True
            ),
        },
    ),
    Family(
        read_pattern,
        {
            "StringLike": Operator(lambda fact, value: matches(value, fact)),
            "StringNotLike": Operator(lambda fact, value: matches(value, fact), is_negated=True),
        },
    ),
)

OPERATORS: Final[Mapping[str, tuple[Read, Operator]]] = MappingProxyType(
    {
        name: (family.read, operator)
        for family in _FAMILIES
        for name, operator in family.operators.items()
    }
)
"""Each operator by name, with the function that reads its values."""


def _address(fact: object) -> IPv4Address | IPv6Address | None:
    """Return the address of the client; an IPv4 address in IPv6 form is the IPv4 address."""
    try:
        address = ip_address(fact) if isinstance(fact, str) else None
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _address_text(fact: object) -> str | None:
    """Return the address of the client as text, in one form."""
    address = _address(fact)
    return None if address is None else str(address)


def _date(fact: object) -> datetime | None:
    return fact if isinstance(fact, datetime) and fact.utcoffset() is not None else None


def _truth(fact: object) -> bool | None:
    return fact if isinstance(fact, bool) else None


KEYS: Final[Mapping[str, Mapping[Read, Callable[[object], Any]]]] = MappingProxyType(
    {
        SOURCE_IP: {read_network: _address, str: _address_text, read_pattern: _address_text},
        CURRENT_TIME: {read_date: _date},
        SECURE_TRANSPORT: {read_truth: _truth},
    }
)
"""The supported keys, each with the functions that prepare its fact, by the kind of values."""


class Condition(NamedTuple):
    """One operator on one key, with its values, of which one must match."""

    operator: str
    key: str
    values: tuple[Any, ...]

    def holds(self, facts: Facts) -> bool | None:
        """Return whether the condition is true, or `None` if its fact is missing or unusable."""
        read, (test, is_negated) = OPERATORS[self.operator]
        fact = KEYS[self.key][read](facts.get(self.key))
        if fact is None:
            return None
        return any(test(fact, value) for value in self.values) is not is_negated


def read_conditions(value: object) -> tuple[Condition, ...]:
    """Return the conditions of a statement. Raises `ValueError` with the element and the reason."""
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 (of a document)
    return tuple(
        _condition(operator, key, values)
        for operator, block in value.items()
        for key, values in _block(operator, block).items()
    )


def _block(operator: str, block: object) -> dict[str, Any]:
    """Return the keys of an operator with their values."""
    if operator not in OPERATORS:
        raise ValueError(f"the operator {operator!r:.80} is not supported")
    if not isinstance(block, dict) or not block:
        raise ValueError(f"{operator} must be an object with a key")
    return block


def _condition(operator: str, key: str, given: object) -> Condition:
    read, _ = OPERATORS[operator]
    if key not in KEYS:
        raise ValueError(f"the key {key!r:.80} is not supported")
    if read not in KEYS[key]:
        raise ValueError(f"{operator} does not fit the key {key}")
    texts = given if isinstance(given, list) else [given]
    values = []
    for each in texts:
        text = str(each).lower() if isinstance(each, bool) else each
        if not isinstance(text, str):
            raise ValueError(f"a value of {key} is not a string")  # noqa: TRY004 (of a document)
        try:
            values.append(read(text))
        except ValueError as error:
            reason = f"the value {text!r:.80} of {key}: {error}"
            raise ValueError(reason) from None
    if not values:
        raise ValueError(f"{key} has no value")
    return Condition(operator, key, tuple(values))
