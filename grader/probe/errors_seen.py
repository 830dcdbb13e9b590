"""Describes an exception by where it happened in the learner's code, as plain JSON."""

import builtins
from types import TracebackType

from grader.probe.encode import Encoded
from grader.probe.places import cell_number

MAX_MESSAGE = 2_000


def describe(error: BaseException, cell: int | None) -> Encoded:
    """Name, message, and the innermost line of learner's code; `cell` is the one that was running."""
    place_cell, line = _place(error.__traceback__)
    if isinstance(error, SyntaxError) and error.filename:
        seen = cell_number(error.filename)
        if seen is not None:
            place_cell, line = seen, error.lineno
    return {
        "name": type(error).__name__[:200],
        "builtin": getattr(builtins, type(error).__name__, None) is type(error),
        "message": _message(error)[:MAX_MESSAGE],
        "module": _text(error.name) if isinstance(error, ImportError) else None,
        "cell": place_cell or cell,
        "line": line,
    }


def _message(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return _text(error.msg)
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the learner's own `__str__` may raise anything; it is no news
        return ""


def _text(value: object) -> str:
    return value if type(value) is str else ""


def _place(traceback: TracebackType | None) -> tuple[int | None, int | None]:
    cell = line = None
    while traceback is not None:
        number = cell_number(traceback.tb_frame.f_code.co_filename)
        if number is not None:
            cell, line = number, traceback.tb_lineno
        traceback = traceback.tb_next
    return cell, line
