"""A rotation that is killed while another process writes to the table, and two at once."""

import base64
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from support.column_under_fire import TABLE, TENANTS, context_of, make_table, row
from support.databases import BEFORE, KEY_ID, KEYS, Live
from support.time_limits import PATIENCE

import kmscore
from kmscore.errors import DecryptionError
from kmscore.tables.database import ColumnReport, reencrypt_column

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's"),
    pytest.mark.usefixtures("in_time"),
]

_PROGRAM = Path(__file__).resolve().parents[2] / "support" / "column_under_fire.py"


class Battle(NamedTuple):
    """A table, and the processes that change it."""

    database: Live
    encoding: str
    truth: Path

    def start(self, role: str) -> subprocess.Popen[str]:
        """Start a process."""
        command = [sys.executable, str(_PROGRAM), role, self.database.url, self.encoding]
        return subprocess.Popen(
            [*command, str(self.truth)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def fill(self, number: int) -> None:
        """Create the table with blobs of the old version."""
        is_base64 = self.encoding == "base64"
        table = make_table(is_base64)
        table.drop(self.database.engine, checkfirst=True)
        table.create(self.database.engine)
        rows = [
            row(BEFORE, each, f"t{each % TENANTS}" if each % 3 else None, b"%d" % each, is_base64)
            for each in range(number)
        ]
        with self.database.engine.begin() as connection:
            connection.execute(table.insert(), rows)

    def rotate(self) -> ColumnReport:
        """Rotate what is left."""
        return reencrypt_column(
            self.database.engine,
            KEYS,
            KEY_ID,
            table=TABLE,
            blob_column="blob",
            encoding=self.encoding,
            context_columns=("tenant",),
        )

    def lost(self, truth: dict[str, str]) -> tuple[int, int, int]:
        """Return the number of rows with another content, of missing rows, and of extra rows."""
        table = make_table(self.encoding == "base64")
        with self.database.engine.connect() as connection:
            found = connection.execute(sa.select(table)).all()
        wrong = sum(
            truth.get(str(number)) != self._plaintext(blob, tenant)
            for number, blob, tenant in found
            if str(number) in truth
        )
        numbers = {str(each[0]) for each in found}
        return wrong, len(truth.keys() - numbers), len(numbers - truth.keys())

    def _plaintext(self, blob: Any, tenant: str | None) -> str | None:
        raw = base64.b64decode(blob) if self.encoding == "base64" else bytes(blob)
        with suppress(DecryptionError):
            result = kmscore.decrypt(KEYS, raw, context_of(tenant))
            return result.plaintext.hex() if result.key_version_id == "v2" else None
        return None


@contextmanager
def writing(battle: Battle) -> Iterator[None]:
    """Have a process that writes until the end of the block."""
    with battle.start("writer") as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
            yield
        finally:
            writer.send_signal(signal.SIGTERM)
        assert writer.wait(PATIENCE) == 0


def kill_after(battle: Battle, batches: int) -> bool:
    """Kill a rotation after a number of batches; return whether it was still under way."""
    with battle.start("rotation") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(batches)]
        process.kill()
        return lines[-1] == "batch\n"


def run(battle: Battle, role: str) -> dict[str, Any]:
    """Return the report of a rotation in a process of its own."""
    with battle.start(role) as process:
        output, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
    report: dict[str, Any] = json.loads(output.splitlines()[-1])
    return report


def check_under_fire(battle: Battle, rows: int, kills: int) -> None:
    """Kill rotations while a writer writes; then nothing is lost, missing or extra."""
    battle.fill(rows)
    chance = random.Random(1)
    with writing(battle):
        killed = sum(kill_after(battle, chance.randint(1, 3)) for _ in range(kills))
        live = run(battle, "rotation")
    assert killed == kills
    assert live["conflicts"] > 0
    battle.rotate()
    last = battle.rotate()
    assert (last.rewritten, last.remaining, last.failed) == (0, 0, {})
    assert battle.lost(json.loads(battle.truth.read_text("utf-8"))) == (0, 0, 0)


def check_control(battle: Battle, rows: int) -> None:
    """Without the comparison, writes are lost, so the test can fail."""
    battle.fill(rows)
    with writing(battle):
        run(battle, "control")
    battle.rotate()
    lost, _, _ = battle.lost(json.loads(battle.truth.read_text("utf-8")))
    assert lost > 0


@pytest.fixture(params=["binary", "base64"])
def battle(request: pytest.FixtureRequest, database: Live, tmp_path: Path) -> Battle:
    """Return a battle on each database, for each encoding."""
    return Battle(database, request.param, tmp_path / "truth.json")


@pytest.mark.thorough
def test_nothing_is_lost_under_fire(database: Live, tmp_path: Path) -> None:
    """A writer writes, and a rotation is killed twice."""
    check_under_fire(Battle(database, "binary", tmp_path / "truth.json"), 1200, 2)


def test_a_kill_costs_one_batch(database: Live, tmp_path: Path) -> None:
    """The batches before it stay written, and no batch of 200 rows is written in part."""
    battle = Battle(database, "binary", tmp_path / "truth.json")
    battle.fill(1200)
    assert kill_after(battle, 2)
    rest = battle.rotate()
    assert 0 < rest.rewritten <= 800
    assert rest.rewritten % 200 == 0
    assert rest.remaining == 0
    assert battle.lost({f"{each}": (b"%d" % each).hex() for each in range(1200)}) == (0, 0, 0)


@pytest.mark.thorough
def test_the_control_without_the_comparison_loses_writes(database: Live, tmp_path: Path) -> None:
    """The same writer, and a rotation that writes to each row that it read."""
    check_control(Battle(database, "binary", tmp_path / "truth.json"), 1200)


@pytest.mark.campaign
def test_nothing_is_lost_under_fire_in_full(battle: Battle) -> None:
    """A writer writes, and a rotation of 60,000 rows is killed ten times."""
    check_under_fire(battle, 60_000, 10)
    check_control(battle, 10_000)


def check_two_at_once(battle: Battle, rows: int) -> None:
    """Each row is rewritten by one of two rotations; the other one has a conflict or skips it."""
    battle.fill(rows)
    with battle.start("waiting") as first, battle.start("waiting") as second:
        for each in (first, second):
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        for each in (first, second):
            assert each.stdin is not None
            each.stdin.write("start\n")
            each.stdin.flush()
        outputs = [each.communicate(timeout=PATIENCE)[0] for each in (first, second)]
    reports = [json.loads(output.splitlines()[-1]) for output in outputs]
    assert sum(report["rewritten"] for report in reports) == rows
    assert all(report["remaining"] == 0 and report["failed"] == {} for report in reports)
    assert sum(report["conflicts"] for report in reports) > 0


@pytest.mark.thorough
def test_two_rotations_at_once_add_up(database: Live, tmp_path: Path) -> None:
    """The counts of two rotations of one table are exact."""
    check_two_at_once(Battle(database, "binary", tmp_path / "truth.json"), 1200)


@pytest.mark.campaign
def test_two_rotations_at_once_add_up_in_full(battle: Battle) -> None:
    """The same for 60,000 rows and both encodings."""
    check_two_at_once(battle, 60_000)
