"""The server of `serve`: its address, its certificates and its extra."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from kmscore.cli.problems import FileProblem
from kmscore.emulator.certificates import Certificates, make_certificates
from kmscore.tables.errors import describe

LOOPBACK: Final = "127.0.0.1"
_EXTRA_PACKAGES: Final = frozenset({"cheroot", "jaraco", "more_itertools"})


def check_address(host: str, *, is_no_production_server: bool) -> None:
    """Raise `FileProblem` for another address than the loopback one, unless it is allowed."""
    if host != LOOPBACK and not is_no_production_server:
        raise FileProblem(
            f"--host {host}: other machines could use the keys; if the keys are only for tests,"
            " say so with --this-is-no-production-server"
        )


def certificates_for(host: str) -> Certificates:
    """Return new certificates. Raises `FileProblem`."""
    try:
        return make_certificates(host)
    except ValueError:
        raise FileProblem(f"--host {host}: --tls needs an IP address") from None


@contextmanager
def authority_file(certificates: Certificates, path: Path | None) -> Iterator[str]:
    """Write the certificate of the authority; remove a temporary file at the end."""
    with tempfile.TemporaryDirectory(prefix="kmscore-") as folder:
        path = Path(folder, "ca.pem") if path is None else path.absolute()
        try:
            path.write_bytes(certificates.authority)
        except OSError as error:
            raise FileProblem(describe(error, path)) from None
        yield str(path)


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
