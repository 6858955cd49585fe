"""The two files of a server's keys: the keyring, and the properties that a keyring does not have.

Both files are locked for each change, and the keyring is written first. A server that is killed
between the two has not answered the request yet. The next one finds a new key without description
and aliases, or a key in its new state.
"""

import os
from functools import partial
from pathlib import Path
from typing import Any

from kmscore import Keyring, keyfile
from kmscore.alibaba import Profile
from kmscore.alibaba.operations import check_sealing
from kmscore.cli.files import read_file
from kmscore.cli.keyring_file import open_sealed, warn_if_readable
from kmscore.cli.new_file import NewFile
from kmscore.cli.passphrase import get_passphrase
from kmscore.cli.problems import FileProblem
from kmscore.cli.served_options import read_text
from kmscore.cli.terminal import say
from kmscore.emulator import (
    Contents,
    InvalidDocumentError,
    KeyStore,
    add_seed,
    properties_text,
    saved_contents,
)
from kmscore.emulator.store import present
from kmscore.errors import KeyStateError, KeyUsageError
from kmscore.keyfile import ScryptParameters
from kmscore.keyfile.sealing import MAX_LENGTH
from kmscore.keys import SymmetricKey


class ServedKeyring:
    """A keyring file, and a JSON file with the same name and `.json` after it.

    Each change of a key encrypts the whole file again, which takes as long as its KDF.
    """

    def __init__(self, path: Path, descriptor: int | None) -> None:
        """Read the files. Without a keyring file, the first change creates it.

        Raises `FileProblem`, and `UnsupportedAlgorithmError`.
        """
        is_new = not os.path.lexists(path)
        self._path = path if is_new else path.resolve()
        self._properties = self._path.with_name(f"{self._path.name}.json")
        if is_new and os.path.lexists(self._properties):
            raise FileProblem(
                f"{self._properties} exists, but {path.name} does not: rename it, or use another"
                " name for the keyring"
            )
        self._sealed = None if is_new else read_file(self._path, limit=MAX_LENGTH)
        self._passphrase = get_passphrase(descriptor, is_new=is_new)
        self._parameters = ScryptParameters()
        keyring = Keyring([])
        if self._sealed is not None:
            keyring = open_sealed(self._path, self._sealed, self._passphrase)
            self._parameters = keyfile.read_parameters(self._sealed)
            warn_if_readable(self._path)
        self._text = self._read_properties()
        try:
            text = None if self._text is None else self._text.decode("utf-8")
            self.contents: Contents = saved_contents(
                keyring, text, present().replace(microsecond=0)
            )
        except UnicodeDecodeError:
            raise FileProblem(f"{self._properties}: not UTF-8") from None
        except InvalidDocumentError as error:
            raise FileProblem(f"{self._properties}: {error}") from None
        self._versions = None if is_new else _versions(self.contents)

    def save(self, contents: Contents) -> None:
        """Write what differs from the files. Raises `FileProblem`, also for files of another."""
        versions, sealed = _versions(contents), None
        if versions != self._versions:
            sealed = keyfile.seal_keyring(
                contents.keyring(), self._passphrase, parameters=self._parameters
            )
        with NewFile(self._properties) as properties, NewFile(self._path) as keyring:
            self._check_unchanged()
            if sealed is not None:
                write = keyring.create if self._sealed is None else keyring.replace
                write(sealed)
                self._sealed, self._versions = sealed, versions
            text = properties_text(contents).encode("utf-8")
            properties.replace(text)
            self._text = text

    def _check_unchanged(self) -> None:
        """Raise `FileProblem` if another command has changed one of the files."""
        if self._sealed is not None and read_file(self._path, limit=MAX_LENGTH) != self._sealed:
            raise FileProblem(f"{self._path}: another command has changed it; restart the server")
        if self._read_properties() != self._text:
            raise FileProblem(
                f"{self._properties}: another command has changed it; restart the server"
            )

    def _read_properties(self) -> bytes | None:
        """Return the properties, or `None` if there is no file. Raises `FileProblem`."""
        if not os.path.lexists(self._properties):
            return None
        return read_file(self._properties, limit=MAX_LENGTH)


def _versions(contents: Contents) -> list[tuple[object, object]]:
    """Return what the keyring file has of the contents; key versions are equal if they are one."""
    return [(key.versions, key.primary) for key in contents.keys.values()]


def open_store(
    keyring: Path | None, descriptor: int | None, seed: Path | None, profile: Profile
) -> KeyStore:
    """Return the store. Raises `FileProblem`, and `UnsupportedAlgorithmError`."""
    options: dict[str, Any] = {"has_plain_gcm": not profile.is_v1}
    saved = None if keyring is None else ServedKeyring(keyring, descriptor)
    store = KeyStore(None if saved is None else saved.contents, **options)
    if seed is not None:
        try:
            add_seed(store, read_text(seed))
        except InvalidDocumentError as error:
            raise FileProblem(f"{seed}: {error}") from None
    _warn_if_unusable(store, profile)
    if saved is None:
        return store
    # All keys of the seed are saved at once, because the KDF takes time.
    saved.save(store.contents())
    return KeyStore(store.contents(), on_change=partial(_save, saved), **options)


def _save(saved: ServedKeyring, contents: Contents) -> None:
    """Save a change. Prints and raises `FileProblem`, because the response has no reason."""
    try:
        saved.save(contents)
    except FileProblem as error:
        say(str(error))
        raise


def _warn_if_unusable(store: KeyStore, profile: Profile) -> None:
    """Print a warning if keys do not fit the layout, because responses do not give the reason."""
    keys = store.contents().keys
    reasons = {key_id: _misfit(store, key_id, profile) for key_id in keys}
    unusable = [(key_id, reason) for key_id, reason in reasons.items() if reason is not None]
    if unusable:
        number = f"{len(unusable)} of {len(keys)} keys"
        key_id, reason = unusable[0]
        warning = f"{number} can be used only with --profile v1, such as {key_id}: {reason}"
        say(f"warning: {warning}")


def _misfit(store: KeyStore, key_id: str, profile: Profile) -> str | None:
    """Return the reason for which a symmetric key does not fit a layout; `None` if it does."""
    if not isinstance(store.primary(key_id), SymmetricKey):
        return None
    try:
        check_sealing(store, key_id, None, profile=profile, allow_ambiguous=True)
    except KeyStateError:
        return None
    except KeyUsageError as error:
        return str(error)
    return None
