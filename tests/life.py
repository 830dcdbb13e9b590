"""A supervisor with a run that makes daemons and files, whose parts are killed; and a look at what is then left.

    python -m tests.life TIER PART…

Runs in a world of its own (`tests.attacks.world`), where every process, socket, mount and file that is seen was made
here. Each PART names what is killed, as `STRIKES` says; for each, one line of JSON says what came of it.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

import msgspec

from tests.attacks.world import UPPERS

GONE_SECONDS = 30.0
ANSWER_SECONDS = 60.0
LOOK_SECONDS = 0.1
DAEMONS = 3
# Daemons that no signal of a parent's death reaches: one stays, one writes on and on, one is never the same process.
DAEMONIC = """
import ctypes, os, signal, tempfile, time
def daemon(live):
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork() == 0:
            ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)
            live()
        os._exit(0)
    os.wait()
def stay():
    while True: time.sleep(1)
def write():
    for number in range(10**9):
        for folder in (".", tempfile.gettempdir()):
            try:
                os.makedirs(f"{folder}/{number % 9}/deep", exist_ok=True)
                open(f"{folder}/{number % 9}/deep/{number % 99}", "w").write("kept")
            except OSError: pass
        time.sleep(0.01)
def hop():
    while os.fork() == 0: time.sleep(0.01)
    os._exit(0)
for live in (stay, write, hop): daemon(live)
time.sleep(3600)
"""


class Process(NamedTuple):
    """A process as /proc shows it."""

    number: int
    parent: int
    session: int
    threads: int


class Parts(NamedTuple):
    """The processes of a run, by what they are; `root` is the supervisor's own child."""

    supervisor: int
    root: int
    zygote: int
    guardian: int
    first: int
    kernel: int


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What came of killing one part. left: what was there after the time for it to go. said: what the supervisor told
    of the run; None where it was not there to tell. ended: the exit code of a supervisor that ended.
    """

    part: str
    left: tuple[str, ...]
    said: str | None = None
    ended: int | None = None


def processes() -> dict[int, Process]:
    """All that there are, dead ones that nobody buried included."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text("utf-8", "replace").rpartition(")")[2].split()
            number = int(path.parent.name)
            found[number] = Process(number, int(fields[1]), int(fields[3]), int(fields[17]))
    return found


def find(supervisor: int) -> Parts | None:
    """The parts of a supervisor's run, once all of its daemons live: they are those whose session's leader is gone."""
    there = processes()
    below = {number: way for number in there if (way := _ancestors(there, number))[-1:] == [supervisor]}
    if sum(there[number].session not in there for number in below) < DAEMONS:
        return None
    # The kernel has threads; above it the parents are in their order.
    kernel = next((n for n in below if there[n].threads > 1 and len(below[n]) > 3), None)
    if kernel is None:
        return None
    first, guardian, zygote, *further = below[kernel]
    return Parts(supervisor, ([zygote, *further])[-2], zygote, guardian, first, kernel)


def _ancestors(there: dict[int, Process], number: int) -> list[int]:
    """Parents of a process up to a program of this module's, that one included."""
    way: list[int] = []
    while number in there and not (way and _is_supervisor(way[-1])):
        number = there[number].parent
        way.append(number)
    return way


def _is_supervisor(number: int) -> bool:
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
        return b"tests.life_supervisor" in words or b"check" in words
    return False


def seen(jobs: Collection[str] = ()) -> set[str]:
    """Everything that a run could leave behind: processes, files, named sockets, mounts, and the groups of `jobs`."""
    found = {f"process {number}" for number in processes()}
    for place in (UPPERS, Path("/dev/shm")):
        for top, folders, files in os.walk(place):
            # A folder appears there also when something in it was only removed; byte code is kept by whoever imports.
            found |= {f"file {top}/{name}" for name in files if not top.endswith("__pycache__")}
            found |= {f"folder {top}/{name}" for name in folders if name.startswith("grader-")}
    # Of other tests that run beside this one there are groups too; a job's has the name of its folder.
    for top, folders, _ in os.walk("/sys/fs/cgroup") if jobs else ():
        found |= {f"group {top}/{name}" for name in folders if name in jobs}
    for line in Path("/proc/net/unix").read_text().splitlines():
        if len(fields := line.split()) > 7:
            found.add(f"socket {fields[7]}")
    found |= {f"mount {line}" for line in Path("/proc/self/mountinfo").read_text().splitlines()}
    return found


