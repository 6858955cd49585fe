"""The map from lines to tests: a file for each test file, made again if a source has changed."""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from in_pytest import Recorder
from installed import Copy
from mutants import digest
from processes import run_forked

_PATIENCE = 1800  # seconds for one test file


class Test(NamedTuple):
    """A test that runs a line."""

    file: str
    name: str
    seconds: float


def _measure(copy: Copy, options: Iterable[str], file: str) -> dict[str, Any]:
    """Run a test file and return what the map says of it."""
    start = time.process_time()
    with Recorder(copy.package) as recorder:
        status = int(pytest.main([*options, "--maxfail=1000", file], plugins=[recorder]))
    seconds = {test: recorder.seconds[test] for test in recorder.passed}
    rest = time.process_time() - start - sum(recorder.seconds.values())
    return {"status": status, "seconds": seconds, "rest": rest, "lines": recorder.lines()}


class CoverageMap:
    """The tests of some files, by the lines that they run."""

    def __init__(self, copy: Copy, folder: Path, options: Iterable[str]) -> None:
        """Keep the map in a folder; the options are those of pytest."""
        self._copy = copy
        self._folder = folder
        self._options = tuple(options)
        self._seconds: dict[str, float] = {}
        self.sizes: Counter[str] = Counter()
        """The number of lines that each test runs; a test of one function runs few."""
        self.rest: dict[str, float] = {}
        self._groups: dict[str, list[tuple[frozenset[int], str, list[str]]]] = defaultdict(list)

    def _versions(self, modules: Iterable[str]) -> dict[str, str]:
        """Return the hash of each module that is there."""
        present = set(self._copy.modules())
        return {name: digest(self._copy.source(name)) for name in modules if name in present}

    def _is_current(self, found: dict[str, Any], test_file: str) -> bool:
        """Tell if neither the tests nor the modules that they run have changed."""
        own = digest(Path(test_file).read_text("utf-8"))
        return bool(
            found["tests"] == own and found["versions"] == self._versions(found["versions"])
        )

    def _read(self, test_file: str) -> dict[str, Any]:
        """Return the part of a test file, from the folder or measured."""
        stored = self._folder / f"{test_file.replace('/', '__')}.json"
        if stored.exists():
            found: dict[str, Any] = json.loads(stored.read_text("utf-8"))
            if self._is_current(found, test_file):
                return found
        log = self._folder / "last.log"
        answer = run_forked(lambda: _measure(self._copy, self._options, test_file), _PATIENCE, log)
        if isinstance(answer, str) or answer["status"] not in {0, 1, 5}:
            raise SystemExit(f"{test_file}: {answer}; see {log}")
        own = digest(Path(test_file).read_text("utf-8"))
        answer |= {"tests": own, "versions": self._versions(answer["lines"])}
        stored.write_text(json.dumps(answer), "utf-8")
        number, seconds = len(answer["seconds"]), sum(answer["seconds"].values())
        print(f"{test_file}: {number} tests, {seconds:.1f} s", flush=True)
        return answer

    def add(self, test_files: Iterable[str]) -> None:
        """Add test files."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for file in test_files:
            found = self._read(file)
            self._seconds |= found["seconds"]
            self.rest[file] = found["rest"]
            for module, groups in found["lines"].items():
                for lines, tests in groups:
                    self._groups[module].append((frozenset(lines), file, tests))
                    for test in tests:
                        self.sizes[test] += len(lines)

    def tests_of(self, files: Iterable[str]) -> set[Test]:
        """Return the tests of some files."""
        starts = tuple(f"{file}::" for file in files)
        return {
            Test(name.split("::")[0], name, seconds)
            for name, seconds in self._seconds.items()
            if name.startswith(starts)
        }

    def tests(self, module: str, lines: Iterable[int] | None = None) -> Iterator[Test]:
        """Yield the tests that run one of the lines of a module, or any line in a function."""
        wanted = None if lines is None else frozenset(lines)
        for group, file, tests in self._groups[module]:
            if wanted is None or group & wanted:
                for name in tests:
                    yield Test(file, name, self._seconds[name])
