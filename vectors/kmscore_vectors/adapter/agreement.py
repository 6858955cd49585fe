"""The agreement of the functions that programs call, which draw the IV, with those of `hazmat`."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias, TypeVar

from kmscore import (
    CiphertextBlob,
    EncryptionContext,
    EncryptResult,
    KeyProvider,
    ReEncryptResult,
    decrypt,
)
from kmscore.errors import KmsCoreError

MakeContext: TypeAlias = Callable[[dict[str, str]], Mapping[str, str]]
"""A function that makes a context of the given pairs."""

ResultT = TypeVar("ResultT", EncryptResult, ReEncryptResult)


class DisagreementError(Exception):
    """The public function, and its variant with a given IV, have different results."""


def agreed(
    given: Callable[[], ResultT],
    drawn: Callable[[MakeContext], ResultT],
    keys: KeyProvider,
    context: dict[str, str],
) -> ResultT:
    """Return the result with the given IV, after two results with drawn IVs agree with it.

    The contexts are first a `dict` and then an `EncryptionContext`, because the library reads them
    differently.

    Args:
        given: The call with the given IV.
        drawn: The call that draws the IV, with the form of its contexts.
        keys: The provider that decrypts the blobs.
        context: The context of the blobs.

    Returns:
        The result with the given IV.

    Raises:
        KmsCoreError: If both calls fail with the same code.
        DisagreementError: If the results or the errors differ.
    """
    try:
        result = given()
    except KmsCoreError as error:
        _check_rejected(partial(drawn, dict), error)
        raise
    try:
        _check_same([result, drawn(dict), drawn(EncryptionContext)], keys, context)
    except KmsCoreError as error:
        raise DisagreementError(f"{error.code} in place of a result that opens") from None
    return result


def _check_same(results: list[ResultT], keys: KeyProvider, context: dict[str, str]) -> None:
    """Raise `DisagreementError` unless the results differ only in IV, ciphertext and tag."""
    if len({result._replace(ciphertext_blob=b"") for result in results}) > 1:
        raise DisagreementError("another result")
    first, *others = (result.ciphertext_blob or b"" for result in results)
    texts = [first, *others] if first else others  # a dry run has none
    blobs = [CiphertextBlob.parse(text) for text in texts]
    if len({blob.iv for blob in blobs}) < len(blobs):
        raise DisagreementError("an IV that is not fresh")
    if len({(blob.header, len(blob.ciphertext)) for blob in blobs}) > 1:
        raise DisagreementError("another header or length")
    if len({decrypt(keys, text, context).plaintext for text in texts}) > 1:
        raise DisagreementError("another plaintext")


def _check_rejected(call: Callable[[], object], due: KmsCoreError) -> None:
    """Raise `DisagreementError` unless a call fails with the same error code."""
    try:
        call()
    except KmsCoreError as error:
        if error.code == due.code:
            return
        raise DisagreementError(f"{error.code} in place of {due.code}") from None
    raise DisagreementError(f"accepted in place of {due.code}")
