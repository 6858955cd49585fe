"""The management actions: responses, errors, states, permissions, pages and dry runs."""

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from alibabacloud_kms20160120 import models
from support.emulated_kms import Emulated

from kmscore import KeySpec, KeyState, PublicKey, alibaba
from kmscore.emulator import MANAGEMENT_ACTIONS, Contents, read_policy
from kmscore.emulator.management import management_actions

OK = (200, "OK")


@pytest.fixture
def kms() -> Emulated:
    """Return an empty store with its API."""
    return Emulated()


def key_in(kms: Emulated, state: KeyState, spec: KeySpec = KeySpec.AES_128) -> str:
    """Create a key in a state, without a request."""
    key_id = kms.store.create_key(spec)
    if state is not KeyState.ENABLED:
        kms.store.change(lambda contents: contents.with_key(contents.find(key_id).in_state(state)))
    return key_id


def test_a_new_key_is_described(kms: Emulated) -> None:
    """The response has the fields of the service; the dates are in UTC and in whole seconds."""
    created = kms.body("CreateKey", Description="orders of 2026 é")["KeyMetadata"]
    key_id = created["KeyId"]
    assert created == {
        "Arn": f"acs:kms:cn-hangzhou:1000000000000000:key/{key_id}",
        "AutomaticRotation": "Disabled",
        "CreationDate": "2026-11-29T08:00:00Z",
        "Creator": "1000000000000000",
        "DeleteDate": "",
        "Description": "orders of 2026 é",
        "KeyId": key_id,
        "KeySpec": "Aliyun_AES_256",
        "KeyState": "Enabled",
        "KeyUsage": "ENCRYPT/DECRYPT",
        "LastRotationDate": "2026-11-29T08:00:00Z",
        "MaterialExpireTime": "",
        "Origin": "Aliyun_KMS",
        "PrimaryKeyVersion": kms.store.primary(key_id).key_version_id,
        "ProtectionLevel": "SOFTWARE",
    }
    kms.clock.advance(days=1)
    described = created | {"DeletionProtection": "Disabled"}
    assert kms.body("DescribeKey", KeyId=key_id) == {"KeyMetadata": described}


@pytest.mark.parametrize(
    "spec", [KeySpec.AES_256, KeySpec.AES_192, KeySpec.SM4, KeySpec.RSA_2048, KeySpec.EC_SM2]
)
@pytest.mark.parametrize("profile", [alibaba.Profile.ALIBABA, alibaba.Profile.V1_TEXT])
def test_a_new_key_is_usable(spec: KeySpec, profile: alibaba.Profile) -> None:
    """A key of each spec encrypts in both layouts; an asymmetric key has no primary version."""
    kms = Emulated(profile=profile)
    made = kms.body("CreateKey", KeySpec=spec.value, ProtectionLevel="HSM")["KeyMetadata"]
    key_id = made["KeyId"]
    assert (made["KeySpec"], made["ProtectionLevel"]) == (spec.value, "HSM")
    if made["PrimaryKeyVersion"]:
        blob = kms.body("Encrypt", KeyId=key_id, Plaintext="p@ss wörd")["CiphertextBlob"]
        assert kms.body("Decrypt", CiphertextBlob=blob)["Plaintext"] == "p@ss wörd"
        assert kms.fault("GetPublicKey", KeyId=key_id, KeyVersionId=made["PrimaryKeyVersion"]) == (
            400,
            "UnsupportedOperation",
        )
        return
    version_id = kms.body("ListKeyVersions", KeyId=key_id)["KeyVersions"]["KeyVersion"][0][
        "KeyVersionId"
    ]
    version = {"KeyId": key_id, "KeyVersionId": version_id}
    public = kms.body("GetPublicKey", **version)
    assert PublicKey.from_pem(public.pop("PublicKey").encode()).spec is spec
    assert public == version
    version["Algorithm"] = "SM2PKE" if spec is KeySpec.EC_SM2 else "RSAES_OAEP_SHA_256"
    blob = kms.body("AsymmetricEncrypt", Plaintext="aGk=", **version)["CiphertextBlob"]
    assert kms.body("AsymmetricDecrypt", CiphertextBlob=blob, **version)["Plaintext"] == "aGk="


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"KeySpec": "AES"}, "InvalidParameter"),
        ({"KeySpec": "EC_P256"}, "UnsupportedOperation"),
        ({"KeyUsage": "SIGN/VERIFY"}, "UnsupportedOperation"),
        ({"KeyUsage": "sign"}, "InvalidParameter"),
        ({"Origin": "EXTERNAL"}, "UnsupportedOperation"),
        ({"Origin": "external"}, "InvalidParameter"),
        ({"ProtectionLevel": "SOFT"}, "InvalidParameter"),
        ({"Description": "x" * 8193}, "InvalidParameter"),
        # A key whose response in XML is impossible would be created with an error.
        ({"Description": "a\0b"}, "InvalidParameter"),
        ({"Description": "\ud800"}, "InvalidParameter"),
        ({"EnableAutomaticRotation": "true"}, "UnsupportedOperation"),
        ({"EnableAutomaticRotation": "maybe"}, "InvalidParameter"),
        ({"RotationInterval": "30d"}, "UnsupportedOperation"),
        ({"Tags": "[]"}, "UnsupportedOperation"),
        ({"Policy": "{}"}, "UnsupportedOperation"),
        ({"DKMSInstanceId": "kst-1"}, "UnsupportedOperation"),
        ({"description": "in another case"}, "InvalidParameter"),
    ],
)
def test_no_parameter_of_a_new_key_is_ignored(
    kms: Emulated, params: dict[str, str], expected: str
) -> None:
    """A feature that is missing here is an error, and no key is created."""
    assert kms.fault("CreateKey", **params) == (400, expected)
    assert kms.body("ListKeys")["TotalCount"] == 0


