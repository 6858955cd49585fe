"""The lengths and key specs of the five suites, and the intermediate values of a message."""

from typing import Final

from kmscore_vectors.generator.ciphers import Sealed
from kmscore_vectors.generator.model import Fields, hex_fields
from kmscore_vectors.generator.wire import Pairs, sorted_pairs
from kmscore_vectors.tables import KeySpec, Suite

_SPECS: Final = {
    Suite.AES_256_GCM: KeySpec.AES_256,
    Suite.AES_192_GCM: KeySpec.AES_192,
    Suite.AES_128_GCM: KeySpec.AES_128,
    Suite.SM4_GCM: KeySpec.SM4,
    Suite.XAES_256_GCM: KeySpec.AES_256,
}
_KEY_LENGTHS: Final = {
    KeySpec.AES_256: 32,
    KeySpec.AES_192: 24,
    KeySpec.AES_128: 16,
    KeySpec.SM4: 16,
}


def iv_length(suite: Suite) -> int:
    """Return the length of an IV in bytes."""
    return 24 if suite is Suite.XAES_256_GCM else 12


def key_length(spec: KeySpec) -> int:
    """Return the length of a symmetric key in bytes."""
    return _KEY_LENGTHS[spec]


def spec_of(suite: Suite) -> KeySpec:
    """Return the spec of the keys of a suite."""
    return _SPECS[suite]


def trace_of(suite: Suite, pairs: Pairs, aad: bytes, sealed: Sealed) -> Fields:
    """Return the intermediate values of a tag."""
    derived = hex_fields(derivedKey=sealed.gcm_key) if suite is Suite.XAES_256_GCM else {}
    return {
        "sortedPairs": [[key.hex(), value.hex()] for key, value in sorted_pairs(pairs)],
        **hex_fields(associatedData=aad),
        **derived,
        **hex_fields(counterBlock=sealed.counter_block),
    }
