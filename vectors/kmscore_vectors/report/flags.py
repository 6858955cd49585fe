"""The counts of a run by flag: which flags have a failure, and how many do not."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from kmscore_vectors.judgement import Results, Verdict
from kmscore_vectors.report.texts import is_not_asked

COLUMNS: Final[Mapping[str, tuple[Verdict, ...]]] = {
    "right": (Verdict.RIGHT,),
    "wrong": (Verdict.WRONG,),
    "code": (Verdict.OTHER_ERROR,),
    "accept": (Verdict.ACCEPTED,),
    "none": (Verdict.CRASHED, Verdict.NO_ANSWER),
    "reject": (Verdict.UNPROVEN,),
    "n/a": (Verdict.UNSUPPORTED,),
}
"""The verdicts of each column of counts; the heads are short, so that 60 columns are enough."""

LEGEND: Final = "; ".join(
    f"{head}: {' or '.join(verdict.value for verdict in verdicts)}"
    for head, verdicts in COLUMNS.items()
    if [head] != [verdict.value for verdict in verdicts]
)


class FileCounts(NamedTuple):
    """The flags of one file: those of a table, and the number of the others."""

    file: str
    failed: dict[str, Counter[Verdict]]
    """The counts of the flags with a failure, or with a rejection that proves nothing."""
    clean: int
    unsupported: int
    clean_tests: Counter[Verdict]
    unsupported_tests: int
    not_asked: int
    """The number of tests that were not asked, because the implementation had been given up."""

    def lines(self) -> Iterator[str]:
        """Yield a line for the other flags: without a failure, not supported, not asked."""
        if self.clean:
            skipped = self.clean_tests[Verdict.UNSUPPORTED]
            but = f", {skipped:,} of them not supported" if skipped else ""
            number = _count(self.clean, "flag"), _count(self.clean_tests.total(), "test")
            yield f"{self.file}: {number[0]} without a failure ({number[1]}{but})"
        if self.unsupported:
            number = _count(self.unsupported, "flag"), _count(self.unsupported_tests, "test")
            yield f"{self.file}: {number[0]} not supported ({number[1]})"
        if self.not_asked:
            yield f"{self.file}: {_count(self.not_asked, 'test')} not asked"


def by_file(results: Results) -> Iterator[FileCounts]:
    """Yield the flags of each file."""
    not_asked = Counter(
        (each.test.file, each.test.flag) for each in results.failures if is_not_asked(each)
    )
    files: dict[str, dict[str, Counter[Verdict]]] = {}
    for (file, flag), counter in results.by_flag.items():
        asked = counter - Counter({Verdict.NO_ANSWER: not_asked[file, flag]})
        files.setdefault(file, {}).update({flag: asked} if asked else {})
    for file, flags in files.items():
        failed = {flag: counter for flag, counter in flags.items() if _has_failed(counter)}
        others = [counter for flag, counter in flags.items() if flag not in failed]
        clean = [counter for counter in others if counter[Verdict.RIGHT]]
        clean_tests = sum(clean, Counter[Verdict]())
        unsupported = sum(counter.total() for counter in others) - clean_tests.total()
        yield FileCounts(
            file,
            failed,
            len(clean),
            len(others) - len(clean),
            clean_tests,
            unsupported,
            sum(number for (name, _), number in not_asked.items() if name == file),
        )


def row(counter: Counter[Verdict]) -> list[str]:
    """Return the count of each column, empty for 0."""
    counts = (sum(counter[verdict] for verdict in verdicts) for verdicts in COLUMNS.values())
    return [str(count or "") for count in counts]


def _has_failed(counter: Counter[Verdict]) -> bool:
    return any(counter[verdict] for verdict in Verdict if verdict.is_failure) or bool(
        counter[Verdict.UNPROVEN]
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
