"""Mutation of an implementation: which mistakes do the tests notice?

`laboratory` makes copies with one mistake each and runs the tests on them, `report` prints the
result, and `command` is the command `kmscore-vectors mutants`.
"""
