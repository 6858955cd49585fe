"""The server of the emulator: cheroot, with TLS, threads, and limits of size and time.

A request line can have more than 64 KiB, because a legal encryption context needs 70 KiB. A request
that takes longer than the deadline is cut off, so that slow senders cannot hold all threads. The
handshake of TLS runs in the thread of the connection, so that it cannot stop the others.

A request whose headers or length can be read in two ways is rejected (RFC 9112, sections 5 and 6).
"""

import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, Self

from cheroot import connections, makefile, server, wsgi
from cheroot.ssl import Adapter

from kmscore.alibaba import Application
from kmscore.alibaba.http_request import MAX_TARGET_LENGTH
from kmscore.alibaba.request_pairs import MAX_BODY_LENGTH
from kmscore.emulator.certificates import LOOPBACK

DEADLINE: Final = 20.0
"""The most seconds that a request can take, from its first byte to the response."""

_THREADS: Final = 32
_BACKLOG: Final = 512
_CONNECTIONS: Final = 4096  # that stay open between requests
_IDLE: Final = 10  # seconds
_POLL: Final = 0.1  # seconds, the most that `stop` waits for the thread that accepts connections
_PAUSE: Final = 0.01  # seconds after a failed accept
_MAX_HEADERS: Final = MAX_TARGET_LENGTH + (1 << 17)  # `parse` answers requests up to its limits
_HEADER_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_TARGETS: Final = re.compile(rb"[^\x21-\x7e]")
_SYSTEMD: Final = "LISTEN_PID"  # sd_listen_fds(3)


class _Tls(Adapter):
    """TLS whose handshake runs later, in the thread of the connection."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context

    def bind(self, sock: socket.socket) -> socket.socket:
        return sock

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, str]]:
        wrapped = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return wrapped, self.get_environ()

    def get_environ(self) -> dict[str, str]:
        return {"wsgi.url_scheme": "https", "HTTPS": "on"}

    def makefile(self, sock: socket.socket, mode: str = "r", bufsize: int = -1) -> object:
        return makefile.MakeFile(sock, mode, bufsize)


class _HeaderReader(server.HeaderReader):
    """A reader that rejects repeated headers, which WSGI would merge, and continued lines.

    It ignores names with `_`, which WSGI does not distinguish from `-`.
    """

    def __call__(self, rfile: Any, hdict: Any = None) -> Any:  # noqa: ANN401 (cheroot's own)
        """Read the headers into a mapping. Raises `ValueError`."""
        hdict = {} if hdict is None else hdict
        while (line := rfile.readline()) != b"\r\n":
            name, _, value = line.partition(b":")
            if not line.endswith(b"\r\n") or _HEADER_NAME.fullmatch(name) is None:
                raise ValueError("Illegal header line.")
            if name.title() in hdict:
                raise ValueError("A header is given twice.")
            if b"_" not in name:
                hdict[name.title()] = value.strip(b" \t\r\n")
        return hdict


class _Request(server.HTTPRequest):
    """A request."""

    header_reader = _HeaderReader()

    def read_request_line(self) -> bool:
        """Read the request line; return whether it is valid."""
        try:
            is_valid = bool(super().read_request_line())  # type: ignore[no-untyped-call]
            # cheroot would remove tabs and carriage returns from the target.
            if not is_valid or _NOT_IN_TARGETS.search(self.uri) is None:
                return is_valid
        except ValueError:  # of `urlsplit`
            pass
        return self._reject("Malformed Request-URI")

    def read_request_headers(self) -> bool:
        """Read the headers; return whether they are valid and define one length of the body."""
        if not super().read_request_headers():  # type: ignore[no-untyped-call]
            return False
        length = self.inheaders.get(b"Content-Length")
        if length is not None and not length.isdigit():
            return self._reject("Malformed Content-Length Header.")
        if b"Transfer-Encoding" in self.inheaders:
            if length is not None or not self.chunked_read:
                return self._reject("Malformed Transfer-Encoding Header.")
            # cheroot leaves trailers unread, and would take them for the next request.
            self.close_connection = True
        return True

    def _reject(self, reason: str) -> bool:
        """Answer a request that cannot be read; the connection is closed then."""
        self.simple_response("400 Bad Request", reason)
        return False


class _Sender:
    """The side of a connection that sends, without a buffer that outlives a broken connection."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def write(self, data: bytes) -> int:
        self._socket.sendall(data)
        return len(data)


