"""Moodle, by its web services (REST, JSON).

Asked for are whose the token is and what it may do, the assignment, and who is enrolled; then each student gets a grade and a
feedback comment by `mod_assign_save_grade`, which replaces what was there. Errors come with the status 200 and have an `exception`.
Where a class was downloaded, students are called by a number of the assignment's own; `mod_assign_get_user_mappings` tells whose it
is, where the token may ask.
"""

import html
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import msgspec

from grader.errors import UsageError
from grader.grades import Grade
from grader.lms.filling import shown_number
from grader.lms.push.people import OWN_ID
from grader.lms.push.platform import TIMEOUT, Assignment, Passing, Person, Refused, may_pass, wait_asked
from grader.lms.roster import folded
from grader.lms.systems.moodle import FOLDER

PARTICIPANT = "participant"
KINDS = (PARTICIPANT, "idnumber", "username", "email")
SERVER = "/webservice/rest/server.php"
NEEDED = ("core_enrol_get_enrolled_users", "mod_assign_get_assignments", "mod_assign_save_grade")
MAPPINGS = "mod_assign_get_user_mappings"
LATEST_ATTEMPT = -1
HTML = 1
# With a marking workflow the teacher releases grades; what is sent waits for that.
WAITING = "readyforrelease"

T = TypeVar("T")


class _Error(msgspec.Struct):
    exception: str
    errorcode: str = ""
    message: str = ""


class _Function(msgspec.Struct):
    name: str


class _Site(msgspec.Struct):
    functions: list[_Function] = []


class _Config(msgspec.Struct):
    plugin: str
    subtype: str
    name: str
    value: str = ""


class _Assign(msgspec.Struct):
    id: int
    cmid: int
    name: str
    grade: float
    configs: list[_Config] = []
    markingworkflow: int = 0


class _Course(msgspec.Struct):
    assignments: list[_Assign] = []


class _Courses(msgspec.Struct):
    courses: list[_Course]


class _User(msgspec.Struct):
    id: int
    fullname: str = ""
    username: str = ""
    idnumber: str = ""
    email: str = ""


class _Mapping(msgspec.Struct):
    id: int
    userid: int


class _Mapped(msgspec.Struct):
    mappings: list[_Mapping] = []


class _Mappings(msgspec.Struct):
    assignments: list[_Mapped] = []


class _Failed(Exception):  # noqa: N818 - Moodle's answer
    """Moodle said no to one call."""

    def __init__(self, error: _Error) -> None:
        super().__init__(f"{error.message or error.errorcode} ({error.errorcode})")
        self.code = error.errorcode


