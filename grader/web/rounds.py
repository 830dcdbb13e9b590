"""Work that is done again and again beside the pages, in a thread of its own."""

import threading
from abc import ABC, abstractmethod
from typing import Self

from grader.errors import GradebookError
from grader.web.logs import Log


class Rounds(ABC):
    """Goes rounds while it is entered, with so many seconds between them; on leaving, the round under way is finished.

    away: what the log is told where the database fails; the next round tries again.
    """

    def __init__(self, log: Log, seconds: float, away: str) -> None:
        self._log, self._seconds, self._away = log, seconds, away
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._go, name=type(self).__name__)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    @abstractmethod
    def go_round(self) -> bool:
        """Do what there is to do; whether the next round follows at once. Raises GradebookError where the database fails."""

    def _go(self) -> None:
        while not self._ending.is_set():
            try:
                if self.go_round():
                    continue
            except GradebookError as error:
                self._log.failed(self._away, error)
            self._ending.wait(self._seconds)
