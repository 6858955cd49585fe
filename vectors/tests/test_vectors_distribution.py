"""The vectors are a separate distribution, which needs the library only to run it."""

import ast
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from support.time_limits import PATIENCE

import kmscore
import kmscore_vectors
from kmscore_vectors import files
from kmscore_vectors.files import VectorFileError, installed_folder

_PACKAGE = Path(kmscore_vectors.__file__).parent
_SOURCE = Path(__file__).resolve().parents[1]
_CHECKOUT = _SOURCE.parent
_RESPONDER = Path(__file__).with_name("responders") / "blobs.py"


def _imports(path: Path) -> set[str]:
    """Return the first part of the name of every module that a file imports."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    named = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in (*plain, *named)}


def test_only_the_adapter_imports_the_library() -> None:
    """Only the adapter imports the library; the other modules work without it."""
    importers = {
        path.relative_to(_PACKAGE).parts[0]
        for path in _PACKAGE.rglob("*.py")
        if "kmscore" in _imports(path)
    }
    assert importers == {"adapter"}


def test_importing_the_package_does_not_import_the_library() -> None:
    """The package and its command line do not import the library before `verify` needs it."""
    code = "import kmscore_vectors, kmscore_vectors.cli, sys; print('kmscore' in sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, check=True)
    assert done.stdout == b"False\n"


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the command in an environment with all packages of this one except `kmscore`."""
    packages = tmp_path_factory.mktemp("packages")
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith(("kmscore-", "kmscore.")) and path.name != "kmscore":
            (packages / path.name).symlink_to(path)
    start = f"import sys; sys.path.append({str(packages)!r})"
    code = f"{start}; from kmscore_vectors.cli import main; main()"
    return [sys.executable, "-I", "-S", "-c", code]


def _run(command: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, *arguments], capture_output=True, check=False, text=True, timeout=PATIENCE
    )


@pytest.mark.thorough
def test_without_the_library_an_implementation_is_run(alone: list[str]) -> None:
    """An implementation of blobs is right on blobs, and reports the rest as unsupported."""
    command = [sys.executable, "-I", str(_RESPONDER)]
    done = _run(alone, "run", "--json", "--quiet", "--no-accumulated", "--", *command)
    document = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert document["failures"] == []
    assert document["total"]["right"] > 50
    assert document["total"]["not supported"] > 1000


def test_without_the_library_verify_says_what_is_missing(alone: list[str]) -> None:
    """One line that names the package and the command that works without it."""
    done = _run(alone, "verify")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "kmscore-vectors: the library kmscore is not installed; `run` takes any other"
        " implementation\n"
    )


_SUITE_FILES = {"aead", "reencrypt", "service_blob"}


