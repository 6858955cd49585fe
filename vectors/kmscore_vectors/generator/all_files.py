"""All files of the suite, each with its accumulated test."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from kmscore_vectors.generator import accumulated
from kmscore_vectors.generator.aead.file import make as make_aead
from kmscore_vectors.generator.blob.file import make as make_blob
from kmscore_vectors.generator.encryption_context.file import make as make_encryption_context
from kmscore_vectors.generator.model import VectorFile
from kmscore_vectors.generator.reencrypt.file import make as make_reencrypt
from kmscore_vectors.generator.rsa_oaep.file import make as make_rsa_oaep
from kmscore_vectors.generator.service_api.file import make as make_service_api
from kmscore_vectors.generator.service_blob.file import make as make_service_blob
from kmscore_vectors.generator.sm2pke.file import make as make_sm2pke
from kmscore_vectors.generator.wycheproof.form import WycheproofFile
from kmscore_vectors.generator.wycheproof.sm2_decrypt import make as make_sm2_decrypt
from kmscore_vectors.generator.wycheproof.xaes_256_gcm import make as make_xaes_256_gcm

MAKERS: Final[tuple[Callable[[], VectorFile], ...]] = (
    make_blob,
    make_encryption_context,
    make_aead,
    make_rsa_oaep,
    make_sm2pke,
    make_reencrypt,
    make_service_blob,
    make_service_api,
)
"""The functions that make the files in our own form, without the accumulated tests."""

_WYCHEPROOF_MAKERS: Final[tuple[Callable[[], WycheproofFile], ...]] = (
    make_xaes_256_gcm,
    make_sm2_decrypt,
)


def make_files() -> Iterator[VectorFile | WycheproofFile]:
    """Yield every file; those in our own form are complete with their accumulated tests."""
    for make in MAKERS:
        file = make()
        yield replace(
            file,
            notes={**file.notes, "Accumulated": accumulated.NOTE},
            groups=(*file.groups, accumulated.group(file.name)),
        )
    for make_in_other_form in _WYCHEPROOF_MAKERS:
        yield make_in_other_form()
