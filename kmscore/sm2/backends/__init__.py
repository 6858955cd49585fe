"""The SM2 backends, and the selection of a usable one.

The backend ``openssl`` uses a libcrypto through ctypes, ``portable`` uses Python integers, and
``gmssl`` uses the package of that name. A backend is loaded at its first use.
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
    """Return the names of the SM2 backends that are usable here, in the order of preference.

    The first call loads every backend and runs its self-test. Later calls use the same results.

    Returns:
        Names out of ``openssl``, ``portable`` and ``gmssl``. A key without a named backend uses
        the first one. Backends that are never selected without their name, such as ``gmssl``,
        are last.
    """
    usable = [backend for backend in map(_load, _NAMES) if not isinstance(backend, str)]
    return tuple(backend.name for backend in sorted(usable, key=lambda each: not each.is_default))


def select_backend(name: str | None) -> Backend:
    """Return the backend with this name, or the preferred one for `None`.

    Raises `TypeError` if `name` is not a `str` or `None`, and `UnsupportedAlgorithmError` if the
    backend is unknown or not usable here.
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
    # ImportError, because an interpreter can be built without ctypes.
    except (UnsupportedAlgorithmError, ImportError) as error:
        return str(error)
    return backend if passed else "it failed its self-test"
