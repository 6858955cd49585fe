"""Causes for which a ciphertext blob does not decrypt, each with the code of its finding.

The keys are fixed test keys.
"""

import base64
import hashlib
import json
import os
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from kmscore import Keyring, KeySpec, Suite, SymmetricKey, alibaba, encrypt
from kmscore.aead import sealer
from kmscore.alibaba import ContextBinding, Payload, Profile, SortOrder
from kmscore.audit import Explanation, Verdict, explain

PLAINTEXT = b"card 4711 0815, valid until 12/29"
CONTEXT = {"tenant": "acme", "table": "orders"}
VERSION = "86a9efd9-3d16-4894-bd4f-1fc43f3f2abf"


def key_named(
    key_id: str, version: str, material: bytes | None = None, **options: Any
) -> SymmetricKey:
    """Return a key with some material, or with that which belongs to its name."""
    own = hashlib.sha256(f"{key_id} {version}".encode()).digest()
    return SymmetricKey(key_id, version, KeySpec.AES_256, material or own, **options)


OLD, NEW, OTHER = key_named("orders", "1"), key_named("orders", "2"), key_named("billing", "1")
SERVICE = key_named("service", VERSION, suite=Suite.AES_256_GCM)
KEYS = Keyring([OLD, NEW, OTHER, SERVICE])
HEADER, HEADER_OF_1 = NEW.header, OLD.header


def sealed(context: Mapping[str, str] | None = None, plaintext: bytes = PLAINTEXT) -> bytes:
    """Return a blob under the primary version."""
    return encrypt(KEYS, "orders", plaintext, context).ciphertext_blob


def sealed_with(bound: bytes, header: bytes = HEADER, key: SymmetricKey = NEW) -> bytes:
    """Return a blob with the given bytes in place of the canonical context."""
    iv = os.urandom(key.suite.iv_length)
    body = sealer(key.suite, key.export_material()).seal(iv, PLAINTEXT, header + bound)
    return HEADER + iv + body


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


def with_pairs(**changes: str) -> dict[str, str]:
    """Return the context with other pairs."""
    return CONTEXT | changes


_LONG = {f"k{number}": f"value {number}" for number in range(5)}
_BEYOND = {"\U0001f511": "a", "\ufb01": "b"}

