"""A keyring as a file: opened, and written anew whole or not at all."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from kmscore import Keyring, keyfile
from kmscore.cli.files import read_file
from kmscore.cli.new_file import NewFile
from kmscore.cli.passphrase import get_passphrase
from kmscore.cli.problems import FileProblem
from kmscore.cli.sealed_keyring import Sealed
from kmscore.errors import DecryptionError, InvalidKeyError
from kmscore.keyfile import ScryptParameters
from kmscore.keyfile.sealing import MAX_LENGTH

KeyringOption = Annotated[
    Path,
    typer.Option(
        "--keyring", "-k", metavar="FILE", envvar="KMSCORE_KEYRING", help="The keyring file."
    ),
]

Change = Callable[[Keyring], tuple[Keyring, str]]
"""Takes a ring; returns the changed one, and what to say of it."""


def read_keyring(path: Path, descriptor: int | None) -> tuple[Keyring, Sealed]:
    """Return the keyring in a file, and the file as it is.

    Raises `FileProblem`, and `UnsupportedAlgorithmError` if this build of the libraries lacks what
    the file or one of its keys needs.
    """
    data = read_file(path, limit=MAX_LENGTH)
    sealed = Sealed(data, get_passphrase(descriptor))
    return _open(path, sealed), sealed


def change_keyring(
    path: Path, descriptor: int | None, change: Change, *, may_begin: bool = False
) -> str:
    """Write a changed keyring in the place of the old one; return what to say of it.

    With `may_begin`, a file that is not there is made, and only its owner may read it.

    Raises what `read_keyring` does, and what `change` raises.
    """
    is_new = may_begin and not os.path.lexists(path)
    if not is_new:
        # Before anybody is asked for a passphrase.
        read_file(path, limit=MAX_LENGTH)
        # A link stays one: it is the file behind it that changes.
        path = path.resolve()
    passphrase = get_passphrase(descriptor, is_new=is_new)
    with NewFile(path) as new:
        # Read where nobody else can write it, so that no change of another command is lost.
        keyring, parameters = Keyring([]), ScryptParameters()
        if not is_new:
            sealed = Sealed(read_file(path, limit=MAX_LENGTH), passphrase)
            keyring = _open(path, sealed)
            # A file that was sealed at a higher cost keeps it.
            before = keyfile.read_parameters(sealed.keyfile)
            parameters = max(parameters, before, key=lambda cost: cost.work)
        changed, words = change(keyring)
        data = keyfile.seal_keyring(changed, passphrase, parameters=parameters)
        if is_new:
            new.create(data)
        else:
            new.replace(data)
    return words


def _open(path: Path, sealed: Sealed) -> Keyring:
    """Return the keyring. Raises what `read_keyring` does."""
    try:
        return sealed.open()
    except DecryptionError:
        reason = "the passphrase is wrong, or the file has been changed"
    except InvalidKeyError as error:
        reason = str(error)
    except MemoryError:
        reason = "there is not the memory that its KDF takes"
    raise FileProblem(f"{path}: {reason}")
