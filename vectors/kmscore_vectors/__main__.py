"""`python -m kmscore_vectors`: the command line."""

from kmscore_vectors.cli import main

main()
