"""Re-encryption of a column of ciphertexts in a Spark DataFrame, and a census of it.

The executors load the keys. The job that Spark sends to them contains a function that returns the
keys, and no key material. This module needs the extra `spark`, and Java 17 or newer. The executors
need kmscore with this extra too, in the same version, and the files that the function reads.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final

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

from kmscore._typecheck import (
    check_callable,
    check_instance,
    check_mapping,
    check_optional_text,
    check_text,
)
from kmscore.algorithms import Suite
from kmscore.blob import Header
from kmscore.bulk.arrow import reencrypt_batch
from kmscore.bulk.columns import check_fields, check_new_columns, find_column
from kmscore.bulk.conversion import MaybeProfile, conversion_of
from kmscore.bulk.counting import BlobFormat, Census, census
from kmscore.bulk.key_factories import KeyFactory, cached_key_factory
from kmscore.bulk.version_order import VersionOrder
from kmscore.keyring import KeyProvider

__all__ = [
    "KeyFactory",
    "cached_key_factory",
    "census_dataframe",
    "collect_census",
    "reencrypt_dataframe",
]

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
    source_profile: MaybeProfile = None,
    destination_profile: MaybeProfile = None,
    allow_ambiguous: bool = False,
    status_column: str = "status",
    error_column: str = "error",
) -> DataFrame:
    """Re-encrypt the v1 blobs in one column of a `DataFrame`.

    The executors call `kmscore.bulk.arrow.reencrypt_batch` for each record batch. Nothing is
    re-encrypted before an action, and **each action re-encrypts all rows again**, with new IVs.
    Therefore write the result once, and count, filter and compare the written data.

    An executor calls `key_factory` once for each partition. If the call is slow, as with a
    passphrase, use `cached_key_factory`: then each worker process calls it once. Spark pickles
    `key_factory` with all values that it refers to. Make it load the keys on the executor. A
    factory that refers to a key or a `Keyring` is rejected, but key material in bytes or text is
    not detected.

    A column of contexts has one of two types:

    - A struct of strings: the names of the fields are the keys of the pairs. A null field is not a
      pair.
    - A map of strings.

    A context is invalid if it is not UTF-8, is too long, or is a map with a repeated key or a null
    value. An invalid context makes its row `failed` with the code `invalid_context`.

    Args:
        df: The `DataFrame`.
        key_factory: A function that returns the provider of the keys; see above.
        destination_key_id: The ID of the destination key, a symmetric key.
        blob_column: The name of the column of v1 blobs, of type binary.
        source_context_column: The name of the column of source contexts (default `None`, all
            source contexts are empty). A null value is the empty context.
        destination_context_column: The name of the column of destination contexts (default `None`,
            every row keeps its source context). A row also keeps its source context if the value is
            null or a struct with only null fields. The empty context requires a map without pairs.
        skip_current: Whether to leave items that are `unchanged` as they are (default). If `False`,
            they are encrypted again and are `rewritten`.
        upgrade_only: Whether to reject a v1 blob whose key version is newer than the destination
            version of the same key, or is of unknown age (default `False`).
        order: The key version IDs of each key ID, oldest first, for `upgrade_only`. Without it, the
            order is the one in which the `Keyring` was given the versions.
        dry_run: Whether to do all steps except to draw the IV and to encrypt (default `False`).
        source_profile: The layout and payload of the blobs, a `kmscore.alibaba.Profile` (default
            `None`, v1). For the service's layout, the keys must be a `KeyVersionProvider`. A
            missing context is then none, and not the empty one.
        destination_profile: The layout and payload of the new blobs (default `None`, v1).
        allow_ambiguous: Whether to accept ambiguous contexts in the service's layout (default
            `False`).
        status_column: The name of the new column of statuses.
        error_column: The name of the new column of error codes.

    Returns:
        A `DataFrame` with the same columns, and with two new columns of strings after the blob
        column: the status, and the error code of failed rows. A failed row, and every row in a dry
        run, keeps its blob. A row without a blob has a null status and a null error code.

    Raises:
        TypeError: If an argument or a column has the wrong type.
        ValueError: If the two profiles have one layout and two payloads. Also if `status_column`
            and `error_column` are equal or exist in `df`; if a named column exists more than once,
            or is a struct with a repeated field name.
        KeyError: If a named column does not exist.
        pickle.PicklingError: If `key_factory` refers to a key or a `Keyring`.

    All these errors are raised by the call. All other errors end the action with the
    `PythonException` of Spark: every exception of `key_factory`, and every error of
    `reencrypt_batch` for the keys, the order and the size of the new blobs.
    """
    check_instance(df, DataFrame, "df")
    check_callable(key_factory, "key_factory")
    check_text(destination_key_id, "destination_key_id")
    check_text(blob_column, "blob_column")
    check_optional_text(source_context_column, "source_context_column")
    check_optional_text(destination_context_column, "destination_context_column")
    check_instance(skip_current, bool, "skip_current")
    check_instance(upgrade_only, bool, "upgrade_only")
    check_mapping(order, "order")
    check_instance(dry_run, bool, "dry_run")
    conversion_of(source_profile, destination_profile, allow_ambiguous=allow_ambiguous)
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
        source_profile=source_profile,
        destination_profile=destination_profile,
        allow_ambiguous=allow_ambiguous,
    )
    fields, names = list(df.schema), df.columns
    added = (status_column, error_column)
    fields[position + 1 : position + 1] = [StructField(name, StringType()) for name in added]
    names[position + 1 : position + 1] = added
    moved = _placed(df).mapInArrow(partial(_move_batches, key_factory, move), StructType(fields))
    return moved.toDF(*names)


def census_dataframe(df: DataFrame, *, blob_column: str) -> DataFrame:
    """Count the ciphertexts in one column of a `DataFrame` by their headers, without any key.

    **Headers are not authenticated**, see `kmscore.bulk.Census`. Nothing is counted before an
    action.

    Args:
        df: The `DataFrame`.
        blob_column: The name of the column of ciphertexts, of type binary. Null values are not
            counted.

    Returns:
        A `DataFrame` with one row for each combination of the columns `format`, `suite`, `key_id`
        and `key_version_id`, and the column `count`. The format is `v1`, or `other` for ciphertexts
        that do not parse as v1 blobs. The row of `other` has null in the next three columns.

    Raises:
        TypeError: If an argument or the column has the wrong type.
        KeyError: If the column does not exist.
        ValueError: If the column exists more than once.
    """
    check_instance(df, DataFrame, "df")
    check_text(blob_column, "blob_column")
    place = _place(_find_blobs(df, blob_column))
    counted = _placed(df).select(place).mapInArrow(_count_batches, _CENSUS_SCHEMA)
    return counted.groupBy(*_HEADER_COLUMNS).agg(sql.sum(_COUNT).alias(_COUNT))


def collect_census(counted: DataFrame) -> Census:
    """Return the counts of `census_dataframe` as a `Census` for `retirable_versions`.

    The call is an action: it runs the Spark job and collects one row for each header on the driver.

    Args:
        counted: The result of `census_dataframe`.

    Returns:
        The counts. The headers are not authenticated, see `kmscore.bulk.Census`.

    Raises:
        TypeError: If `counted` is not a `DataFrame` with the columns of `census_dataframe`.
        KeyError: If a row of the format `v1` has an unknown suite.

    Errors of Spark propagate unchanged.
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


