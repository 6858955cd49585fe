"""A process that has loaded all tests, and answers for each mutant by a fork of itself.

The body of a function is replaced in memory: all that holds the function then runs the mutant.
A mutant that runs at the import needs a process that has loaded nothing; see `campaign`.
"""

import contextlib
import gc
import json
import os
import socket
import sys
import types
from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from coverage import Coverage
from in_pytest import FixedExamples
from processes import become_child, run_forked

_PATIENCE = 1800  # seconds to load all tests


class Place(NamedTuple):
    """A function in a file, as its code object names it."""

    file: str
    qualified_name: str
    line: int


def _place(code: types.CodeType) -> Place:
    """Return the place of a code object."""
    return Place(code.co_filename, code.co_qualname, code.co_firstlineno)


def _functions() -> dict[Place, list[types.FunctionType]]:
    """Return all functions of this process."""
    found = defaultdict(list)
    for item in gc.get_objects():
        if type(item) is types.FunctionType:
            found[_place(item.__code__)].append(item)
    return found


def _code(text: str, place: Place) -> types.CodeType | None:
    """Return the code of a function in a source, or None if it is not there exactly once."""
    pending, found = [compile(text, place.file, "exec", dont_inherit=True)], []
    while pending:
        code = pending.pop()
        if _place(code) == place:
            found.append(code)
        pending += [item for item in code.co_consts if isinstance(item, types.CodeType)]
    return found[0] if len(found) == 1 else None


def _make_session_fixtures(session: pytest.Session) -> None:
    """Make the fixtures of the whole session once, because RSA keys take a second each time.

    Only the fixtures of one test for each of them are made, and the test does not run.
    """
    wanted: dict[str, pytest.Function] = {}
    functions = [item for item in session.items if isinstance(item, pytest.Function)]
    for item in sorted(functions, key=lambda item: len(item.fixturenames)):
        for name, definitions in item._fixtureinfo.name2fixturedefs.items():  # noqa: SLF001
            own = not definitions[-1].func.__module__.startswith("_pytest.")
            if own and definitions[-1].scope == "session" and "tmp_path" not in item.fixturenames:
                wanted.setdefault(name, item)
    state = session._setupstate  # noqa: SLF001  (there is no public way)
    for item in dict.fromkeys(wanted.values()):
        with contextlib.suppress(pytest.skip.Exception):
            state.setup(item)
        state.teardown_exact(session.items[-1])


class _Server(FixedExamples):
    """A plugin that takes the place of the run of the tests."""

    def __init__(self, channel: socket.socket, package: Path, log: Path) -> None:
        """Serve requests from a socket."""
        self._requests = channel.makefile("r", encoding="utf-8")
        self._answers = channel.makefile("w", encoding="utf-8")
        self._package = package
        self._log = log
        self._coverage = Coverage(
            data_file=None, config_file=False, include=[f"{package}/*"], messages=False
        )
        self._coverage.start()
        self._functions: dict[Place, list[types.FunctionType]] = {}
        self._killer: str | None = None
        self._number = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the test that fails."""
        self._number += report.when == "call"
        if report.failed and self._killer is None:
            self._killer = report.nodeid

    def _send(self, answer: object) -> None:
        """Write one line."""
        self._answers.write(json.dumps(answer) + "\n")
        self._answers.flush()

    def _lines_at_import(self) -> dict[str, list[int]]:
        """Return the lines that ran while the tests were loaded."""
        self._coverage.stop()
        data = self._coverage.get_data()
        return {
            Path(file).relative_to(self._package.parent).as_posix(): data.lines(file) or []
            for file in data.measured_files()
        }

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Answer requests until the other side closes."""
        _make_session_fixtures(session)
        self._send(self._lines_at_import())
        items = {item.nodeid: item for item in session.items}
        gc.collect()
        self._functions = _functions()
        gc.freeze()
        for line in self._requests:
            request = json.loads(line)
            request["place"] = Place(*request["place"]) if request["place"] else None
            chosen = [items[name] for name in request["tests"] if name in items]
            job = partial(self._run, chosen, request)
            self._send(run_forked(job, request["seconds"], self._log))
        return True

    def _run(self, items: list[pytest.Item], request: dict[str, Any]) -> dict[str, Any]:
        """Put the mutant in place, in a process of its own, and run tests until one fails."""
        place = request["place"]
        if place is not None:
            code = _code(request["text"], place)
            functions = self._functions.get(place, [])
            if code is None or not functions:
                return {"is_possible": False}
            for function in functions:
                try:
                    function.__code__ = code
                except ValueError:
                    return {"is_possible": False}
        for item, following in zip(items, [*items[1:], None], strict=False):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._killer is not None:
                break
        return {"is_possible": True, "killer": self._killer, "number": self._number}


class TestServer:
    """The other side: asks the process with the tests."""

    def __init__(
        self, package: Path, options: Iterable[str], files: Iterable[str], log: Path
    ) -> None:
        """Start the process, and wait until it has loaded the tests."""
        self._channel, other = socket.socketpair()
        process = os.fork()
        if process == 0:  # pragma: no cover
            try:
                self._channel.close()
                become_child(log.with_name("server.log"))
                server = _Server(other, package, log)
                pytest.main([*options, "--capture=no", *files], plugins=[server])
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(0)
        other.close()
        self._process = process
        self._answers = self._channel.makefile("r", encoding="utf-8")
        self._channel.settimeout(_PATIENCE)
        answer = self._answer()
        self.lines_at_import: dict[str, list[int]] = answer if isinstance(answer, dict) else {}

    def _answer(self) -> dict[str, Any] | str:
        """Read one line."""
        line = self._answers.readline()
        if not line:
            raise SystemExit("the process with the tests has ended; see server.log")
        answer: dict[str, Any] | str = json.loads(line)
        return answer

    def ask(
        self, tests: list[str], seconds: float, place: Place | None, text: str
    ) -> dict[str, Any] | str:
        """Return the answer to a mutant, or to the unchanged package if there is no place."""
        request = {"tests": tests, "seconds": seconds, "place": place, "text": text}
        self._channel.sendall((json.dumps(request) + "\n").encode())
        return self._answer()

    def close(self) -> None:
        """End the process."""
        self._answers.close()
        self._channel.close()
        os.waitpid(self._process, 0)
