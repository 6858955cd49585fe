"""A keyring on its way to worker processes."""

import os
from typing import NamedTuple, Self

from kmscore.keyfile import ScryptParameters, open_keyring, seal_keyring
from kmscore.keyring import Keyring

_ONE_TIME = ScryptParameters(n=1 << 14)
"""The lowest cost, because a random passphrase cannot be guessed."""


class WorkerKeys(NamedTuple):
    """An encrypted keyring with its one-time passphrase, because keys cannot be pickled."""

    keyfile: bytes
    passphrase: bytes

    @classmethod
    def of(cls, keys: Keyring) -> Self:
        """Encrypt a keyring under a random passphrase."""
        passphrase = os.urandom(32)
        return cls(seal_keyring(keys, passphrase, parameters=_ONE_TIME), passphrase)

    def open(self) -> Keyring:
        """Return the keyring."""
        return open_keyring(self.keyfile, self.passphrase)

    def __repr__(self) -> str:
        """Return a constant, because the passphrase is secret."""
        return "<WorkerKeys>"
