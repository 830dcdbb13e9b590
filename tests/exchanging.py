"""Runs small scripts as they are and on exchanged data, for `test_exchange`."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from grader.arrays import numbers
from grader.exchange import data_pairs, shifted
from grader.kernel.pool import Kernels
from grader.model import Limits, Run, Submission, Swap, Watched
from tests.files import code, load_notebook, notebook

SCRIPTS = Path(__file__).parent / "exchanged"
SLOPE, INTERCEPT = -4.5, -1.5
WATCHED = Watched(names=("x", "y"), at_least=20)

# One number more than the data have: a copy of them would be recognised and exchanged as well.
START = """
_before = {*globals()}
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, TensorDataset, random_split
_read = lambda values: [
    *np.asarray(values.detach() if isinstance(values, torch.Tensor) else values, dtype=float).flat, 0.0
]
"""

END = """
for _name in [name for name in globals() if name[0] != "_" and name not in _before]:
    del globals()[_name]
"""

Numbers = np.ndarray[Any, np.dtype[np.float64]]
Reads = Sequence[tuple[str, str]]


class Script(NamedTuple):
    """A script, and in pairs what holds targets in it and what holds their inputs."""

    title: str
    source: str
    reads: Reads


class Outcome(NamedTuple):
    """A run as it is, the one on exchanged data, and what each showed."""

    runs: tuple[Run, Run]
    outputs: tuple[str, str]

    def read(self, which: int, name: str) -> Numbers:
        """The numbers that a run read at its end."""
        found = numbers(self.runs[which].values[name])
        assert found is not None, f"nothing to read: {name}"
        return found[:-1]

    def shares(self, index: int) -> Numbers:
        """How often each of the targets was shifted: 1 is right, 0 is not at all."""
        x, old, new = self.read(0, f"_x_{index}"), self.read(0, f"_y_{index}"), self.read(1, f"_y_{index}")
        shares: Numbers = (new - old) / (SLOPE * x + INTERCEPT)
        return shares


class Pairs:
    """Two kernels: one for scripts as they are, one for exchanged data. Each forgets between scripts."""

    def __init__(self, kernels: Kernels, folder: Path) -> None:
        self._kernels = kernels
        self._folder = folder
        self._open()

    def _open(self) -> None:
        self._sessions = self._kernels.open(Limits()), self._kernels.open(Limits())

    def close(self) -> None:
        """End both kernels."""
        for session in self._sessions:
            self._kernels.close(session)

    def run(self, source: str, reads: Reads) -> Outcome:
        """Run a script twice, the second time with each y exchanged for y + a line in x."""
        end = [f"_y_{n}, _x_{n} = _read({y}), _read({x})" for n, (y, x) in enumerate(reads)]
        cells = code(START), code(source), code("\n".join(end) + END)
        submission = load_notebook(self._folder, notebook(*cells))
        names = [f"_{name}_{n}" for n in range(len(reads)) for name in "xy"]
        base, shown = self._run(0, submission, names)
        pairs = data_pairs(base.trace.versions, "x", "y")
        swaps = shifted(pairs, lambda x: SLOPE * x + INTERCEPT)
        other, shown_then = self._run(1, submission, names, swaps)
        if base.errors or other.errors:  # a kernel remembers the errors of all its runs
            self.close()
            self._open()
        return Outcome((base, other), (shown, shown_then))

    def _run(
        self, which: int, submission: Submission, names: Sequence[str], swaps: Sequence[Swap] = ()
    ) -> tuple[Run, str]:
        session = self._sessions[which]
        run = self._kernels.do(session.run(submission, seed=5, values=names, watch=WATCHED, exchange=swaps))
        return run, "".join(_text(output) for cell in session.notebook.cells for output in cell.outputs)


def scripts(name: str) -> list[Script]:
    """The scripts of a file; the README beside it says how they are written."""
    found = []
    for text in re.split(r"^# %% ", (SCRIPTS / name).read_text("utf-8"), flags=re.MULTILINE)[1:]:
        title, reads, source = text.split("\n", 2)
        targets = [read.split(" ~ ") for read in reads.removeprefix("# ").split("; ")]
        found.append(Script(title, source.rstrip(), [(y, x) for y, x in targets]))
    return found


def _text(output: Any) -> str:
    """What an output shows. One stream may come in several parts, so parts are joined."""
    shown = output.get("text") or output.get("data") or output.get("evalue")
    return shown if isinstance(shown, str) else repr(shown)
