"""The mutants and their results on disk: a session of Cosmic Ray for each version of a module."""

from pathlib import Path

from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import WorkItem, WorkResult
from installed import Copy
from mutants import digest, work_items


class Sessions:
    """The sessions of a package, in a folder."""

    def __init__(self, copy: Copy, folder: Path) -> None:
        """Keep the sessions in a folder, which is made if it is missing."""
        self._copy = copy
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def file(self, module: str) -> Path:
        """Return the session of a module in its present version."""
        version = digest(self._copy.source(module))
        name = module.removesuffix(".py").replace("/", ".")
        return self._folder / f"{name}-{version}.sqlite"

    def items(self, module: str) -> tuple[WorkItem, ...]:
        """Return all mutants of a module."""
        file = self.file(module)
        if not file.exists():
            with use_db(file) as database:
                database.add_work_items(work_items(module, self._copy.source(module)))
        with use_db(file) as database:
            return tuple(database.work_items)

    def results(self, module: str) -> dict[str, WorkResult]:
        """Return the results so far of a module, by the IDs of mutants."""
        with use_db(self.file(module)) as database:
            return dict(database.results)

    def keep(self, module: str, job_id: str, result: WorkResult) -> None:
        """Write a result."""
        with use_db(self.file(module)) as database:
            database.set_result(job_id, result)
