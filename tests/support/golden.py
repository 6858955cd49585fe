"""Golden files: whole forms of traces and explanations, for fixed keys and inputs.

They are in `tests/audit/golden`. This command, in the checkout, writes them again:

    PYTHONPATH=tests:vectors/tests python -m support.golden
"""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from kmscore import Keyring, RsaKey, audit, hazmat, sm2
from kmscore.audit import Explanation, Secrecy, Trace, render
from kmscore_vectors.files import installed_folder
from support.asymmetric_cases import (
    RSA_CAUSES,
    SM2_CAUSES,
    explained_asymmetric,
)
from support.audit_cases import (
    CONTEXT,
    PLAINTEXT,
    PROFILES,
    VERSION,
    WIDE_CONTEXT,
    blob_of,
    keyring,
)
from support.explanation_cases import ALL, BODY, KEYS, explained, sealed, with_pairs

FOLDER: Final = Path(__file__).resolve().parents[1] / "audit" / "golden"

_FORMS: Final[Mapping[str, Callable[..., str]]] = {
    "txt": render.text,
    "json": render.json,
    "html": render.html,
}
_ALL: Final = frozenset({Secrecy.PLAINTEXT, Secrecy.MESSAGE})


@contextmanager
def fixed_random(seed: str) -> Iterator[None]:
    """Replace the random source of the operating system by a reproducible one."""
    source = random.Random(seed)
    random.seed(seed)
    with patch("os.urandom", source.randbytes):
        yield


def _decrypt(key_id: str, context: Any = CONTEXT, data: bytes = PLAINTEXT, **options: Any) -> Trace:
    blob = blob_of(key_id, data, context, options.get("profile", PROFILES[0]))
    return audit.trace_decrypt(keyring(), blob, context, **options)


def _failed() -> Trace:
    blob = blob_of("sm4")
    return audit.trace_decrypt(keyring(), blob[:-1] + bytes([blob[-1] ^ 1]), CONTEXT)


def _long() -> Trace:
    context = {f"{number:02}": "v" for number in range(17)}
    return _decrypt("gcm", context, bytes(range(97)))


def _encrypt() -> Trace:
    options = {"profile": PROFILES[4], "allow_ambiguous": True}
    return audit.trace_encrypt(keyring(), "gcm", b"ABCD", {"b": "1", "a": "2"}, **options)


def _reencrypt() -> Trace:
    return audit.trace_reencrypt(
        keyring(),
        blob_of("gcm", b"QUJD", {"a": "b"}, PROFILES[2]),
        "xaes",
        source_profile=PROFILES[2],
        source_context={"a": "b"},
        source_key_id="gcm",
        source_key_version_id=VERSION,
        destination_context={"c": "d"},
    )


def _sm2() -> Trace:
    public = keyring().primary("sm2").public_key  # type: ignore[union-attr]
    der = sm2.convert(hazmat.sm2_encrypt(public, PLAINTEXT, 327), "C1C3C2", "ASN1_DER")
    return audit.trace_asymmetric_decrypt(keyring(), "sm2", "1", "SM2PKE", der)


def _oaep(number: int) -> Trace:
    """Return the trace of the first valid test of a group of the published vectors."""
    groups = json.loads((installed_folder() / "rsa_oaep.json").read_bytes())["testGroups"]
    group = groups[number]
    private = load_der_private_key(bytes.fromhex(group["private_key"]), None)
    assert isinstance(private, RSAPrivateKey)
    test = next(test for test in group["tests"] if test["result"] == "valid" and test["plaintext"])
    keys = Keyring([RsaKey("rsa", "1", private)])
    ciphertext = bytes.fromhex(test["ciphertext"])
    return audit.trace_asymmetric_decrypt(keys, "rsa", "1", group["algorithm"], ciphertext)