class _Connection(server.HTTPConnection):
    """A connection with a deadline for each request."""

    RequestHandlerClass = _Request
    _is_new = True

    def __init__(self, owner: wsgi.Server, sock: socket.socket, files: object) -> None:
        super().__init__(owner, sock, files)
        self.wfile = _Sender(sock)

    def communicate(self) -> bool:
        """Answer one request; return whether the connection stays open."""
        timer = threading.Timer(self.server.deadline, self._cut)
        timer.daemon = True
        timer.start()
        try:
            if self._is_new and isinstance(self.socket, ssl.SSLSocket):
                self.socket.do_handshake()
            self._is_new = False
            return bool(super().communicate())  # type: ignore[no-untyped-call]
        except OSError:  # of the handshake, or of the answer to a connection that is cut
            return False
        finally:
            timer.cancel()

    def _cut(self) -> None:
        """End the connection under TLS, which a thread can be reading."""
        with suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


class _Connections(connections.ConnectionManager):
    """The connections that no thread works on.

    New ones are among them until their first byte, because clients open connections in advance,
    which would hold all threads.
    """

    def _from_server_socket(self, server_socket: socket.socket) -> None:
        """Accept a connection."""
        try:
            accepted = super()._from_server_socket(server_socket)  # type: ignore[misc]
        except OSError:  # of the peer, or there are too many open files
            # An exception here would end the loop before it closes any connection.
            time.sleep(_PAUSE)
            return
        if accepted is not None:
            self.put(accepted)


class _Cheroot(wsgi.Server):
    """The server with our connections, which logs nothing."""

    ConnectionClass = _Connection
    deadline = DEADLINE
    _connections: Any

    def prepare(self) -> None:
        """Listen with our own manager of connections."""
        with _without_systemd():
            super().prepare()
        self._connections.close()
        self._connections = _Connections(self)

    def error_log(self, *_: object, **__: object) -> None:
        """Log nothing, because a message can have a part of a request."""


class Server:
    """A server on a port of this machine. As a context manager, it serves until the end."""

    def __init__(
        self,
        app: Application,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        deadline: float = DEADLINE,
    ) -> None:
        """Listen on a port.

        Args:
            app: The application.
            host: The address to listen on.
            port: The port; 0 selects a free one.
            tls: The settings of TLS, as of `make_certificates` (default `None`, plain HTTP).
            deadline: The most seconds that a request can take.

        Raises:
            OSError: If the port is in use, or not permitted for this user.
        """
        # cheroot reports neither the cause of a failure nor closes its socket.
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.create_server((host, port), family=family).close()
        self._server = _Cheroot(
            (host, port),
            app,
            numthreads=_THREADS,
            request_queue_size=_BACKLOG,
            timeout=_IDLE,
        )
        self._server.deadline = deadline
        self._server.expiration_interval = _POLL
        self._server.max_request_header_size = _MAX_HEADERS
        self._server.max_request_body_size = 2 * MAX_BODY_LENGTH
        self._server.keep_alive_conn_limit = _CONNECTIONS
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            self._server.ssl_adapter = _Tls(tls)
        self._server.prepare()
        self._thread = threading.Thread(target=self._server.serve, name="kmscore", daemon=True)

    @property
    def address(self) -> str:
        """The address and the port, with a colon between them."""
        host, port = self._server.bind_addr[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    @property
    def endpoint(self) -> str:
        """The URL, with scheme, address and port."""
        return f"{self._scheme}://{self.address}"

    def set_app(self, app: Application) -> None:
        """Replace the application, for all requests from now on.

        Args:
            app: The application.
        """
        self._server.wsgi_app = app

    def start(self) -> None:
        """Serve in threads, until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Answer the requests that have begun, for at most 5 seconds, and end."""
        self._server.stop()
        self._thread.join()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()


@contextmanager
def _without_systemd() -> Iterator[None]:
    """Hide the variable with which cheroot listens on descriptor 3, at whatever address it has."""
    value = os.environ.pop(_SYSTEMD, None)
    try:
        yield
    finally:
        if value is not None:
            os.environ[_SYSTEMD] = value
