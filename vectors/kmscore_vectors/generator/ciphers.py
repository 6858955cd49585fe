"""The five suites with a given IV, and the intermediate values of the tag."""

from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.ciphers.modes import ECB, GCM
from cryptography.hazmat.primitives.cmac import CMAC

from kmscore_vectors.tables import Suite

_XAES_SALT = 12


class Sealed(NamedTuple):
    """A sealed message, with the key and the first counter block of GCM."""

    gcm_key: bytes
    counter_block: bytes
    ciphertext: bytes
    tag: bytes


def derive_xaes_key(material: bytes, nonce: bytes) -> bytes:
    """Return the key for one nonce (C2SP XAES-256-GCM; NIST SP 800-108r1 section 4.1, CMAC)."""
    blocks = []
    for counter in (1, 2):
        mac = CMAC(AES(material))
        mac.update(counter.to_bytes(2, "big") + b"X\x00" + nonce[:_XAES_SALT])
        blocks.append(mac.finalize())
    return b"".join(blocks)


def seal(suite: Suite, material: bytes, iv: bytes, plaintext: bytes, aad: bytes) -> Sealed:
    """Return a message sealed under `suite`."""
    key = material
    if suite is Suite.XAES_256_GCM:
        key, iv = derive_xaes_key(material, iv), iv[_XAES_SALT:]
    block_cipher = SM4(key) if suite is Suite.SM4_GCM else AES(key)
    encryptor = Cipher(block_cipher, GCM(iv)).encryptor()
    encryptor.authenticate_additional_data(aad)
    ciphertext = encryptor.update(plaintext) + encryptor.finalize()
    return Sealed(key, iv + bytes([0, 0, 0, 1]), ciphertext, encryptor.tag)


def encrypt_block(suite: Suite, key: bytes, block: bytes) -> bytes:
    """Return one block under the block cipher of a suite, without a mode.

    The key of XAES-256-GCM is a key of AES-256 here.
    """
    cipher = SM4(key) if suite is Suite.SM4_GCM else AES(key)
    return Cipher(cipher, ECB()).encryptor().update(block)  # noqa: S305 (the block cipher itself)
