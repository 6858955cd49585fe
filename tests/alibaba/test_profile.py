"""Profiles: immutable values, their options, and invalid options."""

import copy
import dataclasses
import pickle
from typing import Any

import pytest
from support.service_layout import PREFIX, SERVICE_PROFILES

from kmscore.alibaba import ContextBinding, Layout, Payload, Profile, SortOrder

WRONG_TYPES = [
    *(("layout", value) for value in ("service", "v1", None, 1)),
    *(("payload", value) for value in ("raw", True)),
    *(("sort_order", value) for value in ("utf_16", None, Payload.RAW)),
    *(("empty_is_absent", value) for value in (0, 1, None, "false")),
    *(("context_binding", value) for value in ("json", True, None, SortOrder.UTF_16)),
    *(("prefix", value) for value in ("$\x00\x02", None, bytearray(PREFIX), 3)),
]


def test_the_defaults_are_the_published_rule() -> None:
    """Base64 text, code points, `{}` differs from an absent context, raw digest, no prefix."""
    assert dataclasses.asdict(Profile.ALIBABA) == {
        "layout": Layout.SERVICE,
        "payload": Payload.BASE64,
        "sort_order": SortOrder.CODE_POINT,
        "empty_is_absent": False,
        "context_binding": ContextBinding.DIGEST,
        "prefix": b"",
    }
    assert Profile() == Profile.ALIBABA
    assert not Profile.ALIBABA.is_v1


def test_v1_is_a_separate_profile() -> None:
    """`is_v1` is true, and the profile equals one with every default written out."""
    assert Profile.V1.is_v1
    assert Profile.V1.layout is Layout.V1
    assert Profile.V1 != Profile.ALIBABA
    assert Profile(layout=Layout.V1, prefix=b"", empty_is_absent=False) == Profile.V1


def test_profiles_are_equal_by_their_options() -> None:
    """Each combination is a different value, and equal profiles have equal hashes."""
    assert len({*SERVICE_PROFILES, Profile.V1}) == 49
    assert Profile.ALIBABA in SERVICE_PROFILES
    for profile in SERVICE_PROFILES:
        assert copy.deepcopy(profile) == profile
        assert pickle.loads(pickle.dumps(profile)) == profile  # noqa: S301 (its own)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Profile)])
def test_a_profile_is_immutable(name: str) -> None:
    """No field can be assigned or deleted, and there is no room for another attribute."""
    profile = Profile()
    assert not hasattr(profile, "__dict__")
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(profile, name, getattr(profile, name))
    with pytest.raises(dataclasses.FrozenInstanceError):
        delattr(profile, name)


def test_options_are_keyword_only() -> None:
    """Positional arguments and unknown options raise `TypeError`."""
    make: Any = Profile
    with pytest.raises(TypeError):
        make(Layout.V1)
    with pytest.raises(TypeError):
        make(separator="&")


@pytest.mark.parametrize(("name", "value"), WRONG_TYPES)
def test_an_option_of_the_wrong_type_is_rejected(name: str, value: Any) -> None:
    """The error names the option; a text with the name of an option is rejected too."""
    with pytest.raises(TypeError, match=f"{name} must be"):
        Profile(**{name: value})


@pytest.mark.parametrize("length", [1, 2, 4, 36])
def test_a_prefix_has_0_or_3_bytes(length: int) -> None:
    """Other lengths are rejected in each layout."""
    for layout in Layout:
        with pytest.raises(ValueError, match=f"prefix: {length} bytes; give 0 or 3"):
            Profile(layout=layout, prefix=bytes(length))
    assert Profile(prefix=PREFIX).prefix == b"\x24\x00\x02"


def test_the_default_payload_is_raw_in_v1_and_base64_in_the_service_layout() -> None:
    """Each layout supports the other payload too."""
    assert Profile(layout=Layout.V1, payload=Payload.RAW) == Profile.V1
    assert Profile(layout=Layout.V1, payload=Payload.BASE64) == Profile.V1_TEXT
    assert Profile(payload=Payload.BASE64) == Profile.ALIBABA
    assert len({Profile.V1, Profile.V1_TEXT, Profile.ALIBABA, Profile(payload=Payload.RAW)}) == 4
    assert Profile.V1_TEXT.is_v1


@pytest.mark.parametrize(
    "option",
    [
        {"sort_order": SortOrder.UTF_16},
        {"empty_is_absent": True},
        {"context_binding": ContextBinding.HEXADECIMAL_DIGEST},
        {"context_binding": ContextBinding.JSON},
        {"prefix": PREFIX},
    ],
    ids=lambda option: next(iter(option)),
)
def test_v1_supports_only_the_payload_option(option: dict[str, Any]) -> None:
    """Options of the service layout are rejected with v1."""
    assert Profile(**option) != Profile.ALIBABA
    with pytest.raises(ValueError, match="v1 supports only the option payload"):
        Profile(layout=Layout.V1, **option)
