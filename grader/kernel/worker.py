"""The kernel process: IPython's kernel with the probe inside.

    python -P -m grader.kernel.worker CONNECTION_FILE

Besides Jupyter's own messages it answers `grader_request` on the shell channel, so that values are read
by the probe and not by code that passes through the learner's namespace.
"""

import sys
from types import SimpleNamespace
from typing import Any
from unittest import mock

# Its debugger is not wanted here, and importing it costs a tenth of a second.
sys.modules["debugpy"] = None  # type: ignore[assignment]

from ipykernel import ipkernel  # noqa: E402 - debugpy comes first, as above
from ipykernel.kernelapp import IPKernelApp  # noqa: E402
from traitlets.config import Config  # noqa: E402

from grader.kernel.cells import OPTIONS, Cells, pack, unpack  # noqa: E402


class GraderKernel(ipkernel.IPythonKernel):  # type: ignore[misc]
    """An IPython kernel that names its cells by number and speaks with the session."""

    msg_types = [*ipkernel.IPythonKernel.msg_types, "grader_request"]  # noqa: RUF012 - as the base class has it

    def __init__(self, **kwargs: Any) -> None:
        # It would list the files of all modules for a debugger that is not here: a third of its time.
        with mock.patch.object(ipkernel, "sys", SimpleNamespace(modules={})):
            super().__init__(**kwargs)
        self.session.pack, self.session.unpack = pack, unpack
        self._cells = Cells(self.shell)

    async def do_execute(self, *args: Any, **kwargs: Any) -> Any:
        """Run a cell."""
        self._cells.begin()
        return await super().do_execute(*args, **kwargs)

    async def grader_request(self, stream: Any, ident: Any, parent: dict[str, Any]) -> None:
        """Answer the session."""
        content = self._cells.answer(parent["content"])
        self.session.send(stream, "grader_reply", content, parent, ident)


class GraderKernelApp(IPKernelApp):  # type: ignore[misc]
    """The application around the kernel: no history file, no user configuration, no extensions."""

    kernel_class = GraderKernel
    default_extensions: list[str] = []  # noqa: RUF012 - as the base class has it

    def load_config_file(self, *_args: Any, **_kwargs: Any) -> None:
        """Skip the configuration files: a grade must not depend on whose machine it is."""


def configuration() -> Config:
    """What the application is started with."""
    return Config({**OPTIONS, "IPKernelApp": {"capture_fd_output": False}})


def serve_alone(connection_file: str) -> None:
    """Serve in a process of its own, on the sockets that a connection file names, until told to stop."""
    GraderKernelApp.launch_instance(["-f", connection_file], config=configuration())


if __name__ == "__main__":
    serve_alone(sys.argv[1])
