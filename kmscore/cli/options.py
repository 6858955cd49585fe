"""Options of several commands."""

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer
from typer.models import OptionInfo

from kmscore.alibaba.profile import INSTANCE_PREFIX, Payload, Profile
from kmscore.cli.problems import FileProblem
from kmscore.context import EncryptionContext
from kmscore.tables.csv_records import check_delimiter
from kmscore.tables.formats import SUFFIXES
from kmscore.tables.rotation import MAX_JOBS

_CSV: Final = tuple(suffix for suffix in SUFFIXES if suffix.startswith(".csv"))

AsymmetricKeyOption = Annotated[
    str | None,
    typer.Option("--source-key-id", metavar="ID", help="With --algorithm: the key ID."),
]

AsymmetricVersionOption = Annotated[
    str | None,
    typer.Option("--source-version-id", metavar="ID", help="With --algorithm: the key version ID."),
]

Base64Option = Annotated[bool, typer.Option("--base64", help="Ciphertexts are in strict Base64.")]

ContextOption = Annotated[
    str | None,
    typer.Option(
        "--context", metavar="JSON", help='The encryption context, for example {"key": "value"}.'
    ),
]

KeepContextOption = Annotated[
    bool, typer.Option("--keep-context", help="Keep the context of --context.")
]

DestinationContextOption = Annotated[
    str | None,
    typer.Option(
        "--destination-context", metavar="JSON", help="The new context; {} is the empty one."
    ),
]

AlgorithmOption = Annotated[
    str | None,
    typer.Option(
        "--algorithm",
        help="For an asymmetric source: RSAES_OAEP_SHA_256, RSAES_OAEP_SHA_1 or SM2PKE.",
    ),
]

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

HtmlOption = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write a page to a new file; not with --json."),
]

SourceKeyOption = Annotated[
    str | None,
    typer.Option(
        "--source-key-id",
        metavar="ID",
        help="Required key ID of the source; without it, the header names the key.",
    ),
]

SourceVersionOption = Annotated[
    str | None,
    typer.Option(
        "--source-version-id",
        metavar="ID",
        help="Required key version ID of the source; without it, that of the header.",
    ),
]

DelimiterOption = Annotated[
    str | None,
    typer.Option(
        "--delimiter",
        metavar="CHAR",
        help="Delimiter of CSV, such as ';' or tab (default: the comma).",
    ),
]


class ProfileName(StrEnum):
    """The layout and payload of ciphertexts."""

    V1 = "v1"
    V1_TEXT = "v1-text"
    ALIBABA = "alibaba"
    ALIBABA_RAW = "alibaba-raw"
    ALIBABA_INSTANCE = "alibaba-instance"


SourceProfileOption = Annotated[
    ProfileName,
    typer.Option(
        "--source-profile",
        metavar="NAME",
        help="Layout of the source: v1 (default); alibaba for blobs of the service with only"
        " Base64 texts; alibaba-raw if some are plain texts, such as passwords, because alibaba"
        " also decodes a plain text that is Base64; alibaba-instance for blobs of a KMS instance;"
        " v1-text for Base64 texts in v1.",
    ),
]

DestinationProfileOption = Annotated[
    ProfileName,
    typer.Option(
        "--destination-profile",
        metavar="NAME",
        help="Layout of the result: v1 (default), v1-text, alibaba, alibaba-raw or"
        " alibaba-instance.",
    ),
]

AmbiguousOption = Annotated[
    bool,
    typer.Option(
        "--allow-ambiguous",
        help="Accept contexts that the rule of the service does not distinguish from others.",
    ),
]

BlobColumnOption = Annotated[
    str,
    typer.Option(
        "--blob-column",
        metavar="NAME",
        help="Column of ciphertexts, in strict Base64, or binary in Parquet.",
    ),
]

DestinationOption = Annotated[
    str, typer.Option("--destination", metavar="ID", help="ID of the destination key.")
]

ContextColumnOption = Annotated[
    str | None,
    typer.Option(
        "--context-column", metavar="NAME", help="Column of contexts, each one JSON object."
    ),
]

DestinationContextColumnOption = Annotated[
    str | None,
    typer.Option(
        "--destination-context-column",
        metavar="NAME",
        help="Column of new contexts; without one a row keeps its context, and {} removes it.",
    ),
]

UpgradeOnlyOption = Annotated[
    bool, typer.Option("--upgrade-only", help="Reject re-encryption to an older version.")
]

JobsOption = Annotated[
    int,
    typer.Option(
        "--jobs", min=1, max=MAX_JOBS, help="Number of worker processes; 1 starts no extra process."
    ),
]


def context_columns_option(words: str) -> OptionInfo:
    """Return the option of the columns of context values; the words are about empty values."""
    option: OptionInfo = typer.Option(
        "--context-columns",
        metavar="A,KEY=B",
        help="Columns of context values; the key is the name of the column, or KEY. The option can"
        f" be repeated. {words}",
    )
    return option


def names_of(options: list[str] | None) -> tuple[str, ...]:
    """Return the names of all options of one kind, each with names separated by commas."""
    return tuple(name for option in options or () for name in option.split(","))


