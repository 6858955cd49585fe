"""The vectors detect a removed check: one check per module here, all checks in the campaign."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import check_removal
import pytest
from check_removal import Noticed, Site

_PAGE = Path(__file__).resolve().parents[1] / "CHECKS.md"
_ROW = re.compile(r"^\| `([^`]+)` \| `\w+` \| \d+ \| (.+) \|$", re.MULTILINE)
_SITES = {
    site.name: site
    for module in check_removal.engine_modules()
    for site in check_removal.sites(module)
}


def _rows() -> dict[str, dict[str, set[str]]]:
    """Return the flags that detect each check, by file, from the page."""
    return {
        name: {
            file: set(flags.split(", "))
            for file, flags in (part.split(": ") for part in listed.split("; "))
        }
        for name, listed in _ROW.findall(_PAGE.read_text("utf-8"))
    }


def _first_rows() -> Iterator[tuple[str, str]]:
    """Yield the first detected check of each module, with the first file that detects it."""
    seen: set[str] = set()
    for name, flags in _rows().items():
        module = name.partition(":")[0]
        if module not in seen:
            seen.add(module)
            yield name, next(iter(flags))


def test_the_page_knows_every_check() -> None:
    """Each check is either detected or has an explanation, and the page has no former checks."""
    unnoticed = [name for names in check_removal.UNNOTICED.values() for name in names]
    rows = _rows()
    assert len(unnoticed) == len(set(unnoticed))
    assert rows.keys() | set(unnoticed) == _SITES.keys()
    assert rows.keys().isdisjoint(unnoticed)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for a copy of the package."""
    return tmp_path_factory.mktemp("copy")


@pytest.mark.thorough
@pytest.mark.parametrize(("name", "file"), list(_first_rows()))
def test_one_check_a_module(folder: Path, name: str, file: str) -> None:
    """Without one check, only tests of the flags on the page fail."""
    noticed = check_removal.noticed_without(_SITES[name], folder, (file,))
    assert {test.flag for test in noticed} == _rows()[name][file]


@pytest.mark.thorough
def test_nothing_fails_with_all_checks(folder: Path) -> None:
    """The copy with all checks passes, so each failure comes from the removed check."""
    assert check_removal.run_copy(folder, ("blob", "reencrypt")) == []


@pytest.mark.campaign
def test_every_check(tmp_path: Path) -> None:
    """The page is the result of the removal of each check."""
    local = threading.local()
    folders = (tmp_path / str(number) for number in range(8))

    def take_out(site: Site) -> list[Noticed]:
        if not hasattr(local, "folder"):
            local.folder = next(folders)
            local.folder.mkdir()
        return check_removal.noticed_without(site, local.folder)

    with ThreadPoolExecutor(2) as pool:
        results = dict(zip(_SITES.values(), pool.map(take_out, _SITES.values()), strict=True))
    page = tmp_path / "CHECKS.md"
    page.write_text(check_removal.table(results), "utf-8")
    assert page.read_text("utf-8") == _PAGE.read_text("utf-8"), f"the new page is {page}"
