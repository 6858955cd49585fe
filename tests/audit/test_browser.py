"""A page in a real browser: its script runs under its policy, and a click keeps a byte marked."""

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
from support.audit_cases import CONTEXT, PLAINTEXT, blob_of, keyring
from support.time_limits import PATIENCE

from kmscore import audit
from kmscore.audit import Secrecy, render

_ARGUMENTS = ["--headless=new", "--no-sandbox", "--hide-scrollbars", "--disable-gpu"]
_CAPABILITIES = {
    "goog:chromeOptions": {"args": _ARGUMENTS},
    "goog:loggingPrefs": {"browser": "ALL"},
}
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Ask]:
    """Return a function that sends a command of WebDriver to a browser on loopback."""
    driver = shutil.which("chromedriver")
    if driver is None:
        pytest.skip("chromedriver is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([driver, f"--port={port}"], stdout=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"

    def ask(method: str, path: str, **body: Any) -> Any:
        data = None if method == "GET" else json.dumps(body).encode()
        request = urllib.request.Request(base + path, data, method=method)  # noqa: S310 (loopback)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 (loopback)
            return json.load(answer)["value"]

    session = ""
    try:
        _wait(lambda: ask("GET", "/status")["ready"])
        made = ask("POST", "/session", capabilities={"alwaysMatch": _CAPABILITIES})
        session = f"/session/{made['sessionId']}"
        yield lambda method, path, **body: ask(method, session + path, **body)
    finally:
        if session:
            ask("DELETE", session)
        process.kill()
        process.wait(PATIENCE)


def _wait(is_ready: Callable[[], bool]) -> None:
    """Wait until the driver answers."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            if is_ready():
                return
        except URLError:
            time.sleep(0.1)
    pytest.fail("the driver does not answer")


@pytest.fixture
def page(browser: Ask, tmp_path: Path) -> Ask:
    """Open the page of a decryption; return a function that runs a script in it."""
    trace = audit.trace_decrypt(keyring(), blob_of("xaes"), CONTEXT)
    file = tmp_path / "trace.html"
    file.write_text(render.html(trace, reveal={Secrecy.PLAINTEXT}), "utf-8")
    browser("POST", "/url", url=file.as_uri())
    return lambda script: browser("POST", "/execute/sync", script=f"return {script}", args=[])


def _element(browser: Ask, selector: str) -> str:
    found = browser("POST", "/element", using="css selector", value=selector)
    element: str = found[_ELEMENT]
    return element


_KEPT = "[...document.querySelectorAll('.kept')].map(each => each.textContent)"


def test_a_click_keeps_a_byte_marked_in_every_step(browser: Ask, page: Ask) -> None:
    """The byte is marked in blob, ciphertext, padded block and plaintext, until a second click."""
    blob = blob_of("xaes")
    offset = len(blob) - 16 - len(PLAINTEXT)
    element = _element(browser, f"#read i[data-b='0.{offset}']")
    browser("POST", f"/element/{element}/click")
    kept = page(_KEPT)
    assert len(kept) >= 5
    assert f"{PLAINTEXT[0]:02x}" in kept
    tip = page("document.getElementById('tip').textContent")
    assert tip == f"ciphertext: the encrypted bytes, offset {offset}"
    browser("POST", f"/element/{element}/click")
    assert page(_KEPT) == []


def test_an_entry_of_the_legend_marks_its_field(browser: Ask, page: Ask) -> None:
    """A click on the name of a field marks all its bytes; the keyboard does so too."""
    browser("POST", f"/element/{_element(browser, '.legend b:nth-of-type(5)')}/click")
    bytes_of_id = page("document.querySelectorAll('i.kept').length")
    assert bytes_of_id >= 2 * len("xaes")
    browser("POST", f"/element/{_element(browser, 'body')}/value", text="\ue00c")
    assert page(_KEPT) == []


@pytest.mark.parametrize("width", [390, 1400])
def test_a_page_fits_the_window(browser: Ask, page: Ask, width: int) -> None:
    """Nothing is wider than the window, and the policy blocks nothing of the page."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    for scheme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        for command, parameters in (
            ("Emulation.setDeviceMetricsOverride", size),
            ("Emulation.setEmulatedMedia", {"features": features}),
        ):
            browser("POST", "/goog/cdp/execute", cmd=command, params=parameters)
        assert page("document.documentElement.scrollWidth") <= width
        paper = page("getComputedStyle(document.body).backgroundColor")
        assert paper == {"light": "rgb(250, 249, 246)", "dark": "rgb(17, 20, 26)"}[scheme]
    assert browser("POST", "/se/log", type="browser") == []
