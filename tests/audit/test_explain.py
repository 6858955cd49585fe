"""Each cause for which a ciphertext blob does not decrypt is found, on random data."""

import base64
import hashlib
import json
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import pytest

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
from kmscore.aead import sealer
from kmscore.alibaba import ContextBinding, Payload, Profile, SortOrder
from kmscore.audit import Budget, Explanation, Verdict, explain, render
from kmscore.audit.causes import damage
from kmscore.audit.explanation import Exhausted, Ledger

PLAINTEXT = b"card 4711 0815, valid until 12/29"
CONTEXT = {"tenant": "acme", "table": "orders"}
VERSION = "86a9efd9-3d16-4894-bd4f-1fc43f3f2abf"


def _key(key_id: str, version: str, material: bytes | None = None, **options: Any) -> SymmetricKey:
    return SymmetricKey(key_id, version, KeySpec.AES_256, material or os.urandom(32), **options)


OLD, NEW, OTHER = _key("orders", "1"), _key("orders", "2"), _key("billing", "1")
SERVICE = _key("service", VERSION, suite=Suite.AES_256_GCM)
KEYS = Keyring([OLD, NEW, OTHER, SERVICE])
_HEADER, _HEADER_OF_1 = NEW.header, OLD.header


def _seal(context: Mapping[str, str] | None = None, plaintext: bytes = PLAINTEXT) -> bytes:
    return encrypt(KEYS, "orders", plaintext, context).ciphertext_blob


def _seal_with(bound: bytes, header: bytes = _HEADER, key: SymmetricKey = NEW) -> bytes:
    """Return a blob with the given bytes in place of the canonical context."""
    iv = os.urandom(key.suite.iv_length)
    sealed = sealer(key.suite, key.export_material()).seal(iv, PLAINTEXT, header + bound)
    return _HEADER + iv + sealed


def _canonical(pairs: Sequence[tuple[str, str]]) -> bytes:
    """Return pairs in the form of the canonical bytes, in the order given."""
    texts = [text.encode("utf-8") for pair in pairs for text in pair]
    return len(pairs).to_bytes(2, "big") + b"".join(
        len(text).to_bytes(2, "big") + text for text in texts
    )


def _text(pairs: Mapping[str, str]) -> bytes:
    return "&".join(f"{key}={pairs[key]}" for key in sorted(pairs)).encode()


class Cause(NamedTuple):
    """A ciphertext, the context that is given, and the code of the finding."""

    code: str
    data: Callable[[], bytes]
    given: Mapping[str, str] | None = CONTEXT
    options: Mapping[str, Any] = {}
    verdict: Verdict = Verdict.OPENS


def _with(**changes: str) -> dict[str, str]:
    return CONTEXT | changes


_LONG = {f"k{number}": f"value {number}" for number in range(5)}
_BEYOND = {"\U0001f511": "a", "\ufb01": "b"}

