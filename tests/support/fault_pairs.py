"""Calls with two faults at the same time: the faults, their pairs, and a provider for them.

The tests of the order of checks use this module, for v1 and for the service's layout.
"""

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any, NamedTuple

import pytest

from kmscore import (
    DecryptionError,
    EncryptionContext,
    IncorrectKeyError,
    InvalidBlobError,
    InvalidContextError,
    KeyNotFoundError,
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
from support.strategies import (
    RSA_ALGORITHMS,
    Call,
    miss_hash,
    raises_exactly,
    symmetric_key,
    watch_ciphers,
)

CONTEXT: Mapping[str, str] = {"purpose": "test"}
"""The context of every valid call."""


class Fault(NamedTuple):
    """One fault: the stage of its check, the expected error, and the changes that cause it.

    A plain name in `changes` is an argument. A name with a dot changes the ciphertext, or the
    answer of the provider for the source or the destination.
    """

    stage: str
    error: type[Exception]
    text: str
    changes: Mapping[str, Any]


def type_fault(argument: str, value: object) -> Fault:
    """Return the fault of an argument of the wrong type."""
    return Fault("types", TypeError, argument, {argument: value})


def context_fault(argument: str = "context") -> Fault:
    """Return the fault of an invalid context."""
    return Fault("contexts", InvalidContextError, "must be str", {argument: {"a": 1}})


def key_faults(side: str, state: KeyState, kind: str) -> list[Fault]:
    """Return the possible faults of a key, in the order of the checks."""
    return [
        Fault(side, KeyNotFoundError, "no key", {f"{side}.found": "no key"}),
        Fault(side, KeyVersionNotFoundError, "no version", {f"{side}.found": "no version"}),
        Fault(side, TypeError, "a key must be", {f"{side}.foreign": True}),
        Fault(side, IncorrectKeyError, "another key than", {f"{side}.key_id": "stranger"}),
        Fault(side, IncorrectKeyError, "another key version", {f"{side}.key_version_id": "v9"}),
        Fault(side, KeyStateError, state.value, {f"{side}.state": state}),
        Fault(side, KeyUsageError, kind, {f"{side}.kind": kind}),
    ]


ALGORITHM = Fault("types", UnsupportedAlgorithmError, "unknown", {"algorithm": "RSA"})
SOURCE_ALGORITHM = ALGORITHM._replace(changes={"source_algorithm": "RSA"})
NO_VERSION_GIVEN = Fault("types", TypeError, "needs source_key_id", {"source_key_version_id": None})
PARSE = Fault("parse", InvalidBlobError, "magic", {"ciphertext.start": b"XMS"})
BARE_CONTEXT = Fault("contexts", InvalidContextError, "binds no", {"source_context": {"a": "b"}})
GIVEN_KEY = Fault("source IDs", IncorrectKeyError, "another source key", {"source_key_id": "else"})
GIVEN_VERSION = Fault(
    "source IDs", IncorrectKeyError, "another source key version", {"source_key_version_id": "else"}
)
NO_SHA_1 = Fault(
    "public key", UnsupportedAlgorithmError, "sha1 is not available", {"build": "without SHA-1"}
)
BARE_SOURCE = [
    *key_faults("source", KeyState.DISABLED, "AES_256"),
    NO_SHA_1._replace(stage="source"),
]
BLOB_SOURCE = [
    *key_faults("source", KeyState.DISABLED, "RSA_2048"),
    Fault("source", IncorrectKeyError, "is bound to", {"source.suite": Suite.SM4_GCM}),
]
DESTINATION = [
    fault
    for fault in key_faults("destination", KeyState.PENDING_DELETION, "EC_SM2")
    if "version" not in fault.text  # each version can be the primary one
]
PUBLIC_KEY = [
    Fault("public key", KeyUsageError, "does not encrypt", {"public_key": "EC_SM2"}),
    NO_SHA_1,
]
LONG_BLOB = Fault("sizes", PlaintextSizeError, "at most 6144", {"ciphertext.length": 6145})
LONG_DATA_KEY = Fault("sizes", PlaintextSizeError, "0 to 190", {"ciphertext.length": 191})
NUMBER = Fault("sizes", PlaintextSizeError, "1 to 1024", {"number_of_bytes": 1025})
WRONG_BITS = Fault("open", DecryptionError, "cannot be decrypted", {"ciphertext.bits": 1})


def pairs(table: Mapping[str, list[Fault]], without: Iterable[str] = ()) -> list[Any]:
    """Return every fault alone, and every possible pair of faults, in the order of the checks.

    Two faults that change the same thing are not a pair. Faults that change one of `without` are
    left out.
    """
    cases = []
    for operation, faults in table.items():
        possible = [
            (f"{number} {fault.stage}", fault)
            for number, fault in enumerate(faults)
            if not fault.changes.keys() & set(without)
        ]
        for pair in [*combinations(possible, 1), *combinations(possible, 2)]:
            names, chosen = zip(*pair, strict=True)
            if len(pair) == 1 or not chosen[0].changes.keys() & chosen[1].changes.keys():
                cases.append(pytest.param(operation, chosen, id=f"{operation}: {', '.join(names)}"))
    return cases


def twin(key: Key, key_id: str, key_version_id: str, state: KeyState) -> Key:
    """Return a key of the same material with other IDs and another state."""
    ids = key_id, key_version_id
    if isinstance(key, RsaKey):
        return RsaKey(*ids, key._private_key, state=state)
    if isinstance(key, Sm2Key):
        return Sm2Key(*ids, key._scalar, state=state)
    return SymmetricKey(*ids, key.spec, key.export_material(), suite=key.suite, state=state)


class World:
    """A provider with faulty answers, and the calls of the operations with these faults."""

    def __init__(
        self,
        table: Mapping[str, list[Fault]],
        calls: dict[str, Call],
        keys: Iterable[Key],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Take the faults and a valid call of every operation, and one version of every key.

        The keys are `source`, `destination`, an RSA_2048 key and an EC_SM2 key.
        """
        self.table = table
        self.calls = calls
        self.keys: dict[str, Any] = {key.key_id: key for key in keys}
        self.kinds = {key.spec.name: key for key in self.keys.values()}
        self.changes: Mapping[str, Any] = {}
        self.asked: list[str] = []
        self.used: list[str] = []
        decrypt = asymmetric._RsaOaep.decrypt

        def watched(*arguments: Any) -> bytes:
            self.used.append("open")
            return decrypt(*arguments)

        monkeypatch.setattr(asymmetric._RsaOaep, "decrypt", watched)
        watch_ciphers(monkeypatch, self.used.append)
        miss_hash(monkeypatch, lambda: "build" in self.changes)

    def check_pair(self, operation: str, faults: tuple[Fault, ...]) -> None:
        """Expect the error of the first fault, and no call of the provider after it."""
        self.check_error(self.call(operation, faults), faults[0])
        assert self.asked == self.questions(operation, faults[0].stage)

    def check_error(self, call: Call, fault: Fault) -> None:
        """Expect the error of this fault; a cipher is used only if decryption itself fails."""
        with raises_exactly(fault.error, fault.text):
            call()
        assert self.used == ["open"] * (fault.stage == "open")

    def check_success(self, operation: str) -> None:
        """Expect success: each key is requested once, then one decryption and one encryption."""
        assert self.call(operation, ())() is not None
        assert self.asked == self.questions(operation)
        opens, seals = self.sides(operation)
        assert self.used == ["open"] * opens + ["seal"] * seals

    def questions(self, operation: str, stage: str = "success") -> list[str]:
        """Return the calls of the provider in an operation that fails at this stage."""
        if stage in {"types", "parse", "contexts", "source IDs"}:
            return []
        opens, seals = self.sides(operation)
        return [self.finder(operation)] * opens + ["primary"] * (seals and stage != "source")

    def sides(self, operation: str) -> tuple[bool, bool]:
        """Return whether an operation decrypts with a provider's key, and whether it encrypts."""
        stages = {fault.stage for fault in self.table[operation]}
        return "source" in stages, "destination" in stages

    def call(self, operation: str, faults: Iterable[Fault]) -> Call:
        """Return the call of an operation with these faults."""
        function, arguments = self.calls[operation]
        self.changes = {name: value for fault in faults for name, value in fault.changes.items()}
        given = {name: value for name, value in self.changes.items() if "." not in name}
        if "keys" in arguments:
            given.setdefault("keys", self)
        for name in {"ciphertext", "ciphertext_blob"} & arguments.keys():
            given.setdefault(name, self.ciphertext(operation, arguments[name]))
        if given.get("public_key") == "EC_SM2":
            given["public_key"] = self.kinds["EC_SM2"].public_key
        if given.pop("build", None):
            name = "algorithm" if "algorithm" in arguments else "source_algorithm"
            given.setdefault(name, RSA_ALGORITHMS[1])
        self.used.clear()
        return Call(function, arguments | given)

    def ciphertext(self, operation: str, right: bytes) -> bytes:
        """Return the ciphertext, with the length, the bits or the start changed if requested."""
        length = self.changes.get("ciphertext.length")
        data = bytearray(self.seal(operation, bytes(length)) if length else right)
        data[-1] ^= self.changes.get("ciphertext.bits", 0)
        data[:3] = self.changes.get("ciphertext.start", data[:3])
        return bytes(data)

    def seal(self, operation: str, plaintext: bytes) -> bytes:
        """Return a blob that the operation accepts."""
        del operation
        context = EncryptionContext(CONTEXT).canonical
        return envelope.seal(self.keys["source"], plaintext, context)

    def finder(self, operation: str) -> str:
        """Return the name of the method that finds the source's key."""
        del operation
        return "version"

    def primary(self, key_id: str) -> Any:
        """See `KeyProvider`."""
        self.asked.append("primary")
        return self.answer("destination", self.keys[key_id])

    def version(self, key_id: str, key_version_id: str) -> Any:
        """See `KeyProvider`."""
        self.asked.append("version")
        assert key_version_id == self.keys[key_id].key_version_id
        return self.answer("source", self.keys[key_id])

    def answer(self, side: str, right: Key) -> Any:
        """Return the key of one side, with all its faults.

        A key of another kind has no suite that can be wrong.
        """
        wrong = {
            name.removeprefix(f"{side}."): value
            for name, value in self.changes.items()
            if name.startswith(f"{side}.")
        }
        if found := wrong.get("found"):
            raise {"no key": KeyNotFoundError, "no version": KeyVersionNotFoundError}[found](found)
        if "foreign" in wrong:
            return object()
        ids = wrong.get("key_id", right.key_id), wrong.get("key_version_id", right.key_version_id)
        state = wrong.get("state", KeyState.ENABLED)
        if "suite" in wrong and "kind" not in wrong:
            return symmetric_key(wrong["suite"], *ids, state=state)
        return twin(self.kinds[wrong["kind"]] if "kind" in wrong else right, *ids, state)
