"""Attacks on what there is: processors, memory, disk, processes, and the supervisor's patience.

Limits, not walls, hold most of them. Their controls are the same things done a little, so that no limit is met.
"""

import msgspec

from tests.attacks.attack import (
    BRIEF,
    TIGHT,
    Attack,
    at_most,
    disk_at_most,
    ended_by,
    every,
    memory_at_most,
    never_says,
    nobody_left,
    processes_at_most,
    supervisor_stays_small,
)

# The processes of the sandbox itself come on top of those that a run may have.
PROCESSES = TIGHT.processes + 20
MEMORY_MB = TIGHT.memory_mb + 100
# Home, /tmp and /dev/shm may each hold as much.
DISK_MB = 3 * TIGHT.scratch_mb
FILES = 40_000
# For what another limit ends: on a busy machine that takes its time, and no clock must come first.
SLOW = msgspec.structs.replace(TIGHT, cell_seconds=30.0, run_seconds=30.0)
DEAD_OR_FULL = ("memory-limit", "kernel-died")

BOMB = """
import os, time
count = 0
try:
    while True:
        if os.fork() == 0:
            while True:
                try:
                    os.fork()
                except OSError:
                    time.sleep(0.01)
        count += 1
except OSError as error:
    print("stopped after", count, error)
time.sleep(60)
"""
MANY_CHILDREN = """
import os, time
for _ in range(140):
    if os.fork() == 0:
        time.sleep(5)
        os._exit(0)
time.sleep(1)
"""
FILL = """
written = number = 0
try:
    while written < 4 << 30:
        number += 1
        with open(f"file{number}", "wb") as file:
            for _ in range(3):
                written += file.write(b"x" * (64 << 20))
except OSError as error:
    print(written >> 20, "MB, then", error)
print("filled", written >> 20)
"""
FILL_EVERYWHERE = """
import os, tempfile
total = 0
for place in {".", tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm", "/run", "/"}:
    try:
        for number in range(20):
            with open(os.path.join(place, f"{MARK}-{number}"), "wb") as file:
                total += file.write(b"x" * (30 << 20))
    except OSError as error:
        print(place, error)
print("filled", total >> 20)
"""
FILES_WITHOUT_END = """
count = 0
try:
    while count < 50_000:
        open(f"file{count}", "w").close()
        count += 1
except OSError as error:
    print(error)
print("files", count)
"""
FLOOD = """
from IPython.display import display
for _ in range({count}):
    display({"text/plain": "a"}, raw=True)
"""
IGNORE = """
import signal, time
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
while True:
    try:
        time.sleep(1)
    except BaseException:
        pass
"""
RECURSE = """
import sys
sys.setrecursionlimit(10**9)
def deeper(depth): return [deeper(depth + 1)] if depth < {depth} else []
deeper(0)
"""
SPINNING = """
import os
for _ in range(16):
    if os.fork() == 0:
        while True:
            pass
while True:
    pass
"""
A_FEW_CHILDREN = """
import os, time
for _ in range(3):
    if os.fork() == 0:
        time.sleep(60)
        os._exit(0)
"""
DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in range(3, 256):
            try:
                os.close(number)
            except OSError:
                pass
        time.sleep(60)
    os._exit(0)
print("left behind")
"""
SPARSE = """
try:
    with open("sparse", "wb") as file:
        file.truncate(1 << 40)
    print("sparse ok")
except OSError as error:
    print(error)
"""
THREADS = """
import threading, time
count = 0
try:
    while count < 5000:
        threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
        count += 1
except RuntimeError as error:
    print(error)