CONTEXTS = (
    Cause("context.empty", lambda: _seal({})),
    Cause("context.other", lambda: _seal(CONTEXT), None, {"other_contexts": [CONTEXT]}),
    Cause(
        "context.other", lambda: _seal({"env": "x"}), CONTEXT, {"other_contexts": [{"env": "x"}]}
    ),
    Cause(
        "context.candidate",
        lambda: _seal({"a": "b"}),
        None,
        {"candidates": [{"c": "d"}, {"a": "b"}]},
    ),
    Cause("context.pair_missing", lambda: _seal({"tenant": "acme"})),
    Cause("context.only_pair", lambda: _seal({"k3": "value 3"}), _LONG),
    Cause(
        "context.pair_added",
        lambda: _seal(_with(a="b")),
        CONTEXT,
        {"candidates": [{"a": "b", "c": "d"}]},
    ),
    Cause(
        "context.value_of_other",
        lambda: _seal(_with(tenant="another tenant")),
        CONTEXT,
        {"candidates": [{"tenant": "another tenant", "x": "y"}]},
    ),
    Cause("context.swapped", lambda: _seal({"acme": "tenant", "orders": "table"})),
    Cause("context.values_swapped", lambda: _seal({"tenant": "orders", "table": "acme"})),
    Cause("context.nfd", lambda: _seal({"name": "Zoe\u0308"}), {"name": "Zo\u00eb"}),
    Cause("context.nfc", lambda: _seal({"name": "Zo\u00eb"}), {"name": "Zoe\u0308"}),
    Cause("context.nfkc", lambda: _seal({"name": "file"}), {"name": "\ufb01le"}),
    Cause("context.newline", lambda: _seal(_with(tenant="acme\n"))),
    Cause("context.crlf", lambda: _seal(_with(tenant="acme\r\n"))),
    Cause("context.cr", lambda: _seal(_with(tenant="acme\r"))),
    Cause("context.space", lambda: _seal(_with(tenant="acme "))),
    Cause("context.stripped", lambda: _seal(CONTEXT), _with(tenant=" acme\n")),
    Cause("context.bom", lambda: _seal({"\ufefftenant": "acme", "table": "orders"})),
    Cause("context.no_bom", lambda: _seal(CONTEXT), {"\ufefftenant": "acme", "table": "orders"}),
    Cause("context.lower", lambda: _seal(CONTEXT), _with(tenant="ACME")),
    Cause("context.upper", lambda: _seal(_with(tenant="ACME"))),
    Cause("context.capital", lambda: _seal({"Tenant": "acme", "table": "orders"})),
    Cause("context.small", lambda: _seal({"tenantId": "a"}), {"TenantId": "a"}),
    Cause("context.plain_number", lambda: _seal({"id": "7"}), {"id": "007"}),
    Cause("context.float_number", lambda: _seal({"id": "12.0"}), {"id": "12"}),
    Cause("context.whole_number", lambda: _seal({"id": "12"}), {"id": "12.0"}),
    Cause("context.capital", lambda: _seal({"id": "True"}), {"id": "true"}),
    Cause("context.quoted", lambda: _seal(_with(tenant='"acme"'))),
    Cause("context.unquoted", lambda: _seal(CONTEXT), _with(tenant='"acme"')),
    Cause("context.escaped", lambda: _seal({"name": "Zo\\u00eb"}), {"name": "Zo\u00eb"}),
    Cause("context.latin1", lambda: _seal({"name": "Zo\u00c3\u00ab"}), {"name": "Zo\u00eb"}),
    Cause("context.utf8", lambda: _seal({"name": "Zo\u00eb"}), {"name": "Zo\u00c3\u00ab"}),
    Cause("context.base64", lambda: _seal(_with(tenant="YWNtZQ=="))),
    Cause("context.decoded", lambda: _seal(CONTEXT), _with(tenant="YWNtZQ==")),
    Cause("context.typo", lambda: _seal(_with(tenant="acne"))),
    Cause("context.typo", lambda: _seal({"tenant": "48213"}), {"tenant": "48177"}),
    Cause("rule.json", lambda: _seal_with(json.dumps(CONTEXT).encode())),
    Cause(
        "rule.json",
        lambda: _seal_with(json.dumps(CONTEXT, sort_keys=True, separators=(",", ":")).encode()),
    ),
    Cause("rule.unsorted", lambda: _seal_with(_canonical(list(CONTEXT.items())))),
    Cause(
        "rule.utf16",
        lambda: _seal_with(_canonical(list(_BEYOND.items()))),
        dict(reversed(_BEYOND.items())),
    ),
    Cause("rule.service", lambda: _seal_with(hashlib.sha256(_text(CONTEXT)).digest())),
    Cause(
        "rule.service.no_header", lambda: _seal_with(hashlib.sha256(_text(CONTEXT)).digest(), b"")
    ),
    Cause(
        "rule.service_digits",
        lambda: _seal_with(hashlib.sha256(_text(CONTEXT)).hexdigest().encode()),
    ),
    Cause("rule.service_text", lambda: _seal_with(_text(CONTEXT))),
    Cause("rule.concatenated", lambda: _seal_with(b"tableorderstenantacme")),
    Cause("rule.zero_count", lambda: _seal_with(b"\0\0"), None),
)


