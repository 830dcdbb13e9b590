"""The pytest plugin that check files are written against; `grader.runner` grades with it.

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
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import numpy as np
import pytest

from grader import arrays
from grader.errors import GraderError
from grader.exercise import load_exercise, load_reference
from grader.experiment import Experiment, HiddenArgument
from grader.kernel.faults import LIMIT_OF
from grader.kernel.pool import Kernels
from grader.load import load
from grader.model import Call, Parameters, Run, RunError, Swap, Text
from grader.settings import load_settings
from grader.text import say
from grader.trace import Trace
from grader.values import Function, Module, Unusable, Value

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


def fixtures(experiment: Experiment) -> ModuleType:
    """The fixtures over one experiment, as a plugin.

    They are functions of a module, since pytest 9.2 deprecates methods that outlive a test.
    """
    plugin = ModuleType("grader.checks.fixtures")
    for_all_checks = pytest.fixture(scope="session")

    def experiment_() -> Experiment:
        """The experiment itself."""
        return experiment

    def run() -> RunView:
        """The base run."""
        return RunView(experiment.run)

    def rerun() -> Callable[..., RunView]:
        """`rerun(exchange)`: the submission run again with its data exchanged."""
        return partial(_rerun, experiment)

    def call() -> Callable[..., CallView]:
        """`call(name, *arguments)`: a learner's function with hidden arguments; `shown=True`: with those of the task."""
        return partial(_call, experiment)

    def reference() -> ModuleType:
        """The reference solution, imported in this process."""
        return load_reference(experiment.exercise)

    def rng(request: pytest.FixtureRequest) -> np.random.Generator:
        """Random numbers for hidden data, of each check its own: the same in every grading."""
        return experiment.hidden_numbers(request.node.name)

    for function in (experiment_, run, rerun, call, reference):
        vars(plugin)[function.__name__.rstrip("_")] = for_all_checks(function)
    vars(plugin)["rng"] = pytest.fixture(rng)
    return plugin


def _rerun(experiment: Experiment, exchange: Sequence[Swap] = ()) -> RunView:
    run = experiment.rerun(exchange)
    if experiment.may_be_slow(run):
        skip("rerun-out-of-time", review=True)
    return RunView(run, hidden=True)


def _call(experiment: Experiment, name: str, *arguments: HiddenArgument, shown: bool = False) -> CallView:
    value = experiment.run.values.get(name, Unusable(why="missing"))
    if isinstance(value, Unusable) and value.why == "missing":
        fail("function-missing", name=name)
    if not isinstance(value, Function | Module) and not isinstance(value, Unusable):
        fail("not-a-function", name=name)
    call = experiment.call(name, arguments, shown=shown)
    if call.error is not None:
        _fail_of(call.error, name, len(arguments))
    return CallView(call, name)


def _fail_of(error: RunError, name: str, count: int) -> NoReturn:
    """Fail since a call of a learner's function gave an error."""
    if error.kind in ("time-limit", "cpu-limit"):
        fail("call-ran-too-long", name=name)
    if error.kind in LIMIT_OF:
        fail("call-needs-too-much", name=name)
    if error.kind == "kernel-died":
        fail("call-ended-python", name=name)
    kind = public_error(error.message)
    if error.line is None:  # it was not in the learner's code: the function does not take the arguments
        fail("call-not-taken", name=name, error=kind, count=count)
    fail("call-raised", name=name, error=kind, cell=error.cell, line=error.line)


def public_error(message: str) -> str:
    """The type of an exception, if it is one of Python's own: its text could hold hidden arguments."""
    name = message.partition(":")[0]
    kind = getattr(builtins, name, None)
    return name if isinstance(kind, type) and issubclass(kind, BaseException) else "Exception"


def public_type(name: str) -> str:
    """The type of a value, if it is well known: a name of the learner's own could hold hidden arguments."""
    return name if name in KNOWN_TYPES or isinstance(getattr(builtins, name, None), type) else "object"


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
        config.pluginmanager.register(fixtures(Experiment(kernels, handed_in, exercise, settings)))
    except GraderError as error:
        raise pytest.UsageError(say(error.text, "en", error.params)) from None
