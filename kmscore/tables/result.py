"""The result of a table in the folder of its job: finished parts, and the two new tables.

===================  ==============================================================
File                 Content
===================  ==============================================================
journal              The list of the finished parts.
00000000.RUN.good    The good rows of the first chunk.
00000000.RUN.bad     The failed rows of the first chunk.
all.good, all.bad    The two tables, until they get their names.
placing.good         A mark: `all.good` gets its name on a file system without links.
done.json            The counts. All parts are joined; only the names can be missing.
===================  ==============================================================
"""

from contextlib import suppress
from pathlib import Path

from kmscore.tables.counts import Counts, has_failures
from kmscore.tables.job_folder import is_done, read_done, write_done
from kmscore.tables.journal import Journal, begin_journal
from kmscore.tables.permissions import Permissions
from kmscore.tables.target import KINDS, Join, Target


class TableResult:
    """The contents of a job folder for one table."""

    def __init__(self, folder: Path, out: Path, bad: Path, permissions: Permissions) -> None:
        """Create the object from the job folder, and the paths and permissions of the tables."""
        self._folder = folder
        self._targets = {
            kind: Target(folder, kind, path, permissions)
            for kind, path in zip(KINDS, (out, bad), strict=True)
        }
        self.journal: Journal = Journal(folder)

    def check_free(self) -> None:
        """Raise `TableError` if one of the two tables exists."""
        for target in self._targets.values():
            target.check_free()

    def create(self, folder: Path) -> None:
        """Create an empty journal."""
        begin_journal(folder)

    def read(self) -> None:
        """Read the journal."""
        self.journal.read()

    def tidy(self) -> None:
        """Remove a truncated line of the journal, and parts that are not in it."""
        self.journal.tidy()

    def flush(self) -> None:
        """Record the finished parts."""
        self.journal.flush()

    @property
    def is_done(self) -> bool:
        """Whether only the names can be missing."""
        return is_done(self._folder)

    def join(self, number: int, join: Join) -> None:
        """Join all parts, and record the counts.

        Raises `TableError` if an earlier run made more parts.
        """
        self.journal.complete()
        counts = [self.journal.counts_of(each) for each in range(number)]
        paths = [self.journal.whole_paths(each) for each in range(number)]
        good = [path for path, _ in paths]
        bad = [path for each, (_, path) in enumerate(paths) if has_failures(counts[each])]
        for kind, parts in zip(KINDS, (good, bad), strict=True):
            if kind == "good" or parts:
                self._targets[kind].write(parts, join)
        write_done(self._folder, sum(counts, Counts()))

    def finish(self) -> Counts:
        """Give the tables their names, and return the counts.

        The table of failed rows gets its name first, so that the other one exists only if all is
        complete. The counts remain for another report. Raises `TableError`.
        """
        counts = read_done(self._folder)
        for kind in ("bad", "good") if has_failures(counts) else ("good",):
            self._targets[kind].take_name()
        for kind in KINDS:
            for path in self._folder.glob(f"*.{kind}"):
                # A file that cannot be removed is not an error of the job.
                with suppress(OSError):
                    path.unlink()
        return counts
