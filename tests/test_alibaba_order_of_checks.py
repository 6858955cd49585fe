"""Which error the service's layout gives when two things are wrong: the earlier one in the order.

types, parse, contexts, source IDs, source key, destination key, public key, sizes, the one open.
"""

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any, NamedTuple

import pytest
from service_support import AMBIGUOUS, OTHER_VERSION, RAW, VERSION, seal_by_hand
from service_support import written_rule as bound_by
from strategies import RSA_ALGORITHMS, miss_hash, raises_exactly, symmetric_key, watch_ciphers

import kmscore
from kmscore import (
    DecryptionError,
    EncryptionContext,
    IncorrectKeyError,
    InvalidBlobError,
    InvalidContextError,
    KeyNotFoundError,
    Keyring,
    KeyState,
    KeyStateError,
    KeyUsageError,
    KeyVersionNotFoundError,
    PlaintextSizeError,
    RsaKey,
    Sm2Key,
    Suite,
    SymmetricKey,
    UnsupportedAlgorithmError,
    alibaba,
    asymmetric,
    envelope,
)
from kmscore.alibaba import Profile

CONTEXT: Mapping[str, str] = {"purpose": "test"}


class Fault(NamedTuple):
    """One thing that is wrong: at which stage, which error tells, and what brings it about.

    A plain name in `changes` is an argument; one with a dot is about the ciphertext or about what
    the provider answers for the source or the destination.
    """

    stage: str
    error: type[Exception]
    text: str
    changes: Mapping[str, Any]


def type_fault(argument: str, value: object) -> Fault:
    """Return the fault of an argument of the wrong type."""
    return Fault("types", TypeError, argument, {argument: value})


def key_faults(side: str, state: KeyState) -> list[Fault]:
    """Return what can be wrong with a symmetric key, in the order in which it is looked at."""
    return [
        Fault(side, TypeError, "a key must be", {f"{side}.foreign": True}),
        Fault(side, KeyStateError, state.value, {f"{side}.state": state}),
        Fault(side, KeyUsageError, "RSA_2048", {f"{side}.kind": "RSA_2048"}),
    ]


def xaes(side: str) -> Fault:
    """Return the fault of a key that the service's layout does not take."""
    return Fault(side, KeyUsageError, "XAES_256_GCM", {f"{side}.suite": Suite.XAES_256_GCM})


def context_faults(argument: str, *, ambiguous: bool = True) -> list[Fault]:
    """Return what can be wrong with a context."""
    broken = Fault("contexts", InvalidContextError, "must be str", {argument: {"a": 1}})
    unclear = Fault("contexts", InvalidContextError, "allow_ambiguous", {argument: AMBIGUOUS})
    return [broken, unclear] if ambiguous else [broken]


PARSE = Fault("parse", InvalidBlobError, "key version ID", {"ciphertext.start": b"KMS"})
ALGORITHM = Fault("types", UnsupportedAlgorithmError, "unknown", {"algorithm": "RSA"})
GIVEN_VERSION = Fault(
    "source IDs", IncorrectKeyError, "another source key version", {"source_key_version_id": "else"}
)
GIVEN_KEY = Fault("source", IncorrectKeyError, "another source key", {"source_key_id": "else"})
STATE, KIND = key_faults("source", KeyState.DISABLED)[1:]
SOURCE = [
    Fault("source", KeyVersionNotFoundError, "no version", {"source.found": "no version"}),
    key_faults("source", KeyState.DISABLED)[0],
    GIVEN_KEY,
    Fault("source", IncorrectKeyError, "another key version", {"source.key_version_id": "else"}),
    *(STATE, KIND, xaes("source")),
]
BLOB_SOURCE = [fault for fault in SOURCE if fault is not GIVEN_KEY]
V1_DESTINATION = [
    Fault("destination", KeyNotFoundError, "no key", {"destination.found": "no key"}),
    key_faults("destination", KeyState.PENDING_DELETION)[0],
    Fault("destination", IncorrectKeyError, "another key than", {"destination.key_id": "else"}),
    *key_faults("destination", KeyState.PENDING_DELETION)[1:],
]
DESTINATION = [
    *V1_DESTINATION,
    xaes("destination"),
    Fault("destination", KeyUsageError, "UUID only", {"destination.key_version_id": "v1"}),
]
PUBLIC_KEY = [
    Fault("public key", KeyUsageError, "does not encrypt", {"public_key": "EC_SM2"}),
    Fault(
        "public key", UnsupportedAlgorithmError, "sha1 is not available", {"build": "without SHA-1"}
    ),
]
LONG_BLOB = Fault("sizes", PlaintextSizeError, "at most 8192", {"ciphertext.length": 8193})
LONG_FOR_V1 = Fault("sizes", PlaintextSizeError, "at most 6144", {"ciphertext.length": 6145})
LONG_DATA_KEY = Fault("sizes", PlaintextSizeError, "0 to 190", {"ciphertext.length": 191})
LONG_PLAINTEXT = Fault("sizes", PlaintextSizeError, "at most 8192", {"plaintext": bytes(8193)})
NUMBER = Fault("sizes", PlaintextSizeError, "1 to 1024", {"number_of_bytes": 1025})
WRONG_BITS = Fault("open", DecryptionError, "cannot be decrypted", {"ciphertext.bits": 1})

