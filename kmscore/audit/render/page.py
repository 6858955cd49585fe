"""A trace as one page for a browser, without any file or address outside it."""

import base64
import hashlib
from collections.abc import Collection, Iterable, Iterator
from html import escape
from typing import Final

from kmscore._printable import ascii_column, printable
from kmscore.audit.commands import command, variable
from kmscore.audit.explanation import Explanation
from kmscore.audit.notation import formula_text
from kmscore.audit.records import OK, ByteMap, Secrecy, Step, Trace, Value
from kmscore.audit.render.explanation import findings_card, wrong_bytes
from kmscore.audit.render.provenance import Mark, colours_of, marks_of
from kmscore.audit.render.reveal import (
    abridge,
    check_rendering,
    hidden_words,
    judge,
    name_of,
    title_of,
    warning,
)
from kmscore.audit.render.style import SCRIPT, STYLE
from kmscore.audit.wording import count

_ROW: Final = 16  # bytes in a row
_SHOWN: Final = 96  # most bytes of a value
_SHOWN_IN_MAP: Final = 512  # most bytes of a map
_FIELDS: Final = 64  # most entries of a legend
_VARIABLES: Final = (
    "# Set these variables to hexadecimal digits: {}.\n"
    "# While a command runs, other users of the machine can see its arguments.\n"
)


def html(
    trace: Trace,
    *,
    explanation: Explanation | None = None,
    reveal: Collection[Secrecy] = frozenset(),
) -> str:
    """Return a trace as one HTML page.

    The page loads nothing: its policy (CSP) forbids everything except its own script and style.
    Texts of the trace, such as IDs and contexts, are escaped. The page leaves out the middle of a
    long value and of a long list of values; the JSON form has all.

    Args:
        trace: The trace.
        explanation: The explanation of a failure, which is shown first.
        reveal: The levels above `Secrecy.PUBLIC` whose values are shown. `Secrecy.MESSAGE` includes
            `Secrecy.PLAINTEXT`.

    Returns:
        The page, for a file in UTF-8.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If `reveal` contains `Secrecy.KEY`.
    """
    shown = check_rendering(trace, reveal)
    above = "" if explanation is None else findings_card(explanation)
    wrong = wrong_bytes(explanation, trace)
    return _Page(trace, shown, wrong).write(above)


def _text(value: str) -> str:
    """Return a text that HTML shows as it is."""
    return escape(printable(value))


def _small(value: str) -> str:
    return f"<small>{_text(value)}</small>"


def _policy() -> str:
    """Return the content security policy."""
    script, style = (
        base64.b64encode(hashlib.sha256(each.encode("utf-8")).digest()).decode("ascii")
        for each in (SCRIPT, STYLE)
    )
    return (
        f"default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}';"
        " base-uri 'none'; form-action 'none'"
    )


