"""Patterns of resources: their number of parts, and those of another region or account."""

import pytest

from kmscore.alibaba.resource_patterns import is_only_elsewhere, matches_resource

PLACE = ("acs", "kms", "cn-hangzhou", "1")


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ([], False),
        (["*"], False),
        (["acs:*"], False),
        (["acs:kms:*:*:key/a"], False),
        (["acs:kms:cn-*:1:*"], False),
        (["acs:kms:cn-hangzhou:1:key/a"], False),
        (["acs:kms:cn-beijing:1:key/a"], True),
        (["acs:kms:cn-beijing:*"], True),
        (["acs:kms:cn-hangzhou:2:key/a"], True),
        (["acs:kms:cn-beijing:1:key/a", "acs:kms:cn-hangzhou:2:key/a"], True),
        (["acs:kms:cn-beijing:1:key/a", "acs:kms:cn-hangzhou:1:key/a"], False),
        (["acs:oss:cn-beijing:1:a"], False),
        (["a:kms:cn-beijing:1:key/a"], False),
        (["acs:oss:cn-hangzhou:1:a", "acs:kms:cn-beijing:1:key/a"], True),
    ],
    ids=str,
)
def test_patterns_of_another_region_or_account_are_found(
    patterns: list[str], expected: bool
) -> None:
    """One pattern of this region and account is enough; another service does not count."""
    assert is_only_elsewhere(patterns, PLACE) is expected


def test_a_pattern_that_no_document_can_have_does_not_match_by_its_first_parts() -> None:
    """A statement that is made by hand can have one."""
    with pytest.raises(ValueError, match="longer"):
        matches_resource("acs:kms", "acs:kms:*:*:key/orders")
