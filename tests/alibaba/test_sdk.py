"""The clients of the vendor with the example server: every action and error, on loopback."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
from alibabacloud_kms20160120 import models
from alibabacloud_kms20160120.client import Client
from alibabacloud_tea_openapi.exceptions import ClientException as ClientError
from alibabacloud_tea_openapi.exceptions import ServerException as ServerError
from alibabacloud_tea_openapi.models import Config
from aliyunsdkcore.acs_exception.exceptions import ServerException as OldError
from aliyunsdkcore.client import AcsClient
from aliyunsdkkms.request.v20160120 import (
    AsymmetricDecryptRequest,
    AsymmetricEncryptRequest,
    DecryptRequest,
    EncryptRequest,
    ExportDataKeyRequest,
    GenerateAndExportDataKeyRequest,
    GenerateDataKeyRequest,
    GenerateDataKeyWithoutPlaintextRequest,
    ReEncryptRequest,
)
from support import service_api as support
from support.service_api import RSA, SM2, STATES, make_api, resolve, serving
from support.time_limits import PATIENCE

import kmscore
from kmscore import Keyring, alibaba

Call = Callable[..., dict[str, Any]]
"""A function from an action and its wire parameters to the body of the response."""

CONTEXT = {"租户": "a&b=c", "é=": "", "&": "=&"}
OLD_REQUESTS = {
    name.removesuffix("Request"): getattr(module, name)
    for module in (
        AsymmetricDecryptRequest,
        AsymmetricEncryptRequest,
        DecryptRequest,
        EncryptRequest,
        ExportDataKeyRequest,
        GenerateAndExportDataKeyRequest,
        GenerateDataKeyRequest,
        GenerateDataKeyWithoutPlaintextRequest,
        ReEncryptRequest,
    )
    for name in (module.__name__.rpartition(".")[2],)
}


def snake(name: str) -> str:
    """Return the name of a parameter or an action in the current client."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]


def current_client(port: int, **options: Any) -> Call:
    """Return a function that calls the server with the current client."""
    client = Client(
        Config(
            access_key_id="test",
            access_key_secret="test",
            endpoint=f"127.0.0.1:{port}",
            protocol="http",
            region_id="cn-hangzhou",
            connect_timeout=1000 * PATIENCE,
            read_timeout=1000 * PATIENCE,
            **options,
        )
    )

    def call(action: str, **params: Any) -> dict[str, Any]:
        request = getattr(models, f"{action}Request")(
            **{snake(name): value for name, value in params.items()}
        )
        body = getattr(client, snake(action))(request).body.to_map()
        return dict(body)

    return call


def old_client(port: int) -> Call:
    """Return a function that calls the server with the previous client."""
    client = AcsClient(
        "test", "test", "cn-hangzhou", auto_retry=False, timeout=PATIENCE, connect_timeout=PATIENCE
    )

    def call(action: str, **params: Any) -> dict[str, Any]:
        request = OLD_REQUESTS[action]()
        request.set_endpoint(f"127.0.0.1:{port}")
        request.set_protocol_type("http")
        for name, value in params.items():
            text = json.dumps(value) if isinstance(value, Mapping) else value
            if hasattr(request, f"set_{name}"):
                getattr(request, f"set_{name}")(text)
            else:
                request.add_query_param(name, text)
        return dict(json.loads(client.do_action_with_exception(request)))

    return call


CLIENTS: dict[str, Callable[[int], Call]] = {
    "current": current_client,
    "current, signed as before": lambda port: current_client(port, signature_algorithm="v2"),
    "old": old_client,
}


@pytest.fixture(scope="module", params=list(support.PROFILES))
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    """Run a server in each layout; its policy allows every key except one."""

    def policy(_principal: object, action: str, resource: str) -> bool:
        return not (action == "kms:Encrypt" and resource.endswith("key/forbidden"))

    profile = support.PROFILES[request.param]
    api = make_api(
        policy,
        profile=profile,
        allow_ambiguous=True,
        resolve_key=resolve,
        on_failure=lambda _: None,
    )
    with serving(api) as number:
        yield number


