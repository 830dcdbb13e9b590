"""Ends processes that do not want to end, and removes what they leave behind.

Processes are stopped before any is killed, so that none forks meanwhile; what was forked in between is found
on the next round.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterable

from grader.kernel import usage

ROUNDS = 100


def end_helpers(first: int, kernel: int) -> None:
    """End every process of a job but its first and its kernel, which goes on and can still say what it has."""
    spared = {first, kernel}
    _signal({kernel}, signal.SIGSTOP)
    stopped = _stop_below(first, spared)
    _signal(stopped, signal.SIGKILL)
    _signal({kernel}, signal.SIGCONT)


def end_descendants() -> bool:
    """End all descendants of this process, and reap those that did; False when none was left."""
    own = os.getpid()
    _signal(_stop_below(own, {own}), signal.SIGKILL)
    usage.bury()
    return len(usage.tree(own)) > 1


def _stop_below(root: int, spared: set[int]) -> set[int]:
    """Stop all descendants of a process but some, until no new ones appear; returns them."""
    stopped: set[int] = set()
    for _ in range(ROUNDS):
        found = set(usage.tree(root)) - spared - stopped
        if not found:
            break
        _signal(found, signal.SIGSTOP)
        stopped |= found
    return stopped


def _signal(processes: Iterable[int], number: int) -> None:
    for process in processes:
        with contextlib.suppress(OSError):  # it has ended
            os.kill(process, number)


def remove(folder: str) -> None:
    """Remove a folder that a job may have written to, of any depth and any mode; links in it are not followed."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    for command in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
        if os.path.lexists(folder):
            subprocess.run([*command, "--", folder], check=False, stderr=subprocess.DEVNULL)  # noqa: S603
