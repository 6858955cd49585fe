"""The checked-in vector files are those of `generate`, match their schemas, and are correct."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from support import spec_decoder
from support.samples import sampled, sampled_rows
from support.time_limits import PATIENCE
from vector_files import WYCHEPROOF, document_of, files, made

from kmscore import DecryptResult, KeyProvider, Keyring, Sm2Key, asymmetric_decrypt, sm2
from kmscore.algorithms import EncryptionAlgorithm
from kmscore.errors import KmsCoreError
from kmscore.sm2 import available_backends
from kmscore_vectors.adapter import configurations
from kmscore_vectors.adapter.responder import Responder
from kmscore_vectors.files import (
    MAX_FILE_LENGTH,
    NAMES,
    VectorFileError,
    _check_schema,
    _check_tests,
    choose_folder,
    installed_folder,
    load,
)
from kmscore_vectors.generator import accumulated, affine
from kmscore_vectors.generator.blob.file import make as make_blob
from kmscore_vectors.generator.model import OUTPUTS, VALID_FAILS
from kmscore_vectors.judgement import Results, run
from kmscore_vectors.tables import Severity
from kmscore_vectors.vector_test import VectorTest

CHECKOUT = Path(__file__).resolve().parents[1]

# Ten thousand answers under a private key.
_NOTE = {"bugType": "BASIC", "description": "x"}
_ACCUMULATED = tuple(name for name in NAMES if name not in WYCHEPROOF)
_SOME_AND_ALL = [pytest.param(5, id="some"), pytest.param(1, id="all", marks=pytest.mark.thorough)]
"""The steps through the tests of the files: each fifth one, or all."""

_SLOW = ("rsa_oaep", "sm2pke", "service_blob", "service_api", "reencrypt")


@pytest.mark.thorough
def test_the_files_are_what_the_generator_makes() -> None:
    """The same bytes in the package and in the folder, and no other vector file."""
    for folder in (installed_folder(), CHECKOUT):
        assert {path.name: path.read_bytes() for path in folder.glob("*.json")} == made()
    assert [Path(name).stem for name in made()] == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_file_of_the_package_matches_its_schema(name: str) -> None:
    """Also in all that the schema does not say. `load` does not check these files again."""
    path = CHECKOUT / f"{name}.json"
    document = json.loads(path.read_bytes())
    _check_schema(path, name, document)
    _check_tests(path, document)


def test_there_are_as_many_as_there_have_to_be() -> None:
    """At least 60 tests per file, 600 in all, one accumulated per file, and every error class."""
    assert all(len(tests) >= 60 for tests in files().values())
    every = [test for tests in files().values() for test in tests]
    assert len(every) >= 600
    assert {test.operation for test in every} == set(OUTPUTS)
    codes = {test.expected["error"] for test in every if not test.is_valid}
    assert codes == {error.code for error in KmsCoreError.__subclasses__()}
    for name in _ACCUMULATED:
        assert [test.operation for test in files()[name]].count("accumulated") == 1
        assert files()[name][-1].operation == "accumulated"


def test_each_flag_says_what_it_is_open_to() -> None:
    """Every flag has an effect, and that of an invalid test is its own."""
    every = [test for tests in files().values() for test in tests]
    assert [test for test in every if not test.effect] == []
    assert [test for test in every if not test.is_valid and test.effect == VALID_FAILS] == []


@pytest.mark.parametrize(
    "number", [400, pytest.param(None, marks=pytest.mark.campaign)], ids=["some", "all"]
)
@pytest.mark.parametrize("name", _ACCUMULATED)
def test_the_library_is_right_on_the_cases_of_an_accumulated_test(
    name: str, number: int | None
) -> None:
    """Each answer is the expected one. `kmscore-vectors verify` asks all 10,000 of each file."""
    responder = Responder()
    cases = list(islice(accumulated.draw(name), number))
    for case in cases:
        assert responder.answer(case.operation, case.inputs) == case.due
    rejected = sum(_is_rejection(case.due) for case in cases)
    assert rejected == 0 if name == "encryption_context" else 0.1 < rejected / len(cases) < 0.9


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.campaign] if name in _SLOW else [])
        for name in _ACCUMULATED
    ],
)
def test_the_library_gives_the_digest_of_an_accumulated_test(name: str) -> None:
    """The digest covers all answers in their order."""
    test = files()[name][-1]
    (outcome,) = run("", Responder().answer, [test], lambda _: None)
    assert outcome.answer == test.expected


def _is_rejection(answer: Mapping[str, Any]) -> bool:
    """Return whether an answer is an error, or a response that is one."""
    return "error" in answer or "Code" in answer.get("response", ())


@pytest.mark.parametrize("name", ["blob", "encryption_context"])
def test_a_second_reading_of_the_specification_agrees(name: str) -> None:
    """A decoder that is written only from the specification is right on every test."""
    results = Results(run("", spec_decoder.answer, files()[name], lambda _: None))
    assert results.failures == []
    assert results.is_success


def test_the_second_reading_shares_no_code() -> None:
    """The second decoder imports neither the library nor the generator."""
    assert "kmscore" not in Path(spec_decoder.__file__).read_text("utf-8").partition('"""')[2]


