"""Encryption, decryption and data keys in the layout of the service."""

import base64
import inspect
import os
import string
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
    PREFIX,
    RAW,
    SERVICE_PROFILES,
    VECTOR_BLOB,
    VECTOR_CONTEXT,
    VECTOR_DIGEST,
    VECTOR_IV,
    VECTOR_MATERIAL,
    VECTOR_PLAINTEXT,
    VERSION,
    VersionOracle,
    assert_tells_nothing,
    index,
    seal_by_hand,
    service_key,
    written_rule,
)
from support.strategies import (
    CONTEXTS,
    PLAINTEXTS,
    RSA_ALGORITHMS,
    SUITE_SPECS,
    forbid_ciphers,
    raises_exactly,
    single_bit_flips,
    symmetric_key,
)

import kmscore
from kmscore import (
    CiphertextBlob,
    DataKeyResult,
    DecryptionError,
    DecryptResult,
    EncryptionContext,
    EncryptResult,
    ExportResult,
    IncorrectKeyError,
    InvalidBlobError,
    InvalidContextError,
    KeyNotFoundError,
    Keyring,
    KeySpec,
    KeyState,
    KeyStateError,
    KeyUsageError,
    KeyVersionNotFoundError,
    PlaintextSizeError,
    RsaKey,
    Sm2Key,
    Suite,
    SymmetricKey,
    alibaba,
)
from kmscore.alibaba import ContextBinding, Profile, ServiceBlob, SortOrder
from kmscore.alibaba.payloads import layout_of
from kmscore.operations import encrypt_in

Count = Callable[[str, int], None]

ALIBABA = Profile.ALIBABA
OAEP = RSA_ALGORITHMS[0]
KEY = service_key()
KEYS = index(KEY)
CONTEXT: Mapping[str, str] = {"purpose": "test"}
VECTOR_KEYS = index(
    SymmetricKey("key", VERSION, KeySpec.AES_256, VECTOR_MATERIAL, suite=Suite.AES_256_GCM)
)
SUITE_KEYS = {suite: service_key(suite) for suite in PLAIN_SUITES}

NOT_STRICT: Mapping[str, bytes] = {
    "the plaintext itself": bytes(range(0x64, 0x84)),
    "white space at the end": b"dGV4dA==\n",
    "white space before": b" dGV4dA==",
    "a line end within": b"dGV4\r\ndA==",
    "no padding": b"dGV4dA",
    "half of the padding": b"dGV4dA=",
    "too much padding": b"dGV4dA====",
    "padding of nothing": b"====",
    "stray bits before two": b"dGV4dB==",
    "stray bits before one": b"dGV4dGV=",
    "another alphabet": b"-_-_",
    "a character that is none": b"dGV4*A==",
    "one character": b"d",
    "padding within": b"dA==dA==",
    "not ASCII": "dGV4é".encode(),
    "a zero byte": b"dGV4dA==\x00",
    "hexadecimal digits and no more": b"74657",
}

Opening = Callable[..., object]


@pytest.fixture(params=["decrypt", "export_data_key", "reencrypt", "reencrypt (dry run)"])
def opening(request: pytest.FixtureRequest, rsa_key: RsaKey) -> Opening:
    """Return an operation that decrypts: keys, blob, context, and a profile by name.

    Re-encryption uses the key ID `source` as its destination.
    """

    def decrypt(keys: Any, raw: bytes, context: Any = None, **options: Any) -> object:
        return alibaba.decrypt(keys, raw, context, **options)

    def export(keys: Any, raw: bytes, context: Any = None, **options: Any) -> object:
        wrapping = rsa_key.public_key, OAEP
        return alibaba.export_data_key(keys, raw, *wrapping, context=context, **options)

    def move(keys: Any, raw: bytes, context: Any = None, **options: Any) -> object:
        return alibaba.reencrypt(
            keys,
            raw,
            "source",
            source_profile=options.pop("profile"),
            source_context=context,
            dry_run="dry" in request.param,
            **options,
        )

    operations = {"decrypt": decrypt, "export_data_key": export}
    return operations.get(request.param, move)


def opened(keys: Any, raw: bytes | None, context: Any = None, **options: Any) -> bytes:
    """Return the plaintext of a blob; its context can be ambiguous."""
    assert raw is not None
    return alibaba.decrypt(keys, raw, context, allow_ambiguous=True, **options).plaintext


def test_the_vector_is_decrypted(count_known_answers: Count) -> None:
    """The published key, version, context and blob give the published plaintext."""
    result = alibaba.decrypt(
        VECTOR_KEYS, VECTOR_BLOB, VECTOR_CONTEXT, profile=ALIBABA, allow_ambiguous=True
    )
    assert result == DecryptResult("key", VERSION, VECTOR_PLAINTEXT)
    assert type(result) is DecryptResult
    count_known_answers("Alibaba Cloud KMS, ciphertext of the migration SDKs", 1)


