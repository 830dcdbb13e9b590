"""The kernels of one or many gradings: a warm parent, and an event loop in a thread of its own."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from grader.errors import KernelFault
from grader.kernel.warm import LAYERS, Zygote, warm_parent
from grader.model import Limits, Sandbox
from grader.settings import Settings

if TYPE_CHECKING:
    from grader.kernel.session import Session

T = TypeVar("T")


class Kernels:
    """A context in which sessions live; on leaving it, all of them are closed.

    jupyter_client and nbclient are asynchronous, pytest and the checks are not: `do` is the bridge.
    """

    def __init__(self, settings: Settings, zygote: Zygote | None = None) -> None:
        """Prepare; nothing is started yet. Without a zygote that warms up already, one is started on entering."""
        self._settings = settings
        self._sessions: list[Session] = []
        self._ends = contextlib.ExitStack()
        self._zygote = zygote
        self._spare: tuple[Session, tuple[Limits, bool], Future[None]] | None = None

    def __enter__(self) -> Self:
        """Start the warm parent, where there can be one, and the loop."""
        if self._zygote is None:
            self._zygote = self._ends.enter_context(warm_parent(self._settings))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="kernels", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close every session, then the loop and the warm parent."""
        with self._ends:
            if self._spare is not None:
                self._discard_spare()
            for session in list(self._sessions):
                self.close(session)
            self.do(_end_tasks())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine of a session to its end; an interrupt (Ctrl-C) cancels it."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    @property
    def sandbox(self) -> Sandbox:
        """How these kernels are confined. Raises KernelFault if none will be started."""
        return Sandbox(tier="none", missing=LAYERS) if self._zygote is None else self._zygote.sandbox

    def prepare(self, limits: Limits, *, bare: bool = False) -> None:
        """Start the kernel that `open` will give next where it is asked for the same, while the caller goes on."""
        wanted = limits, bare
        if self._spare is not None and self._spare[1] != wanted:
            self.close(self._discard_spare())
        if self._spare is None:
            from grader.kernel.session import Session  # noqa: PLC0415 - imported while the zygote warms up

            session = Session(limits, self._zygote, bare=bare)
            self._sessions.append(session)
            self._spare = session, wanted, asyncio.run_coroutine_threadsafe(session.start(), self._loop)

    def open(self, limits: Limits, *, bare: bool = False) -> "Session":
        """A session in a kernel that no code has run in. Raises KernelFault if it does not start.

        bare: what the cells show is not wanted, which makes it start sooner.
        """
        self.prepare(limits, bare=bare)
        assert self._spare is not None
        (session, _, started), self._spare = self._spare, None
        try:
            started.result()
        except BaseException:
            self.close(session)
            raise
        return session

    def close(self, session: "Session") -> None:
        """End a session, to free its memory."""
        self._sessions.remove(session)
        self.do(session.close())

    def _discard_spare(self) -> "Session":
        """The spare kernel's session once its start is over, to be closed."""
        assert self._spare is not None
        (session, _, started), self._spare = self._spare, None
        with contextlib.suppress(KernelFault):
            started.result()
        return session


async def _end_tasks() -> None:
    """End what still waits for something, as after an interrupt."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
