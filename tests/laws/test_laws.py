"""The laws of the operations: they hold for every key, suite, context and plaintext."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.samples import examples
from support.strategies import (
    CONTEXTS,
    PLAINTEXTS,
    PROVIDERS,
    SUITES,
    Store,
    mutations,
    raises_exactly,
    symmetric_key,
)

import kmscore
from kmscore import (
    CiphertextBlob,
    DecryptionError,
    EncryptionAlgorithm,
    EncryptionContext,
    KeyProvider,
    Keyring,
    KeyState,
    KmsCoreError,
    RsaKey,
    Sm2Key,
    Suite,
    SymmetricKey,
)

RING = Keyring([symmetric_key(suite, suite.name) for suite in Suite])
STORE = Store(RING)
EITHER = st.sampled_from([RING, STORE])


def outcome(keys: KeyProvider, operation: str, *arguments: Any, **options: Any) -> tuple[Any, ...]:
    """Return the result of an operation or its error, in a form that can be compared."""
    try:
        result = getattr(kmscore, operation)(keys, *arguments, **options)
    except KmsCoreError as error:
        return type(error), str(error)
    return tuple(result)


@given(EITHER, SUITES, PLAINTEXTS, CONTEXTS)
def test_an_encrypted_plaintext_decrypts(
    keys: KeyProvider, suite: Suite, plaintext: bytes, context: dict[str, str]
) -> None:
    """Every suite returns every plaintext under the same context, for any order of its pairs."""
    result = kmscore.encrypt(keys, suite.name, plaintext, context)
    shuffled = dict(reversed(context.items()))
    assert kmscore.decrypt(keys, result.ciphertext_blob, shuffled) == (
        suite.name,
        "v1",
        plaintext,
    )


@given(EITHER, SUITES, CONTEXTS, CONTEXTS)
def test_another_context_never_decrypts(
    keys: KeyProvider, suite: Suite, context: dict[str, str], other: dict[str, str]
) -> None:
    """A blob decrypts only under an equal context."""
    assume(context != other)
    raw = kmscore.encrypt(keys, suite.name, b"text", context).ciphertext_blob
    with raises_exactly(DecryptionError):
        kmscore.decrypt(keys, raw, other)


@given(
    st.sampled_from([(Suite.AES_192_GCM,), (Suite.SM4_GCM,)])
    | st.just((Suite.AES_256_GCM, Suite.XAES_256_GCM)),
    st.data(),
    CONTEXTS,
)
def test_old_blobs_decrypt_after_rotation(
    suites: tuple[Suite, ...], data: st.DataObject, context: dict[str, str]
) -> None:
    """The new version encrypts, and all earlier blobs still decrypt."""
    chosen = data.draw(st.lists(st.sampled_from(suites), min_size=1, max_size=6))
    keys, sealed = Keyring([]), []
    for number, suite in enumerate(chosen):
        version = f"v{number}"
        keys = keys.with_version(symmetric_key(suite, "key", version))
        result = kmscore.encrypt(keys, "key", version.encode(), context)
        assert result.key_version_id == version
        sealed.append(result.ciphertext_blob)
    for provider in (keys, Store(keys)):
        opened = [kmscore.decrypt(provider, raw, context) for raw in sealed]
        assert [result.plaintext for result in opened] == [
            result.key_version_id.encode() for result in opened
        ]
        moved = kmscore.reencrypt(provider, sealed[0], "key", source_context=context)
        assert moved.destination_key_version_id == f"v{len(chosen) - 1}"


HOPS = st.lists(st.tuples(EITHER, SUITES, CONTEXTS), min_size=1, max_size=6)


def follow(
    raw: bytes, hops: list[tuple[KeyProvider, Suite, dict[str, str]]], context: dict[str, str]
) -> bytes:
    """Return the plaintext at the end of a chain of re-encryptions."""
    for keys, suite, new_context in hops:
        result = kmscore.reencrypt(
            keys, raw, suite.name, source_context=context, destination_context=new_context
        )
        assert result.destination_suite is suite
        raw, context = result.ciphertext_blob or b"", new_context
    return kmscore.decrypt(RING, raw, context).plaintext


@given(SUITES, PLAINTEXTS, CONTEXTS, HOPS)
def test_any_chain_of_reencryptions_keeps_the_plaintext(
    suite: Suite, plaintext: bytes, context: dict[str, str], hops: list[Any]
) -> None:
    """A chain of re-encryptions over any keys, suites and contexts keeps the plaintext."""
    raw = kmscore.encrypt(RING, suite.name, plaintext, context).ciphertext_blob
    assert follow(raw, hops, context) == plaintext


@pytest.mark.parametrize("algorithm", EncryptionAlgorithm)
@given(plaintext=st.binary(min_size=1, max_size=190), hops=HOPS, context=CONTEXTS)
def test_a_chain_can_begin_with_an_asymmetric_ciphertext(
    rsa_key: RsaKey,
    sm2_key: Sm2Key,
    algorithm: EncryptionAlgorithm,
    plaintext: bytes,
    hops: list[Any],
    context: dict[str, str],
) -> None:
    """A chain can begin with an RSA or SM2 ciphertext."""
    source = sm2_key if algorithm is EncryptionAlgorithm.SM2PKE else rsa_key
    result = kmscore.reencrypt(
        Keyring([*RING, source]),
        kmscore.asymmetric_encrypt(source.public_key, algorithm, plaintext),
        hops[0][1].name,
        destination_context=context,
        source_key_id=source.key_id,
        source_key_version_id=source.key_version_id,
        source_algorithm=algorithm,
    )
    assert follow(result.ciphertext_blob or b"", hops, context) == plaintext


@examples(500)
@given(
    SUITES.flatmap(
        lambda suite: mutations(
            kmscore.encrypt(RING, suite.name, b"text", {"a": "b"}).ciphertext_blob
        )
    )
    | st.binary(max_size=80),
    st.sampled_from([{"a": "b"}, {}]),
)
def test_any_bytes_raise_only_errors_of_kmscore(data: bytes, context: dict[str, str]) -> None:
    """Random and damaged blobs raise a `KmsCoreError`, the same with a keyring and a store."""
    reencrypt = {"destination_key_id": "SM4_GCM", "source_context": context, "dry_run": True}
    for operation, options in (("decrypt", {"context": context}), ("reencrypt", reencrypt)):
        answers = [outcome(keys, operation, data, **options) for keys in (RING, STORE)]
        assert answers[0] == answers[1]


NAMES = st.sampled_from(["AES_128_GCM", "SM4_GCM", "unknown", "disabled", "rsa-2048", "é"])
VALID_CONTEXT = st.just({"a": "b"})
MOVES = st.fixed_dictionaries(
    {
        "destination_key_id": st.just("SM4_GCM") | NAMES,
        "source_context": VALID_CONTEXT | st.sampled_from([{}, {"\ud800": ""}]),
        "destination_context": VALID_CONTEXT | st.sampled_from([None, {"\ud800": ""}]),
    },
    optional={
        "source_key_id": NAMES,
        "source_key_version_id": st.sampled_from([None, "v1", "v2"]),
    },
)
BARE_MOVES = st.fixed_dictionaries(
    {
        "destination_key_id": st.just("SM4_GCM") | NAMES,
        "destination_context": VALID_CONTEXT | st.just({"\ud800": ""}),
        "source_key_id": st.just("rsa-2048") | NAMES,
        "source_key_version_id": st.sampled_from(["v1", "v1", "v2"]),
        "source_algorithm": st.sampled_from([*EncryptionAlgorithm, "unknown"]),
    },
    optional={"source_context": st.sampled_from([{}, {"a": "b"}])},
)


@examples(300)
@given(SUITES, MOVES | BARE_MOVES, st.data(), st.sampled_from(list(PROVIDERS)))
def test_a_dry_run_gives_the_result_of_the_real_call(
    rsa_key: RsaKey, suite: Suite, options: dict[str, Any], data: st.DataObject, provider: str
) -> None:
    """Both return the same fields except for the blob, or both raise the same error."""
    disabled = symmetric_key(Suite.AES_128_GCM, "disabled", state=KeyState.DISABLED)
    keys = PROVIDERS[provider](Keyring([*RING, rsa_key, disabled]))
    if "source_algorithm" in options:
        right = kmscore.asymmetric_encrypt(rsa_key.public_key, "RSAES_OAEP_SHA_256", b"text")
    else:
        right = kmscore.encrypt(RING, suite.name, b"text", {"a": "b"}).ciphertext_blob
    source = data.draw(st.just(right) | mutations(right))
    real, dry = (
        outcome(keys, "reencrypt", source, dry_run=dry_run, **options) for dry_run in (False, True)
    )
    if isinstance(real[0], bytes):
        assert dry == (None, *real[1:])
    else:
        assert dry == real


@pytest.mark.parametrize("suite", Suite)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_iv_is_ever_used_twice(suite: Suite, provider: str, rsa_key: RsaKey) -> None:
    """Every operation that encrypts draws a new IV, also for the same key and plaintext."""
    keys = PROVIDERS[provider](RING)
    first = kmscore.encrypt(keys, suite.name, b"text").ciphertext_blob
    wrapping: Any = (rsa_key.public_key, "RSAES_OAEP_SHA_256")
    sealed = [first]
    for _ in range(50):
        sealed += (
            kmscore.encrypt(keys, suite.name, b"text").ciphertext_blob,
            kmscore.generate_data_key(keys, suite.name).ciphertext_blob,
            kmscore.generate_data_key_without_plaintext(keys, suite.name).ciphertext_blob,
            kmscore.generate_and_export_data_key(keys, suite.name, *wrapping).ciphertext_blob
            or first,
            kmscore.reencrypt(keys, first, suite.name).ciphertext_blob or first,
        )
    ivs = {CiphertextBlob.parse(raw).iv for raw in sealed}
    assert len(ivs) == len(sealed) == 251
    assert {len(iv) for iv in ivs} == {suite.iv_length}


def test_the_ivs_of_xaes_differ_in_both_halves() -> None:
    """The half that derives the key and the half that AES-GCM uses are both random."""
    keys = Keyring([SymmetricKey("key", "v1", "Aliyun_AES_256", os.urandom(32))])
    ivs = [
        CiphertextBlob.parse(kmscore.encrypt(keys, "key", b"").ciphertext_blob).iv
        for _ in range(50)
    ]
    assert len({iv[:12] for iv in ivs}) == len({iv[12:] for iv in ivs}) == 50


def test_keys_and_contexts_can_be_shared_between_threads(rsa_key: RsaKey, sm2_key: Sm2Key) -> None:
    """Many threads with the same keyring and context all get the right plaintext."""
    keys = Keyring([*RING, rsa_key, sm2_key])
    context = EncryptionContext({"a": "b"})

    def move(number: int) -> bool:
        plaintext = str(number).encode()
        source = (sm2_key, "SM2PKE") if number % 2 else (rsa_key, "RSAES_OAEP_SHA_256")
        raw = kmscore.asymmetric_encrypt(source[0].public_key, source[1], plaintext)
        ids = {"source_key_id": source[0].key_id, "source_key_version_id": "v1"}
        moved = kmscore.reencrypt(keys, raw, "SM4_GCM", source_algorithm=source[1], **ids)
        hops: list[Any] = [(keys, suite, context) for suite in Suite]
        return follow(moved.ciphertext_blob or b"", hops, {}) == plaintext

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(move, range(200)))
