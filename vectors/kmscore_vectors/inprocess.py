"""Run an implementation in Python on the vectors, in this process.

The implementation is a function of an operation and its inputs. It returns the outputs by name, or
raises `Rejected` or `Unsupported`. Any other exception is a crash, and the run continues. There is
no limit of time.
"""

import copy
import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

from kmscore_vectors import judgement
from kmscore_vectors.answers import Answer, Ask, are_outputs
from kmscore_vectors.files import choose_folder
from kmscore_vectors.judgement import Results
from kmscore_vectors.selection import Selection, load_selected

__all__ = [
    "Function",
    "FunctionError",
    "Rejected",
    "Selection",
    "Unsupported",
    "answering",
    "load",
    "run",
]

Function: TypeAlias = Callable[[str, dict[str, Any]], Mapping[str, Any]]
"""An implementation: a function from an operation and its inputs to its outputs."""

_EVERYTHING: Final = Selection()


class Rejected(Exception):  # noqa: N818 (the result of an operation, not an error of this package)
    """The implementation rejects the inputs.

    Attributes:
        code: The code of SPEC.md section 9.
    """

    def __init__(self, code: str) -> None:
        """Keep the code."""
        super().__init__(code)
        self.code = code


class Unsupported(Exception):  # noqa: N818 (the same)
    """The implementation does not have this operation, or not with these inputs."""


class FunctionError(Exception):
    """`MODULE:FUNCTION` names something that cannot be imported or called."""


def run(
    ask: Function,
    *,
    folder: Path | None = None,
    selection: Selection = _EVERYTHING,
    accumulated: bool = False,
) -> Results:
    """Return the results of an implementation on the selected tests.

    Args:
        ask: The implementation: it takes the name of an operation and a copy of its inputs
            (SPEC.md section 11.2), and returns the outputs by name.
        folder: The folder of the vectors (default: the vectors of the package).
        selection: The selection of tests (default: all of them).
        accumulated: Whether to run the tests of 10,000 cases each (default: no).

    Returns:
        The results; `is_success` is their summary, and `failures` has the details.

    Raises:
        VectorFileError: If the vectors cannot be read.
        SelectionError: If a name is unknown, or if no test is selected.
    """
    files = load_selected(choose_folder(folder), selection, accumulated=accumulated, proofs=True)
    tests = [test for group in files.values() for test in group]
    name = getattr(ask, "__qualname__", type(ask).__qualname__)
    return Results(judgement.run(name, answering(ask), tests, lambda _: None))


def answering(function: Function) -> Ask:
    """Return a function that asks an implementation, and returns the answer or the reason.

    Args:
        function: The implementation.

    Returns:
        A function from an operation and its inputs to the answer.
    """

    def ask(operation: str, inputs: Mapping[str, Any]) -> Answer:
        try:
            # A copy, because the tests of a group share inputs.
            outputs: Any = function(operation, copy.deepcopy(dict(inputs)))
        except Rejected as rejected:
            return {"error": str(rejected.code)}
        except Unsupported:
            return {"unsupported": True}
        except KeyboardInterrupt:
            raise
        # Some languages under Python raise exceptions that are not an `Exception`.
        except BaseException as error:  # noqa: BLE001 (the other tests go on)
            return {"crash": describe(error)}
        if isinstance(outputs, Mapping) and are_outputs(outputs):
            return dict(outputs)
        return {"failure": "not an answer: the function has to return outputs by name, as texts"}

    return ask


def describe(error: BaseException) -> str:
    """Return the type of an exception and its message, if it has a usable one."""
    name = type(error).__name__
    try:
        return f"{name}: {error}"
    except Exception:  # noqa: BLE001 (the exception is not of this package)
        return name


def load(name: str) -> Function:
    """Import an implementation; the current folder is on the path of the import.

    Args:
        name: `MODULE:FUNCTION`, where FUNCTION may have dots.

    Returns:
        The function.

    Raises:
        FunctionError: If the name has another form, or the import fails, or the module has no such
            function.
    """
    module_name, _, function_name = name.partition(":")
    if not module_name or not function_name:
        raise FunctionError(f"{name}: use MODULE:FUNCTION")
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        function: Any = importlib.import_module(module_name)
        for part in function_name.split("."):
            function = getattr(function, part)
    except (Exception, SystemExit) as error:  # noqa: BLE001 (the module is not of this package)
        raise FunctionError(f"{name} cannot be imported: {describe(error)}") from None
    if not callable(function):
        raise FunctionError(f"{name} is not a function")
    return cast("Function", function)