FAULTS: Mapping[str, list[Fault]] = {
    "encrypt": [
        type_fault("profile", None),
        type_fault("plaintext", "text"),
        *(*context_faults("context"), *DESTINATION, LONG_PLAINTEXT),
    ],
    "decrypt": [
        type_fault("allow_ambiguous", None),
        type_fault("keys", Keyring([])),
        type_fault("context", 1),
        *(PARSE, *context_faults("context"), *BLOB_SOURCE, LONG_BLOB, WRONG_BITS),
    ],
    "generate_data_key": [
        type_fault("key_id", b""),
        *(*context_faults("context"), *DESTINATION, NUMBER),
    ],
    "export_data_key": [
        *(type_fault("keys", Keyring([])), type_fault("public_key", None), ALGORITHM, PARSE),
        *(*context_faults("context"), *BLOB_SOURCE, *PUBLIC_KEY, LONG_BLOB, LONG_DATA_KEY),
        WRONG_BITS,
    ],
    "generate_and_export_data_key": [
        *(type_fault("number_of_bytes", True), ALGORITHM, *context_faults("context")),
        *(*DESTINATION, *PUBLIC_KEY, NUMBER),
        LONG_DATA_KEY._replace(changes={"number_of_bytes": 191}),
    ],
    "service to service": [
        type_fault("source_profile", None),
        type_fault("destination_key_id", b""),
        type_fault("dry_run", 1),
        *(PARSE, *context_faults("source_context"), *context_faults("destination_context")),
        *(GIVEN_VERSION, *SOURCE, *DESTINATION, LONG_BLOB, WRONG_BITS),
    ],
    "service to v1": [
        type_fault("destination_context", "{}"),
        *(PARSE, *context_faults("source_context")),
        *context_faults("destination_context", ambiguous=False),
        *(GIVEN_VERSION, *SOURCE, *V1_DESTINATION, LONG_FOR_V1, WRONG_BITS),
    ],
    "v1 to service": [
        type_fault("source_key_id", 1),
        Fault("parse", InvalidBlobError, "magic", {"ciphertext.start": b"XMS"}),
        *context_faults("source_context", ambiguous=False),
        *context_faults("destination_context"),
        GIVEN_KEY._replace(stage="source IDs", text="another source key"),
        GIVEN_VERSION,
        *BLOB_SOURCE[:-1],
        Fault("source", IncorrectKeyError, "is bound to", {"source.suite": Suite.SM4_GCM}),
        *(*DESTINATION, LONG_FOR_V1, WRONG_BITS),
    ],
    "asymmetric to service": [
        type_fault("ciphertext_blob", "text"),
        type_fault("source_context", 1),
        Fault("types", TypeError, "must be v1", {"source_profile": RAW}),
        Fault("types", TypeError, "needs source_key_id", {"source_key_version_id": None}),
        ALGORITHM._replace(changes={"source_algorithm": "RSA"}),
        *context_faults("source_context", ambiguous=False),
        Fault("contexts", InvalidContextError, "binds no", {"source_context": {"a": "b"}}),
        *context_faults("destination_context"),
        *(*BLOB_SOURCE[:3], STATE),
        Fault("source", KeyUsageError, "AES_256", {"source.kind": "AES_256"}),
        Fault(
            "source", UnsupportedAlgorithmError, "sha1 is not available", {"build": "without SHA-1"}
        ),
        *(*DESTINATION, WRONG_BITS),
    ],
}
FIRST_STAGES = {"types", "parse", "contexts", "source IDs"}


