"""`kmscore keys`: create, show and change a keyring file, completely or not at all."""

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from support.commands import (
    CHEAP,
    ENVIRONMENT,
    NEW,
    OTHER,
    PASSPHRASE,
    invoke,
    problem,
    read_ring,
    write_ring,
)
from support.strategies import flip_last_bit

from kmscore import Keyring, KeySpec, KeyState, RsaKey, Sm2Key, Suite, SymmetricKey, keyfile
from kmscore.cli import keyring_file, new_file
from kmscore.keyfile import ScryptParameters

_DEAR = ScryptParameters(n=CHEAP.n * 2)


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the commands use the lowest allowed scrypt cost."""
    monkeypatch.setattr(keyring_file, "ScryptParameters", lambda: CHEAP)


def _described(path: Path) -> list[tuple[Any, ...]]:
    ring = read_ring(path)
    return [
        (key.key_id, key.key_version_id, key.spec, key.state, ring.primary(key.key_id) is key)
        for key in ring
    ]


def test_a_new_keyring_file_has_mode_0600(tmp_path: Path) -> None:
    """The file has mode 0600 and holds only the new key, and no temporary file remains."""
    path = tmp_path / "team.keys"
    result = invoke("keys", "new", path, "--key-id", "orders", "--version-id", "1")
    assert (result.exit_code, result.stderr) == (0, ""), result
    assert result.stdout == "orders: version 1 (XAES_256_GCM)\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert _described(path) == [("orders", "1", KeySpec.AES_256, KeyState.ENABLED, True)]
    assert [file.name for file in tmp_path.iterdir()] == ["team.keys"]


def test_a_file_is_synced_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data is synced first, then the file gets its name, then the folder is synced."""
    path, steps = tmp_path / "team.keys", list[str]()

    def watch(name: str) -> None:
        original = getattr(os, name)

        def watched(*arguments: Any) -> Any:
            steps.append(name)
            return original(*arguments)

        monkeypatch.setattr(os, name, watched)

    for name in ("fsync", "link", "replace"):
        watch(name)
    assert invoke("keys", "new", path, "--key-id", "orders").exit_code == 0
    assert steps == ["fsync", "link", "fsync"]
    assert path.stat().st_nlink == 1
    steps.clear()
    assert invoke("keys", "rotate", path, "orders").exit_code == 0
    assert steps == ["fsync", "replace", "fsync"]


@pytest.mark.parametrize(
    ("spec", "suite", "kind"),
    [
        ("AES_256", "AES_256_GCM", "AES_256_GCM"),
        ("Aliyun_AES_192", None, "AES_192_GCM"),
        ("SM4", None, "SM4_GCM"),
        ("RSA_2048", None, "RSA_2048"),
        ("EC_SM2", None, "EC_SM2"),
    ],
)
def test_a_key_of_any_spec_is_added_and_rotated(
    ring_file: Path, spec: str, suite: str | None, kind: str
) -> None:
    """A key is added after the existing ones; its next version has the same spec and suite."""
    before = _described(ring_file)
    options = [] if suite is None else ["--suite", suite]
    result = invoke("keys", "new", ring_file, "--key-id", "k", "--spec", spec, *options)
    assert result.exit_code == 0, result
    assert f"({kind})" in result.stdout
    result = invoke("keys", "rotate", ring_file, "k", "--version-id", "next")
    assert result.stdout == "k: version next is primary\n"
    assert _described(ring_file)[: len(before)] == before
    first, second = list(read_ring(ring_file))[-2:]
    assert (first.spec, second.key_version_id) == (second.spec, "next")
    assert read_ring(ring_file).primary("k").key_version_id == "next"
    if isinstance(first, SymmetricKey) and isinstance(second, SymmetricKey):
        assert first.suite is second.suite is Suite[kind]


def test_ids_are_random_unless_they_are_given(ring_file: Path) -> None:
    """Two new keys without IDs get different IDs, and an empty ID is rejected."""
    for _ in range(2):
        assert invoke("keys", "new", ring_file).exit_code == 0
    assert len({key.key_id for key in read_ring(ring_file)}) == 5
    for option in ("--key-id", "--version-id"):
        assert "invalid_key" in problem(invoke("keys", "new", ring_file, option, ""))


