"""Training sample by sample: what was recorded of it, beside what a reference does at the same parameters."""

from collections.abc import Callable, Sequence

from grader.checks import RunView, fail
from grader.steps import Steps, trainings_that_ended_at

# Sample by sample the gradients are single products; float32 rounds each to 6e-8 of its size.
RELATIVE = 1e-4

Gradient = Callable[[Sequence[float], int], Sequence[float]]


def steps_to(run: RunView, names: Sequence[str], allowed: float) -> list[Steps]:
    """The trainings that ended at the values of the names; fails if none did, or if autograd was not used."""
    found = trainings_that_ended_at(run.trace, [run.number(name) for name in names], allowed)
    if not found:
        fail("training-did-not-end-there", names=", ".join(names))
    return found


def check_start(trainings: Sequence[Steps], start: Sequence[float]) -> None:
    """Fail unless one of the trainings began at the given values."""
    if not any(
        all(part.value == wanted for part, wanted in zip(steps.calls[0], start, strict=True))
        for steps in trainings
    ):
        first = trainings[0].calls[0]
        part, wanted = next((p, s) for p, s in zip(first, start, strict=True) if p.value != s)
        fail("started-elsewhere", name=part.name, seen=part.value, wanted=wanted)


def check_gradients(trainings: Sequence[Steps], gradient: Gradient, calls: int) -> None:
    """Fail unless one of the trainings saw the reference's gradients in its first calls, from zero each time."""
    trainings = _seen_long_enough(trainings, calls)
    differences = [_difference(steps, gradient, calls) for steps in trainings]
    if None in differences:
        return
    number, name, seen, wanted, before = next(found for found in differences if found is not None)
    cell, line = trainings[0].training.cell, trainings[0].training.line
    if before:
        fail("gradient-kept", name=name, before=before, after=before + seen, cell=cell, line=line)
    fail(
        "gradient-of-sample-differs",
        call=number + 1,
        name=name,
        seen=seen,
        wanted=wanted,
        cell=cell,
        line=line,
    )


def _seen_long_enough(trainings: Sequence[Steps], calls: int) -> list[Steps]:
    """The trainings of which so many calls were seen without a gap; fails if there is none."""
    found = [steps for steps in trainings if steps.consecutive >= calls]
    if not found:
        fail("gradients-too-few", count=max(steps.consecutive for steps in trainings))
    return found


def _difference(steps: Steps, gradient: Gradient, calls: int) -> tuple[int, str, float, float, float] | None:
    for number, parts in enumerate(steps.calls[:calls]):
        wanted = gradient([part.value for part in parts], number)
        for part, expected in zip(parts, wanted, strict=True):
            close = RELATIVE * max(1.0, abs(expected))
            if part.before != 0 or not abs(part.gradient - expected) <= close:
                return number, part.name, part.gradient, expected, part.before
    return None


def check_updates(trainings: Sequence[Steps], learning_rate: float, calls: int) -> None:
    """Fail unless in one of the trainings every call is followed by one step of −learning_rate·gradient."""
    trainings = _seen_long_enough(trainings, calls)
    differences = [_wrong_step(steps, learning_rate, calls) for steps in trainings]
    if None in differences:
        return
    number, name, moved, wanted = next(found for found in differences if found is not None)
    fail("step-differs", call=number + 1, name=name, moved=moved, wanted=wanted, rate=learning_rate)


def _wrong_step(steps: Steps, learning_rate: float, calls: int) -> tuple[int, str, float, float] | None:
    for number in range(calls - 1):
        for old, new in zip(steps.calls[number], steps.calls[number + 1], strict=True):
            moved, wanted = new.value - old.value, -learning_rate * old.after
            if not abs(moved - wanted) <= RELATIVE * max(0.01, abs(wanted)):
                return number, old.name, moved, wanted
    return None
