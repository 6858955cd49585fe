"""The enums of algorithms, specs and states, and their tables."""

import operator
from enum import Enum
from typing import Any

import pytest
from support.strategies import raises_exactly

from kmscore import EncryptionAlgorithm, KeySpec, KeyState, Suite, UnsupportedAlgorithmError
from kmscore.algorithms import (
    ENCRYPTION_ALGORITHMS,
    KEY_SPECS,
    MAX_DATA_KEY_LENGTH,
    MAX_PLAINTEXT_LENGTH,
    RSA_SPECS,
    SUITES,
    TAG_LENGTH,
    Vocabulary,
)
from kmscore.sm2 import Sm2Encoding

RSA = ("RSA_2048", "RSA_3072", "RSA_4096")


def values(vocabulary: type[Enum]) -> dict[str, object]:
    """Return the values of the members by name."""
    return {member.name: member.value for member in vocabulary}


def test_key_specs_have_the_values_of_the_service() -> None:
    """The values are those of the service; the names are those of kmscore."""
    assert values(KeySpec) == {
        "AES_256": "Aliyun_AES_256",
        "AES_192": "Aliyun_AES_192",
        "AES_128": "Aliyun_AES_128",
        "SM4": "Aliyun_SM4",
        "RSA_2048": "RSA_2048",
        "RSA_3072": "RSA_3072",
        "RSA_4096": "RSA_4096",
        "EC_SM2": "EC_SM2",
    }


def test_there_are_four_key_states() -> None:
    """One state allows use, and three do not."""
    assert list(values(KeyState)) == ["ENABLED", "DISABLED", "PENDING_DELETION", "PENDING_IMPORT"]


def test_there_are_three_encryption_algorithms() -> None:
    """Names and values are those of the service."""
    names = ("RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1", "SM2PKE")
    assert values(EncryptionAlgorithm) == {name: name for name in names}


@pytest.mark.parametrize(
    ("suite_id", "name", "key_length", "iv_length", "message_limit"),
    [
        (1, "AES_256_GCM", 32, 12, 2**32),
        (2, "AES_192_GCM", 24, 12, 2**32),
        (3, "AES_128_GCM", 16, 12, 2**32),
        (4, "SM4_GCM", 16, 12, 2**32),
        (5, "XAES_256_GCM", 32, 24, 2**80),
    ],
)
def test_a_suite_has_the_values_of_the_format(
    suite_id: int, name: str, key_length: int, iv_length: int, message_limit: int
) -> None:
    """Each row of the suite table has the values of the wire format."""
    suite = Suite(suite_id)
    assert suite.name == name
    assert suite.key_length == key_length
    assert suite.iv_length == iv_length
    assert suite.message_limit == message_limit


def test_the_sizes_are_those_of_the_service() -> None:
    """A plaintext has at most 6 KB, a data key at most 1 KB, and a tag exactly 16 bytes."""
    assert (MAX_PLAINTEXT_LENGTH, MAX_DATA_KEY_LENGTH, TAG_LENGTH) == (6144, 1024, 16)


@pytest.mark.parametrize(
    ("spec", "suites"),
    [
        (KeySpec.AES_256, ["XAES_256_GCM", "AES_256_GCM"]),
        (KeySpec.AES_192, ["AES_192_GCM"]),
        (KeySpec.AES_128, ["AES_128_GCM"]),
        (KeySpec.SM4, ["SM4_GCM"]),
        *((KeySpec(name), []) for name in (*RSA, "EC_SM2")),
    ],
)
def test_a_key_spec_has_its_suites_the_default_first(spec: KeySpec, suites: list[str]) -> None:
    """Only symmetric specs have suites, and all suites of a spec have the same key length."""
    assert [suite.name for suite in KEY_SPECS[spec].suites] == suites
    assert len({suite.key_length for suite in KEY_SPECS[spec].suites}) <= 1


def test_rsa_specs_are_found_by_the_length_of_the_modulus() -> None:
    """The RSA specs have 2048, 3072 and 4096 bits; no other length has a spec."""
    assert {bits: spec.name for bits, spec in RSA_SPECS.items()} == {
        2048: "RSA_2048",
        3072: "RSA_3072",
        4096: "RSA_4096",
    }
    assert [row.modulus_bits for row in KEY_SPECS.values()].count(None) == 5


