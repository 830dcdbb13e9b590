"""Every attack, as root and as a user without privileges: it fails, and what would show if not is seen.

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


def collected() -> dict[str, dict[str, Attack]]:
    """The tables of attacks by the names of their modules."""
    found: dict[str, dict[str, Attack]] = {}
    for module in pkgutil.iter_modules(tests.attacks.__path__):
        if module.name.startswith(PREFIXES):
            table: dict[str, Attack] = import_module(f"tests.attacks.{module.name}").ATTACKS
            assert not any(table.keys() & other.keys() for other in found.values())
            found[module.name] = table
    return found


TABLES = collected()
ATTACKS = {name: attack for table in TABLES.values() for name, attack in table.items()}
# Every attack runs as root and as a user, in `namespaces` and in `landlock`. Bubblewrap puts walls of its own around
# what is else `landlock`: there the attacks on walls run, and of those on limits and on results, which are the same,
# the one that takes the most.
NOT_ON_WALLS = TABLES["sandbox_exhausting"].keys() | TABLES["sandbox_forging"].keys()
QUICK_SECONDS = 5.0
IN_BUBBLEWRAP = {
    "res-fork-bomb",
    *(name for name in ATTACKS.keys() - NOT_ON_WALLS if ATTACKS[name].limits.cell_seconds <= QUICK_SECONDS),
}
# In every run of the suite: each tier once, and each identity once, where it matters for the attack; all else are slow ends.
ON_WALLS = ATTACKS.keys() - NOT_ON_WALLS
IN_EVERY_RUN = {("root", "namespaces"): ATTACKS.keys(), ("user", "landlock"): ON_WALLS | {"res-fork-bomb"}}
CASES = [
    pytest.param(
        identity, tier, name, marks=() if name in IN_EVERY_RUN.get((identity, tier), ()) else pytest.mark.slow
    )
    for identity, tier in ARENAS
    for name in ATTACKS
    if tier != "bubblewrap" or name in IN_BUBBLEWRAP
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


@pytest.mark.slow
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
