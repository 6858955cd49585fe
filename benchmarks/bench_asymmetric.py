"""Re-encryption from RSA and SM2 ciphertexts."""

import itertools
import threading
from collections.abc import Mapping, Sequence

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pytest_benchmark.fixture import BenchmarkFixture

import kmscore
from benchmarks import floors, peers
from benchmarks.fixtures import CONTEXT, DATA_KEY, rsa_key, sm2_key, symmetric_key
from benchmarks.measure import OURS, Call, Task, Tasks
from benchmarks.smoke import cases, run
from kmscore import EncryptionAlgorithm, Key, Keyring, KeySpec, RsaKey, Sm2Key

TASKS = Tasks("asymmetric")

_SHA_256 = EncryptionAlgorithm.RSAES_OAEP_SHA_256
_SM2PKE = EncryptionAlgorithm.SM2PKE
_CALLS_OF_A_THREAD = 40


def _algorithm(key: Key) -> EncryptionAlgorithm:
    return _SHA_256 if isinstance(key, RsaKey) else _SM2PKE


def _ours(key: RsaKey | Sm2Key, ciphertext: bytes) -> Call:
    """Return the re-encryption of an asymmetric ciphertext to AES_256_GCM."""
    destination = symmetric_key(1)
    keys, key_id, algorithm = Keyring([key, destination]), destination.key_id, _algorithm(key)
    return lambda: kmscore.reencrypt(
        keys,
        ciphertext,
        key_id,
        destination_context=CONTEXT,
        source_key_id=key.key_id,
        source_key_version_id=key.key_version_id,
        source_algorithm=algorithm,
    )


def _ciphertext(key: RsaKey | Sm2Key) -> bytes:
    return kmscore.asymmetric_encrypt(key.public_key, _algorithm(key), DATA_KEY)


def _rsa(spec: KeySpec) -> Mapping[str, Call]:
    key = rsa_key(spec)
    ciphertext = _ciphertext(key)
    private_key = load_pem_private_key(key.private_pem(), None)
    padding = OAEP(MGF1(SHA256()), SHA256(), None)
    return {
        OURS: _ours(key, ciphertext),
        "bare decrypt": lambda: private_key.decrypt(ciphertext, padding),  # type: ignore[union-attr]
    }


@TASKS.add("reencrypt from RSA_2048, OAEP with SHA-256", {"bare decrypt": 1.1})
def _rsa_2048() -> Mapping[str, Call]:
    return _rsa(KeySpec.RSA_2048)


@TASKS.add("reencrypt from RSA_3072, OAEP with SHA-256", {"bare decrypt": 1.1})
def _rsa_3072() -> Mapping[str, Call]:
    return _rsa(KeySpec.RSA_3072)


@TASKS.add("reencrypt from RSA_4096, OAEP with SHA-256", {"bare decrypt": 1.1})
def _rsa_4096() -> Mapping[str, Call]:
    return _rsa(KeySpec.RSA_4096)


@TASKS.add("reencrypt from SM2PKE, openssl", {"bare loop": 1.15, "gmssl": 0.1})
def _sm2_openssl() -> Mapping[str, Call]:
    key = sm2_key("openssl")
    ciphertext = _ciphertext(key)
    bare: dict[str, Call] = {"bare loop": floors.libcrypto_decryption(key, ciphertext)}
    return {OURS: _ours(key, ciphertext)} | bare | _gmssl(key, ciphertext)


@TASKS.add("reencrypt from SM2PKE, portable", {"gmssl": 0.27})
def _sm2_portable() -> Mapping[str, Call]:
    key = sm2_key("portable")
    ciphertext = _ciphertext(key)
    return {OURS: _ours(key, ciphertext)} | _gmssl(key, ciphertext)


def _gmssl(key: Sm2Key, ciphertext: bytes) -> dict[str, Call]:
    return peers.installed(gmssl=lambda: peers.gmssl_decryption(key, ciphertext, DATA_KEY))


@TASKS.add(
    "reencrypt from RSA_2048 in two threads",
    {"one thread": 1 / 1.8, "bare in two threads": None},
    cores=2,
)
def _rsa_threads() -> Mapping[str, Call]:
    return _threads(rsa_key(KeySpec.RSA_2048), _rsa(KeySpec.RSA_2048)["bare decrypt"])


@TASKS.add(
    "reencrypt from SM2PKE, openssl, in two threads",
    {"one thread": 1 / 1.8, "bare in two threads": None},
    cores=2,
)
def _sm2_threads() -> Mapping[str, Call]:
    key = sm2_key("openssl")
    # One bare call for each thread, because a bare call has a single context.
    ciphertext = _ciphertext(key)
    return _threads(key, *(floors.libcrypto_decryption(key, ciphertext) for _ in range(2)))


def _threads(key: RsaKey | Sm2Key, *bare: Call) -> Mapping[str, Call]:
    """Return the same work in two threads and in one, and the bare calls in two threads."""
    work = _ours(key, _ciphertext(key))

    def repeat(call: Call, number: int) -> None:
        for _ in range(number):
            call()

    def run_in(number: int, calls: Sequence[Call] = (work,)) -> int:
        share = 2 * _CALLS_OF_A_THREAD // number
        turns = itertools.islice(itertools.cycle(calls), number)
        threads = [threading.Thread(target=repeat, args=(call, share)) for call in turns]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return number

    return {
        OURS: lambda: run_in(2),
        "one thread": lambda: run_in(1),
        "bare in two threads": lambda: run_in(2, bare),
    }


@pytest.mark.parametrize(("task", "contender"), cases(TASKS))
def test_speed(benchmark: BenchmarkFixture, task: Task, contender: str) -> None:
    """Every call works; pytest-benchmark measures it if enabled."""
    run(benchmark, task, contender)
