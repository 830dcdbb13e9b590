"""The supervisor's end of the zygote: starts it, asks it for forks, and ends it.

Importable without Jupyter, so that the zygote can be started first and warm up while the rest is imported.
"""

import json
import os
import socket
import subprocess
import sys
import threading
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Self

from grader.errors import KernelFault

# What a kernel may know of the caller's environment.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
MEMORY_VARIABLE = "GRADER_KERNEL_MEMORY_MB"
PACKET_BYTES = 65_536
WARM_UP_SECONDS = 120.0


def can_fork() -> bool:
    """Whether kernels can be forked here: Linux alone has pidfds and lets a forked torch compute."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open")


def warm_parent() -> AbstractContextManager["Zygote | None"]:
    """A zygote, where kernels can be forked; else nothing, and each kernel is a process of its own."""
    return Zygote() if can_fork() else nullcontext()


class Zygote:
    """A warm process that forks kernels; a context that ends it, and with it every kernel it forked."""

    def __enter__(self) -> Self:
        """Start it; it warms up while the caller goes on."""
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        # Thread pools do not survive a fork, and seeds of string hashes would make runs differ.
        environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        environment |= {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "MPLBACKEND": "agg"}
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-P", "-m", "grader.kernel.zygote", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._channel.settimeout(WARM_UP_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End it."""
        self._channel.close()
        self._process.kill()
        self._process.wait()

    def fork(self, *, cwd: str, env: dict[str, str], connection_file: str) -> int:
        """Fork a kernel and return its process number. Raises KernelFault if the zygote is gone."""
        request = json.dumps({"cwd": cwd, "env": env, "connection_file": connection_file}).encode()
        with self._lock:
            try:
                self._channel.send(request)
                answer = self._channel.recv(PACKET_BYTES)
            except OSError as error:
                raise KernelFault("kernel-not-started", reason=str(error)) from error
        if not answer:
            raise KernelFault("kernel-not-started", reason="the warm process ended")
        return int(json.loads(answer)["pid"])
