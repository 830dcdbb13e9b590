"""A real `grader serve` in a process of its own, and a browser that reaches it over the network."""

import contextlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from grader.web.store.store import Store, open_store
from tests.command import environment, grader

SECONDS = 120.0


class Place:
    """Where a service keeps what it remembers, with a course in it."""

    def __init__(self, folder: Path, database: str | None = None) -> None:
        self.folder = folder
        self.options = ["--database", database or str(folder / "service.sqlite")]
        added = grader("course", "add", "dl101", "--title", "Deep learning", *self.options, folder=folder)
        assert added.code == 0, added.err
        self.teacher_code = added.out.split(" the code ")[1].split(",")[0]
        assert (
            grader("course", "assign", "dl101", "linear_regression", *self.options, folder=folder).code == 0
        )

    def store(self) -> Store:
        return open_store(self.options[1], self.folder / "files")


class Running:
    """A service that runs."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self.process, self.url = process, url

    def ready(self) -> None:
        """Wait until it can grade."""
        until(lambda: httpx.get(f"{self.url}/readyz").status_code == 200)

    def answers(self) -> bool:
        """Whether somebody listens."""
        try:
            return httpx.get(f"{self.url}/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def browser(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, follow_redirects=True, timeout=60)

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        return self.process.wait(SECONDS)


@contextlib.contextmanager
def running(place: Place, *options: str, port: int = 0) -> Iterator[Running]:
    """Start a service, on a free port unless one is named; its log is kept beside what it remembers."""
    with (place.folder / "log").open("a") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "grader",
                "serve",
                "--port",
                str(port),
                "--files",
                "files",
                *place.options,
                *options,
            ],
            cwd=place.folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            assert process.stdout is not None
            found = re.search(r"https?://\S+\w", process.stdout.readline())
            assert found is not None, (place.folder / "log").read_text()
            yield Running(process, f"http://127.0.0.1:{port}" if port else found[0])
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(SECONDS)
                finally:
                    process.kill()
            if process.stdout is not None:
                process.stdout.close()


def until(true: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def csrf(page: str) -> str:
    found = re.search(r'name="csrf" value="(\w+)"', page)
    assert found is not None, page
    return found[1]


def enter(browser: httpx.Client, code: str, name: str = "") -> str:
    form = {"csrf": csrf(browser.get("/").text), "code": code, "name": name}
    return browser.post("/enter", data=form).text


def hand_in(browser: httpx.Client, name: str, content: bytes) -> str:
    """Hand in a file; the address of the attempt."""
    token = csrf(browser.get("/assignments/1").text)
    answer = browser.post("/assignments/1/attempts", data={"csrf": token}, files={"file": (name, content)})
    assert answer.status_code == 200, answer.text
    return answer.url.path
