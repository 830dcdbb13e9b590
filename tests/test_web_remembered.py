"""What LTI remembers, on SQLite and on a real PostgreSQL server: each state once, keys in one step, stamps that only go up."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import pytest

from grader.lms.lti.records import LoginState, Platform, SigningKey
from grader.web.store import platforms
from grader.web.store.remembered import Remembered
from grader.web.store.store import Store

ISSUER, NOW, AT_ONCE = "https://lms.example.org", 1_800_000_000.0, 6
PLATFORM = Platform(
    issuer=ISSUER,
    client_id="one",
    deployments=("1",),
    login_url=f"{ISSUER}/auth",
    token_url=f"{ISSUER}/token",
    jwks_url=f"{ISSUER}/jwks",
    name="School",
)
T = TypeVar("T")


@pytest.fixture
def store(each_store: Store) -> Store:
    return each_store


def state(key: str, expires: float = NOW + 600) -> LoginState:
    return LoginState(
        state=key,
        nonce="n",
        browser="b",
        issuer=ISSUER,
        client_id="one",
        deployment="",
        target=ISSUER,
        expires=expires,
        storage="frame",
    )


def key(name: str) -> SigningKey:
    return SigningKey(id=name, pem="pem", made=NOW + 0.25)


def at_once(work: Callable[[int], T]) -> list[T]:
    """What each of several threads is answered that begin together."""
    begin = Barrier(AT_ONCE)

    def begun(number: int) -> T:
        begin.wait()
        return work(number)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(begun, range(AT_ONCE)))


def test_platforms_are_found_to_the_letter(store: Store) -> None:
    remembered = Remembered(store)
    two = Platform(
        **{name: getattr(PLATFORM, name) for name in PLATFORM.__struct_fields__} | {"client_id": "two"}
    )
    for one in (PLATFORM, two):
        store.write(platforms.register, one)
    assert remembered.of(ISSUER, None) == [PLATFORM, two]
    assert remembered.of(ISSUER, "two") == [two]
    for issuer, client in ((f"{ISSUER}/", None), (ISSUER.upper(), None), (ISSUER, "three"), (ISSUER, "")):
        assert remembered.of(issuer, client) == []


def test_a_platform_that_is_registered_again_keeps_its_deployments(store: Store) -> None:
    store.write(platforms.register, PLATFORM)
    again = {name: getattr(PLATFORM, name) for name in PLATFORM.__struct_fields__}
    store.write(platforms.register, Platform(**again | {"deployments": ("2", "1"), "name": "New"}))
    (found,) = store.read(platforms.registered)
    assert (found.deployments, found.name) == (("1", "2"), "New")


def test_of_many_who_take_a_state_one_is_given_it(store: Store) -> None:
    remembered = Remembered(store, lambda: NOW)
    remembered.keep(state("a"))
    assert remembered.look("a") == state("a")
    taken = at_once(lambda _: remembered.take("a"))
    assert [one for one in taken if one is not None] == [state("a")]
    assert remembered.look("a") is remembered.take("a") is remembered.take("b\0\ud800") is None


def test_states_that_are_over_are_forgotten(store: Store) -> None:
    clock = [NOW]
    remembered = Remembered(store, lambda: clock[0])
    remembered.keep(state("old"))
    clock[0] += 600
    remembered.keep(state("new", clock[0] + 600))
    assert remembered.look("old") is None
    assert remembered.look("new") is not None


def test_of_many_who_exchange_keys_one_does(store: Store) -> None:
    remembered = Remembered(store)
    assert remembered.keys() == ()
    done = at_once(lambda number: remembered.exchange((), (key(str(number)),)))
    assert sorted(done) == [*[False] * (AT_ONCE - 1), True]
    (first,) = remembered.keys()
    assert (first.pem, first.made) == ("pem", NOW + 0.25)
    done = at_once(lambda number: remembered.exchange((first,), (first, key(f"next {number}"))))
    assert done.count(True) == 1
    assert len(remembered.keys()) == 2
    assert remembered.exchange(remembered.keys()[::-1], (first,))  # in any order


def test_stamps_only_go_up_and_none_is_given_twice(store: Store) -> None:
    remembered = Remembered(store)
    now = int(NOW * 1000)
    given = at_once(lambda _: remembered.next("column", "ann", now))
    assert sorted(given) == list(range(now, now + AT_ONCE))
    assert remembered.next("column", "bob", now) == remembered.next("other", "ann", now) == now
    assert remembered.next("column", "ann", now + 1000) == now + 1000
    assert remembered.next("column", "ann", now) == now + 1001
