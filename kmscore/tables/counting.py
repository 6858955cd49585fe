"""Census of tables: the keys and key versions that their ciphertexts name."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from kmscore import Keyring, bulk
from kmscore._typecheck import check_instance
from kmscore.bulk import Item, Retirement
from kmscore.tables.columns import Columns, ItemReader
from kmscore.tables.counts import NO_CIPHERTEXT
from kmscore.tables.folder import check_folder, failed_folder
from kmscore.tables.formats import input_of
from kmscore.tables.job_folder import partial_path
from kmscore.tables.report import OnProgress, Progress
from kmscore.tables.rotation import check_columns, failed_path


class TableCensus(NamedTuple):
    """The counts of the headers in tables."""

    census: bulk.Census
    """The headers with their counts, and the number of ciphertexts that are not v1 blobs."""

    unread: Mapping[str, int]
    """The number of rows without a ciphertext (`no ciphertext`), and of unreadable rows by code."""


def census(
    sources: Sequence[Path],
    *,
    blob_column: str = "ciphertext_blob",
    delimiter: str = ",",
    on_progress: OnProgress | None = None,
) -> TableCensus:
    """Count the suites, keys and key versions that the ciphertexts of tables name.

    No key is needed, and nothing is authenticated. See `kmscore.bulk.census`.

    Args:
        sources: The paths of the tables, which are files or folders of files.
        blob_column: The name of the column of ciphertexts.
        delimiter: The delimiter of CSV, one ASCII character (default `,`).
        on_progress: A function that is called with the progress (default `None`). The fraction is
            of the number of files; each file has the same weight.

    Returns:
        The counts of all tables together.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If the delimiter is not one ASCII character, or is a quote, a line end or a
            character of Base64.
        TableError: If a table cannot be read or lacks the column. All tables are checked before the
            first is counted.
    """
    columns = Columns(blob_column)
    for source in sources:
        check_columns(source, columns, delimiter=delimiter)
    unread: Counter[str] = Counter()
    files = [path for source in sources for path in _files(source, columns, delimiter)]
    counted = bulk.census(_blobs(files, columns, delimiter, unread, on_progress))
    return TableCensus(counted, unread)


def retirable_versions(keys: Keyring, counted: TableCensus, sources: Sequence[Path]) -> Retirement:
    """Return the key versions that no ciphertext of the tables names and that are not primary.

    The answer is valid only if the tables contain all ciphertexts of the keys, backups included.
    Keys that no ciphertext names are left out. No version is retirable if a row cannot be
    read, or if failed rows or an unfinished job of a table are not among the tables.

    Args:
        keys: The keyring.
        counted: The census of the tables.
        sources: The paths of the tables.

    Returns:
        The versions, or the reason why there are none.

    Raises:
        TypeError: If an argument has the wrong type.
        TableError: If the name of a file has no ending of a table.
    """
    check_instance(keys, Keyring, "keys")
    check_instance(counted, TableCensus, "counted")
    for source in sources:
        for beside, content in (
            (failed_folder(source) if source.is_dir() else failed_path(source), "failed rows"),
            (partial_path(source), "a job"),
        ):
            if beside.exists() and not any(beside.samefile(other) for other in sources):
                return Retirement(
                    (), f"{beside} is there, {content} of {source.name} not counted here"
                )
    lost = sum(counted.unread.values()) - counted.unread.get(NO_CIPHERTEXT, 0)
    if lost:
        rows = "1 row" if lost == 1 else f"{lost:,} rows"
        return Retirement((), f"{rows} cannot be read, and could need any version")
    versions, reason = bulk.retirable_versions(keys, census=counted.census)
    named = counted.census.keys
    return Retirement(tuple(version for version in versions if version.key_id in named), reason)


def _files(source: Path, columns: Columns, delimiter: str) -> list[Path]:
    """Return the files of a table that are not empty."""
    if not source.is_dir():
        return [source]
    return [
        source / part.name for part in check_folder(source, columns, delimiter).parts if part.size
    ]


def _blobs(
    sources: Sequence[Path],
    columns: Columns,
    delimiter: str,
    unread: Counter[str],
    on_progress: OnProgress | None,
) -> Iterator[bytes]:
    """Yield the ciphertexts of all tables; count in `unread` the rows without one."""
    rows, reader = 0, ItemReader(columns)
    for number, source in enumerate(sources):
        table = input_of(source, delimiter)
        for chunk in table.chunks(source, columns):
            for record in table.records(chunk, columns):
                rows += 1
                item = reader.read(0, record)
                if isinstance(item, Item):
                    yield bytes(item.ciphertext_blob)
                else:
                    unread[NO_CIPHERTEXT if item is None else item.code] += 1
            if on_progress is not None:
                on_progress(Progress("counting", (number + chunk.position) / len(sources), rows))
