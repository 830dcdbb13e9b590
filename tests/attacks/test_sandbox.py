"""Every attack, in every tier, as root and as a user without privileges: it fails, and what would show if not is seen.

Each attack has an assertion of its own besides what must be so after all of them. Its control shows that this
assertion fires: it runs unconfined, in the same arena, and must fail it.
"""

import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import get_args

import pytest

import tests.attacks
from tests.attacks.arenas import Arena, Identity, seen_of
from tests.attacks.attack import LOOSE, Attack, is_contained
from tests.attacks.seen import Order

# Modules of attacks; each has a table ATTACKS.
PREFIXES = ("sandbox_", "own_")
TIERS = ("namespaces", "landlock")
ARENAS: list[tuple[Identity, str]] = [
    *((identity, tier) for identity in get_args(Identity) for tier in TIERS),
    ("user", "bubblewrap"),
]


def collected() -> dict[str, Attack]:
    """All attacks by name."""
    found: dict[str, Attack] = {}
    for module in pkgutil.iter_modules(tests.attacks.__path__):
        if module.name.startswith(PREFIXES):
            table: dict[str, Attack] = import_module(f"tests.attacks.{module.name}").ATTACKS
            assert not found.keys() & table.keys()
            found |= table
    return found


ATTACKS = collected()
# What takes long shows nothing in bubblewrap that it does not show in `landlock`, whose limits those are.
QUICK_SECONDS = 5.0
CASES = [
    (identity, tier, name)
    for identity, tier in ARENAS
    for name, attack in ATTACKS.items()
    if tier != "bubblewrap" or attack.limits.cell_seconds <= QUICK_SECONDS
]

Arenas = Callable[[Identity, str], Arena]


@pytest.fixture(scope="module")
def arena() -> Iterator[Arenas]:
    """`arena(identity, tier)`: the one arena of these, started when first asked for."""
    started: dict[tuple[Identity, str], Arena] = {}

    def give(identity: Identity, tier: str) -> Arena:
        for other in started.keys() - {(identity, tier)}:
            started.pop(other).close()
        return started.setdefault((identity, tier), Arena(identity, tier))

    yield give
    for arena in started.values():
        arena.close()


@pytest.mark.parametrize(("identity", "tier", "name"), CASES)
def test_attack_fails(identity: Identity, tier: str, name: str, arena: Arenas) -> None:
    attack = ATTACKS[name]
    order = Order(cells=attack.cells, limits=attack.limits, exercise=attack.exercise)
    seen = seen_of(arena(identity, tier), order)
    assert seen.fault == ""
    attack.must_not(seen)
    is_contained(seen)


@pytest.mark.parametrize("name", [name for name, attack in ATTACKS.items() if not attack.harmless])
def test_unconfined_it_shows(name: str, arena: Arenas) -> None:
    attack = ATTACKS[name]
    cells = attack.tame or attack.cells
    seen = seen_of(
        arena("root", "none"), Order(cells=cells, limits=LOOSE, exercise=attack.exercise, victim=True)
    )
    assert seen.fault == ""
    assert seen.alive
    with pytest.raises(AssertionError):
        attack.must_not(seen)
