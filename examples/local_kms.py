"""A local server for tests that answers clients of Alibaba Cloud KMS, on 127.0.0.1.

    python local_kms.py --port 8080
    python local_kms.py --port 8080 --key orders --key archive --layout service

The server uses only `kmscore` and the standard library. It generates each key at the start and does
not store it, so a ciphertext cannot be decrypted after a restart. Each key also has the alias
`alias/KEYID`.

**For tests only.** The server does not check signatures, and every caller can use every key. A test
that needs other keys or a policy imports `serve` and passes a `KmsApi` of its own.
"""

import argparse
import sys
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from kmscore import Keyring, KeySpec, KmsCoreError, Suite, SymmetricKey, alibaba

HOST: Final = "127.0.0.1"
MAX_FORM_LENGTH: Final = 1 << 20
_MOST_DIGITS: Final = 20
PROFILES: Final = {
    "v1": alibaba.Profile.V1,
    "v1-text": alibaba.Profile.V1_TEXT,
    "service": alibaba.Profile.ALIBABA,
}


class BadRequestError(Exception):
    """An HTTP request that has no single reading, with the HTTP status of the answer."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        """Take the status and the reason."""
        super().__init__(reason)
        self.status = status


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    api: alibaba.KmsApi
    """The API; `serve` sets it in a subclass."""

    def do_POST(self) -> None:
        """Answer a request."""
        try:
            params = merge_parameters(urlsplit(self.path).query, self._form())
        except BadRequestError as error:
            self.send_error(error.status, str(error))
            return
        params.setdefault("Action", self.headers.get("x-acs-action", ""))
        self._send(self.api.call(params), as_xml=params.get("Format", "").upper() == "XML")

    do_GET = do_POST  # noqa: N815 (a name of the base class)

    def _form(self) -> str:
        """Return the form in the body; the SDK sends some parameters in it."""
        if "Transfer-Encoding" in self.headers:
            raise BadRequestError(HTTPStatus.LENGTH_REQUIRED, "a body needs a Content-Length")
        length = self.headers.get("Content-Length") or "0"
        if not (length.isascii() and length.isdigit()):
            raise BadRequestError(HTTPStatus.BAD_REQUEST, "Content-Length is not a number")
        if len(length) > _MOST_DIGITS or int(length) > MAX_FORM_LENGTH:
            raise BadRequestError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the form is longer than 1 MiB"
            )
        try:
            return self.rfile.read(int(length)).decode("utf-8")
        except UnicodeDecodeError:
            pass
        raise BadRequestError(HTTPStatus.BAD_REQUEST, "the form is not UTF-8")

    def _send(self, response: alibaba.ApiResponse, *, as_xml: bool) -> None:
        """Send a response of the API."""
        try:
            body = response.xml() if as_xml else response.json()
        except ValueError:  # a plaintext has characters that XML does not have
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR, "use Format=JSON for this text")
            return
        kind = alibaba.XML_CONTENT_TYPE if as_xml else alibaba.JSON_CONTENT_TYPE
        self.send_response(response.status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing, because a query can contain a plaintext."""


def serve(api: alibaba.KmsApi, port: int = 0) -> ThreadingHTTPServer:
    """Return a server for an API; `serve_forever()` starts it.

    Args:
        api: The API that answers the requests.
        port: The port on 127.0.0.1; 0 selects a free port, which `server_port` then contains.

    Returns:
        The server. It already listens.

    Raises:
        OSError: If the port is in use, or not permitted for this user.
        OverflowError: If the port is not 0 to 65,535.
    """
    handler = type("ApiHandler", (Handler,), {"api": api})
    return ThreadingHTTPServer((HOST, port), handler)


def merge_parameters(query: str, form: str) -> dict[str, str]:
    """Return the parameters of query and form as one mapping.

    Args:
        query: The query of the URL.
        form: The form of the body.

    Returns:
        The values by name. A pair that occurs in both is one parameter.

    Raises:
        BadRequestError: If a name has two values. A mapping has only one of them.
    """
    pairs = {*parse_qsl(query, keep_blank_values=True), *parse_qsl(form, keep_blank_values=True)}
    params = dict(pairs)
    if len(params) < len(pairs):
        raise BadRequestError(HTTPStatus.BAD_REQUEST, "a parameter has two values")
    return params


def make_api(key_ids: Iterable[str], layout: str = "v1") -> alibaba.KmsApi:
    """Return an API with generated AES-256 keys, in which every action is allowed.

    Args:
        key_ids: The key IDs. Each key has one version, with a random UUID.
        layout: The layout of the blobs, `v1`, `v1-text` or `service`.

    Returns:
        The API.

    Raises:
        KeyError: If `layout` is another text.
        InvalidKeyError: If a key ID is not 1 to 255 printable ASCII characters without space.
    """
    profile = PROFILES[layout]
    # The layout of the service has no suite ID, and requires plain GCM.
    suite = None if profile.is_v1 else Suite.AES_256_GCM
    aliases = {f"alias/{key_id}": key_id for key_id in key_ids}
    keys = [
        SymmetricKey.generate(KeySpec.AES_256, key_id=key_id, suite=suite)
        for key_id in aliases.values()
    ]
    return alibaba.KmsApi(
        alibaba.VersionIndex(Keyring(keys)),
        alibaba.ALLOW_ALL,
        profile=profile,
        allow_ambiguous=True,
        resolve_key=lambda name: _resolve(aliases, name),
        on_failure=lambda error: _print_error(f"internal failure: {type(error).__name__}"),
    )


def main() -> int:
    """Run the server until Ctrl-C; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="local_kms.py",
        description="Run a local server for tests that answers clients of Alibaba Cloud KMS.",
        epilog="For tests only: signatures are not checked, and every caller can use every key.",
    )
    add = parser.add_argument
    add("--port", type=_port, default=8080, help="port on 127.0.0.1, 0 for a free one (8080)")
    add("--key", action="append", metavar="KEYID", help="key to generate (orders and archive)")
    add("--layout", choices=PROFILES, default="v1", help="layout of the blobs (v1)")
    options = parser.parse_args()
    key_ids = options.key or ["orders", "archive"]
    try:
        server = serve(make_api(key_ids, options.layout), options.port)
    except KmsCoreError as error:
        _print_error(f"--key: {error}")
        return 2
    except OSError as error:
        _print_error(f"port {options.port}: {error.strerror}; select another one with --port")
        return 2
    keys = ", ".join(dict.fromkeys(key_ids))
    with server:
        sys.stdout.write(f"http://{HOST}:{server.server_port} keys: {keys}\n")
        sys.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 130
    return 0


def _port(text: str) -> int:
    """Return the number of a port."""
    if text.isascii() and text.isdigit() and len(text) <= len("65535") and int(text) <= 65535:  # noqa: PLR2004
        return int(text)
    raise argparse.ArgumentTypeError(f"{text}: not a port, 0 to 65535")


def _resolve(aliases: Mapping[str, str], name: str) -> str | None:
    """Return the key ID of an alias or a resource name, or `None`."""
    return aliases.get(name) or alibaba.key_id_of_name(name)


def _print_error(text: str) -> None:
    """Write one line on the error stream."""
    sys.stderr.write(f"local_kms.py: {text}\n")


if __name__ == "__main__":
    sys.exit(main())
