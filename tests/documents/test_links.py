"""Links of the documents: each relative link, anchor, path and section that is named exists."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_SKIPPED = {"_build", "node_modules"}
_DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "vectors/**/*.md", "benchmarks/**/*.md")
    for path in _ROOT.glob(pattern)
    if _SKIPPED.isdisjoint(path.relative_to(_ROOT).parts)
)
_IDS = [path.relative_to(_ROOT).as_posix() for path in _DOCUMENTS]

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_REFERENCE = re.compile(r"^\[[^\]]+\]: (\S+)", re.MULTILINE)
_INCLUDE = re.compile(r"^(?:```|:::)\{(?:literal)?include\} (\S+)$", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_NAMED = re.compile(r"`((?:benchmarks|docs|examples|kmscore|tests|vectors|\.ci)/[\w./-]+)`")
_SECTION = re.compile(
    r"\bSPEC(?:\.md`?)?,? sections? (\d+(?:\.\d+)?)(?:(?:,| and) (\d+(?:\.\d+)?))?"
)


@cache
def _text(path: Path) -> str:
    """Return a document without its comments, which no reader sees."""
    return _COMMENT.sub("", path.read_text("utf-8"))


@cache
def _anchors(path: Path) -> frozenset[str]:
    """Return the anchors of the headings, as forges and the site make them."""
    made: list[str] = []
    for heading in _HEADING.findall(_FENCE.sub("", _text(path))):
        words = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        made.append(words)
        if number := made.count(words) - 1:
            made.append(f"{words}-{number}")
    return frozenset(made)


def _targets(path: Path) -> Iterator[str]:
    """Yield the targets of links and includes, without those with a scheme."""
    text = _text(path)
    prose = _FENCE.sub("", text)
    for target in (*_LINK.findall(prose), *_REFERENCE.findall(prose), *_INCLUDE.findall(text)):
        if not re.match(r"[a-z]+:", target):
            yield target


def _is_broken(path: Path, target: str) -> bool:
    """Return whether a relative target has no file, or its page has no such anchor."""
    name, _, anchor = target.partition("#")
    file = (path.parent / name).resolve() if name else path
    if not file.exists() or not file.is_relative_to(_ROOT):
        return True
    return bool(anchor) and file.suffix == ".md" and anchor not in _anchors(file)


@pytest.mark.parametrize("path", _DOCUMENTS, ids=_IDS)
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    """The file exists in the project, and a page has the anchor."""
    assert [target for target in _targets(path) if _is_broken(path, target)] == []


@pytest.mark.parametrize("path", _DOCUMENTS, ids=_IDS)
def test_every_path_in_code_exists(path: Path) -> None:
    """A path of this project, in backticks, is a file or a folder."""
    named = [name for name in _NAMED.findall(_text(path)) if not (_ROOT / name).exists()]
    assert named == []


@pytest.mark.parametrize("path", _DOCUMENTS, ids=_IDS)
def test_every_section_of_the_specification_exists(path: Path) -> None:
    """A number of a section of SPEC.md is that of a heading."""
    spec = _text(_ROOT / "vectors" / "SPEC.md")
    sections = set(re.findall(r"^#+ (\d+(?:\.\d+)?)\.? ", spec, re.MULTILINE))
    named = {number for pair in _SECTION.findall(_text(path)) for number in pair if number}
    assert named <= sections


def test_the_checks_see_the_links() -> None:
    """There are many links and anchors, and an invented one is reported."""
    targets = [(path, target) for path in _DOCUMENTS for target in _targets(path)]
    assert len(targets) > 150
    assert len([target for _, target in targets if "#" in target]) > 10
    readme = _ROOT / "README.md"
    for wrong in ("docs/missing.md", "docs/tutorial.md#missing", "../outside.md", "#missing"):
        assert _is_broken(readme, wrong), wrong
    assert not _is_broken(readme, "#install")
