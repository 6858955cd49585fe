"""A trace as one page for a browser, without any file or address outside it."""

import base64
import hashlib
from collections.abc import Collection, Iterator
from html import escape
from typing import Final

from kmscore._printable import letters, printable
from kmscore.audit.commands import command, variable
from kmscore.audit.notation import formula_text, short_id
from kmscore.audit.records import OK, ByteMap, Check, Secrecy, Step, Trace, Value
from kmscore.audit.render.provenance import Mark, colours_of, marks_of
from kmscore.audit.render.reveal import WORDS, check_rendering, hidden_words, name_of, verdict
from kmscore.audit.render.style import SCRIPT, STYLE
from kmscore.audit.replaying import Replay, replay

_ROW: Final = 16  # bytes in a row
_SHOWN: Final = 96  # most bytes of a value
_SHOWN_IN_MAP: Final = 512  # most bytes of a map
_FIRST, _LAST = 8, 4  # values of a step that has more than both together
_FIELDS: Final = 64  # most entries of a legend


def html(trace: Trace, *, reveal: Collection[Secrecy] = frozenset()) -> str:
    """Return a trace as one HTML page.

    The page loads nothing: its policy (CSP) forbids everything except its own script and style.
    Texts of the trace, such as IDs and contexts, are escaped. The page leaves out the middle of a
    long value and of a long list of values; the JSON form has all.

    Args:
        trace: The trace.
        reveal: The levels above `Secrecy.PUBLIC` whose values are shown.

    Returns:
        The page, for a file in UTF-8.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If `reveal` contains `Secrecy.KEY`.
    """
    return _Page(trace, check_rendering(trace, reveal)).write()


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

    def __init__(self, trace: Trace, shown: frozenset[Secrecy]) -> None:
        self._trace = trace
        self._shown = shown
        self._values = {value.id: value for value in trace.values}
        self._marks = marks_of(trace)
        self._colours = colours_of(trace)
        self._replay = replay(trace)

    def write(self) -> str:
        """Return the page."""
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
            f"<p>{self._warning()}</p>{self._verdict()}</header>\n"
            f"<main><div>{steps}{_comparison(self._trace, self._replay)}</div>"
            f"<aside>{maps}</aside></main>\n"
            "<footer>This page loads nothing, and its policy forbids all requests. Sections are"
            " those of vectors/SPEC.md.</footer>"
            f'<div id="tip" hidden></div><script>{SCRIPT}</script></body></html>\n'
        )

    def _warning(self) -> str:
        """Return the sentence on the secrets in the page."""
        above = [WORDS[level] for level in Secrecy if level in self._shown and level in WORDS]
        if above:
            names = " and the ".join(above)
            return f"<b>This page shows the {names}. Protect it as you protect the plaintext.</b>"
        if self._trace.outcome != OK:
            return (
                "After a failure, no option shows a value that was computed with a key: it could"
                " help to forge or to decrypt a ciphertext."
            )
        return (
            "Key material, plaintext and other secrets are not shown. The page shows the"
            " ciphertext, the encryption context and the lengths."
        )

    def _verdict(self) -> str:
        """Return the outcome, and whether the page can be trusted."""
        agrees = self._trace.agrees and not self._replay.wrong
        good = agrees and self._trace.outcome == OK
        check = (
            f"Computed apart from the library, and equal to it in {len(self._trace.ties)} of"
            f" {len(self._trace.ties)} comparisons; {self._replay.recomputed:,} values computed"
            " once more."
            if agrees
            else "This page and the library disagree: trust neither, and report it."
        )
        return (
            f'<div class="verdict {"good" if good else "bad"}">{_text(verdict(self._trace))}'
            f"<span>{check}</span></div>"
        )

    def _step(self, number: int, step: Step) -> str:
        """Return a step."""
        values, left_out = list(step.values), 0
        if len(values) > _FIRST + _LAST:
            left_out = len(values) - _FIRST - _LAST
            values = values[:_FIRST] + values[-_LAST:]
        rows = [self._value(value) for value in values]
        if left_out:
            more = f"… {left_out:,} more values; the JSON form has all"
            rows.insert(_FIRST, f'<tr><td></td><td class="more">{more}</td></tr>')
        side = step.id.rpartition(".")[0]
        title = f"{side}: {step.title}" if side else step.title
        return (
            f'<section class="card" id="{_text(step.id)}"><h2><b>{number}</b>{_text(title)}'
            f"<small>SPEC {_text(step.section)}</small></h2>"
            + _formula(step)
            + (f"<table>{''.join(rows)}</table>" if rows else "")
            + _checks(step.checks)
            + self._commands(values)
            + "</section>\n"
        )

    def _value(self, value: Value) -> str:
        """Return the row of a value."""
        name = (
            f"<td><code>{_text(short_id(value.id))}</code>{_small(value.name)}"
            f"{_small(formula_text(value))}</td>"
        )
        if value.secrecy not in self._shown:
            return f'<tr>{name}<td><span class="hidden">{hidden_words(value)}</span></td></tr>'
        rows = "".join(self._rows(value, _SHOWN, offsets=False))
        if not value.data:
            rows = '<span class="more">no bytes</span>'
        elif len(value.data) > _SHOWN:
            rows += f'<span class="more">… {len(value.data) - _SHOWN:,} more bytes</span>'
        return f'<tr>{name}<td class="hex">{rows}</td></tr>'

    def _rows(self, value: Value, most: int, *, offsets: bool) -> Iterator[str]:
        """Yield the rows of the bytes of a value."""
        marks = self._marks.get(value.id, ())
        for start in range(0, min(len(value.data), most), _ROW):
            end = min(start + _ROW, len(value.data), most)
            cells = "".join(
                _byte(value.data[index], marks[index] if index < len(marks) else None)
                for index in range(start, end)
            )
            at = f'<span class="at">{start:04x}</span>' if offsets else ""
            ascii_text = escape(letters(value.data[start:end]))
            yield f'<div class="row">{at}{cells}<span class="ascii">{ascii_text}</span></div>'

    def _commands(self, values: list[Value]) -> str:
        """Return the commands of a step, closed at first."""
        lines = []
        for value in values:
            line = command(value, self._values)
            if line is not None:
                lines.append(f"# {short_id(value.id)}\n{line}")
        if not lines:
            return ""
        names = {
            variable(value_id)
            for value_id in self._values
            if any(f'"${variable(value_id)}"' in line for line in lines)
        }
        # Commands and names have no character that HTML or a terminal could obey.
        head = f"# variables, in hexadecimal: {', '.join(sorted(names))}\n" if names else ""
        return (
            "<details><summary>Compute it yourself</summary>"
            f"<pre>{escape(head + chr(10).join(lines))}</pre></details>"
        )

    def _map(self, number: int, each: ByteMap) -> str:
        """Return the bytes of a map with its legend."""
        value = self._values[each.value_id]
        rows = "".join(self._rows(value, _SHOWN_IN_MAP, offsets=True))
        if len(value.data) > _SHOWN_IN_MAP:
            more = f"… {len(value.data) - _SHOWN_IN_MAP:,} more bytes"
            rows += f'<div class="more">{more}</div>'
        legend = "".join(
            f'<b class="{self._colours[number][index]}" data-f="{number}.{index}" tabindex="0"'
            f' data-t="{_text(field.name)}: {_text(field.meaning)}">{_text(field.name)}</b>'
            f"<span>{_text(field.meaning)}</span>"
            for index, field in enumerate(each.fields[:_FIELDS])
            if field.length
        )
        if len(each.fields) > _FIELDS:
            legend += f"<span>… {len(each.fields) - _FIELDS:,} more fields</span>"
        side = each.value_id.rpartition(".")[0]
        name = f"{side}: {each.name}" if side else each.name
        return (
            f'<div class="card"><h3>{_text(name)} · {len(value.data):,} bytes</h3>'
            f'<div class="hex">{rows}</div><div class="legend">{legend}</div></div>'
        )


