"""The size of batches, and the limit of rows per second."""

import time
from typing import Final

from kmscore._typecheck import check_positive
from kmscore.tables.database.arguments import check_rate

_LEAST_ROWS: Final = 50
_MOST_ROWS: Final = 4096
_MOST_BYTES: Final = 8 << 20
"""Maximum bytes of the ciphertexts and contexts in a batch, so that memory is bounded."""


class Pace:
    """The number of rows of the next batch, and the pause before it."""

    def __init__(
        self, batch_rows: int, target_seconds: float | None, rows_per_second: float | None
    ) -> None:
        """Start with a number of rows, which only changes with `target_seconds`.

        Raises `TypeError` and `ValueError` for numbers that are not positive.
        """
        check_positive(batch_rows, "batch_rows")
        check_rate(target_seconds, "target_seconds")
        check_rate(rows_per_second, "rows_per_second")
        self._target_seconds = target_seconds
        self._rows_per_second = rows_per_second
        self._most = max(_MOST_ROWS, batch_rows)
        if rows_per_second is not None:
            # A larger batch would be a burst, and a long pause after it.
            self._most = int(min(self._most, max(1, rows_per_second)))
        self._rows = min(batch_rows, self._most)
        self._least = min(_LEAST_ROWS, self._rows)
        self._most_by_size = self._most

    @property
    def rows(self) -> int:
        """The number of rows of the next batch."""
        return min(self._rows, self._most_by_size)

    def learn(self, rows: int, size: int, write_seconds: float) -> None:
        """Adjust the number of rows to the bytes of a batch and to the time of its write."""
        self._most_by_size = max(1, _MOST_BYTES * rows // max(size, 1))
        if self._target_seconds is not None and write_seconds > 0:
            factor = min(2.0, max(0.5, self._target_seconds / write_seconds))
            self._rows = min(self._most, max(self._least, int(rows * factor)))

    def pause(self, rows: int, started: float) -> None:
        """Wait until a batch that started at a time has taken as long as its rows may."""
        if self._rows_per_second is not None:
            time.sleep(max(0.0, started + rows / self._rows_per_second - time.monotonic()))
