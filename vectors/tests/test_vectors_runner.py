"""The runner judges every implementation and leaves no process behind, also after misbehaviour."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from support.time_limits import PATIENCE
from vector_files import files

from kmscore_vectors import runner
from kmscore_vectors.accumulation import FIRST_WRONG, WRONG_CASES
from kmscore_vectors.answers import GIVEN_UP
from kmscore_vectors.answers import PATIENCE as FAILURES
from kmscore_vectors.generator import accumulated
from kmscore_vectors.judgement import (
    Judgement,
    Results,
    Unproven,
    Verdict,
    judge,
    must_succeed,
    questions,
    run,
)
from kmscore_vectors.runner import MAX_LINE, CommandError, Peer
from kmscore_vectors.tables import Severity
from kmscore_vectors.vector_test import VectorTest

_RESPONDERS = Path(__file__).parent / "responders"
_RIGHT = {"echo": "right"}
_END = PATIENCE / 10
"""Seconds in which a process must end, also on a busy machine."""

_HANGING = {"hang", "late"}
"""The misbehaviour that ends only with the timeout of an answer."""

pytestmark = pytest.mark.usefixtures("in_time")


def _command(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-P", str(_RESPONDERS / name), *arguments]


@pytest.fixture
def children(tmp_path: Path) -> Path:
    """Return a file to which a misbehaving implementation writes the processes that it starts."""
    return tmp_path / "children"


@pytest.fixture
def _patiently(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a process and its threads enough time to end."""
    monkeypatch.setattr(runner, "_PARTING", _END)
    monkeypatch.setattr(runner, "_ENDING", _END)


@pytest.fixture
def peer(children: Path, _patiently: None) -> Iterator[Peer]:
    """Start a misbehaving implementation; at the end, check that it leaves no thread or process."""
    threads = set(threading.enumerate())
    with Peer(_command("misbehaving.py", str(children)), timeout=PATIENCE) as started:
        yield started
    assert set(threading.enumerate()) == threads
    assert started._process is None or started._process._popen.returncode is not None


def _do(peer: Peer, what: str) -> dict[str, Any]:
    return dict(peer.ask("decrypt", {"do": what}))


def _do_in(seconds: float, peer: Peer, what: str) -> dict[str, Any]:
    """Ask for an answer that never comes, with a short timeout."""
    peer._timeout = seconds
    try:
        return _do(peer, what)
    finally:
        peer._timeout = PATIENCE


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("hang", "no answer in 1 seconds"),
        ("late", "no answer in 1 seconds"),
        ("rubbish", "not an answer: \x1b[2J\x00rubbish ÿ\n"),
        ("endless line", f"a line of more than {MAX_LINE:,} bytes"),
        ("long line", f"a line of more than {MAX_LINE:,} bytes"),
        ("nested", f"not an answer: {'[' * 500}"),
        ("huge integer", f'not an answer: {{"id": {"9" * 493}'),
        ("[]", "not an answer: []\n"),
        ("", "not an answer: \n"),
        ("{}", "not an answer: {}\n"),
        ('{"id": ID}', None),
        ('{"id": "ID", "error": "decryption"}', None),
        ('{"id": ID.0, "error": "decryption"}', None),
        ('{"id": true, "error": "decryption"}', "the answer to question True, when 2 was asked"),
        ('{"id": ID, "error": null}', None),
        ('{"id": ID, "crash": null}', None),
        ('{"id": ID, "crash": "it", "error": "decryption"}', None),
        ('{"id": ID, "outputs": ["right"]}', None),
        ('{"id": ID, "outputs": {"error": "decryption"}}', None),
        ('{"id": ID, "outputs": {"unsupported": true}}', None),
        ('{"id": ID, "outputs": {"failure": ""}}', None),
        ('{"id": ID, "outputs": {"crash": ""}}', None),
        ('{"id": ID, "unsupported": false}', None),
        ('{"id": ID, "outputs": {"plaintext": 0}}', None),
        ('{"id": ID, "outputs": {"plaintext": ["00"]}}', None),
        ('{"id": ID, "outputs": {"response": {"ciphertext_blob": {}}}}', None),
        ('{"id": ID, "error": "decryption", "unsupported": true}', None),
        ('{"id": ID, "outputs": {}, "more": 1}', None),
        ('{"id": ID, "error": "key_state", "error": "decryption"}', None),
        ('{"id": ID, "outputs": {"plaintext": "01", "plaintext": "00"}}', None),
        ('{"id": 77, "error": "decryption"}', "the answer to question 77, when 2 was asked"),
    ],
)
def test_a_failure_costs_one_answer(peer: Peer, what: str, reason: str | None) -> None:
    """A line that is not an answer is reported, and the next question is answered again."""
    assert _do(peer, "right") == _RIGHT
    answer = _do_in(1.0 if what in _HANGING else PATIENCE, peer, what)
    assert answer.keys() == {"failure"}
    if reason is None:
        assert answer["failure"].startswith("not an answer: {")
    else:
        assert answer["failure"] == reason
    assert _do(peer, "right") == _RIGHT


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("die", "it ended with exit code 3 before an answer (\x1b[31mthat was too much)"),
        ("abort", "it ended with SIGABRT before an answer"),
        ("half a line", "it ended with exit code 0 before an answer"),
        pytest.param(
            "real-time signal",
            "it ended with signal 40 before an answer",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="signal 40 is of Linux"),
        ),
    ],
)
@pytest.mark.parametrize("has_waitid", [True, False])
def test_a_crash_is_reported_with_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, peer: Peer, what: str, reason: str, has_waitid: bool
) -> None:
    """The reason has the exit code, or the signal; also on a system without `waitid`."""
    if not has_waitid:
        monkeypatch.delattr(os, "waitid")
    assert _do(peer, "right") == _RIGHT
    assert _do(peer, what) == {"crash": reason}
    assert _do(peer, "right") == _RIGHT


