"""The short path of re-encryption and its separate steps: same result, same error.

Every case is drawn from its number, so that one failed case can be repeated.
"""

import itertools
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final, NoReturn

import pytest
from support.strategies import Store, symmetric_key

import kmscore
from kmscore import (
    EncryptionContext,
    Keyring,
    KeyState,
    RsaKey,
    Suite,
    SymmetricKey,
    envelope,
    operations,
    reencryption,
)
from kmscore import (
    context as contexts,
)
from kmscore.bulk import KEEP_CONTEXT, Item, Outcome, job, reencrypt_many
from kmscore.context import ContextLike
from kmscore.layouts import V1
from kmscore.reencryption import prepare

CASES: Final = [
    pytest.param(5_000, id="5,000"),
    pytest.param(20_000, id="20,000", marks=pytest.mark.thorough),
    pytest.param(10_000_000, id="10 million", marks=pytest.mark.campaign),
]
PAIRS: Final = ({}, {"a": "b"}, {"purpose": "test", "tenant": "acme"}, {"ключ": "значение"})
LENGTHS: Final = (0, 1, 32, 33, 6144, 6145)


class EqualToAll:
    """An object that is not text but equals every text; its hash is that of key-0."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        """Return a wrong answer."""
        return True

    def __hash__(self) -> int:
        """Return a wrong answer."""
        return hash("key-0")


class Text(EqualToAll, str):
    """A `str` with the same behaviour."""

    __slots__ = ()


class Bytes(bytes):
    """A `bytes` object whose items are not the bytes in its buffer."""

    shown: bytes

    def __getitem__(self, place: Any) -> Any:
        """Return a wrong answer."""
        return self.shown[place]


def fixed_ivs(length: int) -> bytes:
    """Replace `os.urandom` with the same IV for both ways, so that their blobs are comparable."""
    return b"\x5a" * length


class World:
    """Keyrings whose headers have one length or several, and blobs of all their keys."""

    def __init__(self, rsa_key: RsaKey) -> None:
        """Make the keys and the blobs."""
        alike = [
            symmetric_key(suite, f"key-{number}", version)
            for number, suite in enumerate((Suite.AES_256_GCM, Suite.XAES_256_GCM, Suite.SM4_GCM))
            for version in ("v1", "v2")
        ]
        disabled = symmetric_key(Suite.AES_128_GCM, "key-9", "v1", state=KeyState.DISABLED)
        longer = symmetric_key(Suite.AES_256_GCM, "a-longer-key", "version-1")
        self.rings = [
            Keyring([*alike, disabled]),
            Keyring([*alike, disabled, longer, rsa_key]),
            Keyring(alike[:1]),
            Keyring([]),
        ]
        self.keys: list[SymmetricKey] = [*alike, disabled, longer]
        enabled = symmetric_key(Suite.AES_128_GCM, "key-9", "v1")
        self.blobs = [
            (key, pairs, envelope.seal(key, bytes(length), EncryptionContext(pairs).canonical))
            for key, pairs, length in itertools.product([*alike, longer, enabled], PAIRS, LENGTHS)
        ]
        self.key_ids = [*dict.fromkeys(key.key_id for key in self.keys), rsa_key.key_id]

    def case(self, number: int) -> dict[str, Any]:
        """Return the arguments of a call; most of them are right."""
        draw = random.Random(number)
        key, pairs, blob = draw.choice(self.blobs)
        return {
            "keys": draw.choice(self.rings[:2] if draw.random() < 0.9 else self.rings),
            "ciphertext_blob": damaged(draw, blob, draw.choice(self.blobs)[2]),
            "destination_key_id": mostly(
                draw, 0.9, lambda: draw.choice(self.key_ids), wrong_destination
            ),
            "source_context": mostly(draw, 0.85, lambda: context(draw, pairs), wrong_context),
            "destination_context": mostly(
                draw, 0.9, lambda: context(draw, draw.choice(PAIRS)), wrong_context
            ),
            "source_key_id": mostly(draw, 0.9, lambda: draw.choice((None, key.key_id)), wrong_id),
            "source_key_version_id": mostly(
                draw, 0.9, lambda: draw.choice((None, key.key_version_id)), wrong_id
            ),
            "source_algorithm": mostly(
                draw, 0.97, lambda: None, lambda draw: draw.choice(("SM2PKE", "RSA", 1))
            ),
            "dry_run": mostly(draw, 0.97, lambda: False, lambda draw: draw.choice((True, 1, None))),
        }


def mostly(
    draw: random.Random,
    share: float,
    right: Callable[[], Any],
    wrong: Callable[[random.Random], Any],
) -> Any:
    """Return the right value in this share of the cases."""
    return right() if draw.random() < share else wrong(draw)


def damaged(draw: random.Random, blob: bytes, other: bytes) -> Any:
    """Return the blob unchanged in three of four cases, otherwise changed, cut or another type."""
    place, liar = draw.randrange(len(blob)), Bytes(blob)
    liar.shown = other
    changes: list[Any] = [
        blob[:place] + bytes([blob[place] ^ 1 << draw.randrange(8)]) + blob[place + 1 :],
        blob[: min(place, 60)] + draw.randbytes(1) + blob[min(place, 60) + 1 :],
        blob[:place],
        blob + bytes(draw.randrange(1, 6200)),
        draw.randbytes(draw.randrange(40)),
        blob[:3],
        liar,
        bytearray(blob),
        memoryview(blob),
        blob.hex(),
        None,
    ]
    return blob if draw.random() < 0.75 else draw.choice(changes)


def context(draw: random.Random, pairs: dict[str, str]) -> Any:
    """Return a context in one of its forms."""
    forms = [EncryptionContext(pairs), EncryptionContext(pairs), dict(pairs)]
    return draw.choice([*forms, None] if not pairs else forms)


def wrong_context(draw: random.Random) -> Any:
    """Return another context, one that cannot be encoded, or a value of another type."""
    return draw.choice(
        (
            *({"other": "one"}, {"a": 1}, {"a": "\ud800"}, {Text("a"): "b"}, {"a": Text("z")}),
            *([("a", "b")], "{}", 1),
        )
    )


def wrong_id(draw: random.Random) -> Any:
    """Return an ID that is not in the header, or a value that is not plain text."""
    return draw.choice(("other", "", "\n", Text("key-0"), Text("v1"), b"v1", EqualToAll()))


def wrong_destination(draw: random.Random) -> Any:
    """Return an ID that no key has, or a value that is not plain text."""
    return draw.choice(("other", "", "key 1", "k" * 256, Text("key-1"), None, EqualToAll()))


def result_of(call: Callable[[], Any]) -> Any:
    """Return the result of a call, or all properties of its error."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 (the steps must raise the same error)
        behind = error.__context__, error.__cause__, error.__suppress_context__
        return type(error), str(error), getattr(error, "code", None), behind


