"""The interface of Alibaba Cloud KMS: requests and responses, blob layout, context rule.

Import the package by name, `from kmscore import alibaba`, because `import kmscore` does not load
it. The package does no I/O. A web framework passes a mapping of parameters to `KmsApi.call`, and
sends the response that it returns.

The package follows the documents of the vendor and the published client code of the vendor.
Behaviour that is not public is decided and documented in one place: errors in `service_errors`, the
layout in `Profile`.

**One limit for two layouts.** A key version that encrypts blobs of both layouts has one limit of
2^32 messages (`Suite.message_limit`). The blobs of both layouts count towards this limit together.
"""

from kmscore.alibaba.access import key_id_of_name, resource_name
from kmscore.alibaba.actions import ExtraAction
from kmscore.alibaba.api import Handled, KmsApi
from kmscore.alibaba.context_rule import collisions, is_ambiguous
from kmscore.alibaba.events import Event
from kmscore.alibaba.http_request import ParsedRequest, RejectedRequest, parse
from kmscore.alibaba.json_context import JsonContext
from kmscore.alibaba.operations import (
    decrypt,
    encrypt,
    export_data_key,
    generate_and_export_data_key,
    generate_data_key,
)
from kmscore.alibaba.policy import ALLOW_ALL, Policies, Policy
from kmscore.alibaba.policy_document import InvalidPolicyError
from kmscore.alibaba.profile import ContextBinding, Layout, Payload, Profile, SortOrder
from kmscore.alibaba.reencryption import reencrypt
from kmscore.alibaba.responses import JSON_CONTENT_TYPE, XML_CONTENT_TYPE, ApiResponse
from kmscore.alibaba.service_blob import ServiceBlob
from kmscore.alibaba.signature_schemes import Scheme
from kmscore.alibaba.signatures import ACCEPT_REPLAYS, ANY_DATE, VerifiedRequest, verify
from kmscore.alibaba.throttling import Throttle, TokenBucket
from kmscore.alibaba.version_index import KeyVersionProvider, VersionIndex
from kmscore.alibaba.wsgi import ANONYMOUS, Application, direct_facts, wsgi_app

__all__ = [
    "ACCEPT_REPLAYS",
    "ALLOW_ALL",
    "ANONYMOUS",
    "ANY_DATE",
    "JSON_CONTENT_TYPE",
    "XML_CONTENT_TYPE",
    "ApiResponse",
    "Application",
    "ContextBinding",
    "Event",
    "ExtraAction",
    "Handled",
    "InvalidPolicyError",
    "JsonContext",
    "KeyVersionProvider",
    "KmsApi",
    "Layout",
    "ParsedRequest",
    "Payload",
    "Policies",
    "Policy",
    "Profile",
    "RejectedRequest",
    "Scheme",
    "ServiceBlob",
    "SortOrder",
    "Throttle",
    "TokenBucket",
    "VerifiedRequest",
    "VersionIndex",
    "collisions",
    "decrypt",
    "direct_facts",
    "encrypt",
    "export_data_key",
    "generate_and_export_data_key",
    "generate_data_key",
    "is_ambiguous",
    "key_id_of_name",
    "parse",
    "reencrypt",
    "resource_name",
    "verify",
    "wsgi_app",
]
