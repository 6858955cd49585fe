"""Draw the pictures of ARCHITECTURE.md from the code, as SVG in `docs/pictures`.

    python docs/pictures.py

The byte layout comes from `CiphertextBlob.layout()`. The steps of a re-encryption and the layers
come from the syntax trees of the installed package. A step without a caption here is an error, so
that a new step cannot be left out of the picture. `tests/documents/test_pictures.py` compares the
files.
"""

import ast
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from graphlib import TopologicalSorter
from html import escape
from itertools import accumulate, pairwise
from pathlib import Path
from statistics import fmean
from textwrap import dedent
from types import ModuleType
from typing import Final, NamedTuple, TypeAlias

import kmscore
from kmscore import CiphertextBlob, Suite, envelope, layouts, reencryption

FOLDER: Final = Path(__file__).with_suffix("")

# The text colour of each scheme; everything else is that colour, or a tint that suits both.
_STYLE: Final = """\
  svg { color: #1f2328; font: 14px sans-serif }
  text { fill: currentColor }
  .name { font-family: monospace }
  .small { font-size: 12px }
  .strong { font-weight: bold }
  .middle { text-anchor: middle }
  .box { fill: currentColor; fill-opacity: 0.06; stroke: currentColor; stroke-opacity: 0.55 }
  .line { fill: none; stroke: currentColor; stroke-opacity: 0.7 }
  .head { fill: currentColor; fill-opacity: 0.8; stroke: none }
  .dashed { stroke-dasharray: 5 4 }
  .blue { fill: #3b82f6; fill-opacity: 0.3 }
  .green { fill: #16a34a; fill-opacity: 0.3 }
  .orange { fill: #ea7317; fill-opacity: 0.3 }
  .violet { fill: #a855f7; fill-opacity: 0.3 }
  @media (prefers-color-scheme: dark) { svg { color: #e6edf3 } }"""


def _document(name: str, size: tuple[int, int], title: str, about: str, parts: list[str]) -> str:
    """Return a whole picture, with the title and description that a screen reader reads."""
    width, height = size
    root = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' width="{width}" height="{height}" role="img"'
        f' aria-labelledby="{name}-title {name}-description">'
    )
    return "\n".join(
        (
            root,
            f'<title id="{name}-title">{escape(title)}</title>',
            f'<desc id="{name}-description">{escape(about)}</desc>',
            f"<style>\n{_STYLE}\n</style>",
            *parts,
            "</svg>\n",
        )
    )


def _text(x: int, y: int, text: str, kind: str = "") -> str:
    return f'<text x="{x}" y="{y}" class="{kind}">{escape(text)}</text>'


def _box(x: int, y: int, width: int, height: int, kind: str = "box", *, radius: int = 4) -> str:
    corner = f' rx="{radius}"' if radius else ""
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}"{corner} class="{kind}"/>'


def _line(path: str, kind: str = "line") -> str:
    return f'<path d="{path}" class="{kind}"/>'


def _head(x: int, y: int, dx: int, dy: int) -> str:
    """Return an arrowhead with its tip at a point, in one of the four directions."""
    back_x, back_y = x - 8 * dx, y - 8 * dy
    wings = f"L{back_x - 4 * dy} {back_y - 4 * dx} L{back_x + 4 * dy} {back_y + 4 * dx}"
    return _line(f"M{x} {y} {wings} Z", "head")


# --- the v1 blob ---

_EXAMPLE: Final = CiphertextBlob(
    suite=Suite.XAES_256_GCM,
    key_id="orders",
    key_version_id="2",
    iv=bytes(range(0xA0, 0xA0 + Suite.XAES_256_GCM.iv_length)),
    ciphertext=bytes.fromhex("c0c1c2c3"),
    tag=bytes(range(0xE0, 0xF0)),
)
_TINTS: Final = {"IV": "green", "ciphertext": "orange", "tag": "violet"}
_IN_A_ROW: Final = 16
_CELL: Final = 36


