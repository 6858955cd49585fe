"""A whole rotation: the table in, the table out, the rows that failed in a file of their own."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from kmscore import Keyring, decrypt, encrypt
from kmscore._base64 import decode_base64, encode_base64
from kmscore.cli.permissions import Permissions
from kmscore.cli.problems import FileProblem, describe
from kmscore.cli.rotation.counts import Counts, has_failures
from kmscore.cli.rotation.crew import WorkProblem
from kmscore.cli.rotation.job_folder import JobFolder, partial_path
from kmscore.cli.rotation.journal import Journal
from kmscore.cli.rotation.table import CHUNK_ROWS
from kmscore.cli.rotation.work import Assignment, TableJob, Task, work
from kmscore.errors import KmsCoreError
from kmscore.lookup import sealing_key

Advance = Callable[[float, int], None]
"""Is told how much of the file is done, 0 to 1, and how many rows."""


class Report(NamedTuple):
    """What a rotation came to."""

    counts: Counts
    seconds: float
    out: Path | None
    failed: Path | None
    forget: Callable[[], None]
    """Removes what the counts can be told from once more; to be called when they have been told."""

    @property
    def rows(self) -> int:
        """How many rows there were."""
        return self.counts.total()

    @property
    def has_failures(self) -> bool:
        """Whether a row failed."""
        return has_failures(self.counts)


def is_unfinished(out: Path | None) -> bool:
    """Tell whether there is a job for `--resume`; in a dry run, without a result, there is none."""
    return out is not None and partial_path(out).exists()


def failed_path(out: Path) -> Path:
    """Return where the failed rows of a result go."""
    return out.with_name(f"{out.stem}.failed{out.suffix}")


def rotate(
    source: Path, out: Path | None, assignment: Assignment, *, resume: bool, advance: Advance
) -> Report:
    """Re-encrypt a table; `out` is `None` in a dry run.

    With `resume`, a job that is done but for its report is not done again: this is its report.

    Raises `FileProblem`, and before anything is written what `reencrypt_many` raises for the
    destination, and `OSError` if the input is gone.
    """
    started = time.monotonic()
    destination = sealing_key(assignment.keys, assignment.job.destination_key_id)
    if out is None:
        counts = _rehearse(source, assignment, advance)
        return Report(counts, time.monotonic() - started, None, None, lambda: None)
    table = assignment.job.table
    bad = failed_path(out)
    identity = _identity(source, assignment.job, destination.key_version_id)
    check = _KeyCheck(assignment.keys, destination.key_id, identity)
    folder = JobFolder(out, bad, Permissions.of(source))
    try:
        with folder:
            folder.begin(identity, check, resume=resume)
            if not folder.is_done:
                number = _work_through(source, assignment, folder.journal, advance)
                _check_unchanged(source, identity)
                folder.join(
                    number,
                    lambda paths, file, is_bad: table.join(paths, source, file, is_bad=is_bad),
                )
            counts = folder.finish()
    except (OSError, WorkProblem) as error:
        reason = describe(error, out) if isinstance(error, OSError) else str(error)
        hint = "; --resume finishes the job" if is_unfinished(out) else ""
        raise FileProblem(reason + hint) from None
    seconds = time.monotonic() - started
    return Report(counts, seconds, out, bad if has_failures(counts) else None, folder.remove)


def _work_through(source: Path, assignment: Assignment, journal: Journal, advance: Advance) -> int:
    """Do the parts of a job that are left; return how many it has in all."""
    total = 0

    def tasks_left() -> Iterator[Task]:
        nonlocal total
        for number, chunk in enumerate(assignment.job.table.chunks(source)):
            total = number + 1
            if journal.is_whole(number):
                advance(chunk.position, journal.take(number, chunk.digest()).total())
            else:
                yield Task(number, chunk, journal.paths(number))

    # Closed, whatever happens here: no process stays at work.
    with closing(work(assignment, tasks_left())) as results:
        for done in results:
            journal.commit(done.number, done.part)
            advance(done.position, done.part.counts.total())
    return total


def _rehearse(source: Path, assignment: Assignment, advance: Advance) -> Counts:
    """Do everything but write."""
    counts = Counts()
    chunks = enumerate(assignment.job.table.chunks(source))
    tasks = (Task(number, chunk, None) for number, chunk in chunks)
    with closing(work(assignment, tasks)) as results:
        for done in results:
            counts += done.part.counts
            advance(done.position, done.part.counts.total())
    return counts


class _KeyCheck:
    """An empty blob under the destination's key, in the context of what the job is."""

    def __init__(self, keys: Keyring, key_id: str, identity: Mapping[str, Any]) -> None:
        self._keys = keys
        self._key_id = key_id
        # A digest: names of columns may be longer than a context.
        text = json.dumps(identity, sort_keys=True)
        self._context = {"job": sha256(text.encode("ascii")).hexdigest()}

    def seal(self) -> str:
        """Return the blob in Base64."""
        return encode_base64(encrypt(self._keys, self._key_id, b"", self._context).ciphertext_blob)

    def opens(self, sealed: str) -> bool:
        """Tell whether it opens."""
        try:
            decrypt(self._keys, decode_base64(sealed.encode("ascii")) or b"", self._context)
        except KmsCoreError:
            return False
        return True


def _identity(source: Path, job: TableJob, destination_version_id: str) -> dict[str, Any]:
    """Return what has to be the same for a job to be taken up again."""
    status = source.stat()
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


def _check_unchanged(source: Path, identity: Mapping[str, Any]) -> None:
    """Raise `FileProblem` if the input has been changed meanwhile."""
    status = source.stat()
    if (status.st_size, status.st_mtime_ns) != (identity["input size"], identity["input time"]):
        raise FileProblem(f"{source} has been changed while it was read; start again")
