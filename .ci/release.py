"""Check that the checkout is ready for a release.

    python .ci/release.py TAG ADDRESS

TAG is `v` and the version. ADDRESS is that of the public repository. Both distributions, the
citation and the changelog must agree with them. Each finding is one line; without one, the exit
code is 0.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
VERSIONS: Final = {
    "kmscore/__init__.py": r'^__version__ = "(.+)"$',
    "vectors/kmscore_vectors/__init__.py": r'^__version__ = "(.+)"$',
    "CITATION.cff": r"^version: (.+)$",
}
PROJECTS: Final = ("pyproject.toml", "vectors/pyproject.toml")


def _found(root: Path, name: str, pattern: str) -> str:
    """Return the first group of a pattern in a file, or an empty text."""
    found = re.search(pattern, (root / name).read_text("utf-8"), re.MULTILINE)
    return found[1] if found else ""


def _wrong_versions(root: Path, version: str) -> Iterator[str]:
    """Yield the files with a version that is not that of the tag."""
    for name, pattern in VERSIONS.items():
        found = _found(root, name, pattern)
        if found != version:
            yield f"{name}: the version is {found or 'missing'}, and the tag has {version}"


def _wrong_dates(root: Path, version: str) -> Iterator[str]:
    """Yield a missing date of the changelog, and another date of the citation."""
    heading = rf"\A(?:(?!## ).*\n)*## {re.escape(version)} \((\d{{4}}-\d\d-\d\d)\)$"
    date = _found(root, "CHANGELOG.md", heading)
    if not date:
        yield f"CHANGELOG.md: the first section is not {version} with a date"
    elif _found(root, "CITATION.cff", r"^date-released: (.+)$") != date:
        yield f"CITATION.cff: date-released is not {date}"


def _wrong_addresses(root: Path, address: str) -> Iterator[str]:
    """Yield the addresses that are not in the public repository."""
    for name in PROJECTS:
        urls = tomllib.loads((root / name).read_text("utf-8"))["project"]["urls"]
        for label, url in urls.items():
            if url != address and not url.startswith(f"{address}/"):
                yield f"{name}: {label} is {url}, outside of {address}"
    if _found(root, "CITATION.cff", r"^repository-code: (.+)$") != address:
        yield f"CITATION.cff: repository-code is not {address}"


def findings(root: Path, tag: str, address: str) -> list[str]:
    """Return all that prevents a release of a checkout."""
    version = tag.removeprefix("v")
    if tag == version:
        return [f"{tag}: the tag is not v and a version"]
    return [
        *_wrong_versions(root, version),
        *_wrong_dates(root, version),
        *_wrong_addresses(root, address),
    ]


def main() -> int:
    """Print the findings; return 1 if there are any, and 2 for wrong arguments."""
    if len(sys.argv) != 3:  # noqa: PLR2004
        print("usage: release.py TAG ADDRESS", file=sys.stderr)  # noqa: T201
        return 2
    found = findings(ROOT, *sys.argv[1:])
    print("\n".join(found) or "ready")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
