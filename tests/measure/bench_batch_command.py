"""What the whole command takes to grade a class, and what of it is the submissions' own."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.measure.bench_batch_class import SLUG, of_the_sample, sample_cells

JOBS = 2
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


def used_by(command: Sequence[str], **how: object) -> Used:
    """What a command uses, which must not fail. The kernel adds up who ended and was waited for, down to the last grandchild."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how)  # type: ignore[call-overload]
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - began
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Used(wall, usage.ru_utime + usage.ru_stime)


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
