"""One chunk of a table, re-encrypted and written; in this process or in several."""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from kmscore.bulk import Item, KeyVersionName, Status, reencrypt_many
from kmscore.bulk.conversion import keys_for
from kmscore.keyring import KeyProvider
from kmscore.tables.columns import Failure, ItemReader, Record
from kmscore.tables.counts import NO_CIPHERTEXT, Counts, count_failure
from kmscore.tables.crew import in_processes
from kmscore.tables.journal import Part, digest_of
from kmscore.tables.options import Options
from kmscore.tables.table import Chunk, Result, Table
from kmscore.tables.unusable_versions import UnusableVersions
from kmscore.tables.worker_keys import WorkerKeys

_UNCHANGED: Final = Result(None)


class TableJob(NamedTuple):
    """The instructions for every chunk. They are sent to worker processes and contain no key."""

    table: Table
    options: Options
    is_dry_run: bool


class Crew(NamedTuple):
    """The keys, and the worker processes that get them."""

    keys: KeyProvider
    worker_keys: WorkerKeys | None = None
    """The same keys for the worker processes; `None` if there are none."""

    jobs: int = 1
    """The number of worker processes."""


class Task(NamedTuple):
    """A chunk, its number, and the paths of its two files (`None` in a dry run)."""

    number: int
    chunk: Chunk
    paths: tuple[Path, Path] | None


class Done(NamedTuple):
    """The result of a task."""

    number: int
    position: float
    part: Part
    """Without digests in a dry run."""

    unusable: tuple[KeyVersionName, ...]
    """The key versions that failed rows name, if these are missing or not enabled."""


def perform(job: TableJob, keys: KeyProvider, task: Task) -> Done:
    """Re-encrypt a chunk and write its two files."""
    records, results, counts, unusable = _results(job, keys, task.chunk)
    part = Part(counts, "", "")
    if task.paths is not None:
        job.table.write(task.chunk, records, results, job.options.columns.blob, *task.paths)
        part = Part(counts, job.table.digest(task.chunk), digest_of(task.paths))
    return Done(task.number, task.chunk.position, part, unusable)


def _results(
    job: TableJob, keys: KeyProvider, chunk: Chunk
) -> tuple[list[Record | Failure], list[Result], Counts, tuple[KeyVersionName, ...]]:
    """Return the records, the result of each, the counts, and the unusable key versions."""
    columns = job.options.columns
    records = list(job.table.records(chunk, columns))
    reader = ItemReader(columns)
    results: list[Result] = []
    counts = Counts()
    statuses: Counter[Status] = Counter()
    unusable = UnusableVersions()
    latest: list[Item] = []

    def items() -> Iterator[Item]:
        """Yield an item for each row that can be read; add a provisional result for every row."""
        for row, record in enumerate(records):
            item = reader.read(row, record)
            if isinstance(item, Item):
                results.append(_UNCHANGED)
                latest[:] = [item]
                yield item
            elif item is None:
                counts[NO_CIPHERTEXT] += 1
                results.append(_UNCHANGED)
            else:
                count_failure(counts, item.code)
                results.append(Result(None, item))

    outcomes = reencrypt_many(
        keys,
        items(),
        job.options.destination_key_id,
        skip_current=job.options.skip_current,
        upgrade_only=job.options.upgrade_only,
        dry_run=job.is_dry_run,
        source_profile=job.options.source_profile,
        destination_profile=job.options.destination_profile,
        allow_ambiguous=job.options.allow_ambiguous,
    )
    for outcome in outcomes:
        if outcome.error is not None:
            count_failure(counts, outcome.error.code)
            results[outcome.reference] = Result(None, outcome.error)
            # One item is read for each outcome.
            unusable.add(latest[0], outcome.error)
            continue
        statuses[outcome.status] += 1
        if outcome.status is Status.REWRITTEN:
            results[outcome.reference] = Result(outcome.ciphertext_blob)
    counts.update({status.value: number for status, number in statuses.items()})
    return records, results, counts, unusable.names


def begin(job: TableJob, worker_keys: WorkerKeys) -> Callable[[Task], Done]:
    """Return the function that performs a task in a worker process."""
    return partial(perform, job, keys_for(worker_keys.open(), job.options.source_profile))


def work(job: TableJob, crew: Crew, tasks: Iterable[Task]) -> Generator[Done, None, None]:
    """Yield the result of each task; with several processes, in the order of completion.

    Raises `TableError` if a process dies, and `TableError` and `OSError` if a chunk cannot be
    written.
    """
    if crew.worker_keys is None:
        return (perform(job, crew.keys, task) for task in tasks)
    return in_processes(partial(begin, job, crew.worker_keys), tasks, crew.jobs)
