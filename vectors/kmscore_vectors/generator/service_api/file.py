"""The vectors of requests, with responses that have no random values."""

from itertools import chain
from types import ModuleType
from typing import Final

from kmscore_vectors.generator.model import Group, Note, VectorFile
from kmscore_vectors.generator.service_api import (
    access,
    answers,
    case_folding,
    limits,
    moves,
    parameter_names,
    parameters,
    patterns,
    signature_notes,
    signatures,
    texts,
    unusable_keys,
    wrong_parameters,
)
from kmscore_vectors.generator.service_api.cases import BOTH
from kmscore_vectors.generator.shared_texts import (
    LAST_IS_PRIMARY,
    TEST_KEYS,
)

_PARTS: Final[tuple[ModuleType, ...]] = (
    parameters,
    wrong_parameters,
    parameter_names,
    limits,
    access,
    unusable_keys,
    answers,
    moves,
    texts,
    case_folding,
    patterns,
)


def make() -> VectorFile:
    """Return the file."""
    notes: dict[str, Note] = {}
    for part in _PARTS:
        notes |= part.NOTES
    notes |= signature_notes.NOTES
    return VectorFile(
        name="service_api",
        algorithm="kmscore-service-api",
        header=(
            "Requests to the nine actions of the service, and the whole response to each.",
            "Requests as they are sent over HTTP, with their signatures.",
            "Every test is valid: an error is a response. A flag says what a wrong one is open to.",
            "Where a request that succeeds would draw something, it is a dry run.",
            LAST_IS_PRIMARY,
            TEST_KEYS,
        ),
        notes=notes,
        groups=(
            *(
                Group(
                    "api_call",
                    tuple(chain.from_iterable(part.cases(requests) for part in _PARTS)),
                    requests.shared,
                )
                for requests in BOTH
            ),
            signatures.group(),
        ),
    )
