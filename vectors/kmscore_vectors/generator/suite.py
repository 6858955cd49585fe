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
    wycheproof_sm2,
    wycheproof_xaes,
)
from kmscore_vectors.generator.model import VectorFile
from kmscore_vectors.generator.wycheproof import WycheproofFile

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


_WYCHEPROOF_MAKERS: Final[tuple[ModuleType, ...]] = (wycheproof_xaes, wycheproof_sm2)


def make_files() -> Iterator[VectorFile | WycheproofFile]:
    """Yield every file; those in our own form are complete with their accumulated tests."""
    for maker in _MAKERS:
        file: VectorFile = maker.make()
        yield replace(
            file,
            notes={**file.notes, "Accumulated": accumulated.NOTE},
            groups=(*file.groups, accumulated.group(file.name)),
        )
    for maker in _WYCHEPROOF_MAKERS:
        in_other_form: WycheproofFile = maker.make()
        yield in_other_form
