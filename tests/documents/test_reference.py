"""The reference: its generated pages are up to date, and it has every public name."""

import importlib
import importlib.util
import subprocess
import sys
import zlib
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
PACKAGES = tuple(
    f"kmscore{name}"
    for name in (
        "",
        ".audit",
        ".bulk",
        ".bulk.arrow",
        ".bulk.spark",
        ".tables",
        ".tables.database",
        ".keyfile",
        ".alibaba",
        ".emulator",
        ".sm2",
    )
)


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """Return the script that writes the generated pages."""
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name", ["reference/errors.md", "reference/cli.md", "pages/trace-decrypt.html"]
)
def test_a_generated_page_is_what_the_script_writes(generator: ModuleType, name: str) -> None:
    """`python docs/generate.py` brings a page up to date."""
    assert (DOCS / name).read_text("utf-8") == generator.PAGES[name]()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the built site; a warning is an error."""
    if not all(map(importlib.util.find_spec, ("sphinx", "furo", "myst_parser"))):
        pytest.skip("the site needs what .ci/requirements.txt names")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-P", "-m", "sphinx", "-W", "-n", "-q", "-b", "html"]
    done = subprocess.run(
        [*command, str(DOCS), str(folder)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.returncode == 0
    return folder


@pytest.mark.thorough
@pytest.mark.parametrize("package", PACKAGES)
def test_the_reference_has_every_public_name(site: Path, package: str) -> None:
    """Each name in `__all__` is an object of the inventory."""
    # The inventory: four lines of text, then compressed lines that begin with a name.
    packed = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    names = {line.split(" ")[0] for line in zlib.decompress(packed).decode().splitlines()}
    module = importlib.import_module(package)
    missing = {name for name in module.__all__ if f"{package}.{name}" not in names}
    assert missing <= {"__version__"}


@pytest.mark.thorough
def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    """Scripts, styles and pictures of every page are files of the site."""
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        for attribute in ('src="http', 'rel="stylesheet" href="http', "@import url(http"):
            assert attribute not in text, page.name
