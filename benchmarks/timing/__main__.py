"""The command `python -m benchmarks.timing`."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks.timing import __doc__ as description
from benchmarks.timing.leaks import ITERATIONS, NO_LEAK, with_leaks
from benchmarks.timing.sampling import BLOCK, length_of, measure
from benchmarks.timing.subjects import SUBJECTS
from benchmarks.timing.welch import CERTAIN, Comparison, compare

_SHARES: Final = (100, 10, 1)
_LEAST: Final = 100  # samples of each class; with fewer, the tails of Student's t are too heavy
_HEADER: Final = "| Subject | Samples | Pair | Percentile | t | Difference | Verdict |"
_LEAK_HEADER: Final = "| Subject | Samples | Leak | Percentile | t | Difference | Verdict |"
_RULE: Final = "|---|--:|---|--:|--:|--:|---|"


def main(arguments: list[str] | None = None) -> int:
    """Measure, show the tables, and return 1 if a pair of faults is certainly different."""
    options = _parser().parse_args(arguments)
    _write(_LEAK_HEADER if options.leaks else _HEADER)
    _write(_RULE)
    different = False
    for name, make in SUBJECTS.items():
        if options.only not in name:
            continue
        subject = make()
        samples = max(BLOCK, int(subject.samples * options.scale))
        if options.leaks:
            _show_leaks(name, measure(with_leaks(subject), samples))
        else:
            different |= _show(name, measure(subject, samples))
    return int(different)


def _show(name: str, times: Mapping[str, Sequence[int]]) -> bool:
    """Write the greatest difference at each number of samples, then all that are not chance.

    Returns whether a difference is certain.
    """
    found: list[Comparison] = []
    for size, found in by_size(times):
        _write_row(name, size, _pair(found[0]), found[0])
    for each in found[1:]:
        if each.verdict != "no difference":
            _write_row(name, size, _pair(each), each)
    return any(each.verdict == "certain" for each in found)


def by_size(times: Mapping[str, Sequence[int]]) -> list[tuple[int, list[Comparison]]]:
    """Return the comparisons of the first hundredth of the times, the first tenth, and all.

    Args:
        times: The times by class, in the order of the measurement.

    Returns:
        The number of samples of each class, with the comparisons of all pairs. Fewer than 100
        samples are not compared, except if there are no more.
    """
    whole = len(next(iter(times.values())))
    sizes = [size for share in _SHARES if (size := whole // share) >= _LEAST] or [whole]
    return [
        (size, compare({name: values[:size] for name, values in times.items()})) for size in sizes
    ]


def _show_leaks(name: str, times: Mapping[str, Sequence[int]]) -> None:
    """Write the smallest certain leak at each number of samples, then the other leaks at most."""
    planted = {str(number): f"{length_of(number):.0f} ns" for number in ITERATIONS}
    for size, found in by_size(times):
        against = {each.second: each for each in found if each.first == NO_LEAK}
        certain = [number for number in ITERATIONS if is_found(against[str(number)])]
        if certain:
            _write_row(name, size, planted[str(certain[0])], against[str(certain[0])])
        else:
            _write(f"| {name} | {size:,} | none | | | | |")
    for leak, each in against.items():
        _write_row(name, size, planted.get(leak, leak), each)


def is_found(comparison: Comparison) -> bool:
    """Return whether the second class is certainly slower."""
    return comparison.difference.t < -CERTAIN


def _pair(comparison: Comparison) -> str:
    return f"{comparison.first} / {comparison.second}"


def _write_row(name: str, size: int, subject: str, comparison: Comparison) -> None:
    """Write a row of the table."""
    t, _, nanoseconds = comparison.difference
    _write(
        f"| {name} | {size:,} | {subject} | {comparison.percentile} | {t:+.1f}"
        f" | {nanoseconds:+,.0f} ns | {comparison.verdict} |"
    )


def _write(line: str) -> None:
    """Write a line at once, because the next one can take minutes."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.timing",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--only", default="", metavar="TEXT", help="only the subjects whose name has this text")
    add("--scale", type=float, default=1.0, metavar="N", help="factor of all numbers of samples")
    add("--leaks", action="store_true", help="measure known leaks instead of faults")
    return parser


if __name__ == "__main__":
    sys.exit(main())
