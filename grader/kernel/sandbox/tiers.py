"""Which layers confine a job, in which order, and whether they hold on this machine.

    namespaces   namespaces, a private file system, identity, limits, Landlock, seccomp
    bubblewrap   as `landlock`, all inside bubblewrap's namespaces and file system (`bubblewrap`)
    landlock     identity, limits, Landlock folder by folder, seccomp for a process among the host's own
    user         identity, limits, seccomp: a user of its own, to whom only what everybody may read is open
    none         nothing but the guardian: a learner's own check of their own file, and that says so

A tier is never concluded from a version: it is tried, once, by confining a process exactly as a job would be.
Only `Unsupported`, which says that the machine has no such thing, lowers the tier. Any error while a real job
is confined ends that job before learner's code is reached.
"""

import os
import sys
import sysconfig

import msgspec

from grader.kernel.sandbox import ceilings, filesystem, identity, landlock, namespaces, seccomp
from grader.kernel.sandbox.landlock import Access, Rule, Ruleset
from grader.kernel.sandbox.system import PR_SET_CHILD_SUBREAPER, Unsupported, prctl
from grader.kernel.sandbox.view import HOME, PARTS, SYSTEM, View
from grader.model import Limits, Tier

# What torch and Python read of the machine where there is no private /proc.
OF_THE_MACHINE = ("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys/devices/system/cpu")


class Grounds(msgspec.Struct, frozen=True):
    """What all jobs of one warm parent share: the tier, what they may see, and matplotlib's list of this machine's fonts.

    out_of_sight: tasks of the grader's own user that only the kernel sees, where jobs run as that user.
    """

    tier: Tier
    view: View
    fonts: dict[str, str] = {}
    out_of_sight: int = 0


class Place(msgspec.Struct, frozen=True):
    """One job's own: its user and group, its folder to write to (where it gets no file system of its own), its limits."""

    uid: int
    gid: int
    scratch: str
    limits: Limits


class Held(msgspec.Struct, frozen=True):
    """The layers that confine a job, what this machine said of those that it lacks, and what Landlock confines."""

    layers: tuple[str, ...]
    missing: dict[str, str]
    landlock: tuple[str, ...] = ()


def furnish(grounds: Grounds, scratch: str, limits: Limits) -> Place:
    """Choose whose the next job is, and give it a folder, which is there and empty. Raises OSError."""
    uid, gid = _whose(grounds)
    for part in PARTS:
        os.mkdir(f"{scratch}/{part}", 0o700)  # noqa: PTH102 - nobody else has been here
        os.chown(f"{scratch}/{part}", uid, gid)
    os.chown(scratch, uid, gid)
    return Place(uid, gid, scratch, limits)


def _whose(grounds: Grounds) -> tuple[int, int]:
    """The user and group of the next job: as root one of its own, unless Python lies where root alone can read."""
    if os.geteuid() != 0 or grounds.tier == "none":
        return os.geteuid(), os.getegid()
    # A private file system makes the folders above anew.
    python = (*sysconfig.get_paths().values(), *(path for path in grounds.view.shown if path not in SYSTEM))
    if not identity.everyone_may_read(python, along_the_way=grounds.tier != "namespaces"):
        return 0, 0
    uid = identity.fresh_uid()
    return uid, uid


def go_outside(tier: Tier) -> None:
    """In the guardian, before it forks the job: what must be done from outside. Raises Unsupported, OSError."""
    if tier == "namespaces":
        namespaces.enter()
    elif sys.platform == "linux":
        prctl(PR_SET_CHILD_SUBREAPER, 1)  # orphans of the job come to the guardian, which ends them


