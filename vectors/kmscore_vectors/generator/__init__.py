"""The second implementation, which generates the vectors.

It follows the specification and shares no code with the library that the vectors check: no parser,
no cipher suite, no curve. A mistake would have to occur in both. Speed and side channels do not
matter here, because all keys are test keys.

Each file of the suite has a package, whose module `file` makes it; `wycheproof` has two files.
`keys` has the test keys. `all_files` adds the accumulated tests, and the other modules are shared.
"""