def _of(*keys: SymmetricKey) -> dict[str, Any]:
    return {"keys": Keyring(keys)}


def _rebound(key: SymmetricKey, material: bytes, **options: Any) -> SymmetricKey:
    return SymmetricKey(key.key_id, key.key_version_id, key.spec, material, **options)


_SHORT = os.urandom(16)
_SHORT_KEY = SymmetricKey("orders", "2", KeySpec.AES_128, _SHORT)
_HEX = _rebound(NEW, _SHORT.hex().encode())
_TEXT = _rebound(NEW, base64.b64encode(os.urandom(24)))


def _renamed(version: bytes) -> bytes:
    return _seal(CONTEXT).replace(b"orders\x012", b"orders\x01" + version, 1)


KEY_CAUSES = (
    Cause(
        "key.state",
        lambda: _seal(CONTEXT),
        CONTEXT,
        _of(_rebound(NEW, NEW.export_material(), state="Disabled")),
    ),
    Cause("key.header", lambda: _renamed(b"1")),
    Cause(
        "key.other_version",
        lambda: _seal(CONTEXT),
        CONTEXT,
        _of(_rebound(OLD, NEW.export_material()), _rebound(NEW, OLD.export_material())),
    ),
    Cause(
        "key.other_key",
        lambda: _seal(CONTEXT),
        CONTEXT,
        _of(_rebound(OTHER, NEW.export_material()), _rebound(NEW, os.urandom(32))),
    ),
    Cause(
        "key.other_suite",
        lambda: _seal(CONTEXT),
        CONTEXT,
        _of(_rebound(NEW, NEW.export_material(), suite=Suite.AES_256_GCM)),
    ),
    Cause(
        "key.other_version",
        lambda: _seal(CONTEXT),
        CONTEXT,
        _of(_rebound(OLD, NEW.export_material())),
    ),
    Cause(
        "key.encoding",
        lambda: encrypt(Keyring([_HEX]), "orders", PLAINTEXT, CONTEXT).ciphertext_blob,
        CONTEXT,
        _of(SymmetricKey("orders", "2", KeySpec.AES_128, _SHORT), _rebound(OTHER, os.urandom(32))),
    ),
    Cause(
        "key.encoding",
        lambda: encrypt(Keyring([_TEXT]), "orders", PLAINTEXT, CONTEXT).ciphertext_blob,
        CONTEXT,
        _of(
            SymmetricKey("orders", "2", KeySpec.AES_192, base64.b64decode(_TEXT.export_material()))
        ),
    ),
    Cause(
        "key.encoding",
        lambda: _seal(CONTEXT),
        CONTEXT,
        _of(_rebound(NEW, NEW.export_material()[::-1])),
    ),
    Cause(
        "key.encoding",
        lambda: encrypt(Keyring([_SHORT_KEY]), "orders", PLAINTEXT, CONTEXT).ciphertext_blob,
        CONTEXT,
        _of(_HEX),
    ),
    Cause("key.missing", lambda: _seal(CONTEXT), CONTEXT, _of(OTHER), Verdict.SUGGESTS),
)


def _with_plus() -> bytes:
    while b"+" not in (text := base64.b64encode(_seal(CONTEXT))):
        pass
    return text


def _with_lf() -> bytes:
    while b"\n" not in (blob := _seal(CONTEXT))[16:]:
        pass
    return blob


def _unlike_text() -> bytes:
    """Return a blob whose URL-safe Base64 differs from the ordinary one."""
    while base64.urlsafe_b64encode(blob := _seal(CONTEXT)) == base64.b64encode(blob):
        pass
    return blob


