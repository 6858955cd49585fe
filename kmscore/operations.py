"""Symmetric and asymmetric encryption and decryption.

Every operation, including those in `data_keys` and `reencryption`, makes its checks in the same
order and raises the first failure:

1. types
2. parsing of the ciphertext
3. encryption contexts
4. keys, with their state, usage and suite
5. public key
6. sizes
7. decryption
8. encryption

After decryption starts, an operation raises only `DecryptionError`.

The operations keep no state. A result depends on the arguments and, if an IV or a data key is
drawn, on the random source of the operating system.
"""

from typing import NamedTuple

from kmscore import asymmetric, envelope
from kmscore._typecheck import (
    BytesLike,
    check_bytes,
    check_text,
    take_bytes,
)
from kmscore._values import new_tuple
from kmscore.algorithms import MAX_PLAINTEXT_LENGTH, EncryptionAlgorithm
from kmscore.context import ContextLike, EncryptionContext, canonical_bytes, check_context
from kmscore.keyring import KeyProvider, Keyring
from kmscore.keys import PublicKey
from kmscore.layouts import V1, BlobLayout, Destination
from kmscore.lookup import (
    check_provider,
    check_sealing_types,
    decrypting_key,
)


class EncryptResult(NamedTuple):
    """A ciphertext blob and the key version that encrypted it."""

    key_id: str
    """The key ID of the encryption key."""

    key_version_id: str
    """The ID of the primary version, which encrypted the plaintext."""

    ciphertext_blob: bytes
    """The v1 ciphertext blob, at most 6,701 bytes."""


class DecryptResult(NamedTuple):
    """A plaintext and the key version that decrypted it."""

    key_id: str
    """The key ID of the decryption key."""

    key_version_id: str
    """The ID of the key version that decrypted the ciphertext."""

    plaintext: bytes
    """The plaintext, at most 6,144 bytes."""

    def __repr__(self) -> str:
        """Show the length of the plaintext, not the plaintext."""
        return (
            f"{type(self).__name__}(key_id={self.key_id!r},"
            f" key_version_id={self.key_version_id!r}, plaintext=<{len(self.plaintext)} bytes>)"
        )


def encrypt(
    keys: KeyProvider, key_id: str, plaintext: BytesLike, context: ContextLike = None
) -> EncryptResult:
    """Encrypt `plaintext` under the primary version of a symmetric key.

    Args:
        keys: The keyring or other provider that has the key.
        key_id: The key ID, 1 to 255 printable ASCII characters.
        plaintext: 0 to 6,144 bytes.
        context: The encryption context. Decryption needs an equal one. `None` is the empty context.

    Returns:
        The v1 ciphertext blob, at most 6,701 bytes, and the key version that encrypted it.

    Raises:
        TypeError: If an argument has the wrong type.
        InvalidContextError: If the context cannot be serialised within 65,535 bytes.
        KeyNotFoundError: If no key can have `key_id`, or if `keys` has no such key.
        TypeError: If `keys` returns a value that is not a key.
        IncorrectKeyError: If `keys` returns a different key.
        KeyStateError: If the key version is not enabled.
        KeyUsageError: If the key is asymmetric.
        PlaintextSizeError: If the plaintext is longer than 6,144 bytes.
    """
    # The usual call: the keyring made all checks of the key when it was created. Every other call,
    # and every call that fails, goes through the checks one by one.
    if (
        type(keys) is Keyring
        and type(key_id) is str
        and type(plaintext) is bytes
        and len(plaintext) <= MAX_PLAINTEXT_LENGTH
        and (key := keys._find_sealer(key_id)) is not None
    ):
        canonical = (
            context.canonical
            if type(context) is EncryptionContext
            else canonical_bytes(context, "context")
        )
        ciphertext_blob = envelope.seal(key, plaintext, canonical)
        return new_tuple(EncryptResult, (key.key_id, key.key_version_id, ciphertext_blob))
    return encrypt_in(V1, keys, key_id, plaintext, context)


def encrypt_in(
    layout: Destination,
    keys: KeyProvider,
    key_id: str,
    plaintext: BytesLike,
    context: ContextLike,
    *,
    iv: bytes | None = None,
) -> EncryptResult:
    """Encrypt in a layout, with the given IV; `None` draws one."""
    check_bytes(plaintext, "plaintext")
    check_sealing_types(keys, key_id, context)
    bound = layout.bind(context)
    key = layout.find_destination(keys, key_id)
    length, message = take_bytes(plaintext, layout.max_plaintext_length)
    envelope.check_length(length, layout.max_plaintext_length)
    envelope.check_iv(key, iv)
    ciphertext_blob = layout.seal(key, message, bound, iv)
    return EncryptResult(key.key_id, key.key_version_id, ciphertext_blob)


