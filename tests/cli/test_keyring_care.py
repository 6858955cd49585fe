"""Care of a keyring file: removed versions, new passphrases, public keys, encrypted key files."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)
from support.commands import (
    ENVIRONMENT,
    NEW,
    OLD,
    OTHER,
    PASSPHRASE,
    RING,
    command,
    environment,
    invoke,
    opened,
    problem,
    read_ring,
    run,
    seal,
    write_ring,
)
from support.samples import sampled, sampled_rows
from support.terminal import at_terminal, without_variable
from support.time_limits import PATIENCE

from kmscore import Keyring, KeySpec, PublicKey, RsaKey, Sm2Key, SymmetricKey, keyfile
from kmscore.cli import ciphertext_file, files, keys
from kmscore.cli.problems import FileProblem
from kmscore.errors import DecryptionError
from kmscore.keyfile import ScryptParameters

pytestmark = pytest.mark.usefixtures("in_time")

_NEW = "another long passphrase"


def _ids(path: Path) -> list[tuple[str, str]]:
    return [(key.key_id, key.key_version_id) for key in read_ring(path)]


def test_an_old_version_is_removed(ring_file: Path) -> None:
    """All other versions, their order and the primary versions stay."""
    result = invoke("keys", "remove", ring_file, "orders", "1", "--yes")
    assert (result.exit_code, result.stdout) == (0, "orders: version 1 is removed\n"), result
    assert _ids(ring_file) == [("orders", "2"), ("other", "1"), ("off", "1")]
    assert read_ring(ring_file).primary("orders").key_version_id == "2"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (
            ("orders", "2", "--yes"),
            "orders: version 2 is primary, and is not removed; `kmscore keys rotate` makes",
        ),
        (("other", "1", "--yes"), "other: version 1 is primary, and is not removed"),
        (("orders", "9", "--yes"), "key_version_not_found: "),
        (("nobody", "1", "--yes"), "key_not_found: "),
        (("orders", "1"), "not removed: give --yes, or run this in a terminal"),
    ],
)
def test_a_version_that_cannot_be_removed(
    ring_file: Path, arguments: tuple[str, ...], reason: str
) -> None:
    """One line says why, and the file does not change."""
    before = ring_file.read_bytes()
    assert problem(invoke("keys", "remove", ring_file, *arguments)).startswith(reason)
    assert ring_file.read_bytes() == before


@pytest.mark.parametrize(
    ("answer", "is_removed"), sampled_rows([("y", True), ("", False), ("n", False)], 2)
)
def test_a_removal_is_confirmed_at_a_terminal(
    ring_file: Path, answer: str, is_removed: bool
) -> None:
    """The question names the version; the default answer is no."""
    typed = f"{answer}\n".encode()
    code, shown = at_terminal(*command("keys", "remove", ring_file, "orders", "1"), typed=typed)
    assert "Remove version 1 of key orders for ever? [y/N]: " in shown
    assert (code == 0) is is_removed
    assert (("orders", "1") not in _ids(ring_file)) is is_removed


def test_the_passphrase_is_changed(ring_file: Path) -> None:
    """The old one opens the file no more, and the keys stay."""
    variables = {"KMSCORE_PASSPHRASE": PASSPHRASE.decode(), "KMSCORE_NEW_PASSPHRASE": _NEW}
    result = invoke("keys", "passphrase", ring_file, env=variables)
    assert (result.exit_code, result.output) == (0, f"{ring_file}: the passphrase is changed\n")
    with pytest.raises(DecryptionError):
        read_ring(ring_file)
    keyring = keyfile.open_keyring(ring_file.read_bytes(), _NEW.encode())
    assert [key.key_version_id for key in keyring] == [key.key_version_id for key in RING]
    assert opened(seal(b"text", key=NEW)).plaintext == b"text"


@pytest.mark.parametrize("n", sampled([1 << 14, 1 << 18], 2))
def test_a_new_passphrase_keeps_a_higher_cost(tmp_path: Path, n: int) -> None:
    """A lower cost is raised to the default."""
    path = tmp_path / "team.keys"
    parameters = ScryptParameters(n=n)
    path.write_bytes(keyfile.seal_keyring(Keyring([OLD]), PASSPHRASE, parameters=parameters))
    variables = {"KMSCORE_PASSPHRASE": PASSPHRASE.decode(), "KMSCORE_NEW_PASSPHRASE": _NEW}
    assert invoke("keys", "passphrase", path, env=variables).exit_code == 0
    assert keyfile.read_parameters(path.read_bytes()).n == max(n, ScryptParameters().n)


def test_a_new_passphrase_is_typed_twice(ring_file: Path) -> None:
    """The prompts show nothing of it; a wrong old passphrase asks for no new one."""
    new = _NEW.encode()
    typed = b"\n".join([PASSPHRASE, new, new, b""])
    code, shown = without_variable("keys", "passphrase", ring_file, typed=typed)
    assert (code, shown.count("New passphrase: ")) == (0, 1), shown
    assert _NEW not in shown
    assert keyfile.open_keyring(ring_file.read_bytes(), new)
    code, shown = without_variable("keys", "passphrase", ring_file, typed=b"wrong\n")
    assert (code, "New passphrase" in shown) == (2, False)


def test_the_passphrases_are_read_from_descriptors(ring_file: Path) -> None:
    """A script needs neither environment nor terminal."""
    ends = [os.pipe(), os.pipe()]
    for (_, end), passphrase in zip(ends, (PASSPHRASE, _NEW.encode()), strict=True):
        os.write(end, passphrase + b"\n")
        os.close(end)
    (old, _), (new, _) = ends
    options = ("--passphrase-fd", str(old), "--new-passphrase-fd", str(new))
    done = subprocess.run(
        command("keys", "passphrase", ring_file, *options),
        pass_fds=(old, new),
        env=environment(),
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert keyfile.open_keyring(ring_file.read_bytes(), _NEW.encode())


@pytest.mark.parametrize(
    ("command_words", "option"),
    [
        (("passphrase", "{ring}"), "--new-passphrase-fd"),
        (
            ("import", "{ring}", "{ring}", "--key-id", "k", "--version-id", "1", "--spec", "SM4"),
            "--material-passphrase-fd",
        ),
    ],
)
@pytest.mark.parametrize("is_open", sampled([False, True], 2))
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such shell")
def test_a_second_descriptor_is_open_and_different(
    ring_file: Path, command_words: tuple[str, ...], option: str, is_open: bool
) -> None:
    """Descriptor 3 is the first one free, so the command would read its own temporary file."""
    before = ring_file.read_bytes()
    words = [word.format(ring=ring_file) for word in command_words]
    redirection, first = "3</dev/null" if is_open else "", ("--passphrase-fd", "3") * is_open
    line = shlex.join(map(str, command("keys", *words, *first, option, "3")))
    done = subprocess.run(
        ["/bin/sh", "-c", f"{line} {redirection}"],
        env=environment(**ENVIRONMENT),
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    reason = (
        "file descriptor 3 is given twice; use two, or 0 for both"
        if is_open
        else "file descriptor 3: Bad file descriptor"
    )
    assert (done.returncode, done.stderr.decode()) == (2, f"kmscore: {reason}\n")
    assert ring_file.read_bytes() == before


def test_standard_input_can_have_both_passphrases(ring_file: Path) -> None:
    """The old one is the first line, the new one the second."""
    done = subprocess.run(
        command(
            "keys", "passphrase", ring_file, "--passphrase-fd", "0", "--new-passphrase-fd", "0"
        ),
        input=PASSPHRASE + b"\n" + _NEW.encode() + b"\n",
        env=environment(),
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert keyfile.open_keyring(ring_file.read_bytes(), _NEW.encode())


def test_a_short_passphrase_gives_a_warning(tmp_path: Path) -> None:
    """Only a new passphrase is judged, and the command goes on."""
    path = tmp_path / "team.keys"
    warning = "kmscore: warning: a passphrase under 12 characters\n"
    short = {"KMSCORE_PASSPHRASE": "a" * 11}
    result = invoke("keys", "new", path, "--key-id", "orders", env=short)
    assert (result.exit_code, result.stderr) == (0, warning)
    assert invoke("keys", "list", path, env=short).stderr == ""
    longer = short | {"KMSCORE_NEW_PASSPHRASE": "\u00e9" * 12}
    assert invoke("keys", "passphrase", path, env=longer).stderr == ""
    again = {"KMSCORE_PASSPHRASE": "\u00e9" * 12, "KMSCORE_NEW_PASSPHRASE": "\u00e9" * 11}
    assert invoke("keys", "passphrase", path, env=again).stderr == warning


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_keyring_that_others_can_read_gives_a_warning(ring_file: Path, mode: int) -> None:
    """The line names the file and the repair; a new file has no such permissions."""
    ring_file.chmod(mode)
    warning = f"kmscore: warning: other users can read {ring_file}; chmod 600 prevents it\n"
    for arguments in (("list",), ("rotate", "orders")):
        result = invoke("keys", arguments[0], ring_file, *arguments[1:])
        assert (result.exit_code, result.stderr) == (0, warning), result
        ring_file.chmod(mode)
    ring_file.chmod(0o600)
    assert invoke("keys", "list", ring_file).stderr == ""


@pytest.fixture
def pairs_file(tmp_path: Path, rsa_key: RsaKey, sm2_key: Sm2Key) -> Path:
    """Return a keyring file with keys of every kind."""
    return write_ring(tmp_path / "pairs.keys", Keyring([OTHER, rsa_key, sm2_key]))


def test_a_public_key_is_exported(pairs_file: Path, rsa_key: RsaKey, sm2_key: Sm2Key) -> None:
    """PEM of SubjectPublicKeyInfo, to standard output or to a new file."""
    for key in (rsa_key, sm2_key):
        result = invoke("keys", "export", pairs_file, key.key_id)
        assert result.stdout.startswith("-----BEGIN PUBLIC KEY-----\n"), result
        assert PublicKey.from_pem(result.stdout) == key.public_key
        out = pairs_file.with_name(f"{key.key_id}.pem")
        where = ("keys", "export", pairs_file, key.key_id, out)
        assert invoke(*where, "--version-id", "v1").exit_code == 0
        assert out.read_text() == result.stdout
        assert "exists already" in problem(invoke(*where))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("other",), "key other is symmetric: it has no public key"),
        (("sm2", "--version-id", "9"), "key_version_not_found: "),
        (("nobody",), "key_not_found: "),
    ],
)
def test_a_public_key_that_does_not_exist(
    pairs_file: Path, arguments: tuple[str, ...], reason: str
) -> None:
    """One line says why."""
    assert problem(invoke("keys", "export", pairs_file, *arguments)).startswith(reason)


def _encrypted(key: RsaKey, password: bytes) -> bytes:
    pem: bytes = key._private_key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password)
    )
    return pem


def test_an_encrypted_key_file_is_imported(tmp_path: Path, rsa_key: RsaKey) -> None:
    """Its passphrase comes from a descriptor or a prompt; a wrong one is one line."""
    path, material = write_ring(tmp_path / "team.keys"), tmp_path / "partner.pem"
    material.write_bytes(_encrypted(rsa_key, b"of the file"))
    where = ("keys", "import", path, material, "--key-id", "partner", "--spec", "RSA_2048")
    said = problem(invoke(*where, "--version-id", "1"))
    assert said == "no passphrase: give --material-passphrase-fd, or run this in a terminal"
    for number, password in enumerate((b"wrong", b"of the file")):
        ours, theirs = os.pipe()
        os.write(theirs, password + b"\n")
        os.close(theirs)
        options = ("--version-id", "1", "--material-passphrase-fd", str(ours))
        result = invoke(*where, *options)
        assert result.exit_code == (2 if number == 0 else 0), result
        if number == 0:
            assert problem(result) == (
                "invalid_key: the key cannot be decrypted with this password"
            )
    typed = b"of the file\n"
    code, shown = at_terminal(*command(*where, "--version-id", "2"), typed=typed)
    assert (code, "Passphrase of the key file: " in shown) == (0, True), shown
    key = read_ring(path).primary("partner")
    assert (key.key_version_id, isinstance(key, RsaKey)) == ("2", True)


def test_the_list_keeps_ids_whole(tmp_path: Path) -> None:
    """In a pipe each version is one line; at 80 columns a UUID is not cut."""
    names = [("k" * 200, "v" * 200), ("11112222-3333-4444-5555-666677778888",) * 2]
    keys = [
        SymmetricKey.generate(KeySpec.AES_256, key_id=key_id, key_version_id=version_id)
        for key_id, version_id in names
    ]
    path = write_ring(tmp_path / "team.keys", Keyring(keys))
    lines = run("keys", "list", path, COLUMNS="80").stdout.decode().splitlines()
    assert len(lines) == 3
    for line, (key_id, version_id) in zip(lines[1:], names, strict=True):
        assert line.split()[:2] == [key_id, version_id]
    path = write_ring(tmp_path / "uuid.keys", Keyring(keys[1:]))
    _, shown = at_terminal(*command("keys", "list", path), width=80)
    row = shown.splitlines()[1]
    assert row[:80].count("11112222-3333-4444-5555-666677778888") == 2
    rows = [json.loads(line) for line in run("keys", "list", path, "--json").stdout.splitlines()]
    assert [(row["key_id"], row["key_version_id"]) for row in rows] == names[1:]


@pytest.mark.parametrize("name", ["encrypt", "decrypt", "reencrypt"])
def test_raw_bytes_are_not_written_to_a_terminal(ring_file: Path, name: str) -> None:
    """A terminal obeys control characters, so that an attacker could use it."""
    source = ring_file.with_name("in")
    plaintext = b"\x1b[2J"
    source.write_bytes(plaintext if name == "encrypt" else seal(plaintext))
    options = {"encrypt": ("--key-id", "orders"), "reencrypt": ("--destination", "orders")}
    where = command(name, "-k", ring_file, *options.get(name, ()), source)
    code, shown = at_terminal(*where)
    advice = "OUT, or a pipe" if name == "decrypt" else "--base64, OUT, or a pipe"
    assert (code, shown.strip()) == (
        2,
        f"kmscore: raw bytes are not written to a terminal: give {advice}",
    )


def test_a_text_is_shown_at_a_terminal(ring_file: Path) -> None:
    """A plaintext of printable characters is what a user wants to see."""
    source = ring_file.with_name("in")
    source.write_bytes(seal("sécret 4711\n".encode()))
    code, shown = at_terminal(*command("decrypt", "-k", ring_file, source))
    assert (code, shown.strip()) == (0, "sécret 4711")
    source.write_bytes(seal(b"\xff"))
    assert at_terminal(*command("decrypt", "-k", ring_file, source))[0] == 2


class _Terminal:
    """A standard stream that is a terminal."""

    def isatty(self) -> bool:
        """Return `True`."""
        return True


def test_the_checks_for_a_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In this process: raw bytes are rejected, and a removal needs the answer yes."""
    monkeypatch.setattr(sys, "stdout", _Terminal())
    with pytest.raises(FileProblem, match="raw bytes are not written to a terminal"):
        files.check_no_terminal(files.STANDARD)
    files.check_no_terminal(Path("out"))
    with pytest.raises(FileProblem, match="give --base64, OUT, or a pipe"):
        ciphertext_file.write_ciphertext(files.STANDARD, b"", base64=False)
    ciphertext_file.write_ciphertext(tmp_path / "blob.txt", b"KMS", base64=True)
    assert (tmp_path / "blob.txt").read_bytes() == b"S01T\n"
    monkeypatch.setattr(sys, "stdin", _Terminal())
    for answer in (True, False):
        monkeypatch.setattr(keys.typer, "confirm", lambda *_, answer=answer, **__: answer)
        if answer:
            keys._confirm("Remove?", is_sure=False)
        else:
            with pytest.raises(FileProblem, match="not removed"):
                keys._confirm("Remove?", is_sure=False)
