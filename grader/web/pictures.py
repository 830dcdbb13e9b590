"""The class as a picture: scores, mistakes, similar solutions, and two of these side by side."""

from collections.abc import Sequence

import msgspec
from starlette.responses import Response

from grader.model import Text
from grader.outcome.brief import Brief, brief
from grader.report import overview
from grader.report.html.words import shown_line
from grader.report.overview import document as overviews
from grader.report.overview.document import PairPart
from grader.report.overview.pairs import source
from grader.similarity import Group, groups
from grader.starter import given_code
from grader.web.classes import grades_of
from grader.web.learner import sandboxed
from grader.web.service import Call, Refusal
from grader.web.store.records import Asked
from grader.web.titles import title


def picture(call: Call) -> Response:
    """The page of the class as a batch leaves it behind; it leads to reports, and to pairs of similar solutions."""
    asked = call.assignment()
    briefs = _briefs(call, asked)
    similar = _similar(call, asked, briefs)
    pages = [
        [None if group.identical else f"similar/{pair.one}/{pair.other}.html" for pair in group.pairs]
        for group in similar
    ]
    grades, exercise = [one.grade for one in briefs], call.service.exercise(asked.exercise)
    document = overviews.word(grades, exercise, call.spoken, similar, pages)
    return sandboxed(overview.render(msgspec.structs.replace(document, title=title(call, asked))))


def pair(call: Call) -> Response:
    """Two similar solutions side by side. Who is not similar is not shown so."""
    asked = call.assignment()
    one, other = (str(call.request.path_params[name]) for name in ("one", "other"))
    briefs = {brief.grade.student: brief for brief in _briefs(call, asked)}
    found = [
        pair
        for group in _similar(call, asked, list(briefs.values()))
        for pair in group.pairs
        if (pair.one, pair.other) == (one, other) and not group.identical
    ]
    solutions = [briefs[student].solution for student in (one, other) if found]
    if not found or solutions[0] is None or solutions[1] is None:
        raise Refusal(404, Text(id="web-not-found"))
    names = [shown_line(briefs[student].grade.name.strip() or student) for student in (one, other)]
    page = overview.render_pair(
        source(solutions[0].cells),
        source(solutions[1].cells),
        PairPart(one, other, found[0].alike, None),
        (names[0], names[1]),
        call.spoken,
    )
    return sandboxed(page)


def _briefs(call: Call, asked: Asked) -> list[Brief]:
    return [brief(grade) for grade in grades_of(call, asked)]


def _similar(call: Call, asked: Asked, briefs: Sequence[Brief]) -> list[Group]:
    solutions = (one.solution for one in briefs)
    given = given_code(call.service.exercise(asked.exercise))
    return groups((one for one in solutions if one is not None), given)
