"""The server: many clients at once, slow and broken ones, large requests, TLS, and its end."""

import errno
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlencode

import pytest
from support.plain_client import Client
from support.time_limits import PATIENCE

from kmscore import KeySpec
from kmscore.alibaba.http_request import MAX_TARGET_LENGTH
from kmscore.alibaba.request_pairs import MAX_BODY_LENGTH
from kmscore.emulator import KeyStore, accept_all, make_app
from kmscore.emulator.certificates import Certificates, make_certificates
from kmscore.emulator.server import Server

SECRET = "a very secret plaintext"


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    """Return certificates for all tests."""
    return make_certificates()


@pytest.fixture(params=["http", "https"])
def is_tls(request: pytest.FixtureRequest) -> bool:
    """Run the test with and without TLS."""
    return bool(request.param == "https")


@contextmanager
def serving(tls: Certificates | None = None, **options: Any) -> Iterator[tuple[Server, KeyStore]]:
    """Run a server with a store."""
    store = KeyStore(has_plain_gcm=True)
    app = options.pop("app", None) or make_app(store, authenticate=accept_all)
    with Server(app, tls=None if tls is None else tls.context, **options) as server:
        yield server, store


Served = tuple[KeyStore, Client]


@pytest.fixture
def served(is_tls: bool, certificates: Certificates) -> Iterator[Served]:
    """Run a server whose requests may take one second, with and without TLS."""
    authority = certificates.authority if is_tls else None
    with (
        serving(certificates if is_tls else None, deadline=1.0) as (server, store),
        Client(server.address, authority) as client,
    ):
        yield store, client


def test_200_requests_at_once_are_answered(certificates: Certificates, is_tls: bool) -> None:
    """The store is what the requests made of it; each caller got its own key."""
    authority = certificates.authority if is_tls else None
    with serving(certificates if is_tls else None) as (server, store):
        barrier = threading.Barrier(200)

        def create(number: int) -> str:
            with Client(server.address, authority) as client:
                barrier.wait(PATIENCE)
                status, body = client.call("CreateKey", Description=str(number))
                assert status == 200
                key_id: str = body["KeyMetadata"]["KeyId"]
                alias = {"KeyId": key_id, "AliasName": f"alias/{number % 100}"}
                answers.append(client.call("CreateAlias", **alias)[0])
            return key_id

        answers: list[int] = []
        with ThreadPoolExecutor(200) as threads:
            made = list(threads.map(create, range(200)))
        contents = store.contents()
        assert {key_id: key.description for key_id, key in contents.keys.items()} == {
            key_id: str(number) for number, key_id in enumerate(made)
        }
        # Of two requests for one alias, one is too late.
        assert sorted(answers) == [200] * 100 + [400] * 100
        assert len(contents.aliases) == 100


def test_a_connection_stays_open(served: Served) -> None:
    """Clients send several requests on one connection, longer than one request may take."""
    store, client = served
    assert client.call("ListKeys")[0] == 200
    sock = client.connection.sock
    for _ in range(3):
        time.sleep(0.5)
        assert client.call("CreateKey")[0] == 200
    assert client.connection.sock is sock
    assert len(store.contents().keys) == 3


def test_a_context_of_70_kilobytes_is_legal(
    served: Served,
) -> None:
    """The request line is longer than many servers accept."""
    store, client = served
    store.create_key(KeySpec.AES_256, key_id="orders")
    context = json.dumps({"租": "户" * 8180}, ensure_ascii=False)
    assert len(urlencode({"EncryptionContext": context})) > 70_000
    status, body = client.call(
        "Encrypt", KeyId="orders", Plaintext=SECRET, EncryptionContext=context
    )
    assert status == 200
    blob = {"CiphertextBlob": body["CiphertextBlob"]}
    assert client.call("Decrypt", **blob)[0] == 400
    assert client.call("Decrypt", EncryptionContext=context, **blob)[1]["Plaintext"] == SECRET


