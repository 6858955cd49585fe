"""The command `serve`: a local stand-in of the service for tests."""

import json
import os
import shlex
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated, Any, Final

import typer

from kmscore.alibaba import (
    ALLOW_ALL,
    Event,
    InvalidPolicyError,
    Profile,
    Throttle,
)
from kmscore.alibaba.policy import PolicyCallable
from kmscore.alibaba.wsgi import Authenticate
from kmscore.cli.files import STANDARD, read_file
from kmscore.cli.keyring_file import warn_if_readable
from kmscore.cli.options import ProfileName, profile_of
from kmscore.cli.passphrase import Descriptor
from kmscore.cli.problems import FileProblem
from kmscore.cli.served_keyring import ServedKeyring
from kmscore.cli.signals import Terminated
from kmscore.cli.terminal import problems_in_one_line
from kmscore.emulator import (
    AccessKeys,
    InvalidDocumentError,
    KeyStore,
    accept_all,
    add_seed,
    make_app,
    read_policy,
)
from kmscore.emulator.certificates import Certificates, make_certificates
from kmscore.emulator.environment import environment_of
from kmscore.emulator.store import present
from kmscore.tables.errors import describe
from kmscore.tables.permissions import OWNER_ONLY

VARIABLE: Final = "KMSCORE_ACCESS_KEYS"
_LOOPBACK: Final = "127.0.0.1"
_MOST: Final = 1 << 24  # bytes of a file with a seed, a policy or access keys
_LAST_PORT: Final = 65535
_POLL: Final = 0.2  # seconds
_EXTRA_PACKAGES: Final = frozenset({"cheroot", "jaraco", "more_itertools"})


class ServedProfile(StrEnum):
    """The layout of the blobs of a server, whose plaintexts are opaque texts."""

    ALIBABA = "alibaba"
    ALIBABA_INSTANCE = "alibaba-instance"
    V1 = "v1"


_PROFILES: Final = {
    ServedProfile.ALIBABA: ProfileName.ALIBABA,
    ServedProfile.ALIBABA_INSTANCE: ProfileName.ALIBABA_INSTANCE,
    ServedProfile.V1: ProfileName.V1_TEXT,
}


def serve_tests(
    *,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Address to listen on.")
    ] = _LOOPBACK,
    port: Annotated[
        int, typer.Option("--port", min=0, max=_LAST_PORT, help="Port; 0 selects a free one.")
    ] = 8080,
    keyring: Annotated[
        Path | None,
        typer.Option(
            "--keyring",
            "-k",
            metavar="FILE",
            help="A keyring file with the keys, which is changed with them; a new one is created."
            " (default: the keys are only in memory)",
        ),
    ] = None,
    seed: Annotated[
        Path | None,
        typer.Option("--seed", metavar="FILE", help="A JSON file with keys to begin with."),
    ] = None,
    profile: Annotated[
        ServedProfile,
        typer.Option(
            "--profile",
            help="Layout of the blobs; v1 has opaque texts, as v1-text of other commands.",
        ),
    ] = ServedProfile.ALIBABA,
    tls: Annotated[
        bool, typer.Option("--tls", help="Serve HTTPS with a new certificate authority.")
    ] = False,
    ca_file: Annotated[
        Path | None,
        typer.Option(
            "--ca-file",
            metavar="FILE",
            help="With --tls: the file for the certificate of the authority, which is replaced."
            " (default: a temporary file)",
        ),
    ] = None,
    access_keys: Annotated[
        Path | None,
        typer.Option(
            "--access-keys",
            metavar="FILE",
            help=f"A file with ID:SECRET in each line, to check signatures. (default: ${VARIABLE})",
        ),
    ] = None,
    is_anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Accept all requests, without access keys.")
    ] = False,
    policy: Annotated[
        Path | None,
        typer.Option(
            "--policy",
            metavar="FILE",
            help="A policy document, or a JSON object of one for each access key ID."
            " (default: everything is allowed)",
        ),
    ] = None,
    qps: Annotated[
        float | None,
        typer.Option("--qps", help="Limit of requests per second and access key. (default: none)"),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(
            "--log",
            metavar="FILE",
            help="A file to which a JSON line is added for each request; - for standard output.",
        ),
    ] = None,
    is_no_production_server: Annotated[
        bool,
        typer.Option(
            "--this-is-no-production-server", help="Allow another address than 127.0.0.1."
        ),
    ] = False,
    passphrase_fd: Descriptor = None,
) -> None:
    """Serve a local stand-in of Alibaba Cloud KMS for tests, until SIGTERM or Ctrl-C.

    The first line of output has the endpoint, and the environment variables for clients. The
    server has the cryptographic actions, and those that create and change keys and aliases. Needs
    the extra `emulator`.

    Exit codes: 0 after SIGTERM, 130 after Ctrl-C, 2 for a wrong option or file.

    Example: kmscore serve --port 0 --anonymous
    """
    with problems_in_one_line(), ExitStack() as stack:
        _check_address(host, is_no_production_server=is_no_production_server)
        verifier = _verifier(access_keys, is_anonymous=is_anonymous)
        if ca_file is not None and not tls:
            raise FileProblem("--ca-file needs --tls")
        chosen = profile_of(_PROFILES[profile])
        permissions = _policy(policy)
        throttle = _throttle(qps)
        store = _store(keyring, passphrase_fd, seed, chosen)
        certificates = _certificates(host) if tls else None
        ca_bundle = None
        if certificates is not None:
            ca_bundle = stack.enter_context(_authority(certificates, ca_file))
        app = make_app(
            store,
            authenticate=verifier,
            profile=chosen,
            policy=permissions,
            throttle=throttle,
            on_event=None if log is None else stack.enter_context(_log(log)),
        )
        server_type = _server_type()
        context = None if certificates is None else certificates.context
        try:
            server = server_type(app, host=host, port=port, tls=context)
        except OSError as error:
            reason = str(error.strerror).partition(" (while")[0]
            raise FileProblem(f"{host}:{port}: {reason}") from None
        except ValueError:
            raise FileProblem(f"--host {host}: not an address") from None
        stack.enter_context(server)
        access_key_id = verifier.ids[0] if isinstance(verifier, AccessKeys) else None
        variables = environment_of(
            server.endpoint, access_key_id=access_key_id, ca_bundle=ca_bundle
        )
        shown = (f"{name}={shlex.quote(value)}" for name, value in variables.items())
        typer.echo(" ".join((server.endpoint, *shown)))
        _wait()


