"""The commands of `kmscore keys`, which make and change a keyring file."""

import json
import sys
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from kmscore import Keyring, KeyState, SymmetricKey
from kmscore._printable import printable
from kmscore.cli.files import STANDARD, read_file, write_output
from kmscore.cli.key_versions import (
    find_spec,
    find_suite,
    generate_version,
    import_version,
)
from kmscore.cli.keyring_file import Change, change_keyring, read_keyring
from kmscore.cli.passphrase import (
    Descriptor,
    MaterialDescriptor,
    NewDescriptor,
    check_descriptors,
    get_material_passphrase,
    get_new_passphrase,
)
from kmscore.cli.problems import FileProblem
from kmscore.cli.terminal import problems_in_one_line, tell
from kmscore.errors import KeyNotFoundError
from kmscore.keys import Key
from kmscore.keys.versions import with_state

app: typer.Typer = typer.Typer(no_args_is_help=True, help="Make and change a keyring file.")

_LARGEST_KEY: Final = 64 << 10  # bytes

_ENCRYPTED: Final = (b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"Proc-Type: 4,ENCRYPTED")
"""The marks of an encrypted PEM file."""

_File = Annotated[Path, typer.Argument(metavar="FILE", help="The keyring file.")]
_KeyId = Annotated[str, typer.Argument(metavar="KEY_ID", help="The ID of the key.")]
_VersionId = Annotated[str, typer.Argument(metavar="VERSION_ID", help="The ID of the key version.")]
_Out = Annotated[Path, typer.Argument(metavar="OUT", help="A new file; - for standard output.")]
_NewVersionId = Annotated[
    str | None,
    typer.Option(
        "--version-id", metavar="ID", help="ID of the new version (default: a random UUID)."
    ),
]
_Spec = Annotated[
    str,
    typer.Option(
        "--spec",
        help="Key spec: AES_256, AES_192, AES_128, SM4, RSA_2048, RSA_3072, RSA_4096 or EC_SM2.",
    ),
]
_Suite = Annotated[
    str | None,
    typer.Option("--suite", help="Suite: AES_256 also supports AES_256_GCM, up to 2^32 messages."),
]


@app.command("new")
def make_key(
    path: _File,
    key_id: Annotated[
        str | None,
        typer.Option("--key-id", metavar="ID", help="ID of the new key (default: a random UUID)."),
    ] = None,
    version_id: _NewVersionId = None,
    spec: _Spec = "AES_256",
    suite: _Suite = None,
    passphrase_fd: Descriptor = None,
) -> None:
    """Add a new key to a keyring file, and create the file if it does not exist.

    Example: kmscore keys new team.keys --key-id orders
    """

    def change(keyring: Keyring) -> tuple[Keyring, str]:
        names = _or_random(key_id), _or_random(version_id)
        new = generate_version(find_spec(spec), find_suite(suite), *names)
        _check_unknown(keyring, new.key_id)
        words = f"{new.key_id}: version {new.key_version_id} ({_kind(new)})"
        return keyring.with_version(new), words

    _change(path, passphrase_fd, change, may_begin=True)


@app.command("list")
def list_keys(
    path: _File,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per line.")
    ] = False,
    passphrase_fd: Descriptor = None,
) -> None:
    """Show the key versions of a keyring file, without their key material.

    Example: kmscore keys list team.keys
    """
    with problems_in_one_line():
        keyring = read_keyring(path, passphrase_fd)
    rows = [_row(keyring, key) for key in keyring]
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row))
        return
    for line in _lines(rows):
        typer.echo(line)


@app.command("rotate")
def rotate_key(
    path: _File, key_id: _KeyId, version_id: _NewVersionId = None, passphrase_fd: Descriptor = None
) -> None:
    """Add a new version of a key, and make it the primary version.

    Example: kmscore keys rotate team.keys orders
    """

    def change(keyring: Keyring) -> tuple[Keyring, str]:
        old = keyring.primary(key_id)
        suite = old.suite if isinstance(old, SymmetricKey) else None
        _check_new_version(keyring, key_id, version_id)
        new = generate_version(old.spec, suite, key_id, _or_random(version_id))
        return keyring.with_version(new), f"{key_id}: version {new.key_version_id} is primary"

    _change(path, passphrase_fd, change)


