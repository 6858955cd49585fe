"""Inputs of the audit kit: operations of every form that succeed, and some of each kind that fail.

All keys are fixed test keys or keys of this run.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import kmscore
from kmscore import (
    Keyring,
    KeySpec,
    KeyState,
    RsaKey,
    Sm2Key,
    Suite,
    SymmetricKey,
    alibaba,
    asymmetric_encrypt,
    hazmat,
    sm2,
)
from kmscore.alibaba import ContextBinding, JsonContext, Payload, Profile, SortOrder

CONTEXT = {"tenant": "acme", "table": "orders"}
PLAINTEXT = b"card 4711 0815, valid until 12/29"
VERSION = "86a9efd9-3d16-4894-bd4f-1fc43f3f2abf"
OTHER_VERSION = "00000000-3d16-4894-bd4f-1fc43f3f2abf"
WIDE_CONTEXT = {"\U0001f511": "", "\ufb01": "\u00e9", "a": "1"}

PROFILES = (
    Profile.V1,
    Profile.V1_TEXT,
    Profile.ALIBABA,
    Profile(payload=Payload.RAW),
    Profile(prefix=b"\x24\x00\x02", empty_is_absent=True),
    Profile(context_binding=ContextBinding.JSON),
    Profile(context_binding=ContextBinding.HEXADECIMAL_DIGEST, sort_order=SortOrder.UTF_16),
)


class Case(NamedTuple):
    """One call of a trace function."""

    name: str
    function: str
    arguments: tuple[Any, ...]
    options: dict[str, Any]

    def run(self, audit: Any) -> Any:
        """Call the function of a module `kmscore.audit`."""
        return getattr(audit, self.function)(*self.arguments, **self.options)


@cache
def keyring() -> Keyring:
    """Return a keyring with a key of every kind."""
    bound = {
        # With the first of these keys, the first bit of L is 1; with the second it is 0.
        "xaes": (KeySpec.AES_256, Suite.XAES_256_GCM, bytes(range(0x20, 0x40)), "1"),
        "xaes-0": (KeySpec.AES_256, Suite.XAES_256_GCM, bytes([1] * 32), "1"),
        "gcm": (KeySpec.AES_256, Suite.AES_256_GCM, bytes(range(32)), VERSION),
        "gcm-192": (KeySpec.AES_192, None, bytes(range(24)), "1"),
        "gcm-128": (KeySpec.AES_128, None, bytes(range(16)), "1"),
        "sm4": (KeySpec.SM4, None, bytes(range(16, 32)), OTHER_VERSION),
    }
    made: list[kmscore.SymmetricKey | RsaKey | Sm2Key] = [
        SymmetricKey(name, version, spec, material, suite=suite)
        for name, (spec, suite, material, version) in bound.items()
    ]
    made.append(SymmetricKey("off", "1", KeySpec.AES_128, bytes(16), state=KeyState.DISABLED))
    made.append(SymmetricKey("gcm-128", "2", KeySpec.AES_128, bytes(range(1, 17))))
    made.append(RsaKey("off-rsa", "1", rsa_key()._private_key, state=KeyState.DISABLED))
    made.append(rsa_key())
    made.append(
        # The private key of the example in GM/T 0003.5-2012 Annex C.
        Sm2Key.from_scalar(
            "sm2", "1", 0x3945208F_7B2144B1_3F36E38A_C6D39F95_88939369_2860B51A_42FB81EF_4DF7C5B8
        )
    )
    return Keyring(made)


@cache
def rsa_key() -> RsaKey:
    """Return an RSA key of this run."""
    return RsaKey.generate(KeySpec.RSA_2048, key_id="rsa", key_version_id="1")


SYMMETRIC = ("xaes", "xaes-0", "gcm", "gcm-192", "gcm-128", "sm4")
RSA_ALGORITHMS = ("RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1")


@cache
def asymmetric_ciphertexts() -> dict[str, tuple[str, bytes]]:
    """Return key ID and ciphertext by name of the form."""
    public = keyring().primary("sm2").public_key  # type: ignore[union-attr]
    short = asymmetric_encrypt(public, "SM2PKE", PLAINTEXT)
    # With this k, x1 begins with a zero byte, so that its INTEGER has less than 32 bytes.
    small = hazmat.sm2_encrypt(public, PLAINTEXT * 2, 327)
    assert small[1] == 0
    return {
        name: (name, asymmetric_encrypt(rsa_key().public_key, name, PLAINTEXT))
        for name in RSA_ALGORITHMS
    } | {
        "SM2PKE": ("SM2PKE", short),
        "SM2PKE of 300 bytes in DER": (
            "SM2PKE",
            sm2.convert(asymmetric_encrypt(public, "SM2PKE", bytes(300)), "C1C3C2", "ASN1_DER"),
        ),
        "SM2PKE in DER": ("SM2PKE", sm2.convert(short, "C1C3C2", "ASN1_DER")),
        "SM2PKE in DER, short x1": ("SM2PKE", sm2.convert(small, "C1C3C2", "ASN1_DER")),
    }


def key_of(algorithm: str) -> str:
    """Return the key ID for an algorithm."""
    return "sm2" if algorithm == "SM2PKE" else "rsa"


def header_of(key_id: str, version: str) -> bytes:
    """Return a header of AES_256_GCM."""
    ids = (bytes([len(each)]) + each.encode("ascii") for each in (key_id, version))
    return b"KMS\x01\x01" + b"".join(ids)


def blob_of(
    key_id: str,
    plaintext: bytes = PLAINTEXT,
    context: Any = CONTEXT,
    profile: Profile = Profile.V1,
) -> bytes:
    """Return a new blob."""
    return alibaba.encrypt(
        keyring(), key_id, plaintext, context, profile=profile, allow_ambiguous=True
    ).ciphertext_blob


def successes() -> Iterator[Case]:
    """Yield cases that succeed."""
    keys = keyring()
    for key_id in SYMMETRIC:
        blob = blob_of(key_id)
        yield Case(f"encrypt {key_id}", "trace_encrypt", (keys, key_id, PLAINTEXT, CONTEXT), {})
        yield Case(f"decrypt {key_id}", "trace_decrypt", (keys, blob, CONTEXT), {})
    cases = {"a": "1", "B": "2", "_": "3", "": ""}
    yield Case(
        "decrypt, key order", "trace_decrypt", (keys, blob_of("gcm", b"x", cases), cases), {}
    )
    old = hazmat.encrypt(
        Keyring([key for key in keys if (key.key_id, key.key_version_id) == ("gcm-128", "1")]),
        "gcm-128",
        PLAINTEXT,
        iv=bytes(12),
    ).ciphertext_blob
    yield Case("decrypt, older version", "trace_decrypt", (keys, old), {})
    for length in (0, 1, 16, 17):
        data = os.urandom(length)
        blob = blob_of("xaes", data, WIDE_CONTEXT)
        yield Case(f"decrypt {length} bytes", "trace_decrypt", (keys, blob, WIDE_CONTEXT), {})
        yield Case(f"encrypt {length} bytes", "trace_encrypt", (keys, "gcm-128", data), {})
    for number, profile in enumerate(PROFILES):
        for context in (None, {}, {"a": "b"}, WIDE_CONTEXT):
            name = f"profile {number}, {len(context or {})} pairs"
            options = {"profile": profile, "allow_ambiguous": True}
            blob = blob_of("gcm", PLAINTEXT, context, profile)
            yield Case(f"decrypt, {name}", "trace_decrypt", (keys, blob, context), options)
            arguments = keys, "sm4", PLAINTEXT, context
            yield Case(f"encrypt, {name}", "trace_encrypt", arguments, options)
    text = JsonContext('{"b": "1", "a":"2"}')
    options = {"profile": PROFILES[5]}
    yield Case(
        "decrypt, JSON text",
        "trace_decrypt",
        (keys, blob_of("gcm", b"x", text, PROFILES[5]), text),
        options,
    )
    for name, (algorithm, ciphertext) in asymmetric_ciphertexts().items():
        ids = key_of(algorithm), "1"
        arguments = keys, *ids, algorithm, ciphertext
        yield Case(f"decrypt {name}", "trace_asymmetric_decrypt", arguments, {})
        options = {
            "source_key_id": ids[0],
            "source_key_version_id": ids[1],
            "source_algorithm": algorithm,
            "destination_context": CONTEXT,
        }
        yield Case(f"re-encrypt {name}", "trace_reencrypt", (keys, ciphertext, "xaes"), options)
    for source, destination in ((0, 0), (1, 1), (0, 1), (1, 0), (2, 0), (3, 0), (2, 3), (0, 2)):
        one, other = PROFILES[source], PROFILES[destination]
        plaintext = b"QUJD" if (source, destination) == (0, 2) else PLAINTEXT
        yield Case(
            f"re-encrypt, profile {source} to {destination}",
            "trace_reencrypt",
            (keys, blob_of("gcm", plaintext, {"a": "b"}, one), "sm4"),
            {
                "source_profile": one,
                "destination_profile": other,
                "source_context": {"a": "b"},
                "destination_context": {"c": "d"},
                "source_key_id": "gcm",
                "source_key_version_id": VERSION,
            },
        )


def failures() -> Iterator[Case]:
    """Yield cases that fail, by each code and in each step."""
    keys = keyring()

    def decrypt(name: str, blob: bytes, context: Any = CONTEXT, **options: Any) -> Case:
        return Case(f"decrypt, {name}", "trace_decrypt", (keys, blob, context), options)

    for key_id in SYMMETRIC:
        blob = blob_of(key_id)
        yield decrypt(f"{key_id}, wrong context", blob, {"tenant": "acne", "table": "orders"})
        yield decrypt(f"{key_id}, last bit of the tag", blob[:-1] + bytes([blob[-1] ^ 1]))
        yield decrypt(f"{key_id}, first bit of the ciphertext", _flip(blob, len(blob) - 48))
    blob = blob_of("gcm")
    for length in (0, 3, 4, 5, 8, 9, 20, 46, 60):
        yield decrypt(f"{length} bytes", blob[:length])
    yield decrypt("6,702 bytes", blob.ljust(6702, b"x"))
    for name, offset, value in (
        *(("magic", 0, 0), ("version", 3, 2), ("suite", 4, 6), ("another suite", 4, 5)),
        *(("no key ID", 5, 0), ("space in the key ID", 6, 0x20), ("DEL in the key ID", 6, 0x7F)),
        *(("another key", 6, 0x41), ("another version", 10, 0x41)),
    ):
        yield decrypt(name, blob[:offset] + bytes([value]) + blob[offset + 1 :])
    header = header_of("gcm", VERSION)
    yield decrypt("6,145 bytes of ciphertext", header + bytes(12 + 6145 + 16))
    for key_id, suite in (("off", 3), ("off-rsa", 1), ("rsa", 1), ("sm2", 1)):
        named = b"KMS\x01%c%c%b\x011" % (suite, len(key_id), key_id.encode())
        yield decrypt(f"under {key_id}", named + bytes(40))
    for name, context in (
        *(("number", {"a": 1}), ("number as a key", {1: "a"}), ("surrogate", {"a": "\ud800"})),
        ("65,536 bytes", {"a": "b" * 65_529}),
    ):
        yield decrypt(f"context with {name}", blob, context)
        yield Case(
            f"encrypt, context with {name}", "trace_encrypt", (keys, "gcm", b"", context), {}
        )
    yield from _failures_of_service(decrypt)
    yield from _failures_of_encryption(keys)
    yield from _failures_of_asymmetric(keys)
    yield from _failures_of_reencryption(keys)


def _failures_of_service(decrypt: Callable[..., Case]) -> Iterator[Case]:
    service, raw, instance = PROFILES[2], PROFILES[3], PROFILES[4]
    blob = blob_of("gcm", PLAINTEXT, {"a": "b"}, service)
    single = {"a": "b"}
    yield decrypt("service, wrong context", blob, {"a": "c"}, profile=service)
    yield decrypt("service, no context", blob, None, profile=service)
    yield decrypt("service, tag", _flip(blob, len(blob) - 1), single, profile=service)
    yield decrypt("service, ambiguous", blob, CONTEXT, profile=service)
    yield decrypt("service, = in a value", blob, {"a": "b=c"}, profile=service)
    yield decrypt("service, prefix", blob, single, profile=instance)
    yield decrypt("service, short", blob[:63], single, profile=service)
    yield decrypt("service, long", blob.ljust(8260, b"x"), single, profile=service)
    yield decrypt("service, no UUID", b"x" + blob[1:], single, profile=service)
    yield decrypt("service, another version", b"0" + blob[1:], single, profile=service)
    yield decrypt("service, number", blob, {"a": 1}, profile=service)
    start = VERSION.encode() + bytes(12)
    yield decrypt("service, 8,193 bytes", start + bytes(8193 + 16), single, profile=raw)
    text = blob_of("gcm", b"no Base64", single, raw)
    yield decrypt("service, no Base64", text, single, profile=service)
    yield decrypt("v1, no Base64", blob_of("gcm"), profile=Profile.V1_TEXT)
    yield decrypt("v1 text, long", blob_of("gcm", bytes(6144)), profile=Profile.V1_TEXT)
    others = Keyring(
        [
            SymmetricKey("a", VERSION, KeySpec.AES_256, bytes(32)),
            SymmetricKey("b", OTHER_VERSION, KeySpec.AES_128, bytes(16), state="Disabled"),
            RsaKey("c", "11111111" + VERSION[8:], rsa_key()._private_key),
        ]
    )
    for name, version in (
        ("bound to XAES", VERSION),
        ("disabled", OTHER_VERSION),
        ("RSA", "1" * 8),
    ):
        named = (version + VERSION[len(version) :]).encode() + bytes(40)
        yield Case(
            f"decrypt, service, {name}",
            "trace_decrypt",
            (others, named, None),
            {"profile": service},
        )


def _failures_of_encryption(keys: Keyring) -> Iterator[Case]:
    for key_id in ("", "no key", "missing", "off", "off-rsa", "rsa", "sm2"):
        yield Case(f"encrypt under {key_id!r}", "trace_encrypt", (keys, key_id, b"x"), {})
    for number, length in ((0, 6145), (1, 4609), (2, 6145), (3, 8193)):
        yield Case(
            f"encrypt {length} bytes, profile {number}",
            "trace_encrypt",
            (keys, "gcm", bytes(length)),
            {"profile": PROFILES[number]},
        )
    for key_id in ("xaes", "gcm-128"):
        options = {"profile": Profile.ALIBABA}
        yield Case(f"encrypt, service, {key_id}", "trace_encrypt", (keys, key_id, b"x"), options)


def _failures_of_asymmetric(keys: Keyring) -> Iterator[Case]:
    def decrypt(name: str, key_id: str, algorithm: str, data: bytes, version: str = "1") -> Case:
        arguments = keys, key_id, version, algorithm, data
        return Case(f"asymmetric, {name}", "trace_asymmetric_decrypt", arguments, {})

    forms = asymmetric_ciphertexts()
    rsa = forms["RSAES_OAEP_SHA_256"][1]
    for name, key_id, algorithm, version in (
        *(("unknown algorithm", "rsa", "RSA", "1"), ("empty key ID", "", "SM2PKE", "1")),
        *(("missing key", "missing", "SM2PKE", "1"), ("missing version", "rsa", "SM2PKE", "2")),
        *(("empty version", "rsa", "SM2PKE", ""), ("symmetric key", "gcm-128", "SM2PKE", "1")),
        *(("disabled", "off", "SM2PKE", "1"), ("another algorithm", "rsa", "SM2PKE", "1")),
    ):
        yield decrypt(name, key_id, algorithm, rsa, version)
    for name, data in (
        *(
            ("empty", b""),
            ("short", rsa[:-1]),
            ("long", rsa + b"x"),
            ("not below n", b"\xff" * 256),
        ),
        *(("zero", bytes(256)), ("one bit", _flip(rsa, 255)), ("7,000 bytes", bytes(7000))),
    ):
        yield decrypt(f"RSA, {name}", "rsa", "RSAES_OAEP_SHA_256", data)
    yield decrypt("RSA, another hash", "rsa", "RSAES_OAEP_SHA_1", rsa)
    for name, data in hostile_oaep().items():
        yield decrypt(f"RSA, {name}", "rsa", "RSAES_OAEP_SHA_256", data)
    yield from (
        decrypt(f"SM2, {name}", "sm2", "SM2PKE", data) for name, data in hostile_sm2().items()
    )


def hostile_oaep() -> dict[str, bytes]:
    """Return RSA ciphertexts whose encoded message has one wrong part, by that part."""
    label = hashlib.sha256(b"").digest()
    seed, zeros, message = bytes(range(32)), bytes(256 - 66 - 5), b"hello"
    public = rsa_key()._private_key.private_numbers().public_numbers

    def encode(first: bytes, block: bytes) -> bytes:
        masked = _xor(block, _mask(seed, len(block)))
        encoded = first + _xor(seed, _mask(masked, 32)) + masked
        return pow(int.from_bytes(encoded, "big"), public.e, public.n).to_bytes(256, "big")

    return {
        "first byte 01": encode(b"\x01", label + zeros + b"\x01" + message),
        "another label": encode(b"\x00", hashlib.sha256(b"x").digest() + zeros + b"\x01" + message),
        "no 01": encode(b"\x00", label + zeros + bytes(6)),
        "02 in place of 01": encode(b"\x00", label + zeros + b"\x02" + message),
        "last byte of lHash": encode(b"\x00", _flip(label, 31) + zeros + b"\x01" + message),
    }


def _mask(seed: bytes, length: int) -> bytes:
    """Return MGF1 with SHA-256."""
    blocks = (hashlib.sha256(seed + number.to_bytes(4, "big")).digest() for number in range(8))
    return b"".join(blocks)[:length]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def hostile_sm2() -> dict[str, bytes]:
    """Return SM2 ciphertexts that are rejected, by their defect."""
    forms = asymmetric_ciphertexts()
    raw, der = forms["SM2PKE"][1], forms["SM2PKE in DER"][1]
    y = int.from_bytes(raw[33:65], "big")
    p = sm2.curve.P
    beyond = p + _small_x()
    x_beyond = beyond.to_bytes(32, "big") + _y_of(_small_x()).to_bytes(32, "big")
    return {
        "empty": b"",
        "first byte": b"\x05" + raw[1:],
        "short": raw[:96],
        "no C2": raw[:97],
        "long": raw.ljust(6145, b"x"),
        "7,000 bytes": b"\x04" + bytes(7000),
        "off the curve": raw[:33] + ((y + 1) % p).to_bytes(32, "big") + raw[65:],
        "x not below p": b"\x04" + x_beyond + raw[65:],
        "C3": _flip(raw, 70),
        "C2": _flip(raw, len(raw) - 1),
        "DER, C3": der[:-1] + bytes([der[-1] ^ 1]),
        "DER, trailing byte": der + b"\x00",
        "DER, short": der[:-1],
        "DER, another tag": b"\x30\x00",
        "DER, off the curve": sm2.encodings.serialize(
            sm2.encodings.Sm2Ciphertext(sm2.curve.Point(1, 1), bytes(32), b"x"),
            sm2.Sm2Encoding.ASN1_DER,
        ),
        "DER, huge x": _der(1 << 400, 1),
        "DER, negative x": _der(-1, 1),
        "DER, x of 33 bytes": _der(1 << 256, 1),
    }


def _der(x: int, y: int) -> bytes:
    """Return a DER ciphertext with any INTEGERs."""

    def part(tag: int, content: bytes) -> bytes:
        return bytes([tag, len(content)]) + content

    numbers = (
        part(2, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)) for value in (x, y)
    )
    body = b"".join(numbers) + part(4, bytes(32)) + part(4, b"x")
    return b"\x30\x81" + bytes([len(body)]) + body if len(body) > 127 else part(0x30, body)


def _small_x() -> int:
    """Return a coordinate of a point that is so small that p can be added."""
    return next(x for x in range(1, 1000) if _y_of(x) is not None)


def _y_of(x: int) -> Any:
    """Return a y for an x, or `None`."""
    p, a, b = sm2.curve.P, sm2.curve.A, sm2.curve.B
    square = (x**3 + a * x + b) % p
    root = pow(square, (p + 1) // 4, p)
    return root if root * root % p == square else None


def _failures_of_reencryption(keys: Keyring) -> Iterator[Case]:
    def move(name: str, data: bytes, destination: str = "sm4", **options: Any) -> Case:
        options = {"source_context": CONTEXT} | options
        return Case(f"re-encrypt, {name}", "trace_reencrypt", (keys, data, destination), options)

    blob = blob_of("gcm")
    for destination in ("missing", "off", "rsa", "a b"):
        yield move(f"to {destination}", blob, destination)
    yield move("wrong context", blob, source_context={})
    yield move("tag", _flip(blob, len(blob) - 1))
    yield move("another key ID", blob, source_key_id="sm4")
    yield move("another version ID", blob, source_key_version_id="1")
    yield move("number in the new context", blob, destination_context={"a": 1})
    missing = blob.replace(b"gcm", b"mcg", 1)
    two = {"source_context": {"a": 1}, "destination_context": {"a": 1}}
    for name, options in (
        *(
            ("both contexts", two),
            ("new context and source key", {"destination_context": {"a": 1}}),
        ),
        *(("given ID and source key", {"source_key_id": "x"}), ("both keys", {})),
    ):
        yield move(f"faults of {name}", missing, "missing", **options)
    long = header_of("gcm", VERSION) + bytes(12 + 6145 + 16)
    yield move("faults of new key and size", long, "missing")
    yield move("faults of size and tag", long)
    yield move("long", blob_of("gcm", bytes(6144)), destination_profile=Profile.V1_TEXT)
    service = PROFILES[2]
    source = blob_of("gcm", PLAINTEXT, None, service)
    options = {"source_profile": service, "source_context": None}
    yield move("service, another key ID", source, source_key_id="sm4", **options)
    yield move("service, another version ID", source, source_key_version_id="1", **options)
    yield move(
        "to the service, ambiguous", blob, destination_profile=service, destination_context=CONTEXT
    )
    yield move("to the service, XAES", blob, "xaes", destination_profile=service)
    for name, (algorithm, ciphertext) in asymmetric_ciphertexts().items():
        options = {
            "source_algorithm": algorithm,
            "source_key_id": key_of(algorithm),
            "source_key_version_id": "1",
            "source_context": None,
        }
        yield move(name, _flip(ciphertext, len(ciphertext) - 1), **options)
        yield move(f"{name}, context", ciphertext, **options | {"source_context": CONTEXT})
    yield move("unknown algorithm", b"", **options | {"source_algorithm": "RSA"})
    public = keyring().primary("sm2").public_key  # type: ignore[union-attr]
    long = asymmetric_encrypt(public, "SM2PKE", bytes(4609))
    yield move("SM2, long", long, **options, destination_profile=Profile.V1_TEXT)


def _flip(data: bytes, offset: int) -> bytes:
    return data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :]
