"""A responder for the test vectors: encryption contexts, and XAES-256-GCM on `cryptography`.

    kmscore-vectors run -- python vectors_responder.py

It imports nothing of `kmscore`. Put your own implementation in the place of the functions.
"""

import json
import sys
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def canonicalize(pairs: list[list[str]]) -> dict[str, str]:
    """Return the canonical bytes of a context, SPEC.md section 4.1."""
    encoded = sorted((key.encode(), value.encode()) for key, value in pairs)
    canonical = len(encoded).to_bytes(2, "big") if encoded else b""
    for text in (text for pair in encoded for text in pair):
        canonical += len(text).to_bytes(2, "big") + text
    if len(canonical) > 0xFFFF:
        raise ValueError("too long")
    return {"canonical": canonical.hex()}


def decrypt(key: str, iv: str, aad: str, ct: str, tag: str) -> dict[str, str]:
    """Derive a key of AES-256-GCM, and decrypt with it, SPEC.md section 5.4."""
    if (len(iv), len(tag)) != (48, 32):
        raise ValueError("not an IV of 24 bytes and a tag of 16")
    aes = Cipher(algorithms.AES256(bytes.fromhex(key)), modes.ECB())  # noqa: S305 (single blocks)
    block = aes.encryptor().update
    left = int.from_bytes(block(bytes(16)), "big") << 1
    k1 = left ^ (left >> 128) * (1 << 128 | 0x87)
    halves = (int(f"000{number}5800{iv[:24]}", 16) ^ k1 for number in (1, 2))
    cipher = AESGCM(b"".join(block(half.to_bytes(16, "big")) for half in halves))
    plaintext = cipher.decrypt(bytes.fromhex(iv[24:]), bytes.fromhex(ct + tag), bytes.fromhex(aad))
    return {"msg": plaintext.hex()}


OPERATIONS: dict[str, tuple[Callable[..., dict[str, str]], str]] = {
    "canonicalize": (canonicalize, "invalid_context"),
    "xaes_256_gcm_open": (decrypt, "decryption"),
}

for line in sys.stdin:
    question = json.loads(line)
    answer: dict[str, object] = {"unsupported": True}
    if question["operation"] in OPERATIONS:
        function, code = OPERATIONS[question["operation"]]
        try:
            answer = {"outputs": function(**question["inputs"])}
        except (ValueError, OverflowError, InvalidTag):
            answer = {"error": code}
    print(json.dumps({"id": question["id"], **answer}), flush=True)
