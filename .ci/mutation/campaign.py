"""The campaign: for each mutant the tests that run its line, until one of them fails."""

import difflib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from functools import partial
from itertools import pairwise
from pathlib import PurePath
from typing import Any, NamedTuple

import pytest
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome, WorkResult
from coverage_map import CoverageMap, Test
from groups import OF_ALL_MODULES
from in_pytest import Chooser
from installed import Copy
from mutants import mutated, outermost_function, own_lines, runs_at_import, statements
from processes import run_forked
from server import Place, TestServer
from sessions import Sessions
from uses import Uses, bound_names

_STAGES = (1, 4)  # files in the first stages; the last stage has the others
_FAST = 0.1  # seconds
_LOST = 30  # seconds that a stage may take beyond its tests
_SLOWNESS = 10  # times the measured seconds, on a machine with other work


class Verdict(NamedTuple):
    """The answer of the tests to one mutant: the test that failed, or None."""

    killer: str | None
    number: int


def _run_tests(options: Iterable[str], files: list[str], names: list[str]) -> dict[str, Any]:
    """Run tests in this process; the result has the test that failed."""
    chooser = Chooser(names)
    status = int(pytest.main([*options, *files], plugins=[chooser]))
    return {"status": status, "killer": chooser.killer, "number": chooser.number}


