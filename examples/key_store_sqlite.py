"""A key provider over SQLite: each row has a key version, encrypted under a root key.

    python key_store_sqlite.py

The encryption context of a row has its IDs, so material that is copied to another row does not
decrypt. A writer of the table can still change states and the order of versions. In production,
the root key comes from a keyring file, and the database is a file.
"""

import sqlite3

import kmscore
from kmscore import Keyring, KeySpec, SymmetricKey

TABLE = """CREATE TABLE versions (number INTEGER PRIMARY KEY, key_id TEXT, version_id TEXT,
    state TEXT DEFAULT 'Enabled', material BLOB, UNIQUE (key_id, version_id))"""
ROWS = "SELECT version_id, state, material FROM versions WHERE key_id = ? ORDER BY number"
INSERT = "INSERT INTO versions (key_id, version_id, material) VALUES (?, ?, ?)"


class DatabaseKeys:
    """A `KeyProvider`. The last row of a key is its primary version."""

    def __init__(self, database: sqlite3.Connection, root: Keyring) -> None:
        self._database, self._root = database, root
        self._made: dict[tuple[str, str, str], SymmetricKey] = {}  # a key is expensive to make

    def primary(self, key_id: str) -> SymmetricKey:
        return self._key(key_id, *self._rows(key_id)[-1])

    def version(self, key_id: str, key_version_id: str) -> SymmetricKey:
        for row in self._rows(key_id):
            if row[0] == key_version_id:
                return self._key(key_id, *row)
        raise kmscore.KeyVersionNotFoundError("the key has no such version")

    def _rows(self, key_id: str) -> list[tuple[str, str, bytes]]:
        # The ID is hostile input, and can contain quotes.
        if rows := self._database.execute(ROWS, [key_id]).fetchall():
            return rows
        raise kmscore.KeyNotFoundError("no such key")

    def _key(self, key_id: str, version_id: str, state: str, row: bytes) -> SymmetricKey:
        name = key_id, version_id, state
        if name not in self._made:
            context = {"key": key_id, "version": version_id}
            material = kmscore.decrypt(self._root, row, context).plaintext
            self._made[name] = SymmetricKey(*name[:2], KeySpec.AES_256, material, state=state)
        return self._made[name]


if __name__ == "__main__":
    root_keys = Keyring([SymmetricKey.generate(KeySpec.AES_256, key_id="root")])
    db = sqlite3.connect(":memory:")
    db.execute(TABLE)
    names = {"key": "orders", "version": "1"}
    made = kmscore.generate_data_key_without_plaintext(root_keys, "root", context=names)
    db.execute(INSERT, ["orders", "1", made.ciphertext_blob])
    print(kmscore.encrypt(DatabaseKeys(db, root_keys), "orders", b"4711"))