def _wait() -> None:
    """Wait for SIGTERM. Raises `KeyboardInterrupt` at Ctrl-C."""
    never = threading.Event()
    try:
        # With a limit, because a signal that the system gives to another thread does not end the
        # wait of this one, which has to run the handler.
        while True:
            never.wait(_POLL)
    except Terminated:
        return


def _check_address(host: str, *, is_no_production_server: bool) -> None:
    """Raise `FileProblem` for another address than the loopback one, unless it is allowed."""
    if host != _LOOPBACK and not is_no_production_server:
        raise FileProblem(
            f"--host {host}: other machines could use the keys; if the keys are only for tests,"
            " say so with --this-is-no-production-server"
        )


def _verifier(path: Path | None, *, is_anonymous: bool) -> Authenticate:
    """Return the verifier of requests. Raises `FileProblem`."""
    variable = os.environ.get(VARIABLE)
    if is_anonymous:
        if path is not None or variable is not None:
            raise FileProblem(f"--anonymous excludes --access-keys and {VARIABLE}")
        return accept_all
    if path is None and variable is None:
        raise FileProblem(f"give --access-keys, set {VARIABLE}, or give --anonymous")
    if path is not None:
        text, what = _text(path), str(path)
        warn_if_readable(path)
    else:
        text, what = str(variable), VARIABLE
    try:
        return AccessKeys.from_text(text)
    except ValueError as error:
        raise FileProblem(f"{what}: {error}") from None


def _policy(path: Path | None) -> PolicyCallable:
    """Return the policy of a file. Raises `FileProblem`."""
    if path is None:
        return ALLOW_ALL
    try:
        return read_policy(_text(path))
    except InvalidPolicyError as error:
        raise FileProblem(f"{path}: {error}") from None


def _throttle(qps: float | None) -> Throttle | None:
    """Return the limit of requests. Raises `FileProblem`."""
    try:
        return None if qps is None else Throttle(qps, max(1.0, qps))
    except ValueError as error:
        raise FileProblem(f"--qps: {error}") from None


def _store(
    keyring: Path | None, descriptor: int | None, seed: Path | None, profile: Profile
) -> KeyStore:
    """Return the store. Raises `FileProblem`, and `UnsupportedAlgorithmError`."""
    options: dict[str, Any] = {"has_plain_gcm": not profile.is_v1}
    saved = None if keyring is None else ServedKeyring(keyring, descriptor)
    store = KeyStore(None if saved is None else saved.contents, **options)
    if seed is not None:
        try:
            add_seed(store, _text(seed))
        except InvalidDocumentError as error:
            raise FileProblem(f"{seed}: {error}") from None
    if saved is None:
        return store
    # All keys of the seed are saved at once, because the KDF takes time.
    saved.save(store.contents())
    return KeyStore(store.contents(), on_change=saved.save, **options)


def _text(path: Path) -> str:
    """Return the text of a file. Raises `FileProblem`."""
    try:
        return read_file(path, limit=_MOST).decode("utf-8")
    except UnicodeDecodeError:
        raise FileProblem(f"{path}: not UTF-8") from None


def _certificates(host: str) -> Certificates:
    """Return new certificates. Raises `FileProblem`."""
    try:
        return make_certificates(host)
    except ValueError:
        raise FileProblem(f"--host {host}: --tls needs an IP address") from None


@contextmanager
def _authority(certificates: Certificates, path: Path | None) -> Iterator[str]:
    """Write the certificate of the authority; remove a temporary file at the end."""
    with tempfile.TemporaryDirectory(prefix="kmscore-") as folder:
        path = Path(folder, "ca.pem") if path is None else path.absolute()
        try:
            path.write_bytes(certificates.authority)
        except OSError as error:
            raise FileProblem(describe(error, path)) from None
        yield str(path)


@contextmanager
def _log(path: Path) -> Iterator["_Log"]:
    """Open a log."""
    if path == STANDARD:
        yield _Log(typer.get_text_stream("stdout"))
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, OWNER_ONLY)
    except OSError as error:
        raise FileProblem(describe(error, path)) from None
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        yield _Log(file)


class _Log:
    """A writer of records as JSON lines."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Write a record."""
        record = {"time": present().isoformat(timespec="milliseconds"), **event._asdict()}
        del record["contexts"]
        with self._lock:
            self._file.write(json.dumps(record) + "\n")
            self._file.flush()


def _server_type() -> Any:  # noqa: ANN401 (the extra can be missing)
    """Return the class of the server. Raises `FileProblem` without the extra."""
    try:
        from kmscore.emulator.server import Server  # noqa: PLC0415 (optional)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA_PACKAGES:
            raise
    else:
        return Server
    raise FileProblem("the server needs the extra emulator: pip install 'kmscore[emulator]'")
