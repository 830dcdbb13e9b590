"""Classes of made-up size for the bench of batches: the sample many times over, each file another; and code as varied as a course's."""

import random
from collections.abc import Sequence
from pathlib import Path

import nbformat

from grader.load import load
from tests.measure.similar import right_solutions

SAMPLE = Path(__file__).parents[1] / "corpus" / "linear_regression" / "s077.ipynb"
SLUG = "linear_regression"
# One in so many of a varied class has another's solution.
COPIES = 50
CALLS = ("abs", "float", "len", "max", "min", "print", "round", "str", "sum", "type")
ATTRIBUTES = (
    "clone",
    "data",
    "detach",
    "dtype",
    "grad",
    "item",
    "mean",
    "numpy",
    "reshape",
    "shape",
    "std",
    "T",
)
OPERATORS = ("+", "-", "*", "/", "**", "%", "<", ">=", "==", "and", "or", "if 1 else")


def sample_cells(number: int) -> list[str]:
    """The code cells of the sample, with a comment that no other number has."""
    first, *others = (cell.source for cell in load(SAMPLE).cells)
    return [f"{first}\n# {number}", *others]


def of_the_sample(folder: Path, count: int) -> Path:
    """A folder of so many right submissions with the sample's loop of 3 000 steps, no two files of which are the same."""
    return _written(folder, [sample_cells(number) for number in range(count)])


def varied(folder: Path, count: int) -> Path:
    """A folder of so many submissions whose code differs, as it does in a course: the right files of the corpus with lines of one's own.

    They are there to be compared and written down, not to be run.
    """
    chosen = random.Random(count)
    bases = [solution.cells for solution in right_solutions()[SLUG]]
    made: list[list[str]] = []
    for number in range(count):
        copied = made and number % COPIES == COPIES - 1
        cells = chosen.choice(made) if copied else [_own(cell, chosen) for cell in chosen.choice(bases)]
        made.append([f"# {number}\n{cells[0]}", *cells[1:]])
    return _written(folder, made)


def _own(cell: str, chosen: random.Random) -> str:
    """A cell with a statement of one's own before every other line."""
    lines: list[str] = []
    for line in cell.split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        if line.strip() and not indent and chosen.random() < 0.5:
            lines.append(f"{chosen.choice(CALLS)}({_expression(chosen)})")
        lines.append(line)
    return "\n".join(lines)


def _expression(chosen: random.Random) -> str:
    parts = [
        f"x.{chosen.choice(ATTRIBUTES)}.{chosen.choice(ATTRIBUTES)}" for _ in range(chosen.randint(2, 4))
    ]
    return f" {chosen.choice(OPERATORS)} ".join(parts)


def _written(folder: Path, submissions: Sequence[Sequence[str]]) -> Path:
    folder.mkdir(parents=True)
    for number, cells in enumerate(submissions):
        write_notebook(folder / f"s{number:05}.ipynb", [nbformat.v4.new_code_cell(cell) for cell in cells])
    return folder


def write_notebook(path: Path, cells: Sequence[nbformat.NotebookNode]) -> None:
    """Write a notebook for Python's kernel."""
    made = nbformat.v4.new_notebook(cells=list(cells))
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(made, path)
