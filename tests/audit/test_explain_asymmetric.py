"""Each cause for which an asymmetric ciphertext does not decrypt is found, on random data."""

import base64
import hashlib
import os
from math import gcd

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256
from support.asymmetric_cases import (
    KEYS,
    OTHER_RSA,
    OTHER_SM2,
    PLAINTEXT,
    RSA,
    RSA_CAUSES,
    SHA_1,
    SHA_256,
    SM2,
    SM2_CAUSES,
    AsymmetricCause,
    encrypted,
    explained_asymmetric,
    oaep,
    sm2_encrypted,
)

from kmscore import Keyring, RsaKey, Sm2Key, hazmat, sm2
from kmscore.audit import Budget, Verdict, explain_asymmetric, trace_asymmetric_decrypt
from kmscore.audit.causes.rsa import is_number_of
from kmscore.audit.primitives import sm3
from kmscore.sm2.backends.portable import multiply
from kmscore.sm2.curve import G, encode_point
from kmscore.sm2.encodings import Sm2Encoding


@pytest.mark.parametrize("cause", RSA_CAUSES + SM2_CAUSES, ids=lambda cause: cause.code)
def test_a_cause_is_found(cause: AsymmetricCause) -> None:
    """The finding has the code and the verdict of the cause, and never the plaintext."""
    data = cause.data()
    explanation = explained_asymmetric(cause, data)
    assert explanation.stopped_by in {"decryption", "key_state"}
    found = [(finding.code, finding.verdict) for finding in explanation.findings]
    assert (cause.code, cause.verdict) in found, found
    assert explanation.opens == (cause.verdict is Verdict.OPENS)
    text = repr(explanation)
    for secret in (PLAINTEXT, PLAINTEXT[:12]):
        assert secret.decode() not in text
        assert secret.hex() not in text


@pytest.mark.parametrize("cause", SM2_CAUSES, ids=lambda cause: cause.code)
def test_a_repaired_sm2_ciphertext_decrypts(cause: AsymmetricCause) -> None:
    """The ciphertext of a finding is in C1C3C2, and decrypts."""
    for finding in explained_asymmetric(cause, cause.data()).findings:
        if "ciphertext" in finding.change:
            repaired = bytes.fromhex(str(finding.change["ciphertext"]))
            again = explain_asymmetric(KEYS, "branch", "1", "SM2PKE", repaired)
            assert again.stopped_by == "ok"
        else:
            assert not finding.code.startswith(("sm2.e", "sm2.z", "sm2.der"))


def test_pkcs1_is_a_hint_although_a_library_seems_to_decrypt_everything() -> None:
    """Implicit rejection returns bytes for an OAEP ciphertext; the search does not ask for them."""
    (finding,) = explained_asymmetric(RSA_CAUSES[0], oaep(SHA256(), SHA_1)).findings
    assert finding.code == "rsa.mgf1_hash"
    for _ in range(5):
        data = b"\x00" + os.urandom(255)
        explanation = explain_asymmetric(KEYS, "rsa", "1", SHA_256, data)
        assert explanation.findings == ()
        assert not explanation.opens


def test_random_sm2_ciphertexts_have_no_proof() -> None:
    """A wrong C3, which no byte of C2 mends, has no finding; other bytes have a hint at most."""
    wrong = bytearray(sm2_encrypted())
    wrong[70:97] = os.urandom(27)
    assert explain_asymmetric(KEYS, "branch", "1", "SM2PKE", wrong).findings == ()
    for _ in range(20):
        explanation = explain_asymmetric(KEYS, "branch", "1", "SM2PKE", os.urandom(140))
        assert {finding.verdict for finding in explanation.findings} <= {Verdict.SUGGESTS}


def test_a_search_is_bounded() -> None:
    """The budget limits private operations, paddings and bytes of C2."""
    random = b"\x00" + os.urandom(255)
    for trials in (1, 2, 20):
        budget = Budget(trials)
        explanation = explain_asymmetric(KEYS, "rsa", "1", SHA_256, random, budget=budget)
        assert explanation.exhausted
        assert sum(explanation.tried.values()) <= trials
    wrong = bytearray(sm2_encrypted(plaintext=bytes(500)))
    wrong[70:97] = hashlib.sha256(b"x").digest()[:27]
    for trials in (1, 60):
        budget = Budget(trials)
        explanation = explain_asymmetric(KEYS, "branch", "1", "SM2PKE", wrong, budget=budget)
        assert explanation.exhausted
    # A longer C2 is not searched for a damaged byte.
    long = bytearray(sm2_encrypted(plaintext=bytes(600)))
    long[-1] ^= 1
    full = explain_asymmetric(KEYS, "branch", "1", "SM2PKE", long)
    assert full.findings == ()
    assert "damage" not in full.tried


