"""`%grade` in a real JupyterLab, in a real browser: a wrong loop is named, its mend gets full marks."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.slow

# A driver for browsers, which `make slow` installs.
driver = pytest.importorskip("playwright.sync_api")

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
START_SECONDS = 120.0
# A grading with its mended reruns, in a new process, on a machine that is busy.
GRADED_MS = 120_000
# How long a cell may take to show that it runs, and how often that is asked of it.
TAKEN_MS, RUNS = 5_000, 6
# Of the starter, those that load and call the grader among them.
CELLS = 7
TRAINING = """import torch

x = torch.arange(100) * 0.01
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(3000):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 1e-2 * w.grad
        b -= 1e-2 * b.grad
"""
MEND = "    w.grad.zero_()\n    b.grad.zero_()\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab whose folder has the starter notebook."""
    folder = tmp_path_factory.mktemp("lab")
    subprocess.run(
        [sys.executable, "-m", "grader", "start", "linear_regression", "--language", "en"],
        cwd=folder,
        check=True,
    )
    port = free_port()
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", f"--port={port}",
               "--ip=127.0.0.1", "--IdentityProvider.token=", "--LabApp.news_url=", "--ServerApp.port_retries=0"]  # fmt: skip
    home = folder / "home"
    home.mkdir()
    with subprocess.Popen(
        command, cwd=folder, env={**os.environ, "HOME": str(home), "LANG": "C.UTF-8"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(f"{address}/api/status")
            yield address
        finally:
            process.terminate()


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(address: str) -> None:
    """Until a server answers."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


@pytest.fixture
def page() -> Iterator[Any]:
    """A page of a real browser."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no Chromium here; `make slow` installs it")
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser.new_page(viewport={"width": 1280, "height": 3000})
        browser.close()


def write_and_run(page: Any, cell: int, text: str) -> None:
    """Put text into a code cell, in the place of what it has, and run it.

    A page that is still setting itself up takes no key for a command: then it is pressed once more.
    """
    chosen = page.locator(".jp-CodeCell").nth(cell)
    before = chosen.locator(".jp-InputPrompt").first.inner_text()
    for _ in range(RUNS):
        chosen.locator(".cm-content").first.click()
        page.keyboard.press("Control+A")
        page.keyboard.insert_text(text)
        page.keyboard.press("Control+Enter")
        with contextlib.suppress(AssertionError):
            driver.expect(chosen.locator(".jp-InputPrompt").first).not_to_have_text(before, timeout=TAKEN_MS)
            return
    raise AssertionError(f"cell {cell} does not run")


@pytest.mark.parametrize("app", ["lab/tree", "notebooks"])
def test_wrong_loop_is_named_and_its_mend_gets_full_marks(app: str, server: str, page: Any) -> None:
    page.goto(f"{server}/{app}/linear_regression.ipynb")
    cells = page.locator(".jp-CodeCell")
    driver.expect(cells).to_have_count(CELLS, timeout=60_000)
    last = CELLS - 1
    write_and_run(page, 0, "%load_ext grader")
    write_and_run(page, 1, TRAINING)
    write_and_run(page, last, "%grade")
    report = cells.nth(last).frame_locator(".jp-OutputArea-output iframe").locator("body")
    driver.expect(report).to_contain_text("the gradients are not cleared", timeout=GRADED_MS)
    write_and_run(page, 1, TRAINING + MEND)
    write_and_run(page, last, "%grade")
    driver.expect(report).to_contain_text("Everything is right", timeout=GRADED_MS)
