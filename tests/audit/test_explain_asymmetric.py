"""Each cause for which an asymmetric ciphertext does not decrypt is found, on random data."""

import base64
import hashlib
import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.hashes import (
    SHA1,
    SHA224,
    SHA256,
    SHA384,
    SHA512,
    HashAlgorithm,
)

from kmscore import Keyring, KeySpec, RsaKey, Sm2Key, asymmetric_encrypt, hazmat, sm2
from kmscore.audit import Budget, Explanation, Verdict, explain_asymmetric
from kmscore.audit.causes.rsa import is_number_of
from kmscore.audit.primitives import sm3
from kmscore.sm2.backends.portable import multiply
from kmscore.sm2.curve import G, encode_point
from kmscore.sm2.encodings import Sm2Encoding, parse

PLAINTEXT = b"card 4711 0815, valid until 12/29"
RSA = RsaKey.generate(KeySpec.RSA_2048, key_id="rsa", key_version_id="1")
OTHER_RSA = RsaKey.generate(KeySpec.RSA_2048, key_id="rsa", key_version_id="2")
SM2 = Sm2Key.generate(key_id="branch", key_version_id="1")
OTHER_SM2 = Sm2Key.generate(key_id="branch", key_version_id="2")
KEYS = Keyring([RSA, OTHER_RSA, SM2, OTHER_SM2])
_SHA_256 = "RSAES_OAEP_SHA_256"
_SHA1 = SHA1()  # noqa: S303 (the service has it)


def _rsa(hash_algorithm: HashAlgorithm, mask: HashAlgorithm, label: bytes | None = None) -> bytes:
    padding = OAEP(mgf=MGF1(mask), algorithm=hash_algorithm, label=label)
    return RSA._private_key.public_key().encrypt(PLAINTEXT, padding)


def _good(key: RsaKey = RSA) -> bytes:
    return asymmetric_encrypt(key.public_key, _SHA_256, PLAINTEXT)


def _with_leading_zero() -> bytes:
    while (ciphertext := _good())[0]:
        pass
    return ciphertext


def _signature_like() -> bytes:
    """Return the number whose private power has the padding of a signature."""
    public = RSA._private_key.public_key().public_numbers()
    encoded = b"\x00\x01" + b"\xff" * 202 + b"\x00" + os.urandom(51)
    return pow(int.from_bytes(encoded, "big"), public.e, public.n).to_bytes(256, "big")


class Cause(NamedTuple):
    """A ciphertext, and the code of the finding."""

    code: str
    data: Callable[[], bytes]
    options: Mapping[str, Any] = {}
    verdict: Verdict = Verdict.OPENS


RSA_CAUSES = (
    Cause("rsa.mgf1_hash", lambda: _rsa(SHA256(), _SHA1)),
    Cause("rsa.mgf1_hash", lambda: _rsa(SHA512(), _SHA1)),
    Cause("rsa.hash", lambda: _rsa(_SHA1, _SHA1)),
    Cause("rsa.hash", lambda: _rsa(SHA384(), SHA384())),
    Cause("rsa.hash", lambda: _rsa(SHA224(), SHA224())),
    Cause("rsa.label", lambda: _rsa(SHA256(), SHA256(), b"orders"), {"labels": [b"x", b"orders"]}),
    Cause(
        "rsa.pkcs1_v15",
        lambda: RSA._private_key.public_key().encrypt(PLAINTEXT, PKCS1v15()),
        {},
        Verdict.SUGGESTS,
    ),
    Cause("rsa.signature", _signature_like, {}, Verdict.SUGGESTS),
    Cause("rsa.zeros_lost", lambda: _with_leading_zero().lstrip(b"\x00")),
    Cause("rsa.zeros_added", lambda: b"\x00" + _good()),
    Cause("rsa.byte_order", lambda: _good()[::-1]),
    Cause("key.other_key", lambda: _good(OTHER_RSA)),
    Cause("transport.base64", lambda: base64.b64encode(_good())),
    Cause("transport.hex", lambda: _good().hex().encode()),
    Cause("transport.tail", lambda: _good() + b"\n"),
    Cause(
        "key.state",
        _good,
        {"keys": Keyring([RsaKey("rsa", "1", RSA._private_key, state="Disabled")])},
    ),
)


def _sm2(encoding: str = "C1C3C2", plaintext: bytes = PLAINTEXT, key: Sm2Key = SM2) -> bytes:
    return sm2.convert(asymmetric_encrypt(key.public_key, "SM2PKE", plaintext), "C1C3C2", encoding)


