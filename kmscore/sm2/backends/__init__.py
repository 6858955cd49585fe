"""The backends of SM2, and which of them are usable here.

``openssl`` is a libcrypto through ctypes, ``portable`` is Python, ``gmssl`` is the package of
that name. Nothing is loaded before it is asked for.
"""

import importlib
from functools import cache
from typing import Final

from kmscore._typecheck import check_optional_text
from kmscore.errors import UnsupportedAlgorithmError
from kmscore.sm2.scheme import Backend
from kmscore.sm2.selftest import passes_self_test

_NAMES: Final = ("openssl", "portable", "gmssl")


def available_backends() -> tuple[str, ...]:
    """Return the names of the usable backends, best first; `gmssl` is always last.

    The first one is what a key takes if none is named. Loads what it has to, once.
    """
    usable = [backend for backend in map(_load, _NAMES) if not isinstance(backend, str)]
    return tuple(backend.name for backend in sorted(usable, key=lambda each: not each.is_default))


def select_backend(name: str | None) -> Backend:
    """Return the backend of that name, or the best one for `None`.

    Raises `TypeError` for a name of the wrong type and `UnsupportedAlgorithmError` if there is no
    such backend or it is not usable here.
    """
    check_optional_text(name, "backend")
    if name is None:
        for usable in map(_load, _NAMES):
            if not isinstance(usable, str) and usable.is_default:
                return usable
        raise UnsupportedAlgorithmError("no backend of SM2 is usable here")
    if name not in _NAMES:
        raise UnsupportedAlgorithmError(f"unknown SM2 backend: not one of {', '.join(_NAMES)}")
    loaded = _load(name)
    if isinstance(loaded, str):
        raise UnsupportedAlgorithmError(f"the SM2 backend {name} is not usable here: {loaded}")
    return loaded


@cache
def _load(name: str) -> Backend | str:
    """Return the backend after its self-test, or the reason why it cannot be used."""
    try:
        module = importlib.import_module(f"kmscore.sm2.backends.{name}")
        backend: Backend = module.load()
        passed = passes_self_test(backend)
    # ImportError: an interpreter can be built without ctypes.
    except (UnsupportedAlgorithmError, ImportError) as error:
        return str(error)
    return backend if passed else "it failed its self-test"
