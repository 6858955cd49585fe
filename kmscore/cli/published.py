"""Published ciphertexts, with the published test keys that decrypt them.

Only the data is copied, each with its source. The keys are not secret, because they are test keys
in public documents.
"""

from base64 import b64decode
from typing import Final, NamedTuple

from kmscore.algorithms import EncryptionAlgorithm
from kmscore.keys import PrivateKey, RsaKey, Sm2Key


class PublishedCiphertext(NamedTuple):
    """A published ciphertext, its published plaintext, and the test key that decrypts it."""

    source: str
    algorithm: EncryptionAlgorithm
    key: PrivateKey
    ciphertext: bytes
    plaintext: bytes


def published_ciphertexts() -> tuple[PublishedCiphertext, ...]:
    """Return one ciphertext for each asymmetric algorithm."""
    return (
        PublishedCiphertext(
            "Wycheproof, OAEP 2048 SHA-256, MGF1 SHA-256, tcId 7",
            EncryptionAlgorithm.RSAES_OAEP_SHA_256,
            RsaKey.from_der("wycheproof-sha256", "1", _RSA_SHA_256_KEY),
            _RSA_SHA_256_CIPHERTEXT,
            _RSA_PLAINTEXT,
        ),
        PublishedCiphertext(
            "Wycheproof, OAEP 2048 SHA-1, MGF1 SHA-1, tcId 7",
            EncryptionAlgorithm.RSAES_OAEP_SHA_1,
            RsaKey.from_der("wycheproof-sha1", "1", _RSA_SHA_1_KEY),
            _RSA_SHA_1_CIPHERTEXT,
            _RSA_PLAINTEXT,
        ),
        PublishedCiphertext(
            "GM/T 0003.5-2012, Annex C",
            EncryptionAlgorithm.SM2PKE,
            Sm2Key.from_scalar("gmt-0003", "1", _SM2_SCALAR),
            _SM2_CIPHERTEXT,
            b"encryption standard",
        ),
    )


# Project Wycheproof (Apache-2.0), test vectors 0.9, rsa_oaep_2048_sha256_mgf1sha256_test.json and
# rsa_oaep_2048_sha1_mgf1sha1_test.json: the key of each, and the test with the 32 bytes e0 to ff.
_RSA_PLAINTEXT: Final = bytes(range(0xE0, 0x100))

