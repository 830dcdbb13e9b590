"""The files that a job may open, and whom it may signal: Landlock.

What it guarantees, for the thread that enforces it and all that this thread starts, for as long as they live: below
the paths of the rules, what the rules say may be opened, listed, changed and executed; elsewhere nothing, whoever
owns it, root included. By the kernel's ABI also: no truncation (3), no TCP (4), no device commands (5), no signals
and no abstract unix sockets outside (6), no unix sockets by path but the job's own (9). `Ruleset.holds` says which.

What it does not: rules only grant, so nothing below a granted folder can be taken out again. Descriptors that are
open already keep working. Attributes (chmod, chown, times, stat), folders as working directory, locks and all of the
network but TCP are not Landlock's; see seccomp. Other threads that exist stay free: enforce it single-threaded.

Documentation/userspace-api/landlock.rst; include/uapi/linux/landlock.h.
"""

import enum
import errno
import os
import stat
import struct
from collections.abc import Iterable
from typing import NamedTuple

from grader.kernel.sandbox.syscalls import call
from grader.kernel.sandbox.system import PR_SET_NO_NEW_PRIVS, Unsupported, prctl

# LANDLOCK_ACCESS_FS_*
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE = 1, 2, 4, 8, 16, 32
_MAKE_DIR, _MAKE_REG, _MAKE_SOCK, _MAKE_FIFO, _MAKE_SYM = 1 << 7, 1 << 8, 1 << 9, 1 << 10, 1 << 12
_REFER, _TRUNCATE, _IOCTL_DEV, _RESOLVE_UNIX = 1 << 13, 1 << 14, 1 << 15, 1 << 16
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV | _RESOLVE_UNIX
_FIRST_RIGHTS = (1 << 13) - 1  # of ABI 1; among them the making of devices, which no rule here grants

_TCP = 0b11  # LANDLOCK_ACCESS_NET_BIND_TCP, CONNECT_TCP
_ABSTRACT_SOCKETS, _SIGNALS = 0b01, 0b10  # LANDLOCK_SCOPE_*

# The ABI since which something is confined, its name, and its bits among the rights on files, on the network, and
# among the scopes. Without ABI 2, moving and linking between folders is always denied.
_CONFINED = (
    (1, "files", (_FIRST_RIGHTS, 0, 0)),
    (2, "moves", (_REFER, 0, 0)),
    (3, "truncation", (_TRUNCATE, 0, 0)),
    (4, "tcp", (0, _TCP, 0)),
    (5, "device-ioctl", (_IOCTL_DEV, 0, 0)),
    (6, "abstract-sockets", (0, 0, _ABSTRACT_SOCKETS)),
    (6, "signals", (0, 0, _SIGNALS)),
    (9, "unix-sockets", (_RESOLVE_UNIX, 0, 0)),
)

_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1

# The newest ABI that was reviewed for this sandbox. A newer kernel is asked for no more than this.
REVIEWED_ABI = 9


class Access(enum.Enum):
    """What a rule grants at its path and below it."""

    LIST = _READ_DIR  # folders may be listed
    READ = LIST | _READ_FILE | _EXECUTE  # files may be read and executed, too
    # Everything may be made, changed, moved and removed, too, except devices.
    WRITE = (
        READ
        | (_WRITE_FILE | _TRUNCATE | _REMOVE_DIR | _REMOVE_FILE)
        | (_MAKE_DIR | _MAKE_REG | _MAKE_SOCK | _MAKE_FIFO | _MAKE_SYM | _REFER)
    )
    DEVICE = _READ_FILE | _WRITE_FILE | _IOCTL_DEV  # a device may be read, written and commanded


class Rule(NamedTuple):
    """A path, which a symbolic link may end, and what is granted there and below."""

    path: str
    access: Access


class Ruleset(NamedTuple):
    """Rules, ready to be enforced, and what this kernel confines by them."""

    descriptor: int
    holds: frozenset[str]


def guarantees() -> tuple[str, ...]:
    """The names of all that Landlock may confine, oldest first."""
    return tuple(name for _, name, _ in _CONFINED)


def abi() -> int:
    """The version of this kernel's Landlock; 0 where there is none, or where it is switched off. Raises OSError."""
    try:
        return call("landlock_create_ruleset", None, 0, _CREATE_RULESET_VERSION)
    except Unsupported:
        return 0
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:
            return 0
        raise


def prepare(rules: Iterable[Rule], *, abi_at_most: int = REVIEWED_ABI) -> Ruleset:
    """Open the paths of the rules: to be done while they can still be opened. A path that is not there is left out.

    Raises Unsupported where this kernel has no Landlock, OSError for any other failure. `abi_at_most` makes it as
    good as an older kernel.
    """
    version = min(abi(), abi_at_most)
    if version < 1:
        raise Unsupported("landlock")
    files, network, scopes = _confined(version)
    # An older kernel takes the longer structure, if what it does not know of it is 0.
    attributes = struct.pack("=QQQ", files, network, scopes)
    descriptor = call("landlock_create_ruleset", attributes, len(attributes), 0)
    try:
        for rule in rules:
            _add(descriptor, rule, files)
    except BaseException:
        os.close(descriptor)
        raise
    return Ruleset(descriptor, frozenset(name for since, name, _ in _CONFINED if since <= version))


def enforce(ruleset: Ruleset) -> None:
    """Confine this thread, and what it starts from now on, for good; closes the ruleset. Raises OSError."""
    try:
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        call("landlock_restrict_self", ruleset.descriptor, 0)
    finally:
        os.close(ruleset.descriptor)


def _confined(version: int) -> tuple[int, int, int]:
    """All that an ABI can confine: `struct landlock_ruleset_attr`. What it does not know is an error to it."""
    known = [masks for since, _, masks in _CONFINED if since <= version]
    files, network, scopes = (sum(column) for column in zip(*known, strict=True))
    return files, network, scopes


def _add(ruleset: int, rule: Rule, handled: int) -> None:
    """Grant what a rule grants. Rights that a file cannot have, or the ruleset does not confine, are errors."""
    try:
        path = os.open(rule.path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        folder = stat.S_ISDIR(os.fstat(path).st_mode)
        granted = rule.access.value & handled & (~0 if folder else _OF_FILES)
        if granted:  # an empty rule is an error, too
            call("landlock_add_rule", ruleset, _RULE_PATH_BENEATH, struct.pack("=Qi", granted, path), 0)
    finally:
        os.close(path)
