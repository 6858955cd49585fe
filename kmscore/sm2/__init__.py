"""SM2 public-key encryption: ciphertext encodings and arithmetic backends."""

from kmscore.sm2.backends import available_backends
from kmscore.sm2.encodings import Sm2Encoding, convert

__all__ = ["Sm2Encoding", "available_backends", "convert"]
