"""Rotation of a table, which is a file or a folder of files."""

from pathlib import Path
from typing import Final

from kmscore._typecheck import check_instance, check_integer
from kmscore.algorithms import EncryptionAlgorithm
from kmscore.bulk.conversion import conversion_of, keys_for
from kmscore.keyring import KeyProvider, Keyring
from kmscore.lookup import check_provider
from kmscore.tables.columns import Columns
from kmscore.tables.csv_records import check_delimiter
from kmscore.tables.file_rotation import Files, rehearse_file, rotate_file
from kmscore.tables.folder import check_folder, failed_folder
from kmscore.tables.folder_rotation import rehearse_folder, rotate_folder
from kmscore.tables.formats import input_of, suffix_of
from kmscore.tables.job_folder import partial_path, remove_folder
from kmscore.tables.options import Options
from kmscore.tables.report import OnProgress, Report
from kmscore.tables.work import Crew
from kmscore.tables.worker_keys import WorkerKeys

MAX_JOBS: Final = 256
"""Maximum number of worker processes."""


def is_unfinished(out: Path | None) -> bool:
    """Return whether there is a job that `resume` would finish.

    Args:
        out: The path of the new table; `None` is a dry run.

    Returns:
        Whether the folder of a job exists; `False` for a dry run.

    Raises:
        TypeError: If the argument has the wrong type.
    """
    if out is not None:
        check_instance(out, Path, "out")
    return out is not None and partial_path(out).exists()


def failed_path(out: Path) -> Path:
    """Return the path of the table of the failed rows.

    Args:
        out: The path of the new table.

    Returns:
        The path in the same folder, such as `out.failed.csv` for `out.csv`.

    Raises:
        TypeError: If the argument has the wrong type.
        TableError: If the name has no ending of a table.
    """
    check_instance(out, Path, "out")
    suffix = suffix_of(out)
    return out.with_name(f"{out.name.removesuffix(suffix)}.failed{suffix}")


def check_columns(source: Path, columns: Columns, *, delimiter: str = ",") -> None:
    """Check that a table can be read and has the columns; no key is needed.

    Args:
        source: The path of the table.
        columns: The names of the columns.
        delimiter: The delimiter of CSV, one ASCII character (default `,`).

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If the delimiter is not one ASCII character, or is a quote, a line end or a
            character of Base64.
        TableError: If the file cannot be read, has another format than its name says, or has no
            column, or more than one, with one of the names.
    """
    check_instance(source, Path, "source")
    check_instance(columns, Columns, "columns")
    check_delimiter(delimiter)
    if source.is_dir():
        check_folder(source, columns, delimiter)
    else:
        input_of(source, delimiter).check_columns(source, columns)


