"""A teacher's pages: the class at an assignment, one student, a score of one's own, the table."""

from starlette.responses import Response

from grader.errors import UsageError
from grader.model import Text, said_by
from grader.outcome.table import grades_table
from grader.web.classes import grades_of
from grader.web.learner import as_file, sandboxed, worded
from grader.web.service import Call, Refusal
from grader.web.store import attempts, deliveries, people, platforms, regrades, reviews, standing
from grader.web.store.records import Asked, counts
from grader.web.titles import file_stem, title


def members(call: Call) -> Response:
    """The class: a line for each learner, with the score that counts."""
    asked = call.assignment()
    rows = [
        (line, counts(line.best, line.override, asked.points))
        for line in call.service.store.read(standing.lines, asked)
    ]
    lost = call.service.store.read(deliveries.undelivered, asked.id)
    listed = call.service.store.read(platforms.roster, asked.course) is not None
    open_ = call.service.store.read(regrades.of_assignment, asked.id)
    return call.page(
        "class",
        asked=asked,
        title=title(call, asked),
        rows=rows,
        lost=lost,
        homeless=call.service.store.read(deliveries.without_column, asked.id),
        listed=listed,
        open=open_,
        looks=call.service.store.read(reviews.counts, asked.course).get(asked.id, 0),
    )


def send_again(call: Call) -> Response:
    """Try the scores again that did not come to the gradebook of the course."""
    asked = call.assignment()
    call.service.store.write(deliveries.send_again, asked.id)
    return call.go(f"/assignments/{asked.id}/class")


def table(call: Call) -> Response:
    """The grades as CSV, in the exercise's own points."""
    asked = call.assignment()
    grades = grades_of(call, asked)
    content = grades_table(grades, call.service.exercise(asked.exercise), call.spoken)
    return as_file(content, f"{file_stem(call, asked)}.csv", "text/csv; charset=utf-8")


def student(call: Call) -> Response:
    """One learner: all attempts, and the form for a score of one's own."""
    return _student(call, call.assignment())


def decide(call: Call) -> Response:
    """Let a score of one's own count, or, without one, the checks' again."""
    asked = call.assignment()
    _, pseudonym, name = _learner(call)
    given = call.field("score").replace(",", ".").replace("−", "-")
    try:
        score = float(given) if given else None
    except ValueError:
        return _student(call, asked, Text(id="web-score-malformed", params={"text": given}))
    try:
        call.service.store.write(
            standing.decide, asked, pseudonym, score, call.field("reason"), call.who.person
        )
    except UsageError as error:
        said = said_by(error)
        return _student(call, asked, Text(id=said.id, params={**said.params, "student": name or pseudonym}))
    return call.go(f"/assignments/{asked.id}/students/{pseudonym}")


def student_report(call: Call) -> Response:
    """The report that counts for a learner: where the page of the class leads to."""
    asked = call.assignment()
    person, _, _ = _learner(call)
    store = call.service.store
    tried = store.read(attempts.of_person, asked.id, person)
    counting = attempts.best(tried) or next((one for one in tried if one.result is not None), None)
    if counting is None or counting.result is None:
        raise Refusal(404, Text(id="web-not-found"))
    return sandboxed(worded(call, store.read(attempts.report, counting.result, counting.file)))


def _student(call: Call, asked: Asked, why: Text | None = None) -> Response:
    store = call.service.store
    person, pseudonym, name = _learner(call)
    tried = store.read(attempts.of_person, asked.id, person)
    return call.page(
        "student",
        200 if why is None else 422,
        asked=asked,
        title=title(call, asked),
        pseudonym=pseudonym,
        name=name,
        tried=tried,
        best=attempts.best(tried),
        decided=store.read(standing.decided, asked, pseudonym),
        full=store.read(standing.full_marks, asked),
        why=why,
    )


def _learner(call: Call) -> tuple[int, str, str]:
    """The learner in the address: number, pseudonym, name. Raises Refusal where the course has none such."""
    pseudonym = str(call.request.path_params["student"])
    found = call.service.store.read(people.learner, call.who.course, pseudonym)
    if found is None:
        raise Refusal(404, Text(id="web-not-found"))
    return found[0], pseudonym, found[1]