@pytest.fixture(params=list(CLIENTS))
def call(request: pytest.FixtureRequest, port: int) -> Call:
    """Return each client."""
    return CLIENTS[request.param](port)


def test_encryption_round_trip(call: Call) -> None:
    """6,144 bytes under a context with non-ASCII characters and separators stay the same."""
    plaintext = support.to_base64(bytes(range(256)) * 24)
    sealed = call("Encrypt", KeyId="orders", Plaintext=plaintext, EncryptionContext=CONTEXT)
    assert (sealed["KeyId"], sealed["KeyVersionId"]) == ("orders", support.VERSION)
    opened = call("Decrypt", CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=CONTEXT)
    assert opened["Plaintext"] == plaintext
    assert (opened["KeyId"], opened["KeyVersionId"]) == ("orders", support.VERSION)


def test_reencryption_changes_the_key(call: Call) -> None:
    """The response names the source key, and the new ciphertext is under the destination key."""
    sealed = call("Encrypt", KeyId="orders", Plaintext="aGk=", EncryptionContext=CONTEXT)
    moved = call(
        "ReEncrypt",
        CiphertextBlob=sealed["CiphertextBlob"],
        SourceEncryptionContext=CONTEXT,
        DestinationKeyId="archive",
        DestinationEncryptionContext={},
    )
    assert (moved["KeyId"], moved["KeyVersionId"]) == ("orders", support.VERSION)
    opened = call("Decrypt", CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={})
    assert (opened["KeyId"], opened["Plaintext"]) == ("archive", "aGk=")


def test_data_keys_are_generated(call: Call) -> None:
    """`NumberOfBytes` overrides `KeySpec`; the default is 32 bytes."""
    lengths = []
    for options in ({}, {"KeySpec": "AES_128"}, {"KeySpec": "AES_128", "NumberOfBytes": 1024}):
        drawn = call("GenerateDataKey", KeyId="orders", EncryptionContext=CONTEXT, **options)
        opened = call("Decrypt", CiphertextBlob=drawn["CiphertextBlob"], EncryptionContext=CONTEXT)
        assert opened["Plaintext"] == drawn["Plaintext"]
        lengths.append(len(base64.b64decode(drawn["Plaintext"])))
    assert lengths == [32, 16, 1024]
    sealed = call("GenerateDataKeyWithoutPlaintext", KeyId="orders", NumberOfBytes=7)
    assert "Plaintext" not in sealed
    opened = call("Decrypt", CiphertextBlob=sealed["CiphertextBlob"])
    assert len(base64.b64decode(opened["Plaintext"])) == 7


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA, "RSAES_OAEP_SHA_256"), (RSA, "RSAES_OAEP_SHA_1"), (SM2, "SM2PKE")],
    ids=["RSA with SHA-256", "RSA with SHA-1", "SM2"],
)
def test_the_published_flow_keeps_the_data_key(call: Call, key: Any, algorithm: str) -> None:
    """The data key stays the same after generation, export, re-encryption and decryption."""
    drawn = call("GenerateDataKey", KeyId="orders", EncryptionContext=CONTEXT)
    wrapping = {
        "PublicKeyBlob": support.to_base64(key.public_key.to_der()),
        "WrappingAlgorithm": algorithm,
        "WrappingKeySpec": key.spec.value,
    }
    exported = call(
        "ExportDataKey",
        CiphertextBlob=drawn["CiphertextBlob"],
        EncryptionContext=CONTEXT,
        **wrapping,
    )
    assert exported["KeyId"] == "orders"
    moved = call(
        "ReEncrypt",
        CiphertextBlob=exported["ExportedDataKey"],
        SourceKeyId=key.key_id,
        SourceKeyVersionId=key.key_version_id,
        SourceEncryptionAlgorithm=algorithm,
        DestinationKeyId="archive",
        DestinationEncryptionContext={"to": "archive"},
    )
    assert (moved["KeyId"], moved["KeyVersionId"]) == (key.key_id, key.key_version_id)
    opened = call(
        "Decrypt",
        CiphertextBlob=moved["CiphertextBlob"],
        EncryptionContext={"to": "archive"},
    )
    assert opened["Plaintext"] == drawn["Plaintext"]
    both = call("GenerateAndExportDataKey", KeyId="orders", NumberOfBytes=24, **wrapping)
    asymmetric = {"KeyId": key.key_id, "KeyVersionId": key.key_version_id, "Algorithm": algorithm}
    unwrapped = call("AsymmetricDecrypt", CiphertextBlob=both["ExportedDataKey"], **asymmetric)
    opened = call("Decrypt", CiphertextBlob=both["CiphertextBlob"])
    assert opened["Plaintext"] == unwrapped["Plaintext"]


