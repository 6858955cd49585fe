"""The keys of the vectors. TEST KEYS: published, known to everyone, and never to be used."""

from typing import Final

from kmscore_vectors.generator import affine
from kmscore_vectors.generator.oaep import RsaTestKey

# GM/T 0003.5-2012 Annex C.
SM2_SCALAR = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
SM2_PUBLIC_POINT = affine.finite(affine.multiply(SM2_SCALAR, affine.BASE))
SM2_PKCS8 = affine.pkcs8(SM2_SCALAR)
SM2_SPKI = affine.spki(SM2_PUBLIC_POINT)

RSA_2048 = RsaTestKey(
    int(
        "f5846841417a5884ba1c208ef2e574e336daa72d79deae397f3bce35e4d549e1eaa9d1448b6b0a94"
        "e2d857f0500768d6f7c82f41bd049232b3d1649d597659aba45756090b49adafe7694ae755a6918a"
        "4af3f8319264171a7fc2ededfb5946955d3b0dd98a31fb4ef96bbcce483e0caccf6fabd9c27abd75"
        "b49723d913d2fa27",
        16,
    ),
    int(
        "cdbb567e243f554ae3328a0cf9c3a4aaa8fdc83318e8e7560af4eefc46750ef7f5cc0ced0cda794c"
        "90c9742023602693f172271da75080122a7a87441fd26b4a68313e543e98514e268c37e02f48c056"
        "177af8e2795ff5017653046a9bd908fb8fa03bdf1ca8ffc0bbda04d334695514b905d9f918fa0f10"
        "c6056bbfbc79b9c7",
        16,
    ),
)

RSA_3072 = RsaTestKey(
    int(
        "e40dc1c60fd07ef3891f312bea9173398a65bba5f7d853f262f7ac06f2c2280206498d18cf76e971"
        "652dcee664f086bf1edafe29665d98113126b5f36a0184f9fdf29b50aa9140050cebcb0a4bacfc58"
        "db18f9b6b533cb8ad3bfa0a6344d797e36679dcdf80d9b01018183cfc2400a2ef0419ddd46adc343"
        "04ff024673130a2d32c0c760fcbeb550ae334191b8ce152d30198a4ffde825b71609cf122c6e1440"
        "901467aef312f7e8239833fe9b3913ad44841541753094ec11ffbf6d5ee53997",
        16,
    ),
    int(
        "d7d19d22d895afa14f8a396b94b2cf8a570e3bdac346561555c1a9450cd0fce15bb8d20c2739b4f3"
        "e79bdacb92cb091588960da0b2d8d6f8c162bbb627c0f8b34f1dfee0ea8b09f8dccb5ae0dbdb432b"
        "d3150dc39e4fd9d14f072b83ba9d8dd328603d046bb8a97f590a0e87585b60a2575e02e8b2db946b"
        "97bda141e8bf3feb0364694e66e7ac6807ff5141741f12573abe35f4c8d940d99dae1ad424806528"
        "5c39f9a127ca0e1a3e6aefca715eb8d2f524e0728541825a701cfb0e4632d683",
        16,
    ),
)

RSA_4096 = RsaTestKey(
    int(
        "d591974bd7f6283821408ee48184909b8e97fc59ba8801d8591881426ed71e555d2ca74a1ffc2bb4"
        "0e2abf76462e694370867a477107bbadd24ec8a00cd61a5227888192d123fcc42b0f91d10b49f001"
        "04ca9d694e5230fb1841a500172aa32877d26c9a9b5904aa9d6af2dfe01c555fb74c337b8cd7cbd9"
        "97898f250752275027814f2468aa99e06c0b5350470351fa3ced0238d7b5b60dc894b17eb50744d1"
        "9febf6b7786f58baf65c2df962a4039b971c9c7224f2233361711ba1781d0685b7b0019d497cf9b0"
        "987f9a932743009484705d261a7376e73aa280959ee953c9062f71d52de13dd3c060eb89f1525ff0"
        "244b38c0fc2301e61d7509fab1170005",
        16,
    ),
    int(
        "cc8a3d28cd8cad46ecc942e25e9ff1fb136846b13c874c1a964d9da1b50187f4d1ccb41c1f62c1fb"
        "6d68ee21838366ec9464dce463d2d3da3da9fa5f072935741fcb4f1edc9076d638f58803e7e1520e"
        "32281b3fbdbf022c6f9136d57dcab4071aa5422c790b40e769e3484e1a2c8ee9c843ddfb7a814bfa"
        "1776bc824e9e58722d4a48abb150a1acd127124e0ab4165329c13fbc08679c948fab19b3595f13de"
        "76caa8bb97473020c6c69e0053e7689d41ce81f4b516e9ad1ea8958f293399b83c79cdae15e2b137"
        "41b1bdce08d8fadfa615379abbc2214449da30757e7eb2030fa3954149c1dc5618ef703310a71ed4"
        "e9f1e1c2c5b237542d645d33f08f4fc7",
        16,
    ),
)

RSA_KEYS = {"RSA_2048": RSA_2048, "RSA_3072": RSA_3072, "RSA_4096": RSA_4096}

_ARNAULT_FACTOR: Final = int(
    "29674495668685510550154174642905332730771991799853043350995075531276838753171770199594238596428"
    "121188033664754218345562493168782883"
)
ARNAULT: Final = (
    _ARNAULT_FACTOR * (313 * (_ARNAULT_FACTOR - 1) + 1) * (353 * (_ARNAULT_FACTOR - 1) + 1)
)
"""A product of three primes, of 397 digits and 1,318 bits.

It passes the test of Miller and Rabin with each base below 307. F. Arnault, "Constructing
Carmichael numbers which are strong pseudoprimes to several bases", Journal of Symbolic Computation
20 (1995), pages 151 to 161.
"""
