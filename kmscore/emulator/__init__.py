"""A local stand-in of Alibaba Cloud KMS for tests: a key store, all actions, and a server.

Import it by name: `from kmscore import emulator`. The server needs the extra `emulator`, and is in
the module `kmscore.emulator.server`. The command `kmscore serve` runs it, and the pytest plugin
`kmscore.emulator.pytest_plugin` has fixtures for tests.

The nine cryptographic actions are those of `kmscore.alibaba`. The management actions are in
`kmscore.emulator.management`, with the decisions on behaviour that is not public. Any other action
answers `UnsupportedOperation`. `Plaintext` is an opaque text, as in the service.

**This is not a production server.** The keys are in memory, and there is one account.
"""

from kmscore.emulator.access_keys import AccessKeys, accept_all
from kmscore.emulator.application import make_app
from kmscore.emulator.contents import Contents, StoredKey
from kmscore.emulator.documents import add_seed, properties_text, saved_contents
from kmscore.emulator.faults import fault_with_code
from kmscore.emulator.json_fields import InvalidDocumentError
from kmscore.emulator.management import MANAGEMENT_ACTIONS, management_actions
from kmscore.emulator.policies import read_policy
from kmscore.emulator.store import KeyStore

__all__ = [
    "MANAGEMENT_ACTIONS",
    "AccessKeys",
    "Contents",
    "InvalidDocumentError",
    "KeyStore",
    "StoredKey",
    "accept_all",
    "add_seed",
    "fault_with_code",
    "make_app",
    "management_actions",
    "properties_text",
    "read_policy",
    "saved_contents",
]
