"""Whichever part of the grader is killed: nothing of a run is left, and its submission is charged only with its own end.

The runs, the killing and the looking around take place in worlds of their own (`tests.life`).
"""

import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from tests.attacks import world
from tests.attacks.arenas import LAUNCHERS, Identity
from tests.life import Told

SECONDS = 300.0
ROOT = Path(__file__).parents[1]

DIED = "kernel-died"
LOST = "ungradable: kernel-lost"
# What the supervisor says of the run that lost the part; None: the supervisor is not there to say it.
SAID: dict[str, str | None] = {
    "kernel": DIED,
    "first": DIED,
    "guardian": LOST,
    "zygote": LOST,
    "next": "no errors",
    "zygote and guardian": LOST,
    "root": LOST,
    "unheard": "started",
    "supervisor": None,
    "interrupt": None,
    "terminate": None,
    "stopped guardian, interrupt": None,
    "stopped guardian, supervisor": None,
}
ENDED = {"interrupt": 130, "stopped guardian, interrupt": 130, "terminate": -signal.SIGTERM}

# What every tier must bear; and what takes the same way in all tiers, or a long time, in one of them. Bubblewrap is for
# users who cannot have namespaces of their own; root always can where they are to be had at all.
EVERYWHERE = ("kernel", "first", "guardian", "zygote and guardian", "next", "supervisor")
SCENES: dict[tuple[Identity, str], tuple[str, ...]] = {
    ("root", "namespaces"): (*EVERYWHERE[:-1], "unheard", "zygote", "next", "root", "next", "supervisor"),
    ("root", "landlock"): EVERYWHERE,
    ("user", "namespaces"): (*EVERYWHERE, "interrupt", "terminate", "stopped guardian, interrupt"),
    ("user", "landlock"): (*EVERYWHERE, "stopped guardian, supervisor"),
    ("user", "bubblewrap"): EVERYWHERE,
    ("user", "none"): ("guardian", "zygote and guardian", "next", "supervisor"),
}


class Played(NamedTuple):
    """What came of a scene, part by part, and what was written to its standard error."""

    told: tuple[Told, ...]
    errors: str


def play(identity: Identity, tier: str) -> Played:
    """Run the scene in its world. Skips where there is none."""
    if not world.available():
        pytest.skip("there is no world of its own here")
    command = [sys.executable, "-m", LAUNCHERS[identity], sys.executable, "-m", "tests.life", tier]
    done = subprocess.run(
        [*command, *SCENES[identity, tier]], cwd=ROOT, capture_output=True, timeout=SECONDS, check=False
    )
    if b"sandbox-refused" in done.stderr:
        pytest.skip(f"this machine has no tier {tier}")
    told = tuple(msgspec.json.decode(line, type=Told) for line in done.stdout.splitlines())
    return Played(told, done.stderr.decode())


@pytest.mark.slow
@pytest.mark.parametrize(("identity", "tier"), SCENES)
def test_nothing_is_left_and_nobody_is_charged_with_it(identity: Identity, tier: str) -> None:
    told, errors = play(identity, tier)
    assert [one.part for one in told] == list(SCENES[identity, tier]), errors
    assert {one.part: one.left for one in told if one.left} == {}
    assert [one.said for one in told] == [SAID[one.part] for one in told]
    ended = {one.part: one.ended for one in told if SAID[one.part] is None}
    assert ended == {part: ENDED.get(part, -signal.SIGKILL) for part in ended}
    assert errors == ""
