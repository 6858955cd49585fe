"""The surface of Alibaba Cloud KMS: its requests and responses, its blob layout, its context rule.

Import it by name, `from kmscore import alibaba`: those who only need the engine do not pay for it.
There is no I/O here either. A web framework hands `KmsApi.call` a mapping of parameters and sends
what it returns.

What the vendor documents or its own published client code does is followed. What is not known
outside is decided and documented once: errors in `service_errors`, the layout in `Profile`.

**One limit for two layouts.** A key version that seals blobs of both layouts spends one and the
same limit of 2^32 messages (`Suite.message_limit`) with all of them together.
"""

from kmscore.alibaba.access import key_id_of_name, resource_name
from kmscore.alibaba.api import KmsApi
from kmscore.alibaba.context_rule import collisions, is_ambiguous
from kmscore.alibaba.json_context import JsonContext
from kmscore.alibaba.operations import (
    decrypt,
    encrypt,
    export_data_key,
    generate_and_export_data_key,
    generate_data_key,
)
from kmscore.alibaba.policy import ALLOW_ALL, InvalidPolicyError, Policies, Policy
from kmscore.alibaba.profile import ContextBinding, Layout, Payload, Profile, SortOrder
from kmscore.alibaba.reencryption import reencrypt
from kmscore.alibaba.responses import JSON_CONTENT_TYPE, XML_CONTENT_TYPE, ApiResponse
from kmscore.alibaba.service_blob import ServiceBlob
from kmscore.alibaba.version_index import KeyVersionProvider, VersionIndex

__all__ = [
    "ALLOW_ALL",
    "JSON_CONTENT_TYPE",
    "XML_CONTENT_TYPE",
    "ApiResponse",
    "ContextBinding",
    "InvalidPolicyError",
    "JsonContext",
    "KeyVersionProvider",
    "KmsApi",
    "Layout",
    "Payload",
    "Policies",
    "Policy",
    "Profile",
    "ServiceBlob",
    "SortOrder",
    "VersionIndex",
    "collisions",
    "decrypt",
    "encrypt",
    "export_data_key",
    "generate_and_export_data_key",
    "generate_data_key",
    "is_ambiguous",
    "key_id_of_name",
    "reencrypt",
    "resource_name",
]
