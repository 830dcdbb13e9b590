"""Canvas, by its REST interface and the library `canvasapi`.

Asked for are the assignment, the students of the course, and who is excused; then each submission gets `posted_grade` and a comment.
A grade put twice is the same grade, a comment put twice is two comments: so where a request may have arrived already, the comments are
read first. Canvas's own number is what stands in the names of downloaded files.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import requests
from canvasapi.assignment import Assignment as CanvasAssignment
from canvasapi.course import Course
from canvasapi.exceptions import CanvasException, InvalidAccessToken, ResourceDoesNotExist
from canvasapi.requester import Requester
from canvasapi.submission import Submission

from grader.errors import UsageError
from grader.grades import Grade
from grader.lms.filling import shown_number
from grader.lms.push.people import OWN_ID
from grader.lms.push.platform import TIMEOUT, Assignment, Passing, Person, Refused, may_pass, wait_asked

KINDS = ("sis", "login", "email", "integration")
FIELDS = {"sis": "sis_user_id", "login": "login_id", "email": "email", "integration": "integration_id"}
# What takes no points.
POINTLESS = ("pass_fail", "not_graded")
DOWNLOADED = re.compile(r".+?(?:_LATE)?_(?P<user>\d+)_\d+_.+")
# What a connection ends with that broke, perhaps after the request had arrived.
LOST = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
# What Canvas says, with the status 403, where it means 429.
THROTTLED = "Rate Limit Exceeded"
CLOSE = 1e-3
PAGE = 100

T = TypeVar("T")


class Canvas:
    """One assignment of a course; see `platform.Platform`."""

    kinds = (OWN_ID, *KINDS)

    def __init__(self, url: str, token: str, course: int, assignment: int) -> None:
        self._url, self._number = url.rstrip("/"), assignment
        self._requester = Requester(self._url, token)
        session = self._requester._session
        session.request = partial(session.request, timeout=TIMEOUT)
        self._course = Course(self._requester, {"id": course})
        self._assignment = CanvasAssignment(self._requester, {"id": assignment, "course_id": course})

    @property
    def place(self) -> str:
        """The assignment's address."""
        return f"{self._url}/courses/{self._course.id}/assignments/{self._number}"

    def assignment(self) -> Assignment:
        """The assignment; one without points is a UsageError."""
        found = self._read(lambda: self._course.get_assignment(self._number))
        if found.grading_type in POINTLESS or not found.points_possible:
            raise UsageError("push-without-points", title=found.name, place=self.place)
        return Assignment(title=found.name, most=float(found.points_possible))

    def people(self) -> list[Person]:
        """The students, and which of them are excused."""
        students = self._read(
            lambda: list(
                self._course.get_users(enrollment_type=["student"], include=["email"], per_page=PAGE)
            )
        )
        submissions = self._read(lambda: list(self._assignment.get_submissions(per_page=PAGE)))
        excused = {one.user_id for one in submissions if getattr(one, "excused", None)}
        return [_person(student, excused=student.id in excused) for student in students]

    def kind(self, grade: Grade) -> str | None:
        """Canvas's own number, where the file is named as Canvas names downloads."""
        name = "" if grade.handed_in is None else re.split(r"[\\/]|: ", grade.handed_in.path)[-1]
        found = DOWNLOADED.fullmatch(name)
        return OWN_ID if found is not None and found["user"] == grade.student else None

    def send(self, person: Person, points: float, comment: str, *, again: bool) -> None:
        """Put grade and comment. Raises Refused where Canvas does not take the grade, or keeps another."""
        said = again and self._has(person, comment)
        fields: dict[str, Any] = {"submission": {"posted_grade": shown_number(points)}}
        if comment and not said:
            fields["comment"] = {"text_comment": comment}
        submission = self._assignment_submission(person)
        kept = self._write(lambda: submission.edit(**fields))
        score = getattr(kept, "entered_score", None)
        score = getattr(kept, "score", None) if score is None else score
        if score is None or abs(float(score) - points) > CLOSE:
            raise Refused(f"score: {score}")

    def _assignment_submission(self, person: Person) -> Any:
        own = {"assignment_id": self._number, "user_id": person.id, "course_id": self._course.id}
        return Submission(self._requester, own)

    def _has(self, person: Person, comment: str) -> bool:
        found = self._read(
            lambda: self._assignment.get_submission(int(person.id), include=["submission_comments"])
        )
        return any(one.get("comment") == comment for one in getattr(found, "submission_comments", ()))

    # ---- requests -------------------------------------------------------------------------------

    def _read(self, work: Callable[[], T]) -> T:
        """Ask for something. Whatever is refused then makes the whole request unusable."""
        try:
            return self._ask(work)
        except ResourceDoesNotExist:
            raise UsageError("push-not-there", place=self.place) from None
        except CanvasException as error:
            raise UsageError("push-not-allowed", place=self.place, reason=_shortened(error)) from None

    def _write(self, work: Callable[[], T]) -> T:
        try:
            return self._ask(work)
        except CanvasException as error:
            raise Refused(_shortened(error)) from None

    def _ask(self, work: Callable[[], T]) -> T:
        """Do one request. Raises Passing, CanvasException for what is refused for good, UsageError for a token that is none."""
        try:
            return work()
        except LOST as error:
            raise Passing(_shortened(error), uncertain=True) from None
        except (requests.RequestException, ValueError) as error:  # no JSON: not Canvas, or a proxy before it
            raise UsageError("push-not-the-platform", place=self.place, reason=_shortened(error)) from None
        except InvalidAccessToken:
            raise UsageError("push-token-refused", place=self.place) from None
        except CanvasException:
            self._raise_if_passing()
            raise

    def _raise_if_passing(self) -> None:
        """The library's errors say too little; it keeps the answers that they come from."""
        answer = self._requester._cache[0]
        status = answer.status_code
        if may_pass(status) or THROTTLED in answer.text:
            wait = wait_asked(answer.headers.get("Retry-After"))
            raise Passing(f"HTTP {status}", wait=wait, uncertain=status >= 500) from None  # noqa: PLR2004


def _person(student: Any, *, excused: bool) -> Person:
    keys = {kind: str(value) for kind, field in FIELDS.items() if (value := getattr(student, field, None))}
    return Person(id=str(student.id), name=student.name, keys=keys, excused=excused)


def _shortened(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
