"""The vector files as they lie there: what `generate` makes, as their schemas say, and true."""

import json
import subprocess
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import second_reading

from kmscore.algorithms import EncryptionAlgorithm
from kmscore.errors import KmsCoreError
from kmscore.vectors.files import (
    NAMES,
    VectorFileError,
    VectorTest,
    choose_folder,
    installed_folder,
    load,
)
from kmscore.vectors.generator import accumulated
from kmscore.vectors.generator.model import OUTPUTS
from kmscore.vectors.generator.suite import make_files
from kmscore.vectors.judgement import Results, run
from kmscore.vectors.responder import Responder
from kmscore.vectors.verifier import configurations

CHECKOUT = Path(__file__).resolve().parents[1] / "vectors"
MADE = {f"{file.name}.json": file.serialize() for file in make_files()}
FILES = dict(load(installed_folder()))
EVERY = [test for tests in FILES.values() for test in tests]


def test_the_files_are_what_the_generator_makes() -> None:
    """Byte for byte, in the package as in the folder, and there is no other file of vectors."""
    for folder in (installed_folder(), CHECKOUT):
        assert {path.name: path.read_bytes() for path in folder.glob("*.json")} == MADE
    assert [Path(name).stem for name in MADE] == list(NAMES)


def test_the_package_carries_the_whole_folder() -> None:
    """Specification, protocol and schemas are there for who has the wheel alone."""
    for path in CHECKOUT.rglob("*.*"):
        copy = installed_folder() / path.relative_to(CHECKOUT)
        assert copy.read_bytes() == path.read_bytes()


def test_there_are_as_many_as_there_have_to_be() -> None:
    """60 in each, 600 in all, an accumulated one in each, and every class of error among them."""
    assert all(len(tests) >= 60 for tests in FILES.values())
    assert len(EVERY) >= 600
    assert {test.operation for test in EVERY} == set(OUTPUTS)
    codes = {test.expected["error"] for test in EVERY if not test.is_valid}
    assert codes == {error.code for error in KmsCoreError.__subclasses__()}
    for tests in FILES.values():
        assert [test.operation for test in tests].count("accumulated") == 1
        assert tests[-1].operation == "accumulated"


