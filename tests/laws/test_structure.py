"""The structure of the package: layers, imports, public names, and forbidden modules."""

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from types import MappingProxyType

import pytest

import kmscore

_PACKAGE = Path(kmscore.__file__).resolve().parent
_ROOT = Path(__file__).resolve().parents[2]
_ARCHITECTURE = (_ROOT / "ARCHITECTURE.md").read_text("utf-8")

# The layers, lowest first. A layer imports only from layers before it, or from itself.
_ROOMS = (
    "errors",
    "_values",
    "_printable",
    "_typecheck",
    "_base64",
    "_availability",
    "_outcome",
    "algorithms",
    "context",
    "blob",
    "aead",
    "sm2",
    "keys",
    "keyring",
    "lookup",
    "envelope",
    "asymmetric",
    "layouts",
    "operations",
    "data_keys",
    "reencryption",
    "hazmat",
    "__init__",
    "alibaba",
    "bulk",
    "keyfile",
    "tables",
    "audit",
    "emulator",
    "cli",
    "__main__",
)

# Modules that the engine does not use: clock, socket, thread, logging, and random sources other
# than the operating system's.
_FORBIDDEN = frozenset(
    {
        "asyncio",
        "concurrent",
        "datetime",
        "http",
        "io",
        "logging",
        "multiprocessing",
        "pathlib",
        "pickle",
        "random",
        "selectors",
        "shutil",
        "signal",
        "socket",
        "ssl",
        "subprocess",
        "tempfile",
        "threading",
        "time",
        "urllib",
        "warnings",
    }
)


# The parser and the verifier of requests decode queries and read dates; neither opens a socket or
# reads a clock. The limit of requests has a lock, so that threads can share it.
_ALLOWED = {
    # A search has a limit of time, besides its limit of trials.
    "kmscore.audit.explanation": {"time"},
    "kmscore.audit.causes.transports": {"urllib.parse"},
    "kmscore.alibaba.policy_conditions": {"datetime"},
    "kmscore.alibaba.request_pairs": {"urllib.parse"},
    "kmscore.alibaba.signature_schemes": {"urllib.parse"},
    "kmscore.alibaba.signatures": {"datetime"},
    "kmscore.alibaba.throttling": {"threading"},
    # The threads of a process share one provider.
    "kmscore.bulk.key_factories": {"threading"},
    "kmscore.alibaba.wsgi": {"urllib.parse", "datetime", "http"},
}

# These read files, start processes and threads, and show progress; they are not part of the
# engine.
_TOOLS = ("kmscore.cli", "kmscore.emulator", "kmscore.tables")

# The modules that need an extra, and the packages that they import from it.
_EXTRAS = {
    "kmscore.sm2.backends.gmssl": {"gmssl"},
    "kmscore.bulk.arrow": {"pyarrow"},
    "kmscore.bulk.arrow_columns": {"pyarrow"},
    "kmscore.bulk.arrow_contexts": {"pyarrow"},
    "kmscore.bulk.spark": {"pyarrow", "pyspark"},
}

# Everything in this package may import SQLAlchemy, and no other module.
_DATABASE = "kmscore.tables.database"

# Public modules that `import kmscore` does not load: the user imports them by name.
_BY_NAME = ("audit", "bulk", "emulator", "keyfile", "tables")


@cache
def _sources() -> Mapping[str, str]:
    """Return the source of every module of the package by its dotted name."""
    sources = {
        ".".join(("kmscore", *path.relative_to(_PACKAGE).with_suffix("").parts)): path.read_text(
            "utf-8"
        )
        for path in _PACKAGE.rglob("*.py")
    }
    return MappingProxyType(sources)


@cache
def _imports(source: str) -> tuple[str, ...]:
    """Return the dotted name of everything that a module imports, at any depth of its code."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not followed here"
            found += (f"{node.module}.{alias.name}" for alias in node.names)
    return tuple(found)


def _module(name: str, sources: Mapping[str, str]) -> str:
    """Return the module of the package that contains an imported name."""
    while name not in sources:
        if f"{name}.__init__" in sources:
            return f"{name}.__init__"
        name = name.rpartition(".")[0]
    return name


def _graph(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Return, for each module, the modules of the package that it imports."""
    return {
        name: {
            _module(imported, sources)
            for imported in _imports(source)
            if imported.split(".")[0] == "kmscore"
        }
        for name, source in sources.items()
    }


