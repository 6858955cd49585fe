"""The parameters of each action: one table, and what reads the text of each kind.

A web framework hands over texts. What is unknown is ignored, as the service does.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias, cast

from kmscore._base64 import decode_base64
from kmscore.algorithms import (
    MAX_DATA_KEY_LENGTH,
    MAX_PLAINTEXT_LENGTH,
    EncryptionAlgorithm,
    KeySpec,
)
from kmscore.alibaba.faults import RequestError, Subjects, invalid_parameter, missing_parameter
from kmscore.alibaba.json_context import JsonContext
from kmscore.alibaba.payloads import MAX_SEALED
from kmscore.alibaba.profile import ContextBinding, Payload, Profile
from kmscore.context import EncryptionContext
from kmscore.errors import InvalidContextError, InvalidKeyError, UnsupportedAlgorithmError
from kmscore.keys import PublicKey

_MAX_BASE64_LENGTH: Final = 16_384
"""Characters; nothing that any action takes is as long as what they hold."""

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)
_DATA_KEY_LENGTHS: Final = MappingProxyType({"AES_256": 32, "AES_128": 16})
_WRAPPING_SPECS: Final = frozenset({KeySpec.RSA_2048, KeySpec.EC_SM2})
_BOOLEANS: Final = MappingProxyType({"true": True, "false": False})

Read: TypeAlias = Callable[[str], Any]
"""Takes the text of a parameter and gives its value, or `None` if the text is no such thing."""


def read_text(text: str) -> str:
    """Take a text as it is. A key ID too: one of an odd form is unknown, and that is all."""
    return text


def read_base64(text: str) -> bytes | None:
    """Read bytes in Base64 (RFC 4648 section 4), strictly."""
    if len(text) > _MAX_BASE64_LENGTH:
        return None
    return decode_base64(text.encode("utf-8", "surrogatepass"))


def read_plaintext(text: str) -> bytes | None:
    """Read a plaintext of at most 6,144 bytes in Base64."""
    plaintext = read_base64(text)
    return None if plaintext is None or len(plaintext) > MAX_PLAINTEXT_LENGTH else plaintext


def read_opaque_plaintext(text: str, most: int) -> bytes | None:
    """Read a text of at most so many bytes as its UTF-8 form, and look at nothing else."""
    try:
        plaintext = text.encode("utf-8")
    except UnicodeEncodeError:
        return None
    return plaintext if len(plaintext) <= most else None


def read_context(text: str) -> EncryptionContext | None:
    """Read an encryption context in JSON."""
    try:
        return EncryptionContext.from_json(text)
    except InvalidContextError:
        return None


def read_json_context(text: str) -> JsonContext | None:
    """Read an encryption context in JSON, and keep its text."""
    try:
        return JsonContext(text)
    except InvalidContextError:
        return None


def read_algorithm(text: str) -> EncryptionAlgorithm | None:
    """Read the name of an asymmetric algorithm."""
    try:
        return EncryptionAlgorithm.of(text, "algorithm")
    except UnsupportedAlgorithmError:
        return None


def read_number_of_bytes(text: str) -> int | None:
    """Read the length of a data key, 1 to 1,024."""
    number = int(text) if _NUMBER.fullmatch(text) else 0
    return number if 1 <= number <= MAX_DATA_KEY_LENGTH else None


def read_data_key_spec(text: str) -> int | None:
    """Read the spec of a data key as its length."""
    return _DATA_KEY_LENGTHS.get(text)


def read_wrapping_spec(text: str) -> KeySpec | None:
    """Read the spec of a wrapping key."""
    return next((spec for spec in _WRAPPING_SPECS if spec.value == text), None)


def read_public_key(text: str) -> PublicKey | None:
    """Read a SubjectPublicKeyInfo in Base64, without PEM armour."""
    data = read_base64(text)
    try:
        return None if data is None else PublicKey.from_der(data)
    except (InvalidKeyError, UnsupportedAlgorithmError):
        return None


def read_boolean(text: str) -> bool | None:
    """Read `true` or `false`, in any case of letters."""
    return _BOOLEANS.get(text.lower())


_CONTEXT_READS: Final[frozenset[Read]] = frozenset({read_context, read_json_context})


class Parameter(NamedTuple):
    """A parameter of an action."""

    name: str
    read: Read
    is_required: bool = False

    may_be_empty: bool = False
    """Whether the empty text is a value; otherwise it counts as absent."""

    def is_absent(self, given: object) -> bool:
        """Tell whether the parameter is not there."""
        return given is None if self.may_be_empty else is_absent(given)


class Action(NamedTuple):
    """An action: its parameters, and what its errors are about."""

    parameters: tuple[Parameter, ...]
    subjects: Subjects = Subjects()


DRY_RUN: Final = Parameter("DryRun", read_boolean)
"""A parameter of every action; the rest are read when it is known what it says."""

_KEY: Final = Parameter("KeyId", read_text, is_required=True)
_VERSION: Final = Parameter("KeyVersionId", read_text, is_required=True)
_ALGORITHM: Final = Parameter("Algorithm", read_algorithm, is_required=True)
_PLAINTEXT: Final = Parameter("Plaintext", read_plaintext, is_required=True, may_be_empty=True)
_CIPHERTEXT: Final = Parameter("CiphertextBlob", read_base64, is_required=True)
_CONTEXT: Final = Parameter("EncryptionContext", read_context)
_DATA_KEY: Final = (
    _KEY,
    Parameter("KeySpec", read_data_key_spec),
    Parameter("NumberOfBytes", read_number_of_bytes),
    _CONTEXT,
)
_WRAPPING: Final = (
    Parameter("PublicKeyBlob", read_public_key, is_required=True),
    Parameter("WrappingAlgorithm", read_algorithm, is_required=True),
    Parameter("WrappingKeySpec", read_wrapping_spec, is_required=True),
)

ACTIONS: Final[Mapping[str, Action]] = MappingProxyType(
    {
        "ReEncrypt": Action(
            (
                _CIPHERTEXT,
                Parameter("DestinationKeyId", read_text, is_required=True),
                Parameter("SourceKeyId", read_text),
                Parameter("SourceKeyVersionId", read_text),
                Parameter("SourceEncryptionAlgorithm", read_algorithm),
                Parameter("SourceEncryptionContext", read_context),
                Parameter("DestinationEncryptionContext", read_context),
            ),
            Subjects(context="SourceEncryptionContext"),
        ),
        "Encrypt": Action((_KEY, _PLAINTEXT, _CONTEXT), Subjects(None, "Plaintext")),
        "Decrypt": Action((_CIPHERTEXT, _CONTEXT)),
        "GenerateDataKey": Action(_DATA_KEY, Subjects(None, "NumberOfBytes")),
        "GenerateDataKeyWithoutPlaintext": Action(_DATA_KEY, Subjects(None, "NumberOfBytes")),
        "ExportDataKey": Action((_CIPHERTEXT, _CONTEXT, *_WRAPPING)),
        "GenerateAndExportDataKey": Action(
            (*_DATA_KEY, *_WRAPPING), Subjects(None, "NumberOfBytes")
        ),
        "AsymmetricEncrypt": Action(
            (_KEY, _VERSION, _ALGORITHM, _PLAINTEXT), Subjects(None, "Plaintext")
        ),
        "AsymmetricDecrypt": Action((_KEY, _VERSION, _ALGORITHM, _CIPHERTEXT)),
    }
)
"""Every action, in the order of the vendor's pages; parameters are read in the order given."""


