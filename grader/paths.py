"""Functions that walk downhill and return their path: called with hidden arguments, compared value by value."""

from collections.abc import Callable, Sequence

import numpy as np

from grader.checks import CallView, fail

# float32 rounds to 6e-8; over twenty contracting steps the errors stay below twenty times that.
CLOSE = 2e-5
Call = Callable[..., CallView]


def check_path(
    call: Call, name: str, arguments: tuple[float, float, int], wanted: Sequence[float], *, shown: bool
) -> None:
    """Call `name(x0, lr, steps)` and fail at the first value that differs; hidden arguments are not shown."""
    start, rate, steps = arguments
    seen = call(name, start, rate, steps, shown=shown).numbers().reshape(-1)
    if seen.size != steps:
        fail("path-length", name=name, count=seen.size, steps=steps)
    for number, (value, right) in enumerate(zip(seen, wanted, strict=True), start=1):
        if not abs(value - right) <= CLOSE * max(1.0, abs(start)):
            if not shown:
                fail("path-differs-elsewhere", name=name, number=number)
            fail("path-differs", name=name, start=start, rate=rate, steps=steps, number=number, seen=float(value),
                 wanted=float(right))  # fmt: skip


def hidden_walks(rng: np.random.Generator, count: int) -> list[tuple[float, float, int]]:
    """Starts, rates and numbers of steps for which the descent on a parabola of curvature 1 or 2 contracts."""
    return [
        (float(rng.uniform(-6, 6)), float(rng.uniform(0.05, 0.4)), int(rng.integers(4, 16)))
        for _ in range(count)
    ]
