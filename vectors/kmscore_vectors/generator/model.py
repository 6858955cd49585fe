"""The model of a vector file and its JSON form.

The form is that of Project Wycheproof. The fields of a test are on one level. `OUTPUTS` names the
fields that are outputs of an implementation; the others are its inputs.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Final, NamedTuple, TypeAlias

from kmscore_vectors.tables import BugType, ErrorCode, Severity

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"
Fields: TypeAlias = dict[str, Json]

_LICENCE: Final = (
    "CC0-1.0. All keys are test keys. SPEC.md, beside this file, says what each test asks."
)

OUTPUTS: Final[Mapping[str, tuple[str, ...]]] = {
    "parse_blob": ("suite_id", "key_id", "key_version_id", "iv", "ciphertext", "tag"),
    "parse_blob_base64": ("blob",),
    "canonicalize": ("canonical",),
    "canonicalize_json": ("canonical",),
    "encrypt": ("blob",),
    "decrypt": ("plaintext",),
    "asymmetric_decrypt": ("plaintext",),
    "sm2_convert": ("converted",),
    "sm2_encrypt": ("ciphertext",),
    "reencrypt": ("response",),
    "parse_service_blob": ("key_version_id", "iv", "ciphertext", "tag"),
    "service_associated_data": ("associated_data",),
    "is_ambiguous": ("ambiguous",),
    "collisions": ("collisions",),
    "service_decrypt": ("plaintext",),
    "api_call": ("response",),
    "verify_request": ("verified", "parameters"),
    "accumulated": ("digest",),
    "xaes_256_gcm_open": ("msg",),
    "xaes_256_gcm_seal": ("ct", "tag"),
    "sm2_decrypt": ("msg",),
}
"""The output fields of each operation; the other fields of a test are its inputs."""


VALID_FAILS: Final = (
    "Other implementations cannot decrypt its ciphertexts, or it cannot decrypt theirs: data is"
    " lost when one takes the place of the other."
)
"""The effect if a valid test of no special kind fails."""


@dataclass(frozen=True)
class Note:
    """The meaning of a flag: the defect or the input, and the effect if its tests fail."""

    description: str
    effect: str = VALID_FAILS
    links: tuple[str, ...] = ()
    _: KW_ONLY
    bug_type: BugType
    severity: Severity
    section: str
    """The rule that its tests check: a standard or SPEC.md, with the section."""
    cves: tuple[str, ...] = ()

    def document(self) -> Fields:
        """Return the note as a JSON object of the file."""
        fields: Fields = {
            "bugType": self.bug_type.value,
            "description": self.description,
            "effect": self.effect,
        }
        if self.cves:
            fields["cves"] = list(self.cves)
        if self.links:
            fields["links"] = list(self.links)
        return fields


class Rule(NamedTuple):
    """The rule of one test, where it is not that of its flag."""

    severity: Severity
    section: str


TWO_DEFECTS: Final = "TwoDefects"
"""The flag of tests with two defects, which `Case.also` makes."""

TWO_DEFECTS_NOTE: Final = Note(
    "Two defects with different errors. The error of the first check in the order is reported.",
    "A check that comes too late: work for requests that an earlier check would have rejected, and"
    " answers that tell a caller about keys, sizes or tags that the earlier check hides.",
    ("https://cwe.mitre.org/data/definitions/696.html",),
    bug_type=BugType.MISSING_STEP,
    severity=Severity.POLICY,
    section="SPEC section 9.1",
)


@dataclass(frozen=True)
class Case:
    """One test. An invalid test has one defect, and `repaired` is the test without it.

    A test with the flag `TWO_DEFECTS` has two. Its `repaired` has the second alone.
    """

    comment: str
    flag: str
    inputs: Fields
    outputs: Fields = field(default_factory=dict)
    trace: Fields = field(default_factory=dict)
    error: ErrorCode | None = None
    repaired: "Case | None" = None
    rule: Rule | None = None

    def rejected(
        self,
        error: ErrorCode,
        flag: str,
        comment: str,
        inputs: Fields,
        rule: Rule | None = None,
    ) -> "Case":
        """Return this case with some inputs replaced, as an invalid test."""
        return Case(comment, flag, self.inputs | inputs, error=error, repaired=self, rule=rule)

    def also(self, error: ErrorCode, comment: str, inputs: Fields) -> "Case":
        """Return this invalid test with a second defect, whose check comes before the first.

        Args:
            error: The error of the added defect, which is the one that is reported.
            comment: The added defect. The comment of this test follows it.
            inputs: The inputs to replace: exactly one field.

        Raises:
            ValueError: If this test is valid, or already has that error.
        """
        if self.error is None or self.error is error:
            raise ValueError("two defects need two different errors")
        return self.rejected(error, TWO_DEFECTS, f"{comment}, and {self.comment}", inputs)

    def document(self, tc_id: int, note: Note) -> Fields:
        """Return the test as a JSON object of the file."""
        rule = self.rule or Rule(note.severity, note.section)
        fields: Fields = {
            "tcId": tc_id,
            "comment": self.comment,
            "flags": [self.flag],
            "severity": rule.severity.value,
            "section": rule.section,
        }
        fields |= self.inputs
        if self.error is not None:
            return fields | {"result": "invalid", "error": self.error.value}
        return fields | self.outputs | {"result": "valid", "trace": self.trace}


@dataclass(frozen=True)
class Group:
    """Tests of one operation, with the inputs that they share."""

    operation: str
    cases: tuple[Case, ...]
    shared: Fields = field(default_factory=dict)


@dataclass(frozen=True)
class VectorFile:
    """One file of the suite."""

    name: str
    algorithm: str
    header: tuple[str, ...]
    notes: Mapping[str, Note]
    groups: tuple[Group, ...]

    def cases(self) -> Iterator[tuple[Group, Case]]:
        """Iterate over all tests, each with its group, in the order of the file."""
        for group in self.groups:
            for case in group.cases:
                yield group, case

    def document(self) -> Fields:
        """Return the file as a JSON object."""
        tc_ids = iter(range(1, 1 + sum(1 for _ in self.cases())))
        return {
            "algorithm": self.algorithm,
            "schema": f"{self.name}_v1_schema.json",
            "numberOfTests": sum(1 for _ in self.cases()),
            "header": [*self.header, _LICENCE],
            "notes": {flag: note.document() for flag, note in sorted(self.notes.items())},
            "testGroups": [
                {
                    "type": group.operation,
                    **group.shared,
                    "tests": [
                        case.document(next(tc_ids), self.notes[case.flag]) for case in group.cases
                    ],
                }
                for group in self.groups
            ],
        }

    def serialize(self) -> bytes:
        """Return the bytes of the file."""
        return json_bytes(self.document())


def json_bytes(document: Fields) -> bytes:
    """Return the bytes of a file in JSON: ASCII, two spaces per level, a line feed at the end."""
    return (json.dumps(document, indent=2) + "\n").encode("ascii")


def hex_fields(**values: bytes) -> Fields:
    """Return bytes as fields in lower-case hexadecimal."""
    return {name: value.hex() for name, value in values.items()}


def blob_of(case: Case) -> bytes:
    """Return the blob that a test asks about."""
    return bytes.fromhex(str(case.inputs["blob"]))


def pairs_field(pairs: Iterable[tuple[str, str]]) -> Json:
    """Return pairs as a list of lists, which keeps their order in every language."""
    return [[key, value] for key, value in pairs]
