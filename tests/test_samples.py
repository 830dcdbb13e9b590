"""What `grader.samples` says of a training sample by sample, beside the one that the exercise asks for."""

from collections.abc import Callable, Sequence

import pytest

from grader.checks import CheckFailed
from grader.model import Text
from grader.samples import check_gradients, check_start, check_updates
from grader.steps import Component, Steps
from grader.trace import Training

RATE = 0.1
CALLS = 6
X = (1.0, 2.0, 3.0)


def gradient_of(parameters: Sequence[float], number: int) -> list[float]:
    """Of (w·x − 2x)² for the sample that is due."""
    x = X[number % 3]
    return [2 * x * (parameters[0] * x - 2 * x)]


def training(
    gradient: Callable[[float, int], float] = lambda w, number: gradient_of([w], number)[0],
    *,
    start: float = 1.0,
    rate: float = RATE,
    calls: int = 9,
    kept: bool = False,
) -> Steps:
    """A descent from a start; `kept` never clears the gradient."""
    w, before, made = start, 0.0, []
    for number in range(calls):
        after = before + gradient(w, number)
        made.append((Component(name="w", value=w, before=before, after=after),))
        w, before = w - rate * after, after if kept else 0.0
    place = Training(cell=4, line=7, calls=calls, seen=())
    return Steps(training=place, numbers=tuple(range(calls)), calls=tuple(made))


def reason(check: Callable[[], None]) -> Text:
    with pytest.raises(CheckFailed) as caught:
        check()
    return caught.value.reason


def test_right_training_passes() -> None:
    right = training()
    check_start([right], [1.0])
    check_gradients([right], gradient_of, CALLS)
    check_updates([right], RATE, CALLS)


def test_one_right_training_among_several_is_enough() -> None:
    several = [training(start=3.0, rate=0.5, kept=True), training(calls=2), training()]
    check_start(several, [1.0])
    check_gradients(several, gradient_of, CALLS)
    check_updates(several, RATE, CALLS)


def test_start_elsewhere_is_told() -> None:
    found = reason(lambda: check_start([training(start=1.5)], [1.0]))
    assert (found.id, found.params) == ("started-elsewhere", {"name": "w", "seen": 1.5, "wanted": 1.0})


def test_first_wrong_gradient_is_told() -> None:
    wrong = training(lambda w, number: gradient_of([w], number)[0] * (0.5 if number == 4 else 1))
    found = reason(lambda: check_gradients([wrong], gradient_of, CALLS))
    assert found.id == "gradient-of-sample-differs"
    assert (found.params["call"], found.params["cell"], found.params["line"]) == (5, 4, 7)
    assert found.params["wanted"] == pytest.approx(2 * wrong.calls[4][0].gradient)


def test_kept_gradient_is_told_with_its_numbers() -> None:
    kept = training(kept=True)
    found = reason(lambda: check_gradients([kept], gradient_of, CALLS))
    first, second = kept.calls[0][0].after, kept.calls[1][0].after
    assert (found.id, found.params["before"]) == ("gradient-kept", first)
    assert found.params["after"] == pytest.approx(second)


def test_other_rate_is_told() -> None:
    found = reason(lambda: check_updates([training(rate=0.05)], RATE, CALLS))
    assert (found.id, found.params["call"], found.params["rate"]) == ("step-differs", 1, RATE)
    assert (found.params["moved"], found.params["wanted"]) == pytest.approx((0.1, 0.2))


def test_too_few_calls_say_nothing_of_gradients_or_steps() -> None:
    few = [training(calls=1), training(calls=5)]
    for check in (lambda: check_gradients(few, gradient_of, CALLS), lambda: check_updates(few, RATE, CALLS)):
        found = reason(check)
        assert (found.id, found.params) == ("gradients-too-few", {"count": 5})
