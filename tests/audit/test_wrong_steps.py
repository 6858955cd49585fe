"""A wrong step in the audit kit is noticed by its ties, by replay or as an exception."""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support.audit_cases import Case, failures, successes
from support.samples import sampled
from support.wrong_steps import FIRST_HALF, SECOND_HALF, WrongStep

import kmscore
import kmscore.audit

_FOLDER = Path(kmscore.audit.__file__).parent
_NAME = "kmscore.audit"


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules of the audit kit, one of them with a wrong text."""

    def __init__(self, file: str, right: str, wrong: str) -> None:
        self._file, self._right, self._wrong = file, right, wrong

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 (`MetaPathFinder`)
        target: ModuleType | None = None,  # noqa: ARG002 (`MetaPathFinder`)
    ) -> importlib.machinery.ModuleSpec | None:
        """See `MetaPathFinder`."""
        if fullname != f"{_NAME}.{self._file.removesuffix('.py')}":
            return None
        origin = _FOLDER / self._file
        text = origin.read_text("utf-8")
        assert text.count(self._right) == 1, f"{self._file}: {self._right!r} is not there once"
        code = compile(text.replace(self._right, self._wrong), str(origin), "exec")
        return importlib.util.spec_from_loader(fullname, _Loader(code), origin=str(origin))


class _Loader(importlib.abc.Loader):
    """Runs code as a module."""

    def __init__(self, code: Any) -> None:
        self._code = code

    def exec_module(self, module: ModuleType) -> None:
        """See `Loader`."""
        exec(self._code, vars(module))  # noqa: S102 (our own source)


@contextmanager
def _mistaken(step: WrongStep) -> Iterator[Any]:
    """Import the audit kit again with a wrong step."""
    kept = {name: module for name, module in sys.modules.items() if name.startswith(_NAME)}
    finder = _Finder(*step[:3])
    for name in kept:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        yield importlib.import_module(_NAME)
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.startswith(_NAME)]:
            del sys.modules[name]
        sys.modules.update(kept)
        kmscore.audit = kept[_NAME]


def _is_noticed(audit: Any, case: Case) -> bool:
    """Return whether a trace disagrees with the library, with its replay, or cannot be made."""
    try:
        trace = case.run(audit)
    except Exception:  # noqa: BLE001 (a trace that cannot be made shows nothing false)
        return True
    return not trace.agrees or bool(audit.replay(trace).wrong)


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """Return the inputs."""
    return [*successes(), *failures()]


def test_no_case_is_reported_without_a_wrong_step(cases: list[Case]) -> None:
    """The unchanged kit agrees with the library on every input."""
    assert [case.name for case in cases if _is_noticed(kmscore.audit, case)] == []


def test_all_wrong_steps_are_different() -> None:
    """There are 60 mistakes, each with another text."""
    assert len({step[:3] for step in FIRST_HALF + SECOND_HALF}) == 60


@pytest.mark.parametrize("step", sampled(FIRST_HALF + SECOND_HALF, 4), ids=lambda step: step[3])
def test_a_wrong_step_is_noticed(step: WrongStep, cases: list[Case]) -> None:
    """One input at least shows the mistake."""
    with _mistaken(step) as audit:
        assert any(_is_noticed(audit, case) for case in cases)
