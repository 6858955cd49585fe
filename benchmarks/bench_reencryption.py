"""Re-encryption, encryption and decryption under symmetric keys."""

from collections.abc import Callable, Mapping
from typing import Final

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import kmscore
from benchmarks import floors, peers
from benchmarks.fixtures import (
    CONTEXT,
    DATA_KEY,
    LONG,
    OTHER_CONTEXT,
    PAIRS,
    SAME_PAIRS,
    symmetric_key,
)
from benchmarks.measure import OURS, Call, Task, Tasks
from benchmarks.smoke import cases, run
from kmscore import EncryptionContext, KeyProvider, Keyring, Suite, SymmetricKey
from kmscore.context import ContextLike
from kmscore.keys import Key

TASKS = Tasks("re-encryption")


def _reencryption(
    suite: Suite,
    plaintext: bytes = DATA_KEY,
    source_context: ContextLike = CONTEXT,
    destination_context: ContextLike = CONTEXT,
) -> dict[str, Call]:
    """Return the call of `kmscore` and the bare call, between two keys of one suite."""
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


_PEERS = {"bare": 1.85, "Tink": 1.1, "MultiFernet": 0.25, "moto": 0.25, "joserfc": 0.25}


@TASKS.add(
    "reencrypt, AES_256_GCM, 32 bytes, prepared contexts",
    _PEERS,
    remark="the Python around the cryptography takes the same time on every processor, so the ratio"
    " to the bare calls is higher where AES is faster",
)
def _prepared() -> Mapping[str, Call]:
    return _reencryption(Suite.AES_256_GCM) | peers.installed(
        Tink=lambda: peers.tink_reencryption(DATA_KEY, CONTEXT),
        MultiFernet=lambda: peers.multifernet_rotation(DATA_KEY),
        moto=lambda: peers.moto_reencryption(DATA_KEY, PAIRS),
        joserfc=lambda: peers.joserfc_reencryption(DATA_KEY, PAIRS),
    )


@TASKS.add("reencrypt, AES_256_GCM, 32 bytes, contexts as dicts of two pairs", {"bare": 3.1})
def _dicts() -> Mapping[str, Call]:
    return _reencryption(Suite.AES_256_GCM, DATA_KEY, PAIRS, SAME_PAIRS)


@TASKS.add("reencrypt, XAES_256_GCM, 32 bytes, prepared contexts", {"bare": 1.35, "Tink": 1.65})
def _xaes() -> Mapping[str, Call]:
    return _reencryption(Suite.XAES_256_GCM) | peers.installed(
        Tink=lambda: peers.tink_reencryption(DATA_KEY, CONTEXT, xaes=True)
    )


@TASKS.add("reencrypt, AES_256_GCM, 6,144 bytes, prepared contexts", {"bare": 1.65})
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


@TASKS.add("decrypt, AES_256_GCM, 32 bytes, prepared context", {"bare": 2.3})
def _decrypt() -> Mapping[str, Call]:
    key = symmetric_key(1)
    keys = Keyring([key])
    blob = kmscore.encrypt(keys, key.key_id, DATA_KEY, CONTEXT).ciphertext_blob
    return {
        OURS: lambda: kmscore.decrypt(keys, blob, CONTEXT),
        "bare": floors.decryption(key, blob, CONTEXT),
    }


class _Store:
    """A `KeyProvider` that is not a `Keyring`: two dictionaries."""

    def __init__(self, *keys: SymmetricKey) -> None:
        self._versions = {(key.key_id, key.key_version_id): key for key in keys}
        self._primaries = {key.key_id: key for key in keys}

    def primary(self, key_id: str) -> Key:
        return self._primaries[key_id]

    def version(self, key_id: str, key_version_id: str) -> Key:
        return self._versions[key_id, key_version_id]


def _two_keys() -> tuple[SymmetricKey, SymmetricKey, bytes]:
    """Return two keys, and a blob of the first key."""
    source, destination = symmetric_key(1), symmetric_key(2)
    return source, destination, _sealed(source)


