"""Warnings of torch under the watch: they name the learner's cell and line, as often as without it."""

from grader.kernel.pool import Kernels
from grader.model import Cell, Limits, Printed, Submission

CELLS = (
    """import torch
import torch.nn.functional as F
w = torch.zeros(1, requires_grad=True)
x = torch.arange(3.0)""",
    """for step in range(3):
    y = w * 2
    y.grad
    loss = F.mse_loss(w * x, torch.ones(3, 1))
    loss.backward()""",
    "F.softmax(x); y.grad\ntorch.tensor(w)\ntorch.ones(1, 2, 3).T",
    """import warnings
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    for _ in range(2):
        y.grad
print([(one.filename, one.lineno) for one in seen])
y.grad; print(y.grad)""",
    "warnings.simplefilter('error')\ntry:\n    y.grad\nexcept UserWarning as error: print(type(error))",
    "warnings.simplefilter('ignore'); y.grad",
    """warnings.resetwarnings()
for step in range(15):  # longer than operations are watched
    F.mse_loss(w * x, torch.ones(3, 1)).backward()""",
)


def shown(kernels: Kernels, *, record: bool) -> dict[int, list[tuple[str, str]]]:
    """What the cells print on each stream, in a run that is watched or not."""
    cells = tuple(Cell(number=number, source=source) for number, source in enumerate(CELLS, start=1))
    submission = Submission(name="a.ipynb", sha256="", exercise=None, cells=cells, original=cells)
    session = kernels.open(Limits())
    try:
        run = kernels.do(session.run(submission, seed=0, record=record))
    finally:
        kernels.close(session)
    return {
        number: sorted((one.stream, one.text) for one in outputs if isinstance(one, Printed))
        for number, outputs in run.outputs.items()
    }


def test_warnings_are_those_of_a_run_that_nobody_watches(kernels: Kernels) -> None:
    watched = shown(kernels, record=True)
    assert watched == shown(kernels, record=False)
    told = "".join(text for outputs in watched.values() for _, text in outputs)
    assert ("<cell 2>:4: UserWarning" in told, "<cell 3>:2: UserWarning" in told, "probe" in told) == (
        True,
        True,
        False,
    )
