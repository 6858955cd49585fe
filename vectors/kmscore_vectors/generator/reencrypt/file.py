"""The vectors of re-encryption: a keyring, a request, and a blob or an error."""

from itertools import chain

from kmscore_vectors.generator.keys.keyring import RING, ring_field
from kmscore_vectors.generator.model import Group, VectorFile
from kmscore_vectors.generator.reencrypt import (
    bare_order,
    order,
    rings,
    sources,
    valid_requests,
    wrong_keys,
)
from kmscore_vectors.generator.reencrypt.notes import NOTES
from kmscore_vectors.generator.shared_texts import (
    LAST_IS_PRIMARY,
    TEST_KEYS,
)


def make() -> VectorFile:
    """Return the file."""
    cases = chain(
        valid_requests.blobs(),
        valid_requests.bare_ciphertexts(),
        sources.wrong_blobs(),
        sources.wrong_contexts(),
        wrong_keys.wrong_keys(),
        wrong_keys.wrong_ids(),
        sources.wrong_tags(),
        sources.wrong_bare_ciphertexts(),
        order.two_defects(),
        bare_order.bare_ciphertexts_last(),
    )
    with_rings = chain(rings.rings(), order.two_defects_with_rings())
    return VectorFile(
        name="reencrypt",
        algorithm="kmscore-v1-reencrypt",
        header=(
            "Re-encryption as a whole: the keys, a request, and the new blob or an error.",
            LAST_IS_PRIMARY,
            TEST_KEYS,
        ),
        notes=NOTES,
        groups=(
            Group("reencrypt", tuple(cases), {"keys": ring_field(RING)}),
            Group("reencrypt", tuple(with_rings)),
        ),
    )
