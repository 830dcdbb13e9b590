"""A learner's own figures: shown among the outputs as a notebook shows them, within bounds, and nothing else is changed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.kernel.pool import Kernels
from grader.model import Drawn, Output, Printed, Report
from grader.values import Array
from tests.command import grader
from tests.runs import run_cells

CELLS = (
    "import matplotlib.pyplot as plt\nfigure, axes = plt.subplots()\naxes.plot([1, 2]);",
    "plt.plot([2, 1])\nplt.show()\nprint('after', plt.get_fignums())",
    "plt.figure(figsize=(1000, 1000))\nplt.show()",
    "plt.figure(); plt.figure()\nfigure.savefig('again.png')",
    "print(1)",
    "for step in range(100):\n    plt.plot([step])\n    plt.show()",
)


def kinds(outputs: tuple[Output, ...]) -> list[str]:
    return [one.format if isinstance(one, Drawn) else one.text.strip() for one in outputs]


def test_figures_are_shown_as_in_a_notebook(kernels: Kernels) -> None:
    outputs = run_cells(kernels, CELLS, draw=True).outputs
    assert {number: kinds(shown) for number, shown in outputs.items()} == {
        1: ["png"],
        2: ["png", "after []"],
        4: ["png", "png"],
        5: ["1"],
        6: ["png"] * 8,
    }
    (image,) = outputs[1]
    assert isinstance(image, Drawn)
    assert image.text == "<Figure size 640x480 with 1 Axes>"


DRAWING = "import matplotlib.pyplot as plt, random, numpy as np\nimport torch\nplt.plot([1, 2])\nplt.show()"
DRAWN_FROM = (
    "left = plt.get_fignums()\nw = torch.rand(3, dtype=torch.float64) + random.random() + np.random.rand()"
)


def test_a_run_that_draws_computes_what_another_does(kernels: Kernels) -> None:
    runs = [run_cells(kernels, [DRAWING, DRAWN_FROM], ("w",), draw=draw) for draw in (True, False)]
    assert runs[0].values == runs[1].values
    assert isinstance(runs[0].values["w"], Array)
    assert [bool(run.outputs) for run in runs] == [True, False]


@pytest.mark.parametrize("failing", ["1 / 0", "axes.set_title('$' + chr(92) + 'nonsense$')"])
def test_an_error_beside_a_figure_is_the_cells_own(failing: str, kernels: Kernels) -> None:
    cell = f"import matplotlib.pyplot as plt\nfigure, axes = plt.subplots()\ntry:\n    {failing}\nexcept ZeroDivisionError: pass"
    outputs = run_cells(kernels, [cell, "print('on')"], draw=True).outputs
    assert list(outputs[2]) == [Printed(stream="stdout", text="on\n")]


def test_a_report_has_the_figures(grade_cells: Callable[..., Report]) -> None:
    report = grade_cells(["%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])"])
    (cell,) = report.notebook
    assert [type(one) for one in cell.outputs if isinstance(one, Drawn)] == [Drawn]


def test_a_figure_is_in_the_page(tmp_path: Path) -> None:
    """The page of a notebook that draws, by the command: the figure as an image with its words, and the cells after it."""
    (tmp_path / "a.py").write_text(f"# %%\n{DRAWING}\n# %%\nprint('after it')\n", "utf-8")
    done = grader("check", "a.py", "--exercise", "minimise_parabola", "--format", "html", folder=tmp_path)
    assert done.code == 1
    assert 'src="data:image/png;base64,' in done.out
    assert "after it" in done.out
