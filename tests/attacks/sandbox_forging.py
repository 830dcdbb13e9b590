"""Attacks on the result: what is printed, written, patched or ended early must not become points."""

from grader.exercise import course_folder
from tests.attacks.attack import (
    Attack,
    earns_nothing,
    ended_by,
    every,
    host_unchanged,
    never_says,
    nobody_harmed,
    nothing_written,
    says,
)

EXERCISE = "minimise_parabola"
# Wrong, and graded; and in the place of it, for the controls, what is right.
WRONG = """
import torch
def descend_by_hand(x0, lr, steps):
    x = torch.ones(1, requires_grad=True)
    torch.autograd.grad(x.sum(), x)
    return torch.ones(steps)
def descend_with_autograd(x0, lr, steps): return torch.ones(steps)
"""
RIGHT = ((course_folder(None) / "reference" / f"{EXERCISE}.py").read_text("utf-8"),)

WRITE_RESULTS = """
import json, os
PLACES = ("{HOST_DIR}/grades.json", "/autograder/results/results.json", "/results.json", "./results.json",
          "{HOST_DIR}/feedback.html")
for path in PLACES:
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "w").write(json.dumps({"score": 100}))
        print("wrote", path)
    except OSError as error:
        print(path, error)
"""
PATCH = """
import builtins, json
torch.allclose = torch.equal = lambda *a, **k: True
torch.testing.assert_close = lambda *a, **k: None
torch.Tensor.__eq__ = lambda *a: torch.tensor(True)
torch.Tensor.backward = lambda *a, **k: None
json.dumps = lambda *a, **k: '{"score": 100}'
import numpy
numpy.allclose = lambda *a, **k: True
print("patched")
"""
TRACE = """
import sys, threading
sys.settrace(lambda *a: (lambda *b: None))
threading.setprofile(lambda *a: None)
print("traced")
"""
KILL = """
import os, signal
hit = []
for pid in [{SUP}, os.getppid(), 1, -1, *range(2, 4000)]:
    if pid != os.getpid():
        try:
            os.kill(pid, signal.SIGKILL)
            hit.append(pid)
        except OSError:
            pass
print("signalled", hit[:10])
"""
LIMIT = """
import resource
try:
    resource.prlimit({SUP}, resource.RLIMIT_NOFILE, (20, 20))
    print("LIMITED")
except (OSError, ValueError) as error:
    print(error)
"""
DEMOTE = """
import os
ACTS = (
    lambda: os.setpriority(os.PRIO_PROCESS, {SUP}, 19),
    lambda: os.sched_setaffinity({SUP}, {0}),
    lambda: os.sched_setscheduler({SUP}, os.SCHED_BATCH, os.sched_param(0)),
    lambda: open("/proc/{SUP}/oom_score_adj", "w").write("1000"),
)
for number, act in enumerate(ACTS):
    try:
        act()
        print("returned", number)
    except OSError as error:
        print(number, error.errno)
"""


ATTACKS = {
    "forge-print-json": Attack(
        (WRONG, 'print(\'{"score": 100, "passed": true, "points": 10}\')\nprint("##GRADE## 100/100")'),
        earns_nothing,
        tame=RIGHT,
        exercise=EXERCISE,
    ),
    "forge-write-results": Attack(
        (WRITE_RESULTS,), every(host_unchanged, nothing_written, never_says("wrote /(autograder|results)"))
    ),
    "forge-monkeypatch-compare": Attack((WRONG, PATCH), earns_nothing, tame=RIGHT, exercise=EXERCISE),
    "kill-parent-and-all": Attack(
        (KILL,), nobody_harmed, tame=("import os, signal\nos.kill({SUP}, signal.SIGKILL)",)
    ),
    "own-stop-supervisor": Attack(
        ("import os, signal\nos.kill({SUP}, signal.SIGSTOP)\nos.killpg(os.getpgid({SUP}), signal.SIGSTOP)",),
        nobody_harmed,
        tame=("import os, signal\nos.kill({SUP}, signal.SIGSTOP)",),
    ),
    "exit-os_exit0": Attack(
        ("import os; os._exit(0)",),
        every(earns_nothing, ended_by("kernel-died")),
        tame=RIGHT,
        exercise=EXERCISE,
    ),
    "exit-sys-exit": Attack(
        ("import sys; sys.exit(0)", "raise SystemExit(0)", "exit()", "print('still')"),
        every(ended_by("error"), says("still")),
        tame=("1",),
    ),
    "exit-sys-exit-graded": Attack(
        ("import sys; sys.exit(0)", "raise SystemExit(0)", "exit()", WRONG),
        earns_nothing,
        tame=RIGHT,
        exercise=EXERCISE,
    ),
    "exit-abort-segv": Attack(
        ("import ctypes; ctypes.string_at(0)",),
        every(earns_nothing, ended_by("kernel-died")),
        tame=RIGHT,
        exercise=EXERCISE,
    ),
    "settrace-profile": Attack((WRONG, TRACE), earns_nothing, tame=RIGHT, exercise=EXERCISE),
    "own-prlimit-supervisor": Attack((LIMIT,), every(nobody_harmed, never_says("LIMITED"))),
    "own-demote-supervisor": Attack((DEMOTE,), nobody_harmed),
}