@app.command("import")
def import_key(
    path: _File,
    material: Annotated[
        Path,
        typer.Argument(metavar="MATERIAL", help="A file of raw bytes, or PEM for RSA and SM2."),
    ],
    key_id: Annotated[str, typer.Option("--key-id", metavar="ID", help="ID of the key.")],
    version_id: Annotated[
        str, typer.Option("--version-id", metavar="ID", help="ID of the new version.")
    ],
    spec: _Spec,
    suite: _Suite = None,
    material_passphrase_fd: MaterialDescriptor = None,
    passphrase_fd: Descriptor = None,
) -> None:
    """Add a key version with your own key material, and make it the primary version.

    The keyring file is created if it does not exist.

    Example: kmscore keys import team.keys key.bin --key-id orders --version-id 7 --spec AES_256
    """

    def change(keyring: Keyring) -> tuple[Keyring, str]:
        data = read_file(material, limit=_LARGEST_KEY)
        password = None
        if any(mark in data for mark in _ENCRYPTED) or material_passphrase_fd is not None:
            password = get_material_passphrase(material_passphrase_fd)
        _check_new_version(keyring, key_id, version_id, ", or remove it with `kmscore keys remove`")
        names = (key_id, version_id)
        key = import_version(find_spec(spec), find_suite(suite), *names, data, password=password)
        return keyring.with_version(key), f"{key_id}: version {version_id} is primary"

    with problems_in_one_line():
        check_descriptors(passphrase_fd, material_passphrase_fd)
    _change(path, passphrase_fd, change, may_begin=True)


@app.command("export")
def export_public_key(
    path: _File,
    key_id: _KeyId,
    out: _Out = STANDARD,
    version_id: Annotated[
        str | None,
        typer.Option("--version-id", metavar="ID", help="ID of the version (default: primary)."),
    ] = None,
    passphrase_fd: Descriptor = None,
) -> None:
    """Write the public key of an RSA or SM2 key as PEM (SubjectPublicKeyInfo).

    Example: kmscore keys export team.keys partner partner.pem
    """
    with problems_in_one_line():
        keyring = read_keyring(path, passphrase_fd)
        key = keyring.primary(key_id) if version_id is None else keyring.version(key_id, version_id)
        if isinstance(key, SymmetricKey):
            raise FileProblem(f"key {key_id} is symmetric: it has no public key")
        write_output(out, key.public_key.to_pem())


@app.command("remove")
def remove_version(
    path: _File,
    key_id: _KeyId,
    version_id: _VersionId,
    *,
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    passphrase_fd: Descriptor = None,
) -> None:
    """Remove a key version for ever; its ciphertexts can then not be decrypted.

    The primary version cannot be removed. `kmscore census` lists versions that no ciphertext uses.

    Example: kmscore keys remove team.keys orders 7 --yes
    """

    def change(keyring: Keyring) -> tuple[Keyring, str]:
        old = keyring.version(key_id, version_id)
        if keyring.primary(key_id) is old:
            raise FileProblem(
                f"{key_id}: version {version_id} is primary, and is not removed; `kmscore keys"
                " rotate` makes a new version primary"
            )
        _confirm(f"Remove version {version_id} of key {key_id} for ever?", is_sure=is_sure)
        keys = [key for key in keyring if key is not old]
        primary = {key.key_id: keyring.primary(key.key_id).key_version_id for key in keys}
        return Keyring(keys, primary=primary), f"{key_id}: version {version_id} is removed"

    _change(path, passphrase_fd, change)


@app.command("passphrase")
def change_passphrase(
    path: _File, new_passphrase_fd: NewDescriptor = None, passphrase_fd: Descriptor = None
) -> None:
    """Encrypt a keyring file under a new passphrase.

    Copies of the old file still open with the old passphrase.

    Example: kmscore keys passphrase team.keys
    """
    with problems_in_one_line():
        check_descriptors(passphrase_fd, new_passphrase_fd)
    _change(
        path,
        passphrase_fd,
        lambda keyring: (keyring, f"{path}: the passphrase is changed"),
        new_passphrase=lambda: get_new_passphrase(new_passphrase_fd),
    )