@pytest.mark.parametrize(
    ("head", "statuses"),
    [
        (b"GET /?" + b"x" * (MAX_TARGET_LENGTH + 1) + b" HTTP/1.1\r\nHost: x\r\n\r\n", {413}),
        (b"GET /?" + b"x" * (2 * MAX_TARGET_LENGTH) + b" HTTP/1.1\r\nHost: x\r\n\r\n", {414}),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Large: " + b"x" * (1 << 16) + b"\r\n\r\n", {413}),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Large: " + b"x" * (1 << 20) + b"\r\n\r\n", {413}),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: x\r\n" % n for n in range(1 << 17)), {413}),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY_LENGTH + 1)
            + b"x" * (MAX_BODY_LENGTH + 1),
            {413},
        ),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", {413}),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", {400}),
        (b"nonsense\r\n\r\n", {400}),
        (b"\x16\x03\x01\x00\x05\x01\r\n\r\n", {400}),
        (b"GET http://other/ HTTP/1.1\r\nHost: x\r\n\r\n", {400}),
        (b"GET / HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n", {400}),
    ],
    ids=range(12),
)
def test_a_large_or_broken_request_is_answered(
    served: Served, head: bytes, statuses: set[int]
) -> None:
    """The response can be lost if the client still sends; the next request is answered."""
    _, client = served
    with client.raw() as sock:
        try:
            sock.sendall(head)
            response = HTTPResponse(sock)
            response.begin()
            status: int | None = response.status
        except OSError:  # the server closed the connection before the end of the request
            status = None
    assert status in statuses | ({None} if len(head) > 1 << 16 else set())
    assert client.call("ListKeys")[0] == 200


def test_names_of_headers_with_underscores_are_ignored(
    served: Served,
) -> None:
    """WSGI does not distinguish them, so that one could replace a signed header."""
    store, client = served
    headers = {"x-acs-action": "ListKeys", "x_acs_action": "CreateKey"}
    client.connection.request("GET", "/", headers=headers)
    response = client.connection.getresponse()
    assert (response.status, "Keys" in json.loads(response.read())) == (200, True)
    assert store.contents().keys == {}


def test_slow_senders_are_cut_off_and_do_not_stop_others(
    served: Served,
) -> None:
    """64 connections that send a byte now and then hold all threads for one deadline only."""
    store, client = served
    slow = [client.raw() for _ in range(64)]
    is_over = threading.Event()

    def send_slowly() -> None:
        begin = b"POST /?Action=CreateKey HTTP/1.1\r\nHost: x\r\nX-Slow: "
        for sock in slow:
            sock.sendall(begin)
        while not is_over.wait(0.2):
            for sock in slow:
                try:
                    sock.sendall(b"x")
                except OSError:
                    continue

    sender = threading.Thread(target=send_slowly)
    sender.start()
    try:
        assert client.call("CreateKey")[0] == 200
        for sock in slow:
            sock.settimeout(PATIENCE)
            try:
                assert sock.recv(1 << 16)[:12] in {b"", b"HTTP/1.1 400", b"HTTP/1.1 408"}
            except OSError:  # a reset
                continue
    finally:
        is_over.set()
        sender.join()
        for sock in slow:
            sock.close()
    assert len(store.contents().keys) == 1


def test_a_body_that_does_not_come_is_cut_off(
    served: Served,
) -> None:
    """The request is not performed."""
    store, client = served
    with client.raw() as sock:
        sock.sendall(b"POST /?Action=CreateKey HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na")
        try:
            answer = sock.recv(1 << 16)
        except OSError:
            answer = b""
    assert b" 200 " not in answer
    assert store.contents().keys == {}


