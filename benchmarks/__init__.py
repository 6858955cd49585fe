"""The speed of `kmscore`, compared with the bare cryptography and with other libraries.

`python -m benchmarks` measures, and `pytest benchmarks --benchmark-enable` measures with
pytest-benchmark. Without that option, `pytest` runs every call once, to check that it works.
"""
