"""Re-encryption between layouts: the plaintext stays the same, and errors show nothing about it."""

import inspect
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.service_layout import (
    AMBIGUOUS,
    OTHER_VERSION,
    PLAIN_SUITES,
    RAW,
    SERVICE_PROFILES,
    THIRD_VERSION,
    VERSION,
    VersionOracle,
    assert_tells_nothing,
    index,
    service_key,
)
from support.strategies import (
    CONTEXTS,
    PLAINTEXTS,
    RSA_ALGORITHMS,
    Oracle,
    flip_last_bit,
    forbid_ciphers,
    miss_hash,
    mutations,
    raises_exactly,
    symmetric_key,
    watch_ciphers,
)

import kmscore
from kmscore import (
    DecryptionError,
    EncryptionAlgorithm,
    EncryptionContext,
    IncorrectKeyError,
    InvalidBlobError,
    InvalidContextError,
    KeyNotFoundError,
    Keyring,
    KeyUsageError,
    KmsCoreError,
    PlaintextSizeError,
    ReEncryptResult,
    RsaKey,
    Sm2Key,
    Suite,
    SymmetricKey,
    UnsupportedAlgorithmError,
    alibaba,
    asymmetric,
    envelope,
)
from kmscore.alibaba import Profile, ServiceBlob

V1 = Profile.V1
ALIBABA = Profile.ALIBABA
PROFILES = (V1, Profile.V1_TEXT, *SERVICE_PROFILES)
SOURCE = service_key(Suite.AES_256_GCM, "source", VERSION)
DESTINATION = service_key(Suite.SM4_GCM, "destination", OTHER_VERSION)
MODERN = symmetric_key(Suite.XAES_256_GCM, "modern")
RING = Keyring([SOURCE, DESTINATION, MODERN])
KEYS = index(*RING)
CONTEXT: Mapping[str, str] = {"purpose": "test"}
V1_BLOB = kmscore.encrypt(RING, "source", b"text", CONTEXT).ciphertext_blob
SERVICE_BLOB = alibaba.encrypt(KEYS, "source", b"text", CONTEXT, profile=ALIBABA).ciphertext_blob

FROM_SERVICE: dict[str, Any] = {"source_profile": ALIBABA, "source_context": CONTEXT}
WAYS: Mapping[str, Callable[..., ReEncryptResult]] = {
    "service to service": partial(
        alibaba.reencrypt, KEYS, SERVICE_BLOB, "destination", destination_profile=RAW
    ),
    "service to v1": partial(alibaba.reencrypt, KEYS, SERVICE_BLOB, "modern"),
    "v1 to service": partial(
        alibaba.reencrypt, KEYS, V1_BLOB, "destination", destination_profile=ALIBABA
    ),
    "v1 to v1": partial(alibaba.reencrypt, KEYS, V1_BLOB, "modern"),
}


def moved(way: str, **options: Any) -> ReEncryptResult:
    """Re-encrypt in one of the ways, with `CONTEXT` as the source context."""
    source = FROM_SERVICE if way.startswith("service") else {"source_context": CONTEXT}
    return WAYS[way](**source | options)


def opened(raw: bytes | None, context: Any = None, profile: Profile = V1) -> bytes:
    """Return the plaintext of a blob; its context can be ambiguous."""
    assert raw is not None
    return alibaba.decrypt(KEYS, raw, context, profile=profile, allow_ambiguous=True).plaintext


def outcome(call: Callable[[], Any]) -> tuple[Any, ...]:
    """Return the result of a call, or the class and message of its error."""
    try:
        return ("result", *call()[1:6])
    except KmsCoreError as error:
        return type(error), str(error)


@given(
    source_profile=st.sampled_from(PROFILES),
    destination_profile=st.sampled_from(PROFILES),
    plaintext=PLAINTEXTS,
    source_context=st.none() | CONTEXTS,
    destination_context=st.none() | CONTEXTS,
)
def test_every_layout_is_reencrypted_to_every_layout(
    source_profile: Profile,
    destination_profile: Profile,
    plaintext: bytes,
    source_context: dict[str, str] | None,
    destination_context: dict[str, str] | None,
) -> None:
    """The plaintext stays the same, under the key, layout and context of the destination."""
    # The lowest limit is that of Base64 in v1: 6,144 characters, which are 4,608 bytes.
    plaintext = plaintext[:4608]
    blob = alibaba.encrypt(
        *(KEYS, "source", plaintext, source_context),
        profile=source_profile,
        allow_ambiguous=True,
    ).ciphertext_blob
    result = alibaba.reencrypt(
        *(KEYS, blob, "destination"),
        source_profile=source_profile,
        destination_profile=destination_profile,
        source_context=source_context,
        destination_context=destination_context,
        allow_ambiguous=True,
    )
    assert type(result) is ReEncryptResult
    assert result[1:] == (
        *("source", VERSION, "destination", OTHER_VERSION),
        *(None, Suite.SM4_GCM),
    )
    assert opened(result.ciphertext_blob, destination_context, destination_profile) == plaintext


