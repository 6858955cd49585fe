"""The command `serve`: each option, one line of output, the files, and the end."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from alibabacloud_kms20160120 import models
from alibabacloud_kms20160120.client import Client as VendorClient
from alibabacloud_tea_openapi.exceptions import ClientException
from alibabacloud_tea_openapi.models import Config
from support.commands import (
    CHEAP,
    ENVIRONMENT,
    PASSPHRASE,
    RING,
    command,
    environment,
    invoke,
    problem,
    read_ring,
    write_ring,
)
from support.plain_client import Client
from support.time_limits import PATIENCE

import kmscore
from kmscore import Keyring, KeySpec, KeyState, RsaKey, SymmetricKey, keyfile
from kmscore.cli import local_server, serve, served_keyring
from kmscore.cli.signals import Terminated

SECRET = "a very secret secret"
VERSION = "86a9efd9-3d16-4894-bd4f-1fc43f3f2abf"
SEED = {
    "keys": [
        {
            "key_id": "orders",
            "aliases": ["alias/orders"],
            "versions": [
                {
                    "key_version_id": VERSION,
                    "material": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                }
            ],
        },
        {"key_id": "off", "state": "Disabled"},
    ]
}


@pytest.fixture
def never_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test whose server has started, which would wait for ever."""
    monkeypatch.setattr(serve, "_wait", lambda: pytest.fail("the server has started"))


@pytest.fixture
def port() -> int:
    """Return a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        number: int = free.getsockname()[1]
        return number


@pytest.fixture
def run_with(port: int, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that serves in this process while a function runs."""

    def run(
        work: Callable[[str], object], *options: str | Path, said: str = "", **variables: str
    ) -> str:
        monkeypatch.setattr(serve, "_wait", lambda: work(f"127.0.0.1:{port}"))
        result = invoke("serve", "--port", str(port), *options, env=ENVIRONMENT | variables)
        assert result.exception is None, result.exception
        assert (result.exit_code, result.stderr) == (0, said)
        return result.stdout

    return run


def write(path: Path, value: Any) -> Path:
    """Write JSON, or a text as it is, for the owner alone."""
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    path.chmod(0o600)
    return path


def call(address: str, action: str, **params: str) -> dict[str, Any]:
    """Send a request without signature that must succeed."""
    with Client(address) as client:
        status, body = client.call(action, **params)
    assert status == 200, body
    return body


def vendor_client(address: str, secret: str = SECRET, key: str = "LTAI1") -> VendorClient:
    """Return the client of the vendor."""
    return VendorClient(
        Config(
            access_key_id=key,
            access_key_secret=secret,
            region_id="cn-hangzhou",
            endpoint=address,
            protocol="http",
        )
    )


def code_of(client: VendorClient) -> str:
    """Return the code of an error of the client, or `OK`."""
    try:
        client.list_keys(models.ListKeysRequest())
    except ClientException as error:
        return str(error.code)
    return "OK"


def test_the_first_line_has_the_endpoint(run_with: Callable[..., str], port: int) -> None:
    """A shell can read the variables; an anonymous server needs no access key."""
    output = run_with(lambda address: call(address, "CreateKey"), "--anonymous")
    endpoint = f"http://127.0.0.1:{port}"
    assert output == f"{endpoint} KMSCORE_ENDPOINT={endpoint}\n"


def test_a_seed_has_the_keys_to_begin_with(run_with: Callable[..., str], tmp_path: Path) -> None:
    """A blob of the vector of the service's layout is decrypted."""

    def work(address: str) -> None:
        blob = (
            "ODZhOWVmZDktM2QxNi00ODk0LWJkNGYtMWZjNDNmM2YyYWJmAAECAwQFBgcICQoLHUWAdp/XqmvsLOP4075N"
            "G+CewU2TSA1NXAmBsXgxcIVnWJ/XyfVR2hPLMtC+ChdNqfNVW7SYkjTfCcwB"
        )
        context = '{"b":"2","a":"1"}'
        opened = call(address, "Decrypt", CiphertextBlob=blob, EncryptionContext=context)
        assert opened["KeyId"] == "orders"
        with Client(address) as client:
            status, body = client.call("Encrypt", KeyId="off", Plaintext="")
        assert (status, body["Code"]) == (409, "Rejected.Disabled")

    run_with(work, "--anonymous", "--seed", write(tmp_path / "seed.json", SEED))


