"""Helpers of the tests of the emulator: an API on a store, with a clock that the test sets."""

from datetime import UTC, datetime, timedelta
from typing import Any

from kmscore import alibaba
from kmscore.alibaba import KmsApi, Profile
from kmscore.emulator import Contents, KeyStore, management_actions

NOW = datetime(2026, 11, 29, 8, 0, 0, 250, tzinfo=UTC)


class Clock:
    """A clock with a fixed time, unless a test moves it."""

    def __init__(self) -> None:
        """Begin at a fixed time."""
        self.now = NOW

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def advance(self, **time: float) -> None:
        """Let time pass."""
        self.now += timedelta(**time)


class Emulated:
    """A store with its API; the request IDs are constant."""

    def __init__(
        self,
        policy: Any = alibaba.ALLOW_ALL,
        *,
        profile: Profile = Profile.ALIBABA,
        contents: Contents | None = None,
        **options: Any,
    ) -> None:
        """Create an empty store."""
        self.clock = Clock()
        self.store = KeyStore(
            contents, clock=self.clock, has_plain_gcm=not profile.is_v1, **options
        )
        self.api = KmsApi(
            self.store,
            policy,
            profile=profile,
            arn=self.store.key_resource,
            resolve_key=self.store.resolve,
            request_id=lambda: "request",
            allow_ambiguous=True,
            extra_actions=management_actions(self.store),
        )

    def call(self, action: str, **params: Any) -> alibaba.ApiResponse:
        """Perform an action."""
        return self.api.call({"Action": action, **params}, principal="caller")

    def body(self, action: str, **params: Any) -> dict[str, Any]:
        """Return the body of a response that must be a success, without the request ID."""
        response = self.call(action, **params)
        assert response.status == 200, response.body
        assert response.body["RequestId"] == "request"
        return {name: value for name, value in response.body.items() if name != "RequestId"}

    def fault(self, action: str, **params: Any) -> tuple[int, str]:
        """Return the status and code of a response that must be an error."""
        response = self.call(action, **params)
        assert response.status != 200, response.body
        return response.status, response.body["Code"]