def _openssl(*arguments: str, data: bytes) -> bytes:
    """Return the output of the command, or empty bytes if it fails."""
    command = ["openssl", "pkeyutl", "-decrypt", *arguments]
    return subprocess.run(command, input=data, capture_output=True, check=False).stdout


def _valid(name: str, operation: str) -> list[VectorTest]:
    return [test for test in files()[name] if test.is_valid and test.operation == operation]


@pytest.mark.parametrize("step", _SOME_AND_ALL)
def test_the_openssl_command_agrees_on_rsa(tmp_path: Path, step: int) -> None:
    """Each valid vector of RSAES-OAEP, under the hash of its algorithm."""
    key = tmp_path / "key.der"
    hashes = {
        EncryptionAlgorithm.RSAES_OAEP_SHA_256.value: "sha256",
        EncryptionAlgorithm.RSAES_OAEP_SHA_1.value: "sha1",
    }
    tests = _valid("rsa_oaep", "asymmetric_decrypt")
    assert len(tests) >= 40
    for test in tests[::step]:
        key.write_bytes(bytes.fromhex(test.inputs["private_key"]))
        hash_name = hashes[test.inputs["algorithm"]]
        options = ("rsa_padding_mode:oaep", f"rsa_oaep_md:{hash_name}", f"rsa_mgf1_md:{hash_name}")
        plaintext = _openssl(
            *("-inkey", str(key), "-keyform", "DER"),
            *(word for option in options for word in ("-pkeyopt", option)),
            data=bytes.fromhex(test.inputs["ciphertext"]),
        )
        assert plaintext.hex() == test.expected["plaintext"], test.comment


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    return (
        bytes([tag, 0x82]) + length.to_bytes(2, "big") + content
        if length > 255
        else (bytes([tag, 0x81, length]) + content)
    )


def _as_der(data: bytes, encoding: str) -> bytes:
    """Return a ciphertext of SM2 in the only encoding that the command reads."""
    if encoding == "ASN1_DER":
        return data
    rest = data if encoding.endswith("BARE") else data[1:]
    numbers = [int.from_bytes(rest[at : at + 32], "big") for at in (0, 32)]
    rest = rest[64:]
    if encoding.startswith("C1C3C2"):
        c3, c2 = rest[:32], rest[32:]
    else:
        c3, c2 = rest[-32:], rest[:-32]
    integers = (
        _der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big")) for number in numbers
    )
    return _der(0x30, b"".join(integers) + _der(0x04, c3) + _der(0x04, c2))


@pytest.mark.parametrize("step", _SOME_AND_ALL)
def test_the_openssl_command_agrees_on_sm2(tmp_path: Path, step: int) -> None:
    """Each valid vector of SM2: decryption, conversion (in and out), encryption."""
    key = tmp_path / "key.der"
    decrypting = _valid("sm2pke", "asymmetric_decrypt")
    key.write_bytes(bytes.fromhex(decrypting[0].inputs["private_key"]))

    def plaintext(data: str, encoding: str) -> str:
        der = _as_der(bytes.fromhex(data), encoding)
        return _openssl("-inkey", str(key), "-keyform", "DER", data=der).hex()

    for test in decrypting[::step]:
        encoding = "ASN1_DER" if test.inputs["ciphertext"].startswith("30") else "C1C3C2"
        assert plaintext(test.inputs["ciphertext"], encoding) == test.expected["plaintext"]
    for test in _valid("sm2pke", "sm2_encrypt")[::step]:
        if test.flag == "ExtremePublicKey":  # of other private keys, or of unknown ones
            continue
        assert plaintext(test.expected["ciphertext"], "C1C3C2") == test.inputs["plaintext"]
    for test in _valid("sm2pke", "sm2_convert")[::step]:
        if test.flag == "UncheckedC3":  # ciphertexts that do not open
            continue
        before = plaintext(test.inputs["ciphertext"], test.inputs["source"])
        after = plaintext(test.expected["converted"], test.inputs["target"])
        assert before == after != "", test.comment


