"""The kernel's own interface, through ctypes: system calls that Python's `os` does not offer.

Every function either does what its name says or raises. `Unsupported` means that this machine or this Linux
has no such thing, so that a weaker tier may be tried; any other failure is an OSError, and ends the job.
Importable everywhere; usable on Linux, x86-64 and aarch64.
"""

import ctypes
import errno
import functools
import os
import platform
from collections.abc import Callable
from typing import Any, Literal, get_args

Architecture = Literal["x86_64", "aarch64"]

# linux/prctl.h
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER = 1, 4, 24, 36
PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 38, 47


class Unsupported(Exception):  # noqa: N818 - a state of the machine, not a fault
    """This machine, or its Linux, has no such thing. The message names it."""


@functools.cache
def libc() -> Any:
    """The C library of this process. Raises Unsupported where it is no Linux."""
    if platform.system() != "Linux":
        raise Unsupported(platform.system())
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    return library


def architecture() -> Architecture:
    """The machine's architecture. Raises Unsupported if its system call numbers are not known here."""
    machine = platform.machine()
    for known in get_args(Architecture):
        if machine == known:
            return known  # type: ignore[no-any-return]
    raise Unsupported(machine)


def checked(what: str, function: Callable[..., int], *arguments: Any) -> int:
    """Call a C function and return what it returns. Raises OSError, naming `what`, where that is negative."""
    result = function(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def prctl(option: int, *arguments: int) -> int:
    """`prctl(2)`. Raises OSError."""
    padded = [*arguments, 0, 0, 0, 0][:4]
    return checked(
        f"prctl({option})", libc().prctl, ctypes.c_int(option), *(ctypes.c_ulong(value) for value in padded)
    )


def system_call(what: str, number: int, *arguments: Any) -> int:
    """A system call by number; integers are passed as C longs.

    Raises Unsupported where this Linux does not know the number, OSError for any other failure.
    """
    passed = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    try:
        return checked(what, libc().syscall, ctypes.c_long(number), *passed)
    except OSError as error:
        if error.errno == errno.ENOSYS:
            raise Unsupported(what) from None
        raise
