"""The pytest plugin that check files are written against, and the runner that grades with it.

A check is a test with points. Its docstring is the sentence that the learner reads.

    @pytest.mark.points(2)
    @pytest.mark.needs("test_makes_the_data")
    def test_finds_the_slope(run, line):
        \"\"\"w is the slope of your data, near 10.\"\"\"
        if abs(run.number("w") - line.slope) > line.slope_error:
            fail("slope-off", seen=run.number("w"), wanted=line.slope)

Three outcomes: a check that returns has passed; `fail` gives the id of a text and its parameters; `skip`
says that it could not be judged. Fixtures: `run`, `rerun`, `call`, `reference`, `rng`, `experiment`.

For an author: `pytest exercises/linear_regression/checks.py --submission my.ipynb` runs the same checks
with pytest's own output. That output shows hidden values; reports never do.
"""

import builtins
import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn, get_args
from unittest import mock

import numpy as np
import pytest

from grader import arrays
from grader.errors import CourseError, GraderError
from grader.exercise import Exercise, load_exercise, load_reference
from grader.experiment import Experiment, HiddenArgument
from grader.kernel.pool import Kernels
from grader.load import load
from grader.model import (
    Call,
    CheckResult,
    Function,
    Language,
    Module,
    Parameters,
    Run,
    Swap,
    Text,
    Trace,
    Unusable,
    Value,
)
from grader.settings import load_settings
from grader.text import say

Numbers = arrays.Numbers

# Types outside `builtins` that learners return where numbers are wanted.
KNOWN_TYPES = frozenset({"NoneType", "Tensor", "Parameter", "ndarray", "Series", "DataFrame", "generator"})


class CheckFailed(Exception):  # noqa: N818 - the outcome of a check
    """A check failed, for the reason given."""

    def __init__(self, reason: Text, hint: Text | None) -> None:
        """Keep the reason and the hint; the words are chosen in the report."""
        super().__init__(f"{reason.id} {reason.params}")
        self.reason = reason
        self.hint = hint


class CheckSkipped(CheckFailed):
    """A check could not be judged. `free`: it costs nothing; `review`: a person should look."""

    def __init__(self, reason: Text, *, free: bool, review: bool) -> None:
        """Keep what a skipped check is worth and whether a person should look."""
        super().__init__(reason, None)
        self.free = free
        self.review = review


def fail(id: str, *, hint: str | None = None, **params: str | float | bool | None) -> NoReturn:
    """End a check as failed, with the text `id` of the exercise or of the catalogue; no hidden value in it."""
    raise CheckFailed(_text(id, params), None if hint is None else _text(hint, params))


def skip(
    id: str, *, free: bool = False, review: bool = False, **params: str | float | bool | None
) -> NoReturn:
    """End a check as skipped. `free` gives its points all the same; `review` asks a person to look."""
    raise CheckSkipped(_text(id, params), free=free, review=review)


def _text(id: str, params: Parameters) -> Text:
    """A text whose parameters are Python's own, where numpy's were given."""
    plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in params.items()}
    return Text(id=id, params=plain)


# ---- what check files get in hand ---------------------------------------------------------------


class Given:
    """A value of the learner's, read as a check needs it; what does not fit fails the check in plain words."""

    def __init__(self, value: Value, name: str, *, hidden: bool = False) -> None:
        """Wrap a value that goes by `name` in the texts; `hidden` if it was made from hidden values."""
        self.value = value
        self.name = name
        self._hidden = hidden

    def number(self) -> float:
        """The one number that the value holds."""
        found = arrays.scalar(self._usable())
        if found is None:
            fail("not-one-number", name=self.name)
        return found

    def numbers(self) -> Numbers:
        """All its numbers, as float64 in their shape."""
        found = arrays.numbers(self._usable())
        if found is None:
            fail("not-numbers", name=self.name)
        return found

    def parts(self, count: int) -> list["Given"]:
        """Its members, of which there must be `count`, as of a tuple that a function returned."""
        value = self._usable()
        items = getattr(value, "items", None)
        if items is None and (found := arrays.numbers(value)) is not None and found.shape[:1] == (count,):
            items = [arrays.from_numpy(part) for part in np.asarray(found)]
        if items is None or len(items) != count:
            fail("not-so-many", name=self.name, count=count)
        return [Given(item, f"{self.name}[{k}]", hidden=self._hidden) for k, item in enumerate(items)]

    def parameters(self) -> dict[str, Numbers]:
        """The parameters of an `nn.Module`."""
        value = self._usable()
        if not isinstance(value, Module):
            fail("not-a-module", name=self.name)
        return {name: arrays.to_numpy(array).astype(np.float64) for name, array in value.parameters.items()}

    def parameter_dtype(self) -> np.dtype[Any]:
        """The dtype of an `nn.Module`'s first parameter: what its inputs should be of."""
        if not isinstance(self.value, Module) or not self.value.parameters:
            fail("not-a-module", name=self.name)
        return np.dtype(next(iter(self.value.parameters.values())).dtype)

    def _usable(self) -> Value:
        if isinstance(self.value, Unusable):
            if self.value.why == "missing":
                fail("name-missing", name=self.name)
            kind = self.value.type_name
            fail("value-unusable", name=self.name, type=public_type(kind) if self._hidden else kind)
        return self.value