def rotate(
    source: Path,
    out: Path | None,
    keys: KeyProvider,
    options: Options,
    *,
    jobs: int = 1,
    resume: bool = False,
    keep_job: bool = False,
    on_progress: OnProgress | None = None,
) -> Report:
    """Re-encrypt the ciphertexts of a table under the primary version of a key.

    A table is a file, or a folder of files as data engines write them. All rows keep their order.
    The new table has all rows except for the failed ones; they are in a second table with row
    number, error code and reason. Only ciphertexts change. Both tables get their names when they
    are complete, and no existing file is overwritten. An interrupted call leaves a folder
    `OUT.partial`, and the same call with `resume` finishes the job.

    The new folder has files of the same names, also in subfolders, and `_SUCCESS` if the input has
    it. Failed rows are in its folder `_failed`, again under the same names. Files and folders whose
    names start with an underscore or a dot are ignored, and files of other formats are not copied.
    Folders with names like `tenant=acme` are partitions: a context column `tenant` takes its value
    from the name. Each worker process takes a whole file.

    Args:
        source: The path of the table: .csv, .jsonl or .ndjson, also with .gz or .zst; .parquet; or
            a folder of these. Parquet and .zst need the extra `arrow`.
        out: The path of the new table, with the suffix of the same format. `None` is a dry run,
            which decrypts all rows and writes no file.
        keys: The provider of the source keys and of the destination key.
        options: The destination key, the columns, and the rules for every row.
        jobs: The number of worker processes, 1 to 256 (default 1, no extra process).
        resume: Whether to finish an interrupted job, if there is one (default `False`).
        keep_job: Whether to keep the counts in the folder after the job is complete, so that a
            call with `resume` returns the report again (default `False`). `forget_job` removes it.
        on_progress: A function that is called with the progress (default `None`).

    Returns:
        The counts, and the paths of the two tables.

    Raises:
        TypeError: If an argument has the wrong type; if `jobs` is more than 1 and `keys` is not a
            `Keyring`; if `keys` cannot find the keys of the source layout; or if `keys` returns an
            object that is not a key.
        ValueError: If `jobs` is out of its range; if `resume` is given in a dry run; if the
            delimiter is not one ASCII character; if the columns have both `context` and `contexts`
            or `constants`; if the numbers of `contexts` and `context_keys` differ; if a key of the
            context has two values; or if an asymmetric source has a profile other than v1.
        UnsupportedAlgorithmError: If the algorithm of the source is unknown.
        TableError: If the input cannot be read, lacks a column or changes during the job; if all
            of the first rows fail and `options.keep_going` is `False`; if a result exists already;
            if there is an unfinished job and no `resume`, or one with other options or keys; if
            disk or memory are full; or if a worker process dies.
        KeyNotFoundError: If the destination key does not exist.
        IncorrectKeyError: If `keys` returns a destination key with another ID.
        KeyStateError: If the destination key is not enabled.
        KeyUsageError: If the destination key is asymmetric, or cannot be used in the layout of the
            results.
        InvalidKeyError: If the source has the service's layout, and two keys of a `Keyring` have
            the same key version ID.
        Exception: Any other exception of `keys` or `on_progress`, unchanged.
    """
    _check_arguments(source, out, keys, options, jobs, resume=resume)
    worker_keys = WorkerKeys.of(keys) if jobs > 1 and isinstance(keys, Keyring) else None
    crew = Crew(keys_for(keys, options.source_profile), worker_keys, jobs)
    is_folder = source.is_dir()
    if out is None:
        rehearse = rehearse_folder if is_folder else rehearse_file
        return rehearse(source, crew, options, on_progress)
    files = Files(source, out, failed_folder(out) if is_folder else failed_path(out))
    rotate_all = rotate_folder if is_folder else rotate_file
    return rotate_all(files, crew, options, on_progress, resume=resume, keep_job=keep_job)


def forget_job(out: Path) -> None:
    """Remove the folder of a complete job that was run with `keep_job`.

    Args:
        out: The path of the new table.

    Raises:
        TypeError: If the argument has the wrong type.
    """
    check_instance(out, Path, "out")
    remove_folder(partial_path(out))


def _check_arguments(
    source: Path, out: Path | None, keys: KeyProvider, options: Options, jobs: int, *, resume: bool
) -> None:
    """Check the arguments of `rotate`, first their types. Raises its errors."""
    check_instance(source, Path, "source")
    if out is not None:
        check_instance(out, Path, "out")
    check_provider(keys)
    check_instance(options, Options, "options")
    check_integer(jobs, "jobs")
    if jobs > 1:
        check_instance(keys, Keyring, "keys")
    if not 1 <= jobs <= MAX_JOBS:
        raise ValueError(f"jobs of {jobs}, 1 to {MAX_JOBS} allowed")
    if out is None and resume:
        raise ValueError("a dry run cannot be resumed")
    columns = options.columns
    check_delimiter(options.delimiter)
    conversion_of(
        options.source_profile,
        options.destination_profile,
        allow_ambiguous=options.allow_ambiguous,
    )
    if columns.context is not None and (columns.contexts or columns.constants):
        raise ValueError("context excludes contexts and constants")
    if columns.context_keys is not None and len(columns.context_keys) != len(columns.contexts):
        raise ValueError("context_keys must have one key for each column in contexts")
    keys_of_pairs = [key for key, _ in (*columns.pairs, *columns.constants)]
    if len(set(keys_of_pairs)) != len(keys_of_pairs):
        raise ValueError("two values for one key of the context")
    if columns.source.algorithm is not None:
        if options.source_profile is not None and not options.source_profile.is_v1:
            raise ValueError("an asymmetric ciphertext has no layout: source_profile must be v1")
        EncryptionAlgorithm.of(columns.source.algorithm, "algorithm")
