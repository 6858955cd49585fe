"""The file `sm2_decrypt`: SM2 decryption with the encoding given, in Wycheproof's form.

The tests are those of `sm2pke.json` that do not depend on a rule of this format. They occur once
more in C1C2C3, the order of the drafts before 2012, which many implementations have.
"""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from itertools import chain
from typing import Final

from kmscore_vectors.generator import affine
from kmscore_vectors.generator.keys.published import SM2_PKCS8, SM2_PUBLIC_POINT, SM2_SCALAR
from kmscore_vectors.generator.model import Case, Fields
from kmscore_vectors.generator.shared_texts import SM2_TEST_KEY
from kmscore_vectors.generator.sm2pke import invalid_ciphertexts, valid_ciphertexts
from kmscore_vectors.generator.sm2pke.file import der_defects
from kmscore_vectors.generator.sm2pke.notes import NOTES
from kmscore_vectors.generator.wycheproof.form import (
    WycheproofCase,
    WycheproofFile,
    WycheproofGroup,
)
from kmscore_vectors.tables import Severity

_LINE: Final = 64  # characters of a line of PEM (RFC 7468 section 2)


def make() -> WycheproofFile:
    """Return the file."""
    groups = tuple(
        WycheproofGroup(_shared(encoding), tuple(map(_converted, cases)))
        for encoding, cases in (
            ("ASN1_DER", _cases("ASN1_DER", der_defects())),
            ("C1C3C2", _cases("C1C3C2", invalid_ciphertexts.raw())),
            ("C1C2C3", _cases("C1C2C3", iter(()))),
        )
    )
    flags = {case.flag for group in groups for case in group.cases}
    return WycheproofFile(
        name="sm2_decrypt",
        algorithm="SM2",
        schema="sm2_decrypt_schema_v1.json",
        header=(
            "SM2 public-key encryption (GB/T 32918.4-2016) with SM3, the encoding given.",
            "ASN1_DER: GM/T 0009-2012 section 7.2. C1C3C2 and C1C2C3: 04, x, y and the parts.",
            SM2_TEST_KEY,
        ),
        notes={flag: NOTES[flag] for flag in sorted(flags)},
        groups=groups,
    )


def _cases(encoding: str, others: Iterator[Case]) -> Iterator[Case]:
    """Yield the tests of an encoding whose rule is not one of this format."""
    for case in chain(
        valid_ciphertexts.valid(encoding), invalid_ciphertexts.invalid(encoding), others
    ):
        if _severity(case) is not Severity.POLICY:
            yield case


def _severity(case: Case) -> Severity:
    return (case.rule or NOTES[case.flag]).severity


def _converted(case: Case) -> WycheproofCase:
    """Return a test in the other form, with the message of the ciphertext that it was made of."""
    right = case.repaired or case
    return WycheproofCase(
        case.comment.partition(", ")[2],
        case.flag,
        {"msg": right.outputs["plaintext"], "ct": case.inputs["ciphertext"]},
        is_valid=case.error is None,
        severity=_severity(case),
    )


def _shared(encoding: str) -> Fields:
    """Return the fields of a group: the encoding, and the key in each of its forms."""
    d, x, y = (value.to_bytes(32, "big") for value in (SM2_SCALAR, *SM2_PUBLIC_POINT))
    return {
        "type": "Sm2Decrypt",
        "curve": "sm2p256v1",
        "sha": "SM3",
        "encoding": encoding,
        "privateKey": {"curve": "sm2p256v1", "privateKey": d.hex()},
        "privateKeyPkcs8": SM2_PKCS8.hex(),
        "privateKeySec1": affine.sec1(SM2_SCALAR).hex(),
        "privateKeyPem": _pem(SM2_PKCS8),
        # RFC 7518 registers no name for this curve; libraries that have one use "SM2".
        "privateKeyJwk": {"kty": "EC", "crv": "SM2", "d": _url(d), "x": _url(x), "y": _url(y)},
    }


def _pem(der: bytes) -> str:
    """Return a private key in PEM (RFC 7468)."""
    text = b64encode(der).decode("ascii")
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    return "\n".join(("-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----", ""))


def _url(data: bytes) -> str:
    """Return bytes in Base64 for JWK (RFC 7515 section 2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
