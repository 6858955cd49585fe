"""Leave the service: re-encrypt its ciphertexts of imported key material to v1 blobs.

    python leave_the_service.py

The emulator is the service here. You imported its key material, and you have kept a copy, because
the service does not export it. The material decrypts its ciphertexts without the service.
"""

import base64
import json
import os
from uuid import uuid4

import kmscore
from kmscore import Keyring, KeySpec, Suite, SymmetricKey, alibaba, bulk, emulator

MATERIAL, VERSION_ID = os.urandom(32), str(uuid4())
CARDS = {"acme": b"4711", "bell": b"4712", "coop": b"4713"}


def encrypt_in_service() -> dict[str, bytes]:
    """Return a ciphertext of the service for each tenant, with the tenant as context."""
    version = {"key_version_id": VERSION_ID, "material": base64.b64encode(MATERIAL).decode()}
    store = emulator.KeyStore(has_plain_gcm=True)
    emulator.add_seed(store, json.dumps({"keys": [{"key_id": "cards", "versions": [version]}]}))
    service = alibaba.KmsApi(store, alibaba.ALLOW_ALL, profile=alibaba.Profile.ALIBABA)
    return {
        tenant: base64.b64decode(
            service.call(
                {
                    "Action": "Encrypt",
                    "KeyId": "cards",
                    "Plaintext": base64.b64encode(card).decode(),
                    "EncryptionContext": json.dumps({"tenant": tenant}),
                }
            ).body["CiphertextBlob"]
        )
        for tenant, card in CARDS.items()
    }


if __name__ == "__main__":
    imported = SymmetricKey("cards", VERSION_ID, KeySpec.AES_256, MATERIAL, suite=Suite.AES_256_GCM)
    new = SymmetricKey.generate(KeySpec.AES_256, key_id="own", key_version_id="1")
    keys = alibaba.VersionIndex(Keyring([imported, new]))
    items = [bulk.Item(each, blob, {"tenant": each}) for each, blob in encrypt_in_service().items()]
    items.append(bulk.Item("damaged", items[0].ciphertext_blob[:-1], {"tenant": "acme"}))
    for outcome in bulk.reencrypt_many(keys, items, "own", source_profile=alibaba.Profile.ALIBABA):
        tenant, blob = outcome.reference, outcome.ciphertext_blob
        if blob is None:  # this row keeps its ciphertext of the service
            print(tenant, outcome.status, outcome.error and outcome.error.code)
        else:
            opened = kmscore.decrypt(Keyring([new]), blob, {"tenant": tenant})
            print(tenant, outcome.status, opened.key_id, opened.plaintext == CARDS[tenant])
