"""Private keys: no secret in texts and errors, two ways to export, and no changes."""

import base64
import copy
import dataclasses
import json
import logging
import operator
import pickle
import pprint
import reprlib
import traceback
import weakref
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from support.hostile_keys import encrypted, pem
from support.strategies import flip_last_bit, raises_exactly

from kmscore import (
    Keyring,
    KeySpec,
    KmsCoreError,
    PublicKey,
    RsaKey,
    Sm2Key,
    Suite,
    SymmetricKey,
)

AnyKey: TypeAlias = SymmetricKey | RsaKey | Sm2Key
KINDS = (*(suite.name for suite in Suite), "RSA", "SM2")
SPECS = {
    "AES_256_GCM": KeySpec.AES_256,
    "AES_192_GCM": KeySpec.AES_192,
    "AES_128_GCM": KeySpec.AES_128,
    "SM4_GCM": KeySpec.SM4,
    "XAES_256_GCM": KeySpec.AES_256,
}
PASSWORD = b"Zq8vW3xKpL0tRm5yHc"


@pytest.fixture(scope="module", params=KINDS)
def key(request: pytest.FixtureRequest, rsa_key: RsaKey, sm2_key: Sm2Key) -> AnyKey:
    """Run the test on a key of every suite, an RSA key and an SM2 key."""
    if request.param == "RSA":
        return rsa_key
    if request.param == "SM2":
        return sm2_key
    return SymmetricKey.generate(SPECS[request.param], suite=Suite[request.param])


def rsa_private(key: RsaKey) -> RSAPrivateKey:
    """Return an RSA key as an object of `cryptography`."""
    private = load_pem_private_key(key.private_pem(), None)
    assert isinstance(private, RSAPrivateKey)
    return private


