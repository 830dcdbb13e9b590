"""Runs that do not come to their end: limits, crashes and exits. Each ends in a report that says what happened."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, get_args

import msgspec
import numpy as np
import pytest

from grader.arrays import from_numpy
from grader.exercise import course_folder, load_exercise
from grader.grade import grade
from grader.kernel.pool import Kernels
from grader.limits import merged
from grader.load import load
from grader.model import Language, Report
from grader.report.document import word
from grader.settings import Settings
from grader.values import Unusable
from tests.sessions import ran, submission

LINUX = sys.platform == "linux"  # memory can be limited there alone
SMALL = Settings(cell_seconds=1.2, run_seconds=1.7, output_bytes=200_000, output_messages=300, memory_mb=700)
LIMITS = merged(SMALL)
LATER = "later = 1.0"


class Ended(NamedTuple):
    """The cells of a notebook, and what its report says: the kind of the end, its place, and a number it names."""

    cells: tuple[str, ...]
    kind: str
    cell: int | None
    line: int | None
    names: str = ""


ENDLESS = "n = 0\nwhile True: n += 1"
STUBBORN = """
import time
while True:
    try:
        time.sleep(0.01)
    except BaseException:
        time.sleep(0.01)
"""
ENDS = {
    "an endless loop": Ended(("kept = 1.0", ENDLESS, LATER), "time-limit", 2, 2, " 1.2 "),
    "an endless function of an earlier cell": Ended(
        ("def f():\n    n = 0\n    while True: n += 1", "x = 1\nf()", LATER), "time-limit", 1, 3, " 1.2 "
    ),
    "sleep": Ended(("import time; time.sleep(1e6)", LATER), "time-limit", 1, 1, " 1.2 "),
    "a loop that ignores being interrupted": Ended((STUBBORN, LATER), "time-limit", 1, None, " 1.2 "),
    "many cells": Ended(("import time\ntime.sleep(0.6)", ENDLESS, LATER), "run-time-limit", 2, 2, "1.7"),
    "a flood of lines": Ended(("while True: print('x' * 1000)", LATER), "output-limit", 1, 1, "200,000"),
    "one huge line": Ended(("print('x' * 10_000_000)", LATER), "output-limit", 1, 1, "200,000"),
    "a line a little too long": Ended(
        ("x = 1\nprint('x' * 200_100)", LATER), "output-limit", 1, 2, "200,000"
    ),
    "very many displays": Ended(("while True: display(0)", LATER), "message-limit", 1, 1, "300"),
    "os._exit": Ended(("import os", "os._exit(0)", LATER), "kernel-died", 2, None),
    "a segmentation fault": Ended(("import ctypes\nctypes.string_at(0)", LATER), "kernel-died", 1, None),
    "killing itself": Ended(
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", LATER), "kernel-died", 1, None
    ),
}
# These end a cell only.
CELL_ENDS = {
    "a tensor beyond memory": Ended(
        ("import torch\ntorch.ones(6_000_000_000)", LATER), "memory-limit", 1, 2, " 700 "
    ),
    "a list beyond memory": Ended(
        ("kept = []\nwhile True:\n    kept.append(bytearray(100_000_000))", LATER), "memory-limit", 1, 3
    ),
    "sys.exit": Ended(("import sys\nsys.exit(2)", LATER), "error", 1, 2, "SystemExit: 2"),
    "exit": Ended(("exit()", "import time\ntime.sleep(0.3)", LATER), "error", 1, 1, "SystemExit"),
}
ALL_ENDS = ENDS | CELL_ENDS


@pytest.fixture(scope="module")
def hurried() -> Iterator[Kernels]:
    """Kernels with small limits."""
    with Kernels(SMALL) as kernels:
        yield kernels


@pytest.fixture
def graded(hurried: Kernels, write_notebook: Callable[..., Path]) -> Callable[..., Report]:
    """`graded(*cells)`: the report under small limits."""

    def run(*cells: str, exercise: str = "minimise_parabola", settings: Settings = SMALL) -> Report:
        loaded = load_exercise(course_folder(None), exercise)
        return grade(load(write_notebook(*cells)), loaded, settings, hurried)

    return run


@pytest.mark.parametrize("name", [name for name in ALL_ENDS if LINUX or "memory" not in name])
def test_every_end_is_graded_and_named(name: str, graded: Callable[..., Report]) -> None:
    ended = ALL_ENDS[name]
    report = graded(*ended.cells)
    assert report.status == "graded"
    assert report.error is not None
    assert (report.error.kind, report.error.cell, report.error.line) == (ended.kind, ended.cell, ended.line)
    worded = {language: word(report, None, language).run.error for language in get_args(Language)}
    messages = {language: error.message for language, error in worded.items() if error is not None}
    assert len(set(messages.values())) == len(get_args(Language))
    assert all(ended.names in message and str(ended.cell) in message for message in messages.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ALL_ENDS if LINUX or "memory" not in name])
def test_an_end_is_the_same_where_nobody_looks_at_outputs(name: str, hurried: Kernels) -> None:
    """But for a flood of them, which is dropped, and ends with its cell's time if at all."""
    ended = ALL_ENDS[name]
    with ran(hurried, *ended.cells, limits=LIMITS, bare=True) as kernel:
        found = [(error.kind, error.cell) for error in kernel.run.errors]
    if ended.kind in {"output-limit", "message-limit"}:
        assert found in ([], [("time-limit", 1)])
    else:
        assert found == [(ended.kind, ended.cell)]


