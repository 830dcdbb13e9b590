"""Ctrl-C in two steps: the first asks to stop when what is under way is finished, the second at once."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stopping_politely(tell: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """Give a function that says whether to stop; `tell` is called at the first interrupt, the second raises KeyboardInterrupt."""
    asked = False

    def interrupted(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        tell()

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)
