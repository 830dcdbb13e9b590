"""How a kernel is started: forked from a warm parent and confined, or, where there is no fork, as a new process.

Both are jupyter_client provisioners, registered by entry point. `grader-sandbox` serves any user of nbclient:

    with Zygote() as zygote:
        manager = AsyncKernelManager(kernel_name="grader-sandbox", kernel_spec_manager=KernelSpecs())
        client = NotebookClient(notebook, km=manager)
        client.execute(zygote=zygote, cleanup_kc=True)

nbclient ends a kernel whose manager it was given only if it is told to, by `cleanup_kc`. Without a `zygote` the
provisioner starts one of its own, which takes as long as importing torch. A restarted kernel has the address of
the one before, so that clients stay connected. A notebook's metadata chooses neither the kernel nor its start.
"""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.provisioning import KernelProvisionerBase, LocalProvisioner

from grader.kernel.init import environment
from grader.kernel.job import CHANNELS, Ended
from grader.kernel.launched import Launched, Listener
from grader.kernel.warm import Zygote
from grader.model import Limits

BACKLOG = 16


class SandboxProvisioner(KernelProvisionerBase):  # type: ignore[misc]
    """Has a warm parent fork a confined kernel.

    Passed at launch: `zygote`, `limits` (a `model.Limits`) and `listener`, which hears what befalls the job.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._ends = contextlib.ExitStack()
        self._job: Launched | None = None
        self._zygote: Zygote | None = None
        self._folder = self._address = ""
        self.layers: tuple[str, ...] = ()

    @property
    def has_process(self) -> bool:
        """Whether there is a job that nobody has waited for yet."""
        return self._job is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Bind the sockets: the kernel gets them open, and needs no name for them."""
        self._zygote = kwargs.pop("zygote", None) or self._zygote or self._ends.enter_context(Zygote())
        self._limits: Limits = kwargs.pop("limits", Limits())
        self._listener: Listener = kwargs.pop("listener", lambda _: None)
        self._folder = await asyncio.to_thread(self._zygote.new_folder)
        manager = self.parent
        if not self._address:
            manager.session.key = secrets.token_hex(32).encode("ascii")
        self._lead_to_folder()
        manager.transport, manager.ip = "ipc", f"{self._address}/k"
        manager.connection_file = f"{self._address}/connection.json"  # Jupyter writes one, needed or not
        for number, channel in enumerate(CHANNELS, start=1):
            setattr(manager, f"{channel}_port", number)
        return dict(await super().pre_launch(cmd=[], **kwargs))

    def _lead_to_folder(self) -> None:
        """Make the address, which is a link, lead to this launch's folder; a restart finds it there."""
        if not self._address or not Path(self._address).parent.is_dir():
            self._address = f"{self._folder}~"
        Path(self._address).unlink(missing_ok=True)
        Path(self._address).symlink_to(self._folder)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Have it forked, and wait until it serves. Raises KernelFault if it cannot be confined or does not start."""
        del cmd, kwargs
        assert self._zygote is not None
        with contextlib.ExitStack() as stack:
            listening = []
            for number in range(1, len(CHANNELS) + 1):
                listening.append(stack.enter_context(socket.socket(socket.AF_UNIX)))
                listening[-1].bind(f"{self._folder}/k-{number}")
                listening[-1].listen(BACKLOG)
            self._job = await Launched.launch(
                self._zygote,
                self._folder,
                self._limits,
                listening,
                kind="jupyter",
                key=self.parent.session.key.decode("ascii"),
                listener=self._listener,
            )
        self.layers = self._job.layers
        return self.parent.get_connection_info()

    async def poll(self) -> int | None:
        """None while the job runs, 0 after."""
        return None if self._job is not None and not self._job.is_over else 0

    async def wait(self) -> int | None:
        """Wait until nothing of the job is left."""
        if self._job is not None:
            await self._job.close()
            self._job = None
        return 0

    async def send_signal(self, signum: int) -> None:
        """Interrupt the kernel, or end the job: the guardian does both."""
        if signum == 0 or self._job is None:
            return
        if signum == signal.SIGINT:
            self._job.interrupt()
        else:
            self._job.kill()

    async def kill(self, restart: bool = False) -> None:
        """End the job."""
        del restart
        await self.send_signal(signal.SIGTERM)

    async def terminate(self, restart: bool = False) -> None:
        """End the job; there is nothing to be said to a learner's process first."""
        await self.kill(restart)

    async def cleanup(self, restart: bool = False) -> None:
        """Close what is left; the guardian has removed the job's folders, unless it never began."""
        await self.wait()
        if self._folder:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
        if not restart:
            if self._address:
                Path(self._address).unlink(missing_ok=True)
            self._zygote, self._address = None, ""
            self._ends.close()


class ProcessProvisioner(LocalProvisioner):  # type: ignore[misc]
    """Starts the kernel as a process of its own, unconfined: for systems where it cannot be forked."""

    process: Any

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Give it a folder as home and an environment of its own."""
        for unconfined in ("zygote", "limits"):
            kwargs.pop(unconfined, None)
        self._listener: Listener = kwargs.pop("listener", lambda _: None)
        self._folder = Path(tempfile.mkdtemp(prefix="grader-"))
        home, temporary = self._folder / "home", self._folder / "tmp"
        for part in (home, temporary):
            part.mkdir()
        self.parent.connection_file = str(self._folder / "connection.json")
        own = environment(str(home)) | {
            name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ
        }
        kwargs |= {"cwd": str(home), "env": own | {"USERPROFILE": str(home)}}
        result: dict[str, Any] = await super().pre_launch(**kwargs)
        result["env"] = kwargs["env"]  # the base class merges in the caller's environment
        return result

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start it, and say so when it ends."""
        info = await super().launch_kernel(cmd, **kwargs)
        self._end = asyncio.create_task(self._tell_end())
        return info

    async def _tell_end(self) -> int:
        code: int = await asyncio.to_thread(self.process.wait)
        self._listener(Ended("itself"))
        return code

    async def wait(self) -> int | None:
        """Wait for the process to end, without the base class's polling."""
        if self.process is None:
            return 0
        code = await self._end
        self.process = None
        return code

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the folder."""
        await super().cleanup(restart)
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)


class KernelSpecs(KernelSpecManager):  # type: ignore[misc]
    """Knows one kernel, ours, whatever name is asked for; the name is that of its provisioner."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Describe it."""
        return KernelSpec(
            argv=[sys.executable, "-P", "-m", "grader.kernel.worker", "{connection_file}"],
            display_name="grader",
            language="python",
            metadata={"kernel_provisioner": {"provisioner_name": kernel_name}},
        )
