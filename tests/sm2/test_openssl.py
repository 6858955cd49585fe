"""The openssl backend: its effects on the process, and the variants of libcrypto."""

import ctypes
import datetime as dt
import gc
import ipaddress
import queue
import socket
import ssl
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.strategies import raises_exactly
from support.textbook_sm2 import PUBLIC, SCALAR, Parts, StandIn, assert_rejected, decrypt, encrypt
from support.time_limits import PATIENCE

import kmscore
from kmscore import EncryptionAlgorithm, Keyring, Sm2Key, UnsupportedAlgorithmError
from kmscore.sm2.backends import openssl, select_backend
from kmscore.sm2.curve import Point
from kmscore.sm2.encodings import Sm2Ciphertext

PLAINTEXT = b"a plaintext"
RIGHT = encrypt(PUBLIC, PLAINTEXT, 7)
PARTS = Sm2Ciphertext(Point(RIGHT.x, RIGHT.y), RIGHT.c3, RIGHT.c2)
PUBLIC_POINT = Point(*PUBLIC)
REJECTED = {
    "C3 altered": RIGHT._replace(c3=bytes(32)).raw(),
    "C2 altered": RIGHT._replace(c2=bytes(11)).der(),
}


@pytest.fixture
def real() -> openssl.OpensslBackend:
    """Return the backend of this machine."""
    if "openssl" not in kmscore.sm2.available_backends():
        pytest.skip("the SM2 backend openssl is not usable here")
    backend = select_backend("openssl")
    assert isinstance(backend, openssl.OpensslBackend)
    return backend


def test_a_libcrypto_with_sm2_is_used() -> None:
    """If the libcrypto of the interpreter has SM2, the backend loads and is right.

    Without this test, a mistake in the backend would only skip the tests that need it.
    """
    import _ssl  # noqa: PLC0415 (only here)

    library = ctypes.CDLL(_ssl.__file__)
    library.OpenSSL_version_num.restype = ctypes.c_ulong
    library.EVP_PKEY_CTX_new_from_name.restype = ctypes.c_void_p
    if library.OpenSSL_version_num() < 0x3000_0000 or not library.EVP_PKEY_CTX_new_from_name(
        None, b"SM2", None
    ):
        pytest.skip("the libcrypto of the interpreter has no SM2")
    backend = openssl.load()
    assert backend.decryptor(SCALAR, PUBLIC_POINT)(PARTS) == PLAINTEXT
    made = backend.encryptor(PUBLIC_POINT)(PLAINTEXT)
    assert decrypt(SCALAR, Parts(*made.c1, made.c3, made.c2)) == PLAINTEXT


@pytest.fixture
def keys(real: openssl.OpensslBackend) -> Keyring:
    """Return a keyring with one key of the backend."""
    return Keyring([Sm2Key.from_scalar("sm2", "v1", SCALAR, backend=real.name)])


def assert_ciphertext_rejected(keys: Keyring, ciphertext: bytes) -> None:
    """Assert that a ciphertext is rejected."""
    assert_rejected(
        lambda: kmscore.asymmetric_decrypt(
            keys, "sm2", "v1", EncryptionAlgorithm.SM2PKE, ciphertext
        )
    )


@pytest.fixture
def tls_contexts(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the contexts of a server with a certificate of its own and of a client."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, SHA256())
        .public_bytes(Encoding.PEM)
    )
    pem = tmp_path / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(private + certificate)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(cadata=certificate.decode())
    return server, client


