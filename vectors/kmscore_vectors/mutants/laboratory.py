"""Put mistakes into an implementation, one at a time, and find out which ones the tests notice.

A mutant is a copy of the implementation with one mistake. A suite of tests is as good as the share
of mutants that fail at least one test. Each run ends at the first test that fails.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from kmscore_vectors import judgement
from kmscore_vectors.answers import missing
from kmscore_vectors.files import VectorFileError, load_json
from kmscore_vectors.judgement import Judgement, Results
from kmscore_vectors.runner import Peer
from kmscore_vectors.vector_test import VectorTest

_FILES: Final[Mapping[str, str]] = {
    "3": "blob",
    "4": "encryption_context",
    "5": "aead",
    "6": "rsa_oaep",
    "7": "sm2pke",
    "8": "reencrypt",
    "11": "reencrypt",
    "13": "service_blob",
    "14": "service_api",
}
"""The file whose tests are asked first, by the chapter of SPEC.md that a mistake is about."""


class MutantError(Exception):
    """A mutant cannot be made, or the implementation has a mistake of its own."""


class Edit(NamedTuple):
    """A replacement in one file. The old text has to occur exactly once."""

    file: str
    find: str
    replace: str


@dataclass(frozen=True)
class Mutant:
    """A mistake in words, and the edits that make it."""

    mutant_id: str
    section: str
    mistake: str
    effect: str
    edits: tuple[Edit, ...]
    survives: str = ""
    """The reason why no test can notice it, or an empty text if a test has to."""

    def write(self, source: Path, copy: Path) -> None:
        """Copy the implementation and put the mistake in.

        Args:
            source: The folder of the implementation.
            copy: The folder of the mutant, which must not exist.

        Raises:
            MutantError: If an old text does not occur exactly once in its file.
        """
        shutil.copytree(source, copy, ignore=shutil.ignore_patterns("node_modules"))
        for edit in self.edits:
            path = copy / edit.file
            text = path.read_text("utf-8") if path.is_file() else ""
            if text.count(edit.find) != 1:
                reason = f"occurs {text.count(edit.find)} times in {edit.file}, not once"
                raise MutantError(f"{self.mutant_id}: the text to replace {reason}")
            path.write_text(text.replace(edit.find, edit.replace), "utf-8")


class Fate(NamedTuple):
    """A mutant and the first test that it failed, or `None` if it passed all tests."""

    mutant: Mutant
    noticed: Judgement | None

    @property
    def is_expected(self) -> bool:
        """Whether a test noticed the mistake, or its survival is explained; not both."""
        return (self.noticed is None) == bool(self.mutant.survives)


def load_mutants(path: Path) -> tuple[Mutant, ...]:
    """Return the mutants of a file.

    Args:
        path: A JSON file by `schemas/mutants_v1_schema.json`.

    Returns:
        The mutants, in the order of the file.

    Raises:
        VectorFileError: If the file cannot be read or does not match its schema, or if two mutants
            have the same ID.
    """
    document = load_json(path, "mutants")
    mutants = tuple(_mutant(fields) for fields in document["mutants"])
    if len({mutant.mutant_id for mutant in mutants}) != len(mutants):
        raise VectorFileError(f"{path}: two mutants have the same id")
    return mutants


def _mutant(fields: Mapping[str, Any]) -> Mutant:
    """Return the mutant of a JSON object."""
    return Mutant(
        fields["id"],
        fields["section"],
        fields["mistake"],
        fields["effect"],
        tuple(Edit(**edit) for edit in fields["edits"]),
        fields.get("survives", ""),
    )


@dataclass(frozen=True)
class Laboratory:
    """An implementation, its command and the tests for its mutants."""

    source: Path
    command: tuple[str, ...]
    tests: Mapping[str, Sequence[VectorTest]]
    timeout: float

    def check_source(self, advance: Callable[[int], None]) -> None:
        """Run the implementation without a mistake.

        Args:
            advance: A function that gets the number of answered questions.

        Raises:
            MutantError: If it fails a test, or supports none.
            CommandError: If the command cannot be started.
        """
        results = Results(self._judgements(self.source, "", advance))
        if results.failures:
            test, answer = results.failures[0].test, results.failures[0].answer
            reason = missing(answer) or results.failures[0].verdict.value
            place = f"{test.file} {test.tc_id}: {reason}"
            raise MutantError(f"the implementation without a mistake fails test {place}")
        if not results.is_success:
            raise MutantError("the implementation supports no test")

    def run(
        self, mutants: Sequence[Mutant], jobs: int, advance: Callable[[int], None]
    ) -> Iterator[Fate]:
        """Yield the fate of each mutant, in the given order.

        Args:
            mutants: The mutants.
            jobs: The number of mutants that run at a time.
            advance: A function that gets the number of finished mutants.

        Yields:
            The fates.

        Raises:
            MutantError: If a mutant cannot be made.
            CommandError: If the command cannot be started.
        """
        with ThreadPoolExecutor(jobs) as pool:
            try:
                for fate in pool.map(self._fate, mutants):
                    advance(1)
                    yield fate
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _fate(self, mutant: Mutant) -> Fate:
        """Return the fate of one mutant."""
        with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
            copy = Path(folder) / self.source.name
            mutant.write(self.source, copy)
            chapter = mutant.section.partition(".")[0]
            return Fate(mutant, self._first_failure(copy, _FILES.get(chapter, "")))

    def _first_failure(self, folder: Path, first: str) -> Judgement | None:
        """Return the first failure in a folder, with the tests of one file before the others."""
        judgements = self._judgements(folder, first, lambda _: None)
        return next((each for each in judgements if each.verdict.is_failure), None)

    def _judgements(
        self, folder: Path, first: str, advance: Callable[[int], None]
    ) -> Iterator[Judgement]:
        """Yield the judgement of each test."""
        names = sorted(self.tests, key=lambda name: name != first)
        tests = [test for name in names for test in self.tests[name]]
        with Peer(self.command, timeout=self.timeout, folder=folder) as peer:
            yield from judgement.run("", peer.ask, tests, advance)
