"""The fixtures that the tests of both distributions use."""

import signal
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from patience import PATIENCE

from kmscore import KeySpec, RsaKey, Sm2Key
from kmscore.sm2.backends import _load

_LONGEST = 3 * PATIENCE  # seconds of a test that waits for others
_AGAIN = 20  # seconds for what it clears away
known_answers: Counter[str] = Counter()
"""The number of published cases that ran, by source."""


@pytest.fixture
def count_known_answers() -> Callable[[str, int], None]:
    """Return a function that adds to the number of published cases run from a source."""

    def count(source: str, number: int = 1) -> None:
        known_answers[source] += number

    return count


@pytest.fixture
def in_time(request: pytest.FixtureRequest) -> Iterator[None]:
    """Have a test fail that waits for what never comes, whatever it is, and show where it did."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def fail(*_: object) -> None:
        pytest.fail(f"{request.node.nodeid} has not ended after {_LONGEST} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, _LONGEST, _AGAIN)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="session", params=["openssl", "portable", "gmssl"])
def backend(request: pytest.FixtureRequest) -> str:
    """Run the test on every backend of SM2; skip what is not installed on this machine."""
    name: str = request.param
    loaded = _load(name)
    if isinstance(loaded, str):
        # A backend that is there and wrong must not make the tests of it disappear.
        assert "self-test" not in loaded
        pytest.skip(f"the SM2 backend {name}: {loaded}")
    return name


@pytest.fixture(scope="session")
def rsa_keys() -> dict[KeySpec, RsaKey]:
    """One RSA key of each spec, made once: key ID `rsa-2048` and so on, version `v1`."""
    specs = (KeySpec.RSA_2048, KeySpec.RSA_3072, KeySpec.RSA_4096)
    return {
        spec: RsaKey.generate(
            spec, key_id=spec.value.lower().replace("_", "-"), key_version_id="v1"
        )
        for spec in specs
    }


@pytest.fixture(scope="session")
def rsa_key(rsa_keys: dict[KeySpec, RsaKey]) -> RsaKey:
    """One RSA_2048 key: key ID `rsa-2048`, version `v1`."""
    return rsa_keys[KeySpec.RSA_2048]


@pytest.fixture(scope="session")
def sm2_key() -> Sm2Key:
    """One SM2 key on the best backend: key ID `sm2`, version `v1`."""
    return Sm2Key.generate(key_id="sm2", key_version_id="v1")
