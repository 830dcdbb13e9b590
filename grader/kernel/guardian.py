"""The guardian of one job: outside of it, between the supervisor and the job's first process.

Guarantee: a job ends when its time is over, when it goes far beyond its memory, CPU time or disk, when the
supervisor says so, and when the supervisor, the warm parent or the guardian is gone; then every process of it
ends, and its folders are removed. The job cannot see, signal or read it: it has another user or another pid
namespace, or Landlock and seccomp keep signals in, and its memory is closed to others.

    warm parent ─fork→ guardian ─fork→ first process (`init`, confined) ─fork→ kernel (`worker`, confined)
"""

import contextlib
import os
import select
import signal
import socket
import time
from pathlib import Path
from types import FrameType, ModuleType
from typing import NoReturn

import msgspec

from grader.kernel import init, usage
from grader.kernel.ending import end_descendants, end_helpers, remove
from grader.kernel.job import GIVEN, PACKET_BYTES, Ended, Job, Limit, News, Over, Ready
from grader.kernel.sandbox import cgroup
from grader.kernel.sandbox.ceilings import MEGABYTE
from grader.kernel.sandbox.system import PR_SET_DUMPABLE, PR_SET_PDEATHSIG, Unsupported, prctl
from grader.kernel.sandbox.tiers import Grounds, furnish, go_outside
from grader.kernel.sandbox.view import MOST_FILES

WATCH_SECONDS = 0.1
# A job that was told of a limit is ended when it is beyond it by so much more.
FAR_BEYOND = 1.5
# Nearly as far: the group's limit strikes what grows between two looks of the guardian.
GROUP_MEMORY = 1.4
# So that the guardian sees a job at its limit before the group does: there, each fork that fails costs as much
# as one that does not, and a bomb of them leaves the kernel no time.
GROUP_PROCESSES = 16
BURIAL_ROUNDS = 100
STATUS_BYTES = 8_192