class _Page:
    """The page of one trace."""

    def __init__(
        self, trace: Trace, shown: frozenset[Secrecy], wrong: frozenset[tuple[str, int]]
    ) -> None:
        self._trace = trace
        self._shown = shown
        self._wrong = wrong
        self._values = trace.values
        self._marks = marks_of(trace)
        self._colours = colours_of(trace)
        self._judgement = judge(trace)

    def write(self, above: str) -> str:
        """Return the page, with a part above the steps."""
        title = f"{name_of(self._trace)}, byte by byte"
        steps = "".join(
            self._step(number, step) for number, step in enumerate(self._trace.steps, 1)
        )
        maps = "".join(self._map(number, each) for number, each in enumerate(self._trace.maps))
        return (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            '<meta name="referrer" content="no-referrer">'
            f'<meta http-equiv="Content-Security-Policy" content="{_policy()}">'
            f"<title>{_text(title)}</title><style>{STYLE}</style></head><body>\n"
            f"<header><h1>{_text(title)}</h1>"
            "<p>Point at a byte to mark it in every step; click to keep the mark.</p>"
            f"<p>{warning(self._trace, self._shown)}</p>{self._verdict()}{above}</header>\n"
            f"<main><div>{steps}{self._comparison()}</div><aside>{maps}</aside></main>\n"
            "<footer>This page loads nothing, and its policy forbids all requests. Sections are"
            " those of vectors/SPEC.md.</footer>"
            f'<div id="tip" hidden></div><script>{SCRIPT}</script></body></html>\n'
        )

    def _verdict(self) -> str:
        """Return the outcome, and whether the page can be trusted."""
        good = self._judgement.is_trusted and self._trace.outcome == OK
        return (
            f'<div class="verdict {"good" if good else "bad"}">{_text(self._judgement.outcome)}'
            f"<span>{self._judgement.evidence}</span></div>"
        )

    def _comparison(self) -> str:
        """Return the comparisons with the library, and the result of the replay."""
        checks = _checks((tie.statement, tie.agrees) for tie in self._trace.ties)
        return (
            f'<section class="card"><h3>Compared with the library</h3>{checks}'
            f"<p>{self._judgement.evidence}</p></section>"
        )

    def _step(self, number: int, step: Step) -> str:
        """Return a step."""
        first, left_out, last = abridge(step)
        rows = [self._value(value) for value in first]
        if left_out:
            more = f"… {count(left_out, 'more value')}; the JSON form has all"
            rows.append(f'<tr><td></td><td class="more">{more}</td></tr>')
        rows += [self._value(value) for value in last]
        return (
            f'<section class="card" id="{_text(step.id)}"><h2><b>{number}</b>'
            f"{_text(title_of(step))}<small>SPEC {_text(step.section)}</small></h2>"
            + _formula(step)
            + (f"<table>{''.join(rows)}</table>" if rows else "")
            + _checks((check.statement, check.passed) for check in step.checks)
            + self._commands([*first, *last])
            + "</section>\n"
        )

    def _value(self, value: Value) -> str:
        """Return the row of a value."""
        name = (
            f"<td><code>{_text(value.symbol)}</code>{_small(value.name)}"
            f"{_small(formula_text(value))}</td>"
        )
        if value.secrecy not in self._shown:
            return f'<tr>{name}<td><span class="hidden">{hidden_words(value)}</span></td></tr>'
        rows = "".join(self._rows(value, _SHOWN, offsets=False))
        if not value.data:
            rows = '<span class="more">no bytes</span>'
        elif len(value.data) > _SHOWN:
            rows += f'<span class="more">… {count(len(value.data) - _SHOWN, "more byte")}</span>'
        return f'<tr>{name}<td class="hex">{rows}</td></tr>'

    def _rows(self, value: Value, most: int, *, offsets: bool) -> Iterator[str]:
        """Yield the rows of the bytes of a value."""
        marks = self._marks.get(value.id, ())
        for start in range(0, min(len(value.data), most), _ROW):
            end = min(start + _ROW, len(value.data), most)
            cells = "".join(
                self._byte(
                    value.data[index],
                    marks[index] if index < len(marks) else None,
                    is_wrong=(value.id, index) in self._wrong,
                )
                for index in range(start, end)
            )
            at = f'<span class="at">{start:04x}</span>' if offsets else ""
            ascii_text = escape(ascii_column(value.data[start:end]))
            yield f'<div class="row">{at}{cells}<span class="ascii">{ascii_text}</span></div>'

    def _byte(self, byte: int, mark: Mark | None, *, is_wrong: bool) -> str:
        """Return one byte, with its place in a map if it has one."""
        if mark is None:
            return f"<s>{byte:02x}</s>"
        number, field, offset = mark
        wrong = " wrong" if is_wrong else ""
        return (
            f'<i class="{self._colours[number][field]}{wrong}" data-f="{number}.{field}"'
            f' data-b="{number}.{offset}">{byte:02x}</i>'
        )

    def _commands(self, values: list[Value]) -> str:
        """Return the commands of a step, closed at first."""
        lines = []
        for value in values:
            line = command(value, self._values)
            if line is not None:
                lines.append(f"# {value.symbol}\n{line}")
        if not lines:
            return ""
        names = {
            variable(value_id)
            for value_id in self._values
            if any(f'"${variable(value_id)}"' in line for line in lines)
        }
        # Commands and names have no character that HTML or a terminal could obey.
        head = _VARIABLES.format(", ".join(sorted(names))) if names else ""
        return (
            "<details><summary>Compute it yourself</summary>"
            f"<pre>{escape(head + chr(10).join(lines))}</pre></details>"
        )

    def _map(self, number: int, each: ByteMap) -> str:
        """Return the bytes of a map with its legend."""
        value = self._values[each.value_id]
        rows = "".join(self._rows(value, _SHOWN_IN_MAP, offsets=True))
        if len(value.data) > _SHOWN_IN_MAP:
            more = f"… {count(len(value.data) - _SHOWN_IN_MAP, 'more byte')}"
            rows += f'<div class="more">{more}</div>'
        legend = "".join(
            f'<b class="{self._colours[number][index]}" data-f="{number}.{index}" tabindex="0"'
            f' data-t="{_text(field.name)}: {_text(field.meaning)}">{_text(field.name)}</b>'
            f"<span>{_text(field.meaning)}</span>"
            for index, field in enumerate(each.fields[:_FIELDS])
            if field.length
        )
        if len(each.fields) > _FIELDS:
            legend += f"<span>… {count(len(each.fields) - _FIELDS, 'more field')}</span>"
        name = f"{value.side}: {each.name}" if value.side else each.name
        return (
            f'<div class="card"><h3>{_text(name)} · {count(len(value.data), "byte")}</h3>'
            f'<div class="hex">{rows}</div><div class="legend">{legend}</div></div>'
        )


def _formula(step: Step) -> str:
    """Return the formula of a step, in lines."""
    lines = "\n".join(map(_text, step.formula.splitlines()))
    return f'<div class="formula">{lines}</div>' if lines else ""


def _checks(checks: Iterable[tuple[str, bool]]) -> str:
    """Return statements, each with a mark that it is true or false."""
    items = "".join(
        f"<li{'' if passed else ' class=no'}>{_text(statement)}</li>"
        for statement, passed in checks
    )
    return f'<ul class="checks">{items}</ul>' if items else ""