class Campaign:
    """The mutants of a package and the tests that judge them."""

    def __init__(
        self,
        copy: Copy,
        sessions: Sessions,
        tests: CoverageMap,
        server: TestServer,
        options: Iterable[str],
        budget: float,
    ) -> None:
        """Take the tests from a map; `budget` limits the seconds of tests for one mutant."""
        self._copy = copy
        self._tests = tests
        self._server = server
        self._sessions = sessions
        self._options = tuple(options)
        self._budget = budget
        self._kills: Counter[str] = Counter()
        self._sound: set[str] = set()
        self._left_out: set[str] = set()
        self._uses = Uses((module, copy.source(module)) for module in copy.modules())

    def _in_order(self, tests: Iterable[Test], module: str, *, loads: bool) -> list[Test]:
        """Sort tests: those that killed most, the fast ones, then those that run the fewest lines.

        If each process loads its files, those with the name of the module and those for all
        modules come before them, and then those with the most test functions.
        """
        functions: defaultdict[str, set[str]] = defaultdict(set)
        keys = {}
        for test in tests:
            functions[test.file].add(test.name.split("[")[0])
            size = self._tests.sizes[test.name]
            keys[test] = (test.seconds > _FAST, size, test.seconds, test.name)
        named = f"test_{PurePath(module).stem.lstrip('_')}"
        first = {file for file in functions if PurePath(file).name.startswith(named)}
        first.update(OF_ALL_MODULES)
        weight = {
            file: (file not in first, -len(names)) if loads else ()
            for file, names in functions.items()
        }
        return sorted(
            keys, key=lambda test: (-self._kills[test.name], weight[test.file], keys[test])
        )

    def chosen(self, module: str, source: str, line: int, *, loads: bool) -> list[Test]:
        """Return the tests for a mutant of a line, in their order and within the budget.

        Args:
            module: The path of the module.
            source: Its text without a mutant.
            line: The line, from 1.
            loads: Whether loading the files is part of the cost.
        """
        around = statements(source, line)
        found = set(self._tests.tests(module, own_lines(around[-1], line)))
        if loads:
            found |= self._tests.tests_of(OF_ALL_MODULES)
        if runs_at_import(around):
            found |= self._users(set().union(*map(bound_names, around[-1:])), module)
        kept: list[Test] = []
        rest = self._budget
        missing = dict(self._tests.rest) if loads else {}
        usable = (test for test in found if test.name not in self._left_out)
        for test in self._in_order(usable, module, loads=loads):
            if not kept:
                missing[test.file] = 0
            cost = test.seconds + missing.get(test.file, 0)
            if not kept or cost <= rest:
                kept.append(test)
                rest -= cost
                missing[test.file] = 0
        return kept

    def _users(self, names: set[str], module: str) -> set[Test]:
        """Return the tests that run a line with one of the names, or else any of the module."""
        found: set[Test] = set()
        for other, lines in self._uses.lines(names).items():
            found |= set(self._tests.tests(other, lines))
        return found or set(self._tests.tests(module))

    def _stages(self, tests: list[Test]) -> list[list[Test]]:
        """Divide tests by their files, because it takes time to load a file."""
        cost: dict[str, tuple[float, float]] = {}
        for file in {test.file for test in tests}:
            own = [test for test in tests if test.file == file]
            kills = sum(self._kills[test.name] for test in own)
            cost[file] = (-kills, self._tests.rest[file] + sum(test.seconds for test in own))
        files = sorted(cost, key=lambda file: cost[file])
        bounds = (0, *_STAGES, max(len(files), _STAGES[-1]))
        parts = [files[low:high] for low, high in pairwise(bounds)]
        return [[test for test in tests if test.file in part] for part in parts if part]

    def judge(self, tests: list[Test]) -> Verdict:
        """Run tests on the package as it is now."""
        number = 0
        for stage in self._stages(tests):
            files = list(dict.fromkeys(test.file for test in stage))
            names = [test.name for test in stage]
            expected = sum(test.seconds for test in stage) + sum(self._tests.rest[f] for f in files)
            answer = run_forked(
                partial(_run_tests, self._options, files, names),
                _LOST + _SLOWNESS * expected,
                self._copy.folder.with_name("last.log"),
            )
            if isinstance(answer, str):
                return Verdict(answer, number)
            number += answer["number"]
            if answer["killer"] or answer["status"] not in {0, 5}:
                return Verdict(answer["killer"] or "import", number)
        return Verdict(None, number)

    def _place(self, module: str, source: str, line: int) -> tuple[Place | None, bool]:
        """Return the function of a mutant, if there is one, and whether it runs at the import.

        A function that runs while modules and tests load leaves results there.
        """
        function = outermost_function(statements(source, line))
        if function is None:
            return None, True
        place = Place(str(self._copy.folder / module), function.name, function.line)
        at_import = self._server.lines_at_import.get(module, ())
        return place, not set(function.body).isdisjoint(at_import)

    def judge_in_memory(self, tests: list[Test], place: Place | None, text: str) -> Verdict | None:
        """Run tests on a function that is replaced, or unchanged; None if that is not possible."""
        limit = _LOST + _SLOWNESS * sum(test.seconds for test in tests)
        answer = self._server.ask([test.name for test in tests], limit, place, text)
        if isinstance(answer, str):
            return Verdict(answer, 0)
        return Verdict(answer["killer"], answer["number"]) if answer["is_possible"] else None

    def _is_sound(self, verdict: Verdict, tests: list[Test]) -> bool:
        """Tell if a test that fails passes without the mutant, after the same tests as before.

        A test that does not is left out of the run, because its verdicts are wrong.
        """
        name = verdict.killer
        names = [test.name for test in tests]
        if name not in names or name in self._sound:
            return True
        until = tests[: names.index(name) + 1]
        unchanged = self.judge_in_memory(until, None, "")
        if unchanged is not None and unchanged.killer is None:
            self._sound.add(name)
            return True
        self._left_out.add(name)
        print(f"left out, because it fails without a mutant: {name}", flush=True)
        return False

    def _verdict(self, module: str, source: str, line: int, text: str) -> Verdict:
        """Return the answer of the tests to a mutant that is on disk."""
        place, at_import = self._place(module, source, line)
        if place is not None:
            tests = self.chosen(module, source, line, loads=False)
            found = self.judge_in_memory(tests, place, text)
            if found is not None and not self._is_sound(found, tests):
                return self._verdict(module, source, line, text)
            if found is not None and not at_import:
                return found
            # Results of the function without the mutant are mixed with those of the mutant, so
            # the test has to fail in a process that has loaded only the mutant.
            killers = [test for test in tests if found and test.name == found.killer]
            if killers and (confirmed := self.judge(killers)).killer is not None:
                return confirmed
        tests = self.chosen(module, source, line, loads=True)
        found = self.judge(tests)
        if self._is_sound(found, tests):
            return found
        return self._verdict(module, source, line, text)

    def _test(self, mutation: MutationSpec) -> WorkResult:
        """Return the result of one mutant."""
        module, line = mutation.module_path.as_posix(), mutation.start_pos[0]
        source = self._copy.source(module)
        text = mutated(source, mutation)
        if text is None:
            return WorkResult(WorkerOutcome.SKIPPED, output="not a program")
        lines = difflib.unified_diff(
            source.splitlines(), text.splitlines(), module, module, n=0, lineterm=""
        )
        self._copy.replace(module, text)
        try:
            verdict = self._verdict(module, source, line, text)
        finally:
            self._copy.replace(module, source)
        outcome = TestOutcome.SURVIVED if verdict.killer is None else TestOutcome.KILLED
        output = verdict.killer or f"{verdict.number} tests"
        self._kills[output] += 1
        return WorkResult(WorkerOutcome.NORMAL, output, outcome, "\n".join(lines))

    def run(
        self,
        module: str,
        wanted: AbstractSet[str],
        note: Callable[[MutationSpec, WorkResult], None],
    ) -> None:
        """Test the wanted mutants of a module, and keep each result at once."""
        items = sorted(
            (item for item in self._sessions.items(module) if item.job_id in wanted),
            key=lambda item: item.mutations[0].start_pos,
        )
        if not items:
            return
        self._kills = Counter(
            result.output
            for result in self._sessions.results(module).values()
            if result.test_outcome is TestOutcome.KILLED and result.output
        )
        for item in items:
            result = self._test(item.mutations[0])
            self._sessions.keep(module, item.job_id, result)
            note(item.mutations[0], result)
