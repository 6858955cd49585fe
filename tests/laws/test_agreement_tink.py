"""XAES_256_GCM agrees with Tink's X-AES-GCM: raw prefix, salt of 12 bytes."""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from kmscore import (
    EncryptionContext,
    Keyring,
    KeySpec,
    Suite,
    SymmetricKey,
    decrypt,
    encrypt,
)
from kmscore.aead import sealer

REASON = "tink has no wheel for this machine"
tink: Any = pytest.importorskip("tink", reason=REASON)
tink_aead: Any = pytest.importorskip("tink.aead", reason=REASON)
tink_pb2: Any = pytest.importorskip("tink.proto.tink_pb2", reason=REASON)
x_aes_gcm_pb2: Any = pytest.importorskip("tink.proto.x_aes_gcm_pb2", reason=REASON)
secret_key_access: Any = pytest.importorskip("tink.secret_key_access", reason=REASON)

MATERIALS = st.binary(min_size=32, max_size=32)
IVS = st.binary(min_size=24, max_size=24)
MESSAGES = st.binary(max_size=100) | st.integers(0, 6144).map(bytes)
CONTEXTS = st.dictionaries(st.text("abäß", max_size=4), st.text("xyz", max_size=4), max_size=3)
IDS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)

tink_aead.register()


def peer(material: bytes) -> Any:
    """Return Tink's primitive for a key; its ciphertext is nonce, ciphertext and tag."""
    key = x_aes_gcm_pb2.XAesGcmKey(
        params=x_aes_gcm_pb2.XAesGcmParams(salt_size=12), key_value=material
    )
    keyset = tink_pb2.Keyset(
        primary_key_id=1,
        key=[
            tink_pb2.Keyset.Key(
                key_data=tink_pb2.KeyData(
                    type_url="type.googleapis.com/google.crypto.tink.XAesGcmKey",
                    value=key.SerializeToString(),
                    key_material_type=tink_pb2.KeyData.SYMMETRIC,
                ),
                status=tink_pb2.ENABLED,
                key_id=1,
                output_prefix_type=tink_pb2.RAW,
            )
        ],
    )
    handle = tink.proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)
    return handle.primitive(tink_aead.Aead)


@given(material=MATERIALS, iv=IVS, message=MESSAGES, associated_data=st.binary(max_size=300))
def test_tink_decrypts_our_ciphertexts(
    material: bytes, iv: bytes, message: bytes, associated_data: bytes
) -> None:
    """Tink decrypts every ciphertext of kmscore, for any nonce."""
    sealed = sealer(Suite.XAES_256_GCM, material).seal(iv, message, associated_data)
    assert peer(material).decrypt(iv + sealed, associated_data) == message


@given(material=MATERIALS, message=MESSAGES, associated_data=st.binary(max_size=300))
def test_ciphertexts_of_tink_decrypt(
    material: bytes, message: bytes, associated_data: bytes
) -> None:
    """A ciphertext of Tink decrypts, and encryption with its nonce gives the same bytes."""
    ciphertext = peer(material).encrypt(message, associated_data)
    iv, sealed = ciphertext[:24], ciphertext[24:]
    xaes = sealer(Suite.XAES_256_GCM, material)
    assert xaes.open(iv, sealed, associated_data) == message
    assert xaes.seal(iv, message, associated_data) == sealed


@given(material=MATERIALS, message=MESSAGES, context=CONTEXTS, key_id=IDS, key_version_id=IDS)
def test_blobs_agree_with_tink_in_both_directions(
    material: bytes, message: bytes, context: dict[str, str], key_id: str, key_version_id: str
) -> None:
    """A blob is its header and Tink's ciphertext, with header and canonical context as AAD."""
    key = SymmetricKey(key_id, key_version_id, KeySpec.AES_256, material)
    keys = Keyring([key])
    ids = b"".join(bytes([len(text)]) + text.encode("ascii") for text in (key_id, key_version_id))
    header = b"KMS\x01\x05" + ids
    associated_data = header + EncryptionContext(context).canonical
    blob = encrypt(keys, key_id, message, context).ciphertext_blob
    assert blob.startswith(header)
    assert peer(material).decrypt(blob[len(header) :], associated_data) == message
    theirs = header + peer(material).encrypt(message, associated_data)
    assert decrypt(keys, theirs, context).plaintext == message


@given(
    material=MATERIALS,
    iv=IVS,
    message=st.binary(max_size=40),
    associated_data=st.binary(max_size=40),
    data=st.data(),
)
def test_both_reject_a_flipped_bit(
    material: bytes, iv: bytes, message: bytes, associated_data: bytes, data: st.DataObject
) -> None:
    """Both reject a ciphertext with one changed bit in nonce, ciphertext or tag."""
    xaes = sealer(Suite.XAES_256_GCM, material)
    ciphertext = bytearray(iv + xaes.seal(iv, message, associated_data))
    bit = data.draw(st.integers(0, 8 * len(ciphertext) - 1))
    ciphertext[bit // 8] ^= 1 << bit % 8
    flipped = bytes(ciphertext)
    operations: tuple[tuple[type[Exception], Callable[[], bytes]], ...] = (
        (InvalidTag, lambda: xaes.open(flipped[:24], flipped[24:], associated_data)),
        (tink.TinkError, lambda: peer(material).decrypt(flipped, associated_data)),
    )
    for kind, operation in operations:
        with pytest.raises(kind) as caught:
            operation()
        assert type(caught.value) is kind
