"""The checks of the project, each in an environment of its own: `nox -l` lists them.

`bash .ci/run` runs those that must pass before a change lands. The tests run on the installed
package, so nothing is installed in editable mode.
"""

import os
import re
import shutil
import tarfile
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
TOOLS, RECIPES, BUILD = ".ci/requirements.txt", ".ci/recipes.txt", ".ci/build.txt"
FUZZER, MUTATOR = ".ci/fuzz.txt", ".ci/mutation.txt"
DISTRIBUTIONS = (".", "vectors")
EVERYTHING = (".[test,bench,arrow,spark]", "./vectors")
# The environments of the session `clients`. The package of the Encryption SDK pins an old
# `cryptography`, and no two of them can share one environment.
CLIENTS = {
    "current-3": "alibabacloud-kms20160120>=3.3,<4",
    "current-2": "alibabacloud-kms20160120>=2.4,<3",
    "old": "aliyun-python-sdk-kms>=2.16",
    "encryption-sdk": "bestv-aliyun-encryption-sdk==0.1.2",
    "object-storage": "oss2>=2.19",
}
NODE_CLIENTS = ("@alicloud/kms20160120@1", "@alicloud/pop-core@1")

# Printed by the session `coverage`: the servers whose tests are skipped.
_MISSING_SERVERS = "from support.databases import missing_servers as m; print(*m(), sep='\\n')"

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = False
nox.options.download_python = "never"
nox.options.sessions = [
    *("lint", "prose", "types", "docs", "coverage", "recipes", "vectors", "harnesses"),
    *("oldest", "engine", "sdist", "sbom"),
]


def _install(session: nox.Session, locked: str, *packages: str) -> None:
    """Install the packages of a file of hashes, and then packages without hashes.

    Two commands, because with the first hash pip requires one for every package.
    """
    session.install("--require-hashes", "--requirement", locked)
    if packages:
        session.install(*packages)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests that the README runs; arguments go to pytest."""
    session.install(".[test]", "./vectors")
    session.run("pytest", *session.posargs)


@nox.session(python=["3.12", "3.13", "3.14"])
def engine(session: nox.Session) -> None:
    """Run the tests on the other interpreters that are installed; `coverage` runs on the first."""
    session.install(".[test]", "./vectors")
    session.run("pytest", "--quiet", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check the format and the code, and the workflows and the citation with their schemas."""
    _install(session, TOOLS)
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    workflows = sorted(str(path) for path in Path(".github/workflows").glob("*.yml"))
    for schema, files in (
        ("vendor.github-workflows", workflows),
        ("custom.github-workflows-require-timeout", workflows),
        ("vendor.dependabot", [".github/dependabot.yml"]),
        ("vendor.citation-file-format", ["CITATION.cff"]),
    ):
        session.run("check-jsonschema", "--builtin-schema", schema, *files)
    session.run("zizmor", "--offline", "--strict-collection", "--quiet", ".github")


@nox.session
def prose(session: nox.Session) -> None:
    """Check the wording against its baseline."""
    session.run("python", ".ci/prose.py", *session.posargs)


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of the code, and that those of the installed packages are complete."""
    _install(session, TOOLS, *EVERYTHING)
    session.run("mypy", "kmscore", "benchmarks", "vectors/kmscore_vectors")
    session.run("pyright")
    # From another folder, so that the installed packages are seen.
    session.chdir("tests")
    for package in ("kmscore", "kmscore_vectors"):
        session.run("pyright", "--ignoreexternal", "--verifytypes", package)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site into docs/_build; a warning is an error."""
    _install(session, TOOLS, ".[cli,arrow,database,emulator]")
    session.run("python", "-m", "sphinx", "-W", "-n", "-q", "-b", "html", "docs", "docs/_build")


@nox.session
def coverage(session: nox.Session) -> None:
    """Run all tests with everything installed, and require full branch coverage.

    Without a server, the modules for databases are left out of the requirement.
    """
    _install(session, TOOLS, *EVERYTHING)
    marked = ("-m", "not campaign and not harness and not recipe and not clients")
    measured = ("--cov", "--cov-report=", "--cov-fail-under=0")
    session.run("pytest", "--quiet", *marked, *measured, *session.posargs)
    shown = session.run("python", "-c", _MISSING_SERVERS, env={"PYTHONPATH": "tests"}, silent=True)
    missing = [line for line in str(shown).splitlines() if " is not reachable" in line]
    for reason in missing:
        session.warn(f"tests are skipped: {reason}")
    left_out = ("--omit", "*/kmscore/tables/database/*") if missing else ()
    session.run("coverage", "report", *left_out)


