"""Find and read the vector files of a folder, and check them against their schemas."""

import json
import stat
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from kmscore_vectors.generator.affine import ORDER
from kmscore_vectors.vector_test import VectorTest, read_tests

MAX_FILE_LENGTH: Final = 64 << 20  # bytes; the longest file of the suite has less than 8 MiB
NAMES: Final = (
    "blob",
    "encryption_context",
    "aead",
    "rsa_oaep",
    "sm2pke",
    "reencrypt",
    "service_blob",
    "service_api",
    "xaes_256_gcm",
    "sm2_decrypt",
)
_PAIRS: Final = ("pairs", "source_pairs", "destination_pairs")


class VectorFileError(Exception):
    """A folder has no vectors, or a file in it does not match its schema."""


_PACKAGE: Final = Path(__file__).resolve().parent


def installed_folder() -> Path:
    """Return the folder of vectors of the package.

    Returns:
        The folder in the wheel, or the parent folder of the package in an editable installation.

    Raises:
        VectorFileError: If neither folder has vectors.
    """
    for folder in (_PACKAGE / "data", _PACKAGE.parent):
        if (folder / "blob.json").is_file():
            return folder
    raise VectorFileError("no vectors came with this installation: name their folder as DIR")


def choose_folder(given: Path | None) -> Path:
    """Return the folder given, or the installed one.

    Raises:
        VectorFileError: If no folder is given and the installation has no vectors.
    """
    return installed_folder() if given is None else given


def load(
    folder: Path, names: Sequence[str] | None = None
) -> Iterator[tuple[str, tuple[VectorTest, ...]]]:
    """Yield the name and the tests of each file.

    The schemas are always those of the package, so that a folder cannot loosen them. The files of
    the package itself are not checked again, because that takes longer than most runs.

    Args:
        folder: The folder of the vectors.
        names: The names of the files, without `.json` (default: all files of the suite).

    Yields:
        The name of a file and its tests, in the order of the file.

    Raises:
        VectorFileError: If `folder` is not a folder; or if a file is missing, is not a regular
            file, cannot be read, has more than `MAX_FILE_LENGTH` bytes, is not JSON, or does not
            match its schema; or if the installation has no schemas.
    """
    if not folder.is_dir():
        raise VectorFileError(f"{folder} is not a folder")
    for name in names or NAMES:
        path = folder / f"{name}.json"
        document = _read_json(path)
        if folder.resolve() != _PACKAGE / "data":
            _check_schema(path, name, document)
            _check_tests(path, document)
        yield name, tuple(read_tests(name, document))


def load_json(path: Path, schema: str) -> Any:  # noqa: ANN401 (any JSON)
    """Return the document of a JSON file that matches a schema of the package.

    Args:
        path: The file.
        schema: The name of the schema, without `_v1_schema.json`.

    Returns:
        The document.

    Raises:
        VectorFileError: If the file is missing, is not a regular file, cannot be read, has more
            than `MAX_FILE_LENGTH` bytes, is not JSON, or does not match the schema; or if the
            installation has no schemas.
    """
    document = _read_json(path)
    _check_schema(path, schema, document)
    return document


def _read_json(path: Path) -> Any:  # noqa: ANN401 (any JSON)
    """Return the document of a file, or raise `VectorFileError`."""
    try:
        return json.loads(_read(path), object_pairs_hook=unique_names)
    except (ValueError, RecursionError):
        raise VectorFileError(f"{path} is not JSON") from None


def _read(path: Path) -> bytes:
    """Return the bytes of a regular file. A pipe is rejected, because a read could block."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise VectorFileError(f"{path} is not a regular file")
        with path.open("rb") as file:
            # The length in the file system is not used: it is 0 for some files without an end.
            data = file.read(MAX_FILE_LENGTH + 1)
    except FileNotFoundError:
        raise VectorFileError(f"{path} is missing") from None
    except OSError as error:
        raise VectorFileError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > MAX_FILE_LENGTH:
        raise VectorFileError(f"{path} has more than {MAX_FILE_LENGTH:,} bytes")
    return data


def unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object, or raise `ValueError` if a name occurs in it twice."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name occurs twice")
    return fields


# In JSON Schema, 104.0 is an integer. In the parsers of many languages it is not.
_Validator = extend(  # type: ignore[no-untyped-call]  # jsonschema has no types of its own
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)


@cache
def _validator(name: str) -> Any:  # noqa: ANN401 (a class made by jsonschema)
    """Return the validator for a file of this name."""
    try:
        path = installed_folder() / "schemas" / f"{name}_v1_schema.json"
    except VectorFileError:
        raise VectorFileError("no schemas came with this installation: reinstall it") from None
    return _Validator(json.loads(path.read_bytes()))


def _check_schema(path: Path, schema: str, document: Any) -> None:  # noqa: ANN401 (any JSON)
    """Raise `VectorFileError` for a fault that the schema finds."""
    for error in _validator(schema).iter_errors(document):
        where = "/".join(map(str, error.absolute_path)) or "the file"
        raise VectorFileError(f"{path}: {where}: {_brief(error)}")


def _check_tests(path: Path, document: Any) -> None:  # noqa: ANN401 (any JSON)
    """Raise `VectorFileError` for a fault of a vector file that its schema does not find."""
    tests = [test for group in document["testGroups"] for test in group["tests"]]
    if document["numberOfTests"] != len(tests):
        raise VectorFileError(f"{path}: numberOfTests is not {len(tests)}")
    if [test["tcId"] for test in tests] != list(range(1, 1 + len(tests))):
        raise VectorFileError(f"{path}: tcId does not count up from 1")
    unmatched = {flag for test in tests for flag in test["flags"]} ^ set(document["notes"])
    if unmatched:
        reason = "the flags of the tests are not those of the notes"
        raise VectorFileError(f"{path}: {reason}: {min(unmatched)}")
    for test in tests:
        _check_inputs(path, test)


def _check_inputs(path: Path, test: Mapping[str, Any]) -> None:
    """Raise `VectorFileError` for inputs that cannot be a question to an implementation."""
    for field in _PAIRS:
        keys = [key for key, _ in test.get(field) or ()]
        if len(set(keys)) != len(keys):
            raise VectorFileError(f"{path}: test {test['tcId']}: a key occurs twice in {field}")
    if "k" in test and not 0 < int(test["k"], 16) < ORDER:
        raise VectorFileError(f"{path}: test {test['tcId']}: k is not 1 to n - 1")


def _brief(error: ValidationError) -> str:
    """Return the error of a schema, with a long quotation of the document cut."""
    if error.schema is False:  # jsonschema's message names no field
        return f"a field that the result of the test does not allow: {_cut(repr(error.instance))}"
    return _cut(error.message)


def _cut(text: str) -> str:
    head, tail = 60, 120
    return text if len(text) <= head + tail else f"{text[:head]} … {text[-tail:]}"
