"""A keyring file as it stands on the disk, for whoever opens it."""

from typing import NamedTuple

from kmscore import Keyring, keyfile


class Sealed(NamedTuple):
    """A keyring file as it stands on the disk, and what opens it."""

    keyfile: bytes
    passphrase: bytes

    def open(self) -> Keyring:
        """Return the keyring. Raises what `kmscore.keyfile.open_keyring` does."""
        return keyfile.open_keyring(self.keyfile, self.passphrase)

    def __repr__(self) -> str:
        """Show neither."""
        return "<Sealed>"
