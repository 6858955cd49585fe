"""`kmscore encrypt`, `decrypt` and `reencrypt`: one ciphertext, from and to files and pipes."""

import os
import stat
import subprocess
from pathlib import Path

import pytest
from support.commands import (
    NEW,
    RING,
    base64_of,
    command,
    environment,
    invoke,
    opened,
    problem,
    run,
    seal,
    write_ring,
)
from support.samples import sampled

import kmscore
from kmscore import EncryptionAlgorithm, Keyring, RsaKey
from kmscore.cli import files
from kmscore.cli.new_file import NewFile
from kmscore.cli.problems import FileProblem
from kmscore.tables.disk import sync_folder

_CONTEXT = '{"tenant":"acme"}'

_BASE64 = "invalid_blob: not a v1 ciphertext blob, but Base64 of one: "
_RAW = "leave out --base64 for raw bytes"


def test_round_trip_through_files(ring_file: Path) -> None:
    """The plaintext stays the same, and every written file has mode 0600."""
    folder = ring_file.parent
    names = [folder / name for name in ("plain", "sealed", "moved", "again")]
    names[0].write_bytes(bytes(range(256)))
    steps = (
        ("encrypt", "--key-id", "orders"),
        ("reencrypt", "--destination", "other", "--keep-context"),
        ("decrypt",),
    )
    for (name, *options), source, out in zip(steps, names, names[1:], strict=False):
        result = invoke(name, "-k", ring_file, "--context", _CONTEXT, *options, source, out)
        assert (result.exit_code, result.output) == (0, ""), result
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert names[3].read_bytes() == names[0].read_bytes()
    blob = kmscore.CiphertextBlob.parse(names[2].read_bytes())
    assert blob.key_id == "other"


@pytest.mark.parametrize("options", sampled([["--base64"], []], 2))
def test_round_trip_through_pipes(ring_file: Path, options: list[str]) -> None:
    """Separate processes read and write bytes, or Base64 with `--base64`."""
    where = ("-k", ring_file, *options)
    sealed = run("encrypt", *where, "--key-id", "orders", data=b"\x00\xff\n")
    moved = run("reencrypt", *where, "--destination", "other", data=sealed.stdout)
    plain = run("decrypt", *where, data=moved.stdout)
    assert [each.stderr for each in (sealed, moved, plain)] == [b"", b"", b""]
    assert plain.stdout == b"\x00\xff\n"
    assert sealed.stdout.startswith(b"S01TAQ" if options else b"KMS\x01")


def test_the_keyring_can_be_named_in_the_environment(ring_file: Path) -> None:
    """`KMSCORE_KEYRING` names the file as the option does."""
    result = invoke(
        "decrypt",
        data=seal(b"4711"),
        env={
            "KMSCORE_KEYRING": str(ring_file),
            "KMSCORE_PASSPHRASE": "correct horse battery staple",
        },
    )
    assert result.stdout == "4711"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ((), "with --context, give --keep-context or --destination-context"),
        (
            ("--keep-context", "--destination-context", "{}"),
            "--keep-context and --destination-context exclude each other",
        ),
    ],
)
def test_reencrypt_does_not_guess_the_new_context(
    ring_file: Path, options: tuple[str, ...], reason: str
) -> None:
    """The library's default is the empty context, and users expect the old one."""
    where = ("reencrypt", "-k", ring_file, "--destination", "orders", "--context", _CONTEXT)
    assert problem(invoke(*where, *options, data=seal(b"4711", {"tenant": "acme"}))) == reason


def test_keep_context_needs_a_context(ring_file: Path) -> None:
    """Without --context, there is no context to keep."""
    where = ("reencrypt", "-k", ring_file, "--destination", "orders", "--keep-context")
    assert problem(invoke(*where, data=seal(b"4711"))) == "--keep-context needs --context"


def test_reencrypt_keeps_or_changes_the_context(ring_file: Path) -> None:
    """`--keep-context` keeps it, and `--destination-context` is the new one."""
    where = ("reencrypt", "-k", ring_file, "--destination", "orders", "--context", _CONTEXT)
    blob = seal(b"4711", {"tenant": "acme"})
    kept = invoke(*where, "--keep-context", data=blob).stdout_bytes
    assert opened(kept, {"tenant": "acme"}).key_version_id == NEW.key_version_id
    changed = invoke(*where, "--destination-context", "{}", data=blob).stdout_bytes
    assert opened(changed).plaintext == b"4711"


