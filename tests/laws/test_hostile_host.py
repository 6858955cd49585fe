"""Guarantees that hold in a careless host: exit handlers, subclasses, error reporters."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import flip_last_bit, raises_exactly, symmetric_key

import kmscore
from kmscore import (
    CiphertextBlob,
    DecryptionError,
    IncorrectKeyError,
    InvalidKeyError,
    Key,
    KeyNotFoundError,
    Keyring,
    KeyStateError,
    KeyVersionNotFoundError,
    KmsCoreError,
    PlaintextSizeError,
    RsaKey,
    Sm2Key,
    Suite,
    UnsupportedAlgorithmError,
    _typecheck,
)
from kmscore.context import EncryptionContext
from kmscore.sm2 import backends, convert

_AT_EXIT = """
import atexit, kmscore
from kmscore import Keyring, Sm2Key
def late():
    opened = kmscore.asymmetric_decrypt(ring, "k", "1", "SM2PKE", ciphertext)
    print(opened.plaintext.decode())
atexit.register(late)
key = Sm2Key.generate(key_id="k", key_version_id="1")
ring = Keyring([key])
ciphertext = kmscore.asymmetric_encrypt(key.public_key, "SM2PKE", b"still open")
"""


def test_a_key_is_usable_in_an_exit_handler() -> None:
    """A key can be used in the exit handler that was registered first, which runs last."""
    result = subprocess.run(
        [sys.executable, "-P", "-c", _AT_EXIT],
        capture_output=True,
        check=False,
        env=os.environ
        | {"MALLOC_PERTURB_": "165"},  # freed memory is overwritten, so that its use is noticed
    )
    assert (result.returncode, result.stdout.decode().strip()) == (0, "still open"), result.stderr


def _frames(error: BaseException) -> str:
    """Return the text of all local variables in an error's traceback."""
    shown = []
    trace = error.__traceback__
    while trace:
        if "kmscore" in trace.tb_frame.f_globals.get("__name__", ""):
            shown.append(repr(trace.tb_frame.f_locals))
        trace = trace.tb_next
    return "".join(shown)


@pytest.mark.parametrize("suite", Suite)
def test_unverified_plaintext_is_in_no_traceback(suite: Suite) -> None:
    """A traceback has no unverified plaintext, because reporters print local variables."""
    keys = Keyring([symmetric_key(suite)])
    blob = kmscore.encrypt(keys, symmetric_key(suite).key_id, b"top secret text").ciphertext_blob
    with pytest.raises(DecryptionError) as caught:
        kmscore.decrypt(keys, flip_last_bit(blob))
    assert "blob" in _frames(caught.value), "the frames were looked at"
    assert "secret" not in _frames(caught.value)


def test_a_plaintext_in_the_wrong_place_is_not_quoted(rsa_key: RsaKey) -> None:
    """If the arguments are in the wrong order, the error does not contain the plaintext."""
    swapped: Any = b"top secret plaintext"
    algorithm: Any = b"SM2PKE"
    calls = (
        lambda: kmscore.asymmetric_encrypt(rsa_key.public_key, swapped, algorithm),
        lambda: kmscore.asymmetric_encrypt(rsa_key.public_key, "top secret plaintext", algorithm),
        lambda: kmscore.asymmetric_encrypt(rsa_key.public_key, "top secret plaintext", b""),
    )
    for call in calls:
        with pytest.raises((TypeError, UnsupportedAlgorithmError)) as caught:
            call()
        assert caught.value.__context__ is None


class _Lying(bytes):
    """Bytes that report a length of one, and convert to other bytes."""

    __slots__ = ()

    def __len__(self) -> int:
        return 1

    def __bytes__(self) -> bytes:
        return b"something else"


def test_a_bytes_subclass_is_read_by_its_buffer() -> None:
    """A `bytes` subclass is measured and read by its buffer, not by its methods."""
    keys = Keyring([symmetric_key(Suite.AES_256_GCM)])
    key_id = symmetric_key(Suite.AES_256_GCM).key_id
    with raises_exactly(PlaintextSizeError):
        kmscore.encrypt(keys, key_id, _Lying(6145))
    blob = kmscore.encrypt(keys, key_id, _Lying(b"as it is")).ciphertext_blob
    assert kmscore.decrypt(keys, _Lying(blob)).plaintext == b"as it is"


