"""Scenarios for tests.attempts: confined by Landlock, what can be done with files, sockets and other processes."""

import fcntl
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.kernel.sandbox import landlock, seccomp
from grader.kernel.sandbox.landlock import Access, Rule
from grader.kernel.sandbox.seccomp import Profile
from tests.attempts import Attempt, each, forked

NOBODY = 65534
TCGETS = 0x5401


class Outside:
    """What surrounds a confined process: a tree of files, listening sockets, and a process of the same uid."""

    def __init__(self, uid: int) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="landlock-"))
        for name in ("read", "list", "write", "hidden"):
            (self.root / name / "inner").mkdir(parents=True)
            for file in ("file", "other"):
                (self.root / name / file).write_text("text", encoding="utf-8")
        shutil.copy("/bin/true", self.root / "read" / "program")
        shutil.copy("/bin/true", self.root / "hidden" / "program")
        (self.root / "single").write_text("text", encoding="utf-8")
        (self.root / "link").symlink_to(self.root / "hidden" / "file")
        for path in [self.root, *self.root.rglob("*")]:
            os.chown(path, uid, -1, follow_symlinks=False)
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.port = self.tcp.getsockname()[1]
        self.abstract = f"\0landlock-{os.getpid()}"
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(self.abstract)
        self.listening.listen()

    def rules(self) -> list[Rule]:
        return [
            Rule(f"{self.root}/read", Access.READ),
            Rule(f"{self.root}/list", Access.LIST),
            Rule(f"{self.root}/write", Access.WRITE),
            Rule(f"{self.root}/single", Access.WRITE),  # of a file, not a folder
            Rule(f"{self.root}/missing", Access.WRITE),
            Rule("/dev/null", Access.DEVICE),
            Rule("/dev/zero", Access.READ),
            *(
                Rule(path, Access.READ) for path in ("/usr", "/lib", "/lib64")
            ),  # what a program is loaded with
        ]

    def attempts(self, other: int) -> dict[str, Attempt]:
        return self.reading() | self.writing() | self.talking(other)

    def reading(self) -> dict[str, Attempt]:
        root = self.root
        return {
            "read: read": lambda: (root / "read" / "file").read_text("utf-8"),
            "read: list": lambda: names(root / "read" / "inner"),
            "read: run": lambda: run(root / "read" / "program"),
            "list: list": lambda: names(root / "list" / "inner"),
            "list: read": lambda: (root / "list" / "file").read_text("utf-8"),
            "write: read": lambda: (root / "write" / "file").read_text("utf-8"),
            "single: read": lambda: (root / "single").read_text("utf-8"),
            "hidden: read": lambda: (root / "hidden" / "file").read_text("utf-8"),
            "hidden: read by link": lambda: (root / "link").read_text("utf-8"),
            "hidden: read from below": lambda: (root / "read" / ".." / "hidden" / "file").read_text("utf-8"),
            "hidden: list": lambda: names(root / "hidden"),
            "hidden: run": lambda: run(root / "hidden" / "program"),
            "around: list": lambda: names(root),
        }

    def writing(self) -> dict[str, Attempt]:
        root, device = self.root, os.makedev(1, 3)
        return {
            "write: overwrite": lambda: (root / "write" / "file").write_text("new", encoding="utf-8"),
            "write: make": lambda: (root / "write" / "new").write_text("new", encoding="utf-8"),
            "write: folder": (root / "write" / "folder").mkdir,
            "write: move": lambda: (root / "write" / "new").rename(root / "write" / "moved"),
            "write: move to another folder": lambda: (root / "write" / "moved").rename(
                root / "write" / "inner" / "m"
            ),
            "write: link": lambda: (root / "write" / "symbolic").symlink_to(root / "hidden"),
            "write: pipe": lambda: os.mkfifo(root / "write" / "pipe"),
            "write: socket": lambda: socket.socket(socket.AF_UNIX).bind(str(root / "write" / "socket")),
            "write: device": lambda: os.mknod(root / "write" / "device", 0o020600, device),
            "write: remove": (root / "write" / "file").unlink,
            "write: remove folder": (root / "write" / "folder").rmdir,
            "single: overwrite": lambda: (root / "single").write_text("new", encoding="utf-8"),
            "single: remove": (root / "single").unlink,
            "read: overwrite": lambda: os.open(root / "read" / "file", os.O_WRONLY),
            "read: make": lambda: os.open(root / "read" / "new", os.O_CREAT | os.O_WRONLY),
            "read: remove": (root / "read" / "other").unlink,
            "read: truncate": lambda: os.truncate(root / "read" / "file", 1),
            "read: link from": lambda: os.link(root / "read" / "file", root / "write" / "linked"),
            "read: take": lambda: (root / "read" / "file").rename(root / "write" / "taken"),
            "hidden: overwrite": lambda: os.open(root / "hidden" / "file", os.O_WRONLY),
            "hidden: make": lambda: os.open(root / "hidden" / "new", os.O_CREAT | os.O_WRONLY),
            "hidden: truncate": lambda: os.truncate(root / "hidden" / "file", 1),
            "hidden: truncate while opening for nothing": lambda: os.open(
                root / "hidden" / "file", 3 | os.O_TRUNC
            ),
        }

    def talking(self, other: int) -> dict[str, Attempt]:
        return {
            "device: write": lambda: Path("/dev/null").write_text("text", encoding="utf-8"),
            "device: command": lambda: command("/dev/null"),
            "other device: command": lambda: command("/dev/zero"),
            "tcp: connect": lambda: socket.socket().connect(("127.0.0.1", self.port)),
            "tcp: bind": lambda: socket.socket().bind(("127.0.0.1", 0)),
            "abstract socket": lambda: socket.socket(socket.AF_UNIX).connect(self.abstract),
            "signal": lambda: os.kill(other, 0),
            "signal a child": signal_a_child,
        }


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def run(program: Path) -> None:
    os.posix_spawn(program, [str(program)], {})
    os.wait()


