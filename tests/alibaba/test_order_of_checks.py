"""The order of checks in the service layout: of two faults, the earlier one is reported.

The order is: types, parse, contexts, source IDs, source key, destination key, public key, sizes,
decryption.
"""

from collections.abc import Mapping
from typing import Any

import pytest
from support import fault_pairs
from support.fault_pairs import (
    ALGORITHM,
    BARE_CONTEXT,
    BARE_SOURCE,
    BLOB_SOURCE,
    CONTEXT,
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
    type_fault,
)
from support.fault_pairs import DESTINATION as V1_DESTINATION
from support.service_layout import (
    AMBIGUOUS,
    OTHER_VERSION,
    RAW,
    VERSION,
    seal_by_hand,
    written_rule,
)
from support.strategies import Call, symmetric_key, valid_calls

from kmscore import (
    InvalidBlobError,
    InvalidContextError,
    Keyring,
    KeyUsageError,
    PlaintextSizeError,
    RsaKey,
    Sm2Key,
    Suite,
    alibaba,
)
from kmscore.alibaba import Profile


def xaes(side: str) -> Fault:
    """Return the fault of a key that the service layout does not support."""
    return Fault(side, KeyUsageError, "XAES_256_GCM", {f"{side}.suite": Suite.XAES_256_GCM})


def context_faults(argument: str = "context") -> list[Fault]:
    """Return the possible faults of a context of the service layout."""
    unclear = Fault("contexts", InvalidContextError, "allow_ambiguous", {argument: AMBIGUOUS})
    return [context_fault(argument), unclear]


SERVICE_PARSE = Fault("parse", InvalidBlobError, "key version ID", {"ciphertext.start": b"KMS"})
NO_INDEX = type_fault("keys", Keyring([]))
# A blob contains neither key ID nor suite. The key ID that the caller gives is compared with that
# of the key version that the provider returns.
_, NO_VERSION, FOREIGN, _, *VERSION_STATE_KIND, _ = BLOB_SOURCE
SOURCE = [NO_VERSION, FOREIGN, *VERSION_STATE_KIND, xaes("source")]
MOVED_SOURCE = [*SOURCE[:2], GIVEN_KEY._replace(stage="source"), *SOURCE[2:]]
DESTINATION = [
    *V1_DESTINATION,
    xaes("destination"),
    Fault("destination", KeyUsageError, "ID that is a UUID", {"destination.key_version_id": "v1"}),
]
LONG_SERVICE_BLOB = Fault("sizes", PlaintextSizeError, "at most 8192", {"ciphertext.length": 8193})
LONG_PLAINTEXT = Fault("sizes", PlaintextSizeError, "at most 8192", {"plaintext": bytes(8193)})