@pytest.mark.parametrize("profile", SERVICE_PROFILES)
@pytest.mark.parametrize("algorithm", [*RSA_ALGORITHMS, EncryptionAlgorithm.SM2PKE])
def test_an_asymmetric_source_is_reencrypted_to_every_layout(
    rsa_key: RsaKey, sm2_key: Sm2Key, profile: Profile, algorithm: EncryptionAlgorithm
) -> None:
    """The plaintext gets the payload form of the profile; the algorithm can be a text."""
    key = sm2_key if algorithm is EncryptionAlgorithm.SM2PKE else rsa_key
    ring = Keyring([*RING, key])
    bare = kmscore.asymmetric_encrypt(key.public_key, algorithm, b"\x00text")
    for given_as in (algorithm, algorithm.value):
        result = alibaba.reencrypt(
            *(ring, bare, "destination"),
            destination_profile=profile,
            destination_context=CONTEXT,
            source_key_id=key.key_id,
            source_key_version_id="v1",
            source_algorithm=given_as,
        )
        assert result[1:] == (
            *(key.key_id, "v1", "destination", OTHER_VERSION),
            *(algorithm, Suite.SM4_GCM),
        )
        assert type(result.source_algorithm) is EncryptionAlgorithm
        assert opened(result.ciphertext_blob, CONTEXT, profile) == b"\x00text"


@pytest.mark.parametrize("algorithm", [RSA_ALGORITHMS[0], EncryptionAlgorithm.SM2PKE])
def test_a_data_key_survives_the_published_flow(
    rsa_key: RsaKey, sm2_key: Sm2Key, algorithm: EncryptionAlgorithm
) -> None:
    """A data key that is generated, exported and re-encrypted stays the same."""
    key = sm2_key if algorithm is EncryptionAlgorithm.SM2PKE else rsa_key
    keys = index(*RING, key)
    made = alibaba.generate_data_key(KEYS, "source", context=CONTEXT, profile=ALIBABA)
    exported = alibaba.export_data_key(
        *(keys, made.ciphertext_blob, key.public_key, algorithm), context=CONTEXT, profile=ALIBABA
    ).exported_data_key
    back = alibaba.reencrypt(
        *(keys, exported, "destination"),
        destination_profile=ALIBABA,
        source_key_id=key.key_id,
        source_key_version_id="v1",
        source_algorithm=algorithm,
    )
    assert back.ciphertext_blob is not None
    assert len(back.ciphertext_blob) == 108
    assert opened(back.ciphertext_blob, None, ALIBABA) == made.plaintext


@pytest.mark.parametrize("suite", PLAIN_SUITES)
def test_a_rotated_key_can_be_its_own_destination(suite: Suite) -> None:
    """The older version decrypts, the primary version encrypts, and the context can change."""
    old = service_key(suite, "key", VERSION)
    new = service_key(suite, "key", THIRD_VERSION)
    blob = alibaba.encrypt(index(old), "key", b"text", {}, profile=ALIBABA).ciphertext_blob
    result = alibaba.reencrypt(
        *(index(old, new), blob, "key"),
        source_profile=ALIBABA,
        destination_profile=ALIBABA,
        source_context={},
        destination_context=CONTEXT,
    )
    assert result.ciphertext_blob is not None
    assert result[1:5] == ("key", VERSION, "key", THIRD_VERSION)
    assert ServiceBlob.parse(result.ciphertext_blob).key_version_id == THIRD_VERSION
    again = alibaba.decrypt(index(new), result.ciphertext_blob, CONTEXT, profile=ALIBABA)
    assert again.plaintext == b"text"