def _set(*path: Any) -> Callable[[Any], None]:
    """Return a function that sets the last value of a path at the place of the others."""

    def change(document: Any) -> None:
        *way, last, value = path
        for step in way:
            document = document[step]
        document[last] = value

    return change


def _remove(*path: Any) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        *way, last = path
        for step in way:
            document = document[step]
        del document[last]

    return change


_TEST = ("testGroups", 0, "tests", 0)
_BLOB = make_blob()
_TESTS = 1 + sum(1 for _ in _BLOB.cases())  # with the accumulated test
_NUMBER = next(number for number, case in enumerate(_BLOB.groups[0].cases) if case.error)
_INVALID = ("testGroups", 0, "tests", _NUMBER)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_set("schema", "blob_v2_schema.json"), "schema: 'blob_v1_schema.json' was expected"),
        (
            _set("more", 1),
            "the file: Additional properties are not allowed ('more' was unexpected)",
        ),
        (_set("numberOfTests", 7), f"numberOfTests is not {_TESTS}"),
        (_set("testGroups", []), "testGroups: "),
        (_set("notes", "Other", _NOTE), "the flags of the tests are not those of the notes: Other"),
        (_set("notes", "not a flag", _NOTE), "notes: 'not a flag' does not match"),
        (_remove("notes", "Magic"), "the flags of the tests are not those of the notes"),
        (_set("notes", "Magic", {}), "notes/Magic: 'bugType' is a required property"),
        (_set("notes", "Magic", {"bugType": "BASIC"}), "notes/Magic: 'description' is a required"),
        (_set("notes", "Magic", _NOTE | {"bugType": "OTHER"}), "notes/Magic/bugType: 'OTHER' is"),
        (_set("notes", "Magic", _NOTE | {"cves": ["2026-1"]}), "notes/Magic/cves/0: '2026-1' does"),
        (_set(*_TEST, "severity", "low"), "testGroups/0/tests/0/severity: 'low' is not one of"),
        (_remove(*_TEST, "severity"), "testGroups/0/tests/0: 'severity' is a required property"),
        (_remove(*_TEST, "section"), "testGroups/0/tests/0: 'section' is a required property"),
        (_set("testGroups", 0, "type", "guess"), "testGroups/0/type: 'guess' is not one of"),
        (_set("testGroups", 0, "more", 1), "testGroups/0: Additional properties"),
        (_set(*_TEST, "more", 1), "testGroups/0/tests/0: Additional properties"),
        (_set(*_TEST, "flags", ["Other"]), "the flags of the tests are not those of the notes"),
        (_set(*_TEST, "flags", []), "testGroups/0/tests/0/flags: "),
        (_set(*_TEST, "tcId", 2), "tcId does not count up from 1"),
        (_set(*_TEST, "blob", "ABCD"), "testGroups/0/tests/0/blob: "),
        (_set(*_TEST, "blob", "abc"), "testGroups/0/tests/0/blob: "),
        (_set(*_TEST, "blob", "abcd\n"), "testGroups/0/tests/0/blob: "),
        (_set(*_TEST, "blob", 7), "testGroups/0/tests/0/blob: "),
        (_remove(*_TEST, "blob"), "testGroups/0/tests/0: 'blob' is a required property"),
        (_remove(*_TEST, "tag"), "testGroups/0/tests/0: 'tag' is a required property"),
        (_remove(*_TEST, "trace"), "testGroups/0/tests/0: 'trace' is a required property"),
        (_set(*_TEST, "trace", {}), "testGroups/0/tests/0/trace: 'header' is a required property"),
        (_set(*_TEST, "error", "invalid_blob"), "testGroups/0/tests/0: a field that the result"),
        (_set(*_TEST, "result", "acceptable"), "testGroups/0/tests/0/result: 'acceptable'"),
        (_remove(*_TEST, "result"), "testGroups/0/tests/0: 'result' is a required property"),
        (
            _set(*_INVALID, "error", "other"),
            f"testGroups/0/tests/{_NUMBER}/error: 'other' is not one of",
        ),
        (
            _remove(*_INVALID, "error"),
            f"testGroups/0/tests/{_NUMBER}: 'error' is a required property",
        ),
        (
            _set(*_INVALID, "tag", "00" * 16),
            f"testGroups/0/tests/{_NUMBER}: a field that the result",
        ),
        (_set("testGroups", 2, "tests", 0, "cases", 5), "testGroups/2/tests/0/cases: 10000 was"),
    ],
)
def test_a_file_that_is_not_as_its_schema_says(
    tmp_path: Path, change: Callable[[Any], None], reason: str
) -> None:
    """An unknown field, flag, operation or error class is rejected, with its place."""
    document = document_of("blob")
    change(document)
    file = tmp_path / "blob.json"
    file.write_text(json.dumps(document), "ascii")
    with pytest.raises(VectorFileError) as caught:
        list(load(tmp_path, ["blob"]))
    assert str(caught.value).startswith(f"{file}: {reason}")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("name", sampled(NAMES, 2))
