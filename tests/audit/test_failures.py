"""After a failure, a trace has no value that was computed with a key, and no option shows one.

The attacks here know all bytes of a trace in all its forms. They succeed with the values of an
operation that succeeds, and fail with those of one that fails.
"""

import base64
import json
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from support.audit_cases import (
    CONTEXT,
    PLAINTEXT,
    PROFILES,
    Case,
    asymmetric_ciphertexts,
    blob_of,
    failures,
    hostile_oaep,
    keyring,
    rsa_key,
)

import kmscore
from kmscore import KmsCoreError, audit
from kmscore.audit import Secrecy, Trace, primitives, render

_ALL = frozenset({Secrecy.PLAINTEXT, Secrecy.MESSAGE})
_FAILURES = list(failures())


@pytest.mark.parametrize("case", _FAILURES, ids=lambda case: case.name)
def test_a_failed_trace_has_only_public_values_without_a_key(case: Case) -> None:
    """Every value is public, and so are all values from which it follows."""
    trace = case.run(audit)
    assert trace.outcome != "ok"
    values = trace.values
    assert {value.secrecy for value in values.values()} <= {Secrecy.PUBLIC}
    for value in values.values():
        assert value.formula is None or set(value.formula.inputs) <= set(values)
        assert value.source is None or "keyring" not in value.source or value.id[-1] in "ne"
    assert trace.steps[-1].verdict is False
    assert all(step.verdict is not False for step in trace.steps[:-1])


@pytest.mark.parametrize("case", _FAILURES, ids=lambda case: case.name)
def test_no_option_shows_more_of_a_failed_trace(case: Case) -> None:
    """All forms are the same with and without `reveal`."""
    trace = case.run(audit)
    for form in (render.text, render.json, render.html):
        shown, revealed = form(trace), form(trace, reveal=_ALL)
        assert shown == revealed


