"""The filter on paper: what it answers to which call, on both architectures."""

import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.kernel.sandbox import bpf, verdicts
from grader.kernel.sandbox.seccomp import Profile, program
from grader.kernel.sandbox.syscalls import numbers
from grader.kernel.sandbox.system import Architecture
from tests.bpf_machine import ALLOW, AUDIT_ARCHITECTURE, KILL, LOAD, RETURN, answer
from tests.made_verdicts import ENOSYS, EPERM, OF_A_HOSTED_JOB, OF_A_JOB, OF_EVERY_JOB, OF_OLD_LANDLOCK, PID

MACHINES: tuple[Architecture, ...] = get_args(Architecture)
JOB, HOSTED = Profile(None), Profile(PID)
OLD_LANDLOCK = Profile(PID, scopes_signals=False, controls_truncation=False)
REVIEWED = {
    "x86_64": {*range(335), *range(424, 463)},
    "aarch64": {*range(244), *range(260, 295), *range(424, 463)},
}
HEADERS: dict[Architecture, Path] = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}

machines = st.sampled_from(MACHINES)
pids = st.integers(2, 2**22)
profiles = st.builds(Profile, st.none() | pids, st.booleans(), st.booleans())
words = st.integers(0, 2**32 - 1)
arguments = st.lists(st.integers(0, 2**64 - 1), min_size=6, max_size=6)

TABLES = {
    JOB: [*OF_EVERY_JOB, *OF_A_JOB],
    HOSTED: [*OF_EVERY_JOB, *OF_A_HOSTED_JOB],
    OLD_LANDLOCK: [*OF_EVERY_JOB, *OF_OLD_LANDLOCK],
}


def answered(machine: Architecture, profile: Profile, number: int, *arguments: int) -> str | int:
    return answer(program(machine, profile), AUDIT_ARCHITECTURE[machine], number, arguments)


def called(machine: Architecture, profile: Profile, name: str, *arguments: int) -> str | int:
    number = numbers(machine)[name]
    assert number is not None
    return answered(machine, profile, number, *arguments)


def everyones_verdicts() -> set[str]:
    some = verdicts.for_every_job, verdicts.where_truncation_escapes
    of_a_pid = verdicts.for_hosted_job, verdicts.where_signals_escape
    return {name for table in some for name, _ in table()} | {
        name for table in of_a_pid for name, _ in table(PID)
    }


# ---- what it answers ----------------------------------------------------------------------------


@pytest.mark.parametrize("profile", TABLES)
@pytest.mark.parametrize("machine", MACHINES)
def test_answers(machine: Architecture, profile: Profile) -> None:
    rows = [row for row in TABLES[profile] if numbers(machine)[row[0]] is not None]
    assert len(rows) > len(TABLES[profile]) - 20
    answers = [(name, passed, called(machine, profile, name, *passed)) for name, passed, _ in rows]
    assert answers == rows


@pytest.mark.parametrize("profile", TABLES)
@pytest.mark.parametrize("machine", MACHINES)
def test_refused_calls_fail_whatever_is_passed(machine: Architecture, profile: Profile) -> None:
    refused = [name for names in verdicts.REFUSED.values() for name in names.split()]
    assert len(refused) > 80
    for name in refused:
        if numbers(machine)[name] is not None:
            assert called(machine, profile, name) == EPERM, name
            assert called(machine, profile, name, *[2**64 - 1] * 6) == EPERM, name


@pytest.mark.parametrize("machine", MACHINES)
def test_everyday_calls_are_allowed_to_every_job(machine: Architecture) -> None:
    everyday = {  # read, write, close, mmap, brk, futex, execve, exit_group, wait4, poll, getrandom, rseq, accept4, sendmsg, recvmsg
        "x86_64": (0, 1, 3, 9, 12, 202, 59, 231, 61, 7, 318, 334, 288, 46, 47),
        "aarch64": (63, 64, 57, 222, 214, 98, 221, 94, 260, 73, 278, 293, 242, 211, 212),
    }
    for number in everyday[machine]:
        assert [answered(machine, profile, number) for profile in (JOB, HOSTED, OLD_LANDLOCK)] == [ALLOW] * 3


def test_nothing_is_judged_twice() -> None:
    judged = [name for name, _ in verdicts.for_every_job()]
    assert len(judged) == len(set(judged))


def test_hosted_process_is_one_number_and_no_other() -> None:
    assert called("x86_64", Profile(7), "prlimit64", 7) == ALLOW
    assert called("x86_64", Profile(7), "prlimit64", PID) == EPERM


@given(machines, pids, st.integers(0, 462), arguments)
def test_hosted_job_may_do_no_more_than_a_job(
    machine: Architecture, pid: int, number: int, arguments: list[int]
) -> None:
    answers = [
        answered(machine, profile, number, *arguments) == ALLOW
        for profile in (JOB, Profile(pid), Profile(pid, scopes_signals=False, controls_truncation=False))
    ]
    assert answers == sorted(answers, reverse=True)


