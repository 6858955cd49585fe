"""The vectors of patterns in policy documents: only `*` is special, and each part is by itself."""

import json
from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.model import Case, Note
from kmscore_vectors.generator.service_api.cases import V1, Requests, key_name, policy
from kmscore_vectors.generator.service_api.table import NO_KEY, NO_PERMISSION
from kmscore_vectors.tables import BugType, Severity

NOTES: Final = {
    "PolicyPattern": Note(
        "A pattern with several `*`, or with characters that other languages of patterns have.",
        "A pattern that matches more than is written gives an attacker keys of others; a denial"
        " that matches less denies nothing.",
        ("https://cwe.mitre.org/data/definitions/625.html",),
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.POLICY,
        section="SPEC section 14.3",
    ),
}
_KEY: Final = "acs:kms:*:*:key/"
_EVERYTHING: Final = ("Allow", "*", "*")

_LITERALS: Final = {
    "order.": "orders",
    "or+ders": "orrders",
    "(orders": "orders",
    "[a-z]rders": "orders",
    "[!x]rders": "orders",
    "{orders,archive}": "orders",
    "orders|archive": "orders",
    "\\w*": "orders",
    "ord\\*": "ord*",
    "^orders$": "orders",
    "order_": "orders",
}
"""Key IDs that are patterns in another language, each with a text that would match there."""

_MATCHES: Final = {
    "*": "orders",
    "**": "orders",
    "*o*r*d*e*r*s*": "orders",
    "a*bc": "abcbc",
    "*ab*bac": "ababbac",
    "*abac": "ababac",
    "a*a": "aa",
    "ab*ba": "abba",
    "a*b*ba": "abba",
    "a:b": "a:b",
    "a:*:c": "a:b:c",
    "*:b": "a:b",
    "a*": "a/b:c",
    "a*b": "a\nb",
    "a*c": "a\u2028\U0001f511c",
    "order*": "order?",
}
_MISSES: Final = {
    "ord*ders": "orders",
    "a*a": "a",
    "ab*ba": "aba",
    "a*b*ba": "aba",
    "ab*b*ba": "abba",
    "abc*bcd": "abcd",
    "a:b": "a",
    "a:bb": "a:b",
    "a:*:c": "a:b:d",
    "a*:b": "ab",
    "b": "a:b",
    "a:": "a:b",
    "a*b*a": "ab",
    "*ers*ers": "orders",
    "orders": "orders\n",
    "order*s": "orders\n",
    "Orders": "orders",
    "": "orders",
    "a": "*:key/a",
    "o*": "x:key/o",
    "orders*x": "*",
    "order": "*",
}
"""Patterns of key IDs and key IDs that they do not match."""


def cases(requests: Requests) -> Iterator[Case]:
    """Yield the tests, all in the layout v1, because policies are the same in both."""
    if requests is V1:
        yield from _literals()
        yield from _wildcards()
        yield from _parts()
        yield from _actions()
        yield from _denials()


def _asked(comment: str, key_id: str, text: str, *, allowed: bool) -> Case:
    """Return a request for a key that is not there: a caller with the permission learns that."""
    rejection, step = (NO_KEY, "operation") if allowed else (NO_PERMISSION, "permission")
    params = {**V1.right("Encrypt"), "KeyId": key_id}
    return V1.rejected(comment, "PolicyPattern", step, rejection, params, text)


def _of_key(comment: str, pattern: str, key_id: str, *, allowed: bool) -> Case:
    """Return a request under a policy with one pattern; the key `orders` is there."""
    text = policy(("Allow", "kms:Encrypt", pattern))
    if key_id == "orders" and allowed:
        return V1.passed(comment, "PolicyPattern", V1.right("Encrypt"), text)
    return _asked(comment, key_id, text, allowed=allowed)


def _written(text: str) -> str:
    """Return a text in printable ASCII, for a comment."""
    return text.encode("unicode_escape").decode("ascii").replace("\\\\", "\\")


def _literals() -> Iterator[Case]:
    """Yield IDs that match themselves alone."""
    for pattern, other in _LITERALS.items():
        itself = f"{pattern[:-1]}x" if pattern.endswith("*") else pattern
        yield _of_key(f"{pattern} and {other}", _KEY + pattern, other, allowed=False)
        yield _of_key(f"{pattern} and {itself}", _KEY + pattern, itself, allowed=True)


def _wildcards() -> Iterator[Case]:
    """Yield patterns of key IDs with `*`, and others that match less than they seem to."""
    for allowed, table in ((True, _MATCHES), (False, _MISSES)):
        for pattern, key_id in table.items():
            comment = f"key/{pattern} and {_written(key_id)}"
            yield _of_key(comment, _KEY + pattern, key_id, allowed=allowed)


