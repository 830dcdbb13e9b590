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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.provisioning import KernelProvisionerBase, LocalProvisioner

from grader.errors import KernelFault
from grader.kernel.init import environment
from grader.kernel.job import CHANNELS, PACKET_BYTES, Ended, Job, News, Over, Ready
from grader.kernel.warm import Zygote
from grader.model import Limits

START_SECONDS = 60.0
END_SECONDS = 10.0
BACKLOG = 16
# The guardian ends a job this long after its cells have had their time, whatever the supervisor does.
LIFETIME_BEYOND_SECONDS = 600.0


class SandboxProvisioner(KernelProvisionerBase):  # type: ignore[misc]
    """Has a warm parent fork a confined kernel.

    Passed at launch: `zygote`, `limits` (a `model.Limits`) and `listener`, which hears what befalls the job.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._ends = contextlib.ExitStack()
        self._control: socket.socket | None = None
        self._news: asyncio.Task[None] | None = None
        self._zygote: Zygote | None = None
        self._folder = self._address = ""
        self.layers: tuple[str, ...] = ()

    @property
    def has_process(self) -> bool:
        """Whether there is a job that is not over."""
        return self._news is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Bind the sockets: the kernel gets them open, and needs no name for them."""
        self._zygote = kwargs.pop("zygote", None) or self._zygote or self._ends.enter_context(Zygote())
        self._limits: Limits = kwargs.pop("limits", Limits())
        self._listener: Callable[[Over | Ended], None] = kwargs.pop("listener", lambda _: None)
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
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.setblocking(False)
        limits = self._limits
        job = Job(
            folder=self._folder,
            key=self.parent.session.key.decode("ascii"),
            limits=limits,
            lifetime_seconds=limits.run_seconds + limits.cell_seconds + LIFETIME_BEYOND_SECONDS,
        )
        with contextlib.ExitStack() as stack:
            descriptors = [stack.enter_context(theirs).fileno()]
            for number in range(1, len(CHANNELS) + 1):
                listening = stack.enter_context(socket.socket(socket.AF_UNIX))
                listening.bind(f"{self._folder}/k-{number}")
                listening.listen(BACKLOG)
                descriptors.append(listening.fileno())
            await asyncio.to_thread(self._zygote.start, job, descriptors)
        self._serving = asyncio.get_running_loop().create_future()
        self._news = asyncio.create_task(self._listen())
        await asyncio.wait_for(self._serving, START_SECONDS)
        if lost := set(self._zygote.sandbox.layers) - set(self.layers):
            await self.kill()
            raise KernelFault("kernel-not-started", reason=f"not confined by {', '.join(sorted(lost))}")
        return self.parent.get_connection_info()

    async def _listen(self) -> None:
        """Take what the guardian says, until its last word or its end."""
        while not isinstance(news := await self._receive(), Ended):
            if isinstance(news, Ready):
                self.layers = news.layers
                self._serving.set_result(None)
            else:
                self._listener(news)
        self._listener(news)
        if not self._serving.done():
            self._serving.set_exception(KernelFault("kernel-not-started", reason=news.detail or news.reason))

    async def _receive(self) -> News:
        """What the guardian says next; that it is gone, where it can say nothing any more."""
        assert self._control is not None
        loop = asyncio.get_running_loop()
        while True:
            try:
                packet = await loop.sock_recv(self._control, PACKET_BYTES)
            except ConnectionResetError:
                continue  # it left without reading all that it was told; its last word comes next
            except OSError:
                packet = b""
            return msgspec.json.decode(packet, type=News) if packet else Ended("gone")

    async def poll(self) -> int | None:
        """None while the job runs, 0 after."""
        return None if self._news is not None and not self._news.done() else 0

    async def wait(self) -> int | None:
        """Wait until nothing of the job is left; a guardian that does not answer is left to the caretaker."""
        if self._news is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news, END_SECONDS)
            self._news = None
        return 0

    async def send_signal(self, signum: int) -> None:
        """Interrupt the kernel, or end the job: the guardian does both."""
        if signum == 0 or self._control is None:
            return
        asked = b"interrupt" if signum == signal.SIGINT else b"kill"
        with contextlib.suppress(OSError):  # it is over
            self._control.send(asked)

    async def kill(self, restart: bool = False) -> None:
        """End the job."""
        del restart
        await self.send_signal(signal.SIGTERM)

    async def terminate(self, restart: bool = False) -> None:
        """End the job; there is nothing to be said to a learner's process first."""
        await self.kill(restart)

    async def cleanup(self, restart: bool = False) -> None:
        """Close what is left; the guardian has removed the job's folders, unless it never began."""
        if self._control is not None:
            self._control.close()
            self._control = None
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
        self._listener: Callable[[Over | Ended], None] = kwargs.pop("listener", lambda _: None)
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