def test_no_schema_allows_an_unknown_field(name: str) -> None:
    """No object may have an unknown field: file, notes, group, test, trace, key, response."""
    document = _thinned(document_of(name))
    places = {_shape(document, place): place for place in _objects(document)}
    for place in places.values():
        alone, there = _alone(document, place)
        found = _at(alone, there)
        found["unheardOf"] = ""
        with pytest.raises(VectorFileError, match="unheardOf"):
            _check_schema(Path("file"), name, alone)
        del found["unheardOf"]
    last_steps = {place[-1] for place in places.values() if len(place) > 4}
    assert name in WYCHEPROOF or {"trace"} <= last_steps
    assert name != "reencrypt" or "response" in last_steps


def _thinned(document: Any) -> Any:
    """Return a document with one test of each form per group, because the schemas are slow."""
    for group in document["testGroups"]:
        forms = {
            frozenset((place[-1:], *_at(test, place)) for place in _objects(test)): test
            for test in group["tests"]
        }
        group["tests"] = list(forms.values())
    return document


def _alone(document: Any, place: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """Return a document with only the test of a place, and the place in it."""
    if place[:1] != ("testGroups",):
        groups = document["testGroups"][:1]
        return document | {"testGroups": groups}, place
    _, index, *rest = place
    group = document["testGroups"][index]
    number = rest[1] if rest[:1] == ["tests"] else 0
    alone = document | {"testGroups": [group | {"tests": [group["tests"][number]]}]}
    there = ["tests", 0, *rest[2:]] if rest[:1] == ["tests"] else rest
    return alone, ("testGroups", 0, *there)


def _at(document: Any, place: tuple[Any, ...]) -> Any:
    for step in place:
        document = document[step]
    return document


def _shape(document: Any, place: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a key that is equal for objects under the same rule of a schema.

    It is the path without indices, the operation of the group, and the fields. All notes are under
    one rule.
    """
    way = tuple(step for step in place if isinstance(step, str))
    group = document["testGroups"][place[1]]["type"] if way[:1] == ("testGroups",) else ""
    return (
        (len(way), "a note")
        if way[:1] == ("notes",)
        else (*way, group, *sorted(_at(document, place)))
    )


def _objects(document: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the places of all objects of a document."""
    found = [place] if isinstance(document, dict) else []
    steps = document.items() if isinstance(document, dict) else enumerate(document)
    for step, child in steps:
        if isinstance(child, dict | list):
            found += _objects(child, (*place, step))
    return found


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is not JSON"),
        (b'{"algorithm": ', "is not JSON"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"schema": 1, "schema": 1}', "is not JSON"),
        (b"1" * 10_000, "is not JSON"),
        (b"null", ": the file: None is not of type 'object'"),
    ],
)
def test_a_damaged_file(tmp_path: Path, data: bytes, reason: str) -> None:
    """A file that is not JSON, or that has a name twice, gives one line."""
    file = tmp_path / "blob.json"
    file.write_bytes(data)
    with pytest.raises(VectorFileError) as caught:
        list(load(tmp_path))
    assert str(caught.value) == f"{file}{' ' if reason.startswith('is') else ''}{reason}"


