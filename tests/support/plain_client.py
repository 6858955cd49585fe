"""A plain HTTP client for requests without signatures."""

import json
import socket
import ssl
from http.client import HTTPConnection, HTTPSConnection
from typing import Any, Self
from urllib.parse import urlencode

from support.time_limits import PATIENCE


class Client:
    """A plain client, which closes its connection as a context manager."""

    def __init__(self, address: str, authority: bytes | None = None) -> None:
        """Prepare a connection to an address with a port; with an authority, over TLS."""
        host, _, port = address.partition(":")
        self.address = host, int(port)
        self.context: ssl.SSLContext | None = None
        self.connection = HTTPConnection(host, int(port), timeout=PATIENCE)
        if authority is not None:
            self.context = ssl.create_default_context(cadata=authority.decode())
            # Python 3.13 and newer are strict by default.
            self.context.verify_flags |= ssl.VERIFY_X509_STRICT
            self.connection = HTTPSConnection(
                host, int(port), timeout=PATIENCE, context=self.context
            )

    def __enter__(self) -> Self:
        """Return this client."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.connection.close()

    def raw(self) -> socket.socket:
        """Return a new connection, over TLS if the client uses it."""
        sock = socket.create_connection(self.address, timeout=PATIENCE)
        if self.context is not None:
            sock = self.context.wrap_socket(sock, server_hostname=self.address[0])
        return sock

    def call(self, action: str, **params: str) -> tuple[int, dict[str, Any]]:
        """Send a request; return the status and the fields of the response."""
        self.connection.request("POST", "/?" + urlencode({"Action": action} | params))
        response = self.connection.getresponse()
        return response.status, json.loads(response.read())
