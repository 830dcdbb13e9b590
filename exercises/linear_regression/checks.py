"""Checks of `linear_regression`: a line fitted by gradient descent, on its own data and on hidden data."""

import math
from typing import NamedTuple, NoReturn

import numpy as np
import pytest

from grader.checks import Numbers, RunView, fail, skip
from grader.exchange import Pair, data_pairs, shifted
from grader.gradients import Judgement, judge_trainings
from grader.line import Line, chance_of, fit_line, mean_squared_error
from grader.steps import parameters_reached

POINTS = 100
SLOPE, INTERCEPT = 10.0, 4.0
# One honest submission in a hundred thousand draws noise that takes its line farther from (10, 4).
CHANCE = 1e-5
# The task's noise has size 1. Without noise of their own the points say nothing; with much more, neither.
LEAST_NOISE, MOST_NOISE = 0.01, 3.0
# Hidden lines: nearer to the usual start than the task's, so that an honest budget of steps still arrives.
SLOPE_SHIFT, INTERCEPT_SHIFT = (-6.0, -3.0), (-2.0, -1.0)
# Right submissions moved by 95 to 100 % of the shift, those that train too briefly by 70 % at most.
SHARE_MISSING = 0.15
# How far down from a flat line to the best line the loss must have come.
DESCENT = 0.9


class Data(NamedTuple):
    """The submission's own data, each version of it in turn; `own` is the one its line is compared with."""

    pairs: tuple[Pair, ...]
    own: Pair


@pytest.fixture(scope="session")
def data(run: RunView) -> Data:
    """x and y of shape (n,), as the names hold them now or held them when the line was found."""
    pairs = data_pairs(run.trace.versions, "x", "y")
    if not pairs:
        explain_missing_data(run)
    if run.has("w") and run.has("b"):
        w, b = run.number("w"), run.number("b")
        for pair in pairs:
            line = fit_line(pair.x, pair.y)
            slope_error, intercept_error = allowed_errors(line, pair.x)
            if abs(w - line.slope) <= slope_error and abs(b - line.intercept) <= intercept_error:
                return Data(pairs, pair)
    return Data(pairs, pairs[-1])


def explain_missing_data(run: RunView) -> NoReturn:
    """Say why x and y, as the run left them, are no data to fit a line to."""
    x, y = run.numbers("x").reshape(-1), run.numbers("y").reshape(-1)
    for name, values in (("x", x), ("y", y)):
        if values.size < POINTS:
            fail("data-too-few", name=name, count=values.size, wanted=POINTS)
        if not np.isfinite(values).all():
            fail("data-not-finite", name=name)
    if x.size != y.size:
        fail("data-lengths-differ", x_count=x.size, y_count=y.size)
    fail("data-all-the-same")


@pytest.fixture(scope="session")
def line(data: Data) -> Line:
    """The least-squares line of the submission's own data."""
    return fit_line(data.own.x, data.own.y)


@pytest.fixture(scope="session")
def judgements(run: RunView, data: Data) -> list[Judgement]:
    """What the recomputed gradients say of each training."""
    return judge_trainings(run.trace, data.pairs)


def allowed_errors(line: Line, x: Numbers) -> tuple[float, float]:
    """One standard error of slope and of intercept.

    For data of less noise or of more points than the task asks for, the errors of the task's own data stay
    the measure (noise 1, 100 points, spread like x): a budget of steps that suffices there suffices.
    """
    variance = float(x.var())
    slope = 1 / math.sqrt(POINTS * variance)
    intercept = math.sqrt((1 + float(x.mean()) ** 2 / variance) / POINTS)
    return max(slope, line.slope_error), max(intercept, line.intercept_error)


@pytest.mark.points(1)
def test_makes_the_data(run: RunView, data: Data) -> None:
    """x and y are data of equal length, 100 points or more around y = 10x + 4, each with noise of its own."""
    del run
    fitted = [fit_line(pair.x, pair.y) for pair in data.pairs]
    if any(is_the_task(line, pair.x) for line, pair in zip(fitted, data.pairs, strict=True)):
        return
    line = fit_line(data.own.x, data.own.y)
    if line.noise < LEAST_NOISE:
        fail("data-without-noise")
    if line.noise > MOST_NOISE:
        fail("data-noise-too-large", noise=line.noise)
    fail("data-other-line", slope=line.slope, intercept=line.intercept)


def is_the_task(line: Line, x: Numbers) -> bool:
    """Whether data may have been drawn around the task's line."""
    return LEAST_NOISE <= line.noise <= MOST_NOISE and chance_of(line, x, SLOPE, INTERCEPT) >= CHANCE


@pytest.mark.points(1)
def test_gradient_comes_from_autograd(run: RunView) -> None:
    """The gradients of w and b come from autograd."""
    count = parameters_reached(run.trace)
    if count == 0:
        fail("no-autograd")
    if count == 1:
        fail("one-parameter-only", count=count)


@pytest.mark.points(2)
@pytest.mark.needs("test_gradient_comes_from_autograd")
def test_gradient_is_right(run: RunView, data: Data, judgements: list[Judgement]) -> None:
    """The gradients seen while it trained are those of the mean squared error, each step starting from zero."""
    linked = [judgement for judgement in judgements if made_the_line(run, data, judgement)]
    judged = linked or judgements[-1:]
    if any(judgement.right for judgement in judged):
        return
    for judgement in reversed(judged):
        if judgement.reason is not None:
            fail(judgement.reason.id, **judgement.reason.params)
    skip("gradient-unseen", free=True, review=True)


