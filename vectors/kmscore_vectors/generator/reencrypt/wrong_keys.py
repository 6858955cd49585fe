"""Keys that are missing, not enabled or of another kind, and other IDs, suites and algorithms."""

from collections.abc import Iterator

from kmscore_vectors.generator.keys import keyring
from kmscore_vectors.generator.keys.keyring import SymmetricTestKey
from kmscore_vectors.generator.model import Case, Fields
from kmscore_vectors.generator.reencrypt.cases import (
    AES,
    MESSAGE,
    OLD,
    XAES,
    blob_field,
    blob_of,
    move,
    reject_both,
    right_asymmetric,
)
from kmscore_vectors.generator.wire import header_bytes
from kmscore_vectors.tables import EncryptionAlgorithm, ErrorCode, Suite


def wrong_keys() -> Iterator[Case]:
    """Yield requests for keys that are missing, not enabled, or of another kind."""
    right = move("to be rejected", "Valid", AES, XAES)

    def sealed(key: SymmetricTestKey) -> Fields:
        """Return a blob that would open if the key could be used."""
        return blob_field(key.blob(MESSAGE, OLD, key.iv("sealed")))

    gone = keyring.symmetric("gone", "v1", Suite.AES_256_GCM)
    deleted = keyring.symmetric("rotated", "v0", Suite.XAES_256_GCM)
    closed = (*keyring.UNUSABLE, keyring.RETIRED[0])
    destinations = {
        "of no one": ("gone", ErrorCode.KEY_NOT_FOUND, "UnknownKey"),
        "no ID": ("", ErrorCode.KEY_NOT_FOUND, "UnknownKey"),
        "in capitals": (XAES.key_id.upper(), ErrorCode.KEY_NOT_FOUND, "UnknownKey"),
        "with a space": (f"{XAES.key_id} ", ErrorCode.KEY_NOT_FOUND, "UnknownKey"),
        "RSA": (keyring.RSA.key_id, ErrorCode.KEY_USAGE, "KeyUsage"),
        "SM2": (keyring.SM2.key_id, ErrorCode.KEY_USAGE, "KeyUsage"),
        "a disabled RSA key": (keyring.RSA_DISABLED.key_id, ErrorCode.KEY_STATE, "KeyState"),
        "a primary version that is disabled": ("frozen", ErrorCode.KEY_STATE, "KeyState"),
        **{
            str(key.state.value): (key.key_id, ErrorCode.KEY_STATE, "KeyState")
            for key in keyring.UNUSABLE
        },
    }
    yield from reject_both(right, ErrorCode.KEY_NOT_FOUND, "UnknownKey", "source", sealed(gone))
    yield from reject_both(
        right, ErrorCode.KEY_VERSION_NOT_FOUND, "UnknownVersion", "source", sealed(deleted)
    )
    for key in closed:
        comment = f"source: {key.key_id} {key.key_version_id}"
        yield from reject_both(right, ErrorCode.KEY_STATE, "KeyState", comment, sealed(key))
    for asymmetric in (keyring.RSA, keyring.SM2):
        key_id = asymmetric.key_id.encode()
        header = header_bytes(Suite.AES_256_GCM.value, key_id, b"v1")
        blob = header + blob_of(right)[len(AES.header) :]
        comment = f"a blob that names the key {asymmetric.key_id}"
        yield from reject_both(right, ErrorCode.KEY_USAGE, "KeyUsage", comment, blob_field(blob))
    for comment, (destination, error, flag) in destinations.items():
        yield from reject_both(
            right, error, flag, f"destination: {comment}", {"destination_key_id": destination}
        )
    for algorithm, case in right_asymmetric().items():
        other = keyring.RSA if algorithm is EncryptionAlgorithm.SM2PKE else keyring.SM2
        for error, flag, name, value in (
            (ErrorCode.KEY_NOT_FOUND, "UnknownKey", "source_key_id", "gone"),
            (ErrorCode.KEY_VERSION_NOT_FOUND, "UnknownVersion", "source_key_version_id", "v0"),
            (ErrorCode.KEY_USAGE, "KeyUsage", "source_key_id", other.key_id),
            (ErrorCode.KEY_USAGE, "KeyUsage", "source_key_id", AES.key_id),
            (ErrorCode.KEY_STATE, "KeyState", "source_key_id", keyring.RSA_DISABLED.key_id),
            (ErrorCode.KEY_STATE, "KeyState", "source_key_id", keyring.UNUSABLE[0].key_id),
        ):
            comment = f"{algorithm.value}: {value}"
            yield from reject_both(case, error, flag, comment, {name: value})


def wrong_ids() -> Iterator[Case]:
    """Yield source IDs, suites and algorithms that are unknown or do not fit the ciphertext."""
    rotated = keyring.ROTATED[0]
    right = move(
        "to be rejected", "SourceId", rotated, AES, source_key_id=rotated.key_id,
        source_key_version_id=rotated.key_version_id,
    )  # fmt: skip
    for name, value in (
        ("source_key_id", AES.key_id),
        ("source_key_id", "gone"),
        ("source_key_id", ""),
        ("source_key_id", "rotate"),
        ("source_key_id", "Rotated"),
        ("source_key_version_id", "v2"),
        ("source_key_version_id", "v0"),
        ("source_key_version_id", ""),
    ):
        comment = f"{name} {value!r}"
        yield from reject_both(
            right, ErrorCode.INCORRECT_KEY, "OtherSource", comment, {name: value}
        )
    right = move("to be rejected", "Valid", AES, XAES)
    blob = blob_of(right)
    for suite in Suite:
        if suite is not AES.suite:
            changed = blob[:4] + bytes([suite.value]) + blob[5:]
            yield from reject_both(
                right, ErrorCode.INCORRECT_KEY, "OtherSuite", suite.name, blob_field(changed)
            )  # fmt: skip
    old, new = keyring.MIGRATED
    moved = move("to be rejected", "Rotation", old, new)
    plain = new.header[:4] + bytes([old.suite.value]) + new.header[5:]
    yield from reject_both(
        moved, ErrorCode.INCORRECT_KEY, "OtherSuite", "the newer version, the older one's suite",
        blob_field(plain + blob_of(moved)[len(old.header) :]),
    )  # fmt: skip
    for algorithm, case in right_asymmetric().items():
        for name in (
            algorithm.value.lower(),
            "RSAES_PKCS1_V1_5",
            "RSAES_OAEP_SHA_512",
            "",
            f" {algorithm.value}",
            f"{algorithm.value}\n",
            "__proto__",
            "constructor",
        ):
            comment = f"{algorithm.value}: {name!r}"
            yield from reject_both(
                case,
                ErrorCode.UNSUPPORTED_ALGORITHM,
                "UnknownAlgorithm",
                comment,
                {"source_algorithm": name},
            )
