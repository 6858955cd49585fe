"""The two files in the form of Project Wycheproof: their keys, fields, sizes and results."""

import json
from base64 import urlsafe_b64decode
from collections import Counter
from functools import cache
from typing import Any, Final

import pytest
from vector_files import WYCHEPROOF, files

from kmscore_vectors.files import installed_folder
from kmscore_vectors.generator import affine
from kmscore_vectors.generator.affine import BASE, finite, multiply
from kmscore_vectors.generator.ciphers import derive_xaes_key
from kmscore_vectors.generator.keys.published import SM2_PUBLIC_POINT, SM2_SCALAR
from kmscore_vectors.generator.wire import der, der_bits, der_integer, der_octets, der_sequence
from kmscore_vectors.generator.wycheproof.xaes_256_gcm import highest_bit
from kmscore_vectors.tables import Severity

_HEAD: Final = {"algorithm", "header", "notes", "numberOfTests", "schema", "testGroups"}
_NOTE: Final = {"bugType", "description", "effect", "links", "cves"}
_TEST: Final = {"tcId", "comment", "flags", "msg", "ct", "result"}
_FIELDS: Final = {
    "xaes_256_gcm": (
        {"type", "source", "ivSize", "keySize", "tagSize", "tests"},
        _TEST | {"key", "iv", "aad", "tag"},
    ),
    "sm2_decrypt": (
        {"type", "source", "curve", "sha", "encoding", "privateKey", "tests"}
        | {f"privateKey{form}" for form in ("Pkcs8", "Sec1", "Pem", "Jwk")},
        _TEST,
    ),
}
"""The fields of a group and of a test."""

# C2SP, XAES-256-GCM.md, "Test Vectors": key, derived key and ciphertext with its tag.
_NONCE: Final = b"ABCDEFGHIJKLMNOPQRSTUVWX"
_PUBLISHED: Final = (
    (
        b"\x01" * 32,
        "c8612c9ed53fe43e8e005b828a1631a0bbcb6ab2f46514ec4f439fcfd0fa969b",
        "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271",
    ),
    (
        b"\x03" * 32,
        "e9c621d4cdd9b11b00a6427ad7e559aeedd66b3857646677748f8ca796cb3fd8",
        "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d",
    ),
)


@cache
def _document(name: str) -> dict[str, Any]:
    """Return a file, which another test compares with the generated one."""
    document: dict[str, Any] = json.loads((installed_folder() / f"{name}.json").read_bytes())
    return document


def _tests(name: str) -> list[dict[str, Any]]:
    """Return the tests of a file, each with the fields of its group."""
    groups = _document(name)["testGroups"]
    return [group | test for group in groups for test in group["tests"]]


