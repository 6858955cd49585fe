"""The classes of rejected inputs: of a v1 blob, of RSAES-OAEP and of SM2PKE.

The name of a class is the fault. `AGAIN` marks the class that is there twice.
"""

import hashlib
import os
import random
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

import kmscore
from benchmarks.fixtures import rsa_key, sm2_key, symmetric_key
from benchmarks.timing.sampling import Input, Subject
from benchmarks.timing.zero_streams import ZeroStreams
from kmscore import EncryptionAlgorithm, Keyring, KeySpec, RsaKey, Suite
from kmscore.algorithms import ENCRYPTION_ALGORITHMS, TAG_LENGTH
from kmscore.sm2.encodings import C3_LENGTH, Sm2Ciphertext, Sm2Encoding, parse, serialize

AGAIN: Final = ", again"
_TEXT_LENGTH: Final = 32
_SUITES: Final = (Suite.AES_256_GCM, Suite.XAES_256_GCM, Suite.SM4_GCM)
_OAEP: Final = (EncryptionAlgorithm.RSAES_OAEP_SHA_256, EncryptionAlgorithm.RSAES_OAEP_SHA_1)
_BACKENDS: Final = {"openssl": 100_000, "portable": 20_000}


def _changed(data: bytes, start: int, stop: int | None = None) -> bytes:
    """Return `data` with every byte from `start` to before `stop` changed."""
    first, last, _ = slice(start, stop).indices(len(data))
    middle = bytes(byte ^ random.randrange(1, 256) for byte in data[first:last])
    return data[:first] + middle + data[last:]


class _Blob(NamedTuple):
    """A v1 blob and another one of the same key, with their contexts."""

    blob: bytes
    other: bytes
    context: dict[str, str]
    other_context: dict[str, str]


def blob_subject(suite: Suite) -> Subject:
    """Return the subject of `decrypt` with a v1 blob of a suite."""
    key = symmetric_key(1, suite)
    keys = Keyring([key])
    iv = len(key.header)
    text = iv + suite.iv_length

    def original() -> _Blob:
        context, other_context = ({"tenant": os.urandom(4).hex()} for _ in range(2))
        blob, other = (
            kmscore.encrypt(keys, key.key_id, os.urandom(_TEXT_LENGTH), context).ciphertext_blob
            for _ in range(2)
        )
        return _Blob(blob, other, context, other_context)

    def fault(start: int, stop: int | None) -> Callable[[_Blob], Input]:
        return lambda it: (_changed(it.blob, start, stop), it.context)

    classes: dict[str, Callable[[_Blob], Input]] = {
        "first byte of the tag": fault(-TAG_LENGTH, -TAG_LENGTH + 1),
        "last byte of the tag": fault(-1, None),
        "all bytes of the tag": fault(-TAG_LENGTH, None),
        "context": lambda it: (it.blob, it.other_context),
        "IV": fault(iv, text),
        "ciphertext of another blob": lambda it: (
            it.blob[:text] + it.other[text:-TAG_LENGTH] + it.blob[-TAG_LENGTH:],
            it.context,
        ),
        f"first byte of the tag{AGAIN}": fault(-TAG_LENGTH, -TAG_LENGTH + 1),
    }
    call = partial(kmscore.decrypt, keys)
    return Subject(f"blob, {suite.name}", call, original, classes, samples=500_000)


def oaep_subject(algorithm: EncryptionAlgorithm) -> Subject:
    """Return the subject of `asymmetric_decrypt` with RSA_2048 and OAEP."""
    key = rsa_key(KeySpec.RSA_2048)
    call = partial(
        kmscore.asymmetric_decrypt, Keyring([key]), key.key_id, key.key_version_id, algorithm
    )
    block = _OaepBlock(key, algorithm)
    (other,) = set(_OAEP) - {algorithm}
    end = block.label + block.hash_length  # of the label hash
    separator = block.length - _TEXT_LENGTH - 1

    def fault(start: int, stop: int) -> Callable[[bytes], Input]:
        return lambda it: (block.encrypt(_changed(it, start, stop)),)

    classes: dict[str, Callable[[bytes], Input]] = {
        "first byte": lambda it: (block.encrypt(it, first=random.randrange(1, 128)),),
        "label hash": fault(block.label, end),
        "no separator": lambda it: (block.encrypt(it[:end] + bytes(block.length - end)),),
        "first of the zeros": lambda it: (block.encrypt(_with(it, end, 0x02)),),
        "last of the zeros": lambda it: (block.encrypt(_with(it, separator - 1, 0x02)),),
        "separator": lambda it: (block.encrypt(_with(it, separator, 0x02)),),
        "first byte and label hash": lambda it: (
            block.encrypt(_changed(it, block.label, end), first=1),
        ),
        "valid under the other hash": lambda it: (
            kmscore.asymmetric_encrypt(key.public_key, other, it[separator + 1 :]),
        ),
        f"label hash{AGAIN}": fault(block.label, end),
    }
    return Subject(f"OAEP, {algorithm.name}", call, block.original, classes, samples=100_000)


def _with(data: bytes, offset: int, value: int) -> bytes:
    """Return `data` with another byte at an offset."""
    return data[:offset] + bytes([value]) + data[offset + 1 :]


