"""Looks at the machine from outside an attack: folders, processes, kernel objects, and who was reached."""

import contextlib
import hashlib
import os
import selectors
import signal
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.attacks.world import QUEUES, UPPERS

PAGE = os.sysconf("SC_PAGE_SIZE")
SAMPLE_SECONDS = 0.1
Look = dict[str, Any]


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """What differs between two looks, one line a thing, sorted."""
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    return tuple(f"{name}: {before.get(name)} → {after.get(name)}" for name in names)


# ---- folders --------------------------------------------------------------------------------------


def folder(top: Path) -> Look:
    """Everything about a folder and what is in it: contents, modes, owners, times, links, attributes."""
    look: Look = {}
    for path in (top, *sorted(top.rglob("*"))):
        seen = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(seen.st_mode) else ""
        attributes = {name: os.getxattr(path, name) for name in os.listxattr(path, follow_symlinks=False)}
        look[str(path.relative_to(top))] = (
            *(oct(seen.st_mode), seen.st_uid, seen.st_gid, seen.st_mtime_ns, seen.st_nlink),
            *(attributes, content),
        )
    return look


def written(but: Path) -> Look:
    """All that was written on the disks of the world since it began, besides what is below `but`."""
    look: Look = {}
    for top in sorted(UPPERS.iterdir()) if UPPERS.exists() else []:
        for place, folders, files in os.walk(top, onerror=lambda _: None):
            inside = Path("/", Path(place).relative_to(top))
            folders[:] = [name for name in folders if inside / name != but]
            for name in (*folders, *files):
                with contextlib.suppress(OSError):  # it went meanwhile, or cannot be seen by this user
                    seen = Path(place, name).lstat()
                    times = () if stat.S_ISDIR(seen.st_mode) else (seen.st_mtime_ns, seen.st_size)
                    look[str(inside / name)] = (oct(seen.st_mode), seen.st_uid, seen.st_gid, *times)
    return look


def remove(mark: str) -> None:
    """Remove what was written with a mark in its name, so that it takes no room."""
    for top in (UPPERS, Path("/dev/shm")):
        for path in sorted(top.glob(f"**/*{mark}*"), reverse=True):
            place = path if top != UPPERS else Path("/", *path.relative_to(top).parts[1:])
            with contextlib.suppress(OSError):
                place.rmdir() if place.is_dir() else place.unlink()


def names_below(top: Path) -> Look:
    """The names of all that is in a folder."""
    return dict.fromkeys((str(path) for path in top.rglob("*")), "there")


def disk_used_mb() -> int:
    """What is written on the disks of the world."""
    if not UPPERS.exists():
        return 0
    seen = os.statvfs(UPPERS)
    return (seen.f_blocks - seen.f_bfree) * seen.f_frsize >> 20


# ---- processes ------------------------------------------------------------------------------------


def numbers(path: Path) -> list[str]:
    """The fields of a process's `stat` after its name; empty where it is gone."""
    with contextlib.suppress(OSError):
        return path.read_text("utf-8", "replace").rpartition(")")[2].split()
    return []


