"""Run accumulated tests: draw the cases, ask them one by one, and digest the answers."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from kmscore_vectors.files import VectorTest
from kmscore_vectors.generator import accumulated

_OPERATION: Final = "accumulated"
_DIGEST_BYTES: Final = 32


def is_accumulated(test: VectorTest) -> bool:
    """Return whether a test covers many cases."""
    return test.operation == _OPERATION


def run_accumulated(
    ask: Callable[[str, Mapping[str, Any]], Mapping[str, Any]], test: VectorTest
) -> Mapping[str, Any]:
    """Return the digest of the answers to all cases.

    If the answer to one case is `unsupported` or `failure`, it is the answer to the whole test.
    """
    digest = hashlib.shake_128()
    for case in accumulated.draw(test.file):
        answer = ask(case.operation, case.inputs)
        if "unsupported" in answer or "failure" in answer:
            return answer
        digest.update(accumulated.line(case.operation, answer))
    return {"digest": digest.hexdigest(_DIGEST_BYTES)}