def test_every_default_of_a_new_key_can_be_given(kms: Emulated) -> None:
    """The values that the service has as defaults are accepted."""
    kms.body(
        "CreateKey",
        KeySpec="Aliyun_AES_256",
        KeyUsage="ENCRYPT/DECRYPT",
        Origin="Aliyun_KMS",
        ProtectionLevel="SOFTWARE",
        Description="x" * 8192,
        EnableAutomaticRotation="false",
    )


# The codes are those of the vendor's page on states and actions.
CHANGED = "Rejected.StateModifiedFailed"
STATES: dict[str, dict[KeyState, tuple[int, str]]] = {
    "EnableKey": {
        KeyState.PENDING_DELETION: (409, CHANGED),
        KeyState.PENDING_IMPORT: (409, CHANGED),
    },
    "DisableKey": {
        KeyState.PENDING_DELETION: (409, CHANGED),
        KeyState.PENDING_IMPORT: (409, CHANGED),
    },
    "ScheduleKeyDeletion": {KeyState.PENDING_DELETION: (409, CHANGED)},
    "CancelKeyDeletion": {
        KeyState.ENABLED: (409, CHANGED),
        KeyState.DISABLED: (409, CHANGED),
        KeyState.PENDING_IMPORT: (409, CHANGED),
    },
    "CreateAlias": {KeyState.PENDING_DELETION: (409, CHANGED)},
    "UpdateAlias": {KeyState.PENDING_DELETION: (409, CHANGED)},
    "UpdateKeyDescription": {KeyState.PENDING_DELETION: (409, "Rejected.PendingDeletion")},
    "CreateKeyVersion": {
        KeyState.DISABLED: (409, "Rejected.Disabled"),
        KeyState.PENDING_DELETION: (409, "Rejected.PendingDeletion"),
        KeyState.PENDING_IMPORT: (409, "Rejected.PendingImport"),
    },
    "DescribeKey": {},
    "ListKeyVersions": {},
    "ListAliasesByKeyId": {},
}
MORE: dict[str, dict[str, str]] = {
    "ScheduleKeyDeletion": {"PendingWindowInDays": "7"},
    "CreateAlias": {"AliasName": "alias/new"},
    "UpdateAlias": {"AliasName": "alias/old"},
    "UpdateKeyDescription": {"Description": ""},
}
AFTER = {
    "EnableKey": KeyState.ENABLED,
    "DisableKey": KeyState.DISABLED,
    "ScheduleKeyDeletion": KeyState.PENDING_DELETION,
    "CancelKeyDeletion": KeyState.ENABLED,
}


