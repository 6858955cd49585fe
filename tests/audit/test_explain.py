"""Each cause for which a ciphertext blob does not decrypt is found, on random data."""

import base64
import os
import random
import time
from collections.abc import Mapping
from typing import Any

import pytest
from support.explanation_cases import (
    ALL,
    BODY,
    CONTEXT,
    CONTEXTS,
    HEADER,
    HEADER_OF_1,
    KEYS,
    NEW,
    OLD,
    PLAINTEXT,
    SERVICE,
    VERSION,
    Cause,
    damaged,
    explained,
    key_named,
    of_service,
    rebound,
    renamed,
    sealed,
    sealed_with,
    with_pairs,
)

from kmscore import (
    CiphertextBlob,
    DecryptionError,
    EncryptionContext,
    Keyring,
    KeySpec,
    Suite,
    SymmetricKey,
    alibaba,
    encrypt,
)
from kmscore.alibaba import ContextBinding, Payload, Profile
from kmscore.audit import Budget, Explanation, Verdict, explain, render
from kmscore.audit.causes import damage
from kmscore.audit.explanation import Exhausted, Ledger


@pytest.mark.parametrize("cause", ALL, ids=lambda cause: cause.code)
def test_a_cause_is_found(cause: Cause) -> None:
    """The finding has the code and the verdict of the cause."""
    explanation = explained(cause, cause.data())
    assert explanation.stopped_by != "ok"
    assert explanation.check.startswith("failed check: ")
    found = [(finding.code, finding.verdict) for finding in explanation.findings]
    assert (cause.code, cause.verdict) in found, found
    assert explanation.opens == (cause.verdict is Verdict.OPENS)
    assert not explanation.exhausted
    for finding in explanation.findings:
        assert finding.fact
        assert finding.reading
        assert finding.evidence
        assert (finding.verdict is Verdict.OPENS) == finding.fact.startswith("it decrypts if ")


@pytest.mark.parametrize("cause", CONTEXTS, ids=lambda cause: cause.code)
def test_a_found_context_decrypts(cause: Cause) -> None:
    """The context of the finding is the one that decrypts."""
    data = cause.data()
    (finding,) = explained(cause, data).findings
    if "context" in finding.change:
        context: Any = finding.change["context"]
        assert explain(KEYS, data, context).stopped_by == "ok"
    else:
        assert finding.code.startswith("rule.")


def test_a_ciphertext_that_decrypts_needs_no_search() -> None:
    """It makes no trial and has no finding."""
    explanation = explain(KEYS, sealed(CONTEXT), CONTEXT)
    assert explanation == Explanation("ok", "", (), {}, exhausted=False)
    assert explanation.opens


def test_a_disabled_key_version_is_part_of_every_fact() -> None:
    """If the key of a finding is disabled, the fact and the advice say so."""
    off = Keyring([rebound(NEW, NEW.export_material(), state="Disabled")])
    for data in (
        base64.b64encode(sealed(CONTEXT)),
        sealed(with_pairs(tenant="acne")),
        damaged(3, 1),
    ):
        (finding,) = explain(off, data, CONTEXT).findings
        assert finding.fact.endswith(", and the key version is Enabled, not Disabled")
        assert finding.remedy.startswith("enable the key version; ")


def test_a_context_whose_keys_differ_is_named_completely() -> None:
    """The fact has the pairs that are there, and the keys that are not."""
    (finding,) = explain(KEYS, sealed({"ab": "cde"}), {"abc": "de"}).findings
    assert finding.fact == (
        'it decrypts if in the context, there is a key "ab" with the value "cde"'
        ' and there is no key "abc"'
    )


def test_damage_under_another_context_names_that_context() -> None:
    """The fact and the change have the context that is a condition too."""
    blob = bytearray(sealed({}, os.urandom(100)))
    blob[BODY + 5] ^= 3
    (finding,) = explain(KEYS, blob, CONTEXT).findings
    assert finding.fact.startswith("it decrypts if the context is empty, and offset")
    assert finding.change == {"context": {}, "offset": BODY + 5, "xor": "03"}
    (finding,) = explain(KEYS, blob[:-3], CONTEXT, other_contexts=[{}]).findings or (None,)
    assert finding is None or finding.verdict is not Verdict.OPENS
    cut = sealed({})[:-2]
    (finding,) = explain(KEYS, cut, CONTEXT).findings
    assert finding.fact.endswith("tag are right, if the context is empty")
    (finding,) = explain(
        KEYS, sealed({"a": "b"})[:-1], CONTEXT, other_contexts=[{"a": "b"}]
    ).findings
    assert finding.change == {"context": {"a": "b"}, "missing": 1}