def test_asymmetric_round_trip(call: Call) -> None:
    """A ciphertext of a public key is decrypted with the same key version."""
    version = {"KeyId": "rsa", "KeyVersionId": "r1", "Algorithm": "RSAES_OAEP_SHA_256"}
    sealed = call("AsymmetricEncrypt", Plaintext="aGk=", **version)
    assert (sealed["KeyId"], sealed["KeyVersionId"]) == ("rsa", "r1")
    opened = call("AsymmetricDecrypt", CiphertextBlob=sealed["CiphertextBlob"], **version)
    assert (opened["KeyId"], opened["Plaintext"]) == ("rsa", "aGk=")


def test_aliases_and_resource_names_are_resolved(call: Call) -> None:
    """They name a key where the service accepts them, and the response has the key ID."""
    for name in (*support.ALIASES, "acs:kms:cn-hangzhou:1:key/orders"):
        assert call("Encrypt", KeyId=name, Plaintext="")["KeyId"] == "orders"


FAULTS: dict[str, tuple[int, str, dict[str, Any]]] = {
    "a parameter that is missing": (400, "MissingParameter", {"Plaintext": None}),
    "a parameter that is wrong": (400, "InvalidParameter", {"Plaintext": "*" * 8193}),
    "a context that is none": (400, "InvalidParameter", {"EncryptionContext": {"a": 1}}),
    "no permission": (403, "Forbidden.NoPermission", {"KeyId": "forbidden"}),
    "an unknown key": (404, "Forbidden.KeyNotFound", {"KeyId": "nobody"}),
    "an unknown alias": (404, "Forbidden.AliasNotFound", {"KeyId": "alias/nobody"}),
    "a key of the wrong kind": (400, "UnsupportedOperation", {"KeyId": "rsa"}),
    **{
        f"a key that is {key_id}": (409, f"Rejected.{state.value}", {"KeyId": key_id})
        for key_id, state in STATES.items()
    },
}


def rejection(call: Call, action: str, **params: Any) -> tuple[int, str, str]:
    """Return the status, code and message of the exception that a client raises."""
    params = {name: value for name, value in params.items() if value is not None}
    with pytest.raises((OldError, ClientError, ServerError)) as caught:
        call(action, **params)
    error: Any = caught.value
    if isinstance(error, OldError):
        return error.get_http_status(), error.get_error_code(), error.get_error_msg()
    assert isinstance(error, ServerError) == (error.status_code >= 500)
    return error.status_code, error.code, error.data["Message"]


@pytest.mark.parametrize("fault", FAULTS)
def test_each_error_is_raised_by_the_client(call: Call, fault: str) -> None:
    """Status and code are those in the table of the service."""
    status, code, changed = FAULTS[fault]
    params = {"KeyId": "orders", "Plaintext": "aGk="} | changed
    assert rejection(call, "Encrypt", **params)[:2] == (status, code)


