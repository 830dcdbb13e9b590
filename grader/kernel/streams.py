"""What a learner's code prints, sent in messages of bounded length."""

from ipykernel.iostream import OutStream

# A message longer than all outputs may be breaks the connection; many short ones are counted one by one.
MOST_CHARACTERS = 200_000


class PiecewiseStream(OutStream):  # type: ignore[misc]
    """Sends what was printed as soon as it is long, and waits until it is sent."""

    _unsent = 0

    def write(self, string: str) -> int | None:
        """Print; a long text goes in pieces."""
        if not isinstance(string, str) or self._unsent + len(string) < MOST_CHARACTERS:
            self._unsent += len(string) if isinstance(string, str) else 0
            result: int | None = super().write(string)
            return result
        for start in range(0, len(string), MOST_CHARACTERS):
            super().write(string[start : start + MOST_CHARACTERS])
            self.flush()
        self._unsent = 0
        return len(string)
