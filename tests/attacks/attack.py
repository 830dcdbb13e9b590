"""What an attack is, what must be so after every attack, and what attacks' own assertions are made of."""

import re
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from grader.model import Limits
from tests.attacks.seen import Seen

MustNot = Callable[[Seen], None]

# Under these the attacks run; under the loose ones their controls, so that it is not a limit that holds them.
TIGHT = Limits(
    cell_seconds=2.0,
    run_seconds=6.0,
    memory_mb=1500,
    processes=100,
    scratch_mb=100,
    output_bytes=500_000,
    output_messages=2000,
)
# For what acts at once, and then only waits for its time to be over.
BRIEF = msgspec.structs.replace(TIGHT, cell_seconds=0.5)
LOOSE = Limits(
    cell_seconds=30.0,
    run_seconds=30.0,
    memory_mb=0,
    processes=10_000,
    scratch_mb=10_000,
    output_bytes=2_000_000_000,
    output_messages=1_000_000,
)
# Walking a disk, or loading what is not yet in memory, takes its time.
PATIENT = Limits(cell_seconds=20.0, run_seconds=20.0, memory_mb=1500)


class Attack(NamedTuple):
    """Cells, and what must not be seen when they have run confined.

    The control runs the same cells unconfined, aimed at a process put up for it, or the `tame` ones where
    these would do harm, or where no sandbox but a limit holds them; `must_not` has to fail on what it shows.
    An attack that even so shows nothing says in `harmless` why. In cells, {SUP} is the number of the supervisor,
    {TOKEN_DIR}, {COURSE} and {HOST_DIR} are folders outside, {TCP}, {UDP}, {USOCK} and {ABS} listeners, {SITE}
    is where packages are installed, and {MARK} goes into the names of whatever is made.
    With `exercise` the cells are graded.
    """

    cells: tuple[str, ...]
    must_not: MustNot
    tame: tuple[str, ...] = ()
    harmless: str = ""
    limits: Limits = TIGHT
    exercise: str | None = None


# What the supervisor may grow by; a prototype without bounds on messages grew by 844.
GROWN_MB = 300


def is_contained(seen: Seen) -> None:
    """What must be so after every attack, whatever it tried."""
    assert seen.alive, "the supervisor is gone"
    assert seen.fault == ""
    assert seen.output or seen.ends or seen.score is not None, "nothing shows that the attack ran"
    assert seen.leaked == ()
    assert seen.heard == ()
    assert seen.host == ()
    assert seen.written == ()
    assert seen.harmed == ()
    assert seen.left == ()
    assert seen.objects == ()
    assert seen.later == ()
    assert seen.grown_mb < GROWN_MB
    assert seen.honest, "the pool no longer runs an honest submission"


# ---- what attacks' own assertions are put together from -------------------------------------------


def every(*parts: MustNot) -> MustNot:
    """All of these."""

    def check(seen: Seen) -> None:
        for part in parts:
            part(seen)

    return check


def nothing_read(seen: Seen) -> None:
    """No secret came out."""
    assert seen.leaked == ()


def nobody_reached(seen: Seen) -> None:
    """No listener outside heard anything."""
    assert seen.heard == ()


def host_unchanged(seen: Seen) -> None:
    """The instructor's folder is as it was."""
    assert seen.host == ()


def nothing_written(seen: Seen) -> None:
    """Nothing is left on the machine's disks."""
    assert seen.written == ()


def nothing_for_the_next(seen: Seen) -> None:
    """The next student's run finds nothing of it."""
    assert seen.later == ()


def nobody_harmed(seen: Seen) -> None:
    """The supervisor lives, with the limits, priority and processors that it had."""
    assert seen.alive
    assert seen.harmed == ()


def nobody_left(seen: Seen) -> None:
    """No process outlives the session."""
    assert seen.left == ()


def no_objects_left(seen: Seen) -> None:
    """No object of the kernel's outlives the session."""
    assert seen.objects == ()


def earns_nothing(seen: Seen) -> None:
    """It was graded, and with no point."""
    assert seen.score == 0


def supervisor_stays_small(seen: Seen) -> None:
    """What the run sent is not kept in the supervisor's memory."""
    assert seen.grown_mb < GROWN_MB


def never_says(pattern: str) -> MustNot:
    """Some output by which the attack tells of its success does not come; {sup} is the number aimed at."""

    def check(seen: Seen) -> None:
        assert not re.search(pattern.replace("{sup}", str(seen.number)), seen.output), seen.output

    return check


def says(pattern: str) -> MustNot:
    """Some output comes."""

    def check(seen: Seen) -> None:
        assert re.search(pattern, seen.output), seen.output

    return check


def ended_by(*kinds: str) -> MustNot:
    """The run ended by one of these limits, or ways to die."""

    def check(seen: Seen) -> None:
        assert seen.ends, "it ended by itself"
        assert seen.ends[-1] in kinds

    return check


def at_most(pattern: str, bound: int) -> MustNot:
    """The number that the attack counts up to is not above a bound, if it gets to say one."""

    def check(seen: Seen) -> None:
        assert all(int(count) <= bound for count in re.findall(pattern, seen.output)), seen.output

    return check


def processes_at_most(bound: int) -> MustNot:
    """There were never more processes than that."""

    def check(seen: Seen) -> None:
        assert seen.processes <= bound

    return check


def memory_at_most(megabytes: int) -> MustNot:
    """No process ever had more memory than that."""

    def check(seen: Seen) -> None:
        assert seen.memory_mb <= megabytes

    return check


def disk_at_most(megabytes: int) -> MustNot:
    """There was never more than that on the machine's disks."""

    def check(seen: Seen) -> None:
        assert seen.disk_mb <= megabytes

    return check
