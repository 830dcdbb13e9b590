"""The way in: a course code and a name, one's own code to come back by, or the code of the teachers."""

from starlette.responses import Response

from grader.model import Text
from grader.web.doors import slow_down
from grader.web.service import Call
from grader.web.store import people


def front(call: Call) -> Response:
    """The form to enter by; who is in already goes on."""
    if call.visitor is not None:
        return call.go("/course")
    return _form(call)


def enter(call: Call) -> Response:
    """Sign somebody in: a teacher by the teachers' code, a learner by name or by their own code."""
    slow_down(call.service, "enter", call.request)
    code, name, own = call.field("code"), call.field("name"), call.field("own")
    store = call.service.store
    if (teacher := store.write(people.teacher_of_code, code)) is not None:
        return call.signed_in(teacher, call.go("/course"))
    course = store.read(people.course_of_code, code)
    if course is None:
        return _wrong(call, Text(id="web-course-unknown"))
    if own:
        known = store.read(people.returning, course, own)
        if known is None:
            return _wrong(call, Text(id="web-own-unknown"))
        return call.signed_in(known, call.go("/course"))
    if not name:
        return _form(call, Text(id="web-name-missing"))
    person, fresh = store.write(people.join, course, name)
    return call.signed_in(person, call.page("welcome", code=fresh))


def leave(call: Call) -> Response:
    """Sign out."""
    call.service.store.write(people.end_visit, call.token)
    answer = call.go("/") if call.who.frames is None else _left(call)
    answer.delete_cookie(
        call.service.cookie,
        path=call.service.cookie_path,
        httponly=True,
        secure=call.service.secure,
        samesite="lax",
    )
    call.drop_framed(answer)
    return answer


def _left(call: Call) -> Response:
    """For who came from a learning platform: in its frame there is no entrance to go to."""
    call.request.state.outside = True
    return call._replace(visitor=None).page("message", text=Text(id="lti-come-again"), status="")


def _wrong(call: Call, why: Text) -> Response:
    """A code that nobody has; who tries many has to wait."""
    slow_down(call.service, "wrong", call.request)
    return _form(call, why)


def _form(call: Call, why: Text | None = None) -> Response:
    call = call.with_token()
    answer = call.page(
        "enter", 200 if why is None else 422, why=why, code=call.field("code"), name=call.field("name")
    )
    call.keep(call.token, answer)
    return answer