def test_encryption_gives_the_vector(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the published IV, every byte of the blob is the published one."""
    asked = []

    def draw(length: int) -> bytes:
        asked.append(length)
        return VECTOR_IV

    monkeypatch.setattr(os, "urandom", draw)
    result = alibaba.encrypt(
        VECTOR_KEYS, "key", VECTOR_PLAINTEXT, VECTOR_CONTEXT, profile=ALIBABA, allow_ambiguous=True
    )
    assert result == EncryptResult("key", VERSION, VECTOR_BLOB)
    assert asked == [12]


def test_a_given_iv_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The common encryption function generates no IV if one is given."""
    monkeypatch.setattr(os, "urandom", lambda _: pytest.fail("an IV was drawn"))
    layout = layout_of(ALIBABA, allow_ambiguous=True)
    result = encrypt_in(layout, VECTOR_KEYS, "key", VECTOR_PLAINTEXT, VECTOR_CONTEXT, iv=VECTOR_IV)
    assert result == EncryptResult("key", VERSION, VECTOR_BLOB)


def test_the_encryption_of_the_tests_matches_the_sdks() -> None:
    """The helper of the tests encrypts Base64 text under the published digest."""
    blob = seal_by_hand(VECTOR_KEYS.primary("key"), base64.b64encode(b"text"), VECTOR_DIGEST)  # type: ignore[arg-type]
    for context in (VECTOR_CONTEXT, EncryptionContext(VECTOR_CONTEXT)):
        assert opened(VECTOR_KEYS, blob, context, profile=ALIBABA) == b"text"


@pytest.mark.parametrize("suite", PLAIN_SUITES)
@given(
    profile=st.sampled_from(SERVICE_PROFILES),
    plaintext=PLAINTEXTS,
    context=st.none() | CONTEXTS,
)
def test_encryption_round_trip(
    suite: Suite, profile: Profile, plaintext: bytes, context: dict[str, str] | None
) -> None:
    """Decryption gives the plaintext for every profile and every plain GCM suite."""
    keys = index(SUITE_KEYS[suite])
    sealed = alibaba.encrypt(
        keys, "source", plaintext, context, profile=profile, allow_ambiguous=True
    )
    assert sealed[:2] == ("source", VERSION)
    assert opened(keys, sealed.ciphertext_blob, context, profile=profile) == plaintext


@pytest.mark.parametrize("suite", PLAIN_SUITES)
@given(
    profile=st.sampled_from(SERVICE_PROFILES),
    plaintext=st.binary(max_size=80),
    context=st.none() | CONTEXTS,
)
def test_blobs_of_the_test_helper_are_decrypted(
    suite: Suite, profile: Profile, plaintext: bytes, context: dict[str, str] | None
) -> None:
    """Payload, associated data and prefix are those of the profile."""
    payload = plaintext if profile.payload == "raw" else base64.b64encode(plaintext)
    bound = written_rule(context, profile)
    blob = seal_by_hand(SUITE_KEYS[suite], payload, bound, profile.prefix)
    assert opened(index(SUITE_KEYS[suite]), blob, context, profile=profile) == plaintext


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_like_objects_are_accepted(kind: Callable[[bytes], Any]) -> None:
    """Plaintext and blob can be `bytes`, `bytearray` or `memoryview`."""
    sealed = alibaba.encrypt(KEYS, "source", kind(b"text"), profile=ALIBABA)
    assert opened(KEYS, kind(sealed.ciphertext_blob), profile=ALIBABA) == b"text"


def test_every_encryption_has_a_new_iv() -> None:
    """Equal calls give blobs with different IVs."""
    blobs = [alibaba.encrypt(KEYS, "source", b"", profile=ALIBABA) for _ in range(50)]
    assert len({ServiceBlob.parse(blob.ciphertext_blob).iv for blob in blobs}) == 50


@pytest.mark.parametrize(("profile", "length"), [(ALIBABA, 108), (RAW, 96)])
def test_a_data_key_blob_has_the_length_of_the_service(profile: Profile, length: int) -> None:
    """A data key of the default length, 32 bytes, gives a blob of 108 bytes (raw: 96)."""
    result = alibaba.generate_data_key(KEYS, "source", context=CONTEXT, profile=profile)
    assert isinstance(result, DataKeyResult)
    assert (result.key_id, result.key_version_id) == ("source", VERSION)
    assert (len(result.plaintext), len(result.ciphertext_blob)) == (32, length)
    assert opened(KEYS, result.ciphertext_blob, CONTEXT, profile=profile) == result.plaintext


def test_every_data_key_is_new() -> None:
    """Data keys have the requested length, and 20 data keys are all different."""
    keys = {
        alibaba.generate_data_key(KEYS, "source", number_of_bytes=16, profile=ALIBABA).plaintext
        for _ in range(20)
    }
    assert {len(key) for key in keys} == {16}
    assert len(keys) == 20


@pytest.mark.parametrize("profile", [ALIBABA, Profile(prefix=PREFIX), RAW])
def test_at_most_8192_bytes_are_encrypted(profile: Profile) -> None:
    """The limit is 8,192 raw bytes, or 6,144 bytes as Base64; one more byte is rejected."""
    most = 8192 if profile is RAW else 6144
    sealed = alibaba.encrypt(KEYS, "source", bytes(most), profile=profile)
    assert len(sealed.ciphertext_blob) == 64 + len(profile.prefix) + 8192
    assert opened(KEYS, sealed.ciphertext_blob, profile=profile) == bytes(most)
    for too_long in (bytes(most + 1), memoryview(bytes(most + 8)).cast("Q"), bytes(100_000)):
        with raises_exactly(PlaintextSizeError, f"at most {most}"):
            alibaba.encrypt(KEYS, "source", too_long, profile=profile)


def test_a_blob_with_too_long_a_plaintext_is_rejected(
    monkeypatch: pytest.MonkeyPatch, opening: Opening
) -> None:
    """A blob over the limit is rejected by its length, without decryption."""
    raw = seal_by_hand(KEY, bytes(8193))
    text = seal_by_hand(KEY, base64.b64encode(bytes(6145)))
    assert len(text) == 64 + 8196
    forbid_ciphers(monkeypatch)
    with raises_exactly(PlaintextSizeError, "plaintext of 8193 bytes, at most"):
        opening(KEYS, raw, profile=RAW)
    with raises_exactly(InvalidBlobError, "8260 bytes, at most 8259"):
        opening(KEYS, text, profile=ALIBABA)


@pytest.mark.parametrize("number_of_bytes", [0, -1, 1025])
def test_a_data_key_has_1_to_1024_bytes(
    monkeypatch: pytest.MonkeyPatch, rsa_key: RsaKey, number_of_bytes: int
) -> None:
    """Another length is rejected before random bytes are generated."""
    forbid_ciphers(monkeypatch)
    monkeypatch.setattr(os, "urandom", lambda _: pytest.fail("drawn"))
    options = {"number_of_bytes": number_of_bytes, "profile": ALIBABA}
    with raises_exactly(PlaintextSizeError, "1 to 1024"):
        alibaba.generate_data_key(KEYS, "source", **options)
    with raises_exactly(PlaintextSizeError, "1 to 1024"):
        alibaba.generate_and_export_data_key(KEYS, "source", rsa_key.public_key, OAEP, **options)


@pytest.mark.parametrize("profile", [ALIBABA, RAW])
@pytest.mark.parametrize("algorithm", [*RSA_ALGORITHMS, "SM2PKE"])
def test_a_data_key_is_exported(
    rsa_key: RsaKey, sm2_key: Sm2Key, profile: Profile, algorithm: str
) -> None:
    """The private key decrypts an exported data key, from the same call or a later call."""
    key = sm2_key if algorithm == "SM2PKE" else rsa_key
    options: dict[str, Any] = {"context": CONTEXT, "profile": profile}
    made = alibaba.generate_and_export_data_key(
        KEYS, "source", key.public_key, algorithm, number_of_bytes=24, **options
    )
    assert type(made) is ExportResult
    assert made.ciphertext_blob is not None
    data_key = opened(KEYS, made.ciphertext_blob, **options)
    assert len(data_key) == 24
    later = alibaba.export_data_key(
        KEYS, made.ciphertext_blob, key.public_key, algorithm, **options
    )
    assert later.ciphertext_blob is None
    ring = Keyring([key])
    for result in (made, later):
        assert result[:2] == ("source", VERSION)
        exported = result.exported_data_key
        found = kmscore.asymmetric_decrypt(ring, key.key_id, "v1", algorithm, exported)
        assert found.plaintext == data_key


@pytest.mark.parametrize(
    ("profile", "may", "may_not"), [(ALIBABA, [191, 192], [193, 300]), (RAW, [], [191, 300])]
)
def test_a_data_key_over_the_export_limit_is_rejected(
    monkeypatch: pytest.MonkeyPatch,
    rsa_key: RsaKey,
    profile: Profile,
    may: list[int],
    may_not: list[int],
) -> None:
    """RSA_2048 takes 190 bytes; 191 and 192 bytes as Base64 are detected after decryption."""
    wrapping = rsa_key.public_key, OAEP
    blobs = {
        length: alibaba.encrypt(KEYS, "source", bytes(length), profile=profile).ciphertext_blob
        for length in (0, 189, 190, *may, *may_not)
    }
    for length in (0, 189, 190):
        assert alibaba.export_data_key(KEYS, blobs[length], *wrapping, profile=profile)
    for length in may:
        with raises_exactly(DecryptionError):
            alibaba.export_data_key(KEYS, blobs[length], *wrapping, profile=profile)
    forbid_ciphers(monkeypatch)
    for length in may_not:
        with raises_exactly(PlaintextSizeError, "takes 0 to 190 bytes"):
            alibaba.export_data_key(KEYS, blobs[length], *wrapping, profile=profile)


def test_sm2_rejects_an_empty_data_key(monkeypatch: pytest.MonkeyPatch, sm2_key: Sm2Key) -> None:
    """An empty data key is rejected before decryption; one byte can be exported."""
    wrapping = sm2_key.public_key, "SM2PKE"
    empty, one = (
        alibaba.encrypt(KEYS, "source", text, profile=ALIBABA).ciphertext_blob
        for text in (b"", b"x")
    )
    assert alibaba.export_data_key(KEYS, one, *wrapping, profile=ALIBABA)
    forbid_ciphers(monkeypatch)
    with raises_exactly(PlaintextSizeError, "takes 1 to 6047 bytes"):
        alibaba.export_data_key(KEYS, empty, *wrapping, profile=ALIBABA)


def test_a_data_key_must_fit_its_wrapping_key(rsa_key: RsaKey) -> None:
    """A length over the limit of the wrapping key is rejected."""
    call = partial(
        alibaba.generate_and_export_data_key,
        *(KEYS, "source", rsa_key.public_key, OAEP),
        profile=ALIBABA,
    )
    assert call(number_of_bytes=190)
    with raises_exactly(PlaintextSizeError, "takes 0 to 190 bytes"):
        call(number_of_bytes=191)


@pytest.mark.parametrize("defect", NOT_STRICT)
@pytest.mark.parametrize("suite", [Suite.AES_256_GCM, Suite.SM4_GCM])
def test_a_payload_that_is_not_strict_base64_fails_like_a_wrong_tag(
    opening: Opening, suite: Suite, defect: str
) -> None:
    """The tag is right, and the same blob is decrypted with a raw profile."""
    key = SUITE_KEYS[suite]
    blob = seal_by_hand(key, NOT_STRICT[defect])
    assert opened(index(key), blob, profile=RAW) == NOT_STRICT[defect]
    assert_tells_nothing(partial(opening, index(key), blob, profile=ALIBABA))


@pytest.mark.parametrize("suite", PLAIN_SUITES)
@pytest.mark.parametrize("prefix", [b"", PREFIX], ids=["no prefix", "prefix"])
def test_every_single_bit_flip_is_rejected(opening: Opening, suite: Suite, prefix: bytes) -> None:
    """The error is an invalid blob, an unknown key version, or a failed decryption."""
    keys, profile = index(SUITE_KEYS[suite]), Profile(prefix=prefix)
    raw = alibaba.encrypt(keys, "source", b"text", CONTEXT, profile=profile).ciphertext_blob
    assert opening(keys, raw, CONTEXT, profile=profile)
    for number, changed in enumerate(single_bit_flips(raw)):
        at = number // 8 - len(prefix)
        call = partial(opening, keys, changed, CONTEXT, profile=profile)
        if at >= 36:
            assert_tells_nothing(call)
        elif at >= 0 and VERSION[at] != "-" and chr(changed[number // 8]) in string.hexdigits:
            with raises_exactly(KeyVersionNotFoundError):
                call()
        else:
            with raises_exactly(InvalidBlobError):
                call()


def test_the_key_version_id_is_not_authenticated() -> None:
    """Another key version with the same material decrypts the blob, and the result names it."""
    blob = alibaba.encrypt(KEYS, "source", b"text", CONTEXT, profile=ALIBABA).ciphertext_blob
    twin = SymmetricKey("twin", OTHER_VERSION, KEY.spec, KEY.export_material(), suite=KEY.suite)
    renamed = OTHER_VERSION.encode() + blob[36:]
    result = alibaba.decrypt(index(KEY, twin), renamed, CONTEXT, profile=ALIBABA)
    assert result == ("twin", OTHER_VERSION, b"text")


@pytest.mark.parametrize("profile", [ALIBABA, RAW, Profile(prefix=PREFIX)])
def test_every_truncation_is_rejected(opening: Opening, profile: Profile) -> None:
    """A blob below the minimum length is invalid; a longer one fails in decryption."""
    raw = alibaba.encrypt(KEYS, "source", b"text", CONTEXT, profile=profile).ciphertext_blob
    least = 64 + len(profile.prefix)
    for length in range(len(raw)):
        call = partial(opening, KEYS, raw[:length], CONTEXT, profile=profile)
        if length < least:
            with raises_exactly(InvalidBlobError):
                call()
        else:
            assert_tells_nothing(call)
    for start in range(1, len(raw) + 1):
        with raises_exactly(InvalidBlobError):
            opening(KEYS, raw[start:], CONTEXT, profile=profile)
    for hole in range(36 + len(profile.prefix), len(raw)):
        changed = raw[:hole] + raw[hole + 1 :]
        assert_tells_nothing(partial(opening, KEYS, changed, CONTEXT, profile=profile))


def test_every_extension_is_rejected(opening: Opening) -> None:
    """Bytes at the end fail in decryption; bytes at the start or too many are invalid."""
    raw = alibaba.encrypt(KEYS, "source", b"text", CONTEXT, profile=ALIBABA).ciphertext_blob
    call = partial(opening, KEYS, context=CONTEXT, profile=ALIBABA)
    for tail in (b"\x00", b"=", b"\n", bytes(16), raw[-16:], raw, bytes(100)):
        assert_tells_nothing(partial(call, raw + tail))
    for head in (b"\x00", b" ", PREFIX, b"KMS\x01", raw[:10]):
        with raises_exactly(InvalidBlobError):
            call(head + raw)
    for length in (8_260, 10_000, 1_000_000):
        with raises_exactly(InvalidBlobError, "at most 8259"):
            call(raw.ljust(length, b"\x00"))


WRONG_BINDINGS: list[tuple[str, Profile, Any, Profile, Any]] = [
    ("another value", ALIBABA, {"a": "1"}, ALIBABA, {"a": "2"}),
    ("another key", ALIBABA, {"a": "1"}, ALIBABA, {"b": "1"}),
    ("none instead of one", ALIBABA, {"a": "1"}, ALIBABA, None),
    ("one instead of none", ALIBABA, None, ALIBABA, {"a": "1"}),
    ("none instead of an empty one", ALIBABA, {}, ALIBABA, None),
    ("an empty one instead of none", ALIBABA, None, ALIBABA, {}),
    ("an empty one that is absent", ALIBABA, {}, Profile(empty_is_absent=True), {}),
    (
        "a digest in hexadecimal",
        Profile(context_binding=ContextBinding.HEXADECIMAL_DIGEST),
        {"a": "1"},
        ALIBABA,
        {"a": "1"},
    ),
    (
        "a raw digest",
        ALIBABA,
        {"a": "1"},
        Profile(context_binding=ContextBinding.HEXADECIMAL_DIGEST),
        {"a": "1"},
    ),
    ("another composition", ALIBABA, {"a": "\u00e9"}, ALIBABA, {"a": "e\u0301"}),
    ("another order", ALIBABA, {"a": "1", "b": "2"}, ALIBABA, {"a": "2", "b": "1"}),
    (
        "another sort order",
        ALIBABA,
        {"\uffff": "1", "\U00010000": "2"},
        Profile(sort_order=SortOrder.UTF_16),
        {"\uffff": "1", "\U00010000": "2"},
    ),
]


@pytest.mark.parametrize(
    ("sealing", "sealed_under", "profile", "context"),
    [case[1:] for case in WRONG_BINDINGS],
    ids=[case[0] for case in WRONG_BINDINGS],
)
def test_a_wrong_context_fails_like_a_wrong_tag(
    opening: Opening, sealing: Profile, sealed_under: Any, profile: Profile, context: Any
) -> None:
    """Another context, or the binding of another profile, gives the error of a wrong tag."""
    blob = alibaba.encrypt(
        KEYS, "source", b"text", sealed_under, profile=sealing, allow_ambiguous=True
    ).ciphertext_blob
    assert opening(KEYS, blob, sealed_under, profile=sealing, allow_ambiguous=True)
    call = partial(opening, KEYS, blob, context, profile=profile, allow_ambiguous=True)
    assert_tells_nothing(call)


def test_an_empty_context_equals_no_context_if_the_profile_says_so() -> None:
    """With `empty_is_absent`, a blob of one is decrypted with the other."""
    profile = Profile(empty_is_absent=True)
    for sealed_under in (None, {}):
        blob = alibaba.encrypt(KEYS, "source", b"text", sealed_under, profile=profile)
        for context in (None, {}, EncryptionContext()):
            assert opened(KEYS, blob.ciphertext_blob, context, profile=profile) == b"text"


def test_other_key_material_fails_like_a_wrong_tag(opening: Opening) -> None:
    """A key with the same IDs and other material does not decrypt the blob."""
    blob = alibaba.encrypt(KEYS, "source", b"text", profile=ALIBABA).ciphertext_blob
    assert_tells_nothing(partial(opening, index(service_key()), blob, profile=ALIBABA))


def test_colliding_contexts_decrypt_the_same_blob() -> None:
    """The rule is ambiguous, so that such a context requires `allow_ambiguous`."""
    blob = alibaba.encrypt(
        KEYS, "source", b"text", AMBIGUOUS, profile=ALIBABA, allow_ambiguous=True
    ).ciphertext_blob
    others = list(alibaba.collisions(AMBIGUOUS))
    assert len(others) == 2
    for context in (AMBIGUOUS, *others):
        assert opened(KEYS, blob, context, profile=ALIBABA) == b"text"


@pytest.mark.parametrize("context", [AMBIGUOUS, {"a=b": "c"}, {"a": "b=c"}])
def test_decryption_rejects_an_ambiguous_context(
    monkeypatch: pytest.MonkeyPatch, opening: Opening, context: dict[str, str]
) -> None:
    """Without `allow_ambiguous`, the context is rejected before decryption."""
    blob = alibaba.encrypt(
        KEYS, "source", b"text", context, profile=ALIBABA, allow_ambiguous=True
    ).ciphertext_blob
    assert opening(KEYS, blob, context, profile=ALIBABA, allow_ambiguous=True)
    forbid_ciphers(monkeypatch)
    with raises_exactly(InvalidContextError, "allow_ambiguous=True"):
        opening(KEYS, blob, context, profile=ALIBABA)


@pytest.mark.parametrize(
    "name", ["encrypt", "generate_data_key", "generate_and_export_data_key", "reencrypt"]
)
def test_encryption_rejects_an_ambiguous_context(
    monkeypatch: pytest.MonkeyPatch, rsa_key: RsaKey, name: str
) -> None:
    """Without `allow_ambiguous`, no cipher runs and no random bytes are generated."""
    v1_blob = kmscore.encrypt(KEYS, "source", b"text").ciphertext_blob
    arguments: tuple[Any, ...] = {
        "encrypt": (KEYS, "source", b"text"),
        "generate_and_export_data_key": (KEYS, "source", rsa_key.public_key, OAEP),
        "reencrypt": (KEYS, v1_blob, "source"),
    }.get(name, (KEYS, "source"))
    side = "destination_" if name == "reencrypt" else ""
    options = {f"{side}profile": ALIBABA, f"{side}context": AMBIGUOUS}
    call = partial(getattr(alibaba, name), *arguments, **options)
    blob = call(allow_ambiguous=True).ciphertext_blob
    assert opened(KEYS, blob, AMBIGUOUS, profile=ALIBABA) is not None
    forbid_ciphers(monkeypatch)
    monkeypatch.setattr(os, "urandom", lambda _: pytest.fail("drawn"))
    with raises_exactly(InvalidContextError, "allow_ambiguous=True"):
        call()


def test_a_key_bound_to_xaes_is_rejected(monkeypatch: pytest.MonkeyPatch, opening: Opening) -> None:
    """The key is rejected before a cipher runs, although GCM would decrypt the blob."""
    key = symmetric_key(Suite.XAES_256_GCM, "source", VERSION)
    keys, blob = index(key), seal_by_hand(key, base64.b64encode(b"text"))
    forbid_ciphers(monkeypatch)
    with raises_exactly(KeyUsageError, "does not support a key bound to XAES_256_GCM"):
        opening(keys, blob, profile=ALIBABA)
    with raises_exactly(KeyUsageError, "does not support a key bound to XAES_256_GCM"):
        alibaba.encrypt(keys, "source", b"text", profile=ALIBABA)


@pytest.mark.parametrize("name", ["v1", VERSION.replace("-", ""), f"{{{VERSION[:-2]}}}"])
def test_a_key_version_id_that_is_not_a_uuid_is_rejected(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The blob cannot contain such an ID; 36 characters alone are not sufficient."""
    keys = index(service_key(key_version_id=name))
    forbid_ciphers(monkeypatch)
    with raises_exactly(KeyUsageError, "requires a key version ID that is a UUID"):
        alibaba.encrypt(keys, "source", b"text", profile=ALIBABA)


@pytest.mark.parametrize("state", [state for state in KeyState if state is not KeyState.ENABLED])
def test_a_key_that_is_not_enabled_is_rejected(
    monkeypatch: pytest.MonkeyPatch, opening: Opening, state: KeyState
) -> None:
    """The key does not decrypt its own blob and does not encrypt."""
    blob = alibaba.encrypt(KEYS, "source", b"text", profile=ALIBABA).ciphertext_blob
    material = KEY.export_material()
    keys = index(SymmetricKey("source", VERSION, KEY.spec, material, suite=KEY.suite, state=state))
    forbid_ciphers(monkeypatch)
    with raises_exactly(KeyStateError, state.value):
        opening(keys, blob, profile=ALIBABA)
    with raises_exactly(KeyStateError, state.value):
        alibaba.encrypt(keys, "source", b"text", profile=ALIBABA)


def test_an_asymmetric_key_with_the_version_id_is_rejected(
    opening: Opening, rsa_key: RsaKey
) -> None:
    """The kind of the key is checked, not only its ID."""
    blob = alibaba.encrypt(KEYS, "source", b"text", profile=ALIBABA).ciphertext_blob
    bare = RsaKey("source", VERSION, rsa_key._private_key)
    with raises_exactly(KeyUsageError, "a symmetric key is needed"):
        opening(index(bare), blob, profile=ALIBABA)
    with raises_exactly(KeyUsageError, "a symmetric key is needed"):
        alibaba.encrypt(index(bare), "source", b"text", profile=ALIBABA)


def test_an_unknown_key_is_not_found() -> None:
    """Encryption looks up the key ID, and decryption looks up the key version ID."""
    blob = alibaba.encrypt(KEYS, "source", b"text", profile=ALIBABA).ciphertext_blob
    with raises_exactly(KeyNotFoundError):
        alibaba.encrypt(KEYS, "absent", b"text", profile=ALIBABA)
    with raises_exactly(KeyVersionNotFoundError):
        opened(index(service_key(key_version_id=OTHER_VERSION)), blob, profile=ALIBABA)


def test_the_key_of_a_provider_is_checked(
    monkeypatch: pytest.MonkeyPatch, opening: Opening
) -> None:
    """Another version, another key or another type is rejected before a cipher runs."""
    blob = alibaba.encrypt(KEYS, "source", b"text", profile=ALIBABA).ciphertext_blob
    forbid_ciphers(monkeypatch)
    material = KEY.export_material()
    for other in (OTHER_VERSION, VERSION.upper()):
        liar = SymmetricKey("source", other, KEY.spec, material, suite=KEY.suite)
        with raises_exactly(IncorrectKeyError, "provider returned another key version"):
            opening(VersionOracle(liar), blob, profile=ALIBABA)
    for foreign in (None, object(), VERSION, material, {"key_version_id": VERSION}):
        with raises_exactly(TypeError, "a key must be"):
            opening(VersionOracle(foreign), blob, profile=ALIBABA)
    with raises_exactly(IncorrectKeyError, "provider returned another key"):
        alibaba.encrypt(VersionOracle(None, KEY), "other", b"text", profile=ALIBABA)


def test_an_exception_of_a_provider_propagates_unchanged(opening: Opening) -> None:
    """The caller gets the same exception object."""
    fault = OSError("the store is away")
    with pytest.raises(OSError, match="away") as caught:
        opening(VersionOracle(fault), VECTOR_BLOB, profile=ALIBABA)
    assert caught.value is fault


def test_a_keyring_encrypts_but_does_not_decrypt(opening: Opening) -> None:
    """A keyring has no lookup by key version ID, so that any blob raises `TypeError`."""
    ring = Keyring([KEY])
    for raw in (VECTOR_BLOB, b""):
        with raises_exactly(TypeError, "such as VersionIndex(keyring), not Keyring"):
            opening(ring, raw, profile=ALIBABA)
    blob = alibaba.encrypt(ring, "source", b"text", profile=ALIBABA).ciphertext_blob
    assert opened(KEYS, blob, profile=ALIBABA) == b"text"


def test_v1_rejects_blobs_of_the_service_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a profile, v1 applies, which rejects every such blob as invalid."""
    blobs = [
        alibaba.encrypt(KEYS, "source", b"text", profile=profile).ciphertext_blob
        for profile in (*SERVICE_PROFILES, Profile(prefix=b"KMS"))
    ]
    forbid_ciphers(monkeypatch)
    for blob in blobs:
        for call in (
            partial(kmscore.decrypt, KEYS),
            partial(kmscore.decrypt, Keyring([KEY])),
            partial(alibaba.decrypt, KEYS),
            partial(alibaba.decrypt, Keyring([KEY])),
            lambda raw: kmscore.reencrypt(KEYS, raw, "source"),
            lambda raw: alibaba.reencrypt(KEYS, raw, "source"),
            lambda raw: alibaba.reencrypt(KEYS, raw, "source", destination_profile=ALIBABA),
        ):
            with raises_exactly(InvalidBlobError):
                call(blob)


def test_the_service_layout_rejects_v1_blobs(
    monkeypatch: pytest.MonkeyPatch, opening: Opening
) -> None:
    """Every profile rejects a v1 blob, also a profile whose prefix is `KMS`."""
    blob = kmscore.encrypt(KEYS, "source", b"text" * 30).ciphertext_blob
    forbid_ciphers(monkeypatch)
    for profile in (*SERVICE_PROFILES, Profile(prefix=b"KMS")):
        with raises_exactly(InvalidBlobError):
            opening(KEYS, blob, profile=profile)


@pytest.mark.parametrize("used", SERVICE_PROFILES)
def test_the_profile_is_not_detected(used: Profile) -> None:
    """A blob is decrypted only with the prefix, payload and binding of the given profile."""
    context = {"\uffff": "1", "\U00010000": "2"}
    blob = alibaba.encrypt(
        KEYS, "source", b"text", context, profile=used, allow_ambiguous=True
    ).ciphertext_blob
    for profile in SERVICE_PROFILES:
        call = partial(opened, KEYS, blob, context, profile=profile)
        if profile.prefix != used.prefix:
            with raises_exactly(InvalidBlobError):
                call()
        elif written_rule(context, profile) != written_rule(context, used):
            assert_tells_nothing(call)
        elif profile.payload == used.payload:
            assert call() == b"text"
        elif profile.payload == "raw":
            assert call() == base64.b64encode(b"text")
        else:
            # The four bytes are valid Base64 by coincidence, so that this profile decodes them.
            assert call() == base64.b64decode(b"text")


@pytest.mark.parametrize("suite", Suite)
def test_v1_functions_match_those_of_kmscore(suite: Suite, rsa_key: RsaKey) -> None:
    """Each of the two decrypts the blobs of the other, and the arguments are the same."""
    keys = Keyring([symmetric_key(suite, "key")])
    wrapping = rsa_key.public_key, OAEP
    sealed = alibaba.encrypt(keys, "key", b"text", CONTEXT)
    assert CiphertextBlob.parse(sealed.ciphertext_blob).suite is suite
    assert kmscore.decrypt(keys, sealed.ciphertext_blob, CONTEXT).plaintext == b"text"
    assert alibaba.decrypt(keys, sealed.ciphertext_blob, CONTEXT).plaintext == b"text"
    assert_tells_nothing(partial(alibaba.decrypt, keys, sealed.ciphertext_blob))
    made = alibaba.generate_data_key(keys, "key", number_of_bytes=7, context=CONTEXT)
    assert len(made.plaintext) == 7
    assert kmscore.decrypt(keys, made.ciphertext_blob, CONTEXT).plaintext == made.plaintext
    call = partial(alibaba.export_data_key, keys, made.ciphertext_blob, *wrapping)
    assert_tells_nothing(call)
    exported = alibaba.generate_and_export_data_key(
        keys, "key", *wrapping, number_of_bytes=9, context=CONTEXT
    )
    assert exported.ciphertext_blob is not None
    later = kmscore.decrypt(keys, exported.ciphertext_blob, CONTEXT)
    assert len(later.plaintext) == 9
    ring = Keyring([rsa_key])
    for result, data_key in ((call(context=CONTEXT), made), (exported, later)):
        bare = result.exported_data_key
        found = kmscore.asymmetric_decrypt(ring, "rsa-2048", "v1", OAEP, bare)
        assert found.plaintext == data_key.plaintext
    with raises_exactly(PlaintextSizeError):
        alibaba.generate_data_key(keys, "key", number_of_bytes=1025)


def test_in_v1_no_context_is_ambiguous() -> None:
    """In v1, a context of two pairs does not require `allow_ambiguous`."""
    sealed = alibaba.encrypt(KEYS, "source", b"text", AMBIGUOUS)
    assert alibaba.decrypt(KEYS, sealed.ciphertext_blob, AMBIGUOUS).plaintext == b"text"


WRONG: Mapping[str, list[Any]] = {
    "keys": [None, {}, object(), "keys"],
    "key_id": [None, b"source", 1],
    "plaintext": [None, "text", 5],
    "ciphertext_blob": [None, "text", 5],
    "context": ["{}", 1, [("a", "b")]],
    "public_key": [None, b"", object()],
    "algorithm": [None, 1, b"SM2PKE"],
    "number_of_bytes": [None, True, "32", 32.0],
    "profile": [None, "alibaba", "v1", Profile],
    "allow_ambiguous": [None, 0, 1, "yes"],
}
TYPE_CASES = [
    pytest.param(name, profile, argument, value, id=f"{name}-{profile.layout}-{argument}-{number}")
    for name in (
        *("encrypt", "decrypt", "generate_data_key"),
        *("export_data_key", "generate_and_export_data_key"),
    )
    for profile in (ALIBABA, Profile.V1)
    for argument in inspect.signature(getattr(alibaba, name)).parameters
    for number, value in enumerate(WRONG[argument])
]


@pytest.mark.parametrize(("name", "profile", "argument", "value"), TYPE_CASES)
def test_a_wrong_type_is_rejected_before_wrong_values(
    rsa_key: RsaKey, name: str, profile: Profile, argument: str, value: Any
) -> None:
    """The error names the argument of the wrong type, although every value is wrong too."""
    function = getattr(alibaba, name)
    valid: dict[str, Any] = {
        "keys": KEYS,
        "key_id": "absent",
        "plaintext": bytes(7000),
        "ciphertext_blob": b"",
        "context": {"a": 1},
        "public_key": rsa_key.public_key,
        "algorithm": "SM2PKE",
        "number_of_bytes": 0,
        "profile": profile,
        "allow_ambiguous": False,
    }
    taken = inspect.signature(function).parameters
    arguments = {name: given for name, given in valid.items() if name in taken}
    with pytest.raises(TypeError, match=argument) as caught:
        function(**arguments | {argument: value})
    assert type(caught.value) is TypeError


@pytest.mark.parametrize("profile", [ALIBABA, Profile.V1])
def test_the_type_of_a_blob_is_checked_before_later_arguments(
    rsa_key: RsaKey, profile: Profile
) -> None:
    """The error names the blob if context or algorithm are wrong too."""
    wrong: Any = "text"
    context: Any = "{}"
    with raises_exactly(TypeError, "ciphertext_blob must be bytes-like"):
        alibaba.decrypt(KEYS, wrong, context, profile=profile)
    with raises_exactly(TypeError, "ciphertext_blob must be bytes-like"):
        alibaba.export_data_key(KEYS, wrong, rsa_key.public_key, "RSA", profile=profile)


def test_the_suites_of_these_tests_are_complete() -> None:
    """Every suite except XAES_256_GCM is tested, so that a new suite is not missed."""
    assert set(SUITE_SPECS) - set(PLAIN_SUITES) == {Suite.XAES_256_GCM}
