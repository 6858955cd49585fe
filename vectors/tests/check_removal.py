"""The library with one of its checks taken out, run on the vectors."""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from support.time_limits import PATIENCE

import kmscore

_PACKAGE = Path(kmscore.__file__).resolve().parent
# The packages above the engine.
_ABOVE = frozenset({"alibaba", "audit", "bulk", "emulator", "keyfile", "tables", "cli"})

# Runs the files named, on the best SM2 backend; or all that are of the engine alone, in every
# configuration. Prints what failed.
_DRIVER = """
import json, sys
from itertools import islice
from kmscore_vectors.accumulation import is_accumulated
from kmscore_vectors.files import installed_folder, load
from kmscore_vectors.judgement import run
from kmscore_vectors.adapter import configurations
engine = ("blob", "encryption_context", "aead", "rsa_oaep", "sm2pke", "reencrypt")
wanted = set(sys.argv[1:])
files = {
    name: [test for test in tests if not is_accumulated(test)]
    for name, tests in load(installed_folder(), tuple(wanted) or engine)
}
print(json.dumps(sorted({
    (outcome.test.file, outcome.test.tc_id, outcome.test.flag)
    for configuration in islice(configurations(), 1 if wanted else None)
    for name in configuration.files if name in files
    for outcome in run("", configuration.ask, files[name], lambda _: None)
    if outcome.verdict.is_failure
})))
"""


class Site(NamedTuple):
    """A `raise`: the module, the function, and its number in the function, from 1."""

    module: str
    function: str
    number: int
    error: str
    line: int

    @property
    def name(self) -> str:
        """The name in the table, without the line, because the line changes often."""
        return f"{self.module}:{self.function}:{self.number}"


class Noticed(NamedTuple):
    """A test that gives a wrong result."""

    file: str
    tc_id: int
    flag: str


def engine_modules() -> list[str]:
    """Return the path of every module of the engine, without the packages above it."""
    paths = (path.relative_to(_PACKAGE) for path in sorted(_PACKAGE.rglob("*.py")))
    return [str(path) for path in paths if path.parts[0] not in _ABOVE]


def sites(module: str) -> Iterator[Site]:
    """Yield every `raise` of a module, in the order of its lines."""
    tree = ast.parse((_PACKAGE / module).read_text("utf-8"))
    yield from _within(module, "", tree)


def _within(module: str, scope: str, node: ast.AST) -> Iterator[Site]:
    found = 0
    queue = list(ast.iter_child_nodes(node))
    while queue:
        child = queue.pop(0)
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            yield from _within(module, f"{scope}.{child.name}".lstrip("."), child)
            continue
        if isinstance(child, ast.Raise):
            found += 1
            error = "" if child.exc is None else ast.unparse(child.exc).partition("(")[0]
            yield Site(module, scope, found, error, child.lineno)
        queue = [*ast.iter_child_nodes(child), *queue]


