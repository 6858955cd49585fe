"""Tests of the measurement of rejections: its statistics, its classes, and both controls."""

import random
import re
import statistics
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.fixtures import sm2_key
from benchmarks.timing import subjects, zero_streams
from benchmarks.timing.__main__ import by_size, is_found, main
from benchmarks.timing.leaks import EARLY_EXIT, ITERATIONS, NO_LEAK, with_leaks
from benchmarks.timing.sampling import (
    NotRejectedError,
    Subject,
    length_of,
    measure,
    spend,
    time_rejection,
)
from benchmarks.timing.subjects import AGAIN, SUBJECTS
from benchmarks.timing.welch import Moments, compare, moments, welch
from kmscore import DecryptionError
from kmscore.sm2 import available_backends
from kmscore.sm2.backends import portable
from kmscore.sm2.curve import G

# Student's data on sleep, in tenths of an hour.
_SLEEP_1 = [7, -16, -2, -12, -1, 34, 37, 8, 0, 20]
_SLEEP_2 = [19, 8, 11, 1, -1, 44, 55, 16, 46, 34]

_NUMBERS = st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=30)


@pytest.mark.parametrize(
    ("first", "second", "t", "degrees"),
    [
        # R, `t.test(extra ~ group, data = sleep)`.
        (moments(_SLEEP_1), moments(_SLEEP_2), -1.8608, 17.776),
        # NIST/SEMATECH e-Handbook of Statistical Methods section 1.3.5.3 (AUTO83B.DAT).
        (
            Moments(249, 20.14458, 6.414700**2),
            Moments(79, 30.48101, 6.107710**2),
            -12.94627,
            136.8750,
        ),
        # NAG Library, example of g07caf: very different variances.
        (Moments(4, 25.0, 0.8185**2), Moments(8, 21.0, 4.208**2), 2.5922, 8.0),
    ],
    ids=["R", "NIST", "NAG"],
)
def test_published_figures(first: Moments, second: Moments, t: float, degrees: float) -> None:
    """The statistic and the degrees of freedom are those that others have published."""
    found = welch(first, second)
    assert found.t == pytest.approx(t, rel=5e-5)
    assert found.degrees_of_freedom == pytest.approx(degrees, rel=1e-2 if degrees == 8 else 5e-5)


@settings(deadline=None)
@given(_NUMBERS)
def test_moments_are_those_of_the_standard_library(values: list[int]) -> None:
    """Mean and variance are those of `statistics`."""
    found = moments(values)
    assert found.size == len(values)
    assert found.mean == pytest.approx(statistics.fmean(values))
    assert found.variance == pytest.approx(statistics.variance(values))


@settings(deadline=None)
@given(_NUMBERS, _NUMBERS, st.integers(-(10**6), 10**6), st.integers(1, 1000))
def test_shift_scale_and_order(left: list[int], right: list[int], shift: int, scale: int) -> None:
    """A shift and a scale of all values change nothing; the other order changes the sign."""
    t, degrees, distance = welch(moments(left), moments(right))
    swapped = welch(moments(right), moments(left))
    assert swapped == pytest.approx((-t, degrees, -distance))
    moved = [[scale * value + shift for value in values] for values in (left, right)]
    again = welch(*map(moments, moved))
    assert again == pytest.approx((t, degrees, scale * distance), rel=1e-6, abs=1e-6)


def test_constant_samples() -> None:
    """Two constant samples are equal, or they differ without any doubt."""
    constant = moments([7] * 5)
    assert welch(constant, constant) == (0.0, 8, 0.0)
    assert welch(constant, moments([8] * 5)).t == float("-inf")


def _machine(chance: random.Random, leak: int = 0) -> list[int]:
    """Return times as of a machine: skewed, with rare interruptions, and a leak."""
    return [
        leak
        + int(5000 + chance.lognormvariate(6, 0.5))
        + (chance.randrange(10**6) if chance.random() < 0.01 else 0)
        for _ in range(5000)
    ]


def test_equal_classes_stay_below_the_threshold() -> None:
    """Of 40 comparisons of equal distributions, none is suspicious."""
    chance = random.Random(1)
    for _ in range(40):
        (found,) = compare({"a": _machine(chance), "b": _machine(chance)})
        assert found.verdict == "no difference"