def descendants(number: int) -> dict[int, str]:
    """All processes that come from one, each with its state."""
    children: dict[int, list[tuple[int, str]]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        if fields := numbers(path):
            children.setdefault(int(fields[1]), []).append((int(path.parent.name), fields[0]))
    found: dict[int, str] = {}
    todo = [number]
    while todo:
        for child, state in children.get(todo.pop(), []):
            found[child] = state
            todo.append(child)
    return found


def state_of(number: int, name: str) -> Look:
    """What another process could change about a process."""
    fields = numbers(Path(f"/proc/{number}/stat"))
    runs = bool(fields) and fields[0] not in "ZXTt"
    look: Look = {f"{name} runs": runs}
    if runs:
        limits = Path(f"/proc/{number}/limits").read_text()
        look |= {f"{name}: {line[:26].strip()}": line[26:].split() for line in limits.splitlines()[1:]}
        look[f"{name}: oom score"] = Path(f"/proc/{number}/oom_score_adj").read_text()
        look[f"{name}: priority"] = os.getpriority(os.PRIO_PROCESS, number)
        look[f"{name}: scheduler"] = os.sched_getscheduler(number)
        look[f"{name}: processors"] = sorted(os.sched_getaffinity(number))
    return look


def wait_until_gone(known: set[int], seconds: float) -> dict[int, str]:
    """Wait until no descendant of this process runs but those known; end and return those that do."""
    deadline = time.monotonic() + seconds
    while left := {
        n: command(n) for n, state in descendants(os.getpid()).items() if n not in known and state != "Z"
    }:
        for number in left:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(number, os.WNOHANG)
        if time.monotonic() > deadline:
            for number in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
            break
        time.sleep(0.02)
    return left


def command(number: int) -> str:
    """The command line of a process."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{number}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    return ""


# ---- the kernel's objects -------------------------------------------------------------------------


def objects() -> Look:
    """Shared memory, queues, semaphores, abstract sockets and mounts; in a world of its own, where no others are made."""
    look: Look = {}
    if not UPPERS.exists():
        return look
    for kind in ("shm", "msg", "sem"):
        with contextlib.suppress(OSError):
            look |= dict.fromkeys(Path("/proc/sysvipc", kind).read_text().splitlines()[1:], kind)
    sockets = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()]
    look |= {fields[7]: "socket" for fields in sockets if len(fields) > 7 and fields[7].startswith("@")}
    look |= dict.fromkeys(Path("/proc/self/mountinfo").read_text().splitlines(), "mount")
    for place in (QUEUES, Path("/dev/shm")):
        look |= names_below(place)
    return look


# ---- while it runs --------------------------------------------------------------------------------


class Sampler:
    """Counts, while it is entered, the processes that come from this one, their memory, and what is on disk."""

    def __init__(self, known: set[int]) -> None:
        self._known, self._over = known, threading.Event()
        self.processes = self.memory_mb = self.disk_mb = 0
        self.status: tuple[str, ...] = ()
        self._disk = disk_used_mb()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            now = [number for number in descendants(os.getpid()) if number not in self._known]
            self.processes = max(self.processes, len(now))
            self.memory_mb = max([self.memory_mb, *map(own_memory_mb, now)])
            self.disk_mb = max(self.disk_mb, disk_used_mb() - self._disk)
            for kernel in kernels_among(now):
                self.status = privileges(kernel) or self.status


def kernels_among(now: list[int]) -> list[int]:
    """The kernels among new processes: warm parent, guardian and first process are above each, in this order."""
    parents = {number: int(fields[1]) for number in now if (fields := numbers(Path(f"/proc/{number}/stat")))}
    return [n for n in parents if n not in parents.values() and parents.get(parents[n]) in parents]


def privileges(number: int) -> tuple[str, ...]:
    """The lines of a process's status that say what it may do."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{number}/status").read_text("utf-8", "replace").splitlines()
        return tuple(line for line in lines if line.startswith(("Cap", "NoNewPrivs", "Seccomp:")))
    return ()


def own_memory_mb(number: int) -> int:
    """The memory of a process that is not of a file."""
    with contextlib.suppress(OSError, ValueError):
        fields = Path(f"/proc/{number}/statm").read_text().split()
        return (int(fields[1]) - int(fields[2])) * PAGE >> 20
    return 0


@contextlib.contextmanager
def growth() -> Iterator[Callable[[], int]]:
    """How far the memory of this process has gone up, at its highest, since this was entered."""
    Path("/proc/self/clear_refs").write_text("5")
    before = _highest_mb()
    yield lambda: _highest_mb() - before


def _highest_mb() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) >> 10


class Listeners:
    """Listens on every kind of socket that code inside could try, for as long as the process lives."""

    def __init__(self, home: Path, abstract: str) -> None:
        self.heard: list[str] = []
        self.path = home / "listener"
        tcp, udp = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        stream, local = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        datagram = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        for bound, where in ((tcp, ("127.0.0.1", 0)), (udp, ("127.0.0.1", 0))):
            bound.bind(where)
        stream.bind(str(self.path))
        datagram.bind(f"{self.path}.d")
        local.bind(f"\0{abstract}")
        for open_to_all in (self.path, Path(f"{self.path}.d")):
            open_to_all.chmod(0o777)
        self.tcp, self.udp = tcp.getsockname()[1], udp.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        for name, listener in (("tcp", tcp), ("unix", stream), ("abstract", local)):
            listener.listen()
            self._selector.register(listener, selectors.EVENT_READ, (name, True))
        for name, listener in (("udp", udp), ("unix datagram", datagram)):
            self._selector.register(listener, selectors.EVENT_READ, (name, False))
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            for key, _ in self._selector.select():
                name, connects = key.data
                assert isinstance(key.fileobj, socket.socket)
                if connects:
                    key.fileobj.accept()[0].close()
                else:
                    key.fileobj.recv(1000)
                self.heard.append(name)