def test_a_closed_output_is_not_a_crash(monkeypatch: pytest.MonkeyPatch, peer: Peer) -> None:
    """A process that closes its output and runs on gives no answer, and is killed."""
    monkeypatch.setattr(runner, "_ENDING", 0.1)
    assert _do(peer, "close") == {"failure": "it closed its output before an answer"}
    assert _do(peer, "right") == _RIGHT


@pytest.mark.parametrize(
    ("what", "answer"),
    [
        ('{"id": ID, "error": "decryption"}', {"error": "decryption"}),
        ('{"unsupported": true, "id": ID}', {"unsupported": True}),
        ('{"id": ID, "outputs": {}}', {}),
        ('{"id": ID, "outputs": {"x": {"a": null, "b": ""}}}', {"x": {"a": None, "b": ""}}),
        ("complain", _RIGHT),
    ],
)
def test_answers(peer: Peer, what: str, answer: dict[str, Any]) -> None:
    """The three forms of an answer work, and a flood on standard error does not block."""
    for _ in range(3):
        assert _do(peer, what) == answer


def test_a_second_line_is_not_taken_for_the_next_answer(peer: Peer) -> None:
    """The process that printed it is ended, and a new process gets the question."""
    assert _do(peer, "twice") == _RIGHT
    assert _do(peer, "right") == {"failure": "the answer to question 1, when 2 was asked"}
    assert _do(peer, "right") == _RIGHT


def test_a_late_answer_is_not_taken_for_the_next(peer: Peer) -> None:
    """The output of a process that answers too late is ignored."""
    assert "failure" in _do_in(1.0, peer, "late")
    time.sleep(1)
    assert _do(peer, '{"id": ID, "error": "decryption"}') == {"error": "decryption"}


def test_who_does_not_read_is_not_written_to_for_ever(peer: Peer) -> None:
    """A question that fills the pipe fails like a missing answer."""
    assert _do(peer, "deaf") == _RIGHT
    assert _do_in(1.0, peer, "x" * (1 << 22)) == {"failure": "no answer in 1 seconds"}
    assert _do(peer, "right") == _RIGHT


def _is_running(process: int) -> bool:
    """Return whether a process exists and is not a zombie."""
    try:
        state = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in {"Z", "X"}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")
