"""Key files of the `openssl` command are read, and the command reads those of kmscore."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from support.strategies import raises_exactly
from support.time_limits import PATIENCE

from kmscore import (
    InvalidKeyError,
    Keyring,
    KeySpec,
    PublicKey,
    RsaKey,
    Sm2Key,
    asymmetric_decrypt,
    asymmetric_encrypt,
    sm2,
)

OpenSsl: TypeAlias = Callable[..., bytes]
PASSWORD = "correct horse"
SM2_PARAMETERS = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2")


def run(arguments: tuple[str, ...], data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the command on `data`, without its configuration file."""
    return subprocess.run(
        ("openssl", *arguments),
        input=data,
        capture_output=True,
        check=False,
        timeout=PATIENCE,
        env=os.environ | {"OPENSSL_CONF": os.devnull, "KEY_PASSWORD": PASSWORD},
    )


@pytest.fixture(scope="module")
def openssl() -> OpenSsl:
    """Return a function that runs the `openssl` command and returns its output."""
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command is not installed")

    def call(*arguments: str, data: bytes = b"") -> bytes:
        done = run(arguments, data)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return call


@pytest.fixture(scope="module")
def sm2_pem(openssl: OpenSsl) -> bytes:
    """Return a new SM2 key in the form of `openssl genpkey`."""
    if run(("genpkey", *SM2_PARAMETERS)).returncode:
        pytest.skip("the openssl command has no SM2")
    return openssl("genpkey", *SM2_PARAMETERS)


@pytest.fixture(scope="module")
def rsa_pem(openssl: OpenSsl) -> bytes:
    """Return a new RSA key in the form of `openssl genpkey`."""
    return openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")


def public_der(openssl: OpenSsl, private: bytes, *options: str) -> bytes:
    """Return the SubjectPublicKeyInfo that the command writes for a private key."""
    return openssl("pkey", *options, "-pubout", "-outform", "DER", data=private)


def private_number(openssl: OpenSsl, private: bytes) -> int:
    """Return the private scalar or exponent that the command prints."""
    text = openssl("pkey", "-noout", "-text", data=private).decode()
    found = re.search(r"^(?:priv|privateExponent):\s+([0-9a-f:\s]+)", text, re.MULTILINE)
    assert found is not None
    return int(re.sub(r"[:\s]", "", found[1]), 16)


# --- files of the command ---


def test_sm2_pem_of_genpkey_is_read(openssl: OpenSsl, sm2_pem: bytes, backend: str) -> None:
    """The scalar and public key of a PEM by `genpkey` are those that the command prints."""
    key = Sm2Key.from_pem("k", "v", sm2_pem, backend=backend)
    assert key.public_key.to_der() == public_der(openssl, sm2_pem)
    assert key._scalar == private_number(openssl, sm2_pem)
    ciphertext = asymmetric_encrypt(key.public_key, "SM2PKE", b"plaintext")
    opened = asymmetric_decrypt(Keyring([key]), "k", "v", "SM2PKE", ciphertext)
    assert opened.plaintext == b"plaintext"


def test_sm2_der_of_genpkey_is_read(openssl: OpenSsl, sm2_pem: bytes) -> None:
    """DER by `genpkey` is read; it is SEC1 in version 3.0 and PKCS#8 in other versions."""
    del sm2_pem  # requested because it skips the test if there is no SM2
    der = openssl("genpkey", *SM2_PARAMETERS, "-outform", "DER")
    key = Sm2Key.from_der("k", "v", der)
    assert key.public_key.to_der() == public_der(openssl, der, "-inform", "DER")


SM2_REWRITTEN: dict[str, tuple[str, ...]] = {
    "pkey, PEM": ("pkey",),
    "pkey, DER": ("pkey", "-outform", "DER"),
    "ec, PEM": ("ec",),
    "ec, DER": ("ec", "-outform", "DER"),
    "ec, without the point": ("ec", "-no_public"),
    "ec, DER without the point": ("ec", "-no_public", "-outform", "DER"),
    "pkcs8, PEM": ("pkcs8", "-topk8", "-nocrypt"),
    "pkcs8, DER": ("pkcs8", "-topk8", "-nocrypt", "-outform", "DER"),
}


@pytest.mark.parametrize("name", SM2_REWRITTEN)
def test_sm2_of_other_commands_is_read(openssl: OpenSsl, sm2_pem: bytes, name: str) -> None:
    """SEC1 and PKCS#8 are read, in PEM and DER, with the public point and without.

    Version 3.0 labels the PEM of SEC1 `SM2 PRIVATE KEY`, others label it `EC PRIVATE KEY`.
    """
    data = openssl(*SM2_REWRITTEN[name], data=sm2_pem)
    read = Sm2Key.from_der if "DER" in name else Sm2Key.from_pem
    assert read("k", "v", data).private_pem() == Sm2Key.from_pem("k", "v", sm2_pem).private_pem()


