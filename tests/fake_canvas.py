"""Canvas as far as grades are sent to it: the courses, assignments, users and submissions of its REST interface."""

import re
from typing import Any

from tests.fake_platform import TOKEN, Answer, Asked, Fake

COURSE, ASSIGNMENT = 7, 55
PAGE = 2
ROOT = f"/api/v1/courses/{COURSE}"
NOT_THERE = Answer(404, {"errors": [{"message": "The specified resource does not exist."}]})
NO_TOKEN = Answer(
    401, {"errors": [{"message": "Invalid access token."}]}, {"WWW-Authenticate": 'Bearer realm="canvas-lms"'}
)


def student(id: int, name: str, **keys: str) -> dict[str, Any]:
    return {"id": id, "name": name, "sortable_name": name, "short_name": name, **keys}


class FakeCanvas(Fake):
    """`grades`, `comments`: what each student was given, by Canvas's number; `capped`: those of whom another score is kept."""

    def __init__(self, *students: dict[str, Any], points: float = 10.0, grading: str = "points") -> None:
        super().__init__()
        self.students, self.points, self.grading = students, points, grading
        self.grades: dict[int, float] = {}
        self.comments: dict[int, list[str]] = {one["id"]: [] for one in students}
        self.excused: set[int] = set()
        self.capped: set[int] = set()

    def is_write(self, asked: Asked) -> bool:
        return asked.method == "PUT"

    def answer(self, asked: Asked) -> Answer:
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return NO_TOKEN
        if asked.path == f"{ROOT}/assignments/{ASSIGNMENT}":
            body = {"id": ASSIGNMENT, "course_id": COURSE, "name": "Task 1"}
            return Answer(200, body | {"points_possible": self.points, "grading_type": self.grading})
        if asked.path == f"{ROOT}/search_users":
            return self._page(asked, list(self.students))
        if asked.path == f"{ROOT}/assignments/{ASSIGNMENT}/submissions":
            return self._page(asked, [self._submission(one["id"]) for one in self.students])
        found = re.fullmatch(rf"{ROOT}/assignments/{ASSIGNMENT}/submissions/(\d+)", asked.path)
        if found is None or int(found[1]) not in self.comments:
            return NOT_THERE
        return self._one(asked, int(found[1]))

    def _one(self, asked: Asked, id: int) -> Answer:
        if asked.method == "PUT":
            self.grades[id] = float(asked.fields["submission[posted_grade]"])
            if "comment[text_comment]" in asked.fields:
                self.comments[id].append(asked.fields["comment[text_comment]"])
        said = [{"id": number, "comment": text} for number, text in enumerate(self.comments[id])]
        return Answer(200, self._submission(id) | {"submission_comments": said})

    def _submission(self, id: int) -> dict[str, Any]:
        score = self.grades.get(id)
        kept = 1.0 if id in self.capped and score is not None else score
        own = {"user_id": id, "assignment_id": ASSIGNMENT, "excused": id in self.excused or None}
        return own | {"score": kept, "entered_score": kept, "grade": None if kept is None else f"{kept:g}"}

    def _page(self, asked: Asked, rows: list[dict[str, Any]]) -> Answer:
        number = int(asked.fields.get("page", "1"))
        shown = rows[PAGE * (number - 1) : PAGE * number]
        links = {}
        if PAGE * number < len(rows):
            links["Link"] = f'<{self.url}{asked.path}?page={number + 1}&per_page={PAGE}>; rel="next"'
        return Answer(200, shown, links)
