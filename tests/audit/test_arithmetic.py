"""The two ways of the audit kit to compute a formula agree, and reject what has no value."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.audit_cases import (
    CONTEXT,
    asymmetric_ciphertexts,
    blob_of,
    keyring,
    rsa_key,
)
from support.samples import examples

from kmscore import audit
from kmscore.audit import Formula, Secrecy, Trace, Value
from kmscore.audit.notes import Notes
from kmscore.audit.primitives import NOWHERE, PRIMITIVES, _add, multiple, point_x
from kmscore.audit.replaying import _FUNCTIONS
from kmscore.sm2.curve import G, N, P, encode_point

_BLOCKS = st.binary(min_size=16, max_size=16)
_KEYS = st.sampled_from([16, 24, 32]).flatmap(lambda n: st.binary(min_size=n, max_size=n))
_TEXTS = st.binary(max_size=40)
_PAIRS = st.dictionaries(_TEXTS, _TEXTS, min_size=1, max_size=4).map(
    lambda pairs: tuple(text for key in sorted(pairs) for text in (key, pairs[key]))
)
_NUMBERS = st.integers(1, N - 1).map(lambda number: number.to_bytes(32, "big"))
_COORDINATES = st.integers(0, P - 1).map(lambda number: number.to_bytes(32, "big"))
_POINTS = _NUMBERS.map(lambda k: multiple(k, encode_point(G)[:32], encode_point(G)[32:]))
_LENGTHS = st.integers(1, 100)

_INPUTS: dict[str, st.SearchStrategy[tuple[Any, ...]]] = {
    "cut": st.tuples(_BLOCKS, st.integers(0, 8), st.integers(8, 16)),
    "join": st.lists(_TEXTS, max_size=4).map(tuple),
    "first": st.tuples(st.integers(0, 32), _BLOCKS, _BLOCKS),
    "xor": st.tuples(_BLOCKS, _BLOCKS),
    "pad": st.tuples(_TEXTS),
    "lengths": st.tuples(_TEXTS, _TEXTS),
    "counter": st.tuples(st.binary(min_size=12, max_size=12), st.integers(0, 1000)),
    "aes": st.tuples(_KEYS, _BLOCKS),
    "sm4": st.tuples(_BLOCKS, _BLOCKS),
    "double": st.tuples(_BLOCKS),
    "ghash": st.tuples(_BLOCKS, _BLOCKS, _BLOCKS),
    "canonical": _PAIRS,
    "pairs_text": _PAIRS,
    "hexadecimal": st.tuples(_TEXTS),
    "sha256": st.lists(_TEXTS, max_size=3).map(tuple),
    "sha1": st.lists(_TEXTS, max_size=3).map(tuple),
    "sm3": st.lists(_TEXTS, max_size=3).map(tuple),
    "mgf1_sha256": st.tuples(_TEXTS, _LENGTHS),
    "mgf1_sha1": st.tuples(_TEXTS, _LENGTHS),
    "power": st.tuples(_COORDINATES, _BLOCKS, st.just(N.to_bytes(32, "big"))),
    "position": st.tuples(
        st.integers(0, 9).map(lambda zeros: b"ab" + bytes(zeros) + b"\x01xyz"), st.just(2)
    ),
    "after": st.tuples(_BLOCKS, st.integers(0, 15).map(lambda n: n.to_bytes(2, "big"))),
    "curve_left": st.tuples(_COORDINATES),
    "curve_right": st.tuples(_COORDINATES),
    "point_x": st.tuples(_NUMBERS, _POINTS).map(lambda each: (each[0], *each[1])),
    "point_y": st.tuples(_NUMBERS, _POINTS).map(lambda each: (each[0], *each[1])),
    "base64_text": st.tuples(_TEXTS),
    "base64_bytes": st.tuples(_TEXTS).map(lambda each: (PRIMITIVES["base64_text"](*each),)),
}


def test_every_function_but_the_private_one_has_inputs() -> None:
    """The law below covers all functions; the next test covers `private_power`."""
    assert set(_INPUTS) == set(PRIMITIVES) - {"private_power"}


@pytest.mark.parametrize("name", _INPUTS)
def test_both_ways_agree_on_drawn_inputs(name: str) -> None:
    """A function of the kit and its counterpart in replay give the same bytes."""

    # A multiplication takes some 40 ms.
    @examples(15 if name.startswith("point") else 100)
    @given(_INPUTS[name])
    def agree(arguments: tuple[Any, ...]) -> None:
        assert PRIMITIVES[name](*arguments) == _FUNCTIONS[name](*arguments)

    agree()


def test_both_ways_agree_on_the_private_power() -> None:
    """RSA with blinding, and by squares and products."""
    numbers = rsa_key()._private_key.private_numbers()
    n, d = (each.to_bytes(256, "big") for each in (numbers.public_numbers.n, numbers.d))
    e = numbers.public_numbers.e.to_bytes(3, "big")
    for base in (bytes(256), bytes(255) + b"\x01", b"\x00" + os.urandom(255)):
        results = [table["private_power"](base, d, e, n) for table in (PRIMITIVES, _FUNCTIONS)]
        assert results[0] == results[1]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("xor", (b"a", b"bc")),
        ("canonical", (b"b", b"", b"a", b"")),
        ("private_power", (b"\x02", b"\x05", b"\x03", b"\x0f")),
        ("position", (b"abcd", 2)),
        ("base64_bytes", (b"?",)),
    ],
)
def test_replay_rejects_arguments_without_a_value(name: str, arguments: tuple[Any, ...]) -> None:
    """Lengths that differ, unsorted keys, an exponent that does not fit, and wrong padding."""
    with pytest.raises(ValueError, match=r"^$|byte|base64|padding"):
        _FUNCTIONS[name](*arguments)


def test_the_multiple_of_a_point_by_n_is_not_a_point() -> None:
    """The sum of opposite points is infinity, which has no coordinates."""
    assert _add(G, (G.x, P - G.y)) is None
    assert _add(None, G) == _add(G, None) == G
    x, y = encode_point(G)[:32], encode_point(G)[32:]
    with pytest.raises(ArithmeticError, match="multiple of n"):
        point_x(N.to_bytes(32, "big"), x, y)


def test_the_offset_of_a_missing_01_is_marked() -> None:
    """The function of the kit returns ff ff, because one check covers the whole padding."""
    for block in (b"ab", b"ab\x00", b"ab\x00\x02"):
        assert PRIMITIVES["position"](block, 2) == NOWHERE
    assert PRIMITIVES["base64_bytes"](b"?") == b""


def _changed(trace: Trace, change: Callable[[Value], Value | None]) -> Trace:
    """Return a trace with changed values."""
    steps = tuple(
        replace(
            step, values=tuple(new for value in step.values if (new := change(value)) is not None)
        )
        for step in trace.steps
    )
    return replace(trace, steps=steps)


def test_replay_finds_each_changed_value() -> None:
    """A value with one other bit differs from its formula, or those that use it do."""
    algorithm, ciphertext = asymmetric_ciphertexts()["SM2PKE in DER"]
    for trace in (
        audit.trace_decrypt(keyring(), blob_of("xaes"), CONTEXT),
        audit.trace_asymmetric_decrypt(keyring(), "sm2", "1", algorithm, ciphertext),
    ):
        for name, value in trace.values.items():
            if not value.data or name in {"left", "right"}:
                continue
            other = replace(value, data=value.data[:-1] + bytes([value.data[-1] ^ 1]))
            changed = _changed(trace, lambda each, new=other: new if each.id == new.id else each)
            assert audit.replay(changed).wrong != (), name


def test_replay_reports_a_formula_without_its_inputs() -> None:
    """A value whose input is missing, or whose function is unknown, is wrong."""
    trace = audit.trace_decrypt(keyring(), blob_of("gcm"), CONTEXT)
    assert (
        "header"
        in audit.replay(_changed(trace, lambda each: None if each.id == "blob" else each)).wrong
    )
    odd = Value("odd", "", b"", Secrecy.PUBLIC, formula=Formula("unknown", ()))
    wrong = audit.replay(_changed(trace, lambda each: odd if each.id == "T" else each)).wrong
    assert "odd" in wrong


def test_two_values_cannot_have_one_id() -> None:
    """Notes reject a second value of the same name, which would hide the first."""
    notes = Notes()
    notes.step("a", "", "")
    notes.give("x", "", b"", "the caller")
    with pytest.raises(KeyError, match="x"):
        notes.give("x", "", b"", "the caller")
    notes.of_side("source").give("x", "", b"", "the caller")
