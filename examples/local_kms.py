"""Serve the API of Alibaba Cloud KMS over keys of your own, on 127.0.0.1.

    python local_kms.py [PORT]

It needs only `kmscore` and the standard library. **For tests only:** every caller can use every
key, and no signature is checked. A test that needs other keys or a policy imports `serve`.
"""

import sys
from datetime import UTC, datetime
from socketserver import ThreadingMixIn
from typing import Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from kmscore import Keyring, KeySpec, SymmetricKey, alibaba

HOST: Final = "127.0.0.1"


class Server(ThreadingMixIn, WSGIServer):
    """A server with a thread for each connection."""

    daemon_threads = True


class Handler(WSGIRequestHandler):
    """Answers the requests of one connection."""

    def log_message(self, *_: object) -> None:
        """Log nothing, because a query can contain a plaintext."""


def serve(app: alibaba.Application, port: int = 0) -> WSGIServer:
    """Return a server for an application; `serve_forever()` starts it. Port 0 is any free one."""
    return make_server(HOST, port, app, server_class=Server, handler_class=Handler)


if __name__ == "__main__":
    keys = [
        SymmetricKey.generate(KeySpec.AES_256, key_id=key_id)  # new in each run
        for key_id in ("orders", "archive")
    ]
    application = alibaba.wsgi_app(
        alibaba.KmsApi(Keyring(keys), alibaba.ALLOW_ALL),
        authenticate=alibaba.ANONYMOUS,
        clock=lambda: datetime.now(UTC),
    )
    with serve(application, int((sys.argv[1:] or ["8080"])[0])) as server:
        print(f"http://{HOST}:{server.server_port}", flush=True)
        server.serve_forever()
