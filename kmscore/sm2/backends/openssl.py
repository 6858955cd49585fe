"""The `openssl` backend: SM2 with a libcrypto of version 3.0 or newer, through ctypes.

The backend prefers the libcrypto of the interpreter, if that one has SM2. It creates its own
library context with the default provider. It does not use the process-wide context or its
configuration file. A FIPS setting there could remove SM2, and this module must not change that
context.

libcrypto is lenient with encodings and with a KDF output of zeros. `kmscore.sm2.encodings` and
`kmscore.sm2.scheme` check these before or after the call.
"""

import ctypes
import platform
import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from kmscore.errors import UnsupportedAlgorithmError
from kmscore.sm2.curve import COORDINATE_LENGTH, UNCOMPRESSED, G, P, Point, encode_point
from kmscore.sm2.encodings import C3_LENGTH, Sm2Ciphertext, Sm2Encoding, parse, serialize
from kmscore.sm2.scheme import Decryptor, Encryptor

_OLDEST_VERSION: Final = 0x3000_0000  # 3.0.0, in the form of OpenSSL_version_num()
_SECRET_BRANCHES_SINCE: Final = 0x3020_0000  # 3.2.0

_NAMES_BY_PLATFORM: Final = {
    # Versioned names only, because macOS aborts a process that loads an unversioned libcrypto.
    "darwin": ("libcrypto.3.dylib",),
    "win32": ("libcrypto-3.dll", "libcrypto-3-x64.dll"),
}
_OTHER_NAMES: Final = ("libcrypto.so.3",)

_pointer = ctypes.c_void_p
_string = ctypes.c_char_p
_size_pointer = ctypes.POINTER(ctypes.c_size_t)


class _Param(ctypes.Structure):
    """The C structure OSSL_PARAM(3)."""

    _fields_ = (
        ("key", _string),
        ("data_type", ctypes.c_uint),
        ("data", _pointer),
        ("data_size", ctypes.c_size_t),
        ("return_size", ctypes.c_size_t),
    )


_UNSIGNED_INTEGER: Final = 2  # in the byte order of the machine
_UTF8_STRING: Final = 4
_OCTET_STRING: Final = 5
_PUBLIC_KEY: Final = 0x86  # EVP_PKEY_PUBLIC_KEY
_KEY_PAIR: Final = 0x87  # EVP_PKEY_KEYPAIR

_CRYPT_ARGUMENTS: Final = (_pointer, _string, _size_pointer, _string, ctypes.c_size_t)
_PROTOTYPES: Final[dict[str, tuple[type | None, tuple[type, ...]]]] = {
    "OpenSSL_version_num": (ctypes.c_ulong, ()),
    "OSSL_LIB_CTX_new": (_pointer, ()),
    "OSSL_PROVIDER_load": (_pointer, (_pointer, _string)),
    "ERR_set_mark": (ctypes.c_int, ()),
    "ERR_pop_to_mark": (ctypes.c_int, ()),
    "EVP_PKEY_CTX_new_from_name": (_pointer, (_pointer, _string, _string)),
    "EVP_PKEY_CTX_new_from_pkey": (_pointer, (_pointer, _pointer, _string)),
    "EVP_PKEY_CTX_free": (None, (_pointer,)),
    "EVP_PKEY_fromdata_init": (ctypes.c_int, (_pointer,)),
    "EVP_PKEY_fromdata": (
        ctypes.c_int,
        (_pointer, ctypes.POINTER(_pointer), ctypes.c_int, ctypes.POINTER(_Param)),
    ),
    "EVP_PKEY_free": (None, (_pointer,)),
    "EVP_PKEY_decrypt_init": (ctypes.c_int, (_pointer,)),
    "EVP_PKEY_decrypt": (ctypes.c_int, _CRYPT_ARGUMENTS),
    "EVP_PKEY_encrypt_init": (ctypes.c_int, (_pointer,)),
    "EVP_PKEY_encrypt": (ctypes.c_int, _CRYPT_ARGUMENTS),
}