class _Counted(type):
    """The type of a replacement for `memoryview` that counts the views."""

    made = 0

    def __call__(cls, value: Any) -> memoryview:
        cls.made += 1
        return memoryview(value)

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, memoryview)


def _too_long_and_fitting() -> Iterator[Any]:
    """Yield calls that measure and copy a `bytearray`, of a valid length or too long."""
    keys = Keyring([symmetric_key(Suite.AES_256_GCM), Sm2Key.generate(key_id="s")])
    sm2 = next(key for key in keys if isinstance(key, Sm2Key))
    key_id = symmetric_key(Suite.AES_256_GCM).key_id
    blob = bytearray(kmscore.encrypt(keys, key_id, b"text").ciphertext_blob)
    bare = bytearray(kmscore.asymmetric_encrypt(sm2.public_key, "SM2PKE", b"text"))
    ids = ("s", sm2.key_version_id, "SM2PKE")
    calls: tuple[tuple[str, Callable[[bytearray], Any], bytearray, int], ...] = (
        ("encrypt", lambda data: kmscore.encrypt(keys, key_id, data), bytearray(4), 6145),
        ("parse", CiphertextBlob.parse, blob, 6702),
        ("decrypt", lambda data: kmscore.decrypt(keys, data), blob, 6702),
        ("convert", lambda data: convert(data, "C1C3C2", "C1C2C3"), bare, 6145),
        (
            "asymmetric_decrypt",
            lambda data: kmscore.asymmetric_decrypt(keys, *ids, data),
            bare,
            6160,
        ),
    )
    for name, call, fitting, too_long in calls:
        yield pytest.param(call, fitting, id=f"{name} what fits")
        yield pytest.param(call, bytearray(too_long), id=f"{name} what is too long")


