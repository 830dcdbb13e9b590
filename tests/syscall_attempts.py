"""Scenarios for tests.attempts: confined by the filter alone, what fails with which errno and what goes on working."""

import ctypes
import fcntl
import mmap
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from grader.kernel.sandbox import bpf, seccomp, syscalls, verdicts
from grader.kernel.sandbox.seccomp import Profile
from grader.kernel.sandbox.system import Unsupported, architecture, libc, system_call
from tests.attempts import Attempt, each, forked, outcome

NOBODY = 65534


def profile(kind: str) -> Profile:
    """A job with namespaces; a hosted one; a hosted one where Landlock is the oldest there is."""
    if kind == "job":
        return Profile(None)
    return Profile(os.getpid(), scopes_signals=kind == "hosted", controls_truncation=kind == "hosted")


def confined(kind: str, work: Callable[[], Any]) -> Any:
    """What `work` returns in a child that confined itself."""

    def child() -> Any:
        seccomp.confine(profile(kind))
        return work()

    return forked(child)


@contextmanager
def bystander() -> Iterator[int]:
    """A process of the same uid that the confined one has nothing to do with."""
    child = os.fork()
    if child == 0:
        signal.pause()
    try:
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


# ---- what is refused ----------------------------------------------------------------------------


def refused(kind: str) -> dict[str, str]:
    """The outcome of every call that no job may make. Without a filter, these arguments would do no harm, either."""
    names = [name for names in verdicts.REFUSED.values() for name in names.split()]
    return confined(kind, lambda: each({name: raw(name) for name in names if exists(name)}))  # type: ignore[no-any-return]


def exists(name: str) -> bool:
    return syscalls.numbers(architecture())[name] is not None


def raw(name: str, *arguments: int) -> Attempt:
    return lambda: syscalls.call(name, *(arguments or [-1] * 6))


def unknown(number: int) -> Attempt:
    """A call by its number; where there is none, ENOSYS as an error like others."""

    def attempt() -> None:
        try:
            system_call(str(number), number)
        except Unsupported:
            raise OSError(38, "no such call") from None

    return attempt


def attacks() -> dict[str, str]:
    """What a job with namespaces of its own tries."""
    return confined("job", lambda: each(attacks_of_a_job()))  # type: ignore[no-any-return]


def attacks_of_a_job() -> dict[str, Attempt]:
    master, terminal = os.openpty()
    device = f"{tempfile.mkdtemp()}/null"
    return {
        "tcp": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "mptcp": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262),
        "ipv6": lambda: socket.socket(socket.AF_INET6, socket.SOCK_STREAM),
        "vsock": lambda: socket.socket(40, socket.SOCK_STREAM),
        "alg": lambda: socket.socket(38, socket.SOCK_SEQPACKET),
        "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0),
        "tipc pair": lambda: socket.socketpair(30, socket.SOCK_STREAM),
        "new user namespace": raw("clone", 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0),
        "child of the parent": raw("clone", 0x8000 | signal.SIGCHLD, 0, 0, 0, 0),
        "type for others": lambda: fcntl.ioctl(terminal, 0x5412, b"x"),
        "line discipline": lambda: fcntl.ioctl(terminal, 0x5423, bytes(4)),
        "interfaces": lambda: fcntl.ioctl(master, 0x8912, bytes(16)),
        "lease": lambda: fcntl.fcntl(os.open(sys.executable, os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK),
        "device": lambda: os.mknod(device, 0o020666, os.makedev(1, 3)),
        "core scheduling": raw("prctl", 62, 1, 0, 0, 0),
        "clone3": unknown(435),
        "x32": unknown(0x40000000 | 39),
        **{f"newer than reviewed: {number}": unknown(number) for number in range(463, 472)},
    }


def foreign() -> str:
    """How a process ends that makes a call of 32-bit x86."""
    return str(confined("job", call_as_32_bit))


def call_as_32_bit() -> str:
    code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(bytes.fromhex("b814000000cd80c3"))  # mov eax, 20 (getpid); int 0x80; ret
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    ctypes.CFUNCTYPE(ctypes.c_int)(address)()
    return "survived"


def hosted_attacks(kind: str) -> dict[str, str]:
    """What a process tries that shares the host's processes."""
    with bystander() as other:
        return confined(kind, lambda: each(attacks_of_a_hosted_job(other)))  # type: ignore[no-any-return]


