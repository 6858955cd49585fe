"""The shell command that computes a value again, with Python or OpenSSL.

A command contains only hexadecimal digits and names of variables. A variable takes the place of
each secret value, and of each value of more than 64 bytes. The command prints hexadecimal digits.
While it runs, other users of the machine can see its arguments, secret values included.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from kmscore.audit.records import Argument, Secrecy, Value
from kmscore.sm2.curve import A, B, P

_LONGEST: Final = 64  # bytes of a value that a command contains
_MOST: Final = 64  # arguments of a command
_LARGEST: Final = 60_000  # bytes of an argument; Linux allows 131,072 characters

_READ: Final = "import sys; a = [bytes.fromhex(x) for x in sys.argv[1:]]"

_POINT: Final = f"""
p = 0x{P:x}
def add(s, t):
    if not s or not t: return s or t
    (x, y), (u, v) = s, t
    if x == u and (y + v) % p == 0: return None
    m = (3 * x * x - 3) * pow(2 * y, -1, p) if s == t else (v - y) * pow(u - x, -1, p)
    w = (m * m - x - u) % p
    return w, (m * (x - w) - y) % p
d, x, y = (int.from_bytes(b, "big") for b in a)
s, t = None, (x, y)
while d:
    if d & 1: s = add(s, t)
    t, d = add(t, t), d >> 1
print("%064x" % s[{{}}])
"""


def variable(value_id: str) -> str:
    """Return the name of the variable for a value."""
    return re.sub(r"\W", "_", value_id).upper()


def command(value: Value, values: Mapping[str, Value]) -> str | None:
    """Return the command that computes a value, or `None` if it has none.

    A value has a command if it has a formula of at most 64 arguments, each of at most 60,000 bytes.
    A value without bytes has none, unless that would show its length.
    """
    formula = value.formula
    if formula is None or len(formula.arguments) > _MOST:
        return None
    is_empty = value.has_public_length and not value.data
    if is_empty or any(len(values[each].data) > _LARGEST for each in formula.inputs):
        return None
    write = _COMMANDS[formula.function]
    numbers = [each for each in formula.arguments if isinstance(each, int)]
    words = [_word(each, values) for each in formula.arguments if not isinstance(each, int)]
    sizes = [_size(each, values) for each in formula.arguments if not isinstance(each, int)]
    return write(words, numbers, sizes)


def _word(argument: Argument, values: Mapping[str, Value]) -> str:
    """Return a word of a command line."""
    if isinstance(argument, bytes):
        return argument.hex() or "''"
    value = values[str(argument)]
    if value.secrecy is not Secrecy.PUBLIC or len(value.data) > _LONGEST:
        return f'"${variable(value.id)}"'
    return value.data.hex() or "''"


def _size(argument: Argument, values: Mapping[str, Value]) -> int:
    return len(argument if isinstance(argument, bytes) else values[str(argument)].data)


_Write = Callable[[list[str], list[int], list[int]], str]


def _python(body: str) -> _Write:
    """Return a command of Python; `{0}` and `{1}` are the numbers of the formula."""

    def write(words: list[str], numbers: list[int], _: list[int]) -> str:
        text = body.format(*numbers)
        separator = "" if text.startswith("\n") else "; "
        return f"python3 -c '{_READ}{separator}{text}' {' '.join(words)}"

    return write


def _expression(expression: str) -> _Write:
    """Return a command of Python that prints the bytes of an expression."""
    return _python(f"print(({expression}).hex())")


def _block(name: str) -> _Write:
    """Return a command for one block of a cipher."""

    def write(words: list[str], _: list[int], sizes: list[int]) -> str:
        cipher = name.format(8 * sizes[0])
        return (
            f"printf %s {words[1]} | xxd -r -p |"
            f" openssl enc -{cipher}-ecb -nopad -K {words[0]} | xxd -p"
        )

    return write


def _hash(name: str, digits: int) -> _Write:
    """Return a command for the digest of a concatenation."""

    def write(words: list[str], _: list[int], __: list[int]) -> str:
        text = " ".join(words) or "''"
        return f"printf %s {text} | xxd -r -p | openssl dgst -{name} -r | cut -c 1-{digits}"

    return write


def _mgf1(name: str) -> _Write:
    """Return a command for a mask."""
    return _python(
        "import hashlib;"
        f' m = b"".join(hashlib.{name}(a[0] + i.to_bytes(4, "big")).digest() for i in range(32));'
        " print(m[:{0}].hex())"
    )


def _without(index: int, write: _Write) -> _Write:
    """Return a command that does not use one of the words."""
    return lambda words, numbers, sizes: write(
        [*words[:index], *words[index + 1 :]], numbers, sizes
    )


_POWER: Final = _python(
    'b, e, n = (int.from_bytes(x, "big") for x in a);'
    ' print(pow(b, e, n).to_bytes(len(a[2]), "big").hex())'
)

_COMMANDS: Final[Mapping[str, _Write]] = MappingProxyType(
    {
        "cut": _expression("a[0][{0}:{1}]"),
        "join": _expression('b"".join(a)'),
        "first": _expression('b"".join(a)[:{0}]'),
        "xor": _expression("bytes(x ^ y for x, y in zip(*a))"),
        "pad": _expression("a[0] + bytes(-len(a[0]) % 16)"),
        "lengths": _expression('b"".join((8 * len(x)).to_bytes(8, "big") for x in a)'),
        "counter": _expression('a[0] + ({0}).to_bytes(4, "big")'),
        "aes": _block("aes-{}"),
        "sm4": _block("sm4"),
        "double": _python(
            'v = int.from_bytes(a[0], "big") << 1;'
            ' print("%032x" % (v % 2**128 ^ 0x87 * (v >> 128)))'
        ),
        "ghash": _python(
            'y, x, v = (int.from_bytes(b, "big") for b in a); x ^= y; z = 0;'
            " [(z := z ^ v * (x >> i & 1), v := v >> 1 ^ (0xe1 << 120) * (v & 1))"
            ' for i in range(127, -1, -1)]; print("%032x" % z)'
        ),
        "canonical": _expression(
            '(len(a) // 2).to_bytes(2, "big") + b"".join(len(x).to_bytes(2, "big") + x for x in a)'
        ),
        "pairs_text": _expression('b"&".join(k + b"=" + v for k, v in zip(a[::2], a[1::2]))'),
        "hexadecimal": _expression("a[0].hex().encode()"),
        "sha256": _hash("sha256", 64),
        "sha1": _hash("sha1", 40),
        "sm3": _hash("sm3", 64),
        "mgf1_sha256": _mgf1("sha256"),
        "mgf1_sha1": _mgf1("sha1"),
        "power": _POWER,
        "private_power": _without(2, _POWER),
        "position": _expression(r'(len(a[0]) - len(a[0][{0}:].lstrip(b"\0"))).to_bytes(2, "big")'),
        "after": _expression('a[0][int.from_bytes(a[1], "big") + 1 :]'),
        "curve_left": _python(
            f'y = int.from_bytes(a[0], "big"); print("%064x" % (y * y % 0x{P:x}))'
        ),
        "curve_right": _python(
            'x = int.from_bytes(a[0], "big");'
            f' print("%064x" % ((x**3 + 0x{A:x} * x + 0x{B:x}) % 0x{P:x}))'
        ),
        "point_x": _python(_POINT.format(0)),
        "point_y": _python(_POINT.format(1)),
        "base64_text": _python("import base64; print(base64.b64encode(a[0]).hex())"),
        "base64_bytes": _python("import base64; print(base64.b64decode(a[0]).hex())"),
    }
)
