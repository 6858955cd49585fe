"""One chunk of a table, re-encrypted and written; alone or in several processes."""

from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from kmscore import Keyring
from kmscore.bulk import Item, Outcome, Status, reencrypt_many
from kmscore.cli.rotation.columns import Columns, Failure, Record
from kmscore.cli.rotation.counts import Counts, count_failure
from kmscore.cli.rotation.crew import in_processes
from kmscore.cli.rotation.journal import Part, digest_of
from kmscore.cli.rotation.table import Chunk, Result, Table
from kmscore.cli.sealed_keyring import Sealed


class TableJob(NamedTuple):
    """What to do with every chunk; sent to other processes, so it holds no key."""

    table: Table
    columns: Columns
    destination_key_id: str
    skip_current: bool
    upgrade_only: bool
    dry_run: bool


class Assignment(NamedTuple):
    """A job, the keys that it takes, and how many processes are at it."""

    job: TableJob
    keys: Keyring
    sealed: Sealed
    """The same keys, to be opened by each process for itself."""

    processes: int
    """1 is this one."""


class Task(NamedTuple):
    """A chunk, its number, and where its two files go; nowhere in a dry run."""

    number: int
    chunk: Chunk
    paths: tuple[Path, Path] | None


class Done(NamedTuple):
    """What became of a chunk."""

    number: int
    position: float
    part: Part
    """Without digests in a dry run."""


def perform(job: TableJob, keys: Keyring, task: Task) -> Done:
    """Re-encrypt a chunk and write its two files."""
    records, results, counts = _results(job, keys, task.chunk)
    part = Part(counts, "", "")
    if task.paths is not None:
        job.table.write(task.chunk, records, results, job.columns.blob, *task.paths)
        part = Part(counts, task.chunk.digest(), digest_of(task.paths))
    return Done(task.number, task.chunk.position, part)


def _results(
    job: TableJob, keys: Keyring, chunk: Chunk
) -> tuple[list[Record | Failure], list[Result], Counts]:
    """Return each row, its result, and the counts."""
    records = list(job.table.records(chunk, job.columns))
    results: list[Result] = []
    counts = Counts()

    def items() -> Iterator[Item]:
        """Yield each row that can be read as an item; for all, a result is there before."""
        for row, record in enumerate(records):
            item = job.columns.read(row, record)
            if item is None:
                counts[Status.UNCHANGED.value] += 1
                results.append(Result(None))
            elif isinstance(item, Item):
                results.append(Result(None))
                yield item
            else:
                count_failure(counts, item.code)
                results.append(Result(None, item))

    outcomes = reencrypt_many(
        keys,
        items(),
        job.destination_key_id,
        skip_current=job.skip_current,
        upgrade_only=job.upgrade_only,
        dry_run=job.dry_run,
    )
    for outcome in outcomes:
        results[outcome.reference] = _result(outcome)
        if outcome.error is None:
            counts[outcome.status.value] += 1
        else:
            count_failure(counts, outcome.error.code)
    return records, results, counts


def _result(outcome: Outcome) -> Result:
    is_new = outcome.status is Status.REWRITTEN
    return Result(outcome.ciphertext_blob if is_new else None, outcome.error)


def begin(job: TableJob, sealed: Sealed) -> Callable[[Task], Done]:
    """Return what does a task in a process of its own, which opens the keyring itself."""
    return partial(perform, job, sealed.open())


def work(assignment: Assignment, tasks: Iterable[Task]) -> Generator[Done, None, None]:
    """Yield what becomes of each task; with several processes, as it comes out of their hands.

    Raises `FileProblem` if one of them dies, and what writing a chunk raises: `FileProblem`, and
    errors of the system.
    """
    job, keys, sealed, processes = assignment
    if processes == 1:
        return (perform(job, keys, task) for task in tasks)
    return in_processes(partial(begin, job, sealed), tasks, processes)
