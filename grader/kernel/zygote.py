"""The warm parent: a process that has imported torch and the kernel's code, and forks a guardian for each job.

    python -P -m grader.kernel.zygote DESCRIPTOR [OPENING]

A fork costs milliseconds where importing torch costs seconds. It never computes with torch, since the thread
pools that this would start do not survive a fork; it has one thread; it runs no learner's code; it has a clean
environment; and it has never seen a reference, so a job cannot find one in memory that it inherited.

Packets are those of `job`: an `Opening` comes first and is answered by a `Ground`, then `Job`s come, each with
its descriptors, and are answered by their guardians. It ends when its socket does, and its guardians with it.
"""

import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import msgspec

from grader.kernel.caretaker import leave_a_caretaker
from grader.kernel.ending import remove
from grader.kernel.guardian import guard
from grader.kernel.hugepages import use_huge_pages
from grader.kernel.job import GIVEN, PACKET_BYTES, Job, Kind, Opening, Refused
from grader.kernel.rehearse import best
from grader.kernel.sandbox import cgroup
from grader.kernel.sandbox.bubblewrap import enter_bubblewrap
from grader.kernel.sandbox.ceilings import tasks_out_of_sight
from grader.kernel.sandbox.system import PR_SET_CHILD_SUBREAPER, Unsupported, prctl
from grader.kernel.sandbox.tiers import Grounds

# What serves in a kernel, by how it is spoken to.
WORKERS: dict[Kind, str] = {"jupyter": "grader.kernel.forked", "bare": "grader.kernel.bare"}
# What each kernel would import for itself, until it has answered its first request.
IN_EVERY_KERNEL = (
    "grader.kernel.streams",  # which it finds by name, when it sees no files
    "numpy.random",
    *("IPython.core.completerlib", "IPython.core.debugger", "IPython.core.logger", "IPython.core.oinspect"),
    *("IPython.utils.wildcard", "ipykernel.debugger", "encodings.ascii", "unicodedata", "resource"),
    *("tornado.gen", "tornado.locks", "tornado.platform.asyncio", "tornado.queues"),
)
# Imported when there is time: the first optimizer of a process and the first plot need them.
WHEN_IDLE = ("torch._dynamo", "matplotlib.pyplot")
# A single grading is over before the warm parent has been idle for so long, or has forked so often.
IDLE_SECONDS = 2.0
PAYS_AFTER_FORKS = 10