@pytest.fixture(params=_document("sm2_decrypt")["testGroups"], ids=lambda group: group["encoding"])
def sm2_group(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return one group of SM2."""
    group: dict[str, Any] = request.param
    return group


def test_the_scalar_has_the_public_point_of_the_key() -> None:
    """The forms of the key are compared with this scalar and this point."""
    assert finite(multiply(SM2_SCALAR, BASE)) == SM2_PUBLIC_POINT


def _ec_private_key(*optional: bytes) -> bytes:
    """Return the ECPrivateKey of the key, with the given fields before its point."""
    point = der(0xA1, der_bits(affine.point_bytes(SM2_PUBLIC_POINT)))
    scalar = der_octets(SM2_SCALAR.to_bytes(32, "big"))
    return der_sequence((der_integer(1), scalar, *optional, point))


def test_the_pkcs8_has_the_scalar_and_the_point(sm2_group: dict[str, Any]) -> None:
    """PKCS#8 is ECPrivateKey in an OCTET STRING, behind version 0 and the curve."""
    key = (der_integer(0), affine.ALGORITHM, der_octets(_ec_private_key()))
    assert bytes.fromhex(sm2_group["privateKeyPkcs8"]) == der_sequence(key)


def test_the_sec1_form_has_the_scalar_the_curve_and_the_point(sm2_group: dict[str, Any]) -> None:
    """SEC1 is the same ECPrivateKey, with the curve as a field of its own."""
    curve = der(0xA0, bytes.fromhex("06082a811ccf5501822d"))
    assert bytes.fromhex(sm2_group["privateKeySec1"]) == _ec_private_key(curve)


def test_the_pem_form_is_the_pkcs8(sm2_group: dict[str, Any]) -> None:
    """PEM has the label of PKCS#8 and lines of at most 64 characters (RFC 7468)."""
    first, *lines, last, end = sm2_group["privateKeyPem"].split("\n")
    assert (first, last, end) == (
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "",
    )
    assert {len(line) for line in lines[:-1]} == {64}
    assert 0 < len(lines[-1]) <= 64
    assert _decoded("".join(lines)) == bytes.fromhex(sm2_group["privateKeyPkcs8"])


def _decoded(text: str) -> bytes:
    """Return the bytes of a text in Base64 of either alphabet, with or without padding."""
    return urlsafe_b64decode(text.replace("+", "-").replace("/", "_") + "=" * (-len(text) % 4))


def test_the_jwk_form_has_the_scalar_and_the_point(sm2_group: dict[str, Any]) -> None:
    """JWK has d, x and y in 32 bytes each, without padding (RFC 7518 section 6.2)."""
    jwk = sm2_group["privateKeyJwk"]
    assert (jwk["kty"], jwk["crv"], set(jwk)) == ("EC", "SM2", {"kty", "crv", "d", "x", "y"})
    numbers = [_decoded(jwk[name]) for name in ("d", "x", "y")]
    assert numbers == [value.to_bytes(32, "big") for value in (SM2_SCALAR, *SM2_PUBLIC_POINT)]
    assert all(len(jwk[name]) == 43 for name in ("d", "x", "y"))


def test_the_plain_form_has_the_scalar(sm2_group: dict[str, Any]) -> None:
    """The field privateKey has the scalar in 32 bytes, for libraries without a reader of keys."""
    scalar = SM2_SCALAR.to_bytes(32, "big").hex()
    assert sm2_group["privateKey"] == {"curve": "sm2p256v1", "privateKey": scalar}


def test_an_acceptable_ciphertext_is_one_of_strict_severity() -> None:
    """A test is acceptable if and only if sm2pke.json has its ciphertext as a strict one."""
    severities = {
        test.inputs["ciphertext"]: test.severity
        for test in files()["sm2pke"]
        if not test.is_valid and test.inputs.get("algorithm") == "SM2PKE"
    }
    tests = [test for test in _tests("sm2_decrypt") if test["encoding"] != "C1C2C3"]
    results = {
        (test["result"], severities[test["ct"]]) for test in tests if test["result"] != "valid"
    }
    assert results == {("acceptable", Severity.STRICT), ("invalid", Severity.STANDARD)}


def test_the_order_of_the_parts_changes_no_result() -> None:
    """A test of C1C2C3 has the result of the test of C1C3C2 with the same flag and comment."""
    by_order: dict[str, dict[tuple[str, str], str]] = {"C1C3C2": {}, "C1C2C3": {}, "ASN1_DER": {}}
    for test in _tests("sm2_decrypt"):
        by_order[test["encoding"]][test["flags"][0], test["comment"]] = test["result"]
    assert by_order["C1C2C3"].items() < by_order["C1C3C2"].items()
    assert set(by_order["C1C2C3"].values()) == {"valid", "invalid", "acceptable"}


@pytest.mark.parametrize(("key", "derived", "sealed"), _PUBLISHED)
def test_the_derived_key_is_the_published_one(key: bytes, derived: str, sealed: str) -> None:
    """The derivation gives the key of the specification, and the file its ciphertext."""
    assert derive_xaes_key(key, _NONCE[:12]).hex() == derived
    found = [test for test in _tests("xaes_256_gcm") if test["key"] == key.hex()]
    assert [(test["iv"], test["ct"] + test["tag"]) for test in found] == [(_NONCE.hex(), sealed)]
    assert [test["flags"] for test in found] == [["Published"]]


def test_the_highest_bit_of_a_key_is_the_one_of_its_comment() -> None:
    """Four keys have each value of the bit, and all of them differ."""
    tests = [test for test in _tests("xaes_256_gcm") if test["flags"] == ["MostSignificantBit"]]
    bits = [highest_bit(bytes.fromhex(test["key"])) for test in tests]
    assert bits == [int(test["comment"][-1]) for test in tests]
    assert Counter(bits) == {0: 4, 1: 4}
    assert len({test["key"] for test in tests}) == 8


@pytest.mark.parametrize(("key", "bit"), [(b"\x01" * 32, 0), (b"\x03" * 32, 1)])
def test_the_published_keys_have_both_values_of_the_highest_bit(key: bytes, bit: int) -> None:
    """The specification has one key of each kind, by which the function is checked."""
    assert highest_bit(key) == bit


@pytest.mark.parametrize("name", WYCHEPROOF)
def test_a_file_has_the_fields_of_the_form_alone(name: str) -> None:
    """A reader of Project Wycheproof's schemas needs no other field, and finds all of them."""
    document = _document(name)
    of_group, of_test = _FIELDS[name]
    assert set(document) == _HEAD
    for note in document["notes"].values():
        assert {"bugType", "description"} <= set(note) <= _NOTE
    for group in document["testGroups"]:
        assert set(group) == of_group
        assert set(group["source"]) == {"name", "version"}
        assert all(set(test) == of_test for test in group["tests"])


def test_the_sizes_of_a_group_are_those_of_its_tests() -> None:
    """Sizes are in bits; a tag that is shorter is the defect of its test."""
    for test in _tests("xaes_256_gcm"):
        assert (4 * len(test["iv"]), 4 * len(test["key"])) == (test["ivSize"], test["keySize"])
        is_short = 4 * len(test["tag"]) < test["tagSize"]
        assert is_short == (test["flags"] == ["TruncatedTag"])
        assert 4 * len(test["tag"]) <= test["tagSize"] == 128


def test_a_size_has_one_group() -> None:
    """No two groups have the same sizes, so that a reader can skip the sizes it has not."""
    groups = _document("xaes_256_gcm")["testGroups"]
    assert len({(group["ivSize"], group["keySize"]) for group in groups}) == len(groups)


def test_a_valid_test_opens_and_seals_and_an_invalid_one_opens() -> None:
    """A message that must not open has nothing to seal."""
    asked: dict[int, list[str]] = {}
    for test in files()["xaes_256_gcm"]:
        asked.setdefault(test.tc_id, []).append(test.operation.removeprefix("xaes_256_gcm_"))
    results = {test["tcId"]: test["result"] for test in _tests("xaes_256_gcm")}
    assert dict.fromkeys(results.values()).keys() == {"valid", "invalid"}
    operations = {"valid": ["open", "seal"], "invalid": ["open"]}
    assert asked == {tc_id: operations[result] for tc_id, result in results.items()}
