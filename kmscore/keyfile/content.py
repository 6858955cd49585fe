"""Encode a keyring as plain bytes and decode it; the package docstring has the format."""

from collections.abc import Mapping
from itertools import groupby
from types import MappingProxyType
from typing import Final, TypeVar

from kmscore.algorithms import KEY_SPECS, KeySpec, KeyState, Suite
from kmscore.errors import InvalidKeyError
from kmscore.keyring import Keyring
from kmscore.keys import PRIVATE_KEYS, Key, SymmetricKey
from kmscore.keys.pem import decode_pem
from kmscore.keys.private_file import PKCS8_LABEL

_Value = TypeVar("_Value")

_SPEC_CODES: Final[Mapping[KeySpec, int]] = MappingProxyType(
    {
        KeySpec.AES_256: 0x01,
        KeySpec.AES_192: 0x02,
        KeySpec.AES_128: 0x03,
        KeySpec.SM4: 0x04,
        KeySpec.RSA_2048: 0x05,
        KeySpec.RSA_3072: 0x06,
        KeySpec.RSA_4096: 0x07,
        KeySpec.EC_SM2: 0x08,
    }
)
_STATE_CODES: Final[Mapping[KeyState, int]] = MappingProxyType(
    {
        KeyState.ENABLED: 0x01,
        KeyState.DISABLED: 0x02,
        KeyState.PENDING_DELETION: 0x03,
        KeyState.PENDING_IMPORT: 0x04,
    }
)
_NO_SUITE: Final = 0x00

_SPECS: Final = {code: spec for spec, code in _SPEC_CODES.items()}
_STATES: Final = {code: state for state, code in _STATE_CODES.items()}
_SUITES: Final = {_NO_SUITE: None} | {suite.value: suite for suite in Suite}

_COUNT_LENGTH: Final = 4
_MATERIAL_LENGTH_LENGTH: Final = 2


def encode_keyring(keyring: Keyring) -> bytes:
    """Return the content of a keyring: plain bytes that include all key material."""
    keys = [(key_id, list(group)) for key_id, group in groupby(keyring, lambda key: key.key_id)]
    fields = [_count(len(keys))]
    for key_id, versions in keys:
        fields += (
            _text(key_id),
            bytes([_SPEC_CODES[versions[0].spec]]),
            _count(len(versions)),
            _count(versions.index(keyring.primary(key_id))),
        )
        for key in versions:
            material = _material(key)
            suite = key.suite.value if isinstance(key, SymmetricKey) else _NO_SUITE
            fields += (
                _text(key.key_version_id),
                bytes([_STATE_CODES[key.state], suite]),
                len(material).to_bytes(_MATERIAL_LENGTH_LENGTH, "big"),
                material,
            )
    return b"".join(fields)


def decode_keyring(content: bytes) -> Keyring:
    """Return the keyring that a content encodes.

    Raises `InvalidKeyError` if `content` is not the content of a keyring, and
    `UnsupportedAlgorithmError` if an algorithm of one of its keys is not available.
    """
    reader = _Reader(content)
    keys: list[Key] = []
    primary: dict[str, str] = {}
    for _ in range(reader.number(_COUNT_LENGTH)):
        key_id, spec = reader.text(), reader.one_of(_SPECS)
        count, index = reader.number(_COUNT_LENGTH), reader.number(_COUNT_LENGTH)
        # Read one version at a time, because `count` can be larger than the content allows.
        versions = [_read_version(reader, key_id, spec) for _ in range(count)]
        if index >= count:
            raise _invalid("has a primary version index that is out of range")
        primary[key_id] = versions[index].key_version_id
        keys += versions
    keyring = Keyring(keys, primary=primary)
    # Encode again and compare, to reject every second encoding of a keyring: a key in two parts, a
    # different DER form, a suite for a key without suites, trailing bytes.
    if encode_keyring(keyring) != content:
        raise _invalid("is not the canonical encoding of its keyring")
    return keyring


def _read_version(reader: "_Reader", key_id: str, spec: KeySpec) -> Key:
    """Return the next key version."""
    key_version_id, state = reader.text(), reader.one_of(_STATES)
    suite, material = reader.one_of(_SUITES), reader.take(reader.number(_MATERIAL_LENGTH_LENGTH))
    if KEY_SPECS[spec].suites:
        return SymmetricKey(key_id, key_version_id, spec, material, suite=suite, state=state)
    return PRIVATE_KEYS[spec].from_der(key_id, key_version_id, material, state=state)


def _material(key: Key) -> bytes:
    """Return the raw key material, or PKCS#8 in DER for RSA and SM2."""
    if isinstance(key, SymmetricKey):
        return key.export_material()
    return decode_pem(key.private_pem(), (PKCS8_LABEL,))[1]


def _count(number: int) -> bytes:
    return number.to_bytes(_COUNT_LENGTH, "big")


def _text(text: str) -> bytes:
    """Return an ID with its length; the key has checked that it is 1 to 255 ASCII characters."""
    return bytes([len(text)]) + text.encode("ascii")


class _Reader:
    """A reader of the fields of a content, in order; each length is checked before the slice."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._offset = 0

    def take(self, length: int) -> bytes:
        """Return the next `length` bytes."""
        start = self._offset
        if length > len(self._content) - start:
            raise _invalid("ends early")
        self._offset = start + length
        return self._content[start : self._offset]

    def number(self, length: int) -> int:
        """Return the next number, which has `length` bytes."""
        return int.from_bytes(self.take(length), "big")

    def text(self) -> str:
        """Return the next ID, not checked; the constructor of the key checks it."""
        return self.take(self.number(1)).decode("latin-1")

    def one_of(self, vocabulary: Mapping[int, _Value]) -> _Value:
        """Return the value whose code is the next byte."""
        code = self.number(1)
        if code not in vocabulary:
            raise _invalid(f"has the unknown code {code:02x}")
        return vocabulary[code]


def _invalid(reason: str) -> InvalidKeyError:
    """Return the `InvalidKeyError`, which shows at most one code of the content."""
    return InvalidKeyError(f"the content of the sealed keyring {reason}")
