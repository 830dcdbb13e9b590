"""Describes an exception by where it happened in the learner's code, as plain JSON."""

import builtins
from types import TracebackType

from grader.probe.encode import Encoded, type_name
from grader.probe.places import cell_number

MAX_MESSAGE = 2_000

_traceback = BaseException.__dict__["__traceback__"].__get__


def describe(error: BaseException, cell: int | None) -> Encoded:
    """Name, message, and the innermost line of learner's code; `cell` is the one that was running."""
    place_cell, line = _place(_traceback(error))
    name = type_name(error)
    if isinstance(error, SyntaxError):
        seen = cell_number(_text(error.filename))
        if seen is not None:
            place_cell, line = seen, error.lineno if type(error.lineno) is int else None
    return {
        "name": name,
        "builtin": getattr(builtins, name, None) is type(error),
        "message": _message(error)[:MAX_MESSAGE],
        "module": _text(error.name) if isinstance(error, ImportError) else None,
        "cell": place_cell or cell,
        "line": line,
    }


def _message(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return _text(error.msg)
    try:
        return _text(str(error))
    except BaseException:  # noqa: BLE001 - the learner's own `__str__` may raise anything; it is no news
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