class OpensslBackend(NamedTuple):
    """SM2 with one libcrypto, in one library context."""

    libcrypto: ctypes.CDLL
    context: int

    @property
    def name(self) -> str:
        """See `Backend`."""
        return "openssl"

    @property
    def is_default(self) -> bool:
        """Whether this library can be selected without its name.

        On 64-bit ARM, the multiplication in OpenSSL 3.2 and newer branches on the secret scalar
        (openssl issue 31133, open).
        """
        on_arm = platform.machine().lower() in {"aarch64", "arm64"}
        return not (on_arm and self.libcrypto.OpenSSL_version_num() >= _SECRET_BRANCHES_SINCE)

    def decryptor(self, scalar: int, public_point: Point) -> Decryptor:
        """See `Backend`."""
        key = _Key(self, public_point, scalar)

        def decryptor(parts: Sm2Ciphertext) -> bytes | None:
            # Encoded again from the parts, so that libcrypto always receives canonical DER.
            ciphertext = serialize(parts, Sm2Encoding.ASN1_DER)
            return key.crypt(ciphertext, len(parts.c2))

        return decryptor

    def encryptor(self, public_point: Point) -> Encryptor:
        """See `Backend`. The random generator of libcrypto draws k."""
        key = _Key(self, public_point, None)

        def encryptor(plaintext: bytes) -> Sm2Ciphertext:
            longest = Sm2Ciphertext(Point(P - 1, P - 1), bytes(C3_LENGTH), plaintext)
            length = len(serialize(longest, Sm2Encoding.ASN1_DER))
            ciphertext = key.crypt(plaintext, length)
            if ciphertext is None:
                raise RuntimeError("libcrypto failed to encrypt")
            return parse(ciphertext, Sm2Encoding.ASN1_DER)

        return encryptor

    def takes_sm2(self) -> bool:
        """Return whether this build has SM2, because some distributions remove it."""
        try:
            self.encryptor(G)
        except UnsupportedAlgorithmError:
            return False
        return True

    @contextmanager
    def marked_errors(self) -> Iterator[None]:
        """Remove the errors of the calls inside from the error queue of the thread.

        The host application uses the same queue. Its next TLS read would report an error that
        remains there.
        """
        self.libcrypto.ERR_set_mark()
        try:
            yield
        finally:
            self.libcrypto.ERR_pop_to_mark()


class _Key:
    """An EVP_PKEY that encrypts, or decrypts if it has a scalar. It is freed with this object.

    Threads cannot share a context, and a new context is slow to create. Contexts that are not in
    use are in a list. `pop` and `append` on a list are atomic, so no two threads get the same one.
    """

    __slots__ = ("__weakref__", "_backend", "_handle", "_idle_contexts", "_initialise", "_run")

    def __init__(self, backend: OpensslBackend, public_point: Point, scalar: int | None) -> None:
        library = backend.libcrypto
        self._backend = backend
        self._idle_contexts: list[int] = []
        if scalar is None:
            self._initialise, self._run = library.EVP_PKEY_encrypt_init, library.EVP_PKEY_encrypt
        else:
            self._initialise, self._run = library.EVP_PKEY_decrypt_init, library.EVP_PKEY_decrypt
        with backend.marked_errors():
            self._handle = _import_key(backend, public_point, scalar)
        finalizer = weakref.finalize(self, _free, library, self._handle, self._idle_contexts)
        # Not in atexit, because exit handlers and other threads can still use this key then.
        finalizer.atexit = False

    def crypt(self, data: bytes, capacity: int) -> bytes | None:
        """Return the output of the operation, at most `capacity` bytes, or `None` if it fails."""
        output = ctypes.create_string_buffer(capacity)
        length = ctypes.c_size_t(capacity)
        library = self._backend.libcrypto
        # Same as `marked_errors`, but without its generator, which takes longer than both calls.
        library.ERR_set_mark()
        try:
            context = self._take_context()
            if context is None:
                return None
            succeeded = self._run(context, output, ctypes.byref(length), data, len(data)) == 1
            self._idle_contexts.append(context)
            # At most the capacity, even if libcrypto reports a greater length.
            reported = min(length.value, capacity)
            return ctypes.string_at(output, reported) if succeeded else None
        finally:
            library.ERR_pop_to_mark()
            _overwrite(output)

    def _take_context(self) -> int | None:
        """Return a context for this call only, or `None` if libcrypto cannot initialise one."""
        try:
            return self._idle_contexts.pop()
        except IndexError:
            pass
        library = self._backend.libcrypto
        context: int | None = library.EVP_PKEY_CTX_new_from_pkey(
            self._backend.context, self._handle, None
        )
        if not context:
            raise MemoryError
        if self._initialise(context) == 1:
            return context
        library.EVP_PKEY_CTX_free(context)
        return None


def _free(library: ctypes.CDLL, handle: int, contexts: list[int]) -> None:
    """Free an unused key and its contexts."""
    for context in contexts:
        library.EVP_PKEY_CTX_free(context)
    library.EVP_PKEY_free(handle)