def confine(grounds: Grounds, place: Place) -> Held:
    """In the job's first process: give up everything that learner's code must not have.

    After it returns, this process can do no more than that code will, but for `finish`. Raises Unsupported
    where the tier is not to be had here, and OSError for anything else.
    """
    if grounds.tier == "none":
        os.chdir(home(grounds.tier, place.scratch))
        ceilings.apply_memory(place.limits.memory_mb)
        return Held((), {})
    private = grounds.tier == "namespaces"
    if private:
        filesystem.build(grounds.view, place.limits.scratch_mb, place.uid, place.gid)
    else:
        os.chdir(home(grounds.tier, place.scratch))
    missing: dict[str, str] = {}
    ruleset = _files(grounds, place, missing)
    others = 0
    if not private and os.geteuid() != 0:  # so the job has the grader's own user
        others = ceilings.tasks_in_sight(place.uid) + grounds.out_of_sight + ceilings.TASKS_STARTED_SINCE
    identity.become(place.uid, place.gid)
    ceilings.apply(place.limits, others)
    if ruleset is not None:
        landlock.enforce(ruleset)
    if private:
        seccomp.confine(seccomp.Profile(hosted=None))
    if os.geteuid() == 0:
        missing["identity"] = "Python lies where root alone can read it"
    holds = () if ruleset is None else tuple(sorted(ruleset.holds))
    return Held(_layers(grounds.tier, missing), missing, holds)


def _files(grounds: Grounds, place: Place, missing: dict[str, str]) -> Ruleset | None:
    """Prepare Landlock, while paths can still be opened. Raises Unsupported where files would then stay open to the job."""
    if grounds.tier == "user":
        _demand_closed(grounds.view, place)
        missing["landlock"] = "not in this tier"
        return None
    try:
        return landlock.prepare(_rules(grounds, place))
    except Unsupported as error:
        if grounds.tier != "namespaces":
            raise
        missing["landlock"] = str(error)
        return None


def _demand_closed(view: View, place: Place) -> None:
    """What is to be hidden must be root's alone to read, and the job somebody else. Raises Unsupported."""
    if os.geteuid() != 0:
        raise Unsupported("user: only root can start a job as another user")
    if place.uid == 0:
        raise Unsupported("user: Python lies where root alone can read it")
    for path in view.hidden:
        if identity.everyone_may_read([path], along_the_way=True) and os.path.lexists(path):
            raise Unsupported(f"user: everybody may read {path}")


def finish(tier: Tier, held: Held) -> None:
    """In the kernel's own process: the filter of a tier without namespaces, which names that very process."""
    if tier in ("landlock", "bubblewrap", "user"):
        seccomp.confine(
            seccomp.Profile(
                hosted=os.getpid(),
                scopes_signals="signals" in held.landlock,
                controls_truncation="truncation" in held.landlock,
            )
        )


def home(tier: Tier, scratch: str) -> str:
    """The folder in which a job's code runs."""
    return HOME if tier == "namespaces" else f"{scratch}/{PARTS[0]}"


def _layers(tier: Tier, missing: dict[str, str]) -> tuple[str, ...]:
    """Name the layers that hold, outermost first."""
    held = ["identity", "limits", "landlock", "seccomp"]
    if tier not in ("landlock", "user"):
        held = ["namespaces", "file-system", *held]
    return tuple(layer for layer in held if layer not in missing)


def _rules(grounds: Grounds, place: Place) -> list[Rule]:
    devices = [Rule(path, Access.DEVICE) for path in filesystem.devices()]
    if grounds.tier == "namespaces":  # the file system is private already
        return [
            Rule("/", Access.READ),
            *(Rule(path, Access.WRITE) for path in filesystem.WRITABLE),
            *devices,
        ]
    return [
        *_around(grounds.view),
        *(Rule(path, Access.READ) for path in OF_THE_MACHINE),
        Rule(place.scratch, Access.WRITE),
        *devices,
    ]


def _around(view: View) -> list[Rule]:
    """Rules for all that is shown but what is hidden: Landlock cannot subtract, so folders on the way are split up."""
    rules = [Rule(path, Access.LIST) for path in view.shown]
    waiting = list(view.shown)
    while waiting:
        path = waiting.pop()
        real = os.path.realpath(path)
        if any(real == hidden or real.startswith(hidden + "/") for hidden in view.hidden):
            continue
        if any(hidden.startswith(real.rstrip("/") + "/") for hidden in view.hidden):
            # A link is not followed: what it leads to is shown under its own name, or not at all.
            waiting += [entry.path for entry in os.scandir(real) if not entry.is_symlink()]
        else:
            rules.append(Rule(path, Access.READ))
    return rules
