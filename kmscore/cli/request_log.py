"""The log of `serve`: one JSON line for each request."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import typer

from kmscore.alibaba import Event
from kmscore.cli.files import STANDARD
from kmscore.cli.problems import FileProblem
from kmscore.cli.terminal import say
from kmscore.emulator.store import present
from kmscore.tables.errors import describe
from kmscore.tables.permissions import OWNER_ONLY


@contextmanager
def open_log(path: Path) -> Iterator["_Log"]:
    """Open a log."""
    if path == STANDARD:
        yield _Log(typer.get_text_stream("stdout"), Path("standard output"))
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, OWNER_ONLY)
    except OSError as error:
        raise FileProblem(describe(error, path)) from None
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        yield _Log(file, path)


class _Log:
    """A writer of records as JSON lines."""

    def __init__(self, file: IO[str], path: Path) -> None:
        self._file = file
        self._path = path
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Write a record. Prints and raises `OSError`, because the response has no reason."""
        record = {"time": present().isoformat(timespec="milliseconds"), **event._asdict()}
        del record["contexts"]
        with self._lock:
            try:
                self._file.write(json.dumps(record) + "\n")
                self._file.flush()
            except OSError as error:
                say(describe(error, self._path))
                raise
