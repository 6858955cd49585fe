"""Put mistakes into an implementation, one at a time, and find out which ones the tests notice.

A mutant is a copy of the implementation with one mistake. A suite of tests is as good as the share
of mutants that fail at least one test. Each run ends at the first test that fails.
"""

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from kmscore_vectors import judgement
from kmscore_vectors.answers import missing
from kmscore_vectors.files import VectorFileError, load_json
from kmscore_vectors.judgement import Judgement, Results, Verdict
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
        try:
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("node_modules"))
            for edit in self.edits:
                self._apply(edit, copy / edit.file)
        except (OSError, UnicodeError) as error:  # shutil.Error is an OSError
            raise MutantError(f"{self.mutant_id}: the copy cannot be made: {error}") from None

    def _apply(self, edit: Edit, path: Path) -> None:
        """Replace the old text of an edit in a file."""
        text = path.read_bytes().decode("utf-8") if path.is_file() else ""
        if text.count(edit.find) != 1:
            reason = f"occurs {text.count(edit.find)} times in {edit.file}, not once"
            raise MutantError(f"{self.mutant_id}: the text to replace {reason}")
        path.write_bytes(text.replace(edit.find, edit.replace).encode("utf-8"))


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


_UNKNOWN: Final = "is_it_there"
"""An operation that no implementation has, to see whether a mutant starts."""
_PATIENT: Final = 5
"""The factor of the timeout for a test without an answer, which is asked once more."""


class Laboratory:
    """An implementation, its command and the tests for its mutants."""

    def __init__(
        self,
        source: Path,
        command: Sequence[str],
        tests: Mapping[str, Sequence[VectorTest]],
        timeout: float,
    ) -> None:
        """Prepare the runs.

        Args:
            source: The folder of the implementation.
            command: The program and its arguments. It runs in a copy of the folder.
            tests: The tests, by the name of their file.
            timeout: Seconds for one answer.

        Raises:
            MutantError: If the folder for temporary files is in the folder of the implementation.
        """
        if Path(tempfile.gettempdir()).resolve().is_relative_to(source.resolve()):
            raise MutantError(f"{source}: it contains the folder for temporary files")
        self.tests = tests
        self._source = source
        self._command = tuple(command)
        self._timeout = timeout
        self._stopped = threading.Event()
        self._unsupported: frozenset[tuple[str, int]] = frozenset()

    def check_source(self, advance: Callable[[int], None]) -> None:
        """Run the implementation without a mistake.

        Args:
            advance: A function that gets the number of answered questions.

        Raises:
            MutantError: If it fails a test, or supports none.
            CommandError: If the command cannot be started.
        """
        results = Results(self._judgements(self._source, "", advance))
        if results.failures:
            test, answer = results.failures[0].test, results.failures[0].answer
            reason = missing(answer) or results.failures[0].verdict.value
            place = f"{test.file} {test.tc_id}: {reason}"
            raise MutantError(f"the implementation without a mistake fails test {place}")
        if not results.total[Verdict.RIGHT]:
            raise MutantError("the implementation supports no test")
        self._unsupported = frozenset(
            (each.test.file, each.test.tc_id)
            for each in results.judgements
            if each.verdict is Verdict.UNSUPPORTED
        )

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
            MutantError: If a mutant cannot be made, or does not start.
            CommandError: If the command cannot be started.
        """
        with ThreadPoolExecutor(jobs) as pool:
            try:
                for fate in pool.map(self._fate, mutants):
                    advance(1)
                    yield fate
            finally:
                # After an error or Ctrl-C, the runs that have begun end at their next question.
                self._stopped.set()
                pool.shutdown(cancel_futures=True)
                self._stopped.clear()

    def _fate(self, mutant: Mutant) -> Fate:
        """Return the fate of one mutant."""
        with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
            copy = Path(folder) / self._source.name
            mutant.write(self._source, copy)
            self._check_start(mutant, copy)
            chapter = mutant.section.partition(".")[0]
            judgements = self._judgements(copy, _FILES.get(chapter, ""), lambda _: None)
            return Fate(
                mutant, next((each for each in judgements if self._is_wrong(each, copy)), None)
            )

    def _check_start(self, mutant: Mutant, copy: Path) -> None:
        """Raise `MutantError` for a mutant that does not run, such as one with bad syntax."""
        with Peer(self._command, timeout=self._timeout * _PATIENT, folder=copy) as peer:
            reason = missing(peer.ask(_UNKNOWN, {}))
        if reason is not None:
            raise MutantError(f"{mutant.mutant_id}: the mutant does not start: {reason}")

    def _is_wrong(self, result: Judgement, copy: Path) -> bool:
        """Return whether an answer differs from that of the implementation without a mistake.

        A test without an answer is asked once more, alone and with more time, because a busy
        machine is not a mistake.
        """
        if result.verdict is Verdict.UNSUPPORTED:
            return (result.test.file, result.test.tc_id) not in self._unsupported
        if result.verdict is not Verdict.NO_ANSWER:
            return result.verdict.is_failure
        with Peer(self._command, timeout=self._timeout * _PATIENT, folder=copy) as peer:
            (again,) = judgement.run("", peer.ask, [result.test], lambda _: None)
        return again.verdict.is_failure

    def _judgements(
        self, folder: Path, first: str, advance: Callable[[int], None]
    ) -> Iterator[Judgement]:
        """Yield the judgement of each test, with the tests of one file before the others."""
        names = sorted(self.tests, key=lambda name: name != first)
        tests = [test for name in names for test in self.tests[name]]
        with Peer(self._command, timeout=self._timeout, folder=folder) as peer:
            for result in judgement.run("", peer.ask, tests, advance):
                if self._stopped.is_set():
                    return
                yield result
