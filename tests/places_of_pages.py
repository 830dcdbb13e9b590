"""What a page says is in its reader's folder before its first example."""

import json
import zipfile
from pathlib import Path

from tests.conftest import SAMPLE
from tests.files import code, notebook

SLUG = "linear_regression"
RIGHT = [
    "".join(cell["source"])
    for cell in json.loads(SAMPLE.read_text("utf-8"))["cells"]
    if cell["cell_type"] == "code"
]
# Bo forgot to clear the gradients; Chen's data is on Chen's machine.
FORGOTTEN = [cell.replace("w.grad.zero_()", "pass").replace("b.grad.zero_()", "pass") for cell in RIGHT]
NOT_HANDED_IN = [
    'import numpy as np\ndata = np.loadtxt("measured.csv")\nx, y = data[:, 0], data[:, 1]',
    *RIGHT[-1:],
]
PYTHON = "\n\n# %%\n".join(RIGHT)


def furnish(page: str, folder: Path) -> None:
    """Put into an empty folder what the page says is there."""
    for name, sources in _notebooks(page).items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        cells = notebook(*map(code, sources), metadata={"grader": {"exercise": SLUG}})
        path.write_text(json.dumps(cells), "utf-8")
    if page == "README.md":
        (folder / "my_solution.py").write_text(PYTHON, "utf-8")
    if page.startswith("docs/tutorials/teacher"):
        with zipfile.ZipFile(folder / "submissions.zip", "w") as archive:
            for path in sorted((folder / "submissions").iterdir()):
                archive.write(path, f"task 1/{path.name}")
        with zipfile.ZipFile(folder / "canvas.zip", "w") as archive:
            for number, path in enumerate(sorted((folder / "submissions").iterdir()), 101):
                archive.write(path, f"{path.stem}_{number}_{number + 400}_{path.name}")


def _notebooks(page: str) -> dict[str, list[str]]:
    if page.startswith("docs/tutorials/teacher"):
        return {
            "submissions/anna.ipynb": RIGHT,
            "submissions/bo.ipynb": FORGOTTEN,
            "submissions/chen.ipynb": NOT_HANDED_IN,
        }
    if page == "docs/cluster.md":
        return {"submissions/anna.ipynb": RIGHT, "submissions/bo.ipynb": FORGOTTEN}
    return {
        "README.md": {"submissions/anna.ipynb": RIGHT, "submissions/bo.ipynb": RIGHT, "my.ipynb": RIGHT},
        "docs/settings.md": {"submission.ipynb": RIGHT},
        "docs/formats.md": {"mine.ipynb": RIGHT},
    }.get(page, {})
