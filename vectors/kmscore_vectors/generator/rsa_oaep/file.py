"""The vectors of RSAES-OAEP: ciphertexts made with a known seed, for decryption."""

from collections.abc import Iterator

from kmscore_vectors.generator.keys.published import RSA_2048, RSA_KEYS
from kmscore_vectors.generator.model import Case, Fields, Group, VectorFile, hex_fields
from kmscore_vectors.generator.oaep import HASH_NAMES, RsaTestKey
from kmscore_vectors.generator.rsa_oaep.cases import MESSAGE, Maker
from kmscore_vectors.generator.rsa_oaep.invalid_ciphertexts import invalid
from kmscore_vectors.generator.rsa_oaep.notes import NOTES
from kmscore_vectors.generator.rsa_oaep.valid_ciphertexts import valid
from kmscore_vectors.generator.unknown_algorithms import algorithms


def make() -> VectorFile:
    """Return the file."""
    groups = [
        Group(
            "asymmetric_decrypt",
            tuple(_cases(Maker(spec, algorithm))),
            {"algorithm": algorithm.value, **_key(spec, RSA_KEYS[spec])},
        )
        for spec in RSA_KEYS
        for algorithm in HASH_NAMES
    ]
    unknown = Group("asymmetric_decrypt", tuple(_unknown()), _key("RSA_2048", RSA_2048))
    return VectorFile(
        name="rsa_oaep",
        algorithm="RSAES-OAEP",
        header=(
            "RSAES-OAEP with one hash for OAEP and MGF1 and no label.",
            "The keys are TEST KEYS, published.",
        ),
        notes=NOTES,
        groups=(*groups, unknown),
    )


def _key(spec: str, key: RsaTestKey) -> Fields:
    """Return the fields of a key."""
    return {"key_spec": spec, **hex_fields(private_key=key.pkcs8())}


def _cases(maker: Maker) -> Iterator[Case]:
    """Yield all tests of one key and one hash."""
    yield from valid(maker)
    yield from invalid(maker)


def _unknown() -> Iterator[Case]:
    """Yield algorithms that do not fit the key."""
    for algorithm in HASH_NAMES:
        maker = Maker("RSA_2048", algorithm)
        right = maker.valid("Valid", "32 bytes", MESSAGE)
        ciphertext = bytes.fromhex(str(right.inputs["ciphertext"]))
        changed = ciphertext[:-1] + bytes([ciphertext[-1] ^ 2])
        wrong = maker.reject(right, "Modified", "last bit but one", changed)
        yield from algorithms(right, wrong, algorithm.value)
