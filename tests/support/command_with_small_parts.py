"""`kmscore` with parts of a few rows, so that a small table has many parts."""

from kmscore.cli import main
from kmscore.tables import file_rotation, journal, json_lines

json_lines.CHUNK_ROWS = file_rotation.CHUNK_ROWS = 20  # type: ignore[misc]
journal._AT_ONCE = 2  # type: ignore[misc]

if __name__ == "__main__":
    main()
