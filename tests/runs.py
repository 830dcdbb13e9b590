"""Runs cells in a real kernel, for tests that need a real trace."""

from collections.abc import Sequence

from grader.kernel.pool import Kernels
from grader.model import Cell, Limits, Run, Submission, Watched


def run_cells(
    kernels: Kernels, sources: Sequence[str], values: Sequence[str] = (), *, draw: bool = False
) -> Run:
    """Run the cells in a fresh kernel, x and y watched; fails if one of them stops with an error."""
    cells = tuple(Cell(number=number, source=source) for number, source in enumerate(sources, start=1))
    submission = Submission(name="a.ipynb", sha256="", exercise=None, cells=cells, original=cells)
    watched = Watched(names=("x", "y"), at_least=100)
    session = kernels.open(Limits())
    try:
        run = kernels.do(session.run(submission, seed=0, values=values, watch=watched, draw=draw))
    finally:
        kernels.close(session)
    assert [(error.cell, error.message) for error in run.errors] == []
    return run
