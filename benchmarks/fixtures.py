"""The keys, contexts and plaintexts that the benchmarks share."""

import os
from functools import cache
from typing import Final

import kmscore
from kmscore import EncryptionContext, KeySpec, RsaKey, Sm2Key, Suite, SymmetricKey

PAIRS: Final = {"tenant": "acme", "table": "orders"}
SAME_PAIRS: Final = dict(
    PAIRS
)  # a different object, so that no call gains from seeing the same one twice
CONTEXT: Final = EncryptionContext(PAIRS)
OTHER_CONTEXT: Final = EncryptionContext({"tenant": "acme", "table": "errors"})
DATA_KEY: Final = os.urandom(32)
LONG: Final = os.urandom(6144)

# These IDs are as long as the IDs of the service.
KEY_ID: Final = "{}c2b4-5e3f-4d0a-9c1e-3a7f0e6b1d52"
VERSION_ID: Final = "{}f2b-9c44-4f7e-8a57-d1c0b6e93f08"


def symmetric_key(number: int, suite: Suite = Suite.AES_256_GCM) -> SymmetricKey:
    """Return a new key whose IDs are as long as the IDs of the service."""
    return SymmetricKey(
        KEY_ID.format(f"{number:04x}"),
        VERSION_ID.format(f"{number:05x}"),
        next(spec for spec in KeySpec if suite in kmscore.algorithms.KEY_SPECS[spec].suites),
        os.urandom(suite.key_length),
        suite=suite,
    )


@cache
def rsa_key(spec: KeySpec) -> RsaKey:
    """Return an RSA key of a spec, the same one for each call."""
    return RsaKey.generate(spec)


@cache
def sm2_key(backend: str) -> Sm2Key:
    """Return an SM2 key with one of the backends, the same key for all backends."""
    scalar = int.from_bytes(DATA_KEY, "big") >> 1
    return Sm2Key.from_scalar("sm2", backend, scalar, backend=backend)
