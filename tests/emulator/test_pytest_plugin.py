"""The pytest plugin: the fixtures in this process, and the one line that switches them on."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_kms20160120 import models
from alibabacloud_tea_openapi.exceptions import ClientException, ServerException
from support.pytest_runs import run_pytest
from support.time_limits import PATIENCE

from kmscore import KeyState, alibaba
from kmscore.emulator import MANAGEMENT_ACTIONS
from kmscore.emulator.pytest_plugin import Kms, KmsServer

CONTEXT = {"tenant": "acme", "table": "orders"}


@pytest.mark.parametrize("tls", [False, True])
def test_the_client_of_the_vendor_works(kms: Kms, tls: bool) -> None:
    """A context is bound: under another one, the client raises its own exception."""
    key_id = kms.create_key(alias="alias/orders", description="all orders")
    client = kms.client(tls=tls)
    sealed = client.encrypt(
        models.EncryptRequest(
            key_id="alias/orders", plaintext="p@ss wörd", encryption_context=CONTEXT
        )
    ).body
    assert sealed.key_id == key_id
    request = models.DecryptRequest(ciphertext_blob=sealed.ciphertext_blob)
    for context in (None, {"tenant": "acme"}):
        request.encryption_context = context
        with pytest.raises(ClientException) as caught:
            client.decrypt(request)
        assert caught.value.code == "InvalidParameter"
    request.encryption_context = CONTEXT
    assert client.decrypt(request).body.plaintext == "p@ss wörd"
    assert [(each.action, each.code) for each in kms.requests] == [
        ("Encrypt", "OK"),
        ("Decrypt", "InvalidParameter"),
        ("Decrypt", "InvalidParameter"),
        ("Decrypt", "OK"),
    ]
    assert kms.requests[0].contexts == {"EncryptionContext": CONTEXT}


def test_a_test_begins_with_a_clean_store(kms: Kms) -> None:
    """Neither keys nor requests of another test are there."""
    assert kms.requests == []
    assert kms.client().list_keys(models.ListKeysRequest()).body.total_count == 0


def test_the_next_requests_fail_as_told(kms: Kms) -> None:
    """Errors have an order, a number, and perhaps an action; then requests succeed again."""
    key_id = kms.create_key("Aliyun_SM4")
    client = kms.client()

    def code(**options: Any) -> str:
        try:
            client.describe_key(models.DescribeKeyRequest(key_id=key_id, **options))
        except (ClientException, ServerException) as error:
            return str(error.code)
        return "OK"

    kms.fail_next("Rejected.Throttling", times=2)
    kms.fail_next("InternalFailure", action="Encrypt")
    kms.fail_next("Forbidden.NoPermission", action="DescribeKey")
    codes = [code() for _ in range(4)]
    assert codes == ["Rejected.Throttling"] * 2 + ["Forbidden.NoPermission", "OK"]
    with pytest.raises(ServerException):
        client.encrypt(models.EncryptRequest(key_id=key_id, plaintext=""))
    assert [each.action for each in kms.requests] == ["DescribeKey"] * 4 + ["Encrypt"]
    with pytest.raises(ValueError, match="no error has the code 'Throttled'"):
        kms.fail_next("Throttled")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"action": "decrypt"}, ValueError, "the service has no action 'decrypt'; give a name"),
        ({"action": "kms:Decrypt"}, ValueError, "the service has no action 'kms:Decrypt'"),
        ({"action": ""}, ValueError, "the service has no action ''"),
        ({"action": 7}, TypeError, "action must be str"),
        ({"times": 0}, ValueError, "times"),
        ({"times": "3"}, TypeError, "times must be"),
    ],
)
def test_an_error_that_would_never_come_is_rejected(
    kms: Kms, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    """The next request succeeds."""
    with pytest.raises(error, match=message):
        kms.fail_next("Rejected.Throttling", **options)
    kms.client().list_keys(models.ListKeysRequest())
    for action in ("GetSecretValue", *MANAGEMENT_ACTIONS, "Decrypt"):
        kms.fail_next("Rejected.Throttling", action=action)


def test_the_clock_takes_a_duration(kms: Kms) -> None:
    """A number could be seconds or days."""
    with pytest.raises(TypeError, match="time must be timedelta, not int"):
        kms.advance(8)  # type: ignore[arg-type]


def test_the_clock_of_the_store_can_go_forward(kms: Kms) -> None:
    """Signatures stay valid, and a key is deleted when its window is over."""
    key_id = kms.create_key()
    client = kms.client()
    request = models.ScheduleKeyDeletionRequest(key_id=key_id, pending_window_in_days=7)
    client.schedule_key_deletion(request)
    assert kms.store.primary(key_id).state is KeyState.PENDING_DELETION
    kms.advance(timedelta(days=8))
    with pytest.raises(ClientException) as caught:
        client.describe_key(models.DescribeKeyRequest(key_id=key_id))
    assert caught.value.code == "Forbidden.KeyNotFound"


def test_signatures_are_verified(kms: Kms) -> None:
    """A client with another secret is rejected."""
    with pytest.raises(ClientException) as caught:
        kms.client(access_key_secret="other").list_keys(models.ListKeysRequest())
    assert caught.value.code == "SignatureDoesNotMatch"


def test_another_process_finds_the_server(kms: Kms) -> None:
    """The variables have what a client needs; over TLS it reads the name of the certificate."""
    code = """
