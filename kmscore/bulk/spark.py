"""Re-encryption of a column of ciphertexts in a Spark DataFrame, and a census of it.

The keys are made where they are used, on the executors: the job that travels there holds a
function that makes them, and no key material. It needs the extra `spark`, and Java 17 or newer;
the executors need kmscore with it as well.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final, TypeAlias

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as sql
from pyspark.sql.types import (
    BinaryType,
    DataType,
    LongType,
    MapType,
    StringType,
    StructField,
    StructType,
)

from kmscore._typecheck import check_instance, check_mapping, check_optional_text, check_text
from kmscore.algorithms import Suite
from kmscore.blob import Header
from kmscore.bulk.arrow import reencrypt_batch
from kmscore.bulk.columns import check_fields, check_new_columns, find_column
from kmscore.bulk.counting import BlobFormat, Census, census
from kmscore.bulk.version_order import VersionOrder
from kmscore.keyring import KeyProvider

__all__ = ["KeyFactory", "census_dataframe", "collect_census", "reencrypt_dataframe"]

KeyFactory: TypeAlias = Callable[[], KeyProvider]
"""A function without arguments that makes or opens the keys, called on the executors."""

_COUNT: Final = "count"

_HEADER_COLUMNS: Final = ("format", "suite", "key_id", "key_version_id")

_CENSUS_SCHEMA: Final = StructType(
    [
        *(StructField(name, StringType(), name != "format") for name in _HEADER_COLUMNS),
        StructField(_COUNT, LongType(), nullable=False),
    ]
)


def reencrypt_dataframe(
    df: DataFrame,
    key_factory: KeyFactory,
    destination_key_id: str,
    *,
    blob_column: str,
    source_context_column: str | None = None,
    destination_context_column: str | None = None,
    skip_current: bool = True,
    upgrade_only: bool = False,
    order: VersionOrder | None = None,
    dry_run: bool = False,
    status_column: str = "status",
    error_column: str = "error",
) -> DataFrame:
    """Re-encrypt the v1 blobs in one column of `df` as `reencrypt_batch` does.

    The blob column is binary; contexts are structs or maps of strings. Gives a `DataFrame` with
    every column of `df` in its place, and after the blob column the status and the error's code.

    `key_factory` is called on the executors, once for each partition, and gives the keys there; if
    that is slow, let it keep what it gave in its own module. It travels in the job, with all that
    it refers to: let it read the keys from where the executor has them. A key or a `Keyring` that
    it holds refuses to travel; key material as bytes or text would go unnoticed.

    Nothing is done before an action, and **each action does all of it anew**, with other IVs.
    Write the result once, and count, filter and compare what was written.

    Raises at the call: `TypeError` for a wrong type of an argument or column; `KeyError` if a
    column is not there; `ValueError` if its name, or a field's in a struct of contexts, stands
    there twice, or if `df` has a column of the name of the status or error column already, or
    these are the same. In the action, everything that is no row's failure ends the job as Spark's
    `PythonException`: what `key_factory` raises, and what else `reencrypt_batch` does.
    """
    check_instance(df, DataFrame, "df")
    _check_callable(key_factory)
    check_text(destination_key_id, "destination_key_id")
    check_text(blob_column, "blob_column")
    check_optional_text(source_context_column, "source_context_column")
    check_optional_text(destination_context_column, "destination_context_column")
    check_instance(skip_current, bool, "skip_current")
    check_instance(upgrade_only, bool, "upgrade_only")
    check_mapping(order, "order")
    check_instance(dry_run, bool, "dry_run")
    check_text(status_column, "status_column")
    check_text(error_column, "error_column")
    _check_new_columns(df, status_column, error_column)
    position = _find_blobs(df, blob_column)
    move = partial(
        reencrypt_batch,
        destination_key_id=destination_key_id,
        blob_column=_place(position),
        source_context_column=_place_of_contexts(df, source_context_column),
        destination_context_column=_place_of_contexts(df, destination_context_column),
        skip_current=skip_current,
        upgrade_only=upgrade_only,
        order=order,
        dry_run=dry_run,
    )
    fields, names = list(df.schema), df.columns
    added = (status_column, error_column)
    fields[position + 1 : position + 1] = [StructField(name, StringType()) for name in added]
    names[position + 1 : position + 1] = added
    moved = _placed(df).mapInArrow(partial(_move_batches, key_factory, move), StructType(fields))
    return moved.toDF(*names)


def census_dataframe(df: DataFrame, *, blob_column: str) -> DataFrame:
    """Count the ciphertexts in one column of `df` by what their headers name, without any key.

    **Headers are not authenticated**, see `kmscore.bulk.census`.

    Gives a `DataFrame` with a row for each format, suite, key ID and key version ID, and their
    `count`. The format is `v1`, or `other` for what does not parse, where the rest is null. A row
    of `df` without a blob is not counted.

    Raises `TypeError` for a wrong type of an argument or column, `KeyError` if the column is not
    there, and `ValueError` if it is there twice.
    """
    check_instance(df, DataFrame, "df")
    check_text(blob_column, "blob_column")
    place = _place(_find_blobs(df, blob_column))
    counted = _placed(df).select(place).mapInArrow(_count_batches, _CENSUS_SCHEMA)
    return counted.groupBy(*_HEADER_COLUMNS).agg(sql.sum(_COUNT).alias(_COUNT))


def collect_census(counted: DataFrame) -> Census:
    """Return the counts of `census_dataframe` as a `Census`, which `retirable_versions` takes.

    It runs the job; a row for each header comes to the driver.

    Raises `TypeError` for anything but a `DataFrame` with the columns that `census_dataframe`
    gives.
    """
    check_instance(counted, DataFrame, "counted")
    if counted.columns != _CENSUS_SCHEMA.names:
        raise TypeError(f"counted must have the columns {', '.join(_CENSUS_SCHEMA.names)}")
    headers: Counter[Header] = Counter()
    other = 0
    for kind, suite, key_id, key_version_id, number in counted.collect():
        if kind == BlobFormat.V1:
            headers[Header(Suite[suite], key_id, key_version_id)] += number
        else:
            other += number
    return Census(dict(headers), other)


# --- what is checked at the call ---


def _check_callable(key_factory: object) -> None:
    """Raise `TypeError` unless it can be called."""
    if not callable(key_factory):
        raise TypeError(f"key_factory must be callable, not {type(key_factory).__name__}")


def _check_new_columns(df: DataFrame, *new: str) -> None:
    """Raise `ValueError` unless the new columns have names of their own, as Spark tells them."""
    # Unless it is told otherwise, Spark takes `Status` and `status` for one.
    is_sensitive = df.sparkSession.conf.get("spark.sql.caseSensitive") == "true"
    fold = str if is_sensitive else str.lower
    check_new_columns([fold(name) for name in df.columns], *map(fold, new))


def _find_blobs(df: DataFrame, name: str) -> int:
    """Return the position of the blob column, or raise as `reencrypt_dataframe` says."""
    position = find_column(df.columns, name)
    kind = df.schema[position].dataType
    if not isinstance(kind, BinaryType):
        raise TypeError(f"column {name!r} must be binary, not {kind.simpleString()}")
    return position


def _place_of_contexts(df: DataFrame, name: str | None) -> str | None:
    """Return the name by place of a column of contexts, or raise as `reencrypt_dataframe` says."""
    if name is None:
        return None
    position = find_column(df.columns, name)
    kind = df.schema[position].dataType
    if isinstance(kind, StructType):
        check_fields(kind.names, name)
        parts: list[DataType] = [field.dataType for field in kind]
    elif isinstance(kind, MapType):
        parts = [kind.keyType, kind.valueType]
    else:
        parts = [kind]
    if not all(isinstance(part, StringType) for part in parts) or parts == [kind]:
        raise TypeError(
            f"column {name!r} must be a struct or a map of strings, not {kind.simpleString()}"
        )
    return _place(position)


# --- columns by their place ---


def _place(position: int) -> str:
    """Return the name that the column has on its way to the executors."""
    return f"column {position}"


def _placed(df: DataFrame) -> DataFrame:
    """Return `df` with its columns named by their place.

    `mapInArrow` looks each one up by its name, where a dot is a way into a struct, a backtick a
    quotation, and what stands twice is ambiguous.
    """
    return df.toDF(*map(_place, range(len(df.columns))))


# --- what runs on the executors ---


def _move_batches(
    key_factory: KeyFactory,
    move: Callable[[pa.RecordBatch, KeyProvider], pa.RecordBatch],
    batches: Iterable[pa.RecordBatch],
) -> Iterator[pa.RecordBatch]:
    """Yield each batch of a partition moved, with keys made for the partition."""
    keys = key_factory()
    for batch in batches:
        yield move(batch, keys)


def _count_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield one batch: the census of a partition."""
    blobs = (blob for batch in batches for blob in batch.column(0).to_pylist() if blob is not None)
    yield _make_rows(census(blobs))


def _make_rows(counted: Census) -> pa.RecordBatch:
    """Return a census as rows of the schema above."""
    rows: list[tuple[str | int | None, ...]] = [
        (BlobFormat.V1.value, header.suite.name, header.key_id, header.key_version_id, number)
        for header, number in counted.headers.items()
    ]
    if counted.other:
        rows.append((BlobFormat.OTHER.value, None, None, None, counted.other))
    names = (*_HEADER_COLUMNS, _COUNT)
    schema = pa.schema([(name, pa.int64() if name == _COUNT else pa.string()) for name in names])
    return pa.RecordBatch.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema)
