"""Generation and export of data keys."""

import os
from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pytest_benchmark.fixture import BenchmarkFixture

import kmscore
from benchmarks import floors
from benchmarks.fixtures import CONTEXT, rsa_key, symmetric_key
from benchmarks.measure import OURS, Call, Task, Tasks
from benchmarks.smoke import cases, run
from kmscore import EncryptionAlgorithm, Keyring, KeySpec

TASKS = Tasks("data keys")

_ALGORITHM = EncryptionAlgorithm.RSAES_OAEP_SHA_256


@TASKS.add("generate_data_key, AES_256_GCM, 32 bytes", {"bare": None})
def _generate() -> Mapping[str, Call]:
    key = symmetric_key(1)
    keys, key_id = Keyring([key]), key.key_id
    cipher, associated_data = AESGCM(key.export_material()), key.header + CONTEXT.canonical
    return {
        OURS: lambda: kmscore.generate_data_key(keys, key_id, context=CONTEXT),
        "bare": lambda: cipher.encrypt(os.urandom(12), os.urandom(32), associated_data),
    }


@TASKS.add("export_data_key to RSA_2048, OAEP with SHA-256", {"bare": None})
def _export() -> Mapping[str, Call]:
    key, public_key = symmetric_key(1), rsa_key(KeySpec.RSA_2048).public_key
    keys = Keyring([key])
    blob = kmscore.generate_data_key(keys, key.key_id, context=CONTEXT).ciphertext_blob
    opening = floors.decryption(key, blob, CONTEXT)
    bare_key = load_pem_public_key(public_key.to_pem())
    padding = OAEP(MGF1(SHA256()), SHA256(), None)
    return {
        OURS: lambda: kmscore.export_data_key(keys, blob, public_key, _ALGORITHM, context=CONTEXT),
        "bare": lambda: bare_key.encrypt(opening(), padding),  # type: ignore[union-attr,arg-type]
    }


@pytest.mark.parametrize(("task", "contender"), cases(TASKS))
def test_speed(benchmark: BenchmarkFixture, task: Task, contender: str) -> None:
    """Every call works; pytest-benchmark measures it if enabled."""
    run(benchmark, task, contender)
