"""Bad input of every kind, with the class and code of its error in every operation."""

import tracemalloc
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from support.strategies import (
    PROVIDERS,
    Call,
    Oracle,
    raises_exactly,
    symmetric_key,
)

from kmscore import (
    IncorrectKeyError,
    InvalidBlobError,
    InvalidContextError,
    InvalidKeyError,
    KeyNotFoundError,
    Keyring,
    KeyState,
    KeyStateError,
    KeyUsageError,
    KeyVersionNotFoundError,
    PlaintextSizeError,
    PublicKey,
    RsaKey,
    Sm2Key,
    Suite,
    UnsupportedAlgorithmError,
)
from kmscore.keys import Key

BLOB_SOURCES = ("decrypt", "reencrypt", "export_data_key", "hazmat.reencrypt")
BARE_SOURCES = ("asymmetric_decrypt", "reencrypt (asymmetric)")
MOVES = ("reencrypt", "reencrypt (asymmetric)", "hazmat.reencrypt")
SEALS = (
    *("encrypt", "generate_data_key", "generate_data_key_without_plaintext"),
    *("generate_and_export_data_key", "hazmat.encrypt"),
)
N = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_7203DF6B_21C6052B_53BBF409_39D54123

BLOB_DEFECTS: Mapping[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "magic": lambda raw: b"XMS" + raw[3:],
    "format version": lambda raw: raw[:3] + b"\x02" + raw[4:],
    "suite 0": lambda raw: raw[:4] + b"\x00" + raw[5:],
    "suite 6": lambda raw: raw[:4] + b"\x06" + raw[5:],
    "suite 255": lambda raw: raw[:4] + b"\xff" + raw[5:],
    "key ID of no length": lambda raw: raw[:5] + b"\x00" + raw[12:],
    "key version ID of no length": lambda raw: raw[:12] + b"\x00" + raw[15:],
    "key ID longer than the blob": lambda raw: raw[:5] + b"\xff" + raw[6:],
    "key version ID longer than the blob": lambda raw: raw[:12] + b"\xff" + raw[13:],
    "space in the key ID": lambda raw: raw[:6] + b" " + raw[7:],
    "newline in the key version ID": lambda raw: raw[:14] + b"\n" + raw[15:],
    "nothing but the header": lambda raw: raw[:15],
    "one byte short of IV and tag": lambda raw: raw[: 15 + 12 + 15],
    "6,702 bytes": lambda raw: raw.ljust(6702, b"\x00"),
}


SOURCE_V2 = symmetric_key(Suite.AES_256_GCM, "source", "v2")


def twin(key: RsaKey, key_version_id: str, **options: Any) -> RsaKey:
    """Return another version of the same material."""
    return RsaKey(key.key_id, key_version_id, key._private_key, **options)


USES = [
    *((operation, "source") for operation in BLOB_SOURCES),
    *((operation, "rsa-2048") for operation in BARE_SOURCES),
    *((operation, "destination") for operation in (*SEALS, *MOVES)),
]


@pytest.fixture(params=PROVIDERS)
def replace(request: pytest.FixtureRequest, calls: dict[str, Call]) -> Callable[..., Any]:
    """Return a function that calls an operation with one of its keys replaced."""

    def replace(operation: str, key_id: str, *replacement: Key, **changes: Any) -> Any:
        kept = [key for key in calls[operation].arguments["keys"] if key.key_id != key_id]
        keys = PROVIDERS[request.param](Keyring([*kept, *replacement]))
        return calls[operation](keys=keys, **changes)

    return replace


@pytest.mark.parametrize("operation", BLOB_SOURCES)
@pytest.mark.parametrize("defect", BLOB_DEFECTS)
def test_data_that_is_not_a_blob_is_an_invalid_blob(
    calls: dict[str, Call], replace: Callable[..., Any], operation: str, defect: str
) -> None:
    """Every defect of a blob gives the same class of error, in every operation."""
    raw = BLOB_DEFECTS[defect](calls[operation].arguments["ciphertext_blob"])
    with raises_exactly(InvalidBlobError, "not a v1 ciphertext blob"):
        replace(operation, "no key", ciphertext_blob=raw)


