"""What a tree of processes uses, read from /proc and from its folder: no cgroup is needed for it."""

import contextlib
import os
import stat
from pathlib import Path

KILOBYTE = 1024


def tree(root: int) -> list[int]:
    """The process and all its descendants; those that end meanwhile are left out."""
    found, waiting = [], [root]
    while waiting:
        process = waiting.pop()
        found.append(process)
        try:
            for thread in os.scandir(f"/proc/{process}/task"):
                waiting += map(int, Path(thread.path, "children").read_text("ascii").split())
        except OSError:
            continue  # it has ended
    return found


def bury() -> None:
    """Reap the children of this process that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def memory_bytes(processes: list[int], limit: int) -> int:
    """The memory that processes have to themselves: anonymous and shared memory, shared pages by their share.

    Counting shares walks all pages, so it is done only where the plain sum is beyond `limit`. The plain sum
    also stands in for a process that has made itself unreadable.
    """
    plain = {
        process: _sum(f"/proc/{process}/status", ("RssAnon:", "RssShmem:")) or 0 for process in processes
    }
    total = sum(plain.values())
    if total > limit:
        total = 0
        for process in processes:
            share = _sum(f"/proc/{process}/smaps_rollup", ("Pss_Anon:", "Pss_Shmem:"))
            total += plain[process] if share is None else share
    return max(total, _shared_bytes(processes, limit))


def _shared_bytes(processes: list[int], limit: int) -> int:
    """The memory that processes share without a file; pages that a process has let go of (MADV_DONTNEED) stay in it.

    The lists of mappings are long, so they are read only where they may tell of more than `limit`: processes are
    forks, so what they have beyond the address space of this one they have asked for themselves.
    """
    own = _sum("/proc/self/status", ("VmSize:",)) or 0
    sizes = {process: _sum(f"/proc/{process}/status", ("VmSize:",)) or 0 for process in processes}
    if sum(max(0, size - own) for size in sizes.values()) <= limit:
        return 0
    found: dict[str, int] = {}
    for process in processes:
        sizes_here: dict[str, int] = {}
        with contextlib.suppress(OSError), Path(f"/proc/{process}/maps").open("rb") as mappings:
            for line in mappings:
                if line.endswith(b"(deleted)\n") and line.split(None, 2)[1].endswith(b"s"):
                    span, _, _, device, number, _ = line.decode("utf-8", "replace").split(None, 5)
                    start, end = (int(part, 16) for part in span.split("-"))
                    key = f"{device} {number}"
                    sizes_here[key] = sizes_here.get(key, 0) + end - start
        for key, size in sizes_here.items():
            found[key] = max(found.get(key, 0), size)
    return sum(found.values())


def _sum(path: str, names: tuple[str, ...]) -> int | None:
    """The bytes of some lines of a file of /proc; None if it cannot be read."""
    try:
        lines = Path(path).read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    return sum(int(line.split()[1]) * KILOBYTE for line in lines if line.startswith(names))


def tasks(processes: list[int]) -> int:
    """How many processes and threads there are in all."""
    count = 0
    for process in processes:
        try:
            count += len(os.listdir(f"/proc/{process}/task"))  # noqa: PTH208 - names alone are wanted
        except OSError:
            continue  # it has ended
    return count


def cpu_seconds(processes: list[int]) -> float:
    """The CPU time of processes and of the children they have waited for."""
    ticks = 0
    for process in processes:
        try:
            fields = Path(f"/proc/{process}/stat").read_text("utf-8", "replace")
        except OSError:
            continue  # it has ended; its parent has its time
        # utime, stime, cutime, cstime: fields 14 to 17; the second, in parentheses, may hold anything
        ticks += sum(map(int, fields.rpartition(")")[2].split()[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def folder_use(top: str, most_bytes: int, most_files: int) -> tuple[int, int]:
    """The bytes on disk and the number of files below a folder; counting stops beyond either figure.

    What cannot be read, being closed or too deep, counts as beyond: no learner needs it, and it could hide anything.
    """
    used, files, waiting = 0, 0, [top]
    while waiting and used <= most_bytes and files <= most_files:
        try:
            with os.scandir(waiting.pop()) as listing:
                for entry in listing:
                    seen = entry.stat(follow_symlinks=False)
                    files += 1
                    used += seen.st_blocks * 512  # st_blocks is in units of 512 bytes, stat(2)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    if files > most_files:
                        break
        except (FileNotFoundError, NotADirectoryError):
            continue  # it changes while it is read
        except OSError:
            used = most_bytes + 1
    return used, files


def _is_ending(process: int) -> bool:
    """Whether a process has no memory any more: what is left of it belongs to root until its parent has its status."""
    try:
        return Path(f"/proc/{process}/statm").read_text("ascii").startswith("0 ")
    except OSError:
        return True


def unlinked_bytes(processes: list[int], limit: int) -> int:
    """The disk blocks of files that have no name any more but are open; beyond `limit` if that cannot be seen.

    Files that are only mapped, or on their way in a socket, escape it: without a file system of its own a job
    has no true quota.
    """
    found: dict[tuple[int, int], int] = {}
    for process in processes:
        try:
            for entry in os.scandir(f"/proc/{process}/fd"):
                seen = entry.stat()
                if stat.S_ISREG(seen.st_mode) and seen.st_nlink == 0:
                    found[seen.st_dev, seen.st_ino] = seen.st_blocks * 512
        except PermissionError:
            if not _is_ending(process):
                return limit + 1
        except OSError:
            continue  # it has ended, or closed it
    return sum(found.values())
