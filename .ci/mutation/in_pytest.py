"""The part that runs inside pytest: it measures the lines of each test, or chooses the tests."""

import time
import tomllib
from collections import defaultdict
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any, Self

import pytest
from coverage import Coverage
from hypothesis import settings

# Plugins that cost time in each process.
_UNUSED = ("benchmark", "xdist", "pytest_cov", "cacheprovider", "anyio")
_THEIR_OPTIONS = ("--benchmark", "--numprocesses", "--dist", "--cov")


def options(project: Path) -> list[str]:
    """Return the options of pytest: those of the project, without the plugins that are not used."""
    file = project / "pyproject.toml"
    text = file.read_text("utf-8") if file.exists() else ""
    table = tomllib.loads(text).get("tool", {}).get("pytest", {}).get("ini_options", {})
    own = [item for item in table.get("addopts", []) if not item.startswith(_THEIR_OPTIONS)]
    return [
        *("-x", "-q", "--no-header", "--tb=line", "--override-ini=addopts=", *own),
        *(f"-pno:{name}" for name in _UNUSED),
        # The libraries are loaded before pytest can rewrite them.
        *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
    ]


class FixedExamples:
    """A few examples of each property, the same ones in each run."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Set the profile, after those of the files conftest.py and before the tests load."""
        settings.register_profile(
            "mutation",
            settings(),
            max_examples=25,
            derandomize=True,
            database=None,
        )
        settings.load_profile("mutation")


class Recorder(FixedExamples):
    """The lines of a package that each test runs, and its processor time.

    The time by the clock would depend on the other work of the machine.
    """

    def __init__(self, package: Path) -> None:
        """Measure a package that is not loaded yet."""
        self._package = package
        self._coverage = Coverage(
            data_file=None, config_file=False, include=[f"{package}/*"], messages=False
        )
        self.seconds: dict[str, float] = {}
        self.passed: set[str] = set()

    def __enter__(self) -> Self:
        """Start."""
        self._coverage.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._coverage.stop()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Note the lines and the time of a test."""
        self._coverage.switch_context(item.nodeid)
        start = time.process_time()
        result = yield
        self.seconds[item.nodeid] = round(time.process_time() - start, 4)
        self._coverage.switch_context("")
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that passes."""
        if report.when == "call" and report.passed:
            self.passed.add(report.nodeid)
        elif report.failed:
            self.passed.discard(report.nodeid)

    def lines(self) -> dict[str, list[tuple[list[int], list[str]]]]:
        """Return for each module the sets of lines, each with the tests that run exactly those."""
        data = self._coverage.get_data()
        found = {}
        for file in data.measured_files():
            by_test = defaultdict(list)
            for line, tests in data.contexts_by_lineno(file).items():
                for test in tests:
                    by_test[test].append(line)
            groups: dict[tuple[int, ...], list[str]] = defaultdict(list)
            for test, lines in by_test.items():
                if test in self.passed:
                    groups[tuple(sorted(lines))].append(test)
            name = Path(file).relative_to(self._package.parent).as_posix()
            found[name] = [(list(lines), tests) for lines, tests in groups.items()]
        return found


class Chooser(FixedExamples):
    """The tests that were chosen, in the order given."""

    def __init__(self, tests: Iterable[str]) -> None:
        """Run the tests of these node IDs."""
        self._order = {test: place for place, test in enumerate(tests)}
        self.killer: str | None = None
        self.number = 0

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the chosen tests.

        A mutant can change the parameters of a test. Where a chosen test is missing, all tests of
        that function run.
        """
        present = {item.nodeid for item in items}
        places = {
            test.split("[")[0]: place for test, place in self._order.items() if test not in present
        }

        def place(item: pytest.Item) -> int | None:
            return self._order.get(item.nodeid, places.get(item.nodeid.split("[")[0]))

        kept = [item for item in items if place(item) is not None]
        items[:] = sorted(kept, key=lambda item: place(item) or 0)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file that cannot be loaded."""
        if report.failed and self.killer is None:
            self.killer = f"{report.nodeid} (import)"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the test that fails."""
        self.number += report.when == "call"
        if report.failed and self.killer is None:
            self.killer = report.nodeid
