"""The vector files, read and made once per process, when a test first asks for them."""

from functools import cache

from kmscore_vectors.files import VectorTest, installed_folder, load
from kmscore_vectors.generator.suite import make_files


@cache
def files() -> dict[str, tuple[VectorTest, ...]]:
    """Return the tests of every file, by its name."""
    return dict(load(installed_folder()))


@cache
def made() -> dict[str, bytes]:
    """Return the generated files, by name."""
    return {f"{file.name}.json": file.serialize() for file in make_files()}
