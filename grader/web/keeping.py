"""Forgets by itself what is old, and takes away the files that belong to nobody."""

from grader.web.logs import Log
from grader.web.rounds import Rounds
from grader.web.store import clearing
from grader.web.store.store import Store

# Seconds between two rounds.
ROUND = 3600.0


class Keeper(Rounds):
    """days: how long what was handed in is kept; None for ever."""

    def __init__(self, store: Store, days: int | None, log: Log) -> None:
        super().__init__(log, ROUND, away="not-forgotten")
        self._store, self._days = store, days

    def go_round(self) -> bool:
        """Forget what is too old by now."""
        if self._days is not None:
            cleared = clearing.expire(self._store, self._days, self._ending.is_set)
            if any(cleared):
                self._log.say("forgotten", attempts=cleared.attempts, people=cleared.people)
        if swept := clearing.sweep(self._store):
            self._log.say("files-swept", files=swept)
        return False
