"""Layer `cgroup`: hard limits on the memory and the number of tasks of a whole job, where this machine lends them.

Guarantee: all processes of the job together get no more memory (tmpfs files included) and no more tasks than
given, however fast they ask. It needs version 1 as root, or a version 2 subtree delegated to the grader.
Without it, the guardian's watch and the ceilings of each process remain.
"""

import contextlib
import time
from pathlib import Path
from typing import NamedTuple

from grader.kernel.sandbox.system import Unsupported

CONTROLLERS = ("memory", "pids")
NO_LIMIT = 2**60  # more than any machine has; the file of version 1 takes no word for it
# The kernel's count of processes that it killed for memory, in version 2 and in version 1.
KILLED_IN = ("memory.events", "memory.oom_control")
REMOVE_SECONDS = 1.0
POLL_SECONDS = 0.01


class Cgroup(NamedTuple):
    """Folders of one job's group: one in version 2, one per controller in version 1."""

    folders: tuple[Path, ...]

    def take_in(self, process: int) -> None:
        """Put a process, and what it forks from now on, into the group. Raises OSError.

        It takes the kernel some ten milliseconds, in which it waits for all processors.
        """
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(process), "ascii")

    def holds(self, process: int) -> bool:
        """Whether a process is in the group."""
        return all(
            str(process) in (folder / "cgroup.procs").read_text("ascii").split() for folder in self.folders
        )

    def ran_out(self) -> bool:
        """Whether the kernel killed a process of the group for want of memory."""
        for path in (folder / name for folder in self.folders for name in KILLED_IN):
            if path.exists():
                counts = dict(line.split() for line in path.read_text("ascii").splitlines())
                if int(counts.get("oom_kill", "0")):
                    return True
        return False

    def remove(self) -> None:
        """Take the group away, once the kernel has buried its last process."""
        until = time.monotonic() + REMOVE_SECONDS
        for folder in self.folders:
            while folder.exists() and time.monotonic() < until:
                with contextlib.suppress(OSError):
                    folder.rmdir()
                    break
                time.sleep(POLL_SECONDS)


def create(name: str, memory_bytes: int | None, tasks: int) -> Cgroup:
    """Make a group with these limits; None is no limit. Raises Unsupported where none can be made."""
    memory_bytes = memory_bytes or NO_LIMIT
    for make in (_version_2, _version_1):
        with contextlib.suppress(OSError):
            return make(name, memory_bytes, tasks)
    raise Unsupported("cgroup")


def find(name: str) -> Cgroup:
    """The group of that name that is there; one without folders, if none is."""
    mounted, own = _mounted(), _own()
    above = {mounted[kind] / own[kind.removeprefix("cgroup2")].lstrip("/") for kind in mounted}
    return Cgroup(tuple(folder / name for folder in above if (folder / name).is_dir()))


def _version_2(name: str, memory_bytes: int, tasks: int) -> Cgroup:
    folder = _mounted()["cgroup2"] / _own()[""].lstrip("/")
    granted = (folder / "cgroup.subtree_control").read_text("ascii").split()
    if not set(CONTROLLERS) <= set(granted):
        raise FileNotFoundError(folder)
    limits = {"memory.max": memory_bytes, "memory.swap.max": 0, "pids.max": tasks}
    return _made(folder / name, limits)


def _version_1(name: str, memory_bytes: int, tasks: int) -> Cgroup:
    mounted, own = _mounted(), _own()
    limits = {"memory": {"memory.limit_in_bytes": memory_bytes}, "pids": {"pids.max": tasks}}
    made: list[Path] = []
    try:
        for controller in CONTROLLERS:
            folder = mounted[controller] / own[controller].lstrip("/") / name
            made.extend(_made(folder, limits[controller]).folders)
    except OSError:
        Cgroup(tuple(made)).remove()
        raise
    return Cgroup(tuple(made))


def _made(folder: Path, limits: dict[str, int]) -> Cgroup:
    folder.mkdir()
    group = Cgroup((folder,))
    try:
        for file, value in limits.items():
            if (folder / file).exists():
                (folder / file).write_text(str(value), "ascii")
    except OSError:
        group.remove()
        raise
    return group


class _Folders(dict[str, Path]):
    """Says of a hierarchy that is not mounted what the system would say of a file that is not there."""

    def __missing__(self, key: str) -> Path:
        raise FileNotFoundError(key)


def _mounted() -> _Folders:
    """Where each hierarchy is mounted, by controller; version 2 is `cgroup2`."""
    found = _Folders()
    for line in Path("/proc/self/mounts").read_text("utf-8").splitlines():
        _, folder, kind, options, *_ = line.split()
        if kind == "cgroup2":
            found["cgroup2"] = Path(folder)
        elif kind == "cgroup":
            found.update({name: Path(folder) for name in CONTROLLERS if name in options.split(",")})
    return found


def _own() -> dict[str, str]:
    """The group that this process is in, by controller; version 2 has none."""
    own = dict.fromkeys(("", *CONTROLLERS), "/")
    for line in Path("/proc/self/cgroup").read_text("utf-8").splitlines():
        _, controllers, path = line.split(":", 2)
        own.update(dict.fromkeys(controllers.split(","), path))
    return own
