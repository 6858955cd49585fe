"""Each trace follows, step by step, from the inputs and outputs of its test."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any, Final, TypeAlias

import pytest
from constructions import HASH_NAMES, coordinates, derive, key_stream, mgf1, sm3, xor
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.serialization import load_der_private_key
from support import spec_decoder
from support.samples import sampled
from vector_files import WYCHEPROOF

from kmscore.algorithms import EncryptionAlgorithm
from kmscore.alibaba.parameters import ACTIONS
from kmscore.sm2 import convert
from kmscore.sm2.backends.portable import multiply
from kmscore.sm2.curve import G, Point
from kmscore_vectors.files import NAMES, installed_folder

Fields: TypeAlias = Mapping[str, Any]
Trace: TypeAlias = dict[str, Any]
Test: TypeAlias = tuple[str, Fields]

_FILES: Final[Mapping[str, Any]] = {
    name: json.loads((installed_folder() / f"{name}.json").read_bytes()) for name in NAMES
}
_SM4: Final = "04"
_XAES: Final = "05"


def _valid(name: str) -> Iterator[Test]:
    """Yield the operation and the fields of each valid test of a file."""
    for group in _FILES[name]["testGroups"]:
        for test in group["tests"]:
            if test["result"] == "valid":
                yield group["type"], group | test


def _hex(**values: bytes) -> Trace:
    return {name: value.hex() for name, value in values.items()}


def _header(blob: bytes) -> bytes:
    """Return the header of section 3.1, by its length fields."""
    end = 6 + blob[5]
    return blob[: end + 1 + blob[end]]


def _sorted_pairs(pairs: Any) -> list[list[str]]:
    """Return the pairs in the order of section 4.1 step 4."""
    encoded = sorted((key.encode(), value.encode()) for key, value in pairs)
    return [[key.hex(), value.hex()] for key, value in encoded]


def _nothing(_: Fields) -> Trace:
    return {}


def _parse_blob(test: Fields) -> Trace:
    return _hex(header=_header(bytes.fromhex(test["blob"])))


def _canonicalize(test: Fields) -> Trace:
    return {"sortedPairs": _sorted_pairs(test["pairs"])}


def _canonicalize_json(test: Fields) -> Trace:
    return {"sortedPairs": _sorted_pairs(json.loads(test["json"]).items())}


def _associated_data(blob: bytes, pairs: Any) -> bytes:
    """Return A of section 5.2."""
    return _header(blob) + spec_decoder.canonical(pairs)


def _open(blob: bytes, key: bytes, pairs: Any) -> tuple[bytes, Trace]:
    """Return the plaintext of a blob, with the values that its trace must have."""
    fields = spec_decoder.parse_blob(blob)
    iv, ciphertext, tag = (bytes.fromhex(fields[name]) for name in ("iv", "ciphertext", "tag"))
    trace = {"sortedPairs": _sorted_pairs(pairs)}
    trace |= _hex(associatedData=_associated_data(blob, pairs))
    if fields["suite_id"] == _XAES:
        key, iv = derive(key, iv).derived_key, iv[12:]
        trace |= _hex(derivedKey=key)
    cipher = SM4(key) if fields["suite_id"] == _SM4 else AES(key)
    opener = Cipher(cipher, GCM(iv, tag)).decryptor()
    opener.authenticate_additional_data(_associated_data(blob, pairs))
    plaintext = opener.update(ciphertext) + opener.finalize()
    return plaintext, trace | _hex(counterBlock=iv + bytes.fromhex("00000001"))


def _aead(test: Fields) -> Trace:
    key = bytes.fromhex(test["key"])
    plaintext, trace = _open(bytes.fromhex(test["blob"]), key, test["pairs"])
    assert plaintext.hex() == test["plaintext"]
    return trace


@cache
def _rsa_key(private_key: str) -> RSAPrivateKey:
    key = load_der_private_key(bytes.fromhex(private_key), None)
    assert isinstance(key, RSAPrivateKey)
    return key


def _rsa_open(private_key: str, algorithm: str, ciphertext: bytes) -> tuple[bytes, Trace]:
    """Return the plaintext by section 6.2, with the values of section 6.1."""
    numbers = _rsa_key(private_key).private_numbers()
    c, p, q = int.from_bytes(ciphertext, "big"), numbers.p, numbers.q
    mq = pow(c, numbers.dmq1, q)
    m = mq + q * ((pow(c, numbers.dmp1, p) - mq) * numbers.iqmp % p)
    em, hash_name = m.to_bytes(len(ciphertext), "big"), HASH_NAMES[algorithm]
    label_hash = hashlib.new(hash_name).digest()
    size = len(label_hash)
    masked_seed, masked_db = em[1 : 1 + size], em[1 + size :]
    seed_mask = mgf1(hash_name, masked_db, size)
    seed = xor(masked_seed, seed_mask)
    db_mask = mgf1(hash_name, seed, len(masked_db))
    db = xor(masked_db, db_mask)
    padding, _, message = db[size:].partition(b"\x01")
    assert (em[0], db[:size], padding) == (0, label_hash, bytes(len(padding)))
    trace = _hex(lHash=label_hash, seed=seed, DB=db, dbMask=db_mask, maskedDB=masked_db)
    return message, trace | _hex(seedMask=seed_mask, maskedSeed=masked_seed, EM=em)


def _sm2_open(d: int, ciphertext: bytes) -> tuple[bytes, Trace]:
    """Return the plaintext by section 7.5, with the values of section 7.4."""
    encoding = "ASN1_DER" if ciphertext[:1] == b"\x30" else "C1C3C2"
    raw = convert(ciphertext, encoding, "C1C3C2_BARE")
    c1, c3, c2 = raw[:64], raw[64:96], raw[96:]
    point = Point(int.from_bytes(c1[:32], "big"), int.from_bytes(c1[32:], "big"))
    x2, y2 = coordinates(multiply(d, point))
    stream = key_stream(x2, y2, len(c2))
    message = xor(c2, stream)
    assert sm3(x2, message, y2) == c3
    return message, _hex(C1=c1, x2=x2, y2=y2, t=stream, C2=c2, C3=c3)


def _point(k: str) -> str:
    return b"".join(coordinates(multiply(int(k, 16), G))).hex()


_CHOSEN_POINTS = {"ExtremePoint", "ShortCoordinate"}
_BEFORE_SCALAR = bytes.fromhex("0201010420")  # version 1 and the head of the scalar (RFC 5915)


def _asymmetric_decrypt(test: Fields) -> Trace:
    ciphertext = bytes.fromhex(test["ciphertext"])
    if test["algorithm"] == EncryptionAlgorithm.SM2PKE.value:
        message, trace = _sm2_open(int(test["d"], 16), ciphertext)
        # Some points were chosen directly, so their k is unknown.
        if test["flags"][0] not in _CHOSEN_POINTS or "k" in test["trace"]:
            k = test["trace"]["k"]  # C1 shows only whether this k is right
            assert _point(k) == trace["C1"]
            trace = {"k": k, **trace}
    else:
        message, trace = _rsa_open(test["private_key"], test["algorithm"], ciphertext)
    assert message.hex() == test["plaintext"]
    return trace


def _sm2_encrypt(test: Fields) -> Trace:
    raw = bytes.fromhex(test["ciphertext"])[1:]
    c1, c3, c2 = raw[:64], raw[64:96], raw[96:]
    x, y = bytes.fromhex(test["public_key"])[-64:-32], bytes.fromhex(test["public_key"])[-32:]
    point = Point(int.from_bytes(x, "big"), int.from_bytes(y, "big"))
    x2, y2 = coordinates(multiply(int(test["k"], 16), point))
    stream = key_stream(x2, y2, len(c2))
    assert xor(c2, stream).hex() == test["plaintext"]
    assert sm3(x2, xor(c2, stream), y2) == c3
    assert c1.hex() == _point(test["k"])
    return {"k": test["k"], **_hex(C1=c1, x2=x2, y2=y2, t=stream, C2=c2, C3=c3)}


def _reencrypt(test: Fields) -> Trace:
    """Return the trace of section 8: the plaintext of the source, and the steps of its sealing."""
    keys = {(key["key_id"], key["key_version_id"]): key for key in test["keys"]}
    response, source = test["response"], bytes.fromhex(test["ciphertext_blob"])
    key = keys[response["source_key_id"], response["source_key_version_id"]]
    if test["source_algorithm"] is None:
        pairs = test["source_pairs"]
        plaintext, opened = _open(source, bytes.fromhex(key["key"]), pairs)
        trace = _hex(plaintext=plaintext) | {"sourceAssociatedData": opened["associatedData"]}
    elif test["source_algorithm"] == EncryptionAlgorithm.SM2PKE.value:
        pkcs8 = bytes.fromhex(key["private_key"])
        start = pkcs8.index(_BEFORE_SCALAR) + len(_BEFORE_SCALAR)
        d = int.from_bytes(pkcs8[start : start + 32], "big")
        trace = _hex(plaintext=_sm2_open(d, source)[0])
    else:
        opened_with = key["private_key"], test["source_algorithm"]
        trace = _hex(plaintext=_rsa_open(*opened_with, source)[0])
    if test["dry_run"]:
        return trace
    key = keys[response["destination_key_id"], response["destination_key_version_id"]]
    sealed = bytes.fromhex(response["ciphertext_blob"])
    plaintext, rest = _open(sealed, bytes.fromhex(key["key"]), test["destination_pairs"])
    assert plaintext.hex() == trace["plaintext"]
    return trace | rest


def _parse_service_blob(test: Fields) -> Trace:
    """Return the trace of section 13.2: the key version ID, as it is in the blob."""
    start = len(test["prefix"])
    assert test["blob"].startswith(test["prefix"])
    return {"keyVersionIdBytes": test["blob"][start : start + 72]}


def _json_string(text: str) -> str:
    """Return a string of JSON as section 14.1 has it."""
    short = {34: '\\"', 92: "\\\\", 8: "\\b", 12: "\\f", 10: "\\n", 13: "\\r", 9: "\\t"}
    escapes = {point: f"\\u{point:04x}" for point in range(0x20)} | short
    return f'"{text.translate(escapes)}"'


def _service_text(test: Fields) -> str:
    """Return the text of section 13.3; the default order is by code point."""
    if test.get("context_binding") == "json":
        pairs = (f"{_json_string(key)}:{_json_string(value)}" for key, value in test["pairs"])
        return f"{{{','.join(pairs)}}}"
    is_utf_16 = test.get("sort_order") == "utf_16"
    order = {key: key.encode("utf-16-be" if is_utf_16 else "utf-32-be") for key, _ in test["pairs"]}
    pairs = sorted(test["pairs"], key=lambda pair: order[pair[0]])
    return "&".join(f"{key}={value}" for key, value in pairs)


def _has_context(test: Fields) -> bool:
    """Return whether a context counts as present; without the option, `{}` counts as present."""
    pairs = test["pairs"]
    return bool(pairs) or (pairs is not None and not test.get("empty_is_absent", False))


def _service_rule(test: Fields) -> Trace:
    return {"text": _service_text(test)} if _has_context(test) else {}


def _bound(test: Fields, trace: Trace) -> bytes:
    """Return the associated data of section 13.3."""
    if not trace:
        return b""
    text = trace["text"].encode()
    digest = hashlib.sha256(text)
    return {
        "digest": digest.digest(),
        "hexadecimal_digest": digest.hexdigest().encode(),
        "json": text,
    }[test["context_binding"]]


def _service_associated_data(test: Fields) -> Trace:
    """Return the trace of section 13.3, from which the output follows."""
    trace = _service_rule(test)
    assert _bound(test, trace).hex() == test["associated_data"]
    return trace


def _service_decrypt(test: Fields) -> Trace:
    """Return the trace of section 13.5: the associated data and the sealed payload."""
    trace = _service_rule(test)
    data = _bound(test, trace)
    start = len(test["prefix"]) // 2 + 36
    blob = bytes.fromhex(test["blob"])
    iv, ciphertext, tag = blob[start : start + 12], blob[start + 12 : -16], blob[-16:]
    cipher = (SM4 if test["suite_id"] == _SM4 else AES)(bytes.fromhex(test["key"]))
    decryptor = Cipher(cipher, GCM(iv, tag)).decryptor()
    decryptor.authenticate_additional_data(data)
    payload = decryptor.update(ciphertext) + decryptor.finalize()
    plaintext = base64.b64decode(payload) if test["payload"] == "base64" else payload
    assert plaintext.hex() == test["plaintext"]
    counter_block = iv + (1).to_bytes(4, "big")
    return trace | _hex(associatedData=data, payload=payload, counterBlock=counter_block)


_STEPS: Final[Mapping[str | None, set[str]]] = {
    None: {"answer"},
    "DryRunOperationError": {"answer"},
    "Forbidden.NoPermission": {"permission"},
    "AccessDeniedError": {"permission"},
    "Unsupported.Alias": {"resolve"},
    "Forbidden.AliasNotFound": {"existence"},
    "Forbidden.KeyNotFound": {"existence", "operation"},
    "Forbidden.KeyVersionNotFound": {"existence", "operation"},
    "MissingParameter": {"action", "parameters", "resolve"},
    "InvalidParameter": {"dry run", "action", "parameters", "resolve", "operation"},
    "UnsupportedOperation": {"action", "operation"},
    "Rejected.Disabled": {"operation"},
    "Rejected.PendingDeletion": {"operation"},
    "Rejected.PendingImport": {"operation"},
    "ValidationError": {"action", "parameters", "resolve", "existence", "operation"},
}
"""The steps of section 14.2 that can decide, for each code."""


def _api_call(test: Fields) -> Trace:
    """Return the step that decides, as far as parameters and response show it."""
    steps = _STEPS[test["response"].get("Code")]
    params, step = test["params"], test["trace"]["step"]
    misspelt = {name.lower() for name in params if name not in {"Action", "DryRun"}}
    if "dryrun" in misspelt:
        steps = steps & {"dry run"}
    elif "action" in misspelt:
        steps = steps & {"action"}
    elif params.get("Action") not in ACTIONS:
        steps = steps & {"dry run", "action"}
    elif params.get("DryRun", "").lower() not in {"true", "false", ""}:
        steps = steps & {"dry run"}
    else:
        steps = steps - {"dry run", "action"}
    return {"step": step if step in steps else f"one of {sorted(steps)}"}


_STEP_OF_CODE: Final = {
    "OK": "verified",
    "InvalidAccessKeyId.NotFound": "access key",
    "SignatureDoesNotMatch": "signature",
    "InvalidTimeStamp.Expired": "date",
    "SignatureNonceUsed": "nonce",
}


def _verify_request(test: Fields) -> Trace:
    """Return the step that decides, as far as the code and the request show it."""
    code = test["verified"]["code"]
    if code == "IncompleteSignature":
        given = test["target"].encode() + bytes.fromhex(test["body"])
        has_parameter = b"Signature=" in given or b'"Signature"' in given
        has_both = has_parameter and any(name == "authorization" for name, _ in test["headers"])
        return {"step": "parse" if has_both else "form"}
    return {"step": _STEP_OF_CODE.get(code, "parse")}


_TRACES: Final[Mapping[str, Callable[[Fields], Trace]]] = {
    "parse_blob": _parse_blob,
    "parse_blob_base64": _nothing,
    "canonicalize": _canonicalize,
    "canonicalize_json": _canonicalize_json,
    "encrypt": _aead,
    "decrypt": _aead,
    "asymmetric_decrypt": _asymmetric_decrypt,
    "sm2_convert": _nothing,
    "sm2_encrypt": _sm2_encrypt,
    "reencrypt": _reencrypt,
    "parse_service_blob": _parse_service_blob,
    "service_associated_data": _service_associated_data,
    "is_ambiguous": _service_rule,
    "collisions": _service_rule,
    "service_decrypt": _service_decrypt,
    "api_call": _api_call,
    "verify_request": _verify_request,
    "accumulated": _nothing,
}


@pytest.mark.parametrize("step", sampled([5, 1], 2), ids=["some", "all"])
@pytest.mark.parametrize("name", [name for name in NAMES if name not in WYCHEPROOF])
def test_each_trace_follows_from_its_test(name: str, step: int) -> None:
    """Every field of every trace has the value from the specification's steps."""
    wrong = [
        test["tcId"]
        for operation, test in islice(_valid(name), 0, None, step)
        if _TRACES[operation](test) != test["trace"]
    ]
    assert wrong == []
