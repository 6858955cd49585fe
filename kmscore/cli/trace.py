"""The commands `trace`: every byte and every value of one operation."""

import os
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Final, cast

import typer

from kmscore.algorithms import MAX_PLAINTEXT_LENGTH
from kmscore.audit import (
    Secrecy,
    Trace,
    render,
    trace_asymmetric_decrypt,
    trace_decrypt,
    trace_encrypt,
    trace_reencrypt,
)
from kmscore.audit.records import OK
from kmscore.audit.render.plain import Kind, lines
from kmscore.audit.render.reveal import judge
from kmscore.cli.ciphertext_file import InArgument, read_ciphertext
from kmscore.cli.files import STANDARD, read_file, write_output
from kmscore.cli.keyring_file import KeyringOption, read_keyring
from kmscore.cli.options import (
    AlgorithmOption,
    AmbiguousOption,
    AsymmetricKeyOption,
    AsymmetricVersionOption,
    Base64Option,
    ContextOption,
    DestinationContextOption,
    DestinationProfileOption,
    HtmlOption,
    JsonOption,
    KeepContextOption,
    ProfileName,
    SourceKeyOption,
    SourceProfileOption,
    SourceVersionOption,
    check_ambiguous,
    check_asymmetric_source,
    check_contexts,
    check_one_form,
    check_source_ids,
    check_source_profile,
    profile_of,
    read_context,
)
from kmscore.cli.passphrase import Descriptor
from kmscore.cli.problems import FileProblem
from kmscore.cli.terminal import problems_in_one_line, stop

_FAILED: Final = 1
_DISAGREES: Final = 3


class _Reveal(StrEnum):
    """The secrets that a page shows."""

    PLAINTEXT = "plaintext"
    MESSAGE = "message"


_LEVELS: Final = {
    None: frozenset[Secrecy](),
    _Reveal.PLAINTEXT: frozenset({Secrecy.PLAINTEXT}),
    _Reveal.MESSAGE: frozenset({Secrecy.PLAINTEXT, Secrecy.MESSAGE}),
}

_RevealOption = Annotated[
    _Reveal | None,
    typer.Option(
        "--reveal",
        metavar="LEVEL",
        help="Secrets in the page: plaintext, or message for the values of this message, with which"
        " ciphertexts can be forged (default: none). Key material is never shown.",
    ),
]

app: typer.Typer = typer.Typer(
    help="Show the steps, the values and the bytes of one operation.", no_args_is_help=True
)


@app.command("encrypt", short_help="Show every value of an encryption.")
def encrypt(
    key_id: Annotated[str, typer.Option("--key-id", metavar="ID", help="ID of the key.")],
    keyring: KeyringOption,
    source: InArgument = STANDARD,
    context: ContextOption = None,
    destination_profile: DestinationProfileOption = ProfileName.V1,
    html: HtmlOption = None,
    reveal: _RevealOption = None,
    *,
    allow_ambiguous: AmbiguousOption = False,
    as_json: JsonOption = False,
    passphrase_fd: Descriptor = None,
) -> None:
    """Encrypt up to 6,144 bytes, and show the steps, the values and the bytes.

    The text and the page leave out the middle of long values; --json has all.

    Exit codes: 0, the operation succeeds; 1, it fails; 2, misuse; 3, the trace and the library
    disagree.

    Example: kmscore trace encrypt -k team.keys --key-id orders --html trace.html in
    """
    with problems_in_one_line():
        _check_outputs(html, reveal, as_json=as_json)
        check_ambiguous(destination_profile, allow_ambiguous=allow_ambiguous)
        keys = read_keyring(keyring, passphrase_fd)
        trace = trace_encrypt(
            keys,
            key_id,
            read_file(source, limit=MAX_PLAINTEXT_LENGTH),
            read_context(context),
            profile=profile_of(destination_profile),
            allow_ambiguous=allow_ambiguous,
        )
    _show(trace, html, reveal, as_json=as_json)