def _byte(byte: int, mark: Mark | None) -> str:
    """Return one byte, with its place in a map if it has one."""
    if mark is None:
        return f"<s>{byte:02x}</s>"
    return (
        f'<i class="{mark.colour}" data-f="{mark.map}.{mark.field}"'
        f' data-b="{mark.map}.{mark.offset}">{byte:02x}</i>'
    )


def _formula(step: Step) -> str:
    """Return the formula of a step, in lines."""
    lines = "\n".join(map(_text, step.formula.splitlines()))
    return f'<div class="formula">{lines}</div>' if lines else ""


def _checks(checks: Collection[Check]) -> str:
    """Return the checks of a step."""
    items = "".join(
        f"<li{'' if check.passed else ' class=no'}>{_text(check.statement)}</li>"
        for check in checks
    )
    return f'<ul class="checks">{items}</ul>' if items else ""


def _comparison(trace: Trace, replayed: Replay) -> str:
    """Return the comparisons with the library, and the result of the replay."""
    checks = [Check(tie.statement, tie.agrees) for tie in trace.ties]
    checks.append(
        Check(
            f"{replayed.recomputed:,} values computed again, {len(replayed.wrong)} of them differ",
            not replayed.wrong,
        )
    )
    return f'<section class="card"><h3>Compared with the library</h3>{_checks(checks)}</section>'
