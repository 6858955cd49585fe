"""The forms of a trace: text, JSON document and page."""

import base64
import hashlib
import json
import re
import subprocess
from functools import partial
from html.parser import HTMLParser
from typing import Any

import pytest
from support.audit_cases import (
    CONTEXT,
    PLAINTEXT,
    Case,
    asymmetric_ciphertexts,
    blob_of,
    failures,
    keyring,
    successes,
)
from support.samples import sampled

from kmscore import Keyring, KeySpec, Sm2Key, SymmetricKey, asymmetric_encrypt, audit, encrypt, sm2
from kmscore.audit import Secrecy, Trace, render
from kmscore.audit.commands import _COMMANDS, command, variable
from kmscore.audit.notation import _NOTATIONS
from kmscore.audit.primitives import PRIMITIVES
from kmscore.audit.replaying import _FUNCTIONS

_ALL = frozenset({Secrecy.PLAINTEXT, Secrecy.MESSAGE})
_HOSTILE = {
    "</script><img src=x onerror=alert(1)>": "\u202eevil\n\x1b[31m' ; rm -rf ~",
    "\u2066&amp;": "\x00\x07\u200b",
}
_CASES = [*successes(), *failures()]


def test_a_function_of_formulas_is_in_every_table() -> None:
    """Computation, replay, notation and command know the same functions."""
    assert set(PRIMITIVES) == set(_FUNCTIONS) == set(_NOTATIONS) == set(_COMMANDS)


def test_every_function_of_formulas_is_used() -> None:
    """The cases of these tests use all functions."""
    used = {
        value.formula.function
        for case in _CASES
        for value in case.run(audit).values.values()
        if value.formula
    }
    assert used == set(PRIMITIVES)


def _hostile_trace() -> Trace:
    """Return a trace with hostile texts in the IDs and the context."""
    key_id = "<b>&\"'`$(id)"
    keys = Keyring([SymmetricKey(key_id, "</title>", KeySpec.AES_256, bytes(range(32)))])
    blob = encrypt(keys, key_id, b"<i>", _HOSTILE).ciphertext_blob
    return audit.trace_decrypt(keys, blob, _HOSTILE)


