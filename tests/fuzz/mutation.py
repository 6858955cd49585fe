"""Changes of an input by chance, for tests without libFuzzer."""

import random
from collections.abc import Iterator, Sequence

from fuzz.harness import Harness

_MOST_CHANGES = 3


def mutants(harness: Harness, draw: random.Random) -> Iterator[bytes]:
    """Yield the seeds, and then changed seeds without an end."""
    seeds = list(harness.seeds())
    yield from seeds
    while True:
        data = bytearray(draw.choice(seeds))
        for _ in range(draw.randint(1, _MOST_CHANGES)):
            _change(data, seeds, harness.tokens, draw)
        yield bytes(data[: harness.max_length])


def _change(
    data: bytearray, seeds: Sequence[bytes], tokens: Sequence[bytes], draw: random.Random
) -> None:
    """Make one change at a random place."""
    start = draw.randint(0, len(data))
    end = min(len(data), start + draw.choice((1, 1, 2, 4, 20)))
    match draw.randrange(7):
        case 0 if start < len(data):
            data[start] ^= 1 << draw.randrange(8)
        case 1 if start < len(data):
            data[start] = draw.choice((0, 1, 0x20, 0x7F, 0x80, 0xFF, draw.randrange(256)))
        case 2:
            del data[start:end]
        case 3:
            data[start:start] = data[start:end]
        case 4:
            del data[start:]
        case 5 if tokens:
            token = draw.choice(tokens)
            data[start : draw.choice((start, end, start + len(token)))] = token
        case _:
            other = draw.choice(seeds)
            place = draw.randint(0, len(other))
            data[start:end] = other[place : place + draw.randint(0, 20)]
