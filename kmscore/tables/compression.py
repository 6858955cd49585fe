"""Compressed files of the line formats: gzip (RFC 1952) and Zstandard (RFC 8878)."""

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, cast

from kmscore.tables.errors import TableError, describe

COMPRESSIONS: Final = ("", ".gz", ".zst")
"""The endings of compressed files; none for a plain file."""


class Source(NamedTuple):
    """An open file."""

    content: BinaryIO
    """The decompressed bytes."""

    raw: BinaryIO
    """The file, whose position is the progress."""

    size: int
    """The size of the file in bytes, at least 1."""

    @property
    def position(self) -> float:
        """The part of the file that was read, 0 to 1."""
        return min(1.0, self.raw.tell() / self.size)


@contextmanager
def open_source(path: Path, compression: str) -> Iterator[Source]:
    """Open a file for reading. Raises `TableError`, also for content that is read in the block."""
    try:
        size = max(1, path.stat().st_size)
        with path.open("rb") as raw:
            if compression == ".gz":
                with gzip.GzipFile(fileobj=raw) as content:
                    yield Source(cast("BinaryIO", content), raw, size)
            elif compression == ".zst":
                arrow = _load_arrow()
                with arrow.CompressedInputStream(raw, "zstd") as stream:
                    yield Source(cast("BinaryIO", io.BufferedReader(stream)), raw, size)
            else:
                yield Source(raw, raw, size)
    except (EOFError, zlib.error) as error:
        raise TableError(f"{path}: damaged or truncated: {error}") from None
    except OSError as error:
        raise TableError(describe(error, path)) from None


@contextmanager
def compressed(out: BinaryIO, compression: str) -> Iterator[BinaryIO]:
    """Yield a file whose content is written compressed to another file. Raises `OSError`."""
    if compression == ".gz":
        # Without a name and a time, so that equal tables give equal files.
        with gzip.GzipFile(filename="", fileobj=out, mode="wb", mtime=0) as content:
            yield cast("BinaryIO", content)
    elif compression == ".zst":
        with _load_arrow().CompressedOutputStream(_Unclosed(out), "zstd") as stream:
            yield stream
    else:
        yield out


class _Unclosed(io.RawIOBase):
    """A file that stays open when its stream is closed, so that it can be synced."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def writable(self) -> bool:
        """Return `True`."""
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 (any buffer)
        """Write the data."""
        return self._out.write(data)


def _load_arrow() -> Any:  # noqa: ANN401 (a library without types)
    """Return pyarrow, whose codec needs no other package. Raises `TableError`."""
    try:
        return import_module("pyarrow")
    except ModuleNotFoundError:
        raise TableError("Zstandard needs the extra arrow: pip install 'kmscore[arrow]'") from None


_LINE_END: Final = re.compile(rb"[\r\n]")

_MAGIC: Final = (
    (b"\x1f\x8b", "compressed with gzip; its name must end in .gz"),
    (b"\x28\xb5\x2f\xfd", "compressed with Zstandard; its name must end in .zst"),
    (b"PAR1", "a Parquet file; its name must end in .parquet"),
    (b"\xff\xfe", "encoded in UTF-16; convert it to UTF-8"),
    (b"\xfe\xff", "encoded in UTF-16; convert it to UTF-8"),
)


def check_content(path: Path, compression: str) -> None:
    """Raise `TableError` if a file of a line format has other content than its name says."""
    with open_source(path, compression) as source:
        begin = source.content.read(4)
    for magic, reason in _MAGIC:
        if begin.startswith(magic):
            raise TableError(f"{path}: {reason}")
    # Only in the first line: in a result, another row can be the second line.
    if b"\0" in _LINE_END.split(begin, maxsplit=1)[0]:
        raise zero_bytes(path)


def zero_bytes(path: Path) -> TableError:
    """Return the error of a first line with zero bytes."""
    return TableError(f"{path}: contains zero bytes, perhaps UTF-16; convert it to UTF-8")
