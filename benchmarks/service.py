"""`python -m benchmarks.service --requests N`: the processor time of a signed ReEncrypt over HTTP.

A server of the standard library answers on loopback, in a process of its own. It answers the same
signed requests in two ways: with `alibaba.wsgi_app`, and with an application that returns a
constant. Both ways take turns, and the ratio is the median of the ratios of all turns. The share of
each part of the application is measured without a server.
"""

import argparse
import base64
import hashlib
import hmac
import io
import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from wsgiref.simple_server import WSGIRequestHandler, make_server

import kmscore
from benchmarks.bulk import Rotation
from benchmarks.fixtures import KEY_ID
from kmscore import alibaba

MAX_RATIO: Final = 3.0
_SHARED: Final = "of no worth"
_ACCESS_KEY: Final = "LTAIbenchmark"
_ROOT: Final = Path(__file__).resolve().parent.parent
_NOW: Final = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
_HEADERS: Final = {"x-acs-action": "ReEncrypt", "x-acs-version": "2016-01-20"}

# The folder is last in the path, so that the installed package is measured.
_IN_CHILD: Final = f"""
import sys
sys.path.append({str(_ROOT)!r})
from benchmarks.service import serve
serve(sys.argv[1])
"""


def make_app(rotation: Rotation) -> alibaba.Application:
    """Return the application, with signatures, a limit and records."""
    used: set[tuple[str, str]] = set()
    events: list[alibaba.Event] = []

    def is_fresh(access_key_id: str, nonce: str, _expires: datetime | None) -> bool:
        is_new = (access_key_id, nonce) not in used
        used.add((access_key_id, nonce))
        return is_new

    def authenticate(
        parsed: alibaba.ParsedRequest, now: datetime
    ) -> alibaba.VerifiedRequest | alibaba.RejectedRequest:
        return alibaba.verify(parsed, {_ACCESS_KEY: _SHARED}.get, now=now, is_fresh=is_fresh)

    return alibaba.wsgi_app(
        alibaba.KmsApi(rotation.keys, alibaba.ALLOW_ALL),
        authenticate=authenticate,
        clock=lambda: _NOW,
        throttle=alibaba.Throttle(rate=1e9, burst=1e9),
        on_event=events.append,
    )


