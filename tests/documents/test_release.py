"""The release: versions, addresses and classifiers agree, and the workflows run this project."""

import ast
import re
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from support import databases

_ROOT = Path(__file__).resolve().parents[2]
_PROJECTS = ("pyproject.toml", "vectors/pyproject.toml")
_WORKFLOWS = sorted((_ROOT / ".github" / "workflows").glob("*.yml"))
_USES = re.compile(r"^ *-? *uses: *(.+)$", re.MULTILINE)
_PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def _project(name: str) -> Any:
    """Return the table `project` of a pyproject.toml."""
    return tomllib.loads((_ROOT / name).read_text("utf-8"))["project"]


def _citation() -> Any:
    return yaml.safe_load((_ROOT / "CITATION.cff").read_text("utf-8"))


def _workflow(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def _jobs(path: Path) -> list[Any]:
    """Return the jobs of a workflow."""
    return list(_workflow(path)["jobs"].values())


def _sessions() -> dict[str, ast.FunctionDef]:
    """Return the sessions of the noxfile by name."""
    body = ast.parse((_ROOT / "noxfile.py").read_text("utf-8")).body
    functions = [node for node in body if isinstance(node, ast.FunctionDef)]
    return {
        node.name: node
        for node in functions
        if any("session" in ast.unparse(each) for each in node.decorator_list)
    }


def _default_sessions() -> list[str]:
    """Return the sessions that nox runs without an argument."""
    text = (_ROOT / "noxfile.py").read_text("utf-8")
    listed = re.search(r"nox\.options\.sessions = (\[.*?\])", text, re.DOTALL)
    assert listed is not None
    return [node.value for node in ast.walk(ast.parse(listed[1])) if isinstance(node, ast.Constant)]


# --- metadata ---


def test_both_distributions_and_the_citation_have_one_version() -> None:
    """Each distribution has its version in one place, and the installed ones agree."""
    versions = {version("kmscore"), version("kmscore-vectors"), _citation()["version"]}
    assert len(versions) == 1
    assert [_project(name)["dynamic"] for name in _PROJECTS] == [["version"]] * 2
    heading = re.search(r"^## (\S+)", (_ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert heading is not None
    assert {heading[1]} == versions


def test_all_addresses_are_in_one_repository() -> None:
    """Both distributions name the same pages, and the citation names their repository."""
    urls = [_project(name)["urls"] for name in _PROJECTS]
    assert urls[0].keys() == urls[1].keys()
    assert {"Documentation", "Source", "Changelog", "Issues"} <= urls[0].keys()
    source = urls[0]["Source"]
    assert _citation()["repository-code"] == source
    assert all(url.startswith(source) for table in urls for url in table.values())


def test_each_address_of_a_page_names_a_file() -> None:
    """The pages of `project.urls` are files of the project."""
    pages = [
        url.partition("/blob/HEAD/")[2]
        for name in _PROJECTS
        for url in _project(name)["urls"].values()
        if "/blob/" in url
    ]
    assert len(pages) == 6
    assert [page for page in pages if not (_ROOT / page).is_file()] == []


def _supported() -> list[str]:
    """Return the versions of Python that the classifiers of the library name."""
    names = [re.fullmatch(r".*:: (3\.\d+)", line) for line in _project(_PROJECTS[0])["classifiers"]]
    return [found[1] for found in names if found]


def test_the_classifiers_name_the_supported_versions_of_python() -> None:
    """From the oldest that may install the library, without a gap, in both distributions."""
    minors = [int(name.removeprefix("3.")) for name in _supported()]
    assert minors == list(range(minors[0], minors[-1] + 1))
    for name in _PROJECTS:
        project = _project(name)
        assert project["requires-python"] == f">=3.{minors[0]}"
        listed = [f"Programming Language :: Python :: {each}" for each in _supported()]
        assert [line for line in project["classifiers"] if ":: 3." in line] == listed


def test_the_checks_run_on_the_supported_versions_of_python() -> None:
    """The session `engine` and the workflow have the versions of the classifiers."""
    (decorator,) = _sessions()["engine"].decorator_list
    assert isinstance(decorator, ast.Call)
    others = ast.literal_eval(decorator.keywords[0].value)
    tests = _workflow(_ROOT / ".github/workflows/tests.yml")["jobs"]["tests"]
    assert [_supported()[0], *others] == _supported()
    assert tests["strategy"]["matrix"]["python"] == _supported()


def test_the_documents_name_the_supported_versions_of_python() -> None:
    """SECURITY.md has the range of the classifiers."""
    text = (_ROOT / "SECURITY.md").read_text("utf-8")
    assert f"Python {_supported()[0]} to {_supported()[-1]}" in text


# --- workflows ---


def test_the_tests_run_on_each_kind_of_system() -> None:
    """Linux, macOS and Windows, and Linux on 64-bit ARM."""
    tests = _workflow(_ROOT / ".github/workflows/tests.yml")["jobs"]["tests"]
    systems = tests["strategy"]["matrix"]["system"]
    assert {name.partition("-")[0] for name in systems} == {"ubuntu", "macos", "windows"}
    assert any(name.endswith("-arm") for name in systems)


def test_each_action_is_pinned_by_a_commit_and_names_its_version() -> None:
    """A tag can move; a commit cannot. One action has one commit in all workflows."""
    used = [line for path in _WORKFLOWS for line in _USES.findall(path.read_text("utf-8"))]
    actions = {line for line in used if not line.startswith("$/")}
    assert len(actions) >= 7
    assert [line for line in actions if not _PINNED.fullmatch(line)] == []
    assert len({line.partition("@")[0] for line in actions}) == len(actions)


def _sessions_run(path: Path) -> set[str]:
    """Return the sessions that a workflow runs."""
    run: set[str] = set()
    for job in _jobs(path):
        commands = "\n".join(step.get("run", "") for step in job.get("steps", ()))
        named = set(re.findall(r"nox --session (\S+)", commands))
        if '"$SESSION"' in named:
            named.remove('"$SESSION"')
            matrix = job["strategy"]["matrix"]
            named |= {*matrix["session"], *(each["session"] for each in matrix.get("include", ()))}
        run |= named
    return run


@pytest.mark.parametrize("path", _WORKFLOWS, ids=[path.stem for path in _WORKFLOWS])
def test_a_workflow_runs_only_sessions_that_exist(path: Path) -> None:
    """A renamed session would break a workflow that nothing here runs."""
    run = _sessions_run(path)
    assert run
    assert run <= _sessions().keys()


def test_each_session_of_tests_runs_in_a_workflow() -> None:
    """The matrix of the job `tests` replaces `engine`; the others write files and measure."""
    run = set().union(*map(_sessions_run, _WORKFLOWS))
    assert _sessions().keys() - run == {"engine", "lock", "benchmarks"}


def test_the_long_workflow_covers_each_folder_of_campaigns() -> None:
    """Its jobs have the folders of `pytest` alone, and the fuzzer's own is a job of its own."""
    text = (_ROOT / "pyproject.toml").read_text("utf-8")
    folders = tomllib.loads(text)["tool"]["pytest"]["ini_options"]["testpaths"]
    jobs = _workflow(_ROOT / ".github/workflows/long.yml")["jobs"]
    parts = jobs["campaigns"]["strategy"]["matrix"]["tests"]
    assert sorted(part.split()[0] for part in parts) == sorted([*folders, "tests/fuzz"])
    assert [part for part in parts if " " in part] == ["tests --ignore tests/fuzz"]


def test_the_jobs_with_databases_start_the_servers_of_the_tests() -> None:
    """Images have a digest, and the addresses are those without a variable."""
    jobs = [job for path in _WORKFLOWS for job in _jobs(path) if "services" in job]
    assert len(jobs) == 2
    for job in jobs:
        assert job["services"] == jobs[0]["services"]
        (environment,) = [step["env"] for step in job["steps"] if "nox" in step.get("run", "")]
        assert {**environment, **dict(databases._SERVERS.values())} == environment
    for kind, service in jobs[0]["services"].items():
        assert re.fullmatch(r"\w+:\d[\d.]*@sha256:[0-9a-f]{64}", service["image"])
        port = urlsplit(databases._SERVERS[kind][1]).port
        assert service["ports"] == [f"{port}:{port}"]


@pytest.mark.parametrize("path", _WORKFLOWS, ids=[path.stem for path in _WORKFLOWS])
def test_a_workflow_has_no_right_that_a_job_does_not_ask_for(path: Path) -> None:
    """The default is the empty set, and only the release has jobs that sign and publish."""
    workflow = _workflow(path)
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]["group"]
    for job in _jobs(path):
        allowed = [{"contents": "read"}]
        if path.stem == "release":
            allowed += [{"id-token": "write"}, {"id-token": "write", "attestations": "write"}]
        assert job["permissions"] in allowed
        longest = 350 if path.stem == "long" else 60
        assert "uses" in job or 0 < job["timeout-minutes"] <= longest
        for step in job.get("steps", ()):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_only_tested_and_attested_files_are_published() -> None:
    """The job that publishes needs, through the others, all tests and the attestations."""
    jobs = _workflow(_ROOT / ".github/workflows/release.yml")["jobs"]
    needed, new = set(), {"publish"}
    while new:
        needed |= new
        new = {name for job in new for name in jobs[job].get("needs", ())} - needed
    assert needed == {"publish", "attest", "build", "sbom", "tests", "vectors"} == jobs.keys()


def test_the_job_of_the_published_files_installs_only_packages_with_hashes() -> None:
    """Its sessions have no `session.install`, and each `pip install` of a step requires hashes."""
    job = _workflow(_ROOT / ".github/workflows/release.yml")["jobs"]["build"]
    commands = [step["run"] for step in job["steps"] if "run" in step]
    installs = [command for command in commands if "pip install" in command]
    assert all("--require-hashes" in command for command in installs)
    named = re.findall(r"nox --session (\S+)", "\n".join(commands))
    assert "distributions" in named
    for name in named:
        calls = [
            ast.unparse(node) for node in ast.walk(_sessions()[name]) if isinstance(node, ast.Call)
        ]
        assert not any("session.install(" in call or "'pip'" in call for call in calls)
        assert not any(call.startswith("_write_sbom(") for call in calls)
        assert {call for call in calls if "_install(" in call} <= {"_install(session, BUILD)"}
    published = next(
        step["with"]
        for step in job["steps"]
        if step.get("uses", "").startswith("actions/upload-artifact@")
    )
    assert published["path"] == "dist/packages"


def test_every_session_of_ci_is_in_the_command_and_in_the_page() -> None:
    """The command `.ci/run`, the defaults of nox and CONTRIBUTING.md have the same sessions."""
    loop = re.search(r"^for session in (.+); do$", (_ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert loop is not None
    assert loop[1].split() == _default_sessions()
    text = (_ROOT / "CONTRIBUTING.md").read_text("utf-8")
    table = text.partition("| Step | Content |\n")[2].partition("\n\n")[0]
    rows = [line.split("|")[1] for line in table.splitlines()]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert [name for name in named if name in _sessions()] == _default_sessions()


# --- the tools of the checks ---


def test_a_session_installs_only_a_file_that_the_session_lock_writes() -> None:
    """A file without hashes would be installed without a comparison."""
    text = (_ROOT / "noxfile.py").read_text("utf-8")
    locked = {path.with_suffix(".txt").name for path in (_ROOT / ".ci").glob("*.in")}
    assert set(re.findall(r'"\.ci/(\w+\.txt)"', text)) == locked
    assert len(locked) == 5


def _locked(name: str) -> dict[str, list[str]]:
    """Return the packages of a file of hashes, each with its hashes."""
    text = (_ROOT / ".ci" / name).read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    return {line.split()[0]: re.findall(r"--hash=sha256:[0-9a-f]{64}\b", line) for line in lines}


@pytest.mark.parametrize("name", ["build", "fuzz", "mutation", "recipes", "requirements"])
def test_every_package_of_the_checks_has_a_hash(name: str) -> None:
    """The file has each package that is asked for, in its version, and no place to get it from."""
    locked = _locked(f"{name}.txt")
    asked = _locked(f"{name}.in")
    assert {re.sub(r"\[.*?\]", "", each) for each in asked} <= locked.keys()
    assert [each for each, hashes in locked.items() if "==" not in each or not hashes] == []
    assert "://" not in (_ROOT / ".ci" / f"{name}.txt").read_text("utf-8")


def test_the_page_explains_every_marker_that_is_left_out() -> None:
    """CONTRIBUTING.md has a row for each marker that `pytest` alone leaves out."""
    options = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]
    left_out = {
        name
        for option in options["ini_options"]["addopts"]
        for name in re.findall(r"not (\w+)", option)
    }
    text = (_ROOT / "CONTRIBUTING.md").read_text("utf-8")
    table = text.partition("| Marker | Tests | Run by |\n")[2].partition("\n\n")[0]
    assert left_out
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == left_out
