"""The command `serve`: a local stand-in of the service for tests."""

import shlex
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Final

import typer

from kmscore.cli.local_server import check_address, server_type, serving
from kmscore.cli.options import profile_of
from kmscore.cli.passphrase import Descriptor, check_no_descriptor
from kmscore.cli.problems import FileProblem
from kmscore.cli.request_log import open_log
from kmscore.cli.served_keyring import open_store
from kmscore.cli.served_options import (
    PROFILES,
    VARIABLE,
    ServedProfile,
    policy_of,
    throttle_of,
    verifier_of,
)
from kmscore.cli.signals import Terminated
from kmscore.cli.terminal import problems_in_one_line, tell
from kmscore.emulator import AccessKeys, make_app
from kmscore.emulator.certificates import LOOPBACK
from kmscore.emulator.environment import environment_of

_LAST_PORT: Final = 65535
_POLL: Final = 0.2  # seconds


def serve_tests(
    *,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Address to listen on.")
    ] = LOOPBACK,
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
        # The options are checked before the prompt for the passphrase.
        check_address(host, is_no_production_server=is_no_production_server)
        server_type()
        if ca_file is not None and not tls:
            raise FileProblem("--ca-file needs --tls")
        check_no_descriptor(keyring, passphrase_fd)
        verifier = verifier_of(access_keys, is_anonymous=is_anonymous)
        permissions, throttle = policy_of(policy, verifier), throttle_of(qps)
        chosen = profile_of(PROFILES[profile])
        app = make_app(
            open_store(keyring, passphrase_fd, seed, chosen),
            authenticate=verifier,
            profile=chosen,
            policy=permissions,
            throttle=throttle,
            on_event=None if log is None else stack.enter_context(open_log(log)),
        )
        endpoint, ca_bundle = stack.enter_context(
            serving(app, host=host, port=port, has_tls=tls, ca_file=ca_file)
        )
        access_key_id = verifier.ids[0] if isinstance(verifier, AccessKeys) else None
        tell(lambda: _print_first_line(endpoint, access_key_id, ca_bundle))
        _wait()


def _print_first_line(endpoint: str, access_key_id: str | None, ca_bundle: str | None) -> None:
    """Print the endpoint and the environment variables, in the form of a shell."""
    variables = environment_of(endpoint, access_key_id=access_key_id, ca_bundle=ca_bundle)
    shown = (f"{name}={shlex.quote(value)}" for name, value in variables.items())
    typer.echo(" ".join((endpoint, *shown)))


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