@pytest.mark.parametrize("name", ["a b", "a\x00b", "ä", "x" * 256, "\x1b[2J"])
def test_an_invalid_id_is_rejected(ring_file: Path, name: str) -> None:
    """An invalid ID gives one line without control characters, and the file does not change."""
    before = ring_file.read_bytes()
    assert "invalid_key" in problem(invoke("keys", "new", ring_file, "--key-id", name))
    assert "invalid_key" in problem(
        invoke("keys", "rotate", ring_file, "orders", "--version-id", name)
    )
    assert ring_file.read_bytes() == before


def test_list_shows_every_version_and_no_material(ring_file: Path) -> None:
    """The table and the JSON show state and primary of each version, and no key material."""
    result = invoke("keys", "list", ring_file)
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["key", "version", "spec", "suite", "state", "primary"]
    assert ["orders", "1", "AES_256", "XAES_256_GCM", "Enabled"] in lines
    assert ["orders", "2", "AES_256", "XAES_256_GCM", "Enabled", "primary"] in lines
    assert ["off", "1", "AES_128", "AES_128_GCM", "Disabled", "primary"] in lines
    rows = [
        json.loads(line) for line in invoke("keys", "list", "--json", ring_file).stdout.splitlines()
    ]
    assert len(rows) == 4
    assert rows[1] == {
        "key_id": "orders",
        "key_version_id": "2",
        "spec": "AES_256",
        "suite": "XAES_256_GCM",
        "state": "Enabled",
        "primary": True,
    }
    assert NEW.export_material().hex() not in result.stdout


def test_list_shows_ids_unchanged(tmp_path: Path) -> None:
    """IDs are not read as markup, and are neither cut nor wrapped."""
    name = "[bold]:smile:[/bold]" + "x" * 80
    key = SymmetricKey.generate(KeySpec.AES_256, key_id=name, key_version_id="[red]1")
    path = write_ring(tmp_path / "team.keys", Keyring([key, Sm2Key.generate(key_id="sm2")]))
    result = invoke("keys", "list", path, env=ENVIRONMENT | {"COLUMNS": "60"})
    _, first, second = result.stdout.splitlines()
    assert first.split() == [name, "[red]1", "AES_256", "XAES_256_GCM", "Enabled", "primary"]
    assert second.split()[0] == "sm2"


def test_disable_and_enable_change_only_the_state(ring_file: Path) -> None:
    """Only the state of that version changes; the order and the primary versions do not."""
    before = _described(ring_file)
    result = invoke("keys", "disable", ring_file, "orders", "1")
    assert result.stdout == "orders: version 1 is Disabled\n"
    after = _described(ring_file)
    assert after[0] == (*before[0][:3], KeyState.DISABLED, False)
    assert after[1:] == before[1:]
    assert invoke("keys", "enable", ring_file, "orders", "1").exit_code == 0
    assert _described(ring_file) == before


def test_a_disabled_primary_version_is_reported(ring_file: Path) -> None:
    """Encryption and re-encryption fail until it is enabled, or another version is primary."""
    result = invoke("keys", "disable", ring_file, "orders", "2")
    assert result.stdout == (
        "orders: version 2 is Disabled; it is primary, so encryption under this key fails\n"
    )
    assert invoke("keys", "enable", ring_file, "orders", "2").stdout == (
        "orders: version 2 is Enabled\n"
    )


def test_an_asymmetric_key_is_disabled(tmp_path: Path, rsa_key: RsaKey, sm2_key: Sm2Key) -> None:
    """The state of an RSA or SM2 key changes, and its private key does not."""
    path = write_ring(tmp_path / "team.keys", Keyring([rsa_key, sm2_key]))
    for key in (rsa_key, sm2_key):
        assert invoke("keys", "disable", path, key.key_id, "v1").exit_code == 0
    for old, new in zip((rsa_key, sm2_key), read_ring(path), strict=True):
        assert new.state is KeyState.DISABLED
        assert not isinstance(new, SymmetricKey)
        assert new.private_pem() == old.private_pem()


