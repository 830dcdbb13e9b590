"""What came out of a kernel, decoded into typed records; what does not fit is the submission's doing.

Only the types of `model` are made, from plain JSON; shapes, dtypes and lengths must agree (`arrays`).
"""

from typing import Any

import msgspec

from grader.arrays import is_sound, is_sound_value
from grader.trace import Trace
from grader.values import Unusable, Value


def decode(value: Any, kind: Any, otherwise: Any) -> Any:
    """Decode a value as `kind`, or give `otherwise`."""
    try:
        return msgspec.convert(value, kind, str_keys=True)
    except (msgspec.ValidationError, RecursionError):
        return otherwise


def decode_value(value: Any) -> Value | None:
    """Decode a value; of one that contradicts itself, no more is known than that there is one."""
    decoded: Value | None = decode(value, Value, None)
    return decoded if decoded is None or is_sound_value(decoded) else Unusable(why="unsupported")


def decode_values(answer: Any) -> dict[str, Value]:
    """Decode values by name."""
    found: dict[str, Value] = decode(answer, dict[str, Value], {})
    return {
        name: value if is_sound_value(value) else Unusable(why="unsupported") for name, value in found.items()
    }


def decode_trace(value: Any) -> Trace:
    """Decode a trace; one that contradicts itself is as good as none."""
    trace: Trace = decode(value, Trace, Trace())
    return trace if is_sound(trace) else Trace()
