"""The type of an ASN.1 OBJECT IDENTIFIER.

Its public name stands in `cryptography.x509`, which loads certificates, e-mail and sockets and
takes as long to import as all the rest of what is needed here.
"""

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurveOID

if TYPE_CHECKING:
    from cryptography.x509 import ObjectIdentifier
else:
    ObjectIdentifier = type(EllipticCurveOID.SECP256R1)

__all__ = ["ObjectIdentifier"]
