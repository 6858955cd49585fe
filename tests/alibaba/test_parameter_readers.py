"""Readers of parameters: the ends of each range, and each member of each table."""

from typing import Any

import pytest
from support.service_api import RSA, to_base64

from kmscore import EncryptionAlgorithm, KeySpec
from kmscore.alibaba import parameter_readers as readers


def test_base64_has_at_most_16384_characters() -> None:
    """A longer text is not decoded."""
    assert readers.read_base64("A" * 16_384) == bytes(12_288)
    assert readers.read_base64("A" * 16_388) is None
    assert readers.read_base64("A" * 16_383) is None


def test_a_plaintext_has_at_most_6144_bytes() -> None:
    """The empty plaintext is read too."""
    for length in (0, 1, 6144):
        assert readers.read_plaintext(to_base64(bytes(length))) == bytes(length)
    assert readers.read_plaintext(to_base64(bytes(6145))) is None
    assert readers.read_plaintext("*") is None


@pytest.mark.parametrize(
    ("text", "most", "is_read"),
    [("", 0, True), ("ab", 2, True), ("ab", 1, False), ("é", 2, True), ("é", 1, False)],
)
def test_an_opaque_plaintext_is_measured_in_bytes(text: str, most: int, is_read: bool) -> None:
    """A character can have several bytes."""
    assert readers.read_opaque_plaintext(text, most) == (text.encode() if is_read else None)


def test_an_opaque_plaintext_without_a_form_in_utf_8_is_not_read() -> None:
    """A lone surrogate has none."""
    assert readers.read_opaque_plaintext("\ud800", 9) is None


def test_a_context_is_a_json_object_of_texts() -> None:
    """Both readers have one rule, and one of them keeps the text."""
    text = '{"a": "b"}'
    context, with_text = readers.read_context(text), readers.read_json_context(text)
    assert context == with_text == {"a": "b"}
    assert with_text is not None
    assert with_text.text == text
    for wrong in ("", "[]", '{"a":1}'):
        assert readers.read_context(wrong) is None
        assert readers.read_json_context(wrong) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), ("9", 9), ("10", 10), ("1023", 1023), ("1024", 1024)]
    + [(text, None) for text in ("0", "1025", "9999", "10000", "", "01", "-1", "1.0", "1 ")],
)
def test_a_data_key_can_have_1_to_1024_bytes(text: str, number: int | None) -> None:
    """A number has no sign, no leading zero and no space."""
    assert readers.read_number_of_bytes(text) == number


@pytest.mark.parametrize(
    ("text", "length"), [("AES_256", 32), ("AES_128", 16), ("AES_192", None), ("aes_256", None)]
)
def test_a_data_key_spec_is_a_length(text: str, length: int | None) -> None:
    """There are two specs."""
    assert readers.read_data_key_spec(text) == length


@pytest.mark.parametrize("spec", KeySpec)
def test_two_specs_can_wrap_a_data_key(spec: KeySpec) -> None:
    """A name before or after those in the alphabet is not one of them."""
    expected = spec if spec in {KeySpec.RSA_2048, KeySpec.EC_SM2} else None
    assert readers.read_wrapping_spec(spec.value) is expected
    assert readers.read_wrapping_spec(f"{spec.value} ") is None


@pytest.mark.parametrize("algorithm", EncryptionAlgorithm)
def test_an_algorithm_is_read_by_its_name(algorithm: EncryptionAlgorithm) -> None:
    """The name is exact."""
    assert readers.read_algorithm(algorithm.value) is algorithm
    assert readers.read_algorithm(algorithm.value.lower()) is None


def test_a_public_key_is_der_in_base64() -> None:
    """Neither text in PEM nor another structure is read."""
    assert readers.read_public_key(to_base64(RSA.public_key.to_der())) == RSA.public_key
    for wrong in ("", "*", "QQ==", to_base64(RSA.public_key.to_pem())):
        assert readers.read_public_key(wrong) is None


@pytest.mark.parametrize(
    ("text", "truth"),
    [("true", True), ("TRUE", True), ("false", False), ("False", False)]
    + [(text, None) for text in ("", "0", "1", "yes", "true ", "zzz")],
)
def test_a_truth_value_is_read_in_any_case(text: str, truth: Any) -> None:
    """There are two of them."""
    assert readers.read_boolean(text) is truth