def test_a_change_of_state_keeps_the_suite(tmp_path: Path) -> None:
    """A key with a suite other than the default keeps that suite."""
    key = SymmetricKey.generate(
        KeySpec.AES_256, key_id="orders", key_version_id="1", suite=Suite.AES_256_GCM
    )
    path = write_ring(tmp_path / "team.keys", Keyring([key]))
    for command in ("disable", "enable"):
        assert invoke("keys", command, path, "orders", "1").exit_code == 0
        (changed,) = read_ring(path)
        assert isinstance(changed, SymmetricKey)
        assert changed.suite is Suite.AES_256_GCM


def test_imported_material_becomes_the_primary_version(ring_file: Path, sm2_key: Sm2Key) -> None:
    """Raw bytes and PEM become the primary version, also in a new keyring file."""
    folder = ring_file.parent
    (folder / "raw").write_bytes(bytes(range(32)))
    (folder / "pem").write_bytes(sm2_key.private_pem())
    options = ("--key-id", "orders", "--version-id", "7", "--spec", "AES_256")
    result = invoke("keys", "import", ring_file, folder / "raw", *options)
    assert result.stdout == "orders: version 7 is primary\n"
    key = read_ring(ring_file).primary("orders")
    assert isinstance(key, SymmetricKey)
    assert (key.key_version_id, key.export_material()) == ("7", bytes(range(32)))
    options = ("--key-id", "sm2", "--version-id", "1", "--spec", "EC_SM2")
    path = folder / "other.keys"
    assert invoke("keys", "import", path, folder / "pem", *options).exit_code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [key.spec for key in read_ring(path)] == [KeySpec.EC_SM2]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["new", "--key-id", "orders"], "key orders exists already; `kmscore keys rotate`"),
        (
            ["new", "--spec", "AES_512"],
            "unsupported_algorithm: unknown spec 'AES_512': not one of AES_256, AES_192, AES_128,",
        ),
        (
            ["new", "--key-id", "a b"],
            "invalid_key: key ID is not 1 to 255 printable ASCII characters without space",
        ),
        (
            ["new", "--suite", "AES_512_GCM"],
            "unsupported_algorithm: unknown suite 'AES_512_GCM': not one of AES_256_GCM, ",
        ),
        (["new", "--suite", "SM4_GCM"], "invalid_key: AES_256 cannot be bound to SM4_GCM"),
        (["new", "--spec", "RSA_2048", "--suite", "SM4_GCM"], "RSA_2048 takes no suite"),
        (["rotate", "nobody"], "key_not_found: no key 'nobody'"),
        (
            ["rotate", "orders", "--version-id", "1"],
            "version 1 of key orders (XAES_256_GCM) exists already; give another --version-id",
        ),
        (["disable", "nobody", "1"], "key_not_found: no key 'nobody'"),
        (["enable", "orders", "9"], "key_version_not_found: no version '9' of key 'orders'"),
    ],
)
def test_a_failed_command_does_not_change_the_file(
    ring_file: Path, arguments: list[str], reason: str
) -> None:
    """One line gives the reason, the file does not change, and no other file appears."""
    before = ring_file.read_bytes()
    first, *rest = arguments
    assert problem(invoke("keys", first, ring_file, *rest)).startswith(reason)
    assert ring_file.read_bytes() == before
    assert [file.name for file in ring_file.parent.iterdir()] == ["team.keys"]


@pytest.mark.parametrize(
    ("spec", "data", "reason"),
    [
        ("AES_256", bytes(31), "invalid_key: AES_256 takes 32 bytes of material, not 31"),
        ("EC_SM2", b"no PEM", "invalid_key: the PEM has no block with the label 'PRIVATE KEY'"),
        ("AES_256", bytes(1 << 17), "{}: more than 65,536 bytes"),
        ("RSA_3072", None, "the material is of RSA_2048, not of RSA_3072"),
    ],
)
def test_invalid_material_is_rejected(
    ring_file: Path, rsa_key: RsaKey, spec: str, data: bytes | None, reason: str
) -> None:
    """One line gives the reason, and the file does not change."""
    before, material = ring_file.read_bytes(), ring_file.parent / "material"
    material.write_bytes(rsa_key.private_pem() if data is None else data)
    options = ("--key-id", "k", "--version-id", "1", "--spec", spec)
    result = invoke("keys", "import", ring_file, material, *options)
    assert problem(result).startswith(reason.format(material))
    assert ring_file.read_bytes() == before


