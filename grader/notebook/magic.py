"""`%grade`: grades the notebook being worked on in a fresh, confined kernel, and shows the report below the cell."""

import shlex
import sys
from typing import Any

from IPython.core.magic_arguments import MagicArgumentParser

from grader.errors import GraderError
from grader.notebook.command import Shown, run
from grader.notebook.working import Ran, as_last_run, notebook_path
from grader.report.escape import one_line
from grader.text import say, spoken_in

MAGIC = "grade"


class Grading:
    """The magic of one kernel, and its memory of what was run."""

    def __init__(self, shell: Any) -> None:
        """Listen to what is run from now on."""
        self._shell = shell
        self._ran = Ran(shell.history_manager.input_hist_raw)
        shell.events.register("pre_run_cell", self._note)

    def _note(self, info: Any) -> None:
        asked = self._shell.get_parent().get("metadata") or {}
        self._ran.forget(asked.get("deletedCells") or ())
        self._ran.note(info)

    def magic(self, line: str) -> Shown | None:
        """Grade this notebook in a fresh kernel, and show the report here: %grade [EXERCISE] [--language en|zh] [--course DIR] [--saved]."""
        chosen = _parser().parse_args(shlex.split(line))
        return self.show(chosen.exercise, chosen.language, chosen.course, saved=chosen.saved)

    def show(
        self, exercise: str | None, language: str | None, course: str | None = None, *, saved: bool = False
    ) -> Shown | None:
        """Grade, and give what is to be shown; what stands in the way is said in one line."""
        try:
            path = notebook_path(self._shell.user_ns, self._ran.asking)
            text = as_last_run(path, Ran() if saved else self._ran)
            return run("check", path.name, text, exercise, language, course)
        except GraderError as error:
            sys.stderr.write(one_line(say(error.text, spoken_in(language), error.params)) + "\n")
            return None


def _parser() -> Any:
    parser = MagicArgumentParser(f"%{MAGIC}")
    parser.add_argument("exercise", nargs="?", help="The exercise, where the notebook does not name its own.")
    parser.add_argument(
        "--language", choices=("en", "zh"), help="Language of the report; the system's by default."
    )
    parser.add_argument("--course", help="Folder with exercises/ and reference/; grader's own by default.")
    parser.add_argument(
        "--saved", action="store_true", help="Grade the file as it was saved, whatever was run since."
    )
    return parser


def grading_in(shell: Any) -> Grading:
    """The grading of a shell, with its magic, which is brought in where it is not yet."""
    loaded = getattr(shell.magics_manager.magics["line"].get(MAGIC), "__self__", None)
    if not isinstance(loaded, Grading):
        loaded = Grading(shell)
        shell.register_magic_function(loaded.magic, "line", MAGIC)
    return loaded
