"""Forgets by itself what is old, and takes away the files that belong to nobody, in a thread of its own."""

import threading
from typing import Self

from grader.errors import GradebookError
from grader.web.logs import Log
from grader.web.store import clearing
from grader.web.store.store import Store

# Seconds between two rounds.
ROUND = 3600.0


class Keeper:
    """Goes its rounds while it is entered. days: how long what was handed in is kept; None for ever."""

    def __init__(self, store: Store, days: int | None, log: Log) -> None:
        self._store, self._days, self._log = store, days, log
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="keep")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._ending.is_set():
            try:
                self._go_round()
            except GradebookError as error:  # the next round tries again
                self._log.failed("not-forgotten", error)
            self._ending.wait(ROUND)

    def _go_round(self) -> None:
        if self._days is not None:
            cleared = clearing.expire(self._store, self._days, self._ending.is_set)
            if any(cleared):
                self._log.say("forgotten", attempts=cleared.attempts, people=cleared.people)
        if swept := clearing.sweep(self._store):
            self._log.say("files-swept", files=swept)
