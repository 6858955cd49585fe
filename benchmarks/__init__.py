"""How fast `kmscore` is, beside the bare cryptography and beside what one would take instead.

`python -m benchmarks` measures, `pytest benchmarks --benchmark-enable` measures with
pytest-benchmark, and a plain `pytest` runs every call once to see that it works.
"""
