"""The attempts that a person should look at, why, and who has."""

from starlette.responses import Response

from grader.model import Report, Text
from grader.report.document import reasons_to_review
from grader.web.learner import own_attempt
from grader.web.service import Call
from grader.web.store import courses, reviews
from grader.web.store.records import Asked, Look
from grader.web.titles import title


def queue(call: Call) -> Response:
    """What is to be looked at, and what somebody has looked at."""
    return _queue(call, call.assignment())


def settle(call: Call) -> Response:
    """Note that the visitor has looked at an attempt, and is content."""
    tried, seen = own_attempt(call), call.field("seen")
    asked = call.service.store.read(courses.assignment, call.who.course, tried.assignment)
    assert asked is not None
    saw = int(seen) if seen.isascii() and seen.isdigit() else None
    if not call.service.store.write(reviews.settle, tried.id, saw, call.who.person):
        return _queue(call, asked, Text(id="look-moved"))
    return call.go(f"/assignments/{asked.id}/reviews")


def _queue(call: Call, asked: Asked, why: Text | None = None) -> Response:
    looks, more = call.service.store.read(reviews.open_, asked)
    return call.page(
        "reviews",
        200 if why is None else 409,
        asked=asked,
        title=title(call, asked),
        rows=[(one, _reasons(call, asked, one)) for one in looks],
        more=more,
        settled=call.service.store.read(reviews.settled, asked),
        why=why,
    )


def _reasons(call: Call, asked: Asked, look: Look) -> list[str]:
    """Why a person should look, in words."""
    report = Report(
        exercise=asked.exercise,
        submission=look.tried.file,
        sha256=look.tried.sha256,
        status="graded" if look.tried.score is not None else "ungradable",
        score=look.tried.score,
        max_score=look.tried.max_score or 0.0,
        needs_review=look.why,
    )
    return reasons_to_review(report, call.service.exercise(asked.exercise), call.spoken)
