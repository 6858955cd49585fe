"""Report wording that CONTRIBUTING.md rules out, in docstrings, comments, messages and Markdown.

    python .ci/prose.py [--update] [--list] [FILE_OR_FOLDER ...]

Without paths it reads the whole project. `prose_baseline.json` has the number of findings that each
file may have. A file with more fails, and so does one with fewer, until `--update` writes the
smaller number: the baseline only shrinks. `--list` shows all findings. A line with `prose: ok` is
skipped.
"""

import argparse
import ast
import io
import json
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
BASELINE: Final = Path(__file__).with_name("prose_baseline.json")
PLACES: Final = ("kmscore", "benchmarks", "tests", "vectors", "docs", "examples", ".ci")
MAX_WORDS: Final = 30

_VERBS: Final = (
    r"(?:is|are|was|were|has|have|had|stands?|may|can|cannot|does|do|it|they|there|one|every|each"
    r"|goes|comes|came|begins?|holds?|opens?|seals?|encrypts?|names?|needs?|nobody)"
)
_BEFORE: Final = (
    r"(?:^|(?<=[.:;,(] )|\b(?:of|to|for|from|by|with|as|and|or|but|than|on|in|is|are|returns?"
    r"|reads?|shows?|takes?|sees?|gives?|keeps?|gets?) )"
)


class Rule(NamedTuple):
    """Wording that is ruled out, and what to write instead."""

    name: str
    pattern: re.Pattern[str]
    advice: str
    exempt: tuple[str, ...] = ()
    """Parts of paths in which the wording is a term of the field."""


_SEALING: Final = ("aead", "layouts", "envelope", "keyfile", "keyring_file", "vectors", "audit")
RULES: Final = tuple(
    Rule(name, re.compile(pattern), advice, exempt)
    for name, pattern, advice, exempt in (
        (
            "clause as noun",
            rf"{_BEFORE}(?:[Ww]hat|[Ww]hatever|[Ww]ho) {_VERBS}\b",
            "use a noun: the value, the caller, the file",
            (),
        ),
        ("whoever", r"\b[Ww]hoever\b|\b[Ww]ho may\b", "use a noun: the caller, a reader", ()),
        ("stands", r"\b[Ss]tands?\b(?!-in|ard|alone)", "is, is located, appears", ()),
        ("nobody", r"\b[Nn]obody\b|\b[Nn]o one\b", "use the passive, or name the party", ()),
        (
            "none of",
            r"\b[Nn]one (?:but|of(?! (?:these|them|the following))|at all)\b|\b[Nn]othing but\b",
            "only X; no X",
            (),
        ),
        (
            "is no",
            r"(?<!there )\b(?:is|are) no(?= [a-z])(?! (?:longer|more|way|such|other)\b)",
            "is not a ...",
            (),
        ),
        (
            "archaic",
            r"\b(?:afresh|anew|meanwhile|beneath|thereby|hence|save for|is due|beside)\b",
            "again, in the meantime, below, next to",
            (),
        ),
        ("told", r"\b(?:told|tells?)\b(?! (?:time|apart))", "report, show, return", ()),
        ("metaphor", r"\b(?:crew|hired?|dismiss(?:es|ed)?|vouch(?:es|ed)?)\b", "a plain term", ()),
        ("seal", r"\b(?:[Ss]eal(?:s|ed|ing)?|unseal\w*)\b", "encrypt, encrypted", _SEALING),
        ("opener", r"\b(?:opener|sealer)s?\b", "decryption key, encryption key", ()),
        ("ring", r"\brings?\b", "keyring", ()),
    )
)

_CODE: Final = re.compile(r"``[^`]*``|`[^`]*`|https?://\S+")
_FENCE: Final = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
_LIST_OR_CODE: Final = re.compile(r"^ *>>>|^ *[-|*\d]", re.MULTILINE)
_END_OF_SENTENCE: Final = re.compile(r"(?<=[.!?:;])\s+|\n\s*\n")


class Finding(NamedTuple):
    """One place with wording that is ruled out."""

    line: int
    rule: str
    text: str
    advice: str


def findings(path: Path) -> Iterator[Finding]:
    """Yield the findings of a file, in no order."""
    text = path.read_text("utf-8")
    lines = text.split("\n")
    for start, prose in (_markdown if path.suffix == ".md" else _python)(text):
        clean = _CODE.sub("X", prose)
        for finding in (*_words(path, start, clean), *_long_sentences(start, clean)):
            if "prose: ok" not in lines[min(finding.line, len(lines)) - 1]:
                yield finding


