"""The maximum lengths of key files, and PEM (RFC 7468): labels and strict Base64 around DER."""

from collections.abc import Iterator
from typing import Final, TypeAlias

from kmscore._base64 import decode_base64, encode_base64
from kmscore._typecheck import BytesLike, check_bytes, take_bytes
from kmscore.errors import InvalidKeyError

PemLike: TypeAlias = BytesLike | str
"""PEM as text, or as the bytes of a file."""

MAX_PEM_LENGTH: Final = 65_536
"""Maximum length of a file in PEM, in bytes.

An encrypted RSA_4096 key takes 3,500 bytes. The rest is for certificates in the same file.
"""

MAX_DER_LENGTH: Final = 16_384
"""Maximum length of a key in DER, in bytes.

An encrypted RSA_4096 key takes 2,500 bytes. The rest is for attributes of PKCS#8.
"""

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

    Characters outside ASCII have no meaning in a block, so their encoding does not matter.
    """
    if isinstance(data, str):
        # Check before encoding: UTF-8 has at least one byte per character.
        _check_length(len(data), MAX_PEM_LENGTH, "PEM")
        data = data.encode("utf-8", "replace")
    return _bounded(data, MAX_PEM_LENGTH, "PEM")


def _bounded(data: BytesLike, most: int, form: str) -> bytes:
    """Return a file as `bytes`, or raise `InvalidKeyError` if it is too long."""
    length, raw = take_bytes(data, most)
    _check_length(length, most, form)
    return raw


def _check_length(length: int, most: int, form: str) -> None:
    """Raise `InvalidKeyError` if a file is too long."""
    if length > most:
        raise InvalidKeyError(f"the {form} is {length} bytes long, at most {most} are read")


def decode_pem(data: PemLike, labels: tuple[str, ...]) -> tuple[str, bytes]:
    """Return the label and the DER of the one key in `data`.

    A key is a block whose label ends in the first of `labels`. Other blocks, such as certificates
    and parameters, are ignored. Text outside the blocks is ignored too, including a UTF-8 byte
    order mark.

    Raises `InvalidKeyError` in these cases:

    - The file or the key is too long.
    - The file is UTF-16 text.
    - The number of keys is not one, or the label of the key is not one of `labels`.
    - The block is encrypted by header lines inside it (RFC 1421).
    - The Base64 is not strict.
    """
    raw = _pem_bytes(data)
    if raw.startswith(_UTF_16_MARKS):
        raise _invalid("is UTF-16 text; save it as ASCII or UTF-8")
    keys = [(label, body) for label, body in _blocks(raw) if label.endswith(labels[0])]
    if len(keys) > 1:
        raise _invalid(f"contains {len(keys)} keys instead of one")
    if not keys or keys[0][0] not in labels:
        # Do not quote the label of the file: in a damaged file, it can contain a part of the key.
        raise _invalid(f"has no block with the label {' or '.join(map(repr, labels))}")
    label, body = keys[0]
    return label, _decode_body(body)


def _decode_body(body: bytes) -> bytes:
    """Return the DER in a block, or raise `InvalidKeyError`."""
    if b"Proc-Type:" in body:
        raise _invalid(
            "is encrypted by Proc-Type headers, which are not supported; `openssl pkcs8 -topk8`"
            " rewrites it as PKCS#8"
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
