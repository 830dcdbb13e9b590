"""What the filter is to answer: tables of calls, arguments and answers, by what surrounds the job."""

import errno

from grader.kernel.sandbox import verdicts
from tests.bpf_machine import ALLOW

# the call, its arguments, the answer
Row = tuple[str, tuple[int, ...], str | int]

EPERM, EACCES, ENOSYS, EOPNOTSUPP = errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EOPNOTSUPP
PID, OTHER = 1234, 1235

# Linux' own names for what is passed; the same on both architectures.
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_TIPC, AF_ALG, AF_VSOCK = 1, 2, 10, 16, 17, 30, 38, 40
STREAM, DGRAM, SEQPACKET, CLOEXEC, NONBLOCK = 1, 2, 5, 0o2000000, 0o4000
WRONLY_CREAT_TRUNC = 0o1101
PATH = 0x7F0012345678
HIGH_PATH = 0x7F0000000000  # its lower half is 0

OF_EVERY_JOB: list[Row] = [
    ("clone", (0x003D0F00,), ALLOW),  # a thread of glibc's
    ("clone", (0x01200011,), ALLOW),  # a fork of glibc's
    *(("clone", (1 << bit | 17,), EPERM) for bit in (15, 17, 25, 26, 27, 28, 29, 30)),
    ("clone3", (PATH, 88), ENOSYS),
    ("unshare", (0x10000000,), EPERM),
    ("setns", (3, 0), EPERM),
    ("ptrace", (0,), EPERM),
    ("socket", (AF_NETLINK, 3), EOPNOTSUPP),
    *(
        ("socket", (family, STREAM), EACCES)
        for family in (0, AF_INET, AF_INET6, AF_PACKET, AF_TIPC, AF_ALG, AF_VSOCK, 99)
    ),
    ("socketpair", (AF_UNIX, STREAM | CLOEXEC), ALLOW),
    ("socketpair", (AF_UNIX, SEQPACKET | NONBLOCK), ALLOW),
    ("socketpair", (AF_TIPC, STREAM), EACCES),
    ("ioctl", (0, 0x5401), ALLOW),  # TCGETS
    ("ioctl", (0, 0x541B), ALLOW),  # FIONREAD
    ("ioctl", (0, 0x80045430), ALLOW),  # TIOCGPTN
    ("ioctl", (0, 0x5412), EPERM),  # TIOCSTI
    ("ioctl", (0, 0x541C), EPERM),  # TIOCLINUX
    ("ioctl", (0, 0x541D), EPERM),  # TIOCCONS
    ("ioctl", (0, 0x5423), EPERM),  # TIOCSETD
    ("ioctl", (0, 0xABCD00005412), EPERM),  # the kernel does not read the upper half
    ("ioctl", (0, 0x8901), EOPNOTSUPP),  # FIOSETOWN
    ("ioctl", (0, 0x40049409), EOPNOTSUPP),  # FICLONE
    ("ioctl", (0, 0x5000940E), EOPNOTSUPP),  # BTRFS_IOC_SUBVOL_CREATE
    ("fcntl", (3, 2), ALLOW),  # F_SETFD
    ("fcntl", (3, 1024), EPERM),  # F_SETLEASE
    ("prctl", (38, 1), ALLOW),  # PR_SET_NO_NEW_PRIVS
    ("prctl", (62, 1), EPERM),  # PR_SCHED_CORE
    ("mknodat", (0, PATH, 0o010600), ALLOW),  # a pipe
    ("mknodat", (0, PATH, 0o100600), ALLOW),  # a file
    ("mknodat", (0, PATH, 0o020600), EPERM),  # a character device
    ("mknodat", (0, PATH, 0o060600), EPERM),  # a block device
    ("mknodat", (0, PATH, 0o104700), EPERM),  # a file that runs as its owner
    ("sync", (), 0),
    ("landlock_restrict_self", (3, 0), ALLOW),
    ("seccomp", (1, 1, PATH), ALLOW),
]
OF_A_JOB: list[Row] = [
    ("socket", (AF_UNIX, STREAM), ALLOW),
    ("socket", (AF_UNIX, DGRAM), ALLOW),
    ("socketpair", (AF_UNIX, DGRAM), ALLOW),
    *((name, (3, PATH, 110), ALLOW) for name in ("bind", "connect", "listen")),
    ("kill", (OTHER, 9), ALLOW),
    ("fchmodat", (0, PATH, 0o600), ALLOW),
    ("openat", (0, PATH, WRONLY_CREAT_TRUNC, 0o600), ALLOW),
    ("prlimit64", (OTHER, 7), ALLOW),
    ("sched_setaffinity", (0, 8, PATH), ALLOW),
    ("inotify_init1", (0,), ALLOW),
]
OF_A_HOSTED_JOB: list[Row] = [
    ("socket", (AF_UNIX, STREAM), EACCES),
    ("socketpair", (AF_UNIX, DGRAM | CLOEXEC), EACCES),
    *((name, (3, PATH, 110), EACCES) for name in ("bind", "connect", "listen")),
    ("kill", (OTHER, 9), ALLOW),
    ("truncate", (PATH, 0), ALLOW),
    *((name, (0, PATH, 0, 0, 0), 0) for name in verdicts.IMITATED.split()),
    *((name, (PATH, PATH, PATH, 1), EOPNOTSUPP) for name in verdicts.ATTRIBUTES.split()),
    ("inotify_init1", (0,), EPERM),
    ("fcntl", (3, 8, OTHER), EPERM),  # F_SETOWN
    ("fcntl", (3, 15, PATH), EPERM),  # F_SETOWN_EX
    ("fcntl", (3, 6, PATH), ALLOW),  # F_SETLK
    ("prlimit64", (0, 7), ALLOW),
    ("prlimit64", (PID, 7), ALLOW),
    ("prlimit64", (OTHER, 7), EPERM),
    ("setpriority", (0, 0, 19), ALLOW),
    ("setpriority", (0, OTHER, 19), EPERM),
    ("setpriority", (1, 0, 19), EPERM),  # PRIO_PGRP
    ("setpriority", (2, 0, 19), EPERM),  # PRIO_USER
    ("openat2", (0, PATH, PATH, 24), ENOSYS),
    ("openat", (0, PATH, WRONLY_CREAT_TRUNC, 0o666), ALLOW),
    ("openat", (0, PATH, WRONLY_CREAT_TRUNC, 0o4755), EPERM),
    ("openat", (0, PATH, 0o20200002, 0o2755), EPERM),  # O_TMPFILE
    ("openat", (0, PATH, 0, 0o4755), ALLOW),  # creates nothing, so the mode is not read
    ("openat", (0, PATH, 0o1000, 0), ALLOW),  # O_RDONLY | O_TRUNC, which Landlock controls
    ("utimensat", (0xFFFFFF9C, PATH, PATH, 0), 0),
    ("utimensat", (0xFFFFFF9C, PATH, 0, 0), EACCES),
    ("utimensat", (0xFFFFFF9C, PATH, HIGH_PATH, 0), 0),
    ("utimensat", (0xFFFFFF9C, HIGH_PATH, 0, 0), EACCES),
    ("utimensat", (3, 0, 0, 0), 0),  # of an open file
]
OF_OLD_LANDLOCK: list[Row] = [
    ("kill", (PID, 10), ALLOW),
    ("tgkill", (PID, PID + 7, 10), ALLOW),
    ("rt_sigqueueinfo", (PID, 10, PATH), ALLOW),
    *(("kill", (target, 9), EPERM) for target in (OTHER, 0, 1, 2**32 - 1, 2**64 - 1, 2**64 - PID)),
    ("tgkill", (OTHER, OTHER, 9), EPERM),
    ("rt_sigqueueinfo", (OTHER, 9, PATH), EPERM),
    ("rt_tgsigqueueinfo", (OTHER, OTHER, 9, PATH), EPERM),
    ("tkill", (PID, 9), EPERM),
    ("pidfd_send_signal", (3, 9), EPERM),
    ("truncate", (PATH, 0), EACCES),
    ("openat", (0, PATH, 0o1000, 0), EACCES),  # O_RDONLY | O_TRUNC
    ("openat", (0, PATH, 0o1003, 0), EACCES),  # O_TRUNC, opened neither for reading nor for writing
    ("openat", (0, PATH, 0o1001, 0), ALLOW),
    ("openat", (0, PATH, 0o1002, 0), ALLOW),
    ("openat", (0, PATH, 0, 0), ALLOW),
    ("openat", (0, PATH, WRONLY_CREAT_TRUNC, 0o4755), EPERM),
    # x86-64 has these besides
    ("open", (PATH, 0o1000, 0), EACCES),
    ("open", (PATH, 0o1003, 0), EACCES),
    ("open", (PATH, WRONLY_CREAT_TRUNC, 0o600), ALLOW),
    ("open", (PATH, WRONLY_CREAT_TRUNC, 0o2700), EPERM),
    ("creat", (PATH, 0o4700), EPERM),
    ("creat", (PATH, 0o700), ALLOW),
    ("mknod", (PATH, 0o020600), EPERM),
    ("chmod", (PATH, 0o777), 0),
    ("utime", (PATH, 0), EACCES),
    ("utime", (PATH, PATH), 0),
    ("utimes", (PATH, 0), EACCES),
    ("futimesat", (0, PATH, 0), EACCES),
    ("futimesat", (0, PATH, PATH), 0),
    ("inotify_init", (), EPERM),
]
