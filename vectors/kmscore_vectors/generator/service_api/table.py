"""The service's parameters and errors, by action and by cause, independent of the library."""

from typing import Final, NamedTuple

from kmscore_vectors.generator.model import Fields
from kmscore_vectors.tables import KeyState


class Rejection(NamedTuple):
    """An error, with the fields of its response."""

    status: int
    code: str
    message: str

    def response(self, request_id: str) -> Fields:
        """Return the response."""
        return {
            "status": str(self.status),
            "HttpStatus": str(self.status),
            "Code": self.code,
            "Message": self.message,
            "RequestId": request_id,
        }

    @property
    def when_dry(self) -> "Rejection":
        """The error of a dry run in its place."""
        if self == NO_PERMISSION:
            return Rejection(403, "AccessDeniedError", self.message)
        return Rejection(400, "ValidationError", self.message)


def missing(name: str) -> Rejection:
    """Return the error of a missing parameter."""
    return Rejection(400, "MissingParameter", f'The parameter "{name}" is needed but not provided.')


def invalid(name: str) -> Rejection:
    """Return the error of an invalid parameter."""
    return Rejection(400, "InvalidParameter", f'The specified parameter "{name}" is not valid.')


def rejected(state: KeyState) -> Rejection:
    """Return the error of a key that is not enabled."""
    message = f"The request was rejected because the key state is {state.value}."
    return Rejection(409, f"Rejected.{state.value}", message)


BAD_CIPHERTEXT: Final = invalid("CiphertextBlob")
ALIAS_REJECTED: Final = Rejection(400, "Unsupported.Alias", "Alias is not valid for this api.")
UNSUPPORTED: Final = Rejection(400, "UnsupportedOperation", "This action is not supported.")
NO_PERMISSION: Final = Rejection(
    403, "Forbidden.NoPermission", "This operation is forbidden by permission system."
)
NO_KEY: Final = Rejection(404, "Forbidden.KeyNotFound", "The specified Key is not found.")
NO_VERSION: Final = Rejection(
    404, "Forbidden.KeyVersionNotFound", "The specified Key version is not found."
)
NO_ALIAS: Final = Rejection(404, "Forbidden.AliasNotFound", "The specified Alias is not found.")
DRY_RUN_PASSED: Final = Rejection(
    400, "DryRunOperationError", "The request would have succeeded, but DryRun is set."
)


class Action(NamedTuple):
    """An action: its required parameters, its optional parameters, and its permissions."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    permissions: tuple[str, ...]


_WRAPPING: Final = ("PublicKeyBlob", "WrappingAlgorithm", "WrappingKeySpec")
_DATA_KEY: Final = ("KeySpec", "NumberOfBytes", "EncryptionContext")
_ASYMMETRIC: Final = ("KeyId", "KeyVersionId", "Algorithm")

ACTIONS: Final = {
    "ReEncrypt": Action(
        ("CiphertextBlob", "DestinationKeyId"),
        (
            "SourceKeyId",
            "SourceKeyVersionId",
            "SourceEncryptionAlgorithm",
            "SourceEncryptionContext",
            "DestinationEncryptionContext",
        ),
        ("kms:ReEncryptFrom", "kms:ReEncryptTo"),
    ),
    "Encrypt": Action(("KeyId", "Plaintext"), ("EncryptionContext",), ("kms:Encrypt",)),
    "Decrypt": Action(("CiphertextBlob",), ("EncryptionContext",), ("kms:Decrypt",)),
    "GenerateDataKey": Action(("KeyId",), _DATA_KEY, ("kms:GenerateDataKey",)),
    "GenerateDataKeyWithoutPlaintext": Action(
        ("KeyId",), _DATA_KEY, ("kms:GenerateDataKeyWithoutPlaintext",)
    ),
    "ExportDataKey": Action(
        ("CiphertextBlob", *_WRAPPING), ("EncryptionContext",), ("kms:ExportDataKey",)
    ),
    "GenerateAndExportDataKey": Action(
        ("KeyId", *_WRAPPING), _DATA_KEY, ("kms:GenerateAndExportDataKey",)
    ),
    "AsymmetricEncrypt": Action((*_ASYMMETRIC, "Plaintext"), (), ("kms:AsymmetricEncrypt",)),
    "AsymmetricDecrypt": Action((*_ASYMMETRIC, "CiphertextBlob"), (), ("kms:AsymmetricDecrypt",)),
}
"""All actions. Each also accepts DryRun."""