def material(key: AnyKey) -> list[bytes]:
    """Return every secret number or byte string of a key."""
    if isinstance(key, SymmetricKey):
        return [key.export_material()]
    if isinstance(key, Sm2Key):
        return [key._scalar.to_bytes(32, "big")]
    numbers = rsa_private(key).private_numbers()
    secret = (numbers.d, numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
    return [number.to_bytes(256, "big").lstrip(b"\0") for number in secret]


def windows(text: str, length: int) -> Iterator[str]:
    """Yield every substring of `length` characters."""
    return (text[start : start + length] for start in range(len(text) - length + 1))


def spellings(secret: bytes) -> Iterator[str]:
    """Yield the texts in which a secret, or eight bytes of it, can be written."""
    for start in range(0, len(secret) - 7, 4):
        part = secret[start : start + 8]
        yield from (part.hex(), part.hex(":"), repr(part)[2:-1], str(list(part))[1:-1])
        yield from (str(int.from_bytes(part, "big")), str(int.from_bytes(part, "little")))
    yield str(int.from_bytes(secret, "big"))
    for shift in range(3):
        # For any prefix, one of these three offsets gives the Base64 groups of the secret.
        yield from windows(base64.b64encode(secret[shift:]).decode()[:-4], 12)


def assert_secret(shown: str, secrets: list[bytes]) -> None:
    """Fail if the text contains a part of a secret."""
    for secret in secrets:
        for spelling in spellings(secret):
            assert spelling not in shown
            assert spelling.upper() not in shown


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and all its causes and contexts, suppressed or not."""
    if error is not None:
        yield error
        yield from chain(error.__cause__)
        yield from chain(error.__context__)


def everything(error: BaseException) -> str:
    """Return all the text that an error reporter can print about an error."""
    parts = ["".join(traceback.format_exception(error))]
    for each in chain(error):
        parts += [str(each), repr(each), repr(each.args), repr(vars(each))]
        parts += traceback.format_exception(each)
    return "\n".join(parts)


@dataclasses.dataclass
class Holder:
    """A record of a service that contains a key."""

    key: Any


def test_the_search_finds_a_secret_in_a_text(key: AnyKey) -> None:
    """`assert_secret` fails for a secret in any usual notation, so the other tests can fail."""
    for secret in material(key):
        number = int.from_bytes(secret, "big")
        padded = base64.b64encode(b"x" + secret).decode()
        for shown in (repr(secret), secret.hex(), hex(number), str(number), padded, [*secret]):
            with pytest.raises(AssertionError):
                assert_secret(f"before {shown} after", [secret])


def test_the_text_of_a_key_has_no_secret(key: AnyKey) -> None:
    """Every conversion of a key, or of a container of it, to text shows no secret."""
    record = logging.LogRecord("test", logging.INFO, "", 0, "%s %r", (key, key), None)
    shown = [f"{key} {key!r} {key!a}", record.getMessage(), reprlib.repr(key), pprint.pformat(key)]
    shown += [repr([key]), repr({key: key}), repr(Holder(key)), repr(Keyring([key]))]
    shown += [repr(dir(key)), repr(dir(Keyring([key])))]
    assert key.key_id in shown[0]
    assert_secret("\n".join(shown), material(key))


def test_public_attributes_have_no_secret(key: AnyKey) -> None:
    """Among the public attributes, only `export_material` and `private_pem` return secrets."""
    public = {name: getattr(key, name) for name in dir(key) if not name.startswith("_")}
    methods = {name for name, value in public.items() if callable(value)}
    makers = {"generate", "from_pem", "from_der", "from_scalar"}
    door = "export_material" if isinstance(key, SymmetricKey) else "private_pem"
    assert methods - makers == {door}
    shown = [repr(value) for name, value in public.items() if name not in methods]
    if not isinstance(key, SymmetricKey):
        shown += [key.public_key.to_pem().decode(), key.public_key.to_der().hex()]
        shown += [repr(pickle.dumps(key.public_key))]
    assert_secret("\n".join(shown), material(key))


# --- errors ---


def load_damaged(key: AnyKey) -> Iterator[Callable[[], object]]:
    """Yield calls that fail on a file with the key's own material."""
    if isinstance(key, SymmetricKey):
        raw = key.export_material()
        other = Suite.SM4_GCM if key.spec is not KeySpec.SM4 else Suite.AES_128_GCM
        wrong: Any = raw
        yield lambda: SymmetricKey("k", "v", key.spec, raw[1:])
        yield lambda: SymmetricKey("k", "v", key.spec, raw * 2)
        yield lambda: SymmetricKey("", "v", key.spec, raw)
        yield lambda: SymmetricKey("k", "v", "AES", raw)
        yield lambda: SymmetricKey("k", "v", KeySpec.RSA_2048, raw)
        yield lambda: SymmetricKey("k", "v", key.spec, raw, suite=other)
        yield lambda: SymmetricKey("k", "v", key.spec, raw, state="on")
        yield lambda: SymmetricKey("k", "v", key.spec, wrong.hex())
        yield lambda: SymmetricKey("k", "v", key.spec, list(wrong))  # type: ignore[arg-type]
        yield lambda: SymmetricKey("k", wrong, key.spec, raw)
        yield lambda: SymmetricKey("k", "v", wrong, key.spec)  # type: ignore[arg-type]
        yield lambda: SymmetricKey(wrong.hex() + " ", "v", key.spec, raw)
        yield lambda: SymmetricKey("k", "v", key.spec, raw, state=wrong.hex())
        return
    kind: type[RsaKey | Sm2Key] = type(key)
    text = key.private_pem().decode()
    der = base64.b64decode("".join(text.splitlines()[1:-1]))
    for changed in (
        text[:-40],
        text[:200] + "*" + text[200:],
        text.replace("-----BEGIN PRIVATE KEY-----", ""),
        text.replace("-----END PRIVATE KEY-----", ""),
        text.replace("PRIVATE KEY", "CERTIFICATE"),
        text.replace("-----\n", "\n", 1),
        text.replace("PRIVATE KEY-----\n", "", 1),
        text.replace("PRIVATE", "ENCRYPTED PRIVATE"),
        text.replace("PRIVATE", "EC PRIVATE"),
        text.replace("-", "_"),
        text[text.index("\n") :],
        text.replace("-----\n", "-----\n\u00e9", 1),
    ):
        yield lambda changed=changed: kind.from_pem("k", "v", changed)
    yield lambda: kind.from_pem("k", "v", text, password=PASSWORD)
    yield lambda: kind.from_pem("", "v", text)
    yield lambda: kind.from_pem("k", "v", text, state="on")
    yield lambda: kind.from_pem("k", "v", list(text))  # type: ignore[arg-type]
    yield lambda: kind.from_pem(text, "k", "v")
    yield lambda: kind.from_pem("k", text, "v")
    yield lambda: kind.from_pem("k", "v", text, state=text)
    for changed_der in (der[:-1], der[1:], der + b"\0", der[:60] + b"\0" + der[60:], der[27:]):
        yield lambda changed=changed_der: kind.from_der("k", "v", changed)
    yield lambda: kind.from_der("k", "v", der, password=PASSWORD)
    if isinstance(key, Sm2Key):
        scalar = key._scalar
        yield lambda: Sm2Key.from_scalar("k", "v", scalar << 8)
        yield lambda: Sm2Key.from_scalar("k", "v", -scalar)
        yield lambda: Sm2Key.from_scalar("k", "v", str(scalar))  # type: ignore[arg-type]
        yield lambda: Sm2Key.from_scalar("k", "v", scalar, backend="no")
        yield lambda: Sm2Key.from_scalar("k", "v", scalar, backend=hex(scalar))
        yield lambda: Sm2Key.from_scalar(scalar, "v", 5)  # type: ignore[arg-type]
        yield lambda: Sm2Key("k", "v", scalar, public_point=(scalar, scalar))  # type: ignore[arg-type]
    else:
        encrypted = rsa_private(key).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSWORD)
        )
        yield lambda: RsaKey.from_pem("k", "v", encrypted)
        yield lambda: RsaKey.from_pem("k", "v", encrypted, password=PASSWORD[:-1])
        pkcs1 = rsa_private(key).private_bytes(
            Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()
        )
        prime = rsa_private(key).private_numbers().p.to_bytes(128, "big")
        yield lambda: RsaKey.from_der("k", "v", pkcs1.replace(prime, flip_last_bit(prime)))


