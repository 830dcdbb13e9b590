"""Counts what many runs in one process could pile up."""

import asyncio
import gc
import os
import threading
from pathlib import Path
from typing import Any, NamedTuple

from grader.kernel.pool import Kernels
from grader.kernel.usage import tree
from tests.sessions import ran

# A small run that computes, prints, writes a file, and starts a process of its own.
CELLS = (
    "import torch, subprocess\nw = torch.zeros(1, requires_grad=True)",
    "(w * 3).sum().backward()\nprint(w.grad)\nopen('left.txt', 'w').write('left')\nsubprocess.run(['true'])",
)
PARTS = ("supervisor", "caretaker", "warm parent")


class Counted(NamedTuple):
    """What there was at one moment, by name: things that must stay as many as they were, and memory in KiB."""

    things: dict[str, int]
    memory: dict[str, int]


class Runs:
    """Runs in the kernels of one process, and what they leave there."""

    def __init__(self, kernels: Kernels) -> None:
        self._kernels = kernels
        self._jobs: set[str] = set()

    def run(self, times: int) -> None:
        """Start so many kernels, one after the other; each runs the cells, is asked for a value, and ends."""
        for _ in range(times):
            with ran(self._kernels, *CELLS, values=("w",)) as kernel:
                assert (kernel.run.errors, set(kernel.run.values)) == ((), {"w"})
                self._jobs |= set(_names(self._folders()[1]))

    def count(self) -> Counted:
        """Count, while no run is under way."""
        gc.collect()
        loop: asyncio.AbstractEventLoop = vars(self._kernels)["_loop"]
        below = tree(os.getpid())
        parts = dict(zip(PARTS, below, strict=False))
        sockets, jobs = map(_names, self._folders())
        groups = {name for _, folders, _ in os.walk("/sys/fs/cgroup") for name in folders}
        things = {
            # asyncio keeps a few for what blocks, and starts them as they are wanted
            "threads": sum(not thread.name.startswith("asyncio_") for thread in threading.enumerate()),
            "tasks of the event loop": len(asyncio.all_tasks(loop)),
            "processes": len(below),
            "dead processes": sum(_status(number)["State"].startswith("Z") for number in below),
            "folders of the supervisor": len(sockets),
            "folders of jobs": len(jobs),
            "control groups": len(groups & self._jobs),
            **{
                f"descriptors of the {name}": len(_names(f"/proc/{number}/fd"))
                for name, number in parts.items()
            },
        }
        memory = {name: int(_status(number)["RssAnon"].split()[0]) for name, number in parts.items()}
        return Counted(things, memory)

    def _folders(self) -> tuple[str, str]:
        """Where the sockets of all kernels are, and where all jobs write."""
        zygote: Any = vars(self._kernels)["_zygote"]
        return vars(zygote)["_folder"], zygote.ground.folder


def _status(number: int) -> dict[str, str]:
    lines = Path(f"/proc/{number}/status").read_text("utf-8").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _names(folder: str) -> list[str]:
    return [path.name for path in Path(folder).iterdir()]
