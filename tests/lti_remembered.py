"""What LTI remembers, in memory."""

import threading
from collections.abc import Sequence

from grader.lms.lti.records import LoginState, Platform, SigningKey


class InMemory:
    """Platforms, states, keys and stamps in one."""

    def __init__(self, *platforms: Platform) -> None:
        self.platforms = list(platforms)
        self.states: dict[str, LoginState] = {}
        self.chest: tuple[SigningKey, ...] = ()
        self.stamps: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def of(self, issuer: str, client_id: str | None) -> Sequence[Platform]:
        return [one for one in self.platforms if one.issuer == issuer and client_id in {None, one.client_id}]

    def keep(self, state: LoginState) -> None:
        self.states[state.state] = state

    def look(self, state: str) -> LoginState | None:
        return self.states.get(state)

    def take(self, state: str) -> LoginState | None:
        return self.states.pop(state, None)

    def keys(self) -> tuple[SigningKey, ...]:
        return self.chest

    def exchange(self, old: tuple[SigningKey, ...], new: tuple[SigningKey, ...]) -> bool:
        with self._lock:
            if set(old) != set(self.chest):
                return False
            self.chest = new
            return True

    def next(self, line_item: str, subject: str, now: int) -> int:
        with self._lock:
            stamp = max(now, self.stamps.get((line_item, subject), 0) + 1)
            self.stamps[line_item, subject] = stamp
            return stamp