def test_no_error_shows_the_contents_of_the_file(key: AnyKey) -> None:
    """Messages, arguments, causes, contexts and tracebacks contain no secret and no password."""
    secrets = [*material(key), PASSWORD]
    numbers = 0
    for call in load_damaged(key):
        with pytest.raises((KmsCoreError, TypeError)) as caught:
            call()
        assert_secret(everything(caught.value), secrets)
        numbers += 1
    assert numbers >= 11


def load_encrypted(key: AnyKey) -> Iterator[Callable[[], object]]:
    """Yield calls that fail while they hold a password, a decrypted file or a key."""
    if isinstance(key, SymmetricKey):
        return
    kind: Any = type(key)
    der = base64.b64decode(b"".join(key.private_pem().splitlines()[1:-1]))
    good = encrypted(der, password=PASSWORD, iterations=2)
    options: dict[str, Any]
    for options in (
        {"password": PASSWORD.decode()},
        {"password": PASSWORD[:-1]},
        {"password": PASSWORD, "state": "on"},
        {"password": PASSWORD, "state": 5},
        {"password": PASSWORD, "key_id": "a b"},
        {"password": PASSWORD, "key_version_id": ""},
        {"password": PASSWORD, "max_work": 1},
        {"password": PASSWORD, "max_work": 0},
        {"password": PASSWORD, "max_work": "1"},
        *([{"password": PASSWORD, "backend": "no"}] if kind is Sm2Key else []),
    ):
        ids = {"key_id": "k", "key_version_id": "v"}
        yield lambda options=ids | options: kind.from_der(data=good, **options)
        text = pem(good, "ENCRYPTED PRIVATE KEY")
        yield lambda options=ids | options, text=text: kind.from_pem(data=text, **options)
    for content in (der[:-1], der + b"\0", der[:60] + b"\0" + der[60:], der[1:], der[:-1] + b"A"):
        data = encrypted(content, password=PASSWORD)
        yield lambda data=data: kind.from_der("k", "v", data, password=PASSWORD)
    other: Any = RsaKey if kind is Sm2Key else Sm2Key
    yield lambda: other.from_der("k", "v", good, password=PASSWORD)
    yield lambda: other.from_pem("k", "v", key.private_pem())
    yield lambda: PublicKey.from_pem(key.private_pem())
    yield lambda: PublicKey.from_der(der)
    yield lambda: kind.from_pem("k", "v", key.private_pem(), state="on")
    yield lambda: kind.from_der("k", "v", der, key_id="again")
    yield lambda: kind.from_pem("k", "v", key.private_pem() * 2)


