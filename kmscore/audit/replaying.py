"""Replay: compute every value of a trace again from its formula, by a second way.

The functions here use other algorithms than `primitives`, so that a mistake in one of the two is
noticed: CBC for a block, carry-less multiplication for GHASH, square and multiply
for RSA, the library's own multiplication for SM2.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SM3, Hash, HashAlgorithm

from kmscore._typecheck import check_instance
from kmscore.audit.records import Formula, Trace
from kmscore.sm2.backends.portable import multiply
from kmscore.sm2.curve import B, P, decode_point, encode_point


class Replay(NamedTuple):
    """The result of a replay."""

    recomputed: int
    """Number of values that were computed again."""

    wrong: tuple[str, ...]
    """The IDs of the values that differ from their formula."""


def replay(trace: Trace) -> Replay:
    """Compute the values of a trace again from the values that their formulas name.

    Args:
        trace: The trace.

    Returns:
        The number of values with a formula, and the IDs of those that differ.

    Raises:
        TypeError: If `trace` is not a `Trace`.
    """
    check_instance(trace, Trace, "trace")
    data: dict[str, bytes] = {}
    recomputed, wrong = 0, []
    for value in trace.values.values():
        if value.formula is not None:
            recomputed += 1
            if _evaluate(value.formula, data) != value.data:
                wrong.append(value.id)
        data[value.id] = value.data
    return Replay(recomputed, tuple(wrong))


def _evaluate(formula: Formula, data: Mapping[str, bytes]) -> bytes | None:
    """Return the value of a formula, or `None` if it has none."""
    try:
        inputs = [data[each] if isinstance(each, str) else each for each in formula.arguments]
        return _FUNCTIONS[formula.function](*inputs)
    except (LookupError, ValueError, TypeError, ArithmeticError):
        return None


def _number(data: bytes) -> int:
    return int(data.hex() or "0", 16)


def _xor(left: bytes, right: bytes) -> bytes:
    if len(left) != len(right):
        raise ValueError
    return (_number(left) ^ _number(right)).to_bytes(len(left), "big")


def _block(cipher: type[AES] | type[SM4]) -> Callable[[bytes, bytes], bytes]:
    """Return one block of a cipher in CBC mode with an IV of zeros."""
    return lambda key, block: Cipher(cipher(key), CBC(bytes(16))).encryptor().update(block)


def _double(block: bytes) -> bytes:
    doubled = _number(block) * 2
    return (doubled if doubled < 1 << 128 else doubled ^ (1 << 128 | 0x87)).to_bytes(16, "big")


def _reflect(block: bytes) -> int:
    """Return the polynomial of a block, whose first bit is the coefficient of x^0."""
    return int(f"{_number(block):0128b}"[::-1], 2)


def _ghash(before: bytes, block: bytes, hash_key: bytes) -> bytes:
    left, right = _reflect(_xor(before, block)), _reflect(hash_key)
    product = 0
    while left:
        low = left & -left
        product ^= right * low
        left ^= low
    for degree in range(product.bit_length() - 1, 127, -1):
        if product >> degree & 1:
            product ^= (1 << 128 | 0x87) << degree - 128
    return int(f"{product:0128b}"[::-1], 2).to_bytes(16, "big")


def _canonical(*texts: bytes) -> bytes:
    keys = texts[::2]
    if list(keys) != sorted(set(keys)):
        raise ValueError
    result = f"{len(keys):04x}"
    for text in texts:
        result += f"{len(text):04x}{text.hex()}"
    return bytes.fromhex(result)


def _pairs_text(*texts: bytes) -> bytes:
    text = b""
    for index in range(0, len(texts), 2):
        text += b"&" * (index > 0) + texts[index] + b"=" + texts[index + 1]
    return text


def _digest(algorithm: HashAlgorithm) -> Callable[..., bytes]:
    def digest(*parts: bytes) -> bytes:
        hashed = Hash(algorithm)
        hashed.update(b"".join(parts))
        return hashed.finalize()

    return digest


def _mgf1(algorithm: HashAlgorithm) -> Callable[[bytes, int], bytes]:
    digest = _digest(algorithm)

    def mask(seed: bytes, length: int) -> bytes:
        count = -(-length // algorithm.digest_size)
        blocks = (digest(seed + bytes.fromhex(f"{number:08x}")) for number in range(count))
        return b"".join(blocks)[:length]

    return mask


def _power(base: bytes, exponent: bytes, modulus: bytes) -> bytes:
    n, b, result = _number(modulus), _number(base), 1
    for bit in f"{_number(exponent):b}":
        result = result * result % n
        if bit == "1":
            result = result * b % n
    return result.to_bytes(len(modulus), "big")


def _private_power(base: bytes, exponent: bytes, public: bytes, modulus: bytes) -> bytes:
    result = _power(base, exponent, modulus)
    if _power(result, public, modulus) != base:
        raise ValueError
    return result


def _position(data_block: bytes, start: int) -> bytes:
    rest = data_block[start:].lstrip(b"\x00")
    if rest[:1] != b"\x01":
        raise ValueError
    return (len(data_block) - len(rest)).to_bytes(2, "big")


def _left(y: bytes) -> bytes:
    return (_number(y) * _number(y) % P).to_bytes(32, "big")


def _right(x: bytes) -> bytes:
    value = _number(x)
    return (((value * value - 3) * value + B) % P).to_bytes(32, "big")


def _point(scalar: bytes, x: bytes, y: bytes) -> bytes:
    return encode_point(multiply(_number(scalar), decode_point(x + y)))


def _base64_bytes(text: bytes) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError from None
    return data


_FUNCTIONS: Final[Mapping[str, Callable[..., bytes]]] = MappingProxyType(
    {
        "cut": lambda data, start, end: bytes(data[index] for index in range(start, end)),
        "join": lambda *parts: bytes(byte for part in parts for byte in part),
        "first": lambda length, *parts: bytes(byte for part in parts for byte in part)[:length],
        "xor": _xor,
        "pad": lambda data: data.ljust(-(-len(data) // 16) * 16, b"\x00"),
        "lengths": lambda a, c: (len(a) << 67 | len(c) << 3).to_bytes(16, "big"),
        "counter": lambda iv, number: (_number(iv) << 32 | number).to_bytes(len(iv) + 4, "big"),
        "aes": _block(AES),
        "sm4": _block(SM4),
        "double": _double,
        "ghash": _ghash,
        "canonical": _canonical,
        "pairs_text": _pairs_text,
        "hexadecimal": lambda data: b"".join(b"%02x" % byte for byte in data),
        "sha256": _digest(SHA256()),
        "sha1": _digest(SHA1()),  # noqa: S303 (the service defines SHA-1 here)
        "sm3": _digest(SM3()),
        "mgf1_sha256": _mgf1(SHA256()),
        "mgf1_sha1": _mgf1(SHA1()),  # noqa: S303 (the same)
        "power": _power,
        "private_power": _private_power,
        "position": _position,
        "after": lambda data, offset: data[_number(offset) + 1 :],
        "curve_left": _left,
        "curve_right": _right,
        "point_x": lambda scalar, x, y: _point(scalar, x, y)[:32],
        "point_y": lambda scalar, x, y: _point(scalar, x, y)[32:],
        "base64_text": base64.b64encode,
        "base64_bytes": _base64_bytes,
    }
)
"""The functions by the name that formulas use, as in `primitives`."""
