"""The five suites as authenticated ciphers."""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any, Never

import pytest
from cryptography.exceptions import InternalError, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.ciphers.modes import ECB, GCM
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import (
    SUITE_SPECS,
    SUITES,
    Store,
    raises_exactly,
    single_bit_flips,
    symmetric_key,
)

import kmscore
from kmscore import Keyring, KeySpec, Suite, SymmetricKey, UnsupportedAlgorithmError, aead

BLOCK = st.binary(min_size=16, max_size=16)


def gcm(material: bytes, iv: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
    """Encrypt with AES-GCM of `cryptography`."""
    return AESGCM(material).encrypt(iv, plaintext, associated_data)


def sm4_gcm(material: bytes, iv: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
    """Encrypt with SM4-GCM of `cryptography`."""
    encryptor = Cipher(SM4(material), GCM(iv)).encryptor()
    encryptor.authenticate_additional_data(associated_data)
    return encryptor.update(plaintext) + encryptor.finalize() + encryptor.tag


def xaes_gcm(material: bytes, iv: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
    """Encrypt with XAES-256-GCM as C2SP defines it: CMAC in counter mode with the label X."""
    derived = b""
    for counter in (b"\x00\x01", b"\x00\x02"):
        cmac = CMAC(AES(material))
        cmac.update(counter + b"X\x00" + iv[:12])
        derived += cmac.finalize()
    return gcm(derived, iv[12:], plaintext, associated_data)


PEERS: dict[Suite, Callable[[bytes, bytes, bytes, bytes], bytes]] = {
    Suite.AES_256_GCM: gcm,
    Suite.AES_192_GCM: gcm,
    Suite.AES_128_GCM: gcm,
    Suite.SM4_GCM: sm4_gcm,
    Suite.XAES_256_GCM: xaes_gcm,
}


@given(SUITES, st.data(), st.binary(max_size=70), st.binary(max_size=70))
def test_a_suite_agrees_with_an_independent_implementation(
    suite: Suite, data: st.DataObject, plaintext: bytes, associated_data: bytes
) -> None:
    """Sealing agrees with an independent implementation, and opening returns the plaintext."""
    material, iv = (
        data.draw(st.binary(min_size=length, max_size=length))
        for length in (suite.key_length, suite.iv_length)
    )
    sealer = aead.sealer(suite, material)
    sealed = sealer.seal(iv, plaintext, associated_data)
    assert sealed == PEERS[suite](material, iv, plaintext, associated_data)
    assert len(sealed) == len(plaintext) + 16
    assert sealer.open(iv, sealed, associated_data) == plaintext


@pytest.mark.parametrize("first_bit", [0, 1])
def test_xaes_derives_k1_with_and_without_carry(first_bit: int) -> None:
    """K1 is right if the doubling of the encrypted zero block has a carry, and if it has none."""
    material = next(
        material
        for material in (number.to_bytes(32, "big") for number in range(1_000))
        if Cipher(AES(material), ECB()).encryptor().update(bytes(16))[0] >> 7 == first_bit  # noqa: S305 (the CMAC of one block)
    )
    iv = bytes(range(24))
    assert aead.sealer(Suite.XAES_256_GCM, material).seal(iv, b"text", b"data") == xaes_gcm(
        material, iv, b"text", b"data"
    )


@pytest.mark.parametrize("suite", Suite)
@pytest.mark.parametrize("part", ["IV", "ciphertext and tag", "associated data"])
def test_every_flipped_bit_is_rejected(suite: Suite, part: str) -> None:
    """A flipped bit in IV, ciphertext, tag or associated data is rejected."""
    sealer = aead.sealer(suite, os.urandom(suite.key_length))
    arguments = {"IV": os.urandom(suite.iv_length), "associated data": b"header"}
    arguments["ciphertext and tag"] = sealer.seal(arguments["IV"], b"text", b"header")
    for flipped in single_bit_flips(arguments[part]):
        iv, associated_data, sealed = (arguments | {part: flipped}).values()
        with raises_exactly(InvalidTag):
            sealer.open(iv, sealed, associated_data)


@pytest.mark.parametrize("suite", Suite)
@pytest.mark.parametrize(
    "change",
    [lambda s: s[1:], lambda s: s[:-1], lambda s: s + b"\x00"],
    ids=["first byte missing", "last byte missing", "a byte more"],
)
def test_another_length_is_rejected(suite: Suite, change: Callable[[bytes], bytes]) -> None:
    """A ciphertext that is shortened or extended is rejected, because a tag has 16 bytes."""
    sealer = aead.sealer(suite, os.urandom(suite.key_length))
    iv = bytes(suite.iv_length)
    with raises_exactly(InvalidTag):
        sealer.open(iv, change(sealer.seal(iv, b"text", b"")), b"")


@pytest.mark.parametrize("suite", Suite)
def test_another_key_is_rejected(suite: Suite) -> None:
    """A ciphertext does not open with another key."""
    iv = bytes(suite.iv_length)
    sealed = aead.sealer(suite, os.urandom(suite.key_length)).seal(iv, b"text", b"")
    with raises_exactly(InvalidTag):
        aead.sealer(suite, os.urandom(suite.key_length)).open(iv, sealed, b"")


@pytest.mark.parametrize("outcome", ["right tag", "wrong tag"])
def test_sm4_returns_no_plaintext_before_the_tag_is_verified(
    outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plaintext of SM4 is returned only after `finalize_with_tag` succeeds."""
    steps: list[str] = []

    class Decryptor:
        """Replacement for the decryptor of `cryptography`, which returns unverified plaintext."""

        def authenticate_additional_data(self, data: bytes) -> None:
            """Take the associated data."""
            steps.append(f"associated data {data!r}")

        def update(self, data: bytes) -> bytes:
            """Return unverified plaintext."""
            steps.append(f"update {data!r}")
            return b"EARLY"

        def finalize_with_tag(self, tag: bytes) -> bytes:
            """Verify."""
            steps.append(f"finalize {tag!r}")
            if outcome == "wrong tag":
                raise InvalidTag
            return b"!"

    sealer = aead.sealer(Suite.SM4_GCM, bytes(16))
    stand_in: Any = type("Stand", (), {"decryptor": lambda _: Decryptor()})
    monkeypatch.setattr(aead, "Cipher", lambda *_: stand_in())
    if outcome == "right tag":
        assert sealer.open(bytes(12), b"sealed" + b"t" * 16, b"header") == b"EARLY!"
    else:
        with raises_exactly(InvalidTag):
            sealer.open(bytes(12), b"sealed" + b"t" * 16, b"header")
    assert steps == ["associated data b'header'", "update b'sealed'", f"finalize {b't' * 16!r}"]


@pytest.mark.parametrize("suite", Suite)
def test_threads_share_a_sealer(suite: Suite) -> None:
    """The results are right if many threads use one cipher object at the same time."""
    material = os.urandom(suite.key_length)
    sealer = aead.sealer(suite, material)

    def work(number: int) -> None:
        iv = number.to_bytes(suite.iv_length, "little")
        sealed = sealer.seal(iv, b"text", b"data")
        assert sealed == PEERS[suite](material, iv, b"text", b"data")
        assert sealer.open(iv, sealed, b"data") == b"text"

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(1, 500)))
    finally:
        sys.setswitchinterval(interval)


def test_xaes_keeps_one_encryptor_for_one_thread() -> None:
    """One thread needs one encryptor for any number of messages, also if some are rejected."""
    xaes = aead._XaesGcm(bytes(32))
    for number in range(20):
        iv = number.to_bytes(24, "big")
        assert xaes.open(iv, xaes.seal(iv, b"text", b""), b"") == b"text"
        with raises_exactly(InvalidTag):
            xaes.open(iv, bytes(16), b"")
    assert len(xaes._idle_encryptors) == 1


def test_xaes_never_shares_an_encryptor_in_use() -> None:
    """An encryptor in use is not in the list, and a failed one does not return to it."""
    xaes = aead._XaesGcm(bytes(32))

    class Failing:
        """An encryptor that checks that the list of idle ones is empty, and then fails."""

        def update(self, _: bytes) -> Never:
            """Fail."""
            assert xaes._idle_encryptors == []
            raise MemoryError

    xaes._idle_encryptors.append(Failing())  # type: ignore[arg-type]
    with raises_exactly(MemoryError):
        xaes.seal(bytes(24), b"text", b"")
    assert xaes._idle_encryptors == []
    assert xaes.open(bytes(24), xaes.seal(bytes(24), b"text", b""), b"") == b"text"


@pytest.mark.parametrize("missing", [UnsupportedAlgorithm, partial(InternalError, err_code=[])])
def test_without_sm4_the_other_suites_work(
    missing: Callable[[str], Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing cipher is reported when the key is made, and the other suites work."""

    class WithoutSm4(Cipher[Any]):
        """The `Cipher` of a build of `cryptography` without SM4."""

        def encryptor(self) -> Any:
            """Reject SM4."""
            if isinstance(self.algorithm, SM4):
                raise missing("SM4 is not supported")
            return super().encryptor()

    monkeypatch.setattr(aead, "Cipher", WithoutSm4)
    # In a new process, nothing is known yet about the build; clear the stored results.
    monkeypatch.setattr(aead, "_check_suite", cache(aead._check_suite.__wrapped__))
    with pytest.raises(UnsupportedAlgorithmError, match="SM4_GCM is not available") as caught:
        SymmetricKey.generate(KeySpec.SM4)
    assert caught.value.__context__ is None
    for suite in set(Suite) - {Suite.SM4_GCM}:
        key = SymmetricKey.generate(SUITE_SPECS[suite], suite=suite)
        iv = bytes(suite.iv_length)
        assert key._open(iv, key._seal(iv, b"text", b""), b"") == b"text"


def test_another_exception_propagates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a wrong tag becomes `DecryptionError`; other exceptions propagate unchanged."""

    def broken(*_: object) -> Never:
        raise MemoryError

    methods = {"encrypt": broken, "decrypt": broken}
    symmetric_key(Suite.AES_128_GCM)  # the check of the suite is done before the replacement
    monkeypatch.setattr(aead, "AESGCM", lambda _: type("Stand", (), methods)())
    key = symmetric_key(Suite.AES_128_GCM)
    data = key.header + bytes(12 + 16)
    for keys in (Keyring([key]), Store(Keyring([key]))):
        with raises_exactly(MemoryError):
            kmscore.decrypt(keys, data)
