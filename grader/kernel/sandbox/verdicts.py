"""What the filter answers to each system call, and why.

A verdict is a block that always returns. Calls that are not named here are allowed if they were reviewed (see
syscalls.UNREVIEWED). Constants are named as in the kernel's headers, and are the same on both architectures.
"""

import errno
from collections.abc import Iterator, Mapping

from grader.kernel.sandbox.bpf import (
    Block,
    allow,
    argument,
    joined,
    keep_bits,
    pretend,
    refuse,
    when_any_bit,
    when_equal,
    when_null,
)

# Refused with EPERM to every job: what they reach, and the calls. Nothing that a notebook does needs them.
REFUSED: Mapping[str, str] = {
    "memory, descriptors and state of other processes": "ptrace process_vm_readv process_vm_writev process_madvise"
    " process_mrelease pidfd_getfd kcmp get_robust_list migrate_pages move_pages ioprio_set",
    "mounts and roots": "mount umount2 pivot_root chroot mount_setattr open_tree move_mount fsopen fsconfig fsmount"
    " fspick statmount listmount",
    "namespaces": "unshare setns",
    "files by handle, past the folders that hide them": "name_to_handle_at open_by_handle_at",
    "events and quotas of whole file systems": "fanotify_init fanotify_mark quotactl quotactl_fd",
    "who else reads a file": "cachestat",
    "System V objects, found by anyone who knows the key": "shmget shmat shmctl shmdt semget semop semtimedop semctl"
    " msgget msgsnd msgrcv msgctl",
    "message queues, found by name": "mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr",
    "keys, shared by all processes of a uid": "add_key request_key keyctl",
    "memory that no path leads to, and no rule on paths controls": "memfd_create memfd_secret",
    "interfaces through which kernels have often been broken": "bpf perf_event_open userfaultfd io_uring_setup"
    " io_uring_enter io_uring_register io_setup vmsplice modify_ldt personality",
    "security labels": "lsm_set_self_attr",
    "kernel code": "init_module finit_module delete_module kexec_load kexec_file_load",
    "the machine": "reboot swapon swapoff acct syslog vhangup iopl ioperm sethostname setdomainname",
    "its clock": "settimeofday clock_settime clock_adjtime adjtimex",
    "relics": "uselib lookup_dcookie nfsservctl",
}

# Answered with 0 and not done: they would flush the host's disks.
FLUSHES = "sync syncfs"

# Refused or imitated only where the process shares the files and processes of the host, for Landlock lets these
# through ("current limitations" in Documentation/userspace-api/landlock.rst). To imitate is to return 0: copying and
# unpacking files, and libzmq, which aborts if it cannot set its threads' priority, go on.
IMITATED = (
    "chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat"
    " sched_setaffinity sched_setattr sched_setparam sched_setscheduler"
)
# Extended attributes, unsupported as on many a file system; reading them, too, works on files that may not be read.
ATTRIBUTES = (
    "setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr"
    " getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr"
)
# They report the names of files in folders that may not be listed.
WATCHES = "inotify_init inotify_init1"

AF_UNIX, AF_NETLINK = 1, 16
SOCK_STREAM, SOCK_SEQPACKET, SOCK_TYPE_MASK = 1, 5, 0xF
CLONE_PARENT = 0x00008000
# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. NEWTIME exists for unshare and clone3 only.
CLONE_NAMESPACES = 0x7E020000
F_SETOWN, F_SETOWN_EX, F_SETLEASE = 8, 15, 1024
TIOCLINUX, TIOCSTI, TIOCCONS, TIOCSETD = 0x541C, 0x5412, 0x541D, 0x5423
IOCTL_TYPE_MASK, IOCTL_TERMINAL = 0xFF00, 0x5400
O_ACCMODE, O_RDONLY, O_CREAT, O_TRUNC, O_TMPFILE = 0o3, 0, 0o100, 0o1000, 0o20000000
NEITHER_READ_NOR_WRITE = 0o3  # open(2): an undocumented access mode, "for ioctls only"
S_IFMT, S_IFCHR, S_IFBLK = 0o170000, 0o020000, 0o060000
S_ISUID_OR_S_ISGID = 0o6000
PRIO_PROCESS = 0
PR_SCHED_CORE = 62


def for_every_job() -> Iterator[tuple[str, Block]]:
    """The verdicts that hold whatever is shared with the host."""
    yield "clone", joined((argument(0), when_any_bit(CLONE_NAMESPACES | CLONE_PARENT, _no()), allow()))
    # Its flags lie in memory, where a filter cannot look: without it, the C library uses clone.
    yield "clone3", refuse(errno.ENOSYS)
    yield "ioctl", _ioctl()
    # A lease keeps others waiting to open the file; core scheduling pairs up with other processes.
    yield "fcntl", _all_but(1, (F_SETLEASE,))
    yield "prctl", _all_but(0, (PR_SCHED_CORE,))
    yield "socket", _only_unix(allow())
    yield "socketpair", _only_unix(allow())
    yield "mknod", _mknod(1)
    yield "mknodat", _mknod(2)
    yield from _each(FLUSHES, pretend())
    for names in REFUSED.values():
        yield from _each(names, _no())


