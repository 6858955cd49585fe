"""The form of a harness, and the parts that harnesses have in common."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from time import process_time
from typing import Any, Final, NamedTuple

_VECTORS: Final = Path(__file__).resolve().parents[2] / "vectors"

CPU_SECONDS: Final = 2.0
"""The time limit for one input: the slowest legal one, a private key of RSA_4096, takes 0.2."""


class Harness(NamedTuple):
    """A check of one parser. An exception of `check` is a fault of the library."""

    check: Callable[[bytes], object]
    """The function that takes any bytes."""

    seeds: Callable[[], Iterable[bytes]]
    """The first inputs, which reach every part of the parser."""

    max_length: int = 512
    """Maximum bytes of an input."""

    tokens: tuple[bytes, ...] = ()
    """Words that the fuzzer inserts."""

    def run(self, data: bytes) -> None:
        """Check one input, also that it needs little time of the processor."""
        begin = process_time()
        self.check(data)
        spent = process_time() - begin
        assert spent < CPU_SECONDS, f"{spent:.1f} s for {len(data)} bytes"


def outcome_of(call: Callable[[], Any], *errors: type[Exception]) -> Any:
    """Return the result of a call, or its error as text if the call may raise this class."""
    try:
        return call()
    except errors as error:
        failed = Failed(type(error), str(error))
    assert failed.kind in errors, f"{failed.kind.__name__} is not documented"
    return failed


class Failed(NamedTuple):
    """An error of a call."""

    kind: type[Exception]
    text: str


@cache
def vectors(name: str) -> tuple[Mapping[str, Any], ...]:
    """Return the vectors of a file, each with the members of its group."""
    groups = json.loads((_VECTORS / f"{name}.json").read_text("ascii"))["testGroups"]
    return tuple(
        {key: value for key, value in group.items() if key != "tests"} | test
        for group in groups
        for test in group["tests"]
    )


def shortest(candidates: Iterable[tuple[object, bytes]], most: int) -> Iterator[bytes]:
    """Yield the shortest input of each kind, if it has at most `most` bytes."""
    found: dict[object, bytes] = {}
    for kind, data in candidates:
        if len(data) <= most and (kind not in found or len(data) < len(found[kind])):
            found[kind] = data
    yield from dict.fromkeys(found.values())


def kind_of(vector: Mapping[str, Any]) -> tuple[object, ...]:
    """Return the kind of a vector: its subject, and the result."""
    return (vector["type"], *vector["flags"], vector["result"], vector.get("error"))


def as_text(data: bytes) -> str:
    """Return an input as text. Bytes that are not UTF-8 become lone surrogates."""
    return data.decode("utf-8", "surrogateescape")
