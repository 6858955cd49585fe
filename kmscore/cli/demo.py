"""`kmscore demo`: the three cases of re-encryption on real input, and three refusals.

Nothing is read, written or sent: the keyring lives in memory and the asymmetric ciphertexts are
published ones.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

from kmscore.algorithms import EncryptionAlgorithm, KeySpec
from kmscore.cli.published import PublishedCiphertext, published_ciphertexts
from kmscore.errors import DecryptionError, IncorrectKeyError, KmsCoreError
from kmscore.keyring import Keyring
from kmscore.keys import SymmetricKey
from kmscore.operations import decrypt, encrypt
from kmscore.reencryption import reencrypt

_ORDERS: Final = "orders"
_ARCHIVE: Final = "archive"
_PLAINTEXT: Final = '{"order": 4711, "card": "•••• 1881", "total": "¥ 128.00"}'.encode()
_CONTEXT: Final = {"tenant": "acme", "table": "orders"}
_NEW_CONTEXT: Final = {"tenant": "acme", "table": "orders-2026"}


class Moved(NamedTuple):
    """One ciphertext re-encrypted, and whether everything about it is as it must be."""

    case: str
    source: str
    source_length: int
    destination: str
    destination_length: int
    plaintext: str
    succeeded: bool


class Refused(NamedTuple):
    """One attempt that has to fail, and how it did."""

    attempt: str
    error: str
    succeeded: bool


def show(console: Console) -> bool:
    """Run the demo on `console`; return whether everything came out as it must."""
    keys = _make_keyring()
    moved = list(_move_all(keys))
    refused = list(_refuse_all(keys))
    console.print(_moved_table(moved))
    console.print(_refused_table(refused))
    outcomes = [row.succeeded for row in moved] + [row.succeeded for row in refused]
    if not all(outcomes):
        wrong = outcomes.count(False)
        console.print(f"{wrong} of {len(outcomes)} came out wrong.", style="bold red")
        return False
    console.print(
        f"{len(moved)} ciphertexts re-encrypted, {len(refused)} refused, all as they must be.",
        style="green",
    )
    return True


def _make_keyring() -> Keyring:
    """Return two fresh symmetric keys, and the published test keys."""
    return Keyring(
        [
            SymmetricKey.generate(KeySpec.AES_256, key_id=_ORDERS, key_version_id="1"),
            SymmetricKey.generate(KeySpec.SM4, key_id=_ARCHIVE, key_version_id="1"),
            *(published.key for published in published_ciphertexts()),
        ]
    )


def _move_all(keys: Keyring) -> Iterator[Moved]:
    """Yield the three cases of re-encryption."""
    old = encrypt(keys, _ORDERS, _PLAINTEXT, _CONTEXT).ciphertext_blob
    rotated = keys.with_version(
        SymmetricKey.generate(KeySpec.AES_256, key_id=_ORDERS, key_version_id="2")
    )
    yield _move_blob("1 key\nrotated", rotated, old, _CONTEXT, _CONTEXT, expected_version="2")
    yield _move_blob("2 context\nchanged", keys, old, _CONTEXT, _NEW_CONTEXT, expected_version="1")
    for published in published_ciphertexts():
        yield _move_published(keys, published)


def _move_blob(
    case: str,
    keys: Keyring,
    blob: bytes,
    source_context: dict[str, str],
    destination_context: dict[str, str],
    *,
    expected_version: str,
) -> Moved:
    """Re-encrypt a ciphertext blob under its own key and open it again."""
    result = reencrypt(
        keys,
        blob,
        _ORDERS,
        source_context=source_context,
        destination_context=destination_context,
    )
    new_blob = result.ciphertext_blob or b""
    recovered = decrypt(keys, new_blob, destination_context).plaintext
    return Moved(
        case,
        f"{result.source_key_id} v{result.source_key_version_id}",
        len(blob),
        f"{result.destination_key_id} v{result.destination_key_version_id}"
        f"\n{result.destination_suite.name}",
        len(new_blob),
        "as\nsealed" if recovered == _PLAINTEXT else "DIFFERS",
        recovered == _PLAINTEXT and result.destination_key_version_id == expected_version,
    )


def _move_published(keys: Keyring, published: PublishedCiphertext) -> Moved:
    """Re-encrypt a published asymmetric ciphertext under a symmetric key and open it again."""
    result = reencrypt(
        keys,
        published.ciphertext,
        _ARCHIVE,
        destination_context=_CONTEXT,
        source_key_id=published.key.key_id,
        source_key_version_id=published.key.key_version_id,
        source_algorithm=published.algorithm,
    )
    new_blob = result.ciphertext_blob or b""
    recovered = decrypt(keys, new_blob, _CONTEXT).plaintext
    return Moved(
        "3 another\nkey",
        f"{published.algorithm.name}\n{published.source}",
        len(published.ciphertext),
        f"{result.destination_key_id} v{result.destination_key_version_id}"
        f"\n{result.destination_suite.name}",
        len(new_blob),
        "as\npublished" if recovered == published.plaintext else "DIFFERS",
        recovered == published.plaintext,
    )


def _refuse_all(keys: Keyring) -> Iterator[Refused]:
    """Yield three attempts that must fail."""
    blob = encrypt(keys, _ORDERS, _PLAINTEXT, _CONTEXT).ciphertext_blob
    flipped = blob[:-1] + bytes([blob[-1] ^ 1])
    sm2 = next(
        published
        for published in published_ciphertexts()
        if published.algorithm is EncryptionAlgorithm.SM2PKE
    )
    yield _refuse(
        "wrong encryption context",
        lambda: reencrypt(keys, blob, _ARCHIVE, source_context=_NEW_CONTEXT),
        DecryptionError,
    )
    yield _refuse(
        "one bit flipped",
        lambda: reencrypt(keys, flipped, _ARCHIVE, source_context=_CONTEXT),
        DecryptionError,
    )
    yield _refuse(
        "wrong source key named",
        lambda: reencrypt(
            keys, blob, _ARCHIVE, source_context=_CONTEXT, source_key_id=sm2.key.key_id
        ),
        IncorrectKeyError,
    )


def _refuse(attempt: str, call: Callable[[], object], expected: type[KmsCoreError]) -> Refused:
    """Make one attempt and note the error that it gives."""
    try:
        call()
    except KmsCoreError as error:
        text = f"{type(error).__name__} ({error.code}): {error}"
        return Refused(attempt, text, type(error) is expected)
    return Refused(attempt, "none: it was accepted", succeeded=False)


def _moved_table(rows: list[Moved]) -> Table:
    """Return the table of what was re-encrypted; 80 columns hold it without a cut."""
    table = _empty_table("Re-encrypted", "case", "source", "destination", "plaintext", "outcome")
    for row in rows:
        table.add_row(
            row.case,
            f"{row.source}\n{row.source_length} bytes",
            f"{row.destination}\n{row.destination_length} bytes",
            row.plaintext,
            _outcome("re-encrypted", succeeded=row.succeeded),
        )
    return table


def _refused_table(rows: list[Refused]) -> Table:
    """Return the table of what was refused."""
    table = _empty_table("Refused", "attempt", "error", "outcome")
    for row in rows:
        table.add_row(row.attempt, row.error, _outcome("refused", succeeded=row.succeeded))
    return table


def _empty_table(title: str, *headings: str) -> Table:
    """Return a table with its columns, folding what is too wide for the terminal."""
    table = Table(title=title, title_justify="left", title_style="bold", show_lines=True)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _outcome(word: str, *, succeeded: bool) -> str:
    """Return the last cell of a row."""
    return f"[green]{word}[/]" if succeeded else "[bold red]WRONG[/]"
