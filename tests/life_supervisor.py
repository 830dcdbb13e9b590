"""A supervisor that a test can tell what to do, and kill.

    python -m tests.life_supervisor TIER

Says `ready`, then answers each line: `run` with what came of a run that never ends by itself, `next` with what came
of an honest one, `unheard` by starting a job whose guardian nobody listens to. It ends when its input does.
"""

import os
import socket
import sys
from typing import Any

from grader.errors import KernelFault
from grader.kernel.job import CHANNELS, Job
from grader.kernel.pool import Kernels
from grader.model import Limits
from grader.settings import Settings
from tests.life import DAEMONIC
from tests.sessions import ran

# Nothing that the run does is to end it.
LIMITS = Limits(cell_seconds=100.0, run_seconds=100.0)
LIFETIME_SECONDS = 0.5


def told(kernels: Kernels, source: str) -> str:
    """How a run ended: the kinds of its errors, or the fault that makes it ungradable."""
    try:
        with ran(kernels, source, limits=LIMITS) as kernel:
            return " ".join(error.kind for error in kernel.run.errors) or "no errors"
    except KernelFault as fault:
        return f"ungradable: {fault.text} {fault.params or ''}".rstrip()


def start_unheard(kernels: Kernels) -> str:
    """Start a job with little time, and never look at what its guardian says."""
    zygote: Any = vars(kernels)["_zygote"]
    control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        folder = zygote.new_folder()
        listening = [socket.socket(socket.AF_UNIX) for _ in CHANNELS]
        for number, channel in enumerate(listening):
            channel.bind(f"{folder}/{number}")
            channel.listen()
        descriptors = [theirs.fileno(), *(channel.fileno() for channel in listening)]
        zygote.start(Job(folder, "jupyter", "key", LIMITS, LIFETIME_SECONDS), descriptors)
    for channel in listening:
        channel.close()
    os.set_inheritable(control.detach(), False)  # open, and not looked at, to the end of this process
    return "started"


def main() -> None:
    """Answer orders until there are no more."""
    with Kernels(Settings(sandbox=sys.argv[1])) as kernels:  # type: ignore[arg-type]
        told(kernels, "1")
        print("ready", flush=True)
        for line in sys.stdin:
            match line.strip():
                case "run":
                    print(told(kernels, DAEMONIC), flush=True)
                case "next":
                    print(told(kernels, "import torch"), flush=True)
                case "unheard":
                    print(start_unheard(kernels), flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
