"""The type of an ASN.1 OBJECT IDENTIFIER.

Its public name is in `cryptography.x509`. That module loads certificates, e-mail and sockets, and
its import takes as long as all other imports that this package needs.
"""

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurveOID

if TYPE_CHECKING:
    from cryptography.x509 import ObjectIdentifier
else:
    ObjectIdentifier = type(EllipticCurveOID.SECP256R1)

__all__ = ["ObjectIdentifier"]
