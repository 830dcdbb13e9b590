"""Attacks that hide what they take from whoever counts, or leave what is hard to remove."""

import msgspec

from tests.attacks.attack import (
    BRIEF,
    TIGHT,
    Attack,
    ended_by,
    every,
    host_unchanged,
    never_says,
    nobody_left,
    nothing_for_the_next,
    nothing_written,
)
from tests.attacks.seen import Seen

SMALL = msgspec.structs.replace(TIGHT, memory_mb=400, scratch_mb=40)
# Pages of shared memory stay when a process lets go of them.
LET_GO = """
import mmap, os, time
def take(megabytes):
    taken = mmap.mmap(-1, megabytes << 20)
    for _ in range(megabytes):
        taken.write(bytes(1 << 20))
        taken.madvise(mmap.MADV_DONTNEED)
    return taken
{children}
kept = take({megabytes})
time.sleep({seconds})
print("kept")
"""
FORKED = "for _ in range(2):\n    if os.fork() == 0: take(250); time.sleep(5); os._exit(0)"
UNLINKED = """
import os, time
kept, total = [], 0
try:
    for number in range(6):
        file = open(f"file{number}", "wb", 0)
        os.unlink(f"file{number}")
        kept.append(file)
        total += file.write(b"x" * (30 << 20))
except OSError as error:
    print(error)
time.sleep(1)
print("hidden", total >> 20)
"""
UNLISTABLE = """
import os, time
os.mkdir("closed", 0o300)
total = 0
try:
    for number in range(6):
        with open(f"closed/file{number}", "wb") as file:
            total += file.write(b"x" * (30 << 20))
except OSError as error:
    print(error)
time.sleep(1)
print("hidden", total >> 20)
"""
DEEP = """
import os
try:
    for level in range(1_200):
        os.mkdir("d")
        os.chdir("d")
except OSError as error:
    print(error)
print("made", level)
"""
CLOSED = """
import os
for mode in (0, 0o100, 0o200, 0o300, 0o400):
    os.mkdir(f"open{mode}")
    os.mkdir(f"open{mode}/closed", mode)
    os.mkdir(f"closed{mode}", mode)
    os.close(os.open(f"file{mode}", os.O_CREAT | os.O_WRONLY, mode))
print("made")
"""
NAMES = """
import os
os.mkdir(b"line\\nfeed \\xff \\x1b[31m -rf")
open(b"line\\nfeed \\xff \\x1b[31m -rf/-rf *", "w").close()
os.symlink("/", "root")
os.symlink("..", "line\\nfeed/up") if os.path.isdir("line\\nfeed") else os.symlink("loop", "loop")
os.mkfifo("fifo")
print("made")
"""
LEFT = 'open("/tmp/{MARK}-left", "w").close()\nprint("made")'
SWAPPED = """
import os
os.chdir("..")
for name in os.listdir("."):
    try:
        os.rename(name, name + "-moved")
        os.symlink("{HOST_DIR}", name)
    except OSError as error:
        print(error)
print("swapped")
"""
STORM = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range(8):
    if os.fork() == 0:
        os.setsid()
        for number in range(1, 65):
            try: signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError): pass
        while True:
            try:
                if os.fork(): os._exit(0)
            except OSError:
                time.sleep(0.001)
print("raging", flush=True)
os._exit(0)
"""
FREED = """
import ctypes, os, signal, time
libc = ctypes.CDLL(None)
if os.fork() == 0:
    os.setsid()
    libc.prctl(1, 0)
    libc.prctl(36, 1)
    if os.fork() == 0:
        os.setsid()
        libc.prctl(15, b") R 1 (")
        libc.prctl(1, 0)
        time.sleep(60)
    time.sleep(60)
print("freed", flush=True)
os._exit(0)
"""
STOPPED = """
import os, signal
for number in (os.getppid(), 1):
    try:
        os.kill(number, signal.SIGSTOP)
    except OSError as error:
        print(error)
if os.fork() == 0:
    signal.pause()
print("stopped", flush=True)
os._exit(0)
"""
MEMORY_FILES = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
print("memfd", libc.memfd_create(b"m", 0))
print("secret", libc.syscall(447, 0))
print("locked", libc.mlock(ctypes.create_string_buffer(1 << 20), 1 << 20))
"""


def is_counted(seen: Seen) -> None:
    """Six files of 30 MB are not all written, or end the run."""
    assert "hidden 180" not in seen.output


def is_removed(seen: Seen) -> None:
    """Nothing is left of what was made."""
    nothing_written(seen)
    nothing_for_the_next(seen)


GUARDED = "its guardian, or the caretaker, ends in every tier what a run leaves behind"

ATTACKS = {
    "hide-memory-let-go": Attack(
        (LET_GO.format(children=FORKED, megabytes=200, seconds=2),),
        every(ended_by("memory-limit", "kernel-died"), never_says("kept")),
        tame=(LET_GO.format(children="", megabytes=1, seconds=0),),
        limits=msgspec.structs.replace(SMALL, cell_seconds=8.0, run_seconds=8.0),
    ),
    "hide-files-unlinked": Attack((UNLINKED,), is_counted, limits=SMALL),
    "hide-files-unlistable": Attack((UNLISTABLE,), every(is_counted, is_removed), limits=SMALL),
    "hide-memory-files": Attack((MEMORY_FILES,), never_says(r"(memfd|secret) \d|locked 0")),
    "leave-deep-folders": Attack((DEEP,), is_removed, tame=(LEFT,)),
    "leave-closed-folders": Attack((CLOSED,), is_removed, tame=(LEFT,)),
    "leave-strange-names": Attack((NAMES,), is_removed, tame=(LEFT,)),
    "leave-links-for-folders": Attack((SWAPPED,), every(is_removed, host_unchanged), tame=(LEFT,)),
    "leave-a-storm": Attack((STORM,), nobody_left, harmless=GUARDED),
    "leave-what-was-set-free": Attack((FREED,), nobody_left, harmless=GUARDED),
    "leave-the-first-process-stopped": Attack((STOPPED,), nobody_left, harmless=GUARDED, limits=BRIEF),
}
