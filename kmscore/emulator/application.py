"""The application of the emulator: the nine actions and the management actions on one store."""

from collections.abc import Callable
from typing import Any

from kmscore.alibaba import (
    ALLOW_ALL,
    Application,
    Event,
    KmsApi,
    Profile,
    VerifiedRequest,
    direct_facts,
    wsgi_app,
)
from kmscore.alibaba.policy import PolicyCallable
from kmscore.alibaba.service_errors import Fault
from kmscore.alibaba.wsgi import Authenticate
from kmscore.emulator.management import management_actions
from kmscore.emulator.store import KeyStore, present


def make_app(
    store: KeyStore,
    *,
    authenticate: Authenticate,
    profile: Profile = Profile.ALIBABA,
    policy: PolicyCallable = ALLOW_ALL,
    throttle: Callable[[Any, float], bool] | None = None,
    fault_of: Callable[[VerifiedRequest], Fault | None] | None = None,
    on_event: Callable[[Event], object] | None = None,
    with_contexts: bool = False,
) -> Application:
    """Create the application of a store. As in the service, ambiguous contexts are accepted.

    Args:
        store: The store.
        authenticate: The verifier of requests: `AccessKeys`, or `accept_all`.
        profile: The layout and payload of the blobs (default that of the service).
        policy: The permissions of the callers (default `ALLOW_ALL`).
        throttle: The limit of requests, as for `kmscore.alibaba.wsgi_app` (default none).
        fault_of: The error for a request, as for `kmscore.alibaba.wsgi_app` (default none).
        on_event: A callable that takes the record of each call (default `None`).
        with_contexts: Whether the records have the encryption contexts (default `False`).

    Returns:
        The application.

    Raises:
        TypeError: If an argument has the wrong type.
    """
    api = KmsApi(
        store,
        policy,
        profile=profile,
        arn=store.key_resource,
        resolve_key=store.resolve,
        allow_ambiguous=True,
        extra_actions=management_actions(store),
    )
    return wsgi_app(
        api,
        authenticate=authenticate,
        clock=present,
        throttle=throttle,
        fault_of=fault_of,
        facts_of=direct_facts,
        on_event=on_event,
        with_contexts=with_contexts,
    )
