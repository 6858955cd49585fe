"""Points and numbers of SM2PKE that searches found, each with the property that makes it a test.

`test_vectors_constants` checks every property.
"""

from typing import Final, NamedTuple

from kmscore_vectors.generator.affine import PRIME


class Multiple(NamedTuple):
    """A factor k, and the bits of the coordinates of its product with a point."""

    k: int
    x_bits: int
    y_bits: int


SHORT_C1: Final = (
    Multiple(327, 248, 255),
    Multiple(2109, 244, 256),
    Multiple(713_630, 240, 250),
    Multiple(17_883, 237, 256),
    Multiple(206, 256, 248),
    Multiple(107, 254, 247),
    Multiple(316_619, 256, 240),
    Multiple(193_197, 256, 239),
    Multiple(278_982, 248, 248),
    Multiple(501_527, 246, 248),
    Multiple(589_123, 248, 243),
)
"""The least k for which x1 or y1 begins with one zero byte, or two, or both begin with one.

The next bit is 1 where a coordinate has 248 or 240 bits, which decides the sign byte in DER.
Searched: [1]G, [2]G, ...
"""

SHORT_SHARED: Final = (
    Multiple(1199, 248, 256),
    Multiple(194, 246, 254),
    Multiple(41_294, 240, 256),
    Multiple(158_997, 239, 256),
    Multiple(295, 253, 248),
    Multiple(932, 256, 247),
    Multiple(46_691, 250, 240),
    Multiple(112_047, 255, 239),
    Multiple(226_451, 248, 248),
    Multiple(5_495_198, 232, 254),
    Multiple(4_401_434, 255, 231),
)
"""The same for x2 and y2. Searched: [1]P, [2]P, ...; in the last two, three bytes are zero."""

SIGN_BITS: Final = (
    Multiple(1, 254, 256),
    Multiple(2, 255, 254),
    Multiple(3, 256, 255),
    Multiple(4, 256, 256),
)
"""The least k for each pair of first bits of x1 and y1."""

FIRST_04_K: Final = 11
"""The least k for which x1 begins with 04, the first byte of C1C3C2."""
FIRST_30_K: Final = 54
"""The least k for which x1 begins with 30, the first byte of ASN1_DER."""

# Found by a search over k = 1, 2, 3, ...: P, 2P, 3P, ..., and the KDF of each.
FIRST_00_K: Final = 470
"""The least k for which the KDF's output under this key begins with 00."""
FIRST_0000_K: Final = 62_785
"""The least k for which it begins with 00 00; a third 00 needs some 2^24 values."""
SECOND_00_K: Final = 618
"""The least k for which its second byte alone is 00."""
LAST_00_K: Final = 242
"""The least k for which the 19th byte is 00, and the first is not."""
BLOCK_ENDS_00_K: Final = 53
"""The least k for which the first block of it ends with 00."""
SECOND_BLOCK_00_K: Final = 28
"""The least k for which the second block alone begins with 00."""
SECOND_BLOCK_0000_K: Final = 65_281
"""The least k for which the second block begins with 00 00."""
THIRD_BLOCK_00_K: Final = 65
"""The least k for which the third block alone begins with 00."""
ENDS_00_K: Final = 57_201
"""The least k for which the first and the 19th byte are 00."""
ACROSS_0000_K: Final = 125_890
"""The least k for which the first block ends with 00 and the second begins with 00."""

# Found by taking square and cube roots modulo p for small or large values of one coordinate.
SMALL_X: Final = (1, 0x9F7A091433A81E3F218F405F792355BF2AA98B5FFA95982F03870800065279A3)
SMALL_Y: Final = (0x9C17043EFFE1A805A74A9A5E70B9D659705D3242094A566DC016F49311178D1F, 1)
ZERO_X: Final = (0, 0xFD4511E81736A60F07E88A83D6CF5A167FAE6D1A9C9330E76E232E00F5CDC154)
"""A point with x = 0: the curve has one because b is a square."""
LARGEST_X: Final = (PRIME - 2, SMALL_X[1])
"""A point with the largest x: the curve has none with x = p - 1."""
LARGEST_Y: Final = (SMALL_Y[0], PRIME - 1)

# 2^256 - 1 is 2^224 + ... modulo p, and the curve has points with that x, and with that y.
LONGEST_X: Final = (
    2**256 - 1, 0xC68CA708C81F3C6676B260F605DECCB5EFE6063A402A46BD11065632D369C1BD
)  # fmt: skip
LONGEST_Y: Final = (
    0xE3B75D0927BA6248F6AB690BAC80649C968EF51C30B1F01E056249E4157F5CAC, 2**256 - 1
)  # fmt: skip
"""Points that are on the curve if a coordinate of 2^256 - 1 is reduced modulo p."""

# Found as roots of the division polynomials of y^2 = x^3 + ax + b', in b', for x = 2.
SMALL_ORDERS: Final = {
    2: (1, 0),
    3: (2, 0xD2FE2145A107EA2644177798876894D992F17ABD42D9BEA67834AA9EC001205F),
    5: (2, 0xAA6FFEE76DEC5D5E0687D44E22AF935557BF55376C8526E49667C092889929D9),
    7: (2, 0x88032F66FFE8198D5D1870D539BE59D8ADEA1C012ED76158A5583A98A36EC7CF),
    11: (2, 0xDCF5BE4DC429980B92914892DF5FD2A0C85A515E04490DD6CF8F4FAFAB846969),
    13: (2, 0xBF494DEA9AF6159C741483B4F754E3F559F7185CA62112AC8FB7482261D43C1D),
}
"""For each small prime, a point of that order on a curve with another b."""
TWISTED: Final = (2, 0xB1B7F5AAD565EC922D631DA870D0BC36E4FE00E39CC28572E523E050B2046970)
"""A point with -y^2 = x^3 + ax + b, on the quadratic twist."""
P256_BASE: Final = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
"""The base point of P-256 (SP 800-186 section 3.2.1.3), whose coordinates are below p."""
