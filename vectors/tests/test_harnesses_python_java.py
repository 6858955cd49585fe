"""The Python and Java harnesses answer with their libraries, and decide nothing in their place."""

import importlib.util
import json
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import metadata
from types import SimpleNamespace
from typing import Any, TypeAlias

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from prepared_harnesses import HARNESSES, Harness, python_harness
from vector_files import files

from kmscore_vectors.accumulation import is_accumulated
from kmscore_vectors.judgement import Results, Verdict, run
from kmscore_vectors.vector_test import VectorTest

_RESPONDER = HARNESSES / "python" / "responder.py"
_ASKED = ("aead", "rsa_oaep", "sm2pke", "sm2_decrypt", "xaes_256_gcm")

_LIBRARIES = {
    "cryptography": ("cryptography", {"aead", "rsa_oaep"}),
    "gmssl": ("gmssl", {"sm2pke", "sm2_decrypt"}),
    "gmssl-pyx": ("gmssl_pyx", {"aead", "sm2pke", "sm2_decrypt"}),
    "pycryptodome": ("Crypto", {"aead", "rsa_oaep"}),
    "tink": ("tink", {"aead", "xaes_256_gcm"}),
}
_PROVIDERS = {
    "bouncy-castle": {"aead", "rsa_oaep", "sm2pke", "sm2_decrypt"},
    "sunjce-explicit": {"aead", "rsa_oaep"},
    "sunjce-default": {"aead", "rsa_oaep"},
}

pytestmark = [pytest.mark.harness, pytest.mark.usefixtures("in_time")]


