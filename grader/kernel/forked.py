"""The kernel in a forked process: it listens on sockets that it was given, and knows no path of any.

The supervisor holds the other ends. Nothing is bound, connected or written by name, so that a kernel works
where it may do none of these.
"""

import os
import socket
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import zmq
from ipykernel.heartbeat import Heartbeat
from ipykernel.iostream import IOPubThread

from grader.kernel.streams import DisplayHold, PiecewiseStream
from grader.kernel.worker import GraderKernelApp, configuration
from grader.model import Limits

# A name for ZMQ, which wants one; the descriptor says what is meant.
NO_PATH = "ipc:///given"


class ForkedKernelApp(GraderKernelApp):
    """The application with its five sockets given: shell, stdin, control, iopub, in the order it asks for them, and hb."""

    outstream_class = "grader.kernel.streams.PiecewiseStream"
    listening: Iterator[socket.socket]
    key: bytes
    ready: int

    def _try_bind_socket(self, s: Any, port: int) -> int:
        _listen(s, next(self.listening))
        return port

    def init_sockets(self) -> None:
        """Bind, and set the key before the first message."""
        self.session.key = self.key
        super().init_sockets()

    def init_iopub(self, context: Any) -> None:
        """Open the channel of outputs, without the TCP port that forked children would print through."""
        IOPubThread._setup_pipe_in = _no_pipe
        super().init_iopub(context)

    def init_heartbeat(self) -> None:
        """Answer heartbeats, for clients that ask for them."""
        self.heartbeat = _GivenHeartbeat(zmq.Context(), next(self.listening))
        self.heartbeat.start()

    def parse_command_line(self, argv: Any = None) -> None:
        """Make no parser: there is no command line."""

    def init_connection_file(self) -> None:
        """Have none."""

    def write_connection_file(self, **_kwargs: Any) -> None:
        """Write none."""

    def init_poller(self) -> None:
        """Watch no parent: the guardian does."""

    def init_crash_handler(self) -> None:
        """Write no crash report to disk."""

    def start(self) -> None:
        """Say that the kernel serves, then serve."""
        os.write(self.ready, b"R")
        os.close(self.ready)
        super().start()


class _GivenHeartbeat(Heartbeat):  # type: ignore[misc]
    def __init__(self, context: Any, given: socket.socket) -> None:
        super().__init__(context, ("ipc", "/given", 1))
        self._given = given

    def _try_bind_socket(self) -> None:
        _listen(self.socket, self._given)


def serve(listening: Sequence[socket.socket], key: str, ready: int, limits: Limits) -> None:
    """Serve on listening sockets, in the order of `job.CHANNELS`; write a byte to `ready` when it begins.

    limits: what a run may print and display; it is held for a moment where it goes beyond.
    """
    GraderKernelApp.clear_instance()
    app = ForkedKernelApp.instance(config=configuration(), transport="ipc", ip="/given")
    app.shell_port, app.stdin_port, app.control_port, app.iopub_port, app.hb_port = 1, 2, 3, 4, 5
    app.listening, app.key, app.ready = iter(listening), key.encode("ascii"), ready
    app.initialize([])
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, PiecewiseStream):
            stream.left = limits.output_bytes
    app.shell.display_pub.register_hook(DisplayHold(limits.output_messages))
    app.start()


def _listen(bound: Any, given: socket.socket) -> None:
    # What a slow reader has not taken must wait, since a lost `idle` would hang the cell. It counts only if set before.
    bound.sndhwm = 0
    bound.setsockopt(zmq.USE_FD, given.detach())
    bound.bind(NO_PATH)


def _no_pipe(thread: Any) -> None:
    thread._pipe_flag = False
