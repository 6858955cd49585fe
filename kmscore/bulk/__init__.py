"""Re-encrypt a stream of ciphertexts, count ciphertexts, and find unused key versions.

Import this package by name (`from kmscore import bulk`). `import kmscore` does not load it, so that
programs for single ciphertexts start faster. The package does no I/O: the caller reads the
ciphertexts and writes the results.
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
