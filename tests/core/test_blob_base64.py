"""The ciphertext blob in Base64."""

import base64
from typing import Any

import pytest
from hypothesis import given
from support.strategies import blobs, raises_exactly

from kmscore import CiphertextBlob, InvalidBlobError, Suite

BLOBS = [
    CiphertextBlob(Suite.AES_128_GCM, "key", "v1", b"\xff" * 12, bytes(length), b"\xfb" * 16)
    for length in range(3)
]
TEXT = BLOBS[0].to_base64()
ONE_PAD, TWO_PADS = (
    next(text for blob in BLOBS if (text := blob.to_base64()).count("=") == pads) for pads in (1, 2)
)


@given(blobs())
def test_base64_round_trip_returns_the_blob(blob: CiphertextBlob) -> None:
    """The text is standard Base64 of the bytes, and decoding returns an equal value."""
    text = blob.to_base64()
    assert base64.standard_b64decode(text) == blob.serialize()
    assert CiphertextBlob.from_base64(text) == blob


@pytest.mark.parametrize(
    "text",
    [
        " " + TEXT,
        TEXT + " ",
        TEXT + "\n",
        TEXT[:20] + "\n" + TEXT[20:],
        TEXT[:20] + "\r\n" + TEXT[20:],
        TEXT.replace("/", "_").replace("+", "-"),
        ONE_PAD.rstrip("="),
        TWO_PADS.rstrip("="),
        TWO_PADS[:-1],
        ONE_PAD + "=",
        ONE_PAD + "==",
        "=" + TEXT,
        TWO_PADS + TWO_PADS,
        TEXT + "A",
        TEXT[:-1],
        TEXT[:8] + "é" + TEXT[9:],
        TEXT[:8] + "\u0430" + TEXT[9:],
        TEXT[:8] + "\ud800" + TEXT[9:],
        TEXT[:8] + "\x00" + TEXT[9:],
        TEXT[:8] + "*" + TEXT[9:],
    ],
    ids=range(20),
)
def test_lenient_base64_is_rejected(text: str) -> None:
    """White space, another alphabet, wrong padding and foreign characters are rejected."""
    assert "/" in TEXT or "+" in TEXT
    with raises_exactly(InvalidBlobError):
        CiphertextBlob.from_base64(text)


@pytest.mark.parametrize(("text", "stray"), [(ONE_PAD, 0b11), (TWO_PADS, 0b1111)])
def test_stray_bits_before_the_padding_are_rejected(text: str, stray: int) -> None:
    """Unused bits before the padding must be zero, so that a blob has only one text."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    body = text.rstrip("=")
    last = alphabet[alphabet.index(body[-1]) | stray]
    twin = body[:-1] + last + "=" * (len(text) - len(body))
    assert twin != text
    assert base64.b64decode(twin) == base64.b64decode(text)
    with raises_exactly(InvalidBlobError, "not strict Base64"):
        CiphertextBlob.from_base64(twin)


def test_an_empty_text_is_not_a_blob() -> None:
    """Empty text is valid Base64, but its bytes are not a blob."""
    with raises_exactly(InvalidBlobError, "magic"):
        CiphertextBlob.from_base64("")


def test_text_that_is_too_long_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """8,936 characters can encode 6,701 bytes; longer text is not decoded."""
    with raises_exactly(InvalidBlobError, "6702 bytes"):
        CiphertextBlob.from_base64(base64.b64encode(bytes(6702)).decode())
    monkeypatch.setattr(base64, "b64decode", lambda *_, **__: pytest.fail("it was decoded"))
    with raises_exactly(InvalidBlobError, "8940 characters of Base64, at most 8936"):
        CiphertextBlob.from_base64(base64.b64encode(bytes(6703)).decode())


@pytest.mark.parametrize("wrong", [None, b"S01T", bytearray(b"S01T"), 1])
def test_an_argument_that_is_not_text_is_a_type_error(wrong: Any) -> None:
    """Bytes and other types raise `TypeError`."""
    with raises_exactly(TypeError, "ciphertext_blob must be str"):
        CiphertextBlob.from_base64(wrong)


def test_an_error_has_no_error_of_the_decoder_as_context() -> None:
    """The context of the error does not have the exception of the Base64 decoder."""
    with pytest.raises(InvalidBlobError) as caught:
        CiphertextBlob.from_base64("*")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
