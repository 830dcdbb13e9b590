"""The guardian of a job whose kernel it does not know yet: what it ends, and that it goes on itself."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SECONDS = 60
# A guardian as it is before its kernel serves, with a job that is beyond its limits. In a session of its own,
# since a number of 0 in the place of the kernel's would stop all processes of the group.
LOOK = """
import os, socket, sys, time
import msgspec
from grader.kernel.guardian import FAR_BEYOND, _Gone, _Guardian
from grader.kernel.job import Job, News
from grader.model import Limits

supervisor, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
control.setblocking(False)
limits = Limits(memory_mb=1, processes=0) if sys.argv[1] == "memory" else Limits(memory_mb=0, processes=0)
guardian = _Guardian(Job("", "bare", "", limits, 60.0), sys.argv[2], control, _Gone())
there, tell = os.pipe()
first = os.fork()
if first == 0:
    taken = bytearray(8 << 20)
    os.write(tell, b"1")
    time.sleep(60)
    os._exit(0)
os.read(there, 1)
guardian._private, guardian._first, guardian._descriptor = True, first, os.pidfd_open(first)
guardian._look()
print("goes on", guardian._reason)
guardian._end("killed")
guardian._bury()
"""


@pytest.mark.parametrize(("limit", "reason"), [("memory", "memory"), ("processes", "itself")])
def test_a_limit_passed_before_the_kernel_is_known_does_not_stop_the_guardian(
    limit: str, reason: str, tmp_path: Path
) -> None:
    """Memory ends the job, since none of it can be spared; of processes it has only its own so far."""
    command = [sys.executable, "-c", LOOK, limit, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            said, _ = process.communicate(timeout=SECONDS)
        finally:
            with contextlib.suppress(ProcessLookupError):  # all have ended
                os.killpg(process.pid, signal.SIGKILL)
    assert (said, process.returncode) == (f"goes on {reason}\n", 0)
