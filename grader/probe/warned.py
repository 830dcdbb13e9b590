"""Gives a warning the learner's place where it would have one of ours.

Python places a warning at the frame that calls what warns, and shows it once for each place. Where an operation is called by a
recorder, that frame is the recorder's.
"""

import sys
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Any

from grader.probe.places import cell_number

OURS = "grader.probe."
# Under this name Python keeps in a module's namespace which warnings were shown, by text, category and line.
REGISTRY = "__warningregistry__"


def place_warnings_at_the_learners() -> None:
    """Have each warning that is placed in a recorder shown with the cell and line that called the operation."""
    show = warnings._showwarnmsg  # type: ignore[attr-defined]

    def show_placed(message: Any) -> None:
        ours = _first(sys._getframe(1), _is_ours)
        learners = _first(ours, _is_learners)
        if ours is None or learners is None or ours.f_code.co_filename != message.filename:
            show(message)
        elif not _is_known(message, ours, learners):
            message.filename, message.lineno = learners.f_code.co_filename, learners.f_lineno
            show(message)

    warnings._showwarnmsg = show_placed  # type: ignore[attr-defined]


def _is_known(message: Any, ours: FrameType, learners: FrameType) -> bool:
    """Whether a warning that is to be shown once a line was shown for the learner's; from now on it was."""
    here, there = (frame.f_globals.setdefault(REGISTRY, {}) for frame in (ours, learners))
    text, category = str(message.message), message.category
    if here.pop((text, category, message.lineno), None) is None:
        return False  # it is to be shown always
    if there.get("version") != here.get("version"):  # a filter has changed, and Python forgets all
        there.clear()
        there["version"] = here.get("version")
    key = text, category, learners.f_lineno
    known = key in there
    there[key] = True
    return known


def _first(frame: FrameType | None, wanted: Callable[[FrameType], bool]) -> FrameType | None:
    while frame is not None and not wanted(frame):
        frame = frame.f_back
    return frame


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).startswith(OURS)


def _is_learners(frame: FrameType) -> bool:
    return cell_number(frame.f_code.co_filename) is not None