def test_what_it_has_started_is_killed_too(peer: Peer, children: Path) -> None:
    """A child that holds the output open is killed after the timeout."""
    for seconds in (1.0, 10.0, 100.0):
        assert "failure" in _do_in(seconds, peer, "hang")
        if children.exists():
            break
    started = [int(child) for child in children.read_text("ascii").split()]
    assert started
    deadline = time.monotonic() + _END
    while any(map(_is_running, started)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(map(_is_running, started))


def test_what_has_left_its_group_is_waited_for_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A child that holds output and standard error open delays the run by one deadline at most."""
    code = (
        "import subprocess, sys; sys.stdin.readline();"
        "child = subprocess.Popen(['sleep', '60'], start_new_session=True);"
        "open(sys.argv[1], 'w').write(str(child.pid))"
    )
    threads = set(threading.enumerate())
    command = [sys.executable, "-c", code, str(tmp_path / "child")]
    process = runner._Process(command, None)
    with pytest.raises(runner._NoAnswerError, match="no answer in"):
        process.exchange(b"", 0.1)
    process._popen.wait(PATIENCE)
    child = int((tmp_path / "child").read_text("ascii"))
    waits: list[float] = []
    try:
        with monkeypatch.context() as patch:
            # A clock on which only the waits take time.
            patch.setattr(runner, "time", SimpleNamespace(monotonic=lambda: sum(waits)))
            patch.setattr(threading.Thread, "join", lambda _, seconds: waits.append(seconds))
            process.end(0.0)
        assert waits == [runner._PARTING, 0.0]
        assert len(set(threading.enumerate()) - threads) == 2
    finally:
        os.kill(child, signal.SIGKILL)
    for thread in (process._talking, process._listening):
        thread.join(PATIENCE)
    assert set(threading.enumerate()) == threads


def test_without_sessions_the_process_alone_is_killed(
    monkeypatch: pytest.MonkeyPatch, children: Path
) -> None:
    """Without `killpg`, as on Windows, only the process itself is killed."""
    monkeypatch.delattr(os, "killpg")
    with Peer(_command("misbehaving.py", str(children)), timeout=PATIENCE) as peer:
        assert _do(peer, "right") == _RIGHT
        assert "crash" in _do(peer, "die")
    assert peer._process is None


def test_an_exception_can_be_reported_as_a_crash(peer: Peer) -> None:
    """The process goes on, so many crashes in a row do not end the run."""
    process = peer._process
    for _ in range(FAILURES + 1):
        assert _do(peer, '{"id": ID, "crash": "TypeError: x"}') == {"crash": "TypeError: x"}
    assert _do(peer, "right") == _RIGHT
    assert peer._process is process


def test_after_many_failures_in_a_row_it_is_left_alone(peer: Peer) -> None:
    """One answer between two failures is enough to continue."""
    for what in ("die", "right") * FAILURES:
        _do(peer, what)
    for _ in range(FAILURES):
        assert "exit code 3" in _do(peer, "die")["crash"]
    assert _do(peer, "right") == {"failure": GIVEN_UP}
    assert f"not asked any more, after {FAILURES} failures in a row" == GIVEN_UP
    peer._failures = 0
    assert _do(peer, "right") == _RIGHT


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("/no/such/command", "No such file or directory"),
        (str(_RESPONDERS), "Permission denied"),
        (__file__, "Permission denied; a script needs its interpreter before it"),
        ("a\0b", "embedded null byte"),
    ],
)
def test_a_command_that_cannot_be_started(command: str, reason: str) -> None:
    """A command that cannot be started is an error before the first question."""
    with pytest.raises(CommandError) as caught:
        Peer([command], timeout=1.0)
    assert str(caught.value) == f"{command} cannot be started: {reason}"
    assert caught.value.__suppress_context__


def test_a_command_that_cannot_be_started_again(tmp_path: Path) -> None:
    """After the first question, a failed start is a failure like others."""
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\nexit 1\n", "ascii")
    script.chmod(0o755)
    with Peer([str(script)], timeout=PATIENCE) as peer:
        assert _do(peer, "") == {"crash": "it ended with exit code 1 before an answer"}
        script.unlink()
        assert _do(peer, "") == {
            "failure": f"{script} cannot be started: No such file or directory"
        }


def test_breaking_off_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C the process gets no time to end by itself."""
    monkeypatch.setattr(runner, "_PARTING", _END)
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt), Peer(command, timeout=PATIENCE) as peer:
        raise KeyboardInterrupt
    assert peer._process is not None
    assert peer._process._popen.returncode == -9
    assert time.monotonic() - start < runner._PARTING


