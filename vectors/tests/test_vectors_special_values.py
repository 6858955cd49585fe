"""The keys, IVs and contexts that the generator searched for have the properties in their names."""

from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from kmscore_vectors.generator.aead import messages, special_keys
from kmscore_vectors.generator.aead.file import make as make_aead
from kmscore_vectors.generator.aead.maker import KEY_ID, KEY_VERSION_ID, AeadMaker
from kmscore_vectors.generator.aead.messages import BYTES, ends_of
from kmscore_vectors.generator.aead.similar_keys import similar_ivs, similar_keys
from kmscore_vectors.generator.ciphers import encrypt_block
from kmscore_vectors.generator.encryption_context.file import make as make_encryption_context
from kmscore_vectors.generator.model import TWO_DEFECTS, VectorFile
from kmscore_vectors.generator.suite_properties import iv_length
from kmscore_vectors.generator.wire import header_bytes
from kmscore_vectors.tables import ErrorCode, Suite

_TAG = 16


def _subkey_of(suite_id: str, key: str) -> bytes:
    """Return the block of zeros under a key: H of GCM, or L of XAES-256-GCM."""
    return encrypt_block(Suite(int(suite_id, 16)), bytes.fromhex(key), bytes(16))


@cache
def _file() -> VectorFile:
    """Return the file of the five suites, made when a test first asks for it."""
    return make_aead()


def _cases(operation: str, flag: str) -> list[tuple[dict[str, Any], Any]]:
    """Return the shared inputs and the test, for every test of an operation and a flag."""
    return [
        (group.shared, case)
        for group, case in _file().cases()
        if group.operation == operation and case.flag == flag
    ]


@pytest.mark.parametrize("name", special_keys.RIPPLES)
def test_every_byte_of_l_has_the_same_highest_bit(name: str) -> None:
    """The shift of L moves a 1 out of every byte, or out of no byte."""
    block = _subkey_of("05", special_keys.shifted_keys()[name].hex())
    assert {byte >> 7 for byte in block} == {int(name[-1])}


def test_both_branches_of_the_shift_have_several_keys() -> None:
    """At least three keys have each value of the bit that decides about 87, and all differ."""
    keys = special_keys.shifted_keys()
    bits = [_subkey_of("05", key.hex())[0] >> 7 for key in keys.values()]
    assert min(bits.count(0), bits.count(1)) >= 3
    assert len(set(keys.values())) == len(keys)


@pytest.mark.parametrize("name", special_keys.SHIFTS)
def test_the_last_byte_of_k1_is_that_of_the_name(name: str) -> None:
    """An addition of 87 differs from an XOR only where both have a bit."""
    block = _subkey_of("05", special_keys.shifted_keys()[name].hex())
    low = block[-1] << 1 & 0xFF
    assert f"the highest bit of L is {block[0] >> 7}" in name
    assert ("would carry" not in name) or low + 0x87 > 0xFF
    assert ("would not carry" not in name) or low + 0x87 == low ^ 0x87
    assert ("has bits of 87" not in name) or low & 0x87 == 0x86