_RSA_SHA_256_KEY: Final = b64decode(
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCitFGgfQql+W5FVnFRNVBRSopbRi6+9xcJT6H+6CIk"
    "5jf5dG0/fK/TGHjYAyW271oXAPZZA7RpQp6J1urIhFCXtas5MYnbklEu2KdxGhJT+s0g95wV6CR/PT5C5G5IyY4lSi/p"
    "dlMToD7/jxfhoCk5eh+iao3OJvSQ7YEplhXZgUwi2mEEKOCcfZZYWUJm9cAh0PzsoI2UWhK+gt5NHs5rTAMUW100ldTt"
    "VBHrh42vBf16/D4JraDxEmQi9ZCXWhlpgW9IaYvLuhtNnK551GDY+fheeXUAXZvCLE5awPfBpF0SVppigH07mgLlpTDn"
    "cwZvRT0fW0wunPeCAoP3QrnVAgMBAAECggEAJM3GIxf11ypva6bMljKJmwHR/yiGfXL2FoiZW8hVpOQgqEBSUAib2xPP"
    "jglUOCe3SLnSf7srTZ4gr4xaaoYnltGkzBitFupni8G9SoO7vpxeV0U7XOc4jkGjukzit3tEOKIp6VT3INrgNT3AiKyK"
    "drJtwnb44beFHd1jmK0W/y54GVEjubA26UXDjJ0SQ09t92/iI1nrPhrJwBFnj8km+tOuR1pP//9V/rLRR+nIlPTA4ppZ"
    "nnYkYkgtlov0J4CUX8DSwxxXPEQxuPT+i4xnvsgVq9RPeobtyhwjCHNzWNLCrl4uDi2t9zCYAmI3flixO32ZkgYKC8hw"
    "zP20qTGe4QKBgQDcQxBQ94LolPtSSCR9mMt9WLjR4k87VdBBxW5N4Iaw1bsCi9pC7rXSNNVoHlgJ1BXmoomtTPv3j5eP"
    "bDWBT1Duv/HFuApp94joHmurXdqng2nWWdFD7G8X55gTpXXPrZxWkVa5ARPi6REK2ee0ihyTSKbmUzIRkSkOo2z7OlsY"
    "8QKBgQC9GoHnl3+YmBIic64yIrWY6l+xnrTqvDgwil4yGWYDsuUA/7efW4hoFmEd68Ry+sRVRAcL6wV8lBN4poaK87eg"
    "PT+YgOxH1eCJuU+95UKrqa6NcsVwiNer9bEx85CY97wWD5BTaryUkv1OBvPtcpnUuXuwNncgfZVmnxQM+8IPJQKBgQCp"
    "S1KLKPKRWZEh2RlS/9HH8h18FHnZnUeIhfsWGHDuEhi/CEcmEtvlSX6NnGUGiOCceGlhrj4sNU3EiuNFFHWcTCPEWISI"
    "lh3Aa0FOYcDh5/u9KSPTFTL+KJ+W2iIHEeWMFAGYCOAEFCdpM7sH5O+5tKmzdlaRcgUgnzPwlRXXwQKBgDrw5yqTOu8J"
    "/yUD33i6/tUxwC/xorxDfFQM3L1K01Q1z1EXY1llQ0gGKbEUyn94D/fvoy6gy24ADW2eofLvcf2c+ZSEIqFlVX4351Xt"
    "/nDZC5IFAutHi8mKY/eIzjoPhW1u3nJRo4O/qPpICoGpJa97PMU4xLq4yfdZf/toAR2NAoGAJkD7+8/vsWPueoe2SDpm"
    "7kH5VtkPqKeTm/wELuCSSxt5k9BEX3WNUZM+hRecAyCwyWi0ipHDi1vpI+EJfAxWL4jUIpS2onWbr6VCinTxJwh05F9v"
    "zGDyFgLeXszRQ88xJB9ZIbWtOYP7VO8XvjsoU2flDJmcZyR7VS/kv86UX3s="
)

_RSA_SHA_256_CIPHERTEXT: Final = b64decode(
    "CWlYeG7nlyBQ1nqeS2nWxq99t8xnQ4bfcldw3SkSm4JuOVUjMBBMjXHmzDowFN0vYbVBU69RsEONRH7pOfnjwTu4sAo3"
    "3qagaPbJ0n6Eixvnoe7rPuULeANvupWuRpSMpbE/NW6iTbEPYNwJ5Li62PdmtmjvclJEMggKDOAO1nbW1eNUmEsQeFIE"
    "ElJYSBVtBvBlJGn5V5G6o9mnmK5TcJT3b5dvrs1cnODJMKdZEMY9rPY0hctLXnvbz02A50A36qGo/ktSkwvsa+mc9qyI"
    "z1h42/aFnUVqldvDRlTuxCXehMoqU11RdAOpqtqCfn0Ak+z8l+0FanZSgl6aRcstyw=="
)

