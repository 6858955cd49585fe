"""The API of the service: it takes a request as a mapping, and returns a response. It does no I/O.

The order of the checks is the same for every action: parameters, names of the keys, permissions of
the principal. Only then are the keys checked: existence, state and usage.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple, final

from kmscore._typecheck import (
    check_callable,
    check_instance,
    check_mapping,
    check_optional_callable,
)
from kmscore._values import Immutable, representation
from kmscore.alibaba import service_errors
from kmscore.alibaba.access import Access, Resolver, key_id_of_name, resource_name
from kmscore.alibaba.actions import PERFORM, ExtraAction, Fields, Request
from kmscore.alibaba.context_rule import is_confused
from kmscore.alibaba.events import SUCCESS, Event, Uses, recorded_action
from kmscore.alibaba.parameter_names import (
    ACTION,
    CONTEXTS,
    by_exact_name,
    check_spelling,
    gather_contexts,
    misspelt_names,
    names_of,
)
from kmscore.alibaba.parameters import (
    DRY_RUN,
    Action,
    actions_of,
    exact_text,
    is_absent,
    read_parameter,
    read_parameters,
)
from kmscore.alibaba.policy import PolicyCallable
from kmscore.alibaba.policy_conditions import Facts
from kmscore.alibaba.profile import Profile
from kmscore.alibaba.responses import ApiResponse
from kmscore.alibaba.service_errors import Fault, RequestError, fault_of, invalid_parameter
from kmscore.alibaba.version_index import check_version_provider
from kmscore.context import EncryptionContext
from kmscore.errors import KmsCoreError
from kmscore.keyring import KeyProvider
from kmscore.lookup import check_provider


class Handled(NamedTuple):
    """The result of a request."""

    response: ApiResponse
    """The response for the client."""

    event: Event
    """The record for an audit log."""


class _Run:
    """The state of one call."""

    def __init__(self, access: Access, principal: object) -> None:
        self.access = access
        self.principal = principal
        self.uses = Uses()
        self.values: Mapping[str, Any] = {}

    def contexts(self) -> dict[str, dict[str, str]]:
        """Return the encryption contexts by the name of their parameter."""
        return {
            name: dict(value) for name, value in self.values.items() if name in CONTEXTS and value
        }


def random_request_id() -> str:
    """Return a random UUID."""
    return str(uuid.uuid4())


@final
class KmsApi(Immutable):
    """The nine cryptographic actions of the service, with your own keys, and extra actions.

    An instance is immutable. Threads can share it if they can share the arguments of its
    constructor.
    """

    __slots__ = ("_access", "_actions", "_names", "_on_failure", "_performs", "_request_id")

    _access: Access
    _actions: Mapping[str, Action]
    _names: frozenset[str]
    _performs: Mapping[str, Callable[[Request], Fields]]
    _request_id: Callable[[], str]
    _on_failure: Callable[[Exception], object] | None

    def __init__(
        self,
        keys: KeyProvider,
        policy: PolicyCallable,
        *,
        profile: Profile = Profile.V1,
        arn: Callable[[str], str] = resource_name,
        request_id: Callable[[], str] = random_request_id,
        resolve_key: Resolver = key_id_of_name,
        on_failure: Callable[[Exception], object] | None = None,
        allow_ambiguous: bool = False,
        extra_actions: Mapping[str, ExtraAction] | None = None,
    ) -> None:
        """Create the API for keys and a policy.

        `Plaintext` in requests of Encrypt and in responses of Decrypt depends on the payload of
        `profile`:

        - `Payload.BASE64` in the service's layout, as in `Profile.ALIBABA`: an opaque text of 0 to
          8,192 bytes in UTF-8. It is encrypted and returned unchanged, also if it is not Base64,
          such as a password.
        - `Payload.BASE64` in v1, as in `Profile.V1_TEXT`: the same, with 0 to 6,144 bytes.
        - `Payload.RAW`, as in `Profile.V1`: strict Base64 of 0 to 6,144 bytes; the bytes are
          encrypted.

        A v1 blob does not record its payload. Choose one payload for a deployment, and keep it.

        Args:
            keys: A `KeyProvider`; for a profile of the service's layout a `KeyVersionProvider`,
                such as `VersionIndex`.
            policy: A callable such as `Policy`, `Policies` or `ALLOW_ALL`. It takes the principal,
                an action and a resource name, and is called once for each action and resource name
                of a request. Only the result `True` allows the action.
            profile: The layout and payload of every blob in requests and responses.
            arn: A callable that returns the resource name of a key ID, for the policy. The default
                returns `acs:kms:*:*:key/KEYID`.
            request_id: A callable that returns a new request ID for each call, in printable ASCII.
                The default returns a random UUID.
            resolve_key: A callable that returns the key ID of an alias (`alias/…`) or of a resource
                name (`acs:kms:…`) of an alias or key, or `None`. It receives only such names of at
                most 512 printable characters; other names have no key. The default knows no
                aliases, and ignores the region and account of a resource name.
            on_failure: A callable that takes an exception of the keys, the policy, `arn` or
                `resolve_key` that the request did not cause. The response is then
                `InternalFailure`. If it is `None`, `call` raises that exception.
            allow_ambiguous: Whether to accept contexts that the service's rule does not distinguish
                from others (`is_ambiguous`). It has no effect in v1.
            extra_actions: Actions that are added to the nine, by name (default `None`).

        Raises:
            TypeError: If an argument has the wrong type.
            ValueError: If `extra_actions` has one of the nine.
        """
        check_instance(profile, Profile, "profile")
        check_instance(allow_ambiguous, bool, "allow_ambiguous")
        if profile.is_v1:
            check_provider(keys)
        else:
            check_version_provider(keys)
        check_callable(policy, "policy")
        for name, value in (("arn", arn), ("request_id", request_id), ("resolve_key", resolve_key)):
            check_callable(value, name)
        check_optional_callable(on_failure, "on_failure")
        check_mapping(extra_actions, "extra_actions")
        extra = dict(extra_actions or {})
        for name, action in extra.items():
            check_instance(action, ExtraAction, f"extra_actions[{name!r}]")
            if name in PERFORM:
                raise ValueError(f"extra_actions: {name} is an action of this package")
        performs = dict(PERFORM) | {name: each.perform for name, each in extra.items()}
        actions = dict(actions_of(profile)) | {name: each.action for name, each in extra.items()}
        self._set(
            _access=Access(keys, policy, profile, allow_ambiguous, arn, resolve_key),
            _actions=MappingProxyType(actions),
            _names=names_of(actions.values()),
            _performs=MappingProxyType(performs),
            _request_id=request_id,
            _on_failure=on_failure,
        )

    def call(
        self,
        params: Mapping[str, object],
        *,
        principal: object = None,
        facts: Facts | None = None,
    ) -> ApiResponse:
        """Perform the action of a request.

        Every error of the request itself is returned as a response.

        Args:
            params: The parameters of query and form, merged into one flat mapping of strings, with
                `Action` among them. An encryption context can also be a mapping, or one parameter
                per pair (see the module `parameter_names`). If a request has two parameters of the
                same name, reject it before this call, because a mapping has only one of them.
            principal: The authenticated caller, for the policy. This method does not check
                signatures, so authenticate the caller before.
            facts: Facts about the request, for the conditions of a policy (`acs:SourceIp`,
                `acs:CurrentTime`, `acs:SecureTransport`). The policy gets them as a fourth
                argument; with `None` (default) it gets three.

        Returns:
            The response, a result or an error. An opaque `Plaintext` can have characters that XML
            does not have; `xml()` of that response raises `ValueError`, and `json()` works.

        Raises:
            TypeError: If `params` or `facts` is not a mapping, or if `request_id` returns a value
                that is not a string.
            ValueError: If `request_id` returns a string that is not printable ASCII.
            KmsCoreError: If `on_failure` is `None`, and an operation fails with an error that the
                request did not cause, such as an invalid key.
            Exception: Any exception of `request_id` or `on_failure`. If `on_failure` is `None`,
                also any other exception of the keys, the policy, `arn`, `resolve_key` or a mapping
                in the request.
        """
        return self.handle(params, principal=principal, facts=facts).response

    def handle(
        self,
        params: Mapping[str, object],
        *,
        principal: object = None,
        facts: Facts | None = None,
        with_contexts: bool = False,
    ) -> "Handled":
        """Perform the action of a request, and return the response with its record.

        Args:
            params: As for `call`.
            principal: As for `call`.
            facts: As for `call`.
            with_contexts: Whether the record has the encryption contexts (default `False`).

        Returns:
            The response, and the record for an audit log.

        Raises:
            TypeError: As for `call`.
            ValueError: As for `call`.
            KmsCoreError: As for `call`.
            Exception: As for `call`.
        """
        check_instance(params, Mapping, "params")
        request_id = self.new_request_id()
        is_dry_run, name, action = False, "", ""
        access = self._access
        if facts is not None:
            check_instance(facts, Mapping, "facts")
            access = replace(access, facts=facts)
        run = _Run(access, principal)
        answer: Fields | Fault
        try:
            # The mapping is read only once, because a second read can give other values.
            given = by_exact_name(params)
            action = recorded_action(exact_text(given.get(ACTION)))
            misspelt = misspelt_names(given, self._names)
            is_dry_run = _is_dry_run(given, misspelt)
            name = self._action_name(given, misspelt)
            check_spelling(misspelt)
            answer = self._perform(name, given, run, is_dry_run=is_dry_run)
        except RequestError as error:
            answer = error.fault
        except Exception as error:  # noqa: BLE001 (a provider can raise any exception)
            self._report(error)
            answer = service_errors.INTERNAL_FAILURE
        if is_dry_run:
            answer = service_errors.of_dry_run(answer if isinstance(answer, Fault) else None)
        event = Event(
            request_id,
            principal,
            name or action,
            answer.code if isinstance(answer, Fault) else SUCCESS,
            is_dry_run,
            *run.uses.source,
            *run.uses.destination,
            contexts=run.contexts() if with_contexts else None,
        )
        if isinstance(answer, Fault):
            return Handled(ApiResponse.of_fault(answer, request_id), event)
        return Handled(ApiResponse.of_result(name, answer, request_id), event)

    def _perform(
        self, name: str, params: Mapping[str, object], run: "_Run", *, is_dry_run: bool
    ) -> Fields:
        """Return the fields of the response.

        Raises `RequestError` for an error of the request, and any other exception unchanged.
        """
        action = self._actions[name]
        values = run.values = read_parameters(action, gather_contexts(action, params))
        self._check_contexts(values)
        try:
            request = Request(run.access, run.principal, values, is_dry_run, run.uses)
            return self._performs[name](request)
        except KmsCoreError as error:
            fault = fault_of(error, action.subjects)
            if fault == service_errors.INTERNAL_FAILURE:
                raise
        raise RequestError(fault)

    def serves(self, action: str) -> bool:
        """Return whether the API has an action.

        Args:
            action: The name of the action.

        Returns:
            `True` for the nine actions and the extra actions.
        """
        return action in self._actions

    def _action_name(self, params: Mapping[str, object], misspelt: frozenset[str]) -> str:
        """Return the name of the action, or raise `RequestError` if it is missing or unknown."""
        check_spelling(misspelt & {ACTION})
        given = params.get(ACTION)
        if is_absent(given):
            raise RequestError(service_errors.missing_parameter(ACTION))
        name = exact_text(given)
        if name is None or not self.serves(name):
            raise RequestError(service_errors.UNSUPPORTED_OPERATION)
        return name

    def _report(self, error: Exception) -> None:
        """Pass an exception to `on_failure`, or raise it if there is no `on_failure`."""
        if self._on_failure is None:
            raise error
        self._on_failure(error)

    def new_request_id(self) -> str:
        """Return a new request ID that is valid in both JSON and XML.

        Returns:
            The request ID, printable ASCII.

        Raises:
            TypeError: If `request_id` returns a value that is not a string.
            ValueError: If `request_id` returns a string that is not printable ASCII.
            Exception: Any exception of `request_id`.
        """
        request_id = self._request_id()
        check_instance(request_id, str, "request_id()")
        if not (request_id.isascii() and request_id.isprintable()):
            raise ValueError("request_id() must return printable ASCII")
        return request_id

    def _check_contexts(self, values: Mapping[str, Any]) -> None:
        """Raise `RequestError` for an ambiguous context that is not allowed."""
        if self._access.profile.is_v1 or self._access.allow_ambiguous:
            return
        for name, value in values.items():
            if isinstance(value, EncryptionContext) and is_confused(value, self._access.profile):
                raise RequestError(invalid_parameter(name))

    @representation
    def __repr__(self) -> str:
        """Return the name of the layout, without any data of the keys."""
        return f"<KmsApi layout={self._access.profile.layout.value}>"


def _is_dry_run(params: Mapping[str, object], misspelt: frozenset[str]) -> bool:
    """Return whether a request is a dry run, or raise `RequestError`."""
    check_spelling(misspelt & {DRY_RUN.name})
    return read_parameter(DRY_RUN, params.get(DRY_RUN.name)) is True
