"""The command `demo`: the three cases of re-encryption, and three attempts that must fail.

The demo does not read, write or send data. The keyring is in memory, and the asymmetric ciphertexts
are published ones.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

from kmscore.algorithms import KeySpec
from kmscore.cli.published import PublishedCiphertext, published_ciphertexts
from kmscore.errors import DecryptionError, IncorrectKeyError, KmsCoreError
from kmscore.keyring import Keyring
from kmscore.keys import SymmetricKey
from kmscore.operations import decrypt, encrypt
from kmscore.reencryption import ReEncryptResult, reencrypt

_ORDERS: Final = "orders"
_ARCHIVE: Final = "archive"
_PLAINTEXT: Final = '{"order": 4711, "card": "•••• 1881", "total": "¥ 128.00"}'.encode()
_CONTEXT: Final = {"tenant": "acme", "table": "orders"}
_NEW_CONTEXT: Final = {"tenant": "acme", "table": "orders-v2"}


class Expected(NamedTuple):
    """The expected plaintext, its description, and the expected destination key version."""

    name: str
    plaintext: bytes
    key_version_id: str


class Moved(NamedTuple):
    """One ciphertext that was re-encrypted and then decrypted."""

    case: str
    source: str
    destination: str
    plaintext: str
    succeeded: bool


class Rejected(NamedTuple):
    """One attempt that must fail, and its error."""

    attempt: str
    error: str
    succeeded: bool


def show(console: Console) -> bool:
    """Run the demo on `console`; return whether all results are as expected."""
    published = published_ciphertexts()
    keys = _make_keyring(published)
    moved = list(_move_all(keys, published))
    rejected = list(_reject_all(keys))
    console.print(_moved_table(moved))
    console.print(_rejected_table(rejected))
    outcomes = [row.succeeded for row in moved] + [row.succeeded for row in rejected]
    if not all(outcomes):
        wrong = outcomes.count(False)
        console.print(f"{wrong} of {len(outcomes)} came out wrong.", style="bold red")
        return False
    console.print(
        f"{len(moved)} ciphertexts re-encrypted, {len(rejected)} rejected, all as they must be.",
        style="green",
    )
    return True


def _make_keyring(published: tuple[PublishedCiphertext, ...]) -> Keyring:
    """Return a keyring with two new symmetric keys and the published test keys."""
    return Keyring(
        [
            SymmetricKey.generate(KeySpec.AES_256, key_id=_ORDERS, key_version_id="1"),
            SymmetricKey.generate(KeySpec.SM4, key_id=_ARCHIVE, key_version_id="1"),
            *(row.key for row in published),
        ]
    )


def _move_all(keys: Keyring, published: tuple[PublishedCiphertext, ...]) -> Iterator[Moved]:
    """Yield the three cases of re-encryption."""
    blob = encrypt(keys, _ORDERS, _PLAINTEXT, _CONTEXT).ciphertext_blob
    rotated = keys.with_version(
        SymmetricKey.generate(KeySpec.AES_256, key_id=_ORDERS, key_version_id="2")
    )
    result = reencrypt(
        rotated, blob, _ORDERS, source_context=_CONTEXT, destination_context=_CONTEXT
    )
    expected = Expected("as sealed", _PLAINTEXT, "2")
    yield _moved("1 key rotated", f"{_ORDERS} v1", blob, result, rotated, _CONTEXT, expected)
    result = reencrypt(
        keys, blob, _ORDERS, source_context=_CONTEXT, destination_context=_NEW_CONTEXT
    )
    source = f"{_ORDERS} v1, table={_CONTEXT['table']}"
    expected = Expected("as sealed", _PLAINTEXT, "1")
    yield _moved("2 context changed", source, blob, result, keys, _NEW_CONTEXT, expected)
    for row in published:
        result = reencrypt(
            keys,
            row.ciphertext,
            _ARCHIVE,
            destination_context=_CONTEXT,
            source_key_id=row.key.key_id,
            source_key_version_id=row.key.key_version_id,
            source_algorithm=row.algorithm,
        )
        source = f"{row.algorithm.name}\n{row.source}"
        expected = Expected("as published", row.plaintext, "1")
        yield _moved("3 another key", source, row.ciphertext, result, keys, _CONTEXT, expected)


def _moved(
    case: str,
    source: str,
    ciphertext: bytes,
    result: ReEncryptResult,
    keys: Keyring,
    context: dict[str, str],
    expected: Expected,
) -> Moved:
    """Decrypt the re-encrypted ciphertext, and return the row of the table."""
    new_blob = result.ciphertext_blob or b""
    recovered = decrypt(keys, new_blob, context).plaintext
    return Moved(
        case,
        f"{source}\n{len(ciphertext)} bytes",
        f"{result.destination_key_id} v{result.destination_key_version_id},"
        f" table={context['table']}\n{result.destination_suite.name}, {len(new_blob)} bytes",
        expected.name if recovered == expected.plaintext else "DIFFERS",
        (recovered, result.destination_key_version_id) == expected[1:],
    )


def _reject_all(keys: Keyring) -> Iterator[Rejected]:
    """Yield three attempts that must fail."""
    blob = encrypt(keys, _ORDERS, _PLAINTEXT, _CONTEXT).ciphertext_blob
    flipped = blob[:-1] + bytes([blob[-1] ^ 1])
    yield _reject(
        "wrong encryption context",
        lambda: reencrypt(keys, blob, _ARCHIVE, source_context=_NEW_CONTEXT),
        DecryptionError,
    )
    yield _reject(
        "one bit flipped",
        lambda: reencrypt(keys, flipped, _ARCHIVE, source_context=_CONTEXT),
        DecryptionError,
    )
    yield _reject(
        "wrong source key named",
        lambda: reencrypt(keys, blob, _ARCHIVE, source_context=_CONTEXT, source_key_id=_ARCHIVE),
        IncorrectKeyError,
    )


def _reject(attempt: str, call: Callable[[], object], expected: type[KmsCoreError]) -> Rejected:
    """Make one attempt, and return it with its error."""
    try:
        call()
    except KmsCoreError as error:
        text = f"{type(error).__name__} ({error.code}): {error}"
        return Rejected(attempt, text, type(error) is expected)
    return Rejected(attempt, "none: it was accepted", succeeded=False)


def _moved_table(rows: list[Moved]) -> Table:
    """Return the table of re-encrypted ciphertexts, which fits into 80 columns."""
    table = _empty_table("Re-encrypted", "case", "source", "destination", "outcome")
    for row in rows:
        table.add_row(
            row.case,
            row.source,
            row.destination,
            f"{_outcome('re-encrypted', succeeded=row.succeeded)}, plaintext {row.plaintext}",
        )
    return table


def _rejected_table(rows: list[Rejected]) -> Table:
    """Return the table of rejected attempts."""
    table = _empty_table("Rejected", "attempt", "error", "outcome")
    for row in rows:
        table.add_row(row.attempt, row.error, _outcome("rejected", succeeded=row.succeeded))
    return table


def _empty_table(title: str, *headings: str) -> Table:
    """Return a table that wraps text wider than the terminal."""
    table = Table(title=title, title_justify="left", title_style="bold", show_lines=True)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _outcome(word: str, *, succeeded: bool) -> str:
    """Return the last cell of a row."""
    return f"[green]{word}[/]" if succeeded else "[bold red]WRONG[/]"
