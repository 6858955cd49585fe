"""Re-encryption of a column of ciphertexts in an Arrow record batch.

Every engine with Arrow record batches can call this function. It does no I/O. This module needs
the extra `arrow`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import pyarrow as pa

from kmscore._typecheck import check_instance, check_optional_text, check_text
from kmscore.bulk.arrow_contexts import (
    is_binary,
    read_bytes,
    read_contexts,
    read_destinations,
)
from kmscore.bulk.columns import check_new_columns, find_column
from kmscore.bulk.conversion import MaybeProfile
from kmscore.bulk.item import Item, KeepContext, Outcome
from kmscore.bulk.rotation import reencrypt_many
from kmscore.bulk.version_order import VersionOrder
from kmscore.context import ContextLike
from kmscore.keyring import KeyProvider

__all__ = ["reencrypt_batch"]

_MAX_BINARY_LENGTH: Final = 2**31 - 1
"""Maximum number of bytes in a column of type binary, which has signed offsets of 32 bits."""


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
    source_profile: MaybeProfile = None,
    destination_profile: MaybeProfile = None,
    allow_ambiguous: bool = False,
    status_column: str = "status",
    error_column: str = "error",
) -> pa.RecordBatch:
    """Re-encrypt the v1 blobs in one column of a record batch.

    Each row with a blob is an item of `kmscore.bulk.reencrypt_many`. The primary version of the
    destination key is looked up once for the batch.

    A column of contexts has one of three types. The strings in it are of type string, large_string
    or string_view, or are dictionaries of these.

    - A struct: the names of the fields are the keys of the pairs. A null field is not a pair.
    - A map of strings.
    - Strings, or the extension type JSON: each is a JSON object of strings.

    A context is invalid if it is not UTF-8, is too long, is not a JSON object of strings, or is a
    map with a repeated key or a null value. An invalid context makes its row `failed` with the code
    `invalid_context`.

    Args:
        batch: The record batch.
        keys: The provider of the source keys and of the destination key.
        destination_key_id: The ID of the destination key, a symmetric key.
        blob_column: The name of the column of v1 blobs, of type binary, large_binary, binary_view
            or fixed-size binary, or a dictionary of these.
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
        A record batch with the same rows and columns, and with two new columns of type string after
        the blob column: the status, and the error code of failed rows. The blob column keeps its
        type, except that fixed-size binary becomes binary. A failed row, and every row in a dry
        run, keeps its blob. A row without a blob has a null status and a null error code.

    Raises:
        TypeError: If an argument or a column has the wrong type; if `order` is given without
            `upgrade_only`; if `upgrade_only` is given without a `Keyring` or an `order`; or if
            `keys` returns an object that is not a key.
        ValueError: If the two profiles have one layout and two payloads. Also if `status_column`
            and `error_column` are equal or exist in the batch; if a named column exists more than
            once, or is a struct with a repeated field name; or if the new blobs exceed the 2 GiB of
            a binary column. In the last case, slice the batch or use large_binary.
        KeyError: If a named column does not exist.
        KeyNotFoundError: If the destination key does not exist, or if `destination_key_id` is not
            a possible ID.
        IncorrectKeyError: If `keys` returns a destination key with another ID.
        KeyStateError: If the destination key is not enabled.
        KeyUsageError: If the destination key is asymmetric.
        InvalidKeyError: If a key version occurs twice in `order`.
        KeyVersionNotFoundError: If the destination version is not in `order`.
        Exception: Any other exception of `keys`, unchanged. For a source key, a `KmsCoreError`
            makes only its row `failed`.

    All errors are raised before any row is processed, except a `TypeError` or another exception of
    `keys` for a source key, and the `ValueError` for the size. After an error there is no result,
    not even for a part of the batch.
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
        source_profile=source_profile,
        destination_profile=destination_profile,
        allow_ambiguous=allow_ambiguous,
    )
    rows: list[Outcome | None] = [None] * batch.num_rows
    for outcome in outcomes:
        rows[outcome.reference] = outcome
    new_blobs = [_kept(blob, row) for blob, row in zip(blobs, rows, strict=True)]
    return _put_columns(batch, position, new_blobs, rows, (status_column, error_column))


# --- checks before any row is processed ---


def _check_names(
    schema: pa.Schema, columns: Sequence[str | None], status_column: str, error_column: str
) -> None:
    """Raise `TypeError` unless all names are strings, `ValueError` unless new names are unused."""
    check_text(columns[0], "blob_column")
    check_optional_text(columns[1], "source_context_column")
    check_optional_text(columns[2], "destination_context_column")
    check_text(status_column, "status_column")
    check_text(error_column, "error_column")
    check_new_columns(schema.names, status_column, error_column)


def _find_blobs(schema: pa.Schema, name: str) -> int:
    """Return the position of the blob column. Raises `KeyError`, `ValueError`, `TypeError`."""
    position = find_column(schema.names, name)
    kind = schema.field(position).type
    if not (is_binary(kind) or pa.types.is_null(kind)):
        raise TypeError(f"column {name!r} must be binary, not {kind}")
    return position


# --- rows in, columns out ---


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
            yield Item(number, blob, source, destination)


def _kept(blob: bytes | None, outcome: Outcome | None) -> bytes | None:
    """Return the new blob of the row; if there is none, the old one."""
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
    """Return the batch with the new blobs and, after them, the two new columns."""
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
    """Return a column of the blobs. Raises `ValueError` if the column type is too small."""
    if pa.types.is_binary(kind):
        length = sum(len(blob) for blob in blobs if blob is not None)
        if length > _MAX_BINARY_LENGTH:
            raise ValueError(
                f"a binary column cannot hold the {length} bytes of the new blobs: slice the batch,"
                " or make the column large_binary"
            )
    if pa.types.is_dictionary(kind):
        return pa.array(blobs, kind.value_type).dictionary_encode().cast(kind)
    return pa.array(blobs, kind)
