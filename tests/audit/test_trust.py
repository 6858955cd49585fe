"""The kit reports a library that is wrong, and never shows more than the library allows."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from support.audit_cases import (
    CONTEXT,
    PLAINTEXT,
    PROFILES,
    VERSION,
    asymmetric_ciphertexts,
    blob_of,
    keyring,
    successes,
)

import kmscore
from kmscore import CiphertextBlob, EncryptResult, audit
from kmscore.alibaba import Profile, ServiceBlob
from kmscore.audit import Secrecy, render
from kmscore.errors import InvalidBlobError, InvalidContextError, KeyVersionNotFoundError
from kmscore.sm2.encodings import Sm2Encoding
from kmscore.sm2.encodings import parse as parse_sm2


def _reject(error: type[kmscore.KmsCoreError]) -> Any:
    def reject(*_: Any, **__: Any) -> Any:
        raise error

    return reject


def test_every_success_and_its_replay_agree() -> None:
    """Every operation that succeeds has ties, formulas and checks, and all of them agree."""
    for case in successes():
        trace = case.run(audit)
        assert trace.outcome == "ok"
        assert trace.failed is None
        assert len(trace.ties) >= 3
        assert trace.agrees
        replayed = audit.replay(trace)
        assert replayed.recomputed > 10
        assert replayed.wrong == ()
        assert all(step.section and step.title for step in trace.steps)
        assert len({step.id for step in trace.steps}) == len(trace.steps)


@pytest.mark.parametrize(
    ("target", "wrong", "profile"),
    [
        ("kmscore.audit.blobs.CiphertextBlob.parse", InvalidBlobError, 0),
        ("kmscore.audit.blobs.ServiceBlob.parse", InvalidBlobError, 2),
        ("kmscore.audit.contexts.EncryptionContext", InvalidContextError, 0),
        ("kmscore.audit.contexts.associated_data", InvalidContextError, 2),
    ],
)
def test_a_library_that_rejects_a_valid_part_is_reported(
    monkeypatch: pytest.MonkeyPatch, target: str, wrong: type[kmscore.KmsCoreError], profile: int
) -> None:
    """An error of the library in a comparison is a disagreement, not an exception."""
    blob = blob_of("gcm", PLAINTEXT, {"a": "b"}, PROFILES[profile])
    monkeypatch.setattr(target, _reject(wrong))
    trace = audit.trace_decrypt(keyring(), blob, {"a": "b"}, profile=PROFILES[profile])
    assert not trace.agrees


def _results(key_id: str, blob: bytes) -> Iterator[EncryptResult]:
    """Yield wrong results of an encryption."""
    yield EncryptResult("xaes", "1", blob[:-1])
    yield EncryptResult("xaes", "1", blob[:5])
    yield EncryptResult("xaes", "1", b"")
    yield EncryptResult("xaes", "1", blob[:-1] + bytes([blob[-1] ^ 1]))
    yield EncryptResult(key_id, "1", blob)
    yield EncryptResult("xaes", "2", blob)


def test_a_wrong_result_of_encryption_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short blob, another tag and wrong IDs are disagreements."""
    for result in _results("gcm", blob_of("xaes")):
        monkeypatch.setattr("kmscore.alibaba.encrypt", lambda *_, __=result, **___: __)
        assert not audit.trace_encrypt(keyring(), "xaes", PLAINTEXT, CONTEXT).agrees


def test_a_wrong_result_of_decryption_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another plaintext and wrong IDs are disagreements."""
    blob = blob_of("xaes")
    for wrong in (("xaes", "1", b"x"), ("gcm", "1", PLAINTEXT), ("xaes", "2", PLAINTEXT)):
        result = kmscore.DecryptResult(*wrong)
        monkeypatch.setattr("kmscore.alibaba.decrypt", lambda *_, __=result, **___: __)
        assert not audit.trace_decrypt(keyring(), blob, CONTEXT).agrees


def test_a_library_that_accepts_a_forgery_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the library opens a blob with a wrong tag, the trace says so and shows nothing of it."""
    blob = blob_of("xaes")
    result = kmscore.DecryptResult("xaes", "1", PLAINTEXT)
    monkeypatch.setattr("kmscore.alibaba.decrypt", lambda *_, **__: result)
    trace = audit.trace_decrypt(keyring(), blob[:-1] + bytes([blob[-1] ^ 1]), CONTEXT)
    assert not trace.agrees
    assert {value.secrecy for value in trace.values.values()} == {Secrecy.PUBLIC}


def test_a_lax_parser_of_sm2_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The structure of a ciphertext is checked apart from the library."""
    der = asymmetric_ciphertexts()["SM2PKE in DER"][1]

    def lax(data: bytes, encoding: Sm2Encoding) -> Any:
        return parse_sm2(data[: len(der)], encoding)

    monkeypatch.setattr("kmscore.sm2.scheme.parse", lax)
    monkeypatch.setattr("kmscore.audit.sm2pke.parse", lax)
    trace = audit.trace_asymmetric_decrypt(keyring(), "sm2", "1", "SM2PKE", der + b"more")
    assert trace.outcome == "ok"
    assert not trace.agrees


def test_a_strict_parser_of_sm2_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the library rejects the parts that the trace accepts, the two disagree."""
    algorithm, ciphertext = asymmetric_ciphertexts()["SM2PKE"]
    monkeypatch.setattr("kmscore.audit.sm2pke.parse", _reject(InvalidBlobError))
    trace = audit.trace_asymmetric_decrypt(keyring(), "sm2", "1", algorithm, ciphertext)
    assert not trace.agrees