class RunView:
    """A run as a check reads it."""

    def __init__(self, run: Run, *, hidden: bool = False) -> None:
        """Wrap a run; `hidden` if it was made on hidden values."""
        self.record = run
        self._hidden = hidden

    @property
    def trace(self) -> Trace:
        """What the probe saw."""
        return self.record.trace

    @property
    def complete(self) -> bool:
        """Whether the run came to its end, past no limit."""
        return self.record.complete

    def value(self, name: str) -> Given:
        """A name of the learner's namespace."""
        return Given(self.record.values.get(name, Unusable(why="missing")), name, hidden=self._hidden)

    def has(self, name: str) -> bool:
        """Whether the name is there with a value that can be read."""
        return not isinstance(self.record.values.get(name, Unusable(why="missing")), Unusable)

    def number(self, name: str) -> float:
        """The one number that a name holds."""
        return self.value(name).number()

    def numbers(self, name: str) -> Numbers:
        """The numbers that a name holds."""
        return self.value(name).numbers()


class CallView(Given):
    """What a learner's function returned for arguments of ours."""

    def __init__(self, call: Call, name: str) -> None:
        """Wrap a call that returned."""
        super().__init__(call.value or Unusable(why="unsupported"), f"{name}(…)", hidden=True)
        self.trace = call.trace

    @property
    def gradient_calls(self) -> int:
        """How often autograd was asked for gradients during the call."""
        return sum(training.calls for training in self.trace.trainings)


class Fixtures:
    """The fixtures, over one experiment."""

    def __init__(self, experiment: Experiment) -> None:
        """Serve the checks of this experiment."""
        self._experiment = experiment

    @pytest.fixture(scope="session")
    def experiment(self) -> Experiment:
        """The experiment itself."""
        return self._experiment

    @pytest.fixture(scope="session")
    def run(self) -> RunView:
        """The base run."""
        return RunView(self._experiment.run)

    @pytest.fixture(scope="session")
    def rerun(self) -> Callable[[Sequence[Swap]], RunView]:
        """`rerun(exchange)`: the submission run again with its data exchanged."""
        return self._rerun

    def _rerun(self, exchange: Sequence[Swap] = ()) -> RunView:
        return RunView(self._experiment.rerun(exchange), hidden=True)

    @pytest.fixture(scope="session")
    def call(self) -> Callable[..., CallView]:
        """`call(name, *arguments)`: a learner's function with hidden arguments."""
        return self._call

    def _call(self, name: str, *arguments: HiddenArgument) -> CallView:
        value = self._experiment.run.values.get(name, Unusable(why="missing"))
        if isinstance(value, Unusable) and value.why == "missing":
            fail("function-missing", name=name)
        if not isinstance(value, Function | Module) and not isinstance(value, Unusable):
            fail("not-a-function", name=name)
        call = self._experiment.call(name, arguments)
        if call.error is not None:
            fail(
                "call-ran-too-long" if call.error.kind == "time-limit" else "call-raised",
                name=name,
                error=public_error(call.error.message),
                cell=call.error.cell,
                line=call.error.line,
            )
        return CallView(call, name)

    @pytest.fixture(scope="session")
    def reference(self) -> ModuleType:
        """The reference solution, imported in this process."""
        return load_reference(self._experiment.exercise)

    @pytest.fixture
    def rng(self, request: pytest.FixtureRequest) -> np.random.Generator:
        """Random numbers that follow from the seed, the submission and the check: the same in every grading."""
        key = (str(self._experiment.seed), self._experiment.submission.sha256, request.node.name)
        return np.random.default_rng(list("/".join(key).encode()))


def public_error(message: str) -> str:
    """The type of an exception, if it is one of Python's own: its text could hold hidden arguments."""
    name = message.partition(":")[0]
    kind = getattr(builtins, name, None)
    return name if isinstance(kind, type) and issubclass(kind, BaseException) else "Exception"


def public_type(name: str) -> str:
    """The type of a value, if it is well known: a name of the learner's own could hold hidden arguments."""
    return name if name in KNOWN_TYPES or isinstance(getattr(builtins, name, None), type) else "object"


