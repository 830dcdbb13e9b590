"""The canary: a job that tries to get out, the way every submission runs; it must come back with nothing.

It is judged from outside wherever that can be: a listener that was reached, a file that changed, a signal that
came; what it says it has read is compared with the file. A canary that could not run proves nothing, which is a
breach too. What it tries is harmless, even where it succeeds.
"""

import contextlib
import hashlib
import inspect
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import msgspec

from grader.errors import KernelFault
from grader.kernel import intruder
from grader.kernel.pool import Kernels
from grader.model import Breach, BreachKind, Cell, Limits, Submission

LIMITS = Limits(cell_seconds=15.0, run_seconds=15.0)
OF_THE_SYSTEM = ("/etc/passwd", "/etc/shadow", "/etc/hostname")
# Blocks a signal that ends nobody, waits for its input to end, and says whether the signal came.
NEIGHBOUR = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGURG})
print("ready", flush=True)
sys.stdin.read()
print(int(signal.SIGURG in signal.sigpending()))
"""
TOLD = "what the canary did: "


class Stage:
    """What stands outside for a canary to find: files, listeners and a process of the same user. A context."""

    def __init__(self, course: Path) -> None:
        """Keep the course, which is among what must not be found."""
        self._course = course
        self._ends = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Put it up."""
        with contextlib.ExitStack() as ends:
            self._folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="grader-")))
            self._token, self._precious = self._folder / "token", self._folder / "precious"
            for path in (self._token, self._precious):
                path.write_text(secrets.token_hex(16), "ascii")
                path.chmod(0o666)
            self._folder.chmod(0o777)  # whose it is must not be what keeps an intruder out
            self._listeners = dict(self._listen(ends))
            self._neighbour = ends.enter_context(
                subprocess.Popen(  # noqa: S603 - our own words
                    [sys.executable, "-I", "-S", "-c", NEIGHBOUR, secrets.token_hex(16)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            assert self._neighbour.stdout is not None
            self._neighbour.stdout.readline()
            self._ends = ends.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        """Take it away."""
        self._ends.close()

    def _listen(self, ends: contextlib.ExitStack) -> Iterator[tuple[BreachKind, socket.socket]]:
        kinds: list[tuple[BreachKind, int, int, Any]] = [
            ("tcp", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            ("udp", socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            ("unix", socket.AF_UNIX, socket.SOCK_STREAM, str(self._folder / "listener")),
            ("abstract", socket.AF_UNIX, socket.SOCK_STREAM, f"\0grader-{secrets.token_hex(8)}"),
        ]
        for name, family, kind, address in kinds:
            listener = ends.enter_context(socket.socket(family, kind))
            listener.bind(address)
            listener.setblocking(False)
            if kind == socket.SOCK_STREAM:
                listener.listen()
            yield name, listener
        (self._folder / "listener").chmod(0o777)

    def files(self) -> dict[BreachKind, list[str]]:
        """The files that must not be read, by what reading them would be."""
        references = sorted((self._course / "reference").glob("*.py"))
        checks = sorted((self._course / "exercises").glob("*/checks.py"))
        return {
            "read-file": [str(self._token)],
            "read-course": [str(path) for path in (*references, *checks)],
            "read-system": list(OF_THE_SYSTEM),
            "see-processes": [f"/proc/{self._neighbour.pid}/cmdline"],
        }

    def cell(self) -> str:
        """The job's one cell."""
        addresses = {name: listener.getsockname() for name, listener in self._listeners.items()}
        targets = {
            "files": [path for paths in self.files().values() for path in paths],
            "folder": str(self._folder),
            "changed": str(self._precious),
            "tcp": addresses["tcp"][1],
            "udp": addresses["udp"][1],
            "unix": addresses["unix"],
            "abstract": addresses["abstract"][1:].decode("ascii"),
            "process": self._neighbour.pid,
        }
        return f"{inspect.getsource(intruder)}\nimport json\nprint({TOLD!r} + json.dumps(intrude({targets!r})))\n"

    def breaches(self, read: dict[str, str]) -> Iterator[Breach]:
        """What got through, after the job's end."""
        for kind, paths in self.files().items():
            for path in paths:
                if path in read and read[path] == _fingerprint(path):
                    yield Breach(kind=kind, detail=path)
        for kind, listener in self._listeners.items():
            if _was_reached(listener):
                yield Breach(kind=kind)
        if (self._folder / "intruder").exists():
            yield Breach(kind="write", detail=str(self._folder))
        if not self._precious.read_bytes():
            yield Breach(kind="write", detail=str(self._precious))
        came, _ = self._neighbour.communicate()
        if came.strip() != "0":
            yield Breach(kind="signal")


def canary(kernels: Kernels, course: Path) -> tuple[Breach, ...]:
    """Run the canary in a kernel of its own; what it could do that it must not. Empty is what is wanted."""
    with Stage(course) as stage:
        try:
            said = _said(kernels, stage.cell())
        except KernelFault as fault:
            return (_not_run(fault.text, *map(str, fault.params.values())),)
        return (said,) if isinstance(said, Breach) else tuple(stage.breaches(said))


def _said(kernels: Kernels, source: str) -> dict[str, str] | Breach:
    """Run the cell; what it says it has read, or that it did not come to its end."""
    cells = (Cell(number=1, source=source),)
    job = Submission(name="canary", sha256="", exercise=None, cells=cells, original=cells)
    session = kernels.open(LIMITS)
    try:
        run = kernels.do(session.run(job, seed=0))
        printed = "".join(output.get("text", "") for output in session.notebook.cells[0].outputs)
    finally:
        kernels.close(session)
    if run.errors:
        return _not_run(*(f"{error.kind}: {error.message}" for error in run.errors))
    try:
        return msgspec.json.decode(printed.removeprefix(TOLD), type=dict[str, str])
    except msgspec.DecodeError as error:
        return _not_run(str(error))


def _not_run(*reasons: str) -> Breach:
    return Breach(kind="not-run", detail=", ".join(reasons))


def _fingerprint(path: str) -> str | None:
    """What an intruder that read this file would say of it; None where nobody can."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return None


def _was_reached(listener: socket.socket) -> bool:
    try:
        if listener.type == socket.SOCK_DGRAM:
            return bool(listener.recv(1))
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True
