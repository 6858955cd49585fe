"""Output of the command `mutants`: one JSON object, or tables."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kmscore_vectors.mutants.laboratory import Fate
from kmscore_vectors.terminal import printable


def to_json(fates: Mapping[Path, Sequence[Fate]]) -> str:
    """Return the fates of the mutants of each file as one JSON object."""
    document = {
        str(path): {
            "mutants": len(each),
            "noticed": sum(fate.noticed is not None for fate in each),
            "fates": [_fate_document(fate) for fate in each],
        }
        for path, each in fates.items()
    }
    return json.dumps(document, indent=2)


def _fate_document(fate: Fate) -> dict[str, object]:
    """Return the fate of one mutant as a JSON object."""
    fields: dict[str, object] = {"id": fate.mutant.mutant_id, "mistake": fate.mutant.mistake}
    if fate.noticed is None:
        return fields | {"noticed": None, "explanation": fate.mutant.survives}
    test = fate.noticed.test
    place = {"file": test.file, "tcId": test.tc_id, "flag": test.flag}
    return fields | {"noticed": place | {"verdict": fate.noticed.verdict.value}}


def show(fates: Mapping[Path, Sequence[Fate]], console: Console) -> None:
    """Print the mutants that no test noticed, the noticed mistakes by flag, and the scores."""
    survivors = [fate for each in fates.values() for fate in each if fate.noticed is None]
    if survivors:
        console.print(_survivor_table(survivors))
    for path, each in fates.items():
        console.print(_score(path, each))
    for fate in (fate for each in fates.values() for fate in each):
        if fate.noticed is not None and not fate.is_expected:
            reason = "is explained as one that no test can notice, and a test noticed it"
            console.print(Text(f"{printable(fate.mutant.mutant_id)} {reason}", style="red"))


def _survivor_table(fates: Sequence[Fate]) -> Table:
    """Return the table of mutants that passed all tests."""
    table = Table(title="Mistakes that no test noticed", show_lines=True)
    for name in ("id", "section", "mistake", "explanation"):
        table.add_column(name, overflow="fold")
    for mutant, _ in fates:
        texts = (mutant.mutant_id, mutant.section, mutant.mistake, mutant.survives)
        style = None if mutant.survives else "red"
        table.add_row(*(Text(printable(text)) for text in texts), style=style)
    return table


def _score(path: Path, fates: Sequence[Fate]) -> Text:
    """Return the score of one file in a line."""
    noticed = sum(fate.noticed is not None for fate in fates)
    explained = sum(fate.noticed is None and fate.is_expected for fate in fates)
    text = f"{printable(path.name)}: {noticed} of {len(fates)} noticed"
    if fates:
        text += f" ({noticed / len(fates):.1%})"
    if explained:
        text += f"; {explained} cannot be noticed"
    return Text(text, style="green" if all(fate.is_expected for fate in fates) else "bold red")