def load() -> OpensslBackend:
    """Return a backend with the first usable libcrypto. The caller runs the self-test.

    Raises `UnsupportedAlgorithmError` if there is no usable libcrypto.
    """
    for name in _candidates():
        libcrypto = _bind(name)
        if libcrypto is None:
            continue
        context = libcrypto.OSSL_LIB_CTX_new()
        if context and libcrypto.OSSL_PROVIDER_load(context, b"default"):
            backend = OpensslBackend(libcrypto, context)
            if backend.takes_sm2():
                return backend
    raise UnsupportedAlgorithmError(
        "no libcrypto of version 3.0 or newer that has SM2 can be loaded"
    )


def _candidates() -> Iterator[str]:
    """Yield the names of libraries to load, with the libcrypto of the interpreter first."""
    try:
        import _ssl  # noqa: PLC0415 (only this backend needs it)
    except ImportError:
        pass
    else:
        # The extension module is linked to libcrypto, so names are resolved there. It does not
        # have a file in static interpreters.
        if path := getattr(_ssl, "__file__", None):
            yield path
    yield from _NAMES_BY_PLATFORM.get(sys.platform, _OTHER_NAMES)


def _bind(name: str) -> ctypes.CDLL | None:
    """Return the library with all prototypes declared, or `None` if it is not usable."""
    try:
        libcrypto = ctypes.CDLL(name)
    except OSError:
        return None
    for function, (result, arguments) in _PROTOTYPES.items():
        if not hasattr(libcrypto, function):
            return None
        prototype = getattr(libcrypto, function)
        prototype.restype, prototype.argtypes = result, arguments
    return libcrypto if libcrypto.OpenSSL_version_num() >= _OLDEST_VERSION else None


def _import_key(backend: OpensslBackend, public_point: Point, scalar: int | None) -> int:
    """Return a new EVP_PKEY for the point and the scalar, both already checked."""
    library = backend.libcrypto
    point = UNCOMPRESSED + encode_point(public_point)
    values: list[tuple[bytes, int, ctypes.Array[ctypes.c_char]]] = [
        (b"group", _UTF8_STRING, _buffer(b"SM2")),
        (b"pub", _OCTET_STRING, _buffer(point)),
    ]
    private = ctypes.create_string_buffer(COORDINATE_LENGTH)
    if scalar is not None:
        _write_integer(private, scalar)
        values.append((b"priv", _UNSIGNED_INTEGER, private))
    params = (_Param * (len(values) + 1))()
    for param, (key, data_type, data) in zip(params, values, strict=False):
        param.key, param.data_type, param.data_size = key, data_type, len(data)
        param.data = ctypes.cast(data, _pointer)
    handle = _pointer()
    selection = _PUBLIC_KEY if scalar is None else _KEY_PAIR
    context = library.EVP_PKEY_CTX_new_from_name(backend.context, b"SM2", None)
    if not context:
        raise _no_sm2()
    try:
        if (
            library.EVP_PKEY_fromdata_init(context) != 1
            or library.EVP_PKEY_fromdata(context, ctypes.byref(handle), selection, params) != 1
            or handle.value is None
        ):
            raise _no_sm2()
    finally:
        library.EVP_PKEY_CTX_free(context)
        _overwrite(private)
    return handle.value


def _buffer(data: bytes) -> "ctypes.Array[ctypes.c_char]":
    """Return a buffer with exactly `data`, without a final null byte."""
    return ctypes.create_string_buffer(data, len(data))


def _write_integer(buffer: "ctypes.Array[ctypes.c_char]", value: int) -> None:
    """Write an integer in the byte order of the machine, byte by byte.

    `int.to_bytes` is not used, because its result is a copy that cannot be overwritten.
    """
    offsets = range(len(buffer)) if sys.byteorder == "little" else reversed(range(len(buffer)))
    for shift, offset in enumerate(offsets):
        buffer[offset] = bytes((value >> 8 * shift & 0xFF,))


def _overwrite(buffer: "ctypes.Array[ctypes.c_char]") -> None:
    """Overwrite a buffer of a scalar or a plaintext with zeros."""
    ctypes.memset(buffer, 0, len(buffer))


def _no_sm2() -> UnsupportedAlgorithmError:
    """Return the error for a libcrypto that cannot import an SM2 key."""
    return UnsupportedAlgorithmError("this libcrypto has no SM2")