@pytest.fixture
def responder(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """Return the names in `responder.py`; its module `format` is forgotten afterwards."""
    monkeypatch.syspath_prepend(str(_RESPONDER.parent))
    yield SimpleNamespace(**runpy.run_path(str(_RESPONDER)))
    del sys.modules["format"]


@pytest.fixture
def blob_format(responder: SimpleNamespace) -> Any:
    """Return the module `format` of the harness."""
    return responder.blob_format


_Prepare: TypeAlias = Callable[[str], Harness]


def _tests(*names: str, operation: str | None = None) -> list[VectorTest]:
    """Return the tests of vector files, without the accumulated ones."""
    tests = [test for name in names for test in files()[name] if not is_accumulated(test)]
    return [test for test in tests if operation in {None, test.operation}]


@cache
def _results(implementation: Harness) -> Results:
    """Return the results of a harness on the files that the harnesses have answers for."""
    with implementation.start() as peer:
        return Results(run("it", peer.ask, _tests(*_ASKED), lambda _: None))


def _python(name: str) -> Harness:
    """Return the Python harness for a library, or skip the test without it."""
    if importlib.util.find_spec(_LIBRARIES[name][0]) is None:
        pytest.skip(f"{name} is not installed")
    return python_harness(name)


def _answered(results: Results) -> set[str]:
    """Return the files with a right answer."""
    return {file for (file, _), count in results.by_flag.items() if count[Verdict.RIGHT]}


def _silent(results: Results) -> list[Mapping[str, Any]]:
    """Return the answers that were not of the protocol."""
    return [failure.answer for failure in results.failures if "failure" in failure.answer]


@pytest.mark.parametrize("name", _LIBRARIES)
def test_the_python_harness_answers_for_every_part_that_a_library_has(name: str) -> None:
    """Some tests of each of these files are right, and every answer is one of the protocol."""
    results = _results(_python(name))
    assert _answered(results) == _LIBRARIES[name][1]
    assert not _silent(results)


@pytest.mark.parametrize("name", ["cryptography", "pycryptodome", "tink"])
def test_a_library_that_keeps_to_the_standards_has_no_failure(name: str) -> None:
    """The harness adds no failure to a library that has none."""
    assert not _results(_python(name)).failures


def test_gmssl_decrypts_every_valid_ciphertext_and_some_others() -> None:
    """`gmssl` compares no C3 and checks no point; its exceptions, none documented, are crashes."""
    flags: dict[Verdict, set[str]] = {}
    for failure in _results(_python("gmssl")).failures:
        flags.setdefault(failure.verdict, set()).add(failure.test.flag)
    assert set(flags) == {Verdict.ACCEPTED, Verdict.CRASHED}
    assert {"WrongC3", "OffCurve"} <= flags[Verdict.ACCEPTED]
    assert {"SmallOrder", "Truncated"} <= flags[Verdict.CRASHED]


@pytest.mark.parametrize("name", _PROVIDERS)
def test_the_java_harness_answers_for_every_part_that_a_provider_has(
    name: str, harness: _Prepare
) -> None:
    """Some tests of each of these files are right; every answer is one of the protocol."""
    results = _results(harness(name))
    assert _answered(results) == _PROVIDERS[name]
    assert not _silent(results)


@pytest.mark.parametrize("name", ["bouncy-castle", "sunjce-explicit"])
def test_the_java_harness_adds_no_failure(name: str, harness: _Prepare) -> None:
    """All tests of `aead` and all valid tests of the other files are right, or not supported."""
    failures = _results(harness(name)).failures
    assert not [failure for failure in failures if failure.test.file == "aead"]
    assert not [failure for failure in failures if failure.test.is_valid]


def test_the_java_harness_has_the_canonical_bytes_of_every_context(harness: _Prepare) -> None:
    """A blob that the harness encrypts is bound to the canonical context of the vectors."""
    fields = {"suite_id": "01", "key_id": "key", "key_version_id": "v1", "key": "00" * 32}
    inputs = {**fields, "plaintext": "", "iv": "00" * 12}
    header = b"KMS\x01\x01\x03key\x02v1"
    with harness("sunjce-explicit").start() as peer:
        for test in _tests("encryption_context", operation="canonicalize"):
            answer = peer.ask("encrypt", {**inputs, "pairs": test.inputs["pairs"]})
            if test.is_valid:
                associated_data = header + bytes.fromhex(test.expected["canonical"])
                tag = AESGCM(bytes(32)).encrypt(bytes(12), b"", associated_data)
                assert answer == {"blob": (header + bytes(12) + tag).hex()}
            else:
                assert answer == {"unsupported": True}


def test_only_the_default_parameters_of_oaep_take_sha_1_for_mgf1(harness: _Prepare) -> None:
    """With its default parameters, SunJCE decrypts no valid ciphertext of SHA-256."""
    explicit, default = (
        {failure.test.flag for failure in _results(harness(name)).failures}
        for name in ("sunjce-explicit", "sunjce-default")
    )
    assert {"Valid", "OtherHash"} <= default
    assert not {"Valid", "OtherHash"} & explicit


def test_an_unchecked_exception_of_a_provider_is_a_crash(harness: _Prepare) -> None:
    """Bouncy Castle documents no exception for a point that is not on the curve."""
    failures = _results(harness("bouncy-castle")).failures
    crashed = [each for each in failures if each.verdict is Verdict.CRASHED]
    assert {"OffCurve", "FirstByte"} <= {each.test.flag for each in crashed}
    reasons = {each.answer["crash"].partition(":")[0] for each in crashed}
    assert "java.lang.IllegalArgumentException" in reasons


def test_the_java_harness_reads_every_form_of_json(harness: _Prepare) -> None:
    """Escapes, empty containers, literals and numbers are read, and the ID comes back."""
    inputs: dict[str, Any] = {
        '"\\/\b\f\n\r\t\x7f\U0001f600\ud800': [[], {}, [None, True, False, -1, ""]]
    }
    question = {"id": 7, "operation": "canonicalize", "inputs": inputs}
    with harness("bouncy-castle").start() as peer:
        assert peer.ask("canonicalize", inputs) == {"unsupported": True}
    command, folder = harness("bouncy-castle")
    output = subprocess.run(
        command,
        cwd=folder,
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert json.loads(output) == {"id": 7, "unsupported": True}


def test_the_python_harness_prints_the_version_of_a_library() -> None:
    """The last argument `--version` asks for the version alone."""
    assert _python("cryptography").version() == f"{metadata.version('cryptography')}\n"


@pytest.mark.parametrize("name", _PROVIDERS)
def test_the_java_harness_prints_the_version_of_a_provider(name: str, harness: _Prepare) -> None:
    """The last argument `--version` asks for the version alone, on one line."""
    output = harness(name).version()
    assert output.endswith("\n")
    assert output.splitlines()[0][0].isdigit()


def test_every_valid_blob_is_header_iv_and_sealed_bytes(blob_format: Any) -> None:
    """Parts of the valid blobs with at most 6,144 bytes of ciphertext are those of the vectors."""
    split = 0
    for test in _tests("blob", operation="parse_blob"):
        fields = test.expected
        if test.is_valid and len(fields["ciphertext"]) <= 2 * blob_format.MAX_PLAINTEXT:
            inputs = {**fields, "blob": test.inputs["blob"], "pairs": []}
            iv, sealed, associated_data = blob_format.ciphertext_parts(inputs)
            assert (iv + sealed).hex() == fields["iv"] + fields["ciphertext"] + fields["tag"]
            assert (associated_data + iv + sealed).hex() == test.inputs["blob"]
            split += 1
    assert split > 10


def test_every_context_has_its_canonical_bytes_or_is_unsupported(blob_format: Any) -> None:
    """All tests of `canonicalize` pass, but an invalid context is not for the library."""
    for test in _tests("encryption_context", operation="canonicalize"):
        if test.is_valid:
            assert (
                blob_format.canonicalize(test.inputs["pairs"]).hex() == test.expected["canonical"]
            )
        else:
            with pytest.raises(blob_format.UnsupportedError):
                blob_format.canonicalize(test.inputs["pairs"])


class _Gullible:
    """An AEAD that decrypts everything to nothing, and encrypts nothing."""

    @staticmethod
    def decrypt(_iv: bytes, _sealed: bytes, _associated_data: bytes) -> bytes:
        return b""


_SUITES = ("01", "02", "03", "04", "05")
_ALGORITHMS = ("RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1", "SM2PKE")
_GULLIBLE = SimpleNamespace(
    AEADS=dict.fromkeys(_SUITES, lambda _key: _Gullible()),
    DECRYPTIONS=dict.fromkeys(_ALGORITHMS, lambda _inputs: b""),
    REJECTIONS=(),
)


def test_only_a_library_rejects_an_asymmetric_ciphertext(responder: SimpleNamespace) -> None:
    """A library that accepts everything is seen to accept every invalid ciphertext."""
    for test in _tests("rsa_oaep", "sm2pke", operation="asymmetric_decrypt"):
        answer = responder.answer(_GULLIBLE, test.operation, test.inputs)
        is_about_names = test.flag in {"KeyUsage", "TwoDefects", "UnknownAlgorithm"}
        decrypted = {"outputs": {"plaintext": ""}}
        assert answer == ({"unsupported": True} if is_about_names else decrypted), test
    for test in _tests("sm2_decrypt", "xaes_256_gcm"):
        answer = responder.answer(_GULLIBLE, test.operation, test.inputs)
        is_seal = test.operation == "xaes_256_gcm_seal"
        assert answer == ({"unsupported": True} if is_seal else {"outputs": {"msg": ""}})


def test_the_format_rejects_no_ciphertext_of_the_right_header_and_length(
    responder: SimpleNamespace,
) -> None:
    """Tests about key, tag or associated data reach the library; those about the format do not."""
    flags: dict[bool, set[str]] = {True: set(), False: set()}
    for test in _tests("aead", operation="decrypt"):
        answer = responder.answer(_GULLIBLE, test.operation, test.inputs)
        assert answer in ({"outputs": {"plaintext": ""}}, {"unsupported": True})
        flags["outputs" in answer].add(test.flag)
    assert flags[False] == {
        *("ModifiedHeader", "OtherKey", "OtherSuite", "PlaintextSize", "Truncated", "TwoDefects")
    }
    assert {"AssociatedData", "ModifiedTag", "OtherContext", "OtherDerivation"} <= flags[True]


def test_a_plaintext_or_context_that_is_too_long_is_not_for_the_library(
    responder: SimpleNamespace,
) -> None:
    """Only encryptions that the format allows reach the library."""

    class Encrypting(_Gullible):
        @staticmethod
        def encrypt(_iv: bytes, plaintext: bytes, _associated_data: bytes) -> bytes:
            return plaintext

    library = SimpleNamespace(
        AEADS=dict.fromkeys(_SUITES, lambda _key: Encrypting()), REJECTIONS=()
    )
    for test in _tests("aead", operation="encrypt"):
        answer = responder.answer(library, test.operation, test.inputs)
        assert ("outputs" in answer) == test.is_valid


def test_an_aead_without_encryption_is_not_asked_to_encrypt(responder: SimpleNamespace) -> None:
    """No question is an error only because the library takes no given IV."""
    for test in _tests("aead", operation="encrypt"):
        assert responder.answer(_GULLIBLE, test.operation, test.inputs) == {"unsupported": True}


def test_an_undocumented_exception_is_a_crash(responder: SimpleNamespace) -> None:
    """Only an exception of `REJECTIONS` is answered with `decryption`."""

    def raises(_inputs: Mapping[str, Any]) -> bytes:
        raise KeyError("key")

    library = SimpleNamespace(AEADS={}, DECRYPTIONS={"SM2PKE": raises}, REJECTIONS=(ValueError,))
    inputs = {"algorithm": "SM2PKE", "key_spec": "EC_SM2", "ciphertext": ""}
    answer = responder.answer(library, "asymmetric_decrypt", inputs)
    assert answer == {"crash": "KeyError: 'key'"}
    library.REJECTIONS = (LookupError,)
    answer = responder.answer(library, "asymmetric_decrypt", inputs)
    assert answer == {"error": "decryption"}


def test_an_encryption_that_fails_is_a_crash(responder: SimpleNamespace) -> None:
    """An exception of `REJECTIONS` is a crash too, because an encryption has to succeed."""

    class Failing(_Gullible):
        @staticmethod
        def encrypt(_iv: bytes, _plaintext: bytes, _associated_data: bytes) -> bytes:
            raise ValueError("it")

    library = SimpleNamespace(
        AEADS=dict.fromkeys(_SUITES, lambda _key: Failing()), REJECTIONS=(ValueError,)
    )
    test = _tests("aead", operation="encrypt")[0]
    answer = responder.answer(library, test.operation, test.inputs)
    assert answer == {"crash": "ValueError: it"}


def test_the_libraries_are_pinned_to_one_version() -> None:
    """The requirements are the libraries of the harness, each with an exact version."""
    lines = (_RESPONDER.parent / "requirements.txt").read_text("utf-8").splitlines()
    assert [line.partition("==")[0] for line in lines] == sorted(_LIBRARIES)
    assert all(line.partition("==")[2] for line in lines)
