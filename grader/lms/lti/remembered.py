"""What LTI has to remember; whoever mounts it keeps these, for all processes of the service alike."""

from collections.abc import Sequence
from typing import Protocol

from grader.lms.lti.records import LoginState, Platform, SigningKey


class Platforms(Protocol):
    """The platforms that we are registered with."""

    def of(self, issuer: str, client_id: str | None) -> Sequence[Platform]:
        """Those of an issuer, all or those where we have this client id. Issuers are compared to the letter."""
        ...


class States(Protocol):
    """The logins that are under way. What has expired may be dropped at any time."""

    def keep(self, state: LoginState) -> None:
        """Keep it until it is taken, or has expired."""
        ...

    def look(self, state: str) -> LoginState | None:
        """The state by its key, left where it is."""
        ...

    def take(self, state: str) -> LoginState | None:
        """Take it away: of any number of calls with one key, at most one is given it."""
        ...


class KeyChest(Protocol):
    """Our private keys."""

    def keys(self) -> tuple[SigningKey, ...]:
        """All of them, in any order."""
        ...

    def exchange(self, old: tuple[SigningKey, ...], new: tuple[SigningKey, ...]) -> bool:
        """Put `new` in the place of `old`, in one step; False where the chest no longer holds just the keys of `old`."""
        ...


class Stamps(Protocol):
    """When each learner's last score was sent to each column, in milliseconds since 1970."""

    def next(self, line_item: str, subject: str, now: int) -> int:
        """`now`, or one more than the last answer for these two if that is later; remembered in one step."""
        ...
