"""The columns of a job on Arrow record batches: their checks, rows in, and columns out.

This module needs the extra `arrow`.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Final, NamedTuple, final

import pyarrow as pa

from kmscore._typecheck import check_optional_text, check_text
from kmscore._values import new_tuple
from kmscore.bulk.arrow_contexts import (
    check_contexts,
    is_binary,
    read_bytes,
    read_contexts,
    read_destinations,
)
from kmscore.bulk.columns import check_new_columns, find_column
from kmscore.bulk.item import Item, KeepContext, Outcome
from kmscore.bulk.job import Job
from kmscore.context import ContextLike

_MAX_BINARY_LENGTH: Final = 2**31 - 1
"""Maximum number of bytes in a column of type binary, which has signed offsets of 32 bits."""


class Columns(NamedTuple):
    """The names of the columns of a job."""

    blob: str
    source_context: str | None
    destination_context: str | None
    status: str
    error: str


def check_columns(schema: pa.Schema, columns: Columns) -> None:
    """Check the names and the types of the columns.

    Raises `TypeError` for a name or column of the wrong type. Raises `KeyError` for a column that
    does not exist, and `ValueError` for one that exists more than once, or for a new column that
    exists.
    """
    check_text(columns.blob, "blob_column")
    check_optional_text(columns.source_context, "source_context_column")
    check_optional_text(columns.destination_context, "destination_context_column")
    check_text(columns.status, "status_column")
    check_text(columns.error, "error_column")
    check_new_columns(schema.names, columns.status, columns.error)
    kind = schema.field(find_column(schema.names, columns.blob)).type
    if not (is_binary(kind) or pa.types.is_null(kind)):
        raise TypeError(f"column {columns.blob!r} must be binary, not {kind}")
    for name in (columns.source_context, columns.destination_context):
        if name is not None:
            check_contexts(schema.field(find_column(schema.names, name)))


def put_fields(schema: pa.Schema, columns: Columns) -> pa.Schema:
    """Return the schema with the two new columns after the column of blobs."""
    position = schema.get_field_index(columns.blob)
    field = schema.field(position)
    kind = field.type
    is_dictionary = pa.types.is_dictionary(kind)
    if pa.types.is_fixed_size_binary(kind.value_type if is_dictionary else kind):
        # Blobs under another key can have another length.
        binary = pa.binary()
        kind = pa.dictionary(kind.index_type, binary, kind.ordered) if is_dictionary else binary
        field = field.with_type(kind)
    fields = list(schema)
    fields[position : position + 1] = [
        field,
        pa.field(columns.status, pa.string()),
        pa.field(columns.error, pa.string()),
    ]
    return pa.schema(fields, schema.metadata)


@final
class BatchJob:
    """A job on the record batches of one schema."""

    __slots__ = ("_columns", "_job", "_position", "_source_schema", "schema")

    schema: pa.Schema
    """The schema of the results."""

    def __init__(self, schema: pa.Schema, columns: Columns, job: Job) -> None:
        """Take a schema and the columns that `check_columns` has checked."""
        self._source_schema = schema
        self._columns = columns
        self._position = schema.get_field_index(columns.blob)
        self._job = job
        self.schema = put_fields(schema, columns)

    def reencrypt(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return a batch re-encrypted. Raises `TypeError` for a batch of another schema."""
        if not batch.schema.equals(self._source_schema):
            # The columns are checked once, and found by position.
            raise TypeError("batch: its schema is not the one of its reader")
        blobs = read_bytes(batch.column(self._position))
        sources = read_contexts(batch, self._columns.source_context, absent=None)
        destinations = read_destinations(batch, self._columns.destination_context)
        results = _collect(blobs, self._job.outcomes(_make_items(blobs, sources, destinations)))
        columns = batch.columns
        columns[self._position : self._position + 1] = [
            _make_blobs(results.blobs, self.schema.field(self._position).type),
            pa.array(results.statuses, pa.string()),
            pa.array(results.errors, pa.string()),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)


class _Results(NamedTuple):
    """The values of the blob column and of the two new columns."""

    blobs: list[bytes | None]
    statuses: list[str | None]
    errors: list[str | None]


def _make_items(
    blobs: Iterable[bytes | None],
    sources: Iterable[ContextLike],
    destinations: "Iterable[ContextLike | KeepContext]",
) -> Iterator[Item]:
    """Yield an item for each blob that is not null; its reference is the row number."""
    for number, (blob, source, destination) in enumerate(
        zip(blobs, sources, destinations, strict=True)
    ):
        if blob is not None:
            yield new_tuple(Item, (number, blob, source, destination, None, None, None))


def _collect(blobs: list[bytes | None], outcomes: Iterable[Outcome]) -> _Results:
    """Return the new columns. A row without an outcome or without a new blob keeps its blob."""
    results = _Results(blobs.copy(), [None] * len(blobs), [None] * len(blobs))
    new_blobs, statuses, errors = results
    for status, number, blob, error, *_ in outcomes:
        statuses[number] = status
        if error is not None:
            errors[number] = error.code
        elif blob is not None:
            new_blobs[number] = blob
    return results


def _make_blobs(blobs: Sequence[bytes | None], kind: pa.DataType) -> pa.Array:
    """Return a column of the blobs. Raises `ValueError` if the column type is too small."""
    if pa.types.is_binary(kind):
        length = sum(len(blob) for blob in blobs if blob is not None)
        if length > _MAX_BINARY_LENGTH:
            raise ValueError(
                f"a binary column cannot hold the {length} bytes of the new blobs: slice the batch,"
                " or make the column large_binary"
            )
    if not pa.types.is_dictionary(kind):
        return pa.array(blobs, kind)
    encoded = pa.array(blobs, kind.value_type).dictionary_encode()
    with suppress(pa.ArrowInvalid):
        return encoded.cast(kind)
    raise ValueError(
        f"a dictionary with indices of type {kind.index_type} cannot hold"
        f" {len(encoded.dictionary)} different blobs: slice the batch, or decode the column"
    )
