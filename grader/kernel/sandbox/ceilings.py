"""Layer `limits`: the kernel's own ceilings on each process of a job.

Guarantee: no process has more private memory, address space, CPU time, open files, locked memory or queued
signals than given, writes a file longer than the quota, or dumps core; and all together are no more processes
and threads than given. What all processes use together is the guardian's to watch, and the cgroup's.
"""

import os
from pathlib import Path

from grader.model import Limits

MEGABYTE = 2**20
# Beyond the limit that the guardian announces, so that a job is told before it is stopped.
CPU_SECONDS_BEYOND = 10
# Stacks, libraries loaded later, and what torch reserves without using it.
ADDRESS_SPACE_BEYOND_MB = 2_048


def apply(limits: Limits, tasks_already: int = 0) -> None:
    """Set the ceilings of this process and of all it starts; hard ones, which nobody inside can raise.

    tasks_already: processes and threads of the same user that are no part of the job but count with it.
    """
    import resource  # noqa: PLC0415 - POSIX alone has it

    cpu = int(limits.cpu_seconds) + CPU_SECONDS_BEYOND
    ceilings = {
        resource.RLIMIT_CPU: cpu,
        resource.RLIMIT_NPROC: tasks_already + limits.processes,
        resource.RLIMIT_FSIZE: limits.scratch_mb * MEGABYTE,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 65_536,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_NICE: 0,
        resource.RLIMIT_RTPRIO: 0,
        resource.RLIMIT_SIGPENDING: 256,
    }
    if limits.memory_mb:
        beyond = (limits.memory_mb + ADDRESS_SPACE_BEYOND_MB) * MEGABYTE
        ceilings |= {
            resource.RLIMIT_DATA: limits.memory_mb * MEGABYTE,
            resource.RLIMIT_AS: _address_space() + beyond,
        }
    for which, value in ceilings.items():
        _set(which, value)


def apply_memory(memory_mb: int) -> None:
    """The ceiling on private memory alone, for a job that nothing else confines."""
    import resource  # noqa: PLC0415 - POSIX alone has it

    if memory_mb:
        _set(resource.RLIMIT_DATA, memory_mb * MEGABYTE)


def _set(which: int, value: int) -> None:
    import resource  # noqa: PLC0415 - POSIX alone has it

    _, hard = resource.getrlimit(which)
    least = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (least, least))


def _address_space() -> int:
    """How many bytes of address space this process has now, most of them torch's code."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")


def tasks_of(uid: int) -> int:
    """How many processes and threads a user has on this machine: the ceiling on processes counts them too."""
    count = 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                if entry.stat().st_uid == uid:
                    count += len(os.listdir(f"{entry.path}/task"))  # noqa: PTH208 - names alone are wanted
            except OSError:
                continue  # it has ended
    return count
