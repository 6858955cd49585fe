"""Known answers that no package contains: transcribed values, each with its source."""

from typing import NamedTuple


class Sm2Case(NamedTuple):
    """One SM2 ciphertext for a private scalar and its point, 04 and coordinates.

    `plaintext` is `None` if the ciphertext must be rejected. `well_formed` is false if that needs
    no private key. `k` is set if it was published.
    """

    name: str
    scalar: int
    public_point: bytes
    encoding: str
    ciphertext: bytes
    plaintext: bytes | None
    well_formed: bool = True
    k: int | None = None


_GMT_SCALAR = 0x3945208F_7B2144B1_3F36E38A_C6D39F95_88939369_2860B51A_42FB81EF_4DF7C5B8
_GMT_POINT = bytes.fromhex(
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
_GMT_K = 0x59276E27_D506861A_16680F3A_D9C02DCC_EF3CC1FA_3CDBE4CE_6D54B80D_EAC1BC21
_GMT_PLAINTEXT = b"encryption standard"
_GMT_CIPHERTEXT = bytes.fromhex(
    "0404ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73"
    "e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"
    "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
    "21886ca989ca9c7d58087307ca93092d651efa"
)


def _rejected(name: str, ciphertext: str, *, well_formed: bool = True) -> Sm2Case:
    """Return a variant of the ciphertext above that must be rejected."""
    data = bytes.fromhex(ciphertext)
    return Sm2Case(name, _GMT_SCALAR, _GMT_POINT, "C1C3C2", data, None, well_formed)


SM2_CASES = (
    # The example of GM/T 0003.5-2012 Annex C (GB/T 32918.5-2017), C1C3C2; its x begins with 04.
    Sm2Case(
        name="GM/T 0003.5 Annex C",
        scalar=_GMT_SCALAR,
        public_point=_GMT_POINT,
        encoding="C1C3C2",
        ciphertext=_GMT_CIPHERTEXT,
        plaintext=_GMT_PLAINTEXT,
        k=_GMT_K,
    ),
    # The same in DER (GM/T 0009), y with a leading zero: openHiTLS, commit 865c3e79,
    # testcode/sdv/testcase/crypto/sm2/test_suite_sdv_eal_sm2_crypt.data, DEC_API_TC001; also
    # OpenSSL, test/sm2_internal_test.c.
    Sm2Case(
        name="GM/T 0003.5 Annex C in DER",
        scalar=_GMT_SCALAR,
        public_point=_GMT_POINT,
        encoding="ASN1_DER",
        ciphertext=bytes.fromhex(
            "307c"
            "022004ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73"
            "022100e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"
            "042059983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
            "041321886ca989ca9c7d58087307ca93092d651efa"
        ),
        plaintext=_GMT_PLAINTEXT,
        k=_GMT_K,
    ),
    # OpenSSL, commit 0ca8e7dd, test/recipes/30-test_evp_data/evppkey_sm2.txt.
    Sm2Case(
        name="OpenSSL evppkey_sm2",
        scalar=0xD0915673_3017BDAD_809FD9BB_D8C693F6_02305931_69B6F94A_AF1C8EE1_38CC99B5,
        public_point=bytes.fromhex(
            "04393a2ad9e27e43acaaab85a19d3b85591e14406157175addd37bf77ff0caf9ed"
            "37fcf3a8b4f55c038523261fca6636afe6a7afa2a1482a606f5cb3a18b2e2a1e"
        ),
        encoding="ASN1_DER",
        ciphertext=bytes.fromhex(
            "30818a"
            "0220466be2ef5c11782ec77864a0055417f407a5afc11d653c6bce69e417bb1d05b6"
            "022062b572e21ff0ddf5c726bd3f9ff2eae56e6294713a607e9b9525628965f62cc8"
            "04203c1b5713b5db2728eb7bf775e44f4689fc32668bdc564f52ea45b09e8df2a5f4"
            "0422084a9d0cc2997092b7d3c404fce95956eb604d732b2307a8e5b8900ed6608ca5b197"
        ),
        plaintext=b"The floofy bunnies hop at midnight",
    ),
    # The invalid variants of the example in openHiTLS: the file above, DEC_FUNC_TC002 (the first
    # three and the wrong key) and DEC_API_TC002 (numbers 3 and 4).
    _rejected(
        "C1 off the curve, x changed",
        "0404ebfc718e8d1798620432268e78feb6415e2ede0e073c0f4f640ecd2e149a73"
        "e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"
        "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
        "21886ca989ca9c7d58087307ca93092d651efa",
        well_formed=False,
    ),
    _rejected(
        "C3 changed",
        "0404ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73"
        "e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"
        "59983c28f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
        "21886ca989ca9c7d58087307ca93092d651efa",
    ),
    _rejected(
        "C2 changed",
        "0404ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73"
        "e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"
        "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
        "21886ca989ca9c7d58087308ca93092d651efa",
    ),
    _rejected(
        "C1 of zeros",
        "040000000000000000000000000000000000000000000000000000000000000000"
        "0000000000000000000000000000000000000000000000000000000000000000"
        "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
        "21886ca989ca9c7d58087307ca93092d651efa",
        well_formed=False,
    ),
    _rejected(
        "C1 with a half of each coordinate zero",
        "04000000000000000000000000000000b6415e2ede0e073c0f4f640ecd2e149a73"
        "00000000000000000000000000000a3c64e6ee6a63094d99283aff767e124df0"
        "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
        "21886ca989ca9c7d58087307ca93092d651efa",
        well_formed=False,
    ),
    Sm2Case(
        name="another key",
        scalar=_GMT_SCALAR + 1,
        public_point=bytes.fromhex(
            "044182d59b20b0f4f62bfb7521279bffd206e3bdaa22064732e7d488424f264b15"
            "b26ddc1e456bea6a19ea89172186df253ac715bc4678558b5e03c233c3153a93"
        ),
        encoding="C1C3C2",
        ciphertext=_GMT_CIPHERTEXT,
        plaintext=None,
    ),
)


class AeadCase(NamedTuple):
    """One message of an authenticated cipher: `sealed` is ciphertext and tag."""

    name: str
    key: bytes
    iv: bytes
    plaintext: bytes
    associated_data: bytes
    sealed: bytes
    derived_key: bytes = b""


SM4_GCM_CASE = AeadCase(
    name="RFC 8998 appendix A.1",
    key=bytes.fromhex("0123456789abcdeffedcba9876543210"),
    iv=bytes.fromhex("00001234567800000000abcd"),
    plaintext=b"".join(bytes([byte]) * 8 for byte in bytes.fromhex("aabbccddeeffeeaa")),
    associated_data=bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
    sealed=bytes.fromhex(
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec"
    ),
)

# C2SP, XAES-256-GCM.md, commit 03ab7445. The most significant bit of L, the block that gives K1,
# is 0 in the first case and 1 in the second.
XAES_CASES = (
    AeadCase(
        name="C2SP, MSB of L 0",
        key=b"\x01" * 32,
        iv=b"ABCDEFGHIJKLMNOPQRSTUVWX",
        plaintext=b"XAES-256-GCM",
        associated_data=b"",
        sealed=bytes.fromhex("ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
        derived_key=bytes.fromhex(
            "c8612c9ed53fe43e8e005b828a1631a0bbcb6ab2f46514ec4f439fcfd0fa969b"
        ),
    ),
    AeadCase(
        name="C2SP, MSB of L 1",
        key=b"\x03" * 32,
        iv=b"ABCDEFGHIJKLMNOPQRSTUVWX",
        plaintext=b"XAES-256-GCM",
        associated_data=b"c2sp.org/XAES-256-GCM",
        sealed=bytes.fromhex("986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
        derived_key=bytes.fromhex(
            "e9c621d4cdd9b11b00a6427ad7e559aeedd66b3857646677748f8ca796cb3fd8"
        ),
    ),
)
XAES_ACCUMULATED = {
    10_000: "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939",
    1_000_000: "2163ae1445985a30b60585ee67daa55674df06901b890593e824b8a7c885ab15",
}


class ContextCase(NamedTuple):
    """One encryption context and its canonical bytes."""

    name: str
    context: dict[str, str]
    canonical: bytes


CONTEXT_CASES = (
    # AWS Encryption SDK for Python, commit 51089773, test/unit/test_values.py and
    # test_encryption_context.py.
    ContextCase("empty", {}, b""),
    ContextCase(
        "four pairs out of order",
        {
            "key_a": "value_a",
            "key_b": "value_b",
            "key_c": "value_c",
            "aws-crypto-public-key": (
                "AmZvwV/dN6o9p/usAnJdRcdnE12UbaDHuEFPeyVkw5FC1ULGlSznzDdD3FP8SW1UMg=="
            ),
        },
        bytes.fromhex(
            "0004"
            "00156177732d63727970746f2d7075626c69632d6b6579"
            "0044416d5a7677562f644e366f39702f7573416e4a645263646e45313255626144487545"
            "46506579566b7735464331554c476c537a6e7a44644433465038535731554d673d3d"
            "00056b65795f61000776616c75655f61"
            "00056b65795f62000776616c75655f62"
            "00056b65795f63000776616c75655f63"
        ),
    ),
    # AWS Encryption SDK for JavaScript, commit 07bf7239, modules/serialize/test/fixtures.ts and
    # serialize_factory.test.ts.
    ContextCase(
        "text outside ASCII",
        {"some": "public", "information": "½ + ¼ = ¾"},
        bytes.fromhex(
            "0002000b696e666f726d6174696f6e000cc2bd202b20c2bc203d20c2be0004736f6d6500067075626c6963"
        ),
    ),
)