def command(device: str) -> None:
    """A command that no such device knows: it fails either way, and the errno says where."""
    with Path(device).open("rb") as file:
        fcntl.ioctl(file, TCGETS, bytes(60))


def signal_a_child() -> None:
    """It ends when its pipe does, for where it may not be signalled."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    try:
        os.kill(child, signal.SIGKILL)
    finally:
        os.close(writing)
        os.waitpid(child, 0)


@contextmanager
def surroundings(uid: int) -> Iterator[tuple[Outside, int]]:
    """The outside, and the pid of a process of the uid."""
    outside = Outside(uid)
    child = os.fork()
    if child == 0:
        become(uid)
        signal.pause()
    try:
        yield outside, child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        shutil.rmtree(outside.root)


def become(uid: int) -> None:
    if uid != os.geteuid():
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def free(uid: int) -> dict[str, str]:
    """The outcomes without Landlock: what is refused under it must be possible here."""
    with surroundings(uid) as (outside, other):

        def child() -> dict[str, str]:
            become(uid)
            return each(outside.attempts(other))

        return forked(child)  # type: ignore[no-any-return]


def confined(versions: list[int], uids: list[int], completed: bool) -> list[tuple[int, int, dict[str, str]]]:
    """The outcomes under each ABI for each uid, alone or completed by the filter for a process without namespaces."""
    return [(version, uid, confined_once(version, uid, completed)) for version in versions for uid in uids]


def confined_once(version: int, uid: int, completed: bool) -> dict[str, str]:
    with surroundings(uid) as (outside, other):

        def child() -> dict[str, str]:
            ruleset = landlock.prepare(outside.rules(), abi_at_most=version)
            become(uid)  # from here on, some paths of the rules could not be opened
            landlock.enforce(ruleset)
            if completed:
                holds = ruleset.holds
                seccomp.confine(Profile(os.getpid(), "signals" in holds, "truncation" in holds))
            return each(outside.attempts(other))

        return forked(child)  # type: ignore[no-any-return]


def descriptors() -> list[bool]:
    """Whether a ruleset's descriptor is left to programs, and whether it is closed once enforced, or not made."""

    def child() -> list[bool]:
        before = opened()
        ruleset = landlock.prepare([Rule("/", Access.READ)])
        inherited = os.get_inheritable(ruleset.descriptor)
        landlock.enforce(ruleset)
        after_enforcing = opened()
        return [inherited, after_enforcing == before]

    return forked(child)  # type: ignore[no-any-return]


def opened() -> list[str]:
    """The descriptors of this process."""
    return names(Path("/proc/self/fd"))


def no_ruleset() -> str:
    """What enforcing some other descriptor comes to."""
    other = landlock.Ruleset(os.open("/dev/null", os.O_RDONLY), frozenset())
    return str(forked(lambda: each({"": lambda: landlock.enforce(other)})[""]))