def values(value: object, depth: int = 4) -> Iterator[str]:
    """Yield the texts that a reporter can show of a variable and of its contents."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        yield repr(bytes(value))
    elif isinstance(value, (str, int)):
        yield repr(value)
    elif depth:
        parts = [*value.values()] if isinstance(value, dict) else []
        parts += value if isinstance(value, (tuple, list)) else []
        names = [name for kind in type(value).__mro__ for name in vars(kind).get("__slots__", ())]
        parts += [getattr(value, name, None) for name in names if name != "__weakref__"]
        parts += vars(value).values() if hasattr(value, "__dict__") else []
        for part in parts:
            yield from values(part, depth - 1)


def variables(error: BaseException) -> str:
    """Return the variables of this library's frames in the traceback of an error."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    own = [frame for frame in frames if frame.f_globals["__name__"].startswith("kmscore")]
    assert len(own) == len(frames) - 2 > 0
    return "\n".join(shown for frame in own for shown in values(dict(frame.f_locals)))


def test_the_search_finds_a_secret_in_a_variable(key: AnyKey) -> None:
    """`variables` contains every secret of a variable, so the next test can fail."""
    for secret in material(key):
        number = int.from_bytes(secret, "big")
        for held in (secret, bytearray(secret), number, [{"a": (number,)}], Holder(secret)):
            with pytest.raises(AssertionError):
                assert_secret("\n".join(values({"name": held})), [secret])


def test_no_frame_of_an_error_holds_a_secret(key: AnyKey) -> None:
    """No frame of an error has the password, the file or the key, because reporters show them."""
    secrets = [*material(key), PASSWORD]
    numbers = 0
    for call in (*load_damaged(key), *load_encrypted(key)):
        try:
            call()
        except (KmsCoreError, TypeError, ValueError) as error:
            assert error.__context__ is None  # noqa: PT017 (its traceback is needed)
            if len([*traceback.walk_tb(error.__traceback__)]) > 2:
                assert_secret(variables(error), secrets)
                numbers += 1
        else:
            pytest.fail("the call did not fail")
    assert numbers >= 11


def test_an_error_of_a_keyring_shows_no_material(key: AnyKey) -> None:
    """An error about a repeated or an unknown version contains IDs and no material."""
    ring = Keyring([key])
    raw: Any = material(key)
    calls: tuple[Callable[[], object], ...] = (
        lambda: Keyring(raw),
        lambda: Keyring([key, key]),
        lambda: ring.with_version(key),
        lambda: ring.primary("other"),
        lambda: ring.version(key.key_id, "other"),
        lambda: setattr(key, "state", "Disabled"),
        lambda: delattr(key, "state"),
    )
    for call in calls:
        with pytest.raises((KmsCoreError, AttributeError, TypeError)) as caught:
            call()
        assert_secret(everything(caught.value), material(key))


# --- export ---

