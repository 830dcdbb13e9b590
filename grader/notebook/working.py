"""The notebook being worked on: its file, with each cell as it was last run.

A kernel knows what it has run and nothing of the notebook around it; the file knows the notebook as it was saved. Cells
have an id in both, so what has been run since the last save is put in its place.
"""

import json
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from grader.errors import UsageError

# What the front ends tell a kernel of the notebook's place: a variable of the environment (JupyterLab, Notebook) and a
# name among the learner's (VS Code).
JUPYTER, VS_CODE = "JPY_SESSION_NAME", "__vsc_ipynb_file__"
# What grades is no part of what is graded.
OURS = ("%load_ext grader", "%reload_ext grader", "%grade", "grader.check(")


class Ran:
    """The cells that this kernel has run, as IPython tells of them before each."""

    def __init__(self, earlier: Iterable[str] = ()) -> None:
        """`earlier`: sources that were run before anybody listened, nobody knows in which cells."""
        self.sources: dict[str, str] = {}
        self.unnamed = {source: time.time() for source in earlier if source.strip() and not _is_ours(source)}

    def note(self, info: Any) -> None:
        """Keep the latest source of a cell (`pre_run_cell`)."""
        source, cell = str(info.raw_cell), getattr(info, "cell_id", None)
        if not info.store_history or not source.strip() or _is_ours(source):
            return
        if cell is None:
            self.unnamed[source] = time.time()
        else:
            self.sources[cell] = source

    def forget(self, cells: Iterable[str]) -> None:
        """Cells were deleted from the notebook."""
        for cell in cells:
            self.sources.pop(cell, None)


def notebook_path(names: Mapping[str, object]) -> Path:
    """Where the notebook is that the names of a kernel belong to. Raises UsageError if nobody has said so, or it is gone."""
    said = names.get(VS_CODE) or os.environ.get(JUPYTER)
    if not said:
        raise UsageError("notebook-unknown")
    path = Path(str(said))
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
    for id_, source in ran.sources.items():
        if id_ in by_id:
            by_id[id_]["source"] = source
        elif source not in saved:
            raise UsageError("notebook-not-saved", path=path.name, text=_first_line(source))
    for source, when in ran.unnamed.items():
        if source not in saved and when > path.stat().st_mtime:
            raise UsageError("notebook-not-saved", path=path.name, text=_first_line(source))
    return json.dumps(notebook, ensure_ascii=False)


def _is_ours(source: str) -> bool:
    return any(line.strip().startswith(OURS) for line in source.split("\n"))


def _first_line(source: str) -> str:
    return next((line.strip() for line in source.split("\n") if line.strip()), "")[:80]
