"""A whole rotation: the table in, the table out, the rows that failed in a file of their own."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from kmscore.cli.files import FileProblem, describe
from kmscore.cli.rotation.comma_separated import CommaSeparated
from kmscore.cli.rotation.json_lines import JsonLines
from kmscore.cli.rotation.parquet import Parquet
from kmscore.cli.rotation.parts import Counts, Parts
from kmscore.cli.rotation.table import CHUNK_ROWS, Table
from kmscore.cli.rotation.work import Job, Sealed, Task, work

_TABLES: Final[dict[str, type[Table]]] = {
    ".jsonl": JsonLines,
    ".ndjson": JsonLines,
    ".csv": CommaSeparated,
    ".parquet": Parquet,
}

Advance = Callable[[float, int], None]
"""Is told how much of the file is done, 0 to 1, and how many rows."""


class Report(NamedTuple):
    """What a rotation came to."""

    counts: Counts
    seconds: float
    out: Path | None
    failed: Path | None

    @property
    def rows(self) -> int:
        """How many rows there were."""
        return self.counts.total()

    @property
    def has_failures(self) -> bool:
        """Whether a row failed."""
        return any(name.startswith("failed") for name in self.counts)


def table_of(path: Path) -> Table:
    """Return the format that a file's name says. Raises `FileProblem`."""
    kind = _TABLES.get(path.suffix.lower())
    if kind is None:
        raise FileProblem(f"{path}: the name must end in {', '.join(_TABLES)}")
    return kind()


def failed_path(out: Path) -> Path:
    """Return where the failed rows of a result go."""
    return out.with_name(f"{out.stem}.failed{out.suffix}")


def rotate(
    source: Path,
    out: Path | None,
    job: Job,
    sealed: Sealed,
    *,
    jobs: int,
    resume: bool,
    advance: Advance,
) -> Report:
    """Re-encrypt a table; `out` is `None` in a dry run. Raises `FileProblem`."""
    started = time.monotonic()
    keys = sealed.open()
    destination = keys.primary(job.destination_key_id)
    if out is None:
        counts = Counts()
        tasks = (Task(number, chunk, None) for number, chunk in enumerate(job.table.chunks(source)))
        for done in work(job, sealed, keys, tasks, jobs):
            counts += done.counts
            advance(done.position, done.counts.total())
        return Report(counts, time.monotonic() - started, None, None)
    bad = failed_path(out)
    identity = _identity(source, job, destination.key_version_id)
    with Parts(out, bad) as parts:
        parts.begin(identity, resume=resume)
        counts = Counts()
        total = 0

        def tasks_left() -> Iterator[Task]:
            nonlocal counts, total
            for number, chunk in enumerate(job.table.chunks(source)):
                total = number + 1
                known = parts.counts(number)
                if known is None:
                    yield Task(number, chunk, parts)
                else:
                    counts += known
                    advance(chunk.position, known.total())

        if not parts.is_done:
            for done in work(job, sealed, keys, tasks_left(), jobs):
                counts += done.counts
                advance(done.position, done.counts.total())
            _check_unchanged(source, identity)
        counts = parts.finish(
            total, counts, lambda paths, file: job.table.join(paths, source, file)
        )
    report = Report(counts, time.monotonic() - started, out, None)
    return report._replace(failed=bad) if report.has_failures else report


def _identity(source: Path, job: Job, destination_version_id: str) -> dict[str, Any]:
    """Return what has to be the same for a job to be taken up again."""
    try:
        status = source.stat()
    except OSError as error:
        raise FileProblem(describe(error, source)) from None
    return {
        "input size": status.st_size,
        "input time": status.st_mtime_ns,
        "format": job.table.suffix,
        "rows a part": CHUNK_ROWS,
        "columns": repr(job.columns),
        "destination": f"{job.destination_key_id}/{destination_version_id}",
        "skip current": job.skip_current,
        "upgrade only": job.upgrade_only,
    }


def _check_unchanged(source: Path, identity: dict[str, Any]) -> None:
    """Raise `FileProblem` if the input has been changed meanwhile."""
    status = source.stat()
    if (status.st_size, status.st_mtime_ns) != (identity["input size"], identity["input time"]):
        raise FileProblem(f"{source} has been changed while it was read; start again")
