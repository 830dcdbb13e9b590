"""Layer `namespaces`: a job sees its own processes, network, IPC objects and host name, and no others.

Guarantee: no process of the host has a number inside, so none can be signalled, traced or even named; the
network has no interface but a loopback that is down, so no address can be reached; System V and POSIX IPC
start empty and end with the job; and when the first process of the job ends, the kernel ends every other.

Not its part: files (`filesystem`), what the same user may do to himself (`identity`, `seccomp`).
"""

import os
from pathlib import Path

from grader.kernel.sandbox.system import PR_SET_DUMPABLE, Unsupported, checked, libc, prctl

# linux/sched.h
CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
OF_A_JOB = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP


def unshare(flags: int) -> None:
    """`unshare(2)`. Raises OSError."""
    checked(f"unshare({flags:#x})", libc().unshare, flags)


def enter() -> None:
    """Leave the host's namespaces; the pid namespace begins with the next child.

    Root needs no user namespace, and without one the job's uid is its own on the host too. Anybody else gets
    one in which they are themselves and nobody else exists. Raises Unsupported where this is not allowed.
    """
    root = os.geteuid() == 0
    uid, gid = os.geteuid(), os.getegid()
    try:
        if not root:
            prctl(PR_SET_DUMPABLE, 1)  # else the files below belong to root
        unshare(OF_A_JOB if root else OF_A_JOB | CLONE_NEWUSER)
        if not root:
            Path("/proc/self/setgroups").write_text("deny", "ascii")
            Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1", "ascii")
            Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1", "ascii")
    except OSError as error:
        # EPERM, ENOSPC, EINVAL, EACCES: a sysctl, AppArmor, a container or the build of this Linux forbids it.
        raise Unsupported(f"namespaces: {error.strerror}") from None
