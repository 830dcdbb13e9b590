"""Grading again: what would be graded, how far it is, what would change, and what a teacher decides of it."""

from starlette.responses import Response

from grader.gradebook.records import Identity
from grader.model import Text
from grader.web.identities import identified
from grader.web.learner import own_attempt, sandboxed, worded
from grader.web.service import Call, Refusal
from grader.web.store import courses, previews, regrades
from grader.web.store.records import Asked, Regraded, Tried
from grader.web.titles import title

# Rounds in which results are made to count before the page is answered; the engine does what is left.
ROUNDS = 10
# Learners who are listed; of a class in which all changes the first are enough to see why.
MOST_ROWS = 500


def offer(call: Call) -> Response:
    """What there is to grade again at an assignment, and why that would change something or nothing."""
    return _offer(call, call.assignment())


def begin(call: Call) -> Response:
    """Grade what has changed, or all, again."""
    return _begin(call, call.assignment())


def offer_one(call: Call) -> Response:
    """The same of one attempt."""
    tried = own_attempt(call)
    return _offer(call, _asked(call, tried.assignment), tried)


def begin_one(call: Call) -> Response:
    """Grade one attempt again."""
    tried = own_attempt(call)
    return _begin(call, _asked(call, tried.assignment), tried)


def regrade(call: Call) -> Response:
    """How far it is, and what would change."""
    return _regrade(call, _own(call))


def settle(call: Call) -> Response:
    """Let what was found count, or drop it."""
    own, store = _own(call), call.service.store
    asked = _asked(call, own.assignment)
    if call.field("do") == "count":
        why = store.write(regrades.confirm, asked, own.id, _today(call, asked), call.field("seen"))
    elif call.field("do") == "drop":
        why = store.write(regrades.drop, own.id)
    else:
        raise Refusal(400, Text(id="web-malformed"))
    if why is not None:
        return _regrade(call, own, why)
    for _ in range(ROUNDS):
        if not store.write(regrades.proceed):
            break
    call.service.queued()
    return call.go(f"/regrades/{own.id}")


def trial_report(call: Call) -> Response:
    """The report of an attempt as it would be."""
    found = call.service.store.read(previews.report, _own(call).id, call.number("attempt"))
    if found is None:
        raise Refusal(404, Text(id="web-not-found"))
    return sandboxed(worded(call, found))


def _offer(call: Call, asked: Asked, tried: Tried | None = None) -> Response:
    store, today = call.service.store, _today(call, asked)
    return call.page(
        "regrade_offer",
        asked=asked,
        title=title(call, asked),
        tried=tried,
        same=tried is not None and store.read(regrades.is_same, tried.id, today),
        all=store.read(regrades.gradable, asked, today),
        today=today,
        open=store.read(regrades.of_assignment, asked.id),
    )


def _begin(call: Call, asked: Asked, tried: Tried | None = None) -> Response:
    begun = call.service.store.write(
        regrades.begin,
        asked,
        _today(call, asked),
        person=call.who.person,
        attempt=None if tried is None else tried.id,
        anew=call.field("anew") == "yes",
    )
    if begun is None:
        return _offer(call, asked, tried)
    call.service.queued()
    return call.go(f"/regrades/{begun}")


def _regrade(call: Call, own: Regraded, why: Text | None = None) -> Response:
    store = call.service.store
    asked = _asked(call, own.assignment)
    changed = [] if own.settled else store.read(previews.preview, asked, own.id)
    return call.page(
        "regrade",
        200 if why is None else 409,
        asked=asked,
        title=title(call, asked),
        regrade=own,
        rows=changed[:MOST_ROWS],
        more=len(changed[MOST_ROWS:]),
        moved=sum(one.now != one.then for one in changed),
        seen=previews.digest(changed),
        outdated=store.read(previews.outdated, own.id, _today(call, asked)),
        why=why,
    )


def _own(call: Call) -> Regraded:
    """The regrade in the address, of the visitor's course. Raises Refusal."""
    found = call.service.store.read(regrades.regraded, call.who.course, call.number("regrade"))
    if found is None:
        raise Refusal(404, Text(id="web-not-found"))
    return found


def _asked(call: Call, assignment: int) -> Asked:
    found = call.service.store.read(courses.assignment, call.who.course, assignment)
    assert found is not None
    return found


def _today(call: Call, asked: Asked) -> Identity:
    """What makes gradings the same today, of any file."""
    return identified("", call.service.exercise(asked.exercise), call.service.settings)
