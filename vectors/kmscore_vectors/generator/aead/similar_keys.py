"""The vectors of keys that differ in one byte, under IVs that share a half: they find caches.

Each key and each IV differs from the one that is asked before it, so that a cache of one entry is
noticed too.
"""

from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from kmscore_vectors.generator.aead.maker import MESSAGE, PAIRS, AeadMaker, bad_blob, flip
from kmscore_vectors.generator.model import Case, Group, blob_of
from kmscore_vectors.generator.suite_properties import iv_length, key_length, spec_of
from kmscore_vectors.tables import Suite

_FLAG: Final = "SimilarKey"


def similar_keys(suite: Suite) -> dict[str, bytes]:
    """Return a key, and keys of which each differs from the one before in one byte."""
    length = key_length(spec_of(suite))
    positions = {
        "the last byte": length - 1,
        "the first byte": 0,
        "the last byte of the first half": length // 2 - 1,
        "the first byte of the last half": length // 2,
    }
    first = AeadMaker(suite).draw("similar keys", length)
    keys = accumulate(
        positions.values(), lambda key, position: flip(key, position, 1), initial=first
    )
    names = ("a key", *(f"a key that differs in {name}" for name in positions))
    return dict(zip(names, keys, strict=True))


def similar_ivs(suite: Suite) -> dict[str, bytes]:
    """Return three IVs: the second shares a half with each of the others."""
    length = iv_length(suite)
    first, last, other = (AeadMaker(suite).draw(f"half of an IV {n}", length // 2) for n in "123")
    return {
        "an IV": first + last,
        "an IV with its last half": other + last,
        "an IV with the first half of that": other + first,
    }


def similar_key_groups(suite: Suite) -> Iterator[Group]:
    """Yield the groups of the keys of a suite. The last IV of one key is the first of the next."""
    ivs = list(similar_ivs(suite).items())
    before: AeadMaker | None = None
    for comment, material in similar_keys(suite).items():
        maker = AeadMaker(suite, material)
        named = [(f"{comment}, {name}", _FLAG, MESSAGE, PAIRS, iv) for name, iv in ivs]
        opened = [maker.opened(*each) for each in named]
        if before is not None:
            opened.insert(0, _under(before, opened[0], ivs[0][1]))
        yield Group("encrypt", tuple(maker.sealed(*each) for each in named), maker.shared)
        yield Group("decrypt", tuple(opened), maker.shared)
        before = maker
        ivs.reverse()


def _under(before: AeadMaker, right: Case, iv: bytes) -> Case:
    """Return the test with the blob that the key before has sealed."""
    sealed = blob_of(before.opened("", _FLAG, MESSAGE, PAIRS, iv))
    return bad_blob(right, _FLAG, f"{right.comment}, sealed under the key before", sealed)