@pytest.mark.parametrize("way", WAYS)
def test_without_a_destination_context_there_is_no_context(way: str) -> None:
    """The source context is not kept; in the service layout, `{}` is a different context."""
    profile = {"service to service": RAW, "v1 to service": ALIBABA}.get(way, V1)
    blob = moved(way).ciphertext_blob
    assert opened(blob, None, profile) == b"text"
    assert_tells_nothing(partial(opened, blob, CONTEXT, profile))
    empty = moved(way, destination_context={}).ciphertext_blob
    assert opened(empty, {}, profile) == b"text"
    if profile is not V1:
        assert_tells_nothing(partial(opened, blob, {}, profile))
        assert_tells_nothing(partial(opened, empty, None, profile))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("context", [None, {}, {"purpose": "else"}, EncryptionContext()])
def test_a_wrong_source_context_fails_like_a_wrong_tag(way: str, context: Any) -> None:
    """A dry run gives the same error as the real call."""
    for dry_run in (False, True):
        assert_tells_nothing(partial(moved, way, source_context=context, dry_run=dry_run))


@given(data=st.data())
def test_a_v1_source_gives_the_outcome_of_kmscore(data: st.DataObject) -> None:
    """For any blob, IDs and contexts, error or result are those of `kmscore.reencrypt`."""
    raw = data.draw(st.just(V1_BLOB) | mutations(V1_BLOB) | st.binary(max_size=80))
    options = {
        "source_context": data.draw(st.sampled_from([CONTEXT, {}, None, {"a": "\ud800"}])),
        "destination_context": data.draw(st.sampled_from([CONTEXT, None, {"a": "\ud800"}])),
        "source_key_id": data.draw(st.sampled_from([None, "source", "else"])),
        "source_key_version_id": data.draw(st.sampled_from([None, VERSION, "else"])),
    }
    destination = data.draw(st.sampled_from(["destination", "absent"]))
    dry_run = data.draw(st.booleans())
    ours = partial(alibaba.reencrypt, RING, raw, destination, **options, dry_run=dry_run)
    theirs = outcome(partial(kmscore.reencrypt, RING, raw, destination, **options, dry_run=dry_run))
    assert outcome(ours) == theirs
    assert outcome(partial(ours, destination_profile=RAW)) == theirs


@given(data=st.data())
def test_an_asymmetric_source_gives_the_outcome_of_kmscore(
    sm2_key: Sm2Key, rsa_key: RsaKey, data: st.DataObject
) -> None:
    """For any ciphertext, IDs and contexts, error or result are those of `kmscore.reencrypt`."""
    bare = kmscore.asymmetric_encrypt(sm2_key.public_key, "SM2PKE", b"text")
    raw = data.draw(st.just(bare) | mutations(bare))
    options = {
        "source_context": data.draw(st.sampled_from([{}, None, CONTEXT])),
        "source_key_id": data.draw(st.sampled_from(["sm2", "absent", "source", "rsa-2048"])),
        "source_key_version_id": data.draw(st.sampled_from(["v1", VERSION])),
        "source_algorithm": "SM2PKE",
        "dry_run": data.draw(st.booleans()),
    }
    ring = Keyring([*RING, sm2_key, rsa_key])
    theirs = outcome(partial(kmscore.reencrypt, ring, raw, "destination", **options))
    ours = partial(alibaba.reencrypt, ring, raw, "destination", **options)
    assert outcome(ours) == theirs
    assert outcome(partial(ours, destination_profile=ALIBABA)) == theirs


