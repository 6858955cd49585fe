"""A differential harness: the short paths of the operations against their steps.

The first bytes choose the call, the rest is XORed into a blob. Both ways must give the same result,
or an error of the same class with the same text. Only an unchanged blob with its own context has a
result.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from support.strategies import Store

import kmscore
from fuzz.harness import Harness, as_text
from kmscore import EncryptionContext, Keyring, KeySpec, KeyState, Suite, SymmetricKey, envelope
from kmscore.bulk import KEEP_CONTEXT, Item, reencrypt_many
from kmscore.layouts import V1
from kmscore.operations import decrypt_from, encrypt_in
from kmscore.reencryption import prepare

_CHOICES: Final = 8
"""Number of the bytes that choose the call."""


def _key(
    number: int, suite: Suite, key_id: str, version: str, state: KeyState = KeyState.ENABLED
) -> SymmetricKey:
    """Return a key with a material of its own, the same in each run."""
    spec = {
        Suite.AES_192_GCM: KeySpec.AES_192,
        Suite.AES_128_GCM: KeySpec.AES_128,
        Suite.SM4_GCM: KeySpec.SM4,
    }.get(suite, KeySpec.AES_256)
    length = {KeySpec.AES_256: 32, KeySpec.AES_192: 24}.get(spec, 16)
    material = bytes(range(number, number + length))
    return SymmetricKey(key_id, version, spec, material, suite=suite, state=state)


_ALIKE: Final = [
    _key(2 * place + number, suite, f"key-{place}", version)
    for place, suite in enumerate((Suite.AES_256_GCM, Suite.XAES_256_GCM, Suite.SM4_GCM))
    for number, version in enumerate(("v1", "v2"))
]
_DISABLED: Final = _key(20, Suite.AES_128_GCM, "key-9", "v1", KeyState.DISABLED)
_LONGER: Final = _key(30, Suite.AES_192_GCM, "a-longer-key", "version-1")
_RINGS: Final = [
    Keyring([*_ALIKE, _DISABLED]),
    Keyring([*_ALIKE, _DISABLED, _LONGER]),
    Keyring(_ALIKE[:1]),
    Keyring([]),
]
_PAIRS: Final[tuple[dict[str, str], ...]] = ({}, {"a": "b"}, {"tenant": "acme", "ключ": "значение"})
_WRONG: Final = ({"a": 1}, {"a": "\ud800"}, [("a", "b")], 1)
_DESTINATIONS: Final = (
    *("key-0", "key-1", "key-2", "key-0", "key-1", "a-longer-key", "key-9", "other", "", "k" * 256),
    None,
)
_SOURCES: Final[tuple[Any, ...]] = (None, None, None, "key-0", "v1", "key-1", "v2", "", b"v1", 1)
_FORMS: Final[tuple[Callable[[bytes], Any], ...]] = (bytes, bytes, bytes, bytearray, memoryview)


def _fixed_iv(length: int) -> bytes:
    """Replace `os.urandom`, so that the results of both ways are comparable."""
    return b"\x5a" * length


def _seal(key: SymmetricKey, pairs: dict[str, str], length: int) -> bytes:
    original, os.urandom = os.urandom, _fixed_iv
    try:
        return envelope.seal(key, bytes(length), EncryptionContext(pairs).canonical)
    finally:
        os.urandom = original


_ENABLED: Final = _key(20, Suite.AES_128_GCM, "key-9", "v1")
_ORIGINALS: Final = {
    _seal(key, pairs, length): (pairs, length)
    for key, pairs, length in itertools.product(
        [*_ALIKE, _LONGER, _ENABLED], _PAIRS, (0, 1, 32, 6144, 6145)
    )
}
"""Context and length of the plaintext of each blob; the plaintexts are zeros."""

_BLOBS: Final = list(_ORIGINALS)


def check_short_paths(data: bytes) -> None:
    """Call an operation on its short path and in its steps."""
    choices, rest = data[:_CHOICES].ljust(_CHOICES, b"\0"), data[_CHOICES:]
    ring, number, destination, source, target, ids, form, flags = choices
    keys = _RINGS[ring % len(_RINGS)]
    blob = _FORMS[form % len(_FORMS)](_changed(_BLOBS[number % len(_BLOBS)], rest))
    key_id: Any = _DESTINATIONS[destination % len(_DESTINATIONS)]
    opening, sealing = _context(source, rest), _context(target, rest)
    original, os.urandom = os.urandom, _fixed_iv
    try:
        match ring >> 2 & 3:
            case 0 | 1:
                _check_reencryption(keys, blob, key_id, opening, sealing, ids, flags)
            case 2:
                _check_encryption(keys, blob, key_id, opening)
            case _:
                _check_job(keys, blob, key_id, opening, sealing, ids, flags)
    finally:
        os.urandom = original


def _changed(blob: bytes, rest: bytes) -> bytes:
    """Return the blob with some bytes XORed: an offset, a number of bytes to keep, and a mask."""
    if len(rest) < 2:
        return blob
    offset, kept, *mask = rest
    changed = bytearray(blob)
    for place, each in enumerate(mask, offset):
        if place < len(changed):
            changed[place] ^= each
    return bytes(changed[:kept] if kept & 1 else changed)


def _context(choice: int, rest: bytes) -> Any:
    pairs = _PAIRS[choice % 3]
    match choice >> 2 & 7:
        case 0 | 1:
            return dict(pairs)
        case 2 | 3:
            return EncryptionContext(pairs)
        case 4:
            return None
        case 5:
            return _WRONG[choice % len(_WRONG)]
        case _:
            return {"a": as_text(rest[-40:]), as_text(rest[:2]): "b"}


def _check_reencryption(
    keys: Keyring, blob: Any, key_id: Any, opening: Any, sealing: Any, ids: int, flags: int
) -> None:
    arguments = {
        "source_context": opening,
        "destination_context": opening if flags & 4 else sealing,
        "source_key_id": _SOURCES[ids % len(_SOURCES)],
        "source_key_version_id": _SOURCES[(ids >> 4) % len(_SOURCES)],
        "source_algorithm": "SM2PKE" if flags & 7 == 7 else None,
        "dry_run": bool(flags & 1),
    }
    result = _compare(
        lambda: kmscore.reencrypt(keys, blob, key_id, **arguments),
        lambda: prepare(V1, V1, keys, blob, key_id, **arguments).finish(),
    )
    if not isinstance(result, _Error):
        _check_decrypted(blob, opening)


def _check_encryption(keys: Keyring, blob: Any, key_id: Any, context: Any) -> None:
    result = _compare(
        lambda: kmscore.decrypt(keys, blob, context),
        lambda: decrypt_from(V1, keys, blob, context),
    )
    if not isinstance(result, _Error):
        assert result.plaintext == bytes(_check_decrypted(blob, context))
    _compare(
        lambda: kmscore.encrypt(keys, key_id, blob, context),
        lambda: encrypt_in(V1, keys, key_id, blob, context),
    )


def _check_job(
    keys: Keyring, blob: Any, key_id: Any, opening: Any, sealing: Any, ids: int, flags: int
) -> None:
    options: dict[str, Any] = {"dry_run": bool(flags & 1), "skip_current": bool(flags & 2)}
    if flags & 8:
        order = {"key-0": ["v1", "v2"], "key-1": ["v2", "v1"], "key-2": ["v2"]}
        options |= {"upgrade_only": True, "order": order}
    item = Item(
        "row",
        blob,
        opening,
        KEEP_CONTEXT if flags & 4 else sealing,
        _SOURCES[ids % len(_SOURCES)],
        _SOURCES[(ids >> 4) % len(_SOURCES)],
        None,
    )
    _compare(
        lambda: _shown(list(reencrypt_many(keys, [item], key_id, **options))),
        lambda: _shown(list(reencrypt_many(Store(keys), [item], key_id, **options))),
    )


def _shown(outcomes: list[Any]) -> list[tuple[Any, ...]]:
    """Return outcomes, with class and text of each error."""
    return [
        tuple((type(each), str(each)) if isinstance(each, Exception) else each for each in outcome)
        for outcome in outcomes
    ]


class _Error(NamedTuple):
    """All properties of an error."""

    kind: type[Exception]
    text: str
    code: str | None
    context: BaseException | None


def _compare(short: Callable[[], Any], steps: Callable[[], Any]) -> Any:
    """Return the result of both ways."""
    result, expected = _result_of(short), _result_of(steps)
    assert result == expected
    return result


def _check_decrypted(blob: Any, context: Any) -> int:
    """Return the length of the plaintext of an unchanged blob, whose context must be this one."""
    pairs, length = _ORIGINALS[bytes(blob)]
    assert pairs == dict(context or {})
    return length


def _result_of(call: Callable[[], Any]) -> Any:
    """Return the result of a call, or all properties of its error."""
    try:
        return call()
    except (kmscore.KmsCoreError, TypeError) as error:
        return _Error(type(error), str(error), getattr(error, "code", None), error.__context__)


def _calls() -> Iterator[bytes]:
    for ring, number in itertools.product((0, 1, 4, 8, 12), range(0, len(_BLOBS), 7)):
        pairs = number // 5 % 3
        yield bytes([ring, number, number % 5, pairs, pairs, 0, 0, number & 8])
        yield bytes([ring, number, 0, pairs, 28, 0, 0, 0, 9, 0, 1, 0, 128])


HARNESSES = {"short-paths": Harness(check_short_paths, _calls, 80)}
