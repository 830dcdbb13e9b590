"""What a worker of a cluster does before it is given its first task. It imports Dask, which is an extra."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from distributed import WorkerPlugin

from grader.errors import GraderError


class Warm(WorkerPlugin):  # type: ignore[misc]  # Dask publishes no types
    """Has a worker do something once before it takes tasks.

    What is slow only the first time is done then: a worker that is lost meanwhile had no task that could be blamed for it.
    """

    name = "grader-warm"

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work

    async def setup(self, worker: Any) -> None:
        """Do it. Where that fails, so will the first task, which can say why."""
        with contextlib.suppress(GraderError):
            await asyncio.to_thread(self._work)
