"""What came out of a kernel, decoded into typed records; what does not fit is the submission's doing.

Only the types of `model` are made, from plain JSON; shapes, dtypes and lengths must agree (`arrays`).
"""

from typing import Any

import msgspec

from grader.arrays import is_sound
from grader.model import Trace


def decode(value: Any, kind: Any, otherwise: Any) -> Any:
    """Decode a value as `kind`, or give `otherwise`."""
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError):
        return otherwise


def decode_trace(value: Any) -> Trace:
    """Decode a trace; one that contradicts itself is as good as none."""
    trace: Trace = decode(value, Trace, Trace())
    return trace if is_sound(trace) else Trace()
