"""The command: `python tests/fuzz --help`."""

import sys
from pathlib import Path

# As in `target`.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from fuzz.command import main  # noqa: E402 (after the path)

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
