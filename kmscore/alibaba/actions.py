"""The actions of the API, with parameters that are already read.

Every action has the same steps: find the keys, check the permissions, perform the operation, return
the fields of the result. A dry run has the same steps, but it does not generate an IV or a
ciphertext blob, and its fields are not used.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

import kmscore
from kmscore import asymmetric
from kmscore._base64 import encode_base64
from kmscore.algorithms import (
    DEFAULT_DATA_KEY_LENGTH,
    ENCRYPTION_ALGORITHMS,
    EncryptionAlgorithm,
    KeySpec,
)
from kmscore.alibaba import operations
from kmscore.alibaba.access import Access
from kmscore.alibaba.events import Uses
from kmscore.alibaba.parameters import Action
from kmscore.alibaba.payloads import as_sealed
from kmscore.alibaba.profile import Payload, Profile
from kmscore.alibaba.reencryption import reencrypt
from kmscore.alibaba.service_errors import RequestError, invalid_parameter, missing_parameter
from kmscore.errors import DecryptionError, IncorrectKeyError
from kmscore.keys import PublicKey
from kmscore.lookup import decrypting_key
from kmscore.operations import DecryptResult

Fields: TypeAlias = dict[str, Any]
"""The fields of a response; other actions than the nine can have objects and lists of them."""


class Request(NamedTuple):
    """A request with parameters that are already read."""

    access: Access
    """The keys, the policy and the layout."""

    principal: Any
    """The caller, for the policy."""

    values: Mapping[str, Any]
    """The values of the parameters by name; `None` for a missing parameter."""

    is_dry_run: bool
    """Whether `DryRun` is true."""

    uses: Uses
    """The note of the keys that are used."""

    def sealing_key(self, action: str) -> str:
        """Return the ID of the key that `KeyId` names to encrypt, or raise if it is not allowed."""
        named = self.access.resolve(self.values["KeyId"])
        self.uses.destination = named.name, None
        return self.access.permit(self.principal, (action, named))[0]

    def opening_key(self, action: str) -> str:
        """Return the ID of the key that `KeyId` names to decrypt, or raise if it is not allowed."""
        named = self.access.resolve(self.values["KeyId"])
        self.uses.source = named.name, None
        return self.access.permit(self.principal, (action, named))[0]

    def blob_key(self, action: str) -> str:
        """Return the ID of the key of `CiphertextBlob`, or raise if the use is not allowed."""
        named = self.access.named_in(self.values["CiphertextBlob"])
        self.uses.source = named.name, None
        return self.access.permit(self.principal, (action, named))[0]

    def check_sealing(self, key_id: str) -> Fields:
        """Raise the errors that encryption raises, without encryption; return no fields."""
        context = self.values["EncryptionContext"]
        operations.check_sealing(self.access.keys, key_id, context, **self.options)
        return {}

    @property
    def options(self) -> dict[str, Any]:
        """The keyword arguments of every operation in the profile's layout."""
        return {
            "profile": self.access.profile,
            "allow_ambiguous": self.access.allow_ambiguous,
        }

    @property
    def sealed_options(self) -> dict[str, Any]:
        """The same for a plaintext that is encrypted and returned unchanged."""
        return self.options | {"profile": as_sealed(self.access.profile)}


class ExtraAction(NamedTuple):
    """An action that a server adds to the nine of this package."""

    action: Action
    """The parameters."""

    perform: Callable[[Request], Fields]
    """The function that checks the permission, performs the action and returns the fields.

    Its errors are those of the nine: `RequestError`, and the errors of the library. In a dry run,
    it returns no fields and changes nothing.
    """


