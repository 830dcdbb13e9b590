"""The notebook being worked on: its file, with each cell as it was last run.

A kernel knows what it has run and nothing of the notebook around it; the file knows the notebook as it was saved. Cells
have an id in both, so what has been run since the last save is put in its place. VS Code has ids of its own: there what was
run since the last save has to be saved.
"""

import json
import os
import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from grader.errors import UsageError

# What the front ends tell a kernel of the notebook's place: a variable of the environment (JupyterLab, Notebook) and a
# name among the learner's (VS Code, which does not change it when the notebook is saved elsewhere).
JUPYTER, VS_CODE = "JPY_SESSION_NAME", "__vsc_ipynb_file__"
# How the ids begin that VS Code gives to cells: addresses, `vscode-notebook-cell:/home/me/mine.ipynb#W0sZmlsZQ%3D%3D`.
VS_CODE_CELL = "vscode-notebook-cell"
DRIVE = re.compile(r"/(?=[a-zA-Z]:)")
# What grades is no part of what is graded.
OURS = ("%load_ext grader", "%reload_ext grader", "%grade", "grader.check(")


class Source(NamedTuple):
    """What a cell was last run with, and when."""

    text: str
    at: float


class Ran:
    """The cells that this kernel has run, as IPython tells of them before each. `asking`: the id of the last, where it has one."""

    def __init__(self, earlier: Iterable[str] = ()) -> None:
        """`earlier`: sources that were run before anybody listened, nobody knows in which cells."""
        self.cells: dict[str, Source] = {}
        self.unnamed = {text: time.time() for text in earlier if text.strip() and not _is_ours(text)}
        self.asking: str | None = None

    def note(self, info: Any) -> None:
        """Keep the latest source of a cell (`pre_run_cell`)."""
        text, self.asking = str(info.raw_cell), getattr(info, "cell_id", None)
        if not info.store_history or not text.strip() or _is_ours(text):
            return
        if self.asking is None:
            self.unnamed[text] = time.time()
        else:
            self.cells[self.asking] = Source(text, time.time())

    def forget(self, cells: Iterable[str]) -> None:
        """Cells were deleted from the notebook."""
        for cell in cells:
            self.cells.pop(cell, None)


def notebook_path(names: Mapping[str, object], cell: str | None = None) -> Path:
    """Where the notebook is that the names of a kernel belong to, and a cell by its id.

    Raises UsageError if nobody has said so, or it was never saved, or it is gone.
    """
    in_vs_code = _path_in(cell or "") or names.get(VS_CODE)
    said = in_vs_code or os.environ.get(JUPYTER)
    if not said:
        raise UsageError("notebook-unknown")
    path = Path(str(said))
    if in_vs_code and not path.is_absolute():  # an untitled one is in no folder
        raise UsageError("notebook-never-saved", path=str(path))
    if not path.is_file():
        raise UsageError("notebook-gone", path=str(path))
    return path


def as_last_run(path: Path, ran: Ran) -> str:
    """The notebook as JSON text, with each cell as it was last run. Raises UsageError if a cell that was run is not in the file."""
    try:
        notebook = json.loads(path.read_text("utf-8"))
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        saved = ["".join(cell["source"]) for cell in cells]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError("notebook-not-read", path=path.name, reason=str(error)) from None
    by_id = {cell.get("id"): cell for cell in cells}
    unplaced = [Source(text, at) for text, at in ran.unnamed.items()]
    for id_, source in ran.cells.items():
        if id_ in by_id:
            by_id[id_]["source"] = source.text
        else:
            unplaced.append(source)
    for source in unplaced:
        if source.text not in saved and source.at > path.stat().st_mtime:
            raise UsageError("notebook-not-saved", path=path.name, text=_first_line(source.text))
    return json.dumps(notebook, ensure_ascii=False)


def _path_in(cell: str) -> str:
    """The notebook's path in the id of a cell of VS Code's; empty for others' ids."""
    address = urlsplit(cell)
    return DRIVE.sub("", unquote(address.path)) if address.scheme == VS_CODE_CELL else ""


def _is_ours(source: str) -> bool:
    return any(line.strip().startswith(OURS) for line in source.split("\n"))


def _first_line(source: str) -> str:
    return next((line.strip() for line in source.split("\n") if line.strip()), "")[:80]
