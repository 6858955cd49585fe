"""`tink`: decryption with AES-GCM and XAES-256-GCM. It takes no given IV to encrypt with."""

from collections.abc import Callable, Mapping
from typing import Any

import tink
from google.protobuf.message import Message
from tink import aead, secret_key_access
from tink.proto import aes_gcm_pb2, tink_pb2, x_aes_gcm_pb2

aead.register()


class Primitive:
    """The AEAD of a key without output prefix: its ciphertext is nonce, ciphertext and tag."""

    def __init__(self, name: str, key: Message) -> None:
        """Take the name of the key type, and the message of the key."""
        data = tink_pb2.KeyData(
            type_url=f"type.googleapis.com/google.crypto.tink.{name}",
            value=key.SerializeToString(),
            key_material_type=tink_pb2.KeyData.SYMMETRIC,
        )
        entry = tink_pb2.Keyset.Key(
            key_data=data, status=tink_pb2.ENABLED, key_id=1, output_prefix_type=tink_pb2.RAW
        )
        keyset = tink_pb2.Keyset(primary_key_id=1, key=[entry]).SerializeToString()
        handle = tink.proto_keyset_format.parse(keyset, secret_key_access.TOKEN)
        self._aead = handle.primitive(aead.Aead)

    def decrypt(self, iv: bytes, sealed: bytes, associated_data: bytes) -> bytes:
        """Return the plaintext."""
        plaintext: bytes = self._aead.decrypt(iv + sealed, associated_data)
        return plaintext


def _aes_gcm(key: bytes) -> Primitive:
    return Primitive("AesGcmKey", aes_gcm_pb2.AesGcmKey(key_value=key))


def _xaes_gcm(key: bytes) -> Primitive:
    params = x_aes_gcm_pb2.XAesGcmParams(salt_size=12)
    return Primitive("XAesGcmKey", x_aes_gcm_pb2.XAesGcmKey(params=params, key_value=key))


# Its AES-GCM has no keys of 192 bits.
AEADS: Mapping[str, Callable[[bytes], Primitive]] = {
    "01": _aes_gcm,
    "03": _aes_gcm,
    "05": _xaes_gcm,
}
DECRYPTIONS: Mapping[str, Any] = {}
REJECTIONS = (tink.TinkError,)