def test_a_ciphertext_that_decrypts_needs_no_search() -> None:
    """It makes no trial and has no finding, for both algorithms; an unknown one is a failure."""
    assert explain_asymmetric(KEYS, "rsa", "1", SHA_256, encrypted()).stopped_by == "ok"
    assert explain_asymmetric(KEYS, "branch", "1", "SM2PKE", sm2_encrypted()).tried == {}
    unknown = explain_asymmetric(KEYS, "branch", "1", "SM4PKE", sm2_encrypted())
    assert unknown.stopped_by == "unsupported_algorithm"


def test_a_key_stream_of_zeros_is_not_opened() -> None:
    """SPEC 7.5 step 6 rejects it, so that no reading of it decrypts."""
    # With the key of the example in GM/T 0003.5-2012 Annex C, the KDF for k = 470 begins with 00.
    example = Sm2Key.from_scalar(
        "example", "1", 0x3945208F_7B2144B1_3F36E38A_C6D39F95_88939369_2860B51A_42FB81EF_4DF7C5B8
    )
    point = encode_point(multiply(470, multiply(example._scalar, G)))
    x2, y2 = point[:32], point[32:]
    assert sm3(x2, y2, b"\0\0\0\1")[0] == 0
    c1 = multiply(470, G)
    parts = sm2.encodings.Sm2Ciphertext(c1, sm3(x2, b"A", y2), b"A")
    ciphertext = sm2.encodings.serialize(parts, Sm2Encoding.C1C3C2)
    keys = Keyring([example])
    explanation = explain_asymmetric(keys, "example", "1", "SM2PKE", ciphertext)
    assert (explanation.stopped_by, explanation.opens) == ("decryption", False)


def test_cut_sm2_ciphertexts_have_a_hint_at_most() -> None:
    """A point without C3 and C2 has no reading, and it is not off the curve."""
    for length in (1, 2, 5, 65, 75, 96):
        for encoding in ("C1C3C2", "ASN1_DER"):
            data = sm2_encrypted(encoding)[:length]
            explanation = explain_asymmetric(KEYS, "branch", "1", "SM2PKE", data)
            assert {finding.verdict for finding in explanation.findings} <= {Verdict.SUGGESTS}
    explanation = explain_asymmetric(KEYS, "branch", "1", "SM2PKE", sm2_encrypted()[:75])
    assert explanation.findings == ()


def test_a_key_of_another_kind_gives_no_hint_to_damage() -> None:
    """The check that failed is the usage of the key."""
    explanation = explain_asymmetric(KEYS, "rsa", "1", "SM2PKE", os.urandom(200))
    assert (explanation.stopped_by, explanation.findings) == ("key_usage", ())


def test_the_hint_to_pkcs1_names_the_form() -> None:
    """The form of the bytes and the key version are part of the fact."""
    data = base64.b64encode(OTHER_RSA._private_key.public_key().encrypt(PLAINTEXT, PKCS1v15()))
    (finding,) = explain_asymmetric(KEYS, "rsa", "1", SHA_256, data).findings
    words = "if it is decoded from Base64, and decrypted with version 2 of key rsa, has the form"
    assert words in finding.fact


def test_the_right_algorithm_is_named() -> None:
    """A ciphertext of the other algorithm of the service needs no new encryption."""
    (finding,) = explained_asymmetric(RSA_CAUSES[0], oaep(SHA_1, SHA_1)).findings
    assert finding.remedy == "name the algorithm RSAES_OAEP_SHA_1"
    assert finding.change["algorithm"] == "RSAES_OAEP_SHA_1"


def test_a_damaged_digest_is_located_and_never_shown() -> None:
    """The finding has the place in C3; no form has the right bytes."""
    good = sm2_encrypted()
    wrong = bytearray(good)
    for offset in range(70, 78):
        wrong[offset] ^= 0xFF
    explanation = explain_asymmetric(KEYS, "branch", "1", "SM2PKE", wrong)
    (finding,) = explanation.findings
    assert finding.change == {"offset_in_c3": 5, "length": 8}
    assert good[70:78].hex() not in repr(explanation)
    disabled = Keyring([Sm2Key("branch", "1", SM2._scalar, state="Disabled")])
    (finding,) = explain_asymmetric(disabled, "branch", "1", "SM2PKE", good.hex().encode()).findings
    assert finding.fact.endswith("and the key version is Enabled, not Disabled")


