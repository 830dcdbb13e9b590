"""What the supervisor, the warm parent, the guardian and a job say to each other: records, each one packet of JSON."""

from typing import Literal

import msgspec

from grader.kernel.sandbox.tiers import Held
from grader.kernel.sandbox.view import View
from grader.model import Limits, SandboxChoice, Tier

PACKET_BYTES = 65_536
# How a kernel is spoken to: by Jupyter's protocol, or, where nobody looks at what it shows, by requests alone.
Kind = Literal["jupyter", "bare"]
CHANNELS = ("shell", "stdin", "control", "iopub", "hb")
# The descriptors of a request: control, then one listening socket per channel of Jupyter's, or one that is connected.
GIVEN: dict[Kind, int] = {"jupyter": 5, "bare": 1}
# Before each request and answer of a bare kernel stands its length.
LENGTH_BYTES = 4
# What a job may have too much of.
Limit = Literal["cpu", "memory", "processes", "scratch"]


class Opening(msgspec.Struct, frozen=True):
    """To the warm parent, first of all: the tier wanted, what a job may see, and where the supervisor's sockets are."""

    wanted: SandboxChoice
    view: View
    folder: str
    inside_bubblewrap: bool = False


class Ground(msgspec.Struct, frozen=True, tag="ground"):
    """From the warm parent, once it has tried: the tier, what holds in it, and why those above it were not to be had.

    folder: where jobs write, if that is outside of bubblewrap.
    """

    tier: Tier
    held: Held
    refused: dict[str, str]
    folder: str | None = None


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """From the warm parent: the tier wanted is not to be had."""

    reason: str


class Job(msgspec.Struct, frozen=True):
    """To the warm parent: a kernel is wanted.

    folder: holds the sockets that have names; the guardian removes it at the end. key: signs Jupyter's messages.
    lifetime_seconds: wall-clock time after which the guardian ends the job, whatever the supervisor does.
    """

    folder: str
    kind: Kind
    key: str
    limits: Limits
    lifetime_seconds: float


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """From the guardian: the kernel serves, confined by these layers."""

    layers: tuple[str, ...]


class Over(msgspec.Struct, frozen=True, tag="over"):
    """From the guardian: the job has passed a limit, and will be ended if it goes far beyond it."""

    limit: Limit


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """From the guardian, its last word: the job is over and nothing of it is left.

    reason: what made the guardian end it; `itself` if the kernel ended first, `gone` if the guardian
    lost its warm parent, or the supervisor its guardian. detail: what went wrong, if it never began.
    """

    reason: Literal[
        "itself", "killed", "lifetime", "cpu", "memory", "processes", "scratch", "gone", "not-confined"
    ]
    detail: str = ""


News = Ready | Over | Ended
