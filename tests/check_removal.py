"""The library with one of its checks taken out, run on the vectors."""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import kmscore

_PACKAGE = Path(kmscore.__file__).resolve().parent
_TIMEOUT = 120  # seconds; a check may be what ends a loop

# Runs the files named, or all, in every configuration; prints what failed.
_DRIVER = """
import json, sys
from kmscore.vectors.accumulation import is_accumulated
from kmscore.vectors.files import installed_folder, load
from kmscore.vectors.judgement import run
from kmscore.vectors.verifier import configurations
wanted = set(sys.argv[1:])
files = {
    name: [test for test in tests if not is_accumulated(test)]
    for name, tests in load(installed_folder(), tuple(wanted) or None)
}
print(json.dumps(sorted({
    (outcome.test.file, outcome.test.tc_id, outcome.test.flag)
    for configuration in configurations()
    for name in configuration.files if name in files
    for outcome in run("", configuration.ask, files[name], lambda _: None)
    if outcome.verdict.is_failure
})))
"""


class Site(NamedTuple):
    """A `raise`: the module, the function, and which of the function's it is, from 1."""

    module: str
    function: str
    number: int
    error: str
    line: int

    @property
    def name(self) -> str:
        """What it is called in the table: without its line, which changes too easily."""
        return f"{self.module}:{self.function}:{self.number}"


class Noticed(NamedTuple):
    """A test that does not come out as it must."""

    file: str
    tc_id: int
    flag: str


def engine_modules() -> list[str]:
    """Return the path of every module of the engine, without the tools that are built on it."""
    paths = (path.relative_to(_PACKAGE) for path in sorted(_PACKAGE.rglob("*.py")))
    return [str(path) for path in paths if path.parts[0] not in {"cli", "vectors"}]


def sites(module: str) -> Iterator[Site]:
    """Yield every `raise` of a module, in the order of its lines."""
    tree = ast.parse((_PACKAGE / module).read_text("utf-8"))
    yield from _within(module, "", tree)


def _within(module: str, scope: str, node: ast.AST) -> Iterator[Site]:
    found = 0
    queue = list(ast.iter_child_nodes(node))
    while queue:
        child = queue.pop(0)
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            yield from _within(module, f"{scope}.{child.name}".lstrip("."), child)
            continue
        if isinstance(child, ast.Raise):
            found += 1
            error = "" if child.exc is None else ast.unparse(child.exc).partition("(")[0]
            yield Site(module, scope, found, error, child.lineno)
        queue = [*ast.iter_child_nodes(child), *queue]


def noticed_without(site: Site, folder: Path, files: tuple[str, ...] = ()) -> list[Noticed]:
    """Return the tests that fail once a `raise` is taken out of a copy of the package.

    If the library cannot be imported any more, or never ends, that is a test of its own.
    """
    copy = folder / "kmscore"
    if not copy.exists():
        shutil.copytree(_PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    file = copy / site.module
    original = file.read_text("utf-8")
    file.write_text(_without(original, site), "utf-8")
    try:
        return run_copy(folder, files)
    finally:
        file.write_text(original, "utf-8")


def run_copy(folder: Path, files: tuple[str, ...] = ()) -> list[Noticed]:
    """Return the tests that fail on the copy in a folder."""
    command = [sys.executable, "-P", "-B", "-c", _DRIVER, *files]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    try:
        result = subprocess.run(
            command, capture_output=True, env=environment, timeout=_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        return [Noticed("never ends", 0, "")]
    if result.returncode:
        return [Noticed("does not start", 0, "")]
    return [Noticed(*found) for found in json.loads(result.stdout)]


def _without(source: str, site: Site) -> str:
    """Return the source with `pass` in the place of a `raise`."""
    lines = source.splitlines(keepends=True)
    node = next(
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Raise) and node.lineno == site.line
    )
    assert node.end_lineno is not None
    # Nothing but ASCII stands before a statement on its line, so the offset in bytes will do.
    lines[node.lineno - 1 : node.end_lineno] = [
        lines[node.lineno - 1][: node.col_offset] + "pass\n"
    ]
    return "".join(lines)
