"""`kmscore-vectors` and `python -m kmscore_vectors`: the command line."""

import sys

from kmscore_vectors.signals import end_of, raise_at_signals


def main() -> None:
    """Run the command line, whose imports take a second in which a signal can come."""
    try:
        raise_at_signals()
        from kmscore_vectors import cli  # noqa: PLC0415 (see above)
    except KeyboardInterrupt as interrupt:
        word, code = end_of(interrupt)
        sys.stderr.write(f"kmscore-vectors: {word}\n")
        sys.exit(code)
    cli.main()


if __name__ == "__main__":
    main()
