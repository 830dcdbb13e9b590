"""What looking at a report costs: the page of the sample, and how soon a saved file is graded again."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

EXERCISE = ("--exercise", "linear_regression")
CHECK = (sys.executable, "-m", "grader", "check")


def check_seconds(sample: Path, *options: str) -> float:
    """Seconds of a cold `grader check` of a right file."""
    began = time.perf_counter()
    subprocess.run([*CHECK, str(sample), *EXERCISE, *options], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def page_bytes(sample: Path) -> int:
    """The length of its page."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        check_seconds(sample, "--format", "html", "--output", str(page))
        return page.stat().st_size


class Watched:
    """`grader check --watch` of a copy of a file; what it says goes into a file, as to a screen that is not read."""

    def __init__(self, sample: Path, folder: Path) -> None:
        """Start it, and wait for the first report."""
        self._file, self._said = folder / sample.name, folder / "said.txt"
        self._file.write_bytes(sample.read_bytes())
        with self._said.open("w") as said:
            self._process = subprocess.Popen(
                [*CHECK, str(self._file), *EXERCISE, "--watch"], stdout=subprocess.DEVNULL, stderr=said
            )
        self._reports = 0
        self._next_report()

    def save(self) -> float:
        """Seconds from saving the file to the end of its report."""
        began = time.perf_counter()
        self._file.write_bytes(self._file.read_bytes() + b"\n")
        self._next_report()
        return time.perf_counter() - began

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()

    def _next_report(self) -> None:
        self._reports += 1
        while self._said.read_text("utf-8").count(f"waiting for {self._file}") < self._reports:
            if self._process.poll() is not None:
                raise RuntimeError(self._said.read_text("utf-8"))
            time.sleep(0.005)


@contextmanager
def watched(sample: Path) -> Iterator[Watched]:
    """A copy of the sample that is watched."""
    with tempfile.TemporaryDirectory() as folder:
        watching = Watched(sample, Path(folder))
        try:
            yield watching
        finally:
            watching.close()
