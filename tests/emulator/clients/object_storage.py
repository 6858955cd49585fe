"""The key provider of the object storage client, `oss2`, at its defaults and with a passphrase.

It insists on HTTPS, and has no key ID in a request of Decrypt. Its context is the passphrase.
"""

import base64
import sys

import scenario
from aliyunsdkcore.profile import region_provider
from oss2.crypto import AliKMSProvider

region_provider.modify_point("Kms", scenario.REGION, scenario.ADDRESS)
HAS_PASSPHRASE = sys.argv[2:] == ["passphrase"]


def provider(key_id: str, tenant: str) -> AliKMSProvider:
    """Return a provider; at the defaults, it sends an empty context."""
    passphrase = tenant if HAS_PASSPHRASE else None
    return AliKMSProvider(
        *(scenario.ACCESS_KEY, scenario.SECRET, scenario.REGION, key_id), passphrase=passphrase
    )


def encrypt(key_id: str, context: dict[str, str]) -> str:
    """Return a generated data key, encrypted, behind the data key itself."""
    plain, sealed = provider(key_id, context["tenant"]).get_key()
    return f"{base64.b64encode(plain).decode()} {sealed}"


def decrypt(blob: str, context: dict[str, str] | None) -> str:
    """Return the plaintext of the scenario if the data key is the same."""
    plain, sealed = blob.split()
    tenant = "none" if context is None else context["tenant"]
    opened = provider("", tenant).decrypt_encrypted_key(sealed)
    return scenario.PLAINTEXT if opened == base64.b64decode(plain) else ""


scenario.play(encrypt, decrypt, lambda error: getattr(error, "code", error))
