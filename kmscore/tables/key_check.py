"""A check that a job is resumed with the same destination key."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from kmscore import decrypt, encrypt
from kmscore._base64 import decode_base64, encode_base64
from kmscore.errors import KmsCoreError
from kmscore.keyring import KeyProvider


class KeyCheck:
    """An empty blob under the destination key, in the context of the identity of the job."""

    def __init__(self, keys: KeyProvider, key_id: str, identity: Mapping[str, Any]) -> None:
        """Create the check for a key and an identity."""
        self._keys = keys
        self._key_id = key_id
        # A digest, because the names of columns can be longer than a context.
        text = json.dumps(identity, sort_keys=True)
        self._context = {"job": sha256(text.encode("ascii")).hexdigest()}

    def seal(self) -> str:
        """Return the blob in Base64."""
        return encode_base64(encrypt(self._keys, self._key_id, b"", self._context).ciphertext_blob)

    def opens(self, sealed: str) -> bool:
        """Return whether the blob can be decrypted."""
        try:
            decrypt(self._keys, decode_base64(sealed.encode("ascii")) or b"", self._context)
        except KmsCoreError:
            return False
        return True
