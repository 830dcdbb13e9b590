"""The warm parent: a process that has imported torch and the kernel's code, and forks one kernel per request.

    python -P -m grader.kernel.zygote DESCRIPTOR

A fork costs milliseconds where importing torch costs seconds. The zygote never computes with torch, since
the thread pools that this would start do not survive a fork; it runs no learner's code, and each child
leaves it by its own session, folder, environment and limits before it starts its kernel. Children die with
the zygote, and the zygote ends when its socket does.

Requests and answers are JSON, one per packet:  {"cwd", "env", "connection_file"} → {"pid"}.
"""

import ctypes
import gc
import importlib
import json
import os
import signal
import socket
import sys
from typing import Any, NoReturn

from grader.kernel.warm import PACKET_BYTES

FOR_OPTIMIZERS = "torch._dynamo"
# A single grading is over before the zygote has been idle for so long.
IDLE_SECONDS = 2.0
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Warm up, then fork until the other end closes."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    from grader.kernel import worker  # noqa: PLC0415 - the warm-up itself

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _settle()
    while packet := _receive(channel):
        _reap()
        request = json.loads(packet)
        pid = os.fork()
        if pid == 0:
            _become_kernel(channel, request, worker)
        channel.send(json.dumps({"pid": pid}).encode())


def _settle() -> None:
    """Take what is there out of the collector's sight: it would touch, and so copy, every page after a fork."""
    gc.collect()
    gc.freeze()


def _receive(channel: socket.socket) -> bytes:
    """The next request; empty when the other end is gone. Dead children are buried while waiting."""
    channel.settimeout(IDLE_SECONDS)
    while True:
        try:
            return channel.recv(PACKET_BYTES)
        except TimeoutError:
            _reap()
            _warm_up_further()
        except OSError:
            return b""


def _warm_up_further() -> None:
    """Import what torch imports for the first optimizer of a process; it takes a second, so only when idle."""
    if FOR_OPTIMIZERS not in sys.modules:
        importlib.import_module(FOR_OPTIMIZERS)
        _settle()


def _reap() -> None:
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


def _become_kernel(channel: socket.socket, request: dict[str, Any], worker: Any) -> NoReturn:
    """In the child: leave everything of the zygote behind, and serve as a kernel until the end."""
    try:
        channel.close()
        _die_with_parent()
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["env"])
        worker.serve(request["connection_file"])
    finally:
        os._exit(0)


def _die_with_parent() -> None:
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)  # it died before this was set


if __name__ == "__main__":
    main()