def test_each_negative_flag_says_what_it_is_open_to() -> None:
    """A flag of an invalid test has an effect."""
    assert [test for test in EVERY if not test.is_valid and not test.effect] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_library_is_right_on_every_accumulated_test(name: str) -> None:
    """Ten thousand cases a file: each answer is the one that is due, and so is the digest."""
    responder, test = Responder(), FILES[name][-1]
    wrong = 0

    def ask(operation: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        nonlocal wrong
        answer = responder.answer(operation, inputs)
        wrong += answer != due[inputs_key(inputs)]
        return answer

    def inputs_key(inputs: Mapping[str, Any]) -> str:
        return json.dumps(inputs)

    due = {inputs_key(case.inputs): case.due for case in accumulated.draw(name)}
    (outcome,) = run("", ask, [test], lambda _: None)
    assert wrong == 0
    assert outcome.answer == test.expected
    refused = sum(_is_refusal(answer) for answer in due.values())
    assert refused == 0 if name == "encryption_context" else 0.1 < refused / len(due) < 0.9


def _is_refusal(answer: Mapping[str, Any]) -> bool:
    """Return whether an answer is an error, or a response that is one."""
    return "error" in answer or "Code" in answer.get("response", ())


@pytest.mark.parametrize("name", ["blob", "encryption_context"])
def test_a_second_reading_of_the_specification_agrees(name: str) -> None:
    """A decoder that knows nothing but the specification is right on every test."""
    results = Results(run("", second_reading.answer, FILES[name], lambda _: None))
    assert results.failures == []
    assert results.is_success


def test_the_second_reading_shares_no_code() -> None:
    """It imports neither the library nor the generator."""
    assert "kmscore" not in Path(second_reading.__file__).read_text("utf-8").partition('"""')[2]


def _openssl(*arguments: str, data: bytes) -> bytes:
    """Return what the command prints, or nothing if it fails."""
    command = ["openssl", "pkeyutl", "-decrypt", *arguments]
    return subprocess.run(command, input=data, capture_output=True, check=False).stdout


def _valid(name: str, operation: str) -> list[VectorTest]:
    return [test for test in FILES[name] if test.is_valid and test.operation == operation]


def test_the_openssl_command_agrees_on_rsa(tmp_path: Path) -> None:
    """Every valid vector of RSAES-OAEP, under the hash of its algorithm."""
    key = tmp_path / "key.der"
    hashes = {
        EncryptionAlgorithm.RSAES_OAEP_SHA_256.value: "sha256",
        EncryptionAlgorithm.RSAES_OAEP_SHA_1.value: "sha1",
    }
    tests = _valid("rsa_oaep", "asymmetric_decrypt")
    assert len(tests) >= 40
    for test in tests:
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
    """Return a ciphertext of SM2 in the one encoding that the command reads."""
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


def test_the_openssl_command_agrees_on_sm2(tmp_path: Path) -> None:
    """Every valid vector of SM2: decryption, conversion (in and out), encryption."""
    key = tmp_path / "key.der"
    decrypting = _valid("sm2pke", "asymmetric_decrypt")
    key.write_bytes(bytes.fromhex(decrypting[0].inputs["private_key"]))

    def plaintext(data: str, encoding: str) -> str:
        der = _as_der(bytes.fromhex(data), encoding)
        return _openssl("-inkey", str(key), "-keyform", "DER", data=der).hex()

    for test in decrypting:
        encoding = "ASN1_DER" if test.inputs["ciphertext"].startswith("30") else "C1C3C2"
        assert plaintext(test.inputs["ciphertext"], encoding) == test.expected["plaintext"]
    for test in _valid("sm2pke", "sm2_encrypt"):
        assert plaintext(test.expected["ciphertext"], "C1C3C2") == test.inputs["plaintext"]
    for test in _valid("sm2pke", "sm2_convert"):
        before = plaintext(test.inputs["ciphertext"], test.inputs["source"])
        after = plaintext(test.expected["converted"], test.inputs["target"])
        assert before == after != "", test.comment


def _set(*path: Any) -> Callable[[Any], None]:
    """Return what puts the last of a path at the place that the others name."""

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
_INVALID = ("testGroups", 0, "tests", 30)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_set("schema", "blob_v2_schema.json"), "schema: 'blob_v1_schema.json' was expected"),
        (
            _set("more", 1),
            "the file: Additional properties are not allowed ('more' was unexpected)",
        ),
        (_set("numberOfTests", 7), "numberOfTests is not 104"),
        (_set("testGroups", []), "testGroups: "),
        (_set("notes", "Other", {"description": "x"}), "notes: Additional properties"),
        (_remove("notes", "Magic"), "the flags of the tests are not those of the notes"),
        (_set("notes", "Magic", {}), "notes/Magic: 'description' is a required property"),
        (_set("testGroups", 0, "type", "guess"), "testGroups/0/type: 'guess' is not one of"),
        (_set("testGroups", 0, "more", 1), "testGroups/0: Additional properties"),
        (_set(*_TEST, "more", 1), "testGroups/0/tests/0: Additional properties"),
        (_set(*_TEST, "flags", ["Other"]), "testGroups/0/tests/0/flags/0: 'Other' is not one of"),
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
        (_set(*_INVALID, "error", "other"), "testGroups/0/tests/30/error: 'other' is not one of"),
        (_remove(*_INVALID, "error"), "testGroups/0/tests/30: 'error' is a required property"),
        (_set(*_INVALID, "tag", "00" * 16), "testGroups/0/tests/30: a field that the result"),
        (_set("testGroups", 2, "tests", 0, "cases", 5), "testGroups/2/tests/0/cases: 10000 was"),
    ],
)
def test_a_file_that_is_not_as_its_schema_says(
    tmp_path: Path, change: Callable[[Any], None], reason: str
) -> None:
    """An unknown field, flag, operation or class of error is refused, and told where it is."""
    document = deepcopy(json.loads(MADE["blob.json"]))
    change(document)
    file = tmp_path / "blob.json"
    file.write_text(json.dumps(document), "ascii")
    with pytest.raises(VectorFileError) as caught:
        list(load(tmp_path, ["blob"]))
    assert str(caught.value).startswith(f"{file}: {reason}")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("name", NAMES)
