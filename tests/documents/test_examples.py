"""The examples: each runs in a process of its own, from an empty folder, as its docstring says.

`tests/bulk/test_spark.py` runs the job of Spark, because a start of Spark takes long.
"""

import base64
import importlib.util
import io
import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from cryptography.exceptions import InvalidTag
from support import databases
from support.commands import (
    NEW,
    OLD,
    PASSPHRASE,
    base64_of,
    environment,
    opened,
    seal,
    write_ring,
)
from support.time_limits import PATIENCE

import kmscore
from kmscore import Keyring, KeySpec, SymmetricKey

_ROOT = Path(__file__).resolve().parents[2]
_EXAMPLES = _ROOT / "examples"
_SCRIPTS = sorted(_EXAMPLES.glob("*.py"))
_FRAME = 1 << 16
_CONTEXT = {"file": "report.pdf"}
FILES = Keyring([SymmetricKey.generate(KeySpec.AES_256, key_id="files", key_version_id="1")])


def _command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-P", *map(str, arguments)]


def _run(
    folder: Path, *arguments: str | Path, code: int = 0, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run Python with arguments in a folder, and check its exit code."""
    done = subprocess.run(
        _command(*arguments),
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=PATIENCE,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


@contextmanager
def _serving(folder: Path, *arguments: str | Path) -> Iterator[str]:
    """Run an example that serves; yield its URL, and check that it logs no parameter."""
    with subprocess.Popen(
        _command(*arguments),
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            _, log = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in log
    assert "laintext" not in log


@pytest.mark.parametrize("script", [pytest.param(path, id=path.name) for path in _SCRIPTS])
def test_an_example_is_short_and_says_how_to_run_it(script: Path) -> None:
    """It has less than 60 lines, and its docstring has a command with its name."""
    text = script.read_text("utf-8")
    assert len(text.splitlines()) < 60
    docstring = text.split('"""')[1]
    assert re.search(rf"^    \S.*\b{re.escape(script.name)}\b", docstring, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("encrypt_file.py", "encrypt|decrypt KEYRING SOURCE TARGET"),
        ("rotate_postgresql.py", "KEYRING"),
        pytest.param(
            *("spark_job.py", "SOURCE DESTINATION"),
            marks=pytest.mark.skipif(
                importlib.util.find_spec("pyspark") is None, reason="pyspark is not installed"
            ),
        ),
        ("web_service.py", "KEYRING [PORT]"),
    ],
)
def test_an_example_without_its_arguments_prints_the_usage(
    tmp_path: Path, name: str, arguments: str
) -> None:
    """The exit code is 2; arguments that are too many, or a wrong action, give the same."""
    for wrong in ([], ["rename", "a", "b", "c"]):
        done = _run(tmp_path, _EXAMPLES / name, *wrong, code=2)
        assert (done.stdout, done.stderr) == ("", f"usage: {name} {arguments}\n")


def test_the_start_page_lists_every_example() -> None:
    """Its table has a row for each file."""
    page = (_ROOT / "docs" / "index.md").read_text("utf-8")
    named = re.findall(r"^\| \[([\w.]+)\]\(\.\./examples/\1\) \|", page, re.MULTILINE)
    assert sorted(named) == sorted(path.name for path in _EXAMPLES.iterdir() if path.is_file())


# --- behind a web framework ---


def _post(url: str, body: Any) -> tuple[int, dict[str, str]]:
    """Send JSON, or a text of JSON; return the status and the JSON of the response."""
    data = (body if isinstance(body, str) else json.dumps(body)).encode()
    headers = {"Content-Type": "application/json"}
    request = Request(f"{url}/reencrypt", data, headers)  # noqa: S310 (our own server)
    try:
        with urlopen(request, timeout=PATIENCE) as response:  # noqa: S310
            return response.status, json.load(response)
    except HTTPError as error:
        with error:
            is_json = error.headers.get_content_type() == "application/json"
            return error.code, json.load(error) if is_json else {}


