"""The mutants of a module: each place where an operator changes code that runs."""

import ast
import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.ast.ast_query import ASTQuery
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_item import MutationSpec, WorkItem
from operators import OPERATORS

# Decorators for type checkers.
_FOR_CHECKERS = frozenset({"final", "overload", "override"})


class _Range(NamedTuple):
    """A part of a source, with positions of line and column."""

    start: tuple[int, int]
    end: tuple[int, int]

    def contains(self, start: tuple[int, int], end: tuple[int, int]) -> bool:
        """Tell if a position is in the range."""
        return self.start <= start and end <= self.end


class Change(NamedTuple):
    """The text of a mutant: the lines that differ, without the spaces around them."""

    before: str
    after: str


def digest(text: str) -> str:
    """Return a short hash of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _range(node: ast.expr | ast.stmt) -> _Range:
    """Return the range of a node; all columns are those of ASCII lines."""
    end = (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
    return _Range((node.lineno, node.col_offset), end)


def _without_effect(tree: ast.Module) -> list[_Range]:
    """Return the ranges without effect when the code runs: all that is for type checkers."""
    ranges = []
    for node in ast.walk(tree):
        annotations = (getattr(node, name, None) for name in ("annotation", "returns"))
        ranges += [_range(annotation) for annotation in annotations if annotation is not None]
        for decorator in getattr(node, "decorator_list", []):
            if ast.unparse(decorator) in _FOR_CHECKERS:
                start, end = _range(decorator)
                # With the `@` and the end of the line.
                ranges.append(_Range((start[0], 0), (end[0] + 1, 0)))
        match node:
            case ast.ClassDef() if "Protocol" in map(ast.unparse, node.bases):
                ranges.append(_range(node))
            case ast.If() if ast.unparse(node.test) == "TYPE_CHECKING":
                ranges.append(_range(node))
            case _:
                pass
    return ranges


def work_items(module: str, source: str) -> Iterator[WorkItem]:
    """Yield every mutant of a module; an ID changes if the source changes.

    Args:
        module: The path of the module below the installed packages, such as `kmscore/blob.py`.
        source: Its text.
    """
    skipped = _without_effect(ast.parse(source))
    nodes = list(ast_nodes(get_ast(source)))
    version = digest(source)
    for name in OPERATORS:
        operator = get_operator(name)()
        positions = ((node, place) for node in nodes for place in operator.mutation_positions(node))
        for occurrence, (node, (start, end)) in enumerate(positions):
            if any(part.contains(start, end) for part in skipped):
                continue
            spec = MutationSpec(
                module_path=module,
                operator_name=name,
                occurrence=occurrence,
                start_pos=start,
                end_pos=end,
                definition_name=ASTQuery(node).get_definition_name(),
            )
            yield WorkItem.single(digest(f"{module} {name} {occurrence} {version}"), spec)


def mutated(source: str, mutation: MutationSpec) -> str | None:
    """Return the source with one mutation, or None if that is not a program."""
    operator = get_operator(mutation.operator_name)()
    text: str | None = mutate_code(source, operator, mutation.occurrence)
    if text is None:
        raise ValueError(f"{mutation}: the source has no such place")
    try:
        compile(text, str(mutation.module_path), "exec")
    except SyntaxError:
        return None
    return text


def change(source: str, text: str) -> Change:
    """Return the lines that differ between a source and its mutant."""
    old, new = source.splitlines(), text.splitlines()
    first = next((n for n, pair in enumerate(zip(old, new, strict=False)) if len({*pair}) > 1), 0)
    last = 0
    while last < min(len(old), len(new)) - first and old[-1 - last] == new[-1 - last]:
        last += 1
    sides = (lines[first : len(lines) - last] for lines in (old, new))
    return Change(*(" ".join(line.strip() for line in lines if line.strip()) for lines in sides))


def statements(source: str, line: int) -> list[ast.stmt]:
    """Return the statements around a line, the innermost one last."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt):
            decorators = getattr(node, "decorator_list", [])
            first = min([node.lineno, *(item.lineno for item in decorators)])
            if first <= line <= (node.end_lineno or first):
                found.append(node)
    return sorted(found, key=lambda node: (node.end_lineno or 0) - node.lineno, reverse=True)


def runs_at_import(around: list[ast.stmt]) -> bool:
    """Tell if the innermost of some statements runs at the import."""
    return not any(isinstance(node, ast.FunctionDef) for node in around[:-1])


def own_lines(innermost: ast.stmt, line: int) -> range:
    """Return the lines of a statement; of `if` and other headers without the body.

    A function and a class are taken whole, because their headers run at the import.
    """
    last = innermost.end_lineno or innermost.lineno
    body = getattr(innermost, "body", None)
    if body and not isinstance(innermost, ast.FunctionDef | ast.ClassDef):
        last = max(line, body[0].lineno - 1)
    return range(min(innermost.lineno, line), last + 1)


class Function(NamedTuple):
    """A function in a source; `body` has the lines that do not run at the import."""

    name: str
    line: int
    body: range


def outermost_function(around: list[ast.stmt]) -> Function | None:
    """Return the function around a statement, if there is one.

    Args:
        around: The statements around the statement, the outermost first, itself last.
    """
    names = []
    for node in around[:-1]:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
            body = range(node.body[0].lineno, (node.end_lineno or first) + 1)
            return Function(".".join(names), first, body)
    return None
