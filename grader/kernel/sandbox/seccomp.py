"""The system calls that a job may make: a seccomp filter.

What it guarantees, for this process, its threads, and all that they start, for as long as they live: calls of
another architecture end the process; calls that nobody has reviewed do not exist; what `verdicts` refuses fails
before the kernel looks at it. There is no network, no debugging, no mounting, no new namespace, and none of the
interfaces that kernels are usually broken through.

What it does not: it sees numbers and never what a pointer leads to, so it knows no paths, and cannot tell one file
or process from another. Hiding files is the business of mounts and of Landlock, hiding processes that of pid
namespaces. The bulk of the kernel stays within reach, as it must for Python, and limits nothing: memory, time and
disk are bounded elsewhere. A process may leave its session and group, and outlive its parent; whoever ends the job
has to find it.

A hosted process (`Profile.hosted`) shares its host's processes and files, with nothing but Landlock between them. What
Landlock lets through is refused or imitated here. Left are questions and locks: it may ask whether a path exists, what
stat and statfs say of it and who runs (getpriority, sched_getaffinity, pidfd_open), use fcntl locks and flock on
files that it may read, and warm the machine.
"""

import ctypes
import errno
import struct
from typing import NamedTuple

from grader.kernel.sandbox import bpf, verdicts
from grader.kernel.sandbox.bpf import Block, Instruction
from grader.kernel.sandbox.syscalls import UNREVIEWED, call, numbers
from grader.kernel.sandbox.system import PR_SET_NO_NEW_PRIVS, Architecture, Unsupported, architecture, prctl

# linux/audit.h
_AUDIT_ARCHITECTURE: dict[Architecture, int] = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# linux/seccomp.h
_SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC = 1, 1


class Profile(NamedTuple):
    """What surrounds the filter.

    `hosted` is None where the job has namespaces of its own; otherwise the pid of the process, which shares
    processes and files with its host. The other two say what Landlock does for a hosted process: confine its signals
    (ABI 6) and control truncation (ABI 3).
    """

    hosted: int | None
    scopes_signals: bool = True
    controls_truncation: bool = True


def program(machine: Architecture, profile: Profile) -> tuple[Instruction, ...]:
    """The filter. It is the same for the same profile."""
    known = numbers(machine)
    judged = (
        bpf.when_equal(value, verdict)
        for name, verdict in _verdicts(profile).items()
        if (value := known[name]) is not None
    )
    return bpf.joined((*_native(machine), *_reviewed(machine), *judged, bpf.allow()))


def supported() -> bool:
    """Whether this Linux has filters. Asked as seccomp(2) advises: it complains of a filter that is none."""
    try:
        call("seccomp", _SECCOMP_SET_MODE_FILTER, 0, None)
    except Unsupported:
        return False
    except OSError as error:
        if error.errno == errno.EINVAL:
            return False
        if error.errno != errno.EFAULT:
            raise
    return True


def confine(profile: Profile) -> None:
    """Put the filter on all threads of this process, for good.

    Raises Unsupported where this Linux has no filters, OSError where it does not take this one.
    """
    code = bpf.encoded(program(architecture(), profile))
    if not supported():
        raise Unsupported("seccomp filters")
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    instructions = ctypes.create_string_buffer(code, len(code))
    length = len(code) // struct.calcsize("HBBI")
    described = struct.pack("HP", length, ctypes.addressof(instructions))  # struct sock_fprog
    thread = call("seccomp", _SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC, described)
    # No error to the C library, but this thread has filters of its own, and no thread got ours.
    if thread > 0:
        raise OSError(errno.EBUSY, f"seccomp: thread {thread} cannot be confined")


def _native(machine: Architecture) -> tuple[Block, ...]:
    """Look at the architecture; the numbers of any other mean other calls."""
    return (bpf.load(bpf.ARCHITECTURE), bpf.unless_equal(_AUDIT_ARCHITECTURE[machine], bpf.kill()))


def _reviewed(machine: Architecture) -> tuple[Block, ...]:
    """Look at the number; whatever was not reviewed does not exist."""
    gaps = (bpf.when_between(first, last, bpf.refuse(errno.ENOSYS)) for first, last in UNREVIEWED[machine])
    return (bpf.load(bpf.CALL_NUMBER), *gaps)


def _verdicts(profile: Profile) -> dict[str, Block]:
    """The verdict on each system call that has one."""
    found = dict(verdicts.for_every_job())
    if profile.hosted is not None:
        found |= verdicts.for_hosted_job(profile.hosted)
        if not profile.scopes_signals:
            found |= verdicts.where_signals_escape(profile.hosted)
        if not profile.controls_truncation:
            found |= verdicts.where_truncation_escapes()
    return found