def _upward_imports(sources: Mapping[str, str]) -> list[str]:
    """Return every import of a higher layer."""
    return [
        f"{name} imports {imported}"
        for name, targets in _graph(sources).items()
        for imported in targets
        if name.split(".")[1] != imported.split(".")[1]
        and _ROOMS.index(imported.split(".")[1]) >= _ROOMS.index(name.split(".")[1])
    ]


def test_a_module_imports_only_lower_layers() -> None:
    """A module imports only from its own layer and from lower layers."""
    assert _upward_imports(_sources()) == []


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("kmscore.blob", "from kmscore.envelope import seal"),
        ("kmscore.errors", "from kmscore import blob"),
        ("kmscore.sm2.scheme", "import kmscore.keys.sm2"),
        ("kmscore.context", "def late():\n    from kmscore.operations import encrypt"),
    ],
)
def test_an_import_of_a_higher_layer_is_found(module: str, statement: str) -> None:
    """The test of the layers finds an import of a higher layer, also inside a function."""
    sources = dict(_sources())
    sources[module] += f"\n{statement}\n"
    assert len(_upward_imports(sources)) == 1


def test_the_import_graph_has_no_cycle() -> None:
    """The import graph of the modules has no cycle, also within a layer."""
    order = list(TopologicalSorter(_graph(_sources())).static_order())
    assert len(order) == len(_sources())


def test_every_module_has_a_layer() -> None:
    """Every module of the package belongs to a layer."""
    assert {name.split(".")[1] for name in _sources()} == set(_ROOMS)


def test_the_engine_imports_no_forbidden_module() -> None:
    """Except for the tools, no module imports clock, socket, thread, logging or random modules."""
    found = {
        (name, imported)
        for name, source in _sources().items()
        if not name.startswith(_TOOLS)
        for imported in _imports(source)
        if imported.split(".")[0] in _FORBIDDEN
        and not any(
            imported == each or imported.startswith(f"{each}.") for each in _ALLOWED.get(name, ())
        )
    }
    assert found == set()