def _announce(url: str, length: int) -> int:
    """Send only the headers of a request with a body of some bytes; return the status."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=60)
    connection.putrequest("POST", "/reencrypt")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(length))
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


def test_the_web_service_reencrypts_over_http(tmp_path: Path) -> None:
    """A right request gives a blob under the new version, and each wrong one an error."""
    context = {"tenant": "acme"}
    right = {
        "ciphertext_blob": base64_of(seal(b"4711", context, OLD)),
        "destination_key_id": "orders",
        "context": json.dumps(context),
    }
    forged = base64_of(seal(b"4711", context, OLD)[:-1] + b"\0")
    ring = write_ring(tmp_path / "orders.keyring")
    with _serving(tmp_path, _EXAMPLES / "web_service.py", ring) as url:
        status, body = _post(url, right)
        assert (status, list(body)) == (200, ["ciphertext_blob"])
        result = opened(body["ciphertext_blob"], context)
        assert (result.key_version_id, result.plaintext) == (NEW.key_version_id, b"4711")
        for change, answer in (
            ({"ciphertext_blob": forged}, {"error": "decryption"}),
            ({"context": "{}"}, {"error": "decryption"}),
            ({"context": '{"tenant": 1}'}, {"error": "invalid_context"}),
            ({"context": '{"tenant": "a", "tenant": "acme"}'}, {"error": "invalid_context"}),
            ({"context": context}, {}),
            ({"ciphertext_blob": "S01T"}, {"error": "invalid_blob"}),
            ({"destination_key_id": "unknown"}, {"error": "key_not_found"}),
            ({"ciphertext_blob": 4711}, {}),
        ):
            status, body = _post(url, right | change)
            assert (status // 100, body) == (4, answer), change
        assert _post(url, [])[0] == 400
        assert _post(url, "[" * 50_000 + "]" * 50_000) == (400, {"error": "too_deep"})
        assert _announce(url, 2 << 20) == 413


# --- envelope encryption of a file ---


def test_a_file_of_some_megabytes_is_encrypted_and_decrypted(tmp_path: Path) -> None:
    """The plaintext comes back under its name only, and a failure leaves no file."""
    write_ring(tmp_path / "files.keyring", FILES)
    data = os.urandom(5 * (1 << 20) + 1)
    (tmp_path / "report.pdf").write_bytes(data)
    script = _EXAMPLES / "encrypt_file.py"
    _run(tmp_path, script, "encrypt", "files.keyring", "report.pdf", "report.enc")
    (tmp_path / "report.pdf").unlink()
    _run(tmp_path, script, "decrypt", "files.keyring", "report.enc", "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes() == data
    names = sorted(path.name for path in tmp_path.iterdir())
    arguments = ("decrypt", "files.keyring", "report.enc", "other.pdf")
    shown = _run(tmp_path, script, *arguments, code=1).stderr
    assert shown.startswith("report.enc: the ciphertext cannot be decrypted with this key")
    (tmp_path / "report.enc").write_bytes((tmp_path / "report.enc").read_bytes()[:-1])
    arguments = ("decrypt", "files.keyring", "report.enc", "report.pdf")
    assert _run(tmp_path, script, *arguments, code=1).stderr == "report.enc: InvalidTag\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert (tmp_path / "report.pdf").read_bytes() == data


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_a_decrypted_file_is_only_for_its_owner(tmp_path: Path) -> None:
    """The plaintext was secret before, and has no other readers after it."""
    write_ring(tmp_path / "files.keyring", FILES)
    (tmp_path / "report.pdf").write_bytes(b"4711")
    script = _EXAMPLES / "encrypt_file.py"
    _run(tmp_path, script, "encrypt", "files.keyring", "report.pdf", "report.enc")
    (tmp_path / "report.pdf").unlink()
    _run(tmp_path, script, "decrypt", "files.keyring", "report.enc", "report.pdf")
    assert (tmp_path / "report.pdf").stat().st_mode & 0o777 == 0o600


def _interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_an_interrupted_run_leaves_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C, the plaintext until then is removed."""
    ring = write_ring(tmp_path / "files.keyring", FILES)
    script = str(_EXAMPLES / "encrypt_file.py")
    (tmp_path / "in").write_bytes(_encrypted(runpy.run_path(script), b"4711"))
    paths = (str(ring), str(tmp_path / "in"), str(tmp_path / "report.pdf"))
    monkeypatch.setattr(sys, "argv", [script, "decrypt", *paths])
    monkeypatch.setenv("KMSCORE_PASSPHRASE", PASSPHRASE.decode())
    monkeypatch.setattr(os, "umask", lambda _: 0)
    # The part exists before the data key is decrypted.
    monkeypatch.setattr(kmscore, "decrypt", _interrupted)
    with pytest.raises(KeyboardInterrupt):
        runpy.run_path(script, run_name="__main__")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["files.keyring", "in"]


@pytest.fixture(scope="module")
def envelope() -> dict[str, Any]:
    """Return the functions of the example."""
    return runpy.run_path(str(_EXAMPLES / "encrypt_file.py"))


def _encrypted(envelope: dict[str, Any], data: bytes) -> bytes:
    target = io.BytesIO()
    envelope["encrypt"](FILES, io.BytesIO(data), target, "report.pdf")
    return target.getvalue()