@pytest.mark.parametrize(
    ("name", "runs_on"), [("an endless loop", False), *[("a list beyond memory", True)][: int(LINUX)]]
)
def test_what_was_bound_before_the_end_counts(name: str, runs_on: bool, hurried: Kernels) -> None:
    with ran(hurried, *ALL_ENDS[name].cells, values=("kept", "later"), limits=LIMITS) as kernel:
        assert kernel.run.complete is runs_on
        assert kernel.run.values["kept"] != Unusable(why="missing")
        assert (kernel.run.values["later"] != Unusable(why="missing")) is runs_on


def test_a_training_before_an_endless_cell_keeps_its_points(graded: Callable[..., Report]) -> None:
    training = """
import torch
x = torch.arange(100) * 0.01
y = 10 * x + 4 + torch.randn(100)
w, b = torch.randn(1, requires_grad=True), torch.zeros(1, requires_grad=True)
optimizer = torch.optim.LBFGS([w, b], max_iter=50)
def closure():
    optimizer.zero_grad()
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    return loss
optimizer.step(closure)
"""
    time_to_train = msgspec.structs.replace(SMALL, cell_seconds=3.0, run_seconds=6.0)
    report = graded(training, ENDLESS, exercise="linear_regression", settings=time_to_train)
    lost = {check.id: check.reason.id for check in report.checks if check.status != "passed" and check.reason}
    assert lost == {"test_follows_other_data": "run-not-finished"}


@pytest.mark.parametrize("bare", [False, True])
def test_an_interrupt_of_its_own_is_no_limit(bare: bool, hurried: Kernels) -> None:
    with ran(hurried, "raise KeyboardInterrupt", ENDLESS, limits=LIMITS, bare=bare) as kernel:
        errors = [(error.kind, error.cell) for error in kernel.run.errors]
    assert errors == [("error", 1), ("time-limit", 2)]


CALLED = """
import os, time
def endless():
    while True: pass
def swallows():
    try: time.sleep(60)
    except KeyboardInterrupt: return 1.0
def stubborn():
    while True:
        try: time.sleep(0.01)
        except BaseException: time.sleep(0.01)
def crashes(): os._exit(0)
def alive(): return 1.0
"""


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("name", ["endless", "swallows"])
def test_a_call_that_runs_too_long_is_interrupted_and_the_kernel_goes_on(
    name: str, bare: bool, hurried: Kernels
) -> None:
    with ran(hurried, CALLED, limits=LIMITS, bare=bare) as kernel:
        call = kernel.call(name)
        assert call.value is None
        assert call.error is not None
        assert (call.error.kind, call.error.message) == ("time-limit", "1.2")
        assert kernel.call("alive").value == from_numpy(np.array(1.0))


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize(("name", "kind"), [("stubborn", "time-limit"), ("crashes", "kernel-died")])
def test_a_call_that_takes_its_kernel_with_it_says_so_and_so_do_later_ones(
    name: str, kind: str, bare: bool, hurried: Kernels
) -> None:
    with ran(hurried, CALLED, limits=LIMITS, bare=bare) as kernel:
        first, later = kernel.call(name), kernel.call("alive")
    assert first.error is not None
    assert later.error is not None
    assert (first.error.kind, later.error.kind) == (kind, "kernel-died")


def test_a_kernel_that_no_longer_speaks_json_has_died(hurried: Kernels) -> None:
    forging = "get_ipython().kernel.session.pack = lambda message: b'[}'"
    with ran(hurried, "import torch", forging, LATER, values=["later"], limits=LIMITS) as kernel:
        assert [error.kind for error in kernel.run.errors] == ["kernel-died"]
        assert kernel.run.values == {}


SHOWS_MEANWHILE = """
import threading, time
def show():
    time.sleep(0.3)
    for i in range(2000): display('x' * 1000)
shower = threading.Thread(target=show)
shower.start()
"""


def test_outputs_wait_for_a_supervisor_that_is_late(kernels: Kernels) -> None:
    def late(cell: int, _of: int) -> None:
        time.sleep(2.0 if cell == 2 else 0.0)

    session = kernels.open(merged(Settings(output_bytes=100_000_000, output_messages=100_000)))
    run = kernels.do(
        session.run(submission([SHOWS_MEANWHILE, "shower.join()\ndisplay(7)"]), seed=0, progress=late)
    )
    assert run.errors == ()
    # What the thread had yet to show when the second cell began is the second cell's too, and more than a report holds.
    shown = session.notebook.cells[1].outputs[-1]
    kernels.close(session)
    assert shown["data"]["text/plain"] == "7"


SLEEPER = """
import time, torch
x = torch.arange(100) * 0.01
y = 10 * x + 4 + torch.randn(100)
time.sleep({own} if y.mean() > 8 else 1e6)
w, b = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
optimizer = torch.optim.SGD([w, b], lr=0.3)
for _ in range(400):
    optimizer.zero_grad()
    ((w * x + b - y) ** 2).mean().backward()
    optimizer.step()
"""


@pytest.mark.slow
@pytest.mark.parametrize(("own", "judged"), [(5.5, "skipped"), (0.0, "failed")])
def test_a_rerun_out_of_time_goes_to_a_person_if_the_first_run_came_near_the_limit(
    own: float, judged: str, kernels: Kernels, tmp_path: Path
) -> None:
    """On other data it never ends, as on a machine that is busy by then."""
    path = tmp_path / "sleeper.py"
    path.write_text(SLEEPER.format(own=own))
    exercise = load_exercise(course_folder(None), "linear_regression")
    report = grade(load(path), exercise, Settings(cell_seconds=20.0), kernels)
    other = next(check for check in report.checks if check.id == "test_follows_other_data")
    assert (other.status, other.score, report.score) == (judged, 0.0, 8.0)
    assert [reason.id for reason in report.needs_review] == ["rerun-out-of-time"] * (judged == "skipped")
