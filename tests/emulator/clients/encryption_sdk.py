"""The Encryption SDK of the vendor, inside `bestv-aliyun-encryption-sdk`. It insists on HTTPS.

It writes the context into its ciphertext, so another context is a changed ciphertext. It reports
every failed decryption as a missing data key, in an exception of its own code.
"""

import base64
import sys

import scenario
from aliyun_encryption_sdk.client import AliyunCrypto
from aliyun_encryption_sdk.kms import AliyunConfig
from aliyun_encryption_sdk.provider.default import DefaultDataKeyProvider
from aliyunsdkcore.profile import region_provider

region_provider.modify_point("Kms", scenario.REGION, scenario.ADDRESS)
crypto = AliyunCrypto(AliyunConfig(scenario.ACCESS_KEY, scenario.SECRET, scenario.REGION))
KEY = "acs:kms:cn-hangzhou:1000000000000000:key/{}"


def provider(key_id: str) -> DefaultDataKeyProvider:
    """Return a provider of a key, and of a second one, for which the data key is re-encrypted."""
    names = [KEY.format(key_id.replace("alias/", ""))]
    more = [] if sys.argv[1] == "throttle" else [KEY.format("archive")]
    return DefaultDataKeyProvider(names[0], keys=[*names, *more])


def encrypt(key_id: str, context: dict[str, str]) -> str:
    """Return a ciphertext of the plaintext."""
    result, _ = crypto.encrypt(provider(key_id), scenario.PLAINTEXT.encode(), context)
    return base64.b64encode(result).decode()


def decrypt(blob: str, context: dict[str, str] | None) -> str:
    """Return the plaintext, with the context of the ciphertext replaced."""
    data = base64.b64decode(blob)
    tenant = b"acme" if context == scenario.CONTEXT else b"bcme"
    plaintext, _ = crypto.decrypt(provider("orders"), data.replace(b"acme", tenant))
    return plaintext.decode()


scenario.play(encrypt, decrypt, lambda error: getattr(error, "error_code", error))