@pytest.mark.usefixtures("_patiently")
def test_at_the_end_it_may_finish_what_it_does(tmp_path: Path) -> None:
    """After the end of its input, the process has time to write its data."""
    code = (
        "import sys, time; sys.stdin.read(); print('x' * 100_000); time.sleep(0.3);"
        f"open({str(tmp_path / 'done')!r}, 'w').close()"
    )
    with Peer([sys.executable, "-c", code], timeout=PATIENCE):
        pass
    assert (tmp_path / "done").exists()


def _tests(*names: str, accumulated: bool = False) -> list[VectorTest]:
    return [
        test
        for name in names
        for test in files()[name]
        if accumulated or test.operation != "accumulated"
    ]


def _run(command: list[str], tests: list[VectorTest]) -> Results:
    with Peer(command, timeout=PATIENCE) as peer:
        return Results(run("peer", peer.ask, tests, lambda _: None))


@pytest.mark.parametrize(
    "step", [pytest.param(50, id="some"), pytest.param(1, id="all", marks=pytest.mark.thorough)]
)
def test_the_library_is_perfect(step: int) -> None:
    """Through the protocol, line by line, the library is right on each test."""
    tests = _tests(*files())[::step] + _tests("encryption_context", accumulated=True)[-1:]
    results = _run(_command("library.py"), tests)
    assert results.failures == []
    assert results.total == {Verdict.RIGHT: len(tests)}
    assert results.is_success


def test_the_questions_do_not_tell_the_answers(tmp_path: Path) -> None:
    """Neither the expected result nor the kind of test is ever sent."""
    code = "import sys; open(sys.argv[1], 'wb').write(sys.stdin.buffer.readline())"
    command = [sys.executable, "-c", code, str(tmp_path / "question")]
    for tests in files().values():
        for test in {test.operation: test for test in tests[:-1]}.values():
            _run(command, [test])
            question = json.loads((tmp_path / "question").read_bytes())
            assert question == {"id": 1, "operation": test.operation, "inputs": test.inputs}
            hidden = {*test.expected, "result", "error", "trace", "flags", "comment", "tcId"}
            assert hidden.isdisjoint(question["inputs"])


def test_verdicts() -> None:
    """Each answer gets its verdict."""
    valid = next(test for test in files()["aead"] if test.operation == "decrypt" and test.is_valid)
    invalid = next(test for test in files()["aead"] if not test.is_valid)
    other = {"plaintext": "00" * 40}
    assert judge(valid, valid.expected) is Verdict.RIGHT
    assert judge(valid, other) is Verdict.WRONG
    assert judge(valid, {}) is Verdict.WRONG
    assert judge(valid, {"error": "decryption"}) is Verdict.WRONG
    assert judge(valid, {"failure": ""}) is Verdict.NO_ANSWER
    assert judge(valid, {"crash": ""}) is Verdict.CRASHED
    assert judge(valid, {"unsupported": True}) is Verdict.UNSUPPORTED
    assert judge(invalid, invalid.expected) is Verdict.RIGHT
    assert judge(invalid, {"error": "invalid_key"}) is Verdict.OTHER_ERROR
    assert judge(invalid, other) is Verdict.ACCEPTED
    assert judge(invalid, {}) is Verdict.ACCEPTED
    assert judge(invalid, {"failure": ""}) is Verdict.NO_ANSWER
    assert judge(invalid, {"crash": ""}) is Verdict.CRASHED
    assert judge(invalid, {"unsupported": True}) is Verdict.UNSUPPORTED