def test_a_folder_without_vectors(tmp_path: Path) -> None:
    """A missing folder, missing files and entries that are not files give one line."""
    with pytest.raises(VectorFileError, match="nowhere is not a folder"):
        list(load(tmp_path / "nowhere"))
    with pytest.raises(VectorFileError, match=r"blob\.json is missing"):
        list(load(tmp_path))
    (tmp_path / "blob.json").mkdir()
    with pytest.raises(VectorFileError, match=r"blob\.json is not a regular file"):
        list(load(tmp_path))


def test_a_long_message_is_cut(tmp_path: Path) -> None:
    """The message about a file of a megabyte is one line."""
    document = document_of("blob")
    document["testGroups"][0]["tests"][0]["blob"] = "zz" * 500_000
    (tmp_path / "blob.json").write_text(json.dumps(document), "ascii")
    with pytest.raises(VectorFileError) as caught:
        list(load(tmp_path))
    assert len(str(caught.value)) < 400


def test_the_folder_is_chosen(tmp_path: Path) -> None:
    """The folder is the given one, or else the installed one."""
    assert choose_folder(tmp_path) == tmp_path
    assert choose_folder(None) == installed_folder()


@pytest.mark.parametrize("step", _SOME_AND_ALL)
def test_every_configuration_is_right(step: int) -> None:
    """Each other SM2 backend and another key provider pass; `test_vectors` has the first."""
    first, *others = configurations()
    subjects = [first.name]
    for configuration in others:
        subjects.append(configuration.name)
        tests = [test for name in configuration.files for test in files()[name][:-1:step]]
        results = Results(run("", configuration.ask, tests, lambda _: None))
        assert results.failures == []
    assert subjects[-1].startswith("another KeyProvider")
    assert len(subjects) >= 3


