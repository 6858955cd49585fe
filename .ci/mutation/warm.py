"""This process as a copy of pytest that has loaded all libraries, but no module under test."""

import gc
import importlib
import sys
import warnings
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pytest
from hypothesis.internal.conjecture import providers
from processes import run_forked

_PATIENCE = 600  # seconds


def _loaded(options: Iterable[str], file: str) -> dict[str, list[str]]:
    """Load a test file and return the libraries that this takes."""
    before = set(sys.modules)
    pytest.main([*options, "--collect-only", file])
    return {
        "libraries": [
            name
            for name in set(sys.modules) - before
            if "/site-packages/" in (getattr(sys.modules[name], "__file__", None) or "")
        ]
    }


def load_libraries(
    own: Iterable[str], options: Iterable[str], files: Iterable[str], log: Path
) -> None:
    """Load the libraries that test files need.

    Args:
        own: The packages that must be loaded in each process, because they can be mutants.
        options: The options of pytest.
        files: The test files.
        log: The file for the output of pytest.
    """
    packages = {*own, "numpy", "pyarrow"}  # those two start threads
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for file in files:
            answer = run_forked(partial(_loaded, options, file), _PATIENCE, log)
            if isinstance(answer, str):
                continue
            for name in answer["libraries"]:
                if name.split(".")[0] not in packages and name not in sys.modules:
                    try:
                        importlib.import_module(name)
                    except ImportError:
                        continue
        # The constants in sources that Hypothesis tries: it reads the libraries only once.
        providers._get_local_constants()  # noqa: SLF001  (there is no public way)
    gc.collect()
    gc.freeze()