_RSA_SHA_1_KEY: Final = b64decode(
    "MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQC9McegJpHS2Vh+9qlG/3iFRMyt1LKYitYghnkqa/ls"
    "hha0rRMxfSJwuQHQ/NHYgMuPUvuHMEpSWMEbON/q6N9nCu7n6h0NnfjgDoCEfkHlmJ7UAtROeLMP7xe1Zx062/hoXk3C"
    "BEmezRhj4dWv8op89m6t8x/skjbBIK3RNFFSLGR8mDKmcs1k0yjBwyIYP0Zh0JvaYLjdXwMo2lQgghQkr9q7GoDF0Sdj"
    "obAjjNidB0K/xQtqL8twHYJCGPmCb094ojorWqQqzn8XU3b7bL2yutKTulg9TTHGuPkCnkaxNokkmFX1BXVuAOIlpqRa"
    "GHab2NKzpKy58cI9PlGIJWHlAgMBAAECggEAB0fVIMqbLfwDNc+UMBFAuBAvuDjJLqmZF+NU4lcJYC3Aze8jH/Jq0t+r"
    "vDkecjBypO9Skp8/HPAhbkTACTAw+KwpCW+u8okzvJuSQocBTi6TXiFFvkdSzLgst2RicZNpecq3P1Ie6yeFWsKkEINK"
    "5Qguti72+Yme5cu2JKjYwEq37c94/hNdD4CPY7XebgcXeb8dnqr40++WVIbyxSYl5uV6ZRx7vQGXyZwFezhgoyYMhkoR"
    "s88iukTeOjs/MRfmTr+akfYm67Pzwm0bC7gHU0aNS/apl7KDNfIO2MOE11WDYKmul1VmH6N0mEaxdOa/Mw5S0JlB9szX"
    "3lAEd5+buQKBgQD+PSONN2o4VtlZL9SWHBen+w+jnUQunfIuftoRXGSMXLc434nqktg3hVjQ2cHPPYv/dA03Q6AUCmp1"
    "I+kXbClTssEdf0RpHPi+wrNPtZxklTWYMxlIgRjAMRiudEXnDfRmzphnEmDwXVBoznd9qX4rqEd5SQUAzrT/f2LOypoU"
    "fwKBgQC+gUrya/PCcRW8dZXQ0Soa93E/7Kh3rm5thYgl7aPRknBHdPQuGuG2fxc56MRaBHY4gHD6VFt8yWuKRAA7yNB/"
    "3nP1vN0YJoOV3MKEK1Aj/xSzUjgmB7cXml6jMIQPxFBF2G4KzE/rE18KubfOa4619aV18qKo3imcDT9QbfSHmwKBgGG7"
    "TPRXLgz0Td78BQOjTvCzEUL7DJ/C9bsr5lYwJzLR3VkOjWzQAC/vocG/Q8KPzUZo7T+mTl4F1wCqykrHuGdFWvkk2D5z"
    "9acXH2jvzmvX899LHVgC0GnpNayyY8C7W409s9ZDeWJM7MEtRT/YLPlJWhhkmnjB/VAOPwRxW6OvAoGAZknb6SCnqM65"
    "ghCM2auFdSdJiq5SorhpGKtrOBpKLLv5R5T3i03pxeilmvVtgHwG0j2869yhpvYrpPjwOymPMilKkDbRbCc53hzD4N20"
    "0S8keUh7V4gq+iRsDil9r02UYHxeUbP0cV9cV9DybYZ5ASCdsCAQ0KVBKEZAqbnwY2MCgYA57GBvXJ8fM9lkYG4Sjp6Q"
    "z/kydyxXFap1mBbVBO/ixGIG8zeaph0x+I5ya1DdgLjOhVig10CFJfWMM5nOMuI51wlB8S0h53YcBD4LAiINJf/QNXHH"
    "rlu9WcMfSBIGdvnXw3CnSdhJG9/OoBZioTbIXTSbbHEPxvbr+Kenm2Ktww=="
)

_RSA_SHA_1_CIPHERTEXT: Final = b64decode(
    "NTBgX0O1U5yAOY+FbuqNiJhK9KagjbO51Ak8yA0aMTwOvnJ+ssRc7CAl7uYPOFgiwJ+C47zt9mt5wrNKT0GqiIXspbmJ"
    "F5jUeRT5R8dogdv8PyHsJ6EdySbGR7ayp/MpLsSqMulpurSa/iA//XmwwatXd6BB++Tp4aZ5/i2C6cJn7n++VOng3vaN"
    "i7rLHlPama7IupJV0v9mdtvMWEmKOG3YprPPAiKp4U/QMxMwO+ydBDn/DopaCc4pJuvobK/QDNjKdhuI35z4T3uOB8xf"
    "ZVGZ6oHqZAfsJktZcXOJZ6LpdxMtxYnHL4u2OalCn+tRLY0yxEH34c5sa++ggUCgkA=="
)

# The encryption example of GM/T 0003.5-2012 Annex C (GB/T 32918.5-2017), C1C3C2.
_SM2_SCALAR: Final = 0x3945208F_7B2144B1_3F36E38A_C6D39F95_88939369_2860B51A_42FB81EF_4DF7C5B8
_SM2_CIPHERTEXT: Final = bytes.fromhex(
    "0404ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73"
    "e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"
    "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
    "21886ca989ca9c7d58087307ca93092d651efa"
)
