"""Fixtures for tests of applications that call the service: a server and a clean store.

Switch them on with one line in `conftest.py` of the root folder of the tests:

    pytest_plugins = ["kmscore.emulator.pytest_plugin"]

The plugin needs the extra `emulator`. `kms.client()` needs the client of the vendor,
`alibabacloud-kms20160120`.
"""

import secrets
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kmscore._typecheck import check_instance, check_optional_text, check_positive
from kmscore.algorithms import KeySpec
from kmscore.alibaba import Application, Event, Profile, VerifiedRequest
from kmscore.alibaba.service_errors import Fault
from kmscore.emulator.access_keys import AccessKeys
from kmscore.emulator.application import make_app
from kmscore.emulator.certificates import make_certificates
from kmscore.emulator.environment import ACCESS_KEY_SECRET, environment_of
from kmscore.emulator.faults import check_action, fault_with_code
from kmscore.emulator.server import Server
from kmscore.emulator.store import KeyStore, present


class KmsServer:
    """Two servers for all tests, with and without TLS, and an access key."""

    def __init__(self, folder: Path) -> None:
        """Listen on two free ports of 127.0.0.1."""
        certificates = make_certificates()
        path = folder / "ca.pem"
        path.write_bytes(certificates.authority)
        self.ca_bundle: str = str(path)
        """The file with the certificate of the authority, for clients over TLS."""
        self.access_key_id: str = "LTAIkmscore"
        """The ID of the access key."""
        self.access_key_secret: str = secrets.token_urlsafe()
        """The secret of the access key, random in each session."""
        # One verifier for the session: nonces stay known when the store changes.
        self.verifier: AccessKeys = AccessKeys({self.access_key_id: self.access_key_secret})
        app = self._empty()
        self.plain: Server = Server(app)
        self.tls: Server = Server(app, tls=certificates.context)

    def _empty(self) -> Application:
        """Return an application with an empty store."""
        return make_app(KeyStore(has_plain_gcm=True), authenticate=self.verifier)

    def clear(self) -> None:
        """Replace the application by one with an empty store."""
        self.set_app(self._empty())

    def set_app(self, app: Application) -> None:
        """Replace the application."""
        for server in (self.plain, self.tls):
            server.set_app(app)


class Kms:
    """The stand-in in one test: a store without keys, and what clients have asked of it."""

    def __init__(self, server: KmsServer, profile: Profile) -> None:
        """Create a store, and serve it."""
        self._server = server
        self._later = timedelta()
        self._faults: list[tuple[Fault, str | None]] = []
        self._lock = threading.Lock()
        self.store: KeyStore = KeyStore(has_plain_gcm=not profile.is_v1, clock=self._now)
        """The store, whose keys the test can read and change."""
        self.requests: list[Event] = []
        """The records of all requests in order, with action, code, keys and encryption contexts."""
        self.ca_bundle: str = server.ca_bundle
        """The file with the certificate of the authority, for clients over TLS."""
        server.set_app(
            make_app(
                self.store,
                authenticate=server.verifier,
                profile=profile,
                fault_of=self._next_fault,
                on_event=self.requests.append,
                with_contexts=True,
            )
        )

    @property
    def endpoint(self) -> str:
        """The URL of the server without TLS."""
        return self._server.plain.endpoint

    @property
    def tls_endpoint(self) -> str:
        """The URL of the server with TLS."""
        return self._server.tls.endpoint

    def client(self, *, tls: bool = False, **config: Any) -> Any:  # noqa: ANN401 (an optional package)
        """Return the client of the vendor, `alibabacloud_kms20160120.client.Client`.

        Args:
            tls: Whether it uses TLS.
            **config: More arguments of its class `Config`.

        Returns:
            The client.

        Raises:
            ImportError: If `alibabacloud-kms20160120` is not installed.
        """
        from alibabacloud_kms20160120.client import Client  # noqa: PLC0415 (optional)
        from alibabacloud_tea_openapi.models import Config  # noqa: PLC0415 (optional)

        server = self._server.tls if tls else self._server.plain
        given = {
            "access_key_id": self._server.access_key_id,
            "access_key_secret": self._server.access_key_secret,
            "region_id": "cn-hangzhou",
            "endpoint": server.address,
            "protocol": server.endpoint.partition(":")[0],
            "ca": self.ca_bundle if tls else None,
        }
        return Client(Config(**given | config))

    def create_key(
        self,
        spec: KeySpec | str = KeySpec.AES_256,
        *,
        key_id: str | None = None,
        alias: str | None = None,
        description: str = "",
    ) -> str:
        """Create a key without a request, with `KeyStore.create_key`, and return its ID."""
        return self.store.create_key(spec, key_id=key_id, alias=alias, description=description)

    def fail_next(self, code: str, *, times: int = 1, action: str | None = None) -> None:
        """Let the next requests fail with an error of the service.

        Args:
            code: The code of the error, such as `Rejected.Throttling`.
            times: The number of requests that fail, 1 or more.
            action: The action that fails, such as `Decrypt` (default any action).

        Raises:
            TypeError: If an argument has the wrong type.
            ValueError: If no error has this code, if `times` is less than 1, or if the service has
                no such action.
        """
        fault = fault_with_code(code)
        check_positive(times, "times")
        check_optional_text(action, "action")
        if action is not None:
            check_action(action)
        with self._lock:
            self._faults += [(fault, action)] * times

    def advance(self, time: timedelta) -> None:
        """Let the clock of the store go forward, for example until the deletion of a key.

        Args:
            time: The time that passes. Dates of signatures are not affected.

        Raises:
            TypeError: If `time` is not a `timedelta`.
        """
        check_instance(time, timedelta, "time")
        self._later += time

    def environment(self, *, tls: bool = False) -> dict[str, str]:
        """Return the environment variables for a client in another process.

        Args:
            tls: Whether it uses TLS.

        Returns:
            `KMSCORE_ENDPOINT` with the URL, the access key with its secret, and for TLS the
            variables with which clients in Python, Go and Node.js find the certificate.
        """
        variables = environment_of(
            self.tls_endpoint if tls else self.endpoint,
            access_key_id=self._server.access_key_id,
            ca_bundle=self.ca_bundle if tls else None,
        )
        return variables | {ACCESS_KEY_SECRET: self._server.access_key_secret}

    def _now(self) -> datetime:
        return present() + self._later

    def _next_fault(self, request: VerifiedRequest) -> Fault | None:
        """Return the error of a request, and forget it; `None` if it has none."""
        with self._lock:
            for index, (fault, action) in enumerate(self._faults):
                if action in {None, request.action}:
                    del self._faults[index]
                    return fault
        return None


@pytest.fixture(scope="session")
def kms_profile() -> Profile:
    """Return the layout of the blobs, that of the service. A test suite can override it."""
    return Profile.ALIBABA


@pytest.fixture(scope="session")
def kms_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KmsServer]:
    """Run the servers for the session."""
    server = KmsServer(tmp_path_factory.mktemp("kms"))
    with server.plain, server.tls:
        yield server


@pytest.fixture
def kms(kms_server: KmsServer, kms_profile: Profile) -> Iterator[Kms]:
    """Return the stand-in with a store without keys, which is not served after the test."""
    yield Kms(kms_server, kms_profile)
    kms_server.clear()
