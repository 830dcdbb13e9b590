"""Layer `identity`: a job has no privilege, and as root a user number that nobody else has.

Guarantee: every capability is gone, from each of the five sets, and none comes back, since no program run
from here gains privilege by set-user-id bits or file capabilities. Where the grader is root, the job is not:
its uid and gid own no file of the host, and differ from those of every other job.
"""

import errno
import os
import secrets
import stat
import struct
from collections.abc import Iterable
from pathlib import Path

from grader.kernel.sandbox.syscalls import call
from grader.kernel.sandbox.system import (
    PR_CAP_AMBIENT,
    PR_CAPBSET_DROP,
    PR_SET_NO_NEW_PRIVS,
    prctl,
)

PR_CAP_AMBIENT_CLEAR_ALL = 4  # linux/prctl.h
CAPABILITY_VERSION_3 = 0x20080522  # linux/capability.h
MOST_CAPABILITIES = 64
# No distribution gives out user numbers here: above the subordinate ranges of shadow and of systemd's
# containers (which end at 1 879 048 191), below the sign bit. <https://systemd.io/UIDS-GIDS/>
FIRST_UID, LAST_UID = 1_900_000_000, 2_100_000_000


def fresh_uid() -> int:
    """A user number for one job, of those that exist in this user namespace.

    Drawn at random out of the highest range mapped, so that graders that run beside each other and know
    nothing of each other do not meet. Raises OSError if the map cannot be read.
    """
    first, last = FIRST_UID, LAST_UID
    mapped = [line.split() for line in Path("/proc/self/uid_map").read_text("ascii").splitlines()]
    top = max(int(inside) + int(count) - 1 for inside, _, count in mapped)
    if top < last:  # a container with few numbers: the upper half of them
        first, last = top // 2 + 1, top - 1
    return first + secrets.randbelow(last - first)


def everyone_may_read(paths: Iterable[str], *, along_the_way: bool) -> bool:
    """Whether a user who owns nothing can read files and enter folders; `along_the_way` asks it of the folders above too."""
    for path in map(Path, paths):
        if path.exists():
            asked = [path, *path.parents] if along_the_way else [path]
            for part in asked:
                needed = stat.S_IXOTH if part.is_dir() else stat.S_IROTH
                if not part.stat().st_mode & needed:
                    return False
    return True


def become(uid: int, gid: int) -> None:
    """Take on the identity, if this process is root and is asked to be another; give up every capability for good."""
    _empty_bounding_set()  # while there is the capability to do so
    if os.geteuid() == 0 and uid != 0:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header = struct.pack("=Ii", CAPABILITY_VERSION_3, 0)
    call("capset", header, bytes(24))  # effective, permitted and inheritable
    prctl(PR_SET_NO_NEW_PRIVS, 1)


def _empty_bounding_set() -> None:
    for capability in range(MOST_CAPABILITIES):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError as error:
            if error.errno == errno.EINVAL:
                return  # the last one this Linux knows
            if error.errno != errno.EPERM:  # without CAP_SETPCAP, nothing that is left can be used
                raise
