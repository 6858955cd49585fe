"""The page "Test your application against a local KMS": its test and its seed work as shown."""

import json
import re
from pathlib import Path

from support.emulated_kms import Emulated
from support.pytest_runs import run_pytest

from kmscore.emulator import add_seed

_ROOT = Path(__file__).resolve().parents[2]
_PAGE = (_ROOT / "docs" / "howto" / "test-your-application.md").read_text("utf-8")
_BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", _PAGE, re.DOTALL | re.MULTILINE)


def test_the_test_on_the_page_passes(tmp_path: Path) -> None:
    """It has fifteen lines of code, and needs one more line to switch the plugin on."""
    conftest, test = [text for kind, text in _BLOCKS if kind == "python"][:2]
    assert len([line for line in test.splitlines() if line]) <= 15
    (tmp_path / "conftest.py").write_text(conftest)
    (tmp_path / "test_orders.py").write_text(test)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    assert "1 passed" in run_pytest(tmp_path)


def test_the_seed_on_the_page_is_valid() -> None:
    """Its keys have the states and specs that it names."""
    (text,) = (text for kind, text in _BLOCKS if kind == "json")
    kms = Emulated()
    add_seed(kms.store, text)
    keys = kms.store.contents().keys.values()
    assert [(key.key_id, key.spec.value, key.state.value) for key in keys] == [
        ("orders", "Aliyun_AES_256", "Enabled"),
        ("branch", "RSA_2048", "Enabled"),
        ("old", "Aliyun_AES_256", "Disabled"),
    ]
    assert kms.body("DescribeKey", KeyId="alias/orders")["KeyMetadata"]["KeyId"] == "orders"
    assert json.loads(text)["keys"]


def test_the_image_has_ten_lines() -> None:
    """The page says that it was not built."""
    lines = (_ROOT / "examples" / "Dockerfile").read_text("utf-8").splitlines()
    assert len(lines) == 10
    assert "has not been built" in lines[0]
    assert "It has not been built by the tests of this project." in _PAGE
