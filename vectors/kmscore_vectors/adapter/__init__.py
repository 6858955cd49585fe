"""Run the library `kmscore` on the vectors, in each configuration that this machine allows.

Only the modules of this package import `kmscore`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import kmscore
from kmscore.errors import UnsupportedAlgorithmError
from kmscore.keyring import KeyProvider, Keyring
from kmscore.keys import Key, Sm2Key
from kmscore.sm2 import available_backends
from kmscore_vectors.adapter.agreement import DisagreementError
from kmscore_vectors.adapter.responder import Responder
from kmscore_vectors.answers import Answer, Ask, Configuration
from kmscore_vectors.files import NAMES
from kmscore_vectors.inprocess import describe
from kmscore_vectors.report import Library

_BACKENDS: Final = ("openssl", "portable", "gmssl")
_WITH_SM2: Final = ("sm2pke", "reencrypt", "sm2_decrypt")
_WITH_PROVIDER: Final = ("aead", "rsa_oaep", "sm2pke", "reencrypt")


class _ForeignProvider:
    """A keyring with only the methods of `KeyProvider`, so that the library has no short path."""

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


def _asking(responder: Responder) -> Ask:
    """Return a function that asks the library; an exception without an error code is a `crash`."""

    def ask(operation: str, inputs: Mapping[str, Any]) -> Answer:
        try:
            return responder.answer(operation, inputs)
        except DisagreementError as error:
            return {"failure": describe(error)}
        except Exception as error:  # noqa: BLE001 (after any exception, the other tests go on)
            return {"crash": describe(error)}

    return ask


def configurations() -> Iterator[Configuration]:
    """Yield the ways to run the library: first with all files, then with the files that differ.

    The backend `portable` needs only Python. It is run even if the library rejects it, and then
    its tests fail.
    """
    best, *others = dict.fromkeys([*available_backends(), "portable"])
    yield Configuration(f"Keyring, SM2 by {best}", NAMES, _asking(Responder(backend=best)))
    for backend in others:
        ask = _asking(Responder(backend=backend))
        yield Configuration(f"Keyring, SM2 by {backend}", _WITH_SM2, ask)
    yield Configuration(
        f"another KeyProvider, SM2 by {best}",
        _WITH_PROVIDER,
        _asking(Responder(backend=best, provider=_foreign)),
    )


def library() -> Library:
    """Return the library under test, with the reasons why SM2 backends cannot be used here."""
    unusable: dict[str, str] = {}
    for backend in _BACKENDS:
        try:
            Sm2Key.generate(backend=backend)
        except UnsupportedAlgorithmError as error:
            unusable[backend] = str(error)
    return Library(kmscore.__version__, Path(kmscore.__file__).parent, unusable)
