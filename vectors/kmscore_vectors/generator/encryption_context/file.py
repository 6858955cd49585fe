"""The vectors of the encryption context: maps and JSON texts, and their canonical bytes."""

from itertools import chain

from kmscore_vectors.generator.encryption_context.names import name_cases
from kmscore_vectors.generator.encryption_context.notes import NOTES
from kmscore_vectors.generator.encryption_context.pairs import pair_cases
from kmscore_vectors.generator.encryption_context.sizes import size_cases
from kmscore_vectors.generator.encryption_context.strings import string_cases
from kmscore_vectors.generator.encryption_context.syntax import syntax_cases
from kmscore_vectors.generator.encryption_context.texts import text_cases
from kmscore_vectors.generator.model import Group, VectorFile


def make() -> VectorFile:
    """Return the file."""
    texts = chain(text_cases(), name_cases(), size_cases(), string_cases(), syntax_cases())
    return VectorFile(
        name="encryption_context",
        algorithm="kmscore-v1-encryption-context",
        header=("Encryption contexts, as pairs and as JSON, and their canonical bytes.",),
        notes=NOTES,
        groups=(
            Group("canonicalize", tuple(pair_cases())),
            Group("canonicalize_json", tuple(texts)),
        ),
    )
