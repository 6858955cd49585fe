"""Private keys in files: PEM or DER, encrypted or not, in one of the structures of their kind.

The steps are the same for RSA and SM2. `Structures` has the differences.
"""

from collections.abc import Callable
from typing import Final, Generic, NamedTuple, TypeVar

from kmscore._typecheck import (
    BytesLike,
    check_bytes,
    check_optional_bytes,
    check_positive,
    to_bytes,
)
from kmscore.errors import InvalidKeyError
from kmscore.keys.pem import PemLike, check_pem, decode_pem, der_bytes

_Numbers = TypeVar("_Numbers")

PKCS8_LABEL: Final = "PRIVATE KEY"
PKCS1_LABEL: Final = "RSA PRIVATE KEY"
SEC1_LABEL: Final = "EC PRIVATE KEY"
SM2_SEC1_LABEL: Final = "SM2 PRIVATE KEY"  # the SEC1 label of the command `openssl ec` 3.0
ENCRYPTED_PKCS8_LABEL: Final = "ENCRYPTED PRIVATE KEY"

DEFAULT_MAX_WORK: Final = 10_000_000
"""Maximum number of PBKDF2 iterations, some seconds, so that a file cannot cause years of work."""


class Structures(NamedTuple, Generic[_Numbers]):
    """The structures of one kind of private key, each as a function that decodes its DER."""

    own_labels: tuple[str, ...]
    """The PEM labels of the structure that `own` decodes."""

    pkcs8: Callable[[bytes], _Numbers]
    """The decoder of PKCS#8."""

    own: Callable[[bytes], _Numbers]
    """The decoder of the structure that only this kind has, PKCS#1 or SEC1."""

    decrypted: Callable[[bytes], _Numbers]
    """The decoder of PKCS#8 after decryption, which makes all checks of the key."""


def read_pem(
    structures: Structures[_Numbers], data: PemLike, password: BytesLike | None, max_work: int
) -> _Numbers:
    """Return the numbers of a key in PEM. Errors are those of `RsaKey.from_pem` for the file."""
    check_pem(data)
    _check_decryption(password, max_work)
    labels = (PKCS8_LABEL, *structures.own_labels, ENCRYPTED_PKCS8_LABEL)
    label, der = decode_pem(data, labels)
    return _read(structures, label, der, password, max_work)


def read_der(
    structures: Structures[_Numbers], data: BytesLike, password: BytesLike | None, max_work: int
) -> _Numbers:
    """Return the numbers of a key in DER. Errors are those of `RsaKey.from_der` for the file."""
    check_bytes(data, "DER")
    _check_decryption(password, max_work)
    der = der_bytes(data)
    return _read(structures, private_key_label(der), der, password, max_work)


def private_key_label(der: bytes) -> str:
    """Return the PEM label for the DER of a private key.

    The label only selects a structure; its decoder then reads and checks all bytes.
    """
    body = 2 + (der[1] & 0x7F if len(der) > 1 and der[1] & 0x80 else 0)
    if der[body : body + 1] == b"\x30":
        return ENCRYPTED_PKCS8_LABEL
    if der[body : body + 3] == b"\x02\x01\x01":
        return SEC1_LABEL
    return PKCS1_LABEL if der[body + 3 : body + 4] == b"\x02" else PKCS8_LABEL


def _check_decryption(password: object, max_work: int) -> None:
    """Raise `TypeError` for a wrong type, and `ValueError` if `max_work` is less than 1."""
    check_optional_bytes(password, "password")
    check_positive(max_work, "max_work")


def _read(
    structures: Structures[_Numbers],
    label: str,
    der: bytes,
    password: BytesLike | None,
    max_work: int,
) -> _Numbers:
    """Return the numbers of a key, or raise `InvalidKeyError` or `UnsupportedAlgorithmError`."""
    if (label == ENCRYPTED_PKCS8_LABEL) != (password is not None):
        needed = (
            "needs a password" if password is None else "is not encrypted, but a password is given"
        )
        raise InvalidKeyError(f"the key {needed}")
    if password is not None:
        from kmscore.keys.encrypted import open_pkcs8  # noqa: PLC0415 (few files are encrypted)

        return open_pkcs8(der, to_bytes(password), structures.decrypted, max_work)
    return structures.pkcs8(der) if label == PKCS8_LABEL else structures.own(der)
