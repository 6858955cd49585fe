"""Contexts whose keys a map of some languages reorders or does not hold."""

from typing import Final

from kmscore_vectors.generator.wire import Pairs

UNUSUAL_KEYS: Final[dict[str, Pairs]] = {
    "integers, the greater first": (("10", "a"), ("9", "b")),
    "integers behind letters": (("b", "1"), ("a", "2"), ("2", "3"), ("1", "4")),
    "integers that are no indexes": (("4294967295", "1"), ("4294967294", "2"), ("-1", "3")),
    "integers with zeros in front": (("01", "1"), ("1", "2"), ("00", "3"), ("0", "4")),
    "a prototype": (("b", "1"), ("__proto__", "2"), ("a", "3")),
    "a prototype and an integer": (("__proto__", "1"), ("1", "2")),
    "members of objects": (("toString", "1"), ("constructor", "2"), ("hasOwnProperty", "3")),
    "beyond the basic plane and an integer": (("\uffff", "1"), ("\U00010000", "2"), ("7", "3")),
    "an empty key last": (("__proto__", "1"), ("0", "2"), ("", "3")),
}
"""An object of JavaScript has its integers first, and assigning to `__proto__` sets no member."""
