"""What an arena is told and what it tells: an order, and what was seen of an attack from outside and in its outputs."""

import json
from typing import Any

import msgspec

from grader.kernel.session import Session
from grader.model import Limits


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What the arena saw of one attack. Everything but `output` and `ends` is looked at by no code of the attack.

    number: of the process that was aimed at.
    output: all that the cells printed, displayed and raised.
    ends: the kinds of the errors, in their order; a limit comes last.
    leaked: secrets that were found in outputs, errors or values.
    heard: which listeners were reached.
    host: what changed in the folder that stands for an instructor's.
    written: what was written anywhere else on the machine's disks, and is still there.
    harmed: what changed about the supervisor, the warm parent, and the victim.
    left: processes still there long after the session was closed.
    objects: message queues, shared memory, abstract sockets and mounts that are left.
    processes, memory_mb, disk_mb: how many processes of the run there were at once, the most memory that one of
      them had, and the most that was written to the machine's disks.
    status: what /proc says of the privileges of the process that the cells ran in.
    grown_mb: how far the supervisor's own memory went up.
    score: what the cells were graded with, where that was asked for.
    later: where the run of the next student shows what the attack left for it.
    honest: whether an honest run in the same pool gave the right result after it.
    fault: what the grader could not do, by its own account.
    alive: whether the supervisor lived to answer.
    """

    number: int = 0
    output: str = ""
    ends: tuple[str, ...] = ()
    leaked: tuple[str, ...] = ()
    heard: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    harmed: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    processes: int = 0
    memory_mb: int = 0
    disk_mb: int = 0
    status: tuple[str, ...] = ()
    grown_mb: int = 0
    score: float | None = None
    later: tuple[str, ...] = ()
    honest: bool = False
    fault: str = ""
    alive: bool = True


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What an arena is to do: run the cells, or grade them as an exercise, under limits.

    `victim` aims at a process that stands there for it, in the place of the supervisor.
    """

    cells: tuple[str, ...]
    limits: Limits
    exercise: str | None = None
    victim: bool = False


def outputs(session: Session) -> str:
    """Everything that the executed notebook holds: printed, displayed, raised."""
    return "\n".join(_text(output) for cell in session.notebook.cells for output in cell.get("outputs", ()))


def _text(output: Any) -> str:
    if output["output_type"] == "stream":
        return str(output["text"])
    if output["output_type"] == "error":
        return f"{output['ename']}: {output['evalue']}\n" + "\n".join(output["traceback"])
    return json.dumps(output.get("data", {}))
