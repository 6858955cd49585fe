"""Fuzzing of every parser of bytes that come from attackers or files; `python tests/fuzz` runs it.

`harnesses` has a function for each parser, with its seeds. `target` runs one of them under atheris,
`campaign` runs them in turn and counts, and `planted` has a fault for each of them that it finds.
"""
