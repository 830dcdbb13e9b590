"""The supervisor's end of the warm parent: starts it, learns its tier, asks it for jobs, and ends it.

Importable without Jupyter, so that it can be started first and warm up while the rest is imported.
"""

import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import platformdirs

from grader.errors import KernelFault
from grader.exercise import course_folder
from grader.kernel.job import PACKET_BYTES, Ground, Job, Opening, Refused
from grader.kernel.sandbox.view import view_of_machine
from grader.model import Sandbox
from grader.settings import Settings

# Where torch keeps what it compiles, in the folder that is removed at the end.
OF_TORCH = "torchinductor"
# Where matplotlib keeps its list of fonts, which takes a second to make: the user's cache, or else that folder.
OF_MATPLOTLIB = "matplotlib"
# What the warm parent may know of the caller's environment.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH")
WARM_UP_SECONDS = 120.0
LEAVE_SECONDS = 20.0
LAYERS = ("namespaces", "file-system", "identity", "limits", "landlock", "seccomp", "guardian", "cgroup")


def can_fork() -> bool:
    """Whether kernels can be forked here: Linux alone has pidfds and lets a forked torch compute."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open")


def warm_parent(settings: Settings) -> AbstractContextManager["Zygote | None"]:
    """A warm parent, where kernels can be forked; else nothing, and each kernel is a process of its own."""
    return Zygote(settings) if can_fork() else nullcontext()


class Zygote:
    """A warm process that forks confined kernels; a context that ends it, and with it every kernel it forked."""

    def __init__(self, settings: Settings | None = None) -> None:
        """Keep what jobs may see and which tier is wanted; nothing is started yet."""
        chosen = settings or Settings()
        self._wanted = chosen.sandbox
        self._view = view_of_machine(course_folder(chosen.course))
        self._lock = threading.RLock()
        self._ground: Ground | None = None

    def __enter__(self) -> Self:
        """Start it; it warms up while the caller goes on."""
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Short, since the path of a socket must not be longer than 107 bytes; closed to all others.
        self._folder = tempfile.mkdtemp(prefix="grader-")
        for name in (OF_TORCH, OF_MATPLOTLIB):
            Path(self._folder, name).mkdir()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-P", "-m", "grader.kernel.zygote", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=_environment(self._folder),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._channel.settimeout(WARM_UP_SECONDS)
        self._channel.send(msgspec.json.encode(Opening(self._wanted, self._view, self._folder)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End it: its caretaker does, and sees to what is left."""
        self._channel.close()
        try:
            self._process.wait(LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for folder in (self._folder, self._ground and self._ground.folder):
            if folder:  # of which nothing is left, unless the caretaker was killed itself
                shutil.rmtree(folder, ignore_errors=True)

    @property
    def ground(self) -> Ground:
        """What it found on trying. Waits until it knows; raises KernelFault if it will not start any kernels."""
        with self._lock:
            if self._ground is None:
                self._ground = self._hear()
            return self._ground

    def _hear(self) -> Ground:
        """What the warm parent says first."""
        try:
            answer = self._channel.recv(PACKET_BYTES)
        except OSError as error:
            raise KernelFault("kernel-not-started", reason=str(error)) from error
        if not answer:
            raise KernelFault("kernel-not-started", reason="the warm parent ended")
        said = msgspec.json.decode(answer, type=Ground | Refused)
        if isinstance(said, Refused):
            raise KernelFault("sandbox-refused", tier=self._wanted, reason=said.reason)
        return said

    @property
    def sandbox(self) -> Sandbox:
        """How its kernels are confined. Waits and raises as `ground` does."""
        held = self.ground.held.layers
        return Sandbox(
            tier=self.ground.tier, layers=held, missing=tuple(layer for layer in LAYERS if layer not in held)
        )

    def new_folder(self) -> str:
        """A folder for the sockets of one job, which is gone at the latest when this is. Raises KernelFault.

        A warm parent that was killed from outside is started anew; it must confine as the one before it.
        """
        with self._lock:
            before = self.sandbox
            if self._has_ended():
                self.__exit__(None, None, None)
                self.__enter__()
                self._ground = None
                if self.sandbox != before:
                    raise KernelFault("kernel-not-started", reason="it is no longer confined as it was")
            return tempfile.mkdtemp(dir=self._folder, prefix="")

    def _has_ended(self) -> bool:
        """Whether the other end is closed: it says nothing after its first word, so there is nothing else to hear."""
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        return bool(poll.poll(0))

    def start(self, job: Job, descriptors: Sequence[int]) -> None:
        """Have a job started; its guardian answers on the first descriptor. Raises KernelFault if that cannot be."""
        with self._lock:
            try:
                socket.send_fds(self._channel, [msgspec.json.encode(job)], list(descriptors))
            except OSError as error:
                raise KernelFault("kernel-not-started", reason=str(error)) from error


def _environment(folder: str) -> dict[str, str]:
    """The environment of the warm parent: what it needs of the caller's, and what makes runs repeatable."""
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {
        **passed,
        # Thread pools do not survive a fork.
        **{"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "MPLBACKEND": "agg",
        "TORCHINDUCTOR_CACHE_DIR": f"{folder}/{OF_TORCH}",  # else torch leaves one in /tmp
        "MPLCONFIGDIR": font_folder() or f"{folder}/{OF_MATPLOTLIB}",  # else matplotlib leaves one in /tmp
    }


def font_folder() -> str | None:
    """The folder in the user's cache, made where it is not; None where it cannot be written."""
    folder = platformdirs.user_cache_dir("grader-matplotlib", appauthor=False)
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK | os.X_OK) else None
