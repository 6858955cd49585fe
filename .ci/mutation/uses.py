"""The lines in functions that use a name, also through names made from it at the import."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator

_DEPTH = 4  # steps from a name to a name that is made from it
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _used(node: ast.AST) -> set[str]:
    """Return the names and attributes in a part of a program."""
    names = {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}
    return names | {item.attr for item in ast.walk(node) if isinstance(item, ast.Attribute)}


def bound_names(statement: ast.stmt) -> set[str]:
    """Return the names that a statement defines."""
    if isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
        return {statement.name}
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    return set().union(*(_used(target) for target in targets if target is not None))


def _at_import(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run at the import, those of classes included."""
    for statement in body:
        yield statement
        if not isinstance(statement, _FUNCTIONS):
            for name in ("body", "orelse"):
                yield from _at_import(getattr(statement, name, []))


def _header_uses(statement: ast.stmt) -> set[str]:
    """Return the names that a statement uses at the import."""
    if isinstance(statement, ast.ClassDef):
        parts: list[ast.AST] = [*statement.bases, *statement.decorator_list, *statement.body]
        parts = [part for part in parts if not isinstance(part, _FUNCTIONS)]
    elif isinstance(statement, _FUNCTIONS):
        parts = [*statement.args.defaults, *statement.decorator_list]
        parts += [item for item in statement.args.kw_defaults if item is not None]
    else:
        parts = [statement]
    return set().union(*map(_used, parts))


class Uses:
    """An index of the names in a package."""

    def __init__(self, sources: Iterable[tuple[str, str]]) -> None:
        """Index the modules, given as paths and texts."""
        self._made_from: dict[str, set[str]] = defaultdict(set)
        self._lines: dict[str, set[tuple[str, int]]] = defaultdict(set)
        for module, source in sources:
            for statement in _at_import(ast.parse(source).body):
                for name in _header_uses(statement):
                    self._made_from[name] |= bound_names(statement)
                if isinstance(statement, _FUNCTIONS):
                    self._add_body(module, statement)

    def _add_body(self, module: str, function: ast.AST) -> None:
        """Index the lines of a function."""
        for node in ast.walk(function):
            match node:
                case ast.Name(id=name, lineno=line) | ast.Attribute(attr=name, lineno=line):
                    self._lines[name].add((module, line))
                case _:
                    pass

    def lines(self, names: set[str]) -> dict[str, set[int]]:
        """Return the lines that use the names, by module."""
        known = set(names)
        for _ in range(_DEPTH):
            known |= set().union(*(self._made_from[name] for name in list(known)))
        found = defaultdict(set)
        for name in known:
            for module, line in self._lines[name]:
                found[module].add(line)
        return found