def _decrypted(envelope: dict[str, Any], data: bytes) -> bytes:
    target = io.BytesIO()
    envelope["decrypt"](FILES, io.BytesIO(data), target, "report.pdf")
    return target.getvalue()


@pytest.mark.parametrize("size", [0, 1, _FRAME - 1, _FRAME, _FRAME + 1, 2 * _FRAME])
def test_a_file_of_any_size_comes_back(envelope: dict[str, Any], size: int) -> None:
    """Each frame adds 16 bytes, and the header is the blob of the data key with its length."""
    data = os.urandom(size)
    stored = _encrypted(envelope, data)
    header = 2 + int.from_bytes(stored[:2], "big")
    assert kmscore.decrypt(FILES, stored[2:header], _CONTEXT).key_id == "files"
    assert len(stored) == header + size + 16 * max(1, -(-size // _FRAME))
    assert _decrypted(envelope, stored) == data


def test_frames_that_are_moved_do_not_decrypt(envelope: dict[str, Any]) -> None:
    """The last frame removed, two frames exchanged, one repeated, or bytes added: all fail."""
    data = os.urandom(3 * _FRAME)
    stored = _encrypted(envelope, data)
    header = 2 + int.from_bytes(stored[:2], "big")
    size = _FRAME + 16
    start, *frames = stored[:header], *(stored[header + n * size :][:size] for n in range(3))
    first, second, third = frames
    assert _decrypted(envelope, b"".join([start, *frames])) == data
    for moved in (
        (first, second),
        (second, first, third),
        (first, second, second, third),
        (first, second, third, third),
        (first, second, third, b"\0"),
        (),
    ):
        with pytest.raises(InvalidTag):
            _decrypted(envelope, b"".join([start, *moved]))
    with pytest.raises(kmscore.InvalidBlobError):
        _decrypted(envelope, b"")


# --- the other examples ---


def test_the_keys_of_a_database_encrypt(tmp_path: Path) -> None:
    """The provider over SQLite gives the last version; its page shows more."""
    shown = _run(tmp_path, _EXAMPLES / "key_store_sqlite.py").stdout
    assert shown.startswith("EncryptResult(key_id='orders', key_version_id='1', ")
    assert list(tmp_path.iterdir()) == []


def _new_root(version: str) -> SymmetricKey:
    return SymmetricKey.generate(KeySpec.AES_256, key_id="root", key_version_id=version)


@contextmanager
def _stored_keys(path: Path, version: SymmetricKey) -> Iterator[Any]:
    """Open the key store of the example under a root key version, and close it at the end."""
    make = runpy.run_path(str(_EXAMPLES / "key_store_sqlite.py"))["DatabaseKeys"]
    keys = make(str(path), Keyring([version]))
    with closing(keys.database):
        yield keys


def test_the_keys_of_a_database_are_there_for_other_connections_and_threads(tmp_path: Path) -> None:
    """Each version is committed when it is added, and threads can use the connection."""
    path, root = tmp_path / "keys.db", _new_root("1")
    with _stored_keys(path, root) as first, _stored_keys(path, root) as second:
        first.add("orders", "1")
        blob = kmscore.encrypt(first, "orders", b"4711").ciphertext_blob
        with ThreadPoolExecutor(4) as pool:
            plaintexts = pool.map(lambda _: kmscore.decrypt(second, blob).plaintext, range(200))
            assert set(plaintexts) == {b"4711"}


@pytest.mark.parametrize(
    ("damage", "name"),
    [
        ("material = substr(material, 1, 20)", "InvalidBlobError"),
        ("material = (SELECT max(material) FROM keys WHERE id = 'files')", "DecryptionError"),
        ("state = 'enabled'", "UnsupportedAlgorithmError"),
        ("material = 4711", "TypeError"),
        (None, "KeyVersionNotFoundError"),
    ],
)
def test_a_row_that_cannot_be_used_is_no_fault_of_the_ciphertext(
    tmp_path: Path, damage: str | None, name: str
) -> None:
    """The exception is not one of the library, so no caller takes its ciphertext for damaged."""
    path, root = tmp_path / "keys.db", _new_root("1")
    with _stored_keys(path, root) as keys:
        keys.add("orders", "1")
        keys.add("files", "1")
        blob = kmscore.encrypt(keys, "orders", b"4711").ciphertext_blob
        if damage is not None:
            keys.database.execute(f"UPDATE keys SET {damage} WHERE id = 'orders'")
    with _stored_keys(path, _new_root("2") if damage is None else root) as keys:
        for operation in (
            lambda: kmscore.encrypt(keys, "orders", b"4711"),
            lambda: kmscore.decrypt(keys, blob),
        ):
            with pytest.raises(RuntimeError, match=f"^a row of the key store: {name}$"):
                operation()


def test_the_ciphertexts_leave_the_service(tmp_path: Path) -> None:
    """Three ciphertexts of the emulator become v1 blobs, and the damaged one is reported."""
    assert _run(tmp_path, _EXAMPLES / "leave_the_service.py").stdout.splitlines() == [
        "acme rewritten own True",
        "bell rewritten own True",
        "coop rewritten own True",
        "damaged failed decryption",
    ]


def test_the_rows_of_postgresql_are_reencrypted(tmp_path: Path) -> None:
    """Right rows get the new version, and the damaged one keeps its bytes and is named."""
    ring = write_ring(tmp_path / "orders.keyring")
    with databases.live(databases.POSTGRESQL, tmp_path) as live:
        live.run("CREATE TABLE orders (id bigint PRIMARY KEY, tenant text NOT NULL, card bytea)")
        tenants = ["acme", "bell", "coop"]
        rows = [
            {"id": number, "tenant": tenant, "card": seal(b"4711", {"tenant": tenant}, OLD)}
            for number, tenant in enumerate(tenants)
        ]
        live.insert("orders", [*rows, {"id": 3, "tenant": "acme", "card": b"KMS"}])
        script = _EXAMPLES / "rotate_postgresql.py"
        shown = _run(tmp_path, script, ring, code=1, KMSCORE_DATABASE_URL=live.url)
        assert shown.stdout.splitlines() == [
            "row 3: invalid_blob",
            '{"rewritten": 3, "remaining": 1}',
            "orders, version 2: 3",
        ]
        assert "4 rows" in shown.stderr
        blobs = live.blobs("orders", "card")
        for tenant, blob in zip(tenants, blobs[:3], strict=True):
            result = opened(bytes(blob), {"tenant": tenant})
            assert (result.key_version_id, result.plaintext) == ("2", b"4711")
        assert bytes(blobs[3]) == b"KMS"


@pytest.mark.thorough
def test_the_tests_with_the_emulator_pass(tmp_path: Path) -> None:
    """Pytest runs the three tests of the file with the fixtures of the plugin."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    options = ("-q", "-p", "no:cacheprovider", "-c", "pytest.ini", "--rootdir", ".")
    done = _run(tmp_path, "-m", "pytest", *options, _EXAMPLES / "test_orders.py")
    assert "3 passed" in done.stdout


def _ask(folder: Path, responder: Path, *operations: str, code: int = 0) -> str:
    """Run the vectors of some operations on a responder; return the output."""
    options = [text for name in operations for text in ("--operation", name)]
    command = ("-m", "kmscore_vectors", "run", "--quiet", *options, "--", *_command(responder))
    return _run(folder, *command, code=code).stdout


@pytest.mark.thorough
def test_the_responder_is_right_on_the_vectors(tmp_path: Path) -> None:
    """The page shows the number of right answers, and the effect of a missing check."""
    page = (_ROOT / "docs" / "howto" / "verify-implementation.md").read_text("utf-8")
    responder = _EXAMPLES / "vectors_responder.py"
    shown = _ask(tmp_path, responder, "canonicalize", "xaes_256_gcm_open").splitlines()[-1]
    assert re.fullmatch(r"\d+ right\.", shown)
    assert f"\n{shown}\n" in page
    code = responder.read_text("utf-8")
    changed = code.replace("if len(canonical) > 0xFFFF:", "if False:")
    assert changed != code
    (tmp_path / "changed.py").write_text(changed, "utf-8")
    shown = _ask(tmp_path, tmp_path / "changed.py", "canonicalize", code=1)
    assert re.search(r"^ +TooLong +2 +8 *$", shown, re.MULTILINE)
    assert "it accepts eight tests with the flag `TooLong`" in page


def test_the_client_of_the_vendor_calls_the_local_server(tmp_path: Path) -> None:
    """With the server of the guide, the client of the guide prints the text that is shown."""
    page = (_ROOT / "docs" / "howto" / "alibaba-server.md").read_text("utf-8")
    blocks = re.findall(r"^```python\n(?!>>>)(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    (client,) = (block for block in blocks if "alibabacloud_kms20160120" in block)
    with _serving(tmp_path, _EXAMPLES / "local_kms.py", "0") as url:
        code = client.replace("127.0.0.1:8080", url.removeprefix("http://"))
        assert code != client
        assert _run(tmp_path, "-c", code).stdout == "archive NDcxMQ==\n"
        query = f"Action=Encrypt&KeyId=orders&Plaintext={base64.b64encode(b'4711').decode()}"
        with urlopen(f"{url}/?{query}") as response:  # noqa: S310 (our own server)
            assert json.load(response)["KeyId"] == "orders"