print("threads", count)
"""

ATTACKS = {
    "res-fork-bomb": Attack(
        (BOMB,),
        every(
            processes_at_most(PROCESSES), nobody_left, ended_by("time-limit", "cpu-limit", "process-limit")
        ),
        tame=(MANY_CHILDREN,),
    ),
    "res-cpu-many-procs": Attack(
        (SPINNING,),
        every(nobody_left, ended_by("time-limit", "cpu-limit", "process-limit")),
        tame=(A_FEW_CHILDREN,),
        limits=BRIEF,
    ),
    "own-daemon-outlives-the-run": Attack(
        (DAEMON,),
        nobody_left,
        harmless="even unconfined, what a run leaves behind is ended; test_watching has a process that stays",
    ),
    "own-threads": Attack((THREADS,), at_most(r"threads (\d+)", PROCESSES)),
    "res-alloc-100GB": Attack(
        ("taken = bytearray(100 << 30)",),
        ended_by(*DEAD_OR_FULL),
        tame=("taken = bytearray(100 << 20)",),
        limits=SLOW,
    ),
    "res-touch-memory": Attack(
        ("kept = []\nwhile True: kept.append(bytearray(64 << 20))",),
        every(memory_at_most(MEMORY_MB), ended_by(*DEAD_OR_FULL)),
        tame=("import time\nkept = [bytearray(64 << 20) for _ in range(28)]\ntime.sleep(0.5)",),
        limits=SLOW,
    ),
    "res-torch-huge": Attack(
        ("import torch; torch.ones(60_000_000_000)",),
        ended_by(*DEAD_OR_FULL),
        tame=("import torch; torch.ones(60)",),
        limits=SLOW,
    ),
    "res-fill-scratch": Attack(
        (FILL,), every(disk_at_most(DISK_MB), at_most(r"filled (\d+)", DISK_MB)), limits=SLOW
    ),
    "own-fill-every-place": Attack(
        (FILL_EVERYWHERE,), every(disk_at_most(DISK_MB), at_most(r"filled (\d+)", DISK_MB)), limits=SLOW
    ),
    "res-many-inodes": Attack(
        (FILES_WITHOUT_END,),
        at_most(r"files (\d+)", FILES),
        limits=SLOW,
        harmless="the guardian counts files in every tier, so that unconfined there are no more",
    ),
    "res-sparse-file": Attack((SPARSE,), never_says("sparse ok")),
    "res-infinite-print": Attack(
        ("while True: print('x' * 1000)",),
        ended_by("output-limit"),
        tame=("for _ in range(1000): print('x' * 1000)",),
        limits=SLOW,
    ),
    "res-one-huge-print": Attack(
        ("print('x' * (300 << 20))",),
        every(supervisor_stays_small, ended_by("output-limit", "message-limit", *DEAD_OR_FULL)),
        tame=("for _ in range(160): print('x' * (2 << 20))",),
        limits=SLOW,
    ),
    "res-message-flood": Attack(
        (FLOOD.replace("{count}", "10**6"),),
        ended_by("message-limit", "output-limit"),
        tame=(FLOOD.replace("{count}", "2500"),),
        limits=SLOW,
    ),
    "res-fd2-flood": Attack(
        ("import os\nwhile True: os.write(2, b'y' * 65536)",),
        ended_by("output-limit", "time-limit"),
        tame=("import os\nfor _ in range(100): os.write(2, b'y' * 65536)",),
        limits=BRIEF,
    ),
    "res-infinite-loop": Attack(
        ("while True: pass",),
        ended_by("time-limit"),
        tame=("for _ in range(100): pass",),
        limits=BRIEF,
    ),
    "res-sleep-forever": Attack(
        ("import time; time.sleep(10**9)",),
        ended_by("time-limit"),
        tame=("import time; time.sleep(0.1)",),
        limits=BRIEF,
    ),
    "res-ignore-signals": Attack((IGNORE,), ended_by("time-limit"), tame=("1",), limits=BRIEF),
    "res-deep-recursion": Attack(
        (RECURSE.replace("{depth}", "10**9"),),
        ended_by(*DEAD_OR_FULL, "time-limit"),
        tame=(RECURSE.replace("{depth}", "100"),),
        limits=BRIEF,
    ),
}
