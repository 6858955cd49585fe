"""Key files: their greatest lengths, and PEM (RFC 7468), labels and strict Base64 around DER."""

from collections.abc import Iterator
from typing import Final, TypeAlias

from kmscore._base64 import decode_base64, encode_base64
from kmscore._typecheck import BytesLike, check_bytes, take_bytes
from kmscore.errors import InvalidKeyError

PemLike: TypeAlias = BytesLike | str
"""PEM as people have it: text, or the bytes of a file."""

MAX_PEM_LENGTH: Final = 65_536
"""Bytes. An encrypted RSA_4096 key takes 3,500; the rest is for certificates in the same file."""

MAX_DER_LENGTH: Final = 16_384
"""Bytes. An encrypted RSA_4096 key takes 2,500; the rest is for attributes of PKCS#8."""

_LINE_LENGTH: Final = 64
_UTF_16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


def check_pem(data: object) -> None:
    """Raise `TypeError` unless `data` is `str` or bytes-like."""
    if not isinstance(data, str):
        check_bytes(data, "PEM")


def der_bytes(data: BytesLike) -> bytes:
    """Return a file in DER as `bytes`, or raise `InvalidKeyError` if it is too long."""
    return _bounded(data, MAX_DER_LENGTH, "DER")


def _pem_bytes(data: PemLike) -> bytes:
    """Return a file in PEM as `bytes`, or raise `InvalidKeyError` if it is too long.

    Characters outside ASCII have no meaning in a block, so that their encoding does not matter.
    """
    if isinstance(data, str):
        # UTF-8 is never shorter than the text.
        _check_length(len(data), MAX_PEM_LENGTH, "PEM")
        data = data.encode("utf-8", "replace")
    return _bounded(data, MAX_PEM_LENGTH, "PEM")


def _bounded(data: BytesLike, most: int, form: str) -> bytes:
    """Return a file as `bytes`, or raise `InvalidKeyError` if it is too long."""
    length, raw = take_bytes(data, most)
    _check_length(length, most, form)
    return raw


def _check_length(length: int, most: int, form: str) -> None:
    """Raise `InvalidKeyError` for a file that is too long."""
    if length > most:
        raise InvalidKeyError(f"the {form} is {length} bytes long, at most {most} are read")


def decode_pem(data: PemLike, labels: tuple[str, ...]) -> tuple[str, bytes]:
    """Return the label and the DER of the one key in `data`.

    A key is a block whose label ends in the first of `labels`. Other blocks, such as certificates
    and parameters, are ignored. So is all text around the blocks, a byte order mark included.

    Raises `InvalidKeyError` if there is no key or more than one, or if its label is not one of
    `labels`. Raises it also for encryption by header lines inside the block (RFC 1421), for Base64
    that is not strict, and for a file or a key that is too long.
    """
    raw = _pem_bytes(data)
    if raw.startswith(_UTF_16_MARKS):
        raise _invalid("is text in UTF-16; save it as ASCII or UTF-8")
    keys = [(label, body) for label, body in _blocks(raw) if label.endswith(labels[0])]
    if len(keys) > 1:
        raise _invalid(f"holds {len(keys)} keys instead of one")
    if not keys or keys[0][0] not in labels:
        # The label that is there is not quoted: a damaged file may have a part of the key in it.
        raise _invalid(f"has no block with the label {' or '.join(map(repr, labels))}")
    label, body = keys[0]
    return label, _decode_body(body)


def _decode_body(body: bytes) -> bytes:
    """Return the DER within a block."""
    if b"Proc-Type:" in body:
        raise _invalid(
            "is encrypted by Proc-Type headers, which are not read; `openssl pkcs8 -topk8` rewrites"
            " it as PKCS#8"
        )
    der = decode_base64(b"".join(body.split()))
    if der is None:
        raise _invalid("is not strict Base64")
    return der_bytes(der)


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