@pytest.mark.parametrize(
    ("profile", "start"), [("alibaba", VERSION), ("alibaba-instance", "$\0\x02"), ("v1", "KMS\x01")]
)
def test_the_layout_is_an_option(
    run_with: Callable[..., str], tmp_path: Path, profile: str, start: str
) -> None:
    """A plaintext is an opaque text in each layout."""

    def work(address: str) -> None:
        blob = call(address, "Encrypt", KeyId="alias/orders", Plaintext="p@ss")["CiphertextBlob"]
        assert call(address, "Decrypt", CiphertextBlob=blob)["Plaintext"] == "p@ss"
        blobs.append(blob)

    blobs: list[str] = []
    seed = write(tmp_path / "seed.json", SEED)
    run_with(work, "--anonymous", "--seed", seed, "--profile", profile)
    assert kmscore._base64.decode_base64(blobs[0].encode()).startswith(start.encode())


def test_access_keys_are_checked(run_with: Callable[..., str], tmp_path: Path) -> None:
    """They come from a file, or from the variable; the line has the first ID and no secret."""
    text = f"LTAI1:{SECRET.replace(' ', '-')}\nLTAI2:other\n"
    file = write(tmp_path / "keys", text)

    def work(address: str) -> None:
        secret = SECRET.replace(" ", "-")
        codes.append(
            [
                code_of(vendor_client(address, secret)),
                code_of(vendor_client(address, "other", "LTAI2")),
                code_of(vendor_client(address, "wrong")),
                code_of(vendor_client(address, "x", "LTAI3")),
            ]
        )
        with Client(address) as client:
            assert client.call("ListKeys")[0] == 400

    codes: list[list[str]] = []
    for options, variables in (
        (("--access-keys", file), {}),
        ((), {"KMSCORE_ACCESS_KEYS": text.replace("\n", " ")}),
        (("--access-keys", file), {"KMSCORE_ACCESS_KEYS": "LTAI1:not-used"}),
    ):
        output = run_with(work, *options, **variables)
        assert "ALIBABA_CLOUD_ACCESS_KEY_ID=LTAI1" in output
        assert "secret" not in output
    assert (
        codes
        == [
            ["OK", "OK", "SignatureDoesNotMatch", "InvalidAccessKeyId.NotFound"],
        ]
        * 3
    )


def test_a_policy_is_for_all_or_for_each_access_key(
    run_with: Callable[..., str], tmp_path: Path
) -> None:
    """Everything else is denied."""
    document = {
        "Version": "1",
        "Statement": [{"Effect": "Allow", "Action": "kms:ListKeys", "Resource": "*"}],
    }

    def work(address: str) -> None:
        codes.append([code_of(vendor_client(address, "s", key)) for key in ("LTAI1", "LTAI2")])

    codes: list[list[str]] = []
    for policy in (document, {"LTAI2": document}, {"Version": "1", "Statement": []}):
        run_with(
            work,
            *("--policy", write(tmp_path / "policy.json", policy)),
            KMSCORE_ACCESS_KEYS="LTAI1:s LTAI2:s",
        )
    denied = "Forbidden.NoPermission"
    assert codes == [["OK", "OK"], [denied, "OK"], [denied, denied]]


@pytest.mark.parametrize(
    ("resource", "caller", "options", "warning"),
    [
        ("*", None, {}, "no policy for anonymous: each request is denied"),
        ("*", "LTAI2", {"KMSCORE_ACCESS_KEYS": "LTAI1:s LTAI2:s"}, ""),
        ("*", "LTAI2", {"KMSCORE_ACCESS_KEYS": "LTAI1:s"}, "no policy for LTAI1: each request"),
        (
            "acs:kms:cn-shanghai:1234567890123456:key/orders",
            "anonymous",
            {},
            "statements without effect, because their resources have another region or account:",
        ),
    ],
)
def test_a_policy_that_allows_nothing_gives_a_warning(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    resource: str,
    caller: str | None,
    options: dict[str, str],
    warning: str,
) -> None:
    """One line at the start has the reason, because the responses do not."""
    monkeypatch.setattr(serve, "_wait", lambda: None)
    statement = {"Effect": "Allow", "Action": "kms:*", "Resource": resource}
    document = {"Version": "1", "Statement": [statement]}
    path = write(tmp_path / "policy.json", {} if caller is None else {caller: document})
    anonymous = () if options else ("--anonymous",)
    arguments = ("serve", "--port", "0", "--policy", path, *anonymous)
    result = invoke(*arguments, env=ENVIRONMENT | options)
    assert result.exit_code == 0
    assert result.stderr.startswith(f"kmscore: warning: {path}: {warning}" if warning else "")
    assert result.stderr.count("\n") == (warning != "")