class _Page(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the tag that was opened last."""
        assert self.open.pop() == tag


@pytest.mark.parametrize("case", sampled(_CASES, 3), ids=lambda case: case.name)
def test_every_form_of_every_case_is_well_formed(case: Case) -> None:
    """Text has short lines, JSON is one ASCII object, and tags of the page are balanced."""
    trace = case.run(audit)
    text = render.text(trace)
    assert max(map(len, text.splitlines())) <= 80
    assert all(character.isprintable() or character == "\n" for character in text)
    document = render.json(trace)
    assert document.isascii()
    assert json.loads(document)["trusted"] is True
    page = _Page(render.html(trace))
    assert page.open == []


def test_hostile_texts_are_escaped_in_every_form() -> None:
    """Tags, terminal sequences and marks of direction are text, and no command contains them."""
    trace = _hostile_trace()
    assert trace.outcome == "ok"
    html, text, document = (form(trace) for form in (render.html, render.text, render.json))
    page = _Page(html)
    assert set(page.tags) <= {
        *("html", "head", "meta", "title", "style", "body", "header", "main", "aside", "footer"),
        *("script", "section", "div", "h1", "h2", "h3", "b", "i", "s", "p", "span", "small", "ul"),
        *("li", "table", "tr", "td", "code", "details", "summary", "pre"),
    }
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    for shown in (html, text):
        assert not set("\u202e\x1b\u2066\x00\x07\u200b") & set(shown)
        assert "\\u202e" in shown
    commands = [
        value.get("command", "")
        for step in json.loads(document)["steps"]
        for value in step["values"]
    ]
    assert any(commands)
    assert not any(
        part in each for each in commands for part in ("rm -rf", "$(id)", "</", "onerror")
    )


def test_a_page_loads_nothing() -> None:
    """The policy allows one script and one style by their digests; there is no address."""
    html = render.html(_hostile_trace())
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    digests = {}
    for tag in ("script", "style"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        digests[tag] = f"{tag}-src 'sha256-{digest}'"
    assert policy == "; ".join(
        ("default-src 'none'", *digests.values(), "base-uri 'none'", "form-action 'none'")
    )
    assert not re.search(r"https?:|//[a-z]|@import|url\(", html)
    names = {name for name, _ in _Page(html).attributes}
    assert names.isdisjoint({"src", "href", "style", "srcset", "action", "background"})


def test_the_byte_under_the_pointer_has_its_place_in_every_step() -> None:
    """A byte of the ciphertext is marked in blob, ciphertext, padded blocks and plaintext."""
    blob = blob_of("xaes")
    html = render.html(audit.trace_decrypt(keyring(), blob, CONTEXT), reveal=_ALL)
    sections = re.findall(r'<section class="card" id="([^"]*)">(.*?)</section>', html, re.DOTALL)
    offset = len(blob) - 16 - len(PLAINTEXT)
    places = {name: re.findall(rf'data-b="0\.{offset}">(..)<', text) for name, text in sections}
    byte, letter = f"{blob[offset]:02x}", f"{PLAINTEXT[0]:02x}"
    assert places["read"] == [byte, byte]
    assert places["ghash"][0] == byte
    assert letter in places["counter"]
    key = re.findall(r'data-b="1\.4">(..)<', html)
    assert len(key) >= 4
    assert set(key) == {f"{ord('t'):02x}"}


def test_a_legend_has_one_colour_for_each_field() -> None:
    """The fields of blob and context have different colours, and their bytes have them too."""
    html = render.html(audit.trace_decrypt(keyring(), blob_of("xaes"), CONTEXT))
    fields = re.findall(r'<b class="(\w+)" data-f="([\d.]+)"', html)
    coloured = {field: colour for colour, field in fields if colour != "n"}
    assert len(set(coloured.values())) == len(coloured) == 9
    for colour, field in re.findall(r'<i class="(\w+)" data-f="([\d.]+)"', html):
        assert coloured.get(field, "n") == colour


def test_a_disagreement_is_reported_in_every_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a wrong step, every form says to trust neither the trace nor the library."""
    wrong = dict(PRIMITIVES) | {"double": lambda block: block}
    monkeypatch.setattr("kmscore.audit.notes.PRIMITIVES", wrong)
    trace = audit.trace_decrypt(keyring(), blob_of("xaes"), CONTEXT)
    assert not trace.agrees
    for form in (render.text, render.html):
        assert "trust neither" in form(trace)
    assert json.loads(render.json(trace))["trusted"] is False
    # The library succeeds, and the trace does not: it must be as mute as after any failure.
    assert {value.secrecy for value in trace.values.values()} == {Secrecy.PUBLIC}


def test_a_value_that_differs_from_its_formula_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong value that is used nowhere else is found by replay alone."""
    wrong = dict(PRIMITIVES) | {
        "curve_left": lambda _: bytes(32),
        "curve_right": lambda _: bytes(32),
    }
    monkeypatch.setattr("kmscore.audit.notes.PRIMITIVES", wrong)
    ciphertext = asymmetric_ciphertexts()["SM2PKE"][1]
    trace = audit.trace_asymmetric_decrypt(keyring(), "sm2", "1", "SM2PKE", ciphertext)
    assert trace.agrees
    assert audit.replay(trace).wrong == ("left", "right")
    assert "trust neither" in render.text(trace)


def test_replay_rejects_other_types() -> None:
    """Only a trace can be replayed."""
    with pytest.raises(TypeError, match="trace must be Trace, not NoneType"):
        audit.replay(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("length", "pairs"), [(6144, 0), (0, 1_300)], ids=["6,144 bytes", "1,300 pairs"]
)
def test_a_large_operation_has_a_page_of_bounded_size(length: int, pairs: int) -> None:
    """The page and the text leave out the middle; the JSON form has all values."""
    context = {f"k{number}": "v" * 40 for number in range(pairs)}
    trace = audit.trace_decrypt(keyring(), blob_of("xaes", bytes(length), context), context)
    assert trace.outcome == "ok"
    assert len(render.html(trace, reveal=_ALL)) < 400_000
    assert len(render.text(trace, reveal=_ALL)) < 60_000
    assert "more values" in render.text(trace)
    document = json.loads(render.json(trace, reveal=_ALL))
    shown = [value for step in document["steps"] for value in step["values"]]
    assert len(shown) == len(trace.values) > 500
    assert all("data" in value for value in shown if value["secrecy"] != "key")


def _traces_with_commands() -> list[Trace]:
    """Return traces that use every function of formulas."""
    wanted, traces = set(PRIMITIVES), []
    for case in successes():
        trace = case.run(audit)
        used = {value.formula.function for value in trace.values.values() if value.formula}
        if used & wanted:
            wanted -= used
            traces.append(trace)
    assert not wanted
    return traces


@pytest.mark.thorough
def test_the_printed_commands_compute_the_values() -> None:
    """Each command, run by a shell with the secret values as variables, prints its value."""
    for trace in _traces_with_commands():
        values = trace.values
        lines = {value.id: command(value, values) for value in values.values()}
        script = "\n".join(f"{line}\necho end" for line in lines.values() if line)
        variables = {variable(name): value.data.hex() for name, value in values.items()}
        done = subprocess.run(
            ["bash", "-c", script],
            env={"PATH": "/usr/local/bin:/usr/bin:/bin"} | variables,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        printed = [each.strip() for each in done.stdout.split("end\n")]
        named = [name for name, line in lines.items() if line]
        assert dict(zip(named, printed, strict=False)) == {
            name: values[name].data.hex() for name in named
        }


def test_every_computed_value_of_a_blob_has_a_command() -> None:
    """Only values without bytes, and concatenations of more than 64 values, have none."""
    for case in successes():
        values = case.run(audit).values
        for value in values.values():
            has_command = command(value, values) is not None
            is_shown = bool(value.data) or not value.has_public_length
            assert has_command == (value.formula is not None and is_shown)
    values = audit.trace_decrypt(keyring(), blob_of("xaes", bytes(6144)), CONTEXT).values
    assert command(values["key_stream"], values) is None


def test_a_command_contains_no_secret() -> None:
    """Secret values are variables, also on a page that shows them."""
    for case in successes():
        trace = case.run(audit)
        values = trace.values
        secrets = [
            value.data.hex()
            for value in values.values()
            if value.secrecy is not Secrecy.PUBLIC and len(value.data) >= 6
        ]
        public = "".join(v.data.hex() for v in values.values() if v.secrecy is Secrecy.PUBLIC)
        for value in values.values():
            line: Any = command(value, values) or ""
            assert not [each for each in secrets if each in line and each not in public]
            assert re.fullmatch(r"[\x20-\x7e\n]*", line)


def test_findings_are_escaped_in_every_form() -> None:
    """Hostile contexts in a finding are text, in lines of at most 80 characters."""
    key_id = "<b>&\"'`$(id)"
    keys = Keyring([SymmetricKey(key_id, "</title>", KeySpec.AES_256, bytes(range(32)))])
    blob = encrypt(keys, key_id, b"<i>", _HOSTILE).ciphertext_blob
    for given in ({}, dict.fromkeys(_HOSTILE, "other")):
        explanation = audit.explain(keys, blob, given, other_contexts=[_HOSTILE])
        assert explanation.opens
        text = render.findings_text(explanation)
        assert max(map(len, text.splitlines())) <= 80
        html = render.html(audit.trace_decrypt(keys, blob, given), explanation=explanation)
        for shown in (text, html):
            assert not set("\u202e\x1b\u2066\x00\x07\u200b") & set(shown)
        assert "img" not in _Page(html).tags
        document = json.loads(render.findings_json(explanation))
        assert document["findings"][0]["verdict"] == "opens"


@pytest.mark.parametrize("form", [render.findings_text, render.findings_json])
def test_only_an_explanation_has_findings(form: Any) -> None:
    """Any other type is rejected, also for the page."""
    trace = audit.trace_decrypt(keyring(), b"")
    with pytest.raises(TypeError, match="explanation must be Explanation, not Trace"):
        form(trace)
    with pytest.raises(TypeError, match="explanation must be Explanation, not str"):
        render.html(trace, explanation="x")  # type: ignore[arg-type]


def test_a_map_has_the_offset_of_each_row() -> None:
    """The offsets are those of rows of 16 bytes, in hexadecimal digits."""
    html = render.html(_hostile_trace())
    shown = re.findall(r'<span class="at">([0-9a-f]{4})</span>', html)
    assert shown[:2] == ["0000", "0010"]
    assert all(int(offset, 16) % 16 == 0 for offset in shown)


@pytest.mark.parametrize(("length", "more"), [(512, []), (513, ["1"]), (1536, ["1,024"])])
def test_a_map_of_more_than_512_bytes_is_cut(length: int, more: list[str]) -> None:
    """The page has the number of the bytes that are not shown."""
    blob = blob_of("gcm", bytes(length - len(blob_of("gcm", b""))))
    assert len(blob) == length
    html = render.html(audit.trace_decrypt(keyring(), blob, CONTEXT))
    assert re.findall(r'<div class="more">… ([0-9,]+) more bytes?</div>', html) == more


def test_a_number_of_one_has_a_noun_in_the_singular() -> None:
    """In the text and in the page: bytes, fields, values and comparisons."""
    branch = Sm2Key.generate(key_id="branch", key_version_id="1")
    keys = Keyring([branch, *keyring()])
    der = asymmetric_encrypt(branch.public_key, "SM2PKE", b"x")
    sm2_of = partial(audit.trace_asymmetric_decrypt, keys, "branch", "1", "SM2PKE")
    traces = [
        audit.trace_decrypt(keys, b""),
        *(
            audit.trace_decrypt(keys, blob_of("gcm", bytes(number)), CONTEXT)
            for number in (1, 65, 513 - len(blob_of("gcm", b"")))
        ),
        *(sm2_of(sm2.convert(der, "C1C3C2", form)) for form in ("ASN1_DER", "C1C3C2_BARE")),
        *(
            audit.trace_encrypt(keys, "gcm", b"x", {f"k{name}": "" for name in range(number)})
            for number in range(50)
        ),
    ]
    texts = [form(trace, reveal=_ALL) for trace in traces for form in (render.text, render.html)]
    numbers = re.compile(
        r"(?<![\w,.])1 (?:more )?(?:bytes?|fields?|values?|comparisons)(?: follow\w*)?"
    )
    assert {found for text in texts for found in numbers.findall(text)} == {
        *("1 byte", "1 byte follows", "1 more byte", "1 more field", "1 more value")
    }
    assert "equal to it in the one comparison; values" in " ".join(texts[0].split())
