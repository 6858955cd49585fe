"""The mutation campaign in one command: `nox -s mutation -- --help` has the arguments."""

import argparse
import hashlib
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import report
import survivors
from campaign import Campaign
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome, WorkResult
from coverage_map import CoverageMap
from groups import GROUPS, TESTS, group_of, selected
from in_pytest import options
from installed import Copy
from report import ALL, RANDOM, Score
from server import TestServer
from sessions import Sessions
from survivors import Survivor, survivor
from warm import load_libraries

_SUPPORT = ("kmscore_vectors", "support")  # they import the package


def _arguments() -> argparse.Namespace:
    """Return the arguments of the command."""
    parser = argparse.ArgumentParser(prog="nox -s mutation --", description=__doc__)
    add = parser.add_argument
    add("parts", nargs="*", default=GROUPS, help="groups or modules (default: all groups)")
    add("--sample", type=int, metavar="N", help="test N mutants of each group (default: all)")
    add("--seed", default="1", help="seed of the sample (default: 1)")
    add("--retry", action="store_true", help="test unexplained survivors again")
    add("--budget", type=float, default=10, help="seconds of tests for one mutant (default: 10)")
    add("--report", action="store_true", help="test nothing, write the page from the results")
    add("--package", default="kmscore", help="installed package (default: kmscore)")
    add("--tests", nargs="+", default=TESTS, help="files and folders of tests")
    add("--state", type=Path, default=Path(".mutation"), help="folder of the results")
    add("--pages", type=Path, default=Path("docs/explanation"), help="folder of the page")
    return parser.parse_args()


def _test_files(places: list[str]) -> list[str]:
    """Return the test files in some folders."""
    found = []
    for place in map(Path, places):
        found += sorted(place.rglob("test_*.py")) if place.is_dir() else [place]
    return [file.as_posix() for file in found]


class Command:
    """One run of the command."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        """Copy the package."""
        self._arguments = arguments
        self._state: Path = arguments.state.resolve()
        self._state.mkdir(exist_ok=True)
        self._copy = Copy(arguments.package, self._state / "copy")
        self._copy.put_first()
        self._modules = selected(self._copy.modules(), arguments.parts)
        self._sessions = Sessions(self._copy, self._state / "sessions")
        self._reasons = survivors.read(arguments.pages / "mutation.toml")

    def _campaign(self) -> Campaign:
        """Load the tests."""
        files = _test_files(self._arguments.tests)
        flags = options(Path.cwd())
        log = self._state / "last.log"
        packages = (self._arguments.package, *_SUPPORT)
        load_libraries(packages, flags, files[:: max(1, len(files) // 8)], log)
        tests = CoverageMap(self._copy, self._state / "map", flags)
        tests.add(files)
        server = TestServer(self._copy.package, flags, files, log)
        budget = self._arguments.budget
        return Campaign(self._copy, self._sessions, tests, server, flags, budget)

    def _in_random_order(self, modules: Iterable[str]) -> list[str]:
        """Return the IDs of mutants in an order that depends on the seed alone."""
        seed = self._arguments.seed
        ids = [item.job_id for module in modules for item in self._sessions.items(module)]
        return sorted(ids, key=lambda item: hashlib.sha256(f"{seed} {item}".encode()).digest())

    def _sample(self) -> set[str]:
        """Return the IDs of the mutants that belong to the run."""
        chosen: set[str] = set()
        for group in set(map(group_of, self._modules)):
            modules = [name for name in self._modules if group_of(name) == group]
            chosen |= set(self._in_random_order(modules)[: self._arguments.sample])
        return chosen

    def _selection(self, modules: list[str]) -> str:
        """Return in words which mutants of a group have a result."""
        done = {name: set(self._sessions.results(name)) for name in modules}
        numbers = {name: len(self._sessions.items(name)) for name in modules}
        tested = set().union(*done.values())
        order = self._in_random_order(modules)
        if len(tested) == len(order):
            return ALL
        if tested == set(order[: len(tested)]):
            return RANDOM
        begun = [name for name in modules if done[name]]
        complete = sum(len(done[name]) == numbers[name] for name in begun)
        words = f"all of {complete} modules"
        return words if complete == len(begun) else f"{words}, a part of {len(begun) - complete}"

    def _wanted(self, module: str) -> set[str]:
        """Return the IDs of the unexplained survivors, which are tested again."""
        if not self._arguments.retry:
            return set()
        known = {item for reason in self._reasons for item in reason.survivors}
        return {name for name, item in self._survivors(module).items() if item not in known}

    def _survivors(self, module: str) -> dict[str, Survivor]:
        """Return the survivors of a module by their IDs, in the order of the lines."""
        specs = {item.job_id: item.mutations[0] for item in self._sessions.items(module)}
        found = {
            name: specs[name]
            for name, result in self._sessions.results(module).items()
            if result.test_outcome is TestOutcome.SURVIVED
        }
        source = self._copy.source(module)
        return {
            name: survivor(source, spec)
            for name, spec in sorted(found.items(), key=lambda item: item[1].start_pos)
        }

    def test(self) -> None:
        """Test the mutants that have no result yet."""
        campaign = self._campaign()
        chosen = self._sample()
        for module in self._modules:
            wanted = (chosen - set(self._sessions.results(module))) | self._wanted(module)
            counts: Counter[str] = Counter()

            def note(spec: MutationSpec, result: WorkResult, counts: Counter[str] = counts) -> None:
                outcome = result.test_outcome or result.worker_outcome
                counts[outcome.value] += 1
                if outcome is TestOutcome.SURVIVED:
                    print(f"{spec.module_path}:{spec.start_pos[0]}: {result.output}")
                    print(result.diff, flush=True)

            campaign.run(module, wanted, note)
            numbers = ", ".join(f"{number} {name}" for name, number in counts.items())
            print(f"{module}: {numbers or 'nothing to test'}", flush=True)

    def _score(self, modules: list[str], found: list[Survivor]) -> Score:
        """Return the score of some modules with some survivors."""
        results = [result for name in modules for result in self._sessions.results(name).values()]
        skipped = sum(result.worker_outcome is WorkerOutcome.SKIPPED for result in results)
        killed = sum(result.test_outcome is TestOutcome.KILLED for result in results)
        number = sum(len(self._sessions.items(name)) for name in modules)
        explained = len(found) - len(survivors.unexplained(found, self._reasons))
        counts = (number - skipped, len(results) - skipped, killed, explained)
        return Score(*counts, self._selection(modules))

    def report(self) -> int:
        """Write the results and the page, and print the survivors without an explanation.

        Returns:
            The number of those survivors.
        """
        groups: dict[str, tuple[Score, list[Survivor]]] = {}
        for group in dict.fromkeys(map(group_of, self._modules)):
            modules = [name for name in self._copy.modules() if group_of(name) == group]
            found = [item for name in modules for item in self._survivors(name).values()]
            score = self._score(modules, found)
            groups[group] = score, survivors.unexplained(found, self._reasons)
            print(f"{group}: {score.killed} of {score.tested} killed, {score.mutants} in all")
        report.write(self._arguments.pages, groups, self._reasons)
        rest = [item for _, items in groups.values() for item in items]
        for item in rest:
            print(f"not explained: {survivors.row(item)}")
        return len(rest)


def main() -> int:
    """Run the campaign; the status is 1 if a survivor has no explanation."""
    arguments = _arguments()
    command = Command(arguments)
    if not arguments.report:
        command.test()
    return 1 if command.report() else 0


if __name__ == "__main__":
    sys.exit(main())