def test_a_configuration_runs_what_its_name_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SM2 key uses the named backend, and the operations get the named kind of provider."""
    used: list[KeyProvider] = []

    def decrypt(keys: KeyProvider, *arguments: Any) -> DecryptResult:
        used.append(keys)
        return asymmetric_decrypt(keys, *arguments)

    monkeypatch.setattr("kmscore_vectors.adapter.responder.asymmetric_decrypt", decrypt)
    (test, *_) = _valid("sm2pke", "asymmetric_decrypt")
    for configuration in configurations():
        assert configuration.ask(test.operation, test.inputs) == test.expected
        kind, _, backend = configuration.name.partition(", SM2 by ")
        key = used[-1].version("key", "1")
        assert isinstance(key, Sm2Key)
        assert key.backend == backend
        assert isinstance(used[-1], Keyring) == (kind == "Keyring")
    names = [configuration.name.rpartition(" ")[2] for configuration in configurations()]
    assert names == [*available_backends(), available_backends()[0]]


def test_an_exception_of_the_library_is_a_crash() -> None:
    """The verifier continues, and the failure names the exception."""
    configuration = next(iter(configurations()))
    assert configuration.ask("guess", {}) == {"crash": "KeyError: 'guess'"}


def _shortened(name: str) -> Any:
    """Return a file with the first test of each group, which its schema allows."""
    document = document_of(name)
    for group in document["testGroups"]:
        group["tests"] = group["tests"][:1]
    return document


_UNPRINTABLE = ("\ud800", "\x1b[2J", "\x07", "\x7f", "\x85", "\u202e", "\n", "é")


@pytest.mark.parametrize("text", sampled(_UNPRINTABLE, 4))
@pytest.mark.parametrize("name", NAMES)
def test_what_is_shown_of_a_file_is_printable(tmp_path: Path, name: str, text: str) -> None:
    """No text of a file has a control character, which could control a terminal."""
    whole = _shortened(name)
    flag = next(flag for flag, note in whole["notes"].items() if "effect" in note)
    places: list[tuple[Any, ...]] = [
        ("header", 0),
        ("notes", flag, "description"),
        ("notes", flag, "effect"),
        ("notes", flag, "links"),
        *(("testGroups", number, "tests", 0, "comment") for number in range(2)),
        ("testGroups", -1, "tests", 0, "comment"),
    ]
    file = tmp_path / f"{name}.json"
    for place in places:
        document = deepcopy(whole)
        told = f"https://{text}" if place[-1] == "links" else f"Text.{text}"
        _set(*place, [told] if place[-1] == "links" else told)(document)
        file.write_text(json.dumps(document), "ascii")
        with pytest.raises(VectorFileError) as caught:
            list(load(tmp_path, [name]))
        message = str(caught.value)
        assert message.isprintable()
        assert message.startswith(f"{file}: {place[0]}/")
        assert "does not match" in message


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """The message has the reason of the system, here a loop of links."""
    (tmp_path / "blob.json").symlink_to(tmp_path / "blob.json")
    with pytest.raises(VectorFileError, match=r"blob\.json cannot be read: Too many levels"):
        list(load(tmp_path))


@pytest.mark.parametrize("target", sampled(["pipe", "/dev/zero", "/dev/stdin"], 3))
def test_what_is_no_regular_file_is_not_read(tmp_path: Path, target: str) -> None:
    """A pipe without a writer, or a device without an end, is rejected at once."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "blob.json").symlink_to(tmp_path / target)
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
        "from pathlib import Path; from kmscore_vectors.files import load\n"
        "try: list(load(Path(sys.argv[1])))\n"
        "except Exception as error: print(error, end='')"
    )
    # In a separate process, which can be killed if it never returns.
    result = subprocess.run(
        [sys.executable, "-P", "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        capture_output=True,
        check=True,
        timeout=PATIENCE,
    )
    assert result.stdout.decode() == f"{tmp_path / 'blob.json'} is not a regular file"


def test_a_file_may_not_be_longer_than_it_can_have_to_be(tmp_path: Path) -> None:
    """A file one byte above the limit is rejected; up to the limit, JSON is read."""
    file = tmp_path / "blob.json"
    for length, reason in ((0, "is not JSON"), (1, "has more than 67,108,864 bytes")):
        with file.open("wb") as opened:
            opened.truncate(MAX_FILE_LENGTH + length)
        with pytest.raises(VectorFileError) as caught:
            list(load(tmp_path))
        assert str(caught.value) == f"{file} {reason}"


@pytest.mark.parametrize(
    ("name", "field"),
    sampled_rows(
        [
            ("aead", "pairs"),
            ("encryption_context", "pairs"),
            ("reencrypt", "source_pairs"),
            ("reencrypt", "destination_pairs"),
        ],
        2,
    ),
)
def test_no_context_has_a_key_twice(tmp_path: Path, name: str, field: str) -> None:
    """A repeated key would be another question to implementations that use a dictionary."""
    document = document_of(name)
    document["testGroups"][0]["tests"][1][field] = [["a", "1"], ["b", "2"], ["a", "1"]]
    _is_rejected(tmp_path, name, document, f"test 2: a key occurs twice in {field}")


@pytest.mark.parametrize("k", [0, affine.ORDER, affine.ORDER + 1, (1 << 256) - 1])
def test_every_k_is_one_that_can_be_drawn(tmp_path: Path, k: int) -> None:
    """Every k is from 1 to n - 1: implementations need no rule for other values."""
    document = document_of("sm2pke")
    (group, *_) = (group for group in document["testGroups"] if group["type"] == "sm2_encrypt")
    test = group["tests"][0]
    test["k"] = f"{k:064x}"
    _is_rejected(tmp_path, "sm2pke", document, f"test {test['tcId']}: k is not 1 to n - 1")


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (("numberOfTests",), "numberOfTests: 104.0 is not of type 'integer'"),
        (("testGroups", 0, "tests", 0, "tcId"), "/tcId: 1.0 is not of type 'integer'"),
        (("testGroups", -1, "tests", 0, "cases"), "/cases: 10000.0 is not of type 'integer'"),
    ],
)
@pytest.mark.parametrize("kind", [float, bool])
def test_a_number_is_an_integer_as_it_stands(
    tmp_path: Path, place: tuple[Any, ...], reason: str, kind: type
) -> None:
    """104.0 is rejected, because some parsers distinguish it from 104."""
    document = document_of("blob")
    *way, last = place
    holder = document
    for step in way:
        holder = holder[step]
    value = kind(holder[last])
    holder[last] = value
    _is_rejected(tmp_path, "blob", document, re.sub(r"[\d.]+ is", f"{value} is", reason))