def test_supporting_nothing_is_no_success() -> None:
    """Neither a run without supported operations nor a run without tests is a success."""
    tests = _tests("blob", accumulated=True)
    results = Results(run("", lambda *_: {"unsupported": True}, tests, lambda _: None))
    assert results.failures == []
    assert not results.is_success
    assert not Results([]).is_success


def _rejects_all(_: str, __: Any) -> dict[str, Any]:
    return {"error": "decryption"}


def test_an_implementation_that_rejects_everything_is_found_out() -> None:
    """Its right rejections count for nothing, and the results say so in words."""
    tests = _tests("aead")
    results = Results(run("peer", _rejects_all, tests, lambda _: None))
    rejections = sum(test.expected == {"error": "decryption"} for test in tests)
    assert rejections > 100
    assert results.total[Verdict.RIGHT] == 0
    assert results.total[Verdict.UNPROVEN] == rejections
    assert results.unproven == [
        Unproven("peer", "aead", "encrypt", 0),
        Unproven("peer", "aead", "decrypt", rejections),
    ]
    assert [each.words for each in results.unproven] == [
        "aead encrypt: no valid test was right",
        f"aead decrypt: no valid test was right; its {rejections} rejections prove nothing",
    ]


def test_valid_tests_that_are_not_supported_prove_nothing() -> None:
    """A run without any failure is not a success if only rejections were right."""
    tests = [test for test in _tests("sm2pke") if test.operation == "sm2_convert"]
    convert = [test for test in tests if test.is_valid][:1]

    def ask(_: str, inputs: Any) -> dict[str, Any]:
        for test in tests:
            if test.inputs == inputs and not test.is_valid:
                return dict(test.expected)
        return {"unsupported": True}

    results = Results(run("peer", ask, tests, lambda _: None))
    assert not results.failures
    assert not results.is_success
    assert results.total.keys() == {Verdict.UNPROVEN, Verdict.UNSUPPORTED}
    # A right test of another operation does not change that.
    other = next(test for test in _tests("sm2pke") if test.operation == "sm2_encrypt")
    more = Results([*results.judgements, Judgement("peer", other, other.expected, Verdict.RIGHT)])
    assert more.total[Verdict.RIGHT] == 1
    assert not more.is_success
    # One right valid test is a proof.
    right = [Judgement("peer", test, test.expected, Verdict.RIGHT) for test in convert]
    results = Results([*right, *results.judgements])
    assert not results.unproven
    assert not results.failures


def test_rejections_alone_need_no_proof_if_no_valid_test_was_asked() -> None:
    """The selection of the user has no valid test, and the success depends on the selection."""
    tests = [test for test in _tests("aead") if test.expected == {"error": "decryption"}]
    results = Results(run("peer", _rejects_all, tests, lambda _: None))
    assert results.is_success
    assert results.total == {Verdict.RIGHT: len(tests)}


def test_each_operation_and_each_file_needs_its_own_proof() -> None:
    """The same operation of another file, or of another implementation, proves nothing."""
    valid = next(test for test in _tests("rsa_oaep") if test.is_valid)
    tests = [test for test in _tests("sm2pke") if test.operation == "asymmetric_decrypt"]
    proof = Judgement("peer", valid, valid.expected, Verdict.RIGHT)
    other = next(test for test in tests if test.is_valid)
    proof_of_another = Judgement("another", other, other.expected, Verdict.RIGHT)
    judgements = [*run("peer", _rejects_all, tests, lambda _: None), proof, proof_of_another]
    results = Results(judgements)
    assert [each[:3] for each in results.unproven] == [("peer", "sm2pke", "asymmetric_decrypt")]
    assert results.total[Verdict.RIGHT] == 2


def test_an_operation_without_any_answer_is_not_called_unproven() -> None:
    """An implementation that crashes has failures, and no rejections to explain."""
    for answer in ({"crash": "x"}, {"failure": "x"}, {"unsupported": True}):
        results = Results(
            run("peer", lambda *_, given=answer: given, _tests("blob"), lambda _: None)
        )
        assert results.unproven == []


