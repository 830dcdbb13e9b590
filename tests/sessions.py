"""Runs cells in a kernel that stays open, for tests that ask it for values and calls."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from grader.kernel.pool import Kernels
from grader.kernel.session import Session
from grader.model import Argument, Call, Cell, Limits, Run, Submission

USUAL = Limits()


class Ran(NamedTuple):
    """A kernel in which cells have run."""

    kernels: Kernels
    session: Session
    run: Run

    def call(self, name: str, *arguments: Argument) -> Call:
        """Call a function of the cells."""
        return self.kernels.do(self.session.call(name, arguments, seed=0))


def submission(sources: Sequence[str]) -> Submission:
    """A submission of these cells."""
    cells = tuple(Cell(number=number, source=source) for number, source in enumerate(sources, start=1))
    return Submission(name="a.ipynb", sha256="", exercise=None, cells=cells, original=cells)


@contextmanager
def ran(
    kernels: Kernels,
    *sources: str,
    values: Sequence[str] = (),
    seed: int = 0,
    limits: Limits = USUAL,
    bare: bool = False,
) -> Iterator[Ran]:
    """Run the cells in a fresh kernel, of Jupyter's or a bare one, and read the names in `values`."""
    session = kernels.open(limits, bare=bare)
    try:
        yield Ran(kernels, session, kernels.do(session.run(submission(sources), seed=seed, values=values)))
    finally:
        kernels.close(session)