def test_the_trace_ends_where_the_library_stopped_if_the_two_disagree(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A check of the tag, after the library rejected the key, would be an oracle."""
    blob = blob_of("xaes")
    monkeypatch.setattr("kmscore.alibaba.decrypt", _reject(KeyVersionNotFoundError))
    for data in (blob, blob[:-1] + bytes([blob[-1] ^ 1])):
        trace = audit.trace_decrypt(keyring(), data, CONTEXT)
        assert not trace.agrees
        assert [step.id for step in trace.steps][-1] == "associated-data"
    monkeypatch.setattr("kmscore.alibaba.encrypt", _reject(KeyVersionNotFoundError))
    assert not audit.trace_encrypt(keyring(), "xaes", b"x").agrees
    monkeypatch.setattr("kmscore.alibaba.reencrypt", _reject(KeyVersionNotFoundError))
    moved = audit.trace_reencrypt(keyring(), blob, "sm4", source_context=CONTEXT)
    assert not moved.agrees
    assert [step.id for step in moved.steps][-1] == "source.associated-data"


class _Loud(str):
    """A text that equals every other, and shows itself as another one."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __format__(self, _: str) -> str:
        return "1 to 255 bytes"


def test_subclasses_of_str_are_read_as_texts() -> None:
    """An ID of a subclass is its text, also for the comparison with a header."""
    blob = blob_of("gcm")
    assert audit.trace_encrypt(keyring(), _Loud("xaes"), b"x").outcome == "ok"
    assert audit.trace_encrypt(keyring(), _Loud("missing"), b"x").outcome == "key_not_found"
    options = {"source_context": CONTEXT, "source_key_id": _Loud("no")}
    trace = audit.trace_reencrypt(keyring(), blob, "sm4", **options)
    assert (trace.outcome, trace.agrees) == ("incorrect_key", True)
    algorithm, ciphertext = asymmetric_ciphertexts()["SM2PKE"]
    arguments = _Loud("sm2"), _Loud("1"), _Loud(algorithm), ciphertext
    assert audit.trace_asymmetric_decrypt(keyring(), *arguments).outcome == "ok"


class _Claimed:
    """An object that claims to be a text."""

    __class__ = property(lambda _: str)  # type: ignore[assignment]


@pytest.mark.parametrize("profile", PROFILES)
def test_an_object_that_claims_to_be_a_text_is_not_one(profile: Profile) -> None:
    """Library and trace reject it as a value of a context."""
    blob = blob_of("gcm", b"QUJD", {"a": "b"}, profile)
    trace = audit.trace_decrypt(keyring(), blob, {"a": _Claimed()}, profile=profile)  # type: ignore[dict-item]
    assert (trace.outcome, trace.agrees) == ("invalid_context", True)


def test_bytes_like_arguments_are_copied_once() -> None:
    """A trace of a `bytearray` or `memoryview` is that of its bytes."""
    blob = blob_of("gcm")
    for data in (bytearray(blob), memoryview(blob)):
        assert audit.trace_decrypt(keyring(), data, CONTEXT).values["blob"].data == blob
    trace = audit.trace_encrypt(keyring(), "gcm", bytearray(b"abc"))
    assert trace.values["P"].data == b"abc"


def test_two_keys_with_one_version_id_are_rejected_for_the_service() -> None:
    """A blob of the service does not name the key, so the keyring cannot be used."""
    key = keyring().version("gcm", VERSION)
    other = kmscore.SymmetricKey("other", VERSION, "Aliyun_AES_128", bytes(16))
    keys = kmscore.Keyring([key, other])
    with pytest.raises(kmscore.InvalidKeyError, match="two keys have a version"):
        audit.trace_decrypt(keys, b"", profile=Profile.ALIBABA)
    with pytest.raises(kmscore.InvalidKeyError, match="two keys have a version"):
        audit.trace_reencrypt(keys, b"", "gcm", source_profile=Profile.ALIBABA)


def test_a_page_takes_time_in_proportion_to_the_context() -> None:
    """With the longest context, the page takes at most 20 times as long as the text."""
    context = {f"k{number:04}": "v" * 40 for number in range(1_300)}
    trace = audit.trace_decrypt(keyring(), blob_of("gcm", PLAINTEXT, context), context)

    def seconds(form: Any) -> float:
        begin = time.perf_counter()
        form(trace)
        return time.perf_counter() - begin

    assert seconds(render.html) < 20 * seconds(render.text)


def test_the_library_is_compared_at_its_boundaries() -> None:
    """The parsers of the library are among the ties."""
    v1 = audit.trace_decrypt(keyring(), blob_of("gcm"), CONTEXT)
    service = blob_of("gcm", PLAINTEXT, None, PROFILES[2])
    other = audit.trace_decrypt(keyring(), service, None, profile=PROFILES[2])
    assert CiphertextBlob.parse(blob_of("gcm")).key_id == "gcm"
    assert ServiceBlob.parse(service).key_version_id == VERSION
    statements = {tie.statement for trace in (v1, other) for tie in trace.ties}
    assert statements >= {
        "names and lengths of the fields",
        "the canonical context",
        "the fields of the blob",
        "the associated data",
        "the plaintext",
        "the IDs of the key version",
    }
