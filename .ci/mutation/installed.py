"""A copy of the installed package, in which one module at a time is a mutant."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path


class Copy:
    """The installed package in a folder that comes first on the path of all tests."""

    def __init__(self, package: str, folder: Path) -> None:
        """Copy the package; one that was left by an earlier run is replaced."""
        found = importlib.util.find_spec(package)
        if found is None or found.origin is None:
            raise SystemExit(f"{package}: not installed")
        self.folder = folder
        self.package = folder / package
        shutil.rmtree(folder, ignore_errors=True)
        # The times are copied, so the compiled files remain valid.
        shutil.copytree(Path(found.origin).parent, self.package)

    def put_first(self) -> None:
        """Make this process and its children import the copy."""
        sys.path.insert(0, str(self.folder))
        # Compiled tests are kept, and not in the checkout.
        sys.dont_write_bytecode = False
        sys.pycache_prefix = str(self.folder.parent / "compiled")
        os.environ["PYTHONPATH"] = str(self.folder)
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

    def modules(self) -> list[str]:
        """Return the paths of all modules, such as `kmscore/blob.py`."""
        files = self.package.rglob("*.py")
        return sorted(file.relative_to(self.folder).as_posix() for file in files)

    def source(self, module: str) -> str:
        """Return the text of a module."""
        return (self.folder / module).read_text("utf-8")

    def replace(self, module: str, text: str) -> None:
        """Write another text in place of a module."""
        file = self.folder / module
        # A compiled file would be taken if time and size were equal.
        Path(importlib.util.cache_from_source(str(file))).unlink(missing_ok=True)
        file.write_text(text, "utf-8")
