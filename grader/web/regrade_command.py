"""What `grader course regrade` does: begin a regrade, tell what it would change, let it count, drop it."""

from collections.abc import Callable
from typing import NamedTuple

from grader.errors import UsageError
from grader.exercise import course_folder, load_exercise
from grader.gradebook.records import Identity
from grader.model import Text
from grader.settings import Settings
from grader.web.identities import identified
from grader.web.store import courses, previews, regrades
from grader.web.store.records import Asked
from grader.web.store.store import Store

Tell = Callable[[Text], None]


class Wish(NamedTuple):
    """What was asked for: an assignment, by its course and exercise, and by number where these are not enough; anew, confirm, drop: see the command."""

    code: str
    exercise: str
    assignment: int | None
    anew: bool
    confirm: bool
    drop: bool


def carry_out(wish: Wish, store: Store, settings: Settings, tell: Tell) -> bool:
    """Do it; False where it cannot be done now. Raises UsageError for an unknown assignment, and what cannot be done at once."""
    if wish.confirm + wish.drop + wish.anew > 1:
        raise UsageError("course-regrade-one-of")
    asked = store.read(courses.asks, wish.code, wish.exercise, wish.assignment)
    open_ = store.read(regrades.of_assignment, asked.id)
    if wish.confirm or wish.drop:
        if open_ is None:
            raise UsageError("course-regrade-none", exercise=wish.exercise)
        return _settle(wish, store, asked, open_, _today(wish, settings), tell)
    if open_ is not None:
        _show(store, asked, open_, tell)
        return True
    begun = store.write(regrades.begin, asked, _today(wish, settings), anew=wish.anew)
    if begun is None:
        tell(Text(id="regrade-nothing"))
    else:
        own = store.read(regrades.regraded, asked.course, begun)
        tell(Text(id="course-regrade", params={"count": 0 if own is None else own.total}))
    return True


def _settle(  # noqa: PLR0913, PLR0917 - what is decided, of what
    wish: Wish, store: Store, asked: Asked, regrade: int, today: Identity, tell: Tell
) -> bool:
    if wish.drop:
        why = store.write(regrades.drop, regrade)
    else:
        why = store.write(regrades.confirm, asked, regrade, today)
        while why is None and store.write(regrades.proceed):
            pass
    tell(why or Text(id="regrade-dropped" if wish.drop else "regrade-counted"))
    return why is None


def _show(store: Store, asked: Asked, regrade: int, tell: Tell) -> None:
    own = store.read(regrades.regraded, asked.course, regrade)
    if own is None or own.settled is not None:
        return
    tell(Text(id="regrade-so-far", params={"done": own.done, "total": own.total}))
    for one in store.read(previews.preview, asked, regrade):
        params: dict[str, str | int | float | bool | None] = {
            "name": one.name or one.pseudonym,
            "now": "–" if one.now is None else one.now[0],
            "then": "–" if one.then is None else one.then[0],
        }
        tell(Text(id="course-regrade-line", params=params))


def _today(wish: Wish, settings: Settings) -> Identity:
    return identified("", load_exercise(course_folder(settings.course), wish.exercise), settings)
