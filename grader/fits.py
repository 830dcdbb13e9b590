"""Line fits as a check looks at them: did autograd give both parameters a gradient, and was it the right one?"""

from collections.abc import Callable, Sequence

from grader.checks import RunView, fail, skip
from grader.gradients import Judgement
from grader.steps import parameters_reached


def check_autograd(run: RunView) -> None:
    """Fail unless autograd was asked for the gradients of at least two parameters."""
    count = parameters_reached(run.trace)
    if count == 0:
        fail("no-autograd")
    if count == 1:
        fail("one-parameter-only", count=count)


def check_line_gradients(judgements: Sequence[Judgement], ended_there: Callable[[Judgement], bool]) -> None:
    """Fail unless a training that ended at the submission's line, or else the last one, saw the right gradients.

    Where the batches could not be recognised, the check is skipped, costs nothing, and is left to a person.
    """
    judged = [judgement for judgement in judgements if ended_there(judgement)] or judgements[-1:]
    if any(judgement.right for judgement in judged):
        return
    for judgement in reversed(judged):
        if judgement.reason is not None:
            fail(judgement.reason.id, hint=None, **judgement.reason.params)
    skip("gradient-unseen", free=True, review=True)