class _Guardian:
    """One job from its first process to its last."""

    def __init__(self, job: Job, scratch: str, control: socket.socket, gone: "_Gone") -> None:
        self._job = job
        self._gone = gone
        self._scratch = scratch
        self._control = control
        self._reason: str = "itself"
        self._detail = ""
        self._told: set[str] = set()
        self._pruned = False
        self._group: cgroup.Cgroup | None = None
        self._layers: tuple[str, ...] = ()
        self._first = self._kernel = 0
        self._sees_files = False

    def guard(self, grounds: Grounds, given: list[socket.socket], worker: ModuleType) -> None:
        """Start the job and stay until nothing of it is left."""
        self._private = grounds.tier == "namespaces"
        try:
            if grounds.tier != "none":
                self._group = self._make_group()
            try:
                self._start(grounds, given, worker)
            except (OSError, Unsupported) as error:
                self._reason, self._detail = "not-confined", f"{type(error).__name__}: {error}"
            else:
                self._watch()
            self._bury()
            if self._reason == "itself" and self._group is not None and self._group.ran_out():
                self._reason = "memory"
        finally:
            if self._group is not None:
                self._group.remove()
            for folder in (self._scratch, self._job.folder):
                remove(folder)
        self._say(Ended(reason=self._reason, detail=self._detail))  # type: ignore[arg-type]

    def _make_group(self) -> cgroup.Cgroup | None:
        limits = self._job.limits
        memory = int(limits.memory_mb * MEGABYTE * GROUP_MEMORY) + limits.scratch_mb * MEGABYTE
        try:
            return cgroup.create(
                Path(self._scratch).name,
                memory if limits.memory_mb else None,
                limits.processes + GROUP_PROCESSES,
            )
        except Unsupported:
            return None

    def _start(self, grounds: Grounds, given: list[socket.socket], worker: ModuleType) -> None:
        place = furnish(grounds, self._scratch, self._job.limits)
        go_outside(grounds.tier)
        status, status_end = os.pipe()
        ready, ready_end = os.pipe()
        alive, self._alive_end = os.pipe()
        start = init.Start(grounds, place, status_end, alive)
        self._first = os.fork()
        if self._first == 0:
            init.run_job(start, worker, given, self._job.key, ready_end)
        for descriptor in (status_end, ready_end, alive):
            os.close(descriptor)
        for sock in given:
            sock.close()
        prctl(PR_SET_DUMPABLE, 0)
        self._status, self._ready = status, ready
        self._descriptor = os.pidfd_open(self._first)

    # ---- watching ---------------------------------------------------------------------------

    def _watch(self) -> None:
        """Until the first process has ended."""
        self._poll = select.poll()
        for descriptor in (self._control.fileno(), self._status, self._ready, self._descriptor):
            self._poll.register(descriptor, select.POLLIN)
        deadline = time.monotonic() + self._job.lifetime_seconds
        next_look = time.monotonic() + WATCH_SECONDS
        while True:
            timeout = max(0.0, min(deadline, next_look) - time.monotonic())
            happened = {descriptor for descriptor, _ in self._poll.poll(timeout * 1000)}
            if self._status in happened:
                self._read_status()
            if self._ready in happened:
                self._read_ready()
            if self._control.fileno() in happened:
                self._obey()
            if self._descriptor in happened:
                return
            if self._gone.is_set:
                self._end("gone")
            if time.monotonic() > deadline:
                self._end("lifetime")
            if time.monotonic() > next_look:
                self._look()
                next_look = time.monotonic() + WATCH_SECONDS

    def _read_status(self) -> None:
        """What the first process says of itself before any learner's code runs."""
        packet = os.read(self._status, STATUS_BYTES)
        self._poll.unregister(self._status)
        os.close(self._status)
        said = msgspec.json.decode(packet, type=init.Confined | init.Refusal) if packet else None
        if isinstance(said, init.Confined):
            self._layers = (*said.held.layers, "guardian")
            self._fill_group()
        else:
            self._detail = "it ended" if said is None else said.reason
            self._end("not-confined")

    def _fill_group(self) -> None:
        """Put the job into its group, while its kernel makes itself ready: no learner's code runs before it is.

        The kernel is forked meanwhile: before its parent was taken in, and then it is there to be seen, or after.
        """
        if self._group is None:
            return
        try:
            self._group.take_in(self._first)
            for process in usage.tree(self._first)[1:]:
                self._group.take_in(process)
        except OSError as error:
            self._detail = f"cgroup: {error}"
            self._end("not-confined")
        self._layers += ("cgroup",)

    def _read_ready(self) -> None:
        """The kernel serves, or has ended before it did."""
        serves = os.read(self._ready, 1)
        self._poll.unregister(self._ready)
        os.close(self._ready)
        if not serves:
            return
        self._kernel = usage.tree(self._first)[1]
        if self._group is not None and not self._group.holds(self._kernel):
            self._detail = "cgroup: the kernel is outside"
            self._end("not-confined")
            return
        # Root in a container may be forbidden to look into processes of other users.
        self._sees_files = usage.unlinked_bytes([self._kernel], 0) == 0
        self._say(Ready(self._layers))

    def _obey(self) -> None:
        """What the supervisor asks for; its end, when it is gone."""
        try:
            asked = self._control.recv(PACKET_BYTES)
        except OSError:
            asked = b""
        if asked == b"interrupt":
            signal.pidfd_send_signal(self._descriptor, signal.SIGINT)
        else:
            self._poll.unregister(self._control.fileno())
            self._end("killed" if asked else "gone")

    def _look(self) -> None:
        limits = self._job.limits
        processes = usage.tree(self._first)
        if self._too_many(processes):
            return
        if limits.memory_mb:
            most = limits.memory_mb * MEGABYTE
            self._compare("memory", usage.memory_bytes(processes, most), most)
        self._compare("cpu", usage.cpu_seconds(processes), limits.cpu_seconds)
        if not self._private:
            most = limits.scratch_mb * MEGABYTE
            far = int(most * FAR_BEYOND)
            used, files = usage.folder_use(self._scratch, far, int(MOST_FILES * FAR_BEYOND))
            # The first process is ours, and closed to others; so is the kernel until it serves.
            used += usage.unlinked_bytes(processes[1:], far) if self._sees_files else 0
            self._compare("scratch", max(used / most, files / MOST_FILES), 1.0)

    def _too_many(self, processes: list[int]) -> bool:
        """Whether there are more processes than may be; then all but the kernel are ended, before they are more."""
        if not self._kernel or usage.tasks(processes) <= self._job.limits.processes:
            return False
        self._tell("processes")
        end_helpers(self._first, self._kernel)
        return True

    def _compare(self, limit: Limit, used: float, most: float) -> None:
        if used > most:
            self._tell(limit)
        if used > most * FAR_BEYOND:
            # Memory is what all use together: the kernel, once it is known, may have its share.
            if limit == "memory" and self._kernel and not self._pruned:
                self._pruned = True
                end_helpers(self._first, self._kernel)
            else:
                self._end(limit)

    def _tell(self, limit: Limit) -> None:
        """Say once that the job has passed a limit."""
        if limit not in self._told:
            self._told.add(limit)
            self._say(Over(limit=limit))

    def _say(self, news: News) -> None:
        with contextlib.suppress(OSError):  # nobody is there to hear it
            self._control.send(msgspec.json.encode(news))

    # ---- ending -----------------------------------------------------------------------------

    def _end(self, reason: str) -> None:
        """End every process of the job, for the first reason there is."""
        if self._reason == "itself":
            self._reason = reason
        if self._private:  # process 1 takes all others with it
            signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)
        else:
            end_descendants()

    def _bury(self) -> None:
        """Wait for the first process; without a pid namespace, end what it left behind too."""
        if self._first:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._first, 0)
        for _ in range(BURIAL_ROUNDS):
            if self._private or not end_descendants():
                return
            time.sleep(0.01)


class _Gone:
    """Whether the warm parent has ended, which a signal tells."""

    is_set = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.is_set = True


def guard(  # noqa: PLR0913, PLR0917 - what a guardian is given
    grounds: Grounds, job: Job, scratch: str, descriptors: list[int], worker: ModuleType, warm_parent: int
) -> NoReturn:
    """Be the guardian of one job, in a process forked for it; `descriptors` are as `job.GIVEN` says."""
    status = 1
    try:
        os.setsid()
        gone = _Gone()
        signal.signal(signal.SIGTERM, gone)
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        control, *given = [socket.socket(fileno=descriptor) for descriptor in descriptors]
        if os.getppid() == warm_parent and len(given) == GIVEN[job.kind]:
            _Guardian(job, scratch, control, gone).guard(grounds, given, worker)
            status = 0
    finally:
        os._exit(status)
