"""Re-encryption of a column of ciphertexts in Arrow record batches.

Every engine with Arrow record batches can call these functions. They do no I/O, except that
`reencrypt_reader` reads from its source. This module needs the extra `arrow`.
"""

from collections.abc import Iterator
from typing import Unpack

import pyarrow as pa

from kmscore._typecheck import check_instance
from kmscore.bulk.arrow_columns import BatchJob, Columns, check_columns, put_fields
from kmscore.bulk.conversion import MaybeProfile
from kmscore.bulk.rotation import Settings, prepare_job
from kmscore.bulk.version_order import VersionOrder
from kmscore.keyring import KeyProvider

__all__ = ["output_schema", "reencrypt_batch", "reencrypt_reader"]


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
            a binary column or, because each is different, the indices of a dictionary. In the last
            two cases, slice the batch or use large_binary.
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
    job = _prepare_job(
        batch.schema,
        keys,
        destination_key_id,
        blob_column=blob_column,
        source_context_column=source_context_column,
        destination_context_column=destination_context_column,
        skip_current=skip_current,
        upgrade_only=upgrade_only,
        order=order,
        dry_run=dry_run,
        source_profile=source_profile,
        destination_profile=destination_profile,
        allow_ambiguous=allow_ambiguous,
        status_column=status_column,
        error_column=error_column,
    )
    return job.reencrypt(batch)


class BatchOptions(Settings, total=False):
    """The keyword arguments of `reencrypt_batch`, except `blob_column`."""

    source_context_column: str | None
    destination_context_column: str | None
    status_column: str
    error_column: str


def reencrypt_reader(
    reader: pa.RecordBatchReader,
    keys: KeyProvider,
    destination_key_id: str,
    *,
    blob_column: str,
    **options: Unpack[BatchOptions],
) -> pa.RecordBatchReader:
    """Re-encrypt the v1 blobs in one column of a stream of record batches.

    The function checks its arguments and looks up the destination key when it is called. After
    that, the result reads one batch of the source for each of its batches and keeps none. The
    destination is one key version for the whole stream.

    The source is closed when the result is exhausted, fails or is deleted. `close` of the result
    does not do this, because Arrow does not pass it on.

    Args:
        reader: The source: a `RecordBatchReader`, or an object with the method
            `__arrow_c_stream__`, for example a table, or a DataFrame of Polars.
        keys: The provider of the source keys and of the destination key.
        destination_key_id: The ID of the destination key, a symmetric key.
        blob_column: The name of the column of v1 blobs.
        **options: The other keyword arguments of `reencrypt_batch`.

    Returns:
        A reader of the results of `reencrypt_batch`, batch by batch, with the schema of
        `output_schema`.

    Raises:
        TypeError: If an argument or a column has the wrong type. While reading also if a batch has
            another schema than its reader.
        ValueError: In the cases of `reencrypt_batch`. That for the size is raised while reading.
        KeyError: If a named column does not exist.
        KmsCoreError: In the cases of `reencrypt_batch`.
        Exception: While reading, any other exception of `keys` or of the source, unchanged. An
            engine that reads the result outside Python sees only its text.
    """
    if not isinstance(reader, pa.RecordBatchReader):
        reader = pa.RecordBatchReader.from_stream(reader)
    job = _prepare_job(reader.schema, keys, destination_key_id, blob_column=blob_column, **options)
    return pa.RecordBatchReader.from_batches(job.schema, _reencrypt_all(reader, job))


def output_schema(
    schema: pa.Schema,
    *,
    blob_column: str,
    status_column: str = "status",
    error_column: str = "error",
) -> pa.Schema:
    """Return the schema of the results of `reencrypt_batch`, which the writers of engines need.

    Args:
        schema: The schema of the record batches.
        blob_column: The name of the column of v1 blobs.
        status_column: The name of the new column of statuses.
        error_column: The name of the new column of error codes.

    Returns:
        The schema with the two new columns of type string after the blob column, and with the same
        metadata. Fixed-size binary blobs become binary.

    Raises:
        TypeError: If an argument or the blob column has the wrong type.
        ValueError: If the new columns have the same name or exist, or if the blob column exists
            more than once.
        KeyError: If the blob column does not exist.
    """
    check_instance(schema, pa.Schema, "schema")
    columns = Columns(blob_column, None, None, status_column, error_column)
    check_columns(schema, columns)
    return put_fields(schema, columns)


def _prepare_job(
    schema: pa.Schema,
    keys: KeyProvider,
    destination_key_id: str,
    *,
    blob_column: str,
    source_context_column: str | None = None,
    destination_context_column: str | None = None,
    status_column: str = "status",
    error_column: str = "error",
    **settings: Unpack[Settings],
) -> BatchJob:
    """Make all checks that `reencrypt_batch` makes before any row, and return the job."""
    columns = Columns(
        blob_column, source_context_column, destination_context_column, status_column, error_column
    )
    check_columns(schema, columns)
    return BatchJob(schema, columns, prepare_job(keys, destination_key_id, **settings))


def _reencrypt_all(reader: pa.RecordBatchReader, job: BatchJob) -> Iterator[pa.RecordBatch]:
    """Yield each batch of a reader re-encrypted, and close the reader at the end."""
    with reader:
        for batch in reader:
            yield job.reencrypt(batch)
