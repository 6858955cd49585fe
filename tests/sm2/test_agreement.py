"""Independent implementations of SM2 decrypt the ciphertexts of each other.

The implementations are the three backends, the `openssl` command, the functions of the package
`gmssl`, and the textbook. Each of them encrypts for all of them.
"""

import itertools
import random
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from support.samples import sampled_rows
from support.textbook_sm2 import (
    PUBLIC,
    SCALAR,
    G,
    N,
    Parts,
    both,
    decrypt,
    encrypt,
    multiples,
    multiply,
    scalar_with,
)

from kmscore import EncryptionAlgorithm, Keyring, Sm2Key, asymmetric_decrypt, asymmetric_encrypt
from kmscore.sm2 import available_backends, convert
from kmscore.sm2.encodings import Sm2Encoding, parse

SM2PKE = EncryptionAlgorithm.SM2PKE
RANDOM = random.Random("SM2 encryption by several implementations")


def scalar_from(start: int, coordinate: int, first_byte: int) -> int:
    """Return the next scalar with a public point one of whose coordinates begins with a byte."""
    points = multiples(G, start)
    return next(scalar for scalar, point in points if point[coordinate] >> 248 == first_byte)


SCALARS = (
    RANDOM.randrange(1, N - 1),
    scalar_from(RANDOM.randrange(1, N - 1000), 0, 0x00),
    RANDOM.randrange(1, N - 1),
    scalar_from(RANDOM.randrange(1, N - 1000), 1, 0x00),
    N - 2,
    scalar_from(RANDOM.randrange(1, N - 1000), 0, 0x04),
    1,
)
# The ends of the range, of the blocks of the digest and the KDF, and of DER's short lengths.
LENGTHS = (1, 2, 16, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256, 1000, 6047)
MESSAGES = [(SCALARS[i % 7], RANDOM.randbytes(length)) for i, length in enumerate(LENGTHS)]


class Party(NamedTuple):
    """An implementation: encryption of a plaintext for a scalar to C1C3C2, and decryption."""

    seal: Callable[[int, bytes], bytes]
    open: Callable[[int, bytes], bytes | None]


def backend_of_ours(name: str) -> Party:
    """Return a backend of kmscore, with the public functions."""
    if name not in available_backends():
        pytest.skip(f"the SM2 backend {name} is not usable here")

    @cache
    def key(scalar: int) -> Sm2Key:
        return Sm2Key.from_scalar("sm2", "v1", scalar, backend=name)

    return Party(
        lambda scalar, plaintext: asymmetric_encrypt(key(scalar).public_key, SM2PKE, plaintext),
        lambda scalar, ciphertext: (
            asymmetric_decrypt(Keyring([key(scalar)]), "sm2", "v1", SM2PKE, ciphertext).plaintext
        ),
    )


def openssl_command() -> Party:
    """Return the `openssl` command, which reads and writes DER."""
    command = shutil.which("openssl")
    if command is None:
        pytest.skip("there is no openssl command")

    def run(operation: str, pem: bytes, data: bytes) -> bytes:
        with TemporaryDirectory() as folder:
            file = Path(folder, "key.pem")
            file.write_bytes(pem)
            arguments = [command, "pkeyutl", *operation.split(), "-inkey", file]
            return subprocess.run(arguments, input=data, capture_output=True, check=True).stdout

    def seal(scalar: int, plaintext: bytes) -> bytes:
        pem = Sm2Key.from_scalar("sm2", "v1", scalar).public_key.to_pem()
        return convert(run("-encrypt -pubin", pem, plaintext), "ASN1_DER", "C1C3C2")

    def open_(scalar: int, ciphertext: bytes) -> bytes:
        pem = Sm2Key.from_scalar("sm2", "v1", scalar).private_pem()
        return run("-decrypt", pem, convert(ciphertext, "C1C3C2", "ASN1_DER"))

    try:
        seal(SCALAR, b"probe")
    except subprocess.CalledProcessError:
        pytest.skip("the openssl command has no SM2: it is not of version 3.0 or newer")
    return Party(seal, open_)


