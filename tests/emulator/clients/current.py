"""The current client of the vendor, `alibabacloud-kms20160120` 3.x and 2.x, also with async."""

import asyncio
import sys
from typing import Any

import scenario
from alibabacloud_kms20160120 import models
from alibabacloud_kms20160120.client import Client
from alibabacloud_tea_openapi.models import Config

client = Client(
    Config(
        access_key_id=scenario.ACCESS_KEY,
        access_key_secret=scenario.SECRET,
        region_id=scenario.REGION,
        endpoint=scenario.ADDRESS,
        protocol=scenario.PROTOCOL,
    )
)
IS_ASYNC = sys.argv[2:] == ["async"]


def send(name: str, request: Any) -> Any:
    """Send a request with the method of a name."""
    if IS_ASYNC:
        return asyncio.run(getattr(client, f"{name}_async")(request)).body
    return getattr(client, name)(request).body


def encrypt(key_id: str, context: dict[str, str]) -> str:
    """Return a ciphertext of the plaintext."""
    request = models.EncryptRequest(
        key_id=key_id, plaintext=scenario.PLAINTEXT, encryption_context=context
    )
    return str(send("encrypt", request).ciphertext_blob)


def decrypt(blob: str, context: dict[str, str] | None) -> str:
    """Return the plaintext."""
    request = models.DecryptRequest(ciphertext_blob=blob, encryption_context=context)
    return str(send("decrypt", request).plaintext)


scenario.play(encrypt, decrypt, lambda error: getattr(error, "code", error))
