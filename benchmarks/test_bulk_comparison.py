"""Tests of the benchmark of bulk rotation: complete work, and complete output."""

import re

import pytest

import kmscore
from benchmarks import bulk
from benchmarks.bulk import FLOOR, LIMITS, LOOP, MEMORY_LIMIT, Rotation, compare, main
from kmscore.bulk import Outcome


def test_everyone_rotates_every_item() -> None:
    """`reencrypt_many` and the loop return blobs of the new version with the same plaintext."""
    rotation = Rotation()
    items = list(rotation.items(7, 20))
    contenders = rotation.contenders(items)
    assert contenders[FLOOR]() is not None
    for name in ("reencrypt_many", LOOP):
        results = contenders[name]()
        assert isinstance(results, list)
        assert len(results) == 20
        for item, result in zip(items, results, strict=True):
            opened = kmscore.decrypt(rotation.keys, result.ciphertext_blob, item.source_context)
            assert opened.key_version_id == rotation.new.key_version_id
            assert isinstance(result, Outcome) is (name != LOOP)


def test_the_chunks_cover_all_the_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last chunk has the remaining items, and all three ways have times."""
    sizes: list[int] = []
    original = Rotation.contenders

    def watched(self: Rotation, items: list[kmscore.bulk.Item]) -> dict[str, bulk.Contender]:
        sizes.append(len(items))
        return original(self, items)

    monkeypatch.setattr(Rotation, "contenders", watched)
    monkeypatch.setattr(bulk, "_CHUNK", 10)
    figures = compare(25)
    assert sizes == [10, 10, 5]
    assert set(figures) == set(LIMITS)
    assert all(min(each) > 0 for each in figures.values())


@pytest.mark.thorough
def test_the_command_shows_both_ratios_and_the_peaks(capsys: pytest.CaptureFixture[str]) -> None:
    """The output has three lines; three times as many items stay within the memory limit."""
    pytest.importorskip("resource")
    assert main(["--items", "30000"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [name in line for name, line in zip((LOOP, FLOOR), lines, strict=False)] == [True, True]
    assert all(re.search(r"ratio \d+\.\d{3} \(at most", line) for line in lines[:2])
    many, few = re.findall(r"([\d.]+) MB for", lines[2])
    assert 10 < float(many) < float(few) + MEMORY_LIMIT / 1e6


def test_the_command_rejects_no_items(capsys: pytest.CaptureFixture[str]) -> None:
    """The status is 2, and a line gives the reason."""
    with pytest.raises(SystemExit, match="2"):
        main(["--items", "0"])
    assert "at least one" in capsys.readouterr().err
