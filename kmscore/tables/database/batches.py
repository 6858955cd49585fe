"""The re-encryption of one batch of rows after another, in one job of `reencrypt_many`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, Final, NamedTuple

from kmscore._base64 import encode_base64
from kmscore.bulk import Item, Outcome, Status
from kmscore.tables.database.column import Column
from kmscore.tables.database.failures import Failures
from kmscore.tables.database.items import RowReader
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
    """The rows with their new ciphertexts; in a dry run there are none."""

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
        self._reader = RowReader(column)
        self._failures = failures
        self.empty: int = 0
        """The number of rows whose ciphertext is empty."""

        self._items: Iterator[Item] = iter(())
        self._outcomes = reencrypt(self._feed())

    def _feed(self) -> Iterator[Item]:
        """Yield the items of all batches."""
        while True:
            yield from self._items

    def reencrypt(self, rows: Rows) -> Reencrypted:
        """Return the new ciphertexts of some rows; count and report the failed rows."""
        number = len(self._column.keys)
        self.empty += sum(not row[number] for row in rows)
        items = self._read(rows, number)
        self._items = iter(items)
        swaps: list[Swap] = []
        rewritten, unchanged = 0, 0
        for item, outcome in zip(items, islice(self._outcomes, len(items)), strict=True):
            row: Sequence[Any] = outcome.reference
            if outcome.error is not None:
                self._failures.unusable.add(item, outcome.error)
                self._failures.add(tuple(row[:number]), outcome.error.code)
            elif outcome.status is Status.UNCHANGED:
                unchanged += 1
            elif outcome.ciphertext_blob is None:
                rewritten += 1
            elif (new := self._stored(outcome.ciphertext_blob)) is None:
                self._failures.add(tuple(row[:number]), DOES_NOT_FIT)
            else:
                swaps.append((*row, new))
        values = chain.from_iterable(row[number:] for row in rows)
        return Reencrypted(swaps, rewritten, unchanged, sum(map(len, filter(None, values))))

    def _read(self, rows: Rows, number: int) -> list[Item]:
        """Return the rows that can be read; count and report the others."""
        items: list[Item] = []
        for row in rows:
            item = self._reader.read(row)
            if isinstance(item, Item):
                items.append(item)
            else:
                self._failures.add(tuple(row[:number]), item)
        return items

    def _stored(self, blob: bytes) -> bytes | str | None:
        """Return a ciphertext as it is stored, or `None` if it does not fit.

        MySQL without its strict mode would store the first bytes of a longer one.
        """
        new = encode_base64(blob) if self._column.is_base64 else blob
        limit = self._column.limit
        if limit is not None and (len(new) > limit or (self._column.is_fixed and len(new) < limit)):
            return None
        return new