_TRACES: Final[Mapping[str, tuple[Callable[[], Trace], str]]] = {
    "decrypt-xaes": (partial(_decrypt, "xaes"), "txt json html"),
    "decrypt-text": (partial(_decrypt, "gcm", {"a": "b"}, profile=PROFILES[1]), "txt"),
    "decrypt-digits": (
        partial(_decrypt, "gcm", WIDE_CONTEXT, profile=PROFILES[6], allow_ambiguous=True),
        "txt json",
    ),
    "decrypt-failed": (_failed, "txt json"),
    "decrypt-long": (_long, "txt html"),
    "decrypt-sm2": (_sm2, "txt json"),
    "decrypt-oaep-sha-256": (partial(_oaep, 0), "txt"),
    "decrypt-oaep-sha-1": (partial(_oaep, 1), "txt json"),
    "encrypt-service": (_encrypt, "txt json"),
    "reencrypt": (_reencrypt, "txt json"),
}


def _form(trace: Callable[[], Trace], form: Callable[..., str], name: str) -> str:
    with fixed_random(name):
        return form(trace(), reveal=_ALL)


def _damaged() -> bytes:
    blob = bytearray(sealed(CONTEXT))
    blob[BODY + 5 : BODY + 8] = b"abc"
    return bytes(blob)


def _explained_page(data: Callable[[], bytes]) -> str:
    with fixed_random("page"):
        blob = data()
        explanation = audit.explain(KEYS, blob, CONTEXT)
        return render.html(audit.trace_decrypt(KEYS, blob, CONTEXT), explanation=explanation)


def _findings(
    cause: Any, explain: Callable[[Any, bytes], Explanation], name: str, *, is_random: bool
) -> str:
    """Return the text of an explanation, with the changes for programs.

    An RSA ciphertext is random. The text then has only the findings, without the ciphertext.
    """
    with fixed_random(name):
        explanation = explain(cause, cause.data())
    text = render.findings_text(explanation)
    changes = [dict(each.change) for each in explanation.findings]
    if is_random:
        text = text[text.index("\n\n") + 2 : text.index("Trials: ")]
        for change in changes:
            change.pop("ciphertext", None)
    return text + "".join(f"change: {json.dumps(each, ensure_ascii=False)}\n" for each in changes)


def _findings_json() -> str:
    with fixed_random("json"):
        return render.findings_json(explained(ALL[0], ALL[0].data()))


FILES: Final[Mapping[str, Callable[[], str]]] = {
    f"{name}.{kind}": partial(_form, trace, _FORMS[kind], name)
    for name, (trace, kinds) in _TRACES.items()
    for kind in kinds.split()
} | {
    "explained-damage.html": partial(_explained_page, _damaged),
    "explained-typo.html": partial(_explained_page, lambda: sealed(with_pairs(tenant="abmf"))),
    "explained.json": _findings_json,
}
"""The forms by name of the file."""

_CAUSES: Final = (
    *((cause, explained) for cause in ALL),
    *((cause, explained_asymmetric) for cause in (*RSA_CAUSES, *SM2_CAUSES)),
)

EXPLANATIONS: Final[Mapping[str, Callable[[], str]]] = {
    name: partial(_findings, cause, explain, name, is_random=cause in RSA_CAUSES)
    for number, (cause, explain) in enumerate(_CAUSES)
    for earlier in ([each.code for each, _ in _CAUSES[:number]],)
    for name in (f"{cause.code} {earlier.count(cause.code) + 1}",)
}
"""The explanations by cause; they are in one file."""


def golden_explanations() -> Mapping[str, str]:
    """Return the texts of the file."""
    parts = (FOLDER / "explanations.txt").read_text("utf-8").split("== ")[1:]
    return {name: text for name, _, text in (part.partition("\n") for part in parts)}


def main() -> None:
    """Write all files."""
    FOLDER.mkdir(exist_ok=True)
    for name, make in FILES.items():
        (FOLDER / name).write_text(make(), "utf-8")
    parts = (f"== {name}\n{make()}" for name, make in EXPLANATIONS.items())
    (FOLDER / "explanations.txt").write_text("".join(parts), "utf-8")


if __name__ == "__main__":
    main()
