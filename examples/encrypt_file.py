"""Envelope encryption of a file of any size, in frames of 64 KiB under a data key of its own.

    KMSCORE_PASSPHRASE=... python encrypt_file.py encrypt KEYRING SOURCE TARGET  # or decrypt

The file begins with the v1 blob of the data key, whose context is the name of the plaintext file. A
nonce is the number of a frame and a mark of the last one, so moved or missing frames are rejected.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import kmscore
from kmscore import KeyProvider, KmsCoreError, keyfile


def frames(source: BinaryIO, size: int) -> Iterator[tuple[bytes, bytes]]:
    frame, number = source.read(size), 0
    while following := source.read(size):
        yield number.to_bytes(11, "big") + b"\0", frame
        frame, number = following, number + 1
    yield number.to_bytes(11, "big") + b"\1", frame  # an empty file has one frame


def encrypt(keys: KeyProvider, source: BinaryIO, target: BinaryIO, name: str) -> None:
    data_key = kmscore.generate_data_key(keys, "files", context={"file": name})
    blob, cipher = data_key.ciphertext_blob, AESGCM(data_key.plaintext)
    target.write(len(blob).to_bytes(2, "big") + blob)
    target.writelines(cipher.encrypt(*each, None) for each in frames(source, 1 << 16))


def decrypt(keys: KeyProvider, source: BinaryIO, target: BinaryIO, name: str) -> None:
    blob = source.read(int.from_bytes(source.read(2), "big"))
    cipher = AESGCM(kmscore.decrypt(keys, blob, {"file": name}).plaintext)
    target.writelines(cipher.decrypt(*each, None) for each in frames(source, (1 << 16) + 16))


if __name__ == "__main__":
    if len(sys.argv) != 5 or sys.argv[1] not in {"encrypt", "decrypt"}:
        print("usage: encrypt_file.py encrypt|decrypt KEYRING SOURCE TARGET", file=sys.stderr)
        sys.exit(2)
    action, keyring, source, target = sys.argv[1], *map(Path, sys.argv[2:])
    keys = keyfile.open_keyring(keyring.read_bytes(), os.environ["KMSCORE_PASSPHRASE"].encode())
    work, plain = {"encrypt": (encrypt, source), "decrypt": (decrypt, target)}[action]
    os.umask(0o077)  # only the owner can read the result
    part = target.with_name(f"{target.name}.{os.getpid()}.part")  # incomplete until the last frame
    try:
        with source.open("rb") as reader, part.open("xb") as writer:
            work(keys, reader, writer, plain.name)
        part.replace(target)
    except (KmsCoreError, InvalidTag) as error:
        sys.exit(f"{source}: {str(error) or type(error).__name__}")
    finally:
        part.unlink(missing_ok=True)