@pytest.mark.parametrize("ciphertext", REJECTED.values(), ids=REJECTED)
def test_a_failed_decryption_does_not_disturb_tls(
    ciphertext: bytes, keys: Keyring, tls_contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    """After a failed decryption, the next read on a TLS connection of the thread works.

    An error on libcrypto's queue turns a read without data into a failure of the connection.
    """
    server_context, client_context = tls_contexts
    messages: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def serve() -> None:
        with server_context.wrap_socket(listener.accept()[0], server_side=True) as connection:
            while message := messages.get(timeout=PATIENCE):
                connection.sendall(message)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        with (
            socket.create_connection(listener.getsockname(), timeout=PATIENCE) as plain,
            client_context.wrap_socket(plain, server_hostname="127.0.0.1") as client,
        ):
            messages.put(b"first")
            assert client.recv(100) == b"first"
            assert_ciphertext_rejected(keys, ciphertext)
            client.settimeout(0)
            with raises_exactly(ssl.SSLWantReadError):
                client.recv(100)
            client.settimeout(PATIENCE)
            messages.put(b"second")
            assert client.recv(100) == b"second"
            messages.put(b"")
        thread.join()


@pytest.fixture
def peek_error(real: openssl.OpensslBackend) -> Iterator[Callable[[], int]]:
    """Clear this thread's error queue, and return a function for its newest error, 0 for none."""
    library = ctypes.CDLL(real.libcrypto._name)
    library.ERR_peek_last_error.restype = ctypes.c_ulong
    library.ERR_clear_error()
    yield library.ERR_peek_last_error
    library.ERR_clear_error()


def leave_an_error(backend: openssl.OpensslBackend) -> None:
    """Leave an error on the queue, as a careless host does."""
    assert not backend.libcrypto.EVP_PKEY_CTX_new_from_name(backend.context, b"no such", None)


OPERATIONS: dict[str, Callable[[openssl.OpensslBackend, Keyring], object]] = {
    "rejection of C3": lambda _, keys: assert_ciphertext_rejected(keys, REJECTED["C3 altered"]),
    "rejection of C2": lambda _, keys: assert_ciphertext_rejected(keys, REJECTED["C2 altered"]),
    "import of a key pair": lambda backend, _: backend.decryptor(SCALAR, PUBLIC_POINT),
    "import of a public key": lambda backend, _: backend.encryptor(PUBLIC_POINT),
    "import of a point off the curve": lambda backend, _: assert_no_sm2(
        lambda: backend.encryptor(Point(1, 1))
    ),
    "decryption": lambda backend, _: backend.decryptor(SCALAR, PUBLIC_POINT)(PARTS),
    "encryption": lambda backend, _: backend.encryptor(PUBLIC_POINT)(PLAINTEXT),
}


def assert_no_sm2(operation: Callable[[], object]) -> None:
    """Assert that the error of `operation` says that the library has no SM2."""
    with raises_exactly(UnsupportedAlgorithmError, "this libcrypto has no SM2"):
        operation()


@pytest.mark.parametrize("before", [False, True], ids=["empty", "not empty"])
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_the_error_queue_stays_unchanged(
    operation: Callable[[openssl.OpensslBackend, Keyring], object],
    before: bool,
    real: openssl.OpensslBackend,
    keys: Keyring,
    peek_error: Callable[[], int],
) -> None:
    """An operation adds no error to the queue and removes no error of the host."""
    if before:
        leave_an_error(real)
    expected = peek_error()
    assert bool(expected) == before
    operation(real, keys)
    assert peek_error() == expected


def test_the_library_context_is_not_the_default_one(real: openssl.OpensslBackend) -> None:
    """The library context is not the default one of the process."""
    get_default = ctypes.CDLL(real.libcrypto._name).OSSL_LIB_CTX_get0_global_default
    get_default.restype = ctypes.c_void_p
    assert real.context
    assert real.context != get_default()


def test_sm2_works_with_a_fips_setting_of_the_process(
    real: openssl.OpensslBackend, tmp_path: Path
) -> None:
    """If the default context of the process requires FIPS and has no SM2, the backend works."""
    code = """
import kmscore
from kmscore.sm2.backends import openssl
libcrypto = openssl.load().libcrypto
assert libcrypto.EVP_PKEY_CTX_new_from_name(None, b"SM2", None)
assert libcrypto.EVP_default_properties_enable_fips(None, 1) == 1
assert not libcrypto.EVP_PKEY_CTX_new_from_name(None, b"SM2", None)
print(kmscore.sm2.available_backends())
"""
    result = subprocess.run(
        [sys.executable, "-P", "-c", code], check=True, capture_output=True, cwd=tmp_path
    )
    assert repr(real.name) in result.stdout.decode()


class Counted:
    """The real library, with a count of calls by name."""

    def __init__(self, library: Any) -> None:
        """Count the calls of `library`."""
        self._library = library
        self.calls: Counter[str] = Counter()
        self.freed: list[int] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return a function that counts its calls."""

        def counted(*arguments: Any) -> Any:
            self.calls[name] += 1
            if name == "EVP_PKEY_free":
                self.freed.append(arguments[0])
            return getattr(self._library, name)(*arguments)

        return counted


def test_a_key_is_freed_once_after_its_last_use(real: openssl.OpensslBackend) -> None:
    """The EVP_PKEY is freed exactly once, when the operation of the key is deleted."""
    library = Counted(real.libcrypto)
    decryptor = real._replace(libcrypto=library).decryptor(SCALAR, PUBLIC_POINT)
    encryptor = real._replace(libcrypto=library).encryptor(PUBLIC_POINT)
    assert decryptor(PARTS) == PLAINTEXT
    assert library.freed == []
    del decryptor
    gc.collect()
    assert len(library.freed) == 1
    del encryptor
    gc.collect()
    assert len(set(library.freed)) == len(library.freed) == 2
    assert all(library.freed)


def test_every_context_is_freed_and_every_mark_removed(real: openssl.OpensslBackend) -> None:
    """Every context is freed and every mark is removed, also after a failed decryption."""
    library = Counted(real.libcrypto)
    backend = real._replace(libcrypto=library)
    decryptor, encryptor = backend.decryptor(SCALAR, PUBLIC_POINT), backend.encryptor(PUBLIC_POINT)
    for _ in range(3):
        assert decryptor(PARTS) == PLAINTEXT
        assert decryptor(PARTS._replace(c3=bytes(32))) is None
        encryptor(PLAINTEXT)
    assert_no_sm2(lambda: backend.encryptor(Point(1, 1)))
    calls = library.calls
    made = calls["EVP_PKEY_CTX_new_from_name"], calls["EVP_PKEY_CTX_new_from_pkey"]
    # One to prepare each key, and one for each key in use, which is kept for its next use.
    assert made == (3, 2)
    assert calls["ERR_set_mark"] == calls["ERR_pop_to_mark"] == 3 + 9
    assert calls["EVP_PKEY_CTX_free"] == 3
    del decryptor, encryptor
    gc.collect()
    assert calls["EVP_PKEY_CTX_free"] == sum(made)


def test_a_context_is_used_by_one_thread_at_a_time(real: openssl.OpensslBackend) -> None:
    """There are as many contexts as threads at the same time, and each is used again."""
    at_work, most = set[int](), 8

    def run(context: int, *arguments: Any) -> Any:
        assert context not in at_work
        at_work.add(context)
        barrier.wait(PATIENCE)
        result = real.libcrypto.EVP_PKEY_decrypt(context, *arguments)
        at_work.remove(context)
        return result

    library = Counted(StandIn(real.libcrypto, EVP_PKEY_decrypt=run))
    decryptor = real._replace(libcrypto=library).decryptor(SCALAR, PUBLIC_POINT)
    barrier = threading.Barrier(most)
    with ThreadPoolExecutor(most) as pool:
        for _ in range(5):
            assert list(pool.map(decryptor, [PARTS] * most)) == [PLAINTEXT] * most
    assert library.calls["EVP_PKEY_CTX_new_from_pkey"] == most


def test_threads_share_a_key(real: openssl.OpensslBackend) -> None:
    """Many threads with one key at the same time get the right plaintext or the rejection."""
    decryptor = real.decryptor(SCALAR, PUBLIC_POINT)
    wrong = PARTS._replace(c3=bytes(32))
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(decryptor, [PARTS, wrong] * 200))
    assert results == [PLAINTEXT, None] * 200


@pytest.mark.parametrize("length", [1, 11, 255, 256, 6047])
@pytest.mark.parametrize("operation", ["decrypt", "encrypt"])
def test_the_output_buffer_has_the_computed_length(
    operation: str, length: int, real: openssl.OpensslBackend
) -> None:
    """Decryption gets a buffer of the length of C2, and encryption one for the longest DER."""
    rooms: list[tuple[int, int]] = []

    def recorded(context: int, output: Any, room: Any, data: bytes, size: int) -> Any:
        rooms.append((ctypes.sizeof(output), room._obj.value))
        return getattr(real.libcrypto, f"EVP_PKEY_{operation}")(context, output, room, data, size)

    library = StandIn(real.libcrypto, **{f"EVP_PKEY_{operation}": recorded})
    backend = real._replace(libcrypto=library)
    parts = backend.encryptor(PUBLIC_POINT)(bytes(length))
    assert decrypt(SCALAR, Parts(*parts.c1, parts.c3, parts.c2)) == bytes(length)
    assert backend.decryptor(SCALAR, PUBLIC_POINT)(parts) == bytes(length)
    longest = len(Parts(2**256 - 1, 2**256 - 1, bytes(32), bytes(length)).der())
    due = length if operation == "decrypt" else longest
    assert rooms == [(due, due)]


def test_the_output_is_never_longer_than_the_buffer(real: openssl.OpensslBackend) -> None:
    """If the library reports more bytes than the buffer has, only the buffer is returned."""

    def boastful(_context: int, output: Any, room: Any, _data: bytes, _size: int) -> int:
        ctypes.memset(output, 0x41, room._obj.value)
        room._obj.value += 1000
        return 1

    library = StandIn(real.libcrypto, EVP_PKEY_decrypt=boastful)
    decryptor = real._replace(libcrypto=library).decryptor(SCALAR, PUBLIC_POINT)
    assert decryptor(PARTS) == b"A" * len(PLAINTEXT)


@pytest.mark.parametrize("result", [1, 0])
def test_the_output_buffer_is_overwritten(result: int, real: openssl.OpensslBackend) -> None:
    """After decryption, successful or not, the buffer has no plaintext."""
    buffers = []

    def recorded(_context: int, output: Any, room: Any, _data: bytes, _size: int) -> int:
        ctypes.memset(output, 0x41, room._obj.value)
        buffers.append(output)
        return result

    library = StandIn(real.libcrypto, EVP_PKEY_decrypt=recorded)
    opened = real._replace(libcrypto=library).decryptor(SCALAR, PUBLIC_POINT)(PARTS)
    assert opened == (b"A" * len(PLAINTEXT) if result == 1 else None)
    assert [buffer.raw for buffer in buffers] == [bytes(len(PLAINTEXT))]


@pytest.mark.parametrize("result", [1, 0])
def test_the_buffer_of_the_scalar_is_overwritten(
    result: int, real: openssl.OpensslBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The private scalar is in one buffer, which is overwritten after success and after failure."""
    overwrite, before, after = openssl._overwrite, [], []

    def recorded(buffer: Any) -> None:
        before.append(buffer.raw)
        overwrite(buffer)
        after.append(buffer.raw)

    def from_data(*arguments: Any) -> Any:
        return real.libcrypto.EVP_PKEY_fromdata(*arguments) if result == 1 else result

    monkeypatch.setattr(openssl, "_overwrite", recorded)
    backend = real._replace(libcrypto=StandIn(real.libcrypto, EVP_PKEY_fromdata=from_data))
    with nullcontext() if result == 1 else pytest.raises(UnsupportedAlgorithmError):
        backend.decryptor(SCALAR, PUBLIC_POINT)
    assert before == [SCALAR.to_bytes(32, sys.byteorder)]
    assert after == [bytes(32)]


@pytest.mark.parametrize("order", ["little", "big"])
def test_an_integer_is_written_in_the_order_of_the_machine(
    order: Literal["little", "big"], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes of an integer are those of `int.to_bytes` in the order of the machine."""
    monkeypatch.setattr(openssl.sys, "byteorder", order)
    buffer = ctypes.create_string_buffer(32)
    openssl._write_integer(buffer, SCALAR)
    assert buffer.raw == SCALAR.to_bytes(32, order)


@pytest.mark.parametrize("result", [0, -1, -2])
def test_the_output_of_a_failed_call_is_discarded(
    result: int, real: openssl.OpensslBackend
) -> None:
    """The output of a failed decryption is discarded."""

    def failing(_context: int, output: Any, room: Any, _data: bytes, _size: int) -> int:
        ctypes.memset(output, 0x41, room._obj.value)
        return result

    library = StandIn(real.libcrypto, EVP_PKEY_decrypt=failing)
    assert real._replace(libcrypto=library).decryptor(SCALAR, PUBLIC_POINT)(PARTS) is None


@pytest.mark.parametrize("function", ["EVP_PKEY_encrypt_init", "EVP_PKEY_encrypt"])
def test_an_encryption_that_fails_is_a_runtime_error(
    function: str, real: openssl.OpensslBackend, peek_error: Callable[[], int]
) -> None:
    """No input makes encryption fail, so a failure is a `RuntimeError`; the queue stays clean."""

    def failing(*_arguments: Any) -> int:
        leave_an_error(real)
        return 0

    library = StandIn(real.libcrypto, **{function: failing})
    encryptor = real._replace(libcrypto=library).encryptor(PUBLIC_POINT)
    with raises_exactly(RuntimeError, "libcrypto failed to encrypt"):
        encryptor(PLAINTEXT)
    assert peek_error() == 0


@pytest.mark.parametrize("result", [0, -1, -2])
def test_a_decryption_that_cannot_be_set_up_returns_none(
    result: int, real: openssl.OpensslBackend
) -> None:
    """If decryption cannot be set up, there is no plaintext."""

    def failing(context: int) -> int:
        assert real.libcrypto.EVP_PKEY_decrypt_init(context) == 1
        return result

    library = StandIn(real.libcrypto, EVP_PKEY_decrypt_init=failing)
    assert real._replace(libcrypto=library).decryptor(SCALAR, PUBLIC_POINT)(PARTS) is None


def test_missing_memory_for_a_context_is_a_memory_error(
    real: openssl.OpensslBackend, peek_error: Callable[[], int]
) -> None:
    """Missing memory raises `MemoryError`, because it says nothing about the ciphertext."""
    frees: list[int] = []
    library = StandIn(
        real.libcrypto,
        EVP_PKEY_CTX_new_from_pkey=lambda *_arguments: leave_an_error(real),
        EVP_PKEY_CTX_free=frees.append,
    )
    backend = real._replace(libcrypto=library)
    decryptor, encryptor = backend.decryptor(SCALAR, PUBLIC_POINT), backend.encryptor(PUBLIC_POINT)
    frees.clear()
    with raises_exactly(MemoryError):
        decryptor(PARTS)
    with raises_exactly(MemoryError):
        encryptor(PLAINTEXT)
    assert frees == []
    assert peek_error() == 0


@pytest.mark.parametrize(
    "replaced",
    [
        {"EVP_PKEY_CTX_new_from_name": lambda *_arguments: None},
        {"EVP_PKEY_fromdata_init": lambda _context: 0},
        {"EVP_PKEY_fromdata_init": lambda _context: -2},
        {"EVP_PKEY_fromdata": lambda *_arguments: 0},
        {"EVP_PKEY_fromdata": lambda *_arguments: -2},
        {"EVP_PKEY_fromdata": lambda *_arguments: 1},
    ],
    ids=[
        "no context",
        "init returns 0",
        "init returns -2",
        "fromdata returns 0",
        "fromdata returns -2",
        "fromdata returns 1 without a key",
    ],
)
def test_a_failed_key_import_is_reported_as_missing_sm2(
    replaced: dict[str, Any], real: openssl.OpensslBackend, peek_error: Callable[[], int]
) -> None:
    """A failed import of a key raises one error at every step, and leaves nothing on the queue."""
    library = Counted(StandIn(real.libcrypto, **replaced))
    backend = real._replace(libcrypto=library)
    assert_no_sm2(lambda: backend.decryptor(SCALAR, PUBLIC_POINT))
    assert_no_sm2(lambda: backend.encryptor(PUBLIC_POINT))
    gc.collect()
    assert library.freed == []
    assert library.calls["EVP_PKEY_CTX_free"] == (
        0 if "EVP_PKEY_CTX_new_from_name" in replaced else 2
    )
    assert peek_error() == 0
