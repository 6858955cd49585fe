"""Options of the commands for a column of a database, and the URL of the database."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer

from kmscore.cli.files import STANDARD, read_file
from kmscore.cli.keyring_file import warn_if_readable
from kmscore.cli.problems import FileProblem

URL_VARIABLE: Final = "KMSCORE_DATABASE_URL"

_LONGEST: Final = 65_536  # bytes

_URL: Final = re.compile(r"[\w+.-]{2,}:/")
"""The begin of a URL that is given as a path."""

UrlFileOption = Annotated[
    Path | None,
    typer.Option(
        "--url-file",
        metavar="FILE",
        help=f"File with the URL of the database (default: ${URL_VARIABLE}).",
    ),
]

TableOption = Annotated[str, typer.Option("--table", metavar="NAME", help="Name of the table.")]

SchemaOption = Annotated[
    str | None,
    typer.Option(
        "--schema", metavar="NAME", help="Schema of the table (default: that of the connection)."
    ),
]

BlobOption = Annotated[
    str, typer.Option("--blob-column", metavar="NAME", help="Column of ciphertexts.")
]

WhereOption = Annotated[
    str | None,
    typer.Option(
        "--where",
        metavar="SQL",
        help="Condition for the rows, which must come from you; other rows are left as they are.",
    ),
]


class Encoding(StrEnum):
    """The form of the ciphertexts in a column."""

    BINARY = "binary"
    BASE64 = "base64"


EncodingOption = Annotated[
    Encoding,
    typer.Option("--encoding", help="binary, or base64 for strict Base64 in a column of text."),
]


class DatabaseUrl(NamedTuple):
    """A URL, which has a password and is not shown."""

    text: str

    def __repr__(self) -> str:
        """Return a constant."""
        return "<DatabaseUrl>"


def read_url(path: Path | None) -> DatabaseUrl:
    """Return the URL of the database, from a file or from the environment.

    Raises `FileProblem` if there is none.
    """
    if path is None:
        source, text = URL_VARIABLE, os.environ.get(URL_VARIABLE)
        if text is None:
            raise FileProblem(f"no URL of a database: set {URL_VARIABLE}, or give --url-file")
    else:
        source, text = str(path), _read(path)
    text = text.strip()
    if not text:
        raise FileProblem(f"{source}: the URL is empty")
    if len(text.splitlines()) > 1:
        raise FileProblem(f"{source}: more than one line")
    return DatabaseUrl(text)


def _read(path: Path) -> str:
    """Return the text of a file with a URL. Raises `FileProblem`."""
    if _URL.match(str(path)):
        raise FileProblem("--url-file takes the name of a file that has the URL, not the URL")
    data = read_file(path, limit=_LONGEST)
    if path != STANDARD:
        warn_if_readable(path)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    raise FileProblem(f"{path}: not UTF-8")


@contextmanager
def database_extra() -> Iterator[None]:
    """Raise `FileProblem` if an import fails because SQLAlchemy is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != "sqlalchemy":
            raise
    else:
        return
    raise FileProblem("databases need the extra database: pip install 'kmscore[cli,database]'")
