"""Describes an exception by where it happened, in the learner's code and at all, as plain JSON."""

import builtins
from types import TracebackType

from grader.probe.encode import Encoded, type_name
from grader.probe.places import cell_number

MAX_MESSAGE, MAX_PATH = 2_000, 500

_traceback = BaseException.__dict__["__traceback__"].__get__
_errno, _filename = OSError.__dict__["errno"].__get__, OSError.__dict__["filename"].__get__


def describe(error: BaseException, cell: int | None) -> Encoded:
    """Name, message, and the innermost line of learner's code; `cell` is the one that was running.

    file, function: where it was raised. errno, path: what the system said of which file, if it did.
    """
    place_cell, line, file, function = _place(_traceback(error))
    number, path = _refusal(error)
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
        "file": file[:MAX_PATH],
        "function": function[:MAX_PATH],
        "errno": number if type(number) is int else None,
        "path": _text(path)[:MAX_PATH],
    }


def _refusal(error: BaseException) -> tuple[object, object]:
    try:
        return _errno(error), _filename(error)
    except TypeError:  # no OSError, whatever it says it is
        return None, None


def _message(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return _text(error.msg)
    try:
        return _text(str(error))
    except BaseException:  # noqa: BLE001 - the learner's own `__str__` may raise anything; it is no news
        return ""


def _text(value: object) -> str:
    return value if type(value) is str else ""


def _place(traceback: TracebackType | None) -> tuple[int | None, int | None, str, str]:
    """The cell and line of the learner's innermost frame; the file and function of the innermost of all."""
    cell = line = None
    file = function = ""
    while traceback is not None:
        code = traceback.tb_frame.f_code
        file, function = _text(code.co_filename), _text(code.co_name)
        number = cell_number(code.co_filename)
        if number is not None:
            cell, line = number, traceback.tb_lineno
        traceback = traceback.tb_next
    return cell, line, file, function