FAULTS: Mapping[str, list[Fault]] = {
    "encrypt": [
        *(type_fault("profile", None), type_fault("plaintext", "text"), *context_faults()),
        *(*DESTINATION, LONG_PLAINTEXT),
    ],
    "decrypt": [
        *(type_fault("allow_ambiguous", None), NO_INDEX, type_fault("context", 1), SERVICE_PARSE),
        *(*context_faults(), *SOURCE, LONG_SERVICE_BLOB, WRONG_BITS),
    ],
    "generate_data_key": [type_fault("key_id", b""), *context_faults(), *DESTINATION, NUMBER],
    "export_data_key": [
        *(NO_INDEX, type_fault("public_key", None), ALGORITHM, SERVICE_PARSE, *context_faults()),
        *(*SOURCE, *PUBLIC_KEY, LONG_SERVICE_BLOB, LONG_DATA_KEY, WRONG_BITS),
    ],
    "generate_and_export_data_key": [
        *(type_fault("number_of_bytes", True), ALGORITHM, *context_faults()),
        *(*DESTINATION, *PUBLIC_KEY, NUMBER),
        LONG_DATA_KEY._replace(changes={"number_of_bytes": 191}),
    ],
    "service to service": [
        *(type_fault("source_profile", None), type_fault("destination_key_id", b"")),
        *(type_fault("dry_run", 1), SERVICE_PARSE),
        *(*context_faults("source_context"), *context_faults("destination_context")),
        *(GIVEN_VERSION, *MOVED_SOURCE, *DESTINATION, LONG_SERVICE_BLOB, WRONG_BITS),
    ],
    "service to v1": [
        *(type_fault("destination_context", "{}"), SERVICE_PARSE),
        *(*context_faults("source_context"), context_fault("destination_context")),
        *(GIVEN_VERSION, *MOVED_SOURCE, *V1_DESTINATION, LONG_BLOB, WRONG_BITS),
    ],
    "v1 to service": [
        *(type_fault("source_key_id", 1), PARSE),
        *(context_fault("source_context"), *context_faults("destination_context")),
        *(GIVEN_KEY, GIVEN_VERSION, *BLOB_SOURCE, *DESTINATION, LONG_BLOB, WRONG_BITS),
    ],
    "asymmetric to service": [
        *(type_fault("ciphertext_blob", "text"), type_fault("source_context", 1)),
        Fault("types", TypeError, "must be v1", {"source_profile": RAW}),
        *(NO_VERSION_GIVEN, SOURCE_ALGORITHM, context_fault("source_context"), BARE_CONTEXT),
        *(*context_faults("destination_context"), *BARE_SOURCE, *DESTINATION, WRONG_BITS),
    ],
}
WAYS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "service to service": ("reencrypt", {"source_profile": RAW, "destination_profile": RAW}),
    "service to v1": ("reencrypt", {"source_profile": RAW, "destination_profile": Profile.V1}),
    "v1 to service": ("reencrypt", {"source_profile": Profile.V1, "destination_profile": RAW}),
    "asymmetric to service": ("reencrypt (asymmetric)", {"destination_profile": RAW}),
}


class World(fault_pairs.World):
    """The calls of the service layout, and a provider that finds a version by its ID alone."""

    def __init__(self, rsa_key: RsaKey, sm2_key: Sm2Key, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the keys whose generation is slow."""
        source = symmetric_key(Suite.AES_256_GCM, "source", VERSION)
        destination = symmetric_key(Suite.AES_128_GCM, "destination", OTHER_VERSION)
        super().__init__(FAULTS, {}, [source, destination, rsa_key, sm2_key], monkeypatch)
        valid = valid_calls(rsa_key, sm2_key)
        for operation in FAULTS:
            name, options = WAYS.get(operation, (operation, {"profile": RAW}))
            arguments = valid[name].arguments | options
            if "ciphertext_blob" in arguments and "source_algorithm" not in arguments:
                arguments["ciphertext_blob"] = self.seal(operation, b"data")
            self.calls[operation] = Call(getattr(alibaba, valid[name].function.__name__), arguments)

    def seal(self, operation: str, plaintext: bytes) -> bytes:
        """Return a blob that the operation accepts."""
        if operation == "v1 to service":
            return super().seal(operation, plaintext)
        return seal_by_hand(self.keys["source"], plaintext, written_rule(CONTEXT, RAW))

    def finder(self, operation: str) -> str:
        """Return the name of the method that finds the source key."""
        return "version" if operation.startswith(("v1", "asymmetric")) else "version_by_id"

    def version_by_id(self, key_version_id: str) -> Any:
        """See `KeyVersionProvider`."""
        self.asked.append("version_by_id")
        assert key_version_id == VERSION
        return self.answer("source", self.keys["source"])


@pytest.fixture
def world(rsa_key: RsaKey, sm2_key: Sm2Key, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world without faults."""
    return World(rsa_key, sm2_key, monkeypatch)


@pytest.mark.parametrize(("operation", "faults"), pairs(FAULTS))
def test_the_earlier_of_two_faults_is_raised(
    world: World, operation: str, faults: tuple[Fault, ...]
) -> None:
    """No later check runs: no other key is requested, and no cipher runs."""
    world.check_pair(operation, faults)


@pytest.mark.parametrize("operation", FAULTS)
def test_without_a_fault_the_operation_succeeds(world: World, operation: str) -> None:
    """The arguments of the other test are valid without the faults."""
    world.check_success(operation)