@pytest.mark.parametrize("state", KeyState)
@pytest.mark.parametrize("action", STATES)
def test_each_state_allows_what_the_page_allows(
    kms: Emulated, action: str, state: KeyState
) -> None:
    """An action that is not allowed changes nothing; one that changes the state does so."""
    kms.store.create_key(KeySpec.AES_128, alias="alias/old")
    key_id = key_in(kms, state)
    response = kms.call(action, KeyId=key_id, **MORE.get(action, {}))
    answer = (response.status, response.body.get("Code", "OK"))
    assert answer == STATES[action].get(state, OK)
    expected = AFTER.get(action, state) if answer == OK else state
    assert kms.store.contents().find(key_id).state is expected


@pytest.mark.parametrize("state", [each for each in KeyState if each is not KeyState.ENABLED])
def test_only_an_enabled_key_encrypts_and_shows_its_public_key(
    kms: Emulated, state: KeyState
) -> None:
    """The error names the state."""
    expected = (409, f"Rejected.{state.value}")
    assert kms.fault("Encrypt", KeyId=key_in(kms, state), Plaintext="") == expected
    key_id = key_in(kms, state, KeySpec.EC_SM2)
    version = kms.store.primary(key_id).key_version_id
    assert kms.fault("GetPublicKey", KeyId=key_id, KeyVersionId=version) == expected


def test_a_key_is_deleted_after_its_window(kms: Emulated) -> None:
    """Until then the deletion can be cancelled; then the key and its aliases are gone."""
    key_id = kms.store.create_key(KeySpec.AES_256, alias="alias/orders")
    other = kms.store.create_key(KeySpec.AES_256, alias="alias/other")
    blob = kms.body("Encrypt", KeyId=key_id, Plaintext="x")["CiphertextBlob"]
    schedule: dict[str, Any] = {"KeyId": key_id, "PendingWindowInDays": "7"}
    kms.body("ScheduleKeyDeletion", **schedule)
    metadata = kms.body("DescribeKey", KeyId=key_id)["KeyMetadata"]
    assert (metadata["KeyState"], metadata["DeleteDate"]) == (
        "PendingDeletion",
        "2026-12-06T08:00:00Z",
    )
    kms.clock.advance(days=6)
    kms.body("CancelKeyDeletion", KeyId=key_id)
    assert kms.body("DescribeKey", KeyId=key_id)["KeyMetadata"]["DeleteDate"] == ""
    kms.clock.advance(days=30)
    assert kms.body("Decrypt", CiphertextBlob=blob)["Plaintext"] == "x"
    kms.body("ScheduleKeyDeletion", **schedule)
    kms.clock.advance(days=6, hours=23)
    assert kms.fault("Decrypt", CiphertextBlob=blob) == (409, "Rejected.PendingDeletion")
    kms.clock.advance(hours=1)
    assert kms.fault("Decrypt", CiphertextBlob=blob) == (404, "Forbidden.KeyVersionNotFound")
    assert kms.fault("DescribeKey", KeyId=key_id) == (404, "Forbidden.KeyNotFound")
    assert kms.fault("DescribeKey", KeyId="alias/orders") == (404, "Forbidden.AliasNotFound")
    assert [each["KeyId"] for each in kms.body("ListKeys")["Keys"]["Key"]] == [other]
    assert kms.body("ListAliases")["TotalCount"] == 1


@pytest.mark.parametrize("days", ["6", "367", "x", "", "7.0", "\u0667"])
def test_a_window_has_7_to_366_days(kms: Emulated, days: str) -> None:
    """Another number is an error; the window has no default."""
    key_id = key_in(kms, KeyState.ENABLED)
    code = "InvalidParameter" if days else "MissingParameter"
    assert kms.fault("ScheduleKeyDeletion", KeyId=key_id, PendingWindowInDays=days) == (400, code)


