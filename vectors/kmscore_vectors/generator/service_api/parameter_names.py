"""The vectors of parameter names: flattened, in another case, and of contexts not accepted."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.model import Case, Note
from kmscore_vectors.generator.service_api.cases import (
    ARCHIVE,
    CONTEXT,
    MESSAGE,
    V1,
    Requests,
    policy,
    to_base64,
)
from kmscore_vectors.generator.service_api.parameters import without
from kmscore_vectors.generator.service_api.table import ACTIONS, BAD_CIPHERTEXT, invalid
from kmscore_vectors.generator.wire import Pairs
from kmscore_vectors.tables import BugType, Severity

_DROPPED: Final = (
    "A context that is dropped in silence: what is encrypted opens under every context, and a"
    " caller believes in a binding that does not exist."
)
_CONTEXTS: Final = ("EncryptionContext", "SourceEncryptionContext", "DestinationEncryptionContext")
_MOST_CHARACTERS: Final = 8192

NOTES: Final = {
    "FlattenedContext": Note(
        "A context as one parameter per pair, in the forms of a Node client and of a Go client.",
        _DROPPED,
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 14",
    ),
    "BrokenContext": Note(
        "A flattened context that is a list with a fault, too long, or given in JSON as well.",
        _DROPPED,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 14.2",
    ),
    "OtherCase": Note(
        "The name of a parameter in another case, or a context in brackets.",
        _DROPPED + " A dry run is taken for the call itself.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 14.2",
    ),
    "ForeignContext": Note(
        "A context that the action does not take.",
        _DROPPED,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 14.2",
    ),
}


def cases(requests: Requests) -> Iterator[Case]:
    """Yield the tests, all in the layout v1, because both layouts read names alike."""
    if requests is V1:
        yield from _flattened()
        yield from _broken()
        yield from _cases_of_letters()
        yield from _elsewhere()


def by_key(name: str, pairs: Pairs) -> dict[str, str]:
    """Return a context as the Node client sends it."""
    return {f"{name}.{key}": value for key, value in pairs}


def by_number(name: str, pairs: Pairs) -> dict[str, str]:
    """Return a context as the Go client sends it."""
    params: dict[str, str] = {}
    for number, (key, value) in enumerate(pairs, 1):
        params |= {f"{name}.{number}.Key": key, f"{name}.{number}.Value": value}
    return params


_FORMS: Final = {"by key": by_key, "by number": by_number}


def _decrypt(pairs: Pairs, given: dict[str, str]) -> dict[str, str]:
    """Return a request to decrypt a blob that is bound to `pairs`, with extra parameters."""
    blob = to_base64(V1.blob(ARCHIVE, MESSAGE, pairs))
    return {"Action": "Decrypt", "CiphertextBlob": blob, **given}


def _flattened() -> Iterator[Case]:
    """Yield flattened contexts, each with a second test under another context."""
    read: dict[str, tuple[Pairs, dict[str, str]]] = {}
    pairs: Pairs
    for form, flatten in _FORMS.items():
        for comment, pairs in {
            "one pair": (("tenant", "acme"),),
            "three pairs": (("b", "2"), ("a", "1"), ("c", "3")),
            "an empty key": (("", "x"),),
            "an empty value": (("tenant", ""),),
            "dots in a key": (("a.b..c.", "x"),),
            "a key of digits": (("1", "x"),),
            "outside ASCII": (("\u79df\u6237", "\U0001f511"),),
            "outside ASCII, of 8,181 characters": (("a", "\u00e9" * 8181),),
            "what JSON escapes": (('"\\', "\n\x00"),),
        }.items():
            read[f"{form}, {comment}"] = pairs, flatten("EncryptionContext", pairs)
    pairs = tuple((str(number), f"value {number}") for number in range(1, 12))
    listed = by_number("EncryptionContext", pairs)
    read["by number, eleven pairs"] = pairs, listed
    read["by number, the last one first"] = pairs, dict(reversed(listed.items()))
    for comment, keys in {
        "a leading zero": ("01.Key", "01.Value"),
        "small letters": ("1.key", "1.value"),
        "no number": ("Key", "Value"),
        "a sign": ("+1.Key", "+1.Value"),
        "a digit of another script": ("\u0661.Key", "\u0661.Value"),
        "something behind it": ("1.Key.", "1.Value."),
    }.items():
        pairs = tuple((key, f"x{number}") for number, key in enumerate(keys))
        read[f"by key, {comment}"] = pairs, by_key("EncryptionContext", pairs)
    for comment, (pairs, given) in read.items():
        yield V1.answered(comment, "FlattenedContext", ARCHIVE, MESSAGE, _decrypt(pairs, given))
        yield V1.rejected(
            f"{comment}, and the blob is bound to none", "FlattenedContext", "operation",
            BAD_CIPHERTEXT, _decrypt((), given),
        )  # fmt: skip
    one = (("tenant", "acme"),)
    for form, flatten in _FORMS.items():
        params = _decrypt(one, {**flatten("EncryptionContext", one), "EncryptionContext": ""})
        yield V1.answered(
            f"{form}, and the JSON form is empty", "FlattenedContext", ARCHIVE, MESSAGE, params
        )  # fmt: skip
        yield from _everywhere(form)


def _everywhere(form: str) -> Iterator[Case]:
    """Yield every context of every action, flattened."""
    for action, row in ACTIONS.items():
        for name in row.optional:
            if name in _CONTEXTS:
                given = _FORMS[form](name, (("tenant", "acme"),))
                params = {**without(V1.right(action), name), **given}
                yield V1.passed(f"{name} of {action}, {form}", "FlattenedContext", params)


def _broken() -> Iterator[Case]:
    """Yield flattened contexts with one fault each."""
    right = {"1.Key": "a", "1.Value": "1", "2.Key": "b", "2.Value": "2"}
    lists: dict[str, dict[str, str]] = {
        "a value is missing": without(right, "2.Value"),
        "a key is missing": without(right, "1.Key"),
        "a pair is missing": {**without(without(right, "2.Key"), "2.Value"),
                              "3.Key": "b", "3.Value": "2"},
        "numbered from zero": {"0.Key": "a", "0.Value": "1"},
        "numbered from two": {"2.Key": "a", "2.Value": "1"},
        "a number of 5,000 digits": {**right, "1" * 5000 + ".Key": "c", "1" * 5000 + ".Value": ""},
        "a key twice": {**right, "2.Key": "a"},
        "a pair twice": {**right, "2.Key": "a", "2.Value": "1"},
        "a key beside it": {**right, "tenant": "acme"},
        "an empty key beside it": {**right, "": ""},
        "a leading zero beside it": {**right, "03.Key": "c", "03.Value": ""},
        "small letters beside it": {**right, "3.key": "c", "3.value": ""},
    }  # fmt: skip
    for comment, suffixes in lists.items():
        yield _reject("BrokenContext", comment, by_key("EncryptionContext", [*suffixes.items()]))
    most = _MOST_CHARACTERS - len('{"k":""}')
    one = (("tenant", "acme"),)
    for form, flatten in _FORMS.items():
        longest = flatten("EncryptionContext", (("k", "v" * most),))
        params = {**without(V1.right("Encrypt"), "EncryptionContext"), **longest}
        yield V1.passed(f"{form}, 8,192 characters of JSON", "FlattenedContext", params)
        longer = flatten("EncryptionContext", (("k", "v" * (most + 1)),))
        yield _reject("BrokenContext", f"{form}, 8,193 characters of JSON", longer)
        for comment, text in (("the same", CONTEXT), ("the empty map", "{}")):
            given = {**flatten("EncryptionContext", one), "EncryptionContext": text}
            yield _reject("BrokenContext", f"{form}, and {comment} in JSON", given)
    for name in _CONTEXTS[1:]:
        given = {**by_key(name, one), name: CONTEXT}
        yield _reject("BrokenContext", f"{name} in two forms", given, "ReEncrypt", name)
        given = {f"{name}.1.Key": "tenant"}
        yield _reject("BrokenContext", f"{name} without a value", given, "ReEncrypt", name)


def _reject(
    flag: str,
    comment: str,
    given: dict[str, str],
    action: str = "Encrypt",
    name: str = "EncryptionContext",
) -> Case:
    """Return a request whose context is replaced by wrong parameters."""
    params = {**without(V1.right(action), name), **given}
    return V1.rejected(comment, flag, "parameters", invalid(name), params)


def _cases_of_letters() -> Iterator[Case]:
    """Yield names in another case, of every parameter of any action."""
    names = ["Action", "DryRun", *(n for row in ACTIONS.values() for n in row.required)]
    names += [name for row in ACTIONS.values() for name in row.optional]
    steps = {"Action": "action", "DryRun": "dry run"}
    right = V1.right("Encrypt")
    for name in dict.fromkeys(names):
        params = {**right, name.lower(): "true"}
        step = steps.get(name, "parameters")
        yield V1.rejected(f"{name} in small letters", "OtherCase", step, invalid(name), params)
    for name in _CONTEXTS:
        for comment, given in {
            "in capitals": name.upper(),
            "in small letters, by key": f"{name.lower()}.tenant",
            "in small letters, by number": f"{name.lower()}.1.Key",
            "in brackets": f"{name}[tenant]",
            "in small letters and brackets": f"{name.lower()}[tenant]",
        }.items():
            params = {**right, given: "acme"}
            yield V1.rejected(
                f"{name} {comment}", "OtherCase", "parameters", invalid(name), params
            )  # fmt: skip
    params = without({**right, "encryptioncontext": CONTEXT}, "KeyId")
    yield V1.rejected(
        "and a parameter is missing, and nothing is permitted", "OtherCase", "parameters",
        invalid("EncryptionContext"), params, policy(),
    )  # fmt: skip
    params = {**right, "keyid": "orders", "encryptioncontext": CONTEXT}
    yield V1.rejected(
        "two of them", "OtherCase", "parameters", invalid("EncryptionContext"), params
    )  # fmt: skip
    params = {**right, "keyid": "orders", "DryRun": "true"}
    yield V1.rejected(
        "KeyId in small letters, in a dry run", "OtherCase", "parameters",
        invalid("KeyId").when_dry, params,
    )  # fmt: skip


def _elsewhere() -> Iterator[Case]:
    """Yield contexts that the action does not accept."""
    for action, row in ACTIONS.items():
        right = V1.right(action)
        for name in _CONTEXTS:
            if name in row.optional:
                continue
            for comment, given in {
                "in JSON": {name: CONTEXT},
                "by key": {f"{name}.tenant": "acme"},
            }.items():
                yield V1.rejected(
                    f"{name} of {action}, {comment}", "ForeignContext", "parameters",
                    invalid(name), {**right, **given},
                )  # fmt: skip
    right = V1.right("AsymmetricEncrypt")
    name = _CONTEXTS[0]
    yield _reject("ForeignContext", "the empty map", {name: "{}"}, "AsymmetricEncrypt", name)
    yield V1.passed("the empty text", "ForeignContext", {**right, name: ""})
