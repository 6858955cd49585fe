"""One harness under atheris: `python tests/fuzz/target.py NAME [OPTION OF LIBFUZZER]...`.

The campaign runs this in a process of its own, because libFuzzer ends its process.
"""

import gc
import sys
from pathlib import Path

# The folder of the tests in place of this one, so that the checkout of `kmscore` is not found.
sys.path[0] = str(Path(__file__).resolve().parents[1])

import atheris  # noqa: E402 (after the path)

with atheris.instrument_imports(include=["kmscore"], enable_loader_override=False):
    from fuzz.harnesses import load
    from fuzz.planted import plant

    HARNESS = load(sys.argv[1])

_WITH_FAULT = "--planted"
"""The option that puts a fault into the library before the run."""

_OBJECTS = 100_000
"""Number of new objects between two runs of the garbage collector."""


def main() -> None:
    """Run libFuzzer, which does not return."""
    name, *options = sys.argv[1:]
    if _WITH_FAULT in options:
        options.remove(_WITH_FAULT)
        plant(name)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS)
    atheris.Setup([sys.argv[0], *options], HARNESS.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
