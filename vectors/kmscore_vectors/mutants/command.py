"""The command `mutants`: which mistakes in an implementation do the tests notice?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from kmscore_vectors import judgement
from kmscore_vectors import options as shared
from kmscore_vectors.files import VectorFileError, choose_folder
from kmscore_vectors.mutants import report
from kmscore_vectors.mutants.laboratory import Fate, Laboratory, Mutant, MutantError, load_mutants
from kmscore_vectors.runner import CommandError
from kmscore_vectors.selection import SelectionError, load_selected
from kmscore_vectors.terminal import progress, stop

EPILOG = (
    "The form of MUTANTS is schemas/mutants_v1_schema.json, in the folder that"
    " `kmscore-vectors list` prints."
)


_MutantFiles = Annotated[
    list[Path], typer.Argument(metavar="MUTANTS...", help="JSON files of mistakes.")
]
_Source = Annotated[
    Path,
    typer.Option(
        "--source",
        metavar="DIR",
        exists=True,
        file_okay=False,
        help="Folder of the implementation.",
    ),
]
_Folder = Annotated[
    Path | None,
    typer.Option(
        "--vectors", metavar="DIR", help="Folder of vectors (default: those in the package)."
    ),
]
_Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="ID", help="Only this mistake; repeatable."),
]
_Jobs = Annotated[
    int,
    typer.Option(min=1, max=256, metavar="N", help="Number of mistakes that are tried at a time."),
]
_Accumulated = Annotated[
    bool,
    typer.Option("--accumulated", help="Also ask the tests of 10,000 cases (default: not)."),
]


def mutants(
    context: typer.Context,
    mutant_files: _MutantFiles,
    *,
    source: _Source,
    folder: _Folder = None,
    only: _Only = None,
    severity: shared.Severities = None,
    file: shared.Files = None,
    operation: shared.Operations = None,
    flag: shared.Flags = None,
    test: shared.Tests = None,
    jobs: _Jobs = 2,
    timeout: shared.Timeout = 10.0,
    accumulated: _Accumulated = False,
    as_json: shared.Json = False,
    quiet: shared.Quiet = False,
) -> None:
    """Put mistakes into an implementation, one at a time, and show which ones the tests notice.

    Each mistake gets a copy of --source. COMMAND runs in that copy, so its paths are relative to
    --source. The exit code is 0 if every mistake is noticed or its survival is explained.

    Example: kmscore-vectors mutants listed.json --source javascript -- node main.mjs
    """
    command = context.meta[shared.COMMAND]
    if not command:
        stop("no command: kmscore-vectors mutants MUTANTS... --source DIR -- COMMAND...")
    try:
        selection = shared.make_selection(severity, file, operation, flag, test)
        tests = load_selected(choose_folder(folder), selection, accumulated=accumulated)
        laboratory = Laboratory(source, command, tests, timeout)
        selected = _select(mutant_files, only or ())
        fates = _try(laboratory, selected, jobs, quiet=quiet)
    except (MutantError, CommandError, SelectionError, VectorFileError) as error:
        stop(str(error))
    if as_json:
        typer.echo(report.to_json(fates))
    else:
        report.show(fates, Console())
    if not all(fate.is_expected for each in fates.values() for fate in each):
        raise typer.Exit(1)


def _select(paths: Sequence[Path], only: Sequence[str]) -> dict[Path, list[Mutant]]:
    """Return the mutants of each file, or raise `MutantError` for a name that none of them has."""
    loaded = {path: load_mutants(path) for path in paths}
    known = {mutant.mutant_id for each in loaded.values() for mutant in each}
    for name in only:
        if name not in known:
            raise MutantError(f"{name}: no mistake has this ID")
    return {
        path: [mutant for mutant in each if not only or mutant.mutant_id in only]
        for path, each in loaded.items()
    }


def _try(
    laboratory: Laboratory, selected: dict[Path, list[Mutant]], jobs: int, *, quiet: bool
) -> dict[Path, list[Fate]]:
    """Return the fates of the mutants of each file; show the progress."""
    total = sum(judgement.questions(tests) for tests in laboratory.tests.values())
    with progress("Without a mistake", total, quiet=quiet) as advance:
        laboratory.check_source(advance)
    with progress("Mistakes", sum(map(len, selected.values())), quiet=quiet) as advance:
        return {path: list(laboratory.run(each, jobs, advance)) for path, each in selected.items()}
