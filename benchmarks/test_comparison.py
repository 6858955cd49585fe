"""Tests of the comparison: the order of measurement, the figures, and the output."""

import gc
import io
import os
import re
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import measure as module
from benchmarks.__main__ import main, subjects
from benchmarks.bench_scale import VERSIONS_VARIABLE
from benchmarks.measure import OURS, Comparison, Measurement, Task, Tasks, measure
from benchmarks.memory import growth
from benchmarks.report import BEGIN, END, Report

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results.json"
EVIDENCE = ROOT / "docs" / "explanation" / "evidence.md"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the variable that the command sets, so that later tests make few keys."""
    monkeypatch.setenv(VERSIONS_VARIABLE, "10")


def task_of(*names: str, log: list[str], cores: int = 1) -> Task:
    """Return a task whose contenders log that they were called."""
    calls = {name: lambda name=name: log.append(name) for name in (OURS, *names)}
    return Task("a task", dict.fromkeys(names, 1.0), lambda: calls, cores)


def test_everyone_takes_part_in_every_round() -> None:
    """All contenders have the same number of rounds, and the order changes with each round."""
    log: list[str] = []
    shares: list[float] = []
    measurement = measure(task_of("a", "b", log=log), 0.05, shares.append)
    rounds = {name: len(times) for name, times in measurement.rounds.items()}
    assert set(rounds) == {OURS, "a", "b"}
    assert len(set(rounds.values())) == 1
    assert min(rounds.values()) >= 15
    assert shares == sorted(shares)
    assert shares[-1] == 1
    batches = [name for name, previous in zip(log[1:], log, strict=False) if name != previous]
    assert {"a", "b", OURS} == set(batches)


def test_the_first_of_a_round_is_another_one_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each contender is the first in the same number of rounds."""
    log: list[str] = []
    monkeypatch.setattr(module, "_batch_size", lambda _: 1)
    measure(task_of("a", "b", log=log), 0, lambda _: None)
    rounds = [tuple(log[start : start + 3]) for start in range(3, len(log), 3)]
    assert all(set(each) == {OURS, "a", "b"} for each in rounds)
    assert set(Counter(each[0] for each in rounds).values()) == {5}


def test_the_garbage_collector_is_off_while_the_clock_runs() -> None:
    """It is on again afterwards, also after an error."""
    states: list[bool] = []
    measure(Task("a", {"b": None}, lambda: dict.fromkeys((OURS, "b"), _watch(states))), 0, _ignore)
    assert not any(states)
    assert gc.isenabled()

    def fail() -> object:
        raise KeyError

    with pytest.raises(KeyError):
        measure(Task("a", {}, lambda: {OURS: fail}), 0, _ignore)
    assert gc.isenabled()


def _watch(states: list[bool]) -> module.Call:
    return lambda: states.append(gc.isenabled())


def _ignore(_: float) -> None:
    pass


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be chosen here")
@pytest.mark.parametrize("cores", [1, 2])
def test_the_process_keeps_to_its_cores(cores: int) -> None:
    """It has the given number of cores, and afterwards all cores that it had before."""
    before = os.sched_getaffinity(0)
    seen: set[int] = set()
    call = lambda: seen.add(len(os.sched_getaffinity(0)))  # noqa: E731
    measure(Task("a", {}, lambda: {OURS: call}, cores), 0, _ignore)
    assert seen == {min(cores, len(before))}
    assert os.sched_getaffinity(0) == before


def test_the_ratio_is_the_median_of_the_ratios_of_the_rounds() -> None:
    """A slow round of both contenders does not change it; both times are medians."""
    measurement = Measurement(
        Task("t", {"other": 2.0}, dict), {OURS: [1, 20, 3], "other": [1, 10, 1]}
    )
    assert measurement.comparisons() == [Comparison("t", "other", 3, 1, 2.0, 2.0)]
    assert measurement.comparisons()[0].is_met
    assert not Comparison("t", "other", 3, 1, 2.001, 2.0).is_met
    assert Comparison("t", "other", 3, 1, 9.0, None).is_met


def test_tasks_have_names_of_their_own() -> None:
    """Every name occurs once, and every task has at least one other contender."""
    tasks = [task for subject in subjects() for task in subject]
    assert len({task.name for task in tasks}) == len(tasks)
    assert all(task.against and OURS not in task.against for task in tasks)
    assert all(isinstance(subject, Tasks) for subject in subjects())