def _short_coordinate(which: int) -> tuple[bytes, int]:
    """Return a ciphertext with a coordinate that begins with a zero byte, and its offset."""
    offset = 1 + 32 * which
    ciphertext = hazmat.sm2_encrypt(SM2.public_key, PLAINTEXT, (327, 107)[which])
    assert ciphertext[offset] == 0
    return ciphertext, offset


def _without_zero(which: int, *, bare: bool) -> bytes:
    ciphertext, offset = _short_coordinate(which)
    short = ciphertext[:offset] + ciphertext[offset + 1 :]
    return short[1:] if bare else short


def _lax(integers: Callable[[bytes], bytes]) -> bytes:
    """Return DER whose INTEGERs are changed."""
    parts = parse(_sm2(), Sm2Encoding.C1C3C2)
    point = encode_point(parts.c1)

    def element(tag: int, content: bytes) -> bytes:
        return bytes([tag, len(content)]) + content

    body = element(2, integers(point[:32])) + element(2, integers(point[32:]))
    body += element(4, parts.c3) + element(4, parts.c2)
    return b"\x30\x81" + bytes([len(body)]) + body


def _digest(order: Callable[[bytes, bytes, bytes], bytes]) -> bytes:
    """Return a ciphertext whose C3 is another digest."""
    parts = parse(_sm2(), Sm2Encoding.C1C3C2)
    point = encode_point(multiply(SM2._scalar, parts.c1))
    c3 = order(point[:32], PLAINTEXT, point[32:])
    return sm2.encodings.serialize(parts._replace(c3=c3), Sm2Encoding.C1C3C2)


def _flipped(offset: int) -> bytes:
    ciphertext = bytearray(_sm2())
    ciphertext[offset] ^= 0x21
    return bytes(ciphertext)


SM2_CAUSES = (
    *(Cause("sm2.encoding", lambda e=e: _sm2(e)) for e in ("C1C2C3", "C1C3C2_BARE", "C1C2C3_BARE")),
    Cause("sm2.der_lax", lambda: _sm2("ASN1_DER") + b"\x00\x00"),
    Cause("sm2.der_lax", lambda: _lax(lambda content: bytes(3) + content)),
    Cause("sm2.zeros_lost", lambda: _without_zero(0, bare=False)),
    Cause("sm2.zeros_lost", lambda: _without_zero(1, bare=True)),
    Cause("sm2.digest", lambda: _digest(lambda x, m, y: sm3(x, y, m))),
    Cause("sm2.digest", lambda: _digest(lambda *parts: sm3(parts[1]))),
    Cause("key.other_key", lambda: _sm2(key=OTHER_SM2)),
    Cause("transport.hex", lambda: _sm2().hex().encode()),
    Cause("transport.base64", lambda: base64.b64encode(_sm2("ASN1_DER"))),
    Cause("damage.c2", lambda: _flipped(100)),
    Cause("damage.c3", lambda: _flipped(70)),
    Cause("sm2.off_curve", lambda: _flipped(10), {}, Verdict.SUGGESTS),
    Cause(
        "key.state", _sm2, {"keys": Keyring([Sm2Key("branch", "1", SM2._scalar, state="Disabled")])}
    ),
    Cause(
        "transport.replaced", lambda: _sm2().decode("utf-8", "replace").encode(), {}, Verdict.LOST
    ),
)


def _explain(cause: Cause, data: bytes) -> Explanation:
    options = dict(cause.options)
    keys = options.pop("keys", KEYS)
    if cause in RSA_CAUSES:
        return explain_asymmetric(keys, "rsa", "1", _SHA_256, data, **options)
    return explain_asymmetric(keys, "branch", "1", "SM2PKE", data, **options)


@pytest.mark.parametrize("cause", RSA_CAUSES + SM2_CAUSES, ids=lambda cause: cause.code)
def test_a_cause_is_found(cause: Cause) -> None:
    """The finding has the code and the verdict of the cause, and never the plaintext."""
    data = cause.data()
    explanation = _explain(cause, data)
    assert explanation.stopped_by in {"decryption", "key_state"}
    found = [(finding.code, finding.verdict) for finding in explanation.findings]
    assert (cause.code, cause.verdict) in found, found
    assert explanation.opens == (cause.verdict is Verdict.OPENS)
    text = repr(explanation)
    for secret in (PLAINTEXT, PLAINTEXT[:12]):
        assert secret.decode() not in text
        assert secret.hex() not in text


