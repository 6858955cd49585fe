"""The table of the parameters of each action, and the functions that read their values.

Parameters are strings, as a web framework has them. Unknown names are ignored, as in the service.
Names that differ from a known name only in case are an error (`parameter_names`).
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias, cast

from kmscore.alibaba.json_context import JsonContext
from kmscore.alibaba.parameter_readers import (
    read_algorithm,
    read_base64,
    read_boolean,
    read_context,
    read_data_key_spec,
    read_json_context,
    read_number_of_bytes,
    read_opaque_plaintext,
    read_plaintext,
    read_public_key,
    read_text,
    read_wrapping_spec,
)
from kmscore.alibaba.payloads import as_sealed, layout_of
from kmscore.alibaba.profile import ContextBinding, Payload, Profile
from kmscore.alibaba.service_errors import (
    RequestError,
    Subjects,
    invalid_parameter,
    missing_parameter,
)
from kmscore.context import EncryptionContext
from kmscore.errors import InvalidContextError

Read: TypeAlias = Callable[[str], Any]
"""A callable that takes the text of a parameter and returns its value; `None` if invalid."""

_CONTEXT_READS: Final[frozenset[Read]] = frozenset({read_context, read_json_context})


class Parameter(NamedTuple):
    """A parameter of an action."""

    name: str
    """The name in a request."""

    read: Read
    """The function that reads the text."""

    is_required: bool = False
    """Whether a request without the parameter is an error."""

    may_be_empty: bool = False
    """Whether the empty text is a value; otherwise it counts as absent."""

    def is_absent(self, given: object) -> bool:
        """Return whether the parameter is absent."""
        return given is None if self.may_be_empty else is_absent(given)


class Action(NamedTuple):
    """An action of the API."""

    parameters: tuple[Parameter, ...]
    """The parameters, in the order in which they are read."""

    subjects: Subjects = Subjects()
    """The parameters that the error messages name."""


DRY_RUN: Final = Parameter("DryRun", read_boolean)
"""A parameter of every action; it is read before the other parameters."""

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
"""Every action, in the order of the vendor's pages; parameters are read in this order."""


def actions_of(profile: Profile) -> Mapping[str, Action]:
    """Return every action, with the functions that read its parameters under a profile.

    With `Payload.BASE64` the plaintext of Encrypt is an opaque text. With `ContextBinding.JSON` the
    JSON text of a context is kept.
    """
    reads: dict[tuple[str, Read], Read] = {}
    if profile.payload is Payload.BASE64:
        sealed = layout_of(as_sealed(profile), allow_ambiguous=False)
        opaque = partial(read_opaque_plaintext, most=sealed.max_plaintext_length)
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
    """Return the values of an action's parameters by name, with `None` for an absent parameter.

    Raises `RequestError` for the first missing parameter. If all required parameters are present,
    raises it for the first invalid parameter.
    """
    for parameter in action.parameters:
        if parameter.is_required and parameter.is_absent(params.get(parameter.name)):
            raise RequestError(missing_parameter(parameter.name))
    return {
        parameter.name: read_parameter(parameter, params.get(parameter.name))
        for parameter in action.parameters
    }


def read_parameter(parameter: Parameter, given: object) -> Any:  # noqa: ANN401 (depends on the parameter)
    """Return the value of a parameter, or `None` if it is absent."""
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
    """Return whether a parameter counts as absent: it is `None`, or the empty text.

    Some clients, such as `oss2`, send optional parameters as empty texts. The vendor's own code
    treats these as absent, and reports an empty required parameter as missing.
    """
    return given is None or exact_text(given) == ""


def exact_text(given: object) -> str | None:
    """Return a text as a plain `str`, or `None` if it is not a `str`.

    A subclass can override every method, and `isinstance` accepts an object that only claims to be
    a `str`.
    """
    if type(given) is str:
        return given
    return str.__str__(cast("str", given)) if issubclass(type(given), str) else None


def _context_of(given: Mapping[Any, Any]) -> EncryptionContext | None:
    """Return a context from a mapping, or `None` if it is invalid."""
    try:
        return EncryptionContext(given)
    except InvalidContextError:
        return None
