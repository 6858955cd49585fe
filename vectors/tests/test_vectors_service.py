"""The sources and the coverage of the vectors of the service's layout and API."""

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.samples import sampled
from vector_files import files

from kmscore import EncryptionContext, Keyring, KeySpec, KeyState, Suite, SymmetricKey, alibaba
from kmscore.alibaba import service_errors
from kmscore.alibaba.context_rule import associated_data
from kmscore.alibaba.parameters import ACTIONS
from kmscore_vectors.files import VectorFileError, installed_folder, load
from kmscore_vectors.generator.service_api import table
from kmscore_vectors.generator.service_blob import encoder
from kmscore_vectors.generator.service_blob.encoder import Options, ServiceKey
from kmscore_vectors.vector_test import VectorTest

NAMES = ("service_blob", "service_api")
PUBLISHED_BLOB = (
    "ODZhOWVmZDktM2QxNi00ODk0LWJkNGYtMWZjNDNmM2YyYWJmAAECAwQFBgcICQoLHUWAdp/XqmvsLOP4075NG+CewU2T"
    "SA1NXAmBsXgxcIVnWJ/XyfVR2hPLMtC+ChdNqfNVW7SYkjTfCcwB"
)
PUBLISHED_ASSOCIATED_DATA = "8e85be58c1c372ac29fe7bfa80d8ddcbd04a4032c7b51c1c026d67c55b1ab23f"
CONTEXTS = st.dictionaries(
    st.text("ab=&\uffff\U00010000", max_size=4), st.text("ab=&", max_size=4), max_size=3
)
OPTIONS = st.builds(
    Options,
    st.sampled_from(("base64", "raw")),
    st.sampled_from(("code_point", "utf_16")),
    st.booleans(),
    st.sampled_from(("digest", "hexadecimal_digest", "json")),
    st.sampled_from((b"", encoder.INSTANCE_PREFIX)),
)
KEY = SymmetricKey(
    "key",
    "86a9efd9-3d16-4894-bd4f-1fc43f3f2abf",
    KeySpec.AES_256,
    bytes(range(32)),
    suite=Suite.AES_256_GCM,
)


def profile_of(options: Options) -> alibaba.Profile:
    """Return the library's profile with the generator's options."""
    return alibaba.Profile(
        payload=alibaba.Payload(options.payload),
        sort_order=alibaba.SortOrder(options.sort_order),
        empty_is_absent=options.empty_is_absent,
        context_binding=alibaba.ContextBinding(options.context_binding),
        prefix=options.prefix,
    )


def _tests(operation: str) -> list[VectorTest]:
    return [test for name in NAMES for test in files()[name] if test.operation == operation]


def test_the_published_blob_is_among_them() -> None:
    """The vectors contain the blob that is known from the vendor's rule."""
    blob = base64.b64decode(PUBLISHED_BLOB).hex()
    (opened,) = [test for test in _tests("service_decrypt") if test.inputs["blob"] == blob][:1]
    assert opened.expected == {"plaintext": bytes(range(0x64, 0x84)).hex()}
    given_pairs = [["b", "2"], ["a", "1"]]
    assert opened.inputs["pairs"] == given_pairs
    (rule,) = [
        test
        for test in _tests("service_associated_data")
        if test.inputs["pairs"] == given_pairs and test.inputs["context_binding"] == "digest"
    ]
    assert rule.expected == {"associated_data": PUBLISHED_ASSOCIATED_DATA}


@given(st.none() | CONTEXTS, OPTIONS)
def test_the_rule_agrees_with_the_library(context: dict[str, str] | None, options: Options) -> None:
    """Both encoders give the same associated data, with every option."""
    pairs = None if context is None else tuple(context.items())
    due = associated_data(context, profile_of(options), allow_ambiguous=True)
    assert encoder.associated_data(pairs, options) == due


@given(CONTEXTS, st.sampled_from(("code_point", "utf_16")))
def test_trying_every_reading_agrees_with_the_library(
    context: dict[str, str], sort_order: str
) -> None:
    """The library finds the same confused contexts without an exhaustive search."""
    profile = profile_of(Options(sort_order=sort_order))
    found = {other.canonical.hex() for other in alibaba.collisions(context, profile=profile)}
    tried = encoder.confused_contexts(tuple(context.items()), sort_order)
    assert ",".join(sorted(found)) == tried
    assert alibaba.is_ambiguous(context) == bool(tried)


@given(st.none() | CONTEXTS, OPTIONS, st.binary(max_size=40), st.binary(min_size=12, max_size=12))
def test_whole_blobs_agree_with_the_library(
    context: dict[str, str] | None, options: Options, plaintext: bytes, iv: bytes
) -> None:
    """The library opens the generator's blobs."""
    sealer = ServiceKey(Suite.AES_256_GCM, bytes(range(32)), KEY.key_version_id)
    pairs = None if context is None else tuple(context.items())
    result = alibaba.decrypt(
        alibaba.VersionIndex(Keyring([KEY])),
        sealer.blob(plaintext, pairs, iv, options),
        context,
        profile=profile_of(options),
        allow_ambiguous=True,
    )
    assert result.plaintext == plaintext


