"""Every changed, missing or additional bit of a ciphertext blob is rejected by all operations."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from support.strategies import PROVIDERS, SUITE_SPECS, single_bit_flips, symmetric_key

import kmscore
from kmscore import (
    CiphertextBlob,
    DecryptionError,
    IncorrectKeyError,
    InvalidBlobError,
    KeyNotFoundError,
    KeyProvider,
    Keyring,
    KeyVersionNotFoundError,
    KmsCoreError,
    RsaKey,
    Suite,
    SymmetricKey,
    hazmat,
)

CONTEXT = {"a": "b"}
HEADER_ERRORS = (
    InvalidBlobError,
    IncorrectKeyError,
    KeyNotFoundError,
    KeyVersionNotFoundError,
    DecryptionError,
)
Opening = Callable[[KeyProvider, bytes], Any]


@pytest.fixture(params=["decrypt", "reencrypt", "export_data_key"])
def opening(request: pytest.FixtureRequest, rsa_key: RsaKey) -> Opening:
    """Return an operation that decrypts a blob."""
    operations: Mapping[str, Opening] = {
        "decrypt": lambda keys, raw: kmscore.decrypt(keys, raw, CONTEXT),
        "reencrypt": lambda keys, raw: kmscore.reencrypt(
            keys, raw, "destination", source_context=CONTEXT, destination_context=CONTEXT
        ),
        "export_data_key": lambda keys, raw: kmscore.export_data_key(
            keys, raw, rsa_key.public_key, "RSAES_OAEP_SHA_256", context=CONTEXT
        ),
    }
    return operations[request.param]


@pytest.fixture(params=PROVIDERS)
def keys(request: pytest.FixtureRequest, suite: Suite) -> KeyProvider:
    """Return a keyring in which every ID that differs in one bit has the same material.

    So the tag must detect the change, because every changed ID is found.
    """
    material = bytes(range(suite.key_length))
    near = [flipped.decode() for flipped in single_bit_flips(b"k") if flipped < b"\x7f"]
    near_versions = [flipped.decode() for flipped in single_bit_flips(b"v") if flipped < b"\x7f"]
    ids = [("k", "v"), *((key_id, "v") for key_id in near), *(("k", v) for v in near_versions)]
    spec = SUITE_SPECS[suite]
    twins = [SymmetricKey(*pair, spec, material, suite=suite) for pair in ids]
    ring = Keyring([*twins, symmetric_key(Suite.XAES_256_GCM, "destination")], primary={"k": "v"})
    assert len(ring) == 16
    return PROVIDERS[request.param](ring)


def sealed(keys: KeyProvider, plaintext: bytes = b"text") -> bytes:
    """Return a blob that is the same in every run."""
    primary = keys.primary("k")
    assert isinstance(primary, SymmetricKey)
    iv = bytes(range(0x60, 0x60 + primary.suite.iv_length))
    return hazmat.encrypt(keys, "k", plaintext, CONTEXT, iv=iv).ciphertext_blob


def rejections(
    opening: Opening, keys: KeyProvider, changed: Iterator[bytes]
) -> Iterator[type[Exception] | None]:
    """Yield the class of the error for each input; `None` if it was decrypted."""
    for data in changed:
        try:
            opening(keys, data)
        except KmsCoreError as error:
            yield type(error)
        else:
            yield None


@pytest.mark.parametrize("suite", Suite)
@pytest.mark.parametrize("plaintext", [b"", b"\x00\xff\x5a"], ids=["empty", "3 bytes"])
def test_every_single_bit_flip_is_rejected(
    opening: Opening, keys: KeyProvider, suite: Suite, plaintext: bytes
) -> None:
    """Every bit of header, IV, ciphertext and tag is authenticated."""
    raw = sealed(keys, plaintext)
    assert opening(keys, raw) is not None
    assert CiphertextBlob.parse(raw).suite is suite
    fields = {
        8 * offset + bit: name
        for name, offset, length in CiphertextBlob.parse(raw).layout()
        for bit in range(8 * length)
    }
    for index, error in enumerate(rejections(opening, keys, single_bit_flips(raw))):
        field = fields[index]
        # With the top bit set, the ID is not ASCII.
        is_of_a_twin = field in {"key ID", "key version ID"} and index % 8 != 7
        if is_of_a_twin or field in {"IV", "ciphertext", "tag"}:
            assert error is DecryptionError, f"bit {index} of the {field}"
        else:
            assert error in HEADER_ERRORS, f"bit {index} of the {field}"


@pytest.mark.parametrize("suite", Suite)
def test_every_truncation_is_rejected(opening: Opening, keys: KeyProvider, suite: Suite) -> None:
    """A blob without bytes at its start, at its end or at any other place is rejected."""
    raw = sealed(keys)
    header = len(raw) - suite.iv_length - 4 - 16
    ends = [raw[:length] for length in range(len(raw))]
    starts = [raw[length:] for length in range(1, len(raw) + 1)]
    holes = [raw[:start] + raw[start + 1 :] for start in range(len(raw))]
    for error in rejections(opening, keys, iter([*ends, *starts, *holes])):
        assert error in HEADER_ERRORS
    shortest = header + suite.iv_length + 16
    assert list(rejections(opening, keys, iter(ends[:shortest]))) == [InvalidBlobError] * shortest
    assert list(rejections(opening, keys, iter(ends[shortest:]))) == [DecryptionError] * 4


@pytest.mark.parametrize("suite", Suite)
def test_every_extension_is_rejected(opening: Opening, keys: KeyProvider, suite: Suite) -> None:
    """A blob with bytes added at its start, at its end or at any other place is rejected."""
    raw = sealed(keys)
    assert CiphertextBlob.parse(raw).suite is suite
    tails = [b"\x00", b"\xff", b"\n", b"=", bytes(16), bytes(100), raw[-16:], raw]
    after = [raw + tail for tail in tails]
    before = [tail + raw for tail in tails[:-1]]
    inside = [raw[:at] + byte + raw[at:] for at in range(len(raw)) for byte in (b"\x00", b"k")]
    assert set(rejections(opening, keys, iter(after))) == {DecryptionError}
    assert set(rejections(opening, keys, iter(before))) == {InvalidBlobError}
    for error in rejections(opening, keys, iter(inside)):
        assert error in HEADER_ERRORS
    too_long = iter([raw + bytes(6702 - len(raw)), raw + bytes(100_000)])
    assert list(rejections(opening, keys, too_long)) == [InvalidBlobError] * 2


@pytest.mark.parametrize("suite", Suite)
def test_a_blob_with_fields_of_two_blobs_is_rejected(
    opening: Opening, keys: KeyProvider, suite: Suite
) -> None:
    """A blob with fields of two blobs, of one key and one context, is rejected."""
    one, other = (
        CiphertextBlob.parse(kmscore.encrypt(keys, "k", text, CONTEXT).ciphertext_blob)
        for text in (b"aaaa", b"bbbb")
    )
    fields = ("iv", "ciphertext", "tag")
    for mask in range(1, 7):
        parts = {
            name: getattr(other if mask >> bit & 1 else one, name)
            for bit, name in enumerate(fields)
        }
        mixed = CiphertextBlob(suite, "k", "v", **parts).serialize()
        assert list(rejections(opening, keys, iter([mixed]))) == [DecryptionError]
