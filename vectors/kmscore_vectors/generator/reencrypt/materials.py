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


def _flipped(index: int, bits: int) -> bytes:
    """Return the material of the AES key with some bits of one byte inverted."""
    material = bytearray(AES.material)
    material[index] ^= bits
    return bytes(material)


def valid_materials(ring: tuple[TestKey, ...]) -> Iterator[tuple[str, Fields]]:
    """Yield a keyring with additional keys, which is valid."""
    for comment, material in {
        "the last bit is another, and the suite": _flipped(31, 1),
        "the first bit is another, and the suite": _flipped(0, 0x80),
        "byte 15 is another, and the suite": _flipped(15, 1),
        "byte 16 is another, and the suite": _flipped(16, 1),
        "the first half is equal, and another suite": AES.material[:16] + _OTHER.material[16:],
        "the last half is equal, and another suite": _OTHER.material[:16] + AES.material[16:],
        "the halves are exchanged, and another suite": AES.material[16:] + AES.material[:16],
        "the bytes are reversed, and another suite": AES.material[::-1],
    }.items():
        more: TestKey = SymmetricTestKey("same", "v1", Suite.XAES_256_GCM, material)
        yield comment, {"keys": ring_field((more, *ring))}
    for comment, more in {
        "one material under one suite and two key IDs": _under(AES, AES.suite),
        "one material under one suite and two version IDs": _under(
            AES, AES.suite, AES.key_id, "v0", _DISABLED
        ),
        "one material under one suite, disabled": _under(AES, AES.suite, state=_DISABLED),
        "16 bytes under one suite and two key IDs": _under(_AES_128, Suite.AES_128_GCM),
        "the first half of a key of another suite": SymmetricTestKey(
            "same", "v1", Suite.SM4_GCM, AES.material[:16]
        ),
        "the last half of a key of another suite": SymmetricTestKey(
            "same", "v1", Suite.SM4_GCM, AES.material[16:]
        ),
        "a key of 16 bytes with 16 zeros behind it, and another suite": SymmetricTestKey(
            "same", "v1", Suite.AES_256_GCM, _AES_128.material + bytes(16)
        ),
        "a key of 16 bytes with 16 zeros before it, and another suite": SymmetricTestKey(
            "same", "v1", Suite.AES_256_GCM, bytes(16) + _AES_128.material
        ),
        "a key of 16 bytes twice, and another suite": SymmetricTestKey(
            "same", "v1", Suite.AES_256_GCM, _AES_128.material * 2
        ),
        "24 of 32 bytes, and another suite": SymmetricTestKey(
            "same", "v1", Suite.AES_192_GCM, AES.material[:24]
        ),
        "the first half of 16 bytes is equal, and another suite": SymmetricTestKey(
            "same", "v1", Suite.SM4_GCM, _AES_128.material[:8] + _OTHER.material[:8]
        ),
        "the last half of 16 bytes is equal, and another suite": SymmetricTestKey(
            "same", "v1", Suite.SM4_GCM, _OTHER.material[:8] + _AES_128.material[8:]
        ),
    }.items():
        # The additional key comes first, so that the primary versions stay the same.
        yield comment, {"keys": ring_field((more, *ring))}