def draw_blob() -> str:
    """Return the byte layout of a v1 blob: its bytes in rows of 16, and its fields."""
    raw, fields = _EXAMPLE.serialize(), _EXAMPLE.layout()
    tint = {field.name: _TINTS.get(field.name, "blue") for field in fields}
    left, top = 52, 34
    parts = [
        _text(left + column * _CELL + _CELL // 2, top - 12, f"{column:x}", "name small middle")
        for column in range(_IN_A_ROW)
    ]
    parts += [
        _text(12, top + row * _CELL + 22, f"{row * _IN_A_ROW:02x}", "name small")
        for row in range(-(-len(raw) // _IN_A_ROW))
    ]
    for field in fields:
        for offset in range(field.offset, field.offset + field.length):
            row, column = divmod(offset, _IN_A_ROW)
            x, y = left + column * _CELL, top + row * _CELL
            parts += [
                _box(x, y, _CELL, _CELL, tint[field.name], radius=0),
                _text(x + _CELL // 2, y + 22, f"{raw[offset]:02x}", "name middle"),
            ]
    for field in fields:
        parts += _outline(field.offset, field.length, left, top)
    y = top + (-(-len(raw) // _IN_A_ROW)) * _CELL + 36
    columns = (left, left + 64, left + 124, left + 304)
    heads = ("offset", "bytes", "field", "in this example")
    parts += [_text(x, y, head, "small strong") for x, head in zip(columns, heads, strict=True)]
    for number, field in enumerate(fields, 1):
        line = y + 24 * number
        value = raw[field.offset : field.offset + field.length]
        cells = (str(field.offset), str(field.length), field.name, _meaning(field.name, value))
        parts.append(_box(left - 30, line - 14, 18, 18, tint[field.name]))
        parts += [_text(x, line, cell) for x, cell in zip(columns, cells, strict=True)]
    y += 24 * len(fields) + 36
    header = sum(field.length for field in fields if tint[field.name] == "blue")
    notes = (
        f"The first {header} bytes are the header.",
        "Header and canonical encryption context are the associated data.",
    )
    parts += [_text(left, y + 18 * number, note, "small") for number, note in enumerate(notes)]
    names = ", ".join(f"{field.name} at {field.offset}" for field in fields)
    return _document(
        "blob",
        (left + _IN_A_ROW * _CELL + 20, y + 38),
        "Byte layout of a v1 ciphertext blob",
        f"An example of {len(raw)} bytes with a plaintext of {len(_EXAMPLE.ciphertext)} bytes."
        f" The fields and their offsets: {names}.",
        parts,
    )


def _outline(offset: int, length: int, left: int, top: int) -> Iterator[str]:
    """Yield the frame of a field, one box for each row that it reaches."""
    end = offset + length
    while offset < end:
        row, column = divmod(offset, _IN_A_ROW)
        cells = min(end - offset, _IN_A_ROW - column)
        x, y = left + column * _CELL, top + row * _CELL
        yield _box(x, y, cells * _CELL, _CELL, "line", radius=0)
        offset += cells


def _meaning(name: str, value: bytes) -> str:
    """Return the value of a field in words."""
    match name:
        case "magic" | "key ID" | "key version ID":
            return value.decode("ascii")
        case "suite ID":
            return f"{value.hex()}: {_EXAMPLE.suite.name}"
        case "format version" | "key ID length" | "key version ID length":
            return value.hex()
        case "IV":
            return "random, from the operating system"
        case "ciphertext":
            return "as long as the plaintext"
        case "tag":
            return "of all fields above and the context"
    raise LookupError(name)


# --- the way of a ciphertext ---


class _Step(NamedTuple):
    """A step of a re-encryption: its caption, the functions that take it, the errors it raises."""

    caption: str
    functions: tuple[str, ...]
    errors: tuple[str, ...]


_Caption: TypeAlias = tuple[str, Callable[..., object], tuple[str, ...]]

# By the call in `reencryption`, each with the function of `layouts.V1` that takes it.
_SOURCE_STEPS: Final[Mapping[str, _Caption]] = {
    "source_layout.read": ("Parse the blob", layouts.V1Source.__init__, ("InvalidBlobError",)),
    "source.bind": ("Source context", layouts.V1Source.bind, ("InvalidContextError",)),
    "source.find_key": (
        "Source key",
        layouts.V1Source.find_key,
        ("IncorrectKeyError, KeyNotFoundError,", "KeyStateError, KeyUsageError, …"),
    ),
    "source.check_size": ("Plaintext size", layouts.V1Source.check_size, ("PlaintextSizeError",)),
    "source.open": ("Decrypt", layouts.V1Source.open, ("DecryptionError",)),
}
_DESTINATION_STEPS: Final[Mapping[str, _Caption]] = {
    "destination_layout.bind": ("Destination context", layouts.V1.bind, ("InvalidContextError",)),
    "destination_layout.find_destination": (
        "Destination key",
        layouts.V1.find_destination,
        ("KeyNotFoundError, IncorrectKeyError,", "KeyStateError, KeyUsageError"),
    ),
    "envelope.check_iv": (
        "IV, if given by hazmat",
        envelope.check_iv,
        ("ValueError",),
    ),
    "destination.seal": ("Encrypt", layouts.V1.seal, ()),
}
_TYPE_ERRORS: Final = ("TypeError; UnsupportedAlgorithmError for an unknown source algorithm",)
_SHORT_CALLS: Final = ("keys._find_opener", "keys._find_sealer", "_is_same", "envelope.reseal")


def _calls(function: Callable[..., object]) -> list[str]:
    """Return the calls in a function by their names as written, in the order of the text."""
    found = [
        (node.lineno, node.col_offset, ast.unparse(node.func))
        for node in ast.walk(ast.parse(dedent(inspect.getsource(function))))
        if isinstance(node, ast.Call)
    ]
    return [name for _, _, name in sorted(found)]


def _name(function: Callable[..., object]) -> str:
    """Return module and name of a function, without the package."""
    return f"{function.__module__}.{function.__qualname__}".removeprefix("kmscore.")


def _behind(function: Callable[..., object]) -> tuple[str, ...]:
    """Return the functions of other modules that a step calls, or the step's own name."""
    code, known = function.__code__, function.__globals__
    values = [known.get(name) for name in code.co_names]
    modules = [value for value in values if isinstance(value, ModuleType)]
    values += [getattr(module, name, None) for module in modules for name in code.co_names]
    called = [value for value in values if inspect.isfunction(value)]
    if function.__module__ != layouts.__name__:
        return (_name(function),)
    return tuple(dict.fromkeys(_name(value) for value in called))


def _way() -> list[tuple[str, _Step]]:
    """Return the steps in the order of the code, each with its side."""
    steps = [("both", _Step("Types", (_name(reencryption.prepare),), _TYPE_ERRORS))]
    for call in (*_calls(reencryption.prepare), *_calls(reencryption.Prepared.finish)):
        for side, table in (("source", _SOURCE_STEPS), ("destination", _DESTINATION_STEPS)):
            if call in table:
                caption, function, errors = table[call]
                steps.append((side, _Step(caption, _behind(function), errors)))
        owner = call.partition(".")[0]
        if owner.startswith(("source", "destination")) and call not in {
            *_SOURCE_STEPS,
            *_DESTINATION_STEPS,
        }:
            raise LookupError(f"{call} has no caption")
    return steps


_LANES: Final = {"both": 24, "source": 24, "destination": 336}
_BOX: Final = (284, 84)
_PITCH: Final = 110
_SHORT_LANE: Final = 672


def draw_way() -> str:
    """Return the way of a ciphertext through re-encryption, and the short path."""
    steps = _way()
    parts = [
        _text(24, 24, "Source", "strong"),
        _text(336, 24, "Destination", "strong"),
        _text(_SHORT_LANE, 24, "Short path", "strong"),
    ]
    row, previous, first_row = -1, "", 0
    tops: dict[str, int] = {}
    for number, (side, step) in enumerate(steps, 1):
        row += side != "destination"
        gap = 40 if tops and step.caption in {"Decrypt", "Encrypt"} else 0
        x, y = _LANES[side], 40 + row * _PITCH + gap
        width = _BOX[0] if side != "both" else _LANES["destination"] + _BOX[0] - 24
        parts += _step(x, y, width, number, step)
        parts += _arrow(previous, side, y, gap)
        tops[step.caption], previous = y, side
        first_row = first_row or y
    limit = tops["Decrypt"] - 34
    parts += [
        _line(f"M24 {limit} H{_SHORT_LANE + 250}", "line dashed"),
        _text(
            _LANES["source"] + _BOX[0] // 2 + 20,
            limit + 18,
            "From here on, the only error of a ciphertext is DecryptionError.",
            "small",
        ),
    ]
    parts += _short_path(tops)
    names = "; ".join(f"{n}. {step.caption}" for n, (_, step) in enumerate(steps, 1))
    return _document(
        "way",
        (_SHORT_LANE + 274, tops["Encrypt"] + _BOX[1] + 24),
        "The way of a v1 ciphertext blob through kmscore.reencrypt",
        f"The steps in order: {names}. The short path looks up both keys in the index of a"
        " Keyring, checks the contexts, decrypts and encrypts.",
        parts,
    )


def _step(x: int, y: int, width: int, number: int, step: _Step) -> Iterator[str]:
    """Yield the box of a step."""
    yield _box(x, y, width, _BOX[1], "box")
    yield _text(x + 12, y + 20, f"{number}. {step.caption}", "strong")
    line = y + 20
    for text, kind in (
        *((name, "name small") for name in step.functions),
        *((error, "small") for error in step.errors),
    ):
        line += 17
        yield _text(x + 12, line, text, kind)


def _arrow(previous: str, side: str, y: int, gap: int) -> Iterator[str]:
    """Yield the arrow from the step before to the one at `y`."""
    if not previous:
        return
    if side == "destination":
        start, middle = _LANES["source"] + _BOX[0], y + _BOX[1] // 2
        yield _line(f"M{start} {middle} H{_LANES['destination'] - 8}")
        yield _head(_LANES["destination"], middle, 1, 0)
        return
    x = _LANES["source"] + _BOX[0] // 2
    start_x = _LANES[previous] + _BOX[0] // 2
    start_y, turn = y - gap - (_PITCH - _BOX[1]), y - gap - (_PITCH - _BOX[1]) // 2
    yield _line(f"M{start_x} {start_y} V{turn} H{x} V{y - 8}")
    yield _head(x, y, 0, 1)


def _short_path(tops: Mapping[str, int]) -> Iterator[str]:
    """Yield the short path, whose calls are those of `reencrypt`."""
    missing = set(_SHORT_CALLS) - set(_calls(reencryption.reencrypt))
    if missing:
        raise LookupError(f"not in reencrypt: {missing}")
    top, width, x = tops["Types"], 250, _SHORT_LANE
    yield _box(x, top, width, 118, "box dashed")
    lines = (
        ("Look up both keys", "strong"),
        ("keyring.Keyring._find_opener", "name small"),
        ("keyring.Keyring._find_sealer", "name small"),
        ("For a Keyring, bytes and no dry run.", "small"),
        ("No key found, or a different source", "small"),
        ("ID given: take all steps instead.", "small"),
    )
    for number, (text, kind) in enumerate(lines):
        yield _text(x + 12, top + 20 + 17 * number, text, kind)
    second, third = tops["Source context"], tops["Decrypt"]
    yield _line(f"M{x + width // 2} {top + 118} V{second - 8}")
    yield _head(x + width // 2, second, 0, 1)
    yield _box(x, second, width, tops["Encrypt"] + _BOX[1] - second, "box dashed")
    yield _text(x + 12, second + 20, "Both contexts", "strong")
    yield _text(x + 12, second + 37, "envelope.reseal", "name small")
    numbers = {caption: number for number, caption in enumerate(tops, 1)}
    proven = (
        f"The look-ups have proven steps {numbers['Parse the blob']},",
        f"{numbers['Source key']}, {numbers['Destination key']} and {numbers['Plaintext size']}.",
    )
    for number, text in enumerate(proven):
        yield _text(x + 12, second + 54 + 17 * number, text, "small")
    yield _text(x + 12, third + 20, "Decrypt, encrypt", "strong")
    yield _text(x + 12, third + 37, "envelope.reseal", "name small")
    yield _text(x + 12, third + 54, "DecryptionError", "small")


# --- the layers ---


def _room(path: Path) -> str:
    return path.parts[0].removesuffix(".py")


def _imports(source: str) -> Iterator[str]:
    """Yield the dotted name of everything that a module imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def read_layers() -> dict[str, set[str]]:
    """Return the modules and folders of the package, each with those that it imports."""
    package = Path(inspect.getfile(kmscore)).parent
    paths = sorted(path.relative_to(package) for path in package.rglob("*.py"))
    graph: dict[str, set[str]] = {_room(path): set() for path in paths}
    for path in paths:
        for name in _imports((package / path).read_text("utf-8")):
            top, _, rest = name.partition(".")
            imported = rest.partition(".")[0]
            if top == "kmscore":
                graph[_room(path)].add(imported if imported in graph else "__init__")
    return {room: imported - {room} for room, imported in graph.items()}


def _is_base(room: str, graph: Mapping[str, set[str]]) -> bool:
    """Tell whether a module is part of the base, which every layer may import."""
    return not graph[room] or (room.startswith("_") and not room.startswith("__"))


def _without_detours(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Return the graph without the imports that a longer way of imports leads to as well."""
    reached: dict[str, set[str]] = {}
    for room in TopologicalSorter(graph).static_order():
        reached[room] = graph[room].union(*(reached[below] for below in graph[room]))
    return {
        room: {
            below
            for below in imported
            if not any(below in reached[other] for other in imported - {below})
        }
        for room, imported in graph.items()
    }


_Rows: TypeAlias = list[list[str]]
_Links: TypeAlias = list[tuple[str, str]]


def _arrange(graph: Mapping[str, set[str]]) -> tuple[_Rows, _Links]:
    """Return the rows, the lowest first, and the links between neighbouring rows.

    A link across several rows gets a bend in each row between: a name with `>` in it.
    """
    rank: dict[str, int] = {}
    for room in TopologicalSorter(graph).static_order():
        rank[room] = 1 + max((rank[below] for below in graph[room]), default=-1)
    rows: _Rows = [[] for _ in range(1 + max(rank.values()))]
    links: _Links = []
    for room in sorted(graph):
        rows[rank[room]].append(room)
        for below in sorted(graph[room]):
            between = range(rank[room] - 1, rank[below], -1)
            bends = [f"{room}>{below}>{row}" for row in between]
            for row, bend in zip(between, bends, strict=True):
                rows[row].append(bend)
            links += pairwise((room, *bends, below))
    return _untangle(rows, links), links


def _untangle(rows: _Rows, links: _Links) -> _Rows:
    """Return the rows in an order with few crossings: each name near the mean of its links."""
    best = rows
    for sweep in range(40):
        down = sweep % 2 == 0
        rows = [list(row) for row in rows]
        order = range(len(rows) - 2, -1, -1) if down else range(1, len(rows))
        for index in order:
            other = rows[index + 1 if down else index - 1]
            means = {
                name: _mean(
                    [
                        other.index(end)
                        for link in links
                        for end, start in (link, link[::-1])
                        if start == name and end in other
                    ],
                    rows[index].index(name),
                )
                for name in rows[index]
            }
            rows[index].sort(key=means.__getitem__)
        if _crossings(rows, links) < _crossings(best, links):
            best = rows
    return best


def _mean(values: Iterable[int], default: int) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else default


def _crossings(rows: _Rows, links: _Links) -> int:
    """Return the number of pairs of links that cross."""
    place = {
        name: (row, index) for row, names in enumerate(rows) for index, name in enumerate(names)
    }
    ends = [(place[upper][0], place[upper][1], place[lower][1]) for upper, lower in links]
    return sum(
        first[0] == second[0] and first[1] < second[1] and first[2] > second[2]
        for first in ends
        for second in ends
    )


def _width(name: str) -> int:
    return 12 if ">" in name else 9 * len(name) + 28


def _label(name: str, package: Path) -> str:
    return f"{name}/" if (package / name).is_dir() else name


def _columns(rows: _Rows, links: _Links) -> dict[str, int]:
    """Return the centre of each name: near the mean of its links, without an overlap."""
    centre = dict.fromkeys((name for row in rows for name in row), 0.0)
    for _ in range(60):
        for row in (*rows, *reversed(rows)):
            wanted = []
            for name in row:
                ends = [end for link in links for end, start in (link, link[::-1]) if start == name]
                wanted.append(fmean(centre[end] for end in ends) if ends else 0.0)
            gaps = [(_width(name) + _width(after)) / 2 + 26 for name, after in pairwise(row)]
            centre.update(zip(row, _apart(wanted, gaps), strict=True))
    left = min(centre[name] - _width(name) / 2 for name in centre)
    return {name: round(x - left) + 24 for name, x in centre.items()}


def _apart(wanted: list[float], gaps: list[float]) -> list[float]:
    """Return the places nearest to those wanted that keep the gaps (pool adjacent violators)."""
    offsets = list(accumulate(gaps, initial=0.0))
    pools: list[list[float]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        pools.append([want - offset])
        while len(pools) > 1 and fmean(pools[-2]) > fmean(pools[-1]):
            last = pools.pop()
            pools[-1] += last
    places = [fmean(pool) for pool in pools for _ in pool]
    return [place + offset for place, offset in zip(places, offsets, strict=True)]


def draw_layers() -> str:
    """Return the layers of the package: modules and folders, with their imports."""
    package = Path(inspect.getfile(kmscore)).parent
    whole = read_layers()
    base = sorted(room for room in whole if _is_base(room, whole))
    above = {room: imported - set(base) for room, imported in whole.items() if room not in base}
    rows, links = _arrange(_without_detours(above))
    columns = _columns(rows, links)
    height, pitch, top = 30, 62, 20
    tops = {
        name: top + (len(rows) - 1 - index) * pitch
        for index, row in enumerate(rows)
        for name in row
    }
    width = max(columns[name] + _width(name) // 2 for name in columns) + 24
    parts: list[str] = []
    for upper, lower in links:
        start, end = tops[upper] + height, tops[lower]
        is_last = ">" not in lower
        middle, stop = (start + end) // 2, end - 8 * is_last
        parts.append(
            _line(
                f"M{columns[upper]} {start} C{columns[upper]} {middle}"
                f" {columns[lower]} {middle} {columns[lower]} {stop}"
            )
        )
        if is_last:
            parts.append(_head(columns[lower], end, 0, 1))
    for name, y in tops.items():
        x = columns[name]
        if ">" in name:
            parts.append(_line(f"M{x} {y} V{y + height}"))
        else:
            parts.append(_box(x - _width(name) // 2, y, _width(name), height))
            parts.append(_text(x, y + 20, _label(name, package), "name middle"))
    y = top + len(rows) * pitch
    parts.append(_box(24, y, width - 48, 74))
    parts.append(_text(width // 2, y + 22, "base: any layer can import these", "small middle"))
    half = -(-len(base) // 2)
    for line, names in enumerate((base[:half], base[half:])):
        parts.append(_text(width // 2, y + 44 + 19 * line, ", ".join(names), "name small middle"))
    words = "; ".join(
        f"{room} imports {', '.join(sorted(imported))}"
        for room, imported in sorted(_without_detours(above).items())
        if imported
    )
    return _document(
        "layers",
        (width, y + 94),
        "The layers of kmscore",
        f"Arrows are imports and point down. Imports that follow from others are left out. {words}."
        f" Every layer can import {', '.join(base)}.",
        parts,
    )


def pictures() -> dict[str, str]:
    """Return the text of each picture by its file name."""
    return {"blob.svg": draw_blob(), "way.svg": draw_way(), "layers.svg": draw_layers()}


def main() -> int:
    """Write the pictures."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in pictures().items():
        (FOLDER / name).write_text(text, "utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
