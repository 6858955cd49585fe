"""Other libraries on the same task: a 32-byte data key, a context of two pairs, key to key.

Each function returns the call of one peer, after a round trip that checks that the peer does the
task. It raises `Missing` if the peer is not installed.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from cryptography.fernet import Fernet, MultiFernet

from benchmarks.measure import Call, Missing
from kmscore import EncryptionContext, Sm2Key

LACKS: Final[Mapping[str, str]] = {
    "Tink": "a form for the context (the caller encodes it), and key IDs of the caller's own",
    "MultiFernet": "a context, and a header: all keys are tried in turn (AES-128-CBC with HMAC)",
    "moto": "key versions, a suite in the header, and all but the least checks",
    "joserfc": "a comparison of the context (the caller does it); its text is longer by a third",
    "gmssl": "the checks of C3 and of the curve, and DER",
}
"""The parts of the task that `kmscore` does and the peer does not."""

DISTRIBUTIONS: Final[Mapping[str, str]] = {
    "Tink": "tink",
    "MultiFernet": "cryptography",
    "moto": "moto",
    "joserfc": "joserfc",
    "gmssl": "gmssl",
}
"""The distribution whose version is shown for each peer."""


def _must_equal(got: object, due: object) -> None:
    """Raise `ValueError` if a peer does not do the task."""
    if got != due:
        raise ValueError("the peer does not do the same task")


def tink_reencryption(data_key: bytes, context: EncryptionContext, *, xaes: bool = False) -> Call:
    """Return a re-encryption with the C++ AEAD of Tink from Python; the context is prepared."""
    try:
        import tink
        from tink import aead
        from tink.proto import tink_pb2, x_aes_gcm_pb2
    except ImportError:
        raise Missing from None
    aead.register()
    template = aead.aead_key_templates.AES256_GCM
    if xaes:
        params = x_aes_gcm_pb2.XAesGcmParams(salt_size=12)
        template = tink_pb2.KeyTemplate(
            type_url="type.googleapis.com/google.crypto.tink.XAesGcmKey",
            value=x_aes_gcm_pb2.XAesGcmKeyFormat(params=params).SerializeToString(),
            output_prefix_type=tink_pb2.TINK,
        )
    old, new = (tink.new_keyset_handle(template).primitive(aead.Aead) for _ in range(2))
    associated_data = context.canonical
    ciphertext = old.encrypt(data_key, associated_data)

    def call() -> bytes:
        return new.encrypt(old.decrypt(ciphertext, associated_data), associated_data)  # type: ignore[no-any-return]

    _must_equal(new.decrypt(call(), associated_data), data_key)
    return call


def multifernet_rotation(data_key: bytes) -> Call:
    """Return a call of `MultiFernet.rotate`, which does not support a context."""
    old, new = Fernet(Fernet.generate_key()), Fernet(Fernet.generate_key())
    ring, token = MultiFernet([new, old]), old.encrypt(data_key)

    def call() -> bytes:
        return ring.rotate(token)

    _must_equal(new.decrypt(call()), data_key)
    return call


def moto_reencryption(data_key: bytes, context: Mapping[str, str]) -> Call:
    """Return a re-encryption with the KMS of moto, called without HTTP and without an SDK."""
    try:
        from moto.kms.models import KmsBackend
    except ImportError:
        raise Missing from None
    backend: Any = KmsBackend("eu-west-1", "123456789012")
    old, new = (
        backend.create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "", None).id
        for _ in range(2)
    )
    pairs = dict(context)
    ciphertext, _ = backend.encrypt(old, data_key, pairs)

    def call() -> bytes:
        return backend.re_encrypt(ciphertext, pairs, new, pairs)[0]  # type: ignore[no-any-return]

    _must_equal(backend.decrypt(call(), pairs)[0], data_key)
    return call


def joserfc_reencryption(data_key: bytes, context: Mapping[str, str]) -> Call:
    """Return a re-encryption of a compact JWE (dir, A256GCM), with the context in its header."""
    try:
        from joserfc import jwe
        from joserfc.jwk import OctKey
    except ImportError:
        raise Missing from None
    registry = jwe.JWERegistry(algorithms=["dir", "A256GCM"], strict_check_header=False)
    old, new = OctKey.generate_key(256), OctKey.generate_key(256)
    header = {"alg": "dir", "enc": "A256GCM", "kid": "key", **context}
    token = jwe.encrypt_compact(dict(header), data_key, old, registry=registry)

    def open_(text: str, key: OctKey) -> bytes:
        opened = jwe.decrypt_compact(text, key, registry=registry)
        _must_equal(opened.headers(), header)
        return opened.plaintext or b""

    def call() -> str:
        return jwe.encrypt_compact(dict(header), open_(token, old), new, registry=registry)

    _must_equal(open_(call(), new), data_key)
    return call


def gmssl_decryption(key: Sm2Key, c1c3c2: bytes, data_key: bytes) -> Call:
    """Return a call of `decrypt` of gmssl, which takes C1C3C2 without its first byte."""
    try:
        from gmssl.sm2 import CryptSM2
    except ImportError:
        raise Missing from None
    numbers = f"{key._scalar:064x}", key.public_key.to_der()[-64:].hex()
    crypt = CryptSM2(*numbers, mode=1)
    ciphertext = c1c3c2[1:]

    def call() -> bytes:
        return crypt.decrypt(ciphertext)  # type: ignore[no-any-return]

    _must_equal(call(), data_key)
    return call


def installed(**peers: Callable[[], Call]) -> dict[str, Call]:
    """Return the calls of the installed peers, by name."""
    calls = {}
    for name, build in peers.items():
        try:
            calls[name] = build()
        except Missing:
            continue
    return calls
