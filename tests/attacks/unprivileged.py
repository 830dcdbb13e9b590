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

# A number that no account has.
USER = 54321


def become(command: list[str]) -> NoReturn:
    """Give up root, in a world, and become the command."""
    if os.geteuid() == 0:
        for wanted in (sys.base_prefix, sys.prefix, str(Path.cwd())):
            for folder in (Path(wanted).resolve(), *Path(wanted).resolve().parents):
                folder.chmod(folder.stat().st_mode | 0o001)
        os.setgroups([])
        os.setresgid(USER, USER, USER)
        os.setresuid(USER, USER, USER)
    execute(command)


if __name__ == "__main__":
    enter(lambda: become(sys.argv[1:]))
