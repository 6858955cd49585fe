"""Answer the questions of `kmscore-vectors run` with one library.

    python responder.py LIBRARY [--version]

A library is a module of `libraries` with these three constants:

- `AEADS`: for each suite ID, a function from a key to an object. The method `encrypt` takes IV,
  plaintext and associated data, and returns ciphertext and tag; `decrypt` is the inverse. The
  method `encrypt` may be absent.
- `DECRYPTIONS`: for each asymmetric algorithm, a function from the inputs to the plaintext. The
  inputs also have `encoding`, the encoding of an SM2 ciphertext.
- `REJECTIONS`: the exceptions that the library documents for a ciphertext that it rejects. Another
  exception is a crash, and so is each exception of an encryption, which has to succeed.
"""

import importlib
import json
import sys
from collections.abc import Callable, Mapping
from importlib import metadata
from types import ModuleType
from typing import Any

import format as blob_format

_XAES_256_GCM = "05"
_SCALAR = slice(72, 136)  # the place of d in the PKCS#8 of the vectors, in hexadecimal digits


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
    """Return the outputs, the error, `crash` or `unsupported` for a question."""
    if operation not in _OPERATIONS:
        return {"unsupported": True}
    output, run = _OPERATIONS[operation]
    try:
        return {"outputs": {output: run(library, inputs).hex()}}
    except blob_format.UnsupportedError:
        return {"unsupported": True}
    except Exception as error:  # noqa: BLE001 (the exceptions of a library are under test)
        if operation != "encrypt" and isinstance(error, library.REJECTIONS):
            return {"error": "decryption"}
        return {"crash": f"{type(error).__name__}: {error}"}


def _encrypt(library: ModuleType, inputs: Mapping[str, Any]) -> bytes:
    aead = _aead(library, inputs)
    if not hasattr(aead, "encrypt"):
        raise blob_format.UnsupportedError
    iv, plaintext, associated_data = blob_format.plaintext_parts(inputs)
    sealed: bytes = aead.encrypt(iv, plaintext, associated_data)
    return blob_format.header(inputs) + iv + sealed


def _decrypt(library: ModuleType, inputs: Mapping[str, Any]) -> bytes:
    plaintext: bytes = _aead(library, inputs).decrypt(*blob_format.ciphertext_parts(inputs))
    return plaintext


def _open_xaes(library: ModuleType, inputs: Mapping[str, Any]) -> bytes:
    aead = _aead(library, {"suite_id": _XAES_256_GCM, **inputs})
    sealed = bytes.fromhex(inputs["ct"] + inputs["tag"])
    plaintext: bytes = aead.decrypt(
        bytes.fromhex(inputs["iv"]), sealed, bytes.fromhex(inputs["aad"])
    )
    return plaintext


def _asymmetric_decrypt(library: ModuleType, inputs: Mapping[str, Any]) -> bytes:
    fits = (inputs["algorithm"] == "SM2PKE") == (inputs["key_spec"] == "EC_SM2")
    if inputs["algorithm"] not in library.DECRYPTIONS or not fits:
        raise blob_format.UnsupportedError
    encoding = "ASN1_DER" if inputs["ciphertext"].startswith("30") else "C1C3C2"
    plaintext: bytes = library.DECRYPTIONS[inputs["algorithm"]]({"encoding": encoding, **inputs})
    return plaintext


def _sm2_decrypt(library: ModuleType, inputs: Mapping[str, Any]) -> bytes:
    key = {"key_spec": "EC_SM2", "d": inputs["privateKeyPkcs8"][_SCALAR]}
    question = {"algorithm": "SM2PKE", "encoding": inputs["encoding"], "ciphertext": inputs["ct"]}
    return _asymmetric_decrypt(library, {**key, **question})


def _aead(library: ModuleType, inputs: Mapping[str, Any]) -> Any:  # noqa: ANN401 (a class of the library)
    if inputs["suite_id"] not in library.AEADS:
        raise blob_format.UnsupportedError
    return library.AEADS[inputs["suite_id"]](bytes.fromhex(inputs["key"]))


_OPERATIONS: Mapping[str, tuple[str, Callable[[ModuleType, Mapping[str, Any]], bytes]]] = {
    "encrypt": ("blob", _encrypt),
    "decrypt": ("plaintext", _decrypt),
    "asymmetric_decrypt": ("plaintext", _asymmetric_decrypt),
    "xaes_256_gcm_open": ("msg", _open_xaes),
    "sm2_decrypt": ("msg", _sm2_decrypt),
}
"""The output of each operation, and the function that returns it."""


if __name__ == "__main__":
    main(*sys.argv[1:])
