"""The previous client of the vendor, `aliyun-python-sdk-kms`."""

import json
import sys

import scenario
from aliyunsdkcore.client import AcsClient
from aliyunsdkkms.request.v20160120.DecryptRequest import DecryptRequest
from aliyunsdkkms.request.v20160120.EncryptRequest import EncryptRequest

client = AcsClient(scenario.ACCESS_KEY, scenario.SECRET, scenario.REGION)


def send(
    request: EncryptRequest | DecryptRequest, context: dict[str, str] | None
) -> dict[str, str]:
    """Send a request with a context."""
    request.set_endpoint(scenario.ADDRESS)
    # The client compares it by identity.
    request.set_protocol_type(sys.intern(scenario.PROTOCOL))
    if context is not None:
        request.set_EncryptionContext(json.dumps(context))
    return dict(json.loads(client.do_action_with_exception(request)))


def encrypt(key_id: str, context: dict[str, str]) -> str:
    """Return a ciphertext of the plaintext."""
    request = EncryptRequest()
    request.set_KeyId(key_id)
    request.set_Plaintext(scenario.PLAINTEXT)
    return send(request, context)["CiphertextBlob"]


def decrypt(blob: str, context: dict[str, str] | None) -> str:
    """Return the plaintext."""
    request = DecryptRequest()
    request.set_CiphertextBlob(blob)
    return send(request, context)["Plaintext"]


scenario.play(encrypt, decrypt, lambda error: getattr(error, "error_code", error))
