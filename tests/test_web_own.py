"""What is kept of a learner, as a copy for themselves."""

import io
import json
from zipfile import ZipFile

import msgspec
from sqlalchemy import select

from grader.web.store import deliveries, standing
from grader.web.store.store import Store
from grader.web.store.tables import Person
from tests.test_web_forgetting import THERE
from tests.web import NOTEBOOK, OTHER, Browser, Pages, School, grade_next, learner_in


def copied(browser: Browser) -> ZipFile:
    answer = browser.get("/own/copy")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert int(answer.headers["content-length"]) == len(answer.content)
    return ZipFile(io.BytesIO(answer.content))


def test_a_copy_has_all_that_is_ones_own_and_nothing_of_others(store: Store) -> None:
    school, pages = School(store), Pages(store)
    ann, bob = learner_in(pages, school, "Ann"), learner_in(pages, school, "Bob Secret")
    ann.upload(school.asked, name="../../<b>mine.IPYNB")
    bob.upload(school.asked, OTHER)
    grade_next(store, 7)
    ann.upload(school.asked, OTHER)
    grade_next(store, 8)
    (person,) = store.read(lambda session: session.scalars(select(Person).where(Person.name == "Ann")).all())
    store.write(deliveries.aim, school.asked.id, person.id, msgspec.json.encode(THERE).decode())
    store.write(standing.decide, school.asked, person.pseudonym, 9.0, "shown on paper")
    assert 'href="/own/copy"' in ann.get("/own").text
    archive = copied(ann)
    assert sorted(archive.namelist()) == [
        "kept.json",
        "linear_regression/attempt-1/report.html",
        "linear_regression/attempt-1/report.json",
        "linear_regression/attempt-1/submission.ipynb",
        "linear_regression/attempt-2/submission.ipynb",
    ]
    assert archive.read("linear_regression/attempt-1/submission.ipynb") == NOTEBOOK
    kept = json.loads(archive.read("kept.json"))
    assert kept["person"]["name"] == "Ann"
    assert [(one["state"], one["score"]) for one in kept["attempts"]] == [("graded", 7), ("waiting", None)]
    assert kept["attempts"][0]["file"] == "<b>mine.IPYNB"
    assert kept["scores_by_a_teacher"][0]["reason"] == "shown on paper"
    assert kept["scores_sent"][0]["to"]["subject"] == THERE.subject
    assert len(kept["visits"]) == 1
    everything = b"".join(map(archive.read, archive.namelist()))
    assert b"Secret" not in everything
    assert ann.http.cookies["grader"].encode() not in everything


def test_copies_are_not_made_without_end(store: Store) -> None:
    browser = learner_in(Pages(store), School(store))
    assert [browser.get("/own/copy").status_code for _ in range(4)] == [200, 200, 200, 429]
