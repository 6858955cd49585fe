"""Bare ciphertexts that cannot open, with a defect that is found first: they are read last."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from kmscore_vectors.generator import affine
from kmscore_vectors.generator.keys import keyring
from kmscore_vectors.generator.keys.keyring import sm2_parts
from kmscore_vectors.generator.model import Case, Fields, pairs_field
from kmscore_vectors.generator.reencrypt.cases import (
    AES,
    MESSAGE,
    WIDE,
    blob_field,
    blob_of,
    dry_run_of,
    right_asymmetric,
)
from kmscore_vectors.tables import EncryptionAlgorithm, ErrorCode

_RSA: Final = EncryptionAlgorithm.RSAES_OAEP_SHA_256
_SM2: Final = EncryptionAlgorithm.SM2PKE
_LONGEST_SM2: Final = 6159  # bytes of a ciphertext in ASN1_DER

_DESTINATIONS: Final[dict[str, tuple[ErrorCode, Fields]]] = {
    "an unknown destination key": (ErrorCode.KEY_NOT_FOUND, {"destination_key_id": "gone"}),
    "a disabled destination key": (
        ErrorCode.KEY_STATE, {"destination_key_id": keyring.UNUSABLE[0].key_id},
    ),
    "an asymmetric destination key": (
        ErrorCode.KEY_USAGE, {"destination_key_id": keyring.RSA.key_id},
    ),
}  # fmt: skip
_SOURCES: Final[dict[str, tuple[ErrorCode, Fields]]] = {
    "an unknown source key": (ErrorCode.KEY_NOT_FOUND, {"source_key_id": "gone"}),
    "an unknown source key version": (
        ErrorCode.KEY_VERSION_NOT_FOUND, {"source_key_version_id": "v0"},
    ),
    "a symmetric source key": (ErrorCode.KEY_USAGE, {"source_key_id": AES.key_id}),
}  # fmt: skip
_WIDE: Final[tuple[ErrorCode, Fields]] = (
    ErrorCode.INVALID_CONTEXT,
    {"destination_pairs": pairs_field(WIDE)},
)


def _rsa_ciphertexts(right: Case) -> dict[str, bytes]:
    """Return ciphertexts of another length than the modulus, or not below it."""
    ciphertext = blob_of(right)
    return {
        "no ciphertext": b"",
        "a ciphertext of 257 bytes": b"\x00" + ciphertext,
        "a ciphertext of 6,145 bytes": ciphertext.ljust(6145, b"\x00"),
        "the first byte of a ciphertext alone": ciphertext[:1],
        "a ciphertext of ff": b"\xff" * len(ciphertext),
    }


def _sm2_ciphertexts(right: Case) -> dict[str, bytes]:
    """Return ciphertexts that do not parse, are too long or have another point."""
    ciphertext, parts = blob_of(right), sm2_parts(MESSAGE)
    shifted = parts._replace(x1=parts.x1 + 1)
    return {
        "no ciphertext": b"",
        "a first byte that is no encoding's": b"\x05" + ciphertext[1:],
        "04 alone": b"\x04",
        "30 80 alone": b"\x30\x80",
        "6,160 bytes": ciphertext.ljust(_LONGEST_SM2 + 1, b"\x00"),
        "C1 off the curve": affine.c1c3c2(shifted),
        "C1 off the curve, in DER": affine.asn1(shifted),
        "no C2": ciphertext[:97],
    }


def bare_ciphertexts_last() -> Iterator[Case]:
    """Yield requests with two defects, of which that of the ciphertext is found last."""
    rights = right_asymmetric()
    for name, right, ciphertexts in (
        ("RSA", rights[_RSA], _rsa_ciphertexts(rights[_RSA])),
        ("SM2", rights[_SM2], _sm2_ciphertexts(rights[_SM2])),
    ):
        wrongs = [
            right.rejected(
                ErrorCode.DECRYPTION,
                "ModifiedAsymmetric",
                f"{comment}, {name}",
                blob_field(ciphertext),
            )
            for comment, ciphertext in ciphertexts.items()
        ]
        for number, wrong in enumerate(wrongs):
            source = tuple(_SOURCES)[(number + 2) % len(_SOURCES)]
            earlier = _DESTINATIONS | {source: _SOURCES[source]}
            for defect, (error, field) in earlier.items():
                yield wrong.also(error, defect, field)
        yield _wide(wrongs[-1])
        yield from _dry_runs(right, wrongs[-1])


def _dry_runs(right: Case, wrong: Case) -> Iterator[Case]:
    """Yield dry runs of a request to destinations that are rejected."""
    dry = replace(
        wrong,
        comment=f"{wrong.comment}, dry run",
        inputs=wrong.inputs | {"dry_run": True},
        repaired=dry_run_of(right),
    )
    for defect, (error, field) in _DESTINATIONS.items():
        yield dry.also(error, defect, field)


def _wide(wrong: Case) -> Case:
    """Return the request with a destination context that is too long."""
    error, field = _WIDE
    return wrong.also(error, "a wide destination context", field)
