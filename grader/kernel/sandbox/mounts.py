"""The mount calls that a private file system is built with. Each does what its name says or raises OSError."""

import ctypes
import os

from grader.kernel.sandbox.syscalls import call
from grader.kernel.sandbox.system import Unsupported, checked, libc

# linux/mount.h
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV, ATTR_NOEXEC = 1, 2, 4, 8
READ_ONLY = ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV


class _Attributes(ctypes.Structure):
    """`struct mount_attr`."""

    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


def mount(source: str | None, target: str, kind: str | None = None, flags: int = 0, data: str = "") -> None:
    """`mount(2)`."""
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind)]
    checked(f"mount {target}", libc().mount, *words, ctypes.c_ulong(flags), os.fsencode(data) or None)


def bind(source: str, target: str, attributes: int) -> None:
    """Show `source`, with all that is mounted below it, at `target`, with these attributes everywhere below."""
    mount(source, target, flags=MS_BIND | MS_REC)
    try:
        set_attributes(target, attributes, recursive=True)
    except Unsupported:  # before Linux 5.12: this mount alone; flags that an outer namespace locked must stay
        locked = os.statvfs(target).f_flag & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
        mount(None, target, flags=MS_REMOUNT | MS_BIND | attributes | locked)


def set_attributes(path: str, attributes: int, *, recursive: bool) -> None:
    """`mount_setattr(2)`: add attributes. Raises Unsupported before Linux 5.12."""
    wanted = _Attributes(attr_set=attributes)
    flags = AT_RECURSIVE if recursive else 0
    size = ctypes.sizeof(wanted)
    call("mount_setattr", AT_FDCWD, os.fsencode(path), flags, ctypes.byref(wanted), size)


def pivot_root(new: str, old: str) -> None:
    """`pivot_root(2)`."""
    call("pivot_root", os.fsencode(new), os.fsencode(old))


def detach(path: str) -> None:
    """Take a mount away, now for names and as soon as nobody uses it for good."""
    checked(f"umount {path}", libc().umount2, os.fsencode(path), MNT_DETACH)