def test_reencrypt_of_an_asymmetric_ciphertext(tmp_path: Path, rsa_key: RsaKey) -> None:
    """The caller names key, version and algorithm, and can give the result a context."""
    path = write_ring(tmp_path / "team.keys", Keyring([*RING, rsa_key]))
    algorithm = EncryptionAlgorithm.RSAES_OAEP_SHA_256
    data = kmscore.asymmetric_encrypt(rsa_key.public_key, algorithm, b"from afar")
    where = ("reencrypt", "-k", path, "--destination", "orders", "--algorithm", algorithm.value)
    names = ("--source-key-id", "rsa-2048", "--source-version-id", "v1")
    result = invoke(*where, *names, "--destination-context", _CONTEXT, data=data)
    assert opened(result.stdout_bytes, {"tenant": "acme"}).plaintext == b"from afar"
    said = problem(invoke(*where, *names[:2], data=data))
    assert said == "--algorithm needs --source-key-id and --source-version-id"


_OFF = "key_state: version 1 of key off is primary and is in the state Disabled; see `kmscore keys"


@pytest.mark.parametrize(
    ("arguments", "data", "reason"),
    [
        (["encrypt", "--key-id", "nobody"], b"", "key_not_found: no key 'nobody'"),
        (["encrypt", "--key-id", "off"], b"", _OFF),
        (["encrypt", "--key-id", ""], b"", "key_not_found: no key has this key ID: it is not 1 to"),
        (["encrypt", "--key-id", "orders"], bytes(6145), "-: more than 6,144 bytes"),
        (
            ["encrypt", "--key-id", "orders", "--context", "["],
            b"",
            "invalid_context: encryption context must",
        ),
        (
            ["decrypt"],
            b"junk",
            "invalid_blob: not a v1 ciphertext blob: does not begin with the magic",
        ),
        (["decrypt"], base64_of(seal(b"4711")).encode(), f"{_BASE64}give --base64"),
        (["reencrypt", "--destination", "off"], b"S01TAQ==", f"{_BASE64}give --base64"),
        (["decrypt"], seal(b"4711", {"a": "b"}), "decryption: "),
        (["decrypt"], bytes(70_000), "-: more than 65,536 bytes"),
        (["decrypt", "--base64"], b"S01T AQ==", f"-: not strict Base64; {_RAW}"),
        (
            ["reencrypt", "--destination", "nobody"],
            seal(b"4711"),
            "key_not_found: no key 'nobody'",
        ),
        (["reencrypt", "--destination", "off"], seal(b"4711"), _OFF),
        (
            ["reencrypt", "--destination", "orders", "--source-key-id", "other"],
            seal(b"4711"),
            "incorrect_key: the ciphertext names another source key than the caller",
        ),
        (
            [
                *("reencrypt", "--destination", "orders", "--algorithm", "RSA"),
                *("--source-key-id", "a", "--source-version-id", "b"),
            ],
            b"",
            "unsupported_algorithm: unknown --algorithm: not one of RSAES_OAEP_SHA_256, ",
        ),
    ],
)
def test_a_failed_command_shows_its_error_code(
    ring_file: Path, arguments: list[str], data: bytes, reason: str
) -> None:
    """One line has the code of the error, the exit code is 2, and standard output is empty."""
    first, *rest = arguments
    assert problem(invoke(first, "-k", ring_file, *rest, data=data)).startswith(reason)


def test_an_asymmetric_destination_is_rejected(tmp_path: Path, rsa_key: RsaKey) -> None:
    """An asymmetric key cannot be the destination."""
    path = write_ring(tmp_path / "team.keys", Keyring([*RING, rsa_key]))
    result = invoke("reencrypt", "-k", path, "--destination", "rsa-2048", data=seal(b"4711"))
    assert problem(result).startswith("key_usage: ")


def test_a_missing_folder_of_the_output_is_reported(ring_file: Path) -> None:
    """The line has the name of the folder, and not that of a temporary file in it."""
    out = ring_file.parent / "none" / "out"
    result = invoke("encrypt", "-k", ring_file, "--key-id", "orders", "-", out, data=b"4711")
    assert problem(result) == f"{out.parent}: No such file or directory"


def test_an_existing_output_is_not_overwritten(ring_file: Path) -> None:
    """This holds also for the input, the keyring, and a link without a target."""
    source, link = ring_file.with_name("in"), ring_file.with_name("link")
    source.write_bytes(seal(b"4711"))
    link.symlink_to("nowhere")
    before = source.read_bytes()
    for out in (source, link, ring_file):
        result = invoke("decrypt", "-k", ring_file, source, out)
        assert problem(result) == f"{out} exists already; use another output path"
    assert source.read_bytes() == before
    assert not link.exists()