def test_one_rejection_is_singular() -> None:
    """The sentence is correct English for one rejection."""
    words = Unproven("peer", "blob", "parse_blob", 1).words
    assert words == "blob parse_blob: no valid test was right; its one rejection proves nothing"


def test_a_rejected_request_of_the_service_proves_nothing() -> None:
    """In `api_call` and `verify_request`, rejections are outputs, and all tests are valid."""
    tests = _tests("service_api")
    succeeding = [test for test in tests if must_succeed(test)]
    assert 0 < len(succeeding) < len(tests) / 2

    def ask(operation: str, inputs: Any) -> dict[str, Any]:
        for test in tests:
            if test.operation == operation and test.inputs == inputs and not must_succeed(test):
                return dict(test.expected)
        return {"unsupported": True}

    few = [*succeeding[:2], *(test for test in tests if not must_succeed(test))][:40]
    few += [test for test in tests if test.operation == "verify_request"]
    results = Results(run("peer", ask, few, lambda _: None))
    assert not results.failures
    assert {each.operation for each in results.unproven} == {"api_call", "verify_request"}
    assert not results.total[Verdict.RIGHT]


def test_random_answers_are_found_out() -> None:
    """An implementation that guesses has a right rejection here and there, and none counts."""
    random = Random(1)
    codes = sorted({test.expected["error"] for test in _tests("aead") if not test.is_valid})

    def ask(operation: str, _: Any) -> dict[str, Any]:
        if random.random() < 0.5:
            return {"error": random.choice(codes)}
        return {name: random.randbytes(8).hex() for name in accumulated.OUTPUTS[operation]}

    results = Results(run("peer", ask, _tests("aead", "rsa_oaep"), lambda _: None))
    assert results.total[Verdict.UNPROVEN] > 20
    assert results.total[Verdict.RIGHT] == 0
    assert {each.operation for each in results.unproven} == {
        "encrypt",
        "decrypt",
        "asymmetric_decrypt",
    }


def test_an_accumulated_test_stops_when_it_is_not_supported() -> None:
    """The progress bar still reaches its end."""
    (test,) = _tests("blob", accumulated=True)[-1:]
    steps: list[int] = []
    (outcome,) = run("", lambda *_: {"unsupported": True}, [test], steps.append)
    assert outcome.answer == {"unsupported": True}
    assert sum(steps) == questions([test]) == 10_000
    assert len(steps) == 2


@pytest.mark.parametrize("kind", ["failure", "crash"])
def test_an_accumulated_test_stops_when_there_is_no_answer(kind: str) -> None:
    """The answer has the reason and the case."""
    (test,) = _tests("blob", accumulated=True)[-1:]
    (case, *_) = accumulated.draw("blob")
    steps: list[int] = []
    (outcome,) = run("", lambda *_: {kind: "no"}, [test], steps.append)
    assert outcome.answer[kind] == "no"
    assert outcome.answer[FIRST_WRONG]["case"] == 0
    assert outcome.answer[FIRST_WRONG]["inputs"] == case.inputs
    assert outcome.answer[FIRST_WRONG]["answer"] == {kind: "no"}
    assert sum(steps) == 10_000
    assert len(steps) == 2


def test_an_accumulated_test_that_is_not_asked_has_no_case() -> None:
    """A case that was never asked is not wrong."""
    (test,) = _tests("blob", accumulated=True)[-1:]
    (outcome,) = run("", lambda *_: {"failure": GIVEN_UP}, [test], lambda _: None)
    assert outcome.answer == {"failure": GIVEN_UP}


def _wrong_from(first: int, wrong: dict[str, Any]) -> tuple[Any, list[Any]]:
    """Return an implementation that is wrong for every third case from a number on."""
    cases = accumulated.draw("encryption_context")
    asked: list[Any] = []

    def ask(operation: str, inputs: Any) -> dict[str, Any]:
        asked.append((operation, inputs))
        due = next(cases).due
        number = len(asked) - 1
        return wrong if number >= first and (number - first) % 3 == 0 else due

    return ask, asked


