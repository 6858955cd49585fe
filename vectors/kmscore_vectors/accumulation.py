"""Accumulated tests: the cases are drawn anew, asked one by one, and the answers digested."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from kmscore_vectors.files import VectorTest
from kmscore_vectors.generator import accumulated

_OPERATION: Final = "accumulated"
_DIGEST_BYTES: Final = 32


def is_accumulated(test: VectorTest) -> bool:
    """Return whether a test stands for many cases."""
    return test.operation == _OPERATION


def run_accumulated(
    ask: Callable[[str, Mapping[str, Any]], Mapping[str, Any]], test: VectorTest
) -> Mapping[str, Any]:
    """Return the digest of the answers to all cases.

    If one is not supported, or there is none to be had, that is the answer to all.
    """
    digest = hashlib.shake_128()
    for case in accumulated.draw(test.file):
        answer = ask(case.operation, case.inputs)
        if "unsupported" in answer or "failure" in answer:
            return answer
        digest.update(accumulated.line(case.operation, answer))
    return {"digest": digest.hexdigest(_DIGEST_BYTES)}