def test_an_unknown_algorithm_is_not_searched() -> None:
    """The explanation has the check that failed, and no finding."""
    explanation = explain_asymmetric(KEYS, "rsa", "1", "OAEP", encrypted())
    assert (explanation.stopped_by, explanation.findings) == ("unsupported_algorithm", ())
    assert explanation.check.startswith("failed check: the algorithm is one of")


def test_arguments_are_checked() -> None:
    """A wrong type is a mistake of the caller."""
    for arguments, message in (
        ((None, "a", "1", "SM2PKE", b""), "keys must be Keyring"),
        ((KEYS, "a", "1", "SM2PKE", "x"), "data must be bytes-like"),
        ((KEYS, 1, "1", "SM2PKE", b""), "key_id must be str"),
        ((KEYS, "a", "1", 1, b""), "algorithm must be str"),
    ):
        with pytest.raises(TypeError, match=message):
            explain_asymmetric(*arguments)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="labels must be bytes-like"):
        explain_asymmetric(KEYS, "rsa", "1", SHA_256, b"", labels=["x"])  # type: ignore[list-item]


def test_a_number_of_a_key_has_the_length_of_its_modulus() -> None:
    """A zero byte before it, or one byte less, makes it another text."""
    ciphertext = encrypted()
    assert is_number_of(RSA, ciphertext)
    assert not is_number_of(RSA, b"\x00" + ciphertext)
    assert not is_number_of(RSA, ciphertext[1:])
    modulus = RSA._private_key.private_numbers().public_numbers.n
    assert is_number_of(RSA, (modulus - 1).to_bytes(256, "big"))
    assert not is_number_of(RSA, modulus.to_bytes(256, "big"))


@pytest.mark.parametrize("length", [1, 2])
def test_a_short_sm2_ciphertext_without_a_zero_is_found(length: int) -> None:
    """The shortest ciphertext has one byte of C2."""
    ciphertext = hazmat.sm2_encrypt(SM2.public_key, bytes(range(length)), 327)
    assert ciphertext[1] == 0
    explanation = explain_asymmetric(KEYS, "branch", "1", "SM2PKE", ciphertext[:1] + ciphertext[2:])
    assert "sm2.zeros_lost" in {finding.code for finding in explanation.findings}


def test_the_named_key_version_is_tried_first() -> None:
    """One operation is enough, also if another version comes first in the keyring."""
    keys = Keyring([OTHER_RSA, OTHER_SM2, RSA, SM2])
    for version, key in (("1", SM2), ("2", OTHER_SM2)):
        data = sm2_encrypted("C1C3C2_BARE", key=key)
        explanation = explain_asymmetric(keys, "branch", version, "SM2PKE", data)
        assert explanation.tried == {"multiplication": 1}
    for version, rsa in (("1", RSA), ("2", OTHER_RSA)):
        data = b"\x00" + encrypted(rsa)
        explanation = explain_asymmetric(keys, "rsa", version, SHA_256, data)
        assert explanation.tried["private operation"] == 1


def test_one_hint_is_enough() -> None:
    """Two versions with one private key give the same hint."""
    keys = Keyring([RSA, RsaKey("rsa", "2", RSA._private_key)])
    data = RSA._private_key.public_key().encrypt(PLAINTEXT, PKCS1v15())
    (finding,) = explain_asymmetric(keys, "rsa", "1", SHA_256, data).findings
    assert finding.code == "rsa.pkcs1_v15"


def test_a_repaired_rsa_ciphertext_decrypts() -> None:
    """The change for programs has the ciphertext in the right form."""
    good = encrypted()
    for data in (b"\x00" + good, good.hex().encode(), good[::-1]):
        (finding,) = explain_asymmetric(KEYS, "rsa", "1", SHA_256, data).findings
        assert finding.change["ciphertext"] == good.hex()


def test_the_public_exponent_of_a_trace_is_short() -> None:
    """It has as many bytes as it needs, also if its highest bit is 1."""
    numbers = RSA._private_key.private_numbers()
    phi = (numbers.p - 1) * (numbers.q - 1)
    e = next(e for e in range(0x8001, 0x10000, 2) if gcd(e, phi) == 1)
    d = pow(e, -1, phi)
    private = RSAPrivateNumbers(
        *(numbers.p, numbers.q, d, d % (numbers.p - 1), d % (numbers.q - 1), numbers.iqmp),
        RSAPublicNumbers(e, numbers.public_numbers.n),
    ).private_key()
    keys = Keyring([RsaKey("rsa", "1", private)])
    data = encrypted(keys.primary("rsa"))  # type: ignore[arg-type]
    trace = trace_asymmetric_decrypt(keys, "rsa", "1", SHA_256, data)
    assert (trace.outcome, trace.values["e"].data) == ("ok", e.to_bytes(2, "big"))
