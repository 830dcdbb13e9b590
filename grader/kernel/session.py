"""One kernel and what is done with it: run the cells, then ask for values and make calls.

nbclient runs cell by cell and goes on after an error. Limits are watched from outside; a cell that
passes one is interrupted, and if it goes on all the same, its kernel is killed.
"""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty
from typing import Any

import msgspec
import nbformat
from jupyter_client.manager import AsyncKernelManager

from grader.arrays import is_sound
from grader.errors import KernelFault
from grader.kernel.faults import run_error
from grader.kernel.outputs import BoundedClient
from grader.kernel.provisioner import WorkerSpecs
from grader.kernel.warm import Zygote
from grader.model import Argument, Call, Cell, Limits, Run, RunError, Submission, Swap, Trace, Value, Watched

START_SECONDS = 60.0
ANSWER_SECONDS = 30.0
# How long an interrupted cell may take to end before its kernel is killed.
GRACE_SECONDS = 3.0
CONNECT_SECONDS = 0.3
SOCKET_POLL_SECONDS = 0.002

Progress = Callable[[int, int], None]


class Session:
    """A kernel of its own for one run. All methods are coroutines of one event loop."""

    def __init__(self, limits: Limits, zygote: Zygote | None) -> None:
        """Prepare; nothing is started yet. Without a zygote the kernel is a new process."""
        self._limits = limits
        self._zygote = zygote
        self._folder = tempfile.TemporaryDirectory(prefix="grader-", ignore_cleanup_errors=True)
        self._client: BoundedClient | None = None
        self._limited: tuple[str, float] | None = None
        self._dead = False

    async def start(self) -> None:
        """Start the kernel and wait until it answers. Raises KernelFault if it does not."""
        home = Path(self._folder.name)
        name, launch = (
            ("grader-process", {}) if self._zygote is None else ("grader-forked", {"zygote": self._zygote})
        )
        manager = AsyncKernelManager(
            kernel_name=name, kernel_spec_manager=WorkerSpecs(), transport="ipc", ip=str(home / "k")
        )
        manager.connection_file = str(home / "connection.json")
        self._client = BoundedClient(nbformat.v4.new_notebook(), km=manager, allow_errors=True, timeout=None)
        self._client.log.disabled = True  # a kernel's death is reported in our words
        self._client.on_flood, self._client.on_many_messages = self._flood, self._many_messages
        try:
            await self._client.async_start_new_kernel(
                cwd=str(home), memory_mb=self._limits.memory_mb, **launch
            )
            await self._sockets_bound(manager)
            self._client.kc = manager.client()
            self._client.kc.start_channels()
            self._client.kc.allow_stdin = False
        except OSError as error:
            raise KernelFault("kernel-not-started", reason=str(error)) from error

    async def run(  # noqa: PLR0913 - one run, and all that may be asked of it
        self,
        submission: Submission,
        *,
        seed: int,
        values: Sequence[str] = (),
        watch: Watched | None = None,
        exchange: Sequence[Swap] = (),
        progress: Progress | None = None,
    ) -> Run:
        """Run the submission's cells from first to last and read the named values."""
        await self._configure(seed, watch, exchange)
        began = time.monotonic()
        client = self._client
        assert client is not None
        client.output_left, client.messages_left = self._limits.output_bytes, self._limits.output_messages
        notebook = client.nb = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell.source) for cell in submission.cells]
        )
        client.reset_execution_trackers()
        limit: RunError | None = None
        deadline = began + self._limits.run_seconds
        for index, cell in enumerate(submission.cells):
            if progress is not None:
                progress(cell.number, len(submission.cells))
            limit = await self._run_cell(notebook, index, cell, deadline)
            if limit is not None:
                break
        seconds = time.monotonic() - began
        trace, errors = await self._trace(submission)
        return Run(
            seconds=seconds,
            errors=_with_limit(errors, limit),
            complete=limit is None,
            trace=trace,
            values=await self._values(values),
        )

    async def call(self, name: str, arguments: Sequence[Argument], *, seed: int) -> Call:
        """Call a learner's function with arguments of ours."""
        seconds = self._limits.cell_seconds
        self._limited = None
        timer = asyncio.get_running_loop().call_later(seconds, self._interrupt, "time-limit", seconds)
        try:
            answer = await self._ask(
                {"request": "call", "name": name, "arguments": msgspec.to_builtins(arguments), "seed": seed},
                seconds + GRACE_SECONDS,
            )
        finally:
            timer.cancel()
        if answer is None or self._limited is not None:
            return Call(value=None, error=self._ending(None), trace=Trace())
        seen, value = answer.get("error"), answer.get("value")
        return Call(
            value=None if value is None else _decode(value, Value, None),
            error=run_error(seen, {}, self._limits) if isinstance(seen, dict) else None,
            trace=_decode_trace(answer.get("trace")),
        )

    async def close(self) -> None:
        """End the kernel and remove its folder; safe to call more than once, and before `start`."""
        client, self._client = self._client, None
        if client is not None and client.km is not None:
            if client.kc is not None:
                client.kc.stop_channels()
            if client.km.has_kernel:
                await client.km.provisioner.kill()
                await client.km.provisioner.wait()
            await client.km.cleanup_resources()
        self._folder.cleanup()

    async def _sockets_bound(self, manager: AsyncKernelManager) -> None:
        """Wait for the kernel's sockets: connecting before they are there costs ZMQ's retry interval."""
        info = manager.get_connection_info()
        paths = [Path(f"{info['ip']}-{info[name + '_port']}") for name in ("shell", "iopub", "control")]
        deadline = time.monotonic() + START_SECONDS
        while not all(path.exists() for path in paths):
            if time.monotonic() > deadline or not await manager.is_alive():
                raise KernelFault("kernel-not-started", reason="the kernel ended before it was ready")
            await asyncio.sleep(SOCKET_POLL_SECONDS)

    # ---- cells --------------------------------------------------------------------------------

    async def _run_cell(self, notebook: Any, index: int, cell: Cell, deadline: float) -> RunError | None:
        """Run one cell; return the error if it ended by a limit or with its kernel."""
        client = self._client
        assert client is not None
        seconds = min(self._limits.cell_seconds, max(deadline - time.monotonic(), 0.1))
        whole = seconds < self._limits.cell_seconds
        self._limited = None
        timer = asyncio.get_running_loop().call_later(
            seconds,
            self._interrupt,
            "run-time-limit" if whole else "time-limit",
            self._limits.run_seconds if whole else self._limits.cell_seconds,
        )
        try:
            await client.async_execute_cell(notebook.cells[index], index)
        except Exception:  # noqa: BLE001 - the kernel is dead, or no longer speaks as a kernel does
            await self._give_up()
        finally:
            timer.cancel()
        return self._ending(cell.number) if self._dead or self._limited is not None else None

    def _ending(self, cell: int | None) -> RunError:
        """Why a cell or call ended early."""
        if self._limited is None:
            return RunError(kind="kernel-died", message="", cell=cell, line=None)
        kind, limit = self._limited
        return RunError(kind=kind, message=str(limit).removesuffix(".0"), cell=cell, line=None)

    async def _give_up(self) -> None:
        """Kill the kernel, if it still runs: nothing more is asked of it."""
        self._dead = True
        client = self._client
        if client is not None and client.km is not None and client.km.has_kernel:
            await client.km.provisioner.kill()

    def _interrupt(self, kind: str, limit: float) -> None:
        """Interrupt the running cell, and kill the kernel if it does not end for that."""
        if self._limited is not None or self._client is None:
            return
        self._limited = (kind, limit)
        self._tasks = asyncio.ensure_future(self._interrupt_then_kill(self._limited))

    async def _interrupt_then_kill(self, limited: tuple[str, float]) -> None:
        client = self._client
        if client is None or client.km is None:
            return
        running = client.task_poll_for_reply
        await client.km.interrupt_kernel()
        await asyncio.sleep(GRACE_SECONDS)
        if self._limited is limited and running is not None and not running.done():
            await self._give_up()

    def _flood(self) -> None:
        self._interrupt("output-limit", self._limits.output_bytes)

    def _many_messages(self) -> None:
        self._interrupt("message-limit", self._limits.output_messages)

    # ---- questions ----------------------------------------------------------------------------

    async def _configure(self, seed: int, watch: Watched | None, exchange: Sequence[Swap]) -> None:
        request = {
            "request": "configure",
            "seed": seed,
            "record": not exchange,
            "watch": None if watch is None else msgspec.to_builtins(watch),
            "exchange": msgspec.to_builtins(exchange),
        }
        client = self._client
        assert client is not None
        assert client.kc is not None
        if await self._ask(request, START_SECONDS) is None:
            raise KernelFault("kernel-not-started", reason="no answer")
        # Outputs come by another socket than replies. A message on it shows that it is connected; each
        # question makes the kernel publish its status there.
        for _ in range(int(ANSWER_SECONDS / CONNECT_SECONDS)):
            with contextlib.suppress(Empty):
                await client.kc.iopub_channel.get_msg(timeout=CONNECT_SECONDS)
                return
            await self._ask({"request": "ready"}, ANSWER_SECONDS)
        raise KernelFault("kernel-not-started", reason="no output channel")

    async def _trace(self, submission: Submission) -> tuple[Trace, tuple[RunError, ...]]:
        answer = await self._ask({"request": "trace"}, ANSWER_SECONDS)
        if answer is None:
            return Trace(), ()
        sources = {cell.number: cell.source for cell in submission.cells}
        seen = _decode(answer.get("errors"), list[dict[str, Any]], [])
        return _decode_trace(answer.get("trace")), tuple(
            run_error(error, sources, self._limits) for error in seen
        )

    async def _values(self, names: Sequence[str]) -> dict[str, Value]:
        if not names:
            return {}
        answer = await self._ask({"request": "values", "names": list(names)}, ANSWER_SECONDS)
        values: dict[str, Value] = _decode(answer, dict[str, Value], {})
        return values

    async def _ask(self, content: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """Send a request to the probe; None if the kernel gives no answer in time, and then it is ended."""
        client = self._client
        assert client is not None
        if self._dead or client.kc is None or client.km is None:
            return None
        message = client.kc.session.msg("grader_request", content)
        client.kc.shell_channel.send(message)
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                reply = await client.kc.shell_channel.get_msg(timeout=min(left, 0.5))
                if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                    return dict(reply["content"])
            except Empty:
                if not await client.km.is_alive():
                    break
            except Exception:  # noqa: BLE001 - what came is no message of Jupyter's
                break
        await self._give_up()
        return None


def _decode(value: Any, kind: Any, otherwise: Any) -> Any:
    """Decode what came out of the kernel into a typed record; what does not fit is the submission's doing."""
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError):
        return otherwise


def _decode_trace(value: Any) -> Trace:
    """Decode a trace; one that contradicts itself is as good as none."""
    trace: Trace = _decode(value, Trace, Trace())
    return trace if is_sound(trace) else Trace()


def _with_limit(errors: tuple[RunError, ...], limit: RunError | None) -> tuple[RunError, ...]:
    """Put the limit in the place of the KeyboardInterrupt that it ended its cell with, keeping the line."""
    if limit is None:
        return errors
    if not errors or not errors[-1].message.startswith("KeyboardInterrupt"):
        return (*errors, limit)
    return (*errors[:-1], msgspec.structs.replace(limit, cell=errors[-1].cell, line=errors[-1].line))
