"""The flags of the tests of private keys."""

from typing import Final

from kmscore_vectors.generator.model import Note
from kmscore_vectors.tables import BugType, Severity

_FAULT: Final = ("https://doi.org/10.1007/3-540-69053-0_4",)
_MANY: Final = "Two parsers that read different keys from one file."

KEY_NOTES: Final = {
    "RsaKey": Note(
        "A valid RSA key with another exponent, another private exponent, or other primes.",
        "An implementation that expects e = 65,537, or primes of one length or order, rejects valid"
        " keys.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="RFC 8017 section 3.2",
    ),
    "RsaNumbers": Note(
        "The numbers of an RSA key do not belong together, or a prime is not one.",
        "A wrong number gives wrong results, and one wrong result of the CRT shows a prime."
        " A modulus that is not of two primes can be factored, or is read as another key.",
        _FAULT,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="RFC 8017 section 3.2",
    ),
    "RsaModulus": Note(
        "The modulus of an RSA key has another length, or is even.",
        "A short modulus can be factored. A long one takes time.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 6",
    ),
    "RsaExponent": Note(
        "The public exponent is 1, even, negative or too large.",
        "With e = 1 the ciphertext is the encoded message. A large exponent takes time.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 6",
    ),
    "KeyAlgorithm": Note(
        "Another algorithm, curve or parameters than those of the key.",
        "A key for signatures decrypts, or the scalar of one curve is used on another.",
        bug_type=BugType.MODIFIED_PARAMETER,
        severity=Severity.STANDARD,
        section="RFC 8017 section A.1; RFC 5480 section 2.1.1",
    ),
    "KeyAttributes": Note(
        "PKCS#8 has attributes, which do not belong to the key.",
        "Files of some programs cannot be read.",
        bug_type=BugType.FUNCTIONALITY,
        severity=Severity.STANDARD,
        section="RFC 5208 section 5",
    ),
    "KeyStructure": Note(
        "A private key in another structure, of another version, or with bytes too many.",
        _MANY,
        bug_type=BugType.CAN_OF_WORMS,
        severity=Severity.STRICT,
        section="RFC 5208 section 5; SPEC section 11.3",
    ),
    "Sm2Key": Note(
        "A valid SM2 key with an extreme scalar, or without the optional public point.",
        "An implementation that needs the optional fields, or drops zeros of d, rejects valid"
        " keys.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="RFC 5915 section 3; GB/T 32918.1-2016 section 6.1",
    ),
    "Sm2Scalar": Note(
        "The scalar of an SM2 key is not 1 to n - 2, or not 32 bytes long.",
        "A scalar of 0 or n gives a public key that everyone can use. One that is reduced or cut"
        " is another key.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="GB/T 32918.1-2016 section 6.1; RFC 5915 section 3",
    ),
    "Sm2Point": Note(
        "The public point of an SM2 key does not belong to its scalar, or has another form.",
        "Others encrypt to a key that this private key does not open.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STRICT,
        section="RFC 5915 section 3; SPEC section 11.3",
    ),
}
