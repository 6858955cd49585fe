"""The command `census-column`, which counts the headers in a column of a database."""

import json

import typer

from kmscore import Keyring
from kmscore.bulk import retirable_versions
from kmscore.cli.census import CountedKeyringOption, census_document, show_census
from kmscore.cli.database_options import (
    BlobOption,
    Encoding,
    EncodingOption,
    SchemaOption,
    TableOption,
    UrlFileOption,
    WhereOption,
    database_extra,
    read_url,
)
from kmscore.cli.keyring_file import read_keyring
from kmscore.cli.options import JsonOption
from kmscore.cli.passphrase import Descriptor, check_no_descriptor
from kmscore.cli.problems import FileProblem
from kmscore.cli.terminal import problems_in_one_line, surprises_in_one_line


def count_column(
    table: TableOption,
    blob_column: BlobOption = "ciphertext_blob",
    schema: SchemaOption = None,
    url_file: UrlFileOption = None,
    encoding: EncodingOption = Encoding.BINARY,
    where: WhereOption = None,
    keyring: CountedKeyringOption = None,
    *,
    as_json: JsonOption = False,
    passphrase_fd: Descriptor = None,
) -> None:
    """Count the suites, keys and key versions that the ciphertexts of a column name.

    Needs no key. With a keyring, the database counts the versions in it, which is faster, and the
    command lists the versions that may be retired, as kmscore census does. Without one, all
    ciphertexts are read. The URL of the database is given as for kmscore rotate-column.

    Example: kmscore census-column --table orders --url-file url.txt -k team.keys
    """
    with problems_in_one_line(), surprises_in_one_line(), database_extra():
        # Optional, and SQLAlchemy would make the start of other commands slower.
        from kmscore.cli.database_engine import open_database  # noqa: PLC0415
        from kmscore.tables.database import census_column  # noqa: PLC0415

        check_no_descriptor(keyring, passphrase_fd)
        with open_database(read_url(url_file)) as engine:
            keys = None if keyring is None else read_keyring(keyring, passphrase_fd)
            try:
                counted = census_column(
                    engine,
                    Keyring([]) if keys is None else keys,
                    table=table,
                    blob_column=blob_column,
                    schema=schema,
                    encoding=str(encoding),
                    where=where,
                )
            except ValueError as error:  # a kind of database that is not supported
                raise FileProblem(str(error)) from None
        retirement = None if keys is None else retirable_versions(keys, census=counted)
    if as_json:
        typer.echo(json.dumps(census_document(counted, retirement)))
    else:
        show_census(counted, retirement, f"{counted.other:,} other")
