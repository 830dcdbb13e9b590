"""The caretaker: the warm parent's own parent, so small that it is not worth killing, and the last to leave.

Guarantee: when the supervisor or the warm parent is gone, by whatever end, then within seconds every process
of every job is gone too, also one whose guardian was killed or stopped, and so are all folders and groups. It
stays outside of bubblewrap, whose processes cannot reach the supervisor's folder.
"""

import os
import select
import signal
import socket
import tempfile
import time
from pathlib import Path

from grader.kernel import usage
from grader.kernel.ending import end_descendants, remove
from grader.kernel.sandbox import cgroup
from grader.kernel.sandbox.system import PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG, prctl

# How long guardians may take to end their jobs by themselves.
PATIENCE_SECONDS = 2.0
LOOK_SECONDS = 0.01


def leave_a_caretaker(channel: socket.socket, sockets_folder: str) -> str:
    """Go on as the warm parent, in a process of its own; returns the folder for what jobs write.

    This process stays behind as the caretaker. `sockets_folder` is the supervisor's, to be removed at the end.
    """
    scratch_folder = tempfile.mkdtemp(prefix="grader-")
    Path(scratch_folder).chmod(0o711)  # jobs of other users pass through it to their own
    own = os.getpid()
    prctl(PR_SET_CHILD_SUBREAPER, 1)  # what has lost its parents comes here
    warm_parent = os.fork()
    if warm_parent:
        try:
            _stand_by(channel, warm_parent)
            _end_all(warm_parent)
            for left in os.listdir(scratch_folder):  # noqa: PTH208 - names alone are wanted
                cgroup.find(left).remove()
            for folder in (scratch_folder, sockets_folder):
                remove(folder)
        finally:
            os._exit(0)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != own:
        os._exit(1)
    return scratch_folder


def _stand_by(channel: socket.socket, warm_parent: int) -> None:
    """Until the supervisor or the warm parent is gone; then the other one is told."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    poll = select.poll()
    poll.register(channel, 0)  # what is sent is not for this process: only the end is
    poll.register(os.pidfd_open(warm_parent), select.POLLIN)
    poll.poll()
    channel.shutdown(socket.SHUT_RDWR)


def _end_all(warm_parent: int) -> None:
    """Give guardians the time to end their jobs, then end all that is left."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while _jobs(warm_parent) and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
    while end_descendants():
        time.sleep(LOOK_SECONDS)


def _jobs(warm_parent: int) -> bool:
    """Whether any process is left below, besides the warm parent."""
    usage.bury()
    return bool(set(usage.tree(os.getpid())) - {os.getpid(), warm_parent})
