"""`kmscore` with parts of a few rows, so that a small table has many parts."""

from kmscore.cli import main
from kmscore.tables import journal, json_lines, rotation

json_lines.CHUNK_ROWS = rotation.CHUNK_ROWS = 20  # type: ignore[misc]
journal._AT_ONCE = 2  # type: ignore[misc]

if __name__ == "__main__":
    main()
