"""What a person should look at: listed with the reasons, settled by who looked, and seen again."""

import re

import msgspec

from grader.model import Report, Text
from grader.web.store import jobs, regrades
from grader.web.store.records import Outcome
from grader.web.store.store import Store
from tests.gradebooks import graded, identity, ungradable
from tests.test_web_regrade_pages import sends, words
from tests.web import NOTEBOOK, OTHER, OWNER, Pages, School, learner_in, teacher_in

QUEUE = "/assignments/1/reviews"


def find(store: Store, report: Report, conditions: str = "as ever") -> None:
    """Have a report be found of what waits longest."""
    leased = store.write(jobs.lease, OWNER, 60.0)
    assert leased is not None
    own = msgspec.structs.replace(report, sha256=leased.sha256)
    known = identity(leased.sha256, conditions=conditions)
    assert store.write(jobs.finish, leased.job, OWNER, Outcome(identity=known, report=own))


def doubtful(score: float) -> Report:
    why = (Text(id="review-file-not-there", params={"cell": 2, "message": "No such file: <b>data.csv</b>"}),)
    return msgspec.structs.replace(graded(score), needs_review=why)


def test_what_is_to_be_looked_at_is_listed_with_reasons_and_leaves_when_somebody_has(
    pages: Pages, store: Store
) -> None:
    school = School(store)
    ann, bob = learner_in(pages, school, "Ann"), learner_in(pages, school, "Bob")
    for browser, content in ((ann, NOTEBOOK), (bob, OTHER), (bob, OTHER + b" ")):
        browser.upload(school.asked, content)
    for report in (doubtful(4), ungradable(), graded(9)):
        find(store, report)
    teacher = teacher_in(pages, school)
    assert "2 for a person to look at" in words(teacher.get("/course"))
    assert "2 for a person to look at" in words(teacher.get("/assignments/1/class"))
    assert "to look at" not in words(ann.get("/course"))
    listed = teacher.get(QUEUE)
    assert re.findall(r"(Ann|Bob) , Attempt (\d)", words(listed).partition("Looked at, fine")[0]) == [
        ("Ann", "1")
    ]
    assert "data.csv" in listed.text
    assert "<b>data" not in listed.text
    assert "not graded" in words(listed)
    after = sends(teacher, QUEUE)
    assert "Ann , Attempt 1 Looked at, fine Teacher" in words(after)
    assert words(after).count("not graded") == 1
    assert "1 for a person to look at" in words(teacher.get("/course"))
    assert "A person should look" not in words(ann.get("/assignments/1"))
    sends(teacher, QUEUE)
    done = words(teacher.get(QUEUE))
    assert "There is nothing to look at." in done
    assert done.index("Bob") < done.index("Ann")


def test_a_score_of_ones_own_settles_what_there_is_of_the_learner(pages: Pages, store: Store) -> None:
    school = School(store)
    for name, content in (("Ann", NOTEBOOK), ("Bob", OTHER)):
        learner_in(pages, school, name).upload(school.asked, content)
        find(store, doubtful(4))
    teacher = teacher_in(pages, school)
    address = re.findall(r'href="(/assignments/1/students/\w+)#own-score"', teacher.get(QUEUE).text)[0]
    form = {"csrf": teacher.csrf(address), "score": "8", "reason": "the file was there"}
    teacher.post(f"{address}/override", data=form)
    said = words(teacher.get(QUEUE))
    assert "Ann , Attempt 1 A score of one's own Teacher" in said
    assert "Bob , Attempt 1 graded, 4 / 10" in said
    teacher.post(f"{address}/override", data=form | {"score": ""})
    assert "Ann , Attempt 1 A score" in words(teacher.get(QUEUE))


def test_what_was_found_after_somebody_looked_is_to_be_looked_at_anew(pages: Pages, store: Store) -> None:
    school = School(store)
    learner_in(pages, school, "Ann").upload(school.asked)
    find(store, doubtful(4))
    teacher = teacher_in(pages, school)
    sends(teacher, QUEUE)
    today = identity("", conditions="today")
    begun = store.write(regrades.begin, school.asked, today)
    assert begun is not None
    find(store, doubtful(5), "today")
    assert "There is nothing to look at." in words(teacher.get(QUEUE))
    assert store.write(regrades.confirm, school.asked, begun, today) is None
    while store.write(regrades.proceed):
        pass
    said = words(teacher.get(QUEUE))
    assert "Ann , Attempt 1 graded, 5 / 10" in said
    assert "graded again since, to be looked at anew" in said
    stale = sends(teacher, QUEUE, seen="1")
    assert (stale.status_code, "graded again since you saw it" in words(stale)) == (409, True)
    assert "没有需要查看的" in sends(teacher, f"{QUEUE}?language=zh").text
