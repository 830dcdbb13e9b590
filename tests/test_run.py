"""Runs of whole notebooks: where errors happened and what they are, and what goes on after them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from grader.arrays import from_numpy, scalar
from grader.kernel.pool import Kernels
from grader.load import load
from grader.model import Limits, Report, Run, RunError
from grader.values import Array
from tests.sessions import ran, submission

DATA = """
import torch
x = torch.arange(100) * 0.01
y = 10 * x + 4 + torch.randn(100)
"""
TRAINING = """
w, b = torch.randn(1, requires_grad=True), torch.zeros(1, requires_grad=True)
optimizer = torch.optim.SGD([w, b], lr=0.5)
for epoch in range(400):
    optimizer.zero_grad()
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    optimizer.step()
"""
WRONG_TRAINING = TRAINING.replace("    optimizer.zero_grad()\n", "").replace("400", "50")


class Failing(NamedTuple):
    """A cell that stops, and what is said of it: kind, message, and the line; the cell unless it is its own."""

    source: str
    kind: str
    message: str
    line: int | None
    cell: int | None = None


# They run in one notebook, each after the one before it has failed.
DEFINITIONS = """
import torch
def divides(x):
    y = x * 2
    return y / 0
def recurses(n): return recurses(n + 1)
class Unsaid(Exception):
    def __str__(self): raise SystemExit
    def __bool__(self): return False
