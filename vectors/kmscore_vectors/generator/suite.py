"""All files of the suite, each with its accumulated test."""

from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Final

from kmscore_vectors.generator import (
    accumulated,
    aead,
    blob,
    encryption_context,
    reencrypt,
    rsa_oaep,
    service_api,
    service_blob,
    sm2pke,
)
from kmscore_vectors.generator.model import VectorFile

_MAKERS: Final[tuple[ModuleType, ...]] = (
    blob,
    encryption_context,
    aead,
    rsa_oaep,
    sm2pke,
    reencrypt,
    service_blob,
    service_api,
)


def make_files() -> Iterator[VectorFile]:
    """Yield every file, complete with its accumulated test."""
    for maker in _MAKERS:
        file: VectorFile = maker.make()
        yield replace(
            file,
            notes={**file.notes, "Accumulated": accumulated.NOTE},
            groups=(*file.groups, accumulated.group(file.name)),
        )
