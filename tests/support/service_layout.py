"""Shared helpers of the tests of the service layout: profiles, the context rule, and blobs."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM

from kmscore import DecryptionError, Keyring, Suite, SymmetricKey
from kmscore.alibaba import ContextBinding, Payload, Profile, SortOrder, VersionIndex
from kmscore.keys import Key
from support.strategies import symmetric_key

VERSION = "86a9efd9-3d16-4894-bd4f-1fc43f3f2abf"
"""The key version ID of the vector, and of the sample on the reference page of the service."""

OTHER_VERSION = "0b2cd9d8-8bd9-4a4a-9c5e-59d3b1b1a001"
THIRD_VERSION = "F2D3E4A5-0000-4000-8000-00000000000a"

VECTOR_BLOB = base64.b64decode(
    "ODZhOWVmZDktM2QxNi00ODk0LWJkNGYtMWZjNDNmM2YyYWJmAAECAwQFBgcICQoLHUWAdp/XqmvsLOP4075NG"
    "+CewU2TSA1NXAmBsXgxcIVnWJ/XyfVR2hPLMtC+ChdNqfNVW7SYkjTfCcwB"
)
VECTOR_MATERIAL = bytes(range(0x20))
VECTOR_IV = bytes(range(0x0C))
VECTOR_CONTEXT: Mapping[str, str] = {"b": "2", "a": "1"}
VECTOR_DIGEST = bytes.fromhex("8e85be58c1c372ac29fe7bfa80d8ddcbd04a4032c7b51c1c026d67c55b1ab23f")
VECTOR_PLAINTEXT = bytes(range(0x64, 0x84))

PLAIN_SUITES = tuple(suite for suite in Suite if suite is not Suite.XAES_256_GCM)
PREFIX = b"\x24\x00\x02"
RAW = Profile(payload=Payload.RAW)
SERVICE_PROFILES = tuple(
    Profile(
        payload=payload,
        sort_order=order,
        empty_is_absent=absent,
        context_binding=binding,
        prefix=prefix,
    )
    for payload, order, absent, binding, prefix in product(
        Payload, SortOrder, (False, True), ContextBinding, (b"", PREFIX)
    )
)
"""Every combination of the options."""

AMBIGUOUS: Mapping[str, str] = {"a": "1", "b": "2"}


def written_order(text: str, order: SortOrder) -> list[int]:
    """Return the sort key of a text: its code points, or its UTF-16 code units."""
    numbers: list[int] = []
    for point in map(ord, text):
        if order is SortOrder.CODE_POINT or point < 0x10000:
            numbers.append(point)
        else:
            numbers += [0xD800 + (point - 0x10000 >> 10), 0xDC00 + (point - 0x10000 & 0x3FF)]
    return numbers


def written_rule(context: Mapping[str, str] | None, profile: Profile) -> bytes:
    """Return the associated data according to the documented rule of the vendor."""
    if context is None or (profile.empty_is_absent and not context):
        return b""
    if profile.context_binding is ContextBinding.JSON:
        members = (json_string(key) + ":" + json_string(text) for key, text in context.items())
        return ("{" + ",".join(members) + "}").encode()
    pairs = sorted(context.items(), key=lambda pair: written_order(pair[0], profile.sort_order))
    digest = hashlib.sha256("&".join(key + "=" + value for key, value in pairs).encode())
    is_raw = profile.context_binding is ContextBinding.DIGEST
    return digest.digest() if is_raw else digest.hexdigest().encode()


def json_string(text: str) -> str:
    """Return a text as a JSON string with only the required escapes."""
    escapes = {point: f"\\u{point:04x}" for point in range(0x20)}
    short = {
        '"': '\\"',
        "\\": "\\\\",
        "\b": "\\b",
        "\f": "\\f",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
    }
    return f'"{text.translate(escapes | str.maketrans(short))}"'


def seal_by_hand(
    key: SymmetricKey, payload: bytes, associated_data: bytes = b"", prefix: bytes = b""
) -> bytes:
    """Return a blob in the service layout with any payload, made without the library."""
    iv, material = bytes(range(0x40, 0x4C)), key.export_material()
    if key.suite is Suite.SM4_GCM:
        encryptor = Cipher(SM4(material), GCM(iv)).encryptor()
        encryptor.authenticate_additional_data(associated_data)
        sealed = encryptor.update(payload) + encryptor.finalize() + encryptor.tag
    else:
        sealed = AESGCM(material).encrypt(iv, payload, associated_data)
    return prefix + key.key_version_id.encode("ascii") + iv + sealed


def service_key(
    suite: Suite = Suite.AES_256_GCM,
    key_id: str = "source",
    key_version_id: str = VERSION,
    **options: Any,
) -> SymmetricKey:
    """Return a new key that the service layout supports."""
    return symmetric_key(suite, key_id, key_version_id, **options)


def index(*keys: Key) -> VersionIndex:
    """Return the index of a keyring with these keys."""
    return VersionIndex(Keyring(keys))


class VersionOracle:
    """A provider that returns or raises a given answer for a key version ID."""

    def __init__(self, answer: Any, primary: Any = None) -> None:
        """Take the answers."""
        self.answer = answer
        self.primary_answer = primary

    def primary(self, key_id: str) -> Any:
        """See `KeyProvider`."""
        del key_id
        return self.primary_answer

    def version(self, key_id: str, key_version_id: str) -> Any:
        """Fail, because a blob in the service layout does not contain a key ID."""
        pytest.fail(f"asked for {key_version_id} of {key_id}")

    def version_by_id(self, key_version_id: str) -> Any:
        """See `KeyVersionProvider`."""
        del key_version_id
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


def assert_tells_nothing(call: Callable[[], object]) -> None:
    """Check that the call raises a plain `DecryptionError` without cause or context."""
    with pytest.raises(DecryptionError) as caught:
        call()
    error = caught.value
    assert type(error) is DecryptionError
    assert (error.args, vars(error)) == ((), {})
    assert str(error) == "the ciphertext cannot be decrypted with this key and encryption context"
    assert (error.__cause__, error.__context__) == (None, None)
    assert error.__suppress_context__ is False