class ContextColumns(NamedTuple):
    """The columns of context values, and the key of each."""

    names: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


def context_columns_of(column: str | None, columns: list[str] | None) -> ContextColumns:
    """Return the columns of `--context-columns`, which can be given more than once.

    Raises `FileProblem` also if both options of contexts are given.
    """
    if column is not None and columns:
        raise FileProblem("--context-column and --context-columns exclude each other")
    # Each name is COLUMN or KEY=COLUMN.
    pairs = [name.partition("=") for name in names_of(columns)]
    keys, names = tuple(key for key, _, _ in pairs), tuple(name or key for key, _, name in pairs)
    if "" in names or len(set(names)) != len(names) or len(set(keys)) != len(keys):
        raise FileProblem("--context-columns requires different names separated by commas")
    return ContextColumns(names, keys)


def check_profiles(source: ProfileName, destination: ProfileName, algorithm: str | None) -> None:
    """Raise `FileProblem` for profiles that exclude each other, or exclude an algorithm."""
    check_source_profile(algorithm, source)
    one, other = profile_of(source), profile_of(destination)
    if one.is_v1 == other.is_v1 and one.payload is not other.payload:
        raise FileProblem(
            f"--source-profile {source} and --destination-profile {destination} have one layout, in"
            " which a second run would change the texts again; re-encrypt single ciphertexts with"
            " kmscore reencrypt"
        )


def profile_of(name: ProfileName) -> Profile:
    """Return the profile of an option."""
    return {
        ProfileName.V1: Profile.V1,
        ProfileName.V1_TEXT: Profile.V1_TEXT,
        ProfileName.ALIBABA: Profile.ALIBABA,
        ProfileName.ALIBABA_RAW: Profile(payload=Payload.RAW),
        ProfileName.ALIBABA_INSTANCE: Profile(prefix=INSTANCE_PREFIX),
    }[name]


def check_contexts(
    context: str | None, destination_context: str | None, *, keep_context: bool
) -> None:
    """Raise `FileProblem` unless the options state the destination context."""
    if keep_context and destination_context is not None:
        raise FileProblem("--keep-context and --destination-context exclude each other")
    if keep_context and context is None:
        raise FileProblem("--keep-context needs --context")
    if context is not None and destination_context is None and not keep_context:
        raise FileProblem("with --context, give --keep-context or --destination-context")


def check_one_form(html: Path | None, *, as_json: bool) -> None:
    """Raise `FileProblem` for a page and a JSON object at once."""
    if as_json and html is not None:
        raise FileProblem("--json and --html exclude each other")


def check_source_ids(algorithm: str | None, ids: tuple[str | None, str | None]) -> None:
    """Raise `FileProblem` for an algorithm without source IDs."""
    if algorithm is not None and None in ids:
        raise FileProblem("--algorithm needs --source-key-id and --source-version-id")


def check_source_profile(algorithm: str | None, profile: ProfileName) -> None:
    """Raise `FileProblem` for an algorithm with a layout other than v1."""
    if algorithm is not None and profile is not ProfileName.V1:
        raise FileProblem("--algorithm needs --source-profile v1")


def check_ambiguous(*profiles: ProfileName, allow_ambiguous: bool) -> None:
    """Raise `FileProblem` for `--allow-ambiguous` without a layout of the service."""
    if allow_ambiguous and all(profile_of(name).is_v1 for name in profiles):
        raise FileProblem("--allow-ambiguous needs a profile of the service, such as alibaba")


def check_asymmetric_source(
    algorithm: str | None,
    ids: tuple[str | None, str | None],
    context: str | None,
    profile: ProfileName,
) -> None:
    """Raise `FileProblem` for options that do not fit an asymmetric source, or only fit one."""
    check_source_ids(algorithm, ids)
    check_source_profile(algorithm, profile)
    if algorithm is None and ids != (None, None):
        raise FileProblem("--source-key-id and --source-version-id need --algorithm")
    if algorithm is not None and context is not None:
        raise FileProblem("--algorithm and --context exclude each other")


def read_context(text: str | None) -> EncryptionContext | None:
    """Return the context of an option. Raises `InvalidContextError`."""
    return None if text is None else EncryptionContext.from_json(text)


def delimiter_of(text: str | None, sources: Iterable[Path]) -> str:
    """Return the delimiter of an option; the word tab is allowed.

    Raises `FileProblem`, also for tables of other formats than CSV.
    """
    if text is None:
        return ","
    if not any(map(_has_csv, sources)):
        raise FileProblem("--delimiter is only for CSV, and no table has a name with .csv")
    delimiter = "\t" if text in {"tab", "\\t"} else text
    try:
        check_delimiter(delimiter)
    except ValueError:
        raise FileProblem(
            "--delimiter: one ASCII character that is not in Base64, or tab"
        ) from None
    return delimiter


def _has_csv(source: Path) -> bool:
    """Return whether a table is CSV, or a folder has a file of CSV."""
    files = source.rglob("*") if source.is_dir() else (source,)
    return any(path.name.lower().endswith(_CSV) for path in files)