def clash(one: Fault, other: Fault) -> bool:
    """Tell whether two faults cannot be there at once: a key of another kind has no suite."""
    changed = {*one.changes, *other.changes}
    both = len(changed) == len(one.changes) + len(other.changes)
    sides = ("source", "destination")
    return not both or any({f"{side}.kind", f"{side}.suite"} <= changed for side in sides)


def cases() -> list[Any]:
    """Return every fault alone and every two that can be there at once, the earlier one first."""
    listed = []
    for operation, faults in FAULTS.items():
        numbered = list(enumerate(faults))
        for pair in [*combinations(numbered, 1), *combinations(numbered, 2)]:
            chosen = [fault for _, fault in pair]
            if len(chosen) == 1 or not clash(*chosen):
                name = ", ".join(f"{number} {fault.stage}" for number, fault in pair)
                listed.append(pytest.param(operation, chosen, id=f"{operation}: {name}"))
    return listed


class World:
    """A provider that answers with what is wrong, and the calls that go with it."""

    def __init__(self, rsa_key: RsaKey, sm2_key: Sm2Key) -> None:
        """Take the keys that are slow to make, and make a valid call of every operation."""
        self.source = symmetric_key(Suite.AES_256_GCM, "source", VERSION)
        self.destination = symmetric_key(Suite.AES_128_GCM, "destination", OTHER_VERSION)
        self.rsa_key, self.sm2_key = rsa_key, sm2_key
        self.changes: Mapping[str, Any] = {}
        self.operation = ""
        self.asked: list[str] = []
        algorithm = RSA_ALGORITHMS[0]
        self.bare = kmscore.asymmetric_encrypt(rsa_key.public_key, algorithm, b"data")
        sealing = {"keys": self, "key_id": "destination", "context": CONTEXT, "profile": RAW}
        opening = {"keys": self, "ciphertext_blob": b"", "context": CONTEXT, "profile": RAW}
        wrapping = {"public_key": rsa_key.public_key, "algorithm": algorithm}
        moving = {"keys": self, "ciphertext_blob": b"", "destination_key_id": "destination"}
        bare_source = {
            "source_key_id": rsa_key.key_id,
            "source_key_version_id": VERSION,
            "source_algorithm": algorithm,
        }
        self.calls: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
            "encrypt": (alibaba.encrypt, sealing | {"plaintext": b"data"}),
            "decrypt": (alibaba.decrypt, opening),
            "generate_data_key": (alibaba.generate_data_key, sealing),
            "export_data_key": (alibaba.export_data_key, opening | wrapping),
            "generate_and_export_data_key": (
                alibaba.generate_and_export_data_key,
                sealing | wrapping,
            ),
        }
        for way in ("service to service", "service to v1", "v1 to service"):
            source, destination = way.split(" to ")
            self.calls[way] = (
                alibaba.reencrypt,
                moving
                | {
                    "source_profile": RAW if source == "service" else Profile.V1,
                    "destination_profile": RAW if destination == "service" else Profile.V1,
                    "source_context": CONTEXT,
                },
            )
        self.calls["asymmetric to service"] = (
            alibaba.reencrypt,
            moving | bare_source | {"destination_profile": RAW},
        )

    def call(self, operation: str, faults: list[Fault]) -> Callable[[], Any]:
        """Return the call of an operation with these things wrong."""
        function, arguments = self.calls[operation]
        self.operation, self.asked = operation, []
        self.changes = {name: value for fault in faults for name, value in fault.changes.items()}
        given = {name: value for name, value in self.changes.items() if "." not in name}
        if "ciphertext_blob" in arguments:
            given.setdefault("ciphertext_blob", self.ciphertext())
        if given.get("public_key") == "EC_SM2":
            given["public_key"] = self.sm2_key.public_key
        if given.pop("build", None):
            name = "algorithm" if "algorithm" in arguments else "source_algorithm"
            given.setdefault(name, RSA_ALGORITHMS[1])
        return lambda: function(**arguments | given)

    def ciphertext(self) -> bytes:
        """Return the ciphertext: longer, with a changed bit, with another beginning."""
        plaintext = bytes(self.changes.get("ciphertext.length", 4))
        if self.operation == "asymmetric to service":
            data = bytearray(self.bare)
        elif self.operation == "v1 to service":
            canonical = EncryptionContext(CONTEXT).canonical
            data = bytearray(envelope.seal(self.source, plaintext, canonical))
        else:
            data = bytearray(seal_by_hand(self.source, plaintext, bound_by(CONTEXT, RAW)))
        data[-1] ^= self.changes.get("ciphertext.bits", 0)
        data[:3] = self.changes.get("ciphertext.start", data[:3])
        return bytes(data)

    def primary(self, key_id: str) -> Any:
        """See `KeyProvider`."""
        assert key_id == "destination"
        self.asked.append("primary")
        return self.answer("destination", self.destination)

    def version(self, key_id: str, key_version_id: str) -> Any:
        """See `KeyProvider`."""
        assert key_version_id == VERSION
        self.asked.append("version")
        if key_id == "source":
            return self.answer("source", self.source)
        return self.answer("source", RsaKey(key_id, VERSION, self.rsa_key._private_key))

    def version_by_id(self, key_version_id: str) -> Any:
        """See `KeyVersionProvider`."""
        assert key_version_id == VERSION
        self.asked.append("version_by_id")
        return self.answer("source", self.source)

    def answer(self, side: str, right: Any) -> Any:
        """Return the key of one side, with all that is wrong with it."""
        start = f"{side}."
        wrong = {
            name.removeprefix(start): value
            for name, value in self.changes.items()
            if name.startswith(start)
        }
        if found := wrong.get("found"):
            raise {"no key": KeyNotFoundError, "no version": KeyVersionNotFoundError}[found](found)
        if "foreign" in wrong:
            return object()
        ids = wrong.get("key_id", right.key_id), wrong.get("key_version_id", right.key_version_id)
        state = wrong.get("state", KeyState.ENABLED)
        kind = wrong.get("kind")
        if kind == "RSA_2048" or (kind is None and isinstance(right, RsaKey)):
            return RsaKey(*ids, self.rsa_key._private_key, state=state)
        if kind == "AES_256" or "suite" in wrong:
            return symmetric_key(wrong.get("suite", Suite.AES_256_GCM), *ids, state=state)
        return SymmetricKey(
            *ids, right.spec, right.export_material(), suite=right.suite, state=state
        )