@pytest.mark.parametrize("name", BYTES)
def test_a_special_byte_is_where_the_name_says(name: str) -> None:
    """Each suite has a message with that byte in the ciphertext, the tag, or S of the tag."""
    part, index, value = BYTES[name]
    found = [pair for pair in _cases("encrypt", "SpecialTag") if pair[1].comment == name]
    assert len(found) == len(Suite)
    for shared, case in found:
        sealed = bytes.fromhex(case.outputs["blob"])[12 + len(case.inputs["iv"]) // 2 :]
        key = case.trace.get("derivedKey", shared["key"])
        block = bytes.fromhex(case.trace["counterBlock"])
        mask = encrypt_block(Suite(int(shared["suite_id"], 16)), bytes.fromhex(key), block)
        tag = sealed[-_TAG:]
        parts = {
            "ciphertext": sealed[:-_TAG],
            "tag": tag,
            "S": bytes(a ^ b for a, b in zip(tag, mask, strict=True)),
        }
        assert parts[part][index] == value


def test_every_suite_has_hash_subkeys_of_all_four_forms() -> None:
    """H begins and ends with both bits."""
    found = {
        (shared["suite_id"], *ends_of(_subkey_of(shared["suite_id"], key)))
        for flag in ("SpecialKey", "SpecialTag")
        for shared, case in _cases("decrypt", flag)
        if case.comment.startswith("H begins")
        for key in (case.trace.get("derivedKey", shared["key"]),)
    }
    assert len(found) == 4 * len(Suite)


def test_every_two_errors_of_decryption_have_an_order() -> None:
    """Each two of the seven errors of decryption occur together in one test."""
    found = {(case.error, case.repaired.error) for _, case in _cases("decrypt", TWO_DEFECTS)}
    assert len(found) == 7 * 6 // 2
    assert {first for first, _ in found} == {
        ErrorCode.INVALID_BLOB,
        ErrorCode.INVALID_CONTEXT,
        ErrorCode.KEY_NOT_FOUND,
        ErrorCode.KEY_VERSION_NOT_FOUND,
        ErrorCode.INCORRECT_KEY,
        ErrorCode.PLAINTEXT_SIZE,
    }


def test_lengths_of_associated_data_are_those_of_their_names() -> None:
    """The name of a context has the length of header and context together."""
    maker = AeadMaker(Suite.SM4_GCM)
    named = [m for m in messages.messages(maker) if m.comment.endswith("associated data")]
    assert len(named) > 10
    for message in named:
        length = int(message.comment.split()[0].replace(",", ""))
        assert len(maker.associated_data(message.pairs)) == length


def test_texts_at_the_limit_have_the_length_of_their_names() -> None:
    """A text of 8,192 characters is valid whatever its bytes, and one of 8,193 is not."""
    cases = [case for _, case in make_encryption_context().cases() if "json" in case.inputs]
    for number, is_valid in ((8192, True), (8193, False)):
        named = [case for case in cases if case.comment.startswith(f"{number:,} characters")]
        assert len(named) > 10
        for case in named:
            assert (len(str(case.inputs["json"])), case.error is None) == (number, is_valid)


@pytest.mark.parametrize("suite", Suite)
def test_similar_keys_and_ivs_share_halves(suite: Suite) -> None:
    """Successive keys and IVs share a half: the first of some, and the last of others."""
    for values in (similar_keys(suite).values(), similar_ivs(suite).values()):
        shared = set()
        for before, after in pairwise(values):
            assert before != after
            half = len(after) // 2
            shared |= {name for name, part in _parts(half).items() if before[part] == after[part]}
        assert shared == {"first", "last"}


def _parts(half: int) -> dict[str, slice]:
    """Return the two halves of a key or an IV."""
    return {"first": slice(half), "last": slice(half, None)}


@pytest.mark.parametrize("operation", ["encrypt", "decrypt"])
@pytest.mark.parametrize("suite", Suite)
def test_successive_similar_keys_have_one_iv(suite: Suite, operation: str) -> None:
    """A change of the key keeps the IV, so that a cache of one entry is noticed."""
    keys, ivs = [], []
    for shared, case in _cases(operation, "SimilarKey"):
        if shared["suite_id"] == f"{suite.value:02x}":
            start = len(header_bytes(suite.value, KEY_ID, KEY_VERSION_ID))
            blob = bytes.fromhex(case.inputs.get("blob") or case.outputs["blob"])
            keys.append(shared["key"])
            ivs.append(blob[start : start + iv_length(suite)])
    changes = [n for n in range(1, len(keys)) if keys[n] != keys[n - 1]]
    assert len(changes) == len(similar_keys(suite)) - 1
    assert all(ivs[n] == ivs[n - 1] for n in changes)
