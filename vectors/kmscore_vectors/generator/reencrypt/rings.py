"""Keyrings: unusual keys that are valid, and keyrings that are invalid."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from kmscore_vectors.generator import affine, oaep
from kmscore_vectors.generator.keys import keyring, structures
from kmscore_vectors.generator.keys.keyring import PER_SUITE, PrivateTestKey, TestKey, ring_field
from kmscore_vectors.generator.keys.published import RSA_2048, SM2_SCALAR
from kmscore_vectors.generator.keys.rsa_private import valid_rsa_keys, wrong_rsa_keys
from kmscore_vectors.generator.keys.sm2_private import POINT_RULES, valid_sm2_keys, wrong_sm2_keys
from kmscore_vectors.generator.model import Case, Fields, Json, Rule
from kmscore_vectors.generator.oaep import RsaTestKey
from kmscore_vectors.generator.reencrypt.cases import (
    AES,
    MESSAGE,
    XAES,
    dry_run_of,
    move,
    reject_both,
    right_asymmetric,
    take,
)
from kmscore_vectors.generator.reencrypt.materials import valid_materials, wrong_materials
from kmscore_vectors.generator.sm2pke.cases import K
from kmscore_vectors.tables import EncryptionAlgorithm, ErrorCode, KeySpec, KeyState, Suite

_RING: Final[tuple[TestKey, ...]] = (
    AES, XAES, keyring.RSA, keyring.SM2, PER_SUITE[Suite.AES_128_GCM],
)  # fmt: skip
_DOCUMENTS: Final[tuple[Fields, ...]] = tuple(key.document() for key in _RING)
_AES, _XAES, _RSA, _SM2, _AES_128 = range(len(_RING))
_NOT_IN_IDS: Final = (
    "\x00\t\n\x80\u00a0\u00ad\u0378\u200b\u2028\u3000\ue000\ufeff\uff41\uffff\U0001f511\U000f0000"
)
"""Characters of several general categories of Unicode, of which no ID has one."""
_SHA_256: Final = EncryptionAlgorithm.RSAES_OAEP_SHA_256


def rings() -> Iterator[Case]:
    """Yield all tests that have a keyring of their own."""
    base = usual()
    yield base
    yield from _unusual_keys()
    yield from _unusable_sources()
    for comment, keys in (*valid_materials(_RING), *_similar_ids()):
        yield replace(base, comment=comment, inputs=base.inputs | keys)
    flags: set[str] = set()
    for wrong in _invalid(base):
        yield wrong
        if wrong.flag not in flags:
            flags.add(wrong.flag)
            yield dry_run_of(base).rejected(
                ErrorCode(str(wrong.error)), wrong.flag, f"{wrong.comment}, dry run",
                {"keys": wrong.inputs["keys"]}, wrong.rule,
            )  # fmt: skip


def _invalid(base: Case) -> Iterator[Case]:
    """Yield requests whose keyring is invalid."""
    for comment, keys in (*_wrong_symmetric(), *_wrong_rings(), *wrong_materials(_RING)):
        yield base.rejected(ErrorCode.INVALID_KEY, "BadKey", comment, keys)
    for flag, comment, keys, rule in _wrong_private():
        yield base.rejected(ErrorCode.INVALID_KEY, flag, comment, keys, rule)
    for comment, keys in (
        ("an unknown spec", unknown_spec()),
        ("an empty spec", _with(_AES, key_spec="")),
        ("the spec of a signature key", _with(_RSA, key_spec="EC_P256")),
        *_members_of_objects(),
        ("an unknown state", _with(_AES, state=KeyState.ENABLED.value.lower())),
        ("an empty state", _with(_SM2, state="")),
    ):
        yield base.rejected(ErrorCode.UNSUPPORTED_ALGORITHM, "UnknownAlgorithm", comment, keys)


def _members_of_objects() -> Iterator[tuple[str, Fields]]:
    """Yield specs and states that are names of members of every object of some languages."""
    for name in ("__proto__", "constructor", "toString"):
        yield f"the spec {name}", _with(_AES, key_spec=name)
        yield f"the state {name}", _with(_AES, state=name)


def usual() -> Case:
    """Return a request with a valid keyring, which has every kind of key."""
    right = move("to be rejected", "Valid", AES, XAES)
    inputs = {"keys": ring_field(_RING)} | right.inputs
    return replace(right, comment="a ring of five keys", inputs=inputs)


def _with(index: int, **fields: str) -> Fields:
    """Return the keyring with one of its keys changed."""
    documents: list[Json] = [*_DOCUMENTS]
    documents[index] = {**_DOCUMENTS[index], **fields}
    return {"keys": documents}


def short_key() -> Fields:
    """Return the keyring with a key of 31 bytes where 32 are needed."""
    return _with(_AES, key=AES.material[:-1].hex())


def unknown_spec() -> Fields:
    """Return the keyring with a key of an unknown spec."""
    return _with(_AES, key_spec="Aliyun_AES_512")


def _unusual_keys() -> Iterator[Case]:
    """Yield private keys that are used, and that many implementations reject."""
    for comment, rsa, pkcs8, spec in valid_rsa_keys():
        yield _used_rsa("RsaKey", comment, rsa, pkcs8, spec)
    for comment, pkcs8 in structures.with_attributes(structures.RSA):
        yield _used_rsa("KeyAttributes", f"RSA, {comment}", RSA_2048, pkcs8, KeySpec.RSA_2048)
    for comment, scalar, pkcs8 in valid_sm2_keys():
        yield _used_sm2("Sm2Key", comment, scalar, pkcs8)
    for comment, pkcs8 in structures.with_attributes(structures.SM2):
        yield _used_sm2("KeyAttributes", f"SM2, {comment}", SM2_SCALAR, pkcs8)


def _used_rsa(flag: str, comment: str, key: RsaTestKey, pkcs8: bytes, spec: KeySpec) -> Case:
    """Return a request that decrypts with an RSA key."""
    seed = keyring.symmetric("seed", comment, Suite.AES_256_GCM).material
    source = replace(keyring.RSA, spec=spec, pkcs8=pkcs8)
    ciphertext = oaep.encrypt(key, "sha256", MESSAGE, seed)
    return _used(flag, comment, source, _SHA_256, ciphertext)


def _used_sm2(flag: str, comment: str, scalar: int, pkcs8: bytes) -> Case:
    """Return a request that decrypts with an SM2 key."""
    parts = affine.encrypt(affine.multiply(scalar, affine.BASE), MESSAGE, K)
    source = replace(keyring.SM2, pkcs8=pkcs8)
    return _used(flag, comment, source, EncryptionAlgorithm.SM2PKE, affine.c1c3c2(parts))


def _used(
    flag: str,
    comment: str,
    source: PrivateTestKey,
    algorithm: EncryptionAlgorithm,
    ciphertext: bytes,
) -> Case:
    """Return a request whose keyring has the source key and the destination key."""
    case = take(comment, flag, algorithm, ciphertext)
    return replace(case, inputs={"keys": ring_field((source, XAES))} | case.inputs)


def _unusable_sources() -> Iterator[Case]:
    """Yield bare ciphertexts under a private key that is not enabled."""
    for algorithm, case in right_asymmetric().items():
        source = keyring.SM2 if algorithm is EncryptionAlgorithm.SM2PKE else keyring.RSA
        right = replace(case, inputs={"keys": ring_field((source, XAES))} | case.inputs)
        for state in KeyState:
            if state is not KeyState.ENABLED:
                keys = {"keys": ring_field((replace(source, state=state), XAES))}
                comment = f"source: {algorithm.value}, {state.value}"
                yield from reject_both(right, ErrorCode.KEY_STATE, "KeyState", comment, keys)


def _wrong_symmetric() -> Iterator[tuple[str, Fields]]:
    """Yield symmetric keys of a wrong length or suite, and keys with a wrong ID."""
    sm4 = f"{Suite.SM4_GCM.value:02x}"
    yield "31 bytes for AES_256", short_key()
    yield "33 bytes for AES_256", _with(_AES, key=AES.material.hex() + "00")
    yield "16 bytes for AES_256", _with(_AES, key=AES.material[:16].hex())
    yield "no material", _with(_AES, key="")
    yield "a suite of another key length", _with(_AES, suite_id=sm4)
    yield "a suite of another cipher", _with(_AES_128, suite_id=sm4)
    for index, kind in ((_AES, "key"), (_RSA, "RSA key"), (_SM2, "SM2 key")):
        yield f"a {kind} ID of no bytes", _with(index, key_id="")
        yield f"a {kind} version ID of no bytes", _with(index, key_version_id="")
    yield "a key ID of 256 bytes", _with(_AES, key_id="k" * 256)
    yield "a key version ID of 256 bytes", _with(_AES, key_version_id="v" * 256)
    yield "a key ID with a space", _with(_AES, key_id="aes 256")
    yield "a key ID with a DEL", _with(_AES, key_id="aes\x7f")
    yield "a key version ID with a letter outside ASCII", _with(_AES, key_version_id="v\u00e9")
    for character in _NOT_IN_IDS:
        name = f"U+{ord(character):04X}"
        yield f"a key ID with {name}", _with(_AES, key_id=f"aes{character}256")
        yield (
            f"a key version ID that ends with {name}",
            _with(_AES, key_version_id=f"v1{character}"),
        )


def _similar_ids() -> Iterator[tuple[str, Fields]]:
    """Yield keyrings whose IDs are similar and different."""
    for comment, pairs in {
        "version IDs that differ in case": (("a", "v"), ("a", "V")),
        "key IDs that differ in case": (("a", "v"), ("A", "v")),
        "IDs that are equal if they are joined": (("a", "bc"), ("ab", "c")),
        "a version ID that is a number, with and without 0": (("a", "1"), ("a", "01")),
        **{
            f"IDs that are equal if they are joined with {mark}": (
                ("a", f"b{mark}c"),
                (f"a{mark}b", "c"),
            )
            for mark in "/:.|-_,#"
        },
        "members of objects": (("__proto__", "constructor"), ("constructor", "__proto__")),
    }.items():
        more = [keyring.symmetric(*ids, Suite.AES_256_GCM).document() for ids in pairs]
        yield comment, {"keys": [*more, *_DOCUMENTS]}


def _wrong_rings() -> Iterator[tuple[str, Fields]]:
    """Yield keys that are valid each for itself, and not together."""
    documents: list[Json] = [*_DOCUMENTS]
    again = replace(AES, material=XAES.material).document()
    second = replace(keyring.SM2, key_id=AES.key_id, key_version_id="v2").document()
    smaller = replace(PER_SUITE[Suite.AES_128_GCM], key_id=AES.key_id, key_version_id="v2")
    yield "a key version twice", {"keys": [*documents, documents[0]]}
    yield "an SM2 key version twice", {"keys": [*documents, documents[_SM2]]}
    yield "another key under the IDs of a version", {"keys": [*documents, again]}
    yield "versions of two specs", {"keys": [*documents, second]}
    yield "versions of two symmetric specs", {"keys": [*documents, smaller.document()]}
    for state in ("Disabled", "PendingDeletion", "PendingImport"):
        wrong = f"{_DOCUMENTS[_RSA]['private_key']}00"
        yield f"00 after PKCS#8, {state}", _with(_RSA, private_key=wrong, state=state)
        yield (
            f"31 bytes for AES_256, {state}",
            {**_with(_AES, key=AES.material[1:].hex(), state=state)},
        )
    yield "one material under two suites", _with(_XAES, key=AES.material.hex())
    yield "a private key of RSA for SM2", _with(_SM2, private_key=keyring.RSA.pkcs8.hex())
    yield "a private key of SM2 for RSA", _with(_RSA, private_key=keyring.SM2.pkcs8.hex())


def _wrong_private() -> Iterator[tuple[str, str, Fields, Rule | None]]:
    """Yield private keys with one defect, and the rule if it is not that of the flag."""
    for flag, comment, pkcs8, spec, rule in wrong_rsa_keys():
        yield flag, comment, _with(_RSA, private_key=pkcs8.hex(), key_spec=spec.value), rule
    for flag, comment, pkcs8 in wrong_sm2_keys():
        rule = POINT_RULES.get(comment) if flag == "Sm2Point" else None
        yield flag, f"SM2: {comment}", _with(_SM2, private_key=pkcs8.hex()), rule
    for index, name, levels in (
        (_RSA, "RSA", structures.RSA),
        (_SM2, "SM2", structures.SM2),
    ):
        for comment, wrong in structures.wrong_structures(levels):
            keys = _with(index, private_key=wrong.hex())
            yield "KeyStructure", f"{name}: {comment}", keys, None
