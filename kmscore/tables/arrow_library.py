"""pyarrow, which the extra `arrow` installs and which has no types."""

from importlib import import_module
from typing import Any, NamedTuple, TypeAlias

from kmscore.tables.errors import TableError

ArrowObject: TypeAlias = Any
"""A table, batch, array, type, schema or file of pyarrow."""


class ArrowLibrary(NamedTuple):
    """The modules of pyarrow."""

    core: ArrowObject
    parquet: ArrowObject
    compute: ArrowObject
    contexts: ArrowObject
    """`kmscore.bulk.arrow_contexts`, which needs pyarrow."""


def load_arrow() -> ArrowLibrary:
    """Return the modules. Raises `TableError` without the extra."""
    try:
        names = ("pyarrow", "pyarrow.parquet", "pyarrow.compute", "kmscore.bulk.arrow_contexts")
        return ArrowLibrary(*map(import_module, names))
    except ModuleNotFoundError:
        pass
    raise TableError("Parquet needs the extra arrow: pip install 'kmscore[cli,arrow]'")
