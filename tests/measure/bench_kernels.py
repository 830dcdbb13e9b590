"""What a kernel costs: the stop watch and the scales of `bench`, each beside its baseline."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from grader.kernel.pool import Kernels
from grader.kernel.usage import tree
from grader.model import Limits, Submission
from tests.life import DAEMONS, find
from tests.sessions import submission

IMPORT = "import torch"
LIMITS = Limits()
# The sample's cells one after the other, in a process that has imported all that they import, torch's parts that the
# first optimizer imports included; one thread, as in a kernel.
OWN_CODE = """
import json, sys, time
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot, numpy, torch, torch._dynamo
cells = [compile(source, "cell", "exec") for source in json.load(sys.stdin)]
began = time.perf_counter()
names = {"__name__": "__main__"}
output, sys.stdout = sys.stdout, open("/dev/null", "w")
for cell in cells: exec(cell, names)
print(time.perf_counter() - began, file=output)
"""


@contextlib.contextmanager
def watch(seconds: list[float]) -> Iterator[None]:
    """Append how long the block took."""
    began = time.perf_counter()
    yield
    seconds.append(time.perf_counter() - began)


def start(kernels: Kernels) -> float:
    """Seconds from nothing to a kernel that serves; it is ended outside of the time."""
    taken: list[float] = []
    with watch(taken):
        session = kernels.open(LIMITS)
    kernels.close(session)
    return taken[0]


def start_and_import(kernels: Kernels) -> float:
    """Seconds from nothing to `import torch` executed by nbclient in a confined kernel."""
    taken: list[float] = []
    with watch(taken):
        session = kernels.open(LIMITS)
        kernels.do(session.run(submission([IMPORT]), seed=0))
    kernels.close(session)
    return taken[0]


def stock_start_and_import() -> float:
    """The same with Jupyter's own kernel and clients, as they come."""

    async def run(taken: list[float]) -> None:
        cell = nbformat.v4.new_code_cell(IMPORT)
        client = NotebookClient(
            nbformat.v4.new_notebook(cells=[cell]), km=AsyncKernelManager(kernel_name="python3")
        )
        with watch(taken):
            await client.async_start_new_kernel()
            await client.async_start_new_kernel_client()
            await client.async_execute_cell(cell, 0)
        await client._async_cleanup_kernel()

    taken: list[float] = []
    asyncio.run(run(taken))
    return taken[0]


def whole_run(kernels: Kernels, sample: Submission) -> float:
    """Seconds for a kernel's start, the cells of a sample, and until nothing of it is left."""
    taken: list[float] = []
    with watch(taken):
        session = kernels.open(LIMITS)
        kernels.do(session.run(sample, seed=0))
        kernels.close(session)
    return taken[0]


def cells(kernels: Kernels, sample: Submission, *, record: bool) -> float:
    """Seconds that the cells of a sample take in a kernel, with the probe watching the training or not."""
    session = kernels.open(LIMITS)
    try:
        return kernels.do(session.run(sample, seed=0, record=record)).seconds
    finally:
        kernels.close(session)


def own_code(sources: Sequence[str]) -> float:
    """Seconds that the cells' own code takes, as OWN_CODE says."""
    import json

    done = subprocess.run(
        [sys.executable, "-c", OWN_CODE],
        input=json.dumps(list(sources)),
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)


def memory_of_a_further_kernel(kernels: Kernels, sample: Submission) -> float:
    """MiB by which all processes together grow with a third kernel that runs the sample, shared pages counted once."""
    sessions: list[Any] = []
    totals: list[int] = []
    try:
        for _ in range(3):
            session = kernels.open(LIMITS)
            sessions.append(session)
            kernels.do(session.run(sample, seed=0))
            totals.append(sum(map(_pss, tree(os.getpid()))))
        return (totals[2] - totals[1]) / 1024
    finally:
        for session in sessions:
            kernels.close(session)


def _pss(number: int) -> int:
    lines = Path(f"/proc/{number}/smaps_rollup").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _lives(number: int) -> bool:
    """Whether a process is there and not only its name, which its last parent may keep for a while."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{number}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0] != "Z"
    return False


def until_gone(tier: str) -> float:
    """Seconds from kill -9 of a supervisor, whose run has daemons, to the end of all processes below it."""
    command = [sys.executable, "-m", "tests.life_supervisor", tier]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.stdin.write("run\n")
        process.stdin.flush()
        while find(process.pid) is None:
            time.sleep(0.05)
        below = tree(process.pid)[1:]
        assert len(below) >= DAEMONS
        taken: list[float] = []
        with watch(taken):
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            while any(map(_lives, below)):
                time.sleep(0.001)
        return taken[0]
