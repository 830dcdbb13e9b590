"""Runs the checks of an exercise over an experiment, with pytest, in process."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from unittest import mock

import pytest

from grader import checks
from grader.errors import CourseError, GraderError
from grader.exercise import Exercise, place_in
from grader.experiment import Experiment
from grader.model import CheckResult, Language, Text
from grader.text import say

# Plugins of pytest's that write what nobody reads here, or look for a debugger. Each costs a grading some of a millisecond.
WITHOUT = (
    *("terminal", "terminalprogress", "junitxml", "pastebin", "stepwise", "setuponly", "setupplan"),
    *("debugging", "doctest", "faulthandler", "cacheprovider", "unraisableexception", "threadexception"),
)


def run_checks(experiment: Experiment) -> tuple[CheckResult, ...]:
    """Run an exercise's checks over an experiment, in process.

    Raises CourseError if the check file cannot be collected or a check breaks in itself, KernelFault if a
    kernel that a check asked for could not be had.
    """
    exercise = experiment.exercise
    if not exercise.checks.is_file():
        raise CourseError("checks-missing", path=str(exercise.checks))
    recorder = _Recorder(exercise)
    arguments = [
        str(exercise.checks),
        "-p", checks.__name__,
        *(argument for name in WITHOUT for argument in ("-p", f"no:{name}")),
        "-W", "ignore",
        "--disable-plugin-autoload",
        "--noconftest",
        "--import-mode=importlib",
        "--assert=plain",
        "--rootdir", str(exercise.folder),
        "--confcutdir", str(exercise.folder),  # else every folder above is listed
        "-c", os.devnull,
    ]  # fmt: skip
    # The caller's own pytest settings are not meant for the checks; what pytest prints is not for reports.
    with (
        mock.patch.dict(os.environ, {"PYTEST_ADDOPTS": "", "PYTEST_PLUGINS": ""}),
        contextlib.redirect_stdout(io.StringIO()) as printed,
        contextlib.redirect_stderr(printed),
    ):
        pytest.main(arguments, plugins=[checks.fixtures(experiment), recorder])
    _forget_module(exercise.checks)
    if not recorder.results:
        recorder.break_off("no check was found")
    if recorder.fault is not None:
        raise recorder.fault
    return tuple(recorder.results.values())


def _forget_module(path: Path) -> None:
    """Take a check file out of the module table: pytest would take the next exercise's for the same module."""
    file = str(path.resolve())
    for name, module in list(sys.modules.items()):
        if getattr(module, "__file__", None) == file:
            del sys.modules[name]


class _Recorder:
    """Turns pytest's outcomes into check results."""

    def __init__(self, exercise: Exercise) -> None:
        self._exercise = exercise
        self.results: dict[str, CheckResult] = {}
        self.fault: BaseException | None = None

    def break_off(self, reason: str) -> None:
        """Note the first thing that went wrong on our side."""
        fault = CourseError("check-broken", exercise=self._exercise.slug, reason=reason)
        self.fault = self.fault or fault

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        untold = [item.name for item in items if item.name not in self._exercise.manifest.checks]
        if untold:
            path = self._exercise.folder / "exercise.toml"
            self.fault = self.fault or CourseError("check-untold", path=str(path), names=", ".join(untold))
            items.clear()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        for needed in [name for mark in item.iter_markers("needs") for name in mark.args]:
            if needed not in self.results:
                self.break_off(f"{item.name} needs {needed}, which is no check above it")
            elif self.results[needed].status != "passed":
                self._keep(item, "skipped", Text(id="skipped-because"), because=needed)
                pytest.skip(needed)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        report = yield
        error = None if call.excinfo is None else call.excinfo.value
        if isinstance(error, checks.CheckSkipped):
            self._keep(item, "skipped", error.reason, free=error.free, review=error.review)
        elif isinstance(error, checks.CheckFailed):
            self._keep(item, "failed", error.reason, hint=error.hint)
        elif isinstance(error, AssertionError | pytest.fail.Exception):
            self._keep(item, "failed", Text(id="check-failed"))
        elif isinstance(error, GraderError):
            self.fault = self.fault or error
        elif error is not None and not (
            item.name in self.results and isinstance(error, pytest.skip.Exception)
        ):
            self.break_off(f"{item.name}: {type(error).__name__}, {_place(call, self._exercise)}")
        elif call.when == "call":
            self._keep(item, "passed", None)
        return report

    def pytest_exception_interact(
        self, node: pytest.Item | pytest.Collector, call: pytest.CallInfo[Any]
    ) -> None:
        if isinstance(node, pytest.Collector) and call.excinfo is not None:
            error = call.excinfo.value.__cause__ or call.excinfo.value
            said = (str(error).splitlines() or [""])[0]
            self.break_off(f"{type(error).__name__}: {said}, {place_in(self._exercise.checks, error)}")

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        if excinfo.type is KeyboardInterrupt:
            self.fault = self.fault or excinfo.value
        else:  # pytest's own ways to end a session
            self.break_off(excinfo.typename)

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self.break_off(excinfo.typename)

    def _keep(  # noqa: PLR0913 - an outcome, field by field
        self,
        item: pytest.Item,
        status: Any,
        reason: Text | None,
        *,
        hint: Text | None = None,
        because: str | None = None,
        free: bool = False,
        review: bool = False,
    ) -> None:
        for text in (reason, hint):
            if text is not None and not _can_be_said(text, self._exercise):
                self.break_off(
                    f"{item.name}: no text `{text.id}` with the parameters {', '.join(text.params)}"
                )
        worth = _points(item)
        self.results[item.name] = CheckResult(
            id=item.name,
            titles=self._titles(item),
            status=status,
            score=worth if status == "passed" or free else 0.0,
            max_score=worth,
            reason=reason,
            hint=hint,
            because=because,
            review=review,
        )

    def _titles(self, item: pytest.Item) -> dict[str, str]:
        sentence = " ".join((getattr(item, "function").__doc__ or item.name).split())  # noqa: B009
        return {"en": sentence, "zh": self._exercise.manifest.checks[item.name].zh}


def _can_be_said(text: Text, exercise: Exercise) -> bool:
    """Whether there are words for a text in every language, and it has the parameters that they name."""
    try:
        for language in get_args(Language):
            if exercise.text(text.id, language, text.params) is None:
                say(text.id, language, text.params)
    except (KeyError, IndexError, ValueError):
        return False
    return True


def _place(call: pytest.CallInfo[None], exercise: Exercise) -> str:
    """Where an exception left the check file. Its text stays out: it could hold hidden values."""
    return place_in(exercise.checks, BaseException() if call.excinfo is None else call.excinfo.value)


def _points(item: pytest.Item) -> float:
    mark = item.get_closest_marker("points")
    return float(mark.args[0]) if mark is not None else 0.0
