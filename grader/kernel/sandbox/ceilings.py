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
# How many more tasks of a shared user may have been started since they were counted.
TASKS_STARTED_SINCE = 8
MOST_TASKS = 2**15
COUNTED_TO_WITHIN = 2


def apply(limits: Limits, tasks_of_others: int = 0) -> None:
    """Set the ceilings of this process and of all it starts; hard ones, which nobody inside can raise.

    tasks_of_others: processes and threads of the same user that are no part of the job but count with it.
    """
    import resource  # noqa: PLC0415 - POSIX alone has it

    cpu = int(limits.cpu_seconds) + CPU_SECONDS_BEYOND
    ceilings = {
        resource.RLIMIT_CPU: cpu,
        resource.RLIMIT_NPROC: limits.processes + tasks_of_others,
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


def tasks_in_sight(uid: int) -> int:
    """How many processes and threads of a user /proc shows."""
    count = 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                if entry.stat().st_uid == uid:
                    count += len(os.listdir(f"{entry.path}/task"))  # noqa: PTH208 - names alone are wanted
            except OSError:
                continue  # it has ended
    return count


def tasks_out_of_sight(uid: int) -> int:
    """How many more of them the kernel counts, as those of other containers where the same number is in use.

    Only the kernel knows; it is asked by trying under which ceiling a fork succeeds.
    """
    import resource  # noqa: PLC0415 - POSIX alone has it

    before = resource.getrlimit(resource.RLIMIT_NPROC)
    too_few, enough = 0, MOST_TASKS
    while enough - too_few > COUNTED_TO_WITHIN:
        middle = (too_few + enough) // 2
        resource.setrlimit(resource.RLIMIT_NPROC, (middle, before[1]))
        try:
            child = os.fork()
        except BlockingIOError:
            too_few = middle
            continue
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        enough = middle
    resource.setrlimit(resource.RLIMIT_NPROC, before)
    return max(0, too_few - tasks_in_sight(uid))