def test_errors_of_other_actions_are_raised_by_the_client(call: Call) -> None:
    """An alias in a re-encryption, an unknown version and a failed decryption are reported."""
    blob = call("Encrypt", KeyId="orders", Plaintext="aGk=")["CiphertextBlob"]
    move = {"CiphertextBlob": blob, "DestinationKeyId": "alias/orders"}
    assert rejection(call, "ReEncrypt", **move)[:2] == (400, "Unsupported.Alias")
    version = {"KeyId": "rsa", "KeyVersionId": "r2", "Algorithm": "RSAES_OAEP_SHA_1"}
    expected = (404, "Forbidden.KeyVersionNotFound", "The specified Key version is not found.")
    assert rejection(call, "AsymmetricEncrypt", Plaintext="", **version) == expected
    wrong = rejection(call, "Decrypt", CiphertextBlob=blob, EncryptionContext={"a": "b"})
    assert wrong == (
        400,
        "InvalidParameter",
        'The specified parameter "CiphertextBlob" is not valid.',
    )


def test_a_dry_run_has_three_outcomes(call: Call) -> None:
    """Success, a wrong parameter and a missing permission each give a different error."""
    params = {"Plaintext": "aGk=", "DryRun": "true"}
    assert rejection(call, "Encrypt", KeyId="orders", **params)[:2] == (400, "DryRunOperationError")
    assert rejection(call, "Encrypt", KeyId="nobody", **params)[:2] == (400, "ValidationError")
    assert rejection(call, "Encrypt", KeyId="forbidden", **params)[:2] == (403, "AccessDeniedError")


class Broken:
    """A provider that raises a given error."""

    def __init__(self, error: Exception) -> None:
        """Take the error."""
        self._error = error

    def primary(self, *_: str) -> Any:
        """Raise the error."""
        raise self._error

    version = primary


@pytest.mark.parametrize("client", CLIENTS)
def test_an_exception_of_a_provider_is_an_internal_failure(client: str) -> None:
    """The client does not get its text; `on_failure` gets the exception."""
    seen: list[Exception] = []
    error = OSError("the disk of the store is full of secrets")
    with serving(make_api(keys=Broken(error), on_failure=seen.append)) as port:
        call = CLIENTS[client](port)
        params = {"KeyId": "orders", "Plaintext": ""}
        answers = [rejection(call, "Encrypt", **params, DryRun=dry) for dry in (None, "true")]
    assert answers == [(500, "InternalFailure", "Internal Failure.")] * 2
    assert seen == [error, error]


# The errors of the client, by the error of the provider: in Encrypt, an action without a
# ciphertext, and in Decrypt.
RAISED: dict[type[kmscore.KmsCoreError], tuple[tuple[int, str], tuple[int, str]]] = {
    kmscore.InvalidBlobError: ((500, "InternalFailure"), (400, "InvalidParameter")),
    kmscore.DecryptionError: ((500, "InternalFailure"), (400, "InvalidParameter")),
    kmscore.IncorrectKeyError: ((500, "InternalFailure"), (400, "InvalidParameter")),
    kmscore.InvalidKeyError: ((500, "InternalFailure"), (500, "InternalFailure")),
    **{
        kind: (answer, answer)
        for kind, answer in {
            kmscore.InvalidContextError: (400, "InvalidParameter"),
            kmscore.PlaintextSizeError: (400, "InvalidParameter"),
            kmscore.KeyNotFoundError: (404, "Forbidden.KeyNotFound"),
            kmscore.KeyVersionNotFoundError: (404, "Forbidden.KeyVersionNotFound"),
            kmscore.KeyStateError: (409, "Rejected.PendingImport"),
            kmscore.KeyUsageError: (400, "UnsupportedOperation"),
            kmscore.UnsupportedAlgorithmError: (400, "UnsupportedOperation"),
        }.items()
    },
}