def actions_of(profile: Profile) -> Mapping[str, Action]:
    """Return every action with its parameters as they are read under a profile.

    Where blobs hold texts, the plaintext that is encrypted is an opaque text. Where the JSON text
    of a context is bound, it is kept.
    """
    reads: dict[tuple[str, Read], Read] = {}
    if profile.payload is Payload.BASE64:
        opaque = partial(read_opaque_plaintext, most=MAX_SEALED[profile.layout])
        reads["Encrypt", read_plaintext] = opaque
    if profile.context_binding is ContextBinding.JSON:
        reads |= {(name, read_context): read_json_context for name in ACTIONS}
    return MappingProxyType(
        {
            name: action._replace(
                parameters=tuple(
                    row._replace(read=reads.get((name, row.read), row.read))
                    for row in action.parameters
                )
            )
            for name, action in ACTIONS.items()
        }
    )


def read_parameters(action: Action, params: Mapping[str, object]) -> dict[str, Any]:
    """Return the values of an action's parameters by name, `None` for those that are not there.

    Raises `RequestError` for the first that is missing, else for the first that is not as it has
    to be.
    """
    for parameter in action.parameters:
        if parameter.is_required and parameter.is_absent(params.get(parameter.name)):
            raise RequestError(missing_parameter(parameter.name))
    return {
        parameter.name: read_parameter(parameter, params.get(parameter.name))
        for parameter in action.parameters
    }


def read_parameter(parameter: Parameter, given: object) -> Any:  # noqa: ANN401 (by its kind)
    """Return the value of a parameter, or `None` if it is not there."""
    if parameter.is_absent(given):
        return None
    value = None
    is_context = parameter.read in _CONTEXT_READS
    text = exact_text(given.text if is_context and isinstance(given, JsonContext) else given)
    if text is not None:
        value = parameter.read(text)
    elif is_context and isinstance(given, Mapping):
        value = _context_of(given)
    if value is None:
        raise RequestError(invalid_parameter(parameter.name))
    return value


def is_absent(given: object) -> bool:
    """Tell whether a parameter counts as absent: it is `None`, or the empty text.

    Clients send optional parameters as empty texts (`oss2` does), and the vendor's own code takes
    those for absent; an empty text that is required it calls missing.
    """
    return given is None or exact_text(given) == ""


def exact_text(given: object) -> str | None:
    """Return a text as a plain `str`, or `None` if it is none.

    A subclass compares and answers as it likes; a stand-in only says that it is a `str`.
    """
    return str.__str__(cast("str", given)) if issubclass(type(given), str) else None


def _context_of(given: Mapping[Any, Any]) -> EncryptionContext | None:
    """Return a context that a framework has taken apart already."""
    try:
        return EncryptionContext(given)
    except InvalidContextError:
        return None
