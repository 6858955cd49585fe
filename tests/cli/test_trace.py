"""`kmscore trace`: every byte and every value of one operation."""

import json
import stat
import subprocess
from pathlib import Path

import pytest
from support.commands import RING, command, environment, invoke, problem, write_ring
from support.terminal import at_terminal

import kmscore
from kmscore import Keyring, Sm2Key, audit
from kmscore.audit.primitives import PRIMITIVES
from kmscore.audit.records import Secrecy

_CONTEXT = '{"tenant":"acme"}'
_PLAINTEXT = b"card 4711 0815"
_BRANCH = Sm2Key.generate(key_id="branch", key_version_id="1")
_KEYS = Keyring([*RING, _BRANCH])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a keyring, a plaintext, a blob and an SM2 ciphertext."""
    write_ring(tmp_path / "team.keys", _KEYS)
    (tmp_path / "plain").write_bytes(_PLAINTEXT)
    blob = kmscore.encrypt(RING, "orders", _PLAINTEXT, json.loads(_CONTEXT)).ciphertext_blob
    (tmp_path / "blob").write_bytes(blob)
    sm2 = kmscore.asymmetric_encrypt(_BRANCH.public_key, "SM2PKE", _PLAINTEXT)
    (tmp_path / "sm2").write_bytes(sm2)
    return tmp_path


def _trace(folder: Path, name: str, source: str, *options: str | Path) -> list[str | Path]:
    return ["trace", name, "-k", folder / "team.keys", *options, folder / source]


_ASYMMETRIC = ("--algorithm", "SM2PKE", "--source-key-id", "branch", "--source-version-id", "1")


@pytest.mark.parametrize(
    ("name", "source", "options", "first"),
    [
        ("encrypt", "plain", ["--key-id", "orders"], "Encryption succeeds."),
        ("decrypt", "blob", ["--context", _CONTEXT], "Decryption succeeds."),
        ("decrypt", "sm2", [*_ASYMMETRIC], "Asymmetric decryption succeeds."),
        (
            "reencrypt",
            "blob",
            ["--destination", "other", "--context", _CONTEXT, "--keep-context"],
            "Re-encryption succeeds.",
        ),
        ("reencrypt", "sm2", ["--destination", "other", *_ASYMMETRIC], "Re-encryption succeeds."),
    ],
)
def test_each_operation_as_text_json_and_page(
    folder: Path, name: str, source: str, options: list[str], first: str
) -> None:
    """Text and JSON go to standard output, the page to a new file of mode 0600."""
    shown = invoke(*_trace(folder, name, source, *options))
    assert (shown.exit_code, shown.stderr) == (0, ""), shown
    assert shown.stdout.startswith(first)
    assert "\x1b" not in shown.stdout
    document = json.loads(invoke(*_trace(folder, name, source, *options, "--json")).stdout)
    assert (document["outcome"], document["trusted"]) == ("ok", True)
    page = folder / "trace.html"
    written = invoke(*_trace(folder, name, source, *options, "--html", page))
    assert (written.exit_code, written.output) == (0, "")
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert page.read_text("utf-8").startswith("<!doctype html>")
    for text in (shown.stdout, page.read_text("utf-8")):
        assert _PLAINTEXT.decode() not in text
        assert _PLAINTEXT.hex(" ") not in text


def test_a_failure_has_exit_code_1_and_its_step(folder: Path) -> None:
    """The text begins with the step that failed, and the error."""
    result = invoke(*_trace(folder, "decrypt", "blob", "--context", '{"tenant":"evil"}'))
    assert (result.exit_code, result.stderr) == (1, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "Decryption fails in the step “Compute the tag”, with the error decryption."
    assert "    ✕ tag = T, in all 16 bytes (else decryption)" in lines


def test_the_contexts_of_a_re_encryption(folder: Path) -> None:
    """The new context is that of --destination-context, or none."""
    for options, pairs in (
        (["--destination-context", '{"a":"b"}'], 1),
        (["--destination-context", "{}"], 0),
        (["--keep-context"], 1),
    ):
        arguments = ["--destination", "other", "--context", _CONTEXT, *options, "--json"]
        document = json.loads(invoke(*_trace(folder, "reencrypt", "blob", *arguments)).stdout)
        values = {value["id"]: value for step in document["steps"] for value in step["values"]}
        assert ("destination.key1" in values) == bool(pairs)


def test_reveal_shows_the_plaintext_in_a_page_alone(folder: Path) -> None:
    """With --reveal, the page has the plaintext; message also shows the derived key."""
    for level, derived in (("plaintext", False), ("message", True)):
        page = folder / f"{level}.html"
        options = ["--context", _CONTEXT, "--html", page, "--reveal", level]
        assert invoke(*_trace(folder, "decrypt", "blob", *options)).exit_code == 0
        assert stat.S_IMODE(page.stat().st_mode) == 0o600
        blob = (folder / "blob").read_bytes()
        trace = audit.trace_decrypt(_KEYS, blob, json.loads(_CONTEXT))
        text = page.read_text("utf-8")
        assert _PLAINTEXT.decode() in text
        for value in trace.values.values():
            if value.id.startswith("derived_key_"):
                assert (value.data.hex(" ") in _spaced(text)) == derived
            if value.secrecy is Secrecy.KEY:
                assert value.data.hex(" ") not in _spaced(text)


def _spaced(page: str) -> str:
    """Return the bytes of a page with a space after each."""
    return " ".join(part[:2] for part in page.replace("<s>", "\n").split("\n")[1:])


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("decrypt", ["--reveal", "plaintext"], "--reveal needs --html with a new file"),
        ("decrypt", ["--reveal", "plaintext", "--html", "-"], "--reveal needs --html"),
        ("decrypt", ["--reveal", "plaintext", "--json"], "--reveal needs --html"),
        ("decrypt", ["--reveal", "key", "--html", "x"], "'key' is not one of"),
        ("decrypt", ["--json", "--html", "x"], "--json and --html exclude each other"),
        ("decrypt", ["--source-key-id", ""], "--source-key-id and --source-version-id need"),
        ("decrypt", ["--algorithm", "SM2PKE"], "--algorithm needs --source-key-id"),
        ("decrypt", [*_ASYMMETRIC, "--context", "{}"], "--algorithm and --context exclude"),
        ("decrypt", [*_ASYMMETRIC, "--source-profile", "alibaba"], "needs --source-profile v1"),
        ("decrypt", ["--context", "[]"], "invalid_context: "),
        ("encrypt", [], "Missing option '--key-id'"),
        ("reencrypt", ["--destination", "other", "--context", "{}"], "give --keep-context or"),
        ("reencrypt", ["--destination", "other", "--keep-context"], "needs --context"),
        ("encrypt", ["--key-id", "orders", "--allow-ambiguous"], "--allow-ambiguous needs a"),
        ("decrypt", ["--allow-ambiguous"], "--allow-ambiguous needs a profile of the service"),
        ("reencrypt", ["--destination", "other", "--allow-ambiguous"], "--allow-ambiguous needs"),
    ],
)
def test_options_that_exclude_each_other(
    folder: Path, name: str, options: list[str], expected: str
) -> None:
    """A conflict of options is one line and exit code 2."""
    assert expected in problem(invoke(*_trace(folder, name, "blob", *options)))


def test_a_page_does_not_replace_a_file(folder: Path) -> None:
    """An existing file stays, and a path without a name is a problem in one line."""
    arguments = _trace(folder, "decrypt", "blob", "--context", _CONTEXT, "--html")
    assert "exists already" in problem(invoke(*arguments[:-1], folder / "plain", arguments[-1]))
    assert (folder / "plain").read_bytes() == _PLAINTEXT
    assert "not the name of a file" in problem(invoke(*arguments[:-1], ".", arguments[-1]))


def test_a_disagreement_has_exit_code_3(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the trace and the library disagree, the error stream says to trust neither."""
    wrong = dict(PRIMITIVES) | {"double": lambda block: block}
    monkeypatch.setattr("kmscore.audit.notes.PRIMITIVES", wrong)
    result = invoke(*_trace(folder, "decrypt", "blob", "--context", _CONTEXT))
    assert result.exit_code == 3
    assert "trust neither" in result.stderr
    assert "✕ how the operation ends" in result.stdout


