"""The questions about random values: the encryption of one message under a test key, many times."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import Any, Final, NamedTuple

from kmscore_vectors.generator.keys import keyring
from kmscore_vectors.generator.keys.keyring import SymmetricTestKey
from kmscore_vectors.generator.keys.published import RSA_2048, SM2_SPKI
from kmscore_vectors.generator.model import Fields, hex_fields, pairs_field
from kmscore_vectors.generator.oaep import HASH_NAMES
from kmscore_vectors.nonces import scalars, uniformity
from kmscore_vectors.nonces.findings import Finding
from kmscore_vectors.nonces.recovery import recover_iv, recover_points, recover_seed
from kmscore_vectors.tables import Suite


class Operation(StrEnum):
    """An operation that draws a random value."""

    FRESH_ENCRYPT = "fresh_encrypt"
    FRESH_REENCRYPT = "fresh_reencrypt"
    FRESH_SM2_ENCRYPT = "fresh_sm2_encrypt"
    FRESH_OAEP_ENCRYPT = "fresh_oaep_encrypt"


OUTPUTS: Final[Mapping[Operation, str]] = {
    Operation.FRESH_ENCRYPT: "blob",
    Operation.FRESH_REENCRYPT: "response",
    Operation.FRESH_SM2_ENCRYPT: "ciphertext",
    Operation.FRESH_OAEP_ENCRYPT: "ciphertext",
}
"""The one output of each operation."""

MESSAGE: Final = bytes(range(0x40, 0x60))
_PAIRS: Final = (("purpose", "nonces"),)
_SOURCE: Final = keyring.ROTATED[0]
_IVS: Final = 1000
_SCALARS: Final = 300
_SEEDS: Final = 500
"""With fewer than 435 seeds of 20 bytes, a byte value that never occurs is not visible."""


class Question(NamedTuple):
    """A question that is asked many times."""

    operation: Operation
    variant: str
    """The suite or algorithm."""

    inputs: Fields
    times: int
    """How often it is asked, if the user gives no number."""

    recover: Callable[[Sequence[Any]], list[bytes | None]]
    """A function from outputs to random values, with `None` for each wrong output."""

    examine: Callable[[Sequence[bytes]], list[Finding]]
    """A function from random values to their weaknesses."""


def questions() -> Iterator[Question]:
    """Yield all questions."""
    for suite in Suite:
        yield _encryption(keyring.PER_SUITE[suite])
    for suite in Suite:
        yield _reencryption(keyring.PER_SUITE[suite])
    yield Question(
        Operation.FRESH_SM2_ENCRYPT,
        "SM2PKE",
        hex_fields(public_key=SM2_SPKI, plaintext=MESSAGE),
        _SCALARS,
        lambda outputs: recover_points(MESSAGE, list(map(_octets, outputs))),
        scalars.examine,
    )
    for algorithm, hash_name in HASH_NAMES.items():
        yield Question(
            Operation.FRESH_OAEP_ENCRYPT,
            algorithm.value,
            {
                "algorithm": algorithm.value,
                **hex_fields(public_key=RSA_2048.spki(), plaintext=MESSAGE),
            },
            _SEEDS,
            _each(partial(_seed, hash_name)),
            partial(uniformity.examine, names=uniformity.SEED),
        )


def _encryption(key: SymmetricTestKey) -> Question:
    fields = {name: value for name, value in key.document().items() if name != "state"}
    return Question(
        Operation.FRESH_ENCRYPT,
        key.suite.name,
        fields | {"pairs": pairs_field(_PAIRS)} | hex_fields(plaintext=MESSAGE),
        _IVS,
        _each(partial(_iv, key)),
        _examine_ivs(key.suite),
    )


def _reencryption(key: SymmetricTestKey) -> Question:
    source = _SOURCE.blob(MESSAGE, (), _SOURCE.iv("nonces"))
    response: Fields = {
        "source_key_id": _SOURCE.key_id,
        "source_key_version_id": _SOURCE.key_version_id,
        "destination_key_id": key.key_id,
        "destination_key_version_id": key.key_version_id,
        "source_algorithm": None,
        "destination_suite_id": f"{key.suite.value:02x}",
    }
    inputs: Fields = {
        "keys": keyring.ring_field([_SOURCE, key]),
        **hex_fields(ciphertext_blob=source),
        "destination_key_id": key.key_id,
        "source_pairs": [],
        "destination_pairs": pairs_field(_PAIRS),
        "source_key_id": None,
        "source_key_version_id": None,
        "source_algorithm": None,
        "dry_run": False,
    }
    recover = _each(partial(_iv_of_response, key, response))
    return Question(
        Operation.FRESH_REENCRYPT, key.suite.name, inputs, _IVS, recover, _examine_ivs(key.suite)
    )


def _examine_ivs(suite: Suite) -> Callable[[Sequence[bytes]], list[Finding]]:
    """Return the function that examines the IVs of a suite."""
    halves = {"key derivation": slice(12), "GCM": slice(12, None)}
    parts = halves if suite is Suite.XAES_256_GCM else {}
    return partial(uniformity.examine, names=uniformity.IV, parts=parts)


def _each(recover: Callable[[Any], bytes | None]) -> Callable[[Sequence[Any]], list[bytes | None]]:
    """Return a function that recovers the values of all outputs, one after the other."""
    return lambda outputs: list(map(recover, outputs))


def _iv(key: SymmetricTestKey, output: object) -> bytes | None:
    return recover_iv(key, MESSAGE, _PAIRS, _octets(output))


def _iv_of_response(key: SymmetricTestKey, due: Fields, output: object) -> bytes | None:
    """Return the IV of the blob in a response, or `None` if any of its fields is wrong."""
    match output:
        case {"ciphertext_blob": blob, **rest} if rest == due:
            return _iv(key, blob)
        case _:
            return None


def _seed(hash_name: str, output: object) -> bytes | None:
    return recover_seed(RSA_2048, hash_name, MESSAGE, _octets(output))


def _octets(output: object) -> bytes:
    """Return the bytes of a text in lower-case hexadecimal; no bytes for anything else."""
    try:
        data = bytes.fromhex(output) if isinstance(output, str) else b""
    except ValueError:
        return b""
    return data if data.hex() == output else b""