@pytest.mark.parametrize("operation", BLOB_SOURCES)
def test_a_blob_that_is_too_long_is_not_copied(replace: Callable[..., Any], operation: str) -> None:
    """Rejecting 30 MB needs almost no memory."""
    data = bytearray(30_000_000)
    tracemalloc.start()
    try:
        with raises_exactly(InvalidBlobError, "30000000 bytes, at most 6701"):
            replace(operation, "no key", ciphertext_blob=data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize(("operation", "key_id"), USES)
def test_an_unknown_key_is_not_found(
    replace: Callable[..., Any], operation: str, key_id: str
) -> None:
    """The error is the same if the ID is in a header or in an argument."""
    with raises_exactly(KeyNotFoundError, f"no key {key_id!r}"):
        replace(operation, key_id)


@pytest.mark.parametrize(("operation", "key_id"), USES[:6])
def test_an_unknown_version_is_not_found(
    replace: Callable[..., Any], rsa_key: RsaKey, operation: str, key_id: str
) -> None:
    """No other version is used instead."""
    other = twin(rsa_key, "v2") if key_id == rsa_key.key_id else SOURCE_V2
    with raises_exactly(KeyVersionNotFoundError, f"no version 'v1' of key {key_id!r}"):
        replace(operation, key_id, other)


@pytest.mark.parametrize("state", [state for state in KeyState if state != KeyState.ENABLED])
@pytest.mark.parametrize(("operation", "key_id"), USES)
def test_a_key_that_is_not_enabled_is_rejected_for_every_use(
    replace: Callable[..., Any], rsa_key: RsaKey, operation: str, key_id: str, state: KeyState
) -> None:
    """A key that is not enabled is rejected as source and destination, from keyring and store."""
    if key_id == rsa_key.key_id:
        disabled: Key = twin(rsa_key, "v1", state=state)
    else:
        suite = {"source": Suite.AES_256_GCM, "destination": Suite.XAES_256_GCM}[key_id]
        disabled = symmetric_key(suite, key_id, state=state)
    with raises_exactly(KeyStateError, f"the key is in the state {state.value}"):
        replace(operation, key_id, disabled)


@pytest.mark.parametrize(("operation", "key_id"), USES)
def test_a_key_of_the_wrong_kind_is_rejected(
    replace: Callable[..., Any], sm2_key: Sm2Key, operation: str, key_id: str
) -> None:
    """An asymmetric key is rejected for blobs, and a symmetric one for RSA ciphertexts."""
    if key_id == "rsa-2048":
        wrong: Key = symmetric_key(Suite.SM4_GCM, key_id)
    else:
        wrong = Sm2Key(key_id, "v1", sm2_key._scalar)
    with raises_exactly(KeyUsageError, f"of spec {wrong.spec.name}"):
        replace(operation, key_id, wrong)


@pytest.mark.parametrize("operation", BLOB_SOURCES)
@pytest.mark.parametrize("suite", [suite for suite in Suite if suite != Suite.AES_256_GCM])
def test_a_key_of_another_suite_than_the_headers_is_rejected(
    replace: Callable[..., Any], operation: str, suite: Suite
) -> None:
    """A key version has one suite, so another suite in the header is rejected."""
    with raises_exactly(IncorrectKeyError, f"bound to {suite.name}, not to AES_256_GCM"):
        replace(operation, "source", symmetric_key(suite, "source"))


@pytest.mark.parametrize(("operation", "key_id"), USES)
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (symmetric_key(Suite.AES_256_GCM, "stranger"), IncorrectKeyError),
        (Sm2Key.from_scalar("stranger", "v1", 5), IncorrectKeyError),
        (None, TypeError),
        ("source", TypeError),
        (bytes(32), TypeError),
        (symmetric_key, TypeError),
        (Sm2Key.from_scalar("source", "v1", 5).public_key, TypeError),
    ],
    ids=["another key", "another kind of key", "nothing", "text", "material", "function", "public"],
)
def test_a_wrong_answer_of_a_provider_is_rejected(
    calls: dict[str, Call], operation: str, key_id: str, answer: Any, error: type[Exception]
) -> None:
    """An answer of a provider that is not the requested key is rejected."""
    ring = calls[operation].arguments["keys"]
    answers = {"primary": ring.primary("destination"), "version": answer}
    if key_id == "destination":
        source = "rsa-2048" if operation in BARE_SOURCES else "source"
        answers = {"primary": answer, "version": ring.version(source, "v1")}
    with raises_exactly(error):
        calls[operation](keys=Oracle(**answers))