def constant(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
    """Read the body, and return a constant."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    body = b'{"RequestId": "1"}'
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Write nothing."""


def serve(name: str) -> None:
    """Serve until the input ends; then print the processor time since the first request."""
    rotation = Rotation()
    app: Any = constant if name == "constant" else make_app(rotation)
    with make_server("127.0.0.1", 0, app, handler_class=_Quiet) as server:
        context = {"tenant": "acme"}
        blob = kmscore.encrypt(rotation.keys, KEY_ID.format("0001"), bytes(32), context)
        sys.stdout.write(
            f"{server.server_port} {base64.b64encode(blob.ciphertext_blob).decode()}\n"
        )
        sys.stdout.flush()
        number = int(sys.stdin.readline())
        begin = time.process_time()
        for _ in range(number):
            server.handle_request()
        sys.stdout.write(f"{(time.process_time() - begin) / number}\n")


def signed_query(blob: str, nonce: int) -> tuple[str, dict[str, str]]:
    """Return the target and the headers of a signed request."""
    context = quote('{"tenant":"acme"}', safe="~")
    params = {
        "CiphertextBlob": quote(blob, safe="~"),
        "DestinationEncryptionContext": context,
        "DestinationKeyId": quote(KEY_ID.format("0001"), safe="~"),
        "SourceEncryptionContext": context,
    }
    query = "&".join(f"{name}={value}" for name, value in params.items())
    digest = hashlib.sha256(b"").hexdigest()
    headers = _HEADERS | {
        "host": "127.0.0.1",
        "x-acs-content-sha256": digest,
        "x-acs-date": _NOW.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": f"{nonce:032}",
    }
    names = sorted(headers)
    lines = [
        "POST",
        "/",
        query,
        *(f"{name}:{headers[name]}" for name in names),
        "",
        ";".join(names),
    ]
    canonical = hashlib.sha256("\n".join([*lines, digest]).encode()).hexdigest()
    text = f"ACS3-HMAC-SHA256\n{canonical}".encode()
    signature = hmac.new(_SHARED.encode(), text, "sha256").hexdigest()
    headers["authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={_ACCESS_KEY},SignedHeaders={';'.join(names)},"
        f"Signature={signature}"
    )
    return f"/?{query}", headers


@contextmanager
def _child(name: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-P", "-c", _IN_CHILD, name]
    with subprocess.Popen(  # noqa: S603 (our own server)
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        yield child


def per_request(name: str, number: int) -> float:
    """Return the processor time of the server per request in seconds."""
    with _child(name) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        port, blob = child.stdout.readline().split()
        child.stdin.write(f"{number}\n")
        child.stdin.flush()
        for nonce in range(number):
            target, headers = signed_query(blob, nonce)
            connection = HTTPConnection("127.0.0.1", int(port))
            connection.request("POST", target, headers=headers)
            response = connection.getresponse()
            response.read()
            connection.close()
            if response.status != 200:
                raise RuntimeError(f"status {response.status}")
        return float(child.stdout.readline())


def shares(number: int) -> dict[str, float]:
    """Return the processor time of each part of the application in seconds per request."""
    rotation = Rotation()
    api = alibaba.KmsApi(rotation.keys, alibaba.ALLOW_ALL)
    context = {"tenant": "acme"}
    made = kmscore.encrypt(rotation.keys, KEY_ID.format("0001"), bytes(32), context)
    blob = base64.b64encode(made.ciphertext_blob).decode("ascii")
    target, headers = signed_query(blob, 0)
    given = list(headers.items())
    parsed: Any = alibaba.parse("POST", target, given, b"")
    secrets = {_ACCESS_KEY: _SHARED}
    verified: Any = alibaba.verify(parsed, secrets.get, now=_NOW, is_fresh=alibaba.ACCEPT_REPLAYS)
    throttle, numbers = alibaba.Throttle(rate=1e9, burst=1e9), itertools.count()
    response = api.handle(verified.parameters).response
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "QUERY_STRING": target.partition("?")[2],
        "wsgi.errors": io.StringIO(),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in given},
    }
    app = make_app(rotation)

    def whole() -> None:
        target, headers = signed_query(blob, next(numbers))
        environ["QUERY_STRING"] = target.partition("?")[2]
        for name, value in headers.items():
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
        app(environ, lambda *_: None)

    parts: dict[str, Callable[[], object]] = {
        "parse": lambda: alibaba.parse("POST", target, given, b""),
        "verify": lambda: alibaba.verify(
            parsed, secrets.get, now=_NOW, is_fresh=alibaba.ACCEPT_REPLAYS
        ),
        "throttle": lambda: throttle("account", 0.0),
        "KmsApi.handle": lambda: api.handle(verified.parameters),
        "response": response.json,
        "signing by the client": lambda: signed_query(blob, next(numbers)),
        "the whole application and signing": whole,
    }
    return {name: _time_of(part, number) for name, part in parts.items()}


def _time_of(part: Callable[[], object], number: int) -> float:
    begin = time.process_time()
    for _ in range(number):
        part()
    return (time.process_time() - begin) / number


def main(arguments: list[str] | None = None) -> int:
    """Measure, show the results, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service", description=__doc__)
    parser.add_argument("--requests", type=int, default=2000, metavar="N")
    parser.add_argument("--turns", type=int, default=5, metavar="N")
    options = parser.parse_args(arguments)
    if min(options.requests, options.turns) < 1:
        parser.error("there must be at least one request and one turn")
    ratios = [
        per_request("application", options.requests) / per_request("constant", options.requests)
        for _ in range(options.turns)
    ]
    sys.stdout.write(
        f"a signed ReEncrypt: {statistics.median(ratios):.2f} x a constant, {min(ratios):.2f} to"
        f" {max(ratios):.2f} (at most {MAX_RATIO})\n"
    )
    found = shares(options.requests)
    whole = found.pop("the whole application and signing") - found.pop("signing by the client")
    for name, seconds in found.items():
        sys.stdout.write(f"{seconds / whole:6.1%}  {name}\n")
    sys.stdout.write(f"{1 - sum(found.values()) / whole:6.1%}  all the rest\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
