"""Actions that a server adds to the nine, and what the parts of the package do with them."""

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from support.service_api import make_api

from kmscore.alibaba import ExtraAction, Policy
from kmscore.alibaba.actions import Request
from kmscore.alibaba.parameter_readers import read_text
from kmscore.alibaba.parameters import Action, Parameter
from kmscore.alibaba.service_errors import KEY_NOT_FOUND, RequestError
from kmscore.errors import KeyNotFoundError


def list_keys(request: Request) -> dict[str, Any]:
    """Return a list of two keys, or raise the error that the request names."""
    request.access.permit_resource(request.principal, "ListKeys", "acs:kms:r:a:key")
    match request.values["Prefix"]:
        case "request":
            raise RequestError(KEY_NOT_FOUND)
        case "library":
            raise KeyNotFoundError("x")
        case "other":
            raise OSError("secret")
    return {"Keys": {"Key": [{"KeyId": "a"}, {"KeyId": "b\x01"}]}, "TotalCount": 2, "None": []}


LIST_KEYS = ExtraAction(Action((Parameter("Prefix", read_text),)), list_keys)
API = make_api(extra_actions={"ListKeys": LIST_KEYS})


def test_an_extra_action_is_performed() -> None:
    """Its fields can be lists and objects, which have elements in XML."""
    assert API.serves("ListKeys")
    assert API.serves("Encrypt")
    assert not make_api().serves("ListKeys")
    response = API.call({"Action": "ListKeys"})
    body = json.loads(response.json())
    assert body.pop("RequestId")
    assert body == {
        "Keys": {"Key": [{"KeyId": "a"}, {"KeyId": "b\x01"}]},
        "TotalCount": 2,
        "None": [],
    }
    with pytest.raises(ValueError, match="KeyId"):
        response.xml()
    response.body["Keys"]["Key"].pop()
    root = ET.fromstring(response.xml())  # noqa: S314 (our own)
    assert [(each.tag, each.text) for each in root.iter()] == [
        ("ListKeysResponse", None),
        ("Keys", None),
        ("Key", None),
        ("KeyId", "a"),
        ("TotalCount", "2"),
        ("RequestId", response.body["RequestId"]),
    ]


@pytest.mark.parametrize(("prefix", "status"), [("request", 404), ("library", 404), ("other", 500)])
def test_errors_of_an_extra_action_are_responses(prefix: str, status: int) -> None:
    """They are reported as those of the nine."""
    api = make_api(extra_actions={"ListKeys": LIST_KEYS}, on_failure=lambda _: None)
    response = api.call({"Action": "ListKeys", "Prefix": prefix})
    assert response.status == status
    assert "secret" not in str(response.body)


def test_a_name_of_an_extra_parameter_in_another_case_is_an_error() -> None:
    """As for the nine, it would be ignored otherwise, also in a request of another action."""
    for action in ("ListKeys", "Encrypt"):
        response = API.call({"Action": action, "prefix": "x"})
        assert response.body["Message"] == 'The specified parameter "Prefix" is not valid.'


def test_an_extra_action_needs_a_permission() -> None:
    """A statement about it is kept only if it is named."""
    document = json.dumps(
        {
            "Version": "1",
            "Statement": [{"Effect": "Allow", "Action": "kms:ListKeys", "Resource": "*"}],
        }
    )
    for extra, status in (((), 403), (("ListKeys",), 200)):
        policy = Policy.from_json(document, extra_actions=extra)
        api = make_api(policy, extra_actions={"ListKeys": LIST_KEYS})
        assert api.call({"Action": "ListKeys"}).status == status


@pytest.mark.parametrize(
    ("extra", "error"),
    [([], TypeError), ({"ListKeys": list_keys}, TypeError), ({"Encrypt": LIST_KEYS}, ValueError)],
    ids=["a list", "a function", "one of the nine"],
)
def test_the_constructor_checks_extra_actions(extra: Any, error: type[Exception]) -> None:
    """The nine are never replaced."""
    with pytest.raises(error, match="extra_actions"):
        make_api(extra_actions=extra)


def test_the_record_has_the_whole_name_of_an_extra_action() -> None:
    """Only the name of an action that is not served has a limit of its length."""
    api = make_api(extra_actions={"A" * 65: LIST_KEYS})
    for name, recorded in (("A" * 65, "A" * 65), ("B" * 64, "B" * 64), ("B" * 65, "")):
        assert api.handle({"Action": name}).event.action == recorded