@pytest.fixture(scope="module")
def shared_world(rsa_key: RsaKey, sm2_key: Sm2Key) -> World:
    """Return the world, made once."""
    return World(rsa_key, sm2_key)


@pytest.fixture
def world(shared_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return the world, in a build of `cryptography` where SHA-1 may be missing."""
    miss_hash(monkeypatch, lambda: "build" in shared_world.changes)
    return shared_world


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of what the ciphers are used for."""
    used: list[str] = []
    decrypt = asymmetric._RsaOaep.decrypt

    def watched(*arguments: Any) -> bytes:
        used.append("open")
        return decrypt(*arguments)

    monkeypatch.setattr(asymmetric._RsaOaep, "decrypt", watched)
    watch_ciphers(monkeypatch, used.append)
    return used


def question(operation: str) -> str:
    """Return the method that finds the source's key."""
    return "version" if operation.startswith(("v1", "asymmetric")) else "version_by_id"


@pytest.mark.parametrize(("operation", "faults"), cases())
def test_the_earlier_of_two_faults_is_raised(
    world: World, used: list[str], operation: str, faults: list[Fault]
) -> None:
    """Nothing after it is looked at: no other key is asked for, and nothing is opened or sealed."""
    call = world.call(operation, faults)
    used.clear()
    with raises_exactly(faults[0].error, faults[0].text):
        call()
    stage, stages = faults[0].stage, {fault.stage for fault in FAULTS[operation]}
    asked = []
    if stage not in FIRST_STAGES:
        asked += [question(operation)] * ("source" in stages)
        asked += ["primary"] * ("destination" in stages and stage != "source")
    assert world.asked == asked
    assert used == ["open"] * (stage == "open")


@pytest.mark.parametrize("operation", FAULTS)
def test_without_a_fault_the_operation_succeeds(
    world: World, used: list[str], operation: str
) -> None:
    """What the other tests take away was there: each key is asked for once, one cipher opens."""
    call = world.call(operation, [])
    used.clear()
    assert call() is not None
    stages = {fault.stage for fault in FAULTS[operation]}
    opens, seals = "source" in stages, "destination" in stages
    assert world.asked == [question(operation)] * opens + ["primary"] * seals
    assert used == ["open"] * opens + ["seal"] * seals
