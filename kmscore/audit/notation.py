"""The text of a formula, in the notation of SPEC section 2."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from kmscore.audit.records import Argument, Value
from kmscore.audit.wording import count

_SHOWN: Final = 6  # most terms of a concatenation


def formula_text(value: Value) -> str:
    """Return the formula of a value, or its source."""
    if value.formula is None:
        return f"from {value.source}"
    words = [_word(each, value.side) for each in value.formula.arguments]
    return _NOTATIONS[value.formula.function](words)


def _word(argument: Argument, side: str) -> str:
    """Return one argument; an ID of the same side without the name of the side."""
    if isinstance(argument, str):
        return argument.removeprefix(f"{side}.") if side else argument
    if isinstance(argument, int):
        return str(argument)
    is_zeros = not any(argument) and len(argument) > 1
    return f"0^{len(argument)}" if is_zeros else argument.hex()


def _chain(words: list[str]) -> str:
    """Return a concatenation; the middle of a long one is left out."""
    if len(words) > _SHOWN:
        words = [*words[: _SHOWN // 2], "…", words[-1]]
    return " ‖ ".join(words)


def _template(text: str) -> Callable[[list[str]], str]:
    return lambda words: text.format(*words)


def _hash(name: str) -> Callable[[list[str]], str]:
    return lambda words: f"{name}({_chain(words)})"


_NOTATIONS: Final[Mapping[str, Callable[[list[str]], str]]] = MappingProxyType(
    {
        "cut": _template("{0}[{1}:{2}]"),
        "join": _chain,
        "first": lambda words: (
            f"first {count(int(words[0]), 'byte')} of {_chain(words[1:]) or 'nothing'}"
        ),
        "xor": _template("{0} ⊕ {1}"),
        "pad": _template("{0}, then zeros up to a whole block"),
        "lengths": _template("u64(8 · len({0})) ‖ u64(8 · len({1}))"),
        "counter": _template("{0} ‖ u32({1})"),
        "aes": _template("AES({1}) under {0}"),
        "sm4": _template("SM4({1}) under {0}"),
        "double": _template("{0} · x in GF(2^128)"),
        "ghash": _template("({0} ⊕ {1}) · {2} in GF(2^128)"),
        "canonical": lambda words: f"u16({len(words) // 2}), then u16(length) ‖ text for each text",
        "pairs_text": lambda words: f"{len(words) // 2} times key=value, joined with &",
        "hexadecimal": _template("digits of {0}"),
        "sha256": _hash("SHA-256"),
        "sha1": _hash("SHA-1"),
        "sm3": _hash("SM3"),
        "mgf1_sha256": _template("MGF1({0}, {1}) with SHA-256"),
        "mgf1_sha1": _template("MGF1({0}, {1}) with SHA-1"),
        "power": _template("{0}^{1} mod {2}"),
        "private_power": _template("{0}^{1} mod {3}"),
        "position": _template("offset of the first 01 in {0}, after zeros from {1} on"),
        "after": _template("{0} after offset {1}"),
        "curve_left": _template("{0}² mod p"),
        "curve_right": _template("{0}³ + a·{0} + b mod p"),
        "point_x": _template("first coordinate of [{0}]({1}, {2})"),
        "point_y": _template("second coordinate of [{0}]({1}, {2})"),
        "base64_text": _template("Base64 text of {0}"),
        "base64_bytes": _template("bytes of the Base64 text {0}"),
    }
)
