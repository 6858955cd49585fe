"""Write the generated pages: the command line, the table of errors, and a trace.

python docs/generate.py
"""

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import typer

import kmscore
from kmscore import Keyring, KeySpec, SymmetricKey, errors, hazmat
from kmscore.algorithms import KeyState
from kmscore.alibaba import service_errors
from kmscore.audit import Secrecy, render, trace_decrypt
from kmscore.cli.app import app

FOLDER: Final = Path(__file__).resolve().parent

_CONTEXT: Final = {"tenant": "acme", "table": "orders"}

_ADVICE: Final[Mapping[str, str]] = {
    "InvalidBlobError": "Reject the input. Check its source: another format, or damage.",
    "InvalidContextError": "Correct the context: strings only, at most 65,535 bytes.",
    "InvalidKeyError": "Correct the key material, the public key or the keyring.",
    "KeyNotFoundError": "Check the key ID, or add the key to the provider.",
    "KeyVersionNotFoundError": "Check the key version ID, or restore the version.",
    "KeyStateError": "Enable the key version, or use another one.",
    "KeyUsageError": "Use a key of the right kind, or another algorithm.",
    "IncorrectKeyError": "Pass the IDs of the header, or correct the provider.",
    "UnsupportedAlgorithmError": "Correct the name, or install a build that has the algorithm.",
    "PlaintextSizeError": "Use a shorter plaintext; for large data, use a data key.",
    "DecryptionError": "Treat the ciphertext as forged or damaged. Do not ask why it failed.",
}


def errors_page() -> str:
    """Return the page of the error classes."""
    lines = [
        "# Errors and order of checks",
        "",
        "Which error is raised, in which order, and what should the caller do?",
        "",
        "A wrong Python type or a missing argument is a `TypeError`, except inside a context.",
        "Exceptions of a key provider propagate unchanged. Every other error of an operation is a",
        "`KmsCoreError` with a stable `code`. An operation makes its checks in this order and",
        "raises the first failure: types, names of algorithms, parsing, encryption contexts,",
        "source IDs, source key, support of its algorithm, destination key, public key, sizes,",
        "decryption. After decryption starts, it raises only `DecryptionError`. The last column",
        "has the HTTP status and the code of the service.",
        "",
        "```python",
        ">>> import kmscore",
        ">>> try:",
        '...     kmscore.encrypt(kmscore.Keyring([]), "orders", b"")',
        "... except kmscore.KmsCoreError as error:",
        "...     print(error.code)",
        "key_not_found",
        "",
        "```",
        "",
        "| class | code | raised when | the caller | the service answers |",
        "|---|---|---|---|---|",
    ]
    for kind in errors.KmsCoreError.__subclasses__():
        when = (inspect.getdoc(kind) or "").split("\n")[0].rstrip(".")
        faults = [service_errors.ERRORS[kind]]
        if kind is errors.KeyStateError:
            states = (state for state in KeyState if state is not KeyState.ENABLED)
            faults = [service_errors.REJECTED[state.value] for state in states]
        answer = ", ".join(f"{fault.status} {fault.code}" for fault in faults)
        lines.append(
            f"| `{kind.__name__}` | `{kind.code}` | {when} | {_ADVICE[kind.__name__]} | {answer} |"
        )
    return "\n".join(lines) + "\n"


def cli_page() -> str:
    """Return the page of the command line, from the texts that `--help` shows."""
    lines = [
        "# Command line",
        "",
        "Which commands does `kmscore` have, and which options does each command take?",
        "",
        "The commands need the extra `cli`: `pip install 'kmscore[cli]'`. A mistake in the",
        "arguments or in an input is one line on the error stream and exit code 2, also a result",
        "that cannot be written to standard output. If its reader has gone, as in `| head`, the",
        "exit code is 141, as shells show it for other programs. A command reads its options",
        "first, so it reports a wrong context before a damaged ciphertext.",
        "",
        "```console",
        "$ kmscore --version",
        f"kmscore {kmscore.__version__}",
        "```",
    ]
    for name, command in _commands(typer.main.get_command(app), "kmscore"):
        lines += ["", f"## {name}", "", *_paragraphs(command.help or "")]
        rows = [_row(parameter) for parameter in command.params if parameter.name != "help"]
        if rows:
            lines += ["", "| argument or option | meaning | default |", "|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield a command and those below it, with their full names."""
    yield name, command
    for child, below in getattr(command, "commands", {}).items():
        yield from _commands(below, f"{name} {child}")


def _paragraphs(text: str) -> list[str]:
    """Return the lines of a help text; its example becomes a block of code."""
    text, _, example = inspect.cleandoc(text).partition("Example: ")
    lines = text.rstrip().split("\n")
    if example:
        lines += ["", "```sh", " ".join(example.split()), "```"]
    return lines


def _row(parameter: Any) -> str:
    """Return a row of the table of a command."""
    is_option = parameter.param_type_name == "option"
    names = [*parameter.opts, *parameter.secondary_opts] if is_option else [parameter.name.upper()]
    shown = ", ".join(f"`{name}`" for name in names)
    default = parameter.default
    if parameter.required:
        value = "required"
    elif callable(default) or default in (None, False, ()):
        value = ""
    else:
        value = f"`{default}`"
    meaning = " ".join((getattr(parameter, "help", None) or "").split())
    return f"| {shown} | {meaning.replace('|', '&#124;')} | {value} |"


def trace_page() -> str:
    """Return the page of the decryption in section 12.6 of the specification."""
    key = SymmetricKey("key-1", "v1", KeySpec.AES_256, bytes(range(0x20, 0x40)))
    blob = hazmat.encrypt(
        Keyring([key]),
        "key-1",
        bytes(range(0x40, 0x5A)),
        _CONTEXT,
        iv=bytes(range(0xC0, 0xD8)),
    ).ciphertext_blob
    trace = trace_decrypt(Keyring([key]), blob, _CONTEXT)
    return render.html(trace, reveal={Secrecy.MESSAGE})


PAGES: Final = {
    "reference/errors.md": errors_page,
    "reference/cli.md": cli_page,
    "pages/trace-decrypt.html": trace_page,
}


def main() -> None:
    """Write all pages."""
    for name, page in PAGES.items():
        (FOLDER / name).parent.mkdir(exist_ok=True)
        (FOLDER / name).write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
