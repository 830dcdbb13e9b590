"""`grader push canvas`, to a Canvas on the loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Outcome, grader
from tests.fake_canvas import ASSIGNMENT, COURSE, FakeCanvas, student
from tests.fake_platform import TOKEN, Trouble
from tests.gradebooks import EXERCISE
from tests.pushing import fill, handed_in, report

JANE, WEI, BO = "Doe, Jane", "Wei", "Bo"
AT_ONCE = {"Retry-After": "0"}
CLASS = (
    (handed_in("101", JANE, "all.zip: doejane_101_900_a.ipynb"), report("101", 10)),
    (handed_in("102", WEI, "all.zip: wei_102_901_a b.ipynb"), report("102", 7, "gradients-not-zeroed")),
    (handed_in("bo@example.org", BO, "bo@example.org/a.ipynb"), report("bo@example.org", 5)),
)


@pytest.fixture
def canvas() -> Iterator[FakeCanvas]:
    students = (
        student(101, "Jane Doe", sis_user_id="s1", login_id="jane"),
        student(102, "Wei Li", sis_user_id="101", login_id="wei"),
        student(103, "Bo Ek", sis_user_id="s3", login_id="bo", email="Bo@example.org"),
    )
    with FakeCanvas(*students) as fake:
        yield fake


def push(fake: FakeCanvas, folder: Path, *options: str, **variables: str) -> Outcome:
    place = ("--gradebook", "grades.db", "--url", fake.url, "--unsafe-no-tls")
    to = ("--exercise", EXERCISE, "--course-id", str(COURSE), "--assignment", str(ASSIGNMENT))
    return grader(
        "push", "canvas", *place, *to, *options, folder=folder, **({"CANVAS_TOKEN": TOKEN} | variables)
    )


def test_each_grade_is_sent_once_with_a_comment(canvas: FakeCanvas, tmp_path: Path) -> None:
    fill(tmp_path / "grades.db", *CLASS, (handed_in("104", "Cy", "x/a.ipynb"), None))
    dry = push(canvas, tmp_path, "--dry-run")
    assert (dry.code, canvas.grades) == (0, {}), dry.err
    assert dry.out.splitlines()[0] == "101 → Jane Doe (101): 10 of 10"
    assert "Cy (104) has no score" in dry.err
    done = push(canvas, tmp_path)
    assert done.code == 0, done.err
    assert canvas.grades == {101: 10, 102: 7, 103: 5}
    assert canvas.comments[101] == ["10 of 10 points."]
    (said,) = canvas.comments[102]
    assert said.splitlines()[:2] == ["7 of 10 points.", "Not passed: w is the slope."]
    again = push(canvas, tmp_path, "--language", "zh")
    assert (again.code, again.out) == (0, "")
    assert "此前已发送 3 份" in again.err
    assert [len(comments) for comments in canvas.comments.values()] == [1, 1, 1]


def test_what_changed_is_sent_and_what_fails_is_told(canvas: FakeCanvas, tmp_path: Path) -> None:
    fill(tmp_path / "grades.db", *CLASS)
    canvas.capped.add(102)
    canvas.troubles += [
        Trouble(429, AT_ONCE),
        Trouble(403, AT_ONCE, body="403 Forbidden (Rate Limit Exceeded)"),
        Trouble(502, AT_ONCE, done=True),
    ]
    done = push(canvas, tmp_path)
    assert done.code == 3
    assert canvas.comments[101] == ["10 of 10 points."], "it had arrived before the error"
    assert "The grade of Wei (102) was refused: score: 1.0" in done.err
    assert "2 sent, 0 sent before, 1 not delivered" in done.err
    canvas.capped.clear()
    changed = (handed_in("101", JANE, "all.zip: doejane_101_950_a-1.ipynb"), report("101", 8))
    fill(tmp_path / "grades.db", changed, *CLASS[1:])
    assert push(canvas, tmp_path).code == 0
    assert canvas.grades == {101: 8, 102: 7, 103: 5}
    assert [len(comments) for comments in canvas.comments.values()] == [2, 1, 1]


@pytest.mark.slow
def test_nobody_gets_the_grade_of_another(canvas: FakeCanvas, tmp_path: Path) -> None:
    """`101` is a number of the school's and one of Canvas's; whose it is, only the teacher can say."""
    fill(
        tmp_path / "grades.db",
        (handed_in("101", "", "101/a.ipynb"), report("101", 9)),
        (handed_in("bo", "", "bo.ipynb"), report("bo", 9)),
        (handed_in("s3", "", "s3.ipynb"), report("s3", 4)),
        (handed_in("nobody", "", "nobody.ipynb"), report("nobody", 9)),
    )
    dry = push(canvas, tmp_path, "--dry-run")
    assert dry.code == 3
    assert dry.out == ""
    assert "101 (101) may be any of these there: Jane Doe (101); Wei Li (102)" in dry.err
    assert "nobody (nobody) was not found" in dry.err
    assert "bo (bo) is not the only student here who is Bo Ek (103) there" in dry.err
    assert push(canvas, tmp_path, "--by", "id").out == "101 → Jane Doe (101): 9 of 10, sent\n"


@pytest.mark.slow
def test_points_are_scaled_and_whoever_is_excused_stays_so(tmp_path: Path) -> None:
    fill(tmp_path / "grades.db", *CLASS[:2])
    with FakeCanvas(student(101, "Jane Doe"), student(102, "Wei Li"), points=25.0) as fake:
        fake.excused.add(101)
        done = push(fake, tmp_path)
        assert (done.code, fake.grades) == (0, {102: 17.5}), done.err
    assert "is excused on the platform" in done.err
    assert "Full marks there are 25, here 10" in done.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "variables", "said"),
    [
        ((), {"CANVAS_TOKEN": ""}, "CANVAS_TOKEN"),
        ((), {"CANVAS_TOKEN": "another"}, "does not accept the token"),
        (("--assignment", "1"), {}, "is not there, or your token may not see it"),
        (("--token-file", "open.txt"), {}, "chmod 600"),
        (("--token-file", "none.txt"), {}, "none.txt"),
        (("--url", "http://canvas.example.org"), {}, "is not encrypted"),
        (("--url", "canvas.example.org"), {}, "no address"),
        (("--url", "https://[::"), {}, "no address"),
        (("--exercise", "knitting"), {}, "knitting"),
        (("--gradebook", "none/grades.db"), {}, "none/grades.db"),
    ],
    ids=range(10),
)
def test_what_cannot_be_done_is_said(
    options: tuple[str, ...], variables: dict[str, str], said: str, canvas: FakeCanvas, tmp_path: Path
) -> None:
    fill(tmp_path / "grades.db", *CLASS)
    (tmp_path / "open.txt").write_text(TOKEN)
    (tmp_path / "open.txt").chmod(0o644)
    done = push(canvas, tmp_path, *options, **variables)
    assert (done.code, canvas.grades) == (2, {})
    assert said in done.err
    assert "Traceback" not in done.err
    assert TOKEN not in done.err


@pytest.mark.slow
def test_the_token_may_be_in_a_file(canvas: FakeCanvas, tmp_path: Path) -> None:
    fill(tmp_path / "grades.db", *CLASS)
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    (tmp_path / "token").chmod(0o600)
    assert push(canvas, tmp_path, "--token-file", "token", CANVAS_TOKEN="").code == 0
    assert len(canvas.grades) == 3