def _words(path: Path, start: int, prose: str) -> Iterator[Finding]:
    """Yield the places at which a rule matches."""
    for rule in RULES:
        if any(part in str(path.relative_to(ROOT)) for part in rule.exempt):
            continue
        for match in rule.pattern.finditer(prose):
            around = prose[max(0, match.start() - 25) : match.end() + 25]
            line = start + prose[: match.start()].count("\n")
            yield Finding(line, rule.name, " ".join(around.split()), rule.advice)


def _long_sentences(start: int, prose: str) -> Iterator[Finding]:
    """Yield the sentences that are too long; lists and examples have none."""
    if _LIST_OR_CODE.search(prose):
        return
    for sentence in _END_OF_SENTENCE.split(prose):
        words = sentence.split()
        if len(words) > MAX_WORDS:
            yield Finding(start, "long", " ".join(words)[:70], f"at most {MAX_WORDS} words")


def _python(text: str) -> Iterator[tuple[int, str]]:
    """Yield docstrings, messages of errors, help texts and comments, with their first lines."""
    for node in ast.walk(ast.parse(text)):
        for child in _body(node):
            match child:
                case ast.Expr(value=ast.Constant(value=str(prose))):
                    yield child.lineno, prose
        match node:
            case ast.Raise(exc=ast.Call(args=arguments)):
                for argument in arguments:
                    if words := _message(argument):
                        yield argument.lineno, words
            case ast.keyword(
                arg="help" | "short_help" | "epilog", value=ast.Constant(value=str(prose))
            ):
                yield node.value.lineno, prose
    yield from _comments(text)


def _body(node: ast.AST) -> list[ast.stmt]:
    """Return the statements of a module, class or function; nothing for any other node."""
    body = getattr(node, "body", None)
    return body if isinstance(body, list) else []


def _message(argument: ast.expr) -> str:
    """Return the text of an argument, with X for each value in it; or nothing."""
    parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
    texts = [part.value if isinstance(part, ast.Constant) else None for part in parts]
    if not any(isinstance(text, str) for text in texts):
        return ""
    return "".join("X" if text is None else str(text) for text in texts)


def _comments(text: str) -> Iterator[tuple[int, str]]:
    """Yield blocks of comments with their first lines."""
    block: list[str] = []
    start = last = -1
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT or token.string.startswith(("# noqa", "# type", "#!")):
            continue
        if token.start[0] != last + 1 and block:
            yield start, "\n".join(block)
            block = []
        if not block:
            start = token.start[0]
        block.append(token.string.lstrip("# "))
        last = token.start[0]
    if block:
        yield start, "\n".join(block)


def _markdown(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are neither code nor rows of a table."""
    text = _FENCE.sub(lambda match: "\n" * match[0].count("\n"), text)
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not line.startswith("|"):
            yield number, line


def main() -> int:
    """Check the paths of the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python .ci/prose.py", description=__doc__.split("\n")[0])
    parser.add_argument("paths", nargs="*", type=Path, help="files or folders (default: all)")
    parser.add_argument("--update", action="store_true", help="write smaller numbers down")
    parser.add_argument("--list", action="store_true", help="show all findings")
    options = parser.parse_args()
    found = {str(file.relative_to(ROOT)): sorted(findings(file)) for file in _files(options.paths)}
    allowed: dict[str, int] = json.loads(BASELINE.read_text("utf-8")) if BASELINE.exists() else {}
    status = 0
    for name, hits in found.items():
        most = allowed.get(name, 0)
        if options.list or len(hits) > most:
            for finding in hits:
                _show(f"{name}:{finding.line}: {finding.rule}: {finding.text} [{finding.advice}]")
        if len(hits) > most and BASELINE.exists():
            status = 1
        elif len(hits) < most and not options.update:
            _show(f"{name}: {len(hits)} findings, the baseline has {most}: run with --update")
            status = 1
    if options.update:
        smaller = {
            name: min(len(hits), allowed.get(name, len(hits))) for name, hits in found.items()
        }
        kept = {name: number for name, number in (allowed | smaller).items() if number}
        BASELINE.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", "utf-8")
    return status


def _files(paths: list[Path]) -> list[Path]:
    """Return the Python and Markdown files of these paths, or of the whole project."""
    chosen = [path.resolve() for path in paths] or [
        *(ROOT / place for place in PLACES),
        *ROOT.glob("*.md"),
    ]
    files = (
        [path] if path.is_file() else [*path.rglob("*.py"), *path.rglob("*.md")] for path in chosen
    )
    return sorted(file for group in files for file in group if ".venv" not in str(file))


def _show(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
