"""The selection of tests: by severity, file, operation, flag and number."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from kmscore_vectors.accumulation import is_accumulated
from kmscore_vectors.files import NAMES, load
from kmscore_vectors.judgement import must_succeed
from kmscore_vectors.tables import Severity
from kmscore_vectors.vector_test import VectorTest

_RANGE: Final = re.compile(r"([^:]+):([0-9]{1,9})(?:-([0-9]{1,9}))?", re.ASCII)


class SelectionError(Exception):
    """A selection names something unknown, or selects no test."""


@dataclass(frozen=True)
class Numbers:
    """The tests of a file with the numbers (`tcId`) from `first` to `last`."""

    file: str
    first: int
    last: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the tests that `FILE:TCID` or `FILE:FIRST-LAST` names.

        Args:
            text: The name of a file without `.json`, and one or two numbers.

        Returns:
            The tests of this file with these numbers.

        Raises:
            SelectionError: If the text has another form.
        """
        match = _RANGE.fullmatch(text)
        if match is None:
            raise SelectionError(f"test {text}: use FILE:TCID or FILE:FIRST-LAST")
        file, first, last = match.groups()
        return cls(file, int(first), int(last or first))

    def __str__(self) -> str:
        """Return the form that `parse` reads."""
        last = "" if self.first == self.last else f"-{self.last}"
        return f"{self.file}:{self.first}{last}"

    def matches(self, test: VectorTest) -> bool:
        """Return whether a test is one of these."""
        return test.file == self.file and self.first <= test.tc_id <= self.last


@dataclass(frozen=True)
class Selection:
    """The names that a test must have; without names of a kind, all of this kind.

    A test must match every kind, and within a kind one name. Names are exact.
    """

    severities: tuple[Severity, ...] = ()
    files: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    tests: tuple[Numbers, ...] = ()

    def matches(self, test: VectorTest) -> bool:
        """Return whether a test is selected."""
        kinds = (
            (self.severities, test.severity),
            (self.files, test.file),
            (self.operations, test.operation),
            (self.flags, test.flag),
        )
        return all(not names or name in names for names, name in kinds) and (
            not self.tests or any(numbers.matches(test) for numbers in self.tests)
        )


def load_selected(
    folder: Path, selection: Selection, *, accumulated: bool, proofs: bool = False
) -> dict[str, list[VectorTest]]:
    """Return the selected tests of every file that has some.

    Only the selected files are read. A right rejection proves nothing if the operation rejects
    everything, so `proofs` adds a valid test to each operation that has only invalid ones.

    Args:
        folder: The folder of the vectors.
        selection: The selection of tests.
        accumulated: Whether accumulated tests are selected too.
        proofs: Whether to add a valid test to an operation whose selected tests are invalid.

    Returns:
        The tests by the name of their file, in the order of the suite.

    Raises:
        VectorFileError: As in `files.load`.
        SelectionError: If a name is unknown in the selected files, or if no test is selected.
    """
    numbered = [numbers.file for numbers in selection.tests]
    for name in (*selection.files, *numbered):
        _check("file", name, NAMES)
    wanted = set(selection.files or NAMES) & set(numbered or NAMES)
    files = dict(load(folder, sorted(wanted, key=NAMES.index))) if wanted else {}
    _check_names(selection, files)
    selected = {
        name: [
            test
            for test in tests
            if selection.matches(test) and (accumulated or not is_accumulated(test))
        ]
        for name, tests in files.items()
    }
    selected = {name: tests for name, tests in selected.items() if tests}
    if not selected:
        raise SelectionError("no test is selected")
    if not proofs:
        return selected
    return {name: _prove(tests, files[name]) for name, tests in selected.items()}


def _prove(selected: Sequence[VectorTest], tests: Sequence[VectorTest]) -> list[VectorTest]:
    """Return selected tests, with the first valid test of each operation that has none."""
    proven = {test.operation for test in selected if must_succeed(test)}
    wanted = {test.operation for test in selected} - proven
    first = {test.operation: test for test in reversed(tests) if must_succeed(test)}
    return [*(first[name] for name in sorted(wanted & first.keys())), *selected]


def _check_names(selection: Selection, files: Mapping[str, Sequence[VectorTest]]) -> None:
    """Raise `SelectionError` for an operation, flag or number that the files do not have."""
    tests = [test for group in files.values() for test in group]
    for name in selection.operations:
        _check("operation", name, dict.fromkeys(test.operation for test in tests))
    for name in selection.flags:
        _check("flag", name, sorted({test.flag for test in tests}))
    for numbers in selection.tests:
        last = max((test.tc_id for test in files.get(numbers.file, ())), default=0)
        if numbers.file in files and not 1 <= numbers.first <= numbers.last <= last:
            raise SelectionError(f"test {numbers}: {numbers.file} has the tests 1 to {last}")


def _check(kind: str, name: str, known: Iterable[str]) -> None:
    known = tuple(known)
    if name not in known:
        raise SelectionError(f"unknown {kind} {name}; known: {', '.join(known)}")
