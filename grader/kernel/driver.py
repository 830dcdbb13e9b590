"""How a session drives a kernel, whatever it is spoken to with: started, given cells and requests, ended."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from grader.kernel.job import Ended, Over
from grader.model import Output

START_SECONDS = 60.0
ANSWER_SECONDS = 30.0
# A kernel that died is told of by its guardian; its sockets may break a moment before.
LAST_WORD_SECONDS = 1.0


class Driver(ABC):
    """A kernel of one job. `on_limit` is called with what the kernel has too much of, as it happens."""

    def __init__(self, on_limit: Callable[[str], None]) -> None:
        """Prepare; nothing is started yet."""
        self._on_limit = on_limit
        self._over = asyncio.Event()
        self._ended = asyncio.Event()
        self.ending: Ended | None = None
        self.layers: tuple[str, ...] = ()

    @abstractmethod
    async def start(self) -> None:
        """Start the kernel and connect to it. Raises KernelFault if it does not come to serve."""

    @abstractmethod
    async def begin(self, sources: Sequence[str]) -> None:
        """Get ready for a run of these cells. Raises KernelFault if it cannot be."""

    @abstractmethod
    async def execute(self, index: int) -> None:
        """Run a cell to its end. A dead kernel ends it quietly."""

    @abstractmethod
    async def ask(self, content: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """Send a request to the probe; None if the kernel gives no answer in time, and then it is ended.

        An answer counts only if it names the request, by a number that nobody could know before.
        """

    @abstractmethod
    async def interrupt(self) -> None:
        """Interrupt the running cell, as Ctrl-C does."""

    @abstractmethod
    async def kill(self) -> None:
        """End the kernel, if it still runs: nothing more is asked of it."""

    @abstractmethod
    async def close(self) -> None:
        """End the kernel and wait until nothing of it is left; safe to call more than once, and before `start`."""

    @abstractmethod
    def outputs(self) -> dict[int, tuple[Output, ...]]:
        """What the cells have shown, by their numbers."""

    @property
    @abstractmethod
    def running(self) -> "asyncio.Future[Any] | None":
        """The cell that is running, if one is."""

    @property
    def dead(self) -> bool:
        """Whether nothing more can be asked of the kernel."""
        return self._over.is_set()

    def _heard(self, news: Over | Ended) -> None:
        """What the guardian says of the job."""
        if isinstance(news, Over):
            self._on_limit(news.limit)
            return
        self.ending = news
        self._over.set()
        self._ended.set()
        if self.running is not None:
            self.running.cancel()