"""
FAILING = {
    "input": Failing("x = 1\ninput('w?')", "input-asked", "", 2),
    "missing module": Failing("import torch\nfrom d2l import torch as d2l", "module-missing", "d2l", 2),
    "missing file": Failing("open('data.csv')", "file-not-there", "[Errno 2] No such file", 1),
    "urllib": Failing(
        "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:9/')",
        "network-needed",
        "<urlopen",
        2,
    ),
    "socket": Failing(
        "import socket\nsocket.create_connection(('127.0.0.1', 9))", "network-needed", "[Errno", 2
    ),
    "cuda": Failing("torch.ones(1).cuda()", "gpu-needed", "Torch not compiled with CUDA", 1),
    "cuda device": Failing("torch.ones(1, device='cuda')", "gpu-needed", "Torch not compiled with CUDA", 1),
    "syntax": Failing("x = 1\ny = (2,\nz = 3", "syntax", "'(' was never closed", 2),
    "indentation": Failing("for k in range(2):\nprint(k)", "syntax", "expected an indented block", 2),
    "Python 2": Failing("x = 1\nprint 'w', x", "python-2", "Missing parentheses in call to 'print'", 2),
    "name": Failing("\n\nnothing + 1", "error", "NameError: name 'nothing' is not defined", 3),
    "function of another cell": Failing(
        "x = 1\ndivides(x)", "error", "ZeroDivisionError: division by zero", 4, 1
    ),
    "lambda of a library": Failing(
        "import functools\nfunctools.reduce(divides, [])", "error", "TypeError: reduce()", 2
    ),
    "inside torch": Failing(
        "x = torch.ones(2)\n\nx.backward()", "error", "RuntimeError: element 0 of tensors", 3
    ),
    "assertion": Failing("assert 1 == 2", "error", "AssertionError", 1),
    "recursion": Failing("recurses(1)", "error", "RecursionError: maximum recursion depth exceeded", 5, 1),
    "encoding": Failing(
        "'斜率'.encode('ascii')", "error", "UnicodeEncodeError: 'ascii' codec can't encode", 1
    ),
    "decoding": Failing("b'\\xff'.decode()", "error", "UnicodeDecodeError: 'utf-8' codec can't decode", 1),
    "half a character": Failing("raise ValueError('\\ud800')", "error", "ValueError: \\ud800", 1),
    "no words": Failing("raise Unsaid()", "error", "Unsaid", 1),
    "stopped": Failing("raise SystemExit", "error", "SystemExit", 1),
    "interrupted": Failing("raise KeyboardInterrupt", "error", "KeyboardInterrupt", 1),
    "printed half a character": Failing("print('\\ud800')\n1 / 0", "error", "ZeroDivisionError", 2),
}
FIRST = 2  # the number of the first failing cell


@pytest.fixture(scope="module", params=[False, True], ids=["jupyter", "bare"])
def failed(request: pytest.FixtureRequest, kernels: Kernels) -> Iterator[Run]:
    """One run of all failing cells, and of a cell after them."""
    sources = [DEFINITIONS.strip(), *(failing.source for failing in FAILING.values()), "later = 1.0"]
    with ran(kernels, *sources, values=["later"], bare=request.param) as kernel:
        yield kernel.run


def test_every_failing_cell_is_one_error_and_the_rest_runs(failed: Run) -> None:
    assert len(failed.errors) == len(FAILING)
    assert failed.complete
    assert failed.values["later"] == from_numpy(np.array(1.0))


@pytest.mark.parametrize("name", FAILING)
def test_an_error_is_named_and_placed(name: str, failed: Run) -> None:
    index = list(FAILING).index(name)
    failing, error = FAILING[name], failed.errors[index]
    assert (error.kind, error.cell, error.line) == (failing.kind, failing.cell or FIRST + index, failing.line)
    assert error.message.startswith(failing.message)


LACKING = [FAILING[name].source for name in ("input", "missing module", "missing file", "urllib", "cuda")]
LACKS = ["input-asked", "module-missing", "file-not-there", "network-needed", "gpu-needed"]


def test_what_the_grader_lacks_asks_for_review(grade_cells: Callable[..., Report]) -> None:
    report = grade_cells([DATA, *LACKING])
    assert [reason.id for reason in report.needs_review] == [f"review-{kind}" for kind in LACKS]


def test_an_error_of_the_learners_asks_for_none(grade_cells: Callable[..., Report]) -> None:
    report = grade_cells([DATA, "nothing + 1"])
    assert report.needs_review == ()
    assert report.error == RunError(
        kind="error", message="NameError: name 'nothing' is not defined", cell=2, line=1
    )


RIGHT = {
    "with all that the grader lacks": [DATA, TRAINING, *LACKING],
    # An early training that misses its data, and one that is wrong; dead code; an experiment left over at the end.
    "with errors around a training that corrects others": [
        TRAINING, "1 / 0", DATA, WRONG_TRAINING, "x = y = (", TRAINING, "w.nothing",
    ],
    "with 70 000 lines printed and a source of 2 MB": [
        DATA, TRAINING, "for k in range(70_000): print(k)", "# " + "斜" * 700_000,
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_notebook_keeps_full_marks(name: str, grade_cells: Callable[..., Report]) -> None:
    report = grade_cells(RIGHT[name])
    lost = [check for check in report.checks if check.score < check.max_score]
    assert lost == []
    assert report.needs_review == ()


def test_saved_outputs_are_history(write_notebook: Callable[..., Path]) -> None:
    path = write_notebook(DATA, TRAINING)
    document = json.loads(path.read_text("utf-8"))
    output = {"output_type": "stream", "name": "stdout", "text": "w = 3\n" * 400_000}
    for cell in document["cells"]:
        cell["outputs"] = [output]
    path.write_text(json.dumps(document), "utf-8")
    assert [cell.source for cell in load(path).cells] == [DATA, TRAINING]


PLOTS = """
import matplotlib
matplotlib.use("TkAgg")
import matplotlib.pyplot as plt
from matplotlib.pyplot import show
plt.ion()
figure = plt.figure()
plt.plot([1, 2])
plt.show()
plt.show(block=True)
show()
plt.pause(3600)
plt.ginput(timeout=3600)
plt.waitforbuttonpress()
figure.canvas.start_event_loop(3600)
figure.savefig("figure.png")
drawn = len(open("figure.png", "rb").read()) > 0
"""
MAGICS = """
%matplotlib inline
!pip install torch
files = !ls
%time w = 2.0
?torch
torch?
b = 7 % 4
"""
AWAITS = "import asyncio\nawait asyncio.sleep(0)\nawaited = 1.0"


@pytest.mark.parametrize("bare", [False, True])
def test_plots_magics_and_await_hold_nothing_up(
    bare: bool, kernels: Kernels, write_notebook: Callable[..., Path]
) -> None:
    loaded = load(write_notebook(PLOTS, MAGICS.strip(), "%%time\nt = 5.0", AWAITS))
    session = kernels.open(Limits(), bare=bare)
    try:
        run = kernels.do(session.run(loaded, seed=0, values=["drawn", "w", "b", "t", "awaited"]))
    finally:
        kernels.close(session)
    assert run.errors == ()
    found = {name: scalar(value) for name, value in run.values.items()}
    assert found == {"drawn": 1.0, "w": 2.0, "b": 3.0, "t": 5.0, "awaited": 1.0}


def test_progress_counts_the_cells(kernels: Kernels) -> None:
    told: list[tuple[int, int]] = []
    session = kernels.open(Limits())
    try:
        work = session.run(
            submission(["1", "2"]), seed=0, progress=lambda cell, cells: told.append((cell, cells))
        )
        kernels.do(work)
    finally:
        kernels.close(session)
    assert told == [(1, 2), (2, 2)]


def test_each_run_has_a_folder_and_a_namespace_of_its_own(kernels: Kernels) -> None:
    leaves = "import os\nopen('left.txt', 'w').close()\nleft = 1.0\nos.environ['LEFT'] = '1'"
    looks = "import os\nseen = os.path.exists('left.txt') or 'LEFT' in os.environ or 'left' in globals()"
    with ran(kernels, leaves):
        pass
    with ran(kernels, looks, values=["seen"]) as kernel:
        value = kernel.run.values["seen"]
    assert isinstance(value, Array)
    assert scalar(value) == 0.0
