"""The kernel process: IPython's kernel with the probe inside.

    python -P -m grader.kernel.worker CONNECTION_FILE

Besides Jupyter's own messages it answers `grader_request` on the shell channel, so that values are read
by the probe and not by code that passes through the learner's namespace.
"""

import json
import sys
from typing import Any, NoReturn

# Its debugger is not wanted here, and importing it costs a tenth of a second.
sys.modules["debugpy"] = None  # type: ignore[assignment]

from ipykernel.ipkernel import IPythonKernel  # noqa: E402 - debugpy comes first, as above
from ipykernel.kernelapp import IPKernelApp  # noqa: E402
from IPython.core.interactiveshell import ExecutionResult  # noqa: E402
from jupyter_client.jsonutil import json_clean, json_default  # noqa: E402
from traitlets.config import Config  # noqa: E402

from grader.probe.inside import Probe  # noqa: E402
from grader.probe.places import CELL_FILE  # noqa: E402

# Bound here, since a submission may put something else in the place of `json.dumps` and `json.loads`.
_write_json = json.JSONEncoder(default=json_default, ensure_ascii=False, allow_nan=False).encode
_read_json = json.JSONDecoder().decode


class GraderKernel(IPythonKernel):  # type: ignore[misc]
    """An IPython kernel that names its cells by number and speaks with the session."""

    msg_types = [*IPythonKernel.msg_types, "grader_request"]  # noqa: RUF012 - as the base class has it

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.session.pack, self.session.unpack = _pack, _unpack
        self._probe = Probe(self.shell.user_ns)
        self._cell = 0
        self.shell.compile.get_code_name = self._code_name
        self.shell.ask_exit = _leave
        # Cells come as plain Python; no magic or shell line that is left in one may come alive again.
        transforms = self.shell.input_transformer_manager
        for steps in (
            transforms.cleanup_transforms,
            transforms.line_transforms,
            transforms.token_transformers,
        ):
            steps.clear()
        self.shell.events.register("post_run_cell", self._cell_ended)

    def _code_name(self, _raw: str, _transformed: str, _number: int) -> str:
        return CELL_FILE.format(number=self._cell)

    def _cell_ended(self, result: ExecutionResult) -> None:
        error = result.error_before_exec if result.error_in_exec is None else result.error_in_exec
        self._probe.cell_ended(error, self._cell)

    async def do_execute(self, *args: Any, **kwargs: Any) -> Any:
        """Run a cell; cells come in order, so counting them numbers them."""
        self._cell += 1
        return await super().do_execute(*args, **kwargs)

    async def grader_request(self, stream: Any, ident: Any, parent: dict[str, Any]) -> None:
        """Answer the session: `configure` before the first cell, or a question for the probe."""
        request = parent["content"]
        if request["request"] == "configure":
            transformer = self._probe.configure(request)
            self.shell.ast_transformers[:] = [] if transformer is None else [transformer]
            content: dict[str, Any] = {}
        elif request["request"] == "ready":
            content = {}
        else:
            content = self._probe.answer(request)
        self.session.send(stream, "grader_reply", content, parent, ident)


OPTIONS: dict[str, dict[str, object]] = {
    "HistoryManager": {"enabled": False},
    "IPKernelApp": {"capture_fd_output": False, "default_extensions": []},
    "InteractiveShell": {
        "xmode": "Minimal"
    },  # nobody reads the traceback, and of a deep one it takes seconds
}


class GraderKernelApp(IPKernelApp):  # type: ignore[misc]
    """The application around the kernel: no history file, no user configuration."""

    kernel_class = GraderKernel

    def load_config_file(self, *_args: Any, **_kwargs: Any) -> None:
        """Skip the configuration files: a grade must not depend on whose machine it is."""


def _leave() -> NoReturn:
    """Stand in for what `exit()` and `quit()` do: the cell ends, and the kernel stays, as after `sys.exit()`."""
    raise SystemExit


def _pack(message: Any) -> bytes:
    """Write a message as JSON; a surrogate without its other half, which UTF-8 lacks, as JSON's escape."""
    try:
        text = _write_json(message)
    except (TypeError, ValueError):  # a learner's display data may hold anything
        text = _write_json(json_clean(message))
    return text.encode("utf-8", "backslashreplace")


def _unpack(message: bytes | str) -> Any:
    return _read_json(message if isinstance(message, str) else message.decode("utf-8", "replace"))


def serve_alone(connection_file: str) -> None:
    """Serve in a process of its own, on the sockets that a connection file names, until told to stop."""
    GraderKernelApp.launch_instance(["-f", connection_file], config=Config(OPTIONS))


if __name__ == "__main__":
    serve_alone(sys.argv[1])