def noticed_without(site: Site, folder: Path, files: tuple[str, ...] = ()) -> list[Noticed]:
    """Return the tests that fail when a `raise` is removed from a copy of the package."""
    copy = folder / "kmscore"
    if not copy.exists():
        shutil.copytree(_PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    file = copy / site.module
    original = file.read_text("utf-8")
    file.write_text(_without(original, site), "utf-8")
    try:
        return run_copy(folder, files)
    finally:
        file.write_text(original, "utf-8")


def run_copy(folder: Path, files: tuple[str, ...] = ()) -> list[Noticed]:
    """Return the tests that fail on the copy in a folder.

    If it never ends (a check may be what ends a loop), or nothing can be run (SM2 backends test
    themselves), that is one of its own.
    """
    command = [sys.executable, "-P", "-B", "-c", _DRIVER, *files]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    try:
        result = subprocess.run(
            command, capture_output=True, env=environment, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return [Noticed("all", 0, "never ends")]
    if result.returncode:
        return [Noticed("all", 0, "nothing runs")]
    return [Noticed(*found) for found in json.loads(result.stdout)]


def _without(source: str, site: Site) -> str:
    """Return the source with `pass` in the place of a `raise`."""
    lines = source.splitlines(keepends=True)
    node = next(
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Raise) and node.lineno == site.line
    )
    assert node.end_lineno is not None
    # Only ASCII precedes a statement on its line, so the offset in bytes is the offset in text.
    lines[node.lineno - 1 : node.end_lineno] = [
        lines[node.lineno - 1][: node.col_offset] + "pass\n"
    ]
    return "".join(lines)


UNNOTICED: Mapping[str, tuple[str, ...]] = {
    "A wrong type, or a call without meaning. This is a mistake in the calling code and cannot"
    " arrive as bytes; it has no error code.": (
        "_typecheck.py:check_instance:1",
        "_typecheck.py:check_callable:1",
        "_typecheck.py:check_bytes:1",
        "_typecheck.py:check_bytes:2",
        "_typecheck.py:check_integer:1",
        "_values.py:Immutable.__setattr__:1",
        "_values.py:Immutable.__delattr__:1",
        "_values.py:Secret.__reduce_ex__:1",
        "algorithms.py:_reject:1",
        "blob.py:CiphertextBlob.__post_init__:1",
        "blob.py:CiphertextBlob.__post_init__:3",
        "context.py:_canonicalise:2",
        "envelope.py:check_iv:1",
        "errors.py:KmsCoreError.__init__:1",
        "hazmat.py:sm2_encrypt:1",
        "hazmat.py:sm2_encrypt:2",
        "keys/__init__.py:check_key:1",
        "_typecheck.py:check_positive:1",
        "lookup.py:check_provider:1",
        "reencryption.py:prepare:1",
        "reencryption.py:prepare:2",
    ),
    "A limit on the work. Without it, longer input is rejected too, by later checks of its"
    " contents.": (
        "asymmetric.py:decrypt_with:1",
        "blob.py:CiphertextBlob.from_base64:1",
        "sm2/encodings.py:parse:1",
    ),
    "A second check: another one rejects the same input with the same error. (An ID that ends"
    " outside the blob leaves no room for IV and tag; a JSON number is not a string; a symmetric"
    " key fits no asymmetric algorithm; a plaintext that is not"
    " decoded has the length that was checked before.)": (
        "blob.py:_end_of_id:2",
        "context.py:_reject_value:1",
        "data_keys.py:export_from:1",
        "keys/rsa_structures.py:load_rsa_public_key:1",
        "keys/symmetric.py:_choose_suite:1",
        "lookup.py:decrypting_key:1",
        "reencryption.py:Prepared.finish:1",
        "sm2/encodings.py:_parse_raw:1",
    ),
    "Code that no operation of SPEC.md reaches: serialising fields of a caller, data keys, key"
    " files in PEM, SEC1 or with a password, generating keys.": (
        "blob.py:CiphertextBlob.__post_init__:4",
        "blob.py:CiphertextBlob.__post_init__:5",
        "data_keys.py:check_data_key_length:1",
        "keys/encrypted.py:open_pkcs8:1",
        "keys/encrypted.py:_read:1",
        "keys/encrypted.py:_read:2",
        "keys/encrypted.py:_read:3",
        "keys/encrypted.py:_read:4",
        "keys/encrypted.py:_read_kdf:1",
        "keys/encrypted.py:_read_kdf:2",
        "keys/encrypted.py:_read_kdf:3",
        "keys/encrypted.py:_read_kdf:4",
        "keys/encrypted.py:_read_kdf:5",
        "keys/encrypted.py:_parse:1",
        "keys/pem.py:_check_length:1",
        "keys/pem.py:decode_pem:1",
        "keys/pem.py:decode_pem:2",
        "keys/pem.py:decode_pem:3",
        "keys/pem.py:_decode_body:1",
        "keys/pem.py:_decode_body:2",
        "keys/rsa.py:RsaKey.generate:1",
        "keys/versions.py:generate_version:1",
        "keys/private_file.py:_read:1",
        "keys/der.py:_decode_ec_private_key:2",
    ),
    "A key store that returns another key than the requested one, or a key whose attributes"
    " contradict each other. The stores of the vectors do not do this.": (
        "layouts.py:V1Source.open:1",
        "lookup.py:_checked:1",
        "lookup.py:_checked:2",
    ),
    "The parameters of RSA keys: the second check also rejects absent ones, and no vector has an"
    " object identifier in the place of NULL.": (
        "keys/rsa_structures.py:_check_parameters:1",
        "keys/rsa_structures.py:_check_parameters:2",
    ),
    "An ID that no key can have. The stores of the vectors have no such key.": (
        "lookup.py:_possible_id:1",
    ),
    "An algorithm that this build lacks, or a failure of libcrypto: no ciphertext leads there.": (
        "_availability.py:attempt:1",
        "keys/rsa_structures.py:_check_library:1",
        "sm2/backends/__init__.py:select_backend:1",
        "sm2/backends/__init__.py:select_backend:2",
        "sm2/backends/__init__.py:select_backend:3",
        "sm2/backends/gmssl.py:load:1",
        "sm2/backends/openssl.py:OpensslBackend.encryptor.encryptor:1",
        "sm2/backends/openssl.py:_Key._take_context:1",
        "sm2/backends/openssl.py:_import_key:1",
        "sm2/backends/openssl.py:_import_key:2",
        "sm2/backends/openssl.py:load:1",
        "sm2/scheme.py:encrypt:1",
    ),
}
"""The checks that no vector notices, by the reason why."""

_HEAD = """# Which vectors notice which check

Every `raise` of the engine was removed from a copy of it, one at a time. The copy ran on the
engine's vectors (all files except those of the service, without the accumulated tests), on every
SM2 backend and on a foreign key store. The table lists the tests that then failed, and their
flags. The name of a check has the module, the function, and the number of the `raise` in the
function, from 1. This page is CC0-1.0.

`pytest -m campaign vectors/tests/test_check_removal.py` repeats this and compares; it takes
up to half an hour. The ordinary tests repeat it for one check of each module.
"""


def table(results: Mapping[Site, list[Noticed]]) -> str:
    """Return the page, which is committed."""
    lines = [_HEAD, "| check | raises | tests | flags |", "|---|---|--:|---|"]
    for site, noticed in results.items():
        if noticed:
            flags: dict[str, set[str]] = {}
            for test in noticed:
                flags.setdefault(test.file, set()).add(test.flag)
            listed = "; ".join(f"{file}: {', '.join(sorted(flags[file]))}" for file in flags)
            number = len({(test.file, test.tc_id) for test in noticed})
            lines.append(f"| `{site.name}` | `{site.error}` | {number} | {listed} |")
    lines.append("\n## What no vector notices")
    for reason, names in UNNOTICED.items():
        lines += [f"\n{reason}\n", *(f"- `{name}`" for name in names)]
    return "\n".join(lines) + "\n"
