"""A sealed keyring commits to its passphrase: a file can test one passphrase, not several."""

import functools
import hmac
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from support.key_collision import colliding
from support.keyfile_writer import (
    ASSOCIATED,
    CHEAP,
    COMMITMENT,
    HEADER,
    IV,
    PASSPHRASE,
    SALT,
    SEALED,
    content,
    entry,
    remembered,
    version,
    write,
)
from support.strategies import raises_exactly, single_bit_flips

from kmscore import DecryptionError, InvalidKeyError, Keyring, KmsCoreError
from kmscore.keyfile import open_keyring
from kmscore.keyfile.content import decode_keyring

PASSPHRASES = (PASSPHRASE, b"123456", b"password", b"qwerty")
NAMES = (b"version-001", b"version-002", b"version-003", b"version-004")
# The IDs have lengths at which the material fills whole blocks, every second one.
INSIDE = content(
    entry(3, *(version(name, b"16 bytes of it..", suite=3) for name in NAMES), key_id=b"id")
)
FREE = (2, 4, 6, 8)


@pytest.fixture(autouse=True)
def _remember_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the KDF once for the same passphrase and header."""
    monkeypatch.setattr("kmscore.keyfile.sealing.derive_key", remembered)


@functools.cache
def honest() -> bytes:
    """Return a sealed keyring."""
    return write(INSIDE).data


@functools.cache
def collision(victim: int | None) -> bytes:
    """Return a file whose tag is right under all passphrases, with the commitment of one."""
    header, iv = honest()[HEADER], bytes(12)
    derived = [remembered(passphrase, honest()[SALT], CHEAP) for passphrase in PASSPHRASES]
    commitment = bytes(32)
    if victim is not None:
        commitment = hmac.digest(derived[victim][32:], header, "sha256")
    front = header + commitment
    return front + iv + colliding([k[:32] for k in derived], iv, front, INSIDE, FREE)


def answers(data: bytes) -> list[type]:
    """Return the result for a file under each passphrase: the class of the error, or `Keyring`."""
    found: list[type] = []
    for passphrase in PASSPHRASES:
        try:
            found.append(type(open_keyring(data, passphrase)))
        except KmsCoreError as error:
            found.append(type(error))
    return found


@pytest.fixture
def no_cipher(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the test fail if the cipher is used."""
    monkeypatch.setattr(
        "kmscore.keyfile.sealing.AESGCM", lambda _: pytest.fail("the cipher was used")
    )


@pytest.mark.parametrize("victim", [None, 0, 3])
def test_the_cipher_alone_accepts_a_file_under_every_passphrase(victim: int | None) -> None:
    """Without the commitment the attack works: one ciphertext with a right tag under four keys."""
    data = collision(victim)
    opened = []
    for passphrase in PASSPHRASES:
        key = remembered(passphrase, data[SALT], CHEAP)[:32]
        opened.append(AESGCM(key).decrypt(data[IV], data[SEALED], data[ASSOCIATED]))
    assert len(set(opened)) == len(PASSPHRASES)
    assert len(decode_keyring(opened[0])) == len(NAMES)


@pytest.mark.parametrize(
    ("victim", "answer"), [(None, DecryptionError), (0, Keyring), (3, InvalidKeyError)]
)
def test_a_file_tests_one_passphrase_at_most(victim: int | None, answer: type) -> None:
    """Under every other passphrase than that of the commitment, the result is the one error."""
    expected = [answer if index == victim else DecryptionError for index in range(4)]
    assert answers(collision(victim)) == expected


def test_without_the_commitment_a_file_tests_all_passphrases(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the comparison, the results under different passphrases differ."""
    monkeypatch.setattr(hmac, "compare_digest", lambda *_: True)
    assert answers(collision(None)) == [Keyring, *[InvalidKeyError] * 3]


@pytest.mark.usefixtures("no_cipher")
def test_the_cipher_is_not_used_with_a_wrong_commitment() -> None:
    """With any bit of the commitment changed, or another passphrase, the cipher is not used."""
    data = honest()
    for changed in single_bit_flips(data[COMMITMENT]):
        with raises_exactly(DecryptionError):
            open_keyring(data[HEADER] + changed + data[60:], PASSPHRASE)
    with raises_exactly(DecryptionError):
        open_keyring(data, b"wrong")
    with pytest.raises(pytest.fail.Exception, match="the cipher was used"):
        open_keyring(data, PASSPHRASE)


@pytest.mark.parametrize("verdict", [True, False])
def test_the_commitment_is_compared_in_constant_time(
    verdict: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only `hmac.compare_digest` decides, with all 32 bytes."""
    data, compared = honest(), []

    def recorded(left: bytes, right: bytes) -> bool:
        compared.append({left, right})
        return verdict

    monkeypatch.setattr(hmac, "compare_digest", recorded)
    if verdict:
        assert len(open_keyring(data, PASSPHRASE)) == len(NAMES)
    else:
        with raises_exactly(DecryptionError):
            open_keyring(data, PASSPHRASE)
    wrong = data[HEADER] + bytes(32) + data[60:]
    with raises_exactly(DecryptionError):  # from the tag, which covers the commitment
        open_keyring(wrong, PASSPHRASE)
    assert compared == [{data[COMMITMENT]}, {data[COMMITMENT], bytes(32)}]


def _flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("change", "passphrase"),
    [
        (lambda data: data, b"wrong"),
        (lambda data: _flip(data, COMMITMENT.start), PASSPHRASE),
        (lambda data: _flip(data, -1 % len(data)), PASSPHRASE),
        (lambda data: _flip(data, SEALED.start), PASSPHRASE),
        (lambda data: _flip(data, IV.start), PASSPHRASE),
    ],
    ids=["passphrase", "commitment", "tag", "ciphertext", "IV"],
)
@pytest.mark.parametrize("inside", [INSIDE, INSIDE + b"!"], ids=["keyring", "other content"])
def test_a_wrong_commitment_and_a_wrong_tag_give_one_error(
    change: Callable[[bytes], bytes], passphrase: bytes, inside: bytes
) -> None:
    """Class, message and all other properties are the same, for every content."""
    data = change(write(inside, salt=honest()[SALT]).data)
    with pytest.raises(DecryptionError) as caught:
        open_keyring(data, passphrase)
    error = caught.value
    assert (type(error), str(error)) == (DecryptionError, str(DecryptionError()))
    assert error.args == ()
    assert error.__dict__ == {}
    assert error.__cause__ is error.__context__ is None


def test_another_error_follows_a_right_tag_only() -> None:
    """A wrong content is reported only if the passphrase is right."""
    with raises_exactly(InvalidKeyError, "the content of the sealed keyring"):
        open_keyring(write(INSIDE + b"!", salt=honest()[SALT]).data, PASSPHRASE)


def test_the_tag_covers_header_and_commitment() -> None:
    """A right commitment with a tag that does not cover it is rejected."""
    data = write(INSIDE, salt=honest()[SALT]).data
    aes = AESGCM(remembered(PASSPHRASE, data[SALT], CHEAP)[:32])
    for associated in (b"", data[HEADER], data[COMMITMENT], data[COMMITMENT] + data[HEADER]):
        sealed = aes.encrypt(data[IV], INSIDE, associated)
        with raises_exactly(DecryptionError):
            open_keyring(data[:72] + sealed, PASSPHRASE)
    sealed = aes.encrypt(data[IV], INSIDE, data[ASSOCIATED])
    assert len(open_keyring(data[:72] + sealed, PASSPHRASE)) == len(NAMES)
