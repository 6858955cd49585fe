"""Re-encryption of a column of ciphertexts in an Arrow record batch.

The one batch function that every engine can call: it takes a batch and gives one, and knows
nothing of where either is kept. It needs the extra `arrow`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import pyarrow as pa

from kmscore._typecheck import check_instance, check_optional_text, check_text
from kmscore.bulk.arrow_contexts import read_bytes, read_contexts, read_destinations
from kmscore.bulk.columns import check_new_columns, find_column
from kmscore.bulk.item import Item, KeepContext, Outcome
from kmscore.bulk.rotation import reencrypt_many
from kmscore.bulk.version_order import VersionOrder
from kmscore.context import ContextLike
from kmscore.keyring import KeyProvider

__all__ = ["reencrypt_batch"]

_MAX_BINARY_LENGTH: Final = 2**31 - 1
"""All the bytes that a column of type binary holds: its offsets are of 32 bits."""


def reencrypt_batch(
    batch: pa.RecordBatch,
    keys: KeyProvider,
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
) -> pa.RecordBatch:
    """Re-encrypt the v1 blobs in one column of `batch` as `reencrypt_many` does.

    The blobs are binary, large_binary, binary_view or fixed-size binary. A context is a struct,
    whose field names are the keys of the pairs and whose null fields are no pairs, or a map;
    texts are string, large_string, string_view or dictionaries of these. A null source context is
    the empty one, and without `source_context_column` every one is. A row keeps its source's
    context where its destination context is null, or a struct of nulls alone, and without
    `destination_context_column`: to strip it takes a map that is there and has no pairs.

    Gives a `pyarrow.RecordBatch` of as many rows with every column of `batch` in its place, and
    after the blob column two more of type string: the status, and the error's code, null but for
    `failed`. The blob column keeps its type, but that fixed-size becomes binary. No row loses
    anything: one that failed, and any in a dry run, keeps the bytes it had. A row without a blob
    has no status and no error either. A context that cannot be one (not UTF-8, a repeated key or
    a null value in a map, too long) makes its row `failed` with `invalid_context`.

    The primary version is resolved once for the batch.

    Raises, before any row is looked at: `TypeError` for a wrong type of an argument or column;
    `KeyError` if a column is not there; `ValueError` if its name, or a field's in a struct of
    contexts, stands there twice, or if the batch has a column of the name of the status or error
    column already, or these are the same; and what `reencrypt_many` raises for the destination,
    the flags and the order. After that: what else `keys` raises, and `ValueError` if the new blobs
    are more than a binary column holds (2 GiB; then slice the batch, or use large_binary). Nothing
    is given then: a batch is moved or not.
    """
    check_instance(batch, pa.RecordBatch, "batch")
    _check_names(
        batch.schema,
        (blob_column, source_context_column, destination_context_column),
        status_column,
        error_column,
    )
    position = _find_blobs(batch.schema, blob_column)
    sources = read_contexts(batch, source_context_column, absent=None)
    destinations = read_destinations(batch, destination_context_column)
    blobs = read_bytes(batch.column(position))
    outcomes = reencrypt_many(
        keys,
        _make_items(blobs, sources, destinations),
        destination_key_id,
        skip_current=skip_current,
        upgrade_only=upgrade_only,
        order=order,
        dry_run=dry_run,
    )
    rows: list[Outcome | None] = [None] * batch.num_rows
    for outcome in outcomes:
        rows[outcome.reference] = outcome
    new_blobs = [_kept(blob, row) for blob, row in zip(blobs, rows, strict=True)]
    return _put_columns(batch, position, new_blobs, rows, (status_column, error_column))


# --- what is checked before any row is looked at ---


def _check_names(
    schema: pa.Schema, columns: Sequence[str | None], status_column: str, error_column: str
) -> None:
    """Raise unless the names are texts, and those of the new columns are free."""
    check_text(columns[0], "blob_column")
    check_optional_text(columns[1], "source_context_column")
    check_optional_text(columns[2], "destination_context_column")
    check_text(status_column, "status_column")
    check_text(error_column, "error_column")
    check_new_columns(schema.names, status_column, error_column)


def _find_blobs(schema: pa.Schema, name: str) -> int:
    """Return the position of the blob column, or raise as `reencrypt_batch` says."""
    position = find_column(schema.names, name)
    kind = schema.field(position).type
    if not (
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_null(kind)
    ):
        raise TypeError(f"column {name!r} must be binary, not {kind}")
    return position


# --- rows in, columns out ---


def _make_items(
    blobs: Iterable[bytes | None],
    sources: Iterable[ContextLike],
    destinations: "Iterable[ContextLike | KeepContext]",
) -> Iterator[Item]:
    """Yield an item for each blob that is there; its reference is the number of its row."""
    for number, (blob, source, destination) in enumerate(
        zip(blobs, sources, destinations, strict=True)
    ):
        if blob is not None:
            yield Item(number, blob, source, destination)


def _kept(blob: bytes | None, outcome: Outcome | None) -> bytes | None:
    """Return the blob that stays in the row: the new one, else the one that was there."""
    if outcome is None or outcome.ciphertext_blob is None:
        return blob
    return outcome.ciphertext_blob


def _put_columns(
    batch: pa.RecordBatch,
    position: int,
    blobs: Sequence[bytes | None],
    rows: Sequence[Outcome | None],
    new_columns: tuple[str, str],
) -> pa.RecordBatch:
    """Return the batch with the new blobs, and the new columns after them."""
    field = batch.schema.field(position)
    if pa.types.is_fixed_size_binary(field.type):
        field = field.with_type(pa.binary())
    put = [
        _make_blobs(blobs, field.type),
        pa.array([row and row.status.value for row in rows], pa.string()),
        pa.array([row and row.error and row.error.code for row in rows], pa.string()),
    ]
    fields, columns = list(batch.schema), batch.columns
    fields[position : position + 1] = [
        field,
        *(pa.field(name, pa.string()) for name in new_columns),
    ]
    columns[position : position + 1] = put
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields, batch.schema.metadata))


def _make_blobs(blobs: Sequence[bytes | None], kind: pa.DataType) -> pa.Array:
    """Return a column of the blobs. Raises `ValueError` if they are more than it holds."""
    if pa.types.is_binary(kind):
        length = sum(len(blob) for blob in blobs if blob is not None)
        if length > _MAX_BINARY_LENGTH:
            raise ValueError(
                f"a binary column cannot hold the {length} bytes of the new blobs: slice the batch,"
                " or make the column large_binary"
            )
    return pa.array(blobs, kind)