TRANSPORTS = (
    Cause("transport.base64", lambda: base64.b64encode(_seal(CONTEXT))),
    Cause("transport.base64", lambda: base64.encodebytes(_seal(CONTEXT, PLAINTEXT * 3))),
    Cause(
        "transport.base64", lambda: base64.b64encode(_seal(CONTEXT, PLAINTEXT + b"x")).rstrip(b"=")
    ),
    Cause("transport.base64url", lambda: base64.urlsafe_b64encode(_unlike_text())),
    Cause("transport.base64_spaces", lambda: _with_plus().replace(b"+", b" ")),
    Cause("transport.percent", lambda: _with_plus().replace(b"+", b"%2B")),
    Cause(
        "transport.percent_bytes",
        lambda: "".join(f"%{byte:02X}" for byte in _seal(CONTEXT)).encode(),
    ),
    Cause("transport.base64_twice", lambda: base64.b64encode(base64.b64encode(_seal(CONTEXT)))),
    Cause("transport.hex", lambda: _seal(CONTEXT).hex().encode()),
    Cause("transport.hex", lambda: b"\\x" + _seal(CONTEXT).hex().encode() + b"\n"),
    Cause("transport.hex_of_base64", lambda: base64.b64encode(_seal(CONTEXT)).hex().encode()),
    Cause(
        "transport.quoted", lambda: json.dumps(base64.b64encode(_seal(CONTEXT)).decode()).encode()
    ),
    Cause(
        "transport.response",
        lambda: json.dumps({"CiphertextBlob": base64.b64encode(_seal(CONTEXT)).decode()}).encode(),
    ),
    Cause("transport.marked", lambda: b"vault:v1:" + base64.b64encode(_seal(CONTEXT))),
    Cause("transport.marked", lambda: b"{cipher}" + base64.b64encode(_seal(CONTEXT))),
    Cause("transport.latin1", lambda: _seal(CONTEXT).decode("latin-1").encode("utf-8")),
    Cause("transport.utf16", lambda: base64.b64encode(_seal(CONTEXT)).decode().encode("utf-16")),
    Cause("transport.crlf", lambda: _with_lf().replace(b"\n", b"\r\n")),
    Cause("transport.first_lost", lambda: _seal(CONTEXT)[1:]),
    Cause("transport.head", lambda: b"ct:" + _seal(CONTEXT)),
    Cause("transport.tail", lambda: _seal(CONTEXT) + b"\n"),
    Cause("transport.tail", lambda: _seal(CONTEXT) + bytes(8)),
    Cause(
        "transport.replaced",
        lambda: _seal(CONTEXT).decode("utf-8", "replace").encode(),
        CONTEXT,
        {},
        Verdict.LOST,
    ),
    Cause(
        "transport.base64",
        lambda: base64.b64encode(_seal({"who": "unknown to the caller"})),
        CONTEXT,
        {},
        Verdict.SUGGESTS,
    ),
)


def _damaged(start: int, length: int) -> bytes:
    """Return a blob with other bytes from `start` on; each differs from the right one."""
    blob = bytearray(_seal(CONTEXT, os.urandom(200)))
    for offset in range(start, start + length):
        blob[offset] ^= random.randrange(1, 256)
    return bytes(blob)


_BODY = len(_HEADER) + 24
_LENGTH = _BODY + 200 + 16

DAMAGE = (
    *(Cause("damage.ciphertext", lambda n=n: _damaged(_BODY + 40, n)) for n in range(1, 9)),
    *(Cause("damage.ciphertext", lambda n=n: _damaged(_BODY + 48 - n, 8)) for n in range(1, 8)),
    Cause("damage.ciphertext", lambda: _damaged(_BODY, 1)),
    Cause("damage.ciphertext", lambda: _damaged(_BODY + 199, 1)),
    Cause("damage.tag", lambda: _damaged(_LENGTH - 16, 8)),
    Cause("damage.tag", lambda: _damaged(_LENGTH - 1, 1)),
    *(Cause("damage.iv", lambda n=n: _damaged(len(_HEADER) + n, 1)) for n in (0, 11, 12, 23)),
    *(Cause("key.header", lambda n=n: _damaged(n, 1)) for n in (0, 1, 2, 3, 4, 5, 12)),
    *(
        Cause(
            "damage.truncated",
            lambda n=n: _seal(CONTEXT)[:-n],
            CONTEXT,
            {},
            Verdict.AUTHENTICATES_PARTLY,
        )
        for n in range(1, 9)
    ),
)


