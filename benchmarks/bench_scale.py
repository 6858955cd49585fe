"""Costs at scale: a keyring with many key versions, and the import of the library."""

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import kmscore
from benchmarks.fixtures import CONTEXT, DATA_KEY, symmetric_key
from benchmarks.measure import OURS, Call, Task, Tasks
from benchmarks.smoke import cases, run
from kmscore import Keyring, KeySpec, Suite, SymmetricKey

TASKS = Tasks("scale")

VERSIONS_VARIABLE = "KMSCORE_BENCHMARK_VERSIONS"
"""The environment variable for the number of key versions in the large keyring.

A million key versions take 3 GB, and about a minute to create.
"""

# The imports from `cryptography` that the modules of `kmscore` make, without `kmscore` itself.
_FOUNDATION = """
import cryptography.exceptions
import cryptography.hazmat.asn1
import cryptography.hazmat.primitives.asymmetric.padding
import cryptography.hazmat.primitives.asymmetric.rsa
import cryptography.hazmat.primitives.ciphers.aead
import cryptography.hazmat.primitives.ciphers.algorithms
import cryptography.hazmat.primitives.ciphers.modes
import cryptography.hazmat.primitives.hashes
import cryptography.hazmat.primitives.kdf.x963kdf
import cryptography.hazmat.primitives.serialization
"""


def _ring_call(versions: int) -> Call:
    """Return a re-encryption with a keyring that has `versions` versions of two keys."""
    destination = symmetric_key(2)
    ring = Keyring(
        [
            *(
                SymmetricKey(
                    "key", f"{number}", KeySpec.AES_256, os.urandom(32), suite=Suite.AES_256_GCM
                )
                for number in range(versions - 1)
            ),
            destination,
        ]
    )
    blob = kmscore.encrypt(ring, "key", DATA_KEY, CONTEXT).ciphertext_blob
    key_id = destination.key_id
    return lambda: kmscore.reencrypt(
        ring, blob, key_id, source_context=CONTEXT, destination_context=CONTEXT
    )


@TASKS.add("reencrypt on a ring of a million versions", {"a ring of ten": 1.1})
def _versions() -> Mapping[str, Call]:
    return {
        OURS: _ring_call(int(os.environ.get(VERSIONS_VARIABLE, "1000"))),
        "a ring of ten": _ring_call(10),
    }


@TASKS.add("a process that imports kmscore", {"one that imports cryptography": 1.4})
def _import() -> Mapping[str, Call]:
    return {
        OURS: lambda: _python("import kmscore"),
        "one that imports cryptography": lambda: _python(_FOUNDATION),
    }


def _python(code: str) -> int:
    """Run code in a new process with the installed packages, and return its exit status."""
    return subprocess.run([sys.executable, "-P", "-c", code], check=True).returncode  # noqa: S603 (our own code)


@pytest.mark.parametrize(("task", "contender"), cases(TASKS))
def test_speed(benchmark: BenchmarkFixture, task: Task, contender: str) -> None:
    """Every call works; pytest-benchmark measures it if enabled."""
    run(benchmark, task, contender)
