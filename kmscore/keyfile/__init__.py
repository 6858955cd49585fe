"""A keyring as sealed bytes: what to put into a file, and how to get the ring back.

Import it by name, `from kmscore import keyfile`. There is no I/O here: writing the bytes so that
they are all there or not at all is the caller's business.

Format version 1. Numbers are big-endian.

    ======  ======================================================================
    bytes   field
    ======  ======================================================================
    7       magic, `KMSRING`
    1       format version, 01
    1       KDF: 01 scrypt (RFC 7914)
    1       binary logarithm of its cost n: 14..20
    1       its block size r: 1..32
    1       its parallelization p: 1..16
    16      its salt, random
    12      IV, random
    m       ciphertext, as long as the content
    16      tag
    ======  ======================================================================

The key is what scrypt makes of passphrase and salt, 32 bytes; the cipher is AES-256-GCM; everything
before the IV is its associated data. scrypt takes 128·n·r bytes of memory, at most 2^30, and its
work n·r·p is at most 2^25; what asks for more is refused before any of it is done. The whole is
at most 67,108,864 bytes. The content is

    ======  ======================================================================
    bytes   field
    ======  ======================================================================
    4       number of keys; then for each key, in the order of the ring:
    1 + a   key ID: its length 1..255, then printable ASCII 21..7E
    1       key spec: 01 AES_256, 02 AES_192, 03 AES_128, 04 SM4, 05 RSA_2048,
            06 RSA_3072, 07 RSA_4096, 08 EC_SM2
    4       number of versions, at least 1
    4       which of them is primary, counted from 0; then for each, in order:
    1 + b   key version ID, as the key ID
    1       key state: 01 Enabled, 02 Disabled, 03 PendingDeletion,
            04 PendingImport
    1       suite ID as in a v1 ciphertext blob; 00 for RSA and SM2
    2 + c   material: its length, then the raw bytes; for RSA and SM2 the DER of
            PKCS#8, not encrypted
    ======  ======================================================================

A ring has one content, and what opens has to be just that. All of it is sealed as one unit: nobody
without the passphrase can revive a disabled key or make an old version primary. But whoever can
write the file can put back an older one as a whole, and nothing in it tells.
"""

from kmscore.keyfile.scrypt import ScryptParameters
from kmscore.keyfile.sealing import open_keyring, read_parameters, seal_keyring

__all__ = ["ScryptParameters", "open_keyring", "read_parameters", "seal_keyring"]
