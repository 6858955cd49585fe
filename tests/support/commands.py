"""Shared helpers of the tests of the command line: keyring files, tables, and runs of commands."""

import base64
import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

import kmscore
from kmscore import Keyring, KeySpec, KeyState, SymmetricKey, keyfile
from kmscore.cli import app
from kmscore.keyfile import ScryptParameters, scrypt
from support.time_limits import PATIENCE

PASSPHRASE = b"correct horse battery staple"
ENVIRONMENT = {"KMSCORE_PASSPHRASE": PASSPHRASE.decode()}
CHEAP = ScryptParameters(n=1 << 14)

OLD = SymmetricKey.generate(KeySpec.AES_256, key_id="orders", key_version_id="1")
NEW = SymmetricKey.generate(KeySpec.AES_256, key_id="orders", key_version_id="2")
OTHER = SymmetricKey.generate(KeySpec.SM4, key_id="other", key_version_id="1")
FOREIGN = SymmetricKey.generate(KeySpec.AES_256, key_id="foreign", key_version_id="1")
OFF = SymmetricKey.generate(
    KeySpec.AES_128, key_id="off", key_version_id="1", state=KeyState.DISABLED
)
RING = Keyring([OLD, NEW, OTHER, OFF])


# The KDF takes most of the time, and its result is the same each time.
_derive_key = functools.cache(scrypt.derive_key)
# Half of the remaining time: the runner makes all commands from their signatures for each run.
_get_command = functools.cache(get_command)


@functools.cache
def _seal_ring(ring: Keyring) -> bytes:
    return keyfile.seal_keyring(ring, PASSPHRASE, parameters=CHEAP)


def write_ring(path: Path, ring: Keyring = RING) -> Path:
    """Write a keyring file with a low KDF cost."""
    path.write_bytes(_seal_ring(ring))
    path.chmod(0o600)
    return path


@pytest.fixture
def ring_file(tmp_path: Path) -> Path:
    """Return a keyring file."""
    return write_ring(tmp_path / "team.keys")


def read_ring(path: Path) -> Keyring:
    """Return the keyring in a keyring file."""
    with patch("kmscore.keyfile.sealing.derive_key", _derive_key):
        return keyfile.open_keyring(path.read_bytes(), PASSPHRASE)


class _ShownResult(Result):
    """A result whose `repr`, which a failed assertion shows, has the output of the command."""

    def __repr__(self) -> str:
        return f"<exit code {self.exit_code}, output {self.output[:1000]!r}>"


def invoke(
    *arguments: str | Path, data: bytes | None = None, env: Mapping[str, str | None] = ENVIRONMENT
) -> Result:
    """Run a command in this process."""
    runner = CliRunner(env={"KMSCORE_KEYRING": None, "COLUMNS": "200"} | dict(env))
    with (
        patch("kmscore.keyfile.sealing.derive_key", _derive_key),
        patch("typer.testing._get_command", _get_command),
    ):
        result = runner.invoke(app.app, [str(argument) for argument in arguments], input=data)
    result.__class__ = _ShownResult
    return result


def problem(result: Result, code: int = 2) -> str:
    """Return the one line with which a command has ended, and check that it is the only output."""
    assert not isinstance(result.exception, Exception), result.exception
    assert (result.exit_code, result.stdout) == (code, ""), result
    assert result.stderr.startswith("kmscore: "), result
    assert result.stderr.count("\n") == 1, result
    return result.stderr.removeprefix("kmscore: ").removesuffix("\n")


def command(*arguments: str | Path) -> list[str]:
    """Return the command line for a separate process."""
    return [sys.executable, "-P", "-m", "kmscore", *map(str, arguments)]


def environment(**variables: str) -> dict[str, str]:
    """Return the environment of a separate process."""
    return {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8"} | ENVIRONMENT | variables


def run(
    *arguments: str | Path, data: bytes = b"", **variables: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a separate process, with pipes."""
    return subprocess.run(
        command(*arguments),
        input=data,
        capture_output=True,
        check=False,
        env=environment(**variables),
        timeout=PATIENCE,
    )


def seal(
    plaintext: bytes, context: Mapping[str, str] | None = None, key: SymmetricKey = OLD
) -> bytes:
    """Return a blob under a key version, enabled or not."""
    enabled = SymmetricKey(
        key.key_id, key.key_version_id, key.spec, key.export_material(), suite=key.suite
    )
    return kmscore.encrypt(Keyring([enabled]), key.key_id, plaintext, context).ciphertext_blob


def base64_of(data: bytes) -> str:
    """Return Base64 on one line."""
    return base64.b64encode(data).decode("ascii")


def opened(blob: str | bytes, context: Mapping[str, str] | None = None) -> kmscore.DecryptResult:
    """Return the decrypted content of a blob, which is in Base64 or raw."""
    data = base64.b64decode(blob) if isinstance(blob, str) else blob
    return kmscore.decrypt(RING, data, context)


def write_lines(path: Path, rows: Iterable[Any]) -> Path:
    """Write JSON Lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def read_lines(path: Path) -> list[Any]:
    """Read JSON Lines."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def sealed_rows(number: int) -> list[dict[str, Any]]:
    """Return rows with a blob under the old version, each with its own context."""
    return [
        {
            "id": row,
            "ciphertext_blob": base64_of(seal(b"%d" % row, {"tenant": f"t{row}"})),
            "tenant": f"t{row}",
        }
        for row in range(number)
    ]


def check_rotated(rows: Sequence[Any], number: int) -> None:
    """Check that each row occurs once, in order, under the new version."""
    assert [row["id"] for row in rows] == list(range(number))
    for row in rows:
        result = opened(row["ciphertext_blob"], {"tenant": row["tenant"]})
        assert (result.key_version_id, result.plaintext) == ("2", b"%d" % row["id"])
