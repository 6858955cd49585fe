"""Answer the questions of `kmscore-vectors run` with one library.

    python responder.py LIBRARY [--version]

A library is a module of `libraries` with these three constants:

- `AEADS`: for each suite ID, a function from a key to an object. The method `encrypt` takes IV,
  plaintext and associated data, and returns ciphertext and tag; `decrypt` is the inverse. The
  method `encrypt` may be absent.
- `DECRYPTIONS`: for each asymmetric algorithm, a function from the inputs to the plaintext.
- `REJECTIONS`: the exceptions with which the library rejects a ciphertext. Any other exception
  ends the process.
"""

import importlib
import json
import sys
from collections.abc import Mapping
from importlib import metadata
from types import ModuleType
from typing import Any

import format as blob_format


def main(name: str, *options: str) -> None:
    """Print the version of the library, or answer each question on the standard input."""
    if options == ("--version",):
        sys.stdout.write(f"{metadata.version(name)}\n")
        return
    library = importlib.import_module(f"libraries.{name.replace('-', '_')}")
    for line in sys.stdin:
        question = json.loads(line)
        result = answer(library, question["operation"], question["inputs"])
        sys.stdout.write(json.dumps({"id": question["id"], **result}) + "\n")
        sys.stdout.flush()


def answer(library: ModuleType, operation: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs, the error or `unsupported` for a question."""
    try:
        if operation == "encrypt":
            return {"outputs": {"blob": _encrypt(library, inputs).hex()}}
        return {"outputs": {"plaintext": _decrypt(library, operation, inputs).hex()}}
    except blob_format.UnsupportedError:
        return {"unsupported": True}
    except library.REJECTIONS:
        if operation == "encrypt":
            raise
        return {"error": "decryption"}


def _encrypt(library: ModuleType, inputs: Mapping[str, Any]) -> bytes:
    aead = _aead(library, inputs)
    if not hasattr(aead, "encrypt"):
        raise blob_format.UnsupportedError
    iv, plaintext, associated_data = blob_format.plaintext_parts(inputs)
    sealed: bytes = aead.encrypt(iv, plaintext, associated_data)
    return blob_format.header(inputs) + iv + sealed


def _decrypt(library: ModuleType, operation: str, inputs: Mapping[str, Any]) -> bytes:
    plaintext: bytes
    if operation == "decrypt":
        plaintext = _aead(library, inputs).decrypt(*blob_format.ciphertext_parts(inputs))
    elif operation == "asymmetric_decrypt" and inputs["algorithm"] in library.DECRYPTIONS:
        plaintext = library.DECRYPTIONS[inputs["algorithm"]](inputs)
    else:
        raise blob_format.UnsupportedError
    return plaintext


def _aead(library: ModuleType, inputs: Mapping[str, Any]) -> Any:  # noqa: ANN401 (a class of the library)
    if inputs["suite_id"] not in library.AEADS:
        raise blob_format.UnsupportedError
    return library.AEADS[inputs["suite_id"]](bytes.fromhex(inputs["key"]))


if __name__ == "__main__":
    main(*sys.argv[1:])
