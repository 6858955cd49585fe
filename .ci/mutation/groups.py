"""The parts of the package with a score of their own, and the tests that can kill their mutants."""

from collections.abc import Iterable

_ABOVE = ("alibaba", "audit", "bulk", "cli", "emulator", "keyfile", "tables")
GROUPS = ("engine", "keyfile", "alibaba", "audit")
# Tests that work in this process; those that start commands do not see a function in memory.
TESTS = (
    *(f"tests/{name}" for name in ("core", "keys", "sm2", "keyfile", "laws", "alibaba", "audit")),
    *(f"tests/cli/test_{name}.py" for name in ("terminal", "inspect", "trace", "explain")),
)
# Tests of all classes of the package: they run no line of most modules, but see the decorators.
OF_ALL_MODULES = ("tests/core/test_values.py",)


def group_of(module: str) -> str:
    """Return the group of a module, such as `kmscore/blob.py`: its package, or the engine."""
    parts = module.split("/")
    return parts[1] if len(parts) > 1 and parts[1] in _ABOVE else "engine"


def selected(modules: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """Return the modules of groups, and modules by their paths, in the order given."""
    present = tuple(modules)
    found: list[str] = []
    for name in wanted:
        part = [module for module in present if name in {module, group_of(module)}]
        if not part:
            raise SystemExit(f"{name}: neither a group ({', '.join(GROUPS)}) nor a module")
        found += part
    return list(dict.fromkeys(found))