@pytest.mark.parametrize("cause", SM2_CAUSES, ids=lambda cause: cause.code)
def test_a_repaired_sm2_ciphertext_decrypts(cause: Cause) -> None:
    """The ciphertext of a finding is in C1C3C2, and decrypts."""
    for finding in _explain(cause, cause.data()).findings:
        if "ciphertext" in finding.change:
            repaired = bytes.fromhex(str(finding.change["ciphertext"]))
            again = explain_asymmetric(KEYS, "branch", "1", "SM2PKE", repaired)
            assert again.stopped_by == "ok"
        else:
            assert not finding.code.startswith(("sm2.e", "sm2.z", "sm2.der"))


def test_pkcs1_is_a_hint_although_a_library_seems_to_decrypt_everything() -> None:
    """Implicit rejection returns bytes for an OAEP ciphertext; the search does not ask for them."""
    (finding,) = _explain(RSA_CAUSES[0], _rsa(SHA256(), _SHA1)).findings
    assert finding.code == "rsa.mgf1_hash"
    for _ in range(5):
        data = b"\x00" + os.urandom(255)
        explanation = explain_asymmetric(KEYS, "rsa", "1", _SHA_256, data)
        assert explanation.findings == ()
        assert not explanation.opens


def test_random_sm2_ciphertexts_have_no_proof() -> None:
    """A wrong C3, which no byte of C2 mends, has no finding; other bytes have a hint at most."""
    wrong = bytearray(_sm2())
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
        explanation = explain_asymmetric(KEYS, "rsa", "1", _SHA_256, random, budget=budget)
        assert explanation.exhausted
        assert sum(explanation.tried.values()) <= trials
    wrong = bytearray(_sm2(plaintext=bytes(500)))
    wrong[70:97] = hashlib.sha256(b"x").digest()[:27]
    for trials in (1, 60):
        budget = Budget(trials)
        explanation = explain_asymmetric(KEYS, "branch", "1", "SM2PKE", wrong, budget=budget)
        assert explanation.exhausted
    # A longer C2 is not searched for a damaged byte.
    long = bytearray(_sm2(plaintext=bytes(600)))
    long[-1] ^= 1
    full = explain_asymmetric(KEYS, "branch", "1", "SM2PKE", long)
    assert full.findings == ()
    assert "damage" not in full.tried


def test_a_ciphertext_that_decrypts_needs_no_search() -> None:
    """It makes no trial and has no finding, for both algorithms; an unknown one is a failure."""
    assert explain_asymmetric(KEYS, "rsa", "1", _SHA_256, _good()).stopped_by == "ok"
    assert explain_asymmetric(KEYS, "branch", "1", "SM2PKE", _sm2()).tried == {}
    unknown = explain_asymmetric(KEYS, "branch", "1", "SM4PKE", _sm2())
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
            data = _sm2(encoding)[:length]
            explanation = explain_asymmetric(KEYS, "branch", "1", "SM2PKE", data)
            assert {finding.verdict for finding in explanation.findings} <= {Verdict.SUGGESTS}
    explanation = explain_asymmetric(KEYS, "branch", "1", "SM2PKE", _sm2()[:75])
    assert explanation.findings == ()


def test_a_key_of_another_kind_gives_no_hint_to_damage() -> None:
    """The check that failed is the usage of the key."""
    explanation = explain_asymmetric(KEYS, "rsa", "1", "SM2PKE", os.urandom(200))
    assert (explanation.stopped_by, explanation.findings) == ("key_usage", ())


def test_the_hint_to_pkcs1_names_the_form() -> None:
    """The form of the bytes and the key version are part of the fact."""
    data = base64.b64encode(OTHER_RSA._private_key.public_key().encrypt(PLAINTEXT, PKCS1v15()))
    (finding,) = explain_asymmetric(KEYS, "rsa", "1", _SHA_256, data).findings
    words = "if it is decoded from Base64, and decrypted with version 2 of key rsa, has the form"
    assert words in finding.fact


def test_the_right_algorithm_is_named() -> None:
    """A ciphertext of the other algorithm of the service needs no new encryption."""
    (finding,) = _explain(RSA_CAUSES[0], _rsa(_SHA1, _SHA1)).findings
    assert finding.remedy == "name the algorithm RSAES_OAEP_SHA_1"
    assert finding.change["algorithm"] == "RSAES_OAEP_SHA_1"


def test_a_damaged_digest_is_located_and_never_shown() -> None:
    """The finding has the place in C3; no form has the right bytes."""
    good = _sm2()
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
    explanation = explain_asymmetric(KEYS, "rsa", "1", "OAEP", _good())
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
        explain_asymmetric(KEYS, "rsa", "1", _SHA_256, b"", labels=["x"])  # type: ignore[list-item]


def test_a_number_of_a_key_has_the_length_of_its_modulus() -> None:
    """A zero byte before it, or one byte less, makes it another text."""
    ciphertext = _good()
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
