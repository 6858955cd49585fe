"""The vector files, read and made once per process, and tests that are not in any file."""

import json
from functools import cache
from typing import Any

from kmscore_vectors.files import installed_folder, load
from kmscore_vectors.generator.all_files import make_files
from kmscore_vectors.tables import Severity
from kmscore_vectors.vector_test import VectorTest

WYCHEPROOF = ("xaes_256_gcm", "sm2_decrypt")
"""The files in the form of Project Wycheproof, which have no traces and no accumulated test."""


@cache
def files() -> dict[str, tuple[VectorTest, ...]]:
    """Return the tests of every file, by its name."""
    return dict(load(installed_folder()))


def document_of(name: str) -> Any:
    """Return a file of the package as it is in JSON."""
    return json.loads((installed_folder() / f"{name}.json").read_text("utf-8"))


@cache
def made() -> dict[str, bytes]:
    """Return the generated files, by name."""
    return {f"{file.name}.json": file.serialize() for file in make_files()}


def make_test(**changes: Any) -> VectorTest:
    """Return an invalid test of a blob, with some fields changed."""
    fields = {
        "file": "blob",
        "tc_id": 1,
        "operation": "parse_blob",
        "comment": "a comment",
        "flag": "Magic",
        "effect": "",
        "inputs": {"blob": "00"},
        "expected": {"error": "invalid_blob"},
        "severity": Severity.STANDARD,
        "section": "SPEC section 3.3",
        "links": (),
    }
    return VectorTest(**fields | changes)