_DISABLED = "the key version is Enabled, not Disabled"
_REBOUND = "the key version is bound to AES_256_GCM, not XAES_256_GCM"
_PAYLOAD = "the payload is raw, not Base64"
_HEX_FORM = "it is decoded from hexadecimal"


def test_another_rule_of_the_service_than_the_named_one_is_named() -> None:
    """A blob under another rule for contexts is not taken for one with another payload."""
    other = Profile(context_binding=ContextBinding.HEXADECIMAL_DIGEST)
    blob = alibaba.encrypt(
        *(KEYS, "service", PLAINTEXT, CONTEXT), profile=other, allow_ambiguous=True
    ).ciphertext_blob
    (finding,) = explain(KEYS, blob, CONTEXT, profile=Profile.ALIBABA).findings
    assert finding.code == "layout.service"
    assert "(hexadecimal_digest, code_point)" in finding.fact


@pytest.mark.parametrize(
    ("payload", "context", "is_hexadecimal", "suite", "state", "fact"),
    [
        (Payload.BASE64, CONTEXT, True, "AES_256_GCM", "Enabled", _HEX_FORM),
        (Payload.BASE64, CONTEXT, False, "AES_256_GCM", "Disabled", _DISABLED),
        (Payload.BASE64, CONTEXT, False, "XAES_256_GCM", "Enabled", _REBOUND),
        (Payload.RAW, CONTEXT, False, "AES_256_GCM", "Enabled", _PAYLOAD),
        (Payload.BASE64, {}, False, "AES_256_GCM", "Enabled", "the context is empty"),
        (Payload.RAW, {}, False, "AES_256_GCM", "Enabled", f"the context is empty, and {_PAYLOAD}"),
        (
            *(Payload.RAW, CONTEXT, True, "XAES_256_GCM", "Disabled"),
            f"{_HEX_FORM} and {_PAYLOAD}, and {_REBOUND}, and {_DISABLED}",
        ),
        (
            *(Payload.BASE64, CONTEXT, False, "XAES_256_GCM", "Disabled"),
            f"{_REBOUND}, and {_DISABLED}",
        ),
    ],
)
def test_a_fact_on_a_service_blob_has_every_condition_and_no_other(
    payload: Payload,
    context: Mapping[str, str],
    is_hexadecimal: bool,
    suite: str,
    state: str,
    fact: str,
) -> None:
    """The conditions are the form, the context, the payload, and the suite and state of the key."""
    blob = alibaba.encrypt(
        *(KEYS, "service", PLAINTEXT, context),
        profile=Profile(payload=payload),
        allow_ambiguous=True,
    ).ciphertext_blob
    keys = Keyring([rebound(SERVICE, SERVICE.export_material(), suite=Suite[suite], state=state)])
    data = blob.hex().encode() if is_hexadecimal else blob
    (finding,) = explain(keys, data, CONTEXT, profile=Profile.ALIBABA).findings
    assert finding.fact == f"it decrypts if {fact}"
    assert ("raw" in finding.remedy) == (payload is Payload.RAW)
    assert ("enable the key version" in finding.remedy) == (state == "Disabled")
    assert ("bind the key version" in finding.remedy) == (suite == "XAES_256_GCM")


@pytest.mark.parametrize("wrong", [b"\x00\x09acme", b"\x00\x04\xffcme", b"\x00\x03acme"])
def test_bytes_that_are_not_a_context_are_called_so(wrong: bytes) -> None:
    """If the right associated data is not that of a context, no context is advised."""
    right = EncryptionContext(CONTEXT).canonical.replace(b"\x00\x04acme", wrong)
    (finding,) = explain(KEYS, sealed_with(right), CONTEXT).findings
    assert (finding.code, "context" in finding.change) == ("rule.other", False)