import os
from alibabacloud_kms20160120.client import Client
from alibabacloud_kms20160120.models import CreateKeyRequest
from alibabacloud_tea_openapi.models import Config
client = Client(Config(
    access_key_id=os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
    access_key_secret=os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
    region_id="any", endpoint=os.environ["KMSCORE_ENDPOINT"]))
print(client.create_key(CreateKeyRequest()).body.key_metadata.key_id)
"""
    made = []
    for tls in (False, True):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            env={"PATH": os.environ["PATH"]} | kms.environment(tls=tls),
            capture_output=True,
            check=False,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        made.append(done.stdout.strip())
    assert list(kms.store.contents().keys) == made
    assert "REQUESTS_CA_BUNDLE" not in kms.environment()
    assert kms.environment(tls=True)["REQUESTS_CA_BUNDLE"] == kms.ca_bundle
    assert kms.endpoint.startswith("http://127.0.0.1:")
    assert kms.tls_endpoint.startswith("https://127.0.0.1:")


def test_the_layout_can_be_another_one(kms_server: KmsServer) -> None:
    """A test suite overrides the fixture `kms_profile`."""
    kms = Kms(kms_server, alibaba.Profile.V1_TEXT)
    key_id = kms.create_key()
    request = models.EncryptRequest(key_id=key_id, plaintext="a text")
    blob = kms.client().encrypt(request).body.ciphertext_blob
    assert blob.startswith("S01T")  # KMS in Base64


def test_one_line_switches_the_plugin_on(tmp_path: Path) -> None:
    """Without it, the fixtures are unknown; the plugin is not an entry point."""
    (tmp_path / "test_orders.py").write_text(
        "def test_orders(kms):\n    assert kms.create_key() in kms.store.contents().keys\n"
    )
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    results = []
    for line in ("", 'pytest_plugins = ["kmscore.emulator.pytest_plugin"]\n'):
        (tmp_path / "conftest.py").write_text(line)
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        results.append((done.returncode, "fixture 'kms' not found" in done.stdout))
    assert results == [(1, True), (0, False)], done.stdout


def test_nothing_of_a_test_is_served_after_it(tmp_path: Path) -> None:
    """A test with the server alone finds neither the keys nor the errors of the test before it."""
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["kmscore.emulator.pytest_plugin"]\n')
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_orders.py").write_text(
        """
from alibabacloud_kms20160120.models import ListKeysRequest
clients = []

def test_first(kms):
    kms.create_key()
    clients.append(kms.client())
    assert clients[0].list_keys(ListKeysRequest()).body.total_count == 1
    kms.fail_next("Rejected.Throttling")

def test_second(kms_server):
    assert clients[0].list_keys(ListKeysRequest()).body.total_count == 0
"""
    )
    run_pytest(tmp_path)
