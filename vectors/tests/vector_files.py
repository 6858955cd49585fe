"""The vector files, read and made once in a process, and not before a test asks for them."""

from functools import cache

from kmscore_vectors.files import VectorTest, installed_folder, load
from kmscore_vectors.generator.suite import make_files


@cache
def files() -> dict[str, tuple[VectorTest, ...]]:
    """Return the tests of every file, by its name."""
    return dict(load(installed_folder()))


@cache
def made() -> dict[str, bytes]:
    """Return what the generator makes, by the name of the file."""
    return {f"{file.name}.json": file.serialize() for file in make_files()}