def test_an_imported_version_that_exists_is_rejected(ring_file: Path) -> None:
    """One line names the option to change, and the file does not change."""
    before, material = ring_file.read_bytes(), ring_file.parent / "material"
    material.write_bytes(bytes(32))
    options = ("--key-id", "orders", "--version-id", "1", "--spec", "AES_256")
    said = problem(invoke("keys", "import", ring_file, material, *options))
    assert said == (
        "version 1 of key orders (XAES_256_GCM) exists already; give another --version-id, or"
        " remove it with `kmscore keys remove`"
    )
    assert ring_file.read_bytes() == before


def test_an_imported_version_of_the_service_without_its_suite_gives_a_warning(
    tmp_path: Path,
) -> None:
    """The messages lead from the default suite to the one of the layout, with the same ID."""
    path, material, version = tmp_path / "team.keys", tmp_path / "raw", str(UUID(int=7))
    material.write_bytes(bytes(32))
    options = ("--key-id", "archive", "--version-id", version, "--spec", "AES_256")
    importing = ("keys", "import", path, material, *options)
    result = invoke(*importing)
    assert result.exit_code == 0
    assert result.stderr == (
        f"kmscore: warning: version {version} has the suite XAES_256_GCM, which does not decrypt"
        " blobs of the service; for these, give --suite AES_256_GCM\n"
    )
    again = (*importing, "--suite", "AES_256_GCM")
    assert problem(invoke(*again)).endswith("or remove it with `kmscore keys remove`")
    remove = ("keys", "remove", path, "archive", version, "--yes")
    assert "`kmscore keys rotate` makes a new version primary" in problem(invoke(*remove))
    assert invoke("keys", "rotate", path, "archive", "--version-id", "2").exit_code == 0
    assert invoke(*remove).exit_code == 0
    result = invoke(*again)
    assert (result.exit_code, result.stderr) == (0, "")
    key = read_ring(path).primary("archive")
    assert isinstance(key, SymmetricKey)
    assert (key.key_version_id, key.suite) == (version, Suite.AES_256_GCM)


@pytest.mark.parametrize(
    ("version", "options"),
    [
        ("7", ("--spec", "AES_256")),
        (str(UUID(int=7)), ("--spec", "AES_256", "--suite", "XAES_256_GCM")),
        (str(UUID(int=7)), ("--spec", "AES_128")),
    ],
)
def test_an_imported_version_of_another_kind_gives_no_warning(
    tmp_path: Path, version: str, options: tuple[str, ...]
) -> None:
    """An ID that is not a UUID, a suite that was chosen and one of plain GCM are accepted."""
    material = tmp_path / "raw"
    material.write_bytes(bytes(16 if "AES_128" in options else 32))
    names = ("--key-id", "archive", "--version-id", version)
    result = invoke("keys", "import", tmp_path / "team.keys", material, *names, *options)
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_passphrase_for_raw_material_is_rejected(ring_file: Path) -> None:
    """The option `--material-passphrase-fd` is rejected for raw bytes, not ignored."""
    material = ring_file.parent / "material"
    material.write_bytes(bytes(32))
    ours, theirs = os.pipe()
    os.write(theirs, b"of the file\n")
    os.close(theirs)
    options = ("--key-id", "k", "--version-id", "1", "--spec", "AES_256")
    number = ("--material-passphrase-fd", str(ours))
    said = problem(invoke("keys", "import", ring_file, material, *options, *number))
    assert said == "AES_256 takes raw bytes, without --material-passphrase-fd"


