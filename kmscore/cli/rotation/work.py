"""One chunk of a table, re-encrypted and written; alone or in several processes."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection
from pathlib import Path
from typing import Final, NamedTuple

from kmscore import Keyring, keyfile
from kmscore.bulk import Item, Outcome, Status, reencrypt_many
from kmscore.cli.files import FileProblem
from kmscore.cli.rotation.columns import Columns, Failure, Record
from kmscore.cli.rotation.parts import Counts
from kmscore.cli.rotation.table import Chunk, Result, Table

_WAITING: Final = 2
"""Chunks for each process, one at work and one waiting: memory does not grow with the file."""


class Job(NamedTuple):
    """What to do with every chunk; sent to other processes, so it holds no key."""

    table: Table
    columns: Columns
    destination_key_id: str
    skip_current: bool
    upgrade_only: bool
    dry_run: bool


class Sealed(NamedTuple):
    """A keyring file as it stands on the disk, and what opens it."""

    keyfile: bytes
    passphrase: bytes

    def open(self) -> Keyring:
        """Return the keyring."""
        return keyfile.open_keyring(self.keyfile, self.passphrase)

    def __repr__(self) -> str:
        """Show neither."""
        return "<Sealed>"


class Task(NamedTuple):
    """A chunk, its number, and where its two files go; nowhere in a dry run."""

    number: int
    chunk: Chunk
    paths: tuple[Path, Path] | None


class Done(NamedTuple):
    """What became of a chunk."""

    number: int
    counts: Counts
    position: float


def perform(job: Job, keys: Keyring, task: Task) -> Done:
    """Re-encrypt a chunk and write its two files."""
    records, results, counts = _results(job, keys, task.chunk)
    if task.paths is not None:
        job.table.write(task.chunk, records, results, job.columns.blob, *task.paths)
    return Done(task.number, counts, task.chunk.position)


def _results(
    job: Job, keys: Keyring, chunk: Chunk
) -> tuple[list[Record | Failure], list[Result], Counts]:
    """Return each row, its result, and the counts."""
    records = list(job.table.records(chunk, job.columns))
    results: list[Result] = []
    counts = Counts()

    def items() -> Iterator[Item]:
        """Yield each row that can be read as an item; for all, a result is there before."""
        for row, record in enumerate(records):
            item = job.columns.read(row, record)
            results.append(Result(None, None if item is None or isinstance(item, Item) else item))
            if isinstance(item, Item):
                yield item
            else:
                counts["unchanged" if item is None else f"failed: {item.code}"] += 1

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
        name = outcome.status.value
        counts[name if outcome.error is None else f"{name}: {outcome.error.code}"] += 1
    return records, results, counts


def _result(outcome: Outcome) -> Result:
    is_new = outcome.status is Status.REWRITTEN
    return Result(outcome.ciphertext_blob if is_new else None, outcome.error)


def work(
    job: Job, sealed: Sealed, keys: Keyring, tasks: Iterable[Task], jobs: int
) -> Iterator[Done]:
    """Yield what becomes of each task, in order; with several processes, out of their hands.

    Raises `FileProblem` if one of them dies.
    """
    if jobs == 1:
        for task in tasks:
            yield perform(job, keys, task)
        return
    executor = ProcessPoolExecutor(
        jobs,
        # Nothing of this process is copied into the others: each opens the keyring itself.
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(job, sealed),
    )
    waiting: deque[Future[Done]] = deque()
    try:
        for task in tasks:
            with _without_interrupts():
                waiting.append(executor.submit(_perform, task))
            if len(waiting) == _WAITING * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise FileProblem("a process at work has died; finish the job with --resume") from None
    finally:
        executor.shutdown(cancel_futures=True)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Put Ctrl-C off: a process that begins meanwhile leaves it to this one for good."""
    if not hasattr(signal, "pthread_sigmask"):  # not everywhere
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_state: dict[str, tuple[Job, Keyring]] = {}
"""In a process at work: its job, and the keyring that it has opened."""


def _begin(job: Job, sealed: Sealed) -> None:
    """Open the keyring in a new process, which leaves Ctrl-C to the first and dies with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent.sentinel,), daemon=True).start()
    try:
        _state["job"] = job, sealed.open()
    except MemoryError:
        # The first one has opened it, and tells that this one has died.
        os._exit(1)


def _follow(sentinel: int) -> None:
    """End this process when the first one has ended."""
    connection.wait([sentinel])
    os._exit(1)


def _perform(task: Task) -> Done:
    job, keys = _state["job"]
    return perform(job, keys, task)