def _of_service(**options: Any) -> tuple[Callable[[], bytes], Profile]:
    profile = Profile(**options)
    return (
        lambda: (
            alibaba.encrypt(
                KEYS, "service", PLAINTEXT, CONTEXT, profile=profile, allow_ambiguous=True
            ).ciphertext_blob
        ),
        profile,
    )


def _of_service_with(context: Mapping[str, str] | None) -> bytes:
    return alibaba.encrypt(
        KEYS, "service", PLAINTEXT, context, profile=Profile.ALIBABA, allow_ambiguous=True
    ).ciphertext_blob


LAYOUTS = (
    *(
        Cause(
            "layout.service",
            _of_service(context_binding=binding, sort_order=order, prefix=prefix)[0],
        )
        for binding in ContextBinding
        for order in SortOrder
        for prefix in (b"", b"\x24\x00\x02")
    ),
    Cause(
        "payload.not_base64",
        _of_service(payload=Payload.RAW)[0],
        CONTEXT,
        {"profile": Profile.ALIBABA},
    ),
    Cause("context.empty", lambda: _of_service_with({}), CONTEXT, {"profile": Profile.ALIBABA}),
    Cause("context.absent", lambda: _of_service_with(None), CONTEXT, {"profile": Profile.ALIBABA}),
    Cause(
        "context.pair_missing",
        lambda: _of_service_with({"tenant": "acme"}),
        CONTEXT,
        {"profile": Profile.ALIBABA},
    ),
    Cause(
        "suggest.service",
        lambda: _of_service_with({"who": "unknown"}),
        CONTEXT,
        {"profile": Profile.ALIBABA},
        Verdict.SUGGESTS,
    ),
    Cause("payload.not_base64", lambda: _seal(CONTEXT), CONTEXT, {"profile": Profile.V1_TEXT}),
    Cause("layout.v1", lambda: _seal(CONTEXT), CONTEXT, {"profile": Profile.ALIBABA}),
    Cause("transport.base64", lambda: base64.b64encode(_of_service()[0]())),
    Cause(
        "layout.foreign",
        lambda: b"00000000-3d16-4894-bd4f-1fc43f3f2abf" + os.urandom(60),
        CONTEXT,
        {},
        Verdict.SUGGESTS,
    ),
    Cause(
        "layout.foreign",
        lambda: b"\x01\x02\x02\x00" + os.urandom(100),
        CONTEXT,
        {},
        Verdict.SUGGESTS,
    ),
)

HINTS = (
    Cause(
        "suggest.associated_data",
        lambda: _seal({"who": "unknown to the caller"}),
        CONTEXT,
        {},
        Verdict.SUGGESTS,
    ),
    Cause(
        "suggest.not_text",
        lambda: _seal({"who": "unknown to the caller"}, b"\x00" + os.urandom(40)),
        CONTEXT,
        {},
        Verdict.SUGGESTS,
    ),
)

ALL = (*CONTEXTS, *KEY_CAUSES, *TRANSPORTS, *DAMAGE, *LAYOUTS, *HINTS)


def _explain(cause: Cause, data: bytes) -> Explanation:
    options = dict(cause.options)
    return explain(options.pop("keys", KEYS), data, cause.given, **options)


@pytest.mark.parametrize("cause", ALL, ids=lambda cause: cause.code)
def test_a_cause_is_found(cause: Cause) -> None:
    """The finding has the code and the verdict of the cause."""
    explanation = _explain(cause, cause.data())
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
    (finding,) = _explain(cause, data).findings
    if "context" in finding.change:
        context: Any = finding.change["context"]
        assert explain(KEYS, data, context).stopped_by == "ok"
    else:
        assert finding.code.startswith("rule.")


def test_a_ciphertext_that_decrypts_needs_no_search() -> None:
    """It makes no trial and has no finding."""
    explanation = explain(KEYS, _seal(CONTEXT), CONTEXT)
    assert explanation == Explanation("ok", "", (), {}, exhausted=False)
    assert explanation.opens


