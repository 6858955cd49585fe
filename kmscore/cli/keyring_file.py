"""A keyring as a file: opened, and written anew whole or not at all."""

from pathlib import Path
from typing import Annotated, Final

import typer

from kmscore import Keyring, keyfile
from kmscore.cli.files import FileProblem, create_file, read_file, replace_file
from kmscore.cli.passphrase import get_passphrase
from kmscore.cli.rotation.work import Sealed
from kmscore.errors import DecryptionError, InvalidKeyError
from kmscore.keyfile.sealing import MAX_LENGTH

_LARGEST: Final = MAX_LENGTH

KeyringOption = Annotated[
    Path,
    typer.Option(
        "--keyring", "-k", metavar="FILE", envvar="KMSCORE_KEYRING", help="The keyring file."
    ),
]


def read_keyring(path: Path, descriptor: int | None) -> tuple[Keyring, Sealed]:
    """Return the keyring in a file, and the file as it is. Raises `FileProblem`."""
    data = read_file(path, limit=_LARGEST)
    sealed = Sealed(data, get_passphrase(descriptor))
    try:
        return sealed.open(), sealed
    except DecryptionError:
        reason = "the passphrase is wrong, or the file has been changed"
    except InvalidKeyError as error:
        reason = str(error)
    raise FileProblem(f"{path}: {reason}")


def write_keyring(path: Path, keyring: Keyring, passphrase: bytes, *, is_new: bool) -> None:
    """Write a keyring file that only its owner may read. Raises `FileProblem`."""
    data = keyfile.seal_keyring(keyring, passphrase)
    if is_new:
        create_file(path, data)
    else:
        replace_file(path, data)
