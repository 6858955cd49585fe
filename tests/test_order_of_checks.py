"""Which error is raised when two things are wrong at once: the earlier one in the order of checks.

types, parse, contexts, source IDs, source key (found, a key at all, the IDs asked for, state, kind,
suite or algorithm), destination key (the same), public key, sizes, the one open.
"""

from collections.abc import Mapping
from itertools import combinations
from typing import Any, NamedTuple

import pytest
from strategies import (
    RSA_ALGORITHMS,
    Call,
    miss_hash,
    raises_exactly,
    symmetric_key,
    valid_calls,
    watch_ciphers,
)

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
    asymmetric,
    envelope,
)
from kmscore.keys import Key


class Fault(NamedTuple):
    """One thing that is wrong: where, which error tells, and what to change to bring it about.

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


def context_faults(argument: str = "context") -> list[Fault]:
    """Return the fault of a context that breaks the rules."""
    return [Fault("contexts", InvalidContextError, "must be str", {argument: {"a": 1}})]


def key_faults(side: str, state: KeyState, kind: str) -> list[Fault]:
    """Return what can be wrong with a key, in the order in which it is looked at."""
    return [
        Fault(side, KeyNotFoundError, "no key", {f"{side}.found": "no key"}),
        Fault(side, KeyVersionNotFoundError, "no version", {f"{side}.found": "no version"}),
        Fault(side, TypeError, "a key must be", {f"{side}.foreign": True}),
        Fault(side, IncorrectKeyError, "provider answered", {f"{side}.key_id": "stranger"}),
        Fault(side, IncorrectKeyError, "provider answered", {f"{side}.key_version_id": "v9"}),
        Fault(side, KeyStateError, state.value, {f"{side}.state": state}),
        Fault(side, KeyUsageError, kind, {f"{side}.kind": kind}),
    ]


SURROGATE = Fault(
    "contexts", InvalidContextError, "surrogate", {"destination_context": {"a": "\ud800"}}
)
ALGORITHM = Fault("types", UnsupportedAlgorithmError, "unknown", {"algorithm": "RSA"})
PARSE = Fault("parse", InvalidBlobError, "magic", {"ciphertext.magic": b"XMS"})
BARE_SOURCE = [
    *key_faults("source", KeyState.DISABLED, "AES_256"),
    Fault("source", UnsupportedAlgorithmError, "sha1 is not available", {"build": "without SHA-1"}),
]
BLOB_SOURCE = [
    *key_faults("source", KeyState.DISABLED, "RSA_2048"),
    Fault("source", IncorrectKeyError, "is bound to", {"source.suite": Suite.SM4_GCM}),
]
DESTINATION = [
    fault
    for fault in key_faults("destination", KeyState.PENDING_DELETION, "EC_SM2")
    # Whichever version is primary is right.
    if not {"no version", "v9"} & set(fault.changes.values())
]
PUBLIC_KEY = [
    Fault("public key", KeyUsageError, "does not encrypt", {"public_key": "EC_SM2"}),
    Fault(
        "public key", UnsupportedAlgorithmError, "sha1 is not available", {"build": "without SHA-1"}
    ),
]
LONG_BLOB = Fault("sizes", PlaintextSizeError, "at most 6144", {"ciphertext.length": 6145})
LONG_DATA_KEY = Fault("sizes", PlaintextSizeError, "0 to 190", {"ciphertext.length": 191})
LONG_PLAINTEXT = Fault("sizes", PlaintextSizeError, "at most 6144", {"plaintext": bytes(6145)})
IV = Fault("sizes", ValueError, "takes an IV of 24 bytes", {"iv": b""})
WRONG_BITS = Fault("open", DecryptionError, "cannot be decrypted", {"ciphertext.bits": 1})

REENCRYPT = [
    type_fault("destination_key_id", b"destination"),
    PARSE,
    *context_faults("source_context"),
    SURROGATE,
    Fault("source IDs", IncorrectKeyError, "than the caller", {"source_key_id": "else"}),
    Fault("source IDs", IncorrectKeyError, "than the caller", {"source_key_version_id": "else"}),
    *BLOB_SOURCE,
    *DESTINATION,
    LONG_BLOB,
]
SEALING = [*context_faults(), *DESTINATION]

FAULTS: Mapping[str, list[Fault]] = {
    "reencrypt": [*REENCRYPT, WRONG_BITS],
    "hazmat.reencrypt": [*REENCRYPT, IV, WRONG_BITS],
    "reencrypt (asymmetric)": [
        type_fault("destination_context", "{}"),
        Fault("types", TypeError, "needs source_key_id", {"source_key_version_id": None}),
        ALGORITHM._replace(changes={"source_algorithm": "RSA"}),
        *context_faults("source_context"),
        Fault("contexts", InvalidContextError, "binds no", {"source_context": {"a": "b"}}),
        SURROGATE,
        *BARE_SOURCE,
        *DESTINATION,
        WRONG_BITS,
    ],
    "decrypt": [
        *(type_fault("context", 1), PARSE, *context_faults(), *BLOB_SOURCE),
        *(LONG_BLOB, WRONG_BITS),
    ],
    "export_data_key": [
        *(type_fault("public_key", None), ALGORITHM, PARSE, *context_faults(), *BLOB_SOURCE),
        *(*PUBLIC_KEY, LONG_BLOB, LONG_DATA_KEY, WRONG_BITS),
    ],
    "encrypt": [type_fault("plaintext", "text"), *SEALING, LONG_PLAINTEXT],
    "hazmat.encrypt": [type_fault("plaintext", "text"), *SEALING, LONG_PLAINTEXT, IV],
    "generate_data_key": [
        *(type_fault("key_id", b""), *SEALING),
        Fault("sizes", PlaintextSizeError, "1024", {"number_of_bytes": 1025}),
    ],
    "generate_and_export_data_key": [
        *(type_fault("number_of_bytes", True), ALGORITHM, *SEALING, *PUBLIC_KEY),
        Fault("sizes", PlaintextSizeError, "1024", {"number_of_bytes": 1025}),
        Fault("sizes", PlaintextSizeError, "0 to 190", {"number_of_bytes": 1024}),
    ],
    "asymmetric_encrypt": [
        *(type_fault("plaintext", "text"), ALGORITHM, *PUBLIC_KEY),
        Fault("sizes", PlaintextSizeError, "0 to 190", {"plaintext": bytes(215)}),
    ],
    "asymmetric_decrypt": [
        *(type_fault("ciphertext", "text"), ALGORITHM, *BARE_SOURCE, WRONG_BITS),
    ],
}


ANSWERED = {
    f"{side}.{wrong}"
    for side in ("source", "destination")
    for wrong in ("foreign", "key_id", "key_version_id")
}
FIRST_STAGES = {"types", "parse", "contexts", "source IDs"}


def cases(*, of_a_keyring: bool) -> list[Any]:
    """Return every fault alone and every two that can be there at once, the earlier one first.

    A keyring always answers the very key that it was asked for.
    """
    listed = []
    for operation, faults in FAULTS.items():
        possible = [
            (f"{number} {fault.stage}", fault)
            for number, fault in enumerate(faults)
            if not (of_a_keyring and ANSWERED & set(fault.changes))
        ]
        for pair in [*combinations(possible, 1), *combinations(possible, 2)]:
            changed = [set(fault.changes) for _, fault in pair]
            if len(pair) == 1 or not set.intersection(*changed):
                name = ", ".join(name for name, _ in pair)
                case = pytest.param(operation, [f for _, f in pair], id=f"{operation}: {name}")
                listed.append(case)
    return listed


class World:
    """A provider that answers with what is wrong, and the call that goes with it."""

    def __init__(self, rsa_key: RsaKey, sm2_key: Sm2Key) -> None:
        """Take the keys that are slow to make."""
        self.calls = valid_calls(rsa_key, sm2_key)
        self.ring = self.calls["encrypt"].arguments["keys"]
        self.asymmetric_keys = {"RSA_2048": rsa_key, "EC_SM2": sm2_key}
        self.asked: list[str] = []
        self.changes: Mapping[str, Any] = {}

    def call(self, operation: str, faults: list[Fault]) -> Call:
        """Return the call of an operation with these things wrong."""
        call = self.calls[operation]
        self.asked = []
        self.changes = {name: value for fault in faults for name, value in fault.changes.items()}
        arguments = {name: value for name, value in self.changes.items() if "." not in name}
        for name in {"ciphertext", "ciphertext_blob"} & set(call.arguments) - set(arguments):
            arguments[name] = self.ciphertext(call.arguments[name])
        if "keys" in call.arguments:
            arguments["keys"] = self
        if arguments.get("public_key") == "EC_SM2":
            arguments["public_key"] = self.asymmetric_keys["EC_SM2"].public_key
        if arguments.pop("build", None):
            name = "algorithm" if "algorithm" in call.arguments else "source_algorithm"
            arguments.setdefault(name, RSA_ALGORITHMS[1])
        return Call(call.function, call.arguments | arguments)

    def ciphertext(self, right: bytes) -> bytes:
        """Return the ciphertext: longer, with a changed bit, with another magic."""
        data = bytearray(right)
        if length := self.changes.get("ciphertext.length"):
            context = EncryptionContext({"purpose": "test"}).canonical
            data[:] = envelope.seal(self.ring.version("source", "v1"), bytes(length), context)
        data[-1] ^= self.changes.get("ciphertext.bits", 0)
        data[:3] = self.changes.get("ciphertext.magic", data[:3])
        return bytes(data)

    def primary(self, key_id: str) -> Any:
        """See `KeyProvider`."""
        self.asked.append("primary")
        return self.answer("destination", self.ring.primary(key_id))

    def version(self, key_id: str, key_version_id: str) -> Any:
        """See `KeyProvider`."""
        self.asked.append("version")
        return self.answer("source", self.ring.version(key_id, key_version_id))

    def keyring(self, operation: str) -> Keyring:
        """Return a ring of what this provider would answer."""
        arguments = self.calls[operation].arguments
        source_id = "rsa-2048" if {"ciphertext", "source_algorithm"} & set(arguments) else "source"
        source = self.ring.version(source_id, "v1")
        keys = []
        for side, right in (("source", source), ("destination", self.ring.primary("destination"))):
            match self.changes.get(f"{side}.found"):
                case None:
                    keys.append(self.answer(side, right))
                case "no version":
                    keys.append(self.twin(right, right.key_id, "v0", KeyState.ENABLED))
        return Keyring(keys)

    def answer(self, side: str, right: Key) -> Any:
        """Return the key of one side, with all that is wrong with it."""
        wrong = {
            name.removeprefix(f"{side}."): value
            for name, value in self.changes.items()
            if name.startswith(f"{side}.")
        }
        if found := wrong.get("found"):
            raise {"no key": KeyNotFoundError, "no version": KeyVersionNotFoundError}[found](found)
        if "foreign" in wrong:
            return object()
        key_id = wrong.get("key_id", right.key_id)
        key_version_id = wrong.get("key_version_id", right.key_version_id)
        state = wrong.get("state", KeyState.ENABLED)
        kind = wrong.get("kind")
        if kind == "AES_256" or (kind is None and "suite" in wrong):
            suite = wrong.get("suite", Suite.XAES_256_GCM)
            return symmetric_key(suite, key_id, key_version_id, state=state)
        return self.twin(self.asymmetric_keys.get(kind, right), key_id, key_version_id, state)

    def twin(self, key: Key, key_id: str, key_version_id: str, state: KeyState) -> Key:
        """Return a key of the same material with other IDs and another state."""
        ids = key_id, key_version_id
        if isinstance(key, RsaKey):
            return RsaKey(*ids, key._private_key, state=state)
        if isinstance(key, Sm2Key):
            return Sm2Key(*ids, key._scalar, state=state)
        return SymmetricKey(*ids, key.spec, key.export_material(), suite=key.suite, state=state)


@pytest.fixture(scope="module")
def shared_world(rsa_key: RsaKey, sm2_key: Sm2Key) -> World:
    """Return the world, made once."""
    return World(rsa_key, sm2_key)


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of what the ciphers are used for."""
    used: list[str] = []

    def watch(owner: type, name: str) -> None:
        real = getattr(owner, name)

        def watched(*arguments: Any) -> Any:
            used.append(name)
            return real(*arguments)

        monkeypatch.setattr(owner, name, watched)

    watch(asymmetric._RsaOaep, "decrypt")
    watch_ciphers(monkeypatch, used.append)
    return used


