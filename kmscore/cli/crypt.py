"""The commands for one ciphertext: `encrypt`, `decrypt`, `reencrypt`."""

from pathlib import Path
from typing import Annotated

import typer

import kmscore
from kmscore import alibaba
from kmscore.algorithms import MAX_PLAINTEXT_LENGTH
from kmscore.bulk.conversion import keys_for
from kmscore.cli.ciphertext_file import (
    InArgument,
    check_layout,
    read_ciphertext,
    write_ciphertext,
)
from kmscore.cli.files import STANDARD, check_no_terminal, read_file, write_output
from kmscore.cli.keyring_file import KeyringOption, check_destination, read_keyring
from kmscore.cli.options import (
    AlgorithmOption,
    AmbiguousOption,
    Base64Option,
    ContextOption,
    DestinationContextOption,
    DestinationProfileOption,
    KeepContextOption,
    ProfileName,
    SourceKeyOption,
    SourceProfileOption,
    SourceVersionOption,
    check_ambiguous,
    check_contexts,
    check_source_ids,
    check_source_profile,
    profile_of,
    read_context,
)
from kmscore.cli.passphrase import Descriptor
from kmscore.cli.terminal import problems_in_one_line

_Out = Annotated[Path, typer.Argument(metavar="OUT", help="A new file; - for standard output.")]


def encrypt(
    key_id: Annotated[str, typer.Option("--key-id", metavar="ID", help="ID of the key.")],
    keyring: KeyringOption,
    source: InArgument = STANDARD,
    out: _Out = STANDARD,
    context: ContextOption = None,
    *,
    base64: Base64Option = False,
    passphrase_fd: Descriptor = None,
) -> None:
    """Encrypt up to 6,144 bytes under the primary version of a key.

    Example: kmscore encrypt -k team.keys --key-id orders --context '{"tenant":"acme"}' in out
    """
    with problems_in_one_line():
        keys = read_keyring(keyring, passphrase_fd)
        check_destination(keys, key_id)
        plaintext = read_file(source, limit=MAX_PLAINTEXT_LENGTH)
        result = kmscore.encrypt(keys, key_id, plaintext, read_context(context))
        write_ciphertext(out, result.ciphertext_blob, base64=base64)


def decrypt(
    keyring: KeyringOption,
    source: InArgument = STANDARD,
    out: _Out = STANDARD,
    context: ContextOption = None,
    source_profile: SourceProfileOption = ProfileName.V1,
    *,
    allow_ambiguous: AmbiguousOption = False,
    base64: Base64Option = False,
    passphrase_fd: Descriptor = None,
) -> None:
    """Decrypt a ciphertext blob with the key version that its header names.

    Example: kmscore decrypt -k team.keys --context '{"tenant":"acme"}' in out
    """
    with problems_in_one_line():
        check_ambiguous(source_profile, allow_ambiguous=allow_ambiguous)
        keys = read_keyring(keyring, passphrase_fd)
        blob = read_ciphertext(source, base64=base64)
        profile = profile_of(source_profile)
        check_layout(blob, source_profile, base64=base64)
        plaintext = alibaba.decrypt(
            keys_for(keys, profile),
            blob,
            read_context(context),
            profile=profile,
            allow_ambiguous=allow_ambiguous,
        ).plaintext
        if not _is_text(plaintext):
            check_no_terminal(out)
        write_output(out, plaintext)


def reencrypt(
    destination: Annotated[
        str, typer.Option("--destination", metavar="ID", help="ID of the destination key.")
    ],
    keyring: KeyringOption,
    source: InArgument = STANDARD,
    out: _Out = STANDARD,
    context: ContextOption = None,
    destination_context: DestinationContextOption = None,
    source_key_id: SourceKeyOption = None,
    source_version_id: SourceVersionOption = None,
    algorithm: AlgorithmOption = None,
    source_profile: SourceProfileOption = ProfileName.V1,
    destination_profile: DestinationProfileOption = ProfileName.V1,
    *,
    allow_ambiguous: AmbiguousOption = False,
    keep_context: KeepContextOption = False,
    base64: Base64Option = False,
    passphrase_fd: Descriptor = None,
) -> None:
    """Re-encrypt a ciphertext under another key, key version or encryption context.

    With a context, give --keep-context or --destination-context: the command does not guess.

    Example: kmscore reencrypt -k a.keys --destination b --context '{"t":"1"}' --keep-context in out
    """
    with problems_in_one_line():
        check_contexts(context, destination_context, keep_context=keep_context)
        check_source_ids(algorithm, (source_key_id, source_version_id))
        check_source_profile(algorithm, source_profile)
        check_ambiguous(source_profile, destination_profile, allow_ambiguous=allow_ambiguous)
        keys = read_keyring(keyring, passphrase_fd)
        opening = read_context(context)
        profile = profile_of(source_profile)
        blob = read_ciphertext(source, base64=base64)
        if algorithm is None:
            check_layout(blob, source_profile, base64=base64)
        check_destination(keys, destination)
        result = alibaba.reencrypt(
            keys_for(keys, profile),
            blob,
            destination,
            source_profile=profile,
            destination_profile=profile_of(destination_profile),
            allow_ambiguous=allow_ambiguous,
            source_context=opening,
            destination_context=(
                opening if destination_context is None else read_context(destination_context)
            ),
            source_key_id=source_key_id,
            source_key_version_id=source_version_id,
            source_algorithm=algorithm,
        )
        write_ciphertext(out, result.ciphertext_blob or b"", base64=base64)


def _is_text(data: bytes) -> bool:
    """Return whether bytes are text that a terminal only shows."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\n\t" for character in text)
