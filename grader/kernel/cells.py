"""An IPython shell made ready for a submission's cells: they are numbered, and the probe is inside."""

import json
from typing import Any, NoReturn

from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from jupyter_client.jsonutil import json_clean, json_default

from grader.probe.inside import Probe
from grader.probe.places import CELL_FILE

OPTIONS: dict[str, dict[str, object]] = {
    "HistoryManager": {"enabled": False},
    # Nobody reads the traceback, and of a deep one it takes seconds.
    "InteractiveShell": {"xmode": "Minimal"},
}
# Bound here, since a submission may put something else in the place of `json.dumps` and `json.loads`.
_write_json = json.JSONEncoder(default=json_default, ensure_ascii=False, allow_nan=False).encode
_read_json = json.JSONDecoder().decode


class Cells:
    """The cells of one run in a shell, and the probe's answers."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._probe = Probe(shell.user_ns)
        self._number = 0
        shell.compile.get_code_name = self._code_name
        shell.ask_exit = _leave
        # Cells come as plain Python; no magic or shell line that is left in one may come alive again.
        transforms = shell.input_transformer_manager
        for steps in (
            transforms.cleanup_transforms,
            transforms.line_transforms,
            transforms.token_transformers,
        ):
            steps.clear()
        shell.events.register("post_run_cell", self._ended)

    def begin(self) -> None:
        """The next cell is run; cells come in order, so counting them numbers them."""
        self._number += 1

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer the session: `configure` before the first cell, `ready`, or a question for the probe."""
        if request["request"] == "configure":
            transformer = self._probe.configure(request)
            self._shell.ast_transformers[:] = [] if transformer is None else [transformer]
            return {}
        return {} if request["request"] == "ready" else self._probe.answer(request)

    def _code_name(self, _raw: str, _transformed: str, _number: int) -> str:
        return CELL_FILE.format(number=self._number)

    def _ended(self, result: ExecutionResult) -> None:
        error = result.error_before_exec if result.error_in_exec is None else result.error_in_exec
        self._probe.cell_ended(error, self._number)


def pack(message: Any) -> bytes:
    """Write a message as JSON; a surrogate without its other half, which UTF-8 lacks, as JSON's escape."""
    try:
        text = _write_json(message)
    except (TypeError, ValueError):  # a learner's display data may hold anything
        text = _write_json(json_clean(message))
    return text.encode("utf-8", "backslashreplace")


def unpack(message: bytes | str) -> Any:
    """Read JSON."""
    return _read_json(message if isinstance(message, str) else message.decode("utf-8", "replace"))


def _leave() -> NoReturn:
    """Stand in for what `exit()` and `quit()` do: the cell ends, and the kernel stays, as after `sys.exit()`."""
    raise SystemExit
