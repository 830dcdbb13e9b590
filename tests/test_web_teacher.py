"""A teacher's pages: the class, one student, a score of one's own, what is taken away."""

import re

import msgspec
import pytest

from grader.model import Shown
from grader.web.store import courses, jobs
from grader.web.store.store import Store
from tests.gradebooks import EXERCISE
from tests.web import OTHER, OWNER, Browser, Pages, School, grade_next, learner_in, outcome, teacher_in


def test_a_teacher_sees_the_class_and_decides(pages: Pages, store: Store) -> None:
    school = School(store)
    ann, bob = learner_in(pages, school, "Ann"), learner_in(pages, school, "Bob")
    learner_in(pages, school, "Cy")
    ann.upload(school.asked)
    bob.upload(school.asked, OTHER)
    grade_next(store, 4, "step-missing")
    grade_next(store, 10)
    teacher = teacher_in(pages, school)
    assert 'href="/assignments/1/class"' in teacher.get("/course").text
    class_ = teacher.get("/assignments/1/class").text
    assert re.findall(r"<bdi>(\w+)</bdi>", class_) == ["Ann", "Bob", "Cy"]
    address = re.findall(r'href="(/assignments/1/students/\w+)"', class_)[0]
    student = teacher.get(address).text
    assert "Attempt 1" in student
    form = {"csrf": teacher.csrf(address), "score": "6,5", "reason": "a slip of the pen"}
    decided = teacher.post(f"{address}/override", data=form)
    assert (decided.status_code, decided.url.path) == (200, address)
    assert "a slip of the pen" in teacher.get("/assignments/1/class").text
    seen = ann.get("/assignments/1").text
    assert "a score of 6.5 points" in seen
    assert "a slip of the pen" not in seen
    assert "6.5 / 10" in ann.get("/course").text
    table = teacher.get("/assignments/1/class/grades.csv")
    assert [line.split(",")[1:5] for line in table.text.splitlines()[1:]] == [
        *(["Ann", "6.5", "10", "graded"], ["Bob", "10", "10", "graded"], ["Cy", "", "", "missing"])
    ]
    form["score"] = ""
    assert "a slip" not in teacher.post(f"{address}/override", data=form).text


@pytest.mark.parametrize(
    ("score", "reason", "said"),
    [
        ("much", "x", "much is no number of points."),
        ("11", "x", "11"),
        ("-1", "x", "-1.0 cannot be a score for Ann."),
        ("nan", "x", "nan"),
        ("5", "", "reason"),
    ],
)
def test_a_decision_that_cannot_be_is_told(
    pages: Pages, store: Store, score: str, reason: str, said: str
) -> None:
    school = School(store)
    learner_in(pages, school).upload(school.asked)
    grade_next(store, 4)
    teacher = teacher_in(pages, school)
    address = re.findall(r'href="(/assignments/1/students/\w+)"', teacher.get("/assignments/1/class").text)[0]
    form = {"csrf": teacher.csrf(address), "score": score, "reason": reason}
    answer = teacher.post(f"{address}/override", data=form)
    assert answer.status_code == 422
    assert said in answer.text.partition('role="alert"')[2]


def test_the_picture_of_the_class_leads_to_reports(pages: Pages, store: Store) -> None:
    school = School(store)
    learner_in(pages, school).upload(school.asked)
    grade_next(store, 4)
    learner_in(pages, school, "Bob").upload(school.asked, OTHER)
    teacher = teacher_in(pages, school)
    picture = teacher.get("/assignments/1/class/overview")
    assert "A bar chart of the scores." in picture.text
    assert ">Bob<" in picture.text
    (address,) = set(re.findall(r'href="(reports/[\w-]+\.html)"', picture.text))
    report = teacher.get(f"/assignments/1/class/{address}")
    assert "<bdi>work.ipynb</bdi>" in report.text
    for answer in (picture, report):
        assert answer.headers["content-security-policy"].startswith("sandbox;")


SOLUTION = (
    "import torch",
    "x = torch.linspace(0, 4, 9)\ny = 3 * x + 1\nw = torch.zeros(1, requires_grad=True)\nb = torch.zeros(1, requires_grad=True)",
    "for step in range(200):\n    loss = ((w * x + b - y) ** 2).mean()\n    loss.backward()\n"
    "    with torch.no_grad():\n        w -= 0.05 * w.grad\n        b -= 0.05 * b.grad\n"
    "        w.grad = None\n        b.grad = None\nprint(w, b, loss)",
)


def find(store: Store, *cells: str) -> None:
    """Have a notebook of these cells be found in what waits longest."""
    leased = store.write(jobs.lease, OWNER, 60.0)
    assert leased is not None
    found = outcome(7, leased.sha256)
    assert found.report is not None
    shown = tuple(Shown(source=cell, number=number) for number, cell in enumerate(cells, start=1))
    report = msgspec.structs.replace(found.report, notebook=shown)
    assert store.write(jobs.finish, leased.job, OWNER, msgspec.structs.replace(found, report=report))


def test_similar_solutions_are_shown_side_by_side_to_teachers_alone(pages: Pages, store: Store) -> None:
    school = School(store)
    ann, bob = learner_in(pages, school, "Ann <i>"), learner_in(pages, school, "Bob")
    ann.upload(school.asked)
    bob.upload(school.asked, OTHER)
    find(store, *SOLUTION)
    find(store, *(cell.replace("step", "epoch").replace("loss", "error") for cell in SOLUTION))
    learner_in(pages, school, "Cy").upload(school.asked, OTHER + b" ")
    find(store, "print('<script>alert(1)</script>')")
    teacher = teacher_in(pages, school)
    picture = teacher.get("/assignments/1/class/overview")
    (address,) = set(re.findall(r'href="(similar/[\w/]+\.html)"', picture.text))
    shown = teacher.get(f"/assignments/1/class/{address}")
    assert "<bdi>Ann &lt;i&gt;</bdi>" in shown.text
    assert "epoch" in shown.text
    assert "step" in shown.text
    assert shown.headers["content-security-policy"].startswith("sandbox;")
    assert ann.get(f"/assignments/1/class/{address}").status_code == 403
    _, one, other = address.removesuffix(".html").split("/")
    for strange in (f"{other}/{one}", f"{one}/{one}", "x/y"):
        assert teacher.get(f"/assignments/1/class/similar/{strange}.html").status_code == 404


def test_points_are_those_of_the_assignment(pages: Pages, store: Store) -> None:
    school = School(store)
    store.write(courses.assign, "dl101", EXERCISE, points=20.0, deadline=None, most=None)
    browser: Browser = learner_in(pages, school)
    browser.upload(school.asked)
    grade_next(store, 7)
    assert "14 / 20" in browser.get("/course").text
    assert "14 / 20" in browser.get("/attempts/1").text
