"""One job as the supervisor sees it: ordered from the warm parent, heard of by its guardian, ended."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from typing import Self

import msgspec

from grader.errors import KernelFault
from grader.kernel.job import PACKET_BYTES, Ended, Job, Kind, News, Over, Ready
from grader.kernel.warm import Zygote
from grader.model import Limits

START_SECONDS = 60.0
END_SECONDS = 10.0
# The guardian ends a job this long after its cells have had their time, whatever the supervisor does.
LIFETIME_BEYOND_SECONDS = 600.0

Listener = Callable[[Over | Ended], None]


class Launched:
    """A job that was started; `listener` hears what befalls it. All methods are of one event loop."""

    def __init__(self, control: socket.socket, listener: Listener) -> None:
        """Take what the guardian says on its socket; see `launch`."""
        self._control = control
        self._listener = listener
        self._serving: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._news = asyncio.create_task(self._listen())
        self.layers: tuple[str, ...] = ()

    @classmethod
    async def launch(  # noqa: PLR0913 - a job, and all that may be said of it
        cls,
        zygote: Zygote,
        folder: str,
        limits: Limits,
        given: Sequence[socket.socket],
        *,
        kind: Kind,
        key: str,
        listener: Listener,
    ) -> Self:
        """Have a kernel forked, which gets the `given` sockets, and wait until it serves.

        Raises KernelFault if it cannot be confined or does not start.
        """
        lifetime = limits.run_seconds + limits.cell_seconds + LIFETIME_BEYOND_SECONDS
        job = Job(folder=folder, kind=kind, key=key, limits=limits, lifetime_seconds=lifetime)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with theirs:
            descriptors = [theirs.fileno(), *(sock.fileno() for sock in given)]
            await asyncio.to_thread(zygote.start, job, descriptors)
        launched = cls(ours, listener)
        try:
            await asyncio.wait_for(launched._serving, START_SECONDS)
            if lost := set(zygote.sandbox.layers) - set(launched.layers):
                raise KernelFault("kernel-not-started", reason=f"not confined by {', '.join(sorted(lost))}")  # noqa: TRY301 - one way out for all
        except BaseException:
            launched.kill()
            await launched.close()
            raise
        return launched

    @property
    def is_over(self) -> bool:
        """Whether nothing of the job is left."""
        return self._news.done()

    def interrupt(self) -> None:
        """Interrupt the code that runs in its kernel, as Ctrl-C does."""
        self._ask(b"interrupt")

    def kill(self) -> None:
        """Have it ended; `close` waits until it is."""
        self._ask(b"kill")

    async def close(self) -> None:
        """Wait until nothing of the job is left; a guardian that does not answer is left to the caretaker."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news, END_SECONDS)
        self._control.close()

    def _ask(self, what: bytes) -> None:
        with contextlib.suppress(OSError):  # it is over
            self._control.send(what)

    async def _listen(self) -> None:
        """Take what the guardian says, until its last word or its end."""
        while not isinstance(news := await self._receive(), Ended):
            if not isinstance(news, Ready):
                self._listener(news)
            elif not self._serving.done():  # else nobody waits any more
                self.layers = news.layers
                self._serving.set_result(None)
        self._listener(news)
        if not self._serving.done():
            self._serving.set_exception(KernelFault("kernel-not-started", reason=news.detail or news.reason))

    async def _receive(self) -> News:
        """What the guardian says next; that it is gone, where it can say nothing any more."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                packet = await loop.sock_recv(self._control, PACKET_BYTES)
            except ConnectionResetError:
                continue  # it left without reading all that it was told; its last word comes next
            except OSError:
                packet = b""
            return msgspec.json.decode(packet, type=News) if packet else Ended("gone")