CONTEXTS = (
    Cause("context.empty", lambda: sealed({})),
    Cause("context.other", lambda: sealed(CONTEXT), None, {"other_contexts": [CONTEXT]}),
    Cause(
        "context.other", lambda: sealed({"env": "x"}), CONTEXT, {"other_contexts": [{"env": "x"}]}
    ),
    Cause(
        "context.candidate",
        lambda: sealed({"a": "b"}),
        None,
        {"candidates": [{"c": "d"}, {"a": "b"}]},
    ),
    Cause("context.pair_missing", lambda: sealed({"tenant": "acme"})),
    Cause("context.only_pair", lambda: sealed({"k3": "value 3"}), _LONG),
    Cause(
        "context.pair_added",
        lambda: sealed(with_pairs(a="b")),
        CONTEXT,
        {"candidates": [{"a": "b", "c": "d"}]},
    ),
    Cause(
        "context.value_of_other",
        lambda: sealed(with_pairs(tenant="another tenant")),
        CONTEXT,
        {"candidates": [{"tenant": "another tenant", "x": "y"}]},
    ),
    Cause("context.swapped", lambda: sealed({"acme": "tenant", "orders": "table"})),
    Cause("context.values_swapped", lambda: sealed({"tenant": "orders", "table": "acme"})),
    Cause("context.nfd", lambda: sealed({"name": "Zoe\u0308"}), {"name": "Zo\u00eb"}),
    Cause("context.nfc", lambda: sealed({"name": "Zo\u00eb"}), {"name": "Zoe\u0308"}),
    Cause("context.nfkc", lambda: sealed({"name": "file"}), {"name": "\ufb01le"}),
    Cause("context.newline", lambda: sealed(with_pairs(tenant="acme\n"))),
    Cause("context.crlf", lambda: sealed(with_pairs(tenant="acme\r\n"))),
    Cause("context.cr", lambda: sealed(with_pairs(tenant="acme\r"))),
    Cause("context.space", lambda: sealed(with_pairs(tenant="acme "))),
    Cause("context.stripped", lambda: sealed(CONTEXT), with_pairs(tenant=" acme\n")),
    Cause("context.bom", lambda: sealed({"\ufefftenant": "acme", "table": "orders"})),
    Cause("context.no_bom", lambda: sealed(CONTEXT), {"\ufefftenant": "acme", "table": "orders"}),
    Cause("context.lower", lambda: sealed(CONTEXT), with_pairs(tenant="ACME")),
    Cause("context.upper", lambda: sealed(with_pairs(tenant="ACME"))),
    Cause("context.capital", lambda: sealed({"Tenant": "acme", "table": "orders"})),
    Cause("context.small", lambda: sealed({"tenantId": "a"}), {"TenantId": "a"}),
    Cause("context.plain_number", lambda: sealed({"id": "7"}), {"id": "007"}),
    Cause("context.float_number", lambda: sealed({"id": "12.0"}), {"id": "12"}),
    Cause("context.whole_number", lambda: sealed({"id": "12"}), {"id": "12.0"}),
    Cause("context.capital", lambda: sealed({"id": "True"}), {"id": "true"}),
    Cause("context.quoted", lambda: sealed(with_pairs(tenant='"acme"'))),
    Cause("context.unquoted", lambda: sealed(CONTEXT), with_pairs(tenant='"acme"')),
    Cause("context.escaped", lambda: sealed({"name": "Zo\\u00eb"}), {"name": "Zo\u00eb"}),
    Cause("context.latin1", lambda: sealed({"name": "Zo\u00c3\u00ab"}), {"name": "Zo\u00eb"}),
    Cause("context.utf8", lambda: sealed({"name": "Zo\u00eb"}), {"name": "Zo\u00c3\u00ab"}),
    Cause("context.base64", lambda: sealed(with_pairs(tenant="YWNtZQ=="))),
    Cause("context.decoded", lambda: sealed(CONTEXT), with_pairs(tenant="YWNtZQ==")),
    Cause("context.typo", lambda: sealed(with_pairs(tenant="acne"))),
    Cause("context.typo", lambda: sealed({"tenant": "48213"}), {"tenant": "48177"}),
    Cause("rule.json", lambda: sealed_with(json.dumps(CONTEXT).encode())),
    Cause(
        "rule.json",
        lambda: sealed_with(json.dumps(CONTEXT, sort_keys=True, separators=(",", ":")).encode()),
    ),
    Cause("rule.unsorted", lambda: sealed_with(_canonical(list(CONTEXT.items())))),
    Cause(
        "rule.utf16",
        lambda: sealed_with(_canonical(list(_BEYOND.items()))),
        dict(reversed(_BEYOND.items())),
    ),
    Cause("rule.service", lambda: sealed_with(hashlib.sha256(_text(CONTEXT)).digest())),
    Cause(
        "rule.service.no_header", lambda: sealed_with(hashlib.sha256(_text(CONTEXT)).digest(), b"")
    ),
    Cause(
        "rule.service_digits",
        lambda: sealed_with(hashlib.sha256(_text(CONTEXT)).hexdigest().encode()),
    ),
    Cause("rule.service_text", lambda: sealed_with(_text(CONTEXT))),
    Cause("rule.concatenated", lambda: sealed_with(b"tableorderstenantacme")),
    Cause("rule.zero_count", lambda: sealed_with(b"\0\0"), None),
)


def ring_of(*keys: SymmetricKey) -> dict[str, Any]:
    """Return the option of a keyring."""
    return {"keys": Keyring(keys)}


def rebound(key: SymmetricKey, material: bytes, **options: Any) -> SymmetricKey:
    """Return a key with the IDs of another one."""
    return SymmetricKey(key.key_id, key.key_version_id, key.spec, material, **options)


_SHORT = bytes(range(16))
_SHORT_KEY = SymmetricKey("orders", "2", KeySpec.AES_128, _SHORT)
_HEX = rebound(NEW, _SHORT.hex().encode())
_TEXT = rebound(NEW, base64.b64encode(bytes(range(24))))


def renamed(version: bytes) -> bytes:
    """Return a blob with another version ID in its header."""
    return sealed(CONTEXT).replace(b"orders\x012", b"orders\x01" + version, 1)