@pytest.mark.parametrize("way", WAYS)
def test_given_source_ids_are_checked(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """One or both can be given; a wrong ID is rejected before decryption."""
    ids = {"source_key_id": "source", "source_key_version_id": VERSION}
    for name, value in ids.items():
        assert moved(way, **{name: value})
    assert moved(way, **ids)
    forbid_ciphers(monkeypatch)
    for name, wrong in (
        ("source_key_id", "destination"),
        ("source_key_id", "absent"),
        ("source_key_id", ""),
        ("source_key_version_id", OTHER_VERSION),
        ("source_key_version_id", VERSION.upper()),
        ("source_key_version_id", ""),
    ):
        with raises_exactly(IncorrectKeyError):
            moved(way, **ids | {name: wrong})


def test_a_wrong_source_version_is_rejected_before_key_lookup() -> None:
    """The version is compared with the blob, and the key ID with the key of the provider."""
    silent = VersionOracle(AssertionError("asked"), None)
    call = partial(alibaba.reencrypt, silent, SERVICE_BLOB, "destination", **FROM_SERVICE)
    with raises_exactly(IncorrectKeyError, "names another source key version"):
        call(source_key_version_id=OTHER_VERSION)
    with raises_exactly(IncorrectKeyError, "another source key"):
        alibaba.reencrypt(
            VersionOracle(SOURCE), SERVICE_BLOB, "x", **FROM_SERVICE, source_key_id="destination"
        )


def test_an_asymmetric_source_has_no_layout(rsa_key: RsaKey) -> None:
    """A service profile for an asymmetric source is rejected, not ignored."""
    ids = {"source_key_id": rsa_key.key_id, "source_key_version_id": "v1"}
    for profile in PROFILES[1:]:
        for destination_profile in (V1, ALIBABA):
            with raises_exactly(TypeError, "source_profile must be v1"):
                alibaba.reencrypt(
                    *(KEYS, b"", "destination"),
                    source_profile=profile,
                    destination_profile=destination_profile,
                    source_algorithm=RSA_ALGORITHMS[0],
                    **ids,
                )


def test_an_asymmetric_source_needs_both_ids_and_a_known_algorithm(rsa_key: RsaKey) -> None:
    """The ciphertext does not contain them."""
    ids: dict[str, str | None] = {"source_key_id": rsa_key.key_id, "source_key_version_id": "v1"}
    call: Callable[..., object] = partial(
        alibaba.reencrypt, KEYS, b"", "destination", destination_profile=ALIBABA
    )
    for missing in ids:
        with raises_exactly(TypeError, "needs source_key_id and source_key_version_id"):
            call(source_algorithm=RSA_ALGORITHMS[0], **ids | {missing: None})
    with raises_exactly(UnsupportedAlgorithmError):
        call(source_algorithm="RSAES_PKCS1_V1_5", **ids)


def test_an_asymmetric_source_rejects_a_context(
    monkeypatch: pytest.MonkeyPatch, rsa_key: RsaKey
) -> None:
    """A context is rejected before decryption; an empty context is equal to no context."""
    bare = kmscore.asymmetric_encrypt(rsa_key.public_key, RSA_ALGORITHMS[0], b"text")
    call = partial(
        alibaba.reencrypt,
        *(Keyring([*RING, rsa_key]), bare, "destination"),
        destination_profile=ALIBABA,
        source_key_id=rsa_key.key_id,
        source_key_version_id="v1",
        source_algorithm=RSA_ALGORITHMS[0],
    )
    for empty in (None, {}, EncryptionContext()):
        assert call(source_context=empty)
    monkeypatch.setattr(asymmetric, "decrypt_with", lambda *_: pytest.fail("opened"))
    for context in (CONTEXT, EncryptionContext(CONTEXT)):
        with raises_exactly(InvalidContextError, "binds no encryption context"):
            call(source_context=context)


def test_an_asymmetric_algorithm_missing_in_this_build_is_rejected(
    monkeypatch: pytest.MonkeyPatch, rsa_key: RsaKey
) -> None:
    """The algorithm is checked before decryption."""
    miss_hash(monkeypatch, lambda: True)
    with raises_exactly(UnsupportedAlgorithmError, "sha1 is not available"):
        alibaba.reencrypt(
            *(Keyring([*RING, rsa_key]), b"", "destination"),
            destination_profile=ALIBABA,
            source_key_id=rsa_key.key_id,
            source_key_version_id="v1",
            source_algorithm="RSAES_OAEP_SHA_1",
        )


@pytest.mark.parametrize("way", ["service to service", "service to v1", "v1 to service"])
@pytest.mark.parametrize("side", ["source", "destination"])
def test_an_ambiguous_context_requires_permission_in_the_service_layout(
    monkeypatch: pytest.MonkeyPatch, way: str, side: str
) -> None:
    """This matters most for v1, which would authenticate the chosen context."""
    source, _, destination = way.partition(" to ")
    profiles = {"source": ALIBABA if source == "service" else V1}
    profiles["destination"] = RAW if way == "service to service" else ALIBABA
    profiles["destination"] = V1 if destination == "v1" else profiles["destination"]
    contexts = {side: AMBIGUOUS}
    blob = alibaba.encrypt(
        *(KEYS, "source", b"text", contexts.get("source")),
        profile=profiles["source"],
        allow_ambiguous=True,
    ).ciphertext_blob
    call: Callable[..., ReEncryptResult] = partial(
        alibaba.reencrypt,
        *(KEYS, blob, "destination"),
        source_profile=profiles["source"],
        destination_profile=profiles["destination"],
        **{f"{name}_context": context for name, context in contexts.items()},
    )
    allowed = call(allow_ambiguous=True).ciphertext_blob
    assert opened(allowed, contexts.get("destination"), profiles["destination"]) == b"text"
    if profiles[side] is V1:
        assert call()
        return
    forbid_ciphers(monkeypatch)
    for dry_run in (False, True):
        with raises_exactly(InvalidContextError, "allow_ambiguous=True"):
            call(dry_run=dry_run)


def test_v1_authenticates_the_chosen_ambiguous_context() -> None:
    """Each colliding context decrypts the source, and only the given one decrypts the result."""
    blob = alibaba.encrypt(
        KEYS, "source", b"text", AMBIGUOUS, profile=ALIBABA, allow_ambiguous=True
    ).ciphertext_blob
    chosen = {"a": "1&b=2"}
    result = alibaba.reencrypt(
        *(KEYS, blob, "modern"),
        source_profile=ALIBABA,
        source_context=chosen,
        destination_context=chosen,
        allow_ambiguous=True,
    )
    assert opened(result.ciphertext_blob, chosen) == b"text"
    assert_tells_nothing(partial(opened, result.ciphertext_blob, AMBIGUOUS))


@pytest.mark.parametrize("way", WAYS)
def test_a_dry_run_decrypts_and_does_not_encrypt(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """The result is that of the real call without the blob."""
    expected = moved(way)
    used: list[str] = []
    watch_ciphers(monkeypatch, used.append)
    monkeypatch.setattr(os, "urandom", lambda _: pytest.fail("an IV was drawn"))
    result = moved(way, dry_run=True)
    assert result == (None, *expected[1:])
    assert used == ["open"]


@pytest.mark.parametrize("way", WAYS)
def test_a_dry_run_of_a_damaged_blob_fails(way: str) -> None:
    """A dry run checks as much, and is as strong an oracle, as the real call."""
    blob = SERVICE_BLOB if way.startswith("service") else V1_BLOB
    wrong = flip_last_bit(blob)
    target = "destination" if way.endswith("service") else "modern"
    options = {**WAYS[way].keywords, "source_context": CONTEXT}  # type: ignore[attr-defined]
    options["source_profile"] = ALIBABA if way.startswith("service") else V1
    assert_tells_nothing(partial(alibaba.reencrypt, KEYS, wrong, target, **options, dry_run=True))
    with raises_exactly(KeyNotFoundError):
        alibaba.reencrypt(KEYS, blob, "absent", **options, dry_run=True)


@pytest.mark.parametrize("source_profile", [V1, ALIBABA])
def test_a_destination_key_must_support_its_layout(
    monkeypatch: pytest.MonkeyPatch, source_profile: Profile
) -> None:
    """A key bound to XAES, or with a version ID that is not a UUID, is rejected first."""
    legacy = symmetric_key(Suite.AES_256_GCM, "legacy", "v1")
    keys = index(*RING, legacy)
    blob = V1_BLOB if source_profile is V1 else SERVICE_BLOB
    call = partial(
        alibaba.reencrypt, keys, blob, source_profile=source_profile, source_context=CONTEXT
    )
    assert call("modern")
    assert call("legacy")
    forbid_ciphers(monkeypatch)
    for key_id, text in (("modern", "bound to XAES_256_GCM"), ("legacy", "ID that is a UUID")):
        with raises_exactly(KeyUsageError, text):
            call(key_id, destination_profile=ALIBABA)


@pytest.mark.parametrize("profile", [V1, RAW])
def test_a_source_with_too_long_a_plaintext_is_rejected(
    monkeypatch: pytest.MonkeyPatch, profile: Profile
) -> None:
    """6,144 bytes are re-encrypted, and 6,145 bytes are rejected before decryption."""
    longest = alibaba.encrypt(KEYS, "source", bytes(6144), profile=profile).ciphertext_blob
    call = partial(
        alibaba.reencrypt,
        KEYS,
        destination_key_id="destination",
        source_profile=profile,
        destination_profile=ALIBABA,
    )
    assert opened(call(ciphertext_blob=longest).ciphertext_blob, None, ALIBABA) == bytes(6144)
    too_long = envelope.seal(SOURCE, bytes(6145), b"") if profile is V1 else longest + b"\x00"
    forbid_ciphers(monkeypatch)
    with raises_exactly(PlaintextSizeError, "plaintext of 6145 bytes"):
        call(ciphertext_blob=too_long)


def test_a_source_in_the_other_layout_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """For each destination, a source in the other layout is an invalid blob."""
    forbid_ciphers(monkeypatch)
    for destination_profile in (V1, ALIBABA):
        for blob, profile in ((V1_BLOB, ALIBABA), (SERVICE_BLOB, V1)):
            with raises_exactly(InvalidBlobError):
                alibaba.reencrypt(
                    *(KEYS, blob, "destination"),
                    source_profile=profile,
                    destination_profile=destination_profile,
                    source_context=CONTEXT,
                )


def test_only_a_service_source_requires_a_key_version_provider() -> None:
    """A keyring is sufficient for other sources, with each destination layout."""
    options = {"source_context": CONTEXT, "destination_profile": ALIBABA}
    assert alibaba.reencrypt(RING, V1_BLOB, "destination", **options)
    with raises_exactly(TypeError, "such as VersionIndex(keyring), not Keyring"):
        alibaba.reencrypt(RING, b"", "destination", **options, source_profile=ALIBABA)


def test_the_keys_of_a_provider_are_checked_on_both_sides() -> None:
    """A key with other IDs than the requested ones does not decrypt and does not encrypt."""
    stranger = SymmetricKey(
        "source", OTHER_VERSION, SOURCE.spec, SOURCE.export_material(), suite=SOURCE.suite
    )
    for provider in (VersionOracle(stranger, DESTINATION), VersionOracle(SOURCE, SOURCE)):
        with raises_exactly(IncorrectKeyError, "provider returned another key"):
            alibaba.reencrypt(
                provider, SERVICE_BLOB, "destination", destination_profile=RAW, **FROM_SERVICE
            )
    with raises_exactly(IncorrectKeyError, "provider returned another key"):
        alibaba.reencrypt(
            *(Oracle(DESTINATION, DESTINATION), V1_BLOB, "destination"),
            source_context=CONTEXT,
            destination_profile=ALIBABA,
        )


@given(raw=mutations(SERVICE_BLOB), destination=st.sampled_from([V1, ALIBABA]))
def test_only_documented_errors_are_raised(raw: bytes, destination: Profile) -> None:
    """A damaged blob of the service gives one of three errors, unless it is unchanged."""
    try:
        result = alibaba.reencrypt(
            *(KEYS, raw, "destination"), destination_profile=destination, **FROM_SERVICE
        )
    except (InvalidBlobError, DecryptionError, kmscore.KeyVersionNotFoundError):
        assert raw != SERVICE_BLOB
    else:
        assert raw == SERVICE_BLOB
        assert opened(result.ciphertext_blob, None, destination) == b"text"


NOT_TEXT: list[Any] = [b"source", 1, object()]
WRONG: Mapping[str, list[Any]] = {
    "keys": [None, {}, object()],
    "ciphertext_blob": [None, "text", 5],
    "destination_key_id": [None, *NOT_TEXT],
    "source_profile": [None, "v1", Profile],
    "destination_profile": [None, "alibaba", Profile],
    "source_context": ["{}", 1, [("a", "b")]],
    "destination_context": ["{}", 1, [("a", "b")]],
    "source_key_id": NOT_TEXT,
    "source_key_version_id": NOT_TEXT,
    "source_algorithm": [1, b"SM2PKE"],
    "allow_ambiguous": [None, 0, 1, "yes"],
    "dry_run": [None, 0, 1, "true"],
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("argument", inspect.signature(alibaba.reencrypt).parameters)
def test_a_wrong_type_is_rejected_before_wrong_values(way: str, argument: str) -> None:
    """The error names the argument of the wrong type, although other values are wrong too."""
    arguments: dict[str, Any] = {
        "keys": KEYS,
        "ciphertext_blob": b"",
        "destination_key_id": "absent",
        "source_profile": ALIBABA if way.startswith("service") else V1,
        "destination_profile": ALIBABA if way.endswith("service") else V1,
        "source_context": {"a": 1},
        "destination_context": {"a": 1},
        "source_key_id": "absent",
        "source_key_version_id": "absent",
    }
    for value in WRONG[argument]:
        with pytest.raises(TypeError, match=argument) as caught:
            alibaba.reencrypt(**arguments | {argument: value})
        assert type(caught.value) is TypeError
