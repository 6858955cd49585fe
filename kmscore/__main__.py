"""`python -m kmscore`: the command line."""

from kmscore.cli import main

main()
