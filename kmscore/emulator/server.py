"""The server of the emulator: cheroot, with TLS, threads, and limits of size and time.

A request line can have more than 64 KiB, because a legal encryption context needs 70 KiB. A request
that takes longer than the deadline is cut off, so that slow senders cannot hold all threads. The
handshake of TLS runs in the thread of the connection, so that it cannot stop the others.
"""

import socket
import ssl
import threading
from contextlib import suppress
from typing import Final, Self

from cheroot import makefile, server, wsgi
from cheroot.ssl import Adapter

from kmscore.alibaba import Application
from kmscore.alibaba.http_request import MAX_TARGET_LENGTH
from kmscore.alibaba.request_pairs import MAX_BODY_LENGTH

LOOPBACK: Final = "127.0.0.1"
DEADLINE: Final = 20.0
"""The most seconds that a request can take, from its first byte to the response."""

_THREADS: Final = 32
_BACKLOG: Final = 512
_CONNECTIONS: Final = 4096  # that stay open between requests
_IDLE: Final = 10  # seconds
_POLL: Final = 0.1  # seconds, the most that `stop` waits for the thread that accepts connections
_MAX_HEADERS: Final = MAX_TARGET_LENGTH + (1 << 17)  # `parse` answers requests up to its limits


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
    """A reader that ignores names with `_`, which WSGI does not distinguish from `-`."""

    def _allow_header(self, key_name: bytes) -> bool:
        return b"_" not in key_name


class _Request(server.HTTPRequest):
    """A request."""

    header_reader = _HeaderReader()


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

    def __init__(self, owner: wsgi.Server, sock: socket.socket, _makefile: object) -> None:
        super().__init__(owner, sock, makefile.MakeFile)
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


class _Cheroot(wsgi.Server):
    """The server with our connections, which logs nothing."""

    ConnectionClass = _Connection
    deadline = DEADLINE

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
