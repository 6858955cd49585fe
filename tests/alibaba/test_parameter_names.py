"""Names of parameters: flattened contexts, names in another case, and unknown names."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.service_api import PROFILES, code_of, make_api, seal, valid_requests

from kmscore import EncryptionContext, alibaba
from kmscore.alibaba import parameter_names
from kmscore.alibaba.parameter_names import CONTEXTS, KNOWN, gather_contexts
from kmscore.alibaba.parameters import ACTIONS
from kmscore.alibaba.service_errors import RequestError
from kmscore.context import MAX_JSON_LENGTH

APIS = {name: make_api(profile=profile) for name, profile in PROFILES.items()}
VALID = {name: valid_requests(api) for name, api in APIS.items()}
MISMATCH = 'The specified parameter "CiphertextBlob" is not valid.'

Form = Callable[[str, Mapping[str, str]], dict[str, Any]]
"""A function from the name of a context parameter and its pairs to the parameters sent."""


def as_json(name: str, pairs: Mapping[str, str]) -> dict[str, Any]:
    """Return a context in the form of the Python clients of the vendor."""
    return {name: json.dumps(pairs, ensure_ascii=False, separators=(",", ":"))}


def as_keys(name: str, pairs: Mapping[str, str]) -> dict[str, Any]:
    """Return a context in the form of the Node client of the vendor."""
    return {f"{name}.{key}": value for key, value in pairs.items()}


def as_list(name: str, pairs: Mapping[str, str]) -> dict[str, Any]:
    """Return a context in the form of a common Go client."""
    return {
        f"{name}.{number}.{part}": text
        for number, pair in enumerate(pairs.items(), 1)
        for part, text in zip(("Key", "Value"), pair, strict=True)
    }


FORMS: Mapping[str, Form] = {"JSON": as_json, "keys": as_keys, "list": as_list}
PLACES = [
    (action, parameter.name)
    for action, row in ACTIONS.items()
    for parameter in row.parameters
    if parameter.name in CONTEXTS
]


@pytest.fixture(params=list(PROFILES))
def profile(request: pytest.FixtureRequest) -> str:
    """Run the test in each layout."""
    name: str = request.param
    return name


def message_of(response: alibaba.ApiResponse) -> str:
    """Return the message of an error, the empty text if there is none."""
    return str(response.body.get("Message", ""))


def gathered(params: dict[str, Any], name: str = "EncryptionContext") -> Any:
    """Return the context that the action with this parameter receives."""
    action = "ReEncrypt" if name != "EncryptionContext" else "Encrypt"
    return gather_contexts(ACTIONS[action], params)[name]


def assert_rejected(params: dict[str, Any], name: str = "EncryptionContext") -> None:
    """Check that a request with these parameters is rejected with this name."""
    action = "ReEncrypt" if name != "EncryptionContext" else "Encrypt"
    valid = {key: text for key, text in VALID["v1"][action].items() if key not in CONTEXTS}
    response = APIS["v1"].call(valid | params)
    assert code_of(response) == "InvalidParameter", params
    assert message_of(response) == f'The specified parameter "{name}" is not valid.'


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("opener", ["Decrypt", "ExportDataKey", "ReEncrypt"])
def test_all_forms_give_the_same_context(profile: str, form: str, opener: str) -> None:
    """A blob encrypted with one form is decrypted with each form, and with no other context."""
    api = APIS[profile]
    name = "SourceEncryptionContext" if opener == "ReEncrypt" else "EncryptionContext"
    request = {key: text for key, text in VALID[profile][opener].items() if key not in CONTEXTS}
    for sealing in FORMS.values():
        blob = seal(api, **sealing("EncryptionContext", {"tenant": "acme"}))
        request["CiphertextBlob"] = blob
        assert api.call(request | FORMS[form](name, {"tenant": "acme"})).status == 200
        for wrong in ({"tenant": "acmf"}, {"tenans": "acme"}):
            assert message_of(api.call(request | FORMS[form](name, wrong))) == MISMATCH
        assert message_of(api.call(request)) == MISMATCH


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "action", ["Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext",
               "GenerateAndExportDataKey", "ReEncrypt"],
)  # fmt: skip
def test_each_encrypting_action_binds_each_form(profile: str, form: str, action: str) -> None:
    """The result is decrypted with this context, and not without a context."""
    api = APIS[profile]
    name = "DestinationEncryptionContext" if action == "ReEncrypt" else "EncryptionContext"
    request = {key: text for key, text in VALID[profile][action].items() if key not in CONTEXTS}
    sealed = api.call(request | FORMS[form](name, {"tenant": "acme"})).body["CiphertextBlob"]
    opening = {"Action": "Decrypt", "CiphertextBlob": sealed}
    assert message_of(api.call(opening)) == MISMATCH
    assert api.call(opening | {"EncryptionContext": '{"tenant":"acme"}'}).status == 200


@given(
    st.dictionaries(st.text(), st.text(), min_size=1, max_size=5),
    st.sampled_from(CONTEXTS),
    st.randoms(use_true_random=False),
)
def test_flattening_round_trip(pairs: dict[str, str], name: str, random: Any) -> None:
    """The flattened form, with the parameters in any order, gives the same map."""
    for form in (as_list,) if any(map(looks_listed, pairs)) else (as_keys, as_list):
        items = list(form(name, pairs).items())
        random.shuffle(items)
        text = gathered(dict(items), name)
        assert EncryptionContext.from_json(text) == pairs
    if form is as_list:
        assert list(json.loads(text).items()) == list(pairs.items())


def looks_listed(key: str) -> bool:
    """Return whether a key looks like a member of the list form."""
    return key.endswith((".Key", ".Value"))


@pytest.mark.parametrize(
    ("suffixes", "pairs"),
    [
        ({"a.b": "c"}, {"a.b": "c"}),
        ({"": "x"}, {"": "x"}),
        ({"": ""}, {"": ""}),
        ({"tenant": ""}, {"tenant": ""}),
        ({".": "x", "..": "y"}, {".": "x", "..": "y"}),
        ({"1": "x"}, {"1": "x"}),
        ({"Key": "x", "Value": "y"}, {"Key": "x", "Value": "y"}),
        ({"1.key": "x", "1.value": "y"}, {"1.key": "x", "1.value": "y"}),
        ({"01.Key": "x", "01.Value": "y"}, {"01.Key": "x", "01.Value": "y"}),
        ({"+1.Key": "x"}, {"+1.Key": "x"}),
        ({"\u0661.Key": "x"}, {"\u0661.Key": "x"}),
        ({"1.Key\n": "x"}, {"1.Key\n": "x"}),
        ({"1.Key.": "x", "a.1.Key": "y"}, {"1.Key.": "x", "a.1.Key": "y"}),
        ({"1.Key": "", "1.Value": ""}, {"": ""}),
        ({"2.Value": "d", "1.Key": "a", "2.Key": "c", "1.Value": "b"}, {"a": "b", "c": "d"}),
        ({"租户": "é\U0001f511"}, {"租户": "é\U0001f511"}),
        ({'"': "\\\n\x00"}, {'"': "\\\n\x00"}),
        ({f"k{n}": "" for n in range(40)}, {f"k{n}": "" for n in range(40)}),
        (
            {f"{n}.{part}": f"{part}{n}" for n in range(1, 41) for part in ("Key", "Value")},
            {f"Key{n}": f"Value{n}" for n in range(1, 41)},
        ),
    ],
)
def test_the_text_after_the_first_dot_is_a_key(
    suffixes: dict[str, str], pairs: dict[str, str]
) -> None:
    """The text is a key, unless all texts are members of a list."""
    for name in CONTEXTS:
        params = {f"{name}.{suffix}": text for suffix, text in suffixes.items()}
        assert json.loads(gathered(params, name)) == pairs


@pytest.mark.parametrize("name", CONTEXTS)
@pytest.mark.parametrize(
    "suffixes",
    [
        {"1.Key": "a"},
        {"1.Value": "a"},
        {"1.Key": "a", "2.Value": "b"},
        {"1.Key": "a", "2.Key": "b"},
        {"1.Value": "a", "2.Value": "b"},
        {"1.Key": "a", "1.Value": "b", "2.Key": "c"},
        {"1.Key": "a", "1.Value": "b", "2.Value": "c"},
        {"2.Key": "a", "2.Value": "b"},
        {"0.Key": "a", "0.Value": "b"},
        {"0.Key": "a", "0.Value": "b", "1.Key": "c", "1.Value": "d"},
        {"1.Key": "a", "1.Value": "b", "3.Key": "c", "3.Value": "d"},
        {"1.Key": "a", "1.Value": "b", "tenant": "acme"},
        {"1.Key": "a", "1.Value": "b", "": ""},
        {"1.Key": "a", "1.Value": "b", "01.Key": "c", "01.Value": "d"},
        {"1.Key": "a", "1.Value": "b", "1.value": "c"},
        {"1.Key": "a", "1.Value": "b", "2.Key": "a", "2.Value": "c"},
        {"1.Key": "a", "1.Value": "b", "2.Key": "a", "2.Value": "b"},
        {"1" * 5000 + ".Key": "a", "1" * 5000 + ".Value": "b"},
    ],
    ids=lambda suffixes: ",".join(suffixes)[:40],
)
def test_a_broken_list_is_an_invalid_parameter(name: str, suffixes: dict[str, str]) -> None:
    """No member is dropped, and the members are not read as keys."""
    assert_rejected({f"{name}.{suffix}": text for suffix, text in suffixes.items()}, name)


@pytest.mark.parametrize("form", [as_keys, as_list])
@pytest.mark.parametrize("value", ["{}", "null", '{"tenant":"acme"}', {}, {"tenant": "acme"}, 0])
@pytest.mark.parametrize("name", CONTEXTS)
def test_a_context_in_two_forms_is_an_invalid_parameter(
    name: str, value: object, form: Form
) -> None:
    """Equal contexts are rejected too; a mapping or an empty map is also a form."""
    assert_rejected(form(name, {"tenant": "acme"}) | {name: value}, name)


@pytest.mark.parametrize("empty", ["", None])
@pytest.mark.parametrize("form", [as_keys, as_list])
def test_an_empty_json_form_is_ignored(form: Form, empty: str | None) -> None:
    """An empty text is not a context, so that only the flattened form is present."""
    params = form("EncryptionContext", {"tenant": "acme"}) | {"EncryptionContext": empty}
    assert gathered(params) == '{"tenant":"acme"}'


@pytest.mark.parametrize("value", [None, 1, True, b"acme", ["acme"], {"a": "b"}])
def test_a_flattened_value_must_be_a_text(value: object) -> None:
    """`None` is rejected too, because the pair would be dropped."""
    assert_rejected({"EncryptionContext.tenant": value})
    assert_rejected({"EncryptionContext.1.Key": "tenant", "EncryptionContext.1.Value": value})


def test_a_lone_surrogate_is_an_invalid_parameter() -> None:
    """A lone surrogate has no UTF-8 form, in a key or in a value."""
    assert_rejected({"EncryptionContext.\ud83d": "x"})
    assert_rejected({"EncryptionContext.1.Key": "x", "EncryptionContext.1.Value": "\udd11"})


@pytest.mark.parametrize("form", [as_keys, as_list])
@pytest.mark.parametrize("filler", ["v", "租"])
def test_the_limit_is_that_of_the_json_form(form: Form, filler: str) -> None:
    """8,192 characters of compact JSON are accepted, and one more is rejected."""
    room = MAX_JSON_LENGTH - len('{"k":""}')
    text = gathered(form("EncryptionContext", {"k": filler * room}))
    assert len(text) == MAX_JSON_LENGTH
    request = VALID["v1"]["Encrypt"] | {"EncryptionContext": None}
    longest = form("EncryptionContext", {"k": filler * room})
    assert APIS["v1"].call(request | longest).status == 200
    assert_rejected(form("EncryptionContext", {"k": filler * (room + 1)}))
    assert_rejected(form("EncryptionContext", {"k" * (MAX_JSON_LENGTH + 1): ""}))


def pairs_of_one_character(count: int) -> dict[str, str]:
    """Return pairs whose keys are one character each, and whose values are empty."""
    return {chr(0x4E00 + number): "" for number in range(count)}


def test_the_largest_number_of_pairs_is_accepted() -> None:
    """1,170 keys of one character fill the 8,192 characters, in every form."""
    for form in FORMS.values():
        request = VALID["v1"]["Encrypt"] | {"EncryptionContext": None}
        most, more = (pairs_of_one_character(count) for count in (1170, 1171))
        assert APIS["v1"].call(request | form("EncryptionContext", most)).status == 200
        assert_rejected(form("EncryptionContext", more))


def test_parameters_are_counted_before_their_values_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A number over the limit of 8,192 characters is rejected without reading values."""
    read = parameter_names.exact_text
    monkeypatch.setattr(parameter_names, "exact_text", lambda _: pytest.fail("a value was read"))
    params = {f"EncryptionContext.{number}": "x" for number in range(MAX_JSON_LENGTH // 6 * 2 + 1)}
    with pytest.raises(RequestError):
        gathered(params)
    monkeypatch.setattr(parameter_names, "exact_text", read)
    text = gathered(dict([*params.items()][:-1]))
    assert len(json.loads(text)) == 2730
    assert len(text) > MAX_JSON_LENGTH, "it is rejected like the same text in JSON"


SPELLINGS: tuple[Callable[[str], str], ...] = (str.lower, str.upper, str.swapcase)


@pytest.mark.parametrize("name", sorted(KNOWN))
@pytest.mark.parametrize("action", ACTIONS)
def test_a_name_in_another_case_is_an_invalid_parameter(action: str, name: str) -> None:
    """This holds with and without the correct name, also for actions without this parameter."""
    valid = VALID["v1"][action]
    for spelling in SPELLINGS:
        for params in (valid, {key: text for key, text in valid.items() if key != name}):
            for value in ("true", ""):
                response = APIS["v1"].call(params | {spelling(name): value})
                assert code_of(response) == "InvalidParameter"
                assert message_of(response) == f'The specified parameter "{name}" is not valid.'


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("name", CONTEXTS)
@pytest.mark.parametrize("suffix", [".tenant", ".1.Key", ".", "[tenant]", "[1].Key", "[]"])
def test_a_flattened_context_in_another_case_is_an_invalid_parameter(
    action: str, name: str, suffix: str
) -> None:
    """Brackets are rejected with the correct case too, because the context would be dropped."""
    spellings = [*SPELLINGS, *([str] if suffix.startswith("[") else [])]
    for spelling in spellings:
        response = APIS["v1"].call(VALID["v1"][action] | {spelling(name) + suffix: "acme"})
        assert message_of(response) == f'The specified parameter "{name}" is not valid.'


def test_unicode_case_variants_are_invalid_parameters() -> None:
    """The Kelvin sign is a variant of k, and the long s is a variant of s."""
    for name in ("\u212aeyId", "\u017fourceKeyId"):
        response = APIS["v1"].call(VALID["v1"]["Encrypt"] | {name: "orders"})
        assert code_of(response) == "InvalidParameter"


@pytest.mark.parametrize("action", ACTIONS)
def test_unknown_names_are_ignored(profile: str, action: str) -> None:
    """Suffixes of other parameters, common parameters and similar names have no effect."""
    unknown = {
        "DryRun.x": "true",
        "dryrun.x": "true",
        "KeyId.1": "nobody",
        "keyid[0]": "nobody",
        "Plaintext.": "*",
        "Format": "XML",
        "format": "XML",
        "encryption_context": "{}",
        "EncryptionContexts": "{}",
        "EncryptionContexts.tenant": "acme",
        "XEncryptionContext.tenant": "acme",
        ".EncryptionContext": "{}",
        "": "",
        ".": "",
        "[": "",
    }
    assert APIS[profile].call({**VALID[profile][action], **unknown}).status == 200
    others: dict[Any, Any] = {1: "x", None: "x", b"encryptioncontext": "x", ("dryrun",): "true"}
    assert APIS[profile].call({**VALID[profile][action], **others}).status == 200


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("name", CONTEXTS)
def test_a_context_of_another_action_is_an_invalid_parameter(
    profile: str, action: str, name: str
) -> None:
    """This holds for every form and the empty map; an empty text and `None` are allowed."""
    if (action, name) in PLACES:
        return
    given = [form(name, {"tenant": "acme"}) for form in FORMS.values()]
    for params in (*given, {name: "{}"}, {name: {}}, {name: "x"}, {name: 0}):
        response = APIS[profile].call(VALID[profile][action] | params)
        assert code_of(response) == "InvalidParameter"
        assert message_of(response) == f'The specified parameter "{name}" is not valid.'
    for absent in ("", None):
        assert APIS[profile].call(VALID[profile][action] | {name: absent}).status == 200


def test_a_flattened_ambiguous_context_is_named() -> None:
    """The rules of the layout apply as for a context in JSON."""
    for form in FORMS.values():
        params = form("EncryptionContext", {"a": "1", "b": "2"})
        request = VALID["service"]["Encrypt"] | {"EncryptionContext": None}
        response = APIS["service"].call(request | params)
        assert message_of(response) == 'The specified parameter "EncryptionContext" is not valid.'
        assert APIS["v1"].call(request | params).status == 200


def test_spelling_is_checked_in_order() -> None:
    """The order is `DryRun`, `Action`, other names, and then missing parameters."""
    wrong = {"dryrun": "true", "action": "Encrypt", "keyid": "x", "ENCRYPTIONCONTEXT.a": "b"}
    for name in ("DryRun", "Action", "EncryptionContext", "KeyId"):
        response = APIS["v1"].call({"Action": "Encrypt", **wrong})
        assert message_of(response) == f'The specified parameter "{name}" is not valid.'
        wrong.pop(next(iter(key for key in wrong if key.partition(".")[0].lower() == name.lower())))
    assert code_of(APIS["v1"].call({"Action": "Encrypt"})) == "MissingParameter"


def test_a_dry_run_with_misspelt_names_stays_a_dry_run() -> None:
    """Only a misspelt `DryRun` is not a dry run."""
    request = VALID["v1"]["Encrypt"] | {"DryRun": "true"}
    assert code_of(APIS["v1"].call(request | {"keyid": "x"})) == "ValidationError"
    assert code_of(APIS["v1"].call(request | {"action": "x"})) == "ValidationError"
    assert code_of(APIS["v1"].call(request | {"dryRun": "true"})) == "InvalidParameter"


def test_a_str_subclass_counts_as_its_text() -> None:
    """A name with its own hash and comparison is still read."""

    class Liar(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            return False

        def __hash__(self) -> int:
            return 7

    request = VALID["v1"]["Encrypt"] | {"EncryptionContext": None}
    for name in ("encryptioncontext", "EncryptionContext.1.Key", "EncryptionContext"):
        response = APIS["v1"].call(request | {Liar(name): "x"})
        assert message_of(response) == 'The specified parameter "EncryptionContext" is not valid.'
