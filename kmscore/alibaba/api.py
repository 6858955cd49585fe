"""The service's surface: a request as a mapping of parameters in, a response out. No I/O.

The order is the same for every action: read the parameters, find out which keys are meant, ask
whether the caller may, and only then see whether those keys exist, are enabled and fit.
"""

import uuid
from collections.abc import Callable, Mapping
from typing import Any, final

from kmscore._typecheck import check_instance
from kmscore._values import Immutable, representation
from kmscore.alibaba import service_errors
from kmscore.alibaba.access import Access, Resolver, key_id_of_name, resource_name
from kmscore.alibaba.actions import PERFORM, Fields, Request
from kmscore.alibaba.context_rule import is_confused
from kmscore.alibaba.parameter_names import (
    ACTION,
    by_exact_name,
    check_spelling,
    gather_contexts,
    misspelt_names,
)
from kmscore.alibaba.parameters import (
    ACTIONS,
    DRY_RUN,
    Action,
    actions_of,
    exact_text,
    is_absent,
    read_parameter,
    read_parameters,
)
from kmscore.alibaba.policy import PolicyCallable, check_policy
from kmscore.alibaba.profile import Profile
from kmscore.alibaba.responses import ApiResponse
from kmscore.alibaba.service_errors import Fault, RequestError, fault_of, invalid_parameter
from kmscore.alibaba.version_index import check_version_provider
from kmscore.context import EncryptionContext
from kmscore.errors import KmsCoreError
from kmscore.keyring import KeyProvider
from kmscore.lookup import check_provider


def random_request_id() -> str:
    """Return a random UUID."""
    return str(uuid.uuid4())