@nox.session
def recipes(session: nox.Session) -> None:
    """Run the examples of the pages for Polars, DuckDB, Delta Lake and Iceberg."""
    _install(session, RECIPES, ".[test]")
    # Without a package, the tests of its page are skipped.
    session.run("python", "-c", "import deltalake, duckdb, numpy, polars, pyiceberg")
    session.run(
        *("pytest", "--quiet", "-m", "recipe", "tests/documents/test_pages.py", *session.posargs)
    )


@nox.session
def oldest(session: nox.Session) -> None:
    """Run the tests on the oldest versions of cryptography and pyarrow that are allowed."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    pins = []
    for name in ("cryptography", "pyarrow"):
        found = re.search(rf'"{name}>=([0-9.]+)"', text)
        if found is None:
            session.error(f"pyproject.toml has no oldest version of {name}")
        pins.append(f"{name}=={found[1]}.*")
    session.install(".[test]", "./vectors", *pins)
    session.run("pytest", "--quiet", *session.posargs)


@nox.session
def vectors(session: nox.Session) -> None:
    """Verify the library on every vector, and make the vectors without the library."""
    session.install(*EVERYTHING[1:])
    session.run("python", "-P", "-c", "import kmscore", success_codes=[1], silent=True)
    made = Path(session.create_tmp()) / "made"
    shutil.rmtree(made, ignore_errors=True)
    session.run("kmscore-vectors", "generate", "--out", str(made))
    for file in sorted((ROOT / "vectors").glob("*.json")):
        if file.read_bytes() != (made / file.name).read_bytes():
            session.error(f"vectors/{file.name} is not what the generator writes")
    session.install(".[gmssl]")
    session.run("kmscore-vectors", "verify", silent=True)
    responder = ("python", "-P", "vectors/tests/responders/library.py")
    session.run("kmscore-vectors", "run", "--no-accumulated", "--", *responder, silent=True)


@nox.session
def harnesses(session: nox.Session) -> None:
    """Run the vectors on the JavaScript implementation and on libraries of Node and Python."""
    session.install(".[test]", EVERYTHING[1])
    session.run("pytest", "--quiet", "-m", "harness", *session.posargs)
    session.run("node", "--test", "vectors/harnesses/javascript", external=True)
    names = (
        *("javascript", "sm-crypto", "sm-crypto-0.3.13", "sm-crypto-v2", "noble-ciphers"),
        *("node-crypto", "web-crypto", "node-forge", "openssl"),
        *("cryptography", "pycryptodome", "tink", "gmssl", "gmssl-pyx"),
    )
    campaign = ("python", "vectors/harnesses/campaign.py", "--check")
    session.run(*campaign, "--only", *names, "--require", *names)


@nox.session
def clients(session: nox.Session) -> None:
    """Run clients of the vendor, each in an environment of its own, against `kmscore serve`."""
    folder = Path(session.create_tmp()).resolve()
    for name, requirement in CLIENTS.items():
        session.run("python", "-m", "venv", str(folder / name))
        python = folder / name / ("Scripts" if os.name == "nt" else "bin") / "python"
        install = ("-m", "pip", "install", "--quiet", requirement)
        session.run(str(python), *install, external=True)
    session.run("npm", "install", "--prefix", str(folder), *NODE_CLIENTS, external=True)
    session.install(".[test]")
    tests = ("-m", "clients", "tests/emulator/clients")
    environment = {"KMSCORE_CLIENTS": str(folder)}
    session.run("pytest", "--quiet", *tests, *session.posargs, env=environment)


@nox.session
def mutants(session: nox.Session) -> None:
    """Put mistakes into the JavaScript implementation, and show which ones the vectors notice."""
    session.install(EVERYTHING[1])
    names = ("listed", "blind", "planted")
    lists = [f"vectors/harnesses/mutants/{name}.json" for name in names]
    source = ("--source", "vectors/harnesses/javascript")
    command = ("kmscore-vectors", "mutants", *lists, *source, *session.posargs)
    session.run(*command, "--", "node", "main.mjs")


@nox.session
def fuzz(session: nox.Session) -> None:
    """Fuzz the parsers for ten minutes; arguments go to the command, which `--help` explains."""
    _install(session, FUZZER, ".[test]")
    session.run("python", "tests/fuzz", *(session.posargs or ("--seconds", "600")))


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Measure everything; arguments go to the command."""
    session.install(".[bench]")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def campaigns(session: nox.Session) -> None:
    """Run the tests that take minutes to hours."""
    _install(session, TOOLS)
    _install(session, FUZZER, *EVERYTHING)
    session.run("pytest", "--quiet", "-m", "campaign", *session.posargs)


