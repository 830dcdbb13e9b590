"""The kernels of one grading: an event loop in a thread of its own, and the next kernel started early."""

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from grader.kernel.session import Session
from grader.settings import Settings

T = TypeVar("T")


class Kernels:
    """A context in which sessions live; on leaving it, all of them are closed.

    jupyter_client and nbclient are asynchronous, pytest and the checks are not: `do` is the bridge.
    """

    def __init__(self, settings: Settings) -> None:
        """Prepare; the loop starts on entering."""
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="kernels", daemon=True)
        self._sessions: list[Session] = []
        self._spare: Session | None = None

    def __enter__(self) -> Self:
        """Start the loop."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close every session, then the loop."""
        try:
            self.do(self._close_all())
        finally:
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

    def prepare(self) -> None:
        """Start the kernel that `take` will give next, so that it is warm by then."""
        if self._spare is None:
            self._spare = self._started()

    def take(self) -> Session:
        """A session in a kernel that no code has run in."""
        session, self._spare = self._spare or self._started(), None
        return session

    def close(self, session: Session) -> None:
        """End a session before its time, to free its memory."""
        self._sessions.remove(session)
        self.do(session.close())

    def _started(self) -> Session:
        session = Session(self._settings)
        self._sessions.append(session)
        self.do(session.start())
        return session

    async def _close_all(self) -> None:
        await asyncio.gather(*(session.close() for session in self._sessions))
        self._sessions.clear()
