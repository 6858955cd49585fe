"""Bare calls of the same cryptography: cached objects, prepared arguments, no checks.

These calls are the lower limit: a library that uses the same primitives cannot be faster.
"""

import ctypes
import os
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.ciphers.modes import ECB, GCM

from benchmarks.measure import Call
from kmscore import CiphertextBlob, EncryptionContext, Sm2Key, Suite, SymmetricKey, sm2
from kmscore.keys.der import decode_sm2_public_key
from kmscore.sm2.backends import openssl

Cipher3 = Callable[[bytes, bytes, bytes], bytes]
"""A function of IV, data and associated data that returns bytes."""


def reencryption(
    source: SymmetricKey, destination: SymmetricKey, blob: bytes, context: EncryptionContext
) -> Call:
    """Return a call that decrypts, draws an IV and encrypts, without anything else."""
    iv, sealed, opening = _parts(source, blob, context)
    sealing, length = destination.header + context.canonical, destination.suite.iv_length
    if source.suite is destination.suite is Suite.AES_256_GCM:
        # Call the methods directly, because the interpreter has a fast path for such calls.
        old, new = AESGCM(source.export_material()), AESGCM(destination.export_material())
        return lambda: new.encrypt(os.urandom(length), old.decrypt(iv, sealed, opening), sealing)
    open_, seal = _ciphers(source)[1], _ciphers(destination)[0]
    return lambda: seal(os.urandom(length), open_(iv, sealed, opening), sealing)


def encryption(key: SymmetricKey, plaintext: bytes, context: EncryptionContext) -> Call:
    """Return a call that draws an IV and encrypts with AES-GCM."""
    cipher, associated_data = AESGCM(key.export_material()), key.header + context.canonical
    return lambda: cipher.encrypt(os.urandom(12), plaintext, associated_data)


def decryption(key: SymmetricKey, blob: bytes, context: EncryptionContext) -> Call:
    """Return a call that decrypts with AES-GCM."""
    iv, sealed, associated_data = _parts(key, blob, context)
    cipher = AESGCM(key.export_material())
    return lambda: cipher.decrypt(iv, sealed, associated_data)


def rejected_decryption(key: SymmetricKey, blob: bytes, context: EncryptionContext) -> Call:
    """Return a call that fails to decrypt with AES-GCM and catches the error."""
    opening = decryption(key, blob, context)

    def rejection() -> str:
        try:
            opening()
        except InvalidTag as error:
            return type(error).__name__
        raise ValueError("the call did not fail")

    return rejection


def with_wrong_tag(blob: bytes) -> bytes:
    """Return a blob with its last bit flipped."""
    return blob[:-1] + bytes([blob[-1] ^ 1])


def _parts(
    key: SymmetricKey, blob: bytes, context: EncryptionContext
) -> tuple[bytes, bytes, bytes]:
    """Return the IV of a blob, its ciphertext and tag, and the associated data."""
    fields = CiphertextBlob.parse(blob)
    return fields.iv, fields.ciphertext + fields.tag, key.header + context.canonical


def _ciphers(key: SymmetricKey) -> tuple[Cipher3, Cipher3]:
    """Return encryption and decryption under a key whose suite is XAES-256-GCM or SM4-GCM."""
    if key.suite is Suite.XAES_256_GCM:
        return _xaes(key.export_material())
    return _sm4(key.export_material())


def _sm4(material: bytes) -> tuple[Cipher3, Cipher3]:
    """Return encryption and decryption with SM4-GCM (RFC 8998)."""
    algorithm = SM4(material)

    def seal(iv: bytes, data: bytes, associated_data: bytes) -> bytes:
        encryptor = Cipher(algorithm, GCM(iv)).encryptor()
        encryptor.authenticate_additional_data(associated_data)
        return encryptor.update(data) + encryptor.finalize() + encryptor.tag

    def open_(iv: bytes, data: bytes, associated_data: bytes) -> bytes:
        decryptor = Cipher(algorithm, GCM(iv)).decryptor()
        decryptor.authenticate_additional_data(associated_data)
        return decryptor.update(data[:-16]) + decryptor.finalize_with_tag(data[-16:])

    return seal, open_


def _xaes(material: bytes) -> tuple[Cipher3, Cipher3]:
    """Return encryption and decryption with XAES-256-GCM (C2SP); subkey and cipher are cached."""
    encryptor = Cipher(AES(material), ECB()).encryptor()  # noqa: S305 (single blocks)
    block = int.from_bytes(encryptor.update(bytes(16)), "big")
    k1 = (block << 1) % (1 << 128) ^ (block >> 127) * 0x87
    prefixes = bytes.fromhex("00015800") + bytes(12) + bytes.fromhex("00025800") + bytes(12)
    twice = 1 << 128 | 1
    masked = int.from_bytes(prefixes, "big") ^ k1 * twice

    def seal(nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        blocks = masked ^ (int.from_bytes(nonce, "big") >> 96) * twice
        cipher = AESGCM(encryptor.update(blocks.to_bytes(32, "big")))
        return cipher.encrypt(nonce[12:], data, associated_data)

    def open_(nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        blocks = masked ^ (int.from_bytes(nonce, "big") >> 96) * twice
        cipher = AESGCM(encryptor.update(blocks.to_bytes(32, "big")))
        return cipher.decrypt(nonce[12:], data, associated_data)

    return seal, open_


def libcrypto_decryption(key: Sm2Key, ciphertext: bytes) -> Call:
    """Return a bare EVP_PKEY_decrypt of one SM2 ciphertext with the same libcrypto.

    The key, the context, the output buffer and the ciphertext in DER are prepared.
    """
    backend = openssl.load()
    public_point = decode_sm2_public_key(key.public_key.to_der())
    owner = openssl._Key(backend, public_point, key._scalar)
    context, run = owner._take_context(), backend.libcrypto.EVP_PKEY_decrypt
    der = sm2.convert(ciphertext, "C1C3C2", "ASN1_DER")
    output, written = ctypes.create_string_buffer(len(der)), ctypes.c_size_t()
    where, length = ctypes.byref(written), len(der)

    def decrypt() -> bytes:
        written.value = length
        run(context, output, where, der, length)
        return output.raw[: written.value]

    decrypt.owner = owner  # type: ignore[attr-defined]  # keeps the EVP_PKEY alive
    return decrypt
