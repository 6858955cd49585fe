"""The library `kmscore` under the vectors, in every way that it can be run on this machine.

Only the modules of this package import `kmscore`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import kmscore
from kmscore.errors import UnsupportedAlgorithmError
from kmscore.keyring import KeyProvider, Keyring
from kmscore.keys import Key, Sm2Key
from kmscore.sm2 import available_backends
from kmscore_vectors.adapter.responder import Responder
from kmscore_vectors.files import NAMES
from kmscore_vectors.judgement import Answer
from kmscore_vectors.report import Library

_BACKENDS: Final = ("openssl", "portable", "gmssl")
_WITH_SM2: Final = ("sm2pke", "reencrypt")
_WITH_PROVIDER: Final = ("aead", "rsa_oaep", "sm2pke", "reencrypt")


class Configuration(NamedTuple):
    """One way to run the library, and the files that it makes a difference to."""

    name: str
    files: tuple[str, ...]
    responder: Responder

    def ask(self, operation: str, inputs: Mapping[str, Any]) -> Answer:
        """Return the library's answer. An exception that is no refusal is a failure of its own."""
        try:
            return self.responder.answer(operation, inputs)
        except Exception as error:  # noqa: BLE001 (whatever it is, the other tests go on)
            return {"failure": f"{type(error).__name__}: {error}"}


class _ForeignProvider:
    """A ring behind the two methods of `KeyProvider`: the library may take no short cut."""

    def __init__(self, ring: Keyring) -> None:
        self._ring = ring

    def primary(self, key_id: str) -> Key:
        """Return the primary version of a key."""
        return self._ring.primary(key_id)

    def version(self, key_id: str, key_version_id: str) -> Key:
        """Return a version of a key."""
        return self._ring.version(key_id, key_version_id)


def _foreign(ring: Keyring) -> KeyProvider:
    return _ForeignProvider(ring)


def configurations() -> Iterator[Configuration]:
    """Yield the ways to run the library: all files once, and what differs in every other way.

    The backend `portable` needs Python alone. It is run even if the library rejects it: then its
    tests fail.
    """
    best, *others = dict.fromkeys([*available_backends(), "portable"])
    yield Configuration(f"Keyring, SM2 by {best}", NAMES, Responder(backend=best))
    for backend in others:
        yield Configuration(f"Keyring, SM2 by {backend}", _WITH_SM2, Responder(backend=backend))
    yield Configuration(
        f"another KeyProvider, SM2 by {best}",
        _WITH_PROVIDER,
        Responder(backend=best, provider=_foreign),
    )


def library() -> Library:
    """Return which library is run, and why SM2 backends cannot be used here."""
    unusable: dict[str, str] = {}
    for backend in _BACKENDS:
        try:
            Sm2Key.generate(backend=backend)
        except UnsupportedAlgorithmError as error:
            unusable[backend] = str(error)
    return Library(kmscore.__version__, Path(kmscore.__file__).parent, unusable)
