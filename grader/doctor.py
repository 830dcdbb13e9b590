"""What this machine can do to confine submissions: every tier tried, a canary sent, and what would help.

Facts and ids only; `report.doctor` words them. Nothing is concluded from a version: the warm parent of each tier
tries it as it would for a job, in a process of its own. Versions and settings of the system only choose the advice.
"""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from grader.errors import KernelFault
from grader.exercise import course_folder
from grader.kernel.canary import canary
from grader.kernel.job import Ground
from grader.kernel.pool import Kernels
from grader.kernel.sandbox import landlock
from grader.kernel.warm import LAYERS, Zygote, warm_parent
from grader.model import Breach, SandboxChoice, Tier
from grader.settings import Settings

CONFINING: tuple[Tier, ...] = ("namespaces", "bubblewrap", "landlock")
# The weakest tier that has a layer, where that is not `landlock`; its refusal explains why the layer is absent.
EXPLAINED_BY: dict[str, Tier] = {"namespaces": "namespaces", "file-system": "namespaces"}
# Where systems say that a process runs in a container.
CONTAINER_FILES = (Path("/.dockerenv"), Path("/run/.containerenv"))
CONTAINER_VARIABLES = ("container", "KUBERNETES_SERVICE_HOST")
FIRST_LANDLOCK = (5, 13)
SECONDS = 20.0

Remedy = Literal[
    "linux", "chosen", "apparmor", "max-user-namespaces", "userns-clone", "container", "bubblewrap",
    "namespaces", "landlock-linux", "landlock-lsm", "identity", "cgroup", "machine",
]  # fmt: skip

# The files in /proc/sys that forbid namespaces, and the value with which they do.
SWITCHES: dict[Remedy, tuple[str, str]] = {
    "apparmor": ("kernel/apparmor_restrict_unprivileged_userns", "1"),
    "max-user-namespaces": ("user/max_user_namespaces", "0"),
    "userns-clone": ("kernel/unprivileged_userns_clone", "0"),
}
OF_THE_SAME_NAME: dict[str, Remedy] = {"identity": "identity", "cgroup": "cgroup"}


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A tier that was tried. reason: what the system said where it was refused."""

    tier: Tier
    held: bool
    reason: str = ""


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """A layer as it is in the tier that grading uses. reason: what the system said where it is absent, if anything."""

    name: str
    held: bool
    reason: str = ""
    remedies: tuple[Remedy, ...] = ()


class Versions(msgspec.Struct, frozen=True, kw_only=True):
    """What the sandbox depends on. landlock_abi is 0 and bubblewrap None where there is none."""

    python: str
    system: str
    machine: str
    landlock_abi: int
    bubblewrap: str | None


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found. tier: what grading will use, None where it will refuse (`refusal` says why).

    guarantees: what Landlock confines in that tier. breaches: what the canary could do; None if it was not sent,
    because nothing confines.
    """

    wanted: SandboxChoice
    tier: Tier | None
    refusal: str
    attempts: tuple[Attempt, ...]
    layers: tuple[Layer, ...]
    guarantees: tuple[str, ...]
    breaches: tuple[Breach, ...] | None
    versions: Versions

    @property
    def is_sound(self) -> bool:
        """Whether submissions of strangers can be graded here."""
        return self.tier not in (None, "none") and self.breaches == ()


def examine(settings: Settings) -> Diagnosis:
    """Try this machine. It takes as long as grading one file."""
    with warm_parent(settings) as zygote:  # it warms up while the others try
        attempts = tuple(_attempt(tier, settings, can_fork=zygote is not None) for tier in CONFINING)
        ground, refusal = _ground(zygote)
        tier: Tier | None = "none" if zygote is None else None if ground is None else ground.tier
        breaches: tuple[Breach, ...] | None = None
        if tier not in (None, "none"):
            with Kernels(settings, zygote) as kernels:
                breaches = canary(kernels, course_folder(settings.course))
    return Diagnosis(
        wanted=settings.sandbox,
        tier=tier,
        refusal=refusal,
        attempts=attempts,
        layers=tuple(_layers(ground, attempts)),
        guarantees=() if ground is None else ground.held.landlock,
        breaches=breaches,
        versions=_versions(),
    )


def _attempt(tier: Tier, settings: Settings, *, can_fork: bool) -> Attempt:
    if not can_fork:
        return Attempt(tier=tier, held=False, reason=platform.system())
    with Zygote(msgspec.structs.replace(settings, sandbox=tier)) as zygote:
        ground, refusal = _ground(zygote)
    return Attempt(tier=tier, held=ground is not None, reason=refusal)


def _ground(zygote: Zygote | None) -> tuple[Ground | None, str]:
    """What a warm parent found, or why it found nothing."""
    try:
        return (None if zygote is None else zygote.ground), ""
    except KernelFault as fault:
        return None, str(fault.params["reason"])


def _layers(ground: Ground | None, attempts: tuple[Attempt, ...]) -> Iterator[Layer]:
    refusals = {attempt.tier: attempt.reason for attempt in attempts}
    held = () if ground is None else ground.held.layers
    missing = {} if ground is None else ground.held.missing
    for name in LAYERS:
        if name in held:
            yield Layer(name=name, held=True)
        else:
            refusal = refusals[EXPLAINED_BY.get(name, "landlock")]
            remedies = _remedies(name, lacking=name in missing, refused=bool(refusal))
            yield Layer(name=name, held=False, reason=missing.get(name, refusal), remedies=tuple(remedies))


# ---- what to do ---------------------------------------------------------------------------------


def _remedies(layer: str, *, lacking: bool, refused: bool) -> Iterator[Remedy]:
    """What could bring an absent layer, the best first.

    lacking: the tier in use would have it, but the machine did not give it. refused: so was the weakest tier that has it.
    """
    if platform.system() != "Linux":
        yield "linux"
    elif not lacking and not refused:
        yield "chosen"
    elif layer in EXPLAINED_BY:
        yield from _for_namespaces()
    elif lacking and layer in OF_THE_SAME_NAME:
        yield OF_THE_SAME_NAME[layer]
    elif landlock.abi() == 0:
        yield "landlock-linux" if _linux_before(FIRST_LANDLOCK) else "landlock-lsm"
    else:
        yield "machine"


def _for_namespaces() -> Iterator[Remedy]:
    switched_off = [remedy for remedy, (file, value) in SWITCHES.items() if _system_setting(file) == value]
    yield from switched_off
    if in_container():
        yield "container"
        return
    if shutil.which("bwrap") is None:
        yield "bubblewrap"
    if not switched_off:
        yield "namespaces"


def in_container() -> bool:
    """Whether this process runs in a container, by the usual signs."""
    return any(file.exists() for file in CONTAINER_FILES) or any(
        name in os.environ for name in CONTAINER_VARIABLES
    )


def _system_setting(name: str) -> str | None:
    try:
        return Path("/proc/sys", name).read_text("ascii").strip()
    except OSError:
        return None


def _linux_before(version: tuple[int, int]) -> bool:
    numbers = re.match(r"(\d+)\.(\d+)", platform.release())
    return numbers is not None and (int(numbers[1]), int(numbers[2])) < version


def _versions() -> Versions:
    return Versions(
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()}",
        machine=platform.machine(),
        landlock_abi=landlock.abi(),
        bubblewrap=_bubblewrap(),
    )


def _bubblewrap() -> str | None:
    program = shutil.which("bwrap")
    if program is None:
        return None
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return said.stdout.strip().removeprefix("bubblewrap ") or None