def test_sm2_of_ecparam_is_read(openssl: OpenSsl, sm2_pem: bytes) -> None:
    """A file by `ecparam -genkey`, with a block for the curve before the key, is read."""
    del sm2_pem  # requested because it skips the test if there is no SM2
    data = openssl("ecparam", "-genkey", "-name", "SM2")
    assert data.count(b"-----BEGIN ") == 2
    assert b"PARAMETERS-----" in data
    key = Sm2Key.from_pem("k", "v", data)
    assert key.public_key.to_der() == public_der(openssl, data)
    alone = openssl("ecparam", "-genkey", "-name", "SM2", "-noout")
    assert Sm2Key.from_pem("k", "v", alone).public_key.to_der() == public_der(openssl, alone)


@pytest.mark.parametrize(
    "changes", [("-param_enc", "explicit"), ("-conv_form", "compressed"), ("-conv_form", "hybrid")]
)
def test_sm2_in_another_form_is_rejected(
    openssl: OpenSsl, sm2_pem: bytes, changes: tuple[str, str]
) -> None:
    """Explicit curve parameters and other forms of the point are rejected, in both halves."""
    with raises_exactly(InvalidKeyError):
        Sm2Key.from_pem("k", "v", openssl("ec", *changes, data=sm2_pem))
    with raises_exactly(InvalidKeyError):
        PublicKey.from_pem(openssl("ec", "-pubout", *changes, data=sm2_pem))


