"""Landlock in force, as on every kernel since the first that had it."""

import functools
import os
import sys
from pathlib import Path

import pytest

from grader.kernel.sandbox import landlock
from grader.kernel.sandbox.landlock import Access, Rule
from grader.kernel.sandbox.system import Unsupported
from tests import landlock_attempts as scenarios
from tests.attempts import fresh

HERE = landlock.abi() if sys.platform == "linux" else 0
UIDS = [os.getuid(), scenarios.NOBODY] if HERE and os.getuid() == 0 else [os.getuid()] if HERE else []
VERSIONS = range(1, min(HERE, landlock.REVIEWED_ABI) + 1)

pytestmark = pytest.mark.skipif(HERE == 0, reason="this Linux has no Landlock")

POSSIBLE = {
    "read: read",
    "read: list",
    "read: run",
    "list: list",
    "write: read",
    "write: overwrite",
    "write: make",
    "write: folder",
    "write: move",
    "write: link",
    "write: pipe",
    "write: socket",
    "write: remove",
    "write: remove folder",
    "single: read",
    "single: overwrite",
    "device: write",
    "signal a child",
}
# Since which ABI something is refused, and with what.
REFUSED_SINCE = {
    "list: read": (1, "EACCES"),
    "write: device": (1, "EACCES"),
    "single: remove": (1, "EACCES"),
    "hidden: read": (1, "EACCES"),
    "hidden: read by link": (1, "EACCES"),
    "hidden: read from below": (1, "EACCES"),
    "hidden: list": (1, "EACCES"),
    "hidden: run": (1, "EACCES"),
    "hidden: overwrite": (1, "EACCES"),
    "hidden: make": (1, "EACCES"),
    "around: list": (1, "EACCES"),
    "read: overwrite": (1, "EACCES"),
    "read: make": (1, "EACCES"),
    "read: remove": (1, "EACCES"),
    "read: take": (1, "EACCES"),
    "read: link from": (1, "EXDEV"),
    "read: truncate": (3, "EACCES"),
    "hidden: truncate": (3, "EACCES"),
    "hidden: truncate while opening for nothing": (3, "EACCES"),
    "tcp: connect": (4, "EACCES"),
    "tcp: bind": (4, "EACCES"),
    "other device: command": (5, "EACCES"),
    "abstract socket": (6, "EPERM"),
    "signal": (6, "EPERM"),
}
# Fails without Landlock, too: no such command.
COMMANDS = {"device: command": "ENOTTY", "other device: command": "ENOTTY"}
HOLDS = {
    1: {"files"},
    2: {"files", "moves"},
    3: {"files", "moves", "truncation"},
    4: {"files", "moves", "truncation", "tcp"},
    5: {"files", "moves", "truncation", "tcp", "device-ioctl"},
    6: {"files", "moves", "truncation", "tcp", "device-ioctl", "signals", "abstract-sockets"},
    7: {"files", "moves", "truncation", "tcp", "device-ioctl", "signals", "abstract-sockets"},
    8: {"files", "moves", "truncation", "tcp", "device-ioctl", "signals", "abstract-sockets"},
    9: {"files", "moves", "truncation", "tcp", "device-ioctl", "signals", "abstract-sockets", "unix-sockets"},
}


def expected(version: int) -> dict[str, str]:
    outcomes = dict.fromkeys(POSSIBLE, "ok") | COMMANDS
    for name, (since, error) in REFUSED_SINCE.items():
        outcomes[name] = error if version >= since else COMMANDS.get(name, "ok")
    outcomes["write: move to another folder"] = "ok" if version >= 2 else "EXDEV"
    return outcomes


@functools.cache
def tried(completed: bool) -> dict[tuple[int, int], dict[str, str]]:
    """The outcomes by ABI and uid, tried once."""
    outcomes = fresh(scenarios.confined, list(VERSIONS), UIDS, completed)
    return {(version, uid): found for version, uid, found in outcomes}


@pytest.mark.parametrize("uid", UIDS)
@pytest.mark.parametrize("version", VERSIONS)
def test_abi(version: int, uid: int) -> None:
    assert tried(completed=False)[version, uid] == expected(version)


@pytest.mark.parametrize("uid", UIDS)
def test_all_of_it_is_possible_without(uid: int) -> None:
    free: dict[str, str] = fresh(scenarios.free, uid)
    assert {name for name, outcome in free.items() if outcome != "ok"} == {
        *COMMANDS,
        *(["write: device"] if uid else []),
    }


# Without namespaces, and whatever Landlock there is: what the filter adds.
@pytest.mark.parametrize("uid", UIDS)
@pytest.mark.parametrize("version", VERSIONS)
def test_filter_completes_every_abi(version: int, uid: int) -> None:
    outcomes = tried(completed=True)[version, uid]
    assert {name for name in REFUSED_SINCE if outcomes[name] in {"ok", "ENOTTY"}} <= {"other device: command"}
    works = {"read: read", "read: list", "read: run", "write: overwrite", "write: make", "write: remove"}
    assert {outcomes[name] for name in works} == {"ok"}


@pytest.mark.parametrize("version", VERSIONS)
def test_holds_what_the_abi_confines(version: int) -> None:
    ruleset = landlock.prepare([], abi_at_most=version)
    os.close(ruleset.descriptor)
    assert ruleset.holds == HOLDS[version]


def test_newest_abi_is_used_unasked() -> None:
    ruleset = landlock.prepare([])
    os.close(ruleset.descriptor)
    assert ruleset.holds == HOLDS[min(HERE, landlock.REVIEWED_ABI)]


def test_no_landlock_is_unsupported() -> None:
    with pytest.raises(Unsupported, match="landlock"):
        landlock.prepare([], abi_at_most=0)


def test_missing_path_is_skipped_and_leaves_nothing_open(tmp_path: Path) -> None:
    before = scenarios.opened()
    ruleset = landlock.prepare([Rule(str(tmp_path / "missing" / "too"), Access.READ)])
    os.close(ruleset.descriptor)
    assert scenarios.opened() == before


def test_path_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    before = scenarios.opened()
    with pytest.raises(NotADirectoryError):
        landlock.prepare([Rule(str(tmp_path / "file" / "below"), Access.READ)])
    assert scenarios.opened() == before


def test_ruleset_is_kept_from_programs_and_closed_once_enforced() -> None:
    assert fresh(scenarios.descriptors) == [False, True]


def test_enforcing_what_is_no_ruleset_is_an_error() -> None:
    assert fresh(scenarios.no_ruleset) == "EBADFD"