def test_a_disabled_key_version_is_part_of_every_fact() -> None:
    """If the key of a finding is disabled, the fact and the advice say so."""
    off = Keyring([_rebound(NEW, NEW.export_material(), state="Disabled")])
    for data in (base64.b64encode(_seal(CONTEXT)), _seal(_with(tenant="acne")), _damaged(3, 1)):
        (finding,) = explain(off, data, CONTEXT).findings
        assert finding.fact.endswith(", and the key version is Enabled, not Disabled")
        assert finding.remedy.startswith("enable the key version; ")


def test_a_context_whose_keys_differ_is_named_completely() -> None:
    """The fact has the pairs that are there, and the keys that are not."""
    (finding,) = explain(KEYS, _seal({"ab": "cde"}), {"abc": "de"}).findings
    assert finding.fact == (
        'it decrypts if in the context, there is a key "ab" with the value "cde"'
        ' and there is no key "abc"'
    )


def test_damage_under_another_context_names_that_context() -> None:
    """The fact and the change have the context that is a condition too."""
    blob = bytearray(_seal({}, os.urandom(100)))
    blob[_BODY + 5] ^= 3
    (finding,) = explain(KEYS, blob, CONTEXT).findings
    assert finding.fact.startswith("it decrypts if the context is empty, and offset")
    assert finding.change == {"context": {}, "offset": _BODY + 5, "xor": "03"}
    (finding,) = explain(KEYS, blob[:-3], CONTEXT, other_contexts=[{}]).findings or (None,)
    assert finding is None or finding.verdict is not Verdict.OPENS
    cut = _seal({})[:-2]
    (finding,) = explain(KEYS, cut, CONTEXT).findings
    assert finding.fact.endswith("tag are right, if the context is empty")
    (finding,) = explain(
        KEYS, _seal({"a": "b"})[:-1], CONTEXT, other_contexts=[{"a": "b"}]
    ).findings
    assert finding.change == {"context": {"a": "b"}, "missing": 1}


_DISABLED = "the key version is Enabled, not Disabled"
_REBOUND = "the key version is bound to AES_256_GCM, not XAES_256_GCM"
_PAYLOAD = "the payload is raw, not Base64"
_HEX_FORM = "it is decoded from hexadecimal"


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
    keys = Keyring([_rebound(SERVICE, SERVICE.export_material(), suite=Suite[suite], state=state)])
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
    (finding,) = explain(KEYS, _seal_with(right), CONTEXT).findings
    assert (finding.code, "context" in finding.change) == ("rule.other", False)


def test_a_short_plaintext_gives_no_hint() -> None:
    """Less than 10 random bytes are printable by chance."""
    explanation = explain(KEYS, _seal({"who": "unknown"}, b"123456789"), CONTEXT)
    assert explanation.findings == ()


def test_a_hash_key_whose_multiples_overlap_has_no_false_errors() -> None:
    """With H = 1/x^72, an error at the end of a block equals one at the start of the next."""
    across = damage._Across(damage._inverse(1 << (127 - 72)))
    assert list(across.solve(1 << 127)) == []
    assert list(across.solve((1 << 128) - 1)) == []


def test_a_version_of_the_same_key_is_found_before_another_key() -> None:
    """Of two keys with one material, the finding names the one that the header names."""
    material = os.urandom(32)
    same, other = _key("orders", "2", material), _key("zeta", "1", material)
    blob = _HEADER_OF_1 + _seal_with(b"", _HEADER_OF_1, same)[len(_HEADER) :]
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
    explanation = explain(KEYS, _seal(CONTEXT), CONTEXT)
    assert (explanation.stopped_by, explanation.check) == ("decryption", "")
    assert render.findings_text(explanation).startswith("It does not decrypt (error decryption).")


def test_two_keys_with_one_version_id_are_not_searched_in_the_service_layout() -> None:
    """Then a blob of the service does not identify its key."""
    twin = SymmetricKey("twin", VERSION, KeySpec.AES_128, os.urandom(16))
    blob = _of_service()[0]()
    explanation = explain(Keyring([SERVICE, twin]), blob, CONTEXT)
    assert {finding.verdict for finding in explanation.findings} <= {Verdict.SUGGESTS}