@given(machines, profiles, st.sampled_from(sorted(everyones_verdicts())), arguments, arguments)
def test_upper_halves_of_arguments_do_not_matter(
    machine: Architecture, profile: Profile, name: str, arguments: list[int], others: list[int]
) -> None:
    number = numbers(machine)[name]
    if number is None or name.startswith("ut") or name == "futimesat":  # times are pointers
        return
    other = [high & ~0xFFFFFFFF | low & 0xFFFFFFFF for high, low in zip(others, arguments, strict=True)]
    assert answered(machine, profile, number, *arguments) == answered(machine, profile, number, *other)


# ---- what it does not know ----------------------------------------------------------------------


@given(machines, profiles, words, arguments)
def test_unreviewed_numbers_do_not_exist(
    machine: Architecture, profile: Profile, number: int, arguments: list[int]
) -> None:
    if number not in REVIEWED[machine]:
        assert answered(machine, profile, number, *arguments) == ENOSYS


@pytest.mark.parametrize("machine", MACHINES)
def test_edges_of_what_was_reviewed(machine: Architecture) -> None:
    x32 = range(0x40000000, 0x40000300)
    for number in (*range(600), *x32, 2**31 - 1, 2**31, 2**32 - 1):
        reviewed = number in REVIEWED[machine]
        assert (answered(machine, JOB, number) == ENOSYS) == (not reviewed or number == 435), number


@given(machines, profiles, words, words, arguments)
def test_other_architectures_are_killed(
    machine: Architecture, profile: Profile, architecture: int, number: int, arguments: list[int]
) -> None:
    expected = architecture == AUDIT_ARCHITECTURE[machine]
    assert (answer(program(machine, profile), architecture, number, arguments) != KILL) == expected


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("architecture", [0x40000003, 0x40000028, *AUDIT_ARCHITECTURE.values()])
def test_known_architectures(machine: Architecture, architecture: int) -> None:
    killed = answer(program(machine, JOB), architecture, 0) == KILL
    assert killed == (architecture != AUDIT_ARCHITECTURE[machine])


# ---- that the kernel takes it -------------------------------------------------------------------


@given(machines, profiles)
def test_program_is_valid(machine: Architecture, profile: Profile) -> None:
    filter_ = program(machine, profile)
    assert 0 < len(filter_) <= 4096
    for position, (code, if_true, if_false, operand) in enumerate(filter_):
        assert code in {LOAD, 0x54, 0x15, 0x25, 0x35, 0x45, RETURN}
        assert 0 <= operand < 2**32
        assert code != LOAD or (operand % 4 == 0 and operand < 64)
        # Every jump lands inside and leads forward, so that every way ends, and in the last instruction at the latest.
        assert 0 <= if_true < 256
        assert 0 <= if_false < 256
        assert code == RETURN or position + 1 + max(if_true, if_false) < len(filter_)
    assert filter_[-1].code == RETURN
    assert len(bpf.encoded(filter_)) == 8 * len(filter_)


def test_block_that_is_too_long_is_no_filter() -> None:
    block = bpf.when_equal(1, *[bpf.allow()] * 300)
    with pytest.raises(Exception, match="ubyte format"):
        bpf.encoded(block)


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100))
def test_between_includes_both_ends(first: int, last: int, number: int) -> None:
    block = bpf.joined((bpf.load(bpf.CALL_NUMBER), bpf.when_between(first, last, bpf.refuse(1)), bpf.allow()))
    assert (answer(block, 0, number) == 1) == (first <= number <= last)


@given(st.integers(0, 2**64 - 1) | st.sampled_from([0, 1, 2**32, 2**63]))
def test_null_is_all_of_an_argument(value: int) -> None:
    block = bpf.joined((bpf.when_null(2, bpf.refuse(1)), bpf.allow()))
    assert (answer(block, 0, 0, [7, 7, value]) == 1) == (value == 0)


# ---- its numbers --------------------------------------------------------------------------------


@pytest.mark.parametrize("machine", MACHINES)
def test_numbers_are_the_headers(machine: Architecture) -> None:
    if not HEADERS[machine].exists():
        pytest.skip("the kernel's headers are not installed")
    defined = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", HEADERS[machine].read_text("utf-8"))
    theirs = {name: int(number) for name, number in defined}
    newest = max(theirs.values())
    for name, number in numbers(machine).items():
        if number is None or number < newest:
            assert theirs.get(name) == number, name


def test_numbers_that_are_newer_than_most_headers() -> None:
    newer = {"cachestat": 451, "fchmodat2": 452, "statmount": 457, "listmount": 458, "lsm_set_self_attr": 460}
    for machine in MACHINES:
        assert {name: number for name, number in numbers(machine).items() if (number or 0) > 450} == newer


def test_every_listed_call_is_judged_or_made() -> None:
    made = {"seccomp", "capset", *(name for name in numbers("x86_64") if name.startswith("landlock"))}
    assert set(numbers("x86_64")) == everyones_verdicts() | made
