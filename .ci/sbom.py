"""Write the SBOMs of a wheel: with no extra, and with each extra for users.

    python .ci/sbom.py PYPROJECT WHEEL FOLDER

Each SBOM (CycloneDX) is that of an environment that has only the wheel and its dependencies.
"""

import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Final

FOR_DEVELOPERS: Final = {"test", "bench"}
OPTIONS: Final = ("--mc-type", "library", "--output-reproducible", "--spec-version", "1.6")


def described(pyproject: str, wheel: Path) -> str:
    """Return a pyproject.toml with the version of its wheel.

    The tool does not read a dynamic version.
    """
    return pyproject.replace('dynamic = ["version"]', f'version = "{wheel.name.split("-")[1]}"')


def contents(pyproject: str) -> dict[str, str]:
    """Return the name of each SBOM, and the extra in brackets that its environment has."""
    project = tomllib.loads(pyproject)["project"]
    extras = sorted(project.get("optional-dependencies", {}).keys() - FOR_DEVELOPERS)
    return {
        f"{project['name']}.cdx.json": "",
        **{f"{project['name']}-{extra}.cdx.json": f"[{extra}]" for extra in extras},
    }


def write(package: str, pyproject: Path, out: Path) -> None:
    """Install a package without pip in a new environment, and write the SBOM of that."""
    environment = pyproject.with_name("environment")
    subprocess.run(
        [sys.executable, "-m", "venv", "--clear", "--without-pip", environment], check=True
    )
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = ("-m", "pip", "--python", python, "install", "--quiet", package)
    subprocess.run([sys.executable, *install], check=True)
    files = ("--pyproject", pyproject, "--output-file", out, python)
    subprocess.run(["cyclonedx-py", "environment", *OPTIONS, "--validate", *files], check=True)


def main() -> None:
    """Write all SBOMs of a wheel."""
    source, wheel, out = (Path(argument).resolve() for argument in sys.argv[1:])
    text = source.read_text("utf-8")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        pyproject = Path(folder) / "pyproject.toml"
        pyproject.write_text(described(text, wheel), "utf-8")
        for name, extra in contents(text).items():
            write(f"{wheel}{extra}", pyproject, out / name)


if __name__ == "__main__":
    main()
