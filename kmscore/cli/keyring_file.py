"""A keyring in a file, which is read, or replaced as a whole."""

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from kmscore import Keyring, KeyState, keyfile
from kmscore.cli.files import read_file
from kmscore.cli.new_file import NewFile
from kmscore.cli.passphrase import get_passphrase
from kmscore.cli.problems import FileProblem
from kmscore.cli.terminal import say
from kmscore.errors import DecryptionError, InvalidKeyError, KeyNotFoundError, KeyStateError
from kmscore.keyfile import ScryptParameters
from kmscore.keyfile.sealing import MAX_LENGTH

KeyringOption = Annotated[
    Path,
    typer.Option(
        "--keyring", "-k", metavar="FILE", envvar="KMSCORE_KEYRING", help="The keyring file."
    ),
]

Change = Callable[[Keyring], tuple[Keyring, str]]
"""A function from a keyring to the changed keyring and the message for the user."""


def read_keyring(path: Path, descriptor: int | None) -> Keyring:
    """Return the keyring in a file.

    Raises `FileProblem`, and `UnsupportedAlgorithmError` if this build of the libraries lacks an
    algorithm of the file or of one of its keys.
    """
    data = read_file(path, limit=MAX_LENGTH)
    keyring = open_sealed(path, data, get_passphrase(descriptor))
    warn_if_readable(path)
    return keyring


def check_destination(keys: Keyring, key_id: str) -> None:
    """Raise `FileProblem` if the primary version of a key is not enabled.

    The error of the operation itself does not name the key version.
    """
    with suppress(KeyNotFoundError):
        key = keys.primary(key_id)
        if key.state is not KeyState.ENABLED:
            raise FileProblem(
                f"{KeyStateError.code}: version {key.key_version_id} of key {key_id} is primary and"
                f" is in the state {key.state.value}; see `kmscore keys enable` and `kmscore keys"
                " rotate`"
            )


def warn_if_readable(path: Path) -> None:
    """Print a warning if other users can read the file; their guesses of it are not limited."""
    with suppress(OSError):
        if os.name != "nt" and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            say(f"warning: other users can read {path}; chmod 600 prevents it")


def change_keyring(
    path: Path,
    descriptor: int | None,
    change: Change,
    *,
    may_begin: bool = False,
    new_passphrase: Callable[[], bytes] | None = None,
) -> str:
    """Replace the keyring in a file by a changed one; return the message for the user.

    With `may_begin`, a missing file is created, and only its owner can read it. `new_passphrase`
    returns the passphrase of the new file; without it, the passphrase stays.

    Raises `FileProblem`, `UnsupportedAlgorithmError`, and the errors of `change` and of
    `kmscore.keyfile.seal_keyring`.
    """
    is_new = may_begin and not os.path.lexists(path)
    if not is_new:
        # Report a problem with the file before the prompt for the passphrase.
        read_file(path, limit=MAX_LENGTH)
        warn_if_readable(path)
        # Keep a symbolic link, and change its target.
        path = path.resolve()
    passphrase = get_passphrase(descriptor, is_new=is_new)
    with NewFile(path) as new:
        # Read while no other command can write, so that no change of another command is lost.
        keyring, parameters = Keyring([]), ScryptParameters()
        if not is_new:
            sealed = read_file(path, limit=MAX_LENGTH)
            keyring = open_sealed(path, sealed, passphrase)
            # Keep a higher scrypt cost of the file.
            before = keyfile.read_parameters(sealed)
            parameters = max(parameters, before, key=lambda cost: cost.work)
        changed, words = change(keyring)
        if new_passphrase is not None:
            passphrase = new_passphrase()
        data = keyfile.seal_keyring(changed, passphrase, parameters=parameters)
        if is_new:
            new.create(data)
        else:
            new.replace(data)
    return words


def open_sealed(path: Path, sealed: bytes, passphrase: bytes) -> Keyring:
    """Return the keyring. Raises `FileProblem` and `UnsupportedAlgorithmError`."""
    try:
        return keyfile.open_keyring(sealed, passphrase)
    except DecryptionError:
        reason = "the passphrase is wrong, or the file has been changed"
    except InvalidKeyError as error:
        reason = str(error)
    except MemoryError:
        reason = "there is not the memory that its KDF takes"
    raise FileProblem(f"{path}: {reason}")
