"""The textual encoding of keys (RFC 7468): labels and strict Base64 around DER."""

from collections.abc import Iterator
from typing import Final, TypeAlias

from kmscore._arguments import BytesLike, check_bytes, to_bytes
from kmscore._base64 import decode_base64, encode_base64
from kmscore.errors import InvalidKeyError

PemLike: TypeAlias = BytesLike | str
"""PEM as people have it: text, or the bytes of a file."""

_LINE_LENGTH: Final = 64

# `openssl ecparam -genkey` writes the curve in a block of its own, `EC PARAMETERS` or
# `SM2 PARAMETERS`, before the key, which names the curve again.
_IGNORED_SUFFIX: Final = " PARAMETERS"


def check_pem(data: object) -> None:
    """Raise `TypeError` unless `data` is `str` or bytes-like."""
    if not isinstance(data, str):
        check_bytes(data, "PEM")


def _pem_bytes(data: PemLike) -> bytes:
    """Return PEM as bytes, or raise `InvalidKeyError` for text outside ASCII."""
    if not isinstance(data, str):
        return to_bytes(data)
    try:
        return data.encode("ascii")
    except UnicodeEncodeError:
        pass
    raise _invalid("is not ASCII")


def decode_pem(data: PemLike, labels: tuple[str, ...]) -> tuple[str, bytes]:
    """Return the label and the DER of the one key in `data`; text around the block is ignored.

    Raises `InvalidKeyError` if there is no key or more than one, if its label is none of
    `labels`, or if its Base64 is not strict. (An encrypted key in the old style of OpenSSL, with
    header lines inside the block, is not Base64.)
    """
    blocks = _blocks(_pem_bytes(data))
    keys = [(label, body) for label, body in blocks if not label.endswith(_IGNORED_SUFFIX)]
    if len(keys) != 1:
        raise _invalid(f"holds {len(keys)} keys instead of one")
    label, body = keys[0]
    if label not in labels:
        raise _invalid(f"has the label {label[:40]!r} instead of {' or '.join(map(repr, labels))}")
    der = decode_base64(b"".join(body.split()))
    if der is None:
        raise _invalid("is not strict Base64")
    return label, der


def _blocks(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield label and body of every block, in time proportional to the length of `data`."""
    for block in data.split(b"-----BEGIN ")[1:]:
        label, _, rest = block.partition(b"-----")
        body, end, _ = rest.partition(b"-----END " + label + b"-----")
        if end:
            yield label.decode("latin-1"), body


def encode_pem(der: bytes, label: str) -> bytes:
    """Return `der` as PEM."""
    text = encode_base64(der)
    lines = [text[i : i + _LINE_LENGTH] for i in range(0, len(text), _LINE_LENGTH)]
    return "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", "")).encode()


def _invalid(reason: str) -> InvalidKeyError:
    """Return the `InvalidKeyError`."""
    return InvalidKeyError(f"the PEM {reason}")