def test_a_short_plaintext_gives_no_hint() -> None:
    """Less than 10 random bytes are printable by chance."""
    explanation = explain(KEYS, sealed({"who": "unknown"}, b"123456789"), CONTEXT)
    assert explanation.findings == ()


def test_a_hash_key_whose_multiples_overlap_has_no_false_errors() -> None:
    """With H = 1/x^72, an error at the end of a block equals one at the start of the next."""
    across = damage._Across(damage._inverse(1 << (127 - 72)))
    assert list(across.solve(1 << 127)) == []
    assert list(across.solve((1 << 128) - 1)) == []


def test_a_version_of_the_same_key_is_found_before_another_key() -> None:
    """Of two keys with one material, the finding names the one that the header names."""
    material = os.urandom(32)
    same, other = key_named("orders", "2", material), key_named("zeta", "1", material)
    blob = HEADER_OF_1 + sealed_with(b"", HEADER_OF_1, same)[len(HEADER) :]
    for keys in ([OLD, other, same], [other, same, OLD]):
        finding = explain(Keyring(keys), blob).findings[0]
        assert finding.code.startswith("key.")
        assert "2" in finding.fact
        assert "zeta" not in finding.fact


def test_an_explanation_does_not_depend_on_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the library fails where the trace does not, the explanation has no failed check."""

    def fail(*_: Any, **__: Any) -> None:
        raise DecryptionError

    monkeypatch.setattr("kmscore.alibaba.decrypt", fail)
    explanation = explain(KEYS, sealed(CONTEXT), CONTEXT)
    assert (explanation.stopped_by, explanation.check) == ("decryption", "")
    assert render.findings_text(explanation).startswith("It does not decrypt (error decryption).")


def test_two_keys_with_one_version_id_are_not_searched_in_the_service_layout() -> None:
    """Then a blob of the service does not identify its key."""
    twin = SymmetricKey("twin", VERSION, KeySpec.AES_128, os.urandom(16))
    blob = of_service()[0]()
    explanation = explain(Keyring([SERVICE, twin]), blob, CONTEXT)
    assert {finding.verdict for finding in explanation.findings} <= {Verdict.SUGGESTS}


@pytest.mark.parametrize("pairs", [300, 5_000])
def test_the_work_for_large_contexts_is_bounded(pairs: int) -> None:
    """Hypotheses are counted also if they need no trial."""
    given = {f"k{number}": "v" for number in range(pairs)}
    for data in (os.urandom(100), sealed({"who": "unknown"}), of_service()[0]()):
        begin = time.monotonic()
        explanation = explain(
            KEYS, data, given, candidates=[given] * 50, budget=Budget(trials=20, seconds=2)
        )
        assert time.monotonic() - begin < 20
        assert {finding.verdict for finding in explanation.findings} <= {Verdict.SUGGESTS}


@pytest.mark.parametrize(
    "data", [b"[" * 1_000_000, b"%41" * 500_000, b"KMS\x01" + b"\n" * 1_000_000, b"QUFB" * 500_000]
)
def test_huge_data_is_not_searched(data: bytes) -> None:
    """No ciphertext is as long in any form."""
    explanation = explain(KEYS, data, CONTEXT)
    assert (explanation.stopped_by, explanation.opens) == ("invalid_blob", False)
    assert explanation.tried.get("transport", 0) == 0


def test_a_rewritten_header_and_a_typo_are_not_confused() -> None:
    """Damage that would reach into a header with the right IDs is not reported."""
    twins = Keyring([rebound(OLD, bytes(32)), rebound(NEW, bytes(range(32)))])
    key = SymmetricKey("orders", "2", KeySpec.AES_256, bytes(32))
    blob = encrypt(Keyring([key]), "orders", PLAINTEXT, {"venant": "acme"}).ciphertext_blob
    renamed = OLD.header + blob[len(OLD.header) :]
    explanation = explain(twins, renamed, {"tenant": "acme"})
    assert {finding.verdict for finding in explanation.findings} <= {Verdict.SUGGESTS}


def test_a_typo_is_named_with_both_values() -> None:
    """The fact has the value that decrypts, and the one that was given."""
    (finding,) = explain(KEYS, sealed(with_pairs(tenant="acne")), CONTEXT).findings
    assert finding.fact == 'it decrypts if the value of "tenant" is "acne" and not "acme"'


def test_one_wrong_byte_of_6_kilobytes_is_located() -> None:
    """The byte is found without a guess, in one trial of the family."""
    plaintext = os.urandom(6144)
    blob = sealed(CONTEXT, plaintext)
    for offset in (BODY, BODY + 3000, BODY + 6143):
        wrong = bytearray(blob)
        wrong[offset] ^= 0x5A
        explanation = explain(KEYS, wrong, CONTEXT)
        (finding,) = explanation.findings
        assert finding.code == "damage.ciphertext"
        assert finding.change == {"offset": offset, "xor": "5a"}
        assert explanation.tried["damage"] == 1


def test_a_tag_is_located_and_never_shown() -> None:
    """The finding has the offset, and no form of the explanation has the right bytes."""
    blob = sealed(CONTEXT)
    wrong = blob[:-8] + bytes(byte ^ 0xFF for byte in blob[-8:])
    (finding,) = explain(KEYS, wrong, CONTEXT).findings
    assert finding.change == {"offset": len(blob) - 8, "length": 8}
    text = repr(finding)
    for shown in (blob[-8:], bytes([0xFF] * 8)):
        assert shown.hex() not in text
        assert shown.hex(" ") not in text
    (finding,) = explain(KEYS, blob[:-3], CONTEXT).findings
    assert blob[-3:].hex() not in repr(finding)


def test_two_errors_are_not_located() -> None:
    """Errors in two places have no single explanation, and nothing is claimed."""
    blob = bytearray(sealed(CONTEXT, os.urandom(200)))
    blob[BODY + 10] ^= 1
    blob[BODY + 100] ^= 1
    explanation = explain(KEYS, blob, CONTEXT)
    assert [finding.verdict for finding in explanation.findings] == [Verdict.SUGGESTS]


@pytest.mark.parametrize(
    "suite", [Suite.AES_128_GCM, Suite.AES_192_GCM, Suite.AES_256_GCM, Suite.SM4_GCM]
)
def test_damage_is_found_in_every_suite(suite: Suite) -> None:
    """The algebra is that of each suite."""
    spec = {16: KeySpec.AES_128, 24: KeySpec.AES_192, 32: KeySpec.AES_256}[suite.key_length]
    key = SymmetricKey.generate(
        KeySpec.SM4 if suite is Suite.SM4_GCM else spec, key_id="k", key_version_id="1", suite=suite
    )
    blob = bytearray(encrypt(Keyring([key]), "k", os.urandom(100), CONTEXT).ciphertext_blob)
    offset = len(key.header) + 12 + 50
    blob[offset] ^= 7
    (finding,) = explain(Keyring([key]), blob, CONTEXT).findings
    assert finding.change == {"offset": offset, "xor": "07"}


@pytest.mark.parametrize("trials", [1, 2, 50, 500])
def test_a_search_is_bounded_and_reproducible(trials: int) -> None:
    """Two searches with one budget try the same, and not more than the budget."""
    blob = sealed({"who": "unknown to the caller"}, os.urandom(500))
    results = [explain(KEYS, blob, CONTEXT, budget=Budget(trials)) for _ in range(2)]
    assert results[0] == results[1]
    assert sum(results[0].tried.values()) <= trials
    assert results[0].exhausted
    assert results[0].tried.get("context", 0) <= max(1, trials // 2)


def test_a_search_has_a_time_limit() -> None:
    """Without time, nothing is tried, and the explanation says so."""
    explanation = explain(KEYS, sealed({}), CONTEXT, budget=Budget(seconds=-1))
    assert explanation.exhausted
    assert sum(explanation.tried.values()) == 0


def test_hypotheses_that_need_no_trial_are_counted_too() -> None:
    """A search with one trial ends after five hypotheses."""
    ledger = Ledger(Budget(trials=1))
    for _ in range(5):
        ledger.note()
    with pytest.raises(Exhausted):
        ledger.note()
    assert ledger.exhausted


def test_a_keyring_of_thousands_of_keys_is_cut_by_the_budget() -> None:
    """The keys with the ID of the header are tried first."""
    keys = Keyring([key_named(f"key{number}", "1") for number in range(1_500)] + [OLD, NEW])
    explanation = explain(keys, renamed(b"1"), CONTEXT, budget=Budget(2_000))
    assert explanation.findings[0].code == "key.header"
    lost = explain(keys, os.urandom(10).join([HEADER, bytes(60)]), CONTEXT, budget=Budget(2_000))
    assert lost.exhausted


def test_arguments_are_checked() -> None:
    """A wrong type or limit is a mistake of the caller."""
    for arguments, message in (
        ((None, b""), "keys must be Keyring"),
        ((KEYS, "x"), "data must be bytes-like"),
        ((KEYS, b"", 1), "context must be Mapping"),
    ):
        with pytest.raises(TypeError, match=message):
            explain(*arguments)  # type: ignore[arg-type]
    for options, message in (
        ({"other_contexts": [1]}, "other_contexts must be Mapping"),
        ({"candidates": [1]}, "candidates must be Mapping"),
        ({"profile": None}, "profile must be Profile"),
        ({"budget": 1}, "budget must be Budget"),
    ):
        with pytest.raises(TypeError, match=message):
            explain(KEYS, b"", **options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"budget\.seconds must be finite"):
        explain(KEYS, b"", budget=Budget(seconds=float("nan")))
    with pytest.raises(ValueError, match=r"budget\.trials must be positive"):
        explain(KEYS, b"", budget=Budget(0))


def test_odd_contexts_do_not_end_the_search() -> None:
    """A given or candidate context that breaks the rules is left out."""
    blob = sealed({})
    odd: Any = ({"a": "\ud800"}, {"a": "b" * 70_000}, {"a": 5}, {5: "a"})
    for context in odd:
        explanation = explain(KEYS, blob, context, candidates=[context])
        assert explanation.stopped_by == "invalid_context"
        assert explanation.opens
        other = explain(KEYS, sealed({"who": "unknown"}), context, other_contexts=[context])
        assert {finding.verdict for finding in other.findings} == {Verdict.SUGGESTS}


def test_no_cause_is_found_in_random_bytes() -> None:
    """Random blobs with a right header have no finding that proves itself."""
    for number in range(40):
        body = os.urandom(12 + 24 + random.randrange(300))
        suite = Suite.XAES_256_GCM
        data = NEW.header + os.urandom(suite.iv_length) + body
        explanation = explain(KEYS, data, CONTEXT, budget=Budget(200 if number else 20_000))
        assert {finding.verdict for finding in explanation.findings} <= {Verdict.SUGGESTS}
        assert CiphertextBlob.parse(data).key_id == "orders"


@pytest.mark.campaign
def test_no_cause_is_found_in_10_000_random_blobs() -> None:
    """10,000 blobs at 200 trials and 50 at the default budget have no proof of any cause."""
    for number in range(10_050):
        data = NEW.header + os.urandom(24 + 16 + random.randrange(400))
        budget = Budget(200) if number < 10_000 else Budget()
        explanation = explain(KEYS, data, CONTEXT, budget=budget)
        assert {finding.verdict for finding in explanation.findings} <= {Verdict.SUGGESTS}


def test_the_canonical_bytes_of_a_typo_are_those_of_the_context() -> None:
    """The change for programs has the context and its canonical bytes."""
    (finding,) = explain(
        KEYS, sealed(with_pairs(table="borders"[1:])), with_pairs(table="ordars")
    ).findings
    assert finding.change["canonical"] == EncryptionContext(CONTEXT).canonical.hex()
    assert finding.change["context"] == CONTEXT


def test_a_service_blob_is_found_among_keys_with_greater_ids() -> None:
    """The finding has the state of the key that decrypts."""
    keys = Keyring([rebound(SERVICE, SERVICE.export_material(), state="Disabled")])
    keys = Keyring([*keys, key_named("zeta", "1"), key_named("service", "zeta")])
    (finding,) = explain(keys, of_service()[0](), CONTEXT).findings
    assert finding.fact.endswith(", and the key version is Enabled, not Disabled")