def _is_rejected(folder: Path, name: str, document: Any, reason: str) -> None:
    """Assert that a file is rejected with one line that ends with the reason."""
    file = folder / f"{name}.json"
    file.write_text(json.dumps(document), "ascii")
    with pytest.raises(VectorFileError) as caught:
        list(load(folder, [name]))
    assert str(caught.value).startswith(f"{file}: ")
    assert str(caught.value).endswith(reason)
    assert len(str(caught.value).splitlines()) == 1


@cache
def _shared_point(d: int, c1: bytes) -> bytes:
    """Return x2 and y2 for C1, given by x and y."""
    x, y = (int.from_bytes(half, "big") for half in (c1[:32], c1[32:]))
    shared = affine.finite(affine.multiply(d, (x, y)))
    return b"".join(coordinate.to_bytes(32, "big") for coordinate in shared)


@pytest.mark.parametrize("encoding", ["C1C3C2", "ASN1_DER"])
@pytest.mark.parametrize(
    ("is_rejected", "flags"),
    [
        (lambda t: not any(t), set()),
        (lambda _: False, {"ZeroKdf"}),
        (lambda t: t == b"\x00", {"ZeroKdf"}),
        (lambda t: len(t) > 1 and not any(t), {"ZeroKdf"}),
        (lambda t: t[0] == 0, {"PartlyZeroKdf"}),
        (lambda t: t[-1] == 0, {"PartlyZeroKdf"}),
        (lambda t: t[:2] in {b"\x00", b"\x00\x00"}, {"PartlyZeroKdf"}),
        (lambda t: t[:32][-1] == 0, {"PartlyZeroKdf"}),
    ],
)
def test_zeros_of_the_kdf_are_all_looked_at(
    encoding: str, is_rejected: Callable[[bytes], bool], flags: set[str]
) -> None:
    """An implementation that rejects by another rule than t = 0 fails a vector in each form."""

    def ask(_: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        data = bytes.fromhex(inputs["ciphertext"])
        data = sm2.convert(data, encoding, "C1C3C2_BARE")
        c1, c3, c2 = data[:64], data[64:96], data[96:]
        shared = _shared_point(int(inputs["d"], 16), c1)
        t = affine.kdf(shared, len(c2))
        message = bytes(a ^ b for a, b in zip(c2, t, strict=True))
        assert affine.sm3(shared[:32], message, shared[32:]) == c3
        return {"error": "decryption"} if is_rejected(t) else {"plaintext": message.hex()}

    tests = [
        test
        for test in files()["sm2pke"]
        if test.operation == "asymmetric_decrypt"
        and test.flag in {"Valid", "Boundary", "ZeroKdf", "PartlyZeroKdf"}
        and test.comment.startswith(encoding)
    ]
    results = Results(run("", ask, tests, lambda _: None))
    assert {outcome.test.flag for outcome in results.failures} == flags


def test_a_standard_rule_names_its_standard() -> None:
    """A test of severity `standard` names a published standard, and none names only SPEC.md."""
    for tests in files().values():
        for test in tests:
            assert test.section
            if test.severity is Severity.STANDARD:
                assert re.match(r"(RFC \d+|NIST SP|GB/T \d+|GM/T \d+|C2SP|X\.690) ?", test.section)
            if test.severity is Severity.POLICY:
                assert test.section.startswith("SPEC section "), (test.file, test.section)


def test_only_no_message_is_strict_outside_der() -> None:
    """In the other encodings every byte is a part of C1, C2 or C3, so no byte is superfluous."""
    strict = [test for test in files()["sm2_decrypt"] if test.severity is Severity.STRICT]
    others = [test for test in strict if test.inputs["encoding"] != "ASN1_DER"]
    assert {test.comment for test in others} == {"C3 of no message"}
    assert len(others) == 2


def test_every_severity_occurs() -> None:
    """Each of the three severities has tests, in more than one file."""
    for severity in Severity:
        named = [name for name, tests in files().items() if severity in _severities(tests)]
        assert len(named) > 1


def _severities(tests: Sequence[VectorTest]) -> set[Severity]:
    return {test.severity for test in tests}
