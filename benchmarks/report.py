"""The results of one run as a table, Markdown, JSON and a plot."""

import importlib.metadata
import json
import os
import platform
import ssl
import timeit
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from cryptography.hazmat.backends.openssl import backend as cryptography_backend
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.measure import OURS, Call, Comparison
from benchmarks.peers import DISTRIBUTIONS, LACKS

BEGIN: Final = "<!-- benchmarks: python -m benchmarks --markdown writes this -->"
END: Final = "<!-- /benchmarks -->"

_UNITS: Final = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1, "ns"))


@dataclass(frozen=True)
class Report:
    """The results of one run, and the machine and versions that it was measured with."""

    environment: dict[str, str]
    """The machine, and the versions of the interpreter and the libraries, by name."""

    comparisons: list[Comparison]
    """The results, in the order of the table."""

    @classmethod
    def of(cls, comparisons: Iterable[Comparison]) -> Self:
        """Return a report with the environment of this process."""
        return cls(_environment(), list(comparisons))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a report that `save` has written."""
        document = json.loads(path.read_text("utf-8"))
        rows = [Comparison(**row) for row in document["comparisons"]]
        return cls(document["environment"], rows)

    def save(self, path: Path) -> None:
        """Write the report as JSON."""
        document: dict[str, Any] = {
            "environment": self.environment,
            "comparisons": [row._asdict() for row in self.comparisons],
        }
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")

    def print_on(self, console: Console) -> None:
        """Print the table, the missing parts of the peers, the remarks and the environment."""
        table = Table(box=SIMPLE_HEAD, title="Time of kmscore, of the other, and their ratio")
        table.add_column("task, and the other call", overflow="fold")
        for heading in _FIGURES:
            table.add_column(heading, justify="right", no_wrap=True)
        task = None
        for row in self.comparisons:
            if row.task != task:
                task = row.task
                table.add_row(Text(task, style="bold"))
            table.add_row(f"  {row.against}", *_figures(row), style="" if row.is_met else "red")
        console.print(table)
        for peer, lack in self._lacks():
            console.print(f"[bold]{peer}[/bold] lacks: {lack}", highlight=False)
        for task, remark in self._remarks().items():
            console.print(f"[bold]{task}[/bold]: {remark}", highlight=False)
        for line in self.environment_lines():
            console.print(line, highlight=False, style="dim")

    def write_markdown(self, path: Path) -> None:
        """Write the table; if the file has the two marks, only replace the text between them."""
        text = path.read_text("utf-8") if path.exists() else ""
        before, begin, rest = text.partition(BEGIN)
        _, end, after = rest.partition(END)
        if end:
            path.write_text(f"{before}{begin}\n\n{self.markdown()}\n{end}{after}", "utf-8")
        else:
            path.write_text(self.markdown(), "utf-8")

    def markdown(self) -> str:
        """Return the table as Markdown, with the notes and the environment."""
        lines = [
            f"| task | next to | {' | '.join(_FIGURES)} |",
            f"|---|---|{'--:|' * len(_FIGURES)}",
            *(
                f"| {row.task} | {row.against} | {' | '.join(_figures(row))} |"
                for row in self.comparisons
            ),
        ]
        lines += ["", *(f"- {peer} lacks: {lack}." for peer, lack in self._lacks())]
        lines += [f"- {task}: {remark}." for task, remark in self._remarks().items()]
        lines += ["", *(f"{line}  " for line in self.environment_lines())]
        return "\n".join(lines).rstrip() + "\n"

    def environment_lines(self) -> Iterator[str]:
        """Yield the machine, then the versions, one line each."""
        machine = [f"{self.environment[name]}" for name in ("processor", "system", "python")]
        yield ", ".join(machine)
        rest = {k: v for k, v in self.environment.items() if k not in _MACHINE}
        yield ", ".join(f"{name} {version}" for name, version in rest.items())

    def _lacks(self) -> list[tuple[str, str]]:
        """Return the missing parts of the peers that took part."""
        present = {row.against for row in self.comparisons}
        return [(peer, lack) for peer, lack in LACKS.items() if peer in present]

    def _remarks(self) -> dict[str, str]:
        """Return the remarks, by name of the task."""
        return {row.task: row.remark for row in self.comparisons if row.remark}

    def plot(self, path: Path) -> None:
        """Draw every ratio, with its limit and both times, as SVG."""
        import matplotlib as mpl
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure

        rows = list(reversed(self.comparisons))
        with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": OURS, "font.size": 8}):
            figure = Figure(figsize=(9.5, 0.9 + 0.24 * len(rows)), layout="constrained")
            FigureCanvasSVG(figure)
            axes = figure.subplots()
            for position, row in enumerate(rows):
                color = "tab:blue" if row.is_met else "tab:red"
                axes.plot(
                    [1, row.ratio],
                    [position, position],
                    color=color,
                    linewidth=4,
                    solid_capstyle="butt",
                )
                if row.limit is not None:
                    axes.plot(row.limit, position, "|", color="black", markersize=9)
                axes.annotate(
                    f"{row.ratio:.2f}  ({_shown(row.ours_ns)} / {_shown(row.other_ns)})",
                    (1.01, position),
                    xycoords=("axes fraction", "data"),
                    va="center",
                )
            axes.axvline(1, color="gray", linewidth=1)
            axes.set_xscale("log", base=2)
            axes.set_yticks(range(len(rows)), [f"{row.task}  /  {row.against}" for row in rows])
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axes.margins(y=0.01)
            axes.set_xlabel(
                "time of kmscore divided by the other's: left of 1 is faster;"
                " a black mark is a limit, red is over it"
            )
            axes.spines[["top", "right"]].set_visible(False)
            figure.savefig(path, format="svg", metadata={"Date": None})


_FIGURES: Final = ("kmscore", "other", "ratio", "at most")
_MACHINE: Final = ("processor", "system", "python")


def _figures(row: Comparison) -> tuple[str, ...]:
    """Return the figures of a row: both times, their ratio and its limit."""
    limit = "" if row.limit is None else f"{row.limit:.2f}"
    ratio = f"{row.ratio:.3f}" + ("" if row.is_met else " (over)")
    return _shown(row.ours_ns), _shown(row.other_ns), ratio, limit


def _shown(nanoseconds: float) -> str:
    """Return a time with three digits and its unit."""
    for size, unit in _UNITS:
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"


def _environment() -> dict[str, str]:
    """Return the machine, the interpreter, both libcryptos and the versions of all contenders."""
    distributions = {OURS: "kmscore", "cryptography": "cryptography"} | dict(DISTRIBUTIONS)
    versions = {name: _version(name) for name in dict.fromkeys(distributions.values())}
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "system": " ".join((platform.system(), platform.machine(), *platform.libc_ver())).strip(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "cryptography's": cryptography_backend.openssl_version_text(),
        "SM2's": ssl.OPENSSL_VERSION,
        # Called for each encryption; on some systems it takes half of the time.
        "os.urandom(12)": _shown(_least_time(lambda: os.urandom(12))),
        **{name: version for name, version in versions.items() if version},
    }


def _least_time(call: Call) -> float:
    """Return the minimum time of a call in nanoseconds."""
    return min(timeit.repeat(call, number=1000, repeat=100)) * 1e6


def _version(distribution: str) -> str:
    """Return the version of a distribution, or an empty text if it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _processor() -> str:
    """Return the name of the processor, if the system provides it."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"
