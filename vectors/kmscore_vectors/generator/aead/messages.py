"""The messages of the vectors of the five suites: plaintexts, contexts and IVs that are valid."""

from collections.abc import Iterator
from itertools import count
from typing import Final, NamedTuple

from kmscore_vectors.generator.aead.maker import MESSAGE, MOST_PLAINTEXT, PAIRS, AeadMaker
from kmscore_vectors.generator.ciphers import encrypt_block, seal
from kmscore_vectors.generator.wire import Pairs
from kmscore_vectors.tables import Suite

_LENGTHS: Final = (
    0, 1, 15, 16, 17, 31, 32, 33, 47, 48, 49, 127, 128, 129, 255, 256, 257,
    # 254 blocks use the counters 2 to 255. The next counter has a second byte.
    4064, 4065, 4095, 4096, 4097, 6143,
)  # fmt: skip
_DATA_LENGTHS: Final = (31, 32, 33, 48, 64, 127, 128, 129, 255, 256, 257, 4096)
_PARTIAL: Final = bytes(range(0x20, 0x51))  # 49 bytes: three blocks and a byte


class Message(NamedTuple):
    """One message that both operations are tested with."""

    comment: str
    flag: str
    plaintext: bytes
    pairs: Pairs
    iv: bytes | None = None


def messages(maker: AeadMaker) -> Iterator[Message]:
    """Yield the messages of one suite. The second is the one that most negative tests alter."""
    yield Message("32 bytes, no context", "Valid", MESSAGE, ())
    yield Message("32 bytes, two pairs", "Valid", MESSAGE, PAIRS)
    yield Message("an empty key and an empty value", "Valid", MESSAGE, (("", ""),))
    wide = (("\u00e9", "\u20ac\U0001f511"),)
    yield Message("characters of two to four bytes", "Valid", MESSAGE, wide)
    for length in _LENGTHS:
        plaintext = maker.draw("plaintext", length)
        yield Message(f"{length:,} bytes", "Boundary", plaintext, PAIRS)
    yield Message("no bytes, no context", "Boundary", b"", ())
    yield from _associated_data(len(maker.header))
    for comment, plaintext in _PLAINTEXTS.items():
        yield Message(comment, "Plaintext", plaintext, ())
    for comment, iv in _ivs(maker.suite).items():
        yield Message(comment, "Iv", _PARTIAL, PAIRS, iv)
    yield from _special_tags(maker)
    yield Message("6,144 bytes", "Boundary", maker.draw("long", MOST_PLAINTEXT), ())


def _associated_data(header: int) -> Iterator[Message]:
    """Yield contexts that give associated data of a length around a block."""
    overhead = header + 2 + 2 + len("k") + 2
    for length in _DATA_LENGTHS:
        pairs = (("k", "v" * (length - overhead)),)
        comment = f"{length:,} bytes of associated data"
        yield Message(comment, "Boundary", MESSAGE[:17], pairs)


def _ivs(suite: Suite) -> dict[str, bytes]:
    """Return IVs with a pattern."""
    return _long_ivs() if suite is Suite.XAES_256_GCM else _short_ivs()


def _short_ivs() -> dict[str, bytes]:
    """Return IVs of 12 bytes with a pattern."""
    return {
        "an IV of 00 alone": bytes(12),
        "an IV of ff alone": b"\xff" * 12,
        "an IV that ends with ff ff ff ff": bytes(range(8)) + b"\xff" * 4,
        "an IV that ends with ff ff ff fe": bytes(range(8)) + b"\xff\xff\xff\xfe",
        "an IV that ends with 00 00 00 01": bytes(range(8)) + b"\x00\x00\x00\x01",
        "an IV that ends with 00 00 00 00": bytes(range(1, 9)) + bytes(4),
        "an IV that begins with 00 00 00 00": bytes(4) + bytes(range(1, 9)),
        "an IV that begins with 80": b"\x80" + bytes(11),
        "an IV that ends with 0a": bytes(range(1, 12)) + b"\n",
        "an IV of digits": b"012345678901",
    }


def _long_ivs() -> dict[str, bytes]:
    """Return IVs of 24 bytes with a pattern in each half."""
    return {
        f"an IV of {first} and of {second}": _HALVES[first] + _HALVES[second]
        for first, second in (
            ("zeros", "zeros"), ("zeros", "ones"), ("ones", "zeros"), ("ones", "ones"),
            ("numbers", "numbers"), ("numbers", "zeros"), ("zeros", "numbers"),
            ("numbers", "last bytes of ff"), ("last bytes of ff", "numbers"),
            ("numbers", "a last byte of 0a"), ("a first byte of 80", "a first byte of 80"),
            ("numbers", "numbers backwards"), ("numbers backwards", "numbers"),
        )
    }  # fmt: skip


