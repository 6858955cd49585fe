"""Answer the questions about the service's layout and API with `kmscore.alibaba`.

Only public names are used, except for the associated data alone, which no public function returns.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from kmscore import EncryptionContext, Key, Keyring
from kmscore.alibaba import (
    ALLOW_ALL,
    ContextBinding,
    KmsApi,
    Payload,
    Policy,
    Profile,
    RejectedRequest,
    ServiceBlob,
    SortOrder,
    VersionIndex,
    decrypt,
    key_id_of_name,
    parse,
    verify,
)
from kmscore.alibaba import collisions as collisions_of
from kmscore.alibaba import is_ambiguous as is_confused
from kmscore.alibaba.context_rule import associated_data
from kmscore_vectors.adapter.formats import Answer, Fields

_PROFILES: Final = {"v1": Profile.V1, "service": Profile.ALIBABA}


def parse_service_blob(fields: Fields) -> Answer:
    """Return the fields of a blob."""
    profile = Profile(prefix=bytes.fromhex(fields["prefix"]))
    blob = ServiceBlob.parse(bytes.fromhex(fields["blob"]), profile=profile)
    return {
        "key_version_id": blob.key_version_id,
        "iv": blob.iv.hex(),
        "ciphertext": blob.ciphertext.hex(),
        "tag": blob.tag.hex(),
    }


def service_associated_data(fields: Fields) -> Answer:
    """Return the associated data of a context."""
    profile = Profile(**_rule(fields))
    bound = associated_data(_context(fields), profile, allow_ambiguous=True)
    return {"associated_data": bound.hex()}


def is_ambiguous(fields: Fields) -> Answer:
    """Return whether a context shares its associated data with another."""
    return {"ambiguous": "true" if is_confused(_context(fields)) else "false"}


def collisions(fields: Fields) -> Answer:
    """Return the contexts that share their associated data with a context."""
    profile = Profile(sort_order=SortOrder(fields["sort_order"]))
    others = collisions_of(_context(fields), profile=profile)
    return {"collisions": ",".join(sorted(other.canonical.hex() for other in others))}


def service_decrypt(key: Key, fields: Fields) -> Answer:
    """Return the plaintext of a blob; `key` is the only key version."""
    payload, prefix = Payload(fields["payload"]), bytes.fromhex(fields["prefix"])
    result = decrypt(
        VersionIndex(Keyring([key])),
        bytes.fromhex(fields["blob"]),
        _context(fields),
        profile=Profile(payload=payload, prefix=prefix, **_rule(fields)),
        allow_ambiguous=fields["allow_ambiguous"],
    )
    return {"plaintext": result.plaintext.hex()}


def api_call(make_key: Callable[[Fields], Key], fields: Fields) -> Answer:
    """Return the response to a request: the status and all fields of the body, as texts."""
    aliases, policy = fields["aliases"], fields["policy"]
    api = KmsApi(
        VersionIndex(Keyring([make_key(key) for key in fields["keys"]])),
        ALLOW_ALL if policy is None else Policy.from_json(policy),
        profile=_PROFILES[fields["profile"]],
        request_id=lambda: str(fields["request_id"]),
        resolve_key=lambda name: key_id_of_name(name) or aliases.get(name),
    )
    response = api.call(fields["params"])
    body = {name: str(value) for name, value in response.body.items()}
    return {"response": {"status": str(response.status), **body}}


def verify_request(fields: Fields) -> Answer:
    """Return the signed parameters of a request, or the code of its rejection."""
    headers = [(name, value) for name, value in fields["headers"]]
    parsed = parse(fields["method"], fields["target"], headers, bytes.fromhex(fields["body"]))
    request = verify(
        parsed,
        fields["access_keys"].get,
        now=datetime.fromisoformat(fields["now"]),
        is_fresh=lambda *_: bool(fields["is_fresh"]),
    )
    if isinstance(request, RejectedRequest):
        return {"verified": {"code": request.fault.code}, "parameters": {}}
    verified = {
        "code": "OK",
        "access_key_id": request.access_key_id,
        "scheme": None if request.scheme is None else request.scheme.value,
        "security_token": request.security_token,
    }
    return {
        "verified": {name: value for name, value in verified.items() if value is not None},
        "parameters": dict(request.parameters),
    }


def _context(fields: Fields) -> EncryptionContext | None:
    """Return the context of a test; `None` is an absent context."""
    pairs = fields["pairs"]
    return None if pairs is None else EncryptionContext(dict(pairs))


def _rule(fields: Fields) -> dict[str, Any]:
    """Return the options of the context rule."""
    return {
        "sort_order": SortOrder(fields["sort_order"]),
        "empty_is_absent": fields["empty_is_absent"],
        "context_binding": ContextBinding(fields["context_binding"]),
    }