@pytest.mark.parametrize(("leak", "verdict"), [(30, "suspicious"), (100, "certain")])
def test_a_small_leak_is_found_among_interruptions(leak: int, verdict: str) -> None:
    """A leak is found that the interruptions hide if no time is left out."""
    chance = random.Random(2)
    times = {"a": _machine(chance), "b": _machine(chance, leak), "c": _machine(chance)}
    first, second, last = compare(times)
    assert {first.verdict, second.verdict} == {verdict}
    assert "b" in first[:2]
    assert "b" in second[:2]
    assert (last.first, last.second, last.verdict) == ("a", "c", "no difference")
    assert first.percentile < 100
    assert abs(welch(moments(times["a"]), moments(times["b"])).t) < 4.5


def test_a_class_that_is_always_slower_is_found() -> None:
    """A class above the lower percentiles has no times there; the higher ones show it."""
    chance = random.Random(3)
    (found,) = compare({"a": _machine(chance), "b": _machine(chance, 10**7)})
    assert (found.verdict, found.difference.t < 0) == ("certain", True)


def test_sample_sizes_are_prefixes() -> None:
    """The first hundredth and the first tenth are compared too, from 100 samples on."""
    chance = random.Random(4)
    times = {name: _machine(chance) + _machine(chance) for name in "ab"}
    assert [size for size, _ in by_size(times)] == [100, 1000, 10_000]
    assert [size for size, _ in by_size({name: each[:50] for name, each in times.items()})] == [50]
    assert by_size(times)[0][1] == compare({name: each[:100] for name, each in times.items()})


def _reject(iterations: int) -> None:
    spend(iterations)
    raise DecryptionError


def _made(number: int) -> Callable[[None], tuple[int]]:
    return lambda _: (number,)


def test_a_slow_class_is_found_by_measurement() -> None:
    """A class that takes longer is certainly different from two equal ones."""
    classes = {"a": _made(0), "b": _made(20_000), "c": _made(0)}
    times = measure(Subject("x", _reject, lambda: None, classes, 200), 200)
    assert {name: len(values) for name, values in times.items()} == dict.fromkeys("abc", 200)
    found = {(each.first, each.second): each for each in compare(times)}
    assert is_found(found["a", "b"])
    assert found["b", "c"].difference.t > 10
    assert found["a", "c"].verdict != "certain"


def test_an_input_that_is_decrypted_stops_the_measurement() -> None:
    """Each class must be one of rejections."""
    with pytest.raises(NotRejectedError):
        time_rejection(spend, (1,))


@pytest.fixture
def _few_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zero_streams, "_POOL", 1)


@pytest.mark.usefixtures("_few_streams")
@pytest.mark.parametrize("name", SUBJECTS)
def test_each_input_is_rejected_and_has_the_same_length(name: str) -> None:
    """No class is accepted, no class has another length, and one class is there twice."""
    subject = _subject(name)
    shapes = set()
    for fault in subject.classes.values():
        ciphertext, *rest = fault(subject.original())
        assert time_rejection(subject.call, (ciphertext, *rest)) > 0
        shapes.add((len(ciphertext), *(len(str(each)) for each in rest)))
    assert len(shapes) == 1
    (again,) = (each for each in subject.classes if each.endswith(AGAIN))
    assert again.removesuffix(AGAIN) in subject.classes


def _subject(name: str) -> Subject:
    """Return a subject; skip SM2 backends that are not usable here."""
    kind, _, backend = name.partition(" ")
    if kind.startswith("sm2") and backend not in available_backends():
        pytest.skip(f"the SM2 backend {backend} is not usable")
    return SUBJECTS[name]()


