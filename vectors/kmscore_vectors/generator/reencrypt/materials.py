"""Keyrings with equal or similar material: it is bound to one suite, under whatever IDs."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from kmscore_vectors.generator.keys import keyring
from kmscore_vectors.generator.keys.keyring import SymmetricTestKey, TestKey, ring_field
from kmscore_vectors.generator.model import Fields
from kmscore_vectors.generator.reencrypt.cases import AES, XAES
from kmscore_vectors.tables import KeyState, Suite

_AES_128: Final = keyring.PER_SUITE[Suite.AES_128_GCM]
_OTHER: Final = keyring.symmetric("other", "v1", Suite.AES_256_GCM)
_DISABLED: Final = KeyState.DISABLED


def _under(
    key: SymmetricTestKey,
    suite: Suite,
    key_id: str = "same",
    version_id: str = "v1",
    state: KeyState = KeyState.ENABLED,
) -> SymmetricTestKey:
    """Return the material of a key, under another suite and other IDs."""
    return SymmetricTestKey(key_id, version_id, suite, key.material, state)


def wrong_materials(ring: tuple[TestKey, ...]) -> Iterator[tuple[str, Fields]]:
    """Yield a keyring with additional keys, which have one material under two suites."""
    small = keyring.symmetric("small", "v1", Suite.SM4_GCM)
    more: dict[str, tuple[TestKey, ...]] = {
        "16 bytes for AES_128 and SM4": (_under(_AES_128, Suite.SM4_GCM),),
        "16 bytes, SM4 is disabled": (_under(_AES_128, Suite.SM4_GCM, state=_DISABLED),),
        "16 bytes, both not used": (small, _under(small, Suite.AES_128_GCM)),
        "32 bytes under another ID": (_under(AES, Suite.XAES_256_GCM),),
        "32 bytes, both not used": (_OTHER, _under(_OTHER, Suite.XAES_256_GCM)),
        "32 bytes, both disabled": (
            replace(_OTHER, state=_DISABLED),
            _under(_OTHER, Suite.XAES_256_GCM, state=_DISABLED),
        ),
        "two versions of one key": (
            _OTHER,
            _under(_OTHER, Suite.XAES_256_GCM, _OTHER.key_id, "v2"),
        ),
        "an older version that is disabled": (
            _under(XAES, Suite.AES_256_GCM, "rotated", "v1", _DISABLED),
            keyring.symmetric("rotated", "v2", Suite.AES_256_GCM),
        ),
        **{
            f"the other one is {state.value}": (_under(AES, Suite.XAES_256_GCM, state=state),)
            for state in KeyState
            if state is not KeyState.ENABLED
        },
    }
    for comment, keys in more.items():
        yield f"one material under two suites: {comment}", {"keys": ring_field((*ring, *keys))}
    first = _under(AES, Suite.XAES_256_GCM)
    yield "one material under two suites, far apart", {"keys": ring_field((first, *ring[1:], AES))}


def valid_materials(ring: tuple[TestKey, ...]) -> Iterator[tuple[str, Fields]]:
    """Yield a keyring with additional keys, which is valid."""
    last = AES.material[:-1] + bytes([AES.material[-1] ^ 1])
    for comment, more in {
        "one material under one suite and two key IDs": _under(AES, AES.suite),
        "one material under one suite and two version IDs": _under(
            AES, AES.suite, AES.key_id, "v0", _DISABLED
        ),
        "one material under one suite, disabled": _under(AES, AES.suite, state=_DISABLED),
        "16 bytes under one suite and two key IDs": _under(_AES_128, Suite.AES_128_GCM),
        "the last bit is another, and the suite": SymmetricTestKey(
            "same", "v1", Suite.XAES_256_GCM, last
        ),
        "the first half of a key of another suite": SymmetricTestKey(
            "same", "v1", Suite.SM4_GCM, AES.material[:16]
        ),
        "the last half of a key of another suite": SymmetricTestKey(
            "same", "v1", Suite.SM4_GCM, AES.material[16:]
        ),
    }.items():
        # The additional key comes first, so that the primary versions stay the same.
        yield comment, {"keys": ring_field((more, *ring))}