def test_a_new_version_encrypts_and_old_ones_decrypt(kms: Emulated) -> None:
    """Versions are listed in their order, with their dates."""
    key_id = kms.body("CreateKey")["KeyMetadata"]["KeyId"]
    kms.body("CreateAlias", KeyId=key_id, AliasName="alias/orders")
    first = kms.body("Encrypt", KeyId=key_id, Plaintext="1")
    kms.clock.advance(days=1)
    made = kms.body("CreateKeyVersion", KeyId="alias/orders")["KeyVersion"]
    assert made["CreationDate"] == "2026-11-30T08:00:00Z"
    second = kms.body("Encrypt", KeyId=key_id, Plaintext="2")
    assert second["KeyVersionId"] == made["KeyVersionId"] != first["KeyVersionId"]
    assert kms.body("Decrypt", CiphertextBlob=first["CiphertextBlob"])["Plaintext"] == "1"
    listed = kms.body("ListKeyVersions", KeyId=key_id)["KeyVersions"]["KeyVersion"]
    assert listed == [
        {
            "KeyId": key_id,
            "KeyVersionId": first["KeyVersionId"],
            "CreationDate": "2026-11-29T08:00:00Z",
        },
        made,
    ]
    for each in listed:
        answer = kms.body("DescribeKeyVersion", KeyId=key_id, KeyVersionId=each["KeyVersionId"])
        assert answer == {"KeyVersion": each}
    metadata = kms.body("DescribeKey", KeyId=key_id)["KeyMetadata"]
    assert metadata["PrimaryKeyVersion"] == made["KeyVersionId"]
    assert metadata["LastRotationDate"] == "2026-11-30T08:00:00Z"
    assert kms.fault("DescribeKeyVersion", KeyId=key_id, KeyVersionId="1") == (
        404,
        "Forbidden.KeyVersionNotFound",
    )


def test_an_asymmetric_key_gets_another_version(kms: Emulated) -> None:
    """Both versions decrypt."""
    key_id = kms.store.create_key(KeySpec.EC_SM2)
    kms.body("CreateKeyVersion", KeyId=key_id)
    assert kms.body("ListKeyVersions", KeyId=key_id)["TotalCount"] == 2


def test_an_alias_is_created_moved_and_deleted(kms: Emulated) -> None:
    """Each alias names one key, and the operations resolve it, also as a resource name."""
    one, two = (kms.store.create_key(KeySpec.AES_256) for _ in range(2))
    alias = {"AliasName": "alias/orders"}
    kms.body("CreateAlias", KeyId=one, **alias)
    assert kms.fault("CreateAlias", KeyId=two, **alias) == (400, "AliasAlreadyExists")
    arn = "acs:kms:cn-hangzhou:1000000000000000:alias/orders"
    for name in ("alias/orders", arn):
        assert kms.body("Encrypt", KeyId=name, Plaintext="")["KeyId"] == one
    kms.body("UpdateAlias", KeyId=two, **alias)
    fields = {"AliasName": "alias/orders", "AliasArn": arn, "KeyId": two}
    page = {"PageNumber": 1, "PageSize": 10, "TotalCount": 1}
    assert kms.body("ListAliases") == {"Aliases": {"Alias": [fields]}, **page}
    assert kms.body("ListAliasesByKeyId", KeyId=two) == {"Aliases": {"Alias": [fields]}, **page}
    assert kms.body("ListAliasesByKeyId", KeyId=one)["Aliases"] == {"Alias": []}
    kms.body("DeleteAlias", **alias)
    for action in ("DeleteAlias", "UpdateAlias"):
        assert kms.fault(action, KeyId=one, **alias) == (404, "Forbidden.AliasNotFound")
    assert kms.fault("Encrypt", KeyId="alias/orders", Plaintext="") == (
        404,
        "Forbidden.AliasNotFound",
    )