@app.command("disable")
def disable_key(
    path: _File, key_id: _KeyId, version_id: _VersionId, passphrase_fd: Descriptor = None
) -> None:
    """Disable a key version, so that all operations reject it; `enable` reverses this.

    Example: kmscore keys disable team.keys orders 7
    """
    _change(path, passphrase_fd, _set_state(key_id, version_id, KeyState.DISABLED))


@app.command("enable")
def enable_key(
    path: _File, key_id: _KeyId, version_id: _VersionId, passphrase_fd: Descriptor = None
) -> None:
    """Enable a disabled key version.

    Example: kmscore keys enable team.keys orders 7
    """
    _change(path, passphrase_fd, _set_state(key_id, version_id, KeyState.ENABLED))


def _change(
    path: Path,
    descriptor: int | None,
    change: Change,
    *,
    may_begin: bool = False,
    new_passphrase: Callable[[], bytes] | None = None,
) -> None:
    """Replace the keyring in a file by a changed one, and print the message."""
    with problems_in_one_line():
        words = change_keyring(
            path, descriptor, change, may_begin=may_begin, new_passphrase=new_passphrase
        )
    tell(lambda: typer.echo(printable(words)), f"; {path} is changed")


def _confirm(question: str, *, is_sure: bool) -> None:
    """Ask at a terminal. Raises `FileProblem` for the answer no, and without a terminal."""
    if is_sure:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise FileProblem("not removed: give --yes, or run this in a terminal")
    if not typer.confirm(question, err=True):
        raise FileProblem("not removed")


def _row(keyring: Keyring, key: Key) -> dict[str, Any]:
    """Return the shown properties of a key version."""
    return {
        "key_id": key.key_id,
        "key_version_id": key.key_version_id,
        "spec": key.spec.name,
        "suite": key.suite.name if isinstance(key, SymmetricKey) else None,
        "state": key.state.value,
        "primary": keyring.primary(key.key_id) is key,
    }


def _lines(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Return the rows in columns, one line each, so that no ID is cut or wrapped by us."""
    names = ("key_id", "key_version_id", "spec", "suite", "state", "primary")
    head = ("key", "version", "spec", "suite", "state", "primary")
    cells = [
        [
            "" if value is None else "primary" if value is True else str(value or "")
            for value in each
        ]
        for each in ([row[name] for name in names] for row in rows)
    ]
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in (head, *cells)
    ]


def _set_state(key_id: str, version_id: str, state: KeyState) -> Change:
    """Return the change that sets the state of a key version."""

    def change(keyring: Keyring) -> tuple[Keyring, str]:
        old = keyring.version(key_id, version_id)
        keys = [with_state(key, state) if key is old else key for key in keyring]
        primary = {key.key_id: keyring.primary(key.key_id).key_version_id for key in keyring}
        words = f"{key_id}: version {version_id} is {state.value}"
        if state is not KeyState.ENABLED and keyring.primary(key_id) is old:
            words += "; it is primary, so encryption under this key fails"
        return Keyring(keys, primary=primary), words

    return change


def _check_unknown(keyring: Keyring, key_id: str) -> None:
    """Raise `FileProblem` if the keyring has a key with this ID."""
    try:
        keyring.primary(key_id)
    except KeyNotFoundError:
        return
    raise FileProblem(f"key {key_id} exists already; `kmscore keys rotate` adds a version")


def _check_new_version(
    keyring: Keyring, key_id: str, version_id: str | None, advice: str = ""
) -> None:
    """Raise `FileProblem` if the keyring has this version of the key."""
    for key in keyring:
        if (key.key_id, key.key_version_id) == (key_id, version_id):
            raise FileProblem(
                f"version {version_id} of key {key_id} ({_kind(key)}) exists already; give another"
                f" --version-id{advice}"
            )


def _kind(key: Key) -> str:
    return key.suite.name if isinstance(key, SymmetricKey) else key.spec.name


def _or_random(identifier: str | None) -> str:
    """Return the given ID, or a random UUID for `None`. An empty ID is not replaced."""
    return str(uuid.uuid4()) if identifier is None else identifier
