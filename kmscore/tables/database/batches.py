"""The re-encryption of one batch of rows after another, in one job of `reencrypt_many`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, cast

from kmscore._base64 import encode_base64
from kmscore.bulk import Item, Outcome, Status
from kmscore.tables.columns import Failure, ItemReader, Record
from kmscore.tables.database.column import Column
from kmscore.tables.database.failures import Failures
from kmscore.tables.database.swap import Swap
from kmscore.tables.database.transactions import Rows

DOES_NOT_FIT: Final = "does_not_fit"
"""The code of a row whose new ciphertext is longer than the declared length of the column."""

REJECTED: Final = "rejected_by_database"
"""The code of a row whose new ciphertext the database rejected, for example in a CHECK."""

Reencrypt = Callable[[Iterable[Item]], Iterator[Outcome]]
"""`reencrypt_many` with all arguments but the items."""


class Reencrypted(NamedTuple):
    """The result of a batch."""

    swaps: list[Swap]
    """The new ciphertexts; in a dry run there are none."""

    rewritten: int
    """The number of ciphertexts that a dry run would write."""

    unchanged: int
    size: int
    """The bytes that were read."""


class Batches:
    """A job that gets its items in batches, so that its destination never changes."""

    def __init__(self, column: Column, reencrypt: Reencrypt, failures: Failures) -> None:
        """Start the job. Raises the errors of `reencrypt_many` for its arguments."""
        self._column = column
        self._reader = ItemReader(column.columns)
        self._failures = failures
        self._items: Iterator[Item] = iter(())
        self._outcomes = reencrypt(self._feed())

    def _feed(self) -> Iterator[Item]:
        """Yield the items of all batches."""
        while True:
            yield from self._items

    def reencrypt(self, rows: Rows) -> Reencrypted:
        """Return the new ciphertexts of some rows; count and report the failed rows."""
        number = len(self._column.keys)
        items: list[Item] = []
        size = 0
        for position, row in enumerate(rows):
            values = row[number:]
            size += sum(len(value) for value in values if value is not None)
            item = self._reader.read(position, self._record(values))
            if isinstance(item, Item):
                items.append(item)
            else:
                # Not `None`, because only rows with a ciphertext are read.
                self._failures.add(tuple(row[:number]), cast("Failure", item).code)
        self._items = iter(items)
        swaps: list[Swap] = []
        rewritten, unchanged = 0, 0
        for _ in items:
            outcome = next(self._outcomes)
            row = rows[outcome.reference]
            key = tuple(row[:number])
            if outcome.error is not None:
                self._failures.add(key, outcome.error.code)
            elif outcome.status is Status.UNCHANGED:
                unchanged += 1
            elif outcome.ciphertext_blob is None:
                rewritten += 1
            elif (new := self._stored(outcome.ciphertext_blob)) is None:
                self._failures.add(key, DOES_NOT_FIT)
            else:
                swaps.append(Swap(key, tuple(row[number:]), new))
        return Reencrypted(swaps, rewritten, unchanged, size)

    def _record(self, values: Sequence[Any]) -> Record:
        """Return the values of a row by the names of their columns, as the reader takes them."""
        # Bytes that are not UTF-8, which SQLite can have in a text, make only their row fail.
        blob, *contexts = values
        first = _text(blob) if self._column.is_base64 else bytes(blob)
        names = self._column.columns.names
        return dict(zip(names, (first, *map(_text, contexts)), strict=True))

    def _stored(self, blob: bytes) -> bytes | str | None:
        """Return a ciphertext as it is stored, or `None` if it does not fit.

        MySQL without its strict mode would store the first bytes of a longer one.
        """
        new = encode_base64(blob) if self._column.is_base64 else blob
        limit = self._column.limit
        if limit is not None and (len(new) > limit or (self._column.is_fixed and len(new) < limit)):
            return None
        return new


def _text(value: bytes | None) -> str | None:
    return None if value is None else bytes(value).decode("utf-8", "surrogateescape")
