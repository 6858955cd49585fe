"""Ciphertexts of RSAES-OAEP that open."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.model import Case
from kmscore_vectors.generator.rsa_oaep.cases import MESSAGE, Maker

ZERO_CIPHERTEXTS: Final = {
    "RSA_2048 RSAES_OAEP_SHA_256": 47_691,
    "RSA_2048 RSAES_OAEP_SHA_1": 26_988,
    "RSA_3072 RSAES_OAEP_SHA_256": 24_988,
    "RSA_3072 RSAES_OAEP_SHA_1": 22_742,
    "RSA_4096 RSAES_OAEP_SHA_256": 46_704,
    "RSA_4096 RSAES_OAEP_SHA_1": 25_340,
}
"""The number of the first seed for which the ciphertext begins with 00 00."""
ZERO_ENCODINGS: Final = {
    "RSA_2048 RSAES_OAEP_SHA_256": 111_456,
    "RSA_2048 RSAES_OAEP_SHA_1": 37_482,
    "RSA_3072 RSAES_OAEP_SHA_256": 76_030,
    "RSA_3072 RSAES_OAEP_SHA_1": 55_230,
    "RSA_4096 RSAES_OAEP_SHA_256": 2_867,
    "RSA_4096 RSAES_OAEP_SHA_1": 37_717,
}
"""The number of the first seed for which EM begins with 00 00 00."""
_CONTENTS: Final = {
    "not UTF-8": b"\xff\xfe\x80" * 5,
    "begins with 01": b"\x01" + MESSAGE,
    "begins with 02": b"\x02" + MESSAGE,
    "01 throughout": b"\x01" * 16,
    "01 within": MESSAGE[:8] + b"\x00\x01" + MESSAGE[8:],
    "begins with 00": b"\x00" + MESSAGE,
    "ends with 00": MESSAGE + b"\x00",
    "ends with 01": MESSAGE + b"\x01",
    "one 00": b"\x00",
    "ff throughout": b"\xff" * 16,
    "a byte order mark": b"\xef\xbb\xbf" + MESSAGE,
    "spaces and line ends around it": b" \t" + MESSAGE + b"\r\n",
    "begins with 00 02, as in PKCS #1 v1.5": b"\x00\x02" + MESSAGE,
}


def valid(maker: Maker) -> Iterator[Case]:
    """Yield all valid tests of one key and one hash."""
    yield maker.valid("Valid", "32 bytes", MESSAGE)
    yield maker.valid("Boundary", "no byte", b"")
    yield maker.valid("Boundary", "one byte", b"\x01")
    yield maker.valid("Boundary", "one byte less than the longest", b"\x5a" * (maker.room - 1))
    for byte in (0xA5, 0x00, 0x01, 0xFF):
        comment = f"the longest, {byte:02x} throughout"
        yield maker.valid("Boundary", comment, bytes([byte]) * maker.room)
    yield maker.valid("LeadingZeros", "zeros alone", bytes(16))
    yield maker.valid("LeadingZeros", "zeros and 01, as in the padding", b"\x00\x01\x00\x01")
    yield from _leading_zeros(maker)
    for comment, message in _CONTENTS.items():
        yield maker.valid("MessageBytes", comment, message)
    block = maker.data_block(b"")
    yield maker.valid("MessageBytes", "lHash", block[: maker.hash_length])
    for byte in (0x00, 0xFF):
        seed = bytes([byte]) * maker.hash_length
        yield maker.valid("ExtremeSeed", f"{byte:02x} throughout", MESSAGE, seed)


def _leading_zeros(maker: Maker) -> Iterator[Case]:
    """Yield ciphertexts and encoded messages that begin with zeros."""
    yield maker.small_ciphertext()
    comment = "EM begins with 00 00"
    seed = maker.first_seed(comment, lambda em: em[1] == 0)
    yield maker.valid("LeadingZeros", comment, MESSAGE, seed)
    for comment, numbers in {
        "the ciphertext begins with 00 00": ZERO_CIPHERTEXTS,
        "EM begins with 00 00 00": ZERO_ENCODINGS,
    }.items():
        seed = maker.seed(f"{comment} {numbers[maker.name]}")
        yield maker.valid("LeadingZeros", comment, MESSAGE, seed)