@pytest.mark.parametrize(
    "alias", ["orders", "alias/", "alias/acs/kms", "alias/a b", f"alias/{'x' * 250}", "alias/é"]
)
def test_a_malformed_alias_is_rejected(kms: Emulated, alias: str) -> None:
    """An alias has the prefix, at most 255 characters, and no reserved prefix."""
    key_id = kms.store.create_key()
    assert kms.fault("CreateAlias", KeyId=key_id, AliasName=alias) == (400, "InvalidParameter")


BY_ID = (
    *("UpdateKeyDescription", "EnableKey", "DisableKey", "ScheduleKeyDeletion"),
    *("CancelKeyDeletion", "CreateAlias", "UpdateAlias", "ListAliasesByKeyId"),
)


@pytest.mark.parametrize("action", BY_ID)
def test_an_alias_is_no_key_id_for_actions_that_change(kms: Emulated, action: str) -> None:
    """The error is that of the service; a resource name of the key is accepted."""
    key_id = kms.store.create_key(KeySpec.AES_256, alias="alias/old")
    more = MORE.get(action, {})
    assert kms.fault(action, KeyId="alias/old", **more) == (400, "Unsupported.Alias")
    response = kms.call(action, KeyId=kms.store.key_resource(key_id), **more)
    assert response.body.get("Code", CHANGED) == CHANGED


@pytest.mark.parametrize("action", [each for each in MANAGEMENT_ACTIONS if each in STATES])
def test_a_key_that_is_missing_is_not_found(kms: Emulated, action: str) -> None:
    """The error is the same for every action with a key ID."""
    kms.store.create_key(KeySpec.AES_256, alias="alias/old")
    more = MORE.get(action, {})
    assert kms.fault(action, KeyId="nobody", **more) == (404, "Forbidden.KeyNotFound")


def test_a_version_of_a_missing_key_is_not_found(kms: Emulated) -> None:
    """The key is looked up before the version."""
    for action in ("DescribeKeyVersion", "GetPublicKey"):
        answer = kms.fault(action, KeyId="nobody", KeyVersionId="1")
        assert answer == (404, "Forbidden.KeyNotFound")


def test_pages_have_all_items_in_order(kms: Emulated) -> None:
    """The default page has 10 items; pages do not overlap, and those after the end are empty."""
    key_ids = [kms.store.create_key(KeySpec.AES_128) for _ in range(23)]
    page = kms.body("ListKeys")
    assert (page["PageNumber"], page["PageSize"], page["TotalCount"]) == (1, 10, 23)
    assert page["Keys"]["Key"][0] == {
        "KeyId": key_ids[0],
        "KeyArn": kms.store.key_resource(key_ids[0]),
    }
    listed = [
        each["KeyId"]
        for number in range(1, 5)
        for each in kms.body("ListKeys", PageNumber=str(number), PageSize="7")["Keys"]["Key"]
    ]
    assert listed == key_ids
    assert kms.body("ListKeys", PageNumber="99")["Keys"] == {"Key": []}
    assert len(kms.body("ListKeys", PageSize="100")["Keys"]["Key"]) == 23


@pytest.mark.parametrize("name", ["PageNumber", "PageSize"])
@pytest.mark.parametrize("value", ["0", "-1", "x", "9999999999", "1.5"])
def test_a_wrong_page_is_rejected(kms: Emulated, name: str, value: str) -> None:
    """Page numbers begin with 1, and a page has at most 100 items."""
    for action in ("ListKeys", "ListAliases"):
        assert kms.fault(action, **{name: value}) == (400, "InvalidParameter")
    assert kms.fault("ListKeys", PageSize="101") == (400, "InvalidParameter")


def filters(*pairs: tuple[str, list[str]]) -> str:
    """Return filters in JSON."""
    return json.dumps([{"Key": key, "Values": values} for key, values in pairs])


