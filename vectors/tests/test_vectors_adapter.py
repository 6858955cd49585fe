"""The adapter of `kmscore-vectors verify` detects the mistakes that would affect programs.

A program calls `encrypt` and `reencrypt`, which draw the IV. Each mistake here is only in them: the
functions with a given IV are correct.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest

import kmscore
from kmscore import KeyNotFoundError, hazmat
from kmscore.sm2 import backends
from kmscore.sm2.backends import _load
from kmscore_vectors import adapter
from kmscore_vectors.adapter import configurations, responder
from kmscore_vectors.answers import Configuration
from kmscore_vectors.files import installed_folder, load
from kmscore_vectors.judgement import Judgement, run
from kmscore_vectors.vector_test import VectorTest

Call = Callable[..., Any]
_FILES = dict(load(installed_folder()))


def _constant_iv(call: Call) -> Call:
    def wrong(*arguments: Any, **options: Any) -> Any:
        result = call(*arguments, **options)
        if result.ciphertext_blob is None:
            return result
        length = len(kmscore.CiphertextBlob.parse(result.ciphertext_blob).iv)
        return getattr(hazmat, call.__name__)(*arguments, **options, iv=bytes(length))

    return wrong


def _drops_context(call: Call) -> Call:
    def wrong(*arguments: Any, **options: Any) -> Any:
        result = call(*arguments, **options)
        if call is kmscore.encrypt:
            return call(*arguments[:3])
        return call(*arguments, **options | {"destination_context": None}) if result else result

    return wrong


def _takes_all(call: Call) -> Call:
    def wrong(*arguments: Any, **options: Any) -> Any:
        try:
            return call(*arguments, **options)
        except kmscore.KmsCoreError:
            return None

    return wrong


def _rejects_as_not_found(call: Call) -> Call:
    def wrong(*arguments: Any, **options: Any) -> Any:
        try:
            return call(*arguments, **options)
        except kmscore.KmsCoreError:
            raise KeyNotFoundError("no such key") from None

    return wrong


def _other_version(call: Call) -> Call:
    def wrong(*arguments: Any, **options: Any) -> Any:
        result = call(*arguments, **options)
        name = "key_version_id" if call is kmscore.encrypt else "destination_key_version_id"
        return result._replace(**{name: "another"})

    return wrong


def _other_plaintext(call: Call) -> Call:
    def wrong(*arguments: Any, **options: Any) -> Any:
        keys, key_id = arguments[0], arguments[1 if call is kmscore.encrypt else 2]
        result = call(*arguments, **options)
        context = arguments[3] if call is kmscore.encrypt else options["destination_context"]
        if result.ciphertext_blob is None:
            return result
        length = len(kmscore.decrypt(keys, result.ciphertext_blob, context).plaintext)
        other = kmscore.encrypt(keys, key_id, os.urandom(length), context)
        return result._replace(ciphertext_blob=other.ciphertext_blob)

    return wrong


def _no_blob(call: Call) -> Call:
    def wrong(*arguments: Any, **options: Any) -> Any:
        return call(*arguments, **options)._replace(ciphertext_blob=None)

    return wrong


def _longer(call: Call) -> Call:
    def wrong(*arguments: Any, **options: Any) -> Any:
        result = call(*arguments, **options)
        if result.ciphertext_blob is None:
            return result
        blob = kmscore.CiphertextBlob.parse(result.ciphertext_blob)
        raw = result.ciphertext_blob
        longer = (
            raw[: len(blob.header) + len(blob.iv)] + b"\0" + raw[len(blob.header) + len(blob.iv) :]
        )
        return result._replace(ciphertext_blob=longer)

    return wrong


def _tests(file: str, operation: str) -> list[VectorTest]:
    tests = [test for test in _FILES[file] if test.operation == operation]
    return [test for test in tests if "accumulated" not in test.flag.lower()]


@pytest.fixture(scope="module")
def first() -> Configuration:
    """Return the first way to run the library, which has all files."""
    return next(configurations())


def _failures(configuration: Configuration, tests: list[VectorTest]) -> list[Judgement]:
    outcomes = run("", configuration.ask, tests, lambda _: None)
    return [outcome for outcome in outcomes if outcome.verdict.is_failure]


@pytest.mark.parametrize(("file", "name"), [("aead", "encrypt"), ("reencrypt", "reencrypt")])
@pytest.mark.parametrize(
    ("mistake", "reason"),
    [
        (_constant_iv, "an IV that is not fresh"),
        (_drops_context, "decryption in place of a result that opens"),
        (_takes_all, "accepted in place of"),
        (_rejects_as_not_found, "key_not_found in place of"),
        (_other_version, "another result"),
        (_other_plaintext, "another plaintext"),
        (_no_blob, "invalid_blob in place of a result that opens"),
        (_longer, "another header or length"),
    ],
)
def test_mistakes_of_what_programs_call_are_seen(
    first: Configuration,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    name: str,
    mistake: Callable[[Call], Call],
    reason: str,
) -> None:
    """Without the mistake all tests pass; with it the report has the reason."""
    tests = _tests(file, name)
    if reason.endswith("in place of"):
        tests = [test for test in tests if not test.is_valid][:20]
    else:
        # The context must not be empty, so that a dropped context is detected.
        names = {"pairs", "destination_pairs"}
        tests = [t for t in tests if t.is_valid and any(t.inputs.get(n) for n in names)][:20]
    assert tests
    assert not _failures(first, tests)
    monkeypatch.setattr(responder, name, mistake(getattr(kmscore, name)))
    failures = _failures(first, tests)
    assert failures
    assert any(reason in outcome.answer.get("failure", "") for outcome in failures)


def test_a_portable_backend_that_is_rejected_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The backend needs only Python, so the library is faulty if the backend is missing."""
    monkeypatch.setattr(adapter, "available_backends", lambda: ("openssl",))
    monkeypatch.setattr(backends, "_load", _without_portable)
    names = [configuration.name for configuration in configurations()]
    assert "Keyring, SM2 by portable" in names
    portable = next(each for each in configurations() if each.name.endswith("portable"))
    tests = [test for test in _tests("sm2pke", "asymmetric_decrypt") if test.is_valid]
    assert len(_failures(portable, tests)) == len(tests) > 0
    reasons = adapter.library().unusable_backends
    assert reasons["portable"].endswith("it failed its self-test")


def _without_portable(name: str) -> Any:
    return "it failed its self-test" if name == "portable" else _load(name)