@nox.session
def mutation(session: nox.Session) -> None:
    """Put mistakes into the library, and show which ones no test notices; arguments go to it.

    An interrupted run continues where it ended. `docs/explanation/mutation.md` explains the score.
    """
    _install(session, MUTATOR, ".[test]", "./vectors")
    session.run("pytest", "--quiet", "-n0", "-m", "mutation", ".ci/mutation/test_control.py")
    session.run("python", ".ci/mutation", *session.posargs)


def _build(session: nox.Session, project: str, *kinds: str) -> list[Path]:
    """Build distributions of a project in the folder of the session; return the files."""
    out = Path(session.create_tmp()).resolve() / "built"
    shutil.rmtree(out, ignore_errors=True)
    targets = [option for kind in kinds for option in ("--target", kind)]
    command = ("python", "-m", "hatchling", "build", *targets, "--directory", str(out))
    with session.chdir(project):
        session.run(*command)
    return sorted(out.iterdir())


@nox.session
def sdist(session: nox.Session) -> None:
    """Install both sdists, and run the tests of the sdist in its own folder."""
    _install(session, BUILD)
    unpacked = Path(session.create_tmp()).resolve() / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)
    for project in DISTRIBUTIONS:
        (archive,) = _build(session, project, "sdist")
        with tarfile.open(archive) as opened:
            opened.extractall(unpacked, filter="data")
    vectors, library = sorted(unpacked.iterdir(), reverse=True)
    session.install(f"{library}[test]", str(vectors))
    session.chdir(library)
    session.run("pytest", "--quiet", *session.posargs)


@nox.session
def distributions(session: nox.Session) -> None:
    """Build the files of a release into dist/packages, with the time of SOURCE_DATE_EPOCH."""
    _install(session, BUILD)
    packages = ROOT / "dist" / "packages"
    shutil.rmtree(packages, ignore_errors=True)
    for project in DISTRIBUTIONS:
        for file in _build(session, project, "sdist", "wheel"):
            packages.mkdir(parents=True, exist_ok=True)
            shutil.move(file, packages)


@nox.session
def sbom(session: nox.Session) -> None:
    """Write an SBOM of each distribution, with no extra and with each one, into dist/sbom."""
    _install(session, TOOLS)
    _install(session, BUILD)
    shutil.rmtree(ROOT / "dist" / "sbom", ignore_errors=True)
    for project in DISTRIBUTIONS:
        (wheel,) = _build(session, project, "wheel")
        session.run("python", ".ci/sbom.py", f"{project}/pyproject.toml", str(wheel), "dist/sbom")


@nox.session
def release(session: nox.Session) -> None:
    """Check that the checkout is ready for a release: nox -s release -- TAG ADDRESS."""
    session.run("python", ".ci/release.py", *session.posargs)


@nox.session
def lock(session: nox.Session) -> None:
    """Write the files of hashes again; `-- --upgrade` takes the newest versions."""
    _install(session, TOOLS)
    options = ("--universal", "--python-version", "3.11", "--generate-hashes", "--quiet")
    command = ("--custom-compile-command", "nox --session lock")
    for locked in (BUILD, TOOLS, RECIPES, FUZZER, MUTATOR):
        source = str(Path(locked).with_suffix(".in"))
        session.run(
            *("uv", "pip", "compile", *options, *command, *session.posargs),
            *("--output-file", locked, source),
        )
