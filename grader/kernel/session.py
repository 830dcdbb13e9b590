"""One run in one kernel: the cells, then values and calls, within limits.

Cell by cell is run, and an error does not end the run. Limits are watched from outside; a cell that
passes one is interrupted, and if it goes on all the same, its kernel is killed.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from grader.errors import KernelFault
from grader.kernel.answers import decode, decode_trace, decode_value, decode_values
from grader.kernel.bare_driver import BareDriver
from grader.kernel.driver import ANSWER_SECONDS, START_SECONDS, Driver
from grader.kernel.faults import passed, run_error
from grader.kernel.jupyter_driver import JupyterDriver
from grader.kernel.warm import Zygote
from grader.model import Argument, Call, Cell, Limits, Run, RunError, Submission, Swap, Watched
from grader.trace import Trace
from grader.values import Value

# How long an interrupted cell may take to end before its kernel is killed.
GRACE_SECONDS = 3.0
# The kinds of what the guardian says a job has too much of, and of why it ended it.
KIND_OF = {
    "cpu": "cpu-limit",
    "memory": "memory-limit",
    "processes": "process-limit",
    "scratch": "disk-limit",
    "lifetime": "run-time-limit",
}

Progress = Callable[[int, int], None]


class Session:
    """A kernel of its own for one run. All methods are coroutines of one event loop."""

    def __init__(self, limits: Limits, zygote: Zygote | None, *, bare: bool = False) -> None:
        """Prepare; nothing is started yet. Without a warm parent the kernel is a new process.

        bare: what the cells show is not wanted, so that the kernel can do without Jupyter where there is a warm parent.
        """
        self._limits = limits
        self._driver: Driver = (
            JupyterDriver(limits, zygote, self._over)
            if zygote is None or not bare
            else BareDriver(limits, zygote, self._over)
        )
        self._limited: str | None = None

    @property
    def notebook(self) -> Any:
        """The notebook of the last run, as nbclient left it: with its outputs, which are the learner's process's own."""
        return self._driver.notebook if isinstance(self._driver, JupyterDriver) else None

    @property
    def layers(self) -> tuple[str, ...]:
        """What confines the started kernel."""
        return self._driver.layers

    async def start(self) -> None:
        """Start the kernel. Raises KernelFault if it cannot be confined or does not come to serve."""
        await self._driver.start()

    async def run(  # noqa: PLR0913 - one run, and all that may be asked of it
        self,
        submission: Submission,
        *,
        seed: int,
        values: Sequence[str] = (),
        watch: Watched | None = None,
        exchange: Sequence[Swap] = (),
        record: bool = True,
        draw: bool = False,
        progress: Progress | None = None,
    ) -> Run:
        """Run the submission's cells from first to last and read the named values.

        record: whether the probe watches the training; never where data are exchanged, since nobody reads that trace.
        draw: whether figures are drawn and shown among the outputs.
        """
        await self._configure(seed, watch, exchange, record=record and not exchange, draw=draw)
        await self._driver.begin([cell.source for cell in submission.cells])
        began = time.monotonic()
        limit: RunError | None = None
        deadline = began + self._limits.run_seconds
        for index, cell in enumerate(submission.cells):
            if progress is not None:
                progress(cell.number, len(submission.cells))
            limit = await self._run_cell(index, cell, deadline)
            if limit is not None:
                break
        seconds = time.monotonic() - began
        trace, errors = await self._trace(submission)
        return Run(
            seconds=seconds,
            errors=_with_limit(errors, limit),
            complete=limit is None,
            trace=trace,
            values=await self._values(values),
            outputs=self._driver.outputs(),
        )

    async def call(self, name: str, arguments: Sequence[Argument], *, seed: int) -> Call:
        """Call a learner's function with arguments of ours."""
        seconds = self._limits.cell_seconds
        self._limited = None
        timer = asyncio.get_running_loop().call_later(seconds, self._interrupt, "time-limit")
        try:
            answer = await self._driver.ask(
                {"request": "call", "name": name, "arguments": msgspec.to_builtins(arguments), "seed": seed},
                seconds + GRACE_SECONDS,
            )
        finally:
            timer.cancel()
        if answer is None or self._limited is not None:
            return Call(value=None, error=self._ending(None), trace=Trace())
        seen, value = answer.get("error"), answer.get("value")
        return Call(
            value=decode_value(value),
            error=run_error(seen, {}, self._limits) if isinstance(seen, dict) else None,
            trace=decode_trace(answer.get("trace")),
        )

    async def close(self) -> None:
        """End the kernel and all it started; safe to call more than once, and before `start`."""
        await self._driver.close()

    # ---- cells --------------------------------------------------------------------------------

    async def _run_cell(self, index: int, cell: Cell, deadline: float) -> RunError | None:
        """Run one cell; return the error if it ended by a limit or with its kernel."""
        left = max(deadline - time.monotonic(), 0.1)
        seconds = min(self._limits.cell_seconds, left)
        kind = "run-time-limit" if left < self._limits.cell_seconds else "time-limit"
        timer = asyncio.get_running_loop().call_later(seconds, self._interrupt, kind)
        try:
            if self._limited is None:  # else the cell before passed it with its last breath
                await self._driver.execute(index)
        finally:
            timer.cancel()
        return self._ending(cell.number) if self._driver.dead or self._limited is not None else None

    def _ending(self, cell: int | None) -> RunError:
        """Why a cell or call ended early. Raises KernelFault if that is not the submission's doing."""
        kind = self._limited
        if kind is None and self._driver.ending is not None:
            if self._driver.ending.reason == "gone":
                raise KernelFault("kernel-lost")
            kind = KIND_OF.get(self._driver.ending.reason)
        if kind is None:
            return RunError(kind="kernel-died", message="", cell=cell, line=None)
        return passed(kind, self._limits, cell)

    def _over(self, what: str) -> None:
        """The run has too much of something, as its outputs or the guardian show."""
        self._interrupt(KIND_OF.get(what, what))

    def _interrupt(self, kind: str) -> None:
        """Interrupt what runs, and kill the kernel if it does not end for that."""
        if self._limited is None:
            self._limited = kind
            self._interrupting = asyncio.ensure_future(self._interrupt_then_kill())

    async def _interrupt_then_kill(self) -> None:
        running = self._driver.running
        await self._driver.interrupt()
        if running is not None:  # a call has its own time to answer in
            await asyncio.wait([running], timeout=GRACE_SECONDS)
            if not running.done():
                await self._driver.kill()

    # ---- questions ----------------------------------------------------------------------------

    async def _configure(
        self, seed: int, watch: Watched | None, exchange: Sequence[Swap], *, record: bool, draw: bool
    ) -> None:
        request = {
            "request": "configure",
            "seed": seed,
            "record": record,
            "draw": draw,
            "watch": None if watch is None else msgspec.to_builtins(watch),
            "exchange": msgspec.to_builtins(exchange),
        }
        if await self._driver.ask(request, START_SECONDS) is None:
            raise KernelFault("kernel-not-started", reason="no answer")

    async def _trace(self, submission: Submission) -> tuple[Trace, tuple[RunError, ...]]:
        answer = await self._driver.ask({"request": "trace"}, ANSWER_SECONDS)
        if answer is None:
            return Trace(), ()
        sources = {cell.number: cell.source for cell in submission.cells}
        seen = decode(answer.get("errors"), list[dict[str, Any]], [])
        return decode_trace(answer.get("trace")), tuple(
            run_error(error, sources, self._limits) for error in seen
        )

    async def _values(self, names: Sequence[str]) -> dict[str, Value]:
        if not names:
            return {}
        answer = await self._driver.ask({"request": "values", "names": list(names)}, ANSWER_SECONDS)
        return decode_values(answer)


def _with_limit(errors: tuple[RunError, ...], limit: RunError | None) -> tuple[RunError, ...]:
    """Put the limit in the place of the KeyboardInterrupt that it ended its cell with, keeping the line."""
    if limit is None:
        return errors
    if not errors or not errors[-1].message.startswith("KeyboardInterrupt"):
        return (*errors, limit)
    return (*errors[:-1], msgspec.structs.replace(limit, cell=errors[-1].cell, line=errors[-1].line))
