"""The first process of a job: confines itself, forks the kernel, buries what ends.

In a pid namespace it is process 1: when it ends, the kernel ends every process of the job. It stays beside the
learner's code, equally confined, with its memory closed to it.
"""

import contextlib
import os
import select
import signal
import socket
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import msgspec

from grader.kernel.sandbox.system import (
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_PDEATHSIG,
    Unsupported,
    prctl,
)
from grader.kernel.sandbox.tiers import Grounds, Held, Place, confine, finish, home
from grader.kernel.sandbox.view import PARTS

# However many processes a job has, its guardian and the supervisor are served first.
AFTER_ITS_GUARDIAN = 10


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    """To the guardian: the job could not be confined. by_system: the system said no, and not a fault of ours."""

    by_system: bool
    reason: str


class Confined(msgspec.Struct, frozen=True, tag="confined"):
    """To the guardian: all layers hold; the kernel is forked next."""

    held: Held


class Start(msgspec.Struct, frozen=True):
    """What a first process gets from its guardian.

    status: the pipe on which it says whether it is confined. alive: a pipe that closes when the guardian ends.
    """

    grounds: Grounds
    place: Place
    status: int
    alive: int


def confine_self(start: Start) -> Held:
    """Confine this process as a job, or end it: past this line, nothing of learner's code runs unconfined."""
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.nice(AFTER_ITS_GUARDIAN)
        held = confine(start.grounds, start.place)
        prctl(PR_SET_DUMPABLE, 0)
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # again: a change of uid clears it without a word
        if select.select([start.alive], [], [], 0)[0]:
            raise ProcessLookupError("the guardian ended")  # noqa: TRY301 - one way out for all
    except BaseException as error:  # noqa: BLE001 - whatever it is, the job ends here
        refusal = Refusal(isinstance(error, Unsupported | OSError), f"{type(error).__name__}: {error}")
        os.write(start.status, msgspec.json.encode(refusal))
        os._exit(1)
    os.write(start.status, msgspec.json.encode(Confined(held)))
    return held


def run_job(
    start: Start,
    worker: ModuleType,
    given: Sequence[socket.socket],
    key: str,
    ready: int,
) -> NoReturn:
    """Be the first process of a job until its kernel ends."""
    leave_descriptors({start.status, start.alive, ready, *(sock.fileno() for sock in given)})
    held = confine_self(start)
    if start.grounds.tier != "namespaces":  # where it is process 1 already
        prctl(PR_SET_CHILD_SUBREAPER, 1)  # orphans stay below it, counted with the job, and are buried
    kernel = os.fork()
    if kernel == 0:
        os.close(start.status)
        os.close(start.alive)
        _become_kernel(start, held, worker, given, key, ready)
    for descriptor in (ready, start.status, *(sock.fileno() for sock in given)):
        os.close(descriptor)
    signal.signal(signal.SIGINT, lambda *_: _interrupt(kernel))
    while os.waitpid(-1, 0)[0] != kernel:
        pass
    os._exit(0)


def leave_descriptors(keep: set[int]) -> None:
    """Close every descriptor but these; input, output and errors go nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    lowest = 3
    for descriptor in sorted(keep):
        os.closerange(lowest, descriptor)
        lowest = descriptor + 1
    os.closerange(lowest, os.sysconf("SC_OPEN_MAX"))


def _interrupt(kernel: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(kernel, signal.SIGINT)


def _become_kernel(  # noqa: PLR0913, PLR0917 - as above
    start: Start, held: Held, worker: ModuleType, given: Sequence[socket.socket], key: str, ready: int
) -> NoReturn:
    """Serve as a kernel until the end."""
    try:
        tier = start.grounds.tier
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        prctl(PR_SET_DUMPABLE, 1)  # its own /proc/self is its own to read
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.environ.clear()
        os.environ.update(environment(home(tier, start.place.scratch)))
        tempfile.tempdir = None  # what the warm parent found is not the job's
        os.umask(0o077)
        finish(tier, held)
        _lay_out_fonts(start.grounds.fonts)
        worker.serve(given, key, ready, start.place.limits)
    finally:
        os._exit(0)


def _lay_out_fonts(fonts: Mapping[str, str]) -> None:
    """Put matplotlib's list of fonts where it looks for it: making one takes seconds where there are many fonts."""
    folder = Path(os.environ["MPLCONFIGDIR"])
    folder.mkdir()
    for name, content in fonts.items():
        (folder / name).write_text(content, "utf-8")


def environment(home_folder: str) -> dict[str, str]:
    """The whole environment of a kernel. Nothing of the supervisor's is in it: a learner's code must not find tokens."""
    temporary = home_folder.removesuffix(PARTS[0]) + PARTS[1]
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": home_folder,
        "TMPDIR": temporary,
        "IPYTHONDIR": f"{home_folder}/.ipython",
        "MPLCONFIGDIR": f"{temporary}/matplotlib",
        "MPLBACKEND": "agg",
        "TORCHINDUCTOR_CACHE_DIR": f"{temporary}/torchinductor",
        "PYTHONUTF8": "1",
        "PYTHONHASHSEED": "0",  # the order of a set would make runs differ
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",  # each thread's arena would reserve address space that is limited
        "TERM": "dumb",
    }