def test_broken_tls_does_not_stop_others(certificates: Certificates) -> None:
    """Plain HTTP, noise, silence and a rejected certificate end their own connections alone."""
    with (
        serving(certificates, deadline=1.0) as (server, _),
        Client(server.address, certificates.authority) as client,
    ):
        silent = [socket.create_connection(client.address, timeout=PATIENCE) for _ in range(40)]
        for noise in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\xff\xff", b"\0" * 9999):
            with socket.create_connection(client.address, timeout=PATIENCE) as sock:
                sock.sendall(noise)
        with (
            socket.create_connection(client.address, timeout=PATIENCE) as sock,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            ssl.create_default_context().wrap_socket(sock, server_hostname="127.0.0.1")
        with client.raw() as sock:
            sock.sendall(b"GET / HT")
        assert client.call("ListKeys")[0] == 200
        for sock in silent:
            sock.close()


def test_a_certificate_is_for_this_machine(certificates: Certificates) -> None:
    """Clients find it by the name localhost too."""
    with serving(certificates) as (server, _):
        client = Client(server.address, certificates.authority)
        assert client.context is not None
        for name in ("localhost", "127.0.0.1"):
            with socket.create_connection(client.address, timeout=PATIENCE) as sock:
                client.context.wrap_socket(sock, server_hostname=name).close()
        with (
            socket.create_connection(client.address, timeout=PATIENCE) as sock,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            client.context.wrap_socket(sock, server_hostname="kms.example").close()


def test_an_address_of_a_certificate_is_an_ip_address() -> None:
    """A name cannot be listened on with TLS."""
    with pytest.raises(ValueError, match="kms"):
        make_certificates("kms.example")


def test_a_request_that_has_begun_is_answered_at_the_end() -> None:
    """The server waits for it; then the port is free for another server."""
    is_inside, may_end = threading.Event(), threading.Event()

    def app(_environ: Any, start_response: Any) -> list[bytes]:
        is_inside.set()
        may_end.wait(PATIENCE)
        start_response("200 OK", [("Content-Length", "2")])
        return [b"{}"]

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (
        ThreadPoolExecutor(1) as threads,
        serving(app=app, port=port) as (server, _),
        Client(server.address) as client,
    ):
        answer = threads.submit(client.call, "ListKeys")
        assert is_inside.wait(PATIENCE)
        ending = threading.Thread(target=server.stop)
        ending.start()
        time.sleep(0.3)
        with pytest.raises(OSError, match=r"refused|reset"):
            socket.create_connection(client.address, timeout=PATIENCE)
        may_end.set()
        assert answer.result(PATIENCE) == (200, {})
        ending.join()
    with serving(port=port) as (again, _), Client(again.address) as client:
        assert again.endpoint == f"http://127.0.0.1:{port}"
        assert client.call("ListKeys")[0] == 200


def test_a_port_in_use_is_an_error() -> None:
    """No thread is left."""
    with serving() as (server, _):
        number = threading.active_count()
        with pytest.raises(OSError, match=r"[Aa]ddress|use"):
            Server(lambda *_: [], port=Client(server.address).address[1])
        assert threading.active_count() == number


def test_an_application_that_fails_does_not_end_its_thread() -> None:
    """The client gets an error, and nothing is printed."""

    def app(*_: Any) -> list[bytes]:
        raise RuntimeError(SECRET)

    with serving(app=app) as (server, _):
        for _ in range(40):
            with Client(server.address).raw() as sock:
                sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                assert sock.recv(100).startswith(b"HTTP/1.1 500 ")


def test_nothing_of_a_request_is_printed(served: Served, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither valid nor broken requests are in the output of the process."""
    _, client = served
    assert client.call("Encrypt", KeyId="x", Plaintext=SECRET)[0] == 404
    with client.raw() as sock:
        sock.sendall(b"GET /?Plaintext=" + SECRET.encode() + b" HTTP/1.1\r\n\r\n")
    assert capfd.readouterr() == ("", "")


CREATE = b"POST /?Action=CreateKey HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\r\nHost: x\r\nx-acs-action: ListKeys\r\nX-Acs-Action: CreateKey\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nx-acs-action: ListKeys\r\n CreateKey\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nx-acs-action : CreateKey\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nx-acs-action: CreateKey\n\r\n",
        b"POST / HTTP/1.1\r\n x-acs-action: CreateKey\r\nHost: x\r\n\r\n",
        b"POST /?Action=Create\tKey HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /?Action=Create\rKey HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST //[/?Action=CreateKey HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["repeated", "continued", "space", "line feed", "first", "tab", "return", "bracket"],
)
def test_a_request_with_two_readings_is_rejected(served: Served, head: bytes) -> None:
    """WSGI shows one of them only, which need not be the one that another server reads."""
    store, client = served
    with client.raw() as sock:
        sock.sendall(head)
        response = HTTPResponse(sock)
        response.begin()
        assert response.status == 400
    assert store.contents().keys == {}


@pytest.mark.parametrize(
    "head",
    [
        b" HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\nContent-Length: 0\r\n\r\n",
        b" HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b" HTTP/1.1\r\nHost: x\r\nContent-Length: +0\r\n\r\n",
        b" HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n",
        b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: ,\r\n\r\n",
        b" HTTP/1.0\r\nConnection: Keep-Alive\r\nTransfer-Encoding: chunked\r\n\r\n",
        b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
    ],
    ids=["repeated", "negative", "signed", "both", "empty", "HTTP/1.0", "trailers", "chunk"],
)
def test_a_body_cannot_hide_a_request(served: Served, head: bytes) -> None:
    """A server in front of this one can read another length, and take the rest for the body."""
    store, client = served
    with client.raw() as sock:
        sock.sendall(b"POST /?Action=ListKeys" + head + CREATE)
        received = b""
        with suppress(ConnectionResetError):
            while data := sock.recv(1 << 16):
                received += data
    assert received.count(b"HTTP/1.1 ") == 1
    assert store.contents().keys == {}


def test_a_chunked_body_is_read(served: Served) -> None:
    """Clients that send a stream use it."""
    store, client = served
    client.connection.request(
        "POST",
        "/",
        iter([b"Action=Create", b"Key"]),
        {"Content-Type": "application/x-www-form-urlencoded"},
        encode_chunked=True,
    )
    response = client.connection.getresponse()
    assert response.status == 200
    response.read()
    assert client.call("ListKeys")[1]["TotalCount"] == len(store.contents().keys) == 1


def test_silent_connections_hold_no_thread(certificates: Certificates, is_tls: bool) -> None:
    """Clients open some in advance; here there are more than threads."""
    authority = certificates.authority if is_tls else None
    with (
        serving(certificates if is_tls else None, deadline=PATIENCE) as (server, _),
        ExitStack() as stack,
        Client(server.address, authority) as client,
    ):
        for _ in range(64):
            stack.enter_context(socket.create_connection(client.address))
        begin = time.monotonic()
        assert client.call("ListKeys")[0] == 200
        assert time.monotonic() - begin < 9  # a thread waits 10 seconds for a first byte


def test_too_many_open_files_do_not_end_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on to close connections, and then accepts new ones."""
    accept, accepted = socket.socket.accept, []

    def accept_50(listening: socket.socket) -> Any:
        if sum(sock.fileno() != -1 for sock, _ in accepted) >= 50:
            raise OSError(errno.EMFILE, "Too many open files")
        accepted.append(accept(listening))
        return accepted[-1]

    monkeypatch.setattr(socket.socket, "accept", accept_50)
    with serving() as (server, _), Client(server.address) as client:
        with ExitStack() as stack:
            for _ in range(60):
                stack.enter_context(socket.create_connection(client.address))
            time.sleep(0.5)
            assert len(accepted) == 50
        assert client.call("ListKeys")[0] == 200


def test_a_client_that_has_left_does_not_end_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is gone when the server accepts it; the next one is answered."""
    accept, failures = socket.socket.accept, [errno.ECONNABORTED, errno.EINTR]

    def accept_later(listening: socket.socket) -> Any:
        if failures:
            raise OSError(failures.pop(), "not now")
        return accept(listening)

    monkeypatch.setattr(socket.socket, "accept", accept_later)
    with serving() as (server, _), Client(server.address) as client:
        assert client.call("ListKeys")[0] == 200
        assert failures == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no descriptor 3")
def test_a_socket_of_systemd_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It could listen on any address."""
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    with socket.create_server(("0.0.0.0", 0)) as other:  # noqa: S104 (it must not be used)

        def from_descriptor(*_: object) -> socket.socket:
            return other.dup()

        monkeypatch.setattr(socket, "fromfd", from_descriptor)
        with serving() as (server, _), Client(server.address) as client:
            assert client.address[1] not in {0, other.getsockname()[1]}
            assert client.call("ListKeys")[0] == 200
    assert os.environ["LISTEN_PID"] == str(os.getpid())