@pytest.fixture
def world(shared_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return the world, in a build of `cryptography` where SHA-1 may be missing."""
    miss_hash(monkeypatch, lambda: "build" in shared_world.changes)
    return shared_world


@pytest.mark.parametrize(("operation", "faults"), cases(of_a_keyring=False))
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
        asked += ["version"] * ("source" in stages)
        asked += ["primary"] * ("destination" in stages and stage != "source")
    assert world.asked == asked
    assert len(used) == (stage == "open")


@pytest.mark.parametrize(("operation", "faults"), cases(of_a_keyring=True))
def test_the_earlier_of_two_faults_is_raised_with_a_keyring(
    world: World, used: list[str], operation: str, faults: list[Fault]
) -> None:
    """The hot path of a keyring keeps to the same order."""
    call = world.call(operation, faults)
    keys = {"keys": world.keyring(operation)} if "keys" in call.arguments else {}
    used.clear()
    with raises_exactly(faults[0].error, faults[0].text):
        call(**keys)
    assert len(used) == (faults[0].stage == "open")


@pytest.mark.parametrize("operation", FAULTS)
def test_without_a_fault_the_operation_succeeds(
    world: World, used: list[str], operation: str
) -> None:
    """What the other tests take away was there: each key is asked for once, one cipher opens."""
    call = world.call(operation, [])
    used.clear()
    assert call() is not None
    stages = {fault.stage for fault in FAULTS[operation]}
    assert world.asked == ["version"] * ("source" in stages) + ["primary"] * (
        "destination" in stages
    )
    opened = [name for name in used if name != "seal"]
    assert len(opened) == ("source" in stages)
    assert used == opened + ["seal"] * ("destination" in stages)
