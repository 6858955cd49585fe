"""Parsing and serialization of the ciphertext blob, and the encryption context."""

from collections.abc import Mapping

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import kmscore
from benchmarks.fixtures import CONTEXT, DATA_KEY, PAIRS, symmetric_key
from benchmarks.measure import OURS, Call, Task, Tasks
from benchmarks.smoke import cases, run
from kmscore import CiphertextBlob, EncryptionContext, Keyring

TASKS = Tasks("blob and context")

_HUNDRED = {f"key {number:03}": f"value {number:03}" for number in range(100)}
_ONES = [{key: value} for key, value in _HUNDRED.items()]


def _blob() -> bytes:
    key = symmetric_key(1)
    return kmscore.encrypt(Keyring([key]), key.key_id, DATA_KEY, CONTEXT).ciphertext_blob


@TASKS.add("CiphertextBlob.parse", {"six slices": None})
def _parse() -> Mapping[str, Call]:
    raw = _blob()
    layout = [slice(field.offset, field.offset + field.length) for field in _fields(raw)]
    return {
        OURS: lambda: CiphertextBlob.parse(raw),
        "six slices": lambda: [raw[where] for where in layout],
    }


def _fields(raw: bytes) -> list[kmscore.BlobField]:
    """Return the positions of the six fields of a parsed blob."""
    names = {"suite ID", "key ID", "key version ID", "IV", "ciphertext", "tag"}
    return [field for field in CiphertextBlob.parse(raw).layout() if field.name in names]


@TASKS.add("CiphertextBlob.serialize", {"one join": None})
def _serialize() -> Mapping[str, Call]:
    blob = CiphertextBlob.parse(_blob())
    parts = (blob.header, blob.iv, blob.ciphertext, blob.tag)
    return {OURS: blob.serialize, "one join": lambda: b"".join(parts)}


@TASKS.add("EncryptionContext of two pairs", {"four encodes and a join": None})
def _prepare() -> Mapping[str, Call]:
    texts = [text for pair in sorted(PAIRS.items()) for text in pair]
    return {
        OURS: lambda: EncryptionContext(PAIRS),
        "four encodes and a join": lambda: b"".join([text.encode() for text in texts]),
    }


@TASKS.add("EncryptionContext of 100 pairs", {"100 of one pair": 1.0})
def _linear() -> Mapping[str, Call]:
    return {
        OURS: lambda: EncryptionContext(_HUNDRED),
        "100 of one pair": lambda: [EncryptionContext(one) for one in _ONES],
    }


@pytest.mark.parametrize(("task", "contender"), cases(TASKS))
def test_speed(benchmark: BenchmarkFixture, task: Task, contender: str) -> None:
    """Every call works; pytest-benchmark measures it if enabled."""
    run(benchmark, task, contender)
