"""A Dask cluster of the tests' own: a scheduler and worker processes, which are killed and replaced."""

import contextlib
import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.command import environment

SECONDS = 60


class Machines:
    """A scheduler, and workers that grade one submission at a time each."""

    def __init__(self, folder: Path, workers: int) -> None:
        """Start them; a context ends them."""
        self._folder = folder
        self._log = (folder / "dask.log").open("ab")
        told = folder / "scheduler.json"
        self._scheduler = self._dask(
            *("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", told),
            *("--no-dashboard", "--dashboard-address", "127.0.0.1:0"),
        )
        deadline = time.monotonic() + SECONDS
        while not told.exists() or not told.read_text():
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)
        self.address: str = json.loads(told.read_text())["address"]
        self._workers = [self._worker() for _ in range(workers)]
        self.killed, self._chance = 0, random.Random(1)

    def kill_one(self) -> None:
        """Kill any worker, with no time to say anything, and start another."""
        worker = self._workers.pop(self._chance.randrange(len(self._workers)))
        worker.kill()
        worker.wait(SECONDS)
        self.killed += 1
        self._workers.append(self._worker())

    @contextlib.contextmanager
    def one_killed_every(self, seconds: float) -> Iterator[None]:
        """Kill workers in the meantime; on a busy machine less often, when both are ready for work."""
        over = threading.Event()

        def kill() -> None:
            while not over.wait(seconds):
                while self.said().count("Registered to:") < len(self._workers) + self.killed:
                    if over.wait(0.1):
                        return
                self.kill_one()

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            yield
        finally:
            over.set()
            killer.join()

    def said(self) -> str:
        """What the processes logged."""
        return (self._folder / "dask.log").read_text()

    def close(self) -> None:
        """End all of them."""
        for process in (*self._workers, self._scheduler):
            process.send_signal(signal.SIGTERM)
        for process in (*self._workers, self._scheduler):
            try:
                process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._log.close()

    def _worker(self) -> "subprocess.Popen[bytes]":
        """One that no nanny starts again."""
        place = self._folder / "scratch"
        alone = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0")
        return self._dask("worker", self.address, *alone, "--local-directory", place)

    def _dask(self, *arguments: str | Path) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *map(str, arguments)],
            cwd=self._folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )


@contextlib.contextmanager
def machines(folder: Path, workers: int) -> Iterator[Machines]:
    """A running cluster."""
    with contextlib.closing(Machines(folder, workers)) as running:
        yield running