def _reencrypt(request: Request) -> Fields:
    values, access = request.values, request.access
    algorithm: EncryptionAlgorithm | None = values["SourceEncryptionAlgorithm"]
    given = values["SourceKeyId"]
    if algorithm is not None:
        for name in ("SourceKeyId", "SourceKeyVersionId"):
            if values[name] is None:
                raise RequestError(missing_parameter(name))
        if values["SourceEncryptionContext"]:
            raise RequestError(invalid_parameter("SourceEncryptionContext"))
    source = None if given is None else access.resolve_unaliased(given)
    destination = access.resolve_unaliased(values["DestinationKeyId"])
    if algorithm is None or source is None:
        opening = access.named_in(values["CiphertextBlob"])
    else:
        opening = source
    request.uses.source = opening.name, None
    request.uses.destination = destination.name, None
    opening_key, sealing_key = access.permit(
        request.principal, ("ReEncryptFrom", opening), ("ReEncryptTo", destination)
    )
    if source is not None and source.key_id != opening_key:
        # The same error whether or not `SourceKeyId` names an existing key.
        raise IncorrectKeyError("the ciphertext names another source key than the caller")
    result = reencrypt(
        access.keys,
        values["CiphertextBlob"],
        sealing_key,
        source_profile=access.profile if algorithm is None else Profile.V1,
        destination_profile=access.profile,
        source_context=values["SourceEncryptionContext"],
        destination_context=values["DestinationEncryptionContext"],
        source_key_id=opening_key,
        source_key_version_id=values["SourceKeyVersionId"],
        source_algorithm=algorithm,
        allow_ambiguous=access.allow_ambiguous,
        dry_run=request.is_dry_run,
    )
    request.uses.source = result.source_key_id, result.source_key_version_id
    request.uses.destination = result.destination_key_id, result.destination_key_version_id
    return {
        "KeyId": result.source_key_id,
        "KeyVersionId": result.source_key_version_id,
        "CiphertextBlob": encode_base64(result.ciphertext_blob or b""),
    }


def _encrypt(request: Request) -> Fields:
    values = request.values
    key_id = request.sealing_key("Encrypt")
    if request.is_dry_run:
        return request.check_sealing(key_id)
    result = operations.encrypt(
        request.access.keys,
        key_id,
        values["Plaintext"],
        values["EncryptionContext"],
        **request.sealed_options,
    )
    request.uses.destination = result.key_id, result.key_version_id
    return {
        "CiphertextBlob": encode_base64(result.ciphertext_blob),
        "KeyId": result.key_id,
        "KeyVersionId": result.key_version_id,
    }


def _decrypt(request: Request) -> Fields:
    values = request.values
    key_id = request.blob_key("Decrypt")
    result = operations.decrypt(
        request.access.keys,
        values["CiphertextBlob"],
        values["EncryptionContext"],
        **request.sealed_options,
    )
    request.uses.source = result.key_id, result.key_version_id
    _check_same(result.key_id, key_id)
    is_text = request.access.profile.payload is Payload.BASE64
    return _opened(result, _text_of(result.plaintext) if is_text else None)


def _generate_data_key(request: Request) -> Fields:
    return _generate(request, "GenerateDataKey")


def _generate_data_key_without_plaintext(request: Request) -> Fields:
    fields = _generate(request, "GenerateDataKeyWithoutPlaintext")
    return {name: text for name, text in fields.items() if name != "Plaintext"}


def _generate(request: Request, action: str) -> Fields:
    """Generate a data key and encrypt it."""
    key_id = request.sealing_key(action)
    if request.is_dry_run:
        return request.check_sealing(key_id)
    result = operations.generate_data_key(
        request.access.keys,
        key_id,
        number_of_bytes=_data_key_length(request.values),
        context=request.values["EncryptionContext"],
        **request.options,
    )
    request.uses.destination = result.key_id, result.key_version_id
    return {
        "CiphertextBlob": encode_base64(result.ciphertext_blob),
        "KeyId": result.key_id,
        "KeyVersionId": result.key_version_id,
        "Plaintext": encode_base64(result.plaintext),
    }


def _export_data_key(request: Request) -> Fields:
    values = request.values
    public_key, algorithm = _wrapping(values)
    key_id = request.blob_key("ExportDataKey")
    result = operations.export_data_key(
        request.access.keys,
        values["CiphertextBlob"],
        public_key,
        algorithm,
        context=values["EncryptionContext"],
        **request.options,
    )
    request.uses.source = result.key_id, result.key_version_id
    _check_same(result.key_id, key_id)
    return {
        "ExportedDataKey": encode_base64(result.exported_data_key),
        "KeyId": result.key_id,
        "KeyVersionId": result.key_version_id,
    }


