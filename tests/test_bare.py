"""Kernels without Jupyter: the same runs as in one with it, and nothing that a submission does to their socket counts."""

from pathlib import Path

import pytest

from grader.exercise import course_folder, load_exercise
from grader.kernel.pool import Kernels
from grader.kernel.warm import can_fork
from grader.load import load
from grader.model import Limits, Run
from grader.values import Unusable
from tests.sessions import ran

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(
    str(file.relative_to(CORPUS))
    for folder in CORPUS.iterdir()
    if folder.is_dir()
    for file in folder.glob("s*.*")
)
QUICK = Limits(cell_seconds=3.0, run_seconds=6.0)

pytestmark = pytest.mark.skipif(not can_fork(), reason="kernels are forked on Linux alone")

# The socket is among the descriptors that a submission can find.
SOCKETS = """
import os, socket, stat
sockets = [int(name) for name in os.listdir("/proc/self/fd") if int(name) > 2]
sockets = [n for n in sockets if os.path.exists(f"/proc/self/fd/{n}") and stat.S_ISSOCK(os.fstat(n).st_mode)]
def tell(*packets):
    for n in sockets:
        try:
            os.set_blocking(n, False)
            for packet in packets: os.write(n, packet)
            os.set_blocking(n, True)
        except OSError: pass
def framed(text): return len(text).to_bytes(4, "big") + text
"""
BROKEN = {
    "garbage": 'tell(b"garbage that is no length and no JSON")',
    "a frame that is no JSON": 'tell(framed(b"[}"))',
    "a frame that is a list": 'tell(framed(b"[1]"))',
    "a frame longer than all answers": 'tell(b"\\xff\\xff\\xff\\xff")',
    "a frame of very many members": 'tell(framed(b"[" + b"1," * 40_000 + b"1]"))',
    "a frame nested deeply": 'tell(framed(b"[" * 60_000))',
    "half a frame": 'tell(b"\\x00\\x00\\x10\\x00{")',
    "closed": "os.closerange(3, 200)",
}
FORGED = """
import json
for number in ("0" * 32, "1", None, 1):
    tell(framed(json.dumps({"number": number, "content": {"later": {"type": "unusable", "why": "missing"}}}).encode()))
"""


def same(first: Run, second: Run) -> None:
    """Both came to the same end with the same values; where that was a limit of time, the clock says how far they came."""
    if not first.complete:
        assert not second.complete
        assert [error.kind for error in first.errors] == [error.kind for error in second.errors]
        return
    assert first.values == second.values
    assert first.errors == second.errors
    assert first.complete == second.complete
    assert first.trace.trainings == second.trace.trainings


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_a_run_is_the_same_in_both(file: str, kernels: Kernels) -> None:
    exercise = load_exercise(course_folder(None), file.partition("/")[0])
    runs = []
    for bare in (False, True):
        session = kernels.open(Limits(), bare=bare)
        try:
            work = session.run(load(CORPUS / file), seed=0, values=exercise.names, watch=exercise.watched)
            runs.append(kernels.do(work))
        finally:
            kernels.close(session)
    same(*runs)


@pytest.mark.parametrize(
    "source",
    [
        "import sys\nprint('a', file=sys.stderr)\nlater = float(sys.stdout.write('abc'))",
        "from IPython.display import display, HTML\ndisplay(HTML('<b>'), 1)\nlater = 1.0",
        "1 + 1\nlater = float(_oh is Out)",
        "get_ipython().run_line_magic('matplotlib', 'inline')\nlater = 1.0",
        "import sys\nsys.stdout.fileno()",
        "import asyncio\nlater = float(asyncio.get_event_loop().is_running())",
        "import asyncio\nasyncio.run(asyncio.sleep(0))",
        "import sys\nsys.stdout.write(1)",
        "class A:\n    def __repr__(self): raise ValueError('no')\nlater = 2.0\nA()",
        "import warnings\nwarnings.warn('careful')\nlater = 3.0",
        "import sys\nlater = float(sys.stdout.isatty() or sys.stdin.read() != '')",
        "import __main__\n__main__.later = 4.0",
        "import multiprocessing\nlater = float(multiprocessing.current_process().name == 'MainProcess')",
    ],
)
def test_what_a_cell_can_ask_its_kernel_is_answered_alike(source: str, kernels: Kernels) -> None:
    runs = []
    for bare in (False, True):
        with ran(kernels, source, values=["later"], bare=bare) as kernel:
            runs.append(kernel.run)
    same(*runs)


@pytest.mark.slow
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_socket_ends_the_run_and_harms_nobody(name: str, kernels: Kernels) -> None:
    with ran(
        kernels, SOCKETS, BROKEN[name], "later = 1.0", values=["later"], limits=QUICK, bare=True
    ) as kernel:
        ended = [error.kind for error in kernel.run.errors]
    assert ended == ["time-limit" if name == "half a frame" else "kernel-died"]
    assert "later" not in kernel.run.values
    with ran(kernels, "later = 1.0", values=["later"], bare=True) as kernel:
        assert kernel.run.errors == ()
        assert kernel.run.values["later"] != Unusable(why="missing")


def test_an_answer_that_names_no_request_is_not_heard(kernels: Kernels) -> None:
    with ran(kernels, SOCKETS, FORGED, "later = 1.0", values=["later"], bare=True) as kernel:
        assert kernel.run.errors == ()
        assert kernel.run.values["later"] != Unusable(why="missing")


def test_a_fork_that_goes_on_answers_nothing(kernels: Kernels) -> None:
    forking = (
        "import os, time\nchild = os.fork() == 0\nif child: time.sleep(0.2)\nlater = 2.0 if child else 1.0"
    )
    with ran(kernels, forking, "again = later", values=["again"], bare=True) as kernel:
        assert kernel.run.errors == ()
        with ran(kernels, "again = 1.0", values=["again"]) as other:
            assert kernel.run.values == other.run.values


def test_it_inherits_no_file_but_its_socket(kernels: Kernels) -> None:
    looks = """
import os
kinds = set()
for number in os.listdir("/proc/self/fd"):
    try: kinds.add(os.readlink(f"/proc/self/fd/{number}").split(":")[0])
    except OSError: pass
assert kinds <= {"/dev/null", "socket", "anon_inode", "pipe", "/proc/1/fd"} | {f"/proc/{os.getpid()}/fd"}, kinds
"""
    with ran(kernels, looks, bare=True) as kernel:
        assert kernel.run.errors == ()