@pytest.mark.parametrize(("call", "data"), list(_too_long_and_fitting()))
def test_a_value_is_measured_and_copied_in_one_view(
    call: Callable[[bytearray], Any], data: bytearray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An argument gets one view, because a second view could be longer than the measured one."""
    view = _Counted("view", (), {})
    monkeypatch.setattr(_typecheck, "memoryview", view, raising=False)
    with suppress(KmsCoreError):
        call(data)
    assert view.made == 1


@pytest.mark.skipif(sys.version_info < (3, 12), reason="__buffer__ came with Python 3.12 (PEP 688)")
def test_a_value_that_grows_between_two_views_is_not_encrypted() -> None:
    """A value is measured as it is copied, so that a longer second view is not encrypted."""

    class Growing(bytes):
        views = 0

        def __buffer__(self, _flags: int) -> memoryview:
            Growing.views += 1
            return memoryview(bytes(4 if Growing.views == 1 else 1_000_000))

    keys = Keyring([symmetric_key(Suite.AES_256_GCM)])
    key_id = symmetric_key(Suite.AES_256_GCM).key_id
    blob = kmscore.encrypt(keys, key_id, Growing()).ciphertext_blob
    assert len(kmscore.decrypt(keys, blob).plaintext) == 4


@pytest.mark.parametrize("name", ["encrypt", "decrypt", "parse", "convert"])
def test_a_released_memoryview_is_a_type_error(name: str) -> None:
    """A released `memoryview` is not a bytes-like object."""
    view: Any = memoryview(b"text")
    view.release()
    keys = Keyring([symmetric_key(Suite.AES_256_GCM)])
    calls = {
        "encrypt": lambda: kmscore.encrypt(keys, "k", view),
        "decrypt": lambda: kmscore.decrypt(keys, view),
        "parse": lambda: CiphertextBlob.parse(view),
        "convert": lambda: kmscore.sm2.convert(view, "C1C3C2", "C1C2C3"),
    }
    with raises_exactly(TypeError, "released"):
        calls[name]()


class _Falsy(dict[str, str]):
    """A mapping that is false although it is not empty."""

    def __bool__(self) -> bool:
        return False


def test_a_false_mapping_is_bound_with_its_pairs() -> None:
    """A context that counts as false is bound with its pairs."""
    assert EncryptionContext(_Falsy(a="1")).canonical == EncryptionContext({"a": "1"}).canonical
    first, last = (
        kmscore.SymmetricKey("k", name, kmscore.KeySpec.SM4, bytes(16)) for name in ("1", "2")
    )
    assert Keyring([first, last], primary=_Falsy(k="1")).primary("k") is first


class _Equal(str):
    """Text that is equal to everything."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash(str(self))


def test_an_id_that_equals_everything_is_rejected() -> None:
    """A provider cannot return another key whose IDs are equal to every text."""
    key = kmscore.SymmetricKey(_Equal("other"), _Equal("9"), kmscore.KeySpec.SM4, bytes(16))
    assert type(key.key_id) is type(key.key_version_id) is str

    class Provider:
        def primary(self, key_id: str) -> Key:
            del key_id
            return key

        def version(self, key_id: str, key_version_id: str) -> Key:
            del key_id, key_version_id
            return key

    with raises_exactly(IncorrectKeyError):
        kmscore.encrypt(Provider(), "k", b"")
    with raises_exactly(TypeError, "key_id must be str, not _Equal"):
        CiphertextBlob(Suite.SM4_GCM, _Equal("k"), "v", bytes(12), b"", bytes(16))


class _Other(str):
    """Text that encodes as other text, and ignores case when it is compared."""

    __slots__ = ()

    def encode(self, *_: object, **__: object) -> bytes:
        return b"\x00 another"

    def __eq__(self, other: object) -> bool:
        return str(self).lower() == str(other).lower()

    def __hash__(self) -> int:
        return hash(str(self).lower())


def test_a_header_has_the_checked_text_of_ids() -> None:
    """The header has the checked text of an ID, even if the ID's `encode` returns other bytes."""
    key = kmscore.SymmetricKey(_Other("k"), _Other("v"), kmscore.KeySpec.SM4, bytes(16))
    blob = kmscore.encrypt(Keyring([key]), "k", b"").ciphertext_blob
    assert CiphertextBlob.parse(blob).key_id == "k"


def test_an_id_with_its_own_comparison_is_looked_up_as_plain_text() -> None:
    """The keyring looks up the plain text of an ID, even if the ID compares in its own way."""
    keys = Keyring([kmscore.SymmetricKey("k", "v", kmscore.KeySpec.SM4, bytes(16))])
    blob = kmscore.encrypt(keys, "k", b"").ciphertext_blob
    with raises_exactly(KeyNotFoundError):
        kmscore.encrypt(keys, _Other("K"), b"")
    with raises_exactly(KeyNotFoundError):
        kmscore.reencrypt(keys, blob, _Other("K"))
    with raises_exactly(KeyNotFoundError):
        Keyring(keys, primary={_Other("K"): "v"})
    with raises_exactly(KeyVersionNotFoundError):
        Keyring(keys, primary={"k": _Other("V")})


class _EqualToAll:
    """An object that is equal to everything and is not text."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


def test_a_source_id_that_is_equal_to_everything_is_a_type_error() -> None:
    """The short path compares an ID only if it is text."""
    keys = Keyring([kmscore.SymmetricKey("k", "v", kmscore.KeySpec.SM4, bytes(16))])
    blob = kmscore.encrypt(keys, "k", b"").ciphertext_blob
    for name in ("source_key_id", "source_key_version_id"):
        given: dict[str, Any] = {name: _EqualToAll()}
        with raises_exactly(TypeError, f"{name} must be str"):
            kmscore.reencrypt(keys, blob, "k", **given)


def test_the_state_of_a_key_subclass_is_read_at_each_use() -> None:
    """The state of a key subclass is read at each use, because a subclass can change it."""

    class Revocable(kmscore.SymmetricKey):  # type: ignore[misc]
        revoked = False

        def __getattribute__(self, name: str) -> Any:
            if name == "state" and Revocable.revoked:
                return kmscore.KeyState.DISABLED
            return super().__getattribute__(name)

    keys = Keyring([Revocable("k", "v", kmscore.KeySpec.SM4, bytes(16))])
    blob = kmscore.encrypt(keys, "k", b"").ciphertext_blob
    Revocable.revoked = True
    for call in (
        lambda: kmscore.encrypt(keys, "k", b""),
        lambda: kmscore.decrypt(keys, blob),
        lambda: kmscore.reencrypt(keys, blob, "k"),
    ):
        with raises_exactly(KeyStateError):
            call()


def test_a_keyring_subclass_with_its_own_version_is_called() -> None:
    """Every operation calls an overridden `version`; the short path is for `Keyring` only."""
    key = symmetric_key(Suite.AES_256_GCM)

    class Failing(Keyring):  # type: ignore[misc]
        def version(self, key_id: str, key_version_id: str) -> Key:
            raise KeyVersionNotFoundError(f"{key_id} {key_version_id} is not for you")

    blob = kmscore.encrypt(Keyring([key]), key.key_id, b"text").ciphertext_blob
    with raises_exactly(KeyVersionNotFoundError):
        kmscore.decrypt(Failing([key]), blob)


@pytest.mark.parametrize("error", [ValueError("no native library"), ImportError("broken")])
def test_another_package_named_gmssl_is_ignored(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If another package named `gmssl` fails on import, the other backends are usable."""

    class Foreign(ModuleType):
        def __getattr__(self, name: str) -> Any:
            raise error

    backends._load.cache_clear()
    monkeypatch.setitem(sys.modules, "gmssl", Foreign("gmssl"))
    monkeypatch.setitem(sys.modules, "gmssl.sm2", Foreign("gmssl.sm2"))
    try:
        assert "gmssl" not in kmscore.sm2.available_backends()
        assert "portable" in kmscore.sm2.available_backends()
    finally:
        backends._load.cache_clear()


# --- key files that cost much work ---


def test_a_huge_modulus_is_rejected_within_a_second() -> None:
    """The length is rejected before a check of the primes, which takes seconds to minutes."""
    p, q = 2**4253 - 1, 2**4423 - 1
    d = pow(65537, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(65537, p * q)
    )
    key = numbers.private_key(unsafe_skip_rsa_key_validation=True)
    start = time.process_time()
    for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
        with raises_exactly(InvalidKeyError, "modulus of 8676 bits"):
            RsaKey.from_der("k", "v", key.private_bytes(Encoding.DER, form, NoEncryption()))
    assert time.process_time() - start < 1


def test_an_encrypted_rsa_file_opens(rsa_key: RsaKey) -> None:
    """The best encryption of `cryptography` is read, and a wrong password is rejected."""
    data = rsa_key._private_key.private_bytes(
        Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
    )
    opened = RsaKey.from_der("k", "v", data, password=b"password")
    assert opened.public_key == rsa_key.public_key
    with raises_exactly(InvalidKeyError):
        RsaKey.from_der("k", "v", data, password=b"passwore")


# A key made for this test, encrypted with two iterations; it is not secret.
_ENCRYPTED_SM2 = bytes.fromhex(
    "3081eb305606092a864886f70d01050d3049302806092a864886f70d01050c301b040878b46e30f662e0db02"
    "0102300c06082a864886f70d02090500301d060960864801650304012a0410044c204c18592165fb0974d7c6"
    "a9c27604819073b67201a89adf995c1edf0443665e7b64ec3ac266730cd771f91f50d971e923571685914e7c"
    "2fd9c597d163ab2de3880ed992c529f91d7444b73daf2befb914b6599719b92c1a8c21e798ccb4a232b883a0"
    "4ad24240a2f23b01aab4b55e94d0ad677bf583d861c7ea84efe14867ec033cac2ef0bc706803d6117acc448b"
    "63a362d1e125c9622b88d6f2899e9ec57cab"
)
_ENCRYPTED_LENGTH = 144  # the encrypted bytes at the end; the bytes before them are public


@given(st.integers(0, _ENCRYPTED_LENGTH - 1), st.integers(1, 255))
def test_a_damaged_encrypted_key_gives_one_message(back: int, change: int) -> None:
    """Bad padding, bad DER, a bad scalar and a bad point under a password have the same message."""
    changed = bytearray(_ENCRYPTED_SM2)
    changed[-1 - back] ^= change
    with pytest.raises(InvalidKeyError) as caught:
        Sm2Key.from_der("k", "v", bytes(changed), password=b"password", backend="portable")
    assert str(caught.value) == "the key cannot be decrypted with this password"


def test_every_last_byte_of_the_padding_gives_one_message() -> None:
    """The one guess of 255 that gives valid padding has the same message as the others."""
    texts = set()
    for guess in range(1, 256):
        changed = bytearray(_ENCRYPTED_SM2)
        changed[-17] ^= guess
        with pytest.raises(InvalidKeyError) as caught:
            Sm2Key.from_der("k", "v", bytes(changed), password=b"password", backend="portable")
        texts.add(str(caught.value))
    assert len(texts) == 1