WAYS_OUT: dict[str, Callable[[Any], object]] = {
    **{
        f"pickle {protocol}": lambda key, protocol=protocol: pickle.dumps(key, protocol)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "deepcopy of a list": lambda key: copy.deepcopy([key]),
    "asdict of a holder": lambda key: dataclasses.asdict(Holder(key)),
    "astuple of a holder": lambda key: dataclasses.astuple(Holder(key)),
    "pickle of a holder": lambda key: pickle.dumps(Holder(key)),
    "__reduce_ex__": lambda key: key.__reduce_ex__(4),
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_a_key_is_not_copied_or_serialised(key: AnyKey, way: str) -> None:
    """Copying and serialising raise a `TypeError` with the class and the reason."""
    with raises_exactly(TypeError, f"{type(key).__name__} holds key material"):
        WAYS_OUT[way](key)


@pytest.mark.parametrize(
    "way",
    [
        *(vars, dataclasses.asdict, json.dumps, dict, list, bytes, iter, len, int, memoryview),
        operator.methodcaller("__reduce__"),
        operator.methodcaller("__getstate__"),
        pytest.param(lambda key: key + key, id="addition"),
    ],
)
def test_a_key_is_not_converted_to_another_type(key: AnyKey, way: Callable[[Any], object]) -> None:
    """A key is not a dataclass, mapping, sequence, buffer or number, and returns no state."""
    with pytest.raises(TypeError) as caught:
        way(key)
    assert_secret(everything(caught.value), material(key))


def test_a_keyring_is_not_copied_or_serialised(key: AnyKey) -> None:
    """Copying and serialising a keyring raise a `TypeError` that names `Keyring`."""
    ring = Keyring([key])
    for way in (pickle.dumps, copy.copy, copy.deepcopy, lambda ring: ring.__getstate__()):
        with raises_exactly(TypeError, "Keyring holds key material"):
            way(ring)


def test_material_in_the_wrong_place_is_not_quoted() -> None:
    """If material and spec are exchanged by mistake, the error does not contain the material."""
    raw = bytes(range(32))
    wrong: Any = raw
    with pytest.raises(TypeError) as caught:
        SymmetricKey("k", "v", wrong, wrong)
    assert caught.value.__context__ is None
    assert_secret(everything(caught.value), [raw])


def test_the_two_export_functions_return_the_material(key: AnyKey) -> None:
    """`export_material` and `private_pem` return the whole key."""
    if isinstance(key, SymmetricKey):
        assert len(key.export_material()) == key.suite.key_length
        assert not hasattr(key, "private_pem")
    else:
        again = type(key).from_pem("k", "v", key.private_pem())
        assert material(again) == material(key)
        assert not hasattr(key, "export_material")


# --- values ---


def test_a_key_is_immutable(key: AnyKey) -> None:
    """No attribute, public or private, can be set, added or deleted."""
    names = [name for cls in type(key).__mro__ for name in getattr(cls, "__slots__", ())]
    assert {"key_id", "key_version_id", "spec", "state"} < set(names)
    for name in (*names, "new", "__class__", "__dict__"):
        before = getattr(key, name, None)
        with raises_exactly(AttributeError, f"{type(key).__name__} is immutable"):
            setattr(key, name, "changed")
        with raises_exactly(AttributeError, f"{type(key).__name__} is immutable"):
            delattr(key, name)
        assert getattr(key, name, None) is before


def test_keys_are_compared_by_identity(key: AnyKey) -> None:
    """A key equals only itself, because a comparison of material takes time that depends on it."""
    if isinstance(key, SymmetricKey):
        raw = key.export_material()
        same: AnyKey = SymmetricKey(
            key.key_id, key.key_version_id, key.spec, raw, suite=key.suite, state=key.state
        )
    else:
        same = type(key).from_pem(key.key_id, key.key_version_id, key.private_pem())
    assert key == key  # noqa: PLR0124 (the comparison is the test)
    assert key != same
    assert len({key, same, key}) == 2
    assert key not in {material(key)[0]: None}
    assert {key: 1}[key] == 1


def test_a_key_can_be_kept_by_weak_reference(key: AnyKey) -> None:
    """A weak reference to a key works, so that a cache does not keep the key alive."""
    assert weakref.ref(key)() is key
