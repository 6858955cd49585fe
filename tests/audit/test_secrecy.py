"""A trace shows no secret by default, and key material never."""

import base64
import copy
import json
import pickle
import re
from typing import Any

import pytest
from support.audit_cases import (
    PLAINTEXT,
    PROFILES,
    Case,
    blob_of,
    keyring,
    rsa_key,
    successes,
)
from support.samples import sampled

import kmscore
from kmscore import audit
from kmscore.audit import Secrecy, Trace, render

_FORMS = (render.text, render.json, render.html)
_LEVELS = (
    frozenset[Secrecy](),
    frozenset({Secrecy.PLAINTEXT}),
    frozenset({Secrecy.PLAINTEXT, Secrecy.MESSAGE}),
)
_LEAST = 6  # bytes; shorter secrets occur in a page by chance
_SUCCESSES = list(successes())


def _secrets(trace: Trace, shown: frozenset[Secrecy]) -> dict[str, bytes]:
    """Return the values that must not be shown, unless a shown value contains their bytes."""
    allowed = {Secrecy.PUBLIC, *shown}
    public = [value.data for value in trace.values.values() if value.secrecy in allowed]
    return {
        value.id: value.data
        for value in trace.values.values()
        if value.secrecy not in allowed
        and len(value.data) >= _LEAST
        and not any(value.data in data for data in public)
    }


