"""The pages, walked through as a browser does: entering, handing in, reading what was found."""

from collections.abc import AsyncIterator

import pytest

from grader.load import MAX_BYTES
from grader.web.store import attempts, courses
from grader.web.store.store import Store
from tests.gradebooks import EXERCISE
from tests.web import NOTEBOOK, OTHER, Pages, School, grade_next, learner_in, teacher_in

# ---- a learner's way ----------------------------------------------------------------------------


def test_a_learner_enters_hands_in_and_reads_the_report(pages: Pages, store: Store) -> None:
    school, browser = School(store), pages.browser()
    welcome = browser.enter("DL101", "Ann")
    assert "shown only now" in welcome
    front = browser.get("/course").text
    assert "Linear regression by gradient descent" in front
    assert 'href="/assignments/1"' in front
    task = browser.get("/assignments/1").text
    assert "<h1>Linear regression by gradient descent</h1>" in task
    status, path, text = browser.upload(school.asked)
    assert (status, path) == (200, "/attempts/1")
    assert "Received. Your file is stored." in text
    assert '<noscript><meta http-equiv="refresh"' in text
    assert pages.queued == 1
    grade_next(store, 7)
    done = browser.get("/attempts/1").text
    assert '<iframe sandbox src="/attempts/1/report"' in done
    assert "7 / 10" in done
    assert "refresh" not in done
    report = browser.get("/attempts/1/report")
    assert "<bdi>work.ipynb</bdi>" in report.text
    assert "7</strong>" in report.text
    assert "7 / 10" in browser.get("/course").text


def test_the_same_in_chinese(pages: Pages, store: Store) -> None:
    School(store)
    browser = pages.browser()
    browser.http.headers["accept-language"] = "zh-CN,zh;q=0.9,en;q=0.8"
    assert '<html lang="zh-Hans">' in browser.get("/").text
    browser.enter("dl101", "小红")
    assert "提交作业" in browser.get("/assignments/1").text
    assert "Hand in" in browser.get("/assignments/1?language=en").text
    assert "Hand in" in browser.get("/assignments/1").text  # it is remembered
    browser.get("/?language=zh")  # as a page leads there that answers a form
    assert "提交作业" in browser.get("/assignments/1").text


def test_a_learner_comes_back_by_their_own_code(pages: Pages, store: Store) -> None:
    school, first, second = School(store), pages.browser(), pages.browser()
    own = first.own_code(first.enter("dl101", "Ann"))
    first.upload(school.asked)
    second.enter("dl101", own=own.upper())
    assert "Ann" in second.get("/course").text
    assert second.get("/attempts/1").status_code == 200


@pytest.mark.parametrize(
    ("code", "name", "own", "said"),
    [
        ("nowhere", "Ann", "", "No course has this code."),
        ("dl101", "", "", "Write your name"),
        ("dl101", "Ann", "aaaa-bbbb-cccc", "Nobody in this course has this code of their own."),
        ("", "", "", "No course has this code."),
    ],
)
def test_who_cannot_enter_is_told_why(  # noqa: PLR0917 - the fields of the form
    pages: Pages, store: Store, code: str, name: str, own: str, said: str
) -> None:
    School(store)
    browser = pages.browser()
    assert said in browser.enter(code, name, own)
    assert browser.get("/course").url.path == "/"


def test_the_token_is_another_one_after_signing_in_and_worth_nothing_after_signing_out(
    pages: Pages, store: Store
) -> None:
    School(store)
    browser = pages.browser()
    browser.get("/")
    before = browser.http.cookies["grader"]
    browser.enter("dl101", "Ann")
    after = browser.http.cookies["grader"]
    assert before != after
    form = {"csrf": browser.csrf("/course")}
    assert browser.post("/leave", data=form).url.path == "/"
    browser.http.cookies.set("grader", after, domain="localhost")
    assert browser.get("/course").url.path == "/"


def test_a_name_is_shown_as_it_is_and_becomes_no_markup(pages: Pages, store: Store) -> None:
    school = School(store)
    learner_in(pages, school, "<script>alert(1)</script>")
    shown = teacher_in(pages, school).get("/assignments/1/class").text
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)" in shown