KEY_CAUSES = (
    Cause(
        "key.state",
        lambda: sealed(CONTEXT),
        CONTEXT,
        ring_of(rebound(NEW, NEW.export_material(), state="Disabled")),
    ),
    Cause("key.header", lambda: renamed(b"1")),
    Cause(
        "key.other_version",
        lambda: sealed(CONTEXT),
        CONTEXT,
        ring_of(rebound(OLD, NEW.export_material()), rebound(NEW, OLD.export_material())),
    ),
    Cause(
        "key.other_key",
        lambda: sealed(CONTEXT),
        CONTEXT,
        ring_of(rebound(OTHER, NEW.export_material()), rebound(NEW, os.urandom(32))),
    ),
    Cause(
        "key.other_suite",
        lambda: sealed(CONTEXT),
        CONTEXT,
        ring_of(rebound(NEW, NEW.export_material(), suite=Suite.AES_256_GCM)),
    ),
    Cause(
        "key.other_version",
        lambda: sealed(CONTEXT),
        CONTEXT,
        ring_of(rebound(OLD, NEW.export_material())),
    ),
    *(
        Cause(
            code,
            lambda: sealed(CONTEXT),
            CONTEXT,
            ring_of(key_named(key_id, version, NEW.export_material())),
        )
        for code, key_id, version in (
            ("key.other_version", "orders", "3"),
            ("key.other_key", "zeta", "1"),
            ("key.other_key", "zeta", "2"),
        )
    ),
    Cause(
        "key.encoding",
        lambda: encrypt(Keyring([_HEX]), "orders", PLAINTEXT, CONTEXT).ciphertext_blob,
        CONTEXT,
        ring_of(
            SymmetricKey("orders", "2", KeySpec.AES_128, _SHORT), rebound(OTHER, os.urandom(32))
        ),
    ),
    Cause(
        "key.encoding",
        lambda: encrypt(Keyring([_TEXT]), "orders", PLAINTEXT, CONTEXT).ciphertext_blob,
        CONTEXT,
        ring_of(
            SymmetricKey("orders", "2", KeySpec.AES_192, base64.b64decode(_TEXT.export_material()))
        ),
    ),
    Cause(
        "key.encoding",
        lambda: sealed(CONTEXT),
        CONTEXT,
        ring_of(rebound(NEW, NEW.export_material()[::-1])),
    ),
    Cause(
        "key.encoding",
        lambda: encrypt(Keyring([_SHORT_KEY]), "orders", PLAINTEXT, CONTEXT).ciphertext_blob,
        CONTEXT,
        ring_of(_HEX),
    ),
    Cause("key.missing", lambda: sealed(CONTEXT), CONTEXT, ring_of(OTHER), Verdict.SUGGESTS),
)


def _with_plus() -> bytes:
    while b"+" not in (text := base64.b64encode(sealed(CONTEXT))):
        pass
    return text


def _with_lf() -> bytes:
    while b"\n" not in (blob := sealed(CONTEXT))[16:]:
        pass
    return blob


def _unlike_text() -> bytes:
    """Return a blob whose URL-safe Base64 differs from the ordinary one."""
    while base64.urlsafe_b64encode(blob := sealed(CONTEXT)) == base64.b64encode(blob):
        pass
    return blob


TRANSPORTS = (
    Cause("transport.base64", lambda: base64.b64encode(sealed(CONTEXT))),
    Cause("transport.base64", lambda: base64.encodebytes(sealed(CONTEXT, PLAINTEXT * 3))),
    Cause(
        "transport.base64", lambda: base64.b64encode(sealed(CONTEXT, PLAINTEXT + b"x")).rstrip(b"=")
    ),
    Cause("transport.base64url", lambda: base64.urlsafe_b64encode(_unlike_text())),
    Cause("transport.base64_spaces", lambda: _with_plus().replace(b"+", b" ")),
    Cause("transport.percent", lambda: _with_plus().replace(b"+", b"%2B")),
    Cause(
        "transport.percent_bytes",
        lambda: "".join(f"%{byte:02X}" for byte in sealed(CONTEXT)).encode(),
    ),
    Cause("transport.base64_twice", lambda: base64.b64encode(base64.b64encode(sealed(CONTEXT)))),
    Cause("transport.hex", lambda: sealed(CONTEXT).hex().encode()),
    Cause("transport.hex", lambda: b"\\x" + sealed(CONTEXT).hex().encode() + b"\n"),
    Cause("transport.hex_of_base64", lambda: base64.b64encode(sealed(CONTEXT)).hex().encode()),
    Cause(
        "transport.quoted", lambda: json.dumps(base64.b64encode(sealed(CONTEXT)).decode()).encode()
    ),
    Cause(
        "transport.response",
        lambda: json.dumps({"CiphertextBlob": base64.b64encode(sealed(CONTEXT)).decode()}).encode(),
    ),
    Cause("transport.marked", lambda: b"vault:v1:" + base64.b64encode(sealed(CONTEXT))),
    Cause("transport.marked", lambda: b"{cipher}" + base64.b64encode(sealed(CONTEXT))),
    Cause("transport.latin1", lambda: sealed(CONTEXT).decode("latin-1").encode("utf-8")),
    Cause("transport.utf16", lambda: base64.b64encode(sealed(CONTEXT)).decode().encode("utf-16")),
    Cause("transport.crlf", lambda: _with_lf().replace(b"\n", b"\r\n")),
    Cause("transport.first_lost", lambda: sealed(CONTEXT)[1:]),
    Cause("transport.head", lambda: b"ct:" + sealed(CONTEXT)),
    Cause("transport.tail", lambda: sealed(CONTEXT) + b"\n"),
    Cause("transport.tail", lambda: sealed(CONTEXT) + bytes(8)),
    Cause(
        "transport.replaced",
        lambda: sealed(CONTEXT).decode("utf-8", "replace").encode(),
        CONTEXT,
        {},
        Verdict.LOST,
    ),
    Cause(
        "transport.base64",
        lambda: base64.b64encode(sealed({"who": "unknown to the caller"})),
        CONTEXT,
        {},
        Verdict.SUGGESTS,
    ),
)


