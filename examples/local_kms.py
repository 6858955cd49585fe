"""A local server for tests that answers clients of Alibaba Cloud KMS, on 127.0.0.1.

    python local_kms.py --port 8080
    python local_kms.py --port 8080 --key orders --key archive --profile alibaba
    python local_kms.py --port 8080 --access-key LTAItest:secret

The server uses only `kmscore` and the standard library. It generates each key at the start and does
not store it, so a ciphertext cannot be decrypted after a restart. Each key also has the alias
`alias/KEYID`.

**For tests only.** Every caller can use every key. Signatures are checked only with `--access-key`.
A test that needs other keys or a policy imports `serve` and passes an application of its own.
"""

import argparse
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from socketserver import ThreadingMixIn
from typing import Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from kmscore import Keyring, KeySpec, KmsCoreError, Suite, SymmetricKey, alibaba

HOST: Final = "127.0.0.1"
PROFILES: Final = {
    "v1": alibaba.Profile.V1,
    "v1-text": alibaba.Profile.V1_TEXT,
    "alibaba": alibaba.Profile.ALIBABA,
}


class Server(ThreadingMixIn, WSGIServer):
    """A server with a thread for each connection."""

    daemon_threads = True


class Handler(WSGIRequestHandler):
    """Answers the requests of one connection."""

    def log_message(self, *_: object) -> None:
        """Log nothing, because a query can contain a plaintext."""


def serve(app: alibaba.Application, port: int = 0) -> WSGIServer:
    """Return a server for an application; `serve_forever()` starts it.

    Args:
        app: The application, such as the result of `make_app`.
        port: The port on 127.0.0.1; 0 selects a free port, which `server_port` then contains.

    Returns:
        The server. It already listens.

    Raises:
        OSError: If the port is in use, or not permitted for this user.
        OverflowError: If the port is not 0 to 65,535.
    """
    return make_server(HOST, port, app, server_class=Server, handler_class=Handler)


def make_app(
    api: alibaba.KmsApi, access_keys: Mapping[str, str] | None = None
) -> alibaba.Application:
    """Return the application of an API.

    Args:
        api: The API.
        access_keys: The secrets by access key ID. With `None`, no signature is checked.

    Returns:
        The application.
    """

    def authenticate(
        parsed: alibaba.ParsedRequest, now: datetime
    ) -> alibaba.VerifiedRequest | alibaba.RejectedRequest:
        # A server in production remembers the nonces.
        return alibaba.verify(
            parsed, (access_keys or {}).get, now=now, is_fresh=alibaba.ACCEPT_REPLAYS
        )

    return alibaba.wsgi_app(
        api,
        authenticate=alibaba.ANONYMOUS if access_keys is None else authenticate,
        clock=lambda: datetime.now(UTC),
    )


def make_api(key_ids: Iterable[str], profile_name: str = "v1") -> alibaba.KmsApi:
    """Return an API with generated AES-256 keys, in which every action is allowed.

    Args:
        key_ids: The key IDs. Each key has one version, with a random UUID.
        profile_name: The layout and payload of the blobs, `v1`, `v1-text` or `alibaba`.

    Returns:
        The API.

    Raises:
        KeyError: If `profile_name` is another text.
        InvalidKeyError: If a key ID is not 1 to 255 printable ASCII characters without space.
    """
    profile = PROFILES[profile_name]
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
        epilog="For tests only: every caller can use every key.",
    )
    add = parser.add_argument
    add("--port", type=_port, default=8080, help="port on 127.0.0.1, 0 for a free one (8080)")
    add("--key", action="append", metavar="KEYID", help="key to generate (orders and archive)")
    add("--profile", choices=PROFILES, default="v1", help="layout and payload of the blobs (v1)")
    add(
        "--access-key",
        action="append",
        metavar="ID:SECRET",
        type=_access_key,
        help="check signatures with this access key (no check)",
    )
    options = parser.parse_args()
    key_ids = options.key or ["orders", "archive"]
    try:
        access_keys = dict(options.access_key) if options.access_key else None
        server = serve(make_app(make_api(key_ids, options.profile), access_keys), options.port)
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


def _access_key(text: str) -> tuple[str, str]:
    """Return an access key ID and its secret."""
    access_key_id, colon, secret = text.partition(":")
    if not (access_key_id and secret):
        raise argparse.ArgumentTypeError(f"{access_key_id}{colon}: not ID:SECRET")
    return access_key_id, secret


def _resolve(aliases: Mapping[str, str], name: str) -> str | None:
    """Return the key ID of an alias or a resource name, or `None`."""
    return aliases.get(name) or alibaba.key_id_of_name(name)


def _print_error(text: str) -> None:
    """Write one line on the error stream."""
    sys.stderr.write(f"local_kms.py: {text}\n")


if __name__ == "__main__":
    sys.exit(main())