def test_filters_select_keys(kms: Emulated) -> None:
    """Values of one property are alternatives, and all properties must fit."""
    enabled = key_in(kms, KeyState.ENABLED)
    disabled = key_in(kms, KeyState.DISABLED)
    sm4 = kms.store.create_key(KeySpec.SM4, alias="alias/sm4")
    for given, expected in (
        ([], [enabled, disabled, sm4]),
        ([("KeyState", ["Enabled"])], [enabled, sm4]),
        ([("KeyState", ["Enabled"]), ("KeyState", ["Disabled"])], [enabled, disabled, sm4]),
        ([("KeyState", ["Enabled"]), ("KeySpec", ["Aliyun_AES_128"])], [enabled]),
        ([("KeyUsage", ["SIGN/VERIFY"])], []),
        ([("KeyUsage", ["ENCRYPT/DECRYPT"])], [enabled, disabled, sm4]),
        ([("ProtectionLevel", ["HSM"])], []),
        ([("CreatorType", ["User"])], [enabled, disabled, sm4]),
        ([("CreatorType", ["Service"])], []),
        ([("keyId", [disabled, "x"])], [disabled]),
        ([("AliasName", ["alias/sm4"])], [sm4]),
        ([("KeyState", [])], []),
    ):
        page = kms.body("ListKeys", Filters=filters(*given))
        assert [each["KeyId"] for each in page["Keys"]["Key"]] == expected
        assert page["TotalCount"] == len(expected)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[",
        "[" * 100_000,
        "[1]",
        '[{"Key":"KeyState"}]',
        '[{"Key":"KeyState","Values":["Enabled"],"More":1}]',
        '[{"Key":"KeyState","Values":"Enabled"}]',
        '[{"Key":"KeyState","Values":[1]}]',
        '[{"Key":["KeyState"],"Values":[]}]',
        '[{"Key":"KeyState","Values":["enabled"]}]',
        '[{"Key":"State","Values":["Enabled"]}]',
        filters(("keyId", [str(number) for number in range(11)])),
        filters(*[("keyId", ["1"])] * 11),
    ],
    ids=range(13),
)
def test_malformed_filters_are_rejected(kms: Emulated, text: str) -> None:
    """A filter that is ignored would list too many keys."""
    assert kms.fault("ListKeys", Filters=text) == (400, "InvalidParameter")


@pytest.mark.parametrize("name", ["DKMSInstanceId", "Creator", "TagKey", "TagValue"])
def test_filters_of_other_features_are_not_supported(kms: Emulated, name: str) -> None:
    """There are neither tags nor instances."""
    assert kms.fault("ListKeys", Filters=filters((name, ["x"]))) == (400, "UnsupportedOperation")


def test_a_description_is_replaced(kms: Emulated) -> None:
    """It can be empty, but not missing."""
    key_id = kms.body("CreateKey", Description="old")["KeyMetadata"]["KeyId"]
    for text in ("new é", ""):
        assert kms.body("UpdateKeyDescription", KeyId=key_id, Description=text) == {}
        assert kms.body("DescribeKey", KeyId=key_id)["KeyMetadata"]["Description"] == text
    assert kms.fault("UpdateKeyDescription", KeyId=key_id) == (400, "MissingParameter")


REQUESTS: dict[str, dict[str, str]] = {
    "CreateKey": {},
    "DescribeKey": {"KeyId": "{0}"},
    "ListKeys": {},
    "UpdateKeyDescription": {"KeyId": "{0}", "Description": "new"},
    "EnableKey": {"KeyId": "{0}"},
    "DisableKey": {"KeyId": "{0}"},
    "ScheduleKeyDeletion": {"KeyId": "{0}", "PendingWindowInDays": "7"},
    "CancelKeyDeletion": {"KeyId": "{2}"},
    "GetPublicKey": {"KeyId": "{1}", "KeyVersionId": "{3}"},
    "CreateAlias": {"KeyId": "{0}", "AliasName": "alias/new"},
    "UpdateAlias": {"KeyId": "{1}", "AliasName": "alias/old"},
    "DeleteAlias": {"AliasName": "alias/old"},
    "ListAliases": {},
    "ListAliasesByKeyId": {"KeyId": "{0}"},
    "CreateKeyVersion": {"KeyId": "{0}"},
    "ListKeyVersions": {"KeyId": "{0}"},
    "DescribeKeyVersion": {"KeyId": "{1}", "KeyVersionId": "{3}"},
}
"""A successful request for each action, with the keys of `prepared`."""


