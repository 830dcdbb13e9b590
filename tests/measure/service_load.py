"""A class that hands in at the service all at once: learners at a steady pace, pages looked at meanwhile, and a crash if one is asked for."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import httpx

from grader.web.store import people
from grader.web.store.codes import digest
from grader.web.store.store import Store
from tests.measure.bench_batch_class import sample_cells
from tests.web_running import Place

PAGES_A_SECOND = 8.0
# How long a learner whose file was not acknowledged tries again, and how often.
PATIENCE, AGAIN = 60.0, 0.5


class Learner(NamedTuple):
    """Somebody signed in: the token of their cookie; and what they hand in."""

    token: str
    content: bytes

    @property
    def headers(self) -> dict[str, str]:
        return {"cookie": f"grader={self.token}"}


class Load(NamedTuple):
    """Seconds that each upload took to be acknowledged, the first time that was tried; seconds of each page, by what it was."""

    acknowledged: list[float]
    tried_again: int
    pages: dict[str, list[float]]


def learners(place: Place, count: int, first: int = 0) -> list[Learner]:
    """So many learners in the course, each with a right submission that no other has."""
    with place.store() as store:
        return [_learner(store, number) for number in range(first, first + count)]


def teacher(place: Place) -> str:
    """The token of the course's teacher."""
    with place.store() as store:
        known = store.write(people.teacher_of_code, place.teacher_code)
        assert known is not None
        return store.write(people.begin_visit, known)


def handed_in(
    url: Callable[[], str],
    classmates: Sequence[Learner],
    teacher_token: str,
    *,
    seconds: float,
    meanwhile: Callable[[], None] | None = None,
) -> Load:
    """All hand in, evenly over so many seconds. meanwhile: done in a thread of its own when half of the time is over."""
    return asyncio.run(_handed_in(url, classmates, teacher_token, seconds, meanwhile))


def _learner(store: Store, number: int) -> Learner:
    person, _ = store.write(people.join, 1, f"Learner {number}")
    source = "\n\n".join(sample_cells(number))
    return Learner(store.write(people.begin_visit, person), source.encode())


async def _handed_in(
    url: Callable[[], str],
    classmates: Sequence[Learner],
    teacher_token: str,
    seconds: float,
    meanwhile: Callable[[], None] | None,
) -> Load:
    load, began = Load([], 0, {}), time.perf_counter()
    over = asyncio.Event()
    async with httpx.AsyncClient(timeout=PATIENCE, limits=httpx.Limits(max_connections=200)) as client:
        looking = asyncio.create_task(_look(client, url, classmates, teacher_token, load, over))
        crash = None if meanwhile is None else asyncio.create_task(_later(seconds / 2, meanwhile))
        sending = []
        for number, learner in enumerate(classmates):
            await asyncio.sleep(began + number * seconds / len(classmates) - time.perf_counter())
            sending.append(asyncio.create_task(_hand_in(client, url, learner, load)))
        again = sum(await asyncio.gather(*sending))
        over.set()
        await looking
        if crash is not None:
            await crash
    return load._replace(tried_again=again)


async def _later(seconds: float, work: Callable[[], None]) -> None:
    await asyncio.sleep(seconds)
    await asyncio.to_thread(work)


async def _hand_in(client: httpx.AsyncClient, url: Callable[[], str], learner: Learner, load: Load) -> int:
    """Hand in until it is acknowledged; how often it had to be tried again."""
    form = {"csrf": digest("csrf", learner.token)}
    deadline = time.monotonic() + PATIENCE
    for tries in range(int(PATIENCE / AGAIN)):
        began = time.perf_counter()
        try:
            answer = await client.post(
                f"{url()}/assignments/1/attempts",
                data=form,
                files={"file": ("line.py", learner.content)},
                headers=learner.headers,
            )
        except httpx.TransportError:
            assert time.monotonic() < deadline
            await asyncio.sleep(AGAIN)
            continue
        assert answer.status_code == 303, answer.text
        if not tries:
            load.acknowledged.append(time.perf_counter() - began)
        return tries
    raise AssertionError("never acknowledged")


async def _look(  # noqa: PLR0917 - who looks at what
    client: httpx.AsyncClient,
    url: Callable[[], str],
    classmates: Sequence[Learner],
    teacher_token: str,
    load: Load,
    over: asyncio.Event,
) -> None:
    chosen = random.Random(0)
    teacher_headers = {"cookie": f"grader={teacher_token}"}
    while not over.is_set():
        learner = chosen.choice(classmates)
        for what, path, headers in (
            ("course", "/course", learner.headers),
            ("assignment", "/assignments/1", learner.headers),
            ("class", "/assignments/1/class", teacher_headers),
            ("attempt", "/attempts/1", teacher_headers),
        ):
            began = time.perf_counter()
            try:
                answer = await client.get(f"{url()}{path}", headers=headers)
            except httpx.TransportError:
                await asyncio.sleep(AGAIN)
                continue
            if answer.status_code == 200:
                load.pages.setdefault(what, []).append(time.perf_counter() - began)
            await asyncio.sleep(max(0.0, began + 1 / PAGES_A_SECOND - time.perf_counter()))
