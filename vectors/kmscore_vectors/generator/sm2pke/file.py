"""The vectors of SM2PKE: decryption, encryption with a given k, and the five encodings."""

from collections.abc import Iterator
from itertools import chain

from kmscore_vectors.generator.keys.published import SM2_PKCS8, SM2_SCALAR, SM2_SPKI
from kmscore_vectors.generator.model import Case, Fields, Group, VectorFile, hex_fields
from kmscore_vectors.generator.shared_texts import SM2_TEST_KEY
from kmscore_vectors.generator.sm2pke import (
    conversions,
    encryptions,
    invalid_ciphertexts,
    valid_ciphertexts,
)
from kmscore_vectors.generator.sm2pke.asn1_defects import defects
from kmscore_vectors.generator.sm2pke.cases import opens, rejected, usual
from kmscore_vectors.generator.sm2pke.notes import NOTES
from kmscore_vectors.generator.unknown_algorithms import algorithms


def make() -> VectorFile:
    """Return the file."""
    key: Fields = {
        "key_spec": "EC_SM2",
        **hex_fields(private_key=SM2_PKCS8, d=SM2_SCALAR.to_bytes(32, "big")),
    }
    sm2pke: Fields = {"algorithm": "SM2PKE"}
    forms = ("C1C3C2", "ASN1_DER")
    decryption = chain(
        *(
            chain(valid_ciphertexts.valid(form), invalid_ciphertexts.invalid(form))
            for form in forms
        ),
        invalid_ciphertexts.raw(),
        der_defects(),
    )
    right, off_curve = usual("C1C3C2"), next(iter(invalid_ciphertexts.invalid("C1C3C2")))
    return VectorFile(
        name="sm2pke",
        algorithm="SM2PKE",
        header=(
            "SM2 public-key encryption (GB/T 32918.4-2016) with SM3.",
            SM2_TEST_KEY,
        ),
        notes=NOTES,
        groups=(
            Group("asymmetric_decrypt", tuple(decryption), sm2pke | key),
            Group("asymmetric_decrypt", tuple(algorithms(right, off_curve, "SM2PKE")), key),
            Group("sm2_convert", tuple(conversions.conversions())),
            Group(
                "sm2_encrypt",
                tuple(encryptions.encryptions()),
                hex_fields(public_key=SM2_SPKI),
            ),
            Group("sm2_encrypt", tuple(encryptions.public_keys())),
        ),
    )


def der_defects() -> Iterator[Case]:
    """Yield the defects of ASN1_DER, in ciphertexts that would open."""
    for flag, comment, wrong, parts, message, rule in defects():
        right = opens("usual", "Valid", message, parts, "ASN1_DER")
        yield rejected(right, flag, f"ASN1_DER, {comment}", wrong, rule)