def test_requests_over_the_limit_are_rejected(run_with: Callable[..., str]) -> None:
    """Also without access keys."""

    def work(address: str) -> None:
        with Client(address) as client:
            answers = [client.call("ListKeys") for _ in range(3)]
        assert [status for status, _ in answers] == [200, 200, 429]
        assert answers[2][1]["Code"] == "Rejected.Throttling"

    run_with(work, "--anonymous", "--qps", "2")
    run_with(lambda address: call(address, "ListKeys"), "--anonymous", "--qps", "0.001")


def test_records_are_json_lines(run_with: Callable[..., str], tmp_path: Path) -> None:
    """They have no plaintext and no context; a file is continued, and is for its owner alone."""

    def work(address: str) -> None:
        key_id = call(address, "CreateKey")["KeyMetadata"]["KeyId"]
        params = {"Plaintext": SECRET, "EncryptionContext": json.dumps({"a": SECRET})}
        call(address, "Encrypt", KeyId=key_id, **params)
        with Client(address) as client:
            client.call("Encrypt", KeyId="nobody", Plaintext=SECRET)

    path = tmp_path / "log.jsonl"
    for _ in range(2):
        run_with(work, "--anonymous", "--log", path)
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(each["action"], each["code"], each["principal"]) for each in records] == [
        ("CreateKey", "OK", "anonymous"),
        ("Encrypt", "OK", "anonymous"),
        ("Encrypt", "Forbidden.KeyNotFound", "anonymous"),
    ] * 2
    assert set(records[0]) == {
        *("time", "request_id", "principal", "action", "code", "is_dry_run"),
        *("source_key_id", "source_key_version_id"),
        *("destination_key_id", "destination_key_version_id"),
    }
    assert SECRET not in path.read_text()
    assert os.name == "nt" or path.stat().st_mode & 0o077 == 0
    output = run_with(work, "--anonymous", "--log", "-")
    assert [json.loads(line)["action"] for line in output.splitlines()[1:]] == [
        "CreateKey",
        "Encrypt",
        "Encrypt",
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_log_that_cannot_be_written_is_named(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call without a record gets no result, and standard error has the reason."""
    answers: list[int] = []

    def work() -> None:
        with Client(f"127.0.0.1:{port}") as client:
            answers.append(client.call("CreateKey")[0])

    monkeypatch.setattr(serve, "_wait", work)
    result = invoke("serve", "--port", str(port), "--anonymous", "--log", "/dev/full")
    assert answers == [500]
    assert result.stderr.startswith(
        "kmscore: /dev/full: No space left on device\nkmscore: internal failure: OSError\n"
    )


def test_tls_has_an_authority_in_a_file(
    run_with: Callable[..., str], tmp_path: Path, port: int
) -> None:
    """Without an option the file is temporary, and gone at the end."""

    def work(address: str) -> None:
        path = paths.pop() if paths else Path(next(Path(folder).glob("kmscore-*/ca.pem")))
        used.append(path)
        with Client(address, path.read_bytes()) as client:
            assert client.call("ListKeys")[0] == 200

    used: list[Path] = []
    paths = [tmp_path / "ca.pem"]
    write(paths[0], "old")
    output = run_with(work, "--anonymous", "--tls", "--ca-file", paths[0])
    assert used[0].read_bytes().startswith(b"-----BEGIN CERTIFICATE-----")
    endpoint = f"https://127.0.0.1:{port}"
    assert output == (
        f"{endpoint} KMSCORE_ENDPOINT={endpoint} REQUESTS_CA_BUNDLE={used[0]}"
        f" SSL_CERT_FILE={used[0]} NODE_EXTRA_CA_CERTS={used[0]}"
        f" ALIBABA_CLOUD_CA_BUNDLE={used[0]}\n"
    )
    folder = tmp_path / "temporary"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(folder))
        run_with(work, "--anonymous", "--tls")
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is an address only on Linux")
@pytest.mark.parametrize("tls", [(), ("--tls",)])
def test_another_address_is_allowed_in_words(
    run_with: Callable[..., str], tmp_path: Path, tls: tuple[str, ...], port: int
) -> None:
    """The certificate is for this address too."""

    def work(_address: str) -> None:
        authority = (tmp_path / "ca.pem").read_bytes() if tls else None
        with Client(f"127.0.0.2:{port}", authority) as client:
            assert client.call("ListKeys")[0] == 200
        with pytest.raises(ConnectionRefusedError), Client(f"127.0.0.1:{port}") as client:
            client.call("ListKeys")

    more = (*tls, *(("--ca-file", tmp_path / "ca.pem") if tls else ()))
    words = ("--host", "127.0.0.2", "--this-is-no-production-server")
    assert f"://127.0.0.2:{port} " in run_with(work, "--anonymous", *words, *more)


def test_the_passphrase_can_come_from_a_descriptor(
    run_with: Callable[..., str], tmp_path: Path
) -> None:
    """As for every command with a keyring."""
    reading, writing = os.pipe()
    os.write(writing, b"another passphrase\n")
    os.close(writing)
    path = tmp_path / "ring"
    options = ("--anonymous", "--keyring", path, "--passphrase-fd", str(reading))
    run_with(lambda address: call(address, "CreateKey"), *options)
    assert len(keyfile.open_keyring(path.read_bytes(), b"another passphrase")) == 1


def test_a_keyring_is_continued(run_with: Callable[..., str], tmp_path: Path) -> None:
    """Keys, versions, states, aliases and dates are those of the last server."""
    path = tmp_path / "team.keys"
    before: dict[str, Any] = {}

    def begin(address: str) -> None:
        key_id = call(address, "CreateKey", Description="first")["KeyMetadata"]["KeyId"]
        call(address, "CreateAlias", KeyId=key_id, AliasName="alias/first")
        blob = call(address, "Encrypt", KeyId=key_id, Plaintext=SECRET)["CiphertextBlob"]
        call(address, "CreateKeyVersion", KeyId=key_id)
        call(address, "ScheduleKeyDeletion", KeyId="off", PendingWindowInDays="9")
        before.update(key_id=key_id, blob=blob, seen=seen(address))

    def seen(address: str) -> list[Any]:
        listed = call(address, "ListKeys")["Keys"]["Key"]
        answers = [call(address, "ListAliases")]
        for each in listed:
            answers.append(call(address, "DescribeKey", KeyId=each["KeyId"]))
            answers.append(call(address, "ListKeyVersions", KeyId=each["KeyId"]))
        return [{**each, "RequestId": ""} for each in answers]

    def go_on(address: str) -> None:
        assert seen(address) == before["seen"]
        assert call(address, "Decrypt", CiphertextBlob=before["blob"])["Plaintext"] == SECRET
        call(address, "UpdateAlias", KeyId="orders", AliasName="alias/first")
        # The aliases are not in the keyring, which takes the time of its KDF.
        assert path.read_bytes() == sealed
        call(address, "DisableKey", KeyId="orders")
        assert path.read_bytes() != sealed

    seed = write(tmp_path / "seed.json", SEED)
    options = ("--anonymous", "--keyring", path, "--seed", seed)
    run_with(begin, *options)
    sealed = path.read_bytes()
    run_with(go_on, *options)
    keyring = keyfile.open_keyring(path.read_bytes(), PASSPHRASE)
    assert keyring.primary("orders").state is KeyState.DISABLED
    assert keyring.primary("off").state is KeyState.PENDING_DELETION
    assert len(keyring) == 4
    properties = (tmp_path / "team.keys.json").read_text()
    assert "alias/first" in properties
    assert "material" not in properties
    for file in tmp_path.glob("team.keys*"):
        assert os.name == "nt" or file.stat().st_mode & 0o077 == 0


def test_a_keyring_of_other_commands_is_served(
    run_with: Callable[..., str], tmp_path: Path
) -> None:
    """Its passphrase and its KDF stay; a link stays a link."""
    path = write_ring(tmp_path / "ring")
    link = tmp_path / "link"
    link.symlink_to(path)

    def work(address: str) -> None:
        listed = call(address, "ListKeys")["Keys"]["Key"]
        assert [each["KeyId"] for each in listed] == ["orders", "other", "off"]
        call(address, "CreateKeyVersion", KeyId="other")

    run_with(work, "--anonymous", "--profile", "v1", "--keyring", link)
    assert link.is_symlink()
    assert keyfile.read_parameters(path.read_bytes()) == CHEAP
    assert len(read_ring(path)) == len(RING) + 1


@pytest.mark.parametrize(
    ("ring", "number", "reason"),
    [
        (RING, "2 of 3 keys", "orders: the service's layout does not support a key bound to"),
        (
            Keyring([SymmetricKey.generate(KeySpec.AES_128, key_id="a", key_version_id="1")]),
            "1 of 1 keys",
            "a: the service's layout requires a key version ID that is a UUID",
        ),
        (Keyring([RsaKey.generate(KeySpec.RSA_2048)]), "", ""),
    ],
    ids=["suite", "version", "asymmetric"],
)
def test_keys_that_do_not_fit_the_layout_are_counted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ring: Keyring, number: str, reason: str
) -> None:
    """The warning has a reason, which a response does not give."""
    monkeypatch.setattr(serve, "_wait", lambda: None)
    options = ("serve", "--anonymous", "--port", "0", "--keyring", write_ring(tmp_path / "r", ring))
    warning = f"kmscore: warning: {number} can be used only with --profile v1, such as {reason}"
    result = invoke(*options, env=ENVIRONMENT)
    assert result.exit_code == 0
    assert result.stderr.startswith(warning) if number else result.stderr == ""
    assert invoke(*options, "--profile", "v1", env=ENVIRONMENT).stderr == ""


_CHANGED = (
    "kmscore: {}: another command has changed it; restart the server\n"
    "kmscore: internal failure: FileProblem\n"
)


def test_a_change_of_another_command_is_not_overwritten(
    run_with: Callable[..., str], tmp_path: Path
) -> None:
    """The request fails, the store stays as it is, and standard error has the reason."""
    path = write_ring(tmp_path / "ring")

    def work(address: str) -> None:
        path.write_bytes(changed)
        with Client(address) as client:
            status, body = client.call("CreateKey")
        assert (status, body["Code"]) == (500, "InternalFailure")
        assert call(address, "ListKeys")["TotalCount"] == 3
        assert path.read_bytes() == changed

    key = SymmetricKey.generate(KeySpec.AES_256, key_id="new")
    changed = keyfile.seal_keyring(Keyring([*RING, key]), PASSPHRASE, parameters=CHEAP)
    said = _CHANGED.format(path)
    run_with(work, "--anonymous", "--profile", "v1", "--keyring", path, said=said)


def test_properties_of_another_server_are_not_overwritten(
    run_with: Callable[..., str], tmp_path: Path
) -> None:
    """An alias that another server has created would be lost."""
    path = write_ring(tmp_path / "ring")

    def work(address: str) -> None:
        other = (tmp_path / "ring.json").read_text() + " "
        (tmp_path / "ring.json").write_text(other)
        with Client(address) as client:
            status, body = client.call("CreateAlias", KeyId="orders", AliasName="alias/orders")
        assert (status, body["Code"]) == (500, "InternalFailure")
        assert call(address, "ListAliases")["TotalCount"] == 0
        assert (tmp_path / "ring.json").read_text() == other

    said = _CHANGED.format(tmp_path / "ring.json")
    run_with(work, "--anonymous", "--profile", "v1", "--keyring", path, said=said)


@pytest.mark.parametrize("at", [".ring.new", ".ring.json.new"])
def test_a_file_of_a_killed_server_is_named_at_the_start(tmp_path: Path, at: str) -> None:
    """Otherwise the first change would fail."""
    path = write_ring(tmp_path / "ring")
    (tmp_path / at).touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serve, "_wait", lambda: pytest.fail("the server has started"))
        result = invoke("serve", "--anonymous", "--profile", "v1", "--keyring", path)
    assert problem(result).startswith(f"{tmp_path / at} is there: ")


@pytest.mark.usefixtures("never_waits")
def test_a_file_with_the_name_of_the_properties_is_kept(tmp_path: Path) -> None:
    """It can be the seed of a new keyring."""
    path = write(tmp_path / "team.json", SEED)
    result = invoke("serve", "--anonymous", "--keyring", tmp_path / "team", "--seed", path)
    assert problem(result).startswith(f"{path} exists, but team does not: ")
    assert json.loads(path.read_text()) == SEED
    assert list(tmp_path.iterdir()) == [path]


def test_a_change_that_fails_is_undone_by_the_next_one(
    run_with: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keyring is written, and the properties are not."""
    path = write_ring(tmp_path / "ring")

    def work(address: str) -> None:
        with monkeypatch.context() as patch, Client(address) as client:
            patch.setattr("kmscore.alibaba.wsgi._report", lambda *_: None)
            patch.setattr(served_keyring, "properties_text", lambda _: "\ud800")
            assert client.call("CreateKey")[0] == 500
        assert len(read_ring(path)) == len(RING) + 1
        call(address, "UpdateKeyDescription", KeyId="orders", Description="new")
        assert len(read_ring(path)) == len(RING)

    run_with(work, "--anonymous", "--profile", "v1", "--keyring", path)


PROBLEMS: dict[str, tuple[list[str], str]] = {
    "no access keys": ([], "give --access-keys, set KMSCORE_ACCESS_KEYS, or give --anonymous"),
    "both": (
        ["--anonymous", "--access-keys", "{keys}"],
        "--anonymous and --access-keys exclude each other",
    ),
    "another address": (
        ["--anonymous", "--host", "0.0.0.0"],  # noqa: S104 (it is rejected)
        (
            "--host 0.0.0.0: not 127.0.0.1, so other machines could use the keys; if they are only"
            " for tests, add --this-is-no-production-server"
        ),
    ),
    "a certificate without TLS": (["--anonymous", "--ca-file", "ca.pem"], "--ca-file needs --tls"),
    "TLS for a name": (
        ["--anonymous", "--tls", "--host", "localhost", "--this-is-no-production-server"],
        "--host localhost: --tls needs an IP address",
    ),
    "malformed access keys": (
        ["--access-keys", "{bad}"],
        "{bad}: access key 1: not ID:SECRET",
    ),
    "a missing file": (["--access-keys", "{none}"], "{none}: No such file or directory"),
    "a binary file": (["--anonymous", "--policy", "{binary}"], "{binary}: not UTF-8"),
    "an invalid policy": (
        ["--anonymous", "--policy", "{bad}"],
        "{bad}: the policy is not JSON, see line 1",
    ),
    "an invalid seed": (["--anonymous", "--seed", "{bad}"], "{bad}: seed: not JSON, see line 1"),
    "no requests": (["--anonymous", "--qps", "0"], "--qps: rate must be more than 0"),
    "a log in no folder": (["--anonymous", "--log", "{none}/log"], "{none}/log: No such file"),
    "a certificate in no folder": (
        ["--anonymous", "--tls", "--ca-file", "{none}/ca.pem"],
        "{none}/ca.pem: No such file or directory",
    ),
    "a keyring that is none": (
        ["--anonymous", "--keyring", "{bad}"],
        "{bad}: ",
    ),
    "an address of another machine": (
        ["--anonymous", "--host", "192.0.2.1", "--this-is-no-production-server"],
        "192.0.2.1:8080: Cannot assign requested address",
    ),
    "another layout": (
        ["--anonymous", "--profile", "aws"],
        "Invalid value for '--profile': 'aws' is not",
    ),
    "no address": (
        ["--anonymous", "--host", "", "--this-is-no-production-server"],
        "--host : not an address",
    ),
    "a port out of range": (["--anonymous", "--port", "65536"], "Invalid value for '--port'"),
}


@pytest.mark.usefixtures("never_waits")
@pytest.mark.parametrize("what", PROBLEMS)
def test_a_wrong_option_is_reported_in_one_line(what: str, tmp_path: Path) -> None:
    """The server does not start, and no secret is shown."""
    (tmp_path / "binary").write_bytes(b"\xff" + SECRET.encode())
    files = {
        "keys": write(tmp_path / "keys", f"LTAI1:{SECRET}"),
        "bad": write(tmp_path / "bad", f"nonsense-{SECRET}"),
        "binary": tmp_path / "binary",
        "none": tmp_path / "none",
    }
    options, message = PROBLEMS[what]
    shown = problem(invoke("serve", *(each.format(**files) for each in options)))
    assert shown.startswith(message.format(**files))
    assert SECRET not in shown
    assert list(tmp_path.glob("*.new")) == []


@pytest.mark.usefixtures("never_waits")
def test_malformed_access_keys_in_the_variable_are_not_shown() -> None:
    """The line names the variable."""
    result = invoke("serve", env={"KMSCORE_ACCESS_KEYS": "hidden"})
    assert problem(result) == "KMSCORE_ACCESS_KEYS: access key 1: not ID:SECRET"


@pytest.mark.usefixtures("never_waits")
def test_a_variable_with_access_keys_is_not_ignored() -> None:
    """A server that was meant to check signatures does not accept all requests."""
    result = invoke("serve", "--anonymous", env={"KMSCORE_ACCESS_KEYS": "LTAI1:s"})
    assert problem(result) == (
        "--anonymous: KMSCORE_ACCESS_KEYS has access keys; unset it, or leave out --anonymous"
    )


def test_an_empty_variable_has_no_access_keys(run_with: Callable[..., str]) -> None:
    """A container often has the variable without a value."""
    run_with(lambda address: call(address, "ListKeys"), "--anonymous", KMSCORE_ACCESS_KEYS="")
    result = invoke("serve", env={"KMSCORE_ACCESS_KEYS": ""})
    assert problem(result).startswith("give --access-keys, set KMSCORE_ACCESS_KEYS")


@pytest.mark.usefixtures("never_waits")
def test_a_port_in_use_is_reported(port: int) -> None:
    """The line has the port, and a way out."""
    with socket.create_server(("127.0.0.1", port)):
        result = invoke("serve", "--anonymous", "--port", str(port))
    reason = "Address already in use; --port 0 selects a free port"
    assert problem(result) == f"127.0.0.1:{port}: {reason}"


@pytest.mark.usefixtures("never_waits")
def test_invalid_properties_are_reported(tmp_path: Path) -> None:
    """A server does not forget aliases silently."""
    path = write_ring(tmp_path / "ring")
    properties = write(tmp_path / "ring.json", "[]")
    result = invoke("serve", "--anonymous", "--keyring", path)
    assert problem(result) == f"{properties}: properties: not an object"
    properties.write_bytes(b'{"keys": [{"key_id": "orders", "description": "\xff"}]}')
    result = invoke("serve", "--anonymous", "--keyring", path)
    assert problem(result) == f"{properties}: not UTF-8"


@pytest.mark.usefixtures("never_waits")
def test_the_server_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """This is known before the prompt for a passphrase. A fault inside it is not hidden."""
    monkeypatch.setattr("kmscore.cli.served_keyring.get_passphrase", pytest.fail)
    monkeypatch.delitem(sys.modules, "kmscore.emulator.server", raising=False)
    monkeypatch.setitem(sys.modules, "cheroot", None)
    shown = problem(invoke("serve", "--anonymous", "--keyring", "ring"))
    assert shown == "the server needs the extra emulator: pip install 'kmscore[emulator]'"
    monkeypatch.setitem(sys.modules, "kmscore.emulator.server", None)
    result = invoke("serve", "--anonymous")
    assert isinstance(result.exception, ModuleNotFoundError)


@pytest.mark.parametrize(
    ("interrupt", "is_raised"), [(Terminated, False), (KeyboardInterrupt, True)]
)
def test_sigterm_is_the_normal_end(
    monkeypatch: pytest.MonkeyPatch, interrupt: type[BaseException], is_raised: bool
) -> None:
    """Ctrl-C ends the command as any other."""

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        if len(waits) == 1:
            return False
        raise interrupt

    waits: list[float] = []

    fake = SimpleNamespace(Event=lambda: SimpleNamespace(wait=wait))
    monkeypatch.setattr(serve, "threading", fake)
    if is_raised:
        with pytest.raises(KeyboardInterrupt):
            serve._wait()
    else:
        serve._wait()


@contextmanager
def process(*options: str | Path, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the command in a process; yield it with its address."""
    running = subprocess.Popen(
        command("serve", *options),
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert running.stdout is not None
        line = running.stdout.readline()
        match = re.match(r"https?://(\S+) KMSCORE_ENDPOINT=", line)
        assert match is not None, (line, running.communicate())
        yield running, match[1]
    finally:
        running.kill()
        running.communicate()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM")
@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGTERM, 0, ""), (signal.SIGINT, 130, "interrupted")]
)
def test_a_signal_ends_the_process(number: signal.Signals, code: int, word: str) -> None:
    """The connections that are open do not hold it up."""
    with process("--port", "0", "--anonymous") as (running, address), Client(address) as client:
        assert client.call("CreateKey")[0] == 200
        running.send_signal(number)
        output, errors = running.communicate(timeout=PATIENCE)
    assert (running.returncode, output) == (code, "")
    assert errors == (f"kmscore: {word}\n" if word else "")


def test_a_second_interrupt_does_not_stop_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of the server that are left would keep the process alive for ever."""
    stopped: list[bool] = []

    class Interrupted:
        """A server that gets Ctrl-C while it stops."""

        endpoint = "http://127.0.0.1:1"

        def __init__(self, *_: object, **__: object) -> None:
            pass

        def start(self) -> None:
            pass

        def stop(self) -> None:
            signal.raise_signal(signal.SIGINT)
            stopped.append(True)

    monkeypatch.setattr(local_server, "server_type", lambda: Interrupted)
    options: dict[str, Any] = {"host": "127.0.0.1", "port": 0, "has_tls": False, "ca_file": None}
    with local_server.serving(lambda *_: [], **options):
        pass
    assert stopped == [True]


@pytest.mark.thorough
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_keeps_what_was_answered(
    tmp_path: Path, port: int, number: signal.Signals
) -> None:
    """60 requests in 16 threads: the next server has the keys of all that were answered.

    A request without an answer can have been performed or not.
    """
    ring = tmp_path / "ring"
    ring.write_bytes(keyfile.seal_keyring(Keyring([]), PASSPHRASE, parameters=CHEAP))
    ring.chmod(0o600)
    options = ("--anonymous", "--port", str(port), "--keyring", ring)
    answered: dict[int, str] = {}
    lock = threading.Lock()

    def create(which: int) -> None:
        try:
            with Client(f"127.0.0.1:{port}") as client:
                status, body = client.call("CreateKey", Description=str(which))
        except (OSError, ValueError):
            return
        assert status == 200
        with lock:
            answered[which] = body["KeyMetadata"]["KeyId"]
            if len(answered) == 10:
                running.send_signal(number)

    with process(*options) as (running, _), ThreadPoolExecutor(16) as threads:
        list(threads.map(create, range(60)))
        running.wait(PATIENCE)
    assert 10 <= len(answered) < 60
    for left in tmp_path.glob(".*.new"):  # of a killed server
        left.unlink()
    with process(*options) as (running, address):
        kept = {}
        for page in range(1, 8):
            for each in call(address, "ListKeys", PageNumber=str(page))["Keys"]["Key"]:
                metadata = call(address, "DescribeKey", KeyId=each["KeyId"])["KeyMetadata"]
                kept[metadata["KeyId"]] = metadata["Description"]
        assert {key_id: str(which) for which, key_id in answered.items()}.items() <= kept.items()
        assert call(address, "CreateKey", Description="after")


def test_secrets_are_in_no_output(tmp_path: Path) -> None:
    """Neither in the lines of the server, nor in its log, nor in `ps`."""
    secret = SECRET.replace(" ", "-")
    log = tmp_path / "log"
    options = ("--port", "0", "--log", log)
    with process(*options, KMSCORE_ACCESS_KEYS=f"LTAI1:{secret}") as (running, address):
        client = vendor_client(address, secret)
        key_id = client.create_key(models.CreateKeyRequest()).body.key_metadata.key_id
        request = models.EncryptRequest(key_id=key_id, plaintext=SECRET)
        client.encrypt(request)
        assert code_of(vendor_client(address, "wrong")) == "SignatureDoesNotMatch"
        with Client(address) as plain:
            plain.call("Encrypt", KeyId=key_id, Plaintext=SECRET)
        running.terminate()
        output, errors = running.communicate(timeout=PATIENCE)
    assert not [text for text in (output, errors, log.read_text()) if "very" in text]
    assert secret not in " ".join(map(str, running.args))