def damaged(start: int, length: int) -> bytes:
    """Return a blob with other bytes from `start` on; each differs from the right one."""
    blob = bytearray(sealed(CONTEXT, os.urandom(200)))
    for offset in range(start, start + length):
        blob[offset] ^= random.randrange(1, 256)
    return bytes(blob)


BODY = len(HEADER) + 24
_LENGTH = BODY + 200 + 16

DAMAGE = (
    *(Cause("damage.ciphertext", lambda n=n: damaged(BODY + 40, n)) for n in range(1, 9)),
    *(Cause("damage.ciphertext", lambda n=n: damaged(BODY + 48 - n, 8)) for n in range(1, 8)),
    Cause("damage.ciphertext", lambda: damaged(BODY, 1)),
    Cause("damage.ciphertext", lambda: damaged(BODY + 199, 1)),
    Cause("damage.tag", lambda: damaged(_LENGTH - 16, 8)),
    Cause("damage.tag", lambda: damaged(_LENGTH - 1, 1)),
    *(Cause("damage.iv", lambda n=n: damaged(len(HEADER) + n, 1)) for n in (0, 11, 12, 23)),
    *(Cause("key.header", lambda n=n: damaged(n, 1)) for n in (0, 1, 2, 3, 4, 5, 12)),
    *(
        Cause(
            "damage.truncated",
            lambda n=n: sealed(CONTEXT)[:-n],
            CONTEXT,
            {},
            Verdict.AUTHENTICATES_PARTLY,
        )
        for n in range(1, 9)
    ),
)


def of_service(**options: Any) -> tuple[Callable[[], bytes], Profile]:
    """Return a function that makes blobs in the layout of the service, and their profile."""
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
            of_service(context_binding=binding, sort_order=order, prefix=prefix)[0],
        )
        for binding in ContextBinding
        for order in SortOrder
        for prefix in (b"", b"\x24\x00\x02")
    ),
    Cause(
        "payload.not_base64",
        of_service(payload=Payload.RAW)[0],
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
    Cause("payload.not_base64", lambda: sealed(CONTEXT), CONTEXT, {"profile": Profile.V1_TEXT}),
    Cause("layout.v1", lambda: sealed(CONTEXT), CONTEXT, {"profile": Profile.ALIBABA}),
    Cause("transport.base64", lambda: base64.b64encode(of_service()[0]())),
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
        lambda: sealed({"who": "unknown to the caller"}),
        CONTEXT,
        {},
        Verdict.SUGGESTS,
    ),
    Cause(
        "suggest.not_text",
        lambda: sealed({"who": "unknown to the caller"}, b"\x00" + os.urandom(40)),
        CONTEXT,
        {},
        Verdict.SUGGESTS,
    ),
)

ALL = (*CONTEXTS, *KEY_CAUSES, *TRANSPORTS, *DAMAGE, *LAYOUTS, *HINTS)


def explained(cause: Cause, data: bytes) -> Explanation:
    """Return the explanation for a ciphertext of a cause."""
    options = dict(cause.options)
    return explain(options.pop("keys", KEYS), data, cause.given, **options)