# --- checks at the call ---


def _check_new_columns(df: DataFrame, *new: str) -> None:
    """Raise `ValueError` unless the new columns have different and unused names in Spark."""
    # Column names are case-insensitive in Spark unless `spark.sql.caseSensitive` is true.
    is_sensitive = df.sparkSession.conf.get("spark.sql.caseSensitive") == "true"
    fold = str if is_sensitive else str.lower
    check_new_columns([fold(name) for name in df.columns], *map(fold, new))


def _find_blobs(df: DataFrame, name: str) -> int:
    """Return the position of the blob column. Raises `KeyError`, `ValueError`, `TypeError`."""
    position = find_column(df.columns, name)
    kind = df.schema[position].dataType
    if not isinstance(kind, BinaryType):
        raise TypeError(f"column {name!r} must be binary, not {kind.simpleString()}")
    return position


def _place_of_contexts(df: DataFrame, name: str | None) -> str | None:
    """Return the name by position of a column of contexts, or `None` without one.

    Raises `KeyError`, `ValueError` and `TypeError` for the column.
    """
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


# --- columns by their position ---


def _place(position: int) -> str:
    """Return the name of the column for the executors."""
    return f"column {position}"


def _placed(df: DataFrame) -> DataFrame:
    """Return `df` with its columns named by their position.

    `mapInArrow` looks up each column by its name. In a name, a dot means a field of a struct, a
    backtick is a quotation mark, and a repeated name is ambiguous.
    """
    return df.toDF(*map(_place, range(len(df.columns))))


# --- code on the executors ---


def _move_batches(
    key_factory: KeyFactory,
    move: Callable[[pa.RecordBatch, KeyProvider], pa.RecordBatch],
    batches: Iterable[pa.RecordBatch],
) -> Iterator[pa.RecordBatch]:
    """Yield each batch of a partition re-encrypted, with one call of `key_factory`."""
    keys = key_factory()
    for batch in batches:
        yield move(batch, keys)


def _count_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield one batch with the census of a partition."""
    blobs = (blob for batch in batches for blob in batch.column(0).to_pylist() if blob is not None)
    yield _make_rows(census(blobs))


def _make_rows(counted: Census) -> pa.RecordBatch:
    """Return a census as a batch with the columns of `_CENSUS_SCHEMA`."""
    rows: list[tuple[str | int | None, ...]] = [
        (BlobFormat.V1.value, header.suite.name, header.key_id, header.key_version_id, number)
        for header, number in counted.headers.items()
    ]
    if counted.other:
        rows.append((BlobFormat.OTHER.value, None, None, None, counted.other))
    names = (*_HEADER_COLUMNS, _COUNT)
    schema = pa.schema([(name, pa.int64() if name == _COUNT else pa.string()) for name in names])
    return pa.RecordBatch.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema)