class _OaepBlock:
    """The data block of OAEP with one hash (RFC 8017 section 7.1.1), made with any fault.

    A block has zeros in place of the first byte and of the seed, so that its offsets are those of
    the encoded message.
    """

    def __init__(self, key: RsaKey, algorithm: EncryptionAlgorithm) -> None:
        numbers = key._private_key.public_key().public_numbers()
        self._modulus, self._exponent = numbers.n, numbers.e
        self._hash = str(ENCRYPTION_ALGORITHMS[algorithm].hash_name)
        self.hash_length = hashlib.new(self._hash).digest_size
        self.label = 1 + self.hash_length
        self.length = (numbers.n.bit_length() + 7) // 8

    def original(self) -> bytes:
        """Return a valid block with a random message."""
        start = bytes(self.label) + hashlib.new(self._hash).digest()
        zeros = bytes(self.length - len(start) - 1 - _TEXT_LENGTH)
        return start + zeros + b"\x01" + os.urandom(_TEXT_LENGTH)

    def encrypt(self, block: bytes, first: int = 0) -> bytes:
        """Return the ciphertext of a block, with a random seed and a first byte below 128."""
        seed = os.urandom(self.hash_length)
        masked = _xor(block[self.label :], self._mask(seed, self.length - self.label))
        masked_seed = _xor(seed, self._mask(masked, self.hash_length))
        message = int.from_bytes(bytes([first]) + masked_seed + masked, "big")
        return pow(message, self._exponent, self._modulus).to_bytes(self.length, "big")

    def _mask(self, seed: bytes, length: int) -> bytes:
        """Return MGF1 (RFC 8017 section B.2.1)."""
        counters = range(-(-length // self.hash_length))
        hashes = [hashlib.new(self._hash, seed + i.to_bytes(4, "big")).digest() for i in counters]
        return b"".join(hashes)[:length]


def _xor(left: bytes, right: bytes) -> bytes:
    """Return the XOR of two byte strings of equal length."""
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


class _Sm2Pair(NamedTuple):
    """A ciphertext, and another one of the same length under the same key."""

    parts: Sm2Ciphertext
    other: Sm2Ciphertext


def sm2_subject(backend: str) -> Subject:
    """Return the subject of `asymmetric_decrypt` with SM2PKE on a backend."""
    key = sm2_key(backend)

    def encrypted() -> Sm2Ciphertext:
        text = os.urandom(_TEXT_LENGTH)
        raw = kmscore.asymmetric_encrypt(key.public_key, EncryptionAlgorithm.SM2PKE, text)
        return parse(raw, Sm2Encoding.C1C3C2)

    classes: dict[str, Callable[[_Sm2Pair], Input]] = {
        **_digest_faults(),
        "C1 of another ciphertext": lambda it: _raw(it.parts._replace(c1=it.other.c1)),
        "C2": lambda it: _raw(it.parts._replace(c2=_changed(it.parts.c2, 0))),
        f"first byte of C3{AGAIN}": _digest_faults()["first byte of C3"],
    }
    name, samples = f"SM2PKE, {backend}", _BACKENDS[backend]
    return Subject(
        name, _sm2_call(backend), lambda: _Sm2Pair(encrypted(), encrypted()), classes, samples
    )


def zero_stream_subject(backend: str) -> Subject:
    """Return the subject of SM2 ciphertexts of one byte whose KDF output is zero.

    C1 is from a list, because only one of 256 random points has such an output. All classes use the
    same list. With the right C3, step B4 of GB/T 32918.4 is the only fault.
    """
    streams = ZeroStreams(sm2_key(backend))

    def original() -> _Sm2Pair:
        parts = streams.draw()
        return _Sm2Pair(parts, parts)

    classes: dict[str, Callable[[_Sm2Pair], Input]] = {
        **_digest_faults(),
        "KDF output of zeros": lambda it: _raw(it.parts),
        "C2": lambda it: _raw(it.parts._replace(c2=_changed(it.parts.c2, 0))),
        f"first byte of C3{AGAIN}": _digest_faults()["first byte of C3"],
    }
    name, samples = f"SM2PKE, {backend}, one byte", _BACKENDS[backend]
    return Subject(name, _sm2_call(backend), original, classes, samples)


def _digest_faults() -> dict[str, Callable[[_Sm2Pair], Input]]:
    """Return the classes of a wrong C3."""
    places = {"first byte": (0, 1), "last byte": (C3_LENGTH - 1, C3_LENGTH), "all bytes": (0, None)}

    def fault(start: int, stop: int | None) -> Callable[[_Sm2Pair], Input]:
        return lambda it: _raw(it.parts._replace(c3=_changed(it.parts.c3, start, stop)))

    return {f"{name} of C3": fault(*place) for name, place in places.items()}


def _sm2_call(backend: str) -> Callable[..., object]:
    """Return `asymmetric_decrypt` with the key of a backend."""
    key, algorithm = sm2_key(backend), EncryptionAlgorithm.SM2PKE
    ids = key.key_id, key.key_version_id
    return partial(kmscore.asymmetric_decrypt, Keyring([key]), *ids, algorithm)


def _raw(parts: Sm2Ciphertext) -> Input:
    """Return a ciphertext as C1C3C2."""
    return (serialize(parts, Sm2Encoding.C1C3C2),)


SUBJECTS: Final[dict[str, Callable[[], Subject]]] = {
    **{f"blob {suite.name}": partial(blob_subject, suite) for suite in _SUITES},
    **{f"oaep {algorithm.name}": partial(oaep_subject, algorithm) for algorithm in _OAEP},
    **{f"sm2 {name}": partial(sm2_subject, name) for name in _BACKENDS},
    **{f"sm2-zero {name}": partial(zero_stream_subject, name) for name in _BACKENDS},
}
"""Functions that create the subjects, by the word and the name for `--only`."""
