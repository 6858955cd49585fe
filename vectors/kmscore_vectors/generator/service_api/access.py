"""The vectors of aliases, resource names and permissions."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.model import Case, Note
from kmscore_vectors.generator.service_api.cases import (
    FOUR_PARTS,
    MESSAGE,
    ORDERS,
    SM2,
    UNKNOWN_VERSION,
    UNUSABLE,
    V1,
    WITH_KEY_ID,
    Requests,
    alias_name,
    key_name,
    permissions_of,
    policy,
    to_base64,
)
from kmscore_vectors.generator.service_api.table import (
    ACTIONS,
    ALIAS_REJECTED,
    BAD_CIPHERTEXT,
    NO_ALIAS,
    NO_KEY,
    NO_PERMISSION,
)
from kmscore_vectors.tables import BugType, Severity

_ANY: Final = "acs:kms:*:*:key/*"
_NOTHING_NAMED: Final = "acs:kms:*:*:key/nothing"

NOTES: Final = {
    "KeyName": Note(
        "A key is named by alias or resource name; the response has its ID.",
        "The policy is asked about the alias, not the key: moving the alias moves the permission.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 14",
    ),
    "AliasRejected": Note(
        "An alias where the service takes a key ID or a resource name only.",
        "Ciphertexts are moved to another key than the caller has in mind, once the alias moves.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 14.2",
    ),
    "NoPermission": Note(
        "The policy does not allow it; the key is there and would do.",
        "A caller without permission uses the key.",
        ("https://cwe.mitre.org/data/definitions/862.html",),
        bug_type=BugType.CONFIDENTIALITY,
        severity=Severity.POLICY,
        section="SPEC section 14.2 step 5",
    ),
    "Permitted": Note(
        "The policy allows just what is needed.",
        "More has to be allowed than is meant.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 14",
    ),
    "LearnsNothing": Note(
        "What is asked for is not there or cannot be used, and the policy does not allow it.",
        "A caller without permission learns which keys, versions and aliases exist, and their"
        " state.",
        ("https://cwe.mitre.org/data/definitions/204.html",),
        bug_type=BugType.CONFIDENTIALITY,
        severity=Severity.POLICY,
        section="SPEC section 14.2 step 5",
    ),
}


def cases(requests: Requests) -> Iterator[Case]:
    """Yield the tests of a layout."""
    yield from _permissions(requests)
    if requests is V1:
        yield from _names()
        yield from _odd_names()
        yield from _policies()


def _names() -> Iterator[Case]:
    """Yield aliases and resource names."""
    right = V1.right("AsymmetricDecrypt")
    for comment, name in (
        ("an alias", "alias/sm2"),
        ("the resource name of a key", key_name("sm2")),
        ("the resource name of an alias", alias_name("sm2")),
        ("a resource name without region and account", "acs:kms:::key/sm2"),
    ):
        params = {**right, "KeyId": name}
        yield V1.answered(comment, "KeyName", SM2, MESSAGE, params)
    only = policy(("Allow", "kms:AsymmetricDecrypt", "acs:kms:*:*:key/sm2"))
    params = {**right, "KeyId": "alias/sm2"}
    yield V1.answered(
        "an alias, the key itself is allowed", "KeyName", SM2, MESSAGE, params, only
    )  # fmt: skip
    by_alias = policy(("Allow", "*", ["acs:kms:*:*:alias/*", "acs:kms:*:*:key/alias/*"]))
    yield V1.rejected(
        "an alias, and only aliases are allowed", "KeyName", "existence", NO_ALIAS, params,
        by_alias,
    )  # fmt: skip
    yield V1.rejected(
        "an alias that is none, and only aliases are allowed", "KeyName", "existence", NO_ALIAS,
        {**params, "KeyId": "alias/unknown"}, by_alias,
    )  # fmt: skip
    for action in WITH_KEY_ID[:4]:
        params = {**V1.right(action), "KeyId": "alias/orders"}
        yield V1.passed(f"{action}, an alias", "KeyName", params)
    move = V1.right("ReEncrypt")
    for comment, params in {
        "the destination by resource name": {"DestinationKeyId": key_name("archive")},
        "the source by resource name": {"SourceKeyId": key_name("orders")},
    }.items():
        yield V1.passed(comment, "KeyName", {**move, **params})
    for comment, params in {
        "the destination": {"DestinationKeyId": "alias/orders"},
        "the destination, an alias that is not": {"DestinationKeyId": "alias/unknown"},
        "the source": {"SourceKeyId": "alias/orders"},
        "the destination by its resource name": {"DestinationKeyId": alias_name("sm2")},
        "the destination, and the blob is none": {
            "DestinationKeyId": "alias/orders",
            "CiphertextBlob": "QUJD",
        },
    }.items():
        yield V1.rejected(
            comment, "AliasRejected", "resolve", ALIAS_REJECTED, {**move, **params}, policy()
        )
    bare = {**V1.bare(), "SourceKeyId": "alias/sm2"}
    yield V1.rejected("the source of a bare one", "AliasRejected", "resolve", ALIAS_REJECTED, bare)
    dry = {**move, "DestinationKeyId": "alias/orders", "DryRun": "true"}
    rejection = ALIAS_REJECTED.when_dry
    yield V1.rejected("the destination, as a dry run", "AliasRejected", "resolve", rejection, dry)


def _odd_names() -> Iterator[Case]:
    """Yield resource names with a line feed, without KEYID, and with fewer parts."""
    right = V1.right("Encrypt")
    for comment, name, pattern, is_allowed in (
        ("a line feed in KEYID, which is asked about", "acs:kms:::key/a\nb", "a*b", True),
        ("a line feed in KEYID, the whole name is allowed", "acs:kms:::key/a\nb", "acs:*", False),
        ("a line feed after a KEYID that is allowed", "acs:kms:::key/orders\n", "orders", False),
        ("no KEYID, the whole name is allowed", "acs:kms:::key/", "acs:kms:::key/", True),
        ("no KEYID, what follows key/ is allowed", "acs:kms:::key/", "", False),
        ("four parts, the whole name is allowed", FOUR_PARTS, FOUR_PARTS, True),
        ("four parts, the key of the alias is allowed", FOUR_PARTS, "sm2", False),
    ):
        text = policy(("Allow", "kms:Encrypt", f"acs:kms:*:*:key/{pattern}"))
        rejection, step = (NO_KEY, "existence") if is_allowed else (NO_PERMISSION, "permission")
        flag = "KeyName" if is_allowed else "LearnsNothing"
        yield V1.rejected(comment, flag, step, rejection, {**right, "KeyId": name}, text)
    alias = "acs:kms:::alias/a\nb"
    yield V1.rejected(
        "an alias with a line feed", "KeyName", "existence", NO_ALIAS, {**right, "KeyId": alias}
    )
    for comment, name, rejection, step in (
        ("a destination of four parts", FOUR_PARTS, NO_KEY, "existence"),
        ("a destination with a line feed after alias/", alias, ALIAS_REJECTED, "resolve"),
    ):
        params = {**V1.right("ReEncrypt"), "DestinationKeyId": name}
        yield V1.rejected(comment, "KeyName", step, rejection, params)


def _permissions(requests: Requests) -> Iterator[Case]:
    """Yield requests that no statement allows, and requests that the right statements allow."""
    others = policy(("Allow", "kms:*", _NOTHING_NAMED))
    for action in ACTIONS:
        right, named = requests.right(action), permissions_of(action)
        yield requests.rejected(
            f"{action}, no statement", "NoPermission", "permission", NO_PERMISSION, right, policy()
        )
        yield requests.rejected(
            f"{action}, another key is allowed", "NoPermission", "permission", NO_PERMISSION,
            right, others,
        )  # fmt: skip
        siblings = [
            name for other in ACTIONS for name in permissions_of(other) if name not in named[-1:]
        ]
        yield requests.rejected(
            f"{action}, all other actions are allowed", "NoPermission", "permission",
            NO_PERMISSION, right, policy(("Allow", siblings, _ANY)),
        )  # fmt: skip
        yield requests.passed(
            f"{action}, it alone is allowed", "Permitted", right, policy(("Allow", named, _ANY))
        )
        yield from _blind(requests, action, others)
    move = requests.right("ReEncrypt")
    for comment, statements in {
        "to alone": (("Allow", "kms:ReEncryptTo", _ANY),),
        "from the destination, to the source": (
            ("Allow", "kms:ReEncryptFrom", "acs:kms:*:*:key/archive"),
            ("Allow", "kms:ReEncryptTo", "acs:kms:*:*:key/orders"),
        ),
    }.items():
        yield requests.rejected(
            comment, "NoPermission", "permission", NO_PERMISSION, move, policy(*statements)
        )
    for comment, statements in {
        "kms:ReEncrypt*": (("Allow", "kms:ReEncrypt*", _ANY),),
        "from the source, to the destination": (
            ("Allow", "kms:ReEncryptFrom", "acs:kms:*:*:key/orders"),
            ("Allow", "kms:ReEncryptTo", "acs:kms:*:*:key/archive"),
        ),
    }.items():
        yield requests.passed(comment, "Permitted", move, policy(*statements))


def _blind(requests: Requests, action: str, others: str) -> Iterator[Case]:
    """Yield requests for a missing or unusable object, by a caller without permission for it."""
    right = requests.right(action)
    asked: dict[str, dict[str, str]] = {}
    if action in WITH_KEY_ID:
        asked = {
            "an unknown key": {"KeyId": "unknown"},
            "a disabled key": {"KeyId": UNUSABLE[0].key_id},
            "an unknown alias": {"KeyId": "alias/unknown"},
            "an unknown resource": {"KeyId": "acs:kms:::secret/unknown"},
            "a key of another kind": {"KeyId": "sm2" if "Algorithm" not in right else "orders"},
        }
        if "KeyVersionId" in right:
            asked["an unknown version"] = {"KeyVersionId": "unknown"}
    else:
        disabled = requests.blob(UNUSABLE[0])
        unknown = disabled.replace(UNUSABLE[0].key_version_id.encode(), UNKNOWN_VERSION)
        asked = {
            "a blob of an unknown version": {"CiphertextBlob": to_base64(unknown)},
            "a blob of a disabled key": {"CiphertextBlob": to_base64(disabled)},
            "a blob that is changed": {"CiphertextBlob": to_base64(requests.blob(ORDERS[0])[:-1])},
        }
    for comment, params in asked.items():
        yield requests.rejected(
            f"{action}, {comment}", "LearnsNothing", "permission", NO_PERMISSION,
            {**right, **params}, others,
        )  # fmt: skip


def _policies() -> Iterator[Case]:
    """Yield policies with different statements."""
    right = V1.right("Decrypt")
    orders = "acs:kms:*:*:key/orders"
    for comment, statements in {
        "everything": (("Allow", "*", "*"),),
        "every action of the service": (("Allow", "kms:*", _ANY),),
        "lists": (("Allow", ["kms:Encrypt", "kms:Decrypt"], ["acs:kms:*:*:key/x", orders]),),
        "the beginning of a key ID": (("Allow", "kms:Decrypt", "acs:kms:*:*:key/ord*"),),
        "the middle of a key ID": (("Allow", "kms:Decrypt", "acs:kms:*:*:key/*rde*"),),
        "another action is denied": (
            ("Allow", "kms:*", orders),
            ("Deny", "kms:Encrypt", orders),
        ),
        "another key is denied": (("Allow", "kms:*", _ANY), ("Deny", "*", _NOTHING_NAMED)),
    }.items():
        yield V1.answered(comment, "Permitted", ORDERS[0], MESSAGE, right, policy(*statements))
    for comment, statements in {
        "a denial behind it": (("Allow", "*", "*"), ("Deny", "kms:Decrypt", orders)),
        "a denial before it": (("Deny", "kms:Decrypt", orders), ("Allow", "*", "*")),
        "a denial of everything": (("Allow", "kms:Decrypt", orders), ("Deny", "*", "*")),
        "a denial alone": (("Deny", "kms:Decrypt", _NOTHING_NAMED),),
        "the beginning of another key ID": (("Allow", "*", "acs:kms:*:*:key/orderss*"),),
        "a key ID without a wildcard": (("Allow", "*", "acs:kms:*:*:key/order"),),
        "another kind of resource": (("Allow", "*", "acs:kms:*:*:alias/orders"),),
        "another service": (("Allow", "*", "acs:oss:*:*:key/orders"),),
        "another action of the service": (("Allow", "kms:DescribeKey", orders),),
    }.items():
        yield V1.rejected(
            comment, "NoPermission", "permission", NO_PERMISSION, right, policy(*statements)
        )
    yield V1.rejected(
        "a blob that does not parse names no key to ask about", "LearnsNothing", "resolve",
        BAD_CIPHERTEXT, {**right, "CiphertextBlob": "QUJD"}, policy(),
    )  # fmt: skip
