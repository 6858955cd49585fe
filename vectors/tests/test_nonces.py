"""`kmscore-vectors nonces` finds each weakness of random values, and nothing in uniform ones."""

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from itertools import chain
from math import comb
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

import pytest
from constructions import HASH_NAMES
from support.samples import sampled
from support.time_limits import PATIENCE
from typer.testing import CliRunner, Result

import kmscore
from kmscore import hazmat
from kmscore_vectors import cli
from kmscore_vectors.adapter import fresh
from kmscore_vectors.adapter.responder import Responder
from kmscore_vectors.answers import GIVEN_UP, Answer, Ask
from kmscore_vectors.generator import affine, oaep
from kmscore_vectors.generator.keys import keyring
from kmscore_vectors.generator.keys.keyring import SymmetricTestKey
from kmscore_vectors.generator.keys.published import RSA_2048, SM2_PUBLIC_POINT, SM2_SCALAR
from kmscore_vectors.generator.sm2pke.points import SMALL_X, SMALL_Y
from kmscore_vectors.nonces import points, scalars, uniformity
from kmscore_vectors.nonces.bounds import ALARM, usual_counts
from kmscore_vectors.nonces.examination import Report, check
from kmscore_vectors.nonces.findings import WEAKNESSES
from kmscore_vectors.nonces.questions import Operation, Question, questions
from kmscore_vectors.nonces.recovery import recover_points
from kmscore_vectors.tables import Severity

_RESPONDERS = Path(__file__).parent / "responders"
_FEW = 64
"""The least number of answers, for the algorithms that are slow."""

_SEED_LENGTHS = {"RSAES_OAEP_SHA_256": 32, "RSAES_OAEP_SHA_1": 20}
_COUNTER = 0xF1E2D3C4B5A69788796A5B4C
_STEP = 0x5DEECE66D0123456789ABCDF
_HALVES = {"key derivation": slice(12), "GCM": slice(12, None)}

Draw: TypeAlias = Callable[[Random, int], bytes]
"""A function from a generator and the number of the answer to a value."""