def test_a_missing_file_is_named(ring_file: Path) -> None:
    """A missing input, keyring or output folder is named."""
    missing = ring_file.with_name("missing")
    for arguments in (
        ("decrypt", "-k", ring_file, missing),
        ("decrypt", "-k", missing),
        ("encrypt", "-k", ring_file, "--key-id", "orders", "-", missing / "out"),
    ):
        said = problem(invoke(*arguments))
        assert said.startswith(str(missing))
        assert said.endswith(": No such file or directory")


def test_a_full_standard_output_is_reported(ring_file: Path) -> None:
    """Bytes and text give one line and exit code 2."""
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    blob = seal(b"4711")
    for arguments in (("decrypt", "-k", ring_file), ("inspect",), ("inspect", "--json")):
        with Path("/dev/full").open("wb") as full:
            result = subprocess.run(
                command(*arguments),
                input=blob,
                stdout=full,
                stderr=subprocess.PIPE,
                check=False,
                env=environment(),
            )
        assert result.returncode == 2
        assert result.stderr.decode().count("\n") == 1
        assert result.stderr.endswith(b": No space left on device\n")


def test_closed_standard_streams_are_reported(
    ring_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python uses `None` for a closed stream, which gives a clear message."""
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(FileProblem, match="standard input is closed"):
        files.read_file(files.STANDARD, limit=1)
    process = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *command("decrypt", "-k", ring_file)],
        capture_output=True,
        check=False,
        env=environment(),
    )
    assert (process.returncode, process.stderr.count(b"\n")) == (2, 1)
    assert b"standard input is closed" in process.stderr


@pytest.mark.parametrize("number", [1, 95, 38])
def test_an_output_is_complete_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """The new file is complete, and does not overwrite another file."""

    def fail(*_: object) -> None:
        raise OSError(number, "no links here")

    monkeypatch.setattr(os, "link", fail)
    path = tmp_path / "out"
    files.write_output(path, b"first")
    with pytest.raises(FileProblem, match="exists already; use another output path"):
        files.write_output(path, b"second")
    assert path.read_bytes() == b"first"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_other_errors_of_a_link_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a missing support for hard links leads to the other method."""

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "link", fail)
    with pytest.raises(FileProblem, match="Input/output error"):
        files.write_output(tmp_path / "out", b"data")
    assert list(tmp_path.iterdir()) == []


def test_a_new_file_is_written_once(tmp_path: Path) -> None:
    """A second write fails, because the temporary name no longer exists."""
    with NewFile(tmp_path / "file") as new:
        new.replace(b"first")
        with pytest.raises(FileProblem, match="has been written"):
            new.replace(b"second")
    assert (tmp_path / "file").read_bytes() == b"first"


@pytest.mark.parametrize("is_there", [True, False])
def test_the_temporary_file_of_another_command_is_not_renamed(
    tmp_path: Path, is_there: bool
) -> None:
    """A temporary file that was removed and created again can belong to another command."""
    path, beside = tmp_path / "file", tmp_path / ".file.new"
    path.write_bytes(b"all there is")
    with NewFile(path) as new:
        beside.unlink()
        if is_there:
            beside.touch()
        with pytest.raises(FileProblem, match="belongs to another command; nothing was changed"):
            new.replace(b"second")
    assert path.read_bytes() == b"all there is"
    assert beside.exists() == is_there


@pytest.mark.skipif(os.name == "nt", reason="owners are POSIX's")
@pytest.mark.parametrize("may_give", [True, False])
def test_a_file_keeps_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, may_give: bool
) -> None:
    """A changed file keeps its owner, if the process has the right to set the owner."""
    path = tmp_path / "file"
    path.touch()
    try:
        os.chown(path, 4242, -1)
    except PermissionError:
        pytest.skip("to give a file away takes rights")
    if not may_give:
        monkeypatch.setattr(os, "fchown", _fail)
    with NewFile(path) as new:
        new.replace(b"new")
    assert path.stat().st_uid == (4242 if may_give else os.getuid())
    assert path.stat().st_mode & 0o777 == 0o600


def _fail(*_: object) -> None:
    raise PermissionError


def test_folders_are_not_synced_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows, a folder cannot be opened as a file."""
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "missing")
    opened: list[object] = []
    monkeypatch.setattr(os, "open", lambda *arguments: opened.append(arguments))
    monkeypatch.setattr(os, "name", "nt")
    sync_folder(tmp_path / "missing")
    monkeypatch.undo()
    assert opened == []