@pytest.mark.parametrize("kind", RAISED)
def test_each_error_class_is_raised_by_the_client(kind: type[kmscore.KmsCoreError]) -> None:
    """The client raises the code of each library error that a provider can raise."""
    state = ("PendingImport",) if kind is kmscore.KeyStateError else ()
    blob = support.seal(make_api())
    with serving(make_api(keys=Broken(kind(*state)), on_failure=lambda _: None)) as port:
        call = current_client(port)
        sealing = rejection(call, "Encrypt", KeyId="orders", Plaintext="")[:2]
        opening = rejection(call, "Decrypt", CiphertextBlob=blob)[:2]
    assert (sealing, opening) == RAISED[kind]


def test_the_table_of_error_classes_is_complete() -> None:
    """The table above has every error class of the library."""
    assert set(RAISED) == set(alibaba.service_errors.ERRORS)


def test_the_server_answers_in_xml_too() -> None:
    """Success and error have the content type that the client parses as XML."""
    with serving(make_api()) as port:
        for key_id, status, root in (("orders", 200, "EncryptResponse"), ("x", 404, "Error")):
            query = urlencode(
                {"Action": "Encrypt", "KeyId": key_id, "Plaintext": "", "Format": "XML"}
            )
            connection = HTTPConnection("127.0.0.1", port)
            connection.request("GET", f"/?{query}")
            response = connection.getresponse()
            document = ET.fromstring(response.read())  # noqa: S314 (our own)
            connection.close()
            assert (response.status, document.tag) == (status, root)
            assert response.headers["Content-Type"] == "text/xml;charset=utf-8"


def test_a_password_is_encrypted_as_text() -> None:
    """Each Python client can do so with text payloads; with raw payloads it is rejected."""
    text = "p@ss wörd+%20&=\n"
    for profile in (alibaba.Profile.ALIBABA, alibaba.Profile.V1_TEXT, alibaba.Profile.V1):
        with serving(make_api(profile=profile)) as port:
            for client in CLIENTS.values():
                call = client(port)
                if profile is alibaba.Profile.V1:
                    rejected = rejection(call, "Encrypt", KeyId="orders", Plaintext=text)
                    assert rejected[:2] == (400, "InvalidParameter")
                    continue
                sealed = call("Encrypt", KeyId="orders", Plaintext=text)
                blob = {"CiphertextBlob": sealed["CiphertextBlob"]}
                assert call("Decrypt", **blob)["Plaintext"] == text
                moved = call("ReEncrypt", **blob, DestinationKeyId="archive")
                blob = {"CiphertextBlob": moved["CiphertextBlob"]}
                assert call("Decrypt", **blob)["Plaintext"] == text


def test_a_parameter_with_two_values_is_rejected_by_the_server(port: int) -> None:
    """A mapping would keep one value, and the same pair twice is rejected too."""
    query = "Action=Encrypt&KeyId=orders&Plaintext=aGk%3D&EncryptionContext.a=1"
    for more, form, status in (
        ("&EncryptionContext.a=2", "", 400),
        ("", "EncryptionContext.a=2", 400),
        ("", "EncryptionContext.a=1", 400),
        ("", "", 200),
    ):
        connection = HTTPConnection("127.0.0.1", port)
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", f"/?{query}{more}", body=form, headers=kind)
        response = connection.getresponse()
        response.read()
        connection.close()
        assert response.status == status


def node_client(port: int, action: str, params: Mapping[str, str]) -> dict[str, Any]:
    """Send a request like `@alicloud/kms20160120`: all except the action in the query."""
    headers = {"x-acs-action": action, "x-acs-version": "2016-01-20"}
    return answer_of(port, "POST", params, headers)


def go_client(port: int, action: str, params: Mapping[str, str]) -> dict[str, Any]:
    """Send a request like `denverdino/aliyungo`: all in the query."""
    common = {"Format": "JSON", "Version": "2016-01-20", "SignatureMethod": "HMAC-SHA1"}
    return answer_of(port, "GET", {**common, "Action": action, **params}, {})