@pytest.mark.parametrize("pairs", [300, 5_000])
def test_the_work_for_large_contexts_is_bounded(pairs: int) -> None:
    """Hypotheses are counted also if they need no trial."""
    given = {f"k{number}": "v" for number in range(pairs)}
    for data in (os.urandom(100), _seal({"who": "unknown"}), _of_service()[0]()):
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
    twins = Keyring([_rebound(OLD, bytes(32)), _rebound(NEW, bytes(range(32)))])
    key = SymmetricKey("orders", "2", KeySpec.AES_256, bytes(32))
    blob = encrypt(Keyring([key]), "orders", PLAINTEXT, {"venant": "acme"}).ciphertext_blob
    renamed = OLD.header + blob[len(OLD.header) :]
    explanation = explain(twins, renamed, {"tenant": "acme"})
    assert {finding.verdict for finding in explanation.findings} <= {Verdict.SUGGESTS}


def test_a_typo_is_named_with_both_values() -> None:
    """The fact has the value that decrypts, and the one that was given."""
    (finding,) = explain(KEYS, _seal(_with(tenant="acne")), CONTEXT).findings
    assert finding.fact == 'it decrypts if the value of "tenant" is "acne" and not "acme"'


def test_one_wrong_byte_of_6_kilobytes_is_located() -> None:
    """The byte is found without a guess, in one trial of the family."""
    plaintext = os.urandom(6144)
    blob = _seal(CONTEXT, plaintext)
    for offset in (_BODY, _BODY + 3000, _BODY + 6143):
        wrong = bytearray(blob)
        wrong[offset] ^= 0x5A
        explanation = explain(KEYS, wrong, CONTEXT)
        (finding,) = explanation.findings
        assert finding.code == "damage.ciphertext"
        assert finding.change == {"offset": offset, "xor": "5a"}
        assert explanation.tried["damage"] == 1


def test_a_tag_is_located_and_never_shown() -> None:
    """The finding has the offset, and no form of the explanation has the right bytes."""
    blob = _seal(CONTEXT)
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
    blob = bytearray(_seal(CONTEXT, os.urandom(200)))
    blob[_BODY + 10] ^= 1
    blob[_BODY + 100] ^= 1
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
    blob = _seal({"who": "unknown to the caller"}, os.urandom(500))
    results = [explain(KEYS, blob, CONTEXT, budget=Budget(trials)) for _ in range(2)]
    assert results[0] == results[1]
    assert sum(results[0].tried.values()) <= trials
    assert results[0].exhausted
    assert results[0].tried.get("context", 0) <= max(1, trials // 2)


def test_a_search_has_a_time_limit() -> None:
    """Without time, nothing is tried, and the explanation says so."""
    explanation = explain(KEYS, _seal({}), CONTEXT, budget=Budget(seconds=-1))
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
    keys = Keyring([_key(f"key{number}", "1") for number in range(1_500)] + [OLD, NEW])
    explanation = explain(keys, _renamed(b"1"), CONTEXT, budget=Budget(2_000))
    assert explanation.findings[0].code == "key.header"
    lost = explain(keys, os.urandom(10).join([_HEADER, bytes(60)]), CONTEXT, budget=Budget(2_000))
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
    blob = _seal({})
    odd: Any = ({"a": "\ud800"}, {"a": "b" * 70_000}, {"a": 5}, {5: "a"})
    for context in odd:
        explanation = explain(KEYS, blob, context, candidates=[context])
        assert explanation.stopped_by == "invalid_context"
        assert explanation.opens
        other = explain(KEYS, _seal({"who": "unknown"}), context, other_contexts=[context])
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
    (finding,) = explain(KEYS, _seal(_with(table="borders"[1:])), _with(table="ordars")).findings
    assert finding.change["canonical"] == EncryptionContext(CONTEXT).canonical.hex()
    assert finding.change["context"] == CONTEXT
