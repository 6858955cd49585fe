"""Names of algorithms for decryption under a private key: unknown ones, and those of other keys."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from kmscore_vectors.generator.model import Case, Fields
from kmscore_vectors.tables import EncryptionAlgorithm, ErrorCode

_UNKNOWN: Final = (
    "", "RSAES_PKCS1_V1_5", "RSAES_OAEP_SHA_512", "RSA", "SM2", "none", "__proto__", "constructor",
)  # fmt: skip


def algorithms(right: Case, wrong: Case, algorithm: str) -> Iterator[Case]:
    """Yield algorithms that do not fit the key, alone and with a ciphertext that does not open.

    Args:
        right: A test whose ciphertext opens with `algorithm`.
        wrong: A test whose ciphertext does not open.
        algorithm: The algorithm of the ciphertexts.
    """
    right = replace(right, inputs={"algorithm": algorithm, **right.inputs})
    ciphertext: Fields = {"ciphertext": wrong.inputs["ciphertext"]}
    later = right.rejected(ErrorCode.DECRYPTION, wrong.flag, "a wrong ciphertext", ciphertext)
    is_rsa = algorithm.startswith("RSA")
    others = [name for name in EncryptionAlgorithm if name.startswith("RSA") != is_rsa]
    usage, unknown = ErrorCode.KEY_USAGE, ErrorCode.UNSUPPORTED_ALGORITHM
    for other in others:
        yield right.rejected(usage, "KeyUsage", other, {"algorithm": other.value})
        yield later.also(usage, other, {"algorithm": other.value})
    for name in (*_UNKNOWN, algorithm.lower(), f"{algorithm} "):
        yield right.rejected(unknown, "UnknownAlgorithm", repr(name), {"algorithm": name})
    for name in ("", algorithm.lower()):
        yield later.also(unknown, f"algorithm {name!r}", {"algorithm": name})