ENCRYPTION = [
    (cipher, prf)
    for cipher in ("aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "sm4-cbc")
    for prf in ("hmacWithSHA1", "hmacWithSHA256", "hmacWithSHA384", "hmacWithSHA512")
]


@pytest.mark.parametrize(("cipher", "prf"), ENCRYPTION)
def test_encrypted_sm2_of_pkcs8_is_read(
    openssl: OpenSsl, sm2_pem: bytes, cipher: str, prf: str
) -> None:
    """PBES2 with every cipher and PRF that the command can write is read, in PEM and DER."""
    options = ("pkcs8", "-topk8", "-v2", cipher, "-v2prf", prf, "-iter", "1000")
    options += ("-passout", "env:KEY_PASSWORD")
    expected = Sm2Key.from_pem("k", "v", sm2_pem).private_pem()
    password = PASSWORD.encode()
    for read, form in ((Sm2Key.from_pem, "PEM"), (Sm2Key.from_der, "DER")):
        data = openssl(*options, "-outform", form, data=sm2_pem)
        assert read("k", "v", data, password=password).private_pem() == expected
        for wrong in (None, b"wrong"):
            with raises_exactly(InvalidKeyError):
                read("k", "v", data, password=wrong)


@pytest.mark.parametrize("options", [("-v1", "PBE-SHA1-3DES"), ("-scrypt",), ("-v2", "des3")])
def test_a_file_encrypted_by_another_scheme_is_rejected(
    openssl: OpenSsl, sm2_pem: bytes, rsa_pem: bytes, options: tuple[str, ...]
) -> None:
    """PBES1, scrypt and Triple DES are rejected."""
    for kind, pem in ((Sm2Key, sm2_pem), (RsaKey, rsa_pem)):
        data = openssl("pkcs8", "-topk8", *options, "-passout", "env:KEY_PASSWORD", data=pem)
        with raises_exactly(InvalidKeyError):
            kind.from_pem("k", "v", data, password=PASSWORD.encode())


def test_an_encrypted_rsa_pss_key_is_rejected(openssl: OpenSsl) -> None:
    """An encrypted RSA-PSS key is rejected, as an unencrypted one is."""
    private = openssl("genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048")
    data = openssl("pkcs8", "-topk8", "-passout", "env:KEY_PASSWORD", data=private)
    with raises_exactly(InvalidKeyError):
        RsaKey.from_pem("k", "v", data, password=PASSWORD.encode())


def test_sm2_encrypted_in_the_old_style_is_rejected(openssl: OpenSsl, sm2_pem: bytes) -> None:
    """SEC1 with a Proc-Type header is rejected."""
    data = openssl("ec", "-aes256", "-passout", "env:KEY_PASSWORD", data=sm2_pem)
    assert b"Proc-Type: 4,ENCRYPTED" in data
    for password in (None, PASSWORD.encode()):
        with raises_exactly(InvalidKeyError):
            Sm2Key.from_pem("k", "v", data, password=password)


def test_public_keys_equal_those_of_the_command(
    openssl: OpenSsl, sm2_pem: bytes, rsa_pem: bytes
) -> None:
    """The output of `-pubout`, in PEM and DER, equals the public key of kmscore byte for byte."""
    own: tuple[tuple[bytes, Any], ...] = (
        (sm2_pem, Sm2Key.from_pem("k", "v", sm2_pem)),
        (rsa_pem, RsaKey.from_pem("k", "v", rsa_pem)),
    )
    for private, key in own:
        text = openssl("pkey", "-pubout", data=private)
        assert PublicKey.from_pem(text) == key.public_key
        assert key.public_key.to_pem() == text
        assert key.public_key.to_der() == public_der(openssl, private)


RSA_REWRITTEN: dict[str, tuple[str, ...]] = {
    "pkey, PEM": ("pkey",),
    "pkey, DER": ("pkey", "-outform", "DER"),
    "rsa, traditional PEM": ("rsa", "-traditional"),
    "rsa, traditional DER": ("rsa", "-traditional", "-outform", "DER"),
    "pkcs8, DER": ("pkcs8", "-topk8", "-nocrypt", "-outform", "DER"),
    "encrypted PEM": ("pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", "env:KEY_PASSWORD"),
    "encrypted DER": (
        *("pkcs8", "-topk8", "-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512"),
        *("-passout", "env:KEY_PASSWORD", "-outform", "DER"),
    ),
}


@pytest.mark.parametrize("name", RSA_REWRITTEN)
def test_rsa_of_the_command_is_read(openssl: OpenSsl, rsa_pem: bytes, name: str) -> None:
    """PKCS#8, encrypted or not, and PKCS#1 are read, in PEM and DER."""
    data = openssl(*RSA_REWRITTEN[name], data=rsa_pem)
    read = RsaKey.from_der if "DER" in name else RsaKey.from_pem
    key = read("k", "v", data, password=PASSWORD.encode() if "encrypted" in name else None)
    assert key.spec is KeySpec.RSA_2048
    assert key.private_pem() == RsaKey.from_pem("k", "v", rsa_pem).private_pem()


def test_an_rsa_pss_key_is_rejected(openssl: OpenSsl) -> None:
    """A key for RSASSA-PSS only (RFC 4055 section 1.2) is rejected, in both halves."""
    private = openssl("genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048")
    with raises_exactly(InvalidKeyError):
        PublicKey.from_pem(openssl("pkey", "-pubout", data=private))
    with raises_exactly(InvalidKeyError):
        RsaKey.from_pem("k", "v", private)


# --- files of kmscore ---


@pytest.mark.parametrize("scalar", [1, 2**200, None], ids=["1", "leading zeros", "random"])
def test_our_sm2_key_is_read_by_the_command(
    openssl: OpenSsl, sm2_pem: bytes, scalar: int | None
) -> None:
    """The command reads the key as consistent, with the same scalar and the same public key."""
    del sm2_pem  # requested because it skips the test if there is no SM2
    key = Sm2Key.generate() if scalar is None else Sm2Key.from_scalar("k", "v", scalar)
    text = key.private_pem()
    assert b"Key is valid" in openssl("pkey", "-check", "-noout", data=text)
    assert private_number(openssl, text) == key._scalar
    assert public_der(openssl, text) == key.public_key.to_der()
    assert openssl("pkey", data=text) == text


def test_our_rsa_key_is_read_by_the_command(openssl: OpenSsl, rsa_key: RsaKey) -> None:
    """The command reads the key as consistent, with the same exponent and the same public key."""
    text = rsa_key.private_pem()
    assert b"Key is valid" in openssl("pkey", "-check", "-noout", data=text)
    private = rsa_key._private_key.private_numbers()
    assert private_number(openssl, text) == private.d
    assert public_der(openssl, text) == rsa_key.public_key.to_der()
    assert openssl("pkey", data=text) == text


def test_our_public_keys_are_read_by_the_command(
    openssl: OpenSsl, sm2_pem: bytes, rsa_key: RsaKey, sm2_key: Sm2Key
) -> None:
    """The command writes PEM and DER of both kinds as it read them."""
    del sm2_pem  # requested because it skips the test if there is no SM2
    for key in (rsa_key.public_key, sm2_key.public_key):
        for data, form in ((key.to_pem(), "PEM"), (key.to_der(), "DER")):
            read = ("pkey", "-pubin", "-inform", form)
            assert openssl(*read, "-pubout", "-outform", form, data=data) == data
            openssl(*read, "-pubcheck", "-noout", data=data)
    text = openssl("pkey", "-pubin", "-text", "-noout", data=sm2_key.public_key.to_pem())
    assert b"SM2" in text
    printed = re.sub(r"[^0-9a-f]", "", text.decode().partition("pub:")[2].partition("ASN1")[0])
    assert printed == sm2_key.public_key.to_der()[-65:].hex()


def test_the_command_and_kmscore_decrypt_ciphertexts_of_each_other(
    openssl: OpenSsl, sm2_pem: bytes, tmp_path: Path
) -> None:
    """`pkeyutl` encrypts for the key that was read and decrypts ciphertexts of kmscore."""
    key = Sm2Key.from_pem("k", "v", sm2_pem)
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    private.write_bytes(key.private_pem())
    public.write_bytes(key.public_key.to_pem())
    theirs = openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", str(public), data=b"plaintext")
    opened = asymmetric_decrypt(Keyring([key]), "k", "v", "SM2PKE", theirs)
    assert opened.plaintext == b"plaintext"
    ours = asymmetric_encrypt(PublicKey.from_pem(public.read_bytes()), "SM2PKE", b"plaintext")
    der = sm2.convert(ours, "C1C3C2", "ASN1_DER")
    assert openssl("pkeyutl", "-decrypt", "-inkey", str(private), data=der) == b"plaintext"
