"""The campaign: for each mutant the tests that run its line, until one of them fails."""

import difflib
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome, WorkItem, WorkResult
from coverage_map import CoverageMap, Test
from in_pytest import Chooser
from installed import Copy
from mutants import mutated, outermost_function, own_lines, runs_at_import, statements
from processes import run_forked
from server import Place, TestServer
from sessions import Sessions
from uses import Uses, bound_names

_STAGES = (1, 4)  # files in the first stages; the last stage has the others
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
        self._uses = Uses((module, copy.source(module)) for module in copy.modules())

    def _in_order(self, tests: Iterable[Test]) -> list[Test]:
        """Sort tests: those that killed most, then one of each test function, the fastest first."""
        number: Counter[str] = Counter()
        keys = {}
        for test in sorted(tests, key=lambda test: (test.seconds, test.name)):
            function = test.name.split("[")[0]
            number[function] += 1
            keys[test] = (-self._kills[test.name], number[function], test.seconds)
        return sorted(keys, key=lambda test: keys[test])

    def chosen(self, module: str, line: int) -> list[Test]:
        """Return the tests for a mutant of a line, in their order and within the budget."""
        source = self._copy.source(module)
        around = statements(source, line)
        found = set(self._tests.tests(module, own_lines(around[-1], line)))
        if runs_at_import(around):
            found |= self._users(set().union(*map(bound_names, around[-1:])), module)
        kept, spent = [], 0.0
        for test in self._in_order(found):
            spent += test.seconds
            if kept and spent > self._budget:
                break
            kept.append(test)
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
                lambda files=files, names=names: _run_tests(self._options, files, names),
                _LOST + _SLOWNESS * expected,
                self._copy.folder.with_name("last.log"),
            )
            if isinstance(answer, str):
                return Verdict(answer, number)
            number += answer["number"]
            if answer["killer"] or answer["status"] not in {0, 5}:
                return Verdict(answer["killer"] or "import", number)
        return Verdict(None, number)

    def _place(self, module: str, line: int) -> Place | None:
        """Return the function of a mutant that can be replaced in memory."""
        source = self._copy.source(module)
        function = outermost_function(statements(source, line))
        if function is None:
            return None
        # A function that runs while modules load leaves its results there.
        if set(function.body) & set(self._server.lines_at_import.get(module, ())):
            return None
        return Place(str(self._copy.folder / module), function.name, function.line)

    def judge_in_memory(self, tests: list[Test], place: Place | None, text: str) -> Verdict | None:
        """Run tests on a function that is replaced, or unchanged; None if that is not possible."""
        limit = _LOST + _SLOWNESS * sum(test.seconds for test in tests)
        answer = self._server.ask([test.name for test in tests], limit, place, text)
        if isinstance(answer, str):
            return Verdict(answer, 0)
        return Verdict(answer["killer"], answer["number"]) if answer["is_possible"] else None

    def check_unchanged(self, module: str, line: int) -> None:
        """Stop if the tests for a line fail without a mutant, because all verdicts were wrong."""
        verdict = self.judge_in_memory(self.chosen(module, line), None, "")
        if verdict is None or verdict.killer is not None:
            raise SystemExit(f"{module}: {verdict} without a mutant")

    def _test(self, mutation: MutationSpec) -> WorkResult:
        """Return the result of one mutant."""
        module = mutation.module_path.as_posix()
        source = self._copy.source(module)
        text = mutated(source, mutation)
        if text is None:
            return WorkResult(WorkerOutcome.SKIPPED, output="not a program")
        diff = "\n".join(
            difflib.unified_diff(
                source.splitlines(), text.splitlines(), module, module, "", "", 0, ""
            )
        )
        tests = self.chosen(module, mutation.start_pos[0])
        if not tests:
            return WorkResult(WorkerOutcome.NORMAL, "no test", TestOutcome.SURVIVED, diff)
        self._copy.replace(module, text)
        try:
            place = self._place(module, mutation.start_pos[0])
            found = self.judge_in_memory(tests, place, text) if place else None
            verdict = found or self.judge(tests)
        finally:
            self._copy.replace(module, source)
        if verdict.killer is None:
            output = f"{verdict.number} tests"
            return WorkResult(WorkerOutcome.NORMAL, output, TestOutcome.SURVIVED, diff)
        self._kills[verdict.killer] += 1
        return WorkResult(WorkerOutcome.NORMAL, verdict.killer, TestOutcome.KILLED, diff)

    def run(
        self,
        module: str,
        wanted: Callable[[WorkItem], bool],
        note: Callable[[MutationSpec, WorkResult], None],
    ) -> None:
        """Test the wanted mutants of a module, and keep each result at once."""
        items = sorted(
            filter(wanted, self._sessions.items(module)),
            key=lambda item: item.mutations[0].start_pos,
        )
        if not items:
            return
        self._kills = Counter(
            result.output
            for result in self._sessions.results(module).values()
            if result.test_outcome is TestOutcome.KILLED and result.output
        )
        self.check_unchanged(module, items[0].mutations[0].start_pos[0])
        for item in items:
            result = self._test(item.mutations[0])
            self._sessions.keep(module, item.job_id, result)
            note(item.mutations[0], result)
