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
from strategies import (
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
    """AES-GCM by `cryptography`."""
    return AESGCM(material).encrypt(iv, plaintext, associated_data)


def sm4_gcm(material: bytes, iv: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
    """SM4-GCM by `cryptography`."""
    encryptor = Cipher(SM4(material), GCM(iv)).encryptor()
    encryptor.authenticate_additional_data(associated_data)
    return encryptor.update(plaintext) + encryptor.finalize() + encryptor.tag


def xaes_gcm(material: bytes, iv: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
    """XAES-256-GCM as C2SP defines it: CMAC in counter mode, label X, salt for context."""
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
def test_a_suite_is_the_cipher_of_its_name(
    suite: Suite, data: st.DataObject, plaintext: bytes, associated_data: bytes
) -> None:
    """Sealing agrees with an implementation of its own, and opening undoes it."""
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
def test_xaes_doubles_its_subkey_on_both_branches(first_bit: int) -> None:
    """K1 is right whether doubling the encrypted zero block carries or not."""
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
def test_every_flipped_bit_is_refused(suite: Suite, part: str) -> None:
    """No bit of IV, ciphertext, tag or associated data can change."""
    sealer = aead.sealer(suite, os.urandom(suite.key_length))
    arguments = {"IV": os.urandom(suite.iv_length), "associated data": b"header"}
    arguments["ciphertext and tag"] = sealer.seal(arguments["IV"], b"text", b"header")
    for flipped in single_bit_flips(arguments[part]):
        iv, associated_data, sealed = (arguments | {part: flipped}).values()
        with raises_exactly(InvalidTag):
            sealer.open(iv, sealed, associated_data)


@pytest.mark.parametrize("suite", Suite)
@pytest.mark.parametrize("change", [lambda s: s[1:], lambda s: s[:-1], lambda s: s + b"\x00"])
def test_another_length_is_refused(suite: Suite, change: Callable[[bytes], bytes]) -> None:
    """A tag is 16 bytes, and nothing is taken off or added."""
    sealer = aead.sealer(suite, os.urandom(suite.key_length))
    iv = bytes(suite.iv_length)
    with raises_exactly(InvalidTag):
        sealer.open(iv, change(sealer.seal(iv, b"text", b"")), b"")


@pytest.mark.parametrize("suite", Suite)
def test_another_key_is_refused(suite: Suite) -> None:
    """Only the same material opens."""
    iv = bytes(suite.iv_length)
    sealed = aead.sealer(suite, os.urandom(suite.key_length)).seal(iv, b"text", b"")
    with raises_exactly(InvalidTag):
        aead.sealer(suite, os.urandom(suite.key_length)).open(iv, sealed, b"")


@pytest.mark.parametrize("outcome", ["right tag", "wrong tag"])
def test_sm4_shows_no_plaintext_before_the_tag_is_verified(
    outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the cipher released early is returned after `finalize_with_tag`, or not at all."""
    steps: list[str] = []

    class Decryptor:
        """Stands in for the generic cipher, which hands out plaintext early."""

        def authenticate_additional_data(self, data: bytes) -> None:
            """Take the associated data."""
            steps.append(f"associated data {data!r}")

        def update(self, data: bytes) -> bytes:
            """Release what nobody has verified."""
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
    """Whatever a sealer keeps between calls, many threads at once get what one would."""
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


def test_xaes_keeps_no_more_encryptors_than_were_at_work_at_once() -> None:
    """One for one thread, however many messages, refused ones among them."""
    xaes = aead._XaesGcm(bytes(32))
    for number in range(20):
        iv = number.to_bytes(24, "big")
        assert xaes.open(iv, xaes.seal(iv, b"text", b""), b"") == b"text"
        with raises_exactly(InvalidTag):
            xaes.open(iv, bytes(16), b"")
    assert len(xaes._idle_encryptors) == 1


def test_xaes_never_shares_an_encryptor_at_work() -> None:
    """One that is in use is not in the list, and one that failed does not return to it."""
    xaes = aead._XaesGcm(bytes(32))

    class Failing:
        """An encryptor that fails, once it has seen that nobody else can take it."""

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
def test_a_build_without_sm4_says_so_and_does_the_rest(
    missing: Callable[[str], Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The missing cipher is reported when the key is made; no other suite is touched by it."""

    class WithoutSm4(Cipher[Any]):
        """`cryptography` as it is built without SM4."""

        def encryptor(self) -> Any:
            """Refuse SM4."""
            if isinstance(self.algorithm, SM4):
                raise missing("SM4 is not supported")
            return super().encryptor()

    monkeypatch.setattr(aead, "Cipher", WithoutSm4)
    # Another build is another process: what this one has found out is forgotten.
    monkeypatch.setattr(aead, "_check_suite", cache(aead._check_suite.__wrapped__))
    with pytest.raises(UnsupportedAlgorithmError, match="SM4_GCM is not available") as caught:
        SymmetricKey.generate(KeySpec.SM4)
    assert caught.value.__context__ is None
    for suite in set(Suite) - {Suite.SM4_GCM}:
        key = SymmetricKey.generate(SUITE_SPECS[suite], suite=suite)
        iv = bytes(suite.iv_length)
        assert key._open(iv, key._seal(iv, b"text", b""), b"") == b"text"


def test_an_error_of_another_kind_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a wrong tag becomes `DecryptionError`: a defect is never taken for one."""

    def broken(*_: object) -> Never:
        raise MemoryError

    methods = {"encrypt": broken, "decrypt": broken}
    symmetric_key(Suite.AES_128_GCM)  # the suite is known to be usable
    monkeypatch.setattr(aead, "AESGCM", lambda _: type("Stand", (), methods)())
    key = symmetric_key(Suite.AES_128_GCM)
    data = key.header + bytes(12 + 16)
    for keys in (Keyring([key]), Store(Keyring([key]))):
        with raises_exactly(MemoryError):
            kmscore.decrypt(keys, data)
