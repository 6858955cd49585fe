"""The vectors of special keys and of IDs: each has groups of its own."""

from collections.abc import Iterator
from itertools import count
from typing import Final

from kmscore_vectors.generator.aead.maker import MESSAGE, MOST_PLAINTEXT, PAIRS, AeadMaker
from kmscore_vectors.generator.aead.messages import Message, ends_of
from kmscore_vectors.generator.ciphers import encrypt_block
from kmscore_vectors.generator.model import Group
from kmscore_vectors.generator.suite_properties import key_length, spec_of
from kmscore_vectors.tables import Suite

_LONGEST_ID: Final = 255
_PLAINTEXT: Final = bytes(range(0x80, 0xB1))  # 49 bytes: three blocks and a byte
RIPPLES: Final = {
    "the highest bit of every byte of L is 1": 5_246,
    "the highest bit of every byte of L is 0": 37_004,
}
"""The numbers of keys, found by a search from 0, with L = AES(0^16) as the name says."""

SHIFTS: Final = {
    "the highest bit of L is 0": (0x00, 0x00, 0x00),
    "the highest bit of L is 0, K1 has bits of 87": (0x00, 0x43, 0x43),
    "the highest bit of L is 1": (0x80, 0x00, 0x00),
    "the highest bit of L is 1, 87 added would carry": (0x80, 0x43, 0x43),
    "the highest bit of L is 1, 87 added would not carry": (0x80, 0x00, 0x43),
}
"""The highest bit of L, and the value of its last byte under a mask."""


def key_groups(suite: Suite) -> Iterator[Group]:
    """Yield the groups of the special keys and the other IDs of a suite."""
    for comment, material in _patterns(key_length(spec_of(suite))).items():
        yield from _groups(AeadMaker(suite, material), comment, "SpecialKey")
    if suite is Suite.XAES_256_GCM:
        for comment, material in shifted_keys().items():
            yield from _groups(AeadMaker(suite, material), comment, "SubkeyShift")
    else:
        for comment, material in _subkeys(suite).items():
            yield from _groups(AeadMaker(suite, material), comment, "SpecialKey")
    for comment, ids in _IDS.items():
        yield from _groups(
            AeadMaker(suite, ids=ids), comment, "Boundary", is_long=len(ids[0]) == _LONGEST_ID
        )


def _groups(maker: AeadMaker, comment: str, flag: str, *, is_long: bool = False) -> Iterator[Group]:
    """Yield one group for each operation."""
    messages = [
        Message(comment, flag, _PLAINTEXT, PAIRS),
        Message(f"{comment}, no context", flag, MESSAGE[:16], ()),
    ]
    if is_long:
        messages.append(Message(f"{comment}, 6,144 bytes", flag, bytes(MOST_PLAINTEXT), ()))
    yield Group("encrypt", tuple(maker.sealed(*message) for message in messages), maker.shared)
    yield Group("decrypt", tuple(maker.opened(*message) for message in messages), maker.shared)


def _patterns(length: int) -> dict[str, bytes]:
    """Return keys with a pattern."""
    numbers = bytes(range(1, length + 1))
    return {
        "a key of zeros": bytes(length),
        "a key of ones": b"\xff" * length,
        "a key that begins with 00": b"\x00" + numbers[1:],
        "a key that ends with 00": numbers[:-1] + b"\x00",
        "a key that ends with 0a": numbers[:-1] + b"\n",
        "a key with equal halves": numbers[: length // 2] * 2,
        "a key of hexadecimal digits": (b"0123456789abcdef" * 2)[:length],
        "a key of Base64": (b"QUJDREVGR0hJSktMTU5PUFFSU1RVVg==")[-length:],
        "a key that is not UTF-8": bytes(range(256))[-length:],
    }


def _subkeys(suite: Suite) -> dict[str, bytes]:
    """Return keys whose hash subkey H has a given first and last bit."""
    return {
        f"H begins with the bit {first} and ends with the bit {last}": next(
            key
            for key in _drawn(suite)
            if ends_of(encrypt_block(suite, key, bytes(16))) == (first, last)
        )
        for first, last in ((0, 0), (0, 1), (1, 0), (1, 1))
    }


def shifted_keys() -> dict[str, bytes]:
    """Return keys of XAES-256-GCM by the form of L."""
    suite = Suite.XAES_256_GCM
    keys: dict[str, bytes] = {}
    for comment, form in SHIFTS.items():
        keys[comment] = next(
            key for key in _drawn(suite) if has_form(key, form) and key not in keys.values()
        )
    drawn = AeadMaker(suite).draw
    return keys | {comment: drawn(f"key {number}", 32) for comment, number in RIPPLES.items()}


def has_form(key: bytes, form: tuple[int, int, int]) -> bool:
    """Return whether L of a key has the highest bit and the last byte of a form of `SHIFTS`."""
    first, last, mask = form
    block = encrypt_block(Suite.XAES_256_GCM, key, bytes(16))
    return (block[0] & 0x80, block[-1] & mask) == (first, last)


def _drawn(suite: Suite) -> Iterator[bytes]:
    """Yield the numbered keys of a suite."""
    maker = AeadMaker(suite)
    return (maker.draw(f"key {number}", len(maker.material)) for number in count())


_IDS: Final = {
    "a header of 16 bytes": (b"key-1", b"v001"),
    "IDs of one byte": (b"!", b"~"),
    "IDs of 128 and 129 bytes": (b"k" * 128, b"v" * 129),
    "IDs of 255 bytes": (b"k" * _LONGEST_ID, b"v" * _LONGEST_ID),
    "equal IDs": (b"key", b"key"),
}
