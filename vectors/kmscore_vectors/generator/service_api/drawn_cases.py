"""The drawn cases of the service's layout: blobs with every option, and requests to decrypt."""

import json
from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.keys.keyring import ring_field
from kmscore_vectors.generator.model import Fields, Json, hex_fields
from kmscore_vectors.generator.service_api.cases import PLAIN, REQUEST_ID, V1, policy, to_base64
from kmscore_vectors.generator.service_api.table import (
    BAD_CIPHERTEXT,
    NO_PERMISSION,
    NO_VERSION,
    Rejection,
)
from kmscore_vectors.generator.service_blob.context_rule import context_field
from kmscore_vectors.generator.service_blob.encoder import INSTANCE_PREFIX, Options, ServiceKey
from kmscore_vectors.generator.streams import Drawn, another, rejected, streams
from kmscore_vectors.generator.suite_properties import iv_length, key_length, spec_of
from kmscore_vectors.tables import ErrorCode, Suite

_VERSION: Final = "86a9efd9-3d16-4894-bd4f-1fc43f3f2abf"
_UNKNOWN: Final = b"ffffffff-ffff-ffff-ffff-ffffffffffff"
# The kinds of change to a case, of four kinds and of eight; the other kinds leave it unchanged.
_CHANGED, _OTHER = 2, 3
_MODIFIED, _MOVED, _RENAMED, _DENIED = 4, 5, 6, 7


def blobs() -> Iterator[Drawn]:
    """Yield blobs with every option of a profile, half of which open."""
    for stream in streams("service_blob"):
        suite = Suite(1 + stream.below(4))
        key = ServiceKey(suite, stream.take(key_length(spec_of(suite))), _VERSION)
        options = Options(
            payload=("base64", "raw")[stream.below(2)],
            sort_order=("code_point", "utf_16")[stream.below(2)],
            empty_is_absent=bool(stream.below(2)),
            context_binding=("digest", "hexadecimal_digest", "json")[stream.below(3)],
            prefix=(b"", INSTANCE_PREFIX)[stream.below(2)],
        )
        iv = stream.take(iv_length(suite))
        pairs = stream.pairs() if stream.below(4) else None
        plaintext = stream.take(stream.below(64))
        blob, due = key.blob(plaintext, pairs, iv, options), hex_fields(plaintext=plaintext)
        kind = stream.below(4)
        if kind == _CHANGED:
            start = len(options.prefix) + len(_VERSION)
            blob, due = stream.flip(blob, start), rejected(ErrorCode.DECRYPTION)
        elif kind == _OTHER:
            pairs, due = another(pairs or ()), rejected(ErrorCode.DECRYPTION)
        yield Drawn(
            "service_decrypt",
            {
                "key_spec": spec_of(suite).value,
                "key_id": "key",
                "key_version_id": _VERSION,
                **hex_fields(suite_id=bytes([suite.value]), key=key.material),
                "pairs": context_field(pairs),
                **options.document(),
                "allow_ambiguous": True,
                **hex_fields(blob=blob),
            },
            due,
        )


def calls() -> Iterator[Drawn]:
    """Yield requests to decrypt v1 blobs, half of which are rejected."""
    keys = PLAIN
    shared = {**V1.shared, "keys": ring_field(keys)}
    for stream in streams("service_api"):
        key = keys[stream.below(len(keys))]
        iv, pairs = stream.take(iv_length(key.suite)), stream.pairs()
        plaintext = stream.take(stream.below(64))
        blob = key.blob(plaintext, pairs, iv)
        rejection: Rejection | None = None
        kind = stream.below(8)
        if kind == _MODIFIED:
            blob, rejection = stream.flip(blob, len(key.header)), BAD_CIPHERTEXT
        elif kind == _MOVED:
            pairs, rejection = another(pairs), BAD_CIPHERTEXT
        elif kind == _RENAMED:
            blob, rejection = blob.replace(key.key_version_id.encode(), _UNKNOWN), NO_VERSION
        elif kind == _DENIED:
            rejection = NO_PERMISSION
        params: Json = {
            "Action": "Decrypt",
            "CiphertextBlob": to_base64(blob),
            "EncryptionContext": json.dumps(dict(pairs)),
        }
        due: Fields = {
            "status": "200",
            "KeyId": key.key_id,
            "KeyVersionId": key.key_version_id,
            "Plaintext": to_base64(plaintext),
            "RequestId": REQUEST_ID,
        }
        if rejection is not None:
            due = rejection.response(REQUEST_ID)
        response: Json = due
        yield Drawn(
            "api_call",
            {
                **shared,
                "policy": policy() if kind == _DENIED else None,
                "params": params,
            },
            {"response": response},
        )
