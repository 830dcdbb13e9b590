"""Messages forged in a kernel, which no tier can prevent: one arena is as good as another to hear them in."""

from collections.abc import Iterator

import pytest

from tests.attacks.arenas import Arena, seen_of
from tests.attacks.attack import LOOSE, is_contained
from tests.attacks.messages import ATTACKS
from tests.attacks.seen import Order


@pytest.fixture(scope="module")
def confined() -> Iterator[Arena]:
    arena = Arena("user", "namespaces")
    yield arena
    arena.close()


@pytest.fixture(scope="module")
def unconfined() -> Iterator[Arena]:
    arena = Arena("root", "none")
    yield arena
    arena.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ATTACKS)
def test_a_forged_message_does_nothing(name: str, confined: Arena) -> None:
    attack = ATTACKS[name]
    seen = seen_of(confined, Order(cells=attack.cells, limits=attack.limits, exercise=attack.exercise))
    attack.must_not(seen)
    is_contained(seen)


@pytest.mark.slow
@pytest.mark.parametrize("name", ATTACKS)
def test_without_bounds_or_forgery_it_shows(name: str, unconfined: Arena) -> None:
    attack = ATTACKS[name]
    cells = attack.tame or attack.cells
    seen = seen_of(unconfined, Order(cells=cells, limits=LOOSE, exercise=attack.exercise, victim=True))
    assert (seen.fault, seen.alive) == ("", True)
    with pytest.raises(AssertionError):
        attack.must_not(seen)