def _spellings(secret: bytes) -> list[str]:
    """Return a secret in raw, hexadecimal and Base64 form, at each offset of Base64."""
    encoded = [base64.b64encode(secret[skip:]).decode() for skip in range(3)]
    return [
        secret.decode("latin-1"),
        secret.hex(),
        secret.hex().upper(),
        *(text[: len(text) // 4 * 4 - 4] for text in encoded if len(text) > 8),
    ]


def _flat(text: str) -> str:
    """Return a text without white space, and a page without its tags."""
    if text.startswith("<!doctype"):
        text = re.sub(r"<[^>]*>", "", text)
    return re.sub(r"[^\x21-\x7e]", "", text)


@pytest.mark.parametrize("case", sampled(_SUCCESSES, 3), ids=lambda case: case.name)
def test_no_form_shows_a_secret_that_was_not_asked_for(case: Case) -> None:
    """No secret is in text, JSON or page, in raw, hexadecimal or Base64 form."""
    trace = case.run(audit)
    assert trace.outcome == "ok"
    for shown in _LEVELS:
        secrets = _secrets(trace, shown)
        for form in _FORMS:
            text = form(trace, reveal=shown)
            flat = text + _flat(text)
            found = {
                name
                for name, secret in secrets.items()
                if any(spelling in flat for spelling in _spellings(secret))
            }
            assert found == set()


def test_key_material_is_among_the_secrets() -> None:
    """The test above searches for key material of each kind, and for the plaintext."""
    names: set[str] = set()
    for case in _SUCCESSES:
        trace = case.run(audit)
        names |= {
            value.id.rpartition(".")[2]
            for value in trace.values.values()
            if value.secrecy is Secrecy.KEY and value.id in _secrets(trace, _LEVELS[2])
        }
    assert names >= {"K", "L", "K1", "d", "H", "E_J0", "S", "M1_xor_K1"}


def test_reveal_shows_what_it_names() -> None:
    """The plaintext is shown with PLAINTEXT, the derived key with MESSAGE, the key never."""
    trace = audit.trace_decrypt(keyring(), blob_of("xaes", PLAINTEXT, {}))
    values = {value.id: value.data.hex() for value in trace.values.values()}
    for form in _FORMS:
        shown = [_flat(form(trace, reveal=level)) for level in _LEVELS]
        assert [values["P"][:32] in text for text in shown] == [False, True, True]
        assert [values["derived_key_1"] in text for text in shown] == [False, False, True]
        assert not any(values["K"][:32] in text for text in shown)


@pytest.mark.parametrize("form", _FORMS)
def test_key_material_cannot_be_revealed(form: Any) -> None:
    """`Secrecy.KEY` is rejected, and so is any other type."""
    trace = audit.trace_decrypt(keyring(), b"")
    with pytest.raises(ValueError, match="key material is never shown"):
        form(trace, reveal={Secrecy.KEY})
    with pytest.raises(TypeError, match="each level of reveal must be Secrecy, not str"):
        form(trace, reveal=["plaintext"])
    with pytest.raises(TypeError, match="reveal must be a collection of Secrecy, not one text"):
        form(trace, reveal=Secrecy.PLAINTEXT)
    with pytest.raises(TypeError, match="reveal must be Collection, not int"):
        form(trace, reveal=1)
    with pytest.raises(TypeError, match="trace must be Trace, not bytes"):
        form(b"")


@pytest.mark.parametrize("suite", ["gcm", "sm4", "gcm-128"])
def test_under_plain_gcm_the_values_that_give_the_hash_key_away_are_key_material(
    suite: str,
) -> None:
    """S and E(J0) of one message are an equation for H, which forges all messages of the key."""
    trace = audit.trace_decrypt(keyring(), blob_of(suite, b"", {}))
    levels = {value.id: value.secrecy for value in trace.values.values()}
    keyed = [name for name in levels if re.fullmatch(r"H|S|E_J0|Y\d+", name)]
    assert len(keyed) > 3
    assert {levels[name] for name in keyed} == {Secrecy.KEY}


def test_every_value_computed_from_a_secret_is_secret() -> None:
    """Only these public values follow from secret ones, and each is known to all."""
    known = {"tag", "C", "blob", "c", "u"}
    for case in _SUCCESSES:
        trace = case.run(audit)
        public = {value.id for value in trace.values.values() if value.secrecy is Secrecy.PUBLIC}
        for value in trace.values.values():
            if value.formula and value.id in public and not public.issuperset(value.formula.inputs):
                assert value.id.rpartition(".")[2] in known


def _document(trace: Trace) -> Any:
    """Return the default JSON form without public bytes, and without the texts of commands."""

    def strip(node: Any) -> Any:
        if isinstance(node, dict):
            hidden = {"data", "command"}
            return {name: name if name in hidden else strip(each) for name, each in node.items()}
        return [strip(each) for each in node] if isinstance(node, list) else node

    return strip(json.loads(render.json(trace)))


def test_the_length_of_an_oaep_plaintext_is_not_shown() -> None:
    """Traces of plaintexts of 0, 1 and 190 bytes have one structure."""
    algorithm = "RSAES_OAEP_SHA_256"
    documents = [
        _document(
            audit.trace_asymmetric_decrypt(
                *(keyring(), "rsa", "1", algorithm),
                kmscore.asymmetric_encrypt(rsa_key().public_key, algorithm, bytes(length)),
            )
        )
        for length in (0, 1, 190)
    ]
    assert documents[0] == documents[1] == documents[2]


def test_the_padding_of_a_base64_text_is_not_shown() -> None:
    """Traces of 4, 5 and 6 bytes, whose Base64 texts have 8 characters, have one structure."""
    profile = PROFILES[1]
    for function, make in (
        (audit.trace_decrypt, lambda data: (blob_of("gcm", data, {}, profile),)),
        (audit.trace_encrypt, lambda data: ("gcm", data)),
    ):
        documents = [
            _document(function(keyring(), *make(bytes(length)), profile=profile))  # type: ignore[arg-type]
            for length in (4, 5, 6)
        ]
        assert documents[0] == documents[1] == documents[2]


def test_records_hide_secrets_and_are_not_copied() -> None:
    """`repr` shows no secret, and no record can be pickled or copied."""
    trace = audit.trace_decrypt(keyring(), blob_of("xaes", PLAINTEXT, {}))
    records = [trace, *trace.steps, *trace.values.values()]
    for record in records:
        text = repr(record)
        assert not any(secret.hex() in text for secret in _secrets(trace, _LEVELS[0]).values())
        for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="is not pickled or copied"):
                attempt(record)
    assert repr(trace.steps[0]) == "<Step read: True>"
    assert repr(trace) == f"<Trace decrypt: ok, {len(trace.steps)} steps>"
    assert repr(next(iter(trace.values.values()))).startswith("<Value blob: 4b4d53")
    assert "<Value K: <key>>" in map(repr, trace.values.values())


def test_a_plaintext_is_not_in_the_message_of_an_error() -> None:
    """A wrong type raises `TypeError` without the argument."""
    with pytest.raises(TypeError, match=r"^keys must be Keyring, not NoneType$"):
        audit.trace_encrypt(None, "a", PLAINTEXT)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^plaintext must be bytes-like, not str$"):
        audit.trace_encrypt(keyring(), "a", "secret")  # type: ignore[arg-type]