def _moving(keys: KeyProvider, blob: bytes, key_id: str, context: EncryptionContext) -> Call:
    """Return a re-encryption of a blob."""
    return lambda: kmscore.reencrypt(
        keys, blob, key_id, source_context=context, destination_context=CONTEXT
    )


@TASKS.add("reencrypt with both source IDs given", {"without them": 1.1})
def _with_ids() -> Mapping[str, Call]:
    source, destination, blob = _two_keys()
    keys, key_id = Keyring([source, destination]), destination.key_id
    source_id, version_id = source.key_id, source.key_version_id
    return {
        OURS: lambda: kmscore.reencrypt(
            keys,
            blob,
            key_id,
            source_context=CONTEXT,
            destination_context=CONTEXT,
            source_key_id=source_id,
            source_key_version_id=version_id,
        ),
        "without them": _moving(keys, blob, key_id, CONTEXT),
    }


@TASKS.add("reencrypt through a KeyProvider of one's own", {"a Keyring": 2.8})
def _through_a_store() -> Mapping[str, Call]:
    source, destination, blob = _two_keys()
    return {
        OURS: _moving(_Store(source, destination), blob, destination.key_id, CONTEXT),
        "a Keyring": _moving(Keyring([source, destination]), blob, destination.key_id, CONTEXT),
    }


_REJECTIONS: Final = {"another context": 1.1, "another IV": 1.1, "a right one": None}
_REMARK: Final = (
    "raising takes the same time for every reason, so the time does not show the reason; a valid"
    " blob takes another time, but the answer itself already shows that it is valid"
)


@TASKS.add("reencrypt of a blob with a wrong tag", _REJECTIONS)
def _rejected() -> Mapping[str, Call]:
    source, destination, _ = _two_keys()
    keys = Keyring([source, destination])
    return _rejections(
        source, lambda blob, context: _moving(keys, blob, destination.key_id, context)
    )


@TASKS.add("decrypt of a blob with a wrong tag", {**_REJECTIONS, "bare": None}, remark=_REMARK)
def _rejected_decryption() -> Mapping[str, Call]:
    key = symmetric_key(1)
    keys = Keyring([key])
    wrong = floors.with_wrong_tag(_sealed(key))
    return _rejections(key, lambda blob, context: lambda: kmscore.decrypt(keys, blob, context)) | {
        "bare": floors.rejected_decryption(key, wrong, CONTEXT)
    }


def _sealed(key: SymmetricKey) -> bytes:
    """Return a blob of a key."""
    return kmscore.encrypt(Keyring([key]), key.key_id, DATA_KEY, CONTEXT).ciphertext_blob


def _rejections(
    key: SymmetricKey, opening: Callable[[bytes, EncryptionContext], Call]
) -> dict[str, Call]:
    """Return calls that fail for different reasons, and one call that succeeds."""
    blob, start = _sealed(key), len(key.header)
    other_iv = blob[:start] + bytes([blob[start] ^ 1]) + blob[start + 1 :]
    return {
        OURS: _rejection(opening(floors.with_wrong_tag(blob), CONTEXT)),
        "another context": _rejection(opening(blob, OTHER_CONTEXT)),
        "another IV": _rejection(opening(other_iv, CONTEXT)),
        "a right one": opening(blob, CONTEXT),
    }


def _rejection(call: Call) -> Call:
    """Return a call that expects a `DecryptionError` from `call` and catches it."""

    def rejection() -> str:
        try:
            call()
        except kmscore.DecryptionError as error:
            return error.code
        raise ValueError("the call did not fail")

    return rejection


@pytest.mark.parametrize(("task", "contender"), cases(TASKS))
def test_speed(benchmark: BenchmarkFixture, task: Task, contender: str) -> None:
    """Every call works; pytest-benchmark measures it if enabled."""
    run(benchmark, task, contender)
