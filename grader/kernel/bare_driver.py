"""A kernel without Jupyter, for reruns: given cells and requests by one socket, as `bare` takes them."""

import asyncio
import contextlib
import json
import secrets
import socket
from collections.abc import Callable, Sequence
from typing import Any

from grader.errors import KernelFault
from grader.kernel.client import ANSWER_BYTES, MOST_MEMBERS
from grader.kernel.driver import LAST_WORD_SECONDS, Driver
from grader.kernel.job import LENGTH_BYTES
from grader.kernel.launched import Launched
from grader.kernel.warm import Zygote
from grader.model import Limits, Output


class BareDriver(Driver):
    """A kernel and the one socket that leads to it."""

    def __init__(self, limits: Limits, zygote: Zygote, on_limit: Callable[[str], None]) -> None:
        """Prepare; nothing is started yet."""
        super().__init__(on_limit)
        self._limits = limits
        self._zygote = zygote
        self._job: Launched | None = None
        self._connection: socket.socket | None = None
        self._sources: Sequence[str] = ()
        self._cell: asyncio.Task[Any] | None = None

    async def start(self) -> None:
        """Start the kernel and connect to it. Raises KernelFault if it does not come to serve."""
        folder = await asyncio.to_thread(self._zygote.new_folder)
        self._connection, theirs = socket.socketpair(socket.AF_UNIX)
        self._connection.setblocking(False)
        try:
            with theirs:
                self._job = await Launched.launch(
                    self._zygote,
                    folder,
                    self._limits,
                    [theirs],
                    kind="bare",
                    key="",
                    listener=self._heard,
                )
        except (OSError, TimeoutError) as error:
            raise KernelFault("kernel-not-started", reason=str(error)) from error
        self.layers = self._job.layers

    async def begin(self, sources: Sequence[str]) -> None:
        """Keep the cells; nothing that they show arrives."""
        self._sources = sources

    async def execute(self, index: int) -> None:
        """Run a cell to its end. A dead kernel ends it quietly."""
        request = {"request": "cell", "source": self._sources[index]}
        self._cell = asyncio.ensure_future(self._exchange(request))
        try:
            await self._cell
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # else the kernel ended, which is told otherwise
                raise
        except (OSError, ValueError):
            await self._die()

    async def ask(self, content: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """Send a request to the probe; None if the kernel gives no answer in time, and then it is ended."""
        if self.dead:
            return None
        try:
            return await asyncio.wait_for(self._exchange(content), seconds)
        except (OSError, ValueError, TimeoutError):
            await self._die()
            return None

    async def interrupt(self) -> None:
        """Interrupt the running cell, as Ctrl-C does."""
        if self._job is not None and not self.dead:
            self._job.interrupt()

    async def kill(self) -> None:
        """End the kernel, if it still runs: nothing more is asked of it."""
        self._over.set()
        if self._job is not None:
            self._job.kill()

    async def close(self) -> None:
        """End the kernel and wait until nothing of it is left; safe to call more than once, and before `start`."""
        job, self._job = self._job, None
        if job is not None:
            self._over.set()
            job.kill()
            await job.close()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def outputs(self) -> dict[int, tuple[Output, ...]]:
        """None: nobody looks at a rerun."""
        return {}

    @property
    def running(self) -> "asyncio.Future[Any] | None":
        """The cell that is running, if one is."""
        return None if self._cell is None or self._cell.done() else self._cell

    async def _die(self) -> None:
        """Let the guardian have its word on why the connection broke, then end the kernel."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), LAST_WORD_SECONDS)
        await self.kill()

    async def _exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a request and wait for what answers it. Raises OSError or ValueError where none will come."""
        loop = asyncio.get_running_loop()
        assert self._connection is not None
        number = secrets.token_hex(16)
        packed = json.dumps({**request, "number": number}).encode("utf-8")
        await loop.sock_sendall(self._connection, len(packed).to_bytes(LENGTH_BYTES) + packed)
        while True:
            length = int.from_bytes(await self._receive(LENGTH_BYTES))
            if length > ANSWER_BYTES:
                raise ValueError("too long an answer")
            answer = _decoded(await self._receive(length))
            if answer.get("number") == number and isinstance(answer.get("content"), dict):
                return dict(answer["content"])

    async def _receive(self, length: int) -> bytes:
        assert self._connection is not None
        received = bytearray()
        while len(received) < length:
            part = await asyncio.get_running_loop().sock_recv(self._connection, length - len(received))
            if not part:
                raise ConnectionResetError("the kernel's end is closed")
            received += part
        return bytes(received)


def _decoded(packed: bytes) -> dict[str, Any]:
    """What an answer says. Raises ValueError where it is none, or would take too much memory."""
    if sum(packed.count(sign) for sign in (b"[", b"{", b",")) > MOST_MEMBERS:
        raise ValueError("too many members")
    try:
        answer = json.loads(packed)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(answer, dict):
        raise ValueError("no answer")  # noqa: TRY004 - the kernel's doing, as what is above
    return answer
