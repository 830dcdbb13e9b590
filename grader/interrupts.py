"""Ctrl-C in two steps: the first asks to stop when what is under way is finished, the second at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stopping_politely(tell: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """Give a function that says whether to stop; `tell` is called at the first interrupt, the second raises KeyboardInterrupt.

    It is called in a thread of its own: an interrupt may come while a line is being drawn, in the middle of which nothing can be said.
    """
    asked = False
    telling = threading.Thread(target=tell)

    def interrupted(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        telling.start()

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)
        if asked:
            telling.join()