def test_a_failed_digest_is_narrowed_to_the_first_wrong_case() -> None:
    """The answer has the number, the inputs, the expected result and the answer of that case."""
    (test,) = _tests("encryption_context", accumulated=True)[-1:]
    ask, asked = _wrong_from(4, {"canonical": "00"})
    (outcome,) = run("", ask, [test], lambda _: None)
    case = list(accumulated.draw("encryption_context"))[4]
    assert outcome.verdict is Verdict.WRONG
    assert outcome.answer.keys() == {"digest", FIRST_WRONG, WRONG_CASES}
    assert outcome.answer["digest"] != test.expected["digest"]
    assert outcome.answer[WRONG_CASES] == len(range(4, 10_000, 3))
    assert outcome.answer[FIRST_WRONG] == {
        "case": 4,
        "operation": "canonicalize",
        "inputs": case.inputs,
        "expected": case.due,
        "answer": {"canonical": "00"},
    }
    # The implementation never gets an expected result.
    assert {operation for operation, _ in asked} == {"canonicalize"}
    assert {name for _, inputs in asked for name in inputs} == {"pairs"}


def test_unsupported_does_not_hide_a_wrong_case() -> None:
    """A case that is not supported ends the test, which stays wrong for the case before."""
    (test,) = _tests("encryption_context", accumulated=True)[-1:]
    answers = iter([{"canonical": "00"}, {"unsupported": True}])
    (outcome,) = run("", lambda *_: next(answers), [test], lambda _: None)
    assert outcome.verdict is Verdict.WRONG
    assert outcome.answer[FIRST_WRONG]["case"] == 0


def test_a_digest_that_differs_without_a_wrong_case_is_wrong() -> None:
    """The digest of the file decides, for example in a folder of another version."""
    (test,) = _tests("encryption_context", accumulated=True)[-1:]
    ask, _ = _wrong_from(10_000, {})
    (outcome,) = run("", ask, [replace(test, expected={"digest": "00"})], lambda _: None)
    assert outcome.verdict is Verdict.WRONG
    assert outcome.answer == test.expected


def test_an_accumulated_test_proves_its_operation() -> None:
    """A right digest counts as a right valid test of the operation of its cases."""
    tests = _tests("encryption_context", accumulated=True)
    invalid = [test for test in tests if test.operation == "canonicalize" and not test.is_valid]
    valid = next(test for test in tests if test.operation == "canonicalize" and test.is_valid)
    judgements = [
        Judgement("", valid, {"unsupported": True}, Verdict.UNSUPPORTED),
        *(Judgement("", test, test.expected, Verdict.RIGHT) for test in invalid),
    ]
    assert Results(judgements).unproven
    proof = Judgement("", tests[-1], tests[-1].expected, Verdict.RIGHT)
    assert not Results([*judgements, proof]).unproven


@pytest.mark.parametrize(
    "answer", [{}, {"canonical": "\ud800"}, {"error": "\ud800"}, {"canonical": None}, {"x": "y"}]
)
def test_an_accumulated_test_of_strange_answers_is_wrong(answer: dict[str, Any]) -> None:
    """Every answer can be digested, and a wrong answer gives another digest."""
    (test,) = _tests("encryption_context", accumulated=True)[-1:]
    (outcome,) = run("", lambda *_: answer, [test], lambda _: None)
    assert outcome.verdict is Verdict.WRONG
    assert outcome.answer[FIRST_WRONG]["answer"] == answer
    assert outcome.answer[WRONG_CASES] == 10_000


def test_totals_by_severity_are_those_of_the_tests() -> None:
    """Each severity has the number of its tests for each verdict."""
    one, two, three = _tests("blob")[:3]
    judgements = [
        Judgement("", replace(one, severity=Severity.STRICT), one.expected, Verdict.RIGHT),
        Judgement("", replace(two, severity="strict"), {}, Verdict.WRONG),
        Judgement("", replace(three, severity="policy"), three.expected, Verdict.RIGHT),
    ]
    assert Results(judgements).by_severity == {
        "strict": {Verdict.RIGHT: 1, Verdict.WRONG: 1},
        "policy": {Verdict.RIGHT: 1},
    }