def test_every_option_and_every_plain_suite_opens() -> None:
    """A valid test of decryption exists for each value of each option and for each suite."""
    valid = [test.inputs for test in _tests("service_decrypt") if test.is_valid]
    assert {inputs["suite_id"] for inputs in valid} == {"01", "02", "03", "04"}
    assert {inputs["payload"] for inputs in valid} == set(alibaba.Payload)
    assert {inputs["sort_order"] for inputs in valid} == set(alibaba.SortOrder)
    assert {inputs["context_binding"] for inputs in valid} == set(alibaba.ContextBinding)
    for name in ("empty_is_absent", "allow_ambiguous"):
        assert {inputs[name] for inputs in valid} == {False, True}
    assert {"", "240002"} <= {inputs["prefix"] for inputs in valid}
    lengths = {
        len(test.expected["plaintext"]) // 2 for test in _tests("service_decrypt") if test.is_valid
    }
    assert {0, 6144} <= lengths


def test_collisions_are_what_they_say() -> None:
    """Each collision is another context with the same text; some tests have several, some none."""
    numbers = set()
    for test in _tests("collisions"):
        found = test.expected["collisions"].split(",") if test.expected["collisions"] else []
        own = EncryptionContext(dict(test.inputs["pairs"])).canonical.hex()
        assert own not in found
        assert found == sorted(set(found))
        numbers.add(len(found))
    assert {0, 1, 2} < numbers


def test_the_tables_are_those_of_the_library() -> None:
    """The generator and the library have the same tables of actions and errors."""
    assert list(table.ACTIONS) == list(ACTIONS)
    for name, row in table.ACTIONS.items():
        parameters = ACTIONS[name].parameters
        assert [*row.required] == [one.name for one in parameters if one.is_required]
        assert [*row.optional] == [one.name for one in parameters if not one.is_required]
    rejection = table.rejected(KeyState.PENDING_IMPORT)
    assert (*rejection,) == (*service_errors.REJECTED["PendingImport"],)


def test_every_code_and_every_action_is_there() -> None:
    """Each layout has all errors except the service's own, dry runs of all actions, all steps."""
    codes = {row.code for row in service_errors.ERRORS.values()} | {
        *(fault.code for fault in service_errors.REJECTED.values()),
        service_errors.missing_parameter("").code,
        service_errors.UNSUPPORTED_ALIAS.code,
        service_errors.NO_PERMISSION.code,
        service_errors.ALIAS_NOT_FOUND.code,
        service_errors.DRY_RUN_PASSED.code,
        "AccessDeniedError",
        "ValidationError",
    }
    tests = _tests("api_call")
    answered = {test.expected["response"].get("Code") for test in tests}
    assert answered == codes - {service_errors.INTERNAL_FAILURE.code} | {None}
    for profile in ("v1", "service"):
        for code in ("DryRunOperationError", "AccessDeniedError", "ValidationError"):
            dry = {
                test.inputs["params"].get("Action")
                for test in tests
                if test.inputs["profile"] == profile
                and test.expected["response"].get("Code") == code
            }
            assert dry >= set(ACTIONS)


def test_each_flag_of_a_rejection_says_what_it_is_open_to() -> None:
    """Every flag of a request has an effect, although no test of requests is invalid in form."""
    assert [test.comment for test in _tests("api_call") if not test.effect] == []


def test_who_may_not_gets_one_response() -> None:
    """The response to a request without permission does not depend on the existence of objects."""
    responses = {
        json.dumps(test.expected["response"])
        for test in _tests("api_call")
        if test.flag in {"NoPermission", "LearnsNothing"}
        and test.expected["response"]["Code"] == service_errors.NO_PERMISSION.code
    }
    assert len(responses) == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "place",
    [
        lambda document: (document["header"], 0),
        lambda document: (document["testGroups"][0]["tests"][0], "comment"),
        lambda document: (next(iter(document["notes"].values())), "description"),
        lambda document: (document["notes"]["Accumulated"], "effect"),
    ],
)
@pytest.mark.parametrize(
    "text", sampled(["\x1b[31mred", "caf\u00e9", "two\nlines", "at the end\n", ""], 4)
)
def test_what_is_printed_is_printable(
    tmp_path: Path, name: str, place: Callable[[Any], tuple[Any, Any]], text: str
) -> None:
    """A file with texts that could control a terminal is rejected."""
    document = deepcopy(json.loads((installed_folder() / f"{name}.json").read_bytes()))
    fields, key = place(document)
    fields[key] = text
    (tmp_path / f"{name}.json").write_text(json.dumps(document), "ascii")
    with pytest.raises(VectorFileError):
        list(load(tmp_path, [name]))
