"""A copy-on-write world for attacks: what is done in it, by whomever, does not reach the machine.

    python -m tests.attacks.world COMMAND…

The command runs in namespaces of its own (mounts, processes, network, IPC) on an overlay of every file system,
so that an attack that succeeds harms nothing, and everything that it wrote anywhere is seen in one place: UPPERS.
Nothing is left behind: with the first process of the world all of it ends. Needs root or, for one's own user,
user namespaces; WorldError says that there are none here.
"""

import ctypes
import functools
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from fcntl import ioctl
from pathlib import Path
from typing import NoReturn

# Folders of the world: what was written, one subfolder per file system; and a mount of the POSIX message queues.
FOLDER = Path("/.world")
UPPERS = FOLDER / "uppers"
QUEUES = FOLDER / "queues"
# What all that is written may take, so that filling the disk ends there.
DISK = "size=1g,nr_inodes=100k,mode=755"
NOT_COPIED = ("/proc", "/sys", "/dev")
# Processes of the world have greater numbers than those of a namespace inside it: none is mistaken for another.
FIRST_NUMBERS = 400

# linux/sched.h, linux/mount.h, linux/prctl.h, linux/sockios.h
NEW_USER, NEW_MOUNTS, NEW_UTS = 0x10000000, 0x00020000, 0x04000000
NEW_IPC, NEW_PROCESSES, NEW_NETWORK = 0x08000000, 0x20000000, 0x40000000
BIND, RECURSIVE, PRIVATE, DETACH = 0x1000, 0x4000, 0x40000, 2
PR_SET_PDEATHSIG = 1
SIOCSIFFLAGS, UP = 0x8914, 0x1

_libc = ctypes.CDLL(None, use_errno=True)


class WorldError(Exception):
    """This machine, or this user, cannot have a world of its own."""


def _checked(what: str, result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise WorldError(f"{what}: {os.strerror(number)}")


def _mount(source: str, target: Path, kind: str | None, flags: int = 0, options: str = "") -> None:
    arguments = source.encode(), os.fsencode(target), kind and kind.encode(), flags, options.encode() or None
    _checked(f"mount {source} on {target}", _libc.mount(*arguments))


@functools.cache
def available() -> bool:
    """Whether this user can have a world of its own here."""
    command = [sys.executable, "-m", "tests.attacks.world", "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def enter(then: Callable[[], NoReturn]) -> NoReturn:
    """Become the launcher of a world, whose second process calls `then`, and end with what that ended with."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    user, group, here = os.geteuid(), os.getegid(), Path.cwd()
    spaces = NEW_MOUNTS | NEW_UTS | NEW_IPC | NEW_PROCESSES | NEW_NETWORK
    _checked("unshare", _libc.unshare(spaces if user == 0 else spaces | NEW_USER))
    if user != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _mount("none", Path("/"), None, RECURSIVE | PRIVATE)
    _copy_file_systems("" if user == 0 else ",userxattr")
    os.chdir(here)
    first = os.fork()
    if first == 0:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        _be_first(then)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]) & 0xFF)


def _copy_file_systems(options: str) -> None:
    """Make a root of overlays, and move there. It is put together on /proc, whose place is covered anyway."""
    copied = list(_file_systems())
    stage = Path("/proc")
    _mount("world", stage, "tmpfs", 0, DISK)
    for name in ("root", "uppers", "works", "queues"):
        (stage / name).mkdir()
    root = stage / "root"
    for number, place in enumerate(copied):
        target = Path(f"{root}{place}")
        upper, work = stage / "uppers" / str(number), stage / "works" / str(number)
        if place.is_dir():
            upper.mkdir()
            os.chown(upper, place.stat().st_uid, place.stat().st_gid)
            upper.chmod(place.stat().st_mode & 0o7777)
            work.mkdir()
            _mount("copy", target, "overlay", 0, f"lowerdir={place},upperdir={upper},workdir={work}{options}")
        elif place.exists():
            _mount(str(place), target, None, BIND)
    for name in ("/dev", "/sys"):
        _mount(name, Path(f"{root}{name}"), None, BIND | RECURSIVE)
    _mount("memory", root / "dev/shm", "tmpfs", 0, "size=1g,mode=1777")
    folder = Path(f"{root}{FOLDER}")
    folder.mkdir()
    _mount(str(stage), folder, None, BIND)
    os.chdir(root)
    _checked("pivot_root", _libc.pivot_root(b".", b"."))
    _checked("umount", _libc.umount2(b".", DETACH))


def _file_systems() -> Iterator[Path]:
    """Where file systems are mounted, the root first; not those that are the kernel's own."""
    seen = set()
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        place = line.split()[4].encode().decode("unicode_escape")
        if place not in seen and not any(Path(place).is_relative_to(folder) for folder in NOT_COPIED):
            seen.add(place)
            if Path(place).exists():
                yield Path(place)


def _be_first(then: Callable[[], NoReturn]) -> NoReturn:
    """Be the first process of the world: prepare it, start the second, and bury the dead until that one ends."""
    _mount("proc", Path("/proc"), "proc")
    _mount("queues", QUEUES, "mqueue")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", UP))
    for _ in range(FIRST_NUMBERS):
        if (short := os.fork()) == 0:
            os._exit(0)
        os.waitpid(short, 0)
    second = os.fork()
    if second == 0:
        then()
    while True:
        ended, status = os.wait()
        if ended == second:
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def execute(command: list[str]) -> NoReturn:
    """Become the command."""
    os.execvp(command[0], command)


if __name__ == "__main__":
    enter(lambda: execute(sys.argv[1:]))