@app.command("decrypt", short_help="Show every value of a decryption.")
def decrypt(
    keyring: KeyringOption,
    source: InArgument = STANDARD,
    context: ContextOption = None,
    algorithm: AlgorithmOption = None,
    source_key_id: AsymmetricKeyOption = None,
    source_version_id: AsymmetricVersionOption = None,
    source_profile: SourceProfileOption = ProfileName.V1,
    html: HtmlOption = None,
    reveal: _RevealOption = None,
    *,
    allow_ambiguous: AmbiguousOption = False,
    base64: Base64Option = False,
    as_json: JsonOption = False,
    passphrase_fd: Descriptor = None,
) -> None:
    """Decrypt a ciphertext, and show the steps, the values and the bytes.

    The text and the page leave out the middle of long values; --json has all.

    With --algorithm, the ciphertext is asymmetric; give --source-key-id and --source-version-id.

    Exit codes: 0, the operation succeeds; 1, it fails; 2, misuse; 3, the trace and the library
    disagree.

    Example: kmscore trace decrypt -k team.keys --context '{"tenant":"acme"}' --html trace.html in
    """
    with problems_in_one_line():
        _check_outputs(html, reveal, as_json=as_json)
        ids = source_key_id, source_version_id
        check_asymmetric_source(algorithm, ids, context, source_profile)
        check_ambiguous(source_profile, allow_ambiguous=allow_ambiguous)
        keys = read_keyring(keyring, passphrase_fd)
        ciphertext = read_ciphertext(source, base64=base64)
        if algorithm is None:
            trace = trace_decrypt(
                keys,
                ciphertext,
                read_context(context),
                profile=profile_of(source_profile),
                allow_ambiguous=allow_ambiguous,
            )
        else:
            given = cast("tuple[str, str]", ids)
            trace = trace_asymmetric_decrypt(keys, *given, algorithm, ciphertext)
    _show(trace, html, reveal, as_json=as_json)


@app.command("reencrypt", short_help="Show every value of a re-encryption.")
def reencrypt(
    destination: Annotated[
        str, typer.Option("--destination", metavar="ID", help="ID of the destination key.")
    ],
    keyring: KeyringOption,
    source: InArgument = STANDARD,
    context: ContextOption = None,
    destination_context: DestinationContextOption = None,
    algorithm: AlgorithmOption = None,
    source_key_id: SourceKeyOption = None,
    source_version_id: SourceVersionOption = None,
    source_profile: SourceProfileOption = ProfileName.V1,
    destination_profile: DestinationProfileOption = ProfileName.V1,
    html: HtmlOption = None,
    reveal: _RevealOption = None,
    *,
    allow_ambiguous: AmbiguousOption = False,
    keep_context: KeepContextOption = False,
    base64: Base64Option = False,
    as_json: JsonOption = False,
    passphrase_fd: Descriptor = None,
) -> None:
    """Re-encrypt a ciphertext, and show the steps, the values and the bytes of both sides.

    The text and the page leave out the middle of long values; --json has all.

    Exit codes: 0, the operation succeeds; 1, it fails; 2, misuse; 3, the trace and the library
    disagree.

    Example: kmscore trace reencrypt -k team.keys --destination orders --html trace.html in
    """
    with problems_in_one_line():
        _check_outputs(html, reveal, as_json=as_json)
        check_contexts(context, destination_context, keep_context=keep_context)
        check_source_ids(algorithm, (source_key_id, source_version_id))
        check_source_profile(algorithm, source_profile)
        check_ambiguous(source_profile, destination_profile, allow_ambiguous=allow_ambiguous)
        keys = read_keyring(keyring, passphrase_fd)
        opening = read_context(context)
        sealing = opening if keep_context else read_context(destination_context)
        trace = trace_reencrypt(
            keys,
            read_ciphertext(source, base64=base64),
            destination,
            source_profile=profile_of(source_profile),
            destination_profile=profile_of(destination_profile),
            source_context=opening,
            destination_context=sealing,
            source_key_id=source_key_id,
            source_key_version_id=source_version_id,
            source_algorithm=algorithm,
            allow_ambiguous=allow_ambiguous,
        )
    _show(trace, html, reveal, as_json=as_json)


def _check_outputs(html: Path | None, reveal: _Reveal | None, *, as_json: bool) -> None:
    """Raise `FileProblem` for outputs that exclude each other."""
    check_one_form(html, as_json=as_json)
    if reveal is not None and html in {None, STANDARD}:
        raise FileProblem("--reveal needs --html with a new file, which only you can read")


def _show(trace: Trace, html: Path | None, reveal: _Reveal | None, *, as_json: bool) -> None:
    """Write the trace, and exit with its code."""
    if html is not None:
        with problems_in_one_line():
            write_output(html, render.html(trace, reveal=_LEVELS[reveal]).encode("utf-8"))
    elif as_json:
        typer.echo(render.json(trace), nl=False)
    else:
        for kind, text in lines(trace, frozenset({Secrecy.PUBLIC})):
            typer.echo(_STYLES[kind](text), color=False if os.environ.get("NO_COLOR") else None)
    judgement = judge(trace)
    if not judgement.is_trusted:
        stop(judgement.evidence, _DISAGREES)
    if trace.outcome != OK:
        raise typer.Exit(_FAILED)


_STYLES: Final[dict[Kind, Callable[[str], str]]] = {
    Kind.TITLE: partial(typer.style, bold=True),
    Kind.PASSED: partial(typer.style, fg=typer.colors.GREEN),
    Kind.FAILED: partial(typer.style, fg=typer.colors.RED, bold=True),
    Kind.OTHER: str,
}
"""The style of a line on a terminal."""