def _windows(trace: Trace, size: int) -> set[bytes]:
    """Return all byte strings of a length in a trace and in its forms."""
    texts = [form(trace, reveal=_ALL) for form in (render.text, render.json, render.html)]
    data = [value.data for value in trace.values.values()]
    for text in texts:
        plain = re.sub(r"<[^>]*>|\s", "", text)
        data += [bytes.fromhex(each) for each in re.findall(r"(?:[0-9a-f]{2}){16,}", plain)]
        data += [
            base64.b64decode(each[: len(each) // 4 * 4])
            for each in re.findall(r"[A-Za-z0-9+/]{22,}={0,2}", plain)
            if len(each) < 10_000
        ]
    return {
        each[start : start + size]
        for each in data
        if len(each) < 400
        for start in range(len(each) - size + 1)
    }


def _values(trace: Trace, size: int) -> set[bytes]:
    """Return all values of a length in a trace object."""
    return {value.data for value in trace.values.values() if len(value.data) == size}


def _hash(hash_key: bytes, associated_data: bytes, ciphertext: bytes) -> bytes:
    """Return GHASH of associated data and ciphertext."""
    total = bytes(16)
    data = b"".join(map(primitives.pad, (associated_data, ciphertext)))
    data += primitives.lengths(associated_data, ciphertext)
    for start in range(0, len(data), 16):
        total = primitives.ghash(total, data[start : start + 16], hash_key)
    return total


def _opens(blob: bytes, context: dict[str, str]) -> bool:
    try:
        kmscore.decrypt(keyring(), blob, context)
    except KmsCoreError:
        return False
    return True


def _forge_blob(trace: Trace, blob: bytes, context: dict[str, str]) -> bool:
    """Return whether some values of a trace give the tag of a blob that was never encrypted."""
    parsed = kmscore.CiphertextBlob.parse(blob)
    associated = parsed.header + kmscore.EncryptionContext(context).canonical
    for tag in _windows(trace, 16):
        if _opens(blob[:-16] + tag, context):
            return True
    # H and E(J0), from the values themselves: all pairs of windows would take hours.
    values = _values(trace, 16)
    for hash_key, mask in product(values, values):
        hashed = _hash(hash_key, associated, parsed.ciphertext)
        if _opens(blob[:-16] + primitives.xor(hashed, mask), context):
            return True
    for key in _windows(trace, 32):
        try:
            AESGCM(key).decrypt(parsed.iv[-12:], parsed.ciphertext + parsed.tag, associated)
        except InvalidTag:
            continue
        return True
    return False


def _altered(blob: bytes) -> bytes:
    """Return a blob with another first byte of ciphertext."""
    place = len(blob) - 16 - len(PLAINTEXT)
    return blob[:place] + bytes([blob[place] ^ 1]) + blob[place + 1 :]


@pytest.mark.parametrize("key_id", ["gcm", "xaes", "sm4"])
def test_no_forgery_from_a_failed_blob(key_id: str) -> None:
    """The trace of an altered blob gives no tag for it; that of the original one does."""
    blob = blob_of(key_id)
    altered = _altered(blob)
    assert not _forge_blob(audit.trace_decrypt(keyring(), altered, CONTEXT), altered, CONTEXT)
    assert _forge_blob(audit.trace_decrypt(keyring(), blob, CONTEXT), altered, CONTEXT)


def test_no_root_of_a_chosen_number_from_a_failed_ciphertext() -> None:
    """The trace of a chosen number has no value whose power it is: it would be a signature."""
    public = rsa_key()._private_key.private_numbers().public_numbers

    def has_root(trace: Trace, number: int) -> bool:
        roots = (int.from_bytes(each, "big") for each in _windows(trace, 256))
        return any(pow(root, public.e, public.n) == number for root in roots)

    algorithm, good = asymmetric_ciphertexts()["RSAES_OAEP_SHA_256"]
    chosen = bytes(220) + bytes(range(1, 37))
    for ciphertext, expected in (
        (chosen, False),
        (good, True),
        *((c, False) for c in hostile_oaep().values()),
    ):
        trace = audit.trace_asymmetric_decrypt(keyring(), "rsa", "1", algorithm, ciphertext)
        assert has_root(trace, int.from_bytes(ciphertext, "big")) is expected


def _opens_sm2(trace: Trace, ciphertext: bytes) -> bool:
    """Return whether some values of a trace open a ciphertext in C1C3C2, or forge one."""
    c3, c2 = ciphertext[65:97], ciphertext[97:]
    windows = sorted(_values(trace, 32))
    for digest in windows:
        forged = ciphertext[:65] + digest + c2
        try:
            kmscore.asymmetric_decrypt(keyring(), "sm2", "1", "SM2PKE", forged)
        except KmsCoreError:
            continue
        return True
    for x2, y2 in product(windows, windows):
        stream = primitives.sm3(x2, y2, b"\0\0\0\1") + primitives.sm3(x2, y2, b"\0\0\0\2")
        message = primitives.xor(c2, stream[: len(c2)])
        if primitives.sm3(x2, message, y2) == c3:
            return True
    return False


def test_no_plaintext_and_no_forgery_from_a_failed_sm2_ciphertext() -> None:
    """A wrong C3 does not show the right one, nor the point that opens the ciphertext."""
    good = asymmetric_ciphertexts()["SM2PKE"][1]
    wrong = good[:70] + bytes([good[70] ^ 1]) + good[71:]

    def trace(ciphertext: bytes) -> Trace:
        return audit.trace_asymmetric_decrypt(keyring(), "sm2", "1", "SM2PKE", ciphertext)

    assert not _opens_sm2(trace(wrong), wrong)
    assert not _opens_sm2(trace(wrong), good)
    assert _opens_sm2(trace(good), good)
    assert _opens_sm2(trace(good), wrong)


def _structure(trace: Trace) -> Any:
    """Return the JSON form without the bytes that the ciphertext itself determines."""

    def strip(node: Any) -> Any:
        if isinstance(node, dict):
            hidden = {"data", "command"}
            return {name: name if name in hidden else strip(each) for name, each in node.items()}
        return [strip(each) for each in node] if isinstance(node, list) else node

    return strip(json.loads(render.json(trace, reveal=_ALL)))


def _same(traces: Iterator[Trace]) -> None:
    first, *others = map(_structure, traces)
    assert others
    assert all(other == first for other in others)


def test_a_trace_does_not_show_which_part_of_the_padding_is_wrong() -> None:
    """All wrong encoded messages give traces of one structure (Manger, CRYPTO 2001)."""
    good = asymmetric_ciphertexts()["RSAES_OAEP_SHA_256"][1]
    ciphertexts = [*hostile_oaep().values(), good[:-1] + bytes([good[-1] ^ 1])]
    _same(
        audit.trace_asymmetric_decrypt(keyring(), "rsa", "1", "RSAES_OAEP_SHA_256", each)
        for each in ciphertexts
    )


def test_a_trace_does_not_show_whether_the_tag_or_the_base64_is_wrong() -> None:
    """In a profile with Base64 texts, the two are one error, as in the operation."""
    profile, raw = PROFILES[2], PROFILES[3]
    text = blob_of("gcm", b"not Base64 at all", {"a": "b"}, raw)
    wrong = text[:-1] + bytes([text[-1] ^ 1])
    _same(
        audit.trace_decrypt(keyring(), each, {"a": "b"}, profile=profile) for each in (text, wrong)
    )


def test_a_trace_does_not_show_whether_the_kdf_or_the_digest_is_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A KDF output of zeros and a wrong C3 give traces of one structure (SPEC 7.5)."""
    good = asymmetric_ciphertexts()["SM2PKE"][1]
    wrong = good[:70] + bytes([good[70] ^ 1]) + good[71:]
    traces = [audit.trace_asymmetric_decrypt(keyring(), "sm2", "1", "SM2PKE", wrong)]
    # No known ciphertext has a KDF output of zeros and a right C3, so the function returns zeros.
    zeros = dict(primitives.PRIMITIVES) | {"first": lambda length, *_: bytes(length)}
    monkeypatch.setattr("kmscore.audit.notes.PRIMITIVES", zeros)
    traces.append(audit.trace_asymmetric_decrypt(keyring(), "sm2", "1", "SM2PKE", wrong))
    _same(iter(traces))