@final
class KmsApi(Immutable):
    """The nine cryptographic actions of the service, over keys of your own.

    Immutable, and shared between threads as far as what it is given may be.
    """

    __slots__ = ("_access", "_actions", "_on_failure", "_request_id")

    _access: Access
    _actions: Mapping[str, Action]
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
    ) -> None:
        """Take keys, and who may use them.

        - `keys`: a `KeyProvider`; for a profile of the service's layout a `KeyVersionProvider`.
        - `policy`: called with principal, action and resource, once for each action and resource of
          a request; only `True` allows. There is no default: `Policy`, `Policies`, `ALLOW_ALL`, or
          your own.
        - `profile`: the layout of every blob, in and out, and what is sealed in it. With the
          payload `BASE64`, as `Profile.ALIBABA` has it, `Plaintext` of Encrypt and Decrypt is an
          opaque text of at most 8,192 bytes in UTF-8: it is sealed and answered as it is, whether
          it is Base64 or a password. With the payload `RAW`, as `Profile.V1` has it, it is strict
          Base64, and its bytes are sealed. `Profile.V1_TEXT` is v1 with opaque texts, of at most
          6,144 bytes. A v1 blob does not record which of the two it is: choose one for a
          deployment, and keep it.
        - `arn`: the resource name of a key ID, which the policy is asked about.
        - `request_id`: gives a fresh request ID, printable ASCII, for each call.
        - `resolve_key`: gives the key ID behind an alias (`alias/…`) or a resource name
          (`acs:kms:…`), or `None`. It is asked only about names of 1 to 512 printable characters;
          others name nothing. By default aliases are unknown, and of a resource name region and
          account are not looked at.
        - `on_failure`: is given whatever the keys, the policy, `arn` or `resolve_key` raises that
          no request is to blame for, and the caller gets `InternalFailure`. Without it, it is
          raised.
        - `allow_ambiguous`: whether contexts are taken that the service's rule confuses with others
          (`is_ambiguous`); v1 confuses none.

        Raises `TypeError` for a wrong type.
        """
        check_instance(profile, Profile, "profile")
        check_instance(allow_ambiguous, bool, "allow_ambiguous")
        if profile.is_v1:
            check_provider(keys)
        else:
            check_version_provider(keys)
        check_policy(policy)
        for name, value in (("arn", arn), ("request_id", request_id), ("resolve_key", resolve_key)):
            _check_callable(value, name)
        if on_failure is not None:
            _check_callable(on_failure, "on_failure")
        self._set(
            _access=Access(keys, policy, profile, allow_ambiguous, arn, resolve_key),
            _actions=actions_of(profile),
            _request_id=request_id,
            _on_failure=on_failure,
        )

    def call(self, params: Mapping[str, object], *, principal: object = None) -> ApiResponse:
        """Return the response to a request.

        `params` is a flat mapping of texts, as a web framework has it once query and form are
        merged, with `Action` among them; the encryption contexts may also be mappings, or flattened
        into one parameter per pair (`parameter_names`). A mapping shows only one of two parameters
        of the same name: reject such requests before this call. `principal` is handed to the
        policy. Who it is has to have been found out before: signatures are not
        looked at here.

        A text of an opaque `Plaintext` can have characters that XML does not have: `xml()` of that
        response raises `ValueError`, and `json()` has it.

        Every fault of the request is a response. Raises `TypeError` if `params` is no mapping, what
        `request_id` raises, and without `on_failure` what the keys, the policy, `arn`,
        `resolve_key` or a mapping raises.
        """
        check_instance(params, Mapping, "params")
        request_id = self._fresh_request_id()
        is_dry_run, name = False, ""
        answer: Fields | Fault
        try:
            # Once: a mapping may answer otherwise the second time.
            given = by_exact_name(params)
            misspelt = misspelt_names(given)
            is_dry_run = _is_dry_run(given, misspelt)
            name = _action_name(given, misspelt)
            check_spelling(misspelt)
            answer = self._perform(name, given, principal, is_dry_run=is_dry_run)
        except RequestError as error:
            answer = error.fault
        except Exception as error:  # noqa: BLE001 (whatever a provider raises is no answer)
            self._report(error)
            answer = service_errors.INTERNAL_FAILURE
        if is_dry_run:
            answer = service_errors.of_dry_run(answer if isinstance(answer, Fault) else None)
        if isinstance(answer, Fault):
            return ApiResponse.of_fault(answer, request_id)
        return ApiResponse.of_result(name, answer, request_id)

    def _perform(
        self, name: str, params: Mapping[str, object], principal: object, *, is_dry_run: bool
    ) -> Fields:
        """Return the fields of the response.

        Raises `RequestError`, and as it is what no request is to blame for.
        """
        action = self._actions[name]
        values = read_parameters(action, gather_contexts(action, params))
        self._check_contexts(values)
        try:
            return PERFORM[name](Request(self._access, principal, values, is_dry_run))
        except KmsCoreError as error:
            fault = fault_of(error, action.subjects)
            if fault == service_errors.INTERNAL_FAILURE:
                raise
        raise RequestError(fault)

    def _report(self, error: Exception) -> None:
        """Give an exception to the embedder, by the callback or by raising it."""
        if self._on_failure is None:
            raise error
        self._on_failure(error)

    def _fresh_request_id(self) -> str:
        """Return a request ID that can stand in every form of a response."""
        request_id = self._request_id()
        check_instance(request_id, str, "request_id()")
        if not (request_id.isascii() and request_id.isprintable()):
            raise ValueError("request_id() must give printable ASCII")
        return request_id

    def _check_contexts(self, values: Mapping[str, Any]) -> None:
        """Raise `RequestError` for a context that the layout cannot tell from others."""
        if self._access.profile.is_v1 or self._access.allow_ambiguous:
            return
        for name, value in values.items():
            if isinstance(value, EncryptionContext) and is_confused(value, self._access.profile):
                raise RequestError(invalid_parameter(name))

    @representation
    def __repr__(self) -> str:
        """Show the layout, and nothing of the keys."""
        return f"<KmsApi layout={self._access.profile.layout.value}>"


def _is_dry_run(params: Mapping[str, object], misspelt: frozenset[str]) -> bool:
    """Tell whether a request is a dry run, or raise `RequestError`."""
    check_spelling(misspelt & {DRY_RUN.name})
    return read_parameter(DRY_RUN, params.get(DRY_RUN.name)) is True


def _action_name(params: Mapping[str, object], misspelt: frozenset[str]) -> str:
    """Return the name of an action, or raise `RequestError` if it is missing or none of ours."""
    check_spelling(misspelt & {ACTION})
    given = params.get(ACTION)
    if is_absent(given):
        raise RequestError(service_errors.missing_parameter(ACTION))
    name = exact_text(given)
    if name is None or name not in ACTIONS:
        raise RequestError(service_errors.UNSUPPORTED_OPERATION)
    return name


def _check_callable(value: object, name: str) -> None:
    """Raise `TypeError` unless `value` can be called."""
    if not callable(value):
        raise TypeError(f"{name} must be callable, not {type(value).__name__}")