def test_a_suite_for_an_imported_asymmetric_key_is_rejected(
    ring_file: Path, rsa_key: RsaKey
) -> None:
    """The option `--suite` is rejected for an RSA key, not ignored."""
    material = ring_file.parent / "material"
    material.write_bytes(rsa_key.private_pem())
    options = ("--key-id", "k", "--version-id", "1", "--spec", "RSA_2048", "--suite", "SM4_GCM")
    result = invoke("keys", "import", ring_file, material, *options)
    assert problem(result) == "RSA_2048 takes no suite"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (
            lambda data: data[:7] + b"\x01" + data[8:],
            "format version 1; this library reads version 2",
        ),
        (flip_last_bit, "the passphrase is wrong, or the file has been changed"),
        (lambda data: data[:9] + bytes([24, 32, 1]) + data[12:], "scrypt parameters out of bounds"),
        (lambda data: data[:20], "20 bytes, at least"),
        (lambda data: data[20:], "it does not begin with the magic"),
        (lambda _: b"", "it does not begin with the magic"),
    ],
    ids=["another version", "one bit", "64 GB", "cut", "no keyring", "empty"],
)
def test_a_damaged_keyring_file_is_rejected(ring_file: Path, spoil: Any, reason: str) -> None:
    """Every command names the file and the problem in one line, and does not change the file."""
    data = spoil(ring_file.read_bytes())
    ring_file.write_bytes(data)
    for arguments in (("list",), ("new", "--key-id", "k")):
        said = problem(invoke("keys", arguments[0], ring_file, *arguments[1:]))
        assert said.startswith(f"{ring_file}: ")
        assert reason in said
    assert ring_file.read_bytes() == data


def test_a_wrong_passphrase_is_rejected(ring_file: Path) -> None:
    """The message names both possible reasons, because they cannot be distinguished."""
    result = invoke("keys", "list", ring_file, env={"KMSCORE_PASSPHRASE": "wrong"})
    reason = "the passphrase is wrong, or the file has been changed"
    assert problem(result) == f"{ring_file}: {reason}"


def test_too_little_memory_for_the_kdf_is_reported(
    ring_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line says that the memory for the KDF is missing."""

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(keyfile, "open_keyring", fail)
    said = problem(invoke("keys", "list", ring_file))
    assert said == f"{ring_file}: there is not the memory that its KDF takes"


def test_the_file_of_a_killed_command_is_reported(ring_file: Path) -> None:
    """A leftover temporary file is not overwritten, and the message says what to do."""
    stale = ring_file.with_name(".team.keys.new")
    stale.write_bytes(b"stale")
    said = problem(invoke("keys", "rotate", ring_file, "orders"))
    assert said == (
        f"{stale} is there: another command is changing team.keys, or was killed;"
        " if none is running, remove it"
    )
    assert stale.read_bytes() == b"stale"


@pytest.mark.parametrize("is_there", [True, False])
def test_a_possible_only_copy_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    """Without hard links, a killed command can leave its only copy under the temporary name."""

    class Killed(BaseException):
        pass

    def fail(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    def die(*_: object) -> None:
        raise Killed

    path = tmp_path / "team.keys"
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", fail)
        patch.setattr(Path, "replace", die)
        patch.setattr(os, "unlink", die)
        with pytest.raises(Killed):
            invoke("keys", "new", path, "--key-id", "orders")
    assert path.read_bytes() == b""
    if not is_there:
        path.unlink()
    said = problem(invoke("keys", "new", path, "--key-id", "orders"))
    beside = tmp_path / ".team.keys.new"
    assert said == (
        f"{beside} is there: another command is changing team.keys, or was killed;"
        " if none is running, it may be the only copy: keep it, or rename it to team.keys"
    )
    beside.rename(path)
    assert [key.key_id for key in read_ring(path)] == ["orders"]


def test_a_new_keyring_is_created_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keyring is created, and a temporary file that another command made is not touched."""

    def fail(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    path, beside = tmp_path / "team.keys", tmp_path / ".team.keys.new"
    monkeypatch.setattr(os, "link", fail)
    monkeypatch.setattr(new_file, "sync_folder", lambda _: beside.touch())
    assert invoke("keys", "new", path, "--key-id", "orders").exit_code == 0
    assert [key.key_id for key in read_ring(path)] == ["orders"]
    assert beside.exists()


def test_no_change_of_another_command_is_lost(
    ring_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No other command can change the file between the read and the write."""
    said: list[str] = []
    original = keyring_file.open_sealed

    def meanwhile(path: Path, *sealed: Any) -> Keyring:
        monkeypatch.setattr(keyring_file, "open_sealed", original)
        said.append(problem(invoke("keys", "rotate", ring_file, "other")))
        return original(path, *sealed)

    monkeypatch.setattr(keyring_file, "open_sealed", meanwhile)
    assert invoke("keys", "rotate", ring_file, "orders").exit_code == 0
    assert "another command is changing" in said[0]
    assert read_ring(ring_file).primary("other").key_version_id == OTHER.key_version_id


def test_a_new_keyring_does_not_overwrite_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new keyring file does not overwrite a file that appears during the command."""
    path = tmp_path / "team.keys"
    original = keyfile.seal_keyring

    def meanwhile(*arguments: Any, **options: Any) -> bytes:
        path.write_bytes(b"another's")
        return original(*arguments, **options)

    monkeypatch.setattr(keyfile, "seal_keyring", meanwhile)
    result = invoke("keys", "new", path, "--key-id", "orders")
    assert problem(result) == f"{path} exists already; use another output path"
    assert path.read_bytes() == b"another's"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="links take rights on Windows")
def test_a_symbolic_link_to_a_keyring_file_remains(ring_file: Path) -> None:
    """The target of the link changes, so that no file with the old versions remains there."""
    link = ring_file.with_name("link.keys")
    link.symlink_to(ring_file)
    assert invoke("keys", "rotate", link, "orders", "--version-id", "3").exit_code == 0
    assert link.is_symlink()
    assert read_ring(ring_file).primary("orders").key_version_id == "3"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("no/team.keys", "No such file or directory"), (".", "Is a directory")],
)
def test_an_impossible_path_is_reported(tmp_path: Path, name: str, reason: str) -> None:
    """One line ends with the reason of the system."""
    result = invoke("keys", "new", tmp_path / name, "--key-id", "k")
    assert problem(result).endswith(f": {reason}")


