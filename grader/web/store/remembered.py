"""What LTI has to remember (`grader.lms.lti.remembered`), in the service's database, so that all its processes share it."""

import time
from collections.abc import Callable, Sequence

from grader.lms.lti.records import LoginState, Platform, SigningKey
from grader.web.store import platforms
from grader.web.store.seals import Seal
from grader.web.store.store import Store


class Remembered:
    """Platforms, states, keys and stamps in one. Threads may share it. All raise GradebookError where the database fails.

    seal: how keys are kept.
    """

    def __init__(
        self, store: Store, clock: Callable[[], float] = time.time, seal: Seal | None = None
    ) -> None:
        self._store, self._clock, self._seal = store, clock, seal or Seal()

    def of(self, issuer: str, client_id: str | None) -> Sequence[Platform]:
        """See `Platforms`."""
        return self._store.read(platforms.registered, issuer, client_id)

    def keep(self, state: LoginState) -> None:
        """See `States`."""
        self._store.write(platforms.keep_login, state, self._clock())

    def look(self, state: str) -> LoginState | None:
        """See `States`."""
        return self._store.read(platforms.login, state)

    def take(self, state: str) -> LoginState | None:
        """See `States`."""
        return self._store.write(platforms.take_login, state)

    def keys(self) -> tuple[SigningKey, ...]:
        """See `KeyChest`."""
        return self._store.read(platforms.keys, self._seal)

    def exchange(self, old: tuple[SigningKey, ...], new: tuple[SigningKey, ...]) -> bool:
        """See `KeyChest`."""
        return self._store.write(platforms.exchange_keys, old, new, self._seal)

    def reseal(self) -> None:
        """Have the keys that there are be kept by the seal of today."""
        if keys := self.keys():
            self.exchange(keys, keys)

    def next(self, line_item: str, subject: str, now: int) -> int:
        """See `Stamps`."""
        return self._store.write(platforms.next_stamp, line_item, subject, now)