def for_hosted_job(pid: int) -> Iterator[tuple[str, Block]]:
    """The verdicts that replace or join them in the process `pid`, which shares the host's files and processes.

    The owner of a descriptor, which F_SETOWN names, is sent signals on its account.
    """
    yield "socket", _only_unix(_denied())
    yield "socketpair", _only_unix(_connected_pairs())
    yield from _each("bind connect listen", _denied())
    yield "fcntl", _all_but(1, (F_SETLEASE, F_SETOWN, F_SETOWN_EX))
    yield "prlimit64", joined((argument(0), when_equal(0, allow()), when_equal(pid, allow()), _no()))
    yield "setpriority", _own_priority()
    yield "open", _open(1, 2)
    yield "openat", _open(2, 3)
    yield "creat", joined((argument(1), when_any_bit(S_ISUID_OR_S_ISGID, _no()), allow()))
    # As with clone3: the C library and Python do without.
    yield "openat2", refuse(errno.ENOSYS)
    yield from _times()
    yield from _each(IMITATED, pretend())
    yield from _each(ATTRIBUTES, refuse(errno.EOPNOTSUPP))
    yield from _each(WATCHES, _no())


def where_signals_escape(pid: int) -> Iterator[tuple[str, Block]]:
    """The verdicts for a hosted process whose signals Landlock does not confine: it may signal itself only."""
    own = joined((argument(0), when_equal(pid, allow()), _no()))
    yield from _each("kill tgkill rt_sigqueueinfo rt_tgsigqueueinfo", own)
    # These name threads and descriptors, which cannot be told apart here.
    yield from _each("tkill pidfd_send_signal", _no())


def where_truncation_escapes() -> Iterator[tuple[str, Block]]:
    """The verdicts for a hosted process where Landlock does not control truncation: it takes opening for writing."""
    yield "truncate", _denied()
    yield "open", _open_without_truncation(1, 2)
    yield "openat", _open_without_truncation(2, 3)


def _no() -> Block:
    return refuse(errno.EPERM)


def _denied() -> Block:
    return refuse(errno.EACCES)


def _each(names: str, verdict: Block) -> Iterator[tuple[str, Block]]:
    for name in names.split():
        yield name, verdict


def _all_but(position: int, commands: tuple[int, ...]) -> Block:
    """All is allowed but these values of an argument."""
    return joined((argument(position), *(when_equal(command, _no()) for command in commands), allow()))


def _ioctl() -> Block:
    """Terminals' commands only, without those that type for others, or load a line discipline.

    Others reach file systems (btrfs makes and deletes subvolumes unasked by Landlock), devices and network
    interfaces. EOPNOTSUPP is what Path.copy expects of a file system that cannot clone.
    """
    forbidden = (TIOCSTI, TIOCLINUX, TIOCCONS, TIOCSETD)
    return joined(
        (
            argument(1),
            *(when_equal(command, _no()) for command in forbidden),
            keep_bits(IOCTL_TYPE_MASK),
            when_equal(IOCTL_TERMINAL, allow()),
            refuse(errno.EOPNOTSUPP),
        )
    )


def _only_unix(verdict: Block) -> Block:
    """The verdict for unix sockets; none of the network. libzmq aborts on any other error for AF_NETLINK."""
    netlink = when_equal(AF_NETLINK, refuse(errno.EOPNOTSUPP))
    return joined((argument(0), netlink, when_equal(AF_UNIX, verdict), _denied()))


def _connected_pairs() -> Block:
    """No datagrams: the end of such a pair may be sent from to any socket that has a name."""
    kinds = (SOCK_STREAM, SOCK_SEQPACKET)
    return joined(
        (argument(1), keep_bits(SOCK_TYPE_MASK), *(when_equal(kind, allow()) for kind in kinds), _denied())
    )


def _mknod(mode: int) -> Block:
    """No devices; pipes and files, but none that run as their owner."""
    kind = (argument(mode), keep_bits(S_IFMT), when_equal(S_IFCHR, _no()), when_equal(S_IFBLK, _no()))
    return joined((*kind, argument(mode), when_any_bit(S_ISUID_OR_S_ISGID, _no()), allow()))


def _own_priority() -> Block:
    """Only of the process itself: by user, it would slow down the whole session of whoever grades."""
    own = joined((argument(1), when_equal(0, allow())))
    return joined((argument(0), when_equal(PRIO_PROCESS, own), _no()))


def _open(flags: int, mode: int) -> Block:
    """No new file may run as its owner: another account of the machine could make use of it."""
    creates = when_any_bit(O_CREAT | O_TMPFILE, argument(mode), when_any_bit(S_ISUID_OR_S_ISGID, _no()))
    return joined((argument(flags), creates, allow()))


def _open_without_truncation(flags: int, mode: int) -> Block:
    """Where truncation is no right of its own, only a file that is opened for writing may be truncated."""
    unasked = tuple(when_equal(access, _denied()) for access in (O_RDONLY, NEITHER_READ_NOR_WRITE))
    truncates = when_any_bit(O_TRUNC, keep_bits(O_ACCMODE), *unasked)
    return joined((argument(flags), truncates, _open(flags, mode)))


def _times() -> Iterator[tuple[str, Block]]:
    """Setting a file's times is imitated; setting them to now fails, or Path.touch would believe the file exists."""
    for name, times in (("utime", 1), ("utimes", 1), ("futimesat", 2)):
        yield name, joined((when_null(times, _denied()), pretend()))
    # Without a path, the file is open and exists: so does touch(1) it.
    yield "utimensat", joined((when_null(1, pretend()), when_null(2, _denied()), pretend()))
