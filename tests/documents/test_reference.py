"""The reference: generated pages are up to date, examples run, every public name is there."""

import base64
import importlib
import importlib.util
import itertools
import re
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support.scripts import load_script

from kmscore import Keyring, KeySpec, SymmetricKey, encrypt

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
    return load_script(DOCS / "generate.py")


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


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("audit", r"<!doctype html>.*"),
        ("emulator", r"http://127\.0\.0\.1:\d+\n"),
        ("tables", r"1 \{\}\n"),
    ],
    ids=["audit", "emulator", "tables"],
)
def test_the_example_of_a_reference_page_runs(
    name: str,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With a keyring, a blob and a table that are given, it prints or makes what it says."""
    old, new = (SymmetricKey.generate(KeySpec.AES_256, key_id="orders") for _ in range(2))
    blob = encrypt(Keyring([old]), "orders", b"4711", {"tenant": "acme"}).ciphertext_blob
    row = f"tenant,ciphertext_blob\nacme,{base64.b64encode(blob).decode()}\n"
    (tmp_path / "in.csv").write_text(row, "utf-8")
    monkeypatch.chdir(tmp_path)
    page = (DOCS / "reference" / f"{name}.rst").read_text("utf-8")
    block = page.partition(".. code-block:: python\n")[2]
    lines = itertools.takewhile(lambda line: not line or line[0] == " ", block.splitlines())
    # One process is enough here, and starts faster.
    code = textwrap.dedent("\n".join(lines)).replace("jobs=4", "jobs=1")
    keys = Keyring([old, new])
    names: dict[str, Any] = {"keys": keys, "keyring": keys, "blob": blob}
    exec(code, names)  # noqa: S102 (our own page)
    made = names.get("page") or capsys.readouterr().out
    assert re.fullmatch(expected, made, re.DOTALL)
