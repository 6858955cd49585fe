"""The encryption context read from the service's JSON form."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.samples import examples
from support.strategies import CONTEXTS, mutations, raises_exactly

from kmscore import EncryptionContext, InvalidContextError

JSON_LETTERS = st.text(st.sampled_from('{}[]":,\\ua0dtrue1e9.-\n \ufeff\ud800'), max_size=40)


@given(CONTEXTS, st.booleans(), st.sampled_from([None, 1]))
def test_a_context_is_read_back(
    pairs: dict[str, str], ascii_only: bool, indent: int | None
) -> None:
    """The JSON object gives the same context for every way to encode it."""
    text = json.dumps(pairs, ensure_ascii=ascii_only, indent=indent)
    assert EncryptionContext.from_json(text) == EncryptionContext(pairs)


def test_8192_characters_are_the_limit() -> None:
    """The limit counts characters, not bytes, and includes white space."""
    text = json.dumps({"k": "é" * (8_192 - 9)}, ensure_ascii=False)
    assert len(text) == 8_192
    assert len(EncryptionContext.from_json(text)["k"]) == 8_183
    with raises_exactly(InvalidContextError, "8193 characters, at most 8192"):
        EncryptionContext.from_json(text + " ")


def test_text_that_is_too_long_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The length is checked before the text is parsed."""
    monkeypatch.setattr(json, "loads", lambda *_, **__: pytest.fail("it was parsed"))
    with raises_exactly(InvalidContextError, "at most 8192"):
        EncryptionContext.from_json("{" * 8_193)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "null",
        "true",
        '"text"',
        "5",
        "[]",
        '[["a","b"]]',
        '{"a":}',
        '{"a":"b",}',
        "{'a':'b'}",
        '{a:"b"}',
        '{"a":"b"} {}',
        '{"a":"b"}x',
        '{"a":"b"}\x00',
        '\ufeff{"a":"b"}',
        '{"a":"\n"}',
        '{"a":"\\x"}',
        '{"a":"\\u00g0"}',
        '{"a"',
        "[" * 8_192,
        '{"a":' * 1_600,
        '{"a":' * 1_365 + "0" + "}" * 1_365,
        '{"a":' + "[" * 4_093 + "]" * 4_093 + "}",
        "[" * 4_096 + "]" * 4_096,
    ],
    ids=range(26),
)
def test_json_other_than_one_object_of_strings_is_rejected(text: str) -> None:
    """Other JSON, also of the greatest possible depth, raises `InvalidContextError`."""
    with raises_exactly(InvalidContextError):
        EncryptionContext.from_json(text)


@pytest.mark.parametrize(
    "value",
    [
        *("1", "-1", "1.5", "1e999", "-0", "9" * 5_000, "9" * 5_000 + ".5"),
        *("true", "false", "null", "NaN", "Infinity", "-Infinity"),
        *("{}", '{"b":"c"}', "[]", '["b"]'),
    ],
    ids=lambda value: value[:10],
)
def test_only_strings_are_values(value: str) -> None:
    """Other values are not converted to text, and numbers are not computed."""
    with raises_exactly(InvalidContextError):
        EncryptionContext.from_json(f'{{"a":{value}}}')


@pytest.mark.parametrize("text", ['{"a":1}', '{"a":1.5}', '{"a":NaN}', '{"a":[-1]}', "1"])
def test_a_number_is_rejected_where_it_is_read(text: str) -> None:
    """The message has the reason, even if the number is inside another value."""
    with raises_exactly(InvalidContextError, "encryption context values must be strings"):
        EncryptionContext.from_json(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":"b","a":"b"}',
        '{"a":"b","c":"d","a":"e"}',
        '{"a":"b","\\u0061":"c"}',
        '{"":"","":""}',
        '{"x":{"a":"b","a":"c"}}',
        '[{"a":"b","a":"c"}]',
    ],
)
def test_a_repeated_key_is_rejected(text: str) -> None:
    """A repeated key is rejected on every level; neither of its values is used."""
    with raises_exactly(InvalidContextError, "repeated key"):
        EncryptionContext.from_json(text)


@pytest.mark.parametrize("escape", [r"\ud800", r"\udfff", r"\ude00\ud83d", r"\ud83d\u0041"])
def test_a_lone_surrogate_escape_is_rejected(escape: str) -> None:
    """JSON can contain a lone surrogate, but UTF-8 cannot."""
    for text in (f'{{"{escape}":"v"}}', f'{{"k":"{escape}"}}'):
        with raises_exactly(InvalidContextError, "lone surrogate"):
            EncryptionContext.from_json(text)


def test_a_pair_of_surrogate_escapes_is_one_character() -> None:
    """JSON writes characters beyond the Basic Multilingual Plane as two escapes."""
    assert EncryptionContext.from_json(r'{"k":"\ud83d\ude00"}') == {"k": "\U0001f600"}


@pytest.mark.parametrize("wrong", [None, b"{}", bytearray(b"{}"), {}, {"a": "b"}, 1])
def test_an_argument_that_is_not_text_is_a_type_error(wrong: Any) -> None:
    """Bytes and mappings raise `TypeError`."""
    with raises_exactly(TypeError, "encryption context must be str"):
        EncryptionContext.from_json(wrong)


@pytest.mark.parametrize("text", ["{", '{"a":1}', '{"a":"b","a":"c"}', "[" * 8_192])
def test_an_error_has_no_error_of_the_parser_as_context(text: str) -> None:
    """The context of the error does not have the exception of the JSON parser."""
    with pytest.raises(InvalidContextError) as caught:
        EncryptionContext.from_json(text)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@examples(500)
@given(
    st.text()
    | JSON_LETTERS
    | CONTEXTS.map(json.dumps).map(str.encode).flatmap(mutations).map(lambda b: b.decode("latin-1"))
)
def test_any_text_is_a_context_or_is_rejected(text: str) -> None:
    """Any text gives the context that JSON defines, or raises `InvalidContextError`."""
    try:
        context = EncryptionContext.from_json(text)
    except InvalidContextError:
        return
    assert context == json.loads(text)
