"""An unopened keyring file with its passphrase."""

from typing import NamedTuple

from kmscore import Keyring, keyfile


class Sealed(NamedTuple):
    """The bytes of a keyring file, and its passphrase."""

    keyfile: bytes
    passphrase: bytes

    def open(self) -> Keyring:
        """Return the keyring. Raises the errors of `kmscore.keyfile.open_keyring`."""
        return keyfile.open_keyring(self.keyfile, self.passphrase)

    def __repr__(self) -> str:
        """Return a constant, because the passphrase is secret."""
        return "<Sealed>"
