"""The scripts of a release in `.ci`: the check of the checkout, and the SBOMs."""

import re
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest
from support.scripts import load_script

from kmscore import __version__

_ROOT = Path(__file__).resolve().parents[2]
_PROJECTS = ("pyproject.toml", "vectors/pyproject.toml")
_ADDRESS = "https://forge.example/owner/kmscore"
_TAG = f"v{__version__}"


def _project(name: str) -> Any:
    """Return the table `project` of a pyproject.toml."""
    return tomllib.loads((_ROOT / name).read_text("utf-8"))["project"]


# --- the check before a release ---


@pytest.fixture(scope="module")
def release() -> ModuleType:
    """Return the script that checks a release."""
    return load_script(_ROOT / ".ci/release.py")


@pytest.fixture
def ready(tmp_path: Path, release: ModuleType) -> Path:
    """Return a copy of the files of a release, with a date and the address of a repository."""
    address = _project(_PROJECTS[0])["urls"]["Source"]
    for name in (*release.VERSIONS, *release.PROJECTS, "CHANGELOG.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (_ROOT / name).read_text("utf-8").replace(address, _ADDRESS)
        text = re.sub(r"^(## \S+) \(.+\)$", r"\1 (2030-01-02)", text, flags=re.MULTILINE)
        path.write_text(text, "utf-8")
    citation = tmp_path / "CITATION.cff"
    text = re.sub(r"^date-released: .*\n", "", citation.read_text("utf-8"), flags=re.MULTILINE)
    citation.write_text(f"{text}date-released: 2030-01-02\n", "utf-8")
    return tmp_path


def test_a_finished_checkout_is_ready(ready: Path, release: ModuleType) -> None:
    """Without a fault, there is no finding."""
    assert release.findings(ready, _TAG, _ADDRESS) == []


def test_a_tag_without_a_version_is_rejected(ready: Path, release: ModuleType) -> None:
    """A tag is the letter v and the version."""
    assert release.findings(ready, _TAG.removeprefix("v"), _ADDRESS) != []
    assert len(release.findings(ready, "v99.0.0", _ADDRESS)) == 4


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("kmscore/__init__.py", "__version__ = ", "__version__ = '99' or "),
        ("vectors/kmscore_vectors/__init__.py", "__version__ = ", "version = "),
        ("CITATION.cff", "\nversion: ", "\nversion: 9"),
        ("CITATION.cff", "date-released: 2030-01-02", "date-released: 2030-01-03"),
        ("CITATION.cff", _ADDRESS, f"{_ADDRESS}/"),
        ("CHANGELOG.md", " (2030-01-02)", " (unreleased)"),
        ("CHANGELOG.md", "## ", "## 99.0.0 (2031-01-01)\n\n## "),
        ("pyproject.toml", f"{_ADDRESS}/issues", "https://forge.invalid/issues"),
        ("vectors/pyproject.toml", f"{_ADDRESS}/issues", f"{_ADDRESS}-other/issues"),
    ],
)
def test_one_fault_prevents_a_release(
    name: str, before: str, after: str, ready: Path, release: ModuleType
) -> None:
    """Each check has one finding, which names the file."""
    path = ready / name
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), "utf-8")
    (finding,) = release.findings(ready, _TAG, _ADDRESS)
    assert finding.startswith(f"{name}: ")


def test_an_address_that_leads_nowhere_is_not_released(release: ModuleType) -> None:
    """The reserved address of a checkout without a public repository prevents a release."""
    source = _project(_PROJECTS[0])["urls"]["Source"]
    if not str(urlsplit(source).hostname).endswith(".invalid"):
        pytest.skip("the project has a public address")
    found = release.findings(_ROOT, _TAG, _ADDRESS)
    assert len([finding for finding in found if "outside of" in finding]) == 10


# --- the SBOMs ---


def test_there_is_an_sbom_without_an_extra_and_for_each_extra_of_users() -> None:
    """The extras of developers have none."""
    sbom = load_script(_ROOT / ".ci/sbom.py")
    found = [sbom.contents((_ROOT / name).read_text("utf-8")) for name in _PROJECTS]
    extras = _project(_PROJECTS[0])["optional-dependencies"].keys() - {"bench", "test"}
    assert sorted(found[0].values()) == ["", *sorted(f"[{extra}]" for extra in extras)]
    assert [next(iter(each)) for each in found] == ["kmscore.cdx.json", "kmscore-vectors.cdx.json"]


def test_an_sbom_has_the_version_of_its_wheel() -> None:
    """The tool that writes it reads only a version that is a value."""
    sbom = load_script(_ROOT / ".ci/sbom.py")
    for name in _PROJECTS:
        wheel = Path("kmscore-1.2.3-py3-none-any.whl")
        text = sbom.described((_ROOT / name).read_text("utf-8"), wheel)
        assert tomllib.loads(text)["project"]["version"] == "1.2.3"