class Moodle:
    """One assignment of a course; see `platform.Platform`. assignment: its number in its address, or its title."""

    kinds = (OWN_ID, *KINDS)

    def __init__(self, url: str, token: str, course: int, assignment: str) -> None:
        self._url, self._token = url.rstrip("/"), token
        self._course, self._wanted = course, assignment
        self._client = httpx.Client(timeout=TIMEOUT)
        self._assign: _Assign | None = None
        self._may: frozenset[str] = frozenset()

    @property
    def place(self) -> str:
        """The assignment's address."""
        number = self._wanted if self._assign is None else str(self._assign.cmid)
        return f"{self._url}/mod/assign/view.php?id={number}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def assignment(self) -> Assignment:
        """The assignment; one that is graded by a scale or not at all is a UsageError."""
        site = self._read("core_webservice_get_site_info", _Site)
        self._may = frozenset(function.name for function in site.functions)
        if missing := [name for name in NEEDED if name not in self._may]:
            raise UsageError("push-functions-missing", place=self._url, names=", ".join(missing))
        found = self._read("mod_assign_get_assignments", _Courses, {"courseids[0]": self._course})
        there = [one for course in found.courses for one in course.assignments]
        self._assign = self._chosen(there)
        if self._assign.grade <= 0:
            raise UsageError("push-without-points", title=self._assign.name, place=self.place)
        return Assignment(
            title=self._assign.name, most=self._assign.grade, comments=_takes_comments(self._assign)
        )

    def people(self) -> list[Person]:
        """Everyone enrolled: grades are sent to those who handed in something."""
        enrolled = self._read("core_enrol_get_enrolled_users", list[_User], {"courseid": self._course})
        numbers = self._participants()
        return [_person(user, numbers.get(user.id)) for user in enrolled]

    def kind(self, grade: Grade) -> str | None:
        """The number of the worksheet, where the file lies in a folder as Moodle names it."""
        path = "" if grade.handed_in is None else grade.handed_in.path
        own = (
            FOLDER.fullmatch(part.strip()) for part in path.replace("\\", "/").replace(": ", "/").split("/")
        )
        return PARTICIPANT if any(found and found["number"] == grade.student for found in own) else None

    def send(self, person: Person, points: float, comment: str, *, again: bool) -> None:
        """Save grade and comment; a second time changes nothing. Raises Refused."""
        assert self._assign is not None
        fields: dict[str, Any] = {
            "assignmentid": self._assign.id,
            "userid": person.id,
            "grade": shown_number(points),
            "attemptnumber": LATEST_ATTEMPT,
            "addattempt": 0,
            "workflowstate": WAITING if self._assign.markingworkflow else "",
            "applytoall": 0,
        }
        if _takes_comments(self._assign):
            text = "<br>".join(html.escape(line) for line in comment.splitlines())
            fields["plugindata[assignfeedbackcomments_editor][text]"] = text
            fields["plugindata[assignfeedbackcomments_editor][format]"] = HTML
        try:
            self._call("mod_assign_save_grade", Any, fields)
        except _Failed as error:
            raise Refused(str(error)) from None

    def _chosen(self, there: list[_Assign]) -> _Assign:
        wanted = self._wanted.strip()
        fitting = [one for one in there if str(one.cmid) == wanted]
        fitting = fitting or [one for one in there if folded(one.name) == folded(wanted)]
        if len(fitting) != 1:
            known = ", ".join(f"{one.name} ({one.cmid})" for one in there)
            raise UsageError("push-assignment-unknown", wanted=wanted, known=known or "–")
        return fitting[0]

    def _participants(self) -> dict[int, int]:
        """The assignment's own number of each user, as far as the token may know."""
        if MAPPINGS not in self._may or self._assign is None:
            return {}
        found = self._read(MAPPINGS, _Mappings, {"assignmentids[0]": self._assign.id})
        return {one.userid: one.id for mapped in found.assignments for one in mapped.mappings}

    # ---- requests -------------------------------------------------------------------------------

    def _read(self, function: str, answer: type[T], fields: dict[str, Any] | None = None) -> T:
        """Ask for something. Whatever is refused then makes the whole request unusable."""
        try:
            return self._call(function, answer, fields or {})
        except _Failed as error:
            raise UsageError("push-not-allowed", place=self._url, reason=f"{function}: {error}") from None

    def _call(self, function: str, answer: type[T], fields: dict[str, Any]) -> T:
        """One call; the token goes into the body, since addresses are logged. Raises Passing, _Failed, UsageError."""
        body = {"wstoken": self._token, "wsfunction": function, "moodlewsrestformat": "json", **fields}
        try:
            got = self._client.post(self._url + SERVER, data=body)
        except httpx.TransportError as error:
            raise Passing(str(error) or type(error).__name__, uncertain=True) from None
        if may_pass(got.status_code):
            raise Passing(f"HTTP {got.status_code}", wait=wait_asked(got.headers.get("Retry-After")))
        try:
            if got.status_code != httpx.codes.OK:
                raise msgspec.ValidationError(f"HTTP {got.status_code}")
            _raise_what_it_says(got.content)
            return msgspec.json.decode(got.content, type=answer)
        except msgspec.MsgspecError as error:
            raise UsageError("push-not-the-platform", place=self._url, reason=str(error)) from None


def _raise_what_it_says(content: bytes) -> None:
    try:
        error = msgspec.json.decode(content, type=_Error)
    except msgspec.ValidationError:
        return
    if error.errorcode == "invalidtoken":
        raise UsageError("push-token-refused", place="Moodle")
    raise _Failed(error)


def _takes_comments(assign: _Assign) -> bool:
    """Whether its feedback has comments; a comment for one that has none would be refused, and the grade with it."""
    own = ("assignfeedback", "comments", "enabled", "1")
    return any((one.subtype, one.plugin, one.name, one.value) == own for one in assign.configs)


def _person(user: _User, participant: int | None) -> Person:
    keys = {"idnumber": user.idnumber, "username": user.username, "email": user.email}
    if participant is not None:
        keys[PARTICIPANT] = str(participant)
    return Person(id=str(user.id), name=user.fullname, keys=keys)
