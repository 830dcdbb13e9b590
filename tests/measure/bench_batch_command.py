"""What the whole command takes to grade a class, and what of it is the submissions' own."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.measure.bench_batch_class import SLUG, of_the_sample, sample_cells

JOBS = 2
CPUACCT, VERSION_2 = Path("/sys/fs/cgroup/cpuacct"), Path("/sys/fs/cgroup")
POLL_SECONDS = 0.05
# The cells one after the other, in a process that has imported all that they import; the CPU seconds of it, one thread, as in a kernel.
OWN_CPU = """
import json, sys, time
import numpy, torch, torch._dynamo
cells = [compile(source, "cell", "exec") for source in json.load(sys.stdin)]
began = time.process_time()
names = {"__name__": "__main__"}
output, sys.stdout = sys.stdout, open("/dev/null", "w")
for cell in cells: exec(cell, names)
print(time.process_time() - began, file=output)
"""


class Used(NamedTuple):
    """Seconds by the clock, and of all processors: of a process and of every process below it."""

    wall: float
    cpu: float


def used_by(command: Sequence[str]) -> Used:
    """What a command uses, which must not fail."""
    began = time.perf_counter()
    with _group() as group:
        code = subprocess.run(
            [*group.begin(), *command], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ).returncode
        wall = time.perf_counter() - began
        if code:
            raise subprocess.CalledProcessError(code, command)
        return Used(wall, group.cpu_seconds())


class _Group(NamedTuple):
    """A control group that adds up the CPU time of all processes in it, also of those that have ended.

    What a parent is told of its children's time (RUSAGE_CHILDREN) lacks what ran in a namespace for processes, and
    that is every submission: whom Linux ends with their namespace it does not add up.
    """

    folder: Path

    def begin(self) -> list[str]:
        """What to put in front of a command, which is then in the group, and with it whatever it starts."""
        return ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self.folder / "cgroup.procs")]

    def cpu_seconds(self) -> float:
        """The time of all, once the last of them has ended."""
        while (self.folder / "cgroup.procs").read_text("ascii").split():
            time.sleep(POLL_SECONDS)
        version_1 = self.folder / "cpuacct.usage"
        if version_1.is_file():
            return int(version_1.read_text("ascii")) / 1e9
        counts = dict(line.split() for line in (self.folder / "cpu.stat").read_text("ascii").splitlines())
        return int(counts["usage_usec"]) / 1e6


@contextmanager
def _group() -> Iterator[_Group]:
    """A new group, of version 1 or 2; it takes root, or on version 2 a delegated subtree. Raises OSError."""
    top = CPUACCT if CPUACCT.is_dir() else VERSION_2
    folder = top / f"grader-bench-{os.getpid()}"
    folder.mkdir()
    try:
        yield _Group(folder)
    finally:
        folder.rmdir()


def graded(count: int) -> Used:
    """`grader batch` of so many distinct right submissions, into a new folder."""
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as folder:
        submissions = of_the_sample(Path(folder) / "submissions", count)
        return used_by(command(submissions, Path(folder) / "grades"))


def command(submissions: Path, output: Path) -> list[str]:
    """The command, as a teacher types it."""
    where = [str(submissions), "--exercise", SLUG, "--output", str(output)]
    return [sys.executable, "-m", "grader", "batch", *where, "--jobs", str(JOBS)]


def own_cpu() -> float:
    """CPU seconds of one run of the sample's cells, after its imports."""
    done = subprocess.run(
        [sys.executable, "-c", OWN_CPU],
        input=json.dumps(sample_cells(0)),
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)
