"""The vectors of re-encryption: a keyring, a request, and a blob or an error."""

from itertools import chain

from kmscore_vectors.generator import (
    reencrypt_bare_order,
    reencrypt_keys,
    reencrypt_order,
    reencrypt_rings,
    reencrypt_sources,
    reencrypt_valid,
)
from kmscore_vectors.generator.keyring import RING, ring_field
from kmscore_vectors.generator.model import Group, VectorFile
from kmscore_vectors.generator.reencrypt_notes import NOTES


def make() -> VectorFile:
    """Return the file."""
    cases = chain(
        reencrypt_valid.blobs(),
        reencrypt_valid.bare_ciphertexts(),
        reencrypt_sources.wrong_blobs(),
        reencrypt_sources.wrong_contexts(),
        reencrypt_keys.wrong_keys(),
        reencrypt_keys.wrong_ids(),
        reencrypt_sources.wrong_tags(),
        reencrypt_sources.wrong_bare_ciphertexts(),
        reencrypt_order.two_defects(),
        reencrypt_bare_order.bare_ciphertexts_last(),
    )
    with_rings = chain(reencrypt_rings.rings(), reencrypt_order.two_defects_with_rings())
    return VectorFile(
        name="reencrypt",
        algorithm="kmscore-v1-reencrypt",
        header=(
            "Re-encryption as a whole: the keys, a request, and the new blob or an error.",
            "The last version that is given for a key ID is its primary one.",
            "The keys are test keys, published.",
        ),
        notes=NOTES,
        groups=(
            Group("reencrypt", tuple(cases), {"keys": ring_field(RING)}),
            Group("reencrypt", tuple(with_rings)),
        ),
    )
