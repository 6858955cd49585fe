"""Known leaks, which the measurement has to find: the positive control."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from benchmarks.timing.sampling import Input, Subject, spend

NO_LEAK: Final = "no leak"
"""The name of the class without a leak. It is there twice, as the negative control."""

EARLY_EXIT: Final = "early exit"
"""The name of the class of a comparison that ends at the last byte, instead of the first one."""

ITERATIONS: Final[tuple[int, ...]] = tuple(4**power for power in range(8))
"""The lengths of the leaks, in iterations of an empty loop; their classes have these names."""

_TAG: Final = bytes(16)
_FIRST: Final = b"\x01" + bytes(15)
_LAST: Final = bytes(15) + b"\x01"


def with_leaks(subject: Subject) -> Subject:
    """Return a subject whose classes have the first fault of `subject`, and different leaks.

    After the operation, each class compares a tag of 16 bytes, and stops at the first difference.
    This is the first byte, and the last one only in the class `EARLY_EXIT`.

    Args:
        subject: The subject; only its first class is used.

    Returns:
        A subject with a class for each of `ITERATIONS`, two without a leak, and `EARLY_EXIT`.
    """
    fault = next(iter(subject.classes.values()))
    loops: dict[str, tuple[int, bytes]] = {
        NO_LEAK: (0, _FIRST),
        f"{NO_LEAK}, again": (0, _FIRST),
        **{str(number): (number, _FIRST) for number in ITERATIONS},
        EARLY_EXIT: (0, _LAST),
    }
    classes = {name: partial(_leaking, fault, leak) for name, leak in loops.items()}
    return replace(subject, call=partial(_call, subject.call), classes=classes)


def _leaking(fault: Callable[[Any], Input], leak: tuple[int, bytes], original: object) -> Input:
    """Return an input that carries its leak."""
    return (*leak, *fault(original))


def _call(call: Callable[..., object], iterations: int, tag: bytes, *arguments: object) -> None:
    """Call an operation that rejects its input, and leak the number and the tag by time."""
    try:
        call(*arguments)
    finally:
        spend(iterations)
        _equal(tag, _TAG)


def _equal(left: bytes, right: bytes) -> bool:
    """Return whether two tags are equal, with an end at the first difference."""
    for first, second in zip(left, right, strict=True):  # noqa: SIM110 (the leak)
        if first != second:
            return False
    return True
