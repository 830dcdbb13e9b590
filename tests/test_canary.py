"""The canary: it comes back with nothing wherever something confines it, and with everything where nothing does."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from grader.errors import KernelFault
from grader.exercise import course_folder
from grader.kernel import canary as canaries
from grader.kernel.canary import canary
from grader.kernel.pool import Kernels
from grader.model import Breach, BreachKind, Limits, SandboxChoice
from grader.settings import Settings

COURSE = course_folder(None)
CONFINED: tuple[SandboxChoice, ...] = ("namespaces", "bubblewrap", "landlock")


@pytest.fixture(scope="module")
def unconfined() -> Iterator[Kernels]:
    """Kernels that nothing confines."""
    with Kernels(Settings(sandbox="none")) as kernels:
        yield kernels


@pytest.mark.parametrize("tier", CONFINED)
def test_it_comes_back_with_nothing(tier: SandboxChoice) -> None:
    with Kernels(Settings(sandbox=tier)) as kernels:
        try:
            assert kernels.sandbox.tier == tier
        except KernelFault as fault:
            pytest.skip(str(fault))
        assert canary(kernels, COURSE) == ()


def test_unconfined_it_gets_everywhere(unconfined: Kernels) -> None:
    found = canary(unconfined, COURSE)
    assert {breach.kind for breach in found} == {*get_args(BreachKind)} - {"not-run"}
    read = {breach.detail for breach in found if breach.kind == "read-course"}
    assert {str(path) for path in (COURSE / "reference").glob("*.py")} <= read
    assert any(path.endswith("checks.py") for path in read)


def test_what_it_finds_again_and_again_is_only_its_own(unconfined: Kernels) -> None:
    details = [{breach.detail for breach in canary(unconfined, COURSE)} for _ in range(2)]
    made = details[0] - details[1]
    assert made
    assert all(Path(path).name in {"token", "precious", "cmdline"} or "grader-" in path for path in made)
    assert not any(Path(path).exists() for path in made)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("raise OSError('no')", "no"),
        ("import os; os._exit(0)", "kernel-died"),
        ("while True: pass", "time-limit"),
        ("print('nothing found')", "malformed"),
        ("", "truncated"),
    ],
)
def test_a_canary_that_does_not_come_back_is_a_breach(
    cell: str, said: str, unconfined: Kernels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canaries.Stage, "cell", lambda _: cell)
    monkeypatch.setattr(canaries, "LIMITS", Limits(cell_seconds=1.0))
    (found,) = canary(unconfined, COURSE)
    assert found.kind == "not-run"
    assert said in found.detail


def test_a_kernel_that_does_not_start_is_a_breach(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_nothing(*_: object) -> None:
        raise KernelFault("kernel-not-started", reason="no room")

    monkeypatch.setattr(Kernels, "open", open_nothing)
    with Kernels(Settings(sandbox="none")) as kernels:
        assert canary(kernels, COURSE) == (Breach(kind="not-run", detail="kernel-not-started, no room"),)
