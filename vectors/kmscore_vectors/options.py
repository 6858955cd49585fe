"""The options that several commands of `kmscore-vectors` share."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, cast

import typer
from typer.core import TyperCommand

from kmscore_vectors.selection import Numbers, Selection
from kmscore_vectors.tables import Severity

COMMAND: Final = "kmscore_vectors.command"
"""The name under which the context has the command after `--`."""

UsageError: type[typer.BadParameter] = cast("type[typer.BadParameter]", typer.BadParameter.__base__)
"""The base class of all errors in options and arguments; typer has no public name for it."""

_SELECTION: Final = "Selection (repeatable; default: all tests)"
_REPORTS: Final = "Reports"

Folder = Annotated[
    Path | None,
    typer.Argument(metavar="DIR", help="Folder of vectors (default: the vectors in the package)."),
]
Severities = Annotated[
    list[Severity] | None,
    typer.Option(
        "--severity",
        metavar="NAME",
        rich_help_panel=_SELECTION,
        help="Only tests of this severity: standard, strict or policy.",
    ),
]
Files = Annotated[
    list[str] | None,
    typer.Option(
        "--file",
        metavar="NAME",
        rich_help_panel=_SELECTION,
        help="Only tests of this file; its name without .json.",
    ),
]
Operations = Annotated[
    list[str] | None,
    typer.Option(
        "--operation",
        metavar="NAME",
        rich_help_panel=_SELECTION,
        help="Only tests of this operation.",
    ),
]
Flags = Annotated[
    list[str] | None,
    typer.Option(
        "--flag", metavar="NAME", rich_help_panel=_SELECTION, help="Only tests with this flag."
    ),
]
Tests = Annotated[
    list[str] | None,
    typer.Option(
        "--test",
        metavar="TEST",
        rich_help_panel=_SELECTION,
        help="Only this test, FILE:TCID, or these, FILE:FIRST-LAST.",
    ),
]
WithoutAccumulated = Annotated[
    bool,
    typer.Option(
        "--no-accumulated",
        rich_help_panel=_SELECTION,
        help="Skip the tests of 10,000 cases each, which take 1 to 2 minutes (default: all tests).",
    ),
]
Timeout = Annotated[
    float, typer.Option(min=0.1, max=3600, metavar="SECONDS", help="Seconds for one answer.")
]
Label = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        rich_help_panel=_REPORTS,
        help="Name of the implementation (default: that of its program).",
    ),
]
# A row of the help cuts this long name on a narrow terminal, so the text of the help has it.
Version = Annotated[str, typer.Option(metavar="TEXT", hidden=True)]
Reports = Annotated[
    list[Path] | None,
    typer.Option(
        "--report",
        metavar="FILE",
        rich_help_panel=_REPORTS,
        help="File for a report: .json, .xml (JUnit) or .md (default: none); repeatable.",
    ),
]
Json = Annotated[
    bool,
    typer.Option("--json", rich_help_panel=_REPORTS, help="One JSON object instead of tables."),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", rich_help_panel=_REPORTS, help="No progress on standard error."),
]


def make_selection(
    severities: Sequence[Severity] | None,
    files: Sequence[str] | None,
    operations: Sequence[str] | None,
    flags: Sequence[str] | None,
    tests: Sequence[str] | None,
) -> Selection:
    """Return the selection that the options name.

    Args:
        severities: The values of `--severity`.
        files: The values of `--file`.
        operations: The values of `--operation`.
        flags: The values of `--flag`.
        tests: The values of `--test`.

    Returns:
        The selection.

    Raises:
        SelectionError: If a value of `--test` has another form.
    """
    return Selection(
        tuple(severities or ()),
        tuple(files or ()),
        tuple(operations or ()),
        tuple(flags or ()),
        tuple(map(Numbers.parse, tests or ())),
    )


class CommandAfterDashes(TyperCommand):
    """A command whose arguments end at the first `--`; the rest is the command to run."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 (click's own)
        """Keep the arguments after `--`, and parse the others."""
        end = args.index("--") if "--" in args else len(args)
        ctx.meta[COMMAND] = args[end + 1 :]
        return super().parse_args(ctx, args[:end])

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ANN401 (click's own)
        """Return the pieces of the usage line, with the command."""
        return [*super().collect_usage_pieces(ctx), "-- COMMAND..."]