class Scene:
    """A supervisor, to be given runs and to lose its parts."""

    def __init__(self, tier: str) -> None:
        self._tier = tier
        self._jobs: set[str] = set()
        self._before = seen()
        self._start()

    def lose(self, part: str, strike: Callable[[Parts], None]) -> Told:
        """Start a run, strike, and look. A supervisor that ended is followed by another when there is need of one."""
        process = self._process if self._process.poll() is None else self._start()
        self._tell("run")
        parts = _wait_for(process)
        # The world's own: /tmp shows those of the machine as well. It may be a file system by itself.
        for place in ("*/tmp", "*"):
            self._jobs |= {path.name for path in UPPERS.glob(f"{place}/grader-*/grader-job-*")}
        if not self._jobs and self._tier != "bubblewrap":  # where they are seen by nobody outside of it
            raise RuntimeError("the run's folder is not found")
        strike(parts)
        said = _line(process)
        if said is not None:
            return Told(part=part, said=said, left=self._left(self._idle))
        self._bury()
        return Told(part=part, ended=process.returncode, left=self._left(self._before))

    def ask(self, order: str) -> Told:
        """Give another order, and look."""
        self._tell(order)
        said = _line(self._process)
        if order == "next":  # by another warm parent, maybe
            self._idle = seen()
        return Told(part=order, said=said, left=self._left(self._idle))

    def close(self) -> None:
        """End the supervisor."""
        self._process.kill()
        self._bury()

    def _start(self) -> "subprocess.Popen[str]":
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.life_supervisor", self._tier],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        if (said := _line(self._process)) != "ready":
            raise RuntimeError(said)
        self._idle = seen()
        return self._process

    def _tell(self, order: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()

    def _bury(self) -> None:
        for end in (self._process.stdin, self._process.stdout):
            if end is not None:
                end.close()
        self._process.wait()

    def _left(self, before: set[str]) -> tuple[str, ...]:
        """What is there now and was not before, once it has had the time to go."""
        deadline = time.monotonic() + GONE_SECONDS
        while (left := seen(self._jobs) - before) and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        return tuple(sorted(left))


def _line(process: "subprocess.Popen[str]") -> str | None:
    assert process.stdout is not None
    timer = threading.Timer(ANSWER_SECONDS, process.kill)
    timer.start()
    try:
        return process.stdout.readline().rstrip("\n") or None
    finally:
        timer.cancel()


def _wait_for(process: "subprocess.Popen[str]") -> Parts:
    """The parts of the run that was ordered, once its daemons live."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while (found := find(process.pid)) is None:
        assert process.stdout is not None
        if select.select([process.stdout.fileno()], [], [], LOOK_SECONDS)[0] or time.monotonic() > deadline:
            raise RuntimeError(f"the run's daemons did not come up: {_line(process)}")
    return found


def _kill(*names: str) -> Callable[[Parts], None]:
    """End parts as the kernel does for want of memory: without a word."""

    def strike(parts: Parts) -> None:
        for name in names:
            os.kill(getattr(parts, name), signal.SIGKILL)

    return strike


def _stop_guardian_and(number: signal.Signals) -> Callable[[Parts], None]:
    """A guardian that does nothing any more, while the supervisor gets a signal."""

    def strike(parts: Parts) -> None:
        os.kill(parts.guardian, signal.SIGSTOP)
        os.kill(parts.supervisor, number)

    return strike


def _signal_supervisor(number: signal.Signals) -> Callable[[Parts], None]:
    return lambda parts: os.kill(parts.supervisor, number)


STRIKES: dict[str, Callable[[Parts], None]] = {
    **{name: _kill(name) for name in ("kernel", "first", "guardian", "zygote", "root", "supervisor")},
    "zygote and guardian": _kill("zygote", "guardian"),
    "interrupt": _signal_supervisor(signal.SIGINT),
    "terminate": _signal_supervisor(signal.SIGTERM),
    "stopped guardian, interrupt": _stop_guardian_and(signal.SIGINT),
    "stopped guardian, supervisor": _stop_guardian_and(signal.SIGKILL),
}


def main() -> None:
    """Carry out the orders, one after the other."""
    scene = Scene(sys.argv[1])
    try:
        for part in sys.argv[2:]:
            told = scene.lose(part, STRIKES[part]) if part in STRIKES else scene.ask(part)
            print(msgspec.json.encode(told).decode(), flush=True)
    finally:
        scene.close()


if __name__ == "__main__":
    main()
