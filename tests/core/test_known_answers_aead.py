"""The five suites: encryption and decryption of published messages."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO

import pytest
from cryptography.exceptions import InvalidTag
from support.published_vectors import (
    CAVP_GCM_FILES,
    GcmCase,
    Outcome,
    cavp_gcm,
    outcome,
    rejection,
    wycheproof_gcm,
)
from support.transcribed_vectors import SM4_GCM_CASE, XAES_ACCUMULATED, XAES_CASES, AeadCase

from kmscore import Suite
from kmscore.aead import sealer

Count = Callable[[str, int], None]
Outcomes = dict[str, tuple[Outcome, Outcome | None]]
"""Results of opening and sealing by case, so that a failed assertion shows the case."""

AES_GCM = {16: Suite.AES_128_GCM, 24: Suite.AES_192_GCM, 32: Suite.AES_256_GCM}
REJECTED = rejection(InvalidTag())


def outcomes(cases: Iterable[GcmCase]) -> Outcomes:
    """Open every case, and seal it again if its tag is right."""
    found: Outcomes = {}
    for case in cases:
        gcm = sealer(AES_GCM[len(case.key)], case.key)
        opened = outcome(gcm.open, case.iv, case.sealed, case.associated_data)
        sealed = None
        if case.plaintext is not None:
            sealed = gcm.seal(case.iv, case.plaintext, case.associated_data)
        found[case.name] = opened, sealed
    return found


def due(cases: Iterable[GcmCase]) -> Outcomes:
    """Return the expected results: the published bytes, or the one error."""
    return {
        case.name: (REJECTED, None) if case.plaintext is None else (case.plaintext, case.sealed)
        for case in cases
    }


@pytest.mark.parametrize("name", CAVP_GCM_FILES)
def test_nist_cavp_gcm_opens_and_seals(name: str, count_known_answers: Count) -> None:
    """Every case with a 96-bit IV and a 128-bit tag gives its bytes; FAIL gives the one error."""
    cases = cavp_gcm(name)
    assert outcomes(cases) == due(cases)
    assert len(due(cases)) == len(cases) >= 375
    assert any(case.plaintext is None for case in cases) == name.startswith("gcmDecrypt")
    count_known_answers("NIST CAVP AES-GCM", len(cases))


@pytest.mark.parametrize(("key_bits", "least"), [(128, 67), (192, 64), (256, 66)])
def test_wycheproof_gcm_opens_and_seals(
    key_bits: int, least: int, count_known_answers: Count
) -> None:
    """Every case with a 96-bit IV gives its bytes; a changed tag gives the one error."""
    cases = wycheproof_gcm(key_bits)
    assert outcomes(cases) == due(cases)
    assert len(due(cases)) == len(cases) >= least
    assert any(case.plaintext is None for case in cases)
    count_known_answers("Wycheproof AES-GCM", len(cases))


def test_sm4_gcm_of_rfc_8998_opens_and_seals(count_known_answers: Count) -> None:
    """The example of RFC 8998 gives its bytes in both directions."""
    case = SM4_GCM_CASE
    sm4 = sealer(Suite.SM4_GCM, case.key)
    assert sm4.seal(case.iv, case.plaintext, case.associated_data) == case.sealed
    assert sm4.open(case.iv, case.sealed, case.associated_data) == case.plaintext
    count_known_answers("RFC 8998 SM4-GCM", 1)


def test_sm4_gcm_of_rfc_8998_is_rejected_with_a_byte_changed() -> None:
    """A changed byte of the published ciphertext or tag gives the one error and no plaintext."""
    case = SM4_GCM_CASE
    sm4 = sealer(Suite.SM4_GCM, case.key)
    for position, byte in enumerate(case.sealed):
        sealed = case.sealed[:position] + bytes([byte ^ 1]) + case.sealed[position + 1 :]
        opened = outcome(sm4.open, case.iv, sealed, case.associated_data)
        assert opened == REJECTED, position


@pytest.mark.parametrize("case", XAES_CASES, ids=lambda case: case.name)
def test_xaes_of_c2sp_opens_and_seals(case: AeadCase, count_known_answers: Count) -> None:
    """Both examples of the specification give their bytes in both directions."""
    xaes = sealer(Suite.XAES_256_GCM, case.key)
    assert xaes.seal(case.iv, case.plaintext, case.associated_data) == case.sealed
    assert xaes.open(case.iv, case.sealed, case.associated_data) == case.plaintext
    count_known_answers("C2SP XAES-256-GCM", 1)


@pytest.mark.parametrize("case", XAES_CASES, ids=lambda case: case.name)
def test_xaes_of_c2sp_derives_the_published_key(case: AeadCase) -> None:
    """With the salt of the example, XAES is AES-256-GCM under the published derived key."""
    salt, iv = case.iv[:12], case.iv[12:]
    xaes = sealer(Suite.XAES_256_GCM, case.key)
    derived = sealer(Suite.AES_256_GCM, case.derived_key)
    assert derived.seal(iv, case.plaintext, case.associated_data) == case.sealed
    for last in range(256):
        other_iv = iv[:-1] + bytes([last])
        sealed = derived.seal(other_iv, b"any message", b"any data")
        assert xaes.seal(salt + other_iv, b"any message", b"any data") == sealed
        assert xaes.open(salt + other_iv, sealed, b"any data") == b"any message"


def random_messages(number: int) -> Iterator[tuple[bytes, bytes, bytes, bytes]]:
    """Yield key, nonce, plaintext and associated data as the specification generates them."""
    longest = 32 + 24 + 2 * (1 + 255)
    stream = BytesIO(hashlib.shake_128().digest(number * longest))
    for _ in range(number):
        key, nonce = stream.read(32), stream.read(24)
        plaintext, associated_data = (stream.read(stream.read(1)[0]) for _ in range(2))
        yield key, nonce, plaintext, associated_data


@pytest.mark.parametrize(
    "number", [10_000, pytest.param(1_000_000, marks=pytest.mark.campaign)], ids=str
)
def test_xaes_gives_the_accumulated_hash_of_c2sp(number: int, count_known_answers: Count) -> None:
    """The ciphertexts of all generated messages have the published hash, and all of them open."""
    accumulated = hashlib.shake_128()
    for key, nonce, plaintext, associated_data in random_messages(number):
        xaes = sealer(Suite.XAES_256_GCM, key)
        sealed = xaes.seal(nonce, plaintext, associated_data)
        assert xaes.open(nonce, sealed, associated_data) == plaintext
        accumulated.update(sealed)
    assert accumulated.hexdigest(32) == XAES_ACCUMULATED[number]
    count_known_answers(f"C2SP XAES-256-GCM, hash of {number:,} messages", 1)
