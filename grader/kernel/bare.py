"""A kernel without Jupyter, for reruns: nobody looks at what they show, and starting ZMQ's sockets costs more than they do.

The cells run in IPython's shell as they do in Jupyter's kernel, inside a running event loop, and what they print and
display is dropped. It speaks by one socket: a length of four bytes, then JSON. A request carries a number, which its
answer repeats; `cell` runs one, and all others are for `Cells.answer`.
"""

import asyncio
import builtins
import contextlib
import getpass
import io
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from grader.kernel.cells import OPTIONS, Cells, pack, unpack
from grader.kernel.job import LENGTH_BYTES
from grader.model import Limits

# Bound here, since a submission may put something else in their places.
_read, _write, _own_number, _end = os.read, os.write, os.getpid, os._exit


class Dropped(io.TextIOBase):
    """Takes what is printed, as the stream of a Jupyter kernel does, and drops it."""

    encoding = "UTF-8"

    def writable(self) -> bool:
        """Whether it can be written to."""
        return True

    def write(self, string: str) -> int:
        """Print."""
        if not isinstance(string, str):
            raise TypeError(f"write() argument must be str, not {type(string)}")
        return len(string)


class _Publisher(DisplayPublisher):  # type: ignore[misc]
    """Drops what is displayed."""

    def publish(self, data: Any, metadata: Any = None, **_kwargs: Any) -> None:
        """Display."""


class _Shell(InteractiveShell):  # type: ignore[misc]
    """IPython's shell, without a history and without words for errors: the probe notes them."""

    def init_display_pub(self) -> None:
        """Have what is displayed dropped."""
        self.display_pub = _Publisher(parent=self, shell=self)

    def _showtraceback(self, *_args: Any) -> None:
        pass

    def enable_gui(self, gui: Any = None) -> None:
        """Do nothing: there are no windows."""


def serve(given: Sequence[socket.socket], _key: str, ready: int, _limits: Limits) -> None:
    """Serve on a connected socket until it closes; write a byte to `ready` when it begins."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # between cells there is nothing to interrupt
    sys.stdout, sys.stderr = Dropped(), Dropped()
    _forbid_questions()
    shell = _Shell.instance(config=Config(OPTIONS))
    connection = given[0].detach()
    os.set_blocking(connection, True)
    os.write(ready, b"R")
    os.close(ready)
    asyncio.run(_Server(shell, connection).serve())


class _Server:
    def __init__(self, shell: InteractiveShell, connection: int) -> None:
        self._shell = shell
        self._cells = Cells(shell)
        self._connection = connection
        self._process = os.getpid()

    async def serve(self) -> None:
        """Answer requests, one after another."""
        while True:
            length = int.from_bytes(self._receive(LENGTH_BYTES))
            request = unpack(self._receive(length))
            if request["request"] == "cell":
                await self._run(request["source"])
                content: dict[str, Any] = {}
            else:
                with _interruptible(request["request"] == "call"):
                    content = self._cells.answer(request)
            if _own_number() != self._process:
                _end(0)  # a fork that the submission made and did not end
            self._send({"number": request["number"], "content": content})

    async def _run(self, source: str) -> None:
        """Run a cell as ipykernel does: in the running loop where it awaits something, and else without one of its own."""
        self._cells.begin()
        # An interrupt may come as the cell has ended, or while it waits.
        with _interruptible(True), contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
            if not self._shell.should_run_async(source, transformed_cell=source):
                self._shell.run_cell(source, store_history=True)
                return
            work = asyncio.ensure_future(
                self._shell.run_cell_async(source, store_history=True, transformed_cell=source)
            )
            with _cancelled_by_interrupt(work):
                result = await work
            self._shell.events.trigger("post_execute")
            self._shell.events.trigger("post_run_cell", result)

    def _receive(self, length: int) -> bytes:
        parts = []
        while length:
            part = _read(self._connection, min(length, 1 << 20))
            if not part:
                _end(0)  # nobody asks any more
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def _send(self, answer: dict[str, Any]) -> None:
        packed = pack(answer)
        left = memoryview(len(packed).to_bytes(LENGTH_BYTES) + packed)
        while left:
            left = left[_write(self._connection, left) :]


@contextlib.contextmanager
def _interruptible(wanted: bool) -> Iterator[None]:
    """Let an interrupt end what runs."""
    if not wanted:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def _cancelled_by_interrupt(work: "asyncio.Future[Any]") -> Iterator[None]:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, work.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def _forbid_questions() -> None:
    """Refuse `input()` and `getpass()` as Jupyter's kernel does where nobody can answer."""
    builtins.input = _refusing("raw_input")
    getpass.getpass = _refusing("getpass")


def _refusing(name: str) -> Callable[..., NoReturn]:
    def refuse(*_args: Any, **_kwargs: Any) -> NoReturn:
        raise StdinNotImplementedError(
            f"{name} was called, but this frontend does not support input requests."
        )

    return refuse
