"""Fixtures of all tests, and two rules for the whole run."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import kmscore
from kmscore import KeySpec, RsaKey, Sm2Key
from kmscore.sm2.backends import _load

# A failed assertion in a helper then shows both values.
pytest.register_assert_rewrite("support")

from support.parameter_names import pytest_make_parametrize_id  # noqa: E402
from support.time_limits import in_time, prepare  # noqa: E402

__all__ = ["in_time", "pytest_make_parametrize_id"]

_CHECKOUT = Path(__file__).resolve().parents[1]
_COUNTS = "known answers"
_known_answers: Counter[str] = Counter()


def pytest_configure(config: pytest.Config) -> None:
    """Reject a run on the checkout, because users install the wheel."""
    prepare(config)
    if Path(kmscore.__file__).resolve().is_relative_to(_CHECKOUT / "kmscore"):
        raise pytest.UsageError("the tests run on the installed wheel: pip install '.[test]'")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the number of published cases that were run, by source."""
    if _known_answers:
        terminalreporter.section("known answers by others")
        for source, number in sorted(_known_answers.items()):
            terminalreporter.line(f"{number:6} {source}")
        terminalreporter.line(f"{_known_answers.total():6} in all")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the counts of a worker process to the main process."""
    output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_COUNTS] = dict(_known_answers)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add the counts of a worker process."""
    _known_answers.update(getattr(node, "workeroutput", {}).get(_COUNTS, {}))


@pytest.fixture
def count_known_answers() -> Callable[[str, int], None]:
    """Return a function that adds a number of published cases to the count of a source."""

    def count(source: str, number: int = 1) -> None:
        _known_answers[source] += number

    return count


@pytest.fixture(scope="session", params=["openssl", "portable", "gmssl"])
def backend(request: pytest.FixtureRequest) -> str:
    """Run the test on every SM2 backend; skip backends that are not installed."""
    name: str = request.param
    loaded = _load(name)
    if isinstance(loaded, str):
        # A backend that is installed but broken must fail its tests, not skip them.
        assert "self-test" not in loaded
        pytest.skip(f"the SM2 backend {name}: {loaded}")
    return name


@pytest.fixture(scope="session")
def rsa_keys() -> dict[KeySpec, RsaKey]:
    """Return one RSA key of each spec, with key ID `rsa-2048` and so on and version `v1`."""
    specs = (KeySpec.RSA_2048, KeySpec.RSA_3072, KeySpec.RSA_4096)
    return {
        spec: RsaKey.generate(
            spec, key_id=spec.value.lower().replace("_", "-"), key_version_id="v1"
        )
        for spec in specs
    }


@pytest.fixture(scope="session")
def rsa_key(rsa_keys: dict[KeySpec, RsaKey]) -> RsaKey:
    """Return an RSA_2048 key with key ID `rsa-2048` and version `v1`."""
    return rsa_keys[KeySpec.RSA_2048]


@pytest.fixture(scope="session")
def sm2_key() -> Sm2Key:
    """Return an SM2 key on the default backend, with key ID `sm2` and version `v1`."""
    return Sm2Key.generate(key_id="sm2", key_version_id="v1")