def prepared(policy: Any = alibaba.ALLOW_ALL) -> tuple[Emulated, list[str]]:
    """Return a store with three keys, and the key IDs and a version ID for `REQUESTS`."""
    kms = Emulated(policy)
    one = kms.store.create_key(KeySpec.AES_256, key_id="one", alias="alias/old")
    two = kms.store.create_key(KeySpec.EC_SM2, key_id="two")
    three = key_in(kms, KeyState.PENDING_DELETION)
    return kms, [one, two, three, kms.store.primary(two).key_version_id]


def request_of(action: str, names: list[str]) -> dict[str, str]:
    """Return the parameters of a request of `REQUESTS`."""
    return {name: text.format(*names) for name, text in REQUESTS[action].items()}


def test_every_action_has_a_request_here() -> None:
    """The table above has all management actions, and no action of the nine."""
    assert tuple(management_actions(Emulated().store)) == MANAGEMENT_ACTIONS
    assert set(REQUESTS) == set(MANAGEMENT_ACTIONS)


@pytest.mark.parametrize("action", MANAGEMENT_ACTIONS)
def test_a_response_has_only_fields_of_the_model_of_the_client(action: str) -> None:
    """The client reads every field of the response, and the XML document has the same texts."""
    kms, names = prepared()
    response = kms.call(action, **request_of(action, names))
    assert response.status == 200, response.body
    body = getattr(models, f"{action}ResponseBody")()
    known = json.loads(json.dumps(response.body))
    assert body.from_map(known).to_map() == known
    root = ET.fromstring(response.xml())  # noqa: S314 (our own)
    assert root.tag == f"{action}Response"
    leaves = [element.text or "" for element in root.iter() if not len(element)]
    assert leaves == [str(each) for each in _leaves(response.body)]


