"""The frozen records that travel through the grader, from the file handed in to the report.

Records hold ids, numbers and the submission's own text, never sentences: language is chosen
where a report is rendered (`grader/report/document.py`).
"""

from typing import Literal

import msgspec

from grader.errors import GraderError
from grader.picture import Pictures
from grader.trace import Trace
from grader.values import Array, Value

Language = Literal["en", "zh"]
Parameters = dict[str, str | int | float | bool | None]


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence not yet worded: its id in the catalogue and what is filled in."""

    id: str
    params: Parameters = {}


def said_by(error: GraderError) -> Text:
    """What an error says, as a sentence not yet worded."""
    return Text(id=error.text, params={name: str(value) for name, value in error.params.items()})


# ---- what was handed in -------------------------------------------------------------------------


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One code cell. `number` counts the code cells from 1, as the prompt `[n]` does on a fresh run."""

    number: int
    source: str


class Prose(msgspec.Struct, frozen=True, kw_only=True):
    """A Markdown cell, and the number of the code cell that it stands before."""

    before: int
    source: str


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A notebook or module, ready to run: magics neutralised, outputs dropped.

    `original` holds the sources as the learner wrote them (for excerpts), line for line as `cells`; `prose` the text between.
    """

    name: str
    sha256: str
    exercise: str | None
    cells: tuple[Cell, ...]
    original: tuple[Cell, ...]
    prose: tuple[Prose, ...] = ()
    notes: tuple[Text, ...] = ()


# ---- what is asked of a kernel ------------------------------------------------------------------


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one run may use, and the calls after it. A notebook that passes a limit is stopped or gets an error.

    cell_seconds, run_seconds: wall-clock time of one cell, and of all cells together.
    cpu_seconds: CPU time of the whole job, its threads and processes added up.
    memory_mb: memory in MiB that the kernel may allocate; 0 is no limit.
    processes: processes and threads at one time.
    scratch_mb: MiB that it may write to disk.
    open_files: files and sockets open at one time, in one process.
    output_bytes: characters that it may print or display.
    output_messages: messages in which it may do so.
    """

    cell_seconds: float = 30.0
    run_seconds: float = 60.0
    cpu_seconds: float = 120.0
    memory_mb: int = 4096
    processes: int = 128
    scratch_mb: int = 256
    open_files: int = 512
    output_bytes: int = 20_000_000
    output_messages: int = 50_000


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """Names of which the probe keeps every version that holds at least `at_least` numbers.

    `returns` are functions; what they return is kept as versions of `name()`.
    """

    names: tuple[str, ...]
    at_least: int
    returns: tuple[str, ...] = ()


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """Data to recognise by value, and what to put in its place: float64 arrays of shape (n,)."""

    old: "Array"
    new: "Array"


class Argument(msgspec.Struct, frozen=True, kw_only=True):
    """An argument of a call. form: `leaf` (a tensor that requires a gradient), `tensor`, or `plain` numbers."""

    form: Literal["leaf", "tensor", "plain"]
    array: "Array"


Tier = Literal["namespaces", "bubblewrap", "landlock", "user", "none"]
SandboxChoice = Literal["auto", "container", "namespaces", "bubblewrap", "landlock", "user", "none"]


class Sandbox(msgspec.Struct, frozen=True, kw_only=True):
    """How kernels are confined: the tier, the layers that hold, and those that this machine cannot give.

    Layers are `namespaces`, `file-system`, `identity`, `limits`, `landlock`, `seccomp`, `guardian`, `cgroup`.
    """

    tier: Tier
    layers: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


BreachKind = Literal[
    "read-file", "read-course", "read-system", "see-processes", "write",
    "tcp", "udp", "unix", "abstract", "signal", "not-run",
]  # fmt: skip


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    """What a job could do that it must not. detail: to which path, or, of a job that could not be tried, why."""

    kind: BreachKind
    detail: str = ""


# ---- what a run gave ----------------------------------------------------------------------------


class RunError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a cell stopped. `kind` is a text id; `cell` and `line` (from 1) say where in the learner's code."""

    kind: str
    message: str
    cell: int | None
    line: int | None


class Printed(msgspec.Struct, frozen=True, kw_only=True, tag="printed"):
    """Text that a cell printed, or showed as its result. cut: how many more characters there were.

    A stream `malformed` has no text: the cell displayed what is no output of Jupyter's.
    """

    stream: Literal["stdout", "stderr", "result", "error", "malformed"]
    text: str
    cut: int = 0


class Drawn(msgspec.Struct, frozen=True, kw_only=True, tag="drawn"):
    """An image that a cell showed: a PNG or JPEG by its first bytes, and what stands for it in words."""

    format: Literal["png", "jpeg"]
    data: bytes
    text: str = ""


Output = Printed | Drawn


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of a submission in a fresh kernel.

    `complete` is False where a limit or the kernel's death ended it early. outputs: what cells showed, by their number, within
    bounds; like the trace it is the learner's process's own.
    """

    seconds: float
    errors: tuple[RunError, ...]
    complete: bool
    trace: Trace
    values: dict[str, Value]
    outputs: dict[int, tuple[Output, ...]] = {}


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What a learner's function gave back for arguments that we chose."""

    value: Value | None
    error: RunError | None
    trace: Trace


# ---- what is said about it ----------------------------------------------------------------------

Status = Literal["passed", "failed", "skipped"]


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one check. `titles` holds its sentence by language."""

    id: str
    titles: dict[str, str]
    status: Status
    score: float
    max_score: float
    reason: Text | None = None
    hint: Text | None = None
    because: str | None = None
    review: bool = False


class Excerpt(msgspec.Struct, frozen=True, kw_only=True):
    """A few lines of the learner's source around the line in question."""

    cell: int
    line: int
    first: int
    lines: tuple[str, ...]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of a cell, from `line` on, and what stands in their place after a mend."""

    cell: int
    line: int
    before: tuple[str, ...]
    after: tuple[str, ...]


Confidence = Literal["confirmed", "likely", "possible"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A mistake seen in a submission.

    mistake: its name in the catalogue. confidence: `confirmed` where a rerun with the mend proved it, `likely` by
    what the run showed, `possible` by the source alone. params: what its message is filled with. fix: the mended lines;
    score_after: what a rerun with this mend, and with those of the findings before it, was given.
    """

    mistake: str
    confidence: Confidence
    cell: int | None
    line: int | None
    params: Parameters = {}
    evidence: Parameters = {}
    excerpt: Excerpt | None = None
    fix: tuple[Change, ...] = ()
    score_after: float | None = None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A cell of the notebook as it was executed. number: of a code cell; None for Markdown."""

    number: int | None
    source: str
    outputs: tuple[Output, ...] = ()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything known about a submission, not yet worded. `score` is None where ungradable.

    untried: how many suspected mends there was no time to try. notebook: its cells as executed; pictures: what there is to draw.
    """

    exercise: str
    submission: str
    sha256: str
    status: Literal["graded", "ungradable"]
    score: float | None
    max_score: float
    checks: tuple[CheckResult, ...] = ()
    findings: tuple[Finding, ...] = ()
    untried: int = 0
    needs_review: tuple[Text, ...] = ()
    notes: tuple[Text, ...] = ()
    error: RunError | None = None
    excerpt: Excerpt | None = None
    seconds: float = 0.0
    reruns: int = 0
    sandbox: Sandbox | None = None
    notebook: tuple[Shown, ...] = ()
    pictures: Pictures | None = None
