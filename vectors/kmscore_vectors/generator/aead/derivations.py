"""The vectors of blobs whose tag fits other associated data, another key or another nonce."""

import hashlib
from collections.abc import Iterator

from kmscore_vectors.generator.aead.maker import (
    KEY_ID,
    KEY_VERSION_ID,
    MESSAGE,
    PAIRS,
    AeadMaker,
    bad_blob,
)
from kmscore_vectors.generator.ciphers import seal
from kmscore_vectors.generator.model import Case
from kmscore_vectors.generator.wire import context_bytes, header_bytes, length16, sorted_pairs
from kmscore_vectors.tables import Suite


def other_associated_data(maker: AeadMaker, right: Case) -> Iterator[Case]:
    """Yield blobs whose only defect is a tag over other associated data."""
    iv = maker.iv(right.comment)
    pairs = sorted_pairs(PAIRS)
    context = context_bytes(pairs)
    glued = b"".join(key + value for key, value in pairs)
    other = header_bytes(maker.suite.value, b"other", KEY_VERSION_ID)
    version = header_bytes(maker.suite.value, KEY_ID, b"v2")
    for comment, aad in (
        ("nothing", b""),
        ("the header alone", maker.header),
        ("the context alone", context),
        ("the context before the header", context + maker.header),
        ("the header without the magic", maker.header[3:] + context),
        ("the header without the suite ID", maker.header[:4] + maker.header[5:] + context),
        ("the header with another key ID", other + context),
        ("the header with another key version ID", version + context),
        ("the header and the IV", maker.header + iv + context),
        ("key and version IDs alone", KEY_ID + KEY_VERSION_ID + context),
        ("pairs without lengths", maker.header + glued),
        ("pairs without their count", maker.header + context[2:]),
        ("pairs in the order given", maker.header + context_bytes(pairs[::-1])),
        ("the length of the context before it", maker.header + length16(context)),
        ("the header hashed", hashlib.sha256(maker.header).digest() + context),
    ):  # fmt: skip
        sealed = seal(maker.suite, maker.material, iv, MESSAGE, aad)
        yield bad_blob(right, "AssociatedData", comment, maker.blob(sealed, iv))
    bare = maker.opened("no context", "Valid", MESSAGE, ())
    iv = maker.iv("no context")
    sealed = seal(maker.suite, maker.material, iv, MESSAGE, maker.header + bytes(2))
    comment = "a count of zero pairs for no context"
    yield bad_blob(bare, "AssociatedData", comment, maker.blob(sealed, iv))


def other_derivations(maker: AeadMaker, right: Case) -> Iterator[Case]:
    """Yield blobs that another suite has sealed with the same key, under this header."""
    iv = maker.iv(right.comment)
    aad = maker.associated_data(PAIRS)
    sealings = {
        "another key": seal(maker.suite, maker.draw("x", len(maker.material)), iv, MESSAGE, aad)
    }  # fmt: skip
    if maker.suite is Suite.XAES_256_GCM:
        plain = Suite.AES_256_GCM
        derived = seal(maker.suite, maker.material, iv, b"", b"").gcm_key
        swapped = derived[16:] + derived[:16]
        for comment, key, nonce in (
            ("AES_256_GCM with an IV of 24 bytes", maker.material, iv),
            ("AES_256_GCM with the first 12 bytes", maker.material, iv[:12]),
            ("AES_256_GCM with the last 12 bytes", maker.material, iv[12:]),
            ("the derived key with the first 12 bytes", derived, iv[:12]),
            ("the halves of the derived key exchanged", swapped, iv[12:]),
        ):
            sealings[comment] = seal(plain, key, nonce, MESSAGE, aad)
    elif maker.suite is Suite.SM4_GCM:
        sealings["AES-128"] = seal(Suite.AES_128_GCM, maker.material, iv, MESSAGE, aad)
    elif maker.suite is Suite.AES_128_GCM:
        sealings["SM4"] = seal(Suite.SM4_GCM, maker.material, iv, MESSAGE, aad)
    else:
        sealings["AES-128 with the first 16 bytes of the key"] = seal(
            Suite.AES_128_GCM, maker.material[:16], iv, MESSAGE, aad
        )
    for comment, sealed in sealings.items():
        yield bad_blob(right, "OtherDerivation", comment, maker.blob(sealed, iv))
