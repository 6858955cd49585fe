"""Seal a keyring as bytes for a file, and open it again.

Import it by name: `from kmscore import keyfile`. This package does no I/O. The caller writes the
bytes to a file, and must write all of them or none.

Format version 2. Numbers are big-endian. The first six fields are the header.

    ======  ======================================================================
    bytes   field
    ======  ======================================================================
    7       magic, `KMSRING`
    1       format version, 02
    1       KDF: 01 scrypt (RFC 7914)
    1       binary logarithm of its cost n: 14..20
    1       its block size r: 2..32
    1       its parallelization p: 1..16
    16      its salt, random
    32      commitment
    12      IV, random
    m       ciphertext, as long as the content
    16      tag
    ======  ======================================================================

K is the output of scrypt for passphrase and salt, 64 bytes. K[0:32] is the key of AES-256-GCM,
whose associated data are header and commitment. The commitment is HMAC-SHA256(K[32:64], header).

A reader compares the commitment in constant time before it uses the cipher, because AES-GCM alone
does not commit to its key. An attacker can create one file whose tag is correct under millions of
passphrases. Each answer to such a file divides the possible passphrases into two groups (a
partitioning oracle: Len, Grubbs and Ristenpart, USENIX Security 2021). The commitment is correct
for one K only, so a file tests one passphrase.

A wrong commitment and a wrong tag raise the same `DecryptionError`. The two differ in time. The
difference only shows whether the passphrase is the one to which the file commits, as a genuine file
does too.

scrypt uses 128·n·r bytes of memory, 2^24 to 2^30, and its work n·r·p is at most 2^25. These bounds
and those of the caller (`max_memory` and `max_work` of `open_keyring`) are checked before it runs.
The whole file has at most 67,108,864 bytes. The content is

    ======  ======================================================================
    bytes   field
    ======  ======================================================================
    4       number of keys; then for each key, in the order of the keyring:
    1 + a   key ID: its length 1..255, then printable ASCII 21..7E
    1       key spec: 01 AES_256, 02 AES_192, 03 AES_128, 04 SM4, 05 RSA_2048,
            06 RSA_3072, 07 RSA_4096, 08 EC_SM2
    4       number of versions, at least 1
    4       index of the primary version, from 0; then for each version, in order:
    1 + b   key version ID, as the key ID
    1       key state: 01 Enabled, 02 Disabled, 03 PendingDeletion,
            04 PendingImport
    1       suite ID as in a v1 ciphertext blob; 00 for RSA and SM2
    2 + c   material: its length, then the raw bytes; for RSA and SM2 the DER of
            PKCS#8, not encrypted
    ======  ======================================================================

A keyring has exactly one encoding as content, and a reader accepts only this one. The content is
sealed as one unit: without the passphrase, an attacker cannot enable a disabled key or make an old
version primary. An attacker who can write the file can replace it with an older file as a whole,
and a reader cannot detect this.
"""

from kmscore.keyfile.scrypt import ScryptParameters
from kmscore.keyfile.sealing import open_keyring, read_parameters, seal_keyring

__all__ = ["ScryptParameters", "open_keyring", "read_parameters", "seal_keyring"]
