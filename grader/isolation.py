"""Whether others' files may be graded here: only where a sandbox isolates them, and a trial job does not get out of it."""

from typing import TYPE_CHECKING

from grader.errors import KernelFault, UsageError
from grader.exercise import course_folder
from grader.model import Language
from grader.settings import Settings

if TYPE_CHECKING:
    from grader.kernel.pool import Kernels


def demand_isolation(kernels: "Kernels") -> None:
    """Raise UsageError where nothing isolates these kernels."""
    if kernels.sandbox.tier == "none":
        raise UsageError("others-not-isolated")


def send_canary(kernels: "Kernels", settings: Settings, spoken: Language) -> None:
    """Try the sandbox before others' code runs in it. Raises KernelFault if anything gets out."""
    from grader.kernel.canary import canary  # noqa: PLC0415 - when it is needed, which is seldom
    from grader.report.doctor import sentences  # noqa: PLC0415

    if breaches := canary(kernels, course_folder(settings.course)):
        raise KernelFault("sandbox-leaks", what=" ".join(sentences(breaches, spoken)))