def test_the_engine_reads_no_environment_and_no_file() -> None:
    """The engine uses `os` only for random bytes, and opens no file.

    `getattr` also takes the hook that removes cached keys from a forked process.
    """
    used = {
        node.attr
        for name, source in _sources().items()
        if not name.startswith(_TOOLS)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    }
    called = {
        node.func.id
        for source in _sources().values()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert used == {"urandom"}
    assert called.isdisjoint({"open", "print", "eval", "exec", "input"})


def test_the_engine_depends_on_cryptography_alone() -> None:
    """Except for the tools and the modules of extras, only `cryptography` is imported."""
    foreign = {
        imported.split(".")[0]
        for name, source in _sources().items()
        if not name.startswith(_TOOLS) and name not in _EXTRAS
        for imported in _imports(source)
    } - sys.stdlib_module_names
    assert foreign == {"kmscore", "cryptography"}


def test_each_extra_is_imported_in_its_own_module() -> None:
    """A module of an extra imports only its extra; the one for Spark also imports Arrow."""
    foreign = {
        name: {imported.split(".")[0] for imported in _imports(_sources()[name])}
        - sys.stdlib_module_names
        - {"kmscore", "cryptography"}
        for name in _EXTRAS
    }
    assert foreign == _EXTRAS


def test_sqlalchemy_is_imported_in_one_package() -> None:
    """Only the modules for databases import the extra `database`, and nothing else imports them.

    The command line creates the engine, in a module that other commands do not load.
    """
    importers = {
        name
        for name, source in _sources().items()
        if any(imported.split(".")[0] == "sqlalchemy" for imported in _imports(source))
    }
    assert {name for name in importers if not name.startswith(_DATABASE)} == {
        "kmscore.cli.database_engine"
    }
    users = {
        name
        for name, targets in _graph(_sources()).items()
        if any(target.startswith(_DATABASE) for target in targets)
    }
    assert all(name.startswith((_DATABASE, "kmscore.cli")) for name in users)


@pytest.mark.parametrize("package", ["alibaba", "audit", "emulator", "tables"])
def test_the_architecture_names_every_module_of_a_large_package(package: str) -> None:
    """Each module and folder of the package is in a table of ARCHITECTURE.md."""
    rows = re.findall(r"^\|.*\|$", _ARCHITECTURE, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)[`/]", row)}
    modules = {name.split(".")[2] for name in _sources() if name.startswith(f"kmscore.{package}.")}
    assert len(modules) > 10
    assert modules - named == set()


def test_the_architecture_names_every_folder_of_the_project() -> None:
    """The folders that the sdist contains."""
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"]
    folders = {name for name in included if (_ROOT / name).is_dir()} - {"kmscore"}
    assert len(folders) > 5
    assert {name for name in folders if f"`{name}/`" not in _ARCHITECTURE} == set()


def test_no_module_imports_hazmat() -> None:
    """No module of the package imports `kmscore.hazmat`."""
    importers = {
        name for name, targets in _graph(_sources()).items() if "kmscore.hazmat" in targets
    }
    assert importers == set()


def test_importing_loads_neither_ctypes_nor_gmssl() -> None:
    """`import kmscore` loads neither ctypes nor gmssl, and `kmscore.sm2` is usable after it."""
    code = (
        "import sys, kmscore; kmscore.sm2.convert;"
        "print(sorted({'ctypes', 'gmssl', 'typer', 'rich'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, check=True)
    assert result.stdout.decode().strip() == "[]"


@pytest.mark.parametrize("name", _BY_NAME)
def test_a_module_imported_by_name_loads_no_extra(name: str) -> None:
    """`import kmscore` does not load it, it loads no extra, and its public names exist."""
    extras = {"pyarrow", "pyspark", "pandas", "typer", "ctypes", "sqlalchemy"}
    code = (
        f"import sys, kmscore; assert 'kmscore.{name}' not in sys.modules;"
        f"import kmscore.{name};"
        f"print(sorted({extras} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, check=True)
    assert result.stdout.decode().strip() == "[]"
    module = importlib.import_module(f"kmscore.{name}")
    assert len(module.__all__) == len(set(module.__all__))
    assert all(getattr(module, public).__doc__ for public in module.__all__)


def test_public_names_exist_and_are_listed() -> None:
    """`__all__` is sorted and complete, and every name in it exists."""
    assert sorted(kmscore.__all__) == sorted(set(kmscore.__all__))
    public = {name for name in vars(kmscore) if not name.startswith("_")}
    modules = {module.name for module in pkgutil.iter_modules(kmscore.__path__)}
    assert public - modules - {"sm2"} == set(kmscore.__all__) - {"__version__", "sm2"}
    assert all(hasattr(kmscore, name) for name in kmscore.__all__)
    assert all(hasattr(kmscore.sm2, name) for name in kmscore.sm2.__all__)


def test_no_public_function_shares_a_name_with_a_module() -> None:
    """`kmscore.X` is either a function or a module, not both."""
    engine = (name for name in _sources() if not name.startswith(_TOOLS))
    names = {name.rpartition(".")[2] for name in engine} | {"sm2", "keys", "cli", "backends"}
    functions = {
        name
        for module in (
            *(kmscore, kmscore.sm2),
            *(importlib.import_module(f"kmscore.{name}") for name in ("hazmat", *_BY_NAME)),
        )
        for name in module.__all__
        if name not in {"sm2", "__version__"}
    }
    assert functions & names == set()


def test_every_public_name_has_a_docstring() -> None:
    """Every public class, function and method has a docstring."""
    undocumented = {
        f"{name}.{member}" if member else name
        for name in kmscore.__all__
        if name not in {"sm2", "Key", "__version__"}
        for member, value in [
            ("", getattr(kmscore, name)),
            *getattr(getattr(kmscore, name), "__dict__", {}).items(),
        ]
        if not member.startswith("_")
        and (callable(value) or isinstance(value, property))
        and not getattr(value, "__doc__", None)
    }
    assert undocumented == set()


def test_only_the_command_line_imports_the_audit_kit() -> None:
    """The operations, bulk jobs, the service and tables neither import nor load `kmscore.audit`."""
    importers = {
        name.split(".")[1]
        for name, targets in _graph(_sources()).items()
        if any(target.split(".")[1] == "audit" for target in targets)
    }
    assert importers == {"audit", "cli"}
    code = (
        "import sys, kmscore, kmscore.alibaba, kmscore.bulk, kmscore.hazmat, kmscore.tables;"
        "import kmscore.keyfile; print([name for name in sys.modules if 'audit' in name])"
    )
    result = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, check=True)
    assert result.stdout.decode().strip() == "[]"
    assert "audit" not in kmscore.__all__
