"""Runs a command as a user without privileges, in a world of its own, where the machine's Python can be reached.

    python -m tests.attacks.unprivileged COMMAND…

For whoever starts it as root; another user keeps being that user. An interpreter below a folder that is
private (as /root is) is made reachable in the copy: the folder may be passed through there, though not listed.
"""

import os
import sys
from pathlib import Path
from typing import NoReturn

from tests.attacks.world import enter, execute

# Numbers that no account has; one of its own for each, since the kernel counts processes by user.
FIRST_USER, USERS = 50_000, 10_000


def become(command: list[str], number: int) -> NoReturn:
    """Give up root, in a world, and become the command; `number` is of this process outside."""
    if os.geteuid() == 0:
        user = FIRST_USER + number % USERS
        for wanted in (sys.base_prefix, sys.prefix, str(Path.cwd())):
            for folder in (Path(wanted).resolve(), *Path(wanted).resolve().parents):
                folder.chmod(folder.stat().st_mode | 0o001)
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    execute(command)


if __name__ == "__main__":
    outside = os.getpid()
    enter(lambda: become(sys.argv[1:], outside))