# ---- running the checks of an exercise ----------------------------------------------------------


def run_checks(experiment: Experiment) -> tuple[CheckResult, ...]:
    """Run an exercise's checks over an experiment, in process.

    Raises CourseError if the check file cannot be collected or a check breaks in itself, KernelFault if a
    kernel that a check asked for could not be had.
    """
    exercise = experiment.exercise
    recorder = _Recorder(exercise)
    arguments = [
        str(exercise.checks),
        "-p", __name__,
        "-p", "no:cacheprovider",
        "-p", "no:faulthandler",
        "--disable-plugin-autoload",
        "--noconftest",
        "--import-mode=importlib",
        "--assert=plain",
        "--rootdir", str(exercise.folder),
        "-c", os.devnull,
    ]  # fmt: skip
    # The caller's own pytest settings are not meant for the checks; what pytest prints is not for reports.
    with (
        mock.patch.dict(os.environ, {"PYTEST_ADDOPTS": "", "PYTEST_PLUGINS": ""}),
        contextlib.redirect_stdout(io.StringIO()) as printed,
        contextlib.redirect_stderr(printed),
    ):
        pytest.main(arguments, plugins=[Fixtures(experiment), recorder])
    _forget_module(exercise.checks)
    if not recorder.results:
        recorder.break_off("no check was found")
    if recorder.fault is not None:
        raise recorder.fault
    return tuple(recorder.results.values())


def _forget_module(path: Path) -> None:
    """Take a check file out of the module table: pytest would take the next exercise's for the same module."""
    for name, module in list(sys.modules.items()):
        if getattr(module, "__file__", None) == str(path.resolve()):
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
            self.break_off(f"exercise.toml has no sentence for {', '.join(untold)}")
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
        if isinstance(error, CheckSkipped):
            self._keep(item, "skipped", error.reason, free=error.free, review=error.review)
        elif isinstance(error, CheckFailed):
            self._keep(item, "failed", error.reason, hint=error.hint)
        elif isinstance(error, AssertionError | pytest.fail.Exception):
            self._keep(item, "failed", Text(id="check-failed"))
        elif isinstance(error, GraderError):
            self.fault = self.fault or error
        elif error is not None and not (
            item.name in self.results and isinstance(error, pytest.skip.Exception)
        ):
            self.break_off(f"{item.name}: {type(error).__name__}, {_place(call, self._exercise.checks)}")
        elif call.when == "call":
            self._keep(item, "passed", None)
        return report

    def pytest_exception_interact(
        self, node: pytest.Item | pytest.Collector, call: pytest.CallInfo[Any]
    ) -> None:
        if isinstance(node, pytest.Collector) and call.excinfo is not None:
            error = call.excinfo.value.__cause__ or call.excinfo.value
            self.break_off(f"{type(error).__name__}: {error}")

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        if excinfo.type is KeyboardInterrupt:
            self.fault = self.fault or excinfo.value
        else:  # pytest's own ways to end a session
            self.break_off(excinfo.typename)

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self.break_off(excinfo.typename)

    def _keep(
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


def _place(call: pytest.CallInfo[None], checks: Path) -> str:
    """Where an exception left the check file. Its text stays out: it could hold hidden values."""
    entries = [] if call.excinfo is None else call.excinfo.traceback
    lines = [entry.lineno + 1 for entry in entries if Path(entry.path) == checks.resolve()]
    return f"{checks.name}, line {lines[-1]}" if lines else checks.name


def _points(item: pytest.Item) -> float:
    mark = item.get_closest_marker("points")
    return float(mark.args[0]) if mark is not None else 0.0


# ---- as a plugin of pytest itself ---------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--submission FILE`."""
    parser.addoption(
        "--submission", default=None, help="the notebook or module that grader's checks are run on"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks; with `--submission`, run it and serve the fixtures."""
    config.addinivalue_line("markers", "points(n): what the check is worth")
    config.addinivalue_line("markers", "needs(*checks): checks without which this one is skipped")
    submission = config.getoption("submission")
    if submission is None:
        return
    checks = Path(config.args[0].partition("::")[0]).resolve()
    try:
        exercise, handed_in = load_exercise(checks.parents[2], checks.parent.name), load(Path(submission))
        kernels = Kernels(settings := load_settings(Path.cwd())).__enter__()
        config.add_cleanup(lambda: kernels.__exit__(None, None, None))
        config.pluginmanager.register(Fixtures(Experiment(kernels, handed_in, exercise, settings.seed)))
    except GraderError as error:
        raise pytest.UsageError(say(error.text, "en", error.params)) from None
