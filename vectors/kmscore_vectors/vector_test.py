"""The tests of a vector file, as questions to an implementation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from kmscore_vectors.generator.model import OUTPUTS
from kmscore_vectors.tables import ErrorCode, Severity

_OF_A_TEST: Final = frozenset(
    {"tcId", "comment", "flags", "severity", "section", "result", "error", "trace"}
)
_OF_A_GROUP: Final = frozenset({"type", "tests"})


class _Question(NamedTuple):
    """An operation that a test in the form of Project Wycheproof asks for."""

    operation: str
    inputs: tuple[str, ...]


_QUESTIONS: Final[Mapping[str, tuple[_Question, ...]]] = {
    "AeadTest": (
        _Question("xaes_256_gcm_open", ("key", "iv", "aad", "ct", "tag")),
        _Question("xaes_256_gcm_seal", ("key", "iv", "aad", "msg")),
    ),
    "Sm2Decrypt": (_Question("sm2_decrypt", ("privateKeyPkcs8", "encoding", "ct")),),
}
"""The questions for each type of group; only the first one is asked for a test that is invalid."""
_STANDARDS: Final = {
    "AeadTest": "C2SP XAES-256-GCM",
    "Sm2Decrypt": "GB/T 32918.4-2016 section 7.1",
}


@dataclass(frozen=True)
class VectorTest:
    """One test, with the shared inputs of its group and the note of its flag."""

    file: str
    tc_id: int
    operation: str
    comment: str
    flag: str
    severity: Severity
    section: str
    effect: str
    inputs: Mapping[str, Any]
    expected: Mapping[str, Any]
    links: tuple[str, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Whether the operation has to succeed."""
        return "error" not in self.expected


def read_tests(name: str, document: Any) -> Iterator[VectorTest]:  # noqa: ANN401 (any JSON)
    """Yield the tests of a file that matches its schema.

    Args:
        name: The name of the file, without `.json`.
        document: The file as a JSON object.

    Yields:
        The tests, in the order of the file.
    """
    for group in document["testGroups"]:
        if group["type"] in _QUESTIONS:
            yield from _wycheproof_tests(name, document, group)
            continue
        shared = {key: value for key, value in group.items() if key not in _OF_A_GROUP}
        for test in group["tests"]:
            (flag,), outputs = test["flags"], OUTPUTS[group["type"]]
            fields = {key: value for key, value in test.items() if key not in _OF_A_TEST}
            inputs = {key: value for key, value in fields.items() if key not in outputs}
            expected = {key: value for key, value in fields.items() if key in outputs}
            yield VectorTest(
                name,
                test["tcId"],
                group["type"],
                test["comment"],
                flag,
                Severity(test["severity"]),
                test["section"],
                document["notes"][flag].get("effect", ""),
                shared | inputs,
                {"error": test["error"]} if test["result"] == "invalid" else expected,
                tuple(document["notes"][flag].get("links", ())),
            )


def _wycheproof_tests(name: str, document: Any, group: Any) -> Iterator[VectorTest]:  # noqa: ANN401
    """Yield the tests of a group in the form of Project Wycheproof.

    A test that is `acceptable` is one to reject, of severity `strict`.
    """
    for test in group["tests"]:
        fields, (flag,) = group | test, test["flags"]
        is_valid = test["result"] == "valid"
        severity = Severity.STRICT if test["result"] == "acceptable" else Severity.STANDARD
        for question in _QUESTIONS[group["type"]][: None if is_valid else 1]:
            outputs = {key: fields[key] for key in OUTPUTS[question.operation]}
            yield VectorTest(
                name,
                test["tcId"],
                question.operation,
                test["comment"],
                flag,
                severity,
                _STANDARDS[group["type"]],
                document["notes"][flag].get("effect", ""),
                {key: fields[key] for key in question.inputs},
                outputs if is_valid else {"error": ErrorCode.DECRYPTION.value},
                tuple(document["notes"][flag].get("links", ())),
            )