@pytest.mark.points(1)
def test_descends(run: RunView, data: Data, line: Line) -> None:
    """At the end the loss is far below that of a flat line."""
    x, y = data.own.x, data.own.y
    seen = mean_squared_error(x, y, run.number("w"), run.number("b"))
    best = mean_squared_error(x, y, line.slope, line.intercept)
    flat = float(y.var())
    if not seen <= flat - DESCENT * (flat - best):
        fail("loss-not-smaller", seen=seen, best=best, flat=flat)


@pytest.mark.points(1)
def test_finds_the_slope(run: RunView, data: Data, line: Line) -> None:
    """w is the slope of your data, within one standard error of the least-squares line."""
    seen, (allowed, _) = run.number("w"), allowed_errors(line, data.own.x)
    if not abs(seen - line.slope) <= allowed:
        fail("slope-off", hint="train-longer-or-look", seen=seen, wanted=line.slope, allowed=allowed)


@pytest.mark.points(1)
def test_finds_the_intercept(run: RunView, data: Data, line: Line) -> None:
    """b is the intercept of your data, within one standard error of the least-squares line."""
    seen, (_, allowed) = run.number("b"), allowed_errors(line, data.own.x)
    if not abs(seen - line.intercept) <= allowed:
        fail("intercept-off", hint="train-longer-or-look", seen=seen, wanted=line.intercept, allowed=allowed)


@pytest.mark.points(1)
@pytest.mark.needs("test_gradient_comes_from_autograd")
def test_training_made_the_line(run: RunView, data: Data, judgements: list[Judgement]) -> None:
    """w and b at the end are what the training loop found."""
    if any(made_the_line(run, data, judgement) for judgement in judgements):
        if all(started_there(data, judgement) for judgement in judgements):
            fail("training-started-there")
        return
    lines = [[line for line, _ in possible_lines(judgement)] for judgement in judgements if judgement.line]
    if not lines:
        skip("gradient-unseen", free=True, review=True)
    w, b = run.number("w"), run.number("b")
    trained_w, trained_b = min(lines[-1], key=lambda line: math.dist(line, (w, b)))
    fail("line-not-from-training", trained_w=trained_w, trained_b=trained_b, w=w, b=b)


def started_there(data: Data, judgement: Judgement) -> bool:
    """Whether a training began where it should have arrived: at its first call, nothing was left to find."""
    if judgement.start is None:
        return False
    line = fit_line(data.own.x, data.own.y)
    slope_error, intercept_error = allowed_errors(line, data.own.x)
    slope, intercept = judgement.start
    return abs(slope - line.slope) <= slope_error and abs(intercept - line.intercept) <= intercept_error


def made_the_line(run: RunView, data: Data, judgement: Judgement) -> bool:
    """Whether a training ended at the submission's w and b.

    The last call that was seen may lie up to 49 steps before the end; so the line may be off by what it
    moved between the last two calls seen, twice over, or by one standard error.
    """
    if not (run.has("w") and run.has("b")):
        return False
    allowed = allowed_errors(fit_line(data.own.x, data.own.y), data.own.x)
    ends = run.number("w"), run.number("b")
    return any(
        all(
            abs(end - trained) <= max(2 * drift, error)
            for end, trained, drift, error in zip(ends, line, drifts, allowed, strict=True)
        )
        for line, drifts in possible_lines(judgement)
    )


def possible_lines(judgement: Judgement) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
    """Where a training was last seen, and its drift; both ways round where the gradients do not tell which is w."""
    if judgement.line is None:
        return []
    return [(judgement.line[::way], judgement.drift[::way]) for way in ((1,) if judgement.right else (1, -1))]


@pytest.mark.points(2)
def test_follows_other_data(run: RunView, data: Data, rerun, rng: np.random.Generator) -> None:
    """On data of another line the same code finds that line."""
    w, b = run.number("w"), run.number("b")
    if not run.complete:
        fail("run-not-finished")
    if not math.isfinite(w + b):
        fail("line-lost-on-other-data")
    by_slope, by_intercept = rng.uniform(*SLOPE_SHIFT), rng.uniform(*INTERCEPT_SHIFT)
    swaps = shifted(data.pairs, lambda x: by_slope * x + by_intercept)
    other = rerun(swaps)
    if sum(other.trace.exchanged) == 0:
        skip("data-not-exchanged", review=True)
    if not other.complete:
        fail("line-lost-on-other-data")
    moved = other.number("w") - w, other.number("b") - b
    if not all(math.isfinite(part) for part in moved):
        fail("line-lost-on-other-data")
    missing = moved[0] / by_slope - 1, moved[1] / by_intercept - 1
    if max(abs(missing[0]), abs(missing[1])) <= SHARE_MISSING:
        return
    control = rerun([])
    if control.number("w") != w or control.number("b") != b:
        skip("runs-disagree", review=True)
    fail("line-does-not-follow", w_share=share(missing[0]), b_share=share(missing[1]))


def share(missing: float) -> int:
    """How much of the way was made, as a rounded percentage: too coarse to tell the hidden line."""
    return 5 * round(20 * (1 + max(-10.0, min(10.0, missing))))
