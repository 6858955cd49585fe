"""The vectors of parameter names that case folding makes equal to known ones, and similar ones."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.model import Case, Note
from kmscore_vectors.generator.service_api.cases import ARCHIVE, MESSAGE, V1, Requests, to_base64
from kmscore_vectors.generator.service_api.parameters import without
from kmscore_vectors.generator.service_api.table import invalid, missing
from kmscore_vectors.tables import BugType, Severity

NOTES: Final = {
    "CaseFolding": Note(
        "A name with a letter outside ASCII that Unicode case folding makes equal to a known name.",
        "A comparison in small letters accepts the name as unknown: the caller believes in a"
        " context, a key or a dry run that the service has ignored.",
        ("https://www.unicode.org/Public/UCD/latest/ucd/CaseFolding.txt",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 14.1",
    ),
    "SimilarName": Note(
        "A name that is similar to a known name and that case folding keeps different.",
        "A comparison by capitals, by the rules of one language or by compatibility forms takes the"
        " name for that of another parameter.",
        ("https://www.unicode.org/Public/UCD/latest/ucd/CaseFolding.txt",),
        bug_type=BugType.FUNCTIONALITY,
        severity=Severity.POLICY,
        section="SPEC section 14.1",
    ),
}
_LONG_S: Final = "\u017f"
_KELVIN: Final = "\u212a"
_ST: Final = ("\ufb05", "\ufb06")
"""The ligatures that fold to `st`: the only ones that occur in a known name."""

_FOLDED: Final = {
    f"{_KELVIN}eyId": "KeyId",
    f"Key{_LONG_S}pec": "KeySpec",
    f"{_KELVIN}eyVer{_LONG_S}ionId": "KeyVersionId",
    f"NumberOfByte{_LONG_S}": "NumberOfBytes",
    f"{_LONG_S}ource{_KELVIN}eyId": "SourceKeyId",
    f"PUBLIC{_KELVIN}EYBLOB": "PublicKeyBlob",
    f"De{_ST[0]}inationKeyId": "DestinationKeyId",
    f"DE{_ST[1]}INATIONKEYID": "DestinationKeyId",
    f"{_LONG_S}ourceEncryptionContext": "SourceEncryptionContext",
    f"{_LONG_S}ourceEncryptionContext.tenant": "SourceEncryptionContext",
    f"{_LONG_S}ourceEncryptionContext.1.Key": "SourceEncryptionContext",
    f"{_LONG_S}OURCEENCRYPTIONCONTEXT[tenant]": "SourceEncryptionContext",
    f"De{_ST[1]}inationEncryptionContext": "DestinationEncryptionContext",
    f"De{_ST[0]}inationEncryptionContext.": "DestinationEncryptionContext",
    f"De{_ST[1]}inationEncryptionContext[": "DestinationEncryptionContext",
    f"De{_LONG_S}tinationEncryptionContext.a[b]": "DestinationEncryptionContext",
}
"""Names, and the known name that each of them folds to."""

_SIMILAR: Final = (
    "Act\u0131on",  # U+0131 has the capital I, and folds to itself
    "ACT\u0130ON",  # U+0130 folds to i and U+0307
    "\u0391ction",  # a Greek letter
    "DryRun\u200b",
    "\u216eryRun",
    "\uff24\uff52\uff59\uff32\uff55\uff4e",  # letters of full width
    "Key\u0131d",
    "\uff2beyId",
    "KeyVer\u00dfionId",
    "KEYVER\u1e9eIONID",
    "\u03c2ourceKeyId",  # a final sigma
    "C\u0131phertextBlob",
    f"EncryptionContext{_LONG_S}",
    f"EncryptionContext{_LONG_S}.tenant",
    "Encrypt\u0131onContext.tenant",
    "ENCRYPT\u0130ONCONTEXT[tenant]",
    "SourceEncryptionContex\ufb06.tenant",
    f"{_KELVIN}eyId.tenant",
    f"{_KELVIN}eyId[tenant]",
)
"""Names that are ignored. The last two fold to a parameter that is not a context."""


def cases(requests: Requests) -> Iterator[Case]:
    """Yield the tests, all in the layout v1, because both layouts read names alike."""
    if requests is V1:
        yield from _folded()
        yield from _similar()
        yield from _orders()
        yield from _keys_of_contexts()


def _written(name: str) -> str:
    """Return a name in printable ASCII, for a comment."""
    return name.encode("ascii", "backslashreplace").decode("ascii")


def _folded() -> Iterator[Case]:
    """Yield names that fold to a known name."""
    right = V1.right("Encrypt")
    for name, known in _FOLDED.items():
        params = {**right, name: "x"}
        yield V1.rejected(_written(name), "CaseFolding", "parameters", invalid(known), params)
    params = {**right, f"{_KELVIN}eyId": "orders", "DryRun": "true"}
    yield V1.rejected(
        "KeyId with the Kelvin sign, in a dry run", "CaseFolding", "parameters",
        invalid("KeyId").when_dry, params,
    )  # fmt: skip
    yield V1.rejected(
        f"DryRun is {_written(f'fal{_LONG_S}e')}", "CaseFolding", "dry run", invalid("DryRun"),
        {**right, "DryRun": f"fal{_LONG_S}e"},
    )  # fmt: skip
    params = without({**right, f"{_KELVIN}eyId": "orders"}, "KeyId")
    yield V1.rejected(
        "KeyId with the Kelvin sign alone", "CaseFolding", "parameters", invalid("KeyId"), params
    )


def _similar() -> Iterator[Case]:
    """Yield names that fold to none, next to the right parameters and in place of one."""
    blob = to_base64(V1.blob(ARCHIVE, MESSAGE, ()))
    right = {"Action": "Decrypt", "CiphertextBlob": blob}
    for name in _SIMILAR:
        params = {**right, name: "true"}
        yield V1.answered(_written(name), "SimilarName", ARCHIVE, MESSAGE, params)
    for known, similar, step in (
        ("Action", "Act\u0131on", "action"),
        ("CiphertextBlob", "C\u0131phertextBlob", "parameters"),
    ):
        params = without({**right, similar: right[known]}, known)
        comment = f"{_written(similar)} in place of {known}"
        yield V1.rejected(comment, "SimilarName", step, missing(known), params)


def _orders() -> Iterator[Case]:
    """Yield several names in another case: the step, and then the right names, decide."""
    right = V1.right("Encrypt")
    for comment, given, known, step in (
        ("action before dryrun", ("action", "dryrun"), "DryRun", "dry run"),
        ("dryrun next to DryRun", ("DryRun", "dryrun"), "DryRun", "dry run"),
        ("keyid before action", ("keyid", "action"), "Action", "action"),
        ("keyspec, and KeyId with the Kelvin sign", ("keyspec", f"{_KELVIN}eyId"), "KeyId", ""),
        ("a context in brackets, and algorithm", ("EncryptionContext[a]", "algorithm"),
         "Algorithm", ""),
        ("sourcekeyid, and an ST ligature", ("sourcekeyid", f"De{_ST[0]}inationkeyid"),
         "DestinationKeyId", ""),
    ):  # fmt: skip
        params = {**right, **dict.fromkeys(given, "true")}
        rejection = invalid(known)
        yield V1.rejected(comment, "CaseFolding", step or "parameters", rejection, params)


def _keys_of_contexts() -> Iterator[Case]:
    """Yield flattened contexts whose keys are equal or special to a careless reader."""
    contexts: dict[str, tuple[tuple[str, str], ...]] = {
        "keys that fold to one": (("k", "1"), ("K", "2"), (_KELVIN, "3")),
        "the number, and Key with the Kelvin sign": ((f"1.{_KELVIN}ey", "x"),),
        "integers as keys": (("10", "a"), ("9", "b"), ("1", "c")),
        "names of members of objects": (("__proto__", "1"), ("constructor", "2"), ("length", "")),
    }
    for comment, pairs in contexts.items():
        blob = to_base64(V1.blob(ARCHIVE, MESSAGE, pairs))
        given = {f"EncryptionContext.{key}": value for key, value in pairs}
        params = {"Action": "Decrypt", "CiphertextBlob": blob, **given}
        yield V1.answered(comment, "SimilarName", ARCHIVE, MESSAGE, params)