def test_the_starter_and_ones_own_file_are_given_out_as_files(pages: Pages, store: Store) -> None:
    school = School(store)
    browser = learner_in(pages, school)
    browser.upload(school.asked)
    starter, own = browser.get("/assignments/1/starter"), browser.get("/attempts/1/file")
    assert starter.json()["metadata"]["grader"] == {"exercise": EXERCISE}
    assert own.content == NOTEBOOK
    for answer in (starter, own):
        assert answer.headers["content-disposition"].startswith("attachment; ")
        assert answer.headers["content-security-policy"].startswith("sandbox;")


def test_progress_is_told_until_it_is_done(pages: Pages, store: Store) -> None:
    school = School(store)
    browser = learner_in(pages, school)
    browser.upload(school.asked)
    grade_next(store, 10)
    answer = browser.get("/attempts/1/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text == 'data: {"words": "Done.", "done": true}\n\n'


# ---- what is not taken --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", b"w = 1", "a.txt is neither a notebook"),
        ("a.ipynb", b"w = 1", "not valid JSON"),
        ("a.ipynb", b" \n", "a.ipynb is empty"),
        ("", NOTEBOOK, "No file was chosen."),
        ("../../etc/<b>passwd", b"x", "&lt;b&gt;passwd is neither"),
        ("C:\\work\\a.pdf", b"x", "a.pdf is neither"),
    ],
)
def test_a_file_that_is_no_submission_is_told_at_once_and_kept_nowhere(
    pages: Pages, store: Store, name: str, content: bytes, said: str
) -> None:
    school = School(store)
    browser = learner_in(pages, school)
    status, _, text = browser.upload(school.asked, content, name)
    assert (status, said in text) == (422, True)
    assert pages.queued == 0
    assert not store.files.folder.exists()


def test_the_limit_of_attempts_is_told_before_and_enforced(pages: Pages, store: Store) -> None:
    school = School(store, most=1)
    browser = learner_in(pages, school)
    assert "0 of 1 attempts used" in browser.get("/assignments/1").text
    assert browser.upload(school.asked)[0] == 200
    page = browser.get("/assignments/1").text
    assert "All 1 attempts are used." in page
    assert 'type="file"' not in page
    assert browser.upload(school.asked, OTHER)[0] == 403


def test_the_deadline_is_told_before_and_enforced(pages: Pages, store: Store) -> None:
    school = School(store, deadline=courses.moment("2999-01-01T12:00+00:00"))
    browser = learner_in(pages, school)
    assert "2999-01-01 12:00 UTC" in browser.get("/assignments/1").text
    assert browser.upload(school.asked)[0] == 200
    over = courses.moment("2020-01-01T12:00+00:00")
    store.write(courses.assign, "dl101", EXERCISE, points=None, deadline=over, most=None)
    status, _, text = browser.upload(school.asked, OTHER)
    assert status == 403
    assert text.count("The deadline was 2020-01-01 12:00 UTC.") == 1


def test_a_body_that_is_too_large_is_not_read(pages: Pages, store: Store) -> None:
    school = School(store)
    browser = learner_in(pages, school)
    read = 0

    async def parts() -> AsyncIterator[bytes]:
        nonlocal read
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.ipynb"\r\n\r\n'
        for _ in range(100):
            read += 1_000_000
            yield b"x" * 1_000_000

    kind = {"content-type": "multipart/form-data; boundary=b"}
    declared = browser.post(
        "/assignments/1/attempts", content=b"x", headers=kind | {"content-length": str(MAX_BYTES * 2)}
    )
    assert declared.status_code == 413
    assert "at most" in declared.text
    answer = browser.post("/assignments/1/attempts", content=parts(), headers=kind)
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert read < MAX_BYTES + 3_000_000
    assert browser.post("/enter", content=b"code=" + b"x" * 70_000).status_code == 413
    assert store.read(attempts.of_person, school.asked.id, 1) == []


def test_what_is_no_form_is_told(pages: Pages, store: Store) -> None:
    School(store)
    browser = pages.browser()
    kind = {"content-type": "multipart/form-data; boundary=b"}
    assert browser.post("/enter", content=b"--b\r\nbroken", headers=kind).status_code in {400, 403}
    many = {f"field{n}": (None, "x") for n in range(30)}
    assert browser.post("/enter", files=many).status_code == 400
    assert browser.post("/enter", json={"csrf": "x"}).status_code == 403