@pytest.mark.parametrize(
    ("algorithm", "specs", "hash_name"),
    [
        ("RSAES_OAEP_SHA_256", RSA, "sha256"),
        ("RSAES_OAEP_SHA_1", RSA, "sha1"),
        ("SM2PKE", ("EC_SM2",), "sm3"),
    ],
)
def test_an_algorithm_is_only_for_its_specs(
    algorithm: str, specs: tuple[str, ...], hash_name: str
) -> None:
    """OAEP is for RSA of every length, and SM2PKE is for SM2."""
    row = ENCRYPTION_ALGORITHMS[EncryptionAlgorithm(algorithm)]
    assert tuple(spec.name for spec in row.key_specs) == specs
    assert row.hash_name == hash_name


@pytest.mark.parametrize(
    ("table", "vocabulary"),
    [(SUITES, Suite), (KEY_SPECS, KeySpec), (ENCRYPTION_ALGORITHMS, EncryptionAlgorithm)],
)
def test_a_table_is_frozen_and_complete(table: Any, vocabulary: type[Enum]) -> None:
    """Every member has a row, and the table is read-only."""
    assert set(table) == set(vocabulary)
    row = next(iter(table.values()))
    with pytest.raises(TypeError):
        operator.setitem(table, next(iter(table)), row)
    with pytest.raises(AttributeError):
        setattr(row, row._fields[0], None)


@pytest.mark.parametrize("vocabulary", [KeySpec, KeyState, EncryptionAlgorithm])
def test_a_member_is_found_by_its_value(vocabulary: type[Enum]) -> None:
    """A member and its value both give the member."""
    for member in vocabulary:
        assert vocabulary(member) is member
        assert vocabulary(str(member.value)) is member


@pytest.mark.parametrize("vocabulary", [KeySpec, KeyState, EncryptionAlgorithm])
@pytest.mark.parametrize("value", ["", "RSA_1024", "aliyun_aes_256", "Enabled ", "\ud800"])
def test_an_unknown_name_is_unsupported(vocabulary: type[Enum], value: str) -> None:
    """An unknown name raises an error, because there is no default."""
    with raises_exactly(UnsupportedAlgorithmError, f"unknown {vocabulary.__name__}"):
        vocabulary(value)


@pytest.mark.parametrize("value", [0, 6, 255, 256, -1])
def test_an_unknown_suite_id_is_unsupported(value: int) -> None:
    """The suite IDs are 1 to 5, and all others raise an error."""
    with raises_exactly(UnsupportedAlgorithmError, "unknown Suite"):
        Suite(value)


@pytest.mark.parametrize(
    ("vocabulary", "value"),
    [(KeySpec, "x" * 100_000), (Suite, 10**4_000)],
    ids=["100,000 characters", "4,000 digits"],
)
def test_the_message_about_an_unknown_value_is_short(vocabulary: type[Enum], value: object) -> None:
    """The message is short for a value of any size, so that logs stay small."""
    with pytest.raises(UnsupportedAlgorithmError) as caught:
        vocabulary(value)
    assert len(str(caught.value)) < 160


@pytest.mark.parametrize("vocabulary", [KeySpec, KeyState, EncryptionAlgorithm, Sm2Encoding])
def test_an_unknown_name_is_not_quoted(vocabulary: type[Vocabulary]) -> None:
    """The message has the allowed names and not the value, which can be a key."""
    secret = "2b7e151628aed2a6abf7158809cf4f3c" * 2
    for look_up in (vocabulary, lambda value: vocabulary.of(value, "spec")):
        with pytest.raises(UnsupportedAlgorithmError) as caught:
            look_up(secret)
        assert secret[:8] not in str(caught.value)
        assert all(member.value in str(caught.value) for member in vocabulary)


@pytest.mark.parametrize("vocabulary", [KeySpec, KeyState, EncryptionAlgorithm])
@pytest.mark.parametrize("value", [None, 1, True, b"SM2PKE", 1.0, [], {}])
def test_a_name_of_another_type_is_a_type_error(vocabulary: type[Enum], value: object) -> None:
    """A wrong type raises `TypeError`, not an error about the algorithm."""
    with raises_exactly(TypeError, f"{vocabulary.__name__} must be str"):
        vocabulary(value)


@pytest.mark.parametrize("value", [None, "1", b"\x01", 1.5, [], False])
def test_a_suite_id_of_another_type_is_a_type_error(value: object) -> None:
    """A suite ID must be an `int`; a `bool` raises `TypeError`."""
    with raises_exactly(TypeError, "Suite must be int"):
        Suite(value)