def _special_tags(maker: AeadMaker) -> Iterator[Message]:
    """Yield messages with an IV for which the tag, S or the ciphertext has a special byte.

    The IV is the first of a numbered stream, so about 256 IVs are tried for each.
    """
    for comment, (part, index, value) in BYTES.items():
        ivs = (maker.iv(f"{comment} {number}") for number in count())
        found = next(iv for iv in ivs if _parts(maker, iv)[part][index] == value)
        yield Message(comment, "SpecialTag", _PARTIAL, PAIRS, found)
    if maker.suite is Suite.XAES_256_GCM:
        for first, last in ((0, 0), (0, 1), (1, 0), (1, 1)):
            comment = f"H begins with the bit {first} and ends with the bit {last}"
            ivs = (maker.iv(f"{comment} {number}") for number in count())
            found = next(iv for iv in ivs if ends_of(_subkey(maker, iv)) == (first, last))
            yield Message(comment, "SpecialTag", _PARTIAL, PAIRS, found)


def _parts(maker: AeadMaker, iv: bytes) -> dict[str, bytes]:
    """Return the tag, its hash S and the ciphertext of the message with an IV."""
    aad = maker.associated_data(PAIRS)
    sealed = seal(maker.suite, maker.material, iv, _PARTIAL, aad)
    mask = encrypt_block(maker.suite, sealed.gcm_key, sealed.counter_block)
    return {
        "tag": sealed.tag,
        "S": bytes(a ^ b for a, b in zip(sealed.tag, mask, strict=True)),
        "ciphertext": sealed.ciphertext,
    }


def _subkey(maker: AeadMaker, iv: bytes) -> bytes:
    """Return the hash subkey H of the key that XAES-256-GCM derives for an IV."""
    derived = seal(maker.suite, maker.material, iv, b"", b"").gcm_key
    return encrypt_block(maker.suite, derived, bytes(16))


def ends_of(block: bytes) -> tuple[int, int]:
    """Return the first and the last bit of a block."""
    return block[0] >> 7, block[-1] & 1


_HALVES: Final = {
    "zeros": bytes(12),
    "ones": b"\xff" * 12,
    "numbers": bytes(range(12)),
    "numbers backwards": bytes(range(12))[::-1],
    "last bytes of ff": bytes(range(8)) + b"\xff" * 4,
    "a last byte of 0a": bytes(range(11)) + b"\n",
    "a first byte of 80": b"\x80" + bytes(11),
}
BYTES: Final = {
    "the tag begins with 00": ("tag", 0, 0x00),
    "the tag ends with 00": ("tag", -1, 0x00),
    "the tag ends with 0a": ("tag", -1, 0x0A),
    "the tag ends with 20": ("tag", -1, 0x20),
    "the tag ends with 3d, an equals sign": ("tag", -1, 0x3D),
    "the second byte of the tag is 00": ("tag", 1, 0x00),
    "S begins with 00": ("S", 0, 0x00),
    "S ends with 00": ("S", -1, 0x00),
    "the ciphertext begins with 00": ("ciphertext", 0, 0x00),
    "the ciphertext ends with 00": ("ciphertext", -1, 0x00),
}
"""The part of a message, the position of a byte in it, and its value."""

_PLAINTEXTS: Final = {
    "00": b"\x00",
    "0f, which is one digit as a number": b"\x0f",
    "a first byte of 00": b"\x00abc",
    "a last byte of 00": b"abc\x00",
    "zeros at both ends": b"\x00\x00abc\x00\x00",
    "a first byte of 01": b"\x01" + bytes(15),
    "16 bytes of 00": bytes(16),
    "49 bytes of 00": bytes(49),
    "32 bytes of ff": b"\xff" * 32,
    "not UTF-8": b"\xff\xfe\x80abc\xc0\x80",
    "a cut character of UTF-8": "\u20ac".encode()[:2],
    "a surrogate in UTF-8": b"\xed\xa0\xbd",
    "a byte order mark of UTF-8": b"\xef\xbb\xbfabc",
    "a byte order mark of UTF-16": b"\xff\xfea\x00",
    "decomposed characters of UTF-8": "e\u0301".encode(),
    "a line feed at the end": b"abc\n",
    "a carriage return and a line feed": b"a\r\nb\r\n",
    "spaces at both ends": b" abc ",
    "all bytes": bytes(range(256)),
    "16 bytes that look like padding": b"\x10" * 16,
    "a block that ends with padding of one byte": b"a" * 15 + b"\x01",
    "a block that ends with 80 and zeros": b"a" * 8 + b"\x80" + bytes(7),
    "hexadecimal digits": b"00ff10",
    "hexadecimal digits of 32 bytes": b"00112233445566778899aabbccddeeff" * 2,
    "Base64": b"AAECAwQFBgc=",
    "a JSON object": b'{"a":"b"}',
    "JSON null": b"null",
    "a JSON string": b'"abc"',
    "a number": b"0",
    "percent-encoded": b"%00%41+a",
    "the header of a blob": b"KMS\x01\x01\x03key\x02v1",
    "an ASN.1 sequence": b"\x30\x03\x02\x01\x00",
    "a compressed text": bytes.fromhex("789c4b4c4a060002 4d0127"),
    "a compressed text of gzip": bytes.fromhex("1f8b0800000000000003"),
}
