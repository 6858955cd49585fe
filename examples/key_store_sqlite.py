"""A key provider over SQLite: each row has a key version, encrypted under a root key.

    python key_store_sqlite.py

The encryption context of a row has its IDs, so material that is copied to another row does not
decrypt. A writer of the table can still change states and the order of versions.
"""

import sqlite3
from functools import cache

import kmscore
from kmscore import Keyring, KeySpec, SymmetricKey

TABLE = "CREATE TABLE IF NOT EXISTS keys (id, version, state, material, PRIMARY KEY (id, version))"
ROWS = "SELECT version, state, material FROM keys WHERE id = ? ORDER BY rowid"
OPTIONS = {"isolation_level": None, "check_same_thread": False, "cached_statements": 0}
INSERT = "INSERT INTO keys VALUES (?, ?, 'Enabled', ?)"


class DatabaseKeys:
    """A `KeyProvider` for all threads; a version is committed before its first use."""

    def __init__(self, path: str, root: Keyring) -> None:
        self.database = sqlite3.connect(path, **OPTIONS)
        self.database.execute(TABLE)
        self._root, self._key = root, cache(self._make)  # a key is expensive to make

    def add(self, key_id: str, version_id: str) -> None:
        names = {"key": key_id, "version": version_id}
        made = kmscore.generate_data_key_without_plaintext(self._root, "root", context=names)
        self.database.execute(INSERT, [key_id, version_id, made.ciphertext_blob])

    def primary(self, key_id: str) -> SymmetricKey:
        return self._key(key_id, *self._rows(key_id)[-1])

    def version(self, key_id: str, key_version_id: str) -> SymmetricKey:
        if rows := [row for row in self._rows(key_id) if row[0] == key_version_id]:
            return self._key(key_id, *rows[0])
        raise kmscore.KeyVersionNotFoundError("the key has no such version")

    def _rows(self, key_id: str) -> list[tuple[str, str, bytes]]:
        if rows := self.database.execute(ROWS, [key_id]).fetchall():  # the ID is hostile input
            return rows
        raise kmscore.KeyNotFoundError("no such key")

    def _make(self, key_id: str, version_id: str, state: str, row: bytes) -> SymmetricKey:
        try:
            opened = kmscore.decrypt(self._root, row, {"key": key_id, "version": version_id})
            return SymmetricKey(key_id, version_id, KeySpec.AES_256, opened.plaintext, state=state)
        except (kmscore.KmsCoreError, TypeError) as error:  # the row is wrong
            raise RuntimeError(f"a row of the key store: {type(error).__name__}") from None


if __name__ == "__main__":
    root_key = SymmetricKey.generate(KeySpec.AES_256, key_id="root")
    keys = DatabaseKeys(":memory:", Keyring([root_key]))
    keys.add("orders", "1")
    print(kmscore.encrypt(keys, "orders", b"4711"))
