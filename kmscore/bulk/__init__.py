"""Many ciphertexts at once: re-encrypt a stream of them, count them, say which versions are done.

Import it by name, `from kmscore import bulk`: those who move one ciphertext do not pay for it.
There is no I/O here: what is read and written, and where, is the caller's business.
"""

from kmscore.blob import Header
from kmscore.bulk.counting import BlobFormat, Census, KeyVersionName, census
from kmscore.bulk.item import KEEP_CONTEXT, Item, KeepContext, Outcome, Status
from kmscore.bulk.retirement import Retirement, retirable_versions
from kmscore.bulk.rotation import reencrypt_many
from kmscore.bulk.version_order import VersionOrder

__all__ = [
    "KEEP_CONTEXT",
    "BlobFormat",
    "Census",
    "Header",
    "Item",
    "KeepContext",
    "KeyVersionName",
    "Outcome",
    "Retirement",
    "Status",
    "VersionOrder",
    "census",
    "reencrypt_many",
    "retirable_versions",
]