def test_a_terminal_shows_colours_and_a_pipe_does_not(folder: Path) -> None:
    """On a terminal, titles are bold and checks are green; through a pipe there is no escape."""
    arguments = list(map(str, _trace(folder, "decrypt", "blob", "--context", _CONTEXT)))
    code, shown = at_terminal(*command(*arguments))
    assert code == 0
    assert "\x1b[32m" in shown
    assert "\x1b[1m" in shown
    piped = subprocess.run(
        command(*arguments), env=environment(), capture_output=True, text=True, check=True
    )
    assert "\x1b" not in piped.stdout


def test_a_closed_pipe_is_not_an_error_of_the_operation(folder: Path) -> None:
    """A reader that stops early, such as `head`, gets no traceback."""
    arguments = list(map(str, _trace(folder, "decrypt", "blob", "--context", _CONTEXT)))
    with subprocess.Popen(
        command(*arguments), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.parametrize(("variables", "has_colours"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_of_a_terminal_can_be_turned_off(
    tmp_path: Path, variables: dict[str, str], has_colours: bool
) -> None:
    """NO_COLOR turns them off, as for the other commands."""
    path, source = write_ring(tmp_path / "team.keys"), tmp_path / "in"
    source.write_bytes(b"4711")
    words = ("trace", "encrypt", "-k", path, "--key-id", "orders", source)
    code, shown = at_terminal(*command(*words), **variables)
    assert (code, "\x1b[" in shown) == (0, has_colours)
