"""How a kernel is started: forked from the warm zygote, or, where there is no fork, as a new process.

Both are jupyter_client provisioners, registered by entry point as `grader-forked` and `grader-process`.
Nothing of the caller's environment reaches a kernel but what is named here: a learner's code must not
find tokens in it.
"""

import asyncio
import os
import select
import signal
import sys
from pathlib import Path
from typing import Any

import platformdirs
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.provisioning import LocalProvisioner

from grader.kernel.warm import MEMORY_VARIABLE, PASSED_ON, Zygote

POLL_SECONDS = 0.05


class ProcessProvisioner(LocalProvisioner):  # type: ignore[misc]
    """Starts `grader.kernel.worker` in the folder given as `cwd`, which is also its home."""

    process: Any

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Replace the environment by the kernel's own."""
        kwargs["env"] = kernel_environment(Path(kwargs["cwd"]), kwargs.pop("memory_mb", 0))
        result: dict[str, Any] = await super().pre_launch(**kwargs)
        result["env"] = kwargs["env"]  # the base class merges in the caller's environment
        return result

    async def wait(self) -> int | None:
        """Wait for the process to end, without the base class's polling."""
        if self.process is None:
            return 0
        code = await asyncio.to_thread(self.process.wait)
        self.process = None
        return int(code)


class ForkedProvisioner(ProcessProvisioner):
    """Has the zygote fork the kernel. `zygote` is passed at launch."""

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Keep the zygote apart from what the base classes pass on."""
        self._zygote: Zygote = kwargs.pop("zygote")
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork; `cmd` is what a process of its own would be started with, and is not needed."""
        del cmd
        cwd = str(kwargs["cwd"])
        pid = await asyncio.to_thread(
            self._zygote.fork, cwd=cwd, env=kwargs["env"], connection_file=self.parent.connection_file
        )
        self.process = Forked(pid)
        self.pid, self.pgid, self.cwd = pid, pid, cwd
        return self.connection_info


class Forked:
    """A process that is not our child, with as much of `Popen`'s face as a provisioner uses."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        """Hold on to the process itself by a descriptor, so that its number cannot come to mean another."""
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """None while it runs; 0 after (its exit code is the zygote's to know)."""
        if self._descriptor < 0:
            return 0
        ready, _, _ = select.select([self._descriptor], [], [], 0)
        if ready:
            os.close(self._descriptor)
            self._descriptor = -1
            return 0
        return None

    def wait(self) -> int:
        """Wait until it has ended."""
        while self.poll() is None:
            select.select([self._descriptor], [], [], POLL_SECONDS)
        return 0

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._descriptor, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


class WorkerSpecs(KernelSpecManager):  # type: ignore[misc]
    """Knows one kernel, ours, whatever name is asked for: a notebook's kernelspec name is ignored."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Describe the worker; the name asked for is that of its provisioner."""
        return KernelSpec(
            argv=[sys.executable, "-P", "-m", "grader.kernel.worker", "{connection_file}"],
            display_name="grader",
            language="python",
            metadata={"kernel_provisioner": {"provisioner_name": kernel_name}},
        )


def kernel_environment(home: Path, memory_mb: int) -> dict[str, str]:
    """The whole environment of a kernel whose home and temporary folder is `home`; 0 MB sets no limit."""
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {
        **passed,
        "HOME": str(home),
        "USERPROFILE": str(home),
        "TMPDIR": str(home),
        "IPYTHONDIR": str(home / ".ipython"),
        "PYTHONUTF8": "1",
        "PYTHONHASHSEED": "0",  # the order of a set would make runs differ
        "OMP_NUM_THREADS": "1",
        MEMORY_VARIABLE: str(memory_mb),
        "MPLBACKEND": "agg",
        # matplotlib builds its font list here once; without it each kernel would spend a second on that.
        "MPLCONFIGDIR": platformdirs.user_cache_dir("grader-matplotlib", appauthor=False),
    }
