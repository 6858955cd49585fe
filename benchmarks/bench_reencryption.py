"""Re-encryption, and its halves, under symmetric keys."""

from collections.abc import Mapping

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import kmscore
from benchmarks import floors, peers
from benchmarks.fixtures import CONTEXT, DATA_KEY, LONG, PAIRS, SAME_PAIRS, symmetric_key
from benchmarks.measure import OURS, Call, Task, Tasks
from benchmarks.smoke import cases, run
from kmscore import Keyring, Suite
from kmscore.context import ContextLike

TASKS = Tasks("re-encryption")


def _reencryption(
    suite: Suite,
    plaintext: bytes = DATA_KEY,
    source_context: ContextLike = CONTEXT,
    destination_context: ContextLike = CONTEXT,
) -> dict[str, Call]:
    """Return our call and the bare one, from one key of a suite to another."""
    source, destination = symmetric_key(1, suite), symmetric_key(2, suite)
    keys = Keyring([source, destination])
    blob = kmscore.encrypt(keys, source.key_id, plaintext, CONTEXT).ciphertext_blob
    key_id = destination.key_id
    return {
        OURS: lambda: kmscore.reencrypt(
            keys,
            blob,
            key_id,
            source_context=source_context,
            destination_context=destination_context,
        ),
        "bare": floors.reencryption(source, destination, blob, CONTEXT),
    }


_PEERS = {"bare": 1.75, "Tink": 1.0, "MultiFernet": 0.25, "moto": 0.25, "joserfc": 0.25}


@TASKS.add("reencrypt, AES_256_GCM, 32 bytes, prepared contexts", _PEERS)
def _prepared() -> Mapping[str, Call]:
    return _reencryption(Suite.AES_256_GCM) | peers.installed(
        Tink=lambda: peers.tink_reencryption(DATA_KEY, CONTEXT),
        MultiFernet=lambda: peers.multifernet_rotation(DATA_KEY),
        moto=lambda: peers.moto_reencryption(DATA_KEY, PAIRS),
        joserfc=lambda: peers.joserfc_reencryption(DATA_KEY, PAIRS),
    )


@TASKS.add("reencrypt, AES_256_GCM, 32 bytes, contexts as dicts of two pairs", {"bare": 2.8})
def _dicts() -> Mapping[str, Call]:
    return _reencryption(Suite.AES_256_GCM, DATA_KEY, PAIRS, SAME_PAIRS)


@TASKS.add("reencrypt, XAES_256_GCM, 32 bytes, prepared contexts", {"bare": 1.35, "Tink": 1.25})
def _xaes() -> Mapping[str, Call]:
    return _reencryption(Suite.XAES_256_GCM) | peers.installed(
        Tink=lambda: peers.tink_reencryption(DATA_KEY, CONTEXT, xaes=True)
    )


@TASKS.add("reencrypt, AES_256_GCM, 6,144 bytes, prepared contexts", {"bare": 1.25})
def _long() -> Mapping[str, Call]:
    return _reencryption(Suite.AES_256_GCM, LONG)


@TASKS.add("reencrypt, SM4_GCM, 32 bytes, prepared contexts", {"bare": None})
def _sm4() -> Mapping[str, Call]:
    return _reencryption(Suite.SM4_GCM)


@TASKS.add("encrypt, AES_256_GCM, 32 bytes, prepared context", {"bare": 1.7})
def _encrypt() -> Mapping[str, Call]:
    key = symmetric_key(1)
    keys, key_id = Keyring([key]), key.key_id
    return {
        OURS: lambda: kmscore.encrypt(keys, key_id, DATA_KEY, CONTEXT),
        "bare": floors.encryption(key, DATA_KEY, CONTEXT),
    }


@TASKS.add("decrypt, AES_256_GCM, 32 bytes, prepared context", {"bare": 1.7})
def _decrypt() -> Mapping[str, Call]:
    key = symmetric_key(1)
    keys = Keyring([key])
    blob = kmscore.encrypt(keys, key.key_id, DATA_KEY, CONTEXT).ciphertext_blob
    return {
        OURS: lambda: kmscore.decrypt(keys, blob, CONTEXT),
        "bare": floors.decryption(key, blob, CONTEXT),
    }


@TASKS.add("reencrypt of a blob with a wrong tag", {"a right one": 1.0})
def _refused() -> Mapping[str, Call]:
    calls = _reencryption(Suite.AES_256_GCM)
    refused = _refusal(_wrong_tag_reencryption())
    return {OURS: refused, "a right one": calls[OURS]}


@TASKS.add("decrypt of a blob with a wrong tag", {"a right one": 1.0, "bare": None})
def _refused_decryption() -> Mapping[str, Call]:
    key = symmetric_key(1)
    keys = Keyring([key])
    blob = kmscore.encrypt(keys, key.key_id, DATA_KEY, CONTEXT).ciphertext_blob
    wrong = floors.with_wrong_tag(blob)
    return {
        OURS: _refusal(lambda: kmscore.decrypt(keys, wrong, CONTEXT)),
        "a right one": lambda: kmscore.decrypt(keys, blob, CONTEXT),
        "bare": floors.refused_decryption(key, wrong, CONTEXT),
    }


def _wrong_tag_reencryption() -> Call:
    """Return a call that is refused when everything else has been found right."""
    source, destination = symmetric_key(1), symmetric_key(2)
    keys = Keyring([source, destination])
    blob = kmscore.encrypt(keys, source.key_id, DATA_KEY, CONTEXT).ciphertext_blob
    wrong, key_id = floors.with_wrong_tag(blob), destination.key_id
    return lambda: kmscore.reencrypt(
        keys, wrong, key_id, source_context=CONTEXT, destination_context=CONTEXT
    )


def _refusal(call: Call) -> Call:
    """Return a call that is over when the other one has raised `DecryptionError`."""

    def refusal() -> str:
        try:
            call()
        except kmscore.DecryptionError as error:
            return error.code
        raise ValueError("it was not refused")

    return refusal


@pytest.mark.parametrize(("task", "contender"), cases(TASKS))
def test_speed(benchmark: BenchmarkFixture, task: Task, contender: str) -> None:
    """Every call works, and is timed if asked."""
    run(benchmark, task, contender)
