"""The weaknesses of random values, with their effects and references."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from kmscore_vectors.tables import Severity


class Weakness(NamedTuple):
    """A named weakness: the pattern of the values, and its effect."""

    description: str
    effect: str
    severity: Severity
    links: tuple[str, ...]


class Finding(NamedTuple):
    """A weakness in the answers to a question."""

    name: str
    """A key of `WEAKNESSES`."""

    detail: str
    """The numbers: how many values, which bits."""


_GCM: Final = "https://csrc.nist.gov/pubs/sp/800/38/d/final"
_JOUX: Final = (
    "https://csrc.nist.gov/csrc/media/projects/block-cipher-techniques/documents/bcm/"
    "joux_comments.pdf"
)
_OAEP: Final = "https://www.rfc-editor.org/rfc/rfc8017#section-7.1.1"
_SM2: Final = "https://datatracker.ietf.org/doc/html/draft-shen-sm2-ecdsa-02"
_WEAK_RANDOM: Final = "https://cwe.mitre.org/data/definitions/338.html"
_SMALL_SPACE: Final = "https://cwe.mitre.org/data/definitions/334.html"
_XAES: Final = "https://c2sp.org/XAES-256-GCM"
_BIASED_K: Final = "https://eprint.iacr.org/2019/023"
_SHORT_K: Final = (
    "https://github.com/RustCrypto/elliptic-curves/security/advisories/GHSA-w3g8-fp6j-wvqw"
)
_DEBIAN: Final = "https://www.debian.org/security/2008/dsa-1571"
_SAME_PLAINTEXT: Final = (
    "Equal plaintexts have equal ciphertexts, and a guess of the plaintext can be checked with the"
    " public key alone."
)

WEAKNESSES: Final[Mapping[str, Weakness]] = MappingProxyType(
    {
        "RepeatedIv": Weakness(
            "Two blobs under one key have the same IV.",
            "The XOR of the two plaintexts is readable, and the hash subkey of GCM can be computed:"
            " an attacker then forges blobs (SP 800-38D section 8.3; Joux; CVE-2021-25444).",
            Severity.STANDARD,
            (
                _GCM,
                _JOUX,
                "https://eprint.iacr.org/2016/475",
                "https://eprint.iacr.org/2022/208",
            ),
        ),
        "RepeatedHalf": Weakness(
            "Two IVs of XAES-256-GCM have the same 12 bytes for the key derivation, or for GCM.",
            "Only the other half separates the blobs: 2^32 messages are the limit and not 2^80.",
            Severity.POLICY,
            (_XAES,),
        ),
        "CounterIv": Weakness(
            "The IVs are a counter or a clock.",
            "SP 800-38D section 8.2.1 allows a counter where one device counts for a key. Here"
            " each process counts alone: after a restart or a copy of the machine, IVs repeat.",
            Severity.POLICY,
            (_GCM,),
        ),
        "ShortIv": Weakness(
            "The IVs have bytes of 0 at the beginning or the end.",
            "With 8 random bytes, two of 2^32 IVs are equal with a probability of 0.39, and not of"
            " 2^-33 as with 12: the effect of RepeatedIv.",
            Severity.STANDARD,
            (_GCM, _SMALL_SPACE),
        ),
        "RepeatedSeed": Weakness(
            "Two ciphertexts of RSAES-OAEP have the same seed.",
            _SAME_PLAINTEXT,
            Severity.STANDARD,
            (_OAEP,),
        ),
        "CounterSeed": Weakness(
            "The seeds of RSAES-OAEP are a counter or a clock.",
            "An attacker who can guess the seed checks a guess of the plaintext with the public key"
            " alone.",
            Severity.STANDARD,
            (_OAEP, _WEAK_RANDOM),
        ),
        "ShortSeed": Weakness(
            "The seeds of RSAES-OAEP have bytes of 0 at the beginning or the end.",
            "There are so few seeds that an attacker can check a guess of the plaintext with each"
            " of them.",
            Severity.STANDARD,
            (_OAEP, _SMALL_SPACE),
        ),
        "ConstantBits": Weakness(
            "Some bits are equal in all values.",
            "The values have fewer random bits than the algorithm needs: they repeat earlier.",
            Severity.STANDARD,
            (_GCM, _SMALL_SPACE),
        ),
        "BiasedBits": Weakness(
            "Some bits have one value more often than a random bit.",
            "The values come from a weak generator, or from a clock or a counter.",
            Severity.POLICY,
            (_WEAK_RANDOM,),
        ),
        "BiasedBytes": Weakness(
            "Some byte values occur more often or less often than random bytes.",
            "The usual cause is a number modulo 255 or a text in place of random bytes: values"
            " repeat earlier.",
            Severity.POLICY,
            (_WEAK_RANDOM,),
        ),
        "DependentBits": Weakness(
            "Some bits are the XOR of other bits in all values.",
            "A short random value was stretched, for example by repetition or by a shift register."
            " The values repeat earlier, and some can be computed from others.",
            Severity.STANDARD,
            (_SMALL_SPACE, _WEAK_RANDOM),
        ),
        "RepeatedK": Weakness(
            "Two ciphertexts of SM2 have the same C1. k is then the same, and not random as in"
            " GB/T 32918.4-2016 section 6.1 step A1.",
            "The key stream is the same: the XOR of the two plaintexts is readable. Equal"
            " plaintexts have equal ciphertexts.",
            Severity.STANDARD,
            (_SM2, _BIASED_K),
        ),
        "NegatedK": Weakness(
            "Two ciphertexts of SM2 have a C1 with the same x and another y: k and n - k.",
            "The second k follows from the first: one k decrypts both ciphertexts.",
            Severity.STANDARD,
            (_SM2, _WEAK_RANDOM),
        ),
        "ShortK": Weakness(
            "k or n - k is at most 2^24, or 2^32 in one of the first four answers.",
            "An attacker finds k from C1 in less than a second, and decrypts with the public key"
            " alone (CVE-2026-22698). A generator with few states has the same effect"
            " (CVE-2008-0166).",
            Severity.STANDARD,
            (_SM2, _SHORT_K, _BIASED_K, _DEBIAN),
        ),
        "CounterK": Weakness(
            "The difference of two values k is small, or it is the same again: k is a counter.",
            "An attacker who has one k, or one of the points [k]P, decrypts all other ciphertexts.",
            Severity.STANDARD,
            (_SM2, _WEAK_RANDOM),
        ),
    }
)
"""All weaknesses that can be found, by name."""
