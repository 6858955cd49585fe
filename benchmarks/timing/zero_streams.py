"""SM2 ciphertexts of one byte whose KDF output is zero, so that C2 is the plaintext."""

import os
import random
from functools import cached_property
from typing import Final

from kmscore import Sm2Key
from kmscore.sm2.backends.portable import _add, _to_affine, multiply
from kmscore.sm2.curve import G, Point, encode_point
from kmscore.sm2.encodings import Sm2Ciphertext
from kmscore.sm2.scheme import _c3, _kdf, draw_scalar

_POOL: Final = 200


class ZeroStreams:
    """A list of k whose KDF output begins with 00, found with the public key alone."""

    def __init__(self, key: Sm2Key) -> None:
        """Set the public key; the list is made at the first use."""
        numbers = key.public_key.to_der()[-64:]
        self._public = Point(int.from_bytes(numbers[:32]), int.from_bytes(numbers[32:]))

    def draw(self) -> Sm2Ciphertext:
        """Return a ciphertext of a random byte with the right C3, and C1 from the list."""
        c1, shared = random.choice(self._pool)
        text = os.urandom(1)
        return Sm2Ciphertext(c1, _c3(shared, text), text)

    @cached_property
    def _pool(self) -> list[tuple[Point, bytes]]:
        """Points C1, each with the shared coordinates."""
        return [self._find() for _ in range(_POOL)]

    def _find(self) -> tuple[Point, bytes]:
        """Return C1 and the coordinates of the first k from a random one whose output is 00."""
        k = draw_scalar()
        point = multiply(k, self._public)
        step = (*self._public, 1)
        while _kdf(shared := encode_point(point), 1) != b"\x00":
            k += 1
            point = _to_affine(_add((*point, 1), step))
        return multiply(k, G), shared
