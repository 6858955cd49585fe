"""Clients of the vendor, each in an environment of its own, against the command `serve`.

`nox -s clients` makes the environments. Each script of this folder plays one scenario and prints
its results, among them the class and the code of each exception that the client raises.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.commands import command, environment
from support.time_limits import PATIENCE

pytestmark = pytest.mark.clients

_HERE = Path(__file__).resolve().parent
_FOLDER = Path(os.environ.get("KMSCORE_CLIENTS", "."))
_BIN = "Scripts" if os.name == "nt" else "bin"
_SECRET = "a-secret-of-a-test"
_SEED = {"keys": [{"key_id": "orders", "aliases": ["alias/orders"]}, {"key_id": "archive"}]}


class Client(NamedTuple):
    """A client: its command, its results, and the actions that it sends."""

    script: str
    """The script in this folder, and its arguments after the name of the scenario."""

    home: str
    """The folder of its environment; empty for Node.js."""

    mismatch: str
    """The exception for another context."""

    unknown: str
    """The exception for an unknown key."""

    throttled: str
    """The exception over the limit of requests."""

    only_tls: bool = False
    """Whether it insists on HTTPS."""


_CURRENT = (
    "ClientException InvalidParameter",
    "ClientException Forbidden.KeyNotFound",
    "ClientException Rejected.Throttling",
)
_OSS2 = (
    "OpenApiServerError InvalidParameter",
    "OpenApiServerError Forbidden.KeyNotFound",
    "OpenApiServerError Rejected.Throttling",
)
CLIENTS = {
    "current 3": Client("current.py", "current-3", *_CURRENT),
    "current 3, async": Client("current.py async", "current-3", *_CURRENT),
    "current 2": Client("current.py", "current-2", *_CURRENT),
    "current 2, async": Client("current.py async", "current-2", *_CURRENT),
    "old": Client(
        "old.py",
        "old",
        "ServerException InvalidParameter",
        "ServerException Forbidden.KeyNotFound",
        "ServerException Rejected.Throttling",
    ),
    "Encryption SDK": Client(
        "encryption_sdk.py",
        "encryption-sdk",
        # It hides the error of the service, and fails later.
        "AttributeError 'NoneType' object has no attribute 'plaintext_data_key'",
        "ServerException Forbidden.KeyNotFound",
        "ServerException Rejected.Throttling",
        only_tls=True,
    ),
    # At its defaults it sends no context, so that there is nothing to be bound.
    "object storage": Client(
        "object_storage.py", "object-storage", "OK", *_OSS2[1:], only_tls=True
    ),
    "object storage with a passphrase": Client(
        "object_storage.py passphrase", "object-storage", *_OSS2, only_tls=True
    ),
    "Node.js": Client(
        "node.cjs current",
        "",
        "Error InvalidParameterError",
        "Error Forbidden.KeyNotFoundError",
        "Error Rejected.ThrottlingError",
    ),
    "Node.js, pop-core": Client(
        "node.cjs pop",
        "",
        "InvalidParameterError InvalidParameter",
        "Forbidden.KeyNotFoundError Forbidden.KeyNotFound",
        "Rejected.ThrottlingError Rejected.Throttling",
    ),
}
CASES = [
    (name, protocol)
    for name, client in CLIENTS.items()
    for protocol in ("http", "https")
    if protocol == "https" or not client.only_tls
]


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[dict[str, str]]:
    """Run the server with a log; yield the environment of its clients."""
    seed, log = folder / "seed.json", folder / "log.jsonl"
    seed.write_text(json.dumps(_SEED))
    server = subprocess.Popen(
        command("serve", "--port", "0", "--seed", seed, "--log", log, *options),
        env=environment(KMSCORE_ACCESS_KEYS=f"LTAItest:{_SECRET}"),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        variables = dict(re.findall(r"([A-Z_]+)=(\S+)", server.stdout.readline()))
        assert variables
        yield variables | {"ALIBABA_CLOUD_ACCESS_KEY_SECRET": _SECRET}
    finally:
        server.terminate()
        assert server.wait(PATIENCE) == 0
        assert server.stdout is not None
        server.stdout.close()


def play(client: Client, scenario: str, variables: dict[str, str]) -> dict[str, Any]:
    """Run the script of a client in its environment; return its results."""
    script, *arguments = client.script.split()
    program = str(_FOLDER / client.home / _BIN / "python") if client.home else "node"
    done = subprocess.run(
        [program, str(_HERE / script), scenario, *arguments],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "KMSCORE_NODE_MODULES": str(_FOLDER / "node_modules"),
            **variables,
        },
        capture_output=True,
        check=False,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def records(folder: Path) -> list[tuple[str, str, str]]:
    """Return action, code and principal of each request."""
    lines = (folder / "log.jsonl").read_text().splitlines()
    return [(each["action"], each["code"], each["principal"]) for each in map(json.loads, lines)]


@pytest.mark.parametrize("profile", ["alibaba", "v1"])
@pytest.mark.parametrize(("name", "protocol"), CASES)
def test_a_context_is_bound_and_errors_are_those_of_the_client(
    tmp_path: Path, name: str, protocol: str, profile: str
) -> None:
    """Every request has a right signature, and every error is an exception of the client."""
    client = CLIENTS[name]
    tls = ["--tls"] if protocol == "https" else []
    with serving(tmp_path, "--profile", profile, *tls) as variables:
        assert variables["KMSCORE_ENDPOINT"].startswith(f"{protocol}://")
        results = play(client, "play", variables)
    assert results == {
        "opened": True,
        "other context": client.mismatch,
        "no context": client.mismatch,
        "unknown key": client.unknown,
    }
    seen = records(tmp_path)
    assert {principal for _, _, principal in seen} == {"LTAItest"}
    codes = {code for _, code, _ in seen}
    mismatch = {"InvalidParameter"} if client.mismatch != "OK" else set()
    assert codes == {"OK", "Forbidden.KeyNotFound"} | mismatch
    if name == "Encryption SDK":
        assert ("ReEncrypt", "OK", "LTAItest") in seen


@pytest.mark.parametrize("name", CLIENTS)
def test_a_request_over_the_limit_is_raised(tmp_path: Path, name: str) -> None:
    """No client repeats the request by itself at its defaults."""
    client = CLIENTS[name]
    with serving(tmp_path, "--tls", "--qps", "0.001") as variables:
        assert play(client, "throttle", variables) == {"second": client.throttled}
    assert [code for _, code, _ in records(tmp_path)] == ["OK", "Rejected.Throttling"]