def name_of(result: Any) -> str:
    """Return the name of the class of an error, or `right`."""
    if isinstance(result, tuple) and isinstance(result[0], type):
        return result[0].__name__
    return "right"


@pytest.fixture(scope="module")
def world(rsa_key: RsaKey) -> World:
    """Return the world, which is made once."""
    return World(rsa_key)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Count the calls of the short path, with constant IVs."""
    count = [0]
    reseal = envelope.reseal

    def counted(*arguments: Any) -> bytes:
        count[0] += 1
        return reseal(*arguments)

    monkeypatch.setattr(os, "urandom", fixed_ivs)
    for module in (envelope, job):
        monkeypatch.setattr(module, "reseal", counted)
    return count


@pytest.mark.parametrize("number", CASES)
def test_the_short_path_equals_its_steps(world: World, short: list[int], number: int) -> None:
    """Both ways give the same result, or the same class, message and cause of an error."""
    seen: Counter[str] = Counter()
    for case in range(number):
        arguments = world.case(case)
        result = result_of(lambda: kmscore.reencrypt(**arguments))  # noqa: B023 (called here)
        steps = result_of(lambda: prepare(V1, V1, **arguments).finish())  # noqa: B023
        assert result == steps, case
        seen[name_of(result)] += 1
    assert short[0] > number / 5
    assert seen["right"] > number / 8
    for error in (
        *("DecryptionError", "IncorrectKeyError", "InvalidBlobError", "InvalidContextError"),
        *("KeyNotFoundError", "KeyStateError", "KeyUsageError", "KeyVersionNotFoundError"),
        *("PlaintextSizeError", "TypeError", "UnsupportedAlgorithmError"),
    ):
        assert seen[error] > number / 2000, error


@pytest.mark.parametrize("number", CASES)
def test_the_short_path_of_a_job_equals_its_steps(
    world: World, short: list[int], number: int
) -> None:
    """A store never uses the short path, and its outcomes equal those of its keyring."""
    seen: Counter[str] = Counter()
    for case in range(number):
        arguments = world.case(case)
        draw = random.Random(-1 - case)
        del arguments["dry_run"]
        keys, destination = arguments.pop("keys"), arguments.pop("destination_key_id")
        shares = {"dry_run": 0.2, "upgrade_only": 0.2, "skip_current": 0.7}
        options: dict[str, Any] = {name: draw.random() < share for name, share in shares.items()}
        if options["upgrade_only"]:
            options["order"] = {"key-0": ["v1", "v2"], "key-1": ["v2", "v1"], "key-2": ["v2"]}
        if draw.random() < 0.6:
            arguments["destination_context"] = KEEP_CONTEXT
        if draw.random() < 0.7:
            arguments |= {"source_key_id": None, "source_key_version_id": None}
        item = Item(case, **arguments)
        outcome, steps = (
            result_of(lambda: shown(*reencrypt_many(found, [item], destination, **options)))  # noqa: B023
            for found in (keys, Store(keys))
        )
        assert outcome == steps, case
        seen[name_of(outcome) if isinstance(outcome[0], type) else outcome[0]] += 1
    assert short[0] > number / 10
    for status in ("rewritten", "unchanged", "failed", "TypeError"):
        assert seen[status] > number / 200, status


def all_steps(*_: object, **__: object) -> NoReturn:
    """Take the place of the steps in a call that has to skip them."""
    raise AssertionError("the call does not take the short path")


@pytest.fixture(params=[[], ["key-1"], ["longer-key"]], ids=["one", "alike", "different"])
def usual_keys(request: pytest.FixtureRequest) -> Keyring:
    """Return a keyring with the key and other keys, whose headers are as long as its own or not."""
    others = [symmetric_key(Suite.AES_256_GCM, key_id, "v1") for key_id in request.param]
    return Keyring([symmetric_key(Suite.AES_256_GCM, "key-0", "v1"), *others])


USUAL_CONTEXTS: Final = (None, {"a": "b"}, EncryptionContext({"a": "b"}))


@pytest.mark.parametrize("context", USUAL_CONTEXTS)
@pytest.mark.parametrize("key_id", [None, "key-0"])
@pytest.mark.parametrize("version_id", [None, "v1"])
def test_a_usual_reencryption_takes_the_short_path(
    monkeypatch: pytest.MonkeyPatch,
    usual_keys: Keyring,
    context: ContextLike,
    key_id: str | None,
    version_id: str | None,
) -> None:
    """Each kind of context, and each right source ID, is usual."""
    blob = kmscore.encrypt(usual_keys, "key-0", b"secret", context).ciphertext_blob
    monkeypatch.setattr(reencryption, "prepare", all_steps)
    result = kmscore.reencrypt(
        *(usual_keys, blob, "key-0"),
        source_context=context,
        source_key_id=key_id,
        source_key_version_id=version_id,
    )
    assert kmscore.decrypt(usual_keys, result.ciphertext_blob or b"").plaintext == b"secret"


@pytest.mark.parametrize("name", ["source_context", "destination_context"])
def test_the_short_path_names_a_wrong_context(usual_keys: Keyring, name: str) -> None:
    """The message has the name of the argument."""
    blob = kmscore.encrypt(usual_keys, "key-0", b"secret").ciphertext_blob
    arguments: dict[str, Any] = {name: 5}
    with pytest.raises(TypeError, match=f"^{name} must be "):
        kmscore.reencrypt(usual_keys, blob, "key-0", **arguments)


@pytest.mark.parametrize("context", USUAL_CONTEXTS)
@pytest.mark.parametrize("length", [0, 6144], ids=["no bytes", "6,144 bytes"])
def test_usual_operations_take_the_short_path(
    monkeypatch: pytest.MonkeyPatch, usual_keys: Keyring, context: ContextLike, length: int
) -> None:
    """Encryption and decryption with a keyring skip the steps, up to the longest plaintext."""
    for name in ("encrypt_in", "decrypt_from"):
        monkeypatch.setattr(operations, name, all_steps)
    blob = kmscore.encrypt(usual_keys, "key-0", bytes(length), context).ciphertext_blob
    assert kmscore.decrypt(usual_keys, blob, context).plaintext == bytes(length)


@pytest.mark.parametrize(
    "pairs",
    [
        pytest.param({"k" * 127: "v" * 127}, id="127 bytes"),
        pytest.param({f"key-{number}": "v" for number in range(127)}, id="127 pairs"),
    ],
)
def test_a_usual_context_takes_the_short_path(
    monkeypatch: pytest.MonkeyPatch, pairs: dict[str, str]
) -> None:
    """Numbers below 128 are one character of the text that is built."""
    expected = contexts._canonicalise(pairs)
    monkeypatch.setattr(contexts, "_canonicalise", all_steps)
    assert contexts.canonical_bytes(pairs) == expected


def shown(outcome: Outcome) -> tuple[Any, ...]:
    """Return an outcome, with all properties of its error."""
    error = outcome.error
    shown = None
    if error is not None:
        shown = result_of(lambda: raise_(error))
    return (str(outcome.status), *outcome[1:3], shown, *outcome[4:])


def raise_(error: Exception) -> None:
    """Raise an error."""
    raise error