def _parts() -> Iterator[Case]:
    """Yield patterns with `*` in the other parts, and patterns of fewer parts."""
    for allowed, patterns in (
        (True, (
            "*:*",
            "*:*:*:*:*",
            "a*:*",
            "a*s:kms:*:*:key/orders",
            "*:*:*:*:key/orders",
            "acs:*",
            "acs:kms:*",
            "acs:kms:cn-hangzhou:1234567890123456:*",
            "acs:k*s:*:*:key/orders",
            "acs:*:*:*:key/orders",
            "acs:kms:cn-beijing:1:key/orders",
            "acs:kms:cn-*g:*9:key/orders",
            "acs:kms:CN:*:k*s",
            "acs:kms:*:*:*orders",
            "acs:kms:*:*:key*s",
        )),
        (False, (
            "acs:oss:*",
            "*:oss:*",
            "*:*:*:*:key/order",
            "acs:kms-*:*:*:key/orders",
            "acs:*kms*x:*:*:key/orders",
            "acs:kms:*:*:key",
            "acs:kms:*:*:key/*/orders",
            "acs:kms:*:*:*:key/orders",
        )),
    ):  # fmt: skip
        for pattern in patterns:
            yield _of_key(f"{pattern} and orders", pattern, "orders", allowed=allowed)
    for allowed, pattern in ((True, f"{_KEY}x:*"), (True, "acs:kms:*"), (False, f"{_KEY}a")):
        yield _of_key(f"{pattern} and x:key/a", pattern, "x:key/a", allowed=allowed)


def _actions() -> Iterator[Case]:
    """Yield patterns of actions, each alone."""
    right = V1.right("Encrypt")
    for pattern in ("kms:*crypt", "kms:Encrypt*", "kms:*Encrypt", "k*:E*r*t",
                    "*:*", "*:Encrypt", "kms:**"):  # fmt: skip
        text = policy(("Allow", pattern, "*"))
        yield V1.passed(f"{pattern} and Encrypt", "PolicyPattern", right, text)
    for pattern in ("kms:*Decrypt", "kms:ReEncrypt*",
                    "oss:*", "*-kms:*", "kms:A*Encrypt"):  # fmt: skip
        text = policy(("Allow", pattern, "*"))
        yield V1.rejected(
            f"{pattern} and Encrypt", "PolicyPattern", "permission", NO_PERMISSION, right, text
        )
    move = V1.right("ReEncrypt")
    halves = policy(("Allow", "kms:*From", f"{_KEY}ord*"), ("Allow", "kms:*To", f"{_KEY}*hive"))
    yield V1.passed("kms:*From and kms:*To", "PolicyPattern", move, halves)
    half = policy(("Allow", "kms:*ReEncrypt*To", "*"))
    yield V1.rejected(
        "kms:*ReEncrypt*To alone", "PolicyPattern", "permission", NO_PERMISSION, move, half
    )


def _denials() -> Iterator[Case]:
    """Yield denials next to a permission of everything."""
    right = V1.right("Encrypt")
    for denied, action, pattern in (
        (True, "kms:*crypt", "*"),
        (True, "*:*", f"{_KEY}*s"),
        (True, "kms:Encrypt", "acs:kms:cn-beijing:1:key/orders"),
        (True, "kms:Encrypt", "acs:kms:cn-beijing:*"),
        (True, "kms:Encrypt", "*:*"),
        (True, "kms:Encrypt", "acs:k*:*:*:k*"),
        (False, "kms:*Decrypt", "*"),
        (False, "kms:Encrypt", f"{_KEY}ORDERS"),
        (False, "kms:Encrypt", f"{_KEY}order."),
        (False, "kms:Encrypt", f"{_KEY}[o]rders"),
        (False, "kms:Encrypt", "acs:oss:*"),
        (False, "kms:Encrypt", "acs:kms:*:*:alias/*"),
    ):
        comment = f"a denial of {action} on {pattern}"
        text = policy(_EVERYTHING, ("Deny", action, pattern))
        if denied:
            yield V1.rejected(comment, "PolicyPattern", "permission", NO_PERMISSION, right, text)
        else:
            yield V1.passed(comment, "PolicyPattern", right, text)
    document = json.loads(policy(_EVERYTHING, ("Deny", "oss:*", "*")))
    document["Statement"][1]["Condition"] = {"Bool": {"acs:SecureTransport": "true"}}
    comment = "a condition in a statement of another service"
    yield V1.passed(comment, "PolicyPattern", right, json.dumps(document))
    named = {**right, "KeyId": key_name("orders")}
    text = policy(_EVERYTHING, ("Deny", "*", "acs:kms:cn-beijing:1:key/orders"))
    yield V1.rejected(
        "a denial of the key in another region than that of the request", "PolicyPattern",
        "permission", NO_PERMISSION, named, text,
    )  # fmt: skip
