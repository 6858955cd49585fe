"""The server of `serve`: its address, its certificates and its extra."""

import errno
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from kmscore.alibaba import Application
from kmscore.cli.problems import FileProblem
from kmscore.cli.signals import without_interrupts
from kmscore.emulator.certificates import LOOPBACK, Certificates, make_certificates
from kmscore.tables.errors import describe

_EXTRA_PACKAGES: Final = frozenset({"cheroot", "jaraco", "more_itertools"})


def check_address(host: str, *, is_no_production_server: bool) -> None:
    """Raise `FileProblem` for another address than the loopback one, unless it is allowed."""
    if host != LOOPBACK and not is_no_production_server:
        raise FileProblem(
            f"--host {host}: not {LOOPBACK}, so other machines could use the keys; if they are only"
            " for tests, add --this-is-no-production-server"
        )


def server_type() -> Any:  # noqa: ANN401 (the extra can be missing)
    """Return the class of the server. Raises `FileProblem` without the extra."""
    try:
        from kmscore.emulator.server import Server  # noqa: PLC0415 (optional)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA_PACKAGES:
            raise
    else:
        return Server
    raise FileProblem("the server needs the extra emulator: pip install 'kmscore[emulator]'")


@contextmanager
def serving(
    app: Application, *, host: str, port: int, has_tls: bool, ca_file: Path | None
) -> Iterator[tuple[str, str | None]]:
    """Serve; yield the endpoint, and the file with the certificate of the authority.

    Raises `FileProblem`.
    """
    with ExitStack() as stack:
        context = ca_bundle = None
        if has_tls:
            certificates = _certificates(host)
            context = certificates.context
            ca_bundle = stack.enter_context(_authority_file(certificates, ca_file))
        try:
            server = server_type()(app, host=host, port=port, tls=context)
        except OSError as error:
            raise FileProblem(f"{host}:{port}: {_reason(error)}") from None
        except ValueError:
            raise FileProblem(f"--host {host}: not an address") from None
        server.start()
        stack.callback(_stop, server)
        yield server.endpoint, ca_bundle


def _stop(server: Any) -> None:  # noqa: ANN401 (the extra can be missing)
    """Stop the server; its threads would keep the process alive after a second Ctrl-C."""
    with without_interrupts():
        server.stop()


def _certificates(host: str) -> Certificates:
    """Return new certificates. Raises `FileProblem`."""
    try:
        return make_certificates(host)
    except ValueError:
        raise FileProblem(f"--host {host}: --tls needs an IP address") from None


@contextmanager
def _authority_file(certificates: Certificates, path: Path | None) -> Iterator[str]:
    """Write the certificate of the authority; remove a temporary file at the end."""
    with tempfile.TemporaryDirectory(prefix="kmscore-") as folder:
        path = Path(folder, "ca.pem") if path is None else path.absolute()
        try:
            path.write_bytes(certificates.authority)
        except OSError as error:
            raise FileProblem(describe(error, path)) from None
        yield str(path)


def _reason(error: OSError) -> str:
    """Return the reason for which a server cannot listen."""
    # `socket.create_server` adds the address to the text of the system.
    reason = str(error.strerror).partition(" (while")[0]
    is_in_use = error.errno == errno.EADDRINUSE
    return f"{reason}; --port 0 selects a free port" if is_in_use else reason
