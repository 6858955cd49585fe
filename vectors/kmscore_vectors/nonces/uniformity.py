"""Patterns in random byte strings of one length: IVs and seeds of OAEP."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, takewhile
from typing import Final, Literal, NamedTuple

from kmscore_vectors.nonces.bounds import ALARM, usual_counts
from kmscore_vectors.nonces.findings import Finding

_BITS: Final = 8
_BYTES: Final = 256  # values of a byte
_LEAST_FOR_STEPS: Final = 3  # values; with two, one step is always equal to all steps
_SHOWN: Final = 3  # bits or byte values in a message


class Names(NamedTuple):
    """The names of the weaknesses of a kind of value."""

    repeated: str
    counter: str
    short: str


IV: Final = Names("RepeatedIv", "CounterIv", "ShortIv")
SEED: Final = Names("RepeatedSeed", "CounterSeed", "ShortSeed")


def examine(
    values: Sequence[bytes], names: Names, parts: Mapping[str, slice] | None = None
) -> list[Finding]:
    """Return the weaknesses of values of one length.

    A counter is reported alone, because its high bits are always constant.

    Args:
        values: The values in the order in which they were drawn.
        names: The names of the weaknesses.
        parts: Parts of a value that must be random each by itself, by name.

    Returns:
        The findings.
    """
    if not values:
        return []
    parts = parts or {}
    counters = list(_counters(values, names, {"": slice(None), **parts}))
    return [
        *_repeated(values, names, parts),
        *(counters[:1] or _uneven(values, names)),
    ]


def _repeated(
    values: Sequence[bytes], names: Names, parts: Mapping[str, slice]
) -> Iterator[Finding]:
    """Yield findings for values, and for parts of different values, that occurred before."""
    different = set(values)
    if len(different) < len(values):
        yield Finding(
            names.repeated,
            f"{len(values) - len(different)} of {len(values)} values occurred before",
        )
    for part, where in parts.items():
        repeats = len(different) - len({value[where] for value in different})
        if repeats:
            yield Finding("RepeatedHalf", f"{part}: {repeats} of {len(different)} occurred before")


def _counters(
    values: Sequence[bytes], names: Names, parts: Mapping[str, slice]
) -> Iterator[Finding]:
    """Yield a finding for each part and byte order in which the values are a counter."""
    orders: tuple[Literal["big", "little"], ...] = ("big", "little")
    for part, where in parts.items():
        for order in orders:
            length = len(values[0][where])
            numbers = [int.from_bytes(value[where], order) for value in values]
            if steps := _steps(numbers, _BITS * length):
                label = f"{part}: " if part else ""
                yield Finding(names.counter, f"{label}{steps}, as {order}-endian integers")


def _steps(numbers: Sequence[int], bits: int) -> str:
    """Return a description of the steps of a counter; nothing for other numbers.

    One random step of 96 bits or more has at most half of the bits with a probability of 2^-47.
    Two random steps are equal with a probability of 2^-96.
    """
    half = 1 << (bits - 1)
    steps = {(after - before + half) % (2 * half) - half for before, after in pairwise(numbers)}
    if len(numbers) < _LEAST_FOR_STEPS or steps == {0}:
        return ""
    if len(steps) == 1:
        return f"each value is the one before plus {steps.pop()}"
    least, most = min(steps), max(steps)
    # A short random value has small steps too, but of both signs.
    is_monotonic = least >= 0 or most <= 0
    is_slow = max(most, -least) < 1 << (bits // 2)
    return f"all steps are from {least} to {most}" if is_monotonic and is_slow else ""


def _uneven(values: Sequence[bytes], names: Names) -> Iterator[Finding]:
    """Yield findings for constant, biased and dependent bits, and for biased byte values."""
    columns = [Counter(column) for column in zip(*values, strict=True)]
    ones = [_ones(column, bit) for column in columns for bit in range(_BITS)]
    usual = usual_counts(len(values), 2, len(ones))
    odd = {bit: count for bit, count in enumerate(ones) if count not in usual}
    constant = {bit for bit, count in odd.items() if count in {0, len(values)}}
    yield from _constant({bit: odd[bit] > 0 for bit in constant}, names, len(columns))
    biased = sorted(odd.keys() - constant)
    if biased:
        shown = [f"bit {bit} is 1 in {ones[bit]} of {len(values)} values" for bit in biased]
        yield Finding("BiasedBits", _list(shown))
    dependent = list(_dependent(values, len(ones), len(constant)))
    yield from dependent
    if not dependent:  # repeated bytes have other frequencies anyway, and so has a byte of odd bits
        even = [column for index, column in enumerate(columns) if not odd.keys() & _bits_of(index)]
        yield from _biased_bytes(sum(even, Counter()))


def _ones(column: Mapping[int, int], bit: int) -> int:
    """Return the number of bytes in which a bit is 1; bit 0 is the highest."""
    return sum(number for byte, number in column.items() if byte & 0x80 >> bit)


def _bits_of(index: int) -> set[int]:
    """Return the numbers of the bits of a byte; bit 0 is the highest bit of the first byte."""
    return set(range(_BITS * index, _BITS * (index + 1)))


def _constant(constant: Mapping[int, bool], names: Names, length: int) -> Iterator[Finding]:
    """Yield findings for bytes of 0 at the ends, and for all other constant bits."""
    zeros = {bit for bit, value in constant.items() if not value}
    empty = [_bits_of(index) <= zeros for index in range(length)]
    leading = sum(takewhile(bool, empty))
    trailing = sum(takewhile(bool, reversed(empty[leading:])))
    if leading or trailing:
        text = f"{leading} bytes at the beginning and {trailing} at the end, of {length}, are 0"
        yield Finding(names.short, text)
    inner = sorted(bit for bit in constant if leading <= bit // _BITS < length - trailing)
    if inner:
        yield Finding("ConstantBits", f"{len(inner)} of {_BITS * length} bits: {_ranges(inner)}")


def _biased_bytes(histogram: Mapping[int, int]) -> Iterator[Finding]:
    """Yield a finding for byte values with an unusual count.

    Each of the 256 counts is compared with its exact binomial bound. The limit distribution of a
    chi-squared test is not a bound for a tail of 2^-40. That test is also weaker for the usual
    mistake, a byte value that never occurs: 12,000 bytes show it here, and not there.
    """
    total = sum(histogram.values())
    usual = usual_counts(total, _BYTES, _BYTES)
    counts = {byte: histogram.get(byte, 0) for byte in range(_BYTES)}
    odd = [
        f"byte {byte:02x} occurs {count} times in {total} bytes, {total / _BYTES:.0f} are expected"
        for byte, count in counts.items()
        if count not in usual
    ]
    if odd:
        yield Finding("BiasedBytes", _list(odd))


def _dependent(values: Sequence[bytes], bits: int, constant: int) -> Iterator[Finding]:
    """Yield a finding if the values, as vectors of bits with a 1 behind, have too low a rank.

    Each of the fewer than 2^(bits + 1) linear relations holds for all uniform values with the
    probability 2^-n. With fewer than bits + 41 values there is no statement.
    """
    if len(values) < bits + 1 + ALARM:
        return
    rank = _rank((int.from_bytes(value, "big") << 1 | 1 for value in values), bits + 1)
    dependent = bits + 1 - rank - constant
    if dependent:
        yield Finding("DependentBits", f"{dependent} of {bits} bits; {rank - 1} bits are free")


def _rank(rows: Iterator[int], full: int) -> int:
    """Return the rank of a matrix over GF(2); read no more rows than necessary."""
    pivots: dict[int, int] = {}
    for row in rows:
        rest = row
        while rest and (pivot := pivots.get(rest.bit_length())) is not None:
            rest ^= pivot
        if rest:
            pivots[rest.bit_length()] = rest
        if len(pivots) == full:
            break
    return len(pivots)


def _ranges(numbers: Sequence[int]) -> str:
    """Return increasing numbers as text, successive ones as a range."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][-1] + 1:
            ranges[-1][1:] = [number]
        else:
            ranges.append([number])
    return _list(["-".join(map(str, ends)) for ends in ranges])


def _list(items: Sequence[str]) -> str:
    """Return the first items, and the number of the others."""
    more = f", and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return ", ".join(items[:_SHOWN]) + more