def test_the_command_measures_shows_and_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The printed table and both files have the same figures."""
    monkeypatch.setenv("COLUMNS", "200")
    results, markdown = tmp_path / "r.json", tmp_path / "r.md"
    arguments = ["--only", "CiphertextBlob", "--seconds", "0", "--versions", "10"]
    assert main([*arguments, "--json", str(results), "--markdown", str(markdown)]) == 0
    shown = capsys.readouterr().out
    report = Report.load(results)
    assert [row.task for row in report.comparisons] == [
        "CiphertextBlob.parse",
        "CiphertextBlob.serialize",
    ]
    assert markdown.read_text("utf-8") == report.markdown()
    for row in report.comparisons:
        assert f"{row.ratio:.3f}" in shown
        assert f"| {row.ratio:.3f} |" in report.markdown()
    for name in ("cryptography's", "SM2's", "kmscore", "cryptography"):
        assert f"{name} {report.environment[name]}" in " ".join(shown.split())


def test_the_command_rejects_a_name_that_no_task_has(capsys: pytest.CaptureFixture[str]) -> None:
    """The output names the text, and the status is 2."""
    assert main(["--only", "no such task"]) == 2
    assert "no such task" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ("--seconds", "-1"),
        ("--seconds", "nan"),
        ("--seconds", "soon"),
        ("--versions", "1"),
        ("--memory", "0"),
        ("--json", "/no/such/folder/r.json"),
        ("--plot", "."),
        ("--what",),
    ],
)
def test_the_command_rejects_before_it_measures(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """The error stream names the option with the wrong value, and the status is 2."""
    with pytest.raises(SystemExit, match="2"):
        main([*arguments])
    captured = capsys.readouterr()
    assert arguments[0] in captured.err
    assert captured.out == ""


def test_an_interrupted_run_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After Ctrl-C, it prints one line and ends with the status of an interrupted command."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmarks.__main__.measure", interrupt)
    results = tmp_path / "r.json"
    assert main(["--only", "serialize", "--json", str(results)]) == 130
    assert capsys.readouterr().out.strip() == "interrupted, nothing is written"
    assert not results.exists()


def test_markdown_goes_between_the_marks(tmp_path: Path) -> None:
    """The text around the marks does not change, and a second run gives the same result."""
    report = Report({"processor": "p", "system": "s", "python": "py"}, [])
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", "utf-8")
    for _ in range(2):
        report.write_markdown(readme)
        text = readme.read_text("utf-8")
        assert text.startswith(f"before\n{BEGIN}\n")
        assert text.endswith(f"\n{END}\nafter\n")
        assert report.markdown() in text
        assert "old" not in text


def test_memory_is_measured_around_the_calls(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command shows the memory before and after the calls, in bytes."""
    pytest.importorskip("resource")
    monkeypatch.setattr("benchmarks.memory._WARM_UP", 10_000)
    shares: list[float] = []
    before, after = growth(20_000, shares.append)
    assert shares[-1] == 1
    assert before > 1_000_000
    assert after < before + 20_000_000
    assert main(["--memory", "1000"]) == 0
    assert re.search(
        r"1,000 calls: [\d,]+ bytes resident before, [\d,]+ after",
        " ".join(capsys.readouterr().out.split()),
    )


def test_the_plot_shows_every_ratio_with_both_figures(tmp_path: Path) -> None:
    """They are text in the SVG, and the same figures give the same file."""
    pytest.importorskip("matplotlib")
    rows = [
        Comparison("a task", "bare", 4_000, 2_000, 2.0, 1.75),
        Comparison("a task", "peer", 4_000, 16_000, 0.25, None),
    ]
    report = Report({}, rows)
    for name in ("one.svg", "two.svg"):
        report.plot(tmp_path / name)
    one = (tmp_path / "one.svg").read_text("utf-8")
    assert one == (tmp_path / "two.svg").read_text("utf-8")
    for text in ("2.00  (4 µs / 2 µs)", "0.25  (4 µs / 16 µs)", "a task  /  bare"):
        assert text in one


# --- the stored results of the last full run ---


def test_the_evidence_page_shows_the_kept_figures() -> None:
    """The table of the evidence page and the plot agree with the stored results."""
    report = Report.load(RESULTS)
    assert report.markdown() in EVIDENCE.read_text("utf-8")
    plot = (ROOT / "benchmarks" / "ratios.svg").read_text("utf-8")
    for row in report.comparisons:
        assert f">{row.ratio:.2f}  (" in plot
        assert f"{row.task}  /  {row.against}" in plot


def test_the_kept_figures_are_of_the_tasks_that_there_are() -> None:
    """The stored results have exactly the tasks that are measured now."""
    kept = [(row.task, row.against, row.limit) for row in Report.load(RESULTS).comparisons]
    assert kept == [
        (task.name, other, limit)
        for subject in subjects()
        for task in subject
        for other, limit in task.against.items()
    ]


def test_the_table_fits_a_terminal_of_80_columns() -> None:
    """Every figure is complete."""
    report = Report.load(RESULTS)
    console = Console(width=80, record=True, file=io.StringIO())
    report.print_on(console)
    shown = console.export_text()
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    for row in report.comparisons:
        assert f"{row.ratio:.3f}" in shown
