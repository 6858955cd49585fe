"""A second writer of sealed keyrings, made from the format description without the library."""

import functools
import hashlib
import hmac
import os
import struct
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kmscore.keyfile import ScryptParameters, scrypt

PASSPHRASE = b"correct horse battery staple"
CHEAP = ScryptParameters(n=1 << 14)
"""The lowest allowed cost."""

HEADER = slice(28)
SALT = slice(12, 28)
COMMITMENT = slice(28, 60)
IV = slice(60, 72)
SEALED = slice(72, None)
ASSOCIATED = slice(60)

remembered = functools.cache(scrypt.derive_key)
"""The KDF, with a cache by passphrase, salt and parameters."""


class Written(NamedTuple):
    """The fields of a sealed keyring, and the values that they are computed from."""

    header: bytes
    k: bytes
    commitment: bytes
    iv: bytes
    sealed: bytes

    @property
    def data(self) -> bytes:
        """The sealed keyring."""
        return self.header + self.commitment + self.iv + self.sealed


def write(
    inside: bytes,
    cost: tuple[int, int, int] = (14, 8, 1),
    *,
    passphrase: bytes = PASSPHRASE,
    salt: bytes | None = None,
    iv: bytes | None = None,
) -> Written:
    """Seal any content at a cost of log2 n, r and p."""
    log_n, r, p = cost
    salt, iv = salt or os.urandom(16), iv or os.urandom(12)
    header = b"KMSRING\x02\x01" + bytes(cost) + salt
    k = hashlib.scrypt(passphrase, salt=salt, n=1 << log_n, r=r, p=p, dklen=64, maxmem=1 << 28)
    commitment = hmac.new(k[32:], header, hashlib.sha256).digest()
    sealed = AESGCM(k[:32]).encrypt(iv, inside, header + commitment)
    return Written(header, k, commitment, iv, sealed)


def content(*keys: bytes, count: int | None = None) -> bytes:
    """Return the content of a keyring."""
    return struct.pack(">I", len(keys) if count is None else count) + b"".join(keys)


def entry(
    spec: int, *versions: bytes, key_id: bytes = b"key", primary: int = 0, count: int | None = None
) -> bytes:
    """Return the entry of a key in a content."""
    number = len(versions) if count is None else count
    numbers = struct.pack(">II", number, primary)
    return b"".join((bytes([len(key_id)]), key_id, bytes([spec]), numbers, *versions))


def version(
    name: bytes, material: bytes, state: int = 1, suite: int = 1, length: int | None = None
) -> bytes:
    """Return the entry of a key version in a content."""
    number = len(material) if length is None else length
    return b"".join(
        (bytes([len(name)]), name, bytes([state, suite]), struct.pack(">H", number), material)
    )