def decrypt(
    keys: KeyProvider, ciphertext_blob: BytesLike, context: ContextLike = None
) -> DecryptResult:
    """Decrypt a v1 ciphertext blob with the key version that its header names.

    Args:
        keys: The keyring or other provider that has the key version.
        ciphertext_blob: The v1 ciphertext blob, at most 6,701 bytes.
        context: The encryption context that the blob was encrypted under. `None` is the empty
            context.

    Returns:
        The plaintext, 0 to 6,144 bytes, and the key version that decrypted it.

    Raises:
        TypeError: If an argument has the wrong type.
        InvalidBlobError: If `ciphertext_blob` is not exactly one v1 blob.
        InvalidContextError: If the context cannot be serialised within 65,535 bytes.
        KeyNotFoundError: If `keys` has no such key.
        KeyVersionNotFoundError: If the key has no such version.
        TypeError: If `keys` returns a value that is not a key.
        IncorrectKeyError: If `keys` returns a different key or key version, or if the key version
            is bound to a suite other than the header's.
        KeyStateError: If the key version is not enabled.
        KeyUsageError: If the key is asymmetric.
        PlaintextSizeError: If the blob holds more than 6,144 bytes of ciphertext.
        DecryptionError: If the tag is wrong: the context or the key material differs, or the blob
            was modified.
    """
    # As in `encrypt`.
    if (
        type(keys) is Keyring
        and type(ciphertext_blob) is bytes
        and (opener := keys._find_opener(ciphertext_blob)) is not None
    ):
        canonical = (
            context.canonical
            if type(context) is EncryptionContext
            else canonical_bytes(context, "context")
        )
        plaintext = envelope.open_blob(opener, ciphertext_blob, canonical)
        return new_tuple(DecryptResult, (opener.key_id, opener.key_version_id, plaintext))
    return decrypt_from(V1, keys, ciphertext_blob, context)


def decrypt_from(
    layout: BlobLayout, keys: KeyProvider, ciphertext_blob: BytesLike, context: ContextLike
) -> DecryptResult:
    """Decrypt a ciphertext of a layout."""
    layout.check_keys(keys)
    check_bytes(ciphertext_blob, "ciphertext_blob")
    check_context(context, "context")
    source = layout.read(keys, ciphertext_blob)
    bound = source.bind(context)
    key = source.find_key()
    source.check_size(layout.max_plaintext_length)
    return DecryptResult(key.key_id, key.key_version_id, source.open(bound))


def asymmetric_encrypt(
    public_key: PublicKey, algorithm: EncryptionAlgorithm | str, plaintext: BytesLike
) -> bytes:
    """Encrypt `plaintext` under a public key.

    Args:
        public_key: An RSA or SM2 public key.
        algorithm: The encryption algorithm, as a member or its name.
        plaintext: For RSAES_OAEP_SHA_256 at most 66 bytes less than the modulus has (190 for
            RSA_2048), for RSAES_OAEP_SHA_1 at most 42 bytes less (214). For SM2PKE 1 to 6,047
            bytes.

    Returns:
        The ciphertext. For RSA it has the length of the modulus, 256, 384 or 512 bytes. For SM2PKE
        it is C1C3C2, 97 bytes longer than the plaintext.

    Raises:
        TypeError: If an argument has the wrong type.
        UnsupportedAlgorithmError: If the algorithm is unknown.
        KeyUsageError: If the algorithm does not fit the key.
        UnsupportedAlgorithmError: If the installed libraries lack the algorithm.
        PlaintextSizeError: If the plaintext is too long, or empty for SM2PKE.

    RFC 8017 section 7.1.1; GB/T 32918.4-2016 section 6.
    """
    check_bytes(plaintext, "plaintext")
    algorithm = asymmetric.check_arguments(public_key, algorithm)
    asymmetric.check_public_key(public_key, algorithm)
    length, message = take_bytes(plaintext, MAX_PLAINTEXT_LENGTH)
    asymmetric.check_plaintext_length(length, public_key.spec, algorithm)
    return asymmetric.encrypt_to(public_key, algorithm, message)


def asymmetric_decrypt(
    keys: KeyProvider,
    key_id: str,
    key_version_id: str,
    algorithm: EncryptionAlgorithm | str,
    ciphertext: BytesLike,
) -> DecryptResult:
    """Decrypt an asymmetric ciphertext with a key version that the caller names.

    Args:
        keys: The keyring or other provider that has the key version.
        key_id: The key ID, 1 to 255 printable ASCII characters.
        key_version_id: The key version ID, with the same limits.
        algorithm: The encryption algorithm, as a member or its name.
        ciphertext: For RSA exactly as many bytes as the modulus has. For SM2PKE either ASN1_DER
            (first byte 30, at most 6,159 bytes) or C1C3C2 (first byte 04, at most 6,144 bytes).

    Returns:
        The plaintext and the key version that decrypted it.

    Raises:
        TypeError: If an argument has the wrong type.
        UnsupportedAlgorithmError: If the algorithm is unknown.
        KeyNotFoundError: If no key can have `key_id`, or if `keys` has no such key.
        KeyVersionNotFoundError: If no key version can have `key_version_id`, or if the key has no
            such version.
        TypeError: If `keys` returns a value that is not a key.
        IncorrectKeyError: If `keys` returns a different key or key version.
        KeyStateError: If the key version is not enabled.
        KeyUsageError: If the algorithm does not fit the key.
        UnsupportedAlgorithmError: If the installed libraries lack the algorithm.
        DecryptionError: If the ciphertext is wrong in any way, its length included.

    RFC 8017 section 7.1.2; GB/T 32918.4-2016 section 7.
    """
    check_provider(keys)
    check_text(key_id, "key_id")
    check_text(key_version_id, "key_version_id")
    check_bytes(ciphertext, "ciphertext")
    algorithm = EncryptionAlgorithm.of(algorithm, "algorithm")
    key = decrypting_key(keys, key_id, key_version_id, algorithm)
    asymmetric.check_supported(algorithm)
    plaintext = asymmetric.decrypt_with(key, algorithm, ciphertext)
    return DecryptResult(key.key_id, key.key_version_id, plaintext)
