"""The filter in force: real processes confine themselves, and try."""

import sys

import pytest

from tests import syscall_attempts as scenarios
from tests.attempts import fresh
from tests.everyday_attempts import everyday, messages

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")


@pytest.mark.parametrize("kind", ["job", "hosted"])
def test_forbidden_calls_are_refused(kind: str) -> None:
    refused: dict[str, str] = fresh(scenarios.refused, kind)
    assert len(refused) > 80
    assert set(refused.values()) == {"EPERM"}


def test_attacks_of_a_job_fail() -> None:
    no_network = dict.fromkeys(("tcp", "udp", "mptcp", "ipv6", "vsock", "alg", "tipc pair"), "EACCES")
    newer = [f"newer than reviewed: {number}" for number in range(463, 472)]
    unknown = dict.fromkeys(("clone3", "x32", *newer), "ENOSYS")
    assert fresh(scenarios.attacks) == {
        **no_network,
        **unknown,
        "netlink": "ENOTSUP",  # Python's name for EOPNOTSUPP
        "interfaces": "ENOTSUP",
        "new user namespace": "EPERM",
        "child of the parent": "EPERM",
        "type for others": "EPERM",
        "line discipline": "EPERM",
        "lease": "EPERM",
        "device": "EPERM",
        "core scheduling": "EPERM",
    }


@pytest.mark.skipif(scenarios.machine() != "x86_64", reason="calls of 32-bit x86")
def test_foreign_call_ends_the_process() -> None:
    # SIGSYS; where Linux is built without such calls, the instruction faults before any filter sees it.
    assert fresh(scenarios.foreign) in {"signal 31", "signal 11"}


HOSTED = {
    "limits of another": "EPERM",
    "own limits": "ok",
    "own limits, as 0": "ok",
    "priority of another": "EPERM",
    "priority of the user": "EPERM",
    "own priority": "ok",
    "signal another": "ok",  # Landlock's business
    "signal the group": "ok",
    "signal oneself": "ok",
    "signal a thread": "ok",
    "signal by descriptor": "EBADF",
    "own a descriptor": "EPERM",
    "unix socket": "EACCES",
    "datagrams": "EACCES",
    "packets": "ok",
    "connect": "EACCES",
    "bind": "EACCES",
    "listen": "EACCES",
    "truncate": "ok",  # Landlock's business
    "truncate while opening": "ok",
    "truncate while opening for nothing": "ok",
    "write": "ok",
    "file that runs as its owner": "EPERM",
    "pipe that runs as its owner": "EPERM",
    "watch": "EPERM",
    "openat2": "ENOSYS",
    "read attributes": "ENOTSUP",
    "set attributes": "ENOTSUP",
    "set to now": "EACCES",
}
OLD_LANDLOCK = {
    "signal another": "EPERM",
    "signal the group": "EPERM",
    "signal a thread": "EPERM",
    "signal by descriptor": "EPERM",
    "truncate": "EACCES",
    "truncate while opening": "EACCES",
    "truncate while opening for nothing": "EACCES",
}


@pytest.mark.parametrize(
    ("kind", "expected"), [("hosted", HOSTED), ("old", HOSTED | OLD_LANDLOCK)], ids=["hosted", "old Landlock"]
)
def test_attacks_of_a_hosted_job_fail(kind: str, expected: dict[str, str]) -> None:
    assert fresh(scenarios.hosted_attacks, kind) == expected


def test_everyday_work_goes_on() -> None:
    outcomes: dict[str, dict[str, str]] = fresh(everyday)
    assert {kind: len(table) for kind, table in outcomes.items()} == {"job": 15, "hosted": 8, "old": 8}
    assert {
        (kind, name): got for kind, table in outcomes.items() for name, got in table.items() if got != "ok"
    } == {}


def test_messages_pass_through_sockets_that_were_handed_in() -> None:
    assert fresh(messages) == {"job": "HELLO", "hosted": "HELLO", "old": "HELLO"}


def test_hosted_job_changes_no_modes_and_times() -> None:
    assert fresh(scenarios.imitated, "job") == [True, True]
    assert fresh(scenarios.imitated, "hosted") == [False, False]


def test_filter_reaches_threads_programs_and_other_users() -> None:
    thread, program, unprivileged = fresh(scenarios.inherited)
    assert (thread, program, unprivileged) == ("ok EACCES", "EACCES", "EACCES")


def test_thread_with_a_filter_of_its_own_is_an_error() -> None:
    assert fresh(scenarios.diverged) == "EBUSY ok"