@pytest.mark.usefixtures("_few_streams")
@pytest.mark.parametrize("name", ["blob AES_256_GCM", "oaep RSAES_OAEP_SHA_1", "sm2 portable"])
def test_an_original_is_valid(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its fault, the input is decrypted: the fault is the only cause of the rejection."""
    monkeypatch.setattr(subjects, "_changed", lambda data, *_: data)
    subject = _subject(name)
    unchanged = {
        "blob": "first byte of the tag",
        "oaep": "label hash",
        "sm2": "first byte of C3",
    }[name.split(maxsplit=1)[0]]
    arguments: tuple[Any, ...] = subject.classes[unchanged](subject.original())
    assert len(subject.call(*arguments).plaintext) == 32  # type: ignore[attr-defined]


@pytest.mark.usefixtures("_few_streams")
def test_a_stream_of_zeros_has_the_right_digest() -> None:
    """C3 is right, so only the check of the KDF output rejects the ciphertext."""
    key = sm2_key("portable")
    parts = zero_streams.ZeroStreams(key).draw()
    public = portable.multiply(key._scalar, G)
    plaintext = portable.load().decryptor(key._scalar, public)(parts)
    assert plaintext == parts.c2
    assert len(parts.c2) == 1


def test_the_command_shows_each_subject_and_size(capsys: pytest.CaptureFixture[str]) -> None:
    """The table has a row for each subject and number of samples; the code is 0 or 1."""
    assert main(["--only", "blob A", "--scale", "0.002"]) in {0, 1}
    header, rule, *rows = capsys.readouterr().out.splitlines()
    assert header.count("|") == rule.count("|") == 8
    assert re.match(r"\| blob AES_256_GCM \| 100 \| .+ / .+ \| \d+ \| [+-]", rows[0])
    assert re.match(r"\| blob AES_256_GCM \| 1,000 \| ", rows[1])


def test_the_command_finds_leaks(capsys: pytest.CaptureFixture[str]) -> None:
    """With `--leaks`, the table has the smallest leak that is found, and then each leak."""
    assert main(["--leaks", "--only", "blob A", "--scale", "0.0004"]) == 0
    *_, last = rows = capsys.readouterr().out.splitlines()[2:]
    assert len(rows) == 1 + len(ITERATIONS) + 2
    assert re.match(r"\| blob AES_256_GCM \| 200 \| ", last)
    assert any(EARLY_EXIT in row for row in rows)


def test_leaks_keep_the_rejection() -> None:
    """A class with a leak is rejected as before, and there are two without a leak."""
    subject = with_leaks(SUBJECTS["blob AES_256_GCM"]())
    assert list(subject.classes)[:2] == [NO_LEAK, f"{NO_LEAK}{AGAIN}"]
    for fault in subject.classes.values():
        assert time_rejection(subject.call, fault(subject.original())) > 0


def _must_be_found(name: str) -> int:
    """Return the shortest leak that a campaign must find, in iterations.

    For AES_256_GCM, OAEP with SHA-256 and SM2PKE on `openssl`, a tenth of the samples of a campaign
    found it with |t| above 20 on a busy machine with two cores. It is 0.25 microseconds for blobs,
    and 30 to 50 for asymmetric ciphertexts. The other subjects of a kind have the same limit.
    """
    if name.endswith(" portable"):
        return ITERATIONS[-1]
    return 64 if name.startswith("blob ") else 4096


def test_a_campaign_must_find_a_leak_that_is_measured() -> None:
    """The limit of each subject is one of the leaks, and for a blob it is less than its time."""
    limits = {name: _must_be_found(name) for name in SUBJECTS}
    assert set(limits.values()) <= set(ITERATIONS)
    subject = SUBJECTS["blob AES_256_GCM"]()
    fault = next(iter(subject.classes.values()))
    rejection = min(time_rejection(subject.call, fault(subject.original())) for _ in range(100))
    assert length_of(limits["blob AES_256_GCM"]) < rejection


@pytest.mark.campaign
@pytest.mark.parametrize("name", SUBJECTS)
def test_no_cause_of_a_rejection_shows_in_its_time(name: str) -> None:
    """No pair of faults is certainly different, and known leaks from a small one on are."""
    subject = _subject(name)
    different = [
        each for each in compare(measure(subject, subject.samples)) if each.verdict == "certain"
    ]
    assert different == []
    leaking = with_leaks(subject)
    found = compare(measure(leaking, subject.samples // 5))
    against = {each.second: each for each in found if each.first == NO_LEAK}
    missed = [each for each in ITERATIONS if not is_found(against[str(each)])]
    assert [each for each in missed if each >= _must_be_found(name)] == []
    assert against[f"{NO_LEAK}{AGAIN}"].verdict != "certain"