@pytest.fixture(autouse=True)
def _short_searches(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Search for a k of 32 bits only where a test needs it, because that takes longest."""
    if "with_long_searches" not in request.fixturenames:
        monkeypatch.setattr(scalars, "_FIRST", 0)


@pytest.fixture
def with_long_searches() -> None:
    """Search for a k of 32 bits."""


def _asked(operation: str, variant: str) -> list[Question]:
    return [each for each in questions() if (each.operation, each.variant) == (operation, variant)]


def _found(report: Report) -> set[str]:
    return {finding.name for outcome in report.outcomes for finding in outcome.findings}


class _Drawing:
    """An implementation from the code of the generator, with given functions for random values."""

    def __init__(self, seed: int, draw: Mapping[str, Draw]) -> None:
        """Take the functions by operation and variant; the others are uniform."""
        self._random = Random(seed)
        self._draw = draw
        self._numbers: dict[str, int] = {}

    def __call__(self, operation: str, inputs: Mapping[str, Any]) -> Answer:
        """Return the answer to a question."""
        if operation == "fresh_sm2_encrypt":
            k = int.from_bytes(self._value(operation, 32), "big") % (affine.ORDER - 1) + 1
            return {"ciphertext": _encrypt_sm2(bytes.fromhex(inputs["plaintext"]), k).hex()}
        if operation == "fresh_oaep_encrypt":
            name = inputs["algorithm"]
            seed = self._value(operation, _SEED_LENGTHS[name])
            message = bytes.fromhex(inputs["plaintext"])
            return {"ciphertext": oaep.encrypt(RSA_2048, HASH_NAMES[name], message, seed).hex()}
        if operation == "fresh_encrypt":
            key, pairs = _key(inputs["key_id"]), inputs["pairs"]
            return {"blob": self._blob(operation, key, pairs, inputs["plaintext"])}
        return {"response": self._reencrypt(inputs)}

    def _reencrypt(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the response; the source is the first key, with an empty context."""
        source, key = keyring.ROTATED[0], _key(inputs["destination_key_id"])
        assert source.document() == inputs["keys"][0]
        blob = bytes.fromhex(inputs["ciphertext_blob"])
        decrypted = kmscore.decrypt(_provider(source), blob).plaintext.hex()
        pairs = inputs["destination_pairs"]
        return {
            "ciphertext_blob": self._blob("fresh_reencrypt", key, pairs, decrypted),
            "source_key_id": source.key_id,
            "source_key_version_id": source.key_version_id,
            "destination_key_id": key.key_id,
            "destination_key_version_id": key.key_version_id,
            "source_algorithm": None,
            "destination_suite_id": f"{key.suite.value:02x}",
        }

    def _blob(self, operation: str, key: SymmetricTestKey, pairs: Any, plaintext: str) -> str:
        iv = self._value(operation, len(key.iv("length")))
        return key.blob(bytes.fromhex(plaintext), pairs, iv).hex()

    def _value(self, operation: str, length: int) -> bytes:
        number = self._numbers[operation] = self._numbers.get(operation, -1) + 1
        if operation in self._draw:
            value = self._draw[operation](self._random, number)
            assert len(value) == length
            return value
        return self._random.randbytes(length)


@cache
def _provider(key: SymmetricTestKey) -> kmscore.Keyring:
    suite = kmscore.Suite(key.suite.value)
    spec = str(key.document()["key_spec"])
    ids = key.key_id, key.key_version_id
    return kmscore.Keyring([kmscore.SymmetricKey(*ids, spec, key.material, suite=suite)])


def _key(key_id: str) -> SymmetricTestKey:
    (key,) = (key for key in keyring.PER_SUITE.values() if key.key_id == key_id)
    return key


def _encrypt_sm2(message: bytes, k: int) -> bytes:
    c1, shared = (affine.finite(_product(k, base)) for base in (affine.BASE, SM2_PUBLIC_POINT))
    return affine.c1c3c2(affine.seal(c1, shared, message))


def _product(k: int, base: affine.AffinePoint) -> affine.AffinePoint:
    """Return [k] of a base, from tables of its multiples by one byte: 32 additions."""
    product: affine.AffinePoint = None
    for table, byte in zip(_tables(base), k.to_bytes(32, "little"), strict=True):
        product = affine.add(product, table[byte])
    return product


@cache
def _tables(base: affine.AffinePoint) -> list[list[affine.AffinePoint]]:
    tables: list[list[affine.AffinePoint]] = []
    for _ in range(32):
        multiples = points.multiples(affine.finite(base), 256)
        tables.append([None, *multiples[:255]])
        base = multiples[255]
    return tables


# ---- Uniform values -------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_uniform_ivs_pass(seed: int) -> None:
    """An implementation that draws uniform IVs has no finding, in any of 20 runs."""
    asked = [each for each in questions() if each.operation is Operation.FRESH_ENCRYPT]
    report = check(_Drawing(seed, {}), asked, 100)
    assert report.is_success
    assert [(outcome.asked, outcome.right) for outcome in report.outcomes] == [(100, 100)] * 5


@pytest.mark.parametrize("seed", range(20))
def test_uniform_values_pass(seed: int) -> None:
    """The usual numbers of uniform IVs and seeds have no finding, in any of 20 runs."""
    random = Random(seed)
    for length, number, parts in (
        (12, 1000, {}),
        (24, 1000, _HALVES),
        (20, 500, {}),
        (32, 500, {}),
    ):
        values = [random.randbytes(length) for _ in range(number)]
        assert uniformity.examine(values, uniformity.IV, parts) == []


@pytest.mark.parametrize("seed", range(20))
def test_uniform_scalars_pass(seed: int) -> None:
    """Points of uniform k have no finding, in any of 20 runs."""
    random = Random(seed)
    values = [_c1(random.randrange(1, affine.ORDER)) for _ in range(30)]
    assert scalars.examine(values) == []


def test_uniform_values_pass_in_every_operation() -> None:
    """All operations are asked, all answers are right, and there is no finding."""
    report = check(_Drawing(0, {}), questions(), 20)
    assert report.is_success
    assert {outcome.operation for outcome in report.outcomes} == set(Operation)
    assert {(outcome.asked, outcome.right) for outcome in report.outcomes} == {(20, 20)}


@pytest.mark.parametrize(
    ("trials", "faces", "events"),
    [(64, 2, 96), (1000, 2, 192), (300, 2, 256), (6000, 256, 256), (0, 256, 256), (10, 2, 96)],
)
def test_the_bounds_are_exact_and_tight(trials: int, faces: int, events: int) -> None:
    """Each tail has its part of 2^-40, and one more count in it would be more than that."""
    usual = usual_counts(trials, faces, events)
    part = Fraction(1, 2 * events << ALARM)
    assert _probability(range(usual.start), trials, faces) <= part
    assert _probability(range(usual.start + 1), trials, faces) > part
    assert 1 - _probability(range(usual.stop), trials, faces) <= part
    assert 1 - _probability(range(usual.stop - 1), trials, faces) > part


def _probability(counts: range, trials: int, faces: int) -> Fraction:
    outcomes = sum(comb(trials, count) * (faces - 1) ** (trials - count) for count in counts)
    return Fraction(outcomes, faces**trials)


def test_few_values_are_no_evidence() -> None:
    """A constant bit of 96 is found in 48 values or more, and not in fewer."""
    values = [_one_bit(Random(number), 0) for number in range(48)]
    for number in (0, 1, 2, 3, 47):
        assert uniformity.examine(values[:number], uniformity.IV) == []
    (finding,) = uniformity.examine(values, uniformity.IV)
    assert finding == ("ConstantBits", "1 of 96 bits: 45")


@pytest.mark.parametrize(("number", "due"), [(72, set()), (73, {"DependentBits"})])
def test_few_values_have_no_rank(number: int, due: set[str]) -> None:
    """A relation of 32 bits is found in 73 values or more, because one is random in 2^41."""
    random = Random(1)
    values = [random.randbytes(2) * 2 for _ in range(number)]
    assert {each.name for each in uniformity.examine(values, uniformity.IV)} == due


# ---- Weak IVs and seeds ---------------------------------------------------------------------


def _counter(length: int, order: Any, step: int = 1) -> Draw:
    return lambda _, number: ((_COUNTER + step * number) % (1 << 96)).to_bytes(length, order)


def _clock(random: Random, number: int) -> bytes:
    """Return a clock with irregular steps."""
    return (_COUNTER + 1000 * number + random.randrange(900)).to_bytes(12, "big")


def _countdown(random: Random, number: int) -> bytes:
    return (_COUNTER - 1000 * number + random.randrange(900)).to_bytes(12, "big")


def _once(length: int) -> Draw:
    """Return a function that draws the value of answer 7 again in answer 60."""
    return lambda _, number: Random(7 if number == 60 else number).randbytes(length)


def _after(prefix: bytes, length: int = 12) -> Draw:
    return lambda random, _: prefix + random.randbytes(length - len(prefix))


def _time_before(random: Random, number: int) -> bytes:
    return (0x68000000 + number // 100).to_bytes(4, "big") + random.randbytes(8)


def _one_bit(random: Random, _: int) -> bytes:
    value = bytearray(random.randbytes(12))
    value[5] |= 0x04
    return bytes(value)


def _biased_bit(random: Random, _: int) -> bytes:
    value = bytearray(random.randbytes(12))
    value[3] |= random.randbytes(1)[0] & 0x40
    return bytes(value)


def _no_ff(random: Random, _: int) -> bytes:
    return bytes(random.randrange(255) for _ in range(12))


_WEAK_IVS: dict[str, tuple[Draw, set[str]]] = {
    "one of 1,000 repeated": (_once(12), {"RepeatedIv"}),
    "one for all": (lambda *_: bytes(range(1, 13)), {"RepeatedIv", "ConstantBits"}),
    "a counter": (_counter(12, "big"), {"CounterIv"}),
    "a counter in little-endian": (_counter(12, "little"), {"CounterIv"}),
    "a counter with a large step": (_counter(12, "big", _STEP), {"CounterIv"}),
    "a clock": (_clock, {"CounterIv"}),
    "a clock that counts down": (_countdown, {"CounterIv"}),
    "a constant bit": (_one_bit, {"ConstantBits"}),
    "a time before random bytes": (_time_before, {"ConstantBits", "BiasedBits"}),
    "8 random bytes and zeros": (
        lambda random, _: random.randbytes(8) + bytes(4),
        {"ShortIv"},
    ),
    "zeros and 8 random bytes": (_after(bytes(4)), {"ShortIv"}),
    "zeros and a constant": (_after(bytes(2) + b"\x17"), {"ShortIv", "ConstantBits"}),
    "a biased bit": (_biased_bit, {"BiasedBits"}),
    "no byte ff": (_no_ff, {"BiasedBytes"}),
    "6 bytes twice": (lambda random, _: random.randbytes(6) * 2, {"DependentBits"}),
    "6 bytes and their complement": (
        lambda random, _: (six := random.randbytes(6)) + bytes(~byte & 0xFF for byte in six),
        {"DependentBits"},
    ),
}
_WEAK_XAES_IVS: dict[str, tuple[Draw, set[str]]] = {
    "a constant first half": (_after(bytes(range(1, 13)), 24), {"RepeatedHalf", "ConstantBits"}),
    "a constant second half": (
        lambda random, _: random.randbytes(12) + bytes(range(1, 13)),
        {"RepeatedHalf", "ConstantBits"},
    ),
    "one first half repeated": (
        lambda random, number: _once(12)(random, number) + random.randbytes(12),
        {"RepeatedHalf"},
    ),
    "one of 1,000 repeated": (_once(24), {"RepeatedIv"}),
    "a counter in the second half": (
        lambda random, number: random.randbytes(12) + _counter(12, "big")(random, number),
        {"CounterIv"},
    ),
    "12 bytes twice": (lambda random, _: random.randbytes(12) * 2, {"DependentBits"}),
}
_WEAK_SEEDS: dict[str, tuple[Draw, set[str]]] = {
    "one for all": (lambda *_: bytes(range(1, 33)), {"RepeatedSeed", "ConstantBits"}),
    "one repeated": (_once(32), {"RepeatedSeed"}),
    "4 random bytes": (lambda random, _: random.randbytes(4) + bytes(28), {"ShortSeed"}),
    "a counter": (_counter(32, "big"), {"CounterSeed"}),
}


@pytest.mark.parametrize("operation", sampled(["fresh_encrypt", "fresh_reencrypt"], 2))
@pytest.mark.parametrize(
    ("suite", "draw", "due"),
    [
        pytest.param(suite, *case, id=f"{suite}, {name}")
        for suite, cases in (("AES_256_GCM", _WEAK_IVS), ("XAES_256_GCM", _WEAK_XAES_IVS))
        for name, case in cases.items()
    ],
)
def test_weak_ivs_are_found(operation: str, suite: str, draw: Draw, due: set[str]) -> None:
    """Each weakness has exactly its findings, and all answers are right."""
    report = check(_Drawing(1, {operation: draw}), _asked(operation, suite))
    (outcome,) = report.outcomes
    assert (outcome.asked, outcome.right) == (1000, 1000)
    assert _found(report) == due
    assert not report.is_success


@pytest.mark.parametrize(("draw", "due"), _WEAK_SEEDS.values(), ids=_WEAK_SEEDS)
def test_weak_seeds_are_found(draw: Draw, due: set[str]) -> None:
    """The seed is recovered from the ciphertext, and each weakness has exactly its findings."""
    report = check(
        _Drawing(1, {"fresh_oaep_encrypt": draw}),
        _asked("fresh_oaep_encrypt", "RSAES_OAEP_SHA_256"),
        _FEW,
    )
    assert report.outcomes[0].right == _FEW
    assert _found(report) == due


@pytest.mark.parametrize("length", [20, 32])
def test_a_stretched_seed_is_found(length: int) -> None:
    """A seed that repeats 4 random bytes has only 32 free bits."""
    random = Random(1)
    values = [random.randbytes(4) * (length // 4) for _ in range(500)]
    (finding,) = uniformity.examine(values, uniformity.SEED)
    dependent = f"{8 * length - 32} of {8 * length} bits; 32 bits are free"
    assert finding == ("DependentBits", dependent)


def test_a_seed_without_one_byte_value_is_found() -> None:
    """The usual number of seeds of 20 bytes shows a byte value that never occurs."""
    random = Random(1)
    values = [bytes(random.randrange(255) for _ in range(20)) for _ in range(500)]
    (finding,) = uniformity.examine(values, uniformity.SEED)
    assert finding == ("BiasedBytes", "byte ff occurs 0 times in 10000 bytes, 39 are expected")


def test_a_more_frequent_byte_value_is_found() -> None:
    """One byte value that is three times as frequent as the others."""
    histogram = dict.fromkeys(range(256), 40) | {0: 120}
    (finding,) = uniformity._biased_bytes(histogram)
    assert finding.detail == "byte 00 occurs 120 times in 10320 bytes, 40 are expected"


def test_a_finding_names_the_bits() -> None:
    """The detail has ranges of bits, where bit 0 is the highest of the first byte."""
    random = Random(1)
    values = [
        b"\x80" + random.randbytes(1) + bytes([0x40 | byte & 0xBE for byte in random.randbytes(4)])
        for _ in range(1000)
    ]
    (finding,) = uniformity.examine(values, uniformity.IV)
    assert finding == ("ConstantBits", "16 of 48 bits: 0-7, 17, 23, and 6 more")


# ---- Weak k ---------------------------------------------------------------------------------


def _c1(k: int) -> bytes:
    return affine.point_bytes(affine.finite(_product(k, affine.BASE)))[1:]


def _scalars(draw: Callable[[Random, int], int]) -> Draw:
    """Return a function that draws k itself."""
    return lambda random, number: ((draw(random, number) - 1) % affine.ORDER).to_bytes(32, "big")


def _sometimes_negative(_: Random, number: int) -> int:
    k = Random(number // 2).randrange(1, affine.ORDER)
    return affine.ORDER - k if number % 2 else k


def _slow_clock(_: Random, number: int) -> int:
    """Return a clock with irregular steps of at most 2^16, and no two equal steps."""
    return (_COUNTER << 64) + 50_000 * number + Random(number).randrange(15_000)


def _two_clocks(_: Random, number: int) -> int:
    """Return two clocks in turn, so that only every other difference is small."""
    start = (_COUNTER << 64) if number % 2 else (_STEP << 128)
    return start + 10_000 * number + Random(number).randrange(30_000)


_WEAK_SCALARS: dict[str, tuple[Callable[[Random, int], int], set[str]]] = {
    "one repeated": (
        lambda _, number: Random(7 if number == 60 else number).randrange(1, affine.ORDER),
        {"RepeatedK"},
    ),
    "one for all": (lambda *_: _COUNTER, {"RepeatedK"}),
    "k and n - k": (_sometimes_negative, {"NegatedK"}),
    "24 bits": (lambda random, _: random.randrange(1 << 16, 1 << 24), {"ShortK"}),
    "24 bits, once": (
        lambda random, number: 0xABCDEF if number == 60 else random.randrange(1, affine.ORDER),
        {"ShortK"},
    ),
    "16 bits": (lambda _, number: 300 * number + 7, {"ShortK"}),
    "a multiple of the stride": (
        lambda random, number: 5 << 17 if number == 60 else random.randrange(1, affine.ORDER),
        {"ShortK"},
    ),
    "n minus 24 bits": (
        lambda random, _: affine.ORDER - random.randrange(1 << 23, 1 << 24),
        {"ShortK"},
    ),
    "a counter": (lambda _, number: (_COUNTER << 64) + number, {"CounterK"}),
    "a counter with a large step": (
        lambda _, number: (_COUNTER << 64) + (_STEP << 96) * number,
        {"CounterK"},
    ),
    "a clock": (_slow_clock, {"CounterK"}),
    "two clocks in turn": (_two_clocks, {"CounterK"}),
}


@pytest.mark.parametrize(("draw", "due"), _WEAK_SCALARS.values(), ids=_WEAK_SCALARS)
def test_weak_scalars_are_found(draw: Callable[[Random, int], int], due: set[str]) -> None:
    """Each weakness of k has exactly its findings, from the points C1 alone."""
    report = check(
        _Drawing(1, {"fresh_sm2_encrypt": _scalars(draw)}),
        _asked("fresh_sm2_encrypt", "SM2PKE"),
        _FEW,
    )
    assert report.outcomes[0].right == _FEW
    assert _found(report) == due


@pytest.mark.usefixtures("with_long_searches")
def test_a_scalar_of_32_bits_is_found() -> None:
    """The first points are searched up to 2^32: k and n - k are found, and no uniform k."""
    random = Random(1)
    uniform = random.randrange(1, affine.ORDER)
    small, other = (random.randrange(1 << 31, 1 << 32) for _ in "12")
    (finding,) = scalars.examine([_c1(k) for k in (small, uniform, affine.ORDER - other)])
    assert finding == ("ShortK", "k or n - k is at most 4,295,032,832 for 2 of 3 points")


def test_every_weakness_has_a_case() -> None:
    """Each weakness is found in a test, and has an effect, links and a severity."""
    cases = chain(_WEAK_IVS.values(), _WEAK_XAES_IVS.values(), _WEAK_SEEDS.values())
    tested = {name for _, due in (*cases, *_WEAK_SCALARS.values()) for name in due}
    assert tested == set(WEAKNESSES)
    for weakness in WEAKNESSES.values():
        assert weakness.description.endswith(".")
        assert weakness.effect.endswith(".")
        assert all(link.startswith("https://") for link in weakness.links)
        assert weakness.links
    policy = {name for name, each in WEAKNESSES.items() if each.severity is Severity.POLICY}
    assert policy == {"CounterIv", "RepeatedHalf", "BiasedBits", "BiasedBytes"}


# ---- Arithmetic -----------------------------------------------------------------------------


def test_batches_agree_with_single_operations() -> None:
    """Sums, products and multiples of many points are those of the generator."""
    random = Random(1)
    some = [affine.finite(_product(random.randrange(1, affine.ORDER), affine.BASE)) for _ in "1234"]
    others = some[1:] + some[:1]
    assert points.add_all(some, others) == list(map(affine.add, some, others))
    assert points.double_all(some) == [affine.add(point, point) for point in some]
    assert points.multiply_all(0xB5, some) == [affine.multiply(0xB5, point) for point in some]
    assert points.multiples(some[0], 8) == [affine.multiply(n, some[0]) for n in range(1, 9)]
    differences = [
        affine.finite(affine.add(p, (x, -y))) for p, (x, y) in zip(some, others, strict=True)
    ]
    assert points.subtract_all(some, others) == [x for x, _ in differences]
    assert points.add_all([], []) == []


# ---- Wrong answers --------------------------------------------------------------------------


Change: TypeAlias = Callable[[dict[str, Any]], Answer]


def _hex(change: Callable[[bytes], bytes]) -> Change:
    """Return a change of the bytes of the one output."""

    def changed(answer: dict[str, Any]) -> Answer:
        ((name, value),) = answer.items()
        if isinstance(value, dict):
            blob = change(bytes.fromhex(value["ciphertext_blob"])).hex()
            return {name: value | {"ciphertext_blob": blob}}
        return {name: change(bytes.fromhex(value)).hex()}

    return changed


def _flip(index: int) -> Change:
    def change(data: bytes) -> bytes:
        return data[:index] + bytes([data[index] ^ 1]) + data[index:][1:]

    return _hex(change)


def _upper(answer: dict[str, Any]) -> Answer:
    return {name: value.upper() for name, value in answer.items()}


_NOT_RIGHT = "not an encryption of the message under the key"
_WRONG: list[tuple[Change, str]] = [
    (_flip(0), _NOT_RIGHT),
    (_flip(20), _NOT_RIGHT),
    (_flip(-1), _NOT_RIGHT),
    (_hex(lambda data: data + b"\x00"), _NOT_RIGHT),
    (_hex(lambda data: data[:-1]), _NOT_RIGHT),
    (_hex(lambda data: data[:20]), _NOT_RIGHT),
    (_hex(lambda _: b""), _NOT_RIGHT),
    (lambda _: {"error": "decryption"}, "error decryption"),
    (lambda _: {"failure": "it ended"}, "it ended"),
    (lambda _: {"unsupported": True}, "unsupported, after an answer"),
    (lambda answer: {**answer, "k": "00"}, "other outputs"),
    (lambda _: {}, "other outputs"),
    (dict.fromkeys, _NOT_RIGHT),
    (lambda answer: dict.fromkeys(answer, "zz"), _NOT_RIGHT),
]


@pytest.mark.parametrize(("change", "reason"), _WRONG)
@pytest.mark.parametrize(
    ("operation", "variant"),
    [
        ("fresh_encrypt", "SM4_GCM"),
        ("fresh_reencrypt", "XAES_256_GCM"),
        ("fresh_sm2_encrypt", "SM2PKE"),
        ("fresh_oaep_encrypt", "RSAES_OAEP_SHA_1"),
    ],
)
def test_a_wrong_answer_is_found(operation: str, variant: str, change: Change, reason: str) -> None:
    """One wrong answer of four has its reason, and the others are right."""
    report = check(_changed(change, 3), _asked(operation, variant), 4)
    (outcome,) = report.outcomes
    assert (outcome.asked, outcome.right, outcome.reasons) == (4, 3, {reason: 1})
    assert not report.is_success


def _changed(change: Change, number: int) -> Ask:
    """Return an implementation with a change in the answer of one number, the first being 1."""
    sound, numbers = _Drawing(1, {}), iter(range(1, 1000))

    def ask(operation: str, inputs: Mapping[str, Any]) -> Answer:
        answer = dict(sound(operation, inputs))
        return change(answer) if next(numbers) == number else answer

    return ask


@pytest.mark.parametrize("operation", ["fresh_encrypt", "fresh_oaep_encrypt", "fresh_sm2_encrypt"])
def test_hexadecimal_in_upper_case_is_wrong(operation: str) -> None:
    """The protocol has lower case alone."""
    (question, *_) = (each for each in questions() if each.operation == operation)
    report = check(_changed(_upper, 1), [question], 1)
    assert report.outcomes[0].reasons == {_NOT_RIGHT: 1}


def test_another_field_of_a_response_is_wrong() -> None:
    """The response of a re-encryption has all fields, with their values."""

    def change(answer: dict[str, Any]) -> Answer:
        return {"response": answer["response"] | {"source_key_id": "another"}}

    report = check(_changed(change, 2), _asked("fresh_reencrypt", "AES_128_GCM"), 4)
    assert report.outcomes[0].right == 3


def test_an_encryption_with_another_context_is_wrong() -> None:
    """The runner checks the tag with the context of the question."""
    sound = _Drawing(1, {})

    def ask(operation: str, inputs: Mapping[str, Any]) -> Answer:
        return sound(operation, {**inputs, "pairs": []})

    report = check(ask, _asked("fresh_encrypt", "AES_256_GCM"), _FEW)
    assert (report.outcomes[0].right, report.outcomes[0].findings) == (0, ())


@pytest.mark.parametrize("change", [(0, 1), (affine.PRIME, 0), (0, affine.PRIME)])
def test_a_point_that_is_not_valid_is_wrong(change: tuple[int, int]) -> None:
    """A C1 off the curve, and a coordinate of p and more; all else fits the private key."""
    point = SMALL_X if change[0] else SMALL_Y
    assert points.is_on_curve(point)
    wrong = (point[0] + change[0], point[1] + change[1])
    reduced = (wrong[0] % affine.PRIME, wrong[1] % affine.PRIME)
    texts = [
        affine.c1c3c2(affine.seal(c1, affine.finite(affine.multiply(SM2_SCALAR, c)), b"message"))
        for c1, c in ((point, point), (wrong, reduced))
    ]
    assert recover_points(b"message", texts) == [texts[0][1:65], None]


def test_unsupported_operations_are_not_asked_again() -> None:
    """An operation is unsupported from its first answer; the others are asked."""
    sound, unknown = _Drawing(1, {}), []

    def ask(operation: str, inputs: Mapping[str, Any]) -> Answer:
        if operation == "fresh_encrypt":
            return sound(operation, inputs)
        unknown.append(operation)
        return {"unsupported": True}

    report = check(ask, questions(), _FEW)
    assert report.is_success
    assert len(unknown) == 5 + 1 + 2
    assert [outcome.asked for outcome in report.outcomes] == [_FEW] * 5 + [0] * 8
    assert [outcome.is_supported for outcome in report.outcomes] == [True] * 5 + [False] * 8


def test_an_implementation_that_was_given_up_is_not_asked() -> None:
    """After it is given up, the number of asked questions is the true one."""
    sound, numbers, steps = _Drawing(1, {}), iter(range(1000)), []

    def ask(operation: str, inputs: Mapping[str, Any]) -> Answer:
        return sound(operation, inputs) if next(numbers) < 10 else {"failure": GIVEN_UP}

    asked = _asked("fresh_encrypt", "AES_256_GCM") + _asked("fresh_encrypt", "SM4_GCM")
    report = check(ask, asked, 50, steps.append)
    assert [outcome.asked for outcome in report.outcomes] == [10, 0]
    assert all(outcome.reasons == {GIVEN_UP: 1} for outcome in report.outcomes)
    assert all(outcome.is_supported for outcome in report.outcomes)
    assert sum(steps) == 100


def test_nothing_right_is_not_a_success() -> None:
    """An implementation without any of the operations has no success."""
    assert not check(lambda *_: {"unsupported": True}, questions()).is_success
    assert not Report(()).is_success


# ---- The command ----------------------------------------------------------------------------


def _invoke(*arguments: str) -> Result:
    environment = {"COLUMNS": "200"}
    return CliRunner(env=environment).invoke(cli.app, ["nonces", *arguments])


def _python(name: str) -> list[str]:
    return ["--timeout", str(PATIENCE), "--", sys.executable, "-P", str(_RESPONDERS / name)]


@pytest.mark.thorough
@pytest.mark.usefixtures("with_long_searches")
def test_the_library_passes() -> None:
    """`--kmscore` asks the library for all operations: exit code 0, and no finding."""
    result = _invoke("--kmscore", "--count", "300", "--quiet")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-1] == "3900 right, no finding."
    assert "Possible effects" not in result.stdout


def test_a_command_passes() -> None:
    """A command is asked line by line, only for the chosen operation."""
    result = _invoke(
        "--operation", "fresh_encrypt", "--count", "300", "--json", *_python("library.py")
    )
    document = json.loads(result.stdout)
    assert (result.exit_code, document["success"]) == (0, True)
    rows = [(row["operation"], row["asked"], row["right"]) for row in document["operations"]]
    assert rows == [("fresh_encrypt", 300, 300)] * 5
    assert all(row["supported"] and not row["wrong"] for row in document["operations"])


def test_an_iv_of_another_operation_is_repeated() -> None:
    """Two operations with one key draw the same IVs, each of them only once."""
    right = [each for each in questions() if each.variant == "AES_256_GCM"]
    asked: Counter[str] = Counter()

    def ask(operation: str, inputs: Any) -> Any:
        asked[operation] += 1
        iv = hashlib.sha256(str(asked[operation]).encode()).digest()[:12]
        return Responder().answer(operation.removeprefix("fresh_"), {**inputs, "iv": iv.hex()})

    first, second = check(ask, right, 300).outcomes
    assert (first.right, first.findings) == (300, ())
    (finding,) = second.findings
    assert finding.name == "RepeatedIv"
    assert finding.detail == "300 values occurred in another operation under the same key"


def _constant_iv(*arguments: Any) -> Any:
    return hazmat.encrypt(*arguments, iv=bytes(24 if arguments[1] == "xaes-256-gcm" else 12))


def test_findings_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1, the finding in its row, and once its severity, effect and links."""
    monkeypatch.setattr(fresh, "encrypt", _constant_iv)
    arguments = ("--kmscore", "--count", "300", "--operation", "fresh_encrypt")
    result = _invoke(*arguments)
    assert result.exit_code == 1
    assert result.stdout.count("RepeatedIv: 299 of 300 values occurred before") == 5
    assert result.stdout.count("forges blobs") == 1
    assert "(standard)" in result.stdout
    assert "https://eprint.iacr.org/2022/208" in result.stdout
    assert result.stdout.splitlines()[-1] == "1500 right, 0 wrong, 10 findings."
    document = json.loads(_invoke(*arguments, "--json").stdout)
    (finding, *_) = document["operations"][0]["findings"]
    assert (document["success"], finding["name"]) == (False, "RepeatedIv")
    assert finding["severity"] == "standard"
    assert finding["effect"]


def test_wrong_answers_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1 and the reason, without characters that control the terminal."""

    def fail(*_: Any, **__: Any) -> Any:
        raise ValueError(f"\x1b[31m{1000 * 'x'} the end")

    monkeypatch.setattr(fresh, "encrypt", fail)
    result = _invoke("--kmscore", "--count", "300", "--operation", "fresh_encrypt")
    assert result.exit_code == 1
    assert result.stdout.count("300 wrong: ValueError:") == 5
    assert result.stdout.count("\\u001b[31mxxx") == 5
    assert result.stdout.count("the end") == 5
    assert result.stdout.count("x") < 5 * 310
    assert result.stdout.splitlines()[-1] == "0 right, 1500 wrong, 0 findings."


def test_one_finding_is_singular(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line has the number of findings."""
    report = check(
        _Drawing(1, {"fresh_encrypt": _once(12)}), _asked("fresh_encrypt", "AES_256_GCM"), _FEW
    )
    monkeypatch.setattr("kmscore_vectors.nonces.command.check", lambda *_: report)
    result = _invoke("--kmscore")
    assert result.stdout.splitlines()[-1] == "64 right, 0 wrong, 1 finding."


def test_unsupported_operations_are_named() -> None:
    """An implementation without them: one line, and exit code 1."""
    result = _invoke(*_python("blobs.py"))
    assert result.exit_code == 1
    first, last = result.stdout.splitlines()[0], result.stdout.splitlines()[-1]
    assert first.startswith("not supported: fresh_encrypt AES_256_GCM, ")
    assert "fresh_oaep_encrypt RSAES_OAEP_SHA_1" in result.stdout
    assert last == "nothing was right."


@pytest.mark.parametrize("arguments", [[], ["--"], ["--kmscore", "--", "true"]])
def test_not_exactly_one_implementation(arguments: Sequence[str]) -> None:
    """One line and exit code 2."""
    result = _invoke(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "kmscore-vectors: give one implementation: kmscore-vectors nonces -- COMMAND...,"
        " or --kmscore\n"
    )


def test_a_command_that_cannot_be_started() -> None:
    """One line and exit code 2."""
    result = _invoke("--", "/nonexistent")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("kmscore-vectors: /nonexistent cannot be started: ")


@pytest.mark.parametrize("count", ["299", "10001"])
def test_a_count_out_of_range(count: str) -> None:
    """Fewer answers show no constant bit, and more take too long."""
    assert _invoke("--kmscore", "--count", count).exit_code == 2
