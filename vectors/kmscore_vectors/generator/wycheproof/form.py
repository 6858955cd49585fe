"""The model of a file in the form of Project Wycheproof, for implementations without our blob.

A test is `valid`, `invalid`, or `acceptable` where a standard or practice allows more than the
strict reading. Tests have neither an error class nor intermediate values.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from kmscore_vectors import __version__
from kmscore_vectors.generator.model import Fields, Note, json_bytes
from kmscore_vectors.tables import Severity

SOURCE: Final[Fields] = {"name": "kmscore-vectors", "version": __version__}
_RESULTS: Final = {Severity.STANDARD: "invalid", Severity.STRICT: "acceptable"}


@dataclass(frozen=True)
class WycheproofCase:
    """One test. It is valid, or its flag says why it is not."""

    comment: str
    flag: str
    fields: Fields
    is_valid: bool = True
    severity: Severity = Severity.STANDARD

    def document(self, tc_id: int) -> Fields:
        """Return the test as a JSON object of the file."""
        result = "valid" if self.is_valid else _RESULTS[self.severity]
        head: Fields = {"tcId": tc_id, "comment": self.comment, "flags": [self.flag]}
        return head | self.fields | {"result": result}


@dataclass(frozen=True)
class WycheproofGroup:
    """Tests with the same type and parameters."""

    shared: Fields
    cases: tuple[WycheproofCase, ...]


@dataclass(frozen=True)
class WycheproofFile:
    """One file in the form of Project Wycheproof."""

    name: str
    algorithm: str
    schema: str
    header: tuple[str, ...]
    notes: Mapping[str, Note]
    groups: tuple[WycheproofGroup, ...]

    def cases(self) -> Iterator[WycheproofCase]:
        """Iterate over all tests, in the order of the file."""
        for group in self.groups:
            yield from group.cases

    def document(self) -> Fields:
        """Return the file as a JSON object."""
        total = sum(1 for _ in self.cases())
        tc_ids = iter(range(1, 1 + total))
        return {
            "algorithm": self.algorithm,
            "schema": self.schema,
            "numberOfTests": total,
            "header": [*self.header, "CC0-1.0. All keys are test keys."],
            "notes": {flag: note.document() for flag, note in sorted(self.notes.items())},
            "testGroups": [
                {
                    **group.shared,
                    "source": SOURCE,
                    "tests": [case.document(next(tc_ids)) for case in group.cases],
                }
                for group in self.groups
            ],
        }

    def serialize(self) -> bytes:
        """Return the bytes of the file."""
        return json_bytes(self.document())
