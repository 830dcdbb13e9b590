"""One kernel as jupyter_client and nbclient see it: started, given cells and requests, ended.

The kernel of the run that is graded: what it shows is kept.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from queue import Empty
from typing import Any

from jupyter_client.manager import AsyncKernelManager

from grader.errors import KernelFault
from grader.jupyter import nbformat
from grader.kernel.client import BoundedKernelClient
from grader.kernel.displayed import displayed
from grader.kernel.driver import ANSWER_SECONDS, LAST_WORD_SECONDS, START_SECONDS, Driver
from grader.kernel.outputs import BoundedClient
from grader.kernel.provisioner import KernelSpecs
from grader.kernel.warm import Zygote
from grader.model import Limits, Output

CONNECT_SECONDS = 0.3


class _Manager(AsyncKernelManager):  # type: ignore[misc]
    """A manager without a socket of its own to the kernel: nobody reads it, and nothing bounds what would come in."""

    def _connect_control_socket(self) -> None:
        pass


class JupyterDriver(Driver):
    """A kernel and nbclient's client of it."""

    def __init__(self, limits: Limits, zygote: Zygote | None, on_limit: Callable[[str], None]) -> None:
        """Prepare; nothing is started yet. Without a warm parent the kernel is a new process."""
        super().__init__(on_limit)
        self._limits = limits
        self._zygote = zygote
        self._client: BoundedClient | None = None
        self._watch: asyncio.Task[None] | None = None
        self.notebook: Any = None

    @property
    def client(self) -> BoundedClient:
        """nbclient's client of the started kernel."""
        assert self._client is not None
        return self._client

    async def start(self) -> None:
        """Start the kernel and connect to it. Raises KernelFault if it does not come to serve."""
        name = "grader-process" if self._zygote is None else "grader-sandbox"
        manager = _Manager(kernel_name=name, kernel_spec_manager=KernelSpecs())
        manager.client_factory = BoundedKernelClient
        self._client = client = BoundedClient(
            nbformat.v4.new_notebook(), km=manager, allow_errors=True, timeout=None, store_widget_state=False
        )
        client.log.disabled = True  # a kernel's death is reported in our words
        client.on_flood = self._on_limit
        try:
            await client.async_start_new_kernel(
                zygote=self._zygote, limits=self._limits, listener=self._heard
            )
            client.kc = manager.client()
            client.kc.output_characters = self._limits.output_bytes
            client.kc.start_channels()
            if self._zygote is None:
                await client.kc.wait_for_ready(START_SECONDS)
        except (OSError, RuntimeError, TimeoutError) as error:
            raise KernelFault("kernel-not-started", reason=str(error)) from error
        self.layers = getattr(manager.provisioner, "layers", ())
        self._watch = asyncio.ensure_future(self._watch_channels())

    async def begin(self, sources: Sequence[str]) -> None:
        """Get ready for a run of these cells. Raises KernelFault if no outputs arrive."""
        await self._connect_outputs()
        client = self.client
        client.output_left, client.messages_left = self._limits.output_bytes, self._limits.output_messages
        self.notebook = client.nb = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in sources]
        )
        client.reset_execution_trackers()

    async def execute(self, index: int) -> None:
        """Run a cell of the notebook; its outputs are put into it. A dead kernel ends it quietly."""
        cell = self.notebook.cells[index]
        try:
            self.client.kc.expect_answer(len(cell.source))
            await self.client.async_execute_cell(cell, index)
        except Exception:  # noqa: BLE001 - the kernel is dead, or no longer speaks as a kernel does
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # which nbclient took for the kernel's death
                raise asyncio.CancelledError from None
            await self.kill()

    async def interrupt(self) -> None:
        """Interrupt the running cell, as Ctrl-C does."""
        if not self.dead:
            await self.client.km.interrupt_kernel()

    def outputs(self) -> dict[int, tuple[Output, ...]]:
        """What the cells have shown, by their numbers."""
        return displayed(self.notebook)

    @property
    def running(self) -> "asyncio.Future[Any] | None":
        """The cell that is running, if one is."""
        if self._client is None:
            return None
        task: asyncio.Future[Any] | None = self._client.task_poll_for_reply
        return None if task is None or task.done() else task

    async def kill(self) -> None:
        """End the kernel, if it still runs: nothing more is asked of it."""
        self._over.set()
        manager = self.client.km
        if manager is not None and manager.has_kernel:
            await manager.provisioner.kill()

    async def ask(self, content: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """Send a request to the probe; None if the kernel gives no answer in time, and then it is ended.

        An answer counts only if it names the request, by a number that nobody could know before.
        """
        kc = self.client.kc
        if self.dead or kc is None:
            return None
        kc.expect_answer()
        message = kc.session.msg("grader_request", content)
        kc.shell_channel.send(message)
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and not self.dead:
            try:
                reply = await kc.shell_channel.get_msg(timeout=min(left, 0.5))
                if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                    return dict(reply["content"])
            except Empty:
                if not await self.client.km.is_alive():
                    break
            except Exception:  # noqa: BLE001 - what came is no message of Jupyter's
                break
        await self.kill()
        return None

    async def _connect_outputs(self) -> None:
        """Wait until outputs arrive: they come by another socket than replies. Raises KernelFault if none do.

        A message on it shows that it is connected; each request makes the kernel publish its status there.
        """
        for _ in range(int(ANSWER_SECONDS / CONNECT_SECONDS)):
            with contextlib.suppress(Empty):
                await self.client.kc.iopub_channel.get_msg(timeout=CONNECT_SECONDS)
                return
            await self.ask({"request": "ready"}, ANSWER_SECONDS)
        raise KernelFault("kernel-not-started", reason="no output channel")

    async def close(self) -> None:
        """End the kernel and wait until nothing of it is left; safe to call more than once, and before `start`."""
        client, self._client = self._client, None
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        if client is None or client.km is None:
            return
        self._over.set()
        if client.kc is not None:
            client.kc.stop_channels()
        if client.km.has_kernel:
            await client.km.provisioner.kill()
            await client.km.provisioner.wait()
        await client.km.cleanup_resources()

    async def _watch_channels(self) -> None:
        """A connection that breaks while the job goes on was broken by a message longer than all outputs may be."""
        await self.client.kc.broken()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), LAST_WORD_SECONDS)
            return
        self._on_limit("output-limit")
        await self.kill()
