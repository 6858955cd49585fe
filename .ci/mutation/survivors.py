"""The explained survivors: mutants that no test can or should notice, in classes with a reason."""

import json
import tomllib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from cosmic_ray.work_item import MutationSpec
from mutants import change, mutated


class Survivor(NamedTuple):
    """A mutant by its text, so that it is found again when the lines of a module move."""

    module: str
    operator: str
    before: str
    after: str


class Reason(NamedTuple):
    """A class of survivors."""

    title: str
    text: str
    survivors: tuple[Survivor, ...]


def survivor(source: str, spec: MutationSpec) -> Survivor:
    """Return a mutant of a source by its text."""
    texts = change(source, mutated(source, spec) or source)
    return Survivor(spec.module_path.as_posix(), spec.operator_name.removeprefix("core/"), *texts)


def row(item: Survivor) -> str:
    """Return a survivor as a row of the file of explanations."""
    return f"[{', '.join(json.dumps(text, ensure_ascii=False) for text in item)}],"


def read(file: Path) -> list[Reason]:
    """Return the classes in a file, which can be missing."""
    if not file.exists():
        return []
    table = tomllib.loads(file.read_text("utf-8"))
    return [
        Reason(
            item["title"],
            item["reason"],
            tuple(Survivor(*survivor) for survivor in item["survivors"]),
        )
        for item in table["classes"]
    ]


def unexplained(found: list[Survivor], reasons: list[Reason]) -> list[Survivor]:
    """Return the survivors without an explanation; equal ones count one by one."""
    left = Counter(survivor for reason in reasons for survivor in reason.survivors)
    rest = []
    for survivor in found:
        if left[survivor]:
            left[survivor] -= 1
        else:
            rest.append(survivor)
    return rest