def attacks_of_a_hosted_job(other: int) -> dict[str, Attempt]:
    import resource

    theirs = f"{tempfile.mkdtemp()}/theirs"
    Path(theirs).write_text("theirs", encoding="utf-8")
    left, _ = socket.socketpair()
    nothing = os.open("/dev/null", os.O_RDONLY)
    return {
        "limits of another": lambda: resource.prlimit(other, resource.RLIMIT_CPU, (1, 1)),
        "own limits": lambda: resource.prlimit(os.getpid(), resource.RLIMIT_CORE, (0, 0)),
        "own limits, as 0": lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
        "priority of another": lambda: os.setpriority(os.PRIO_PROCESS, other, 19),
        "priority of the user": lambda: os.setpriority(os.PRIO_USER, 0, 19),
        "own priority": lambda: os.nice(1),
        "signal another": lambda: os.kill(other, 0),
        "signal the group": lambda: os.kill(0, 0),
        "signal oneself": lambda: os.kill(os.getpid(), 0),
        "signal a thread": raw("tkill", other, 0),
        "signal by descriptor": raw("pidfd_send_signal", nothing, 0, 0, 0),
        "own a descriptor": lambda: fcntl.fcntl(left, fcntl.F_SETOWN, other),
        "unix socket": lambda: socket.socket(socket.AF_UNIX),
        "datagrams": lambda: socket.socketpair(type=socket.SOCK_DGRAM),
        "packets": lambda: socket.socketpair(type=socket.SOCK_SEQPACKET),
        "connect": lambda: left.connect("\0somewhere"),
        "bind": lambda: left.bind("\0somewhere"),
        "listen": left.listen,
        "truncate": lambda: os.truncate(theirs, 1),
        "truncate while opening": lambda: os.open(theirs, os.O_RDONLY | os.O_TRUNC),
        "truncate while opening for nothing": lambda: os.open(theirs, 3 | os.O_TRUNC),
        "write": lambda: Path(theirs).write_text("new", encoding="utf-8"),
        "file that runs as its owner": lambda: os.open(theirs + "s", os.O_CREAT | os.O_WRONLY, 0o4755),
        "pipe that runs as its owner": lambda: os.mkfifo(theirs + "p", 0o4755),
        "watch": raw("inotify_init1", 0),
        "openat2": unknown(437),
        "read attributes": lambda: os.listxattr(theirs),
        "set attributes": lambda: os.setxattr(theirs, "user.a", b"b"),
        "set to now": lambda: os.utime(theirs),
    }


def imitated(kind: str) -> list[bool]:
    """Whether mode, times and attributes of a file can be changed, by calls that all succeed."""
    return confined(kind, change)  # type: ignore[no-any-return]


def change() -> list[bool]:
    with tempfile.NamedTemporaryFile() as file:
        before = Path(file.name).stat()
        Path(file.name).chmod(0o666)
        mode = Path(file.name).stat().st_mode
        os.utime(file.name, (1, 2))
        os.utime(file.fileno(), (1, 2))
        return [mode != before.st_mode, Path(file.name).stat().st_mtime != before.st_mtime]


# ---- who is confined ----------------------------------------------------------------------------


def inherited() -> list[str]:
    """What a socket gets: in a thread from before, in a program started later, and for an unprivileged user."""
    return [confined_thread(), confined("job", in_a_program), forked(unprivileged)]


def inet() -> socket.socket:
    return socket.socket(socket.AF_INET)


def confined_thread() -> str:
    return str(forked(lambda: with_thread(lambda: None)))


def with_thread(first: Callable[[], object]) -> str:
    """Confine all threads while one waits that has done `first`; what that one's socket gets then."""
    ready, go = threading.Event(), threading.Event()
    seen: list[str] = []

    def wait() -> None:
        first()
        ready.set()
        go.wait()
        seen.append(outcome(inet))

    thread = threading.Thread(target=wait)
    thread.start()
    ready.wait()
    seen.append(outcome(lambda: seccomp.confine(Profile(None))))
    go.set()
    thread.join()
    return " ".join(seen)


def diverged() -> str:
    """Confining where another thread has a filter of its own: nobody is confined, so it must fail."""
    return str(forked(lambda: with_thread(filter_alone)))


def filter_alone() -> None:
    code = ctypes.create_string_buffer(bpf.encoded(bpf.allow()), 8)
    libc().prctl(38, 1, 0, 0, 0)
    address = ctypes.addressof(code).to_bytes(8, "little")
    syscalls.call("seccomp", 1, 0, (1).to_bytes(8, "little") + address)


def in_a_program() -> str:
    script = (
        "import errno, socket\ntry: socket.socket()\nexcept OSError as e: print(errno.errorcode[e.errno])"
    )
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.strip()


def unprivileged() -> str:
    if os.geteuid() == 0:
        os.setresuid(NOBODY, NOBODY, NOBODY)
    seccomp.confine(Profile(None))
    return outcome(inet)


def machine() -> str:
    return platform.machine()