def _generate_and_export_data_key(request: Request) -> Fields:
    values = request.values
    public_key, algorithm = _wrapping(values)
    length = _data_key_length(values)
    key_id = request.sealing_key("GenerateAndExportDataKey")
    if request.is_dry_run:
        request.check_sealing(key_id)
        asymmetric.check_public_key(public_key, algorithm)
        asymmetric.check_plaintext_length(length, public_key.spec, algorithm)
        return {}
    result = operations.generate_and_export_data_key(
        request.access.keys,
        key_id,
        public_key,
        algorithm,
        number_of_bytes=length,
        context=values["EncryptionContext"],
        **request.options,
    )
    request.uses.destination = result.key_id, result.key_version_id
    return {
        "CiphertextBlob": encode_base64(result.ciphertext_blob or b""),
        "ExportedDataKey": encode_base64(result.exported_data_key),
        "KeyId": result.key_id,
        "KeyVersionId": result.key_version_id,
    }


def _asymmetric_encrypt(request: Request) -> Fields:
    values = request.values
    algorithm = values["Algorithm"]
    key = decrypting_key(
        request.access.keys,
        request.sealing_key("AsymmetricEncrypt"),
        values["KeyVersionId"],
        algorithm,
    )
    request.uses.destination = key.key_id, key.key_version_id
    ciphertext = kmscore.asymmetric_encrypt(key.public_key, algorithm, values["Plaintext"])
    return {
        "CiphertextBlob": encode_base64(ciphertext),
        "KeyId": key.key_id,
        "KeyVersionId": key.key_version_id,
    }


def _asymmetric_decrypt(request: Request) -> Fields:
    values = request.values
    result = kmscore.asymmetric_decrypt(
        request.access.keys,
        request.opening_key("AsymmetricDecrypt"),
        values["KeyVersionId"],
        values["Algorithm"],
        values["CiphertextBlob"],
    )
    request.uses.source = result.key_id, result.key_version_id
    return _opened(result)


PERFORM: Final[Mapping[str, Callable[[Request], Fields]]] = MappingProxyType(
    {
        "ReEncrypt": _reencrypt,
        "Encrypt": _encrypt,
        "Decrypt": _decrypt,
        "GenerateDataKey": _generate_data_key,
        "GenerateDataKeyWithoutPlaintext": _generate_data_key_without_plaintext,
        "ExportDataKey": _export_data_key,
        "GenerateAndExportDataKey": _generate_and_export_data_key,
        "AsymmetricEncrypt": _asymmetric_encrypt,
        "AsymmetricDecrypt": _asymmetric_decrypt,
    }
)
"""The function of each action by name; it returns the fields of the response."""


def _check_same(used: str, permitted: str) -> None:
    """Raise `IncorrectKeyError` unless the key that decrypted is the key that was allowed.

    A blob of the service's layout has no key ID, so the provider looked up its key version twice,
    and could return different keys.
    """
    if used != permitted:
        raise IncorrectKeyError("the provider returned another key in the second lookup")


def _data_key_length(values: Mapping[str, Any]) -> int:
    """Return the length of a data key in bytes; `NumberOfBytes` has priority over `KeySpec`."""
    length: int = values["NumberOfBytes"] or values["KeySpec"] or DEFAULT_DATA_KEY_LENGTH
    return length


def _wrapping(values: Mapping[str, Any]) -> tuple[PublicKey, EncryptionAlgorithm]:
    """Return the wrapping key and its algorithm; raise `RequestError` if they do not match."""
    public_key: PublicKey = values["PublicKeyBlob"]
    spec: KeySpec = values["WrappingKeySpec"]
    algorithm: EncryptionAlgorithm = values["WrappingAlgorithm"]
    if public_key.spec is not spec:
        raise RequestError(invalid_parameter("WrappingKeySpec"))
    if spec not in ENCRYPTION_ALGORITHMS[algorithm].key_specs:
        raise RequestError(invalid_parameter("WrappingAlgorithm"))
    return public_key, algorithm


def _opened(result: DecryptResult, text: str | None = None) -> Fields:
    """Return the fields of a decrypted plaintext: `text`, or the plaintext in Base64."""
    return {
        "KeyId": result.key_id,
        "KeyVersionId": result.key_version_id,
        "Plaintext": encode_base64(result.plaintext) if text is None else text,
    }


def _text_of(plaintext: bytes) -> str:
    """Return the text that was encrypted, or raise `DecryptionError` if it is not UTF-8."""
    try:
        return plaintext.decode("utf-8")
    except UnicodeDecodeError:
        del plaintext  # an error reporter can show the local variables
    raise DecryptionError
