"""All harnesses by name. A module is loaded only for its harness, because this takes seconds."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

from fuzz.harness import Harness

_MODULES: Final = {
    "blobs": ("blob", "blob-base64", "service-blob"),
    "contexts": ("context", "context-rule"),
    "ciphertexts": ("sm2-encodings", "sm2-decryption"),
    "key_files": ("public-key", "private-key", "encrypted-key", "pem"),
    "keyrings": ("keyring-content", "keyring-file"),
    "requests": ("request", "signature", "api"),
    "policies": ("policy",),
    "tables": ("csv", "json-lines"),
    "table_parts": ("json-members", "job-files"),
    "documents": ("emulator-documents",),
    "short_paths": ("short-paths",),
}

MODULE_OF: Final[Mapping[str, str]] = MappingProxyType(
    {name: module for module, names in _MODULES.items() for name in names}
)
"""The module of each harness."""


def load(name: str) -> Harness:
    """Return a harness."""
    module: Any = import_module(f"{__name__}.{MODULE_OF[name]}")
    harness: Harness = module.HARNESSES[name]
    return harness
