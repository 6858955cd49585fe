"""`kmscore` on the command line: the demo, the version, and a missing extra."""

import runpy
import subprocess
import sys
from collections.abc import Callable
from io import StringIO

import pytest
from rich.console import Console
from support.samples import sampled
from typer.testing import CliRunner

import kmscore
from kmscore import DecryptionError, InvalidBlobError, PlaintextSizeError
from kmscore.cli import app, demo, main
from kmscore.cli.published import published_ciphertexts


def _run(*arguments: str, width: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run `python -m kmscore` in a separate process, with pipes."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "kmscore", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={"PYTHONIOENCODING": "utf-8"} | ({"COLUMNS": str(width)} if width else {}),
    )


@pytest.mark.parametrize("width", sampled([60, 80, 120], 3))
def test_the_demo_succeeds_and_shows_each_case_at_any_width(width: int) -> None:
    """The demo exits with 0 and shows algorithms, suites, sizes and errors at each width."""
    result = _run("demo", width=width)
    assert (result.returncode, result.stderr) == (0, "")
    assert max(map(len, result.stdout.splitlines())) <= width
    for text in ("SM2PKE", "SM4_GCM", "256 bytes", "DecryptionError", "incorrect_key"):
        assert text in result.stdout
    assert "5 ciphertexts re-encrypted, 3 rejected, all as they must be." in result.stdout
    assert "\x1b" not in result.stdout, "a pipe gets plain lines"
    assert "…" not in result.stdout, "nothing is cut off"


def test_the_demo_exits_with_0() -> None:
    """In this process, the exit code is 0 and standard error is empty."""
    result = CliRunner().invoke(app.app, ["demo"])
    assert (result.exit_code, result.stderr) == (0, ""), result


def test_the_demo_has_a_published_ciphertext_for_each_algorithm() -> None:
    """The key of each published ciphertext decrypts it to its plaintext."""
    published = published_ciphertexts()
    assert {row.algorithm for row in published} == set(kmscore.EncryptionAlgorithm)
    for row in published:
        keys = kmscore.Keyring([row.key])
        opened = kmscore.asymmetric_decrypt(
            keys, row.key.key_id, row.key.key_version_id, row.algorithm, row.ciphertext
        )
        assert opened.plaintext == row.plaintext


def test_the_demo_fails_if_a_plaintext_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a plaintext other than the published one, the demo exits with 1 and says so."""
    altered = tuple(row._replace(plaintext=b"another") for row in published_ciphertexts())
    monkeypatch.setattr(demo, "published_ciphertexts", lambda: altered)
    result = CliRunner().invoke(app.app, ["demo"])
    assert result.exit_code == 1, result
    assert "DIFFERS" in result.stdout
    assert "3 of 8 came out wrong." in result.stdout


@pytest.mark.parametrize("outcome", ["accepted", "other error"])
def test_the_demo_fails_without_an_expected_error(
    monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    """The demo fails if a call succeeds, or raises another error."""

    def attempt() -> None:
        if outcome == "other error":
            raise InvalidBlobError("of another kind")

    reject: Callable[..., demo.Rejected] = demo._reject
    monkeypatch.setattr(
        demo, "_reject", lambda name, _call, expected: reject(name, attempt, expected)
    )
    console = Console(file=StringIO())
    assert not demo.show(console)


def test_the_demo_reports_a_missing_algorithm_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An error of the library gives one line on standard error and exit code 1."""

    def fail() -> tuple[()]:
        raise PlaintextSizeError("stand-in")

    monkeypatch.setattr(demo, "published_ciphertexts", fail)
    result = CliRunner().invoke(app.app, ["demo"])
    assert result.exit_code == 1, result
    assert result.stderr == "kmscore: plaintext_size: stand-in\n"


def test_the_demo_checks_the_class_of_an_error() -> None:
    """The check accepts only the error class that it names."""

    def fail() -> None:
        raise DecryptionError

    assert demo._reject("attempt", fail, DecryptionError).succeeded
    assert not demo._reject("attempt", fail, InvalidBlobError).succeeded


def test_the_version_is_that_of_the_package() -> None:
    """`--version` prints only the version."""
    result = _run("--version")
    assert (result.returncode, result.stdout) == (0, f"kmscore {kmscore.__version__}\n")


def test_without_a_command_the_help_is_shown() -> None:
    """A missing command gives exit code 2 and the help."""
    result = _run()
    assert result.returncode == 2
    assert "demo" in result.stdout + result.stderr


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_the_extra_one_line_names_it(missing: str) -> None:
    """Without the extra, `kmscore` prints one line with its name, and exits with 2."""
    code = f"import sys; sys.modules[{missing!r}] = None; from kmscore.cli import main; main()"
    result = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, check=False)
    assert (result.returncode, result.stdout) == (2, b"")
    assert (
        result.stderr.decode()
        == "kmscore: the command line needs the extra cli: pip install 'kmscore[cli]'\n"
    )


def test_another_missing_module_is_not_reported_as_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A missing module of this package is a fault of the installation, and raises its error."""
    monkeypatch.delitem(sys.modules, "kmscore.cli.app")
    monkeypatch.setitem(sys.modules, "kmscore.cli.demo", None)
    monkeypatch.delattr("kmscore.cli.demo")
    with pytest.raises(ModuleNotFoundError, match=r"kmscore\.cli\.demo"):
        main()


def test_without_the_extra_main_exits_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process, the exit code is 2 with one line on standard error."""
    monkeypatch.delitem(sys.modules, "kmscore.cli.app")
    monkeypatch.setitem(sys.modules, "typer", None)
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_package_runs_as_a_module(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`python -m kmscore` is the same command."""
    monkeypatch.setattr(sys, "argv", ["kmscore", "--version"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("kmscore", run_name="__main__")
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"kmscore {kmscore.__version__}\n"