def main() -> None:
    """Find the tier, warm up, then fork until the other end closes."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    opening = _opening(channel)
    folder = None if opening.inside_bubblewrap else leave_a_caretaker(channel, opening.folder)
    try:
        ground = best(opening)
    except (Unsupported, RuntimeError) as error:
        channel.send(msgspec.json.encode(Refused(str(error))))
        return
    if ground.tier == "bubblewrap" and not opening.inside_bubblewrap:
        enter_bubblewrap(opening, channel)
    channel.send(msgspec.json.encode(msgspec.structs.replace(ground, folder=folder)))
    uid = os.geteuid()
    shared = uid != 0 and ground.tier in ("landlock", "bubblewrap")
    out_of_sight = tasks_out_of_sight(uid) if shared else 0  # now, while a fork costs little
    workers = {
        kind: importlib.import_module(module) for kind, module in WORKERS.items()
    }  # the warm-up itself
    for module in IN_EVERY_KERNEL:
        importlib.import_module(module)
    _settle()
    grounds = Grounds(ground.tier, opening.view, _fonts(), out_of_sight)
    _Parent(channel, grounds, workers, folder).serve()


def _opening(channel: socket.socket) -> Opening:
    """The first packet, or what the process before bubblewrap left of it."""
    if len(sys.argv) > 2:  # noqa: PLR2004
        with os.fdopen(int(sys.argv[2]), "rb") as kept:
            return msgspec.json.decode(kept.read(), type=Opening)
    return msgspec.json.decode(channel.recv(PACKET_BYTES), type=Opening)


class _Parent:
    """Forks guardians, and clears up after those that did not end by themselves."""

    def __init__(
        self, channel: socket.socket, grounds: Grounds, workers: Mapping[Kind, ModuleType], folder: str | None
    ) -> None:
        self._channel = channel
        self._grounds = grounds
        self._workers = workers
        self._folder = folder
        self._folders: dict[int, tuple[str, str]] = {}
        self._left: list[str] = []
        self._idle_imports = list(WHEN_IDLE)
        self._forks = 0
        self._is_warm = False

    def serve(self) -> None:
        """Fork for each request, until the supervisor is gone."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        prctl(PR_SET_CHILD_SUBREAPER, 1)  # what a killed guardian leaves behind comes here, to be ended
        woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        poll.register(woken, select.POLLIN)
        while True:
            happened = {descriptor for descriptor, _ in poll.poll(IDLE_SECONDS * 1000)}
            if woken in happened:
                os.read(woken, PACKET_BYTES)
            if woken in happened or self._left:
                self._reap()
            if self._channel.fileno() in happened and not self._fork():
                return
            if not self._is_warm and (not happened or self._forks >= PAYS_AFTER_FORKS):
                self._warm_up_further()

    def _fork(self) -> bool:
        """Take a request and fork its guardian; False when there will be no more."""
        try:
            packet, descriptors, _, _ = socket.recv_fds(self._channel, PACKET_BYTES, max(GIVEN.values()) + 1)
        except OSError:
            return False
        if not packet:
            return False
        job = msgspec.json.decode(packet, type=Job)
        scratch = tempfile.mkdtemp(prefix="grader-job-", dir=self._folder)
        own = os.getpid()
        guardian = os.fork()
        if guardian == 0:
            self._become_guardian(job, scratch, descriptors, own)
        self._folders[guardian] = (job.folder, scratch)
        self._forks += 1
        for descriptor in descriptors:
            os.close(descriptor)
        return True

    def _become_guardian(self, job: Job, scratch: str, descriptors: list[int], parent: int) -> NoReturn:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._channel.close()
        guard(self._grounds, job, scratch, descriptors, self._workers[job.kind], parent)

    def _reap(self) -> None:
        """Bury guardians; of one that was killed, end the processes and remove the folders, while any is there."""
        with contextlib.suppress(ChildProcessError):
            while ended := os.waitpid(-1, os.WNOHANG)[0]:
                self._left += self._folders.pop(ended, ())
        children = map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii").split())
        strays = [child for child in children if child not in self._folders]
        for child in strays:
            os.kill(child, signal.SIGKILL)  # ours to reap, so the number is still its own
        if not strays:  # which could make a removed folder anew; their end brings us here again
            self._left = [folder for folder in self._left if not _cleared(folder)]

    def _warm_up_further(self) -> None:
        """One step of what only pays where many jobs come, or where there is time."""
        if self._idle_imports:
            importlib.import_module(self._idle_imports.pop(0))
            self._grounds = msgspec.structs.replace(self._grounds, fonts=_fonts())
            _settle()
        else:
            use_huge_pages()
            self._is_warm = True


def _fonts() -> dict[str, str]:
    """The lists of fonts that matplotlib keeps, by the names of their files; none before its first import here."""
    return {
        path.name: path.read_text("utf-8")
        for path in Path(os.environ["MPLCONFIGDIR"]).glob("fontlist-*.json")
    }


def _cleared(folder: str) -> bool:
    """Remove what a guardian has not: the job's group, then the folder. Whether both are gone."""
    group = cgroup.find(Path(folder).name)
    group.remove()
    if os.path.lexists(folder):
        remove(folder)
    return not os.path.lexists(folder) and not any(part.exists() for part in group.folders)


def _settle() -> None:
    """Take what is there out of the collector's sight: it would touch, and so copy, every page after a fork."""
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    main()