def test_no_schema_allows_an_unknown_field(tmp_path: Path, name: str) -> None:
    """Not in the file, a note, a group, a test, a trace, a key or a response."""
    whole = json.loads(MADE[f"{name}.json"])
    places = [
        place
        for place in _objects(whole)
        if place != ("notes",) and (len(place) < 4 or place[3] in {0, 40} or "keys" in place)
    ]
    file = tmp_path / f"{name}.json"
    for place in places[:25]:
        document = deepcopy(whole)
        _set(*place, "unheardOf", "")(document)
        file.write_text(json.dumps(document), "ascii")
        with pytest.raises(VectorFileError, match="unheardOf"):
            list(load(tmp_path, [name]))


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
    """What is no JSON, or JSON with a name twice, is told in one line."""
    file = tmp_path / "blob.json"
    file.write_bytes(data)
    with pytest.raises(VectorFileError) as caught:
        list(load(tmp_path))
    assert str(caught.value) == f"{file}{' ' if reason.startswith('is') else ''}{reason}"


def test_a_folder_without_vectors(tmp_path: Path) -> None:
    """No folder, none of the files, and what is there under a file's name but is none."""
    with pytest.raises(VectorFileError, match="nowhere is not a folder"):
        list(load(tmp_path / "nowhere"))
    with pytest.raises(VectorFileError, match=r"blob\.json is missing"):
        list(load(tmp_path))
    (tmp_path / "blob.json").mkdir()
    with pytest.raises(VectorFileError, match=r"blob\.json cannot be read: Is a directory"):
        list(load(tmp_path))


def test_a_long_message_is_cut(tmp_path: Path) -> None:
    """Of a file of a megabyte one line is shown."""
    document = json.loads(MADE["blob.json"])
    document["testGroups"][0]["tests"][0]["blob"] = "zz" * 500_000
    (tmp_path / "blob.json").write_text(json.dumps(document), "ascii")
    with pytest.raises(VectorFileError) as caught:
        list(load(tmp_path))
    assert len(str(caught.value)) < 400


def test_the_folder_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one given; else `vectors` here, if it has any; else the installed one."""
    monkeypatch.chdir(tmp_path)
    assert choose_folder(tmp_path) == tmp_path
    assert choose_folder(None) == installed_folder()
    (tmp_path / "vectors").mkdir()
    assert choose_folder(None) == installed_folder()
    (tmp_path / "vectors" / "blob.json").touch()
    assert choose_folder(None) == Path("vectors")


def test_every_configuration_is_right() -> None:
    """Each SM2 backend, and a key store that is no ring."""
    subjects = []
    for configuration in configurations():
        subjects.append(configuration.name)
        tests = [test for name in configuration.files for test in FILES[name][:-1]]
        results = Results(run("", configuration.ask, tests, lambda _: None))
        assert results.failures == []
    assert subjects[-1].startswith("another KeyProvider")
    assert len(subjects) >= 3


def test_an_exception_of_the_library_is_a_failure() -> None:
    """The verifier goes on, and says what it was."""
    configuration = next(iter(configurations()))
    assert configuration.ask("guess", {}) == {"failure": "KeyError: 'guess'"}
