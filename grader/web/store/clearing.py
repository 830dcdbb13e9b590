"""Forgets, in small transactions, and takes the files away that nobody wants any more.

First the rows go, then the files. Where a process is lost between the two, a file is left that no attempt refers to; `sweep` finds it.
"""

import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple

from grader.gradebook.batches import PAGE, pages
from grader.web.store import forgetting, origins
from grader.web.store.store import Store

# Seconds: what nobody refers to may be about to be handed in, or be wanted by a database that is being restored.
GRACE = 86_400.0


class Cleared(NamedTuple):
    """How much was forgotten for its age."""

    attempts: int
    people: int


def claim(store: Store) -> None:
    """Have the folder of files be this database's alone. Raises GradebookError where it is another's."""
    store.files.claim(store.write(origins.key))


def forget(store: Store, person: int) -> None:
    """Forget somebody, with their files."""
    discard(store, store.write(forgetting.person, person))


def remove(store: Store, code: str) -> None:
    """Forget a course and all in it, one after the other: called again, it goes on. Raises UsageError for an unknown one."""
    for person in store.read(forgetting.everyone, code):
        forget(store, person)
    discard(store, store.write(forgetting.course, code))


def expire(store: Store, days: int, stopping: Callable[[], bool] = lambda: False) -> Cleared:
    """Forget what was handed in more than so many days ago, and who has nothing here any more and did not come since."""
    before = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="milliseconds")
    attempts = people = 0
    count = PAGE
    while count == PAGE and not stopping():
        count, contents = store.write(forgetting.expire, before, PAGE)
        discard(store, contents)
        attempts += count
    while not stopping() and (idle := store.read(forgetting.idle, before, PAGE)):
        for person in idle:
            forget(store, person)
        people += len(idle)
    return Cleared(attempts, people)


def sweep(store: Store) -> int:
    """Take away the files that no attempt refers to and that have been there for a day, and visits that are over; how many files."""
    store.write(forgetting.over, time.time())
    return discard(store, set(store.files.older_than(time.time() - GRACE)))


def discard(store: Store, contents: AbstractSet[str]) -> int:
    """Take away the files of contents that nobody wants any more; how many."""
    gone = 0
    for page in pages(sorted(contents)):
        for one in set(page) - store.read(forgetting.wanted, set(page)):
            gone += store.files.drop(one, partial(_wanted, store, one))
    return gone


def _wanted(store: Store, content: str) -> bool:
    return bool(store.read(forgetting.wanted, {content}))
