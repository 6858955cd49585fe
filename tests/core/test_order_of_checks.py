"""With two faults at the same time, the error is that of the earlier check.

The order of the checks: types, parsing, contexts, source IDs, source key, destination key, public
key, sizes, decryption. For a key: the provider finds it, it is a key, it has the requested IDs,
then state, kind, and suite or algorithm.
"""

from collections.abc import Mapping

import pytest
from support import fault_pairs
from support.fault_pairs import (
    ALGORITHM,
    BARE_CONTEXT,
    BARE_SOURCE,
    BLOB_SOURCE,
    DESTINATION,
    GIVEN_KEY,
    GIVEN_VERSION,
    LONG_BLOB,
    LONG_DATA_KEY,
    NO_VERSION_GIVEN,
    NUMBER,
    PARSE,
    PUBLIC_KEY,
    SOURCE_ALGORITHM,
    WRONG_BITS,
    Fault,
    context_fault,
    pairs,
    twin,
    type_fault,
)
from support.strategies import valid_calls

from kmscore import InvalidContextError, Keyring, KeyState, PlaintextSizeError, RsaKey, Sm2Key

SURROGATE = Fault(
    "contexts", InvalidContextError, "surrogate", {"destination_context": {"a": "\ud800"}}
)
LONG_PLAINTEXT = Fault("sizes", PlaintextSizeError, "at most 6144", {"plaintext": bytes(6145)})
IV = Fault("sizes", ValueError, "takes an IV of 24 bytes", {"iv": b""})

REENCRYPT = [
    *(type_fault("destination_key_id", b"destination"), PARSE),
    *(context_fault("source_context"), SURROGATE),
    GIVEN_KEY._replace(text="another source key than the caller"),
    GIVEN_VERSION._replace(text="another source key version than the caller"),
    *(*BLOB_SOURCE, *DESTINATION, LONG_BLOB),
]
ENCRYPT = [type_fault("plaintext", "text"), context_fault(), *DESTINATION, LONG_PLAINTEXT]

FAULTS: Mapping[str, list[Fault]] = {
    "reencrypt": [*REENCRYPT, WRONG_BITS],
    "hazmat.reencrypt": [*REENCRYPT, IV, WRONG_BITS],
    "reencrypt (asymmetric)": [
        *(type_fault("destination_context", "{}"), NO_VERSION_GIVEN, SOURCE_ALGORITHM),
        *(context_fault("source_context"), BARE_CONTEXT, SURROGATE),
        *(*BARE_SOURCE, *DESTINATION, WRONG_BITS),
    ],
    "decrypt": [
        *(type_fault("context", 1), PARSE, context_fault(), *BLOB_SOURCE, LONG_BLOB, WRONG_BITS),
    ],
    "export_data_key": [
        *(type_fault("public_key", None), ALGORITHM, PARSE, context_fault(), *BLOB_SOURCE),
        *(*PUBLIC_KEY, LONG_BLOB, LONG_DATA_KEY, WRONG_BITS),
    ],
    "encrypt": ENCRYPT,
    "hazmat.encrypt": [*ENCRYPT, IV],
    "generate_data_key": [type_fault("key_id", b""), context_fault(), *DESTINATION, NUMBER],
    "generate_and_export_data_key": [
        *(type_fault("number_of_bytes", True), ALGORITHM, context_fault()),
        *(*DESTINATION, *PUBLIC_KEY, NUMBER),
        LONG_DATA_KEY._replace(changes={"number_of_bytes": 1024}),
    ],
    "asymmetric_encrypt": [
        *(type_fault("plaintext", "text"), ALGORITHM, *PUBLIC_KEY),
        LONG_DATA_KEY._replace(changes={"plaintext": bytes(215)}),
    ],
    "asymmetric_decrypt": [
        *(type_fault("ciphertext", "text"), ALGORITHM, *BARE_SOURCE, WRONG_BITS),
    ],
}
NEVER_ANSWERED_BY_A_KEYRING = {
    f"{side}.{wrong}"
    for side in ("source", "destination")
    for wrong in ("foreign", "key_id", "key_version_id")
}


class World(fault_pairs.World):
    """The calls of the v1 format."""

    def __init__(self, rsa_key: RsaKey, sm2_key: Sm2Key, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the keys that take long to generate."""
        calls = valid_calls(rsa_key, sm2_key)
        super().__init__(FAULTS, calls, calls["encrypt"].arguments["keys"], monkeypatch)

    def keyring(self, operation: str) -> Keyring:
        """Return a keyring with the answers of this provider."""
        arguments = self.calls[operation].arguments
        source_id = "rsa-2048" if {"ciphertext", "source_algorithm"} & set(arguments) else "source"
        keys = []
        for side, key_id in (("source", source_id), ("destination", "destination")):
            match self.changes.get(f"{side}.found"):
                case None:
                    keys.append(self.answer(side, self.keys[key_id]))
                case "no version":
                    keys.append(twin(self.keys[key_id], key_id, "v0", KeyState.ENABLED))
        return Keyring(keys)


@pytest.fixture
def world(rsa_key: RsaKey, sm2_key: Sm2Key, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world without faults."""
    return World(rsa_key, sm2_key, monkeypatch)


@pytest.mark.parametrize(("operation", "faults"), pairs(FAULTS))
def test_the_earlier_of_two_faults_is_raised(
    world: World, operation: str, faults: tuple[Fault, ...]
) -> None:
    """After the first fault, no other key is requested, and nothing is decrypted or encrypted."""
    world.check_pair(operation, faults)


@pytest.mark.parametrize(("operation", "faults"), pairs(FAULTS, NEVER_ANSWERED_BY_A_KEYRING))
def test_the_earlier_of_two_faults_is_raised_with_a_keyring(
    world: World, operation: str, faults: tuple[Fault, ...]
) -> None:
    """The short path of a keyring has the same order."""
    call = world.call(operation, faults)
    if "keys" in call.arguments:
        call.arguments["keys"] = world.keyring(operation)
    world.check_error(call, faults[0])


@pytest.mark.parametrize("operation", FAULTS)
def test_without_a_fault_the_operation_succeeds(world: World, operation: str) -> None:
    """The valid calls of the other tests succeed."""
    world.check_success(operation)
