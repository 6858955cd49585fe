"""AlgorithmIdentifiers (RFC 5280 section 4.1.1.2) in DER, most of them for negative vectors."""

from typing import Final

from kmscore_vectors.generator import affine
from kmscore_vectors.generator.wire import der_integer, der_octets, der_sequence

RSA_ENCRYPTION: Final = bytes.fromhex("300d06092a864886f70d0101010500")
RSA_WITHOUT_NULL: Final = bytes.fromhex("300b06092a864886f70d010101")
RSA_WITH_SEQUENCE: Final = bytes.fromhex("300d06092a864886f70d0101013000")
RSA_WITH_NULL_TWICE: Final = bytes.fromhex("300f06092a864886f70d01010105000500")
RSA_WITH_LONG_NULL: Final = bytes.fromhex("300e06092a864886f70d010101058100")
RSA_WITH_FULL_NULL: Final = bytes.fromhex("300e06092a864886f70d010101050100")
RSA_WITH_AN_ARC_MORE: Final = bytes.fromhex("300e060a2a864886f70d010101010500")
RSA_WITH_AN_ARC_LESS: Final = bytes.fromhex("300c06082a864886f70d01010500")
RSA_WITH_A_PADDED_ARC: Final = bytes.fromhex("300e060a2a864886f70d018001010500")
RSAES_OAEP: Final = bytes.fromhex("300d06092a864886f70d0101073000")
RSAES_OAEP_NULL: Final = bytes.fromhex("300d06092a864886f70d0101070500")
RSASSA_PSS: Final = bytes.fromhex("300b06092a864886f70d01010a")
RSASSA_PSS_NULL: Final = bytes.fromhex("300d06092a864886f70d01010a0500")
SHA_256_WITH_RSA: Final = bytes.fromhex("300d06092a864886f70d01010b0500")

EC_PUBLIC_KEY: Final = bytes.fromhex("06072a8648ce3d0201")
EC_WITHOUT_CURVE: Final = der_sequence((EC_PUBLIC_KEY,))
EC_WITH_NULL: Final = der_sequence((EC_PUBLIC_KEY, b"\x05\x00"))
SM2_CURVE: Final = bytes.fromhex("06082a811ccf5501822d")
P256_CURVE: Final = bytes.fromhex("06082a8648ce3d030107")
CURVE_WITH_AN_ARC_MORE: Final = bytes.fromhex("06092a811ccf5501822d01")
CURVE_WITH_AN_ARC_LESS: Final = bytes.fromhex("06062a811ccf5501")
CURVE_WITH_A_PADDED_ARC: Final = bytes.fromhex("06092a811ccf550180822d")
EC_WITH_AN_ARC_MORE: Final = der_sequence((bytes.fromhex("06082a8648ce3d020101"), SM2_CURVE))
EC_WITH_AN_ARC_LESS: Final = der_sequence((bytes.fromhex("06062a8648ce3d02"), SM2_CURVE))
CURVE_AS_ALGORITHM: Final = der_sequence((SM2_CURVE,))
EC_WITH_NULL_AFTER_CURVE: Final = der_sequence((EC_PUBLIC_KEY, SM2_CURVE, b"\x05\x00"))

EXPLICIT_CURVE: Final = der_sequence(
    (
        der_integer(1),
        der_sequence((bytes.fromhex("06072a8648ce3d0101"), der_integer(affine.PRIME))),
        der_sequence(
            der_octets(number.to_bytes(32, "big"))
            for number in (affine.COEFFICIENT_A, affine.COEFFICIENT_B)
        ),
        der_octets(affine.point_bytes(affine.finite(affine.BASE))),
        der_integer(affine.ORDER),
        der_integer(1),
    )
)
"""The right curve by its numbers (SEC 1 section C.2), where its name is needed."""
EC_WITH_EXPLICIT_CURVE: Final = der_sequence((EC_PUBLIC_KEY, EXPLICIT_CURVE))