def test_a_folder_without_write_permission_is_reported(
    ring_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line names the folder, and not a temporary file."""

    def fail(path: Path, *_: object) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", fail)
    said = problem(invoke("keys", "rotate", ring_file, "orders"))
    assert said == f"{ring_file.parent}: Permission denied to create a file"


def test_a_file_that_cannot_be_created_is_reported(
    ring_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line has the reason of the system."""

    def fail(path: Path, *_: object) -> int:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(os, "open", fail)
    said = problem(invoke("keys", "rotate", ring_file, "orders"))
    assert said.endswith(": No space left on device")


def test_a_full_disk_does_not_change_the_file(
    ring_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old file does not change, and the incomplete new file is removed."""
    before = ring_file.read_bytes()

    def fail(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(new_file, "sync", fail)
    said = problem(invoke("keys", "rotate", ring_file, "orders"))
    assert said == f"{ring_file}: No space left on device"
    assert ring_file.read_bytes() == before
    assert list(ring_file.parent.iterdir()) == [ring_file]


def test_a_changed_file_keeps_its_passphrase(ring_file: Path) -> None:
    """The same passphrase opens the changed file, which has a new salt."""
    before = ring_file.read_bytes()
    assert invoke("keys", "rotate", ring_file, "orders").exit_code == 0
    after = ring_file.read_bytes()
    assert before[12:28] != after[12:28]
    assert len(keyfile.open_keyring(after, PASSPHRASE)) == 5


@pytest.mark.parametrize(
    ("before", "usual"), [(_DEAR, CHEAP), (CHEAP, _DEAR)], ids=["dearer", "cheaper"]
)
def test_a_change_never_lowers_the_kdf_cost(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    before: ScryptParameters,
    usual: ScryptParameters,
) -> None:
    """A higher cost is kept, and a lower cost is raised to the default."""
    monkeypatch.setattr(keyring_file, "ScryptParameters", lambda: usual)
    path = tmp_path / "team.keys"
    path.write_bytes(keyfile.seal_keyring(Keyring([NEW]), PASSPHRASE, parameters=before))
    assert invoke("keys", "rotate", path, "orders").exit_code == 0
    assert keyfile.read_parameters(path.read_bytes()) == _DEAR