def answer_of(
    port: int, method: str, params: Mapping[str, str], headers: Mapping[str, str]
) -> dict[str, Any]:
    """Return the body of the response to a request."""
    connection = HTTPConnection("127.0.0.1", port)
    connection.request(method, f"/?{urlencode(params)}", headers=dict(headers))
    body = json.loads(connection.getresponse().read())
    connection.close()
    return dict(body)


FLATTENED: dict[str, tuple[Callable[..., dict[str, Any]], Callable[[str], dict[str, str]]]] = {
    "Node": (node_client, lambda name: {f"{name}.租户": "a&b=c", f"{name}.a.b": ""}),
    "Go": (
        go_client,
        lambda name: {
            f"{name}.1.Key": "a.b",
            f"{name}.1.Value": "",
            f"{name}.2.Key": "租户",
            f"{name}.2.Value": "a&b=c",
        },
    ),
}


@pytest.mark.parametrize("client", FLATTENED)
def test_flattened_contexts_match_those_of_other_clients(port: int, client: str) -> None:
    """Contexts from Node and Go clients match the JSON contexts of Python clients."""
    send, flatten = FLATTENED[client]
    context = {"租户": "a&b=c", "a.b": ""}
    call = current_client(port)
    sealed = send(
        port,
        "Encrypt",
        {"KeyId": "orders", "Plaintext": "aGk=", **flatten("EncryptionContext")},
    )
    blob = {"CiphertextBlob": sealed["CiphertextBlob"]}
    assert call("Decrypt", **blob, EncryptionContext=context)["Plaintext"] == "aGk="
    assert rejection(call, "Decrypt", **blob)[:2] == (400, "InvalidParameter")
    moved = send(
        port,
        "ReEncrypt",
        {
            **blob,
            "DestinationKeyId": "archive",
            **flatten("SourceEncryptionContext"),
            **flatten("DestinationEncryptionContext"),
        },
    )
    blob = {"CiphertextBlob": moved["CiphertextBlob"]}
    assert send(port, "Decrypt", blob | flatten("EncryptionContext"))["Plaintext"] == "aGk="
    assert send(port, "Decrypt", blob)["Code"] == "InvalidParameter"
    wrong = flatten("EncryptionContext") | {"encryptioncontext.a": "b"}
    assert send(port, "Decrypt", blob | wrong)["Code"] == "InvalidParameter"


@pytest.mark.parametrize("name", CLIENTS)
def test_a_wrong_secret_is_reported_by_the_client(
    port: int, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old client takes a part of the message, and needs a colon in it."""
    monkeypatch.setattr(support, "SECRETS", {"test": "another"})
    rejected = rejection(CLIENTS[name](port), "Encrypt", KeyId="orders", Plaintext="")
    assert rejected[:2] == (400, "SignatureDoesNotMatch")


def test_an_unknown_action_is_not_supported(port: int) -> None:
    """The client raises `UnsupportedOperation`."""
    client = Client(
        Config(
            access_key_id="test",
            access_key_secret="test",
            endpoint=f"127.0.0.1:{port}",
            protocol="http",
            region_id="cn-hangzhou",
        )
    )
    with pytest.raises(ClientError) as caught:
        client.list_keys(models.ListKeysRequest())
    assert (caught.value.status_code, caught.value.code) == (400, "UnsupportedOperation")


def test_a_keyring_is_sufficient_for_v1() -> None:
    """Only the service layout looks up versions by their ID alone."""
    with serving(make_api(keys=Keyring(support.KEYS))) as port:
        call = current_client(port)
        sealed = call("Encrypt", KeyId="xaes", Plaintext="aGk=")
        assert call("Decrypt", CiphertextBlob=sealed["CiphertextBlob"])["Plaintext"] == "aGk="