@pytest.mark.parametrize("operation", [*BLOB_SOURCES, *BARE_SOURCES])
def test_another_version_from_a_provider_is_rejected(
    calls: dict[str, Call], rsa_key: RsaKey, operation: str
) -> None:
    """A provider's answer with another version of the same key is rejected."""
    answer = twin(rsa_key, "v2") if operation in BARE_SOURCES else SOURCE_V2
    destination = calls[operation].arguments["keys"].primary("destination")
    with raises_exactly(IncorrectKeyError, "than the requested one"):
        calls[operation](keys=Oracle(version=answer, primary=destination))


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        ({"k": 1}, "must be str, not int"),
        ({1: "v"}, "must be str, not int"),
        ({"k": None}, "must be str, not NoneType"),
        ({"k": {"nested": "v"}}, "must be str, not dict"),
        ({"k": "\ud800"}, "lone surrogate"),
        ({"k": "v" * 65_536}, "longer than 65535"),
    ],
    ids=["number", "number for a key", "nothing", "nested", "surrogate", "too long"],
)
@pytest.mark.parametrize(
    ("operation", "argument"),
    [
        *((operation, "context") for operation in (*SEALS, "decrypt", "export_data_key")),
        *((operation, "source_context") for operation in MOVES),
        *((operation, "destination_context") for operation in MOVES),
    ],
)
def test_a_context_that_violates_its_rules_is_an_invalid_context(
    calls: dict[str, Call], operation: str, argument: str, pairs: Any, reason: str
) -> None:
    """Every operation with a context rejects an invalid one."""
    with raises_exactly(InvalidContextError, reason):
        calls[operation](**{argument: pairs})


@pytest.mark.parametrize("operation", ["export_data_key", "generate_and_export_data_key"])
def test_an_algorithm_that_does_not_fit_the_public_key_is_rejected(
    calls: dict[str, Call], operation: str
) -> None:
    """RSA keys for SM2PKE, SM2 keys for OAEP and unknown names are rejected."""
    sm2_public_key = calls["hazmat.sm2_encrypt"].arguments["public_key"]
    with raises_exactly(KeyUsageError, "RSA_2048 does not encrypt SM2PKE"):
        calls[operation](algorithm="SM2PKE")
    with raises_exactly(KeyUsageError, "EC_SM2 does not encrypt RSAES_OAEP_SHA_256"):
        calls[operation](public_key=sm2_public_key)
    with raises_exactly(
        UnsupportedAlgorithmError, "unknown EncryptionAlgorithm: not one of RSAES_OAEP_SHA_256"
    ):
        calls[operation](algorithm="RSAES_OAEP_SHA_512")


@pytest.mark.parametrize("operation", ["encrypt", "hazmat.encrypt"])
def test_a_plaintext_of_6145_bytes_is_rejected(calls: dict[str, Call], operation: str) -> None:
    """6,145 bytes are one more than the limit."""
    with raises_exactly(PlaintextSizeError, "6145 bytes, at most 6144"):
        calls[operation](plaintext=bytes(6145))


@pytest.mark.parametrize("scalar", [0, -1, N - 1, N, 2**256])
def test_an_sm2_scalar_out_of_range_is_an_invalid_key(scalar: int) -> None:
    """A scalar must be 1 to n-2."""
    with raises_exactly(InvalidKeyError, "not 1 to n-2"):
        Sm2Key.from_scalar("key", "v1", scalar)


def test_a_pem_of_the_wrong_kind_is_an_invalid_key(rsa_key: RsaKey, sm2_key: Sm2Key) -> None:
    """A public key in place of a private one is rejected, and so is RSA in place of SM2."""
    for pem in (rsa_key.public_key.to_pem(), sm2_key.private_pem(), b"", b"-----BEGIN"):
        with raises_exactly(InvalidKeyError):
            RsaKey.from_pem("key", "v1", pem)
    for pem in (sm2_key.public_key.to_pem(), rsa_key.private_pem(), b"", b"-----BEGIN"):
        with raises_exactly(InvalidKeyError):
            Sm2Key.from_pem("key", "v1", pem)
    for pem in (rsa_key.private_pem(), sm2_key.private_pem(), b"", b"-----BEGIN"):
        with raises_exactly(InvalidKeyError):
            PublicKey.from_pem(pem)


def test_a_repeated_version_in_a_keyring_is_an_invalid_key(rsa_key: RsaKey) -> None:
    """Two keys with the same IDs are rejected."""
    with raises_exactly(InvalidKeyError, "version v1 of key rsa-2048 occurs twice"):
        Keyring([rsa_key, twin(rsa_key, "v1")])
