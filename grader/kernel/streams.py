"""What a learner's code prints, sent in messages of bounded length; what prints or displays too much is held for a moment.

The supervisor counts, and interrupts what goes beyond; it then finds the code at the line that went beyond, however slow
the machine.
"""

from time import sleep
from typing import Any

from ipykernel.iostream import OutStream

# A message longer than all outputs may be breaks the connection; many short ones are counted one by one.
MOST_CHARACTERS = 200_000
# How long what printed or displayed too much waits for the interrupt that the supervisor sends on hearing it.
WAIT_SECONDS = 2.0


class PiecewiseStream(OutStream):  # type: ignore[misc]
    """Sends what was printed as soon as it is long, and waits until it is sent.

    `left` characters may still be printed. Beyond them the code that prints is held once. It is no limit: the
    supervisor's count is.
    """

    left: int | None = None
    _unsent = 0

    def write(self, string: str) -> int | None:
        """Print; a long text goes in pieces."""
        if not isinstance(string, str) or self._unsent + len(string) < MOST_CHARACTERS:
            self._unsent += len(string) if isinstance(string, str) else 0
            result: int | None = super().write(string)
            self._count(result or 0)
            return result
        for start in range(0, len(string), MOST_CHARACTERS):
            piece = string[start : start + MOST_CHARACTERS]
            super().write(piece)
            self.flush()
            self._count(len(piece))
        self._unsent = 0
        return len(string)

    def _count(self, characters: int) -> None:
        if self.left is None:
            return
        self.left -= characters
        if self.left < 0:
            self.left = None
            self.flush()
            sleep(WAIT_SECONDS)


class DisplayHold:
    """Holds the code that displays, once, when one display more than may be is on its way."""

    def __init__(self, most: int) -> None:
        """Let as many displays go."""
        self._beyond = -most

    def __call__(self, message: Any) -> Any:
        """Let a message go its way: a hook of the display publisher."""
        self._beyond += 1
        if self._beyond == 2:  # noqa: PLR2004 - the one before has been sent
            sleep(WAIT_SECONDS)
        return message
