"""The library passes every vector, and each negative vector has one defect, or a marked two."""

from dataclasses import replace
from typing import Any

import pytest

from kmscore_vectors.adapter.responder import Responder
from kmscore_vectors.generator.all_files import MAKERS
from kmscore_vectors.generator.model import OUTPUTS, TWO_DEFECTS, Case, Group, VectorFile
from kmscore_vectors.generator.reencrypt.file import make as make_reencrypt
from kmscore_vectors.tables import ErrorCode

RESPONDER = Responder()


@pytest.fixture(scope="module", params=MAKERS, ids=lambda make: make.__module__.split(".")[-2])
def file(request: pytest.FixtureRequest) -> VectorFile:
    """Return one file, made when its tests begin."""
    made: VectorFile = request.param()
    return made


def _answer(group: Group, case: Case) -> dict[str, Any]:
    """Return the library's answer to a test."""
    return RESPONDER.answer(group.operation, {**group.shared, **case.inputs})


def test_the_library_is_right_on_every_vector(file: VectorFile) -> None:
    """The outputs are equal byte for byte, and errors have exactly the expected code."""
    wrong = [
        (group.operation, case.flag, case.comment)
        for group, case in file.cases()
        if _answer(group, case) != ({"error": case.error.value} if case.error else case.outputs)
    ]
    assert wrong == []


def _expected(case: Case) -> dict[str, Any]:
    """Return the answer that a test asks for."""
    return {"error": case.error} if case.error else case.outputs


def _one_repaired(case: Case) -> Case:
    """Return the test with one defect less, which differs in exactly one field."""
    assert case.repaired is not None, case.comment
    changed = [name for name, value in case.inputs.items() if case.repaired.inputs[name] != value]
    assert len(changed) == 1, case.comment
    return case.repaired


def test_repairing_every_defect_makes_a_vector_valid(file: VectorFile) -> None:
    """A negative vector has one defect, or two if its flag says so."""
    for group, case in file.cases():
        repaired = case
        for _ in range(0 if case.error is None else 1 + (case.flag == TWO_DEFECTS)):
            repaired = _one_repaired(repaired)
            assert _answer(group, repaired) == _expected(repaired), case.comment
        assert (repaired.error, repaired.repaired) == (None, None), case.comment


def test_two_defects_have_two_errors(file: VectorFile) -> None:
    """The answer shows the defect that is found first."""
    for _, case in file.cases():
        if case.flag == TWO_DEFECTS:
            assert case.repaired is not None
            assert case.repaired.error is not case.error, case.comment


def test_a_file_is_whole(file: VectorFile) -> None:
    """At least 60 tests, no two alike, each flag noted and each note used, bytes repeatable."""
    cases = list(file.cases())
    assert len(cases) >= 60
    assert {case.flag for _, case in cases} == set(file.notes)
    requests = [repr((group.operation, group.shared, case.inputs)) for group, case in cases]
    assert len(set(requests)) == len(requests)
    document: Any = file.document()
    tests = [test for group in document["testGroups"] for test in group["tests"]]
    assert [test["tcId"] for test in tests] == list(range(1, document["numberOfTests"] + 1))
    assert file.serialize() == file.serialize()


def test_outputs_are_those_of_the_operation(file: VectorFile) -> None:
    """A valid test has exactly the outputs in the table of operations."""
    for group, case in file.cases():
        expected = () if case.error else OUTPUTS[group.operation]
        assert tuple(case.outputs) == expected


def test_an_unknown_operation_is_a_key_error() -> None:
    """An unknown operation is not a property of a ciphertext."""
    with pytest.raises(KeyError):
        RESPONDER.answer("guess", {})


def _dry_run(case: Case) -> Case:
    """Return the dry run of a request, with its rejection and without its comment."""
    return replace(case, comment="", repaired=None, inputs=case.inputs | {"dry_run": True})


def test_every_rejected_request_has_a_dry_run() -> None:
    """Each rule is tested in a dry run too; those about a keyring, once for each flag."""
    common, own = make_reencrypt().groups
    for group in (common, own):
        rejected = [
            _dry_run(case) for case in group.cases if case.error and case.flag != TWO_DEFECTS
        ]
        dry = [_dry_run(case) for case in group.cases if case.inputs["dry_run"]]
        if group is common:
            assert [case for case in rejected if case not in dry] == []
        else:
            assert {(case.flag, case.error) for case in rejected} == {
                (case.flag, case.error) for case in dry
            }


def test_every_error_that_comes_first_does_so_in_a_dry_run() -> None:
    """Tests with two defects have the same errors with and without a dry run."""
    common, _ = make_reencrypt().groups
    found: dict[tuple[bool, bool], set[ErrorCode | None]] = {}
    for case in common.cases:
        if case.flag == TWO_DEFECTS:
            kind = case.inputs["source_algorithm"] is None, bool(case.inputs["dry_run"])
            found.setdefault(kind, set()).add(case.error)
    assert found[True, False] == found[True, True]
    assert found[False, False] == found[False, True]