@pytest.mark.thorough
def test_two_suite_ids_swapped_in_the_library_are_found(tmp_path: Path) -> None:
    """The vectors have their own tables, so they detect a wrong table in the library."""
    copy = tmp_path / "kmscore"
    shutil.copytree(
        Path(kmscore.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__")
    )
    tables = copy / "algorithms.py"
    source = tables.read_text("utf-8")
    swapped = source.replace("AES_256_GCM = 0x01", "AES_256_GCM = 0x02", 1)
    swapped = swapped.replace("AES_192_GCM = 0x02", "AES_192_GCM = 0x01", 1)
    assert swapped != source
    command = [sys.executable, "-P", "-m", "kmscore_vectors", "verify", "--no-accumulated"]
    files = [option for name in sorted(_SUITE_FILES) for option in ("--file", name)]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    for text, code in ((source, 0), (swapped, 1)):
        tables.write_text(text, "utf-8")
        done = subprocess.run(
            [*command, *files, "--json"],
            env=environment,
            capture_output=True,
            check=False,
            text=True,
        )
        assert done.returncode == code, done.stderr
    failed = {failure["file"] for failure in json.loads(done.stdout)["failures"]}
    assert failed == _SUITE_FILES


def test_the_installed_folder_is_data_or_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is the data of a wheel, or else the parent folder, as in an editable install."""
    package = tmp_path / "source" / "kmscore_vectors"
    package.mkdir(parents=True)
    monkeypatch.setattr(files, "_PACKAGE", package)
    with pytest.raises(VectorFileError, match="name their folder as DIR"):
        installed_folder()
    (package.parent / "blob.json").touch()
    assert installed_folder() == package.parent
    (package / "data").mkdir()
    (package / "data" / "blob.json").touch()
    assert installed_folder() == package / "data"


# --- the built distributions ---


def _copy(source: Path, target: Path) -> Path:
    """Copy a folder without the files that git ignores, so that a distribution lacks them."""
    if not (source / ".git").exists():  # an unpacked sdist
        made = (
            ".nox",
            ".venv*",
            ".hypothesis",
            ".benchmarks",
            ".*_cache",
            "__pycache__",
            "PKG-INFO",
        )
        return Path(shutil.copytree(source, target, ignore=shutil.ignore_patterns(*made)))
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=source, capture_output=True, check=True, text=True)
    for name in listed.stdout.split("\0"):
        if (source / name).is_file():
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, path)
    return target


def _build(source: Path, out: Path, kind: str, umask: int = -1, **environment: str) -> Path:
    """Build one distribution; return it."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(out)],
        cwd=source,
        check=True,
        capture_output=True,
        env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000"} | environment,
        umask=umask,
    )
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the checkout."""
    return _copy(_CHECKOUT, tmp_path_factory.mktemp("checkout") / "copy")


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["wheel", "sdist"])
@pytest.mark.parametrize("project", [".", "vectors"])
def test_a_distribution_is_built_the_same_twice(
    project: str, kind: str, checkout: Path, tmp_path: Path
) -> None:
    """Two copies with other folders, file times, permissions and time zones give the same bytes."""
    again = tmp_path / "another folder"
    shutil.copytree(checkout, again, copy_function=shutil.copyfile)
    for path in again.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.utime(path, (1, 10**9))
    first = _build(checkout / project, tmp_path / "1", kind, umask=0o002, TZ="UTC")
    second = _build(again / project, tmp_path / "2", kind, umask=0o077, TZ="Asia/Kathmandu")
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()


def test_the_wheel_of_the_library_is_small(checkout: Path, tmp_path: Path) -> None:
    """Less than 500 KB, without vectors."""
    wheel = _build(checkout, tmp_path, "wheel")
    names = zipfile.ZipFile(wheel).namelist()
    assert wheel.stat().st_size < 500_000
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"kmscore"}
    assert not [name for name in names if "vectors" in name or name.endswith(".json")]


def test_the_wheel_of_the_vectors_has_the_data(checkout: Path, tmp_path: Path) -> None:
    """Files, schemas, specification and pages, the same bytes as in the source."""
    wheel = zipfile.ZipFile(_build(checkout / "vectors", tmp_path, "wheel"))
    data = {
        name.removeprefix("kmscore_vectors/data/"): wheel.read(name)
        for name in wheel.namelist()
        if name.startswith("kmscore_vectors/data/")
    }
    due = [*_SOURCE.glob("*.json"), *_SOURCE.glob("*.md"), *_SOURCE.glob("schemas/*.json")]
    assert data == {path.relative_to(_SOURCE).as_posix(): path.read_bytes() for path in due}


def test_the_sdist_of_the_library_is_the_checkout(checkout: Path, tmp_path: Path) -> None:
    """The sdist has every file of the checkout, so that all checks can run from it."""
    with tarfile.open(_build(checkout, tmp_path, "sdist")) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    due = {path.relative_to(checkout).as_posix() for path in checkout.rglob("*") if path.is_file()}
    assert names == due | {"PKG-INFO"}


def test_the_sdist_of_the_vectors_stands_alone(checkout: Path, tmp_path: Path) -> None:
    """The wheel from the sdist is the same as the wheel from the source."""
    with tarfile.open(_build(checkout / "vectors", tmp_path / "sdist", "sdist")) as sdist:
        # The filter came with Python 3.11.4.
        options: Any = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        sdist.extractall(tmp_path, **options)  # noqa: S202 (our own archive)
    (unpacked,) = tmp_path.glob("kmscore_vectors-*")
    built = _build(unpacked, tmp_path / "from sdist", "wheel")
    direct = _build(checkout / "vectors", tmp_path / "direct", "wheel")
    assert built.read_bytes() == direct.read_bytes()


def test_the_licence_is_that_of_the_library() -> None:
    """Each distribution must contain the text of its licence."""
    assert (_SOURCE / "LICENSE").read_bytes() == (_CHECKOUT / "LICENSE").read_bytes()