def _leaves(value: Any) -> list[Any]:
    """Return the texts and numbers of a response, in order."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [leaf for each in value for leaf in _leaves(each)]
    return [value]


@pytest.mark.parametrize("action", MANAGEMENT_ACTIONS)
def test_each_action_needs_its_permission(action: str) -> None:
    """The policy is asked for exactly this action; without it, nothing changes."""
    asked: list[tuple[str, str]] = []

    def policy(principal: object, permission: str, resource: str) -> bool:
        assert principal == "caller"
        asked.append((permission, resource.removeprefix("acs:kms:cn-hangzhou:1000000000000000:")))
        return is_allowed

    is_allowed = False
    kms, names = prepared(policy)
    before = kms.store.contents()
    params = request_of(action, names)
    assert kms.fault(action, **params) == (403, "Forbidden.NoPermission")
    assert kms.store.contents() is before
    is_allowed = True
    asked.clear()
    kms.body(action, **params)
    containers = {"CreateKey": ["key"], "ListKeys": ["key"], "ListAliases": ["alias"]}
    key = f"key/{params.get('KeyId')}"
    resources = {
        "CreateAlias": ["alias/new", key],
        "UpdateAlias": ["alias/old", key, "key/one"],
        "DeleteAlias": ["alias/old", "key/one"],
    }
    expected = containers.get(action) or resources.get(action) or [key]
    assert asked == [(f"kms:{action}", resource) for resource in expected]


@pytest.mark.parametrize("action", MANAGEMENT_ACTIONS)
def test_a_dry_run_changes_nothing(action: str) -> None:
    """It has the three outcomes of all dry runs."""
    is_allowed = True
    kms, names = prepared(lambda *_: is_allowed)
    before = kms.store.contents()
    params = request_of(action, names) | {"DryRun": "true"}
    assert kms.fault(action, **params) == (400, "DryRunOperationError")
    assert kms.store.contents() is before
    is_allowed = False
    assert kms.fault(action, **params) == (403, "AccessDeniedError")


@pytest.mark.parametrize(
    "action", ["ImportKeyMaterial", "TagResource", "CreateSecret", "AsymmetricSign", "Nothing"]
)
def test_another_action_is_not_supported(kms: Emulated, action: str) -> None:
    """It is the answer of the service to an action that it does not have."""
    assert kms.fault(action, KeyId="x") == (400, "UnsupportedOperation")


def test_a_document_allows_management_of_one_key() -> None:
    """A statement about management actions is not ignored."""
    policy = read_policy(
        json.dumps(
            {
                "Version": "1",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": ["kms:Describe*", "kms:CreateAlias", "kms:DisableKey"],
                        "Resource": ["acs:kms:*:*:key/one", "acs:kms:*:*:alias/new"],
                    },
                    {"Effect": "Allow", "Action": "kms:ListKeys", "Resource": "acs:kms:*:*:key"},
                    {"Effect": "Deny", "Action": "kms:DisableKey", "Resource": "*"},
                ],
            }
        )
    )
    kms, _ = prepared(policy)
    kms.body("DescribeKey", KeyId="one")
    kms.body("CreateAlias", KeyId="one", AliasName="alias/new")
    kms.body("ListKeys")
    for action, params in (
        ("DescribeKey", {"KeyId": "two"}),
        ("CreateAlias", {"KeyId": "one", "AliasName": "alias/other"}),
        ("CreateAlias", {"KeyId": "two", "AliasName": "alias/new"}),
        ("DisableKey", {"KeyId": "one"}),
        ("CreateKey", {}),
        ("ListAliases", {}),
    ):
        assert kms.fault(action, **params) == (403, "Forbidden.NoPermission")


LAST_QUESTION = {"UpdateAlias": 3, "DeleteAlias": 2}
"""The number of times that the policy is asked."""


@pytest.mark.parametrize("action", LAST_QUESTION)
@pytest.mark.parametrize(
    "other",
    [
        lambda contents: contents.without_alias("alias/old"),
        lambda contents: contents.with_alias("alias/old", "two"),
    ],
    ids=["deleted", "changed"],
)
def test_an_alias_that_another_request_changes_is_not_found(action: str, other: Any) -> None:
    """After the permission is checked, it can be deleted, or be that of a key without one."""

    def policy() -> bool:
        asked.append("")
        if len(asked) == LAST_QUESTION[action]:
            changed.append(kms.store.change(other))
        return True

    asked: list[str] = []
    changed: list[Contents] = []
    kms, names = prepared(lambda *_: policy())
    assert kms.fault(action, **request_of(action, names)) == (404, "Forbidden.AliasNotFound")
    assert kms.store.contents().aliases == changed[0].aliases


def test_a_record_has_the_keys_of_the_action() -> None:
    """A new key or version is the destination; a dry run has none."""
    kms, _ = prepared()
    made = kms.api.handle({"Action": "CreateKey"})
    metadata = made.response.body["KeyMetadata"]
    assert made.event.destination_key_id == metadata["KeyId"]
    assert made.event.destination_key_version_id == metadata["PrimaryKeyVersion"]
    request = {"Action": "CreateKeyVersion", "KeyId": "one"}
    made = kms.api.handle(request)
    version = made.response.body["KeyVersion"]["KeyVersionId"]
    assert (made.event.source_key_id, made.event.destination_key_version_id) == ("one", version)
    made = kms.api.handle(request | {"DryRun": "true"})
    assert made.event.destination_key_id is None
    assert kms.api.handle({"Action": "DisableKey", "KeyId": "one"}).event.source_key_id == "one"
    deleted = kms.api.handle({"Action": "DeleteAlias", "AliasName": "alias/old"}).event
    assert deleted.source_key_id == "one"


def test_contents_are_found_by_key_id() -> None:
    """Contents without keys are valid."""
    assert repr(Contents()) == "<Contents keys=0 aliases=0>"
