"""`kmscore explain`: why a ciphertext does not decrypt, and what would decrypt it."""

import base64
import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from support.commands import RING, invoke, problem, write_ring

import kmscore
from kmscore import Keyring, RsaKey, Sm2Key

_CONTEXT = {"tenant": "acme"}
_JSON = '{"tenant":"acme"}'
_PLAINTEXT = b"card 4711 0815"
_BRANCH = Sm2Key.generate(key_id="branch", key_version_id="1")
_ASYMMETRIC = ("--algorithm", "SM2PKE", "--source-key-id", "branch", "--source-version-id", "1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a keyring and ciphertexts."""
    write_ring(tmp_path / "team.keys", Keyring([*RING, _BRANCH]))
    blob = b"%"
    while b"\n" in blob or b"%" in blob:  # either byte can give the blob one form more
        blob = kmscore.encrypt(RING, "orders", _PLAINTEXT, _CONTEXT).ciphertext_blob
    (tmp_path / "blob").write_bytes(blob)
    (tmp_path / "text").write_bytes(base64.b64encode(blob))
    long = kmscore.encrypt(RING, "orders", bytes(range(200)), _CONTEXT).ciphertext_blob
    damaged = bytearray(long)
    damaged[60] ^= 1
    (tmp_path / "damaged").write_bytes(damaged)
    (tmp_path / "random").write_bytes(bytes(100))
    sm2 = kmscore.asymmetric_encrypt(_BRANCH.public_key, "SM2PKE", _PLAINTEXT)
    (tmp_path / "sm2").write_bytes(sm2)
    (tmp_path / "old").write_bytes(kmscore.sm2.convert(sm2, "C1C3C2", "C1C2C3"))
    return tmp_path


def _run(folder: Path, source: str, *options: str | Path, code: int = 1) -> str:
    result = invoke("explain", "-k", folder / "team.keys", *options, folder / source)
    assert (result.exit_code, result.stderr) == (code, ""), result
    assert _PLAINTEXT.decode() not in result.stdout
    return result.stdout


def test_exit_codes_and_texts(folder: Path) -> None:
    """0 for a ciphertext that decrypts, 1 for a finding, 3 for none."""
    assert _run(folder, "blob", "--context", _JSON, code=0) == "It decrypts.\n"
    text = _run(folder, "blob", "--context", '{"tenant":"acne"}')
    assert 'Found: it decrypts if the value of "tenant" is "acme" and not "acne".' in text
    assert text.startswith("It does not decrypt (error decryption).\n")
    nothing = _run(folder, "random", code=3)
    assert "The cause was not found. This does not show" in nothing
    assert "Trials: 8 (header 8).\nTo go on, compare it with its source: " in nothing
    assert "source: no tried" not in _run(folder, "random", "--json", code=3)


def test_a_hint_is_no_end_of_the_search(folder: Path) -> None:
    """A text of Base64 with an unknown context needs other contexts, and no other form."""
    for source in ("blob", "text"):
        text = _run(folder, source, "--context", '{"x":"y"}')
        assert "advice: look for the context in the logs of the program" in text
        assert text.splitlines()[-1].startswith("To try more, give other contexts with --other-")


def test_the_input_is_taken_as_it_was_found(folder: Path) -> None:
    """A text in Base64 is not decoded before the search."""
    text = _run(folder, "text", "--context", _JSON)
    assert "Found: it decrypts if it is decoded from Base64." in text
    assert "code: transport.base64" in text


def test_contexts_to_try(folder: Path) -> None:
    """--other-context is repeatable, and --try-contexts reads a file of JSON lines."""
    others = ["--other-context", '{"a":"b"}', "--other-context", _JSON]
    assert 'the context is {"tenant": "acme"}' in _run(folder, "blob", *others)
    (folder / "tries").write_text('{"a":"b"}\n\n{"tenant":"acme"}\n')
    tried = _run(folder, "blob", "--try-contexts", folder / "tries", "--json")
    document = json.loads(tried)
    (finding,) = document["findings"]
    assert (document["opens"], finding["code"]) == (True, "context.candidate")
    assert finding["change"] == {"context": {"tenant": "acme"}}
    assert document["tried"] == {"transport": 9, "context": 2}


def test_an_asymmetric_ciphertext(folder: Path) -> None:
    """With --algorithm, the encodings of SM2 are tried."""
    assert "It decrypts." in _run(folder, "sm2", *_ASYMMETRIC, code=0)
    assert "read as C1C2C3" in _run(folder, "old", *_ASYMMETRIC)
    other = Sm2Key.generate(key_id="other", key_version_id="1").public_key
    (folder / "foreign").write_bytes(kmscore.asymmetric_encrypt(other, "SM2PKE", _PLAINTEXT))
    text = _run(folder, "foreign", *_ASYMMETRIC, code=3)
    assert text.endswith("\nTo try more, give another key with --source-key-id.\n")


def test_a_label_of_oaep_is_tried(folder: Path, rsa_key: RsaKey) -> None:
    """--label is repeatable, and the advice after a search without a finding has it."""
    write_ring(folder / "team.keys", Keyring([rsa_key]))
    public_key = load_pem_public_key(rsa_key.public_key.to_pem())
    assert isinstance(public_key, RSAPublicKey)
    padding = OAEP(mgf=MGF1(SHA256()), algorithm=SHA256(), label=b"orders")
    (folder / "labelled").write_bytes(public_key.encrypt(_PLAINTEXT, padding))
    ids = ("--source-key-id", rsa_key.key_id, "--source-version-id", rsa_key.key_version_id)
    arguments = ("labelled", "--algorithm", "RSAES_OAEP_SHA_256", *ids)
    text = _run(folder, *arguments, code=3)
    assert text.endswith("\nTo try more, give --label, or another key with --source-key-id.\n")
    text = _run(folder, *arguments, "--label", "x", "--label", "orders")
    assert "code: rsa.label" in text


def test_the_page_begins_with_the_finding(folder: Path) -> None:
    """The page is a new file of mode 0600, and marks the wrong bytes in the map."""
    for source, options in (
        ("damaged", ["--context", _JSON]),
        ("blob", ["--context", '{"tenant":"acne"}']),
        ("old", [*_ASYMMETRIC]),
        ("text", ["--context", '{"tenant":"acne"}']),
        ("blob", ["--context", "{}", "--other-context", '{"tenant":"acne"}']),
        ("random", []),
    ):
        page = folder / f"{source}{len(options)}.html"
        shown = _run(folder, source, *options, "--html", page, code=3 if source == "random" else 1)
        assert shown == ""
        assert stat.S_IMODE(page.stat().st_mode) == 0o600
        text = page.read_text("utf-8")
        assert text.index("What would open it") < text.index("<main>")
        marked = text.count(' wrong"')
        assert bool(marked) == (source in {"damaged", "blob"} and len(options) == 2)
    page = folder / "good.html"
    _run(folder, "blob", "--context", _JSON, "--html", page, code=0)
    assert "What would open it" not in page.read_text("utf-8")


def test_the_budget_is_an_option(folder: Path) -> None:
    """A small budget ends the search, and the text says so."""
    text = _run(folder, "blob", "--context", '{"x":"y"}', "--budget", "5")
    assert "The budget ended the search.\n" in text
    for shown in (text, _run(folder, "random", "--budget", "1", code=3)):
        assert shown.endswith("\nTo try more, give a larger --budget, or fewer contexts.\n")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--json", "--html", "x"], "--json and --html exclude each other"),
        (["--algorithm", "SM2PKE"], "--algorithm needs --source-key-id"),
        (["--source-key-id", "a"], "need --algorithm"),
        ([*_ASYMMETRIC, "--context", "{}"], "--algorithm and --context exclude each other"),
        (["--context", "[]"], "invalid_context: "),
        (["--other-context", "{"], "--other-context: "),
        (["--label", "x"], "--label needs --algorithm"),
        ([*_ASYMMETRIC, "--label", "x"], "--label needs an algorithm of OAEP"),
        ([*_ASYMMETRIC, "--other-context", "{}"], "--algorithm excludes --other-context"),
        (
            ["--algorithm", "SM2", *_ASYMMETRIC[2:]],
            "unsupported_algorithm: unknown --algorithm: not one of ",
        ),
        (["--budget", "0"], "--budget"),
    ],
)
def test_options_that_exclude_each_other(folder: Path, options: list[str], expected: str) -> None:
    """A conflict of options is one line and exit code 2."""
    result = invoke("explain", "-k", folder / "team.keys", *options, folder / "blob")
    assert expected in problem(result)


def test_a_file_of_contexts_that_is_no_text(folder: Path) -> None:
    """Bytes that are not UTF-8, and lines that are not contexts, are problems in one line."""
    (folder / "tries").write_bytes(b"\xff")
    arguments = ["explain", "-k", folder / "team.keys", "--try-contexts", folder / "tries"]
    assert "not UTF-8" in problem(invoke(*arguments, folder / "blob"))
    (folder / "tries").write_text("[]\n")
    assert "tries: line 1: " in problem(invoke(*arguments, folder / "blob"))
