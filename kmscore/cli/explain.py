"""The command `explain`: why a ciphertext does not decrypt, and what would decrypt it."""

from pathlib import Path
from typing import Annotated, Final, cast

import typer

from kmscore import EncryptionAlgorithm, EncryptionContext, InvalidBlobError, InvalidContextError
from kmscore.audit import (
    Budget,
    Explanation,
    Verdict,
    explain,
    explain_asymmetric,
    render,
    trace_asymmetric_decrypt,
    trace_decrypt,
)
from kmscore.audit.records import OK
from kmscore.cli.ciphertext_file import InArgument, read_ciphertext
from kmscore.cli.files import STANDARD, read_file, write_output
from kmscore.cli.keyring_file import KeyringOption, read_keyring
from kmscore.cli.options import (
    AlgorithmOption,
    AsymmetricKeyOption,
    AsymmetricVersionOption,
    ContextOption,
    HtmlOption,
    JsonOption,
    ProfileName,
    SourceProfileOption,
    check_asymmetric_source,
    check_one_form,
    profile_of,
    read_context,
)
from kmscore.cli.passphrase import Descriptor
from kmscore.cli.problems import FileProblem
from kmscore.cli.terminal import problems_in_one_line

_EXPLAINED: Final = 1
_NOT_EXPLAINED: Final = 3
_MAX_CONTEXTS: Final = 16 << 20  # bytes of a file of contexts


def explain_ciphertext(
    keyring: KeyringOption,
    source: InArgument = STANDARD,
    context: ContextOption = None,
    other_contexts: Annotated[
        list[str] | None,
        typer.Option(
            "--other-context", metavar="JSON", help="Another context of the program; repeatable."
        ),
    ] = None,
    try_contexts: Annotated[
        Path | None,
        typer.Option(
            "--try-contexts", metavar="FILE", help="Contexts to try, one JSON object per line."
        ),
    ] = None,
    algorithm: AlgorithmOption = None,
    source_key_id: AsymmetricKeyOption = None,
    source_version_id: AsymmetricVersionOption = None,
    labels: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="TEXT", help="A label of OAEP to try; repeatable."),
    ] = None,
    source_profile: SourceProfileOption = ProfileName.V1,
    budget: Annotated[
        int,
        typer.Option(
            "--budget",
            metavar="N",
            min=1,
            help="Maximum number of trials; the search also ends after 30 seconds.",
        ),
    ] = Budget().trials,
    html: HtmlOption = None,
    *,
    as_json: JsonOption = False,
    passphrase_fd: Descriptor = None,
) -> None:
    """Find out why a ciphertext does not decrypt. No plaintext and no key is shown.

    The input is the ciphertext in the form in which it was found: bytes, Base64 or any other text.

    Exit codes: 0, it decrypts; 1, the cause was found, or a hint; 2, misuse; 3, nothing was found.

    Example: kmscore explain -k team.keys --context '{"tenant":"acme"}' found.bin
    """
    with problems_in_one_line():
        check_one_form(html, as_json=as_json)
        check_asymmetric_source(
            algorithm, (source_key_id, source_version_id), context, source_profile
        )
        _check_searches(algorithm, other_contexts, try_contexts, labels)
        opening = read_context(context)
        others = [_context(each, "--other-context") for each in other_contexts or ()]
        candidates = [] if try_contexts is None else _read_contexts(try_contexts)
        keys = read_keyring(keyring, passphrase_fd)
        data = read_ciphertext(source, base64=False)
        limits = Budget(trials=budget)
        if algorithm is None:
            profile = profile_of(source_profile)
            explanation = explain(
                keys,
                data,
                opening,
                other_contexts=others,
                candidates=candidates,
                profile=profile,
                budget=limits,
            )
            trace = trace_decrypt(keys, data, opening, profile=profile, allow_ambiguous=True)
        else:
            ids = cast("tuple[str, str]", (source_key_id, source_version_id))
            explanation = explain_asymmetric(
                keys,
                *ids,
                algorithm,
                data,
                labels=[label.encode("utf-8") for label in labels or ()],
                budget=limits,
            )
            trace = trace_asymmetric_decrypt(keys, *ids, algorithm, data)
        if html is not None:
            page = render.html(trace, explanation=explanation)
            write_output(html, page.encode("utf-8"))
    if html is None:
        show = render.findings_json if as_json else render.findings_text
        typer.echo(show(explanation), nl=False)
        hints = {finding.verdict for finding in explanation.findings} <= {Verdict.SUGGESTS}
        if not as_json and explanation.stopped_by != OK and hints:
            typer.echo(_next_step(explanation, algorithm))
    if explanation.stopped_by != OK:
        raise typer.Exit(_EXPLAINED if explanation.findings else _NOT_EXPLAINED)


def _next_step(explanation: Explanation, algorithm: str | None) -> str:
    """Return the options that try more, after a search without a proof."""
    if explanation.exhausted:
        return "To try more, give a larger --budget, or fewer contexts."
    if explanation.stopped_by == InvalidBlobError.code and not explanation.findings:
        return "To go on, compare it with its source: no tried form of it is a complete blob."
    if algorithm is not None:
        label = "" if algorithm == EncryptionAlgorithm.SM2PKE else "--label, or "
        return f"To try more, give {label}another key with --source-key-id."
    return "To try more, give other contexts with --other-context or --try-contexts."


def _check_searches(
    algorithm: str | None,
    other_contexts: list[str] | None,
    try_contexts: Path | None,
    labels: list[str] | None,
) -> None:
    """Raise `FileProblem` for options that the search would ignore, and for no algorithm."""
    if algorithm is None:
        if labels:
            raise FileProblem("--label needs --algorithm")
        return
    if EncryptionAlgorithm.of(algorithm, "algorithm") is EncryptionAlgorithm.SM2PKE and labels:
        raise FileProblem("--label needs an algorithm of OAEP")
    if other_contexts or try_contexts is not None:
        raise FileProblem("--algorithm excludes --other-context and --try-contexts")


def _context(text: str, place: str) -> EncryptionContext:
    """Return a context. Raises `FileProblem` with its place."""
    try:
        return EncryptionContext.from_json(text)
    except InvalidContextError as error:
        raise FileProblem(f"{place}: {error}") from None


def _read_contexts(path: Path) -> list[EncryptionContext]:
    """Return the contexts of a file. Raises `FileProblem`."""
    try:
        text = read_file(path, limit=_MAX_CONTEXTS).decode("utf-8")
    except UnicodeDecodeError:
        raise FileProblem(f"{path}: not UTF-8") from None
    return [
        _context(line, f"{path}: line {number}")
        for number, line in enumerate(text.split("\n"), 1)
        if line.strip()
    ]