def gmssl_package() -> Party:
    """Return the package's own functions in the bare form, which they implement correctly."""
    module = pytest.importorskip("gmssl.sm2")

    @cache
    def cipher(scalar: int) -> "module.CryptSM2":
        made = module.CryptSM2(private_key=f"{scalar:064x}", public_key="", mode=1)
        # The constructor removes every leading 0 and 4 of a point.
        made.public_key = both(multiply(scalar, G)).hex()
        return made

    def seal(scalar: int, plaintext: bytes) -> bytes:
        # The package returns `None` for a KDF output of zeros and does not draw k again.
        while (ciphertext := cipher(scalar).encrypt(plaintext)) is None:
            pass
        return convert(ciphertext, "C1C3C2_BARE", "C1C3C2")

    def open_(scalar: int, ciphertext: bytes) -> bytes | None:
        plaintext: bytes | None = cipher(scalar).decrypt(ciphertext[1:])
        return plaintext

    return Party(seal, open_)


def textbook() -> Party:
    """Return the textbook implementation."""

    def open_(scalar: int, ciphertext: bytes) -> bytes | None:
        point, c3, c2 = parse(ciphertext, Sm2Encoding.C1C3C2)
        return decrypt(scalar, Parts(*point, c3, c2))

    def seal(scalar: int, plaintext: bytes) -> bytes:
        return encrypt(multiply(scalar, G), plaintext, RANDOM.randrange(1, N)).raw()

    return Party(seal, open_)


PARTIES: dict[str, Callable[[], Party]] = {
    "openssl": lambda: backend_of_ours("openssl"),
    "portable": lambda: backend_of_ours("portable"),
    "gmssl": lambda: backend_of_ours("gmssl"),
    "openssl command": openssl_command,
    "gmssl package": gmssl_package,
    "textbook": textbook,
}


@cache
def sealed_by(name: str) -> list[bytes]:
    """Return the ciphertexts of every message by one implementation."""
    seal = PARTIES[name]().seal
    ciphertexts: list[bytes] = []
    for scalar, plaintext in MESSAGES:
        # If the KDF gives zeros, as for one byte in 256, some implementations do not draw k again.
        while (ciphertext := seal(scalar, plaintext)).endswith(plaintext) and len(plaintext) == 1:
            pass
        ciphertexts.append(ciphertext)
    return ciphertexts


@pytest.mark.parametrize(
    ("sealer", "opener"), sampled_rows(itertools.product(PARTIES, repeat=2), 4)
)
def test_each_decrypts_the_ciphertexts_of_each(sealer: str, opener: str) -> None:
    """Plaintexts of 1 to 6,047 bytes decrypt, also under keys with leading zeros."""
    open_ = PARTIES[opener]().open
    for (scalar, plaintext), ciphertext in zip(MESSAGES, sealed_by(sealer), strict=True):
        assert open_(scalar, ciphertext) == plaintext


# k by the position of the byte: in C1, or in the shared point.
SHORT = {
    "x of C1 begins with 00": scalar_with(0, 0x00),
    "y of C1 begins with 00": scalar_with(1, 0x00),
    "x of C1 begins with 04": scalar_with(0, 0x04),
    "x of C1 begins with 30": scalar_with(0, 0x30),
    "shared x begins with 00": scalar_with(0, 0x00, PUBLIC),
    "shared y begins with 00": scalar_with(1, 0x00, PUBLIC),
    "k = 1": 1,
    "k = n - 1": N - 1,
}


@pytest.mark.parametrize("opener", PARTIES)
@pytest.mark.parametrize("k", SHORT.values(), ids=SHORT)
def test_each_decrypts_ciphertexts_with_short_coordinates(k: int, opener: str) -> None:
    """Leading zeros in the coordinates of C1 and of the shared point are handled correctly."""
    parts = encrypt(PUBLIC, b"some plaintext", k)
    assert PARTIES[opener]().open(SCALAR, parts.raw()) == b"some plaintext"


@pytest.mark.parametrize("scalar", SCALARS[:6])
def test_every_backend_computes_the_same_public_point(scalar: int, backend: str) -> None:
    """With every backend, a key has the public point of the textbook."""
    key = Sm2Key.from_scalar("sm2", "v1", scalar, backend=backend)
    assert key.public_key.to_der().endswith(b"\x04" + both(multiply(scalar, G)))
