"""Harnesses of SM2 ciphertexts, in all encodings and with a key."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from fuzz.harness import Failed, Harness, kind_of, outcome_of, shortest, vectors
from kmscore import DecryptionError, InvalidBlobError, Keyring, Sm2Key, asymmetric_decrypt, sm2
from kmscore.sm2 import Sm2Encoding

_ENCODINGS = tuple(Sm2Encoding)
_SCALAR = 0x3945208F_7B2144B1_3F36E38A_C6D39F95_88939369_2860B51A_42FB81EF_4DF7C5B8
_P = 2**256 - 2**224 - 2**96 + 2**64 - 1
_B = 0x28E9FA9E_9D9F5E34_4D5A9E4B_CF6509A7_F39789F5_15AB8F92_DDBCBD41_4D940E93
_KEYS = Keyring([Sm2Key.from_scalar("sm2", "v1", _SCALAR)])


def check_encodings(data: bytes) -> None:
    """Read in the encoding of the first byte; each encoding of a value is the only one."""
    source = _ENCODINGS[data[0] % len(_ENCODINGS)] if data else Sm2Encoding.ASN1_DER
    ciphertext = data[1:]
    for target in _ENCODINGS:
        converted = outcome_of(lambda: sm2.convert(ciphertext, source, target), InvalidBlobError)  # noqa: B023
        if isinstance(converted, Failed):
            return
        assert sm2.convert(converted, target, source) == ciphertext
        if target is source:
            assert converted == ciphertext
    point = sm2.convert(ciphertext, source, Sm2Encoding.C1C3C2_BARE)
    x, y = int.from_bytes(point[:32], "big"), int.from_bytes(point[32:64], "big")
    assert max(x, y) < _P
    assert pow(y, 2, _P) == (pow(x, 3, _P) - 3 * x + _B) % _P


def check_decryption(data: bytes) -> None:
    """Decrypt; only the ciphertexts of the vectors have a plaintext, the same in each encoding."""
    result = _decrypted(data)
    encoding = Sm2Encoding.ASN1_DER if data.startswith(b"\x30") else Sm2Encoding.C1C3C2
    other = Sm2Encoding.C1C3C2 if encoding is Sm2Encoding.ASN1_DER else Sm2Encoding.ASN1_DER
    converted = outcome_of(lambda: sm2.convert(data, encoding, other), InvalidBlobError)
    if isinstance(converted, Failed):
        assert isinstance(result, Failed)
        return
    assert _decrypted(converted) == result
    raw = converted if other is Sm2Encoding.C1C3C2 else data
    assert (None if isinstance(result, Failed) else result.plaintext) == _plaintexts().get(raw)


def _decrypted(ciphertext: bytes) -> Any:
    return outcome_of(
        lambda: asymmetric_decrypt(_KEYS, "sm2", "v1", "SM2PKE", ciphertext), DecryptionError
    )


@cache
def _plaintexts() -> dict[bytes, bytes]:
    """Return the plaintexts of the valid vectors by C1C3C2. No input can have another right C3."""
    found = {}
    for each in vectors("sm2pke"):
        if each["type"] != "asymmetric_decrypt" or each["result"] != "valid":
            continue
        if int(each["d"], 16) == _SCALAR:
            raw = bytes.fromhex(each["ciphertext"])
            if raw.startswith(b"\x30"):
                raw = sm2.convert(raw, Sm2Encoding.ASN1_DER, Sm2Encoding.C1C3C2)
            found[raw] = bytes.fromhex(each["plaintext"])
    return found


def _encoded() -> Iterator[bytes]:
    found = (each for each in vectors("sm2pke") if each["type"] == "sm2_convert")
    candidates = (
        (
            (*kind_of(each), each["source"]),
            bytes([_ENCODINGS.index(Sm2Encoding(each["source"]))])
            + bytes.fromhex(each["ciphertext"]),
        )
        for each in found
        if each["source"] in set(Sm2Encoding)
    )
    return shortest(candidates, 320)


def _ciphertexts() -> Iterator[bytes]:
    found = (each for each in vectors("sm2pke") if each["type"] == "asymmetric_decrypt")
    candidates = ((kind_of(each), bytes.fromhex(each["ciphertext"])) for each in found)
    return shortest(candidates, 320)


HARNESSES = {
    "sm2-encodings": Harness(check_encodings, _encoded, 320, (b"\x02\x21\x00", b"\x04\x20")),
    "sm2-decryption": Harness(check_decryption, _ciphertexts, 320, (b"\x02\x21\x00", b"\x04\x20")),
}
